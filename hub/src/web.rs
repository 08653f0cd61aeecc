//! The page and the API. Each request of the API is looked at by `caller` before its handler runs.

mod access_log;
mod alerts;
mod attachments;
mod caller;
mod commands;
mod deletions;
mod devices;
mod disposals;
mod events;
mod evidence;
mod exports;
mod guard;
mod health;
mod holds;
mod incidents;
mod live;
mod metrics;
mod oidc;
mod openapi;
mod page;
mod params;
mod people;
mod plans;
mod problem;
mod secure;
mod session;
mod shift_report;
mod sites;
mod telemetry;
mod traced;
mod viewings;
mod webhooks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, patch, post, put};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use attachments::Attachments;
use gatepost_wire::command::MAX_COMMAND_BYTES;
pub use openapi::document;

use crate::access::Desk;
use crate::authority::Authority;
use crate::config::{self, LoopbackAddr};
use crate::evidence::Folder;
use crate::incident::Deadlines;
use crate::intake::{Intake, Storage};
use crate::live::Feed;
use crate::metrics::Metrics;
use crate::oidc::Provider;
use crate::plan;
use crate::store::Store;
use crate::telemetry::Telemetry;
use crate::tls::{self, ClientCertificate, Listener, TlsError};
use crate::traces::Traces;
use crate::webhook::Receiver;

/// Requests under way at the end may take so long.
const GRACE: Duration = Duration::from_millis(1500);

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct App {
    /// Events, alarms, devices.
    pub store: Store,
    /// Where people prove who they are.
    pub desk: Desk,
    /// Who vouches for people besides, if anybody does.
    pub provider: Option<Arc<Provider>>,
    /// Where commands are noted.
    pub intake: Intake,
    /// Pictures, clips, originals.
    pub folder: Folder,
    /// What people attach to incidents.
    pub attachments: Attachments,
    /// How long incidents may stay in a stage.
    pub deadlines: Deadlines,
    /// Which programs are told of incidents.
    pub receivers: Arc<[Receiver]>,
    /// Tells that there are changes.
    pub changed: watch::Sender<i64>,
    /// Changes.
    pub feed: Feed,
    /// What is not yet written of how boxes fare.
    pub telemetry: Telemetry,
    /// How long requests took.
    pub traces: Traces,
    /// What programs are told of all this.
    pub metrics: Metrics,
    /// Does the disk take what comes?
    pub storage: watch::Receiver<Storage>,
    /// Open streams end with it.
    pub stop: CancellationToken,
}

/// Nobody can reach the page.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address cannot be used.
    #[error("{key} {address}: {source}")]
    Address {
        /// Of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The running server.
#[derive(Debug)]
pub struct Server {
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Begins to answer.
    ///
    /// # Errors
    /// When an address is taken or not this machine's.
    pub async fn start(
        web: &config::Web,
        metrics: Option<LoopbackAddr>,
        tls: &config::Tls,
        authority: &Authority,
        app: App,
    ) -> Result<Self, ListenError> {
        let address = web.listen.get();
        let failed = |source| ListenError::Address { key: "web.listen", address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let stop = app.stop.clone();
        let mut tasks = Vec::new();
        if let Some(address) = metrics {
            let address = address.get();
            let failed = |source| ListenError::Address { key: "metrics.listen", address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            let router = metrics::router(app.clone(), guard::Hosts::new(local.ip(), Vec::new()));
            tasks.push(tokio::spawn(serve(listener, router, stop.clone())));
            tracing::info!(address = %format_args!("http://{local}"), "metrics listening");
        }
        let names = web.host_names.iter().map(|name| name.as_str());
        let names = names.chain(tls.names.iter().map(|name| name.as_str())).map(str::to_owned);
        let router = router(app, guard::Hosts::new(local.ip(), names.collect()));
        tasks.push(tokio::spawn(serve(listener, router.clone(), stop.clone())));
        tracing::info!(address = %format_args!("http://{local}"), "web listening");
        if let Some(address) = &web.tls_listen {
            let address = *address.get_ref();
            let failed = |source| ListenError::Address { key: "web.tls_listen", address, source };
            let tls = tls::server(authority, &tls.names, ClientCertificate::Unasked)?;
            let listener = Listener::bind(address, tls).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            tasks.push(tokio::spawn(
                listener.run(stop, move |connection| secure::serve(router.clone(), connection)),
            ));
            tracing::info!(address = %format_args!("https://{local}"), "page listening for other machines");
        }
        Ok(Self { tasks })
    }

    /// Waits until it has ended; [`App::stop`] makes it end.
    pub async fn ended(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "the web server did not end well");
            }
        }
    }
}

