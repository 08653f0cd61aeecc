//! Enrolment: how a box becomes known. A person lets the hub make a [code](new_code); the box brings it here, over HTTPS, and
//! gets a certificate; later it renews that by showing it.

mod answer;
mod code;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::post;
use axum::{Extension, Router};
use gatepost_wire::enrolment::{ENROL_PATH, MAX_ENROLMENT_BYTES, RENEW_PATH};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use code::{CodeError, new_code};

use crate::authority::{Authority, Fingerprint};
use crate::config::Tls;
use crate::store::Store;
use crate::tls::{self, ClientCertificate, Connection, Listener, TlsError};
use answer::Desk;

/// A box sends one request, and has it ready.
const HEADERS: Duration = Duration::from_secs(10);
const CONNECTION: Duration = Duration::from_secs(30);

/// Nobody can enrol.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error("enrolment.listen {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Who asks.
#[derive(Debug, Clone)]
struct Peer {
    remote: SocketAddr,
    certificate: Option<Fingerprint>,
}

/// The running listener.
pub struct Enrolment {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Enrolment {
    /// Begins to listen.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start(
        address: SocketAddr,
        config: &Tls,
        authority: &Authority,
        store: &Store,
    ) -> Result<Self, StartError> {
        let tls = tls::server(authority, &config.names, ClientCertificate::Optional)?;
        let failed = |source| StartError::Listen { address, source };
        let listener = Listener::bind(address, tls).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        tracing::info!(address = %format_args!("https://{local}"), "enrolment listening");
        let desk = Desk::new(authority.clone(), store.clone(), config.certificate_valid);
        let router = Router::new()
            .route(ENROL_PATH, post(answer::enrol))
            .route(RENEW_PATH, post(answer::renew))
            .layer(axum::extract::DefaultBodyLimit::max(MAX_ENROLMENT_BYTES))
            .with_state(Arc::new(desk));
        let stop = CancellationToken::new();
        let task =
            tokio::spawn(listener.run(stop.clone(), move |connection| serve(router.clone(), connection)));
        Ok(Self { task, stop })
    }

    /// Answers nobody more.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "enrolment did not end well");
        }
    }
}

async fn serve(router: Router, connection: Connection) {
    let Connection { stream, remote, certificate } = connection;
    let service = TowerToHyperService::new(router.layer(Extension(Peer { remote, certificate })));
    let answering = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION, answering).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%remote, %error, "an enrolment connection broke"),
        Err(_) => tracing::info!(%remote, "an enrolment connection took too long"),
    }
}
