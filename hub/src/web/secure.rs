//! The page for people on other machines: HTTP inside TLS.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::{Extension, Router, middleware};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use crate::tls::Connection;

/// A browser sends the head of a request at once; who dribbles it only keeps a connection busy.
const HEADERS: Duration = Duration::from_secs(10);

/// For a year browsers ask by TLS only (RFC 6797).
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Answers what comes over one connection.
pub async fn serve(router: Router, connection: Connection) {
    let Connection { stream, remote, .. } = connection;
    let router =
        router.layer(middleware::map_response(only_tls)).layer(Extension(ConnectInfo::<SocketAddr>(remote)));
    let answering = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = answering.await {
        tracing::debug!(%remote, %error, "a connection to the page broke");
    }
}

async fn only_tls(mut response: Response) -> Response {
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    response
}
