//! `[metrics] listen`: figures for programs of this machine, and whether the hub is well.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::problem::{self, Problem};
use super::{App, guard, health};
use crate::metrics::Subjects;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Nothing of the API and the page: who may ask here need not be signed in.
pub(super) fn router(app: App, hosts: guard::Hosts) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(problem::no_such_resource)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(Arc::new(hosts), guard::check_host))
        .layer(middleware::from_fn(guard::add_headers))
        .with_state(app)
}

async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let storage = *app.storage.borrow();
    let of = Subjects { store: &app.store, intake: &app.intake, feed: &app.feed, storage };
    let text = app.metrics.text(of).await.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the figures cannot be written: {error}"))
    })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
