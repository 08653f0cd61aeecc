//! Is the hub alive, and does it store what comes?

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::problem::Problem;
use crate::intake::Storage;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Well {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Is the process alive?
#[utoipa::path(get, path = "/health/live", tag = "health", responses(
    (status = 200, description = "It answers", body = Well),
))]
pub async fn live() -> Json<Well> {
    Json(Well { status: "ok" })
}

/// Does it store what comes?
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "It does", body = Well),
    (status = 503, description = "It does not; nothing is acknowledged to edges", body = Problem, content_type = "application/problem+json"),
))]
pub async fn ready(State(app): State<App>) -> Result<Json<Well>, Problem> {
    if *app.storage.borrow() == Storage::Failed {
        let detail = "events cannot be stored, so edges keep theirs: the hub's log says why";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    app.store.last_change().await?;
    Ok(Json(Well { status: "ok" }))
}
