//! `/api/v1/webhooks`: how telling other programs of incidents fares, and what they did not take.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::Caller;
use super::params::{Cursor, Id, Page, Params};
use super::problem::Problem;
use crate::config::{Tells, WebhookName};
use crate::store::{DeadLetter, Failure, Letters, WebhookBacklog};
use crate::webhook::{self, Receiver};

/// Every webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhooks {
    /// By name: those of the configuration, and those that left it and have dead letters.
    webhooks: Vec<WebhookStatus>,
}

/// How telling one program fares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "district",
    "receiver": { "host": "hooks.example", "tells": ["opened", "closed"], "sites": ["school-1"] },
    "waiting": 3, "dead": 1,
    "failure": { "since": "2026-01-31T08:30:00Z", "time": "2026-01-31T08:31:04Z", "reason": "not taken: HTTP 503 Service Unavailable" }
}))]
pub struct WebhookStatus {
    /// What the configuration calls it.
    name: String,
    /// Who is told of what. Neither the secret nor the path of its address is shown. Null: it is not in the configuration any more, and
    /// nobody is told.
    receiver: Option<Receiver>,
    /// Steps of incidents it has not got to.
    waiting: i64,
    /// What it did not take.
    dead: i64,
    /// Null: the last attempt was taken, or there was none.
    failure: Option<Failure>,
}

/// Some of what a webhook did not take, the latest step first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetters {
    /// The letters.
    letters: Vec<Letter>,
    /// Give it as `before` to see older ones; null when there are none.
    #[schema(example = "17")]
    next: Option<String>,
}

/// A message that was refused for good, or not taken for too long. Of the incident it has what the receiver needs to find the message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter, example = json!({
    "step": 17, "message": "01ARZ3NDEKTSV4RRFFQ69G5FAV-1", "tells": "opened", "incident": 12,
    "happened": "2026-01-31T08:30:00.2Z", "tried": "2026-01-31T08:30:01Z", "attempts": 1, "reason": "refused: HTTP 410 Gone", "again": false
}))]
pub struct Letter {
    /// The step of an incident it tells, by its number over all incidents.
    step: i64,
    /// What stands in `webhook-id`.
    message: String,
    /// What it tells.
    tells: Option<Tells>,
    /// What people call the incident by.
    incident: i64,
    /// When the step was taken.
    #[schema(value_type = String, format = DateTime)]
    happened: Timestamp,
    /// When it was told last.
    #[schema(value_type = String, format = DateTime)]
    tried: Timestamp,
    /// How often, all told.
    attempts: i64,
    /// Why it was not taken.
    reason: String,
    /// Somebody wants it told once more, which comes yet.
    again: bool,
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        let DeadLetter { name: _, step, refused, again } = letter;
        Self {
            step: step.number,
            message: webhook::message_id(&step),
            tells: webhook::tells(&step),
            incident: step.incident.number,
            happened: step.step.time,
            tried: refused.time,
            attempts: refused.attempts,
            reason: refused.reason,
            again,
        }
    }
}

/// What will be told once more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "count": 1 }))]
pub struct Retried {
    /// So many letters.
    count: u64,
}

/// Which letter.
#[derive(Debug, Deserialize)]
pub struct Place {
    name: String,
    step: String,
}

/// How telling other programs of incidents fares
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", responses(
    (status = 200, description = "All of them", body = Webhooks),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>) -> Result<Json<Webhooks>, Problem> {
    let backlogs = app.store.webhook_backlogs().await?;
    Ok(Json(Webhooks { webhooks: join(&app.receivers, backlogs) }))
}

/// Those of the configuration, and those that left it with something undone.
fn join(receivers: &[Receiver], backlogs: Vec<WebhookBacklog>) -> Vec<WebhookStatus> {
    let find = |name: &str| receivers.iter().find(|receiver| receiver.name == name).cloned();
    let fresh: Vec<_> = receivers
        .iter()
        .filter(|receiver| backlogs.iter().all(|backlog| backlog.name != receiver.name))
        .map(|receiver| WebhookBacklog { name: receiver.name.clone(), waiting: 0, dead: 0, failure: None })
        .collect();
    let mut webhooks: Vec<_> = backlogs
        .into_iter()
        .chain(fresh)
        .map(|WebhookBacklog { name, waiting, dead, failure }| WebhookStatus {
            receiver: find(&name),
            name,
            waiting,
            dead,
            failure,
        })
        .filter(|status| status.receiver.is_some() || status.dead > 0)
        .collect();
    webhooks.sort_by(|one, other| one.name.cmp(&other.name));
    webhooks
}

