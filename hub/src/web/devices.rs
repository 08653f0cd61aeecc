//! `GET /api/v1/devices`

use axum::Json;
use axum::extract::State;
use gatepost_wire::EdgeId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Limit, Params};
use super::problem::Problem;
use crate::device::Device;
use crate::store::DeviceFilter;

/// Which edges are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<Limit<1000>>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "name")]
    after: Option<EdgeId>,
}

/// Edges the hub has heard of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// By name.
    devices: Vec<Device>,
    /// Give it as `after` to see those that follow; null when there are none.
    #[schema(value_type = Option<String>, format = "name", example = "gate-1")]
    next: Option<EdgeId>,
}

/// Every edge the hub has heard of, at the sites of who asks
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(Query), responses(
    (status = 200, description = "A page of the list", body = Devices),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Devices>, Problem> {
    let limit = Limit::or(query.limit, 1000);
    let filter = DeviceFilter { scope: caller.scope(), after: query.after, limit: Some(limit) };
    let devices = app.store.devices(&filter).await?;
    let full = devices.len() >= usize::from(limit);
    let next = devices.last().filter(|_| full).map(|device| device.edge.clone());
    Ok(Json(Devices { devices, next }))
}
