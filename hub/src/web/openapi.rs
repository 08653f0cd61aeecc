//! The API described for machines, made from the handlers.

pub(super) mod contract;
pub(super) mod formats;
mod operation_ids;
mod refusals;

use axum::Json;
use utoipa::OpenApi;

use self::formats::Formats;
use self::operation_ids::OperationIds;
use self::refusals::Refusals;
use super::{
    access_log, alerts, attachments, commands, deletions, devices, disposals, events, evidence, exports,
    health, holds, incidents, live, oidc, people, plans, session, shift_report, sites, telemetry, viewings,
    webhooks,
};

#[derive(OpenApi)]
#[openapi(
    modifiers(&Refusals, &Formats, &OperationIds),
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
        attachments::list,
        attachments::add,
        attachments::one,
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
        oidc::ways,
        oidc::start,
        oidc::callback,
        people::list,
        people::add,
        people::change,
        people::invite,
        sites::list,
        sites::put,
        sites::remove,
        plans::list,
        plans::show,
        plans::place,
        plans::remove,
        plans::picture,
        plans::put_picture,
        webhooks::list,
        webhooks::dead,
        webhooks::retry_all,
        webhooks::retry_one,
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_field_has_an_example_that_fits() {
        let document = serde_json::to_value(document()).unwrap();
        let mut without = Vec::new();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            look_at_fields(name, schema, &mut without);
        }
        assert!(without.is_empty(), "{without:#?}");
    }

    fn look_at_fields(path: &str, schema: &Value, without: &mut Vec<String>) {
        if schema.get("example").is_some() || schema.get("examples").is_some() {
            return;
        }
        for part in parts(schema) {
            look_at_fields(path, part, without);
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if field.get("properties").is_some() {
                look_at_fields(&path, field, without);
            } else if !is_plain(field) {
                without.push(path);
            } else if let Some(example) = field.get("example") {
                assert!(fits(field, example), "{path}: {example} does not fit {field}");
            }
        }
    }

    /// By an example, or by what it is: one of some words, a moment, another schema that has its own.
    fn is_plain(field: &Value) -> bool {
        let is = |kind: &str| match &field["type"] {
            Value::Array(kinds) => kinds.iter().any(|one| one == kind),
            one => one == kind,
        };
        let says = |key: &&str| field.get(key).is_some();
        ["example", "examples", "enum", "const", "default", "$ref"].iter().any(says)
            || is("boolean")
            || field["format"] == "date-time"
            || (is("array") && is_plain(&field["items"]))
            || parts(field).next().is_some()
                && parts(field).all(|part| part["type"] == "null" || is_plain(part))
    }

    fn fits(field: &Value, example: &Value) -> bool {
        // What it refers to stands elsewhere in the document.
        field.to_string().contains("$ref") || jsonschema::validator_for(field).unwrap().is_valid(example)
    }

    fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
        ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
    }
}
