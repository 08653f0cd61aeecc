//! The page, carried inside the binary.

use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "ui/dist/"]
struct Files;

/// Names below it carry a hash of their content, so they never change.
const HASHED: &str = "assets/";

/// Any file of the page.
pub async fn serve(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let Some(file) = Files::get(path) else {
        return Problem::not_found(format!("there is no {}", uri.path())).into_response();
    };
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers =
        [(header::CONTENT_TYPE, content_type(path, &file.metadata)), (header::CACHE_CONTROL, caching.into())];
    (headers, file.data).into_response()
}

fn content_type(path: &str, metadata: &rust_embed::Metadata) -> String {
    let guessed = metadata.mimetype();
    let is_text = guessed.starts_with("text/") || guessed == "application/json" || path.ends_with(".svg");
    if is_text { format!("{guessed}; charset=utf-8") } else { guessed.to_owned() }
}
