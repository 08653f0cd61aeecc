//! In front of the camera: HTTP's digest (RFC 7616), checked by the crate `digest_auth`.

use std::error::Error;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use digest_auth::{AuthContext, AuthorizationHeader};
use tokio::net::TcpListener;

const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const MOST_BYTES: usize = 1 << 20;

/// Listens at `port` and hands on to `camera` what has a login.
pub async fn serve(port: u16, camera: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("serving");
    Ok(axum::serve(listener, Router::new().fallback(answer).with_state(camera)).await?)
}

async fn answer(State(camera): State<u16>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if needs_login(&head.uri, &head.headers) && !has_login(&head.uri, &head.headers, &body) {
        let challenge = format!("Digest realm=\"camera\", qop=\"auth\", nonce=\"{NONCE}\", algorithm=MD5");
        // The way that must not be taken comes first.
        let challenges =
            [(WWW_AUTHENTICATE, "Basic realm=\"camera\"".to_owned()), (WWW_AUTHENTICATE, challenge)];
        return (StatusCode::UNAUTHORIZED, axum::response::AppendHeaders(challenges)).into_response();
    }
    hand_on(camera, head.method, &head.uri, &head.headers, body)
        .await
        .unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

/// The time is told to everybody (ONVIF Core Specification, 5.9.4.2), and the test turns the contacts.
fn needs_login(uri: &Uri, headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    !uri.path().starts_with("/mock/") && !kind.contains("GetSystemDateAndTime")
}

fn has_login(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> bool {
    let said = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let Some(mut said) = said.and_then(|text| AuthorizationHeader::parse(text).ok()) else { return false };
    let response = said.response.clone();
    said.digest(&AuthContext::new_post("admin", "admin", uri.to_string(), Some(body)));
    said.response == response && said.nonce == NONCE && said.uri == uri.to_string()
}

async fn hand_on(
    camera: u16,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> reqwest::Result<Response> {
    let request =
        reqwest::Client::new().request(method, format!("http://127.0.0.1:{camera}{uri}")).body(body);
    let kind = headers.get(CONTENT_TYPE).cloned();
    let request = kind.into_iter().fold(request, |request, kind| request.header(CONTENT_TYPE, kind));
    let answer = request.send().await?;
    Ok((answer.status(), answer.bytes().await?).into_response())
}
