//! What traces say of each request of the API: its route, never what was asked for or by whom.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use gatepost_wire::Timestamp;

use super::App;
use crate::traces::{Kind, Span, TraceId, parent};

pub(super) async fn request(State(app): State<App>, request: Request, next: Next) -> Response {
    let parent = parent(request.headers());
    let trace = parent.map_or_else(TraceId::random, |(trace, _)| trace);
    // Who sent it has decided whether it is followed.
    if !app.traces.follow_any() || parent.is_none() && !app.traces.follow(trace) {
        return next.run(request).await;
    }
    let method = request.method().to_string();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (began, clock) = (Timestamp::now(), Instant::now());
    let response = next.run(request).await;
    let name = route.as_ref().map_or_else(|| method.clone(), |route| format!("{method} {route}"));
    let mut span = Span::new(trace, name, began, clock.elapsed())
        .kind(Kind::Server)
        .word("http.request.method", method)
        .number("http.response.status_code", i64::from(response.status().as_u16()));
    if let Some((_, parent)) = parent {
        span = span.within(parent);
    }
    if let Some(route) = route {
        span = span.word("http.route", route);
    }
    if response.status().is_server_error() {
        span = span.failed(response.status().to_string());
    }
    app.traces.tell(span);
    response
}
