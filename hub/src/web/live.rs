//! `GET /api/v1/live`: changes as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use tokio::sync::broadcast::error::RecvError;

use super::App;
use super::problem::Problem;
use crate::live::{Change, Feed, Missed};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Changes as they happen
///
/// Server-sent events: `alert` with an `Alert`, `device` with a `Device`, `command` with a `Given`, each the present state under the
/// `id` of its last change. `reset` (data: null) means that too much was missed: load the lists anew and go on
/// listening. The stream begins with an `id` alone; open it before loading the lists, and nothing is missed
/// between the two.
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    params(("Last-Event-ID" = Option<i64>, Header, description = "`id` of the last event seen: what came after it is sent first")),
    responses(
        (status = 200, description = "An endless stream", body = String, content_type = "text/event-stream",
            example = "event: alert\nid: 42\ndata: {\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}\n\n"),
        (status = 400, description = "No number in Last-Event-ID", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // Listening begins before the database is read, so nothing falls between.
    let mut changes = app.feed.listen();
    let (mut at, first) = match headers.get("last-event-id") {
        None => {
            let at = app.feed.position();
            (at, vec![Event::default().id(at.to_string())])
        }
        Some(value) => {
            let number = value
                .to_str()
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .ok_or_else(|| Problem::parameter("Last-Event-ID", "a number is needed"))?;
            match app.feed.missed(number).await? {
                Missed::Changes(missed) => {
                    let at = missed.last().map_or(number, |change| change.number);
                    (at, missed.iter().map(event).collect())
                }
                Missed::TooMuch => {
                    let at = app.feed.position();
                    (at, vec![reset(at)])
                }
            }
        }
    };
    let stream = async_stream::stream! {
        for event in first {
            yield Ok(event);
        }
        loop {
            let change = tokio::select! {
                () = app.stop.cancelled() => return,
                change = changes.recv() => change,
            };
            match change {
                Ok(change) if change.number > at => {
                    at = change.number;
                    yield Ok(event(&change));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    changes = app.feed.listen();
                    at = Feed::position(&app.feed);
                    yield Ok(reset(at));
                }
                Err(RecvError::Closed) => return,
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn event(change: &Change) -> Event {
    Event::default().event(change.subject.name()).id(change.number.to_string()).data(&change.json)
}

/// Data is needed: browsers drop an event without any.
fn reset(at: i64) -> Event {
    Event::default().event("reset").id(at.to_string()).data("null")
}
