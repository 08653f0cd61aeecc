//! Groups alarms into incidents as they change, reminds of those that wait for too long, and escalates those that nobody was moved by.
//!
//! It follows the store's changes as pages do, so that intake waits for nobody; how far it has got is kept with what it did, so that each
//! alarm gets its incident once, whenever the hub is killed.

use std::time::Duration;

use gatepost_wire::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::deadline::Deadlines;
use crate::store::{Duty, Grouped, Store, StoreError, tell};

/// How soon somebody is reminded, or an incident escalated.
const LOOK: Duration = Duration::from_secs(5);

/// Between two handfuls of a backlog while others write, so that what comes in is not kept waiting.
const REST: Duration = Duration::from_millis(10);

/// After a failed look.
const RETRY: Duration = Duration::from_secs(1);

/// The running task.
#[derive(Debug)]
pub struct Grouping {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Grouping {
    /// Starts it; `changed` tells pages that there are changes, and it of alarms.
    pub fn start(store: Store, deadlines: Deadlines, changed: watch::Sender<i64>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(store, deadlines, changed, stop.clone()));
        Self { task, stop }
    }

    /// Waits until it has ended.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "grouping did not end well");
        }
    }
}

async fn run(store: Store, deadlines: Deadlines, changed: watch::Sender<i64>, stop: CancellationToken) {
    let mut leadership = store.leadership(Duty::Incidents);
    let mut changes = changed.subscribe();
    changes.mark_changed();
    let mut looks = tokio::time::interval(LOOK);
    let mut seen = 0;
    loop {
        let urge = tokio::select! {
            () = stop.cancelled() => return,
            _ = changes.changed() => false,
            _ = looks.tick() => true,
        };
        let looked = match leadership.is_ours().await {
            Ok(false) => continue,
            Ok(true) if urge => {
                // Of a hub that had this duty and ended, alarms may be left.
                match self::urge(&store, &deadlines, &changed).await {
                    Ok(()) => group(&store, &deadlines, &changed, &mut seen).await,
                    Err(error) => Err(error),
                }
            }
            Ok(true) => group(&store, &deadlines, &changed, &mut seen).await,
            Err(error) => Err(error),
        };
        if let Err(error) = looked {
            tracing::error!(%error, "incidents cannot be written; alarms wait for theirs");
            tokio::time::sleep(RETRY).await;
            changes.mark_changed();
        }
    }
}

async fn group(
    store: &Store,
    deadlines: &Deadlines,
    changed: &watch::Sender<i64>,
    seen: &mut i64,
) -> Result<(), StoreError> {
    loop {
        let Grouped { change, more, seen: upto } =
            store.group_alarms(deadlines, *seen, Timestamp::now()).await?;
        *seen = upto;
        if let Some(change) = change {
            tell(changed, change);
        }
        if !more {
            return Ok(());
        }
        let others_write = change.is_none_or(|change| *changed.borrow() > change);
        if others_write {
            tokio::time::sleep(REST).await;
        }
    }
}

async fn urge(store: &Store, deadlines: &Deadlines, changed: &watch::Sender<i64>) -> Result<(), StoreError> {
    if let Some(change) = store.urge(deadlines, Timestamp::now()).await? {
        tell(changed, change);
    }
    Ok(())
}
