//! `/api/v1/sites`: places, and which boxes stand there.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_wire::{EdgeId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::Caller;
use super::openapi::formats::names;
use super::params::{Body, Id};
use super::problem::Problem;
use crate::access::{Site, SiteId, SiteLabel};
use crate::incident::{Deadlines, SiteDeadlines};
use crate::store::SiteError;

/// Every site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sites {
    /// By name.
    sites: Vec<Site>,
    /// Boxes that belong to none: only people who are not limited to some sites see them.
    #[schema(value_type = Vec<String>, example = json!(["gate-2"]))]
    unassigned: BTreeSet<EdgeId>,
    /// How long incidents may stay in a stage where a site says nothing else: `[incident_deadlines]` of the configuration.
    deadlines: Deadlines,
}

/// What a site is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "label": "第三小学", "edges": ["gate-1"], "deadlines": { "assigned_s": 300 } }))]
pub struct WantedSite {
    /// What people call it: one line of at most 100 characters.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 100)]
    label: SiteLabel,
    /// Its boxes; they leave the sites they belonged to.
    #[schema(schema_with = names)]
    edges: BTreeSet<EdgeId>,
    /// How long incidents there may stay in a stage, where it is not as everywhere; without it the site has nothing of its own. It counts
    /// for stages that incidents enter from then on.
    #[serde(default)]
    deadlines: SiteDeadlines,
}

/// Every site
#[utoipa::path(get, path = "/api/v1/sites", tag = "sites", responses(
    (status = 200, description = "All of them", body = Sites),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>) -> Result<Json<Sites>, Problem> {
    let (sites, unassigned) = app.store.sites().await?;
    Ok(Json(Sites { sites, unassigned, deadlines: app.deadlines }))
}

/// Makes or replaces a site
#[utoipa::path(put, path = "/api/v1/sites/{site}", tag = "sites",
    params(("site" = String, Path, description = "Its name", example = "school-3", format = "name")),
    request_body = WantedSite, responses(
        (status = 200, description = "The site as it is now", body = Site),
        (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
    Body(wanted): Body<WantedSite>,
) -> Result<Json<Site>, Problem> {
    let site = Site { site, label: wanted.label, edges: wanted.edges, deadlines: wanted.deadlines };
    app.store.put_site(&site, caller.name(), Timestamp::now()).await?;
    Ok(Json(site))
}

/// Removes a site; its boxes belong to none then
#[utoipa::path(delete, path = "/api/v1/sites/{site}", tag = "sites",
    params(("site" = String, Path, format = "name", description = "Its name", example = "school-3")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such site", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody is limited to it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
) -> Result<StatusCode, Problem> {
    app.store.remove_site(&site, caller.name(), Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<SiteError> for Problem {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Unknown(_) => Self::not_found(error.to_string()),
            SiteError::InUse { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            SiteError::Store(error) => error.into(),
        }
    }
}
