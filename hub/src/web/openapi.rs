//! The API described for machines, made from the handlers.

use axum::Json;
use utoipa::OpenApi;

use super::{alerts, commands, deletions, devices, events, evidence, health, live};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gatepost hub",
        description = "Alarms, their evidence, events, devices, and commands to them. Times are RFC 3339 in UTC; ids are ULIDs. There are no accounts \
            in this version, so the hub listens on loopback only."
    ),
    paths(
        alerts::list,
        events::list,
        events::one,
        evidence::snapshot,
        evidence::one,
        deletions::list,
        commands::list,
        commands::one,
        commands::give,
        devices::list,
        live::stream,
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
