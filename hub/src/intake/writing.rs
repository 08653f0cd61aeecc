//! The one task that writes. It commits as soon as it is free and takes everything that waits into one
//! transaction, so a lone alarm never waits for company and a crowd shares the cost of the disk.

use std::time::{Duration, Instant};

use gatepost_wire::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::counters::Counters;
use super::queue::{Queues, Waiting};
use super::{Receipt, traced};
use crate::store::{Delivery, Fate, Record, StoreError, Writer, tell};
use crate::telemetry::Telemetry;
use crate::traces::Traces;

/// Records in one transaction. An alarm behind a full one waits a few tens of milliseconds.
const BATCH: usize = 512;

/// While nothing can be stored, so often it is tried whether there is room again.
const PROBE: Duration = Duration::from_secs(1);

/// Does the disk take what comes?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// It does.
    Works,
    /// It does not; nothing is acknowledged.
    Failed,
}

/// The running task.
#[derive(Debug)]
pub struct Writing {
    task: JoinHandle<()>,
    stop: CancellationToken,
    storage: watch::Receiver<Storage>,
    counters: Counters,
}

impl Writing {
    pub(super) fn start(writer: Writer, waiting: Queues, listeners: Listeners) -> Self {
        let stop = CancellationToken::new();
        let (told, storage) = watch::channel(Storage::Works);
        let counters = Counters::default();
        let outcome = Outcome { storage: told, counters: counters.clone(), listeners };
        let task = tokio::spawn(run(writer, waiting, outcome, stop.clone()));
        Self { task, stop, storage, counters }
    }

    /// Does the disk take what comes?
    pub fn storage(&self) -> watch::Receiver<Storage> {
        self.storage.clone()
    }

    /// What it has done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes nothing more, stores what waits, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the writing task did not end well");
        }
    }
}

/// Who is told of each transaction.
#[derive(Debug)]
pub struct Listeners {
    /// Of the number of the last change.
    pub changes: watch::Sender<i64>,
    /// Of what boxes report.
    pub telemetry: Telemetry,
    /// Of how long it took.
    pub traces: Traces,
}

/// What becomes known of each transaction.
struct Outcome {
    storage: watch::Sender<Storage>,
    counters: Counters,
    listeners: Listeners,
}

async fn run(mut writer: Writer, mut waiting: Queues, outcome: Outcome, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let failed = *outcome.storage.borrow() == Storage::Failed;
        tokio::select! {
            biased;
            () = stop.cancelled(), if !waiting.is_closed() => waiting.close(),
            taken = waiting.take(&mut batch, BATCH) => {
                if !taken {
                    break;
                }
                write(&mut writer, &mut batch, &outcome).await;
            }
            () = tokio::time::sleep(PROBE), if failed => note(&outcome.storage, &writer.probe().await),
        }
    }
    writer.close().await;
}

async fn write(writer: &mut Writer, batch: &mut Vec<Waiting>, outcome: &Outcome) {
    let (mut records, mut receipts) = (Vec::new(), Vec::with_capacity(batch.len()));
    for waiting in batch.drain(..) {
        receipts.push((waiting.records.len(), waiting.receipt, waiting.room));
        records.extend(waiting.records);
    }
    let (began, clock) = (Timestamp::now(), Instant::now());
    let written = writer.commit(&records).await;
    let took = clock.elapsed();
    let fates = written.as_ref().map(|committed| committed.fates.as_slice()).ok();
    outcome.counters.committed(took, fates, records.len());
    let Outcome { storage, listeners, .. } = outcome;
    traced::committed(&listeners.traces, began, took, &records, fates);
    note(storage, &written.as_ref().map(|_| ()));
    let Ok(committed) = written else {
        for (_, receipt, _) in receipts {
            // Who no longer waits needs no answer, here and below.
            let _ = receipt.send(Receipt::NotStored);
        }
        return;
    };
    for (record, fate) in records.iter().zip(&committed.fates) {
        if let Record::Message { delivery, .. } = record {
            log(delivery, fate);
        }
    }
    listeners.telemetry.take(records.iter().zip(&committed.fates));
    let mut fates = committed.fates.into_iter();
    for (count, receipt, _) in receipts {
        let _ = receipt.send(answer(fates.by_ref().take(count)));
    }
    tell(&listeners.changes, committed.last_change);
}

/// One answer for all records of a message: refused when any of them is.
fn answer(fates: impl Iterator<Item = Fate>) -> Receipt {
    let mut answer = Receipt::Duplicate;
    for fate in fates {
        answer = match (fate, answer) {
            (_, Receipt::Refused(reason)) | (Fate::Refused(reason), _) => Receipt::Refused(reason),
            (Fate::Stored, _) => Receipt::Stored,
            (Fate::Duplicate, answer) => answer,
        };
    }
    answer
}

fn log(delivery: &Delivery, fate: &Fate) {
    let (topic, bytes) = (&delivery.topic, delivery.payload.len());
    match fate {
        Fate::Stored => tracing::debug!(topic, bytes, "stored"),
        Fate::Duplicate => tracing::debug!(topic, "already stored"),
        Fate::Refused(reason) => tracing::warn!(topic = ?topic, bytes, reason, "message refused and noted"),
    }
}

/// Says once that storing fails, and once that it works again.
fn note(storage: &watch::Sender<Storage>, written: &Result<(), impl std::borrow::Borrow<StoreError>>) {
    let (now, error) = match written {
        Ok(()) => (Storage::Works, None),
        Err(error) => (Storage::Failed, Some(error.borrow())),
    };
    storage.send_if_modified(|before| {
        if *before == now {
            return false;
        }
        match error {
            Some(error) => tracing::error!(
                %error,
                "events cannot be stored, so none is acknowledged and edges keep theirs: free space or mend the disk"
            ),
            None => tracing::info!("events are stored again"),
        }
        *before = now;
        true
    });
}
