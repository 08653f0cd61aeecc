//! `/api/v1/viewings`: saying what pictures are looked at for, and the register of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_wire::{AlarmId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::incidents::viewer;
use super::params::{Body, Cursor, Limit, Params};
use super::problem::Problem;
use crate::access::PersonName;
use crate::incident::IncidentId;
use crate::store::{Opener, ViewingError, ViewingFilter};
use crate::viewing::{Purpose, Reason, Statement, Viewing};

/// Which lines of the register are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit<200>>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "cursor")]
    before: Option<Cursor>,
    /// About this alarm only.
    #[param(value_type = Option<String>, format = "ulid")]
    alarm: Option<AlarmId>,
    /// Of this person only.
    #[param(value_type = Option<String>, format = "person-name", example = "wang.li")]
    person: Option<PersonName>,
}

/// Some lines of the register, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Viewings {
    /// The lines. They are never changed or deleted.
    viewings: Vec<Viewing>,
    /// Give it as `before` to see older ones; null when there are none. Behind a page with few or none there may be more.
    #[schema(example = "41")]
    next: Option<String>,
}

/// What is to be looked at, and what for: an `incident`, or a `reason` with `text`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "alarm": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "reason": "request", "text": "police report 17" }))]
pub struct WantedViewing {
    /// The alarm whose pictures, clips and released originals are to be opened.
    #[schema(value_type = String, format = "ulid")]
    alarm: AlarmId,
    /// An incident that is open, that the person may see, and that has this alarm.
    #[schema(value_type = Option<String>, format = "ulid")]
    #[serde(default, deserialize_with = "incident")]
    incident: Option<IncidentId>,
    /// Which kind of reason, where it is not an incident.
    reason: Option<Reason>,
    /// That reason in words: one line of 1 to 200 characters.
    #[schema(value_type = Option<String>, format = "line", min_length = 1, max_length = 200)]
    text: Option<Statement>,
}

fn incident<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<IncidentId>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

impl WantedViewing {
    fn purpose(self) -> Result<Purpose, Problem> {
        match (self.incident, self.reason, self.text) {
            (Some(incident), None, None) => Ok(Purpose::Incident(incident)),
            (Some(_), ..) => Err(Problem::parameter("incident", "either an incident or a reason, not both")),
            (None, Some(reason), Some(text)) => Ok(Purpose::Stated { reason, text }),
            (None, Some(_), None) => Err(Problem::parameter("text", "the reason has to be said in words")),
            (None, None, _) => Err(Problem::parameter("reason", "an `incident` or a `reason` is needed")),
        }
    }
}

/// The viewing register, the latest first
#[utoipa::path(get, path = "/api/v1/viewings", tag = "evidence", params(Query), responses(
    (status = 200, description = "A page of the register, of boxes at the person's sites", body = Viewings),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Viewings>, Problem> {
    let filter = ViewingFilter {
        scope: caller.scope(),
        alarm: query.alarm,
        person: query.person,
        before: query.before.map(|Cursor(number)| number),
        limit: Limit::or(query.limit, 50),
    };
    let (viewings, next) = app.store.viewings(&filter).await?;
    Ok(Json(Viewings { viewings, next: next.map(|number| number.to_string()) }))
}

/// Opens what an alarm shows
///
/// For 15 minutes, or as long as the session lasts, its pictures, clips and released originals are handed out to this session. Name, address and
/// purpose go into the register before, and what is then looked at. Asking for the same again while it holds writes nothing.
#[utoipa::path(post, path = "/api/v1/viewings", tag = "evidence", request_body = WantedViewing, responses(
    (status = 200, description = "The same opening holds already", body = Viewing),
    (status = 201, description = "It is in the register and holds", body = Viewing),
    (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such alarm", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The incident is no longer a reason to look: it is closed, or does not have the alarm", body = Problem,
        content_type = "application/problem+json"),
    (status = 503, description = "It cannot be written down, so nothing is opened", body = Problem, content_type = "application/problem+json"),
))]
pub async fn open(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<WantedViewing>,
) -> Result<(StatusCode, Json<Viewing>), Problem> {
    let alarm = wanted.alarm;
    let purpose = wanted.purpose()?;
    let opener = Opener { session: &caller.session, viewer: viewer(&caller), address: &caller.address };
    let opened = app.store.open_viewing(alarm, &purpose, &opener, Timestamp::now()).await?;
    let status = if opened.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(opened.viewing)))
}

impl From<ViewingError> for Problem {
    fn from(error: ViewingError) -> Self {
        match error {
            ViewingError::UnknownAlarm(_) => Self::not_found(error.to_string()),
            ViewingError::NoIncident { .. } => {
                Self::parameter("incident", error).with_status(StatusCode::CONFLICT)
            }
            ViewingError::Store(error) => error.into(),
        }
    }
}
