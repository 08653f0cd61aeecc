//! The task that writes what has come together, beside the one that writes what comes in, a few boxes at a time.

use std::time::Duration;

use gatepost_wire::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Telemetry;
use crate::store::{Store, StoreError};

/// So often is looked for what is over, and changes are written.
const EVERY: Duration = Duration::from_secs(2);

/// Boxes written in one go: what comes in waits for no more than that.
const BOXES_AT_ONCE: usize = 64;

/// Changes that are looked at in one go; few of them are new.
const CHANGES_AT_ONCE: usize = 256;

/// Between two of them.
const REST: Duration = Duration::from_millis(20);

/// The running task.
#[derive(Debug)]
pub struct Recording {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Recording {
    pub(super) fn start(store: Store, telemetry: Telemetry) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(store, telemetry, stop.clone()));
        Self { task, stop }
    }

    /// Writes everything there is, and ends. To be called when nothing comes in any more.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the recording of how boxes fare did not end well");
        }
    }
}

async fn run(store: Store, telemetry: Telemetry, stop: CancellationToken) {
    let mut failed = false;
    loop {
        let ends = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(EVERY) => false,
        };
        telemetry.lock().close_over(Timestamp::now(), ends);
        match write(&store, &telemetry).await {
            Ok(()) => failed = false,
            // Once, not every two seconds.
            Err(error) if !failed => {
                failed = true;
                tracing::error!(%error, "how boxes fare cannot be written; it is tried again");
            }
            Err(_) => {}
        }
        if ends {
            return;
        }
    }
}

async fn write(store: &Store, telemetry: &Telemetry) -> Result<(), StoreError> {
    loop {
        let changes = telemetry.lock().take_changes(CHANGES_AT_ONCE);
        if changes.is_empty() {
            break;
        }
        if let Err(error) = store.record_changes(&changes).await {
            telemetry.lock().give_back(changes);
            return Err(error);
        }
        tokio::time::sleep(REST).await;
    }
    loop {
        let closed = telemetry.lock().take_closed(BOXES_AT_ONCE);
        if closed.is_empty() {
            return Ok(());
        }
        if let Err(error) = store.record_samples(&closed).await {
            let mut desk = telemetry.lock();
            for (edge, start, sample) in closed {
                desk.keep(edge, start, sample);
            }
            return Err(error);
        }
        tokio::time::sleep(REST).await;
    }
}
