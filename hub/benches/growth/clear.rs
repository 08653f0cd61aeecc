//! Deleting the oldest tenth, as retention does, and how long an event meanwhile waits until it is stored.

use std::time::{Duration, Instant};

use gatepost_hub::store::{Disposed, Store};
use gatepost_wire::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::ask::Answers;
use crate::fill::Filling;
use crate::home::Home;

/// Between two events that come meanwhile.
const EVERY: Duration = Duration::from_millis(20);
/// As retention rests between two transactions.
const REST: Duration = Duration::from_millis(50);
const TIMES: u32 = 500;

/// What deleting cost.
pub struct Cleared {
    pub disposed: Disposed,
    /// With retention's rests, and without.
    pub took: Duration,
    pub worked: Duration,
    /// How long events waited until they were stored: with nothing else going on, and meanwhile.
    pub before: Answers,
    pub meanwhile: Answers,
}

/// Deletes what the hub had heard by `horizon`.
pub async fn clear(home: &Home, filling: &mut Filling, horizon: Timestamp) -> Cleared {
    let store = Store::open(&home.database()).await.unwrap();
    let mut writer = store.writer(home.folder());
    let mut before = Vec::new();
    for _ in 0..TIMES {
        before.push(filling.one(&mut writer).await);
        tokio::time::sleep(EVERY).await;
    }
    let over = CancellationToken::new();
    let deleting = tokio::spawn(delete(store.clone(), horizon, over.clone()));
    let mut meanwhile = Vec::new();
    while !over.is_cancelled() {
        meanwhile.push(filling.one(&mut writer).await);
        tokio::time::sleep(EVERY).await;
    }
    let (disposed, took, worked) = deleting.await.unwrap();
    writer.close().await;
    store.close().await;
    Cleared { disposed, took, worked, before: Answers::of(before), meanwhile: Answers::of(meanwhile) }
}

async fn delete(store: Store, horizon: Timestamp, over: CancellationToken) -> (Disposed, Duration, Duration) {
    let (began, mut worked, mut all) = (Instant::now(), Duration::ZERO, Disposed::default());
    // Whatever happens, nobody waits for it for ever.
    let _over = over.drop_guard();
    loop {
        let turn = Instant::now();
        let disposed = store.dispose(horizon, Timestamp::now()).await.unwrap();
        worked += turn.elapsed();
        if disposed == Disposed::default() {
            return (all, began.elapsed(), worked);
        }
        all.events += disposed.events;
        all.alarms += disposed.alarms;
        all.incidents += disposed.incidents;
        tokio::time::sleep(REST).await;
    }
}
