//! Evidence over HTTP: whole or in ranges (RFC 9110, 14), so that a clip can be wound forward before all of it is here.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gatepost_wire::{EventId, Timestamp};
use serde::Deserialize;
use tower_http::services::ServeFile;

use super::App;
use super::caller::Caller;
use super::params::Id;
use super::problem::Problem;
use crate::evidence::Format;
use crate::store::Kept;

/// A browser may keep what is covered, but asks each time whether it may still show it: somebody else may sit there by now, and what is
/// deleted here should not live on there.
const COVERED: HeaderValue = HeaderValue::from_static("private, no-cache");

/// An original is kept nowhere.
const UNCOVERED: HeaderValue = HeaderValue::from_static("no-store");

/// Which piece.
#[derive(Debug, Deserialize)]
pub struct Place {
    id: String,
    sha256: String,
}

/// The picture of an event, people in it pixelated
///
/// Its alarm has to be open for this session: `POST /api/v1/viewings`.
#[utoipa::path(get, path = "/api/v1/events/{id}/snapshot", tag = "evidence",
    params(("id" = String, Path, format = "ulid", description = "ULID of the event", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    responses(
        (status = 200, description = "The picture", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The picture you have is still the one"),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or not opened: POST /api/v1/viewings comes first", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No picture of it is here", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "It has no such range"),
        (status = 503, description = "The database or the picture cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn snapshot(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<EventId>,
    request: Request,
) -> Result<Response, Problem> {
    let sha256 = app.store.snapshot(id, &caller.scope()).await?;
    let sha256 = sha256.ok_or_else(|| Problem::not_found(format!("no picture of event {id} is here")))?;
    let picture = Kept { sha256, format: Format::Jpeg, until: None };
    must_be_open(&app, &caller, id, &picture).await?;
    serve(&app, &picture, request).await
}

/// A picture, clip or released original of an event
///
/// People in pictures and clips are pixelated. An original is encrypted in the age format: `age -d -i KEY` opens it with the
/// site's key. Ranges are answered, so a player can seek. Its alarm has to be open for this session: `POST /api/v1/viewings`.
#[utoipa::path(get, path = "/api/v1/events/{id}/evidence/{sha256}", tag = "evidence",
    params(
        ("id" = String, Path, format = "ulid", description = "ULID of the event", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("sha256" = String, Path, description = "SHA-256 of the bytes, lower-case hex", pattern = "^[0-9a-f]{64}$"),
    ),
    responses(
        (status = 200, description = "All of it", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "video/mp4"), (Vec<u8> = "application/vnd.age")
        )),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "What you have is still the one"),
        (status = 400, description = "No ULID", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not permitted, or not opened: POST /api/v1/viewings comes first", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "It is not here", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The time it was released for is over", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "It has no such range"),
        (status = 503, description = "The database or the file cannot be read", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(place): Path<Place>,
    request: Request,
) -> Result<Response, Problem> {
    let id: EventId = place.id.parse().map_err(|error| Problem::parameter("id", error))?;
    let piece = app.store.evidence(id, &place.sha256, &caller.scope()).await?;
    let piece = piece
        .ok_or_else(|| Problem::not_found(format!("event {id} has no such evidence here, or no longer")))?;
    // The task that deletes looks every few seconds; the end is the end before it has looked.
    if piece.until.is_some_and(|until| until <= Timestamp::now()) {
        return Err(Problem::new(StatusCode::GONE, "the time this original was released for is over"));
    }
    must_be_open(&app, &caller, id, &piece).await?;
    serve(&app, &piece, request).await
}

/// Nobody sees it without a purpose, not even what their browser kept of it: that is asked for here each time.
async fn must_be_open(app: &App, caller: &Caller, event: EventId, piece: &Kept) -> Result<(), Problem> {
    let session = &caller.session.hash;
    if app.store.look(session, event, &piece.sha256, piece.format, Timestamp::now()).await? {
        return Ok(());
    }
    let detail = "first say what you look at it for: POST /api/v1/viewings with its alarm and an open incident or a reason; that holds \
        for 15 minutes";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

async fn serve(app: &App, piece: &Kept, request: Request) -> Result<Response, Problem> {
    let (caching, disposition) = match piece.format {
        Format::Jpeg | Format::Mp4 => (COVERED, HeaderValue::from_static("inline")),
        Format::Age => (UNCOVERED, HeaderValue::from_static("attachment; filename=\"original.age\"")),
    };
    // The hash of the bytes is the best tag there is.
    let tag = HeaderValue::try_from(format!("\"{}\"", piece.sha256)).ok();
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.contains(&format!("\"{}\"", piece.sha256)));
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { read(app, piece, request).await? };
    let headers = response.headers_mut();
    // The time of the file says nothing that the tag does not say better.
    headers.remove(header::LAST_MODIFIED);
    headers.insert(header::CACHE_CONTROL, caching);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

async fn read(app: &App, piece: &Kept, mut request: Request) -> Result<Response, Problem> {
    for condition in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
        request.headers_mut().remove(condition);
    }
    if !range_holds(request.headers().get(header::IF_RANGE), &piece.sha256) {
        request.headers_mut().remove(header::RANGE);
    }
    let file = app.folder.file(&piece.sha256, piece.format);
    let mut response = match ServeFile::new(file).try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => return Err(unreadable(piece, &error)),
    };
    match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
            let media_type = HeaderValue::from_static(piece.format.media_type());
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            Ok(response)
        }
        StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
        other => Err(unreadable(piece, &other)),
    }
}

/// A range is only good for the bytes it was meant for (RFC 9110, 13.1.5); they never change here, but their tag may be that
/// of another piece.
fn range_holds(if_range: Option<&HeaderValue>, sha256: &str) -> bool {
    if_range.is_none_or(|tag| tag.as_bytes() == format!("\"{sha256}\"").as_bytes())
}

fn unreadable(piece: &Kept, error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(sha256 = piece.sha256, %error, "evidence cannot be read");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be read; the hub's log says why")
}
