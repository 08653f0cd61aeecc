//! The page and the API, on loopback until there are accounts.

mod alerts;
mod commands;
mod deletions;
mod devices;
mod events;
mod evidence;
mod guard;
mod health;
mod live;
mod openapi;
mod page;
mod params;
mod problem;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use gatepost_wire::command::MAX_COMMAND_BYTES;
pub use openapi::document;

use crate::config;
use crate::evidence::Folder;
use crate::intake::{Intake, Storage};
use crate::live::Feed;
use crate::store::Store;

/// Requests under way at the end may take so long.
const GRACE: Duration = Duration::from_millis(1500);

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct App {
    /// Events, alarms, devices.
    pub store: Store,
    /// Where commands are noted.
    pub intake: Intake,
    /// Pictures, clips, originals.
    pub folder: Folder,
    /// Changes.
    pub feed: Feed,
    /// Does the disk take what comes?
    pub storage: watch::Receiver<Storage>,
    /// Open streams end with it.
    pub stop: CancellationToken,
}

/// The web address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("web.listen {address}: {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

/// The running server.
#[derive(Debug)]
pub struct Server {
    task: JoinHandle<()>,
}

impl Server {
    /// Begins to answer.
    ///
    /// # Errors
    /// When the address is taken or not this machine's.
    pub async fn start(web: &config::Web, app: App) -> Result<Self, ListenError> {
        let address = web.listen.get();
        let failed = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let stop = app.stop.clone();
        let router = router(app, guard::Hosts::new(local.ip(), web.host_names.clone()));
        let task = tokio::spawn(async move {
            let serving = axum::serve(listener, router)
                .with_graceful_shutdown(stop.clone().cancelled_owned())
                .into_future();
            let given_up = async {
                stop.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                ended = serving => if let Err(error) = ended {
                    tracing::error!(%error, "the web server ended");
                },
                () = given_up => tracing::debug!("requests under way were cut off"),
            }
        });
        tracing::info!(address = %format_args!("http://{local}"), "web listening");
        Ok(Self { task })
    }

    /// Waits until it has ended; [`App::stop`] makes it end.
    pub async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the web server did not end well");
        }
    }
}

fn router(app: App, hosts: guard::Hosts) -> Router {
    let hosts = Arc::new(hosts);
    let api = Router::new()
        .route("/alerts", get(alerts::list))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::one))
        .route("/events/{id}/snapshot", get(evidence::snapshot))
        .route("/events/{id}/evidence/{sha256}", get(evidence::one))
        .route("/commands", get(commands::list).post(commands::give))
        .route("/commands/{id}", get(commands::one))
        .route("/deletions", get(deletions::list))
        .route("/devices", get(devices::list))
        .route("/live", get(live::stream))
        .route("/openapi.json", get(openapi::get))
        .fallback(problem::no_such_resource)
        .method_not_allowed_fallback(problem::no_such_method);
    Router::new()
        .nest("/api/v1", api)
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(page::serve)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(MAX_COMMAND_BYTES))
        .layer(middleware::from_fn_with_state(hosts.clone(), guard::check_site))
        .layer(middleware::from_fn_with_state(hosts, guard::check_host))
        .layer(middleware::from_fn(guard::add_headers))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    /// Every path of the document is routed and answers, so neither can say more than the other does.
    #[test]
    fn documented_paths_are_the_routed_ones() {
        let document = super::document();
        let mut paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            [
                "/api/v1/alerts",
                "/api/v1/commands",
                "/api/v1/commands/{id}",
                "/api/v1/deletions",
                "/api/v1/devices",
                "/api/v1/events",
                "/api/v1/events/{id}",
                "/api/v1/events/{id}/evidence/{sha256}",
                "/api/v1/events/{id}/snapshot",
                "/api/v1/live",
                "/api/v1/openapi.json",
                "/health/live",
                "/health/ready",
            ]
        );
    }
}
