//! `GET /api/v1/alerts`

use axum::Json;
use axum::extract::State;
use gatepost_wire::{CameraId, EdgeId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Limit, Params};
use super::problem::Problem;
use crate::alert::Alert;
use crate::store::{AlertFilter, Place};

/// Which alerts are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit<200>>,
    /// `next` of the page before.
    #[param(pattern = r"^[0-9]{1,19}\.[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    before: Option<String>,
    /// Of this edge only.
    #[param(value_type = Option<String>, format = "name")]
    edge: Option<EdgeId>,
    /// Of this camera only.
    #[param(value_type = Option<String>, format = "name")]
    camera: Option<CameraId>,
}

/// Some alerts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alerts {
    /// The alerts.
    alerts: Vec<Alert>,
    /// Give it as `before` to see older ones; null when there are none. Behind a page with few or none there may be more.
    #[schema(example = "1769848200200000000.01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    next: Option<String>,
}

/// Alarms, newest first
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(Query), responses(
    (status = 200, description = "A page of the list", body = Alerts),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Alerts>, Problem> {
    let before = match query.before {
        Some(cursor) => Some(cursor.parse::<Place>().map_err(|error| Problem::parameter("before", error))?),
        None => None,
    };
    let filter = AlertFilter {
        scope: caller.scope(),
        edge: query.edge,
        camera: query.camera,
        before,
        limit: Limit::or(query.limit, 50),
    };
    let page = app.store.alerts(&filter).await?;
    Ok(Json(Alerts { alerts: page.alerts, next: page.next.map(|place| place.to_string()) }))
}
