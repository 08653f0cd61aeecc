//! `/api/v1/incidents`: the closed loop, and its figures.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_wire::{CameraId, EdgeId, Severity, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::App;
use super::caller::Caller;
use super::params::{Body, Id, Limit, Params};
use super::problem::Problem;
use crate::access::{Permission, SiteId};
use crate::alert::Alert;
use crate::incident::timeline::Step;
use crate::incident::{
    Action, Actor, Assignee, FalseReason, Figures, Incident, IncidentId, Outcome, Stage, StepError,
};
use crate::store::{IncidentError, IncidentFilter, OpenedAt, Viewer, tell};

/// So many of the first alarms of an incident are shown, and so many of the latest; a chattering sensor may have more.
const ALERTS: u16 = 100;

/// Which incidents are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit<200>>,
    /// `next` of the page before.
    #[param(pattern = r"^[0-9]{1,19}\.[0-9]{1,18}$")]
    before: Option<String>,
    /// Open ones, or closed ones.
    open: Option<bool>,
    /// Assigned to who asks.
    mine: Option<bool>,
    /// In this stage.
    stage: Option<Stage>,
    /// Of this box.
    #[param(value_type = Option<String>, format = "name")]
    edge: Option<EdgeId>,
    /// Of the boxes of this site.
    #[param(value_type = Option<String>, format = "name")]
    site: Option<SiteId>,
    /// Of cameras of this name.
    #[param(value_type = Option<String>, format = "name")]
    camera: Option<CameraId>,
    /// Of this kind, as in an alert.
    #[param(example = "zone_intrusion")]
    kind: Option<String>,
    /// As grave as this.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 4)]
    severity: Option<Level>,
    /// Its stage still takes too long although somebody was reminded, or not.
    escalated: Option<bool>,
    /// Found to be `real`, `false_alarm` or `test`.
    outcome: Option<Outcome>,
    /// A false alarm for this reason.
    reason: Option<FalseReason>,
    /// What people call it by.
    #[param(value_type = Option<i64>, minimum = 1)]
    number: Option<Number>,
    /// Opened then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Opened before.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// How grave, of a query.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Level(Severity);

impl TryFrom<String> for Level {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let level = text.parse::<u8>().ok().and_then(|level| Severity::try_from(level).ok());
        level.map(Self).ok_or("1 (gravest) to 4 is needed")
    }
}

/// What people call an incident by, of a query.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Number(i64);

impl TryFrom<String> for Number {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse().ok().filter(|number| *number > 0).map(Self).ok_or("a number from 1 on is needed")
    }
}

/// Some incidents, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Incidents {
    /// The incidents.
    incidents: Vec<Incident>,
    /// Give it as `before` to see older ones; null when there are none. Behind a page with few or none there may be more.
    #[schema(example = "1769848200200000000.17")]
    next: Option<String>,
    /// A search looks at so many incidents at once. When few of those were found, so far back it has looked; otherwise null.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-01-31T08:30:00Z")]
    looked_back_to: Option<Timestamp>,
}

/// The alarms of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentAlerts {
    /// The first first; of more than 200 the first hundred and the latest hundred.
    alerts: Vec<Alert>,
}

/// Who did what when.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// The first first. They are never changed or deleted.
    steps: Vec<Step>,
}

/// A step to be taken.
#[derive(Debug, Deserialize)]
#[serde(try_from = "serde_json::Map<String, serde_json::Value>")]
pub struct WantedStep {
    /// `version` of the incident as it was seen: when it has changed meanwhile, nothing is done.
    version: u32,
    /// What is to be done; `action` names it: `triage` (`outcome`, `reason` of a false alarm), `assign` (`to`), `accept`, `return`, `begin`,
    /// `feed_back`, `pass`, `fail`, `close`, `evaluate` (`grade`), `shelve` and `request_extension` (`until`), `unshelve`, `approve_extension`,
    /// `decline_extension`, `note`, `withdraw` (`attachment`). Where something is to
    /// be said it is in `text`: 1 to 1000 characters.
    action: Action,
}

