//! `/api/v1/plans` and `/api/v1/sites/{site}/plan`: where cameras, zones and sensors of a site are.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gatepost_wire::{EdgeId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Body, Id, Params, RawBody};
use super::problem::Problem;
use crate::access::{SiteId, SiteLabel};
use crate::plan::{Picture, PictureError, Placements, Plan, PlanVersion, Sha256};
use crate::store::{PlanError, PlannedSite};

/// A browser may keep the picture, but asks each time whether it may still show it.
const KEPT: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The sites somebody sees.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plans {
    /// By name.
    sites: Vec<SiteWithPlan>,
}

/// A site, and whether it has a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "site": "school-3", "label": "第三小学", "edges": ["gate-1"], "version": 4211 }))]
pub struct SiteWithPlan {
    /// Its name.
    #[schema(value_type = String, format = "name")]
    site: SiteId,
    /// What people call it.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 100)]
    label: SiteLabel,
    /// Its boxes, by name: what belongs to them can be placed on its plan.
    #[schema(value_type = Vec<String>)]
    edges: BTreeSet<EdgeId>,
    /// Of its plan; null: there is none.
    #[schema(value_type = Option<i64>, minimum = 1)]
    version: Option<PlanVersion>,
}

impl From<PlannedSite> for SiteWithPlan {
    fn from(PlannedSite { site, label, edges, version }: PlannedSite) -> Self {
        Self { site, label, edges, version }
    }
}

/// What is to be on a plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WantedPlan, example = json!({
    "version": 4211,
    "placed": {
        "cameras": [{ "edge": "gate-1", "camera": "east-gate", "at": { "x": 0.82, "y": 0.4 },
            "view": { "direction_deg": 270, "angle_deg": 80 } }],
        "zones": [], "sensors": []
    }
}))]
pub struct Wanted {
    /// Of the plan that was looked at.
    #[schema(value_type = i64, minimum = 1)]
    version: PlanVersion,
    /// All of it; what is left out is taken off.
    placed: Placements,
}

/// Which plan was looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LookedAt {
    /// `version` of the plan that was looked at; 0: there was none.
    #[param(value_type = i64, minimum = 0, example = 0)]
    version: Version,
}

/// A version as an address has it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Version(PlanVersion);

impl TryFrom<String> for Version {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        // A parser of numbers takes signs, which no version has.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number =
            text.parse().ok().filter(|_| digits).and_then(|number: i64| PlanVersion::try_from(number).ok());
        number
            .map(Self)
            .ok_or("the `version` of the plan that was looked at is needed, 0 when there was none")
    }
}

/// Which picture.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only if it is this one: `sha256` of the plan.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{64}$")]
    sha256: Option<Sha256>,
}

/// The sites of who asks, and whether they have a plan
#[utoipa::path(get, path = "/api/v1/plans", tag = "plans", responses(
    (status = 200, description = "All of them", body = Plans),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Plans>, Problem> {
    let sites = app.store.planned_sites(&caller.scope()).await?;
    Ok(Json(Plans { sites: sites.into_iter().map(Into::into).collect() }))
}

/// The plan of a site: what its picture is, and what is where on it
#[utoipa::path(get, path = "/api/v1/sites/{site}/plan", tag = "plans",
    params(("site" = String, Path, format = "name", description = "The site's name", example = "school-3")),
    responses(
        (status = 200, description = "The plan", body = Plan),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such site, or it has no plan", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
) -> Result<Json<Plan>, Problem> {
    caller.must_see_site(&site)?;
    let plan = app.store.plan(&site).await?;
    plan.map(Json).ok_or_else(|| PlanError::NoPlan(site).into())
}

