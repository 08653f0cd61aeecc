//! The hub as a whole: what is started in which order, and stopped in which.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::Desk;
use crate::attachment;
use crate::authority::{Authority, AuthorityError};
use crate::broker::{self, Broker};
use crate::command::Dispatch;
use crate::config::{self, Config};
use crate::enrolment::{self, Enrolment};
use crate::evidence::Folder;
use crate::incident::Grouping;
use crate::intake::{Intake, Listeners};
use crate::live::Feed;
use crate::metrics::Metrics;
use crate::oidc::{Provider, ProviderError};
use crate::retention::Retention;
use crate::store::{Store, StoreError};
use crate::telemetry::Telemetry;
use crate::traces::{Traces, TracesError};
use crate::web::{App, Attachments, ListenError, Server};
use crate::webhook::{Receiver, WebhookError, Webhooks};

/// The hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory for evidence or for attachments cannot be made.
    #[error("{}: {source}", path.display())]
    Evidence {
        /// The directory.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] broker::StartError),
    /// Keys and certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The address for enrolment.
    #[error(transparent)]
    Enrolment(#[from] enrolment::StartError),
    /// The web address.
    #[error(transparent)]
    Web(#[from] ListenError),
    /// The provider of sign-ins.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Webhooks.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The collector of traces.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// Signals cannot be received.
    #[error("signals: {0}")]
    Signals(std::io::Error),
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;

    let authority = Authority::open(&config.tls.authority)?;
    let store = Store::open(&config.database).await?;
    let evidence = config.data_dir.join("evidence");
    let folder =
        Folder::open(evidence.clone()).map_err(|source| StartError::Evidence { path: evidence, source })?;
    let attachments = config.data_dir.join("attachments");
    let attachments = attachment::Folder::open(attachments.clone())
        .map_err(|source| StartError::Evidence { path: attachments, source })?;
    if matches!(config.broker, config::Broker::Embedded(_)) {
        store.forget_presence().await?;
    }
    let (changed, changes) = watch::channel(store.last_change().await?);
    let (traces, tracing) = Traces::start(config.traces.as_ref())?;
    let (telemetry, recording) = Telemetry::start(store.clone());
    let listeners =
        Listeners { changes: changed.clone(), telemetry: telemetry.clone(), traces: traces.clone() };
    let (intake, writing) = Intake::start(store.writer(folder.clone()), folder.clone(), listeners);
    let stop = CancellationToken::new();
    let news = store.follower().await?;
    let (feed, telling) = Feed::start(news.clone(), changes.clone(), stop.clone()).await?;
    let provider = config.oidc.as_ref().map(Provider::new).transpose()?.map(Arc::new);
    let app = App {
        store: store.clone(),
        desk: Desk::new(store.clone()),
        provider,
        deadlines: config.incident_deadlines,
        receivers: config.webhooks.iter().map(Receiver::from).collect(),
        changed: changed.clone(),
        intake: intake.clone(),
        folder,
        attachments: Attachments::new(attachments.clone()),
        feed,
        telemetry,
        traces: traces.clone(),
        metrics: Metrics::new(writing.counters(), &traces, &config),
        storage: writing.storage(),
        stop: stop.clone(),
    };
    let following = store.follow(changed.clone(), stop.clone());
    let server = Server::start(&config.web, config.metrics, &config.tls, &authority, app).await?;
    let grouping = Grouping::start(news, config.incident_deadlines, changed.clone());
    let retention = Retention::start(store.clone(), intake.clone(), attachments.clone(), config.kept);
    let enrolment = match config.enrolment {
        Some(address) => Some(Enrolment::start(address, &config.tls, &authority, &store).await?),
        None => None,
    };
    let broker = Broker::start(&config, &authority, &store, intake, writing.storage()).await?;
    let webhooks = Webhooks::start(&config.webhooks, &store, &changes, &traces)?;
    let dispatch = Dispatch::start(store.clone(), authority, broker.publisher(), changed);

    tokio::select! {
        _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
        _ = interrupt.recv() => tracing::info!("stopping: SIGINT"),
    }
    // In the direction of the data: nothing comes in, what came is stored, then those who look are let go.
    dispatch.stop().await;
    broker.stop().await;
    if let Some(enrolment) = enrolment {
        enrolment.stop().await;
    }
    retention.stop().await;
    writing.stop().await;
    recording.stop().await;
    grouping.stop().await;
    webhooks.stop().await;
    stop.cancel();
    server.ended().await;
    for task in [Some(telling), following].into_iter().flatten() {
        if let Err(error) = task.await {
            tracing::error!(%error, "the live feed did not end well");
        }
    }
    if let Some(tracing) = tracing {
        tracing.stop().await;
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}
