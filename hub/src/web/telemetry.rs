//! `GET /api/v1/devices/{edge}/history`: how a box fared.

use axum::Json;
use axum::extract::State;
use gatepost_wire::{EdgeId, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::caller::Caller;
use super::params::{Id, Params};
use super::problem::Problem;
use crate::telemetry::{DeviceHistory, Stretch};

/// Of which time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// From then on.
    #[param(value_type = String, format = DateTime, example = "2026-01-31T08:20:00Z")]
    from: Timestamp,
    /// Up to then; at most 400 days later.
    #[param(value_type = String, format = DateTime, example = "2026-01-31T08:30:00Z")]
    until: Timestamp,
}

/// How a box fared: temperature, disk, detector, what waited, and each camera's frames
///
/// Up to two days of the last three are told of by five minutes, everything else by hours or several; there are a thousand steps at most. What
/// is older than `retention.health_days` is not there any more.
#[utoipa::path(get, path = "/api/v1/devices/{edge}/history", tag = "devices",
    params(("edge" = String, Path, description = "The box", example = "gate-1", format = "name"), Query), responses(
    (status = 200, description = "One entry for each step", body = DeviceHistory),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not permitted, or no box of a site of who asks", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn history(
    State(app): State<App>,
    caller: Caller,
    Id(edge): Id<EdgeId>,
    Params(Query { from, until }): Params<Query>,
) -> Result<Json<DeviceHistory>, Problem> {
    caller.must_see(&app, &edge).await?;
    let stretch =
        Stretch::new(from, until, Timestamp::now()).map_err(|error| Problem::parameter("until", error))?;
    // First what is not written: in between it may be, and shall not be missed. Counted twice for a moment does no harm to a mean.
    let unwritten = app.telemetry.unwritten(&edge);
    let mut samples = app.store.samples(&edge, &stretch).await?;
    samples.extend(unwritten);
    // In this order, so that how it stands is always among the changes.
    let standing = app.store.standing(&edge).await?;
    let changes = app.store.changes(&edge, &stretch).await?;
    Ok(Json(DeviceHistory::new(edge, &stretch, &samples, changes, standing)))
}
