//! `/api/v1/holds`: evidence that is kept although its time is over.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_wire::{AlarmId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Body, Cursor, Id, Limit, Params};
use super::problem::Problem;
use crate::hold::{Hold, HoldId, HoldStep, LONGEST, StepError, Wanted};
use crate::store::{HoldError, HoldFilter, tell};
use crate::viewing::Statement;

/// Which holds are asked for.
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
    /// On this alarm only.
    #[param(value_type = Option<String>, format = "ulid")]
    alarm: Option<AlarmId>,
}

/// Some holds, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holds {
    /// The holds. They are never changed or deleted; steps are added.
    holds: Vec<Hold>,
    /// Give it as `before` to see older ones; null when there are none.
    #[schema(example = "3")]
    next: Option<String>,
}

/// A hold to be proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "alarm": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "reason": "police report 17", "until": "2026-07-31T00:00:00Z" }))]
pub struct WantedHold {
    /// The alarm whose pictures and clips are to be held.
    #[schema(value_type = String, format = "ulid")]
    alarm: AlarmId,
    /// What for: one line of 1 to 200 characters.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 200)]
    reason: Statement,
    /// Until when, a year ahead at most.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// A step of a hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "step": "lift", "text": "the case is closed" }))]
pub struct WantedHoldStep {
    /// Which.
    step: HoldStep,
    /// One line of 1 to 200 characters; needed but to confirm something.
    #[schema(value_type = Option<String>, format = "line", min_length = 1, max_length = 200)]
    text: Option<Statement>,
}

/// Holds, the latest first
#[utoipa::path(get, path = "/api/v1/holds", tag = "evidence", params(Query), responses(
    (status = 200, description = "A page of the list", body = Holds),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Holds>, Problem> {
    let filter = HoldFilter {
        scope: caller.scope(),
        alarm: query.alarm,
        before: query.before.map(|Cursor(number)| number),
        limit: Limit::or(query.limit, 50),
    };
    let (holds, next) = app.store.holds(&filter, &caller.session.person.name, Timestamp::now()).await?;
    Ok(Json(Holds { holds, next: next.map(|number| number.to_string()) }))
}

/// Proposes to hold an alarm's pictures and clips
///
/// Nothing is held before another person has confirmed it, who has 72 hours for that.
#[utoipa::path(post, path = "/api/v1/holds", tag = "evidence", request_body = WantedHold, responses(
    (status = 201, description = "It is proposed", body = Hold),
    (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such alarm", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "There is one already", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn propose(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<WantedHold>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    let now = Timestamp::now();
    if wanted.until <= now {
        return Err(Problem::parameter("until", "it is in the past"));
    }
    if wanted.until.duration_since(now) > LONGEST {
        return Err(Problem::parameter("until", "evidence is held for a year at most"));
    }
    let wanted = Wanted { alarm: wanted.alarm, reason: wanted.reason, until: wanted.until };
    let hold = app.store.propose_hold(&wanted, &caller.session.person, now).await?;
    Ok((StatusCode::CREATED, Json(hold)))
}

/// Takes a step of a hold
///
/// `confirm` and `confirm_lift` take another person than who proposed it. The alarm's box is told then, or as soon as it is connected; `custody` says what
/// it answered.
#[utoipa::path(post, path = "/api/v1/holds/{id}/steps", tag = "evidence",
    params(("id" = String, Path, format = "ulid", description = "ULID of the hold", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    request_body = WantedHoldStep, responses(
        (status = 200, description = "The hold as it is now", body = Hold),
        (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or proposed by the same person", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such hold", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The step does not go with how it stands", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn take_step(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<HoldId>,
    Body(wanted): Body<WantedHoldStep>,
) -> Result<Json<Hold>, Problem> {
    if wanted.text.is_none() && wanted.step.needs_words() {
        return Err(Problem::parameter("text", "it has to be said why"));
    }
    let person = &caller.session.person;
    let (step, text) = (wanted.step, wanted.text.as_ref());
    let (hold, change) = app.store.step_hold(id, step, text, person, Timestamp::now()).await?;
    if let Some(change) = change {
        tell(&app.changed, change);
    }
    Ok(Json(hold))
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        let status = match error {
            HoldError::UnknownAlarm(_) | HoldError::Unknown(_) => StatusCode::NOT_FOUND,
            HoldError::Already | HoldError::Step(StepError::WrongState) => StatusCode::CONFLICT,
            HoldError::Step(StepError::Own) => StatusCode::FORBIDDEN,
            HoldError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string())
    }
}
