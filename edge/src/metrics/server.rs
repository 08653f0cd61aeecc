//! `[metrics] listen`: answers programs of this machine.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::Metrics;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Nobody can ask.
#[derive(Debug, thiserror::Error)]
#[error("metrics.listen {address}: {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// Listens, and gives what answers for ever.
///
/// # Errors
/// When the address is taken or not this machine's.
pub async fn serve(
    address: SocketAddr,
    metrics: Metrics,
) -> Result<impl Future<Output = ()> + Send + 'static, ListenError> {
    let failed = |source| ListenError { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    tracing::info!(address = %format_args!("http://{local}"), "metrics listening");
    let router = router(Arc::new(metrics));
    Ok(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("metrics.listen {local}: the server ended: {error}");
        }
    })
}

fn router(metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .route("/health/live", get(|| async { "ok\n" }))
        .route("/health/ready", get(ready))
        .layer(middleware::from_fn(check_host))
        .with_state(metrics)
}

async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            let problem = format!("the figures cannot be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response()
        }
    }
}

async fn ready(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.illness() {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// A page of a stranger can make its own name point to 127.0.0.1 and so ask from a browser of this machine; it still asks by its
/// own name.
async fn check_host(request: Request, next: Next) -> Response {
    if is_this_machine(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "ask by the name localhost or the address\n").into_response()
}

fn is_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, _)) => ip,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_means_this_machine_is_answered() {
        let means = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_this_machine(&headers)
        };
        assert!(means("127.0.0.1:9465") && means("localhost") && means("[::1]:9465"));
        assert!(!means("stranger.example:9465") && !means("127.0.0.1.stranger.example"));
        assert!(!is_this_machine(&HeaderMap::new()));
    }
}
