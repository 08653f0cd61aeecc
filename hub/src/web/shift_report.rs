//! `GET /api/v1/shift-report`: what one shift tells the next.

use axum::Json;
use axum::extract::State;
use gatepost_wire::Timestamp;
use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::caller::Caller;
use super::params::Params;
use super::problem::Problem;
use crate::incident::ShiftReport;
use crate::store::{IncidentFilter, Span, Viewer, Which};

/// No shift is longer, and what a longer one would have is nothing anybody reads.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// So many open ones are told of, the newest first.
const OPEN: u16 = 500;
/// So many that were dealt with, and so many notes, the latest first.
const DONE: u16 = 200;

/// Which shift.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// From then on.
    #[param(value_type = String, format = DateTime, example = "2026-01-31T00:00:00Z")]
    from: Timestamp,
    /// Up to then; at most seven days later.
    #[param(value_type = String, format = DateTime, example = "2026-01-31T08:00:00Z")]
    until: Timestamp,
}

/// What happened in a shift, and what it leaves to the next
#[utoipa::path(get, path = "/api/v1/shift-report", tag = "incidents", params(Query), responses(
    (status = 200, description = "At the sites of who asks", body = ShiftReport),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Params(Query { from, until }): Params<Query>,
) -> Result<Json<ShiftReport>, Problem> {
    if until <= from {
        return Err(Problem::parameter("until", "it has to be later than `from`"));
    }
    if until.duration_since(from) > LONGEST {
        return Err(Problem::parameter("until", "at most seven days after `from`"));
    }
    let (now, scope, span) = (Timestamp::now(), caller.scope(), Span { from, until });
    let viewer = Viewer { scope: scope.clone(), only_of: None };
    let open = IncidentFilter { open: Some(true), ..IncidentFilter::of(viewer, OPEN) };
    let open = app.store.incidents(&open, None, now).await?.incidents;
    let dealt_with = app.store.dealt_with(&span, &scope, DONE, now).await?;
    let (closed, false_alarms) = app.store.closed_within(&span, &scope).await?;
    Ok(Json(ShiftReport {
        from,
        until,
        now,
        opened: app.store.opened_within(&span, &scope).await?,
        closed,
        false_alarms,
        worst: app.store.worst(&Which::ClosedWithin(&span), &scope).await?,
        open: app.store.with_what_was_said(open).await?,
        dealt_with: app.store.with_what_was_said(dealt_with).await?,
        notes: app.store.notes(&span, &scope, DONE).await?,
    }))
}
