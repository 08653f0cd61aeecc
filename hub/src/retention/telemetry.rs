//! How boxes fared.

use std::time::Duration;

use gatepost_wire::Timestamp;
use tokio_util::sync::CancellationToken;

use super::DAY;
use crate::config::HealthDays;
use crate::store::{Store, StoreError, TelemetryEnds};
use crate::telemetry::FINE_KEPT;

/// Boxes of which it is deleted in one go, and the rest between two of them.
const BOXES_AT_ONCE: u16 = 20;
const REST: Duration = Duration::from_millis(20);

/// Deletes how boxes fared so long ago that nobody asks any more, a few boxes at a time.
pub(super) async fn sweep(
    store: &Store,
    days: HealthDays,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let before = |length| now.checked_sub(length).unwrap_or(Timestamp::MIN);
    let kept = DAY * i32::from(days.get());
    let ends = TelemetryEnds { fine: before(kept.min(FINE_KEPT)), coarse: before(kept) };
    let mut after = None;
    while let Some(last) = store.forget_telemetry(after.as_ref(), &ends, BOXES_AT_ONCE).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        after = Some(last);
        tokio::time::sleep(REST).await;
    }
    Ok(())
}
