//! `/api/v1/commands`: who ordered what and what became of it, and giving a command.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use gatepost_wire::command::{Order, ReleaseOriginal, Who, Why};
use gatepost_wire::{AlarmId, Command, CommandId, EdgeId, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use ulid::Ulid;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::openapi::contract;
use super::params::{Body, Cursor, Id, Limit, Params};
use super::problem::Problem;
use crate::access::{Permission, Scope};
use crate::command::{Decision, Given, Verdict};
use crate::intake::Receipt;
use crate::store::{CommandFilter, DecisionError, tell};
use crate::viewing::Statement;

/// A box has so long to come back, unless the command says otherwise.
const DEFAULT_VALIDITY: SignedDuration = SignedDuration::from_hours(24);

/// No command waits longer.
const LONGEST_VALIDITY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// No original is released for longer; who needs it longer asks again, with a reason.
const LONGEST_RELEASE: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Which commands are asked for.
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
    /// To this edge only.
    #[param(value_type = Option<String>, format = "name")]
    edge: Option<EdgeId>,
    /// About this alarm only.
    #[param(value_type = Option<String>, format = "ulid")]
    alarm: Option<AlarmId>,
    /// Of this kind only.
    #[param(example = "release_original")]
    kind: Option<String>,
}

/// Some commands, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Commands {
    /// The commands.
    commands: Vec<Given>,
    /// Give it as `before` to see older ones; null when there are none.
    #[schema(example = "17")]
    next: Option<String>,
}

/// Commands, the latest first
///
/// Those about legal holds are shown to whom holds are.
#[utoipa::path(get, path = "/api/v1/commands", tag = "commands", params(Query), responses(
    (status = 200, description = "A page of the list", body = Commands),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Commands>, Problem> {
    let filter = CommandFilter {
        scope: caller.scope(),
        edge: query.edge,
        alarm: query.alarm,
        kind: query.kind,
        holds: caller.session.person.may(Permission::HoldEvidence),
        before: query.before.map(|Cursor(number)| number),
        limit: Limit::or(query.limit, 50),
    };
    let (commands, next) = app.store.commands(&filter, Timestamp::now()).await?;
    Ok(Json(Commands { commands, next: next.map(|number| number.to_string()) }))
}

/// One command
#[utoipa::path(get, path = "/api/v1/commands/{id}", tag = "commands",
    params(("id" = String, Path, format = "ulid", description = "ULID of the command", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "The command", body = Given),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such command", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<CommandId>,
) -> Result<Json<Given>, Problem> {
    let command = app.store.command(id, &caller.scope(), Timestamp::now()).await?;
    let command = command.filter(|command| {
        !matches!(command.order, Order::HoldEvidence(_))
            || caller.session.person.may(Permission::HoldEvidence)
    });
    command.map(Json).ok_or_else(|| Problem::not_found(format!("there is no command {id}")))
}

/// A command to be given. The hub adds its id, the time, and who gives it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "edge": "gate-1", "why": "police report 17",
    "order": {
        "kind": "release_original", "event": "01ARZ3NDEKTSV4RRFFQ69G5FAW", "until": "2026-02-03T00:00:00Z"
    }
}))]
pub struct Wanted {
    /// The box it is for.
    #[schema(value_type = String, format = "name")]
    edge: EdgeId,
    /// What for: one line of at most 500 characters.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 500)]
    why: Why,
    /// A box that gets it later does not carry it out. Default: in 24 hours; at most 7 days ahead.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// What is to be done; `kind` names it: `release_original` with `event` and `until`, at most 31 days ahead; `set_mode` with
    /// `area` and `mode`, whose `name` is `disarmed`, `armed_stay` or `armed_away` (with `bypass`, the inputs to go without), or
    /// `maintenance` (with `for_s`, seconds). `hold_evidence` is given by the hub alone, for a legal hold.
    #[schema(schema_with = contract::schema::<Order>)]
    order: Order,
}

