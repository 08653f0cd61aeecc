//! What every request may be answered with, whatever it is about: as [`RULES`] and the guards before the handlers have it.

use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use crate::web::caller::{COOKIE, Needs, RULES};

/// The name the document has for the session's cookie.
const SESSION: &str = "session";

/// Adds them, and what a request has to carry.
pub struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        let cookie = ApiKeyValue::with_description(COOKIE, "What `POST /api/v1/session` sets");
        let components = document.components.get_or_insert_default();
        components
            .security_schemes
            .insert(SESSION.to_owned(), SecurityScheme::ApiKey(ApiKey::Cookie(cookie)).into());
        for (method, path, needs) in RULES {
            let Some(operation) = operation(document, method, path) else { continue };
            for (status, description) in refusals(*method != "GET", operation.request_body.is_some(), *needs)
            {
                // A handler may know more about it.
                operation
                    .responses
                    .responses
                    .entry(status.to_owned())
                    .or_insert_with(|| refusal(description));
            }
            let takes = match needs {
                Needs::Nothing => Vec::new(),
                Needs::Session | Needs::May(_) => {
                    vec![SecurityRequirement::new::<_, [_; 0], &str>(SESSION, [])]
                }
            };
            operation.security = Some(takes);
        }
    }
}

fn operation<'a>(document: &'a mut OpenApi, method: &str, path: &str) -> Option<&'a mut Operation> {
    let item = document.paths.paths.get_mut(path)?;
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Status and description of each.
fn refusals(changes: bool, has_body: bool, needs: Needs) -> Vec<(&'static str, &'static str)> {
    let signed_out = ("401", "Nobody is signed in");
    let other_site = "the request comes from another site's page";
    let mut all = match needs {
        Needs::Nothing if changes => vec![("403", other_site)],
        Needs::Nothing => vec![],
        Needs::Session if changes => vec![signed_out, ("403", other_site)],
        Needs::Session => vec![signed_out],
        Needs::May(_) if changes => {
            vec![signed_out, ("403", "Not permitted, or the request comes from another site's page")]
        }
        Needs::May(_) => vec![signed_out, ("403", "Not permitted")],
    };
    if has_body {
        all.extend([("413", "The body is longer than 16 KiB"), ("415", "The body is not said to be JSON")]);
    }
    all
}

fn refusal(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}