/// On this machine.
async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
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
        .route("/commands/{id}/decision", post(commands::decide))
        .route("/deletions", get(deletions::list))
        .route("/disposals", get(disposals::list))
        .route("/viewings", get(viewings::list).post(viewings::open))
        .route("/holds", get(holds::list).post(holds::propose))
        .route("/holds/{id}/steps", post(holds::take_step))
        .route("/devices", get(devices::list))
        .route("/devices/{edge}/history", get(telemetry::history))
        .route("/incidents", get(incidents::list))
        .route("/incidents/{id}", get(incidents::one))
        .route("/incidents/{id}/alerts", get(incidents::alerts))
        .route("/incidents/{id}/timeline", get(incidents::timeline))
        .route("/incidents/{id}/steps", post(incidents::take_step))
        .route("/incidents/{id}/attachments", get(attachments::list).post(attachments::add))
        .route("/incidents/{id}/attachments/{number}", get(attachments::one))
        .route("/handlers", get(incidents::handlers))
        .route("/incident-figures", get(incidents::figures))
        .route("/shift-report", get(shift_report::show))
        .route("/exports/alerts", get(exports::alerts))
        .route("/exports/incidents", get(exports::incidents))
        .route("/live", get(live::stream))
        .route("/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/session/password", put(session::change_password))
        .route(
            "/session/second-factor",
            post(session::want_factor).put(session::confirm_factor).delete(session::remove_factor),
        )
        .route("/invitation", post(session::accept))
        .route("/sign-in-ways", get(oidc::ways))
        .route("/oidc/start", get(oidc::start))
        .route("/oidc/callback", get(oidc::callback))
        .route("/people", get(people::list).post(people::add))
        .route("/people/{name}", patch(people::change))
        .route("/people/{name}/invitation", post(people::invite))
        .route("/sites", get(sites::list))
        .route("/sites/{site}", put(sites::put).delete(sites::remove))
        .route("/plans", get(plans::list))
        .route(
            "/sites/{site}/plan",
            get(plans::show)
                .put(plans::place)
                .delete(plans::remove)
                .layer(DefaultBodyLimit::max(plan::MAX_PLAN_BYTES)),
        )
        .route(
            "/sites/{site}/plan/picture",
            get(plans::picture).put(plans::put_picture).layer(DefaultBodyLimit::max(plan::MAX_PICTURE_BYTES)),
        )
        .route("/webhooks", get(webhooks::list))
        .route("/webhooks/{name}/dead", get(webhooks::dead))
        .route("/webhooks/{name}/dead/retry", post(webhooks::retry_all))
        .route("/webhooks/{name}/dead/{step}/retry", post(webhooks::retry_one))
        .route("/access-log", get(access_log::list))
        .route("/openapi.json", get(openapi::get))
        .fallback(problem::no_such_resource)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(app.clone(), caller::check))
        .layer(middleware::from_fn_with_state(app.clone(), traced::request));
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
    use std::collections::BTreeSet;

    use super::caller::RULES;

    /// What the document tells of and what has a rule are the same, so nothing is open by being forgotten.
    #[test]
    fn everything_documented_has_a_rule() {
        let document = serde_json::to_value(super::document()).unwrap();
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(|method| (method.to_uppercase(), path.clone()))
            })
            .filter(|(_, path)| path.starts_with("/api/"))
            .collect();
        let ruled: BTreeSet<(String, String)> =
            RULES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(documented, ruled);
        assert_eq!(ruled.len(), RULES.len(), "twice the same");
    }
}