/// An action's fields and `version` stand side by side.
impl PartialSchema for WantedStep {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::OneOf(mut steps)) = Action::schema() else { return Action::schema() };
        for step in &mut steps.items {
            let RefOr::T(Schema::Object(step)) = step else { continue };
            let version = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .description(Some("`version` of the incident as it was seen: when it has changed meanwhile, nothing is done"))
                .minimum(Some(0))
                .maximum(Some(u32::MAX));
            step.properties.insert("version".to_owned(), version.into());
            step.required.push("version".to_owned());
            step.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        steps.description = Some("A step to be taken; `action` names it.".to_owned());
        steps.examples =
            vec![json!({ "version": 1, "action": "triage", "outcome": "false_alarm", "reason": "animal" })];
        RefOr::T(Schema::OneOf(steps))
    }
}

impl ToSchema for WantedStep {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Action::schemas(schemas);
    }
}

impl TryFrom<serde_json::Map<String, serde_json::Value>> for WantedStep {
    type Error = String;

    fn try_from(mut map: serde_json::Map<String, serde_json::Value>) -> Result<Self, String> {
        let version = map.remove("version").and_then(|version| version.as_u64()?.try_into().ok());
        let version = version.ok_or("`version` is missing: the one the incident had when it was loaded")?;
        let action = serde_json::from_value(map.into()).map_err(|error| error.to_string())?;
        Ok(Self { version, action })
    }
}

/// Which box.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct At {
    /// The box an incident is at.
    #[param(value_type = String, format = "name")]
    edge: EdgeId,
}

/// People.
#[derive(Debug, Serialize, ToSchema)]
pub struct Handlers {
    /// By name.
    people: Vec<Assignee>,
}

/// Since when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Period {
    /// So many days.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 90, default = 7)]
    days: Option<Limit<90>>,
}

/// Who only handles incidents sees those that are or were theirs.
pub(super) fn viewer(caller: &Caller) -> Viewer {
    let person = &caller.session.person;
    let only_of = (!person.may(Permission::SeeAllIncidents)).then(|| person.name.clone());
    Viewer { scope: caller.scope(), only_of }
}

pub(super) async fn find(app: &App, caller: &Caller, id: IncidentId) -> Result<Incident, Problem> {
    let actor = Actor::from(&caller.session.person);
    let incident = app.store.incident(id, &viewer(caller), &actor, Timestamp::now()).await?;
    incident.ok_or_else(|| Problem::not_found(format!("there is no incident {id}")))
}

/// Incidents, newest first
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(Query), responses(
    (status = 200, description = "A page of the list", body = Incidents),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Incidents>, Problem> {
    let actor = Actor::from(&caller.session.person);
    let before = query.before.map(|cursor| cursor.parse::<OpenedAt>()).transpose();
    let filter = IncidentFilter {
        viewer: viewer(&caller),
        open: query.open,
        assignee: query.mine.unwrap_or(false).then(|| actor.name.clone()),
        stage: query.stage,
        edge: query.edge,
        site: query.site,
        camera: query.camera,
        kind: query.kind,
        severity: query.severity.map(|Level(severity)| severity),
        escalated: query.escalated,
        outcome: query.outcome,
        reason: query.reason,
        number: query.number.map(|Number(number)| number),
        from: query.from,
        until: query.until,
        before: before.map_err(|error| Problem::parameter("before", error))?,
        limit: Limit::or(query.limit, 50),
    };
    let page = app.store.incidents(&filter, Some(&actor), Timestamp::now()).await?;
    let few = page.incidents.len() < usize::from(filter.limit);
    Ok(Json(Incidents {
        incidents: page.incidents,
        next: page.next.map(|place| place.to_string()),
        looked_back_to: page.next.filter(|_| few).map(OpenedAt::time),
    }))
}

/// One incident
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "The incident", body = Incident),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such incident", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<Incident>, Problem> {
    find(&app, &caller, id).await.map(Json)
}

