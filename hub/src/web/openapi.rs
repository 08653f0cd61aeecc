//! The API described for machines, made from the handlers.

use axum::Json;
use utoipa::openapi::{ContentBuilder, OpenApi as OpenApiDocument, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::caller::{Needs, RULES};
use super::{
    access_log, alerts, commands, deletions, devices, disposals, events, evidence, exports, health, holds,
    incidents, live, people, session, shift_report, sites, telemetry, viewings,
};

#[derive(OpenApi)]
#[openapi(
    modifiers(&Refusals),
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
        viewings::list,
        viewings::open,
        deletions::list,
        disposals::list,
        holds::list,
        holds::propose,
        holds::take_step,
        incidents::list,
        incidents::one,
        incidents::alerts,
        incidents::timeline,
        incidents::take_step,
        incidents::handlers,
        incidents::figures,
        shift_report::show,
        exports::alerts,
        exports::incidents,
        commands::list,
        commands::one,
        commands::give,
        commands::decide,
        devices::list,
        telemetry::history,
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

/// How who may not ask is answered, as [`RULES`] have it.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApiDocument) {
        for (method, path, needs) in RULES {
            let operation = document.paths.paths.get_mut(*path).and_then(|item| match *method {
                "GET" => item.get.as_mut(),
                "POST" => item.post.as_mut(),
                "PUT" => item.put.as_mut(),
                "PATCH" => item.patch.as_mut(),
                "DELETE" => item.delete.as_mut(),
                _ => None,
            });
            let Some(operation) = operation else { continue };
            let refusals: &[_] = match needs {
                Needs::Nothing => &[],
                Needs::Session => &[("401", "Nobody is signed in")],
                Needs::May(_) => &[("401", "Nobody is signed in"), ("403", "Not permitted")],
            };
            for (status, description) in refusals {
                // A handler may know more about it.
                operation
                    .responses
                    .responses
                    .entry((*status).to_owned())
                    .or_insert_with(|| refusal(description));
            }
        }
    }
}

fn refusal(description: &str) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}

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
