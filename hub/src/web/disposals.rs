//! `GET /api/v1/disposals`

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::params::{Cursor, Limit, Params};
use super::problem::Problem;
use crate::store::Disposal;

/// Which disposals are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<Limit<1000>>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "cursor")]
    before: Option<Cursor>,
}

/// Some disposals, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disposals {
    /// The disposals.
    disposals: Vec<Disposal>,
    /// Give it as `before` to see older ones; null when there are none.
    #[schema(example = "12")]
    next: Option<String>,
}

/// How many alarms, events, incidents and lines of registers were deleted when their time was over, the latest first
#[utoipa::path(get, path = "/api/v1/disposals", tag = "evidence", params(Query), responses(
    (status = 200, description = "A page of the list", body = Disposals),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>, Params(query): Params<Query>) -> Result<Json<Disposals>, Problem> {
    let before = query.before.map(|Cursor(number)| number);
    let (disposals, next) = app.store.disposals(before, Limit::or(query.limit, 100)).await?;
    Ok(Json(Disposals { disposals, next: next.map(|number| number.to_string()) }))
}
