//! Records: alarms, events, closed incidents, the registers. Looked through once an hour, some at a time.

use std::time::Duration;

use gatepost_wire::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::DAY;
use crate::config::RecordDays;
use crate::store::{Disposed, Store};

/// So often is looked for what is over.
const EVERY: Duration = Duration::from_secs(3600);

/// Between two transactions, so that what comes in is not kept waiting.
const REST: Duration = Duration::from_millis(50);

/// When records were looked through last.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    done: Option<Instant>,
}

impl Schedule {
    /// Deletes everything that is over, if an hour has passed since the last time.
    pub async fn sweep_if_due(
        &mut self,
        store: &Store,
        days: RecordDays,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), String> {
        if self.done.is_some_and(|done| done.elapsed() < EVERY) {
            return Ok(());
        }
        sweep(store, days, now, stop).await?;
        self.done = Some(Instant::now());
        Ok(())
    }
}

async fn sweep(
    store: &Store,
    days: RecordDays,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<(), String> {
    let horizon = now.checked_sub(DAY * i32::from(days.get())).unwrap_or(Timestamp::MIN);
    while !stop.is_cancelled() {
        let disposed = store.dispose(horizon, now).await.map_err(|error| error.to_string())?;
        if disposed == Disposed::default() {
            break;
        }
        tracing::info!(%horizon, ?disposed, "records deleted: their time is over");
        tokio::time::sleep(REST).await;
    }
    Ok(())
}