/// The alarms of an incident
#[utoipa::path(get, path = "/api/v1/incidents/{id}/alerts", tag = "incidents",
    params(("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "Its alarms", body = IncidentAlerts),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such incident", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn alerts(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<IncidentAlerts>, Problem> {
    find(&app, &caller, id).await?;
    Ok(Json(IncidentAlerts { alerts: app.store.alerts_of(id, ALERTS).await? }))
}

/// Who did what when with an incident
#[utoipa::path(get, path = "/api/v1/incidents/{id}/timeline", tag = "incidents",
    params(("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "Every step", body = Timeline),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such incident", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn timeline(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<Timeline>, Problem> {
    find(&app, &caller, id).await?;
    Ok(Json(Timeline { steps: app.store.timeline(id).await? }))
}

/// Takes a step
#[utoipa::path(post, path = "/api/v1/incidents/{id}/steps", tag = "incidents",
    params(("id" = String, Path, format = "ulid", description = "ULID of the incident", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    request_body = WantedStep, responses(
        (status = 200, description = "The incident as it is now", body = Incident),
        (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or not by this person", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such incident", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has changed meanwhile, the step does not go with its stage, or the attachment is on legal hold", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn take_step(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
    Body(wanted): Body<WantedStep>,
) -> Result<Json<Incident>, Problem> {
    find(&app, &caller, id).await?;
    let person = &caller.session.person;
    let taken =
        app.store.take_step(id, wanted.version, &wanted.action, person, &app.deadlines, Timestamp::now());
    tell(&app.changed, taken.await?);
    find(&app, &caller, id).await.map(Json)
}

/// Who may handle incidents at a box
#[utoipa::path(get, path = "/api/v1/handlers", tag = "incidents", params(At), responses(
    (status = 200, description = "People with an account in use", body = Handlers),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn handlers(
    State(app): State<App>,
    caller: Caller,
    Params(at): Params<At>,
) -> Result<Json<Handlers>, Problem> {
    caller.must_see(&app, &at.edge).await?;
    let mut people = Vec::new();
    for person in app.store.people().await? {
        if person.may_handle_incidents() && app.store.scope_holds(&person.scope(), &at.edge).await? {
            people.push(Assignee { name: person.name, display_name: person.display_name });
        }
    }
    Ok(Json(Handlers { people }))
}

/// The work with incidents in numbers
#[utoipa::path(get, path = "/api/v1/incident-figures", tag = "incidents", params(Period), responses(
    (status = 200, description = "At the sites of who asks", body = Figures),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn figures(
    State(app): State<App>,
    caller: Caller,
    Params(period): Params<Period>,
) -> Result<Json<Figures>, Problem> {
    let now = Timestamp::now();
    let days = Limit::or(period.days, 7);
    let since = now.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(now);
    let scope = caller.scope();
    let tally = app.store.tally(since, &scope).await?;
    let operators = app.store.operators(since, &scope).await?;
    let nuisance = app.store.nuisance(since, &scope, now).await?;
    Ok(Json(Figures::of(tally, nuisance, operators, since, now)))
}

impl From<IncidentError> for Problem {
    fn from(error: IncidentError) -> Self {
        match error {
            IncidentError::Unknown(_) => Self::not_found(error.to_string()),
            IncidentError::Changed
            | IncidentError::Step(StepError::WrongStage)
            | IncidentError::AttachedAlready(_)
            | IncidentError::TooManyAttachments
            | IncidentError::AttachmentHeld => Self::new(StatusCode::CONFLICT, error.to_string()),
            IncidentError::Step(StepError::Parameter { name, problem }) => Self::parameter(name, problem),
            IncidentError::Step(_) | IncidentError::NotTheirAttachment => {
                Self::new(StatusCode::FORBIDDEN, error.to_string())
            }
            IncidentError::NoAttachment(_) => Self::parameter("attachment", error),
            IncidentError::NoHandler(_) => Self::parameter("to", error),
            IncidentError::Store(error) => error.into(),
        }
    }
}
