//! `GET /api/v1/events` and one of them.

use axum::Json;
use axum::extract::State;
use gatepost_wire::{BootId, EdgeId, EventId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Cursor, Id, Limit, Params};
use super::problem::Problem;
use crate::store::{EventFilter, StoredEvent};

/// Which events are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Of this edge only.
    #[param(value_type = Option<String>, format = "name")]
    edge: Option<EdgeId>,
    /// Of this start of that edge only; needs `edge`.
    #[param(value_type = Option<String>, format = "ulid")]
    boot: Option<BootId>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "cursor")]
    after: Option<Cursor>,
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<Limit<1000>>,
}

/// Some events, oldest first in the order of storing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// The events.
    events: Vec<StoredEvent>,
    /// Give it as `after` to go on; null when this was the last for now. Behind a page with few or none there may be more.
    #[schema(example = "207")]
    next: Option<String>,
}

/// Events in the order of storing
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(Query), responses(
    (status = 200, description = "A page of the list", body = Events),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Events>, Problem> {
    if query.boot.is_some() && query.edge.is_none() {
        return Err(Problem::parameter("boot", "it is counted for each edge, so give `edge` too"));
    }
    let after = query.after.map_or(0, |Cursor(number)| number);
    let filter = EventFilter {
        scope: caller.scope(),
        edge: query.edge,
        boot: query.boot,
        after,
        limit: Limit::or(query.limit, 100),
    };
    let page = app.store.events(&filter).await?;
    Ok(Json(Events { events: page.events, next: page.next.map(|number| number.to_string()) }))
}

/// One event
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "events",
    params(("id" = String, Path, format = "ulid", description = "ULID of the event", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "The event", body = StoredEvent),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such event", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<EventId>,
) -> Result<Json<StoredEvent>, Problem> {
    let event = app.store.event(id, &caller.scope()).await?;
    event.map(Json).ok_or_else(|| Problem::not_found(format!("there is no event {id}")))
}