/// Places cameras, zones and sensors on a plan
///
/// All of them at once. They are cameras and sensors of the site's boxes. That it was done is written into the access log.
#[utoipa::path(put, path = "/api/v1/sites/{site}/plan", tag = "plans",
    params(("site" = String, Path, format = "name", description = "The site's name", example = "school-3")),
    request_body = Wanted, responses(
        (status = 200, description = "The plan as it is now", body = Plan),
        (status = 400, description = "A field is wrong, or a box does not stand at the site", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No such site, or it has no plan yet: begin with its picture", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed it meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 1 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn place(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Plan>, Problem> {
    caller.must_see_site(&site)?;
    let Wanted { version, placed } = wanted;
    let plan = app.store.put_placements(&site, version, &placed, caller.name(), Timestamp::now()).await?;
    Ok(Json(plan))
}

/// Removes a plan: its picture and all that is on it
///
/// That it was done is written into the access log.
#[utoipa::path(delete, path = "/api/v1/sites/{site}/plan", tag = "plans",
    params(("site" = String, Path, format = "name", description = "The site's name", example = "school-3"), LookedAt),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such site, or it has no plan", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed it meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
    Params(LookedAt { version: Version(version) }): Params<LookedAt>,
) -> Result<StatusCode, Problem> {
    caller.must_see_site(&site)?;
    app.store.remove_plan(&site, version, caller.name(), Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The picture of a site's plan
#[utoipa::path(get, path = "/api/v1/sites/{site}/plan/picture", tag = "plans",
    params(("site" = String, Path, format = "name", description = "The site's name", example = "school-3"), Which),
    responses(
        (status = 200, description = "The picture", content(
            (Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp")
        )),
        (status = 304, description = "The picture you have is still the one"),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such site, or it has no plan, or its picture is another one", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn picture(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
    Params(which): Params<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.must_see_site(&site)?;
    let Some(picture) = app.store.plan_picture(&site).await? else {
        return Err(PlanError::NoPlan(site).into());
    };
    if which.sha256.is_some_and(|sha256| sha256 != picture.sha256) {
        return Err(Problem::not_found("the plan has another picture now"));
    }
    let tag = format!("\"{}\"", picture.sha256);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| known.contains(&tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static(picture.kind.media_type());
        ([(header::CONTENT_TYPE, kind)], picture.bytes).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, KEPT);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Gives a plan its picture, or another one
///
/// A PNG, JPEG or WebP picture of at most 8 MiB and 8000 pixels a side; what it is, its bytes say. With the first one a site has a plan; what is
/// placed on it stays where it is when another takes its place. That it was done is written into the access log.
#[utoipa::path(put, path = "/api/v1/sites/{site}/plan/picture", tag = "plans",
    params(("site" = String, Path, format = "name", description = "The site's name", example = "school-3"), LookedAt),
    request_body(description = "The picture", content(
        (Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp")
    )),
    responses(
        (status = 200, description = "The plan as it is now", body = Plan),
        (status = 400, description = "A parameter is wrong, or the picture is damaged or has too many pixels", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No such site, or its plan was removed meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "It took too long to come", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed the plan meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The picture has more than 8 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "It is no PNG, JPEG or WebP picture", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn put_picture(
    State(app): State<App>,
    caller: Caller,
    Id(site): Id<SiteId>,
    Params(LookedAt { version: Version(version) }): Params<LookedAt>,
    RawBody(bytes): RawBody,
) -> Result<Json<Plan>, Problem> {
    caller.must_see_site(&site)?;
    let picture = Picture::parse(bytes)?;
    let plan = app.store.put_plan_picture(&site, version, &picture, caller.name(), Timestamp::now()).await?;
    Ok(Json(plan))
}

impl From<PictureError> for Problem {
    fn from(error: PictureError) -> Self {
        let status = match error {
            PictureError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            PictureError::OtherKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            PictureError::Damaged | PictureError::TooManyPixels { .. } => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::UnknownSite(_) | PlanError::NoPlan(_) => Self::not_found(error.to_string()),
            PlanError::Changed { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            PlanError::NotOfSite(_) => Self::parameter("placed", error),
            PlanError::Store(error) => error.into(),
        }
    }
}