/// Gives a command to a box
///
/// It is noted with the name of who is signed in and the reason, which are never deleted, and sent as soon as the box is connected, until the box answers or
/// the command expires. `release_original` is only proposed by this: another person has to approve it before the box is told.
#[utoipa::path(post, path = "/api/v1/commands", tag = "commands", request_body = Wanted, responses(
    (status = 201, description = "It is noted and will be sent, or waits for a second person", body = Given),
    (status = 400, description = "The command is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not permitted, not your site's box, or the request comes from another site's page", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such event or original", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The same is already being asked for", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "The command is too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "It is no JSON", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It cannot be noted, so it is not given", body = Problem, content_type = "application/problem+json"),
))]
pub async fn give(
    State(app): State<App>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let expires = validity(wanted.expires, now)?;
    match &wanted.order {
        Order::ReleaseOriginal(_) => caller.must(Permission::ReleaseOriginal)?,
        Order::SetMode(_) => caller.must(Permission::SetMode)?,
        Order::HoldEvidence(_) => {
            let detail = "two people put a hold on and lift it, at /api/v1/holds; the box is told by the hub";
            return Err(Problem::parameter("order.kind", detail));
        }
        Order::Unknown(_) => {
            let kind = wanted.order.kind().to_owned();
            return Err(Problem::parameter(
                "order.kind",
                format!("this hub does not know the order {kind:?}"),
            ));
        }
    }
    caller.must_see(&app, &wanted.edge).await?;
    // Only the box knows its areas and what is open in them.
    if let Order::ReleaseOriginal(release) = &wanted.order {
        check_release(&app, &wanted.edge, release, now).await?;
    }
    let command = Command {
        id: CommandId::from_ulid(Ulid::generate()),
        edge: wanted.edge,
        who: who(&caller)?,
        why: wanted.why,
        issued: now,
        expires,
        order: wanted.order,
        extra: serde_json::Map::new(),
    };
    let id = command.id;
    tracing::info!(
        edge = %command.edge, command = %id, order = command.order.kind(), who = %command.who, why = %command.why,
        "command given"
    );
    let receipt = app
        .intake
        .give(command, caller.session.person.name.clone())
        .await
        .map_err(|error| Problem::parameter("order", error))?;
    let given = match receipt {
        Receipt::Stored => app.store.command(id, &Scope::All, now).await?,
        other => {
            tracing::error!(command = %id, ?other, "the command could not be noted, so it is not given");
            None
        }
    };
    let detail = "the command cannot be noted, so it is not given; the hub's log says why";
    let given = given.ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))?;
    let location = [(header::LOCATION, format!("/api/v1/commands/{id}"))];
    Ok((StatusCode::CREATED, location, Json(given)).into_response())
}

/// What a second person says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "outcome": "declined", "text": "the report is not signed" }))]
pub struct WantedDecision {
    /// Whether the box is told.
    outcome: Verdict,
    /// One line of 1 to 200 characters; needed when it is declined.
    #[schema(value_type = Option<String>, format = "line", min_length = 1, max_length = 200)]
    text: Option<Statement>,
}

/// Approves or declines a command as a second person
///
/// Who asked for it cannot. Both names stay with the command, and the box is told of both.
#[utoipa::path(post, path = "/api/v1/commands/{id}/decision", tag = "commands",
    params(("id" = String, Path, format = "ulid", description = "ULID of the command", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    request_body = WantedDecision, responses(
        (status = 200, description = "The command as it is now", body = Given),
        (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or asked for by the same person", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such command", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was decided already, has lapsed, or takes no second person", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn decide(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<CommandId>,
    Body(wanted): Body<WantedDecision>,
) -> Result<Json<Given>, Problem> {
    let decision = match (wanted.outcome, wanted.text) {
        (Verdict::Approved, said) => Decision::Approve(said),
        (Verdict::Declined, Some(said)) => Decision::Decline(said),
        (Verdict::Declined, None) => return Err(Problem::parameter("text", "it has to be said why")),
    };
    let (person, now) = (&caller.session.person, Timestamp::now());
    let change = app.store.decide(id, &decision, person, now).await?;
    tracing::info!(command = %id, outcome = ?decision.verdict(), who = person.signature(), "a second person decided");
    tell(&app.changed, change);
    let command = app.store.command(id, &caller.scope(), now).await?;
    command.map(Json).ok_or_else(|| Problem::not_found(format!("there is no command {id}")))
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        let status = match error {
            DecisionError::Unknown(_) => StatusCode::NOT_FOUND,
            DecisionError::Own => StatusCode::FORBIDDEN,
            DecisionError::NotNeeded | DecisionError::Decided | DecisionError::Lapsed => StatusCode::CONFLICT,
            DecisionError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string())
    }
}

/// A name and what others call its owner are short and of one line, so together they are one who gives a command.
fn who(caller: &Caller) -> Result<Who, Problem> {
    let signature = caller.session.person.signature();
    Who::try_from(signature).map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
}

fn validity(wanted: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Problem> {
    let beyond = |_| Problem::parameter("expires", "the hub's clock is at the end of time");
    let expires = wanted.map_or_else(|| now.checked_add(DEFAULT_VALIDITY).map_err(beyond), Ok)?;
    if expires <= now {
        return Err(Problem::parameter("expires", "it is in the past"));
    }
    if expires.duration_since(now) > LONGEST_VALIDITY {
        return Err(Problem::parameter("expires", "a command waits for its box for at most 7 days"));
    }
    Ok(expires)
}

async fn check_release(
    app: &App,
    edge: &EdgeId,
    release: &ReleaseOriginal,
    now: Timestamp,
) -> Result<(), Problem> {
    if release.until <= now {
        return Err(Problem::parameter("order.until", "it is in the past"));
    }
    if release.until.duration_since(now) > LONGEST_RELEASE {
        return Err(Problem::parameter("order.until", "an original is released for at most 31 days"));
    }
    let event = app.store.event(release.event, &Scope::All).await?;
    let event = event.ok_or_else(|| Problem::not_found(format!("there is no event {}", release.event)))?;
    if event.edge != *edge {
        return Err(Problem::parameter("edge", format!("event {} belongs to edge {}", event.id, event.edge)));
    }
    if !app.store.original_kept(event.id).await? {
        return Err(Problem::not_found(format!("the box keeps no original of event {}", event.id)));
    }
    if app.store.release_is_open(event.id, now).await? {
        let detail = format!("the original of event {} is already being asked for", event.id);
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    Ok(())
}
