//! `GET /api/v1/devices`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use crate::device::Device;

/// Every edge the hub has heard of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// By name.
    devices: Vec<Device>,
}

/// Every edge the hub has heard of, at the sites of who asks
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", responses(
    (status = 200, description = "All of them", body = Devices),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Devices>, Problem> {
    Ok(Json(Devices { devices: app.store.devices(&caller.scope()).await? }))
}
