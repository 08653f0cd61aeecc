//! `GET /api/v1/live`: changes as server-sent events.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use gatepost_wire::EdgeId;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use crate::access::{Permission, PersonName, Session, TokenHash};
use crate::live::{Change, Missed, Place, Subject};
use crate::store::StoreError;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How soon an open stream ends with its session, and follows what its person may see.
const CHECK: Duration = Duration::from_secs(5);

/// Changes as they happen
///
/// Server-sent events: `alert` with an `Alert`, `device` with a `Device`, `command` with a `Given`, `incident` with an `Incident` without `may`, each the present state under an
/// `id` to ask for what comes after it: two numbers, for alarms, commands and incidents are not kept waiting by devices. `reset` (data: null) means that too much was missed: load the lists anew and go on
/// listening. Only what the person may see is sent, and the stream ends with the session. It begins with an `id` alone; open it before loading the lists, and nothing is missed
/// between the two.
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    params(("Last-Event-ID" = Option<String>, Header, format = "place", description = "`id` of the last event seen, such as `420-398`: what came after it is sent first")),
    responses(
        (status = 200, description = "An endless stream", body = String, content_type = "text/event-stream",
            example = "event: alert\nid: 42-40\ndata: {\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}\n\n"),
        (status = 400, description = "No `id` of this stream in Last-Event-ID", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn stream(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // Listening begins before the database is read, so nothing falls between.
    let mut changes = app.feed.listen();
    let mut view = View::of(&app, caller.session).await?;
    let (mut at, first) = match headers.get("last-event-id") {
        None => {
            let at = app.feed.place();
            (at, vec![Event::default().id(at.to_string())])
        }
        Some(value) => {
            let mut at = value
                .to_str()
                .map_err(|error| error.to_string())
                .and_then(str::parse::<Place>)
                .map_err(|error| Problem::parameter("Last-Event-ID", error))?;
            match app.feed.missed(at).await? {
                Missed::Changes(missed) => {
                    let mut first = Vec::new();
                    for change in &missed {
                        at = at.with(change.subject.lane(), change.number);
                        if view.shows(change) {
                            first.push(event(change, at));
                        }
                    }
                    (at, first)
                }
                Missed::TooMuch => {
                    let at = app.feed.place();
                    (at, vec![reset(at)])
                }
            }
        }
    };
    let stream = async_stream::stream! {
        for event in first {
            yield Ok(event);
        }
        let mut checks = tokio::time::interval(CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        checks.tick().await;
        loop {
            let change = tokio::select! {
                () = app.stop.cancelled() => return,
                _ = checks.tick() => match view.renewed(&app).await {
                    Renewed::Same => continue,
                    Renewed::Other(other) => {
                        view = other;
                        yield Ok(reset(at));
                        continue;
                    }
                    Renewed::Over => return,
                },
                change = changes.recv() => change,
            };
            match change {
                Ok(change) if change.number > at.in_lane(change.subject.lane()) => {
                    at = at.with(change.subject.lane(), change.number);
                    if view.shows(&change) {
                        yield Ok(event(&change, at));
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    changes = app.feed.listen();
                    at = app.feed.place();
                    yield Ok(reset(at));
                }
                Err(RecvError::Closed) => return,
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// What somebody may hear of.
#[derive(Debug, PartialEq, Eq)]
struct View {
    session: TokenHash,
    name: PersonName,
    may: BTreeSet<Permission>,
    /// None: of every box.
    edges: Option<BTreeSet<EdgeId>>,
}

enum Renewed {
    Same,
    Other(View),
    Over,
}

impl View {
    async fn of(app: &App, session: Session) -> Result<Self, StoreError> {
        let edges = app.store.edges_within(&session.person.scope()).await?;
        let Session { hash, person, .. } = session;
        Ok(Self { may: person.roles.permissions(), name: person.name, edges, session: hash })
    }

    fn shows(&self, change: &Change) -> bool {
        let own = change.people.contains(&self.name);
        self.may.contains(&change.subject.permission())
            && (change.subject != Subject::Incident || own || self.may.contains(&Permission::SeeAllIncidents))
            && self.edges.as_ref().is_none_or(|edges| edges.contains(&change.edge))
    }

    /// An open page is use of its session. When the database cannot be read, the page goes on with what it had: it is what tells
    /// people that something is wrong.
    async fn renewed(&self, app: &App) -> Renewed {
        let renewed = match app.desk.session_of(self.session.clone()).await {
            Ok(Some(session)) => Self::of(app, session).await,
            Ok(None) => return Renewed::Over,
            Err(error) => Err(error),
        };
        match renewed {
            Ok(view) if view == *self => Renewed::Same,
            Ok(view) => Renewed::Other(view),
            Err(error) => {
                tracing::error!(%error, "it cannot be looked up whether a page may stay open");
                Renewed::Same
            }
        }
    }
}

fn event(change: &Change, at: Place) -> Event {
    Event::default().event(change.subject.name()).id(at.to_string()).data(&change.json)
}

/// Data is needed: browsers drop an event without any.
fn reset(at: Place) -> Event {
    Event::default().event("reset").id(at.to_string()).data("null")
}
