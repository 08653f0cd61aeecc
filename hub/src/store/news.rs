//! What other hubs at the same PostgreSQL server write: they say so, and pages of this one hear of it.

use std::convert::Infallible;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Store, StoreError};

/// By which hubs tell each other that there are changes.
pub(super) const CHANNEL: &str = "gatepost_change";

/// A connection may be lost without a word, so it is looked at least so often.
const LOOK: Duration = Duration::from_secs(5);

/// After the connection was lost.
const RETRY: Duration = Duration::from_secs(1);

/// Notes a change, unless a later one is known.
pub fn tell(changed: &watch::Sender<i64>, change: i64) {
    changed.send_if_modified(|last| {
        let later = change > *last;
        *last = change.max(*last);
        later
    });
}

impl Store {
    /// Tells `changed` of what other hubs write, until `stop`. With a SQLite file there are none.
    pub fn follow(&self, changed: watch::Sender<i64>, stop: CancellationToken) -> Option<JoinHandle<()>> {
        let url = self.database.server_url()?;
        let store = self.clone();
        Some(tokio::spawn(async move {
            loop {
                let error = tokio::select! {
                    () = stop.cancelled() => return,
                    Err(error) = listen(&store, url.as_str(), &changed) => error,
                };
                tracing::warn!(%error, "what other hubs write is not heard of");
                tokio::time::sleep(RETRY).await;
            }
        }))
    }
}

async fn listen(store: &Store, url: &str, changed: &watch::Sender<i64>) -> Result<Infallible, StoreError> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Also what was written while nobody listened.
        tell(changed, store.last_change().await?);
        // The number that came is not newer than what is looked up next.
        if let Ok(heard) = tokio::time::timeout(LOOK, listener.try_recv()).await {
            heard?;
        }
    }
}
