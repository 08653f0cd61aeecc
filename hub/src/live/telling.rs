//! The task that looks for changes and tells them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reading::{Stretch, changes_after};
use super::{Change, Lane, Place};
use crate::store::{Store, StoreError};

/// Rest between two looks, so that a storm of changes is read in handfuls.
const REST: Duration = Duration::from_millis(20);

/// Between two looks at what boxes report, who say nothing that people wait for.
const REPORTS: Duration = Duration::from_secs(1);

/// After a failed look.
const RETRY: Duration = Duration::from_secs(1);

/// What is known about one lane.
struct Ahead {
    lane: Lane,
    /// It may hold something that is not told.
    more: bool,
    /// It is looked at again from then on.
    from: Instant,
}

pub async fn run(
    store: Store,
    mut changes: watch::Receiver<i64>,
    pages: broadcast::Sender<Arc<Change>>,
    place: watch::Sender<Place>,
    stop: CancellationToken,
) {
    let mut lanes = Lane::ALL.map(|lane| Ahead { lane, more: false, from: Instant::now() });
    loop {
        let next = lanes.iter().filter(|ahead| ahead.more).map(|ahead| ahead.from).min();
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                for ahead in &mut lanes {
                    ahead.more = true;
                }
            }
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
        for ahead in &mut lanes {
            if ahead.more && ahead.from <= Instant::now() {
                tell(&store, &pages, &place, ahead).await;
            }
        }
    }
}

/// Tells one handful of a lane.
async fn tell(
    store: &Store,
    pages: &broadcast::Sender<Arc<Change>>,
    place: &watch::Sender<Place>,
    ahead: &mut Ahead,
) {
    let lane = ahead.lane;
    let last = place.borrow().in_lane(lane);
    let rest = match look(store, lane, last, pages).await {
        Ok(some) => {
            for change in some.changes {
                // Fails when no page is open.
                let _ = pages.send(Arc::new(change));
            }
            place.send_modify(|place| *place = place.with(lane, some.upto));
            ahead.more = some.more;
            match lane {
                Lane::Devices if !some.more => REPORTS,
                Lane::People | Lane::Devices => REST,
            }
        }
        Err(error) => {
            tracing::error!(%error, "changes cannot be read; live pages wait");
            RETRY
        }
    };
    ahead.from = Instant::now() + rest;
}

/// What to tell. With no page open that is nothing, and reading it would only cost the writer the processor.
async fn look(
    store: &Store,
    lane: Lane,
    last: i64,
    pages: &broadcast::Sender<Arc<Change>>,
) -> Result<Stretch, StoreError> {
    // In this order: a page that begins to listen after the second line loads its lists later still, and finds in them whatever
    // the first line saw.
    let upto = store.last_change().await?;
    if pages.receiver_count() == 0 {
        return Ok(Stretch { changes: Vec::new(), upto, more: false });
    }
    changes_after(store, lane, last, upto).await
}

#[cfg(test)]
mod tests;
