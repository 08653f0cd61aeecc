//! `GET /api/v1/access-log`

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::params::{Cursor, Limit, Params};
use super::problem::Problem;
use crate::access::AccessRecord;

/// Which records are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit<200>>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "cursor")]
    before: Option<Cursor>,
}

/// Some records, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessLog {
    /// The records. They are never changed or deleted.
    records: Vec<AccessRecord>,
    /// Give it as `before` to see older ones; null when there are none.
    next: Option<String>,
}

/// Who signed in, and what was done to accounts and sites, the latest first
#[utoipa::path(get, path = "/api/v1/access-log", tag = "people", params(Query), responses(
    (status = 200, description = "A page of the list", body = AccessLog),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>, Params(query): Params<Query>) -> Result<Json<AccessLog>, Problem> {
    let before = query.before.map(|Cursor(number)| number);
    let (records, next) = app.store.access_records(before, Limit::or(query.limit, 50)).await?;
    Ok(Json(AccessLog { records, next: next.map(|number| number.to_string()) }))
}