/// What a webhook did not take, the latest step first
#[utoipa::path(get, path = "/api/v1/webhooks/{name}/dead", tag = "webhooks",
    params(("name" = String, Path, format = "name", description = "The webhook", example = "district"), Page),
    responses(
        (status = 200, description = "A page of the list", body = DeadLetters),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such webhook", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn dead(
    State(app): State<App>,
    Id(name): Id<WebhookName>,
    Params(page): Params<Page>,
) -> Result<Json<DeadLetters>, Problem> {
    let before = page.before();
    let (letters, next) = app.store.dead_letters_of(name.as_str(), before, page.limit()).await?;
    if letters.is_empty() && before.is_none() {
        must_be_configured(&app, &name)?;
    }
    let letters = letters.into_iter().map(Into::into).collect();
    Ok(Json(DeadLetters { letters, next: next.map(|step| step.to_string()) }))
}

/// Has everything that a webhook did not take told once more
///
/// That happens within seconds, or once the step that is being tried at that moment is through with. Each is told once, in their order;
/// what is not taken this time either stays among the dead. Who wanted it stands in the access log.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/dead/retry", tag = "webhooks",
    params(("name" = String, Path, format = "name", description = "The webhook", example = "district")),
    responses(
        (status = 202, description = "They will be told", body = Retried),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such webhook in the configuration", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn retry_all(
    State(app): State<App>,
    caller: Caller,
    Id(name): Id<WebhookName>,
) -> Result<(StatusCode, Json<Retried>), Problem> {
    retry(&app, &caller, &name, Letters::All).await
}

/// Has one message that a webhook did not take told once more
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/dead/{step}/retry", tag = "webhooks",
    params(
        ("name" = String, Path, format = "name", description = "The webhook", example = "district"),
        ("step" = i64, Path, description = "The letter's `step`", minimum = 0, maximum = 999999999999999999i64, example = 17),
    ),
    responses(
        (status = 202, description = "It will be told", body = Retried),
        (status = 400, description = "No name, or no number", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such webhook in the configuration, or no such letter: it may have been taken by now", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn retry_one(
    State(app): State<App>,
    caller: Caller,
    Path(place): Path<Place>,
) -> Result<(StatusCode, Json<Retried>), Problem> {
    let name: WebhookName = place.name.parse().map_err(|error| Problem::parameter("name", error))?;
    let Cursor(step) = place.step.try_into().map_err(|_| Problem::parameter("step", "a number is needed"))?;
    let answer = retry(&app, &caller, &name, Letters::Of(step)).await?;
    if answer.1.count == 0 {
        let detail = format!(
            "webhook {} has no dead letter of step {step}: it may have been taken by now",
            name.as_str()
        );
        return Err(Problem::not_found(detail));
    }
    Ok(answer)
}

async fn retry(
    app: &App,
    caller: &Caller,
    name: &WebhookName,
    letters: Letters,
) -> Result<(StatusCode, Json<Retried>), Problem> {
    must_be_configured(app, name)?;
    let count = app.store.send_again(name.as_str(), letters, caller.name(), Timestamp::now()).await?;
    Ok((StatusCode::ACCEPTED, Json(Retried { count })))
}

fn must_be_configured(app: &App, name: &WebhookName) -> Result<(), Problem> {
    if app.receivers.iter().any(|receiver| receiver.name == name.as_str()) {
        return Ok(());
    }
    Err(Problem::not_found(format!("there is no webhook {} in the configuration of this hub", name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(name: &str) -> Receiver {
        Receiver { name: name.to_owned(), host: "hooks.example".to_owned(), tells: Vec::new(), sites: None }
    }

    fn backlog(name: &str, dead: i64) -> WebhookBacklog {
        WebhookBacklog { name: name.to_owned(), waiting: 2, dead, failure: None }
    }

    #[test]
    fn who_left_the_configuration_is_shown_as_long_as_something_of_it_is_left() {
        let told = join(
            &[receiver("new"), receiver("a")],
            vec![backlog("a", 0), backlog("gone", 0), backlog("left", 1)],
        );
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.name.as_str(), one.receiver.is_some(), one.waiting, one.dead))
            .collect();
        assert_eq!(told, [("a", true, 2, 0), ("left", false, 2, 1), ("new", true, 0, 0)]);
    }
}
