//! Records: alarms, events, closed incidents, the registers; some at a time.

use std::time::Duration;

use gatepost_wire::Timestamp;
use tokio_util::sync::CancellationToken;

use super::DAY;
use crate::config::RecordDays;
use crate::store::{Disposed, Store};

/// Between two transactions, so that what comes in is not kept waiting.
const REST: Duration = Duration::from_millis(50);

/// Deletes everything that is over.
pub(super) async fn sweep(
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
