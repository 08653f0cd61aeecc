//! `GET /api/v1/deletions`

use axum::Json;
use axum::extract::State;
use gatepost_wire::EventId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Cursor, Limit, Params};
use super::problem::Problem;
use crate::store::{DeletionFilter, StoredDeletion};

/// Which deletions are asked for.
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
    /// Of the evidence of this event only.
    #[param(value_type = Option<String>, format = "ulid")]
    event: Option<EventId>,
}

/// Some deletions, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deletions {
    /// The deletions.
    deletions: Vec<StoredDeletion>,
    /// Give it as `before` to see older ones; null when there are none. Behind a page with few or none there may be more.
    #[schema(example = "41")]
    next: Option<String>,
}

/// Pictures, clips, originals and attachments that were deleted here, the latest first
#[utoipa::path(get, path = "/api/v1/deletions", tag = "evidence", params(Query), responses(
    (status = 200, description = "A page of the list", body = Deletions),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Deletions>, Problem> {
    let filter = DeletionFilter {
        scope: caller.scope(),
        event: query.event,
        before: query.before.map(|Cursor(number)| number),
        limit: Limit::or(query.limit, 100),
    };
    let (deletions, next) = app.store.deletions(&filter).await?;
    Ok(Json(Deletions { deletions, next: next.map(|number| number.to_string()) }))
}
