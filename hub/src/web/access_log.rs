//! `GET /api/v1/access-log`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::params::{Page, Params};
use super::problem::Problem;
use crate::access::AccessRecord;

/// Some records, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessLog {
    /// The records. They are never changed or deleted.
    records: Vec<AccessRecord>,
    /// Give it as `before` to see older ones; null when there are none.
    #[schema(example = "41")]
    next: Option<String>,
}

/// Who signed in, and what was done to accounts and sites, the latest first
#[utoipa::path(get, path = "/api/v1/access-log", tag = "people", params(Page), responses(
    (status = 200, description = "A page of the list", body = AccessLog),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>, Params(page): Params<Page>) -> Result<Json<AccessLog>, Problem> {
    let (records, next) = app.store.access_records(page.before(), page.limit()).await?;
    Ok(Json(AccessLog { records, next: next.map(|number| number.to_string()) }))
}
