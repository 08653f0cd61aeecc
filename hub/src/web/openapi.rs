//! The API described for machines, made from the handlers.

use axum::Json;
use utoipa::OpenApi;

use super::{
    access_log, alerts, commands, deletions, devices, events, evidence, health, incidents, live, people,
    session, sites,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gatepost hub",
        description = "Alarms, their evidence, events, devices, and commands to them. Times are RFC 3339 in UTC; ids are ULIDs. All but \
            signing in takes a session, by the cookie that `POST /api/v1/session` sets."
    ),
    paths(
        alerts::list,
        events::list,
        events::one,
        evidence::snapshot,
        evidence::one,
        deletions::list,
        incidents::list,
        incidents::one,
        incidents::alerts,
        incidents::timeline,
        incidents::take_step,
        incidents::handlers,
        incidents::figures,
        commands::list,
        commands::one,
        commands::give,
        devices::list,
        live::stream,
        session::show,
        session::sign_in,
        session::sign_out,
        session::accept,
        session::change_password,
        session::want_factor,
        session::confirm_factor,
        session::remove_factor,
        people::list,
        people::add,
        people::change,
        people::invite,
        sites::list,
        sites::put,
        sites::remove,
        access_log::list,
        get,
        health::live,
        health::ready
    )
)]
struct Document;

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "about", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub async fn get() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
