//! The outbox: every event is on disk here before anyone is told, and stays until the broker has acknowledged
//! it. Built on sled.
//!
//! One tree, four kinds of keys, so that what belongs together is one atomic batch:
//!
//! | key | value |
//! | --- | --- |
//! | `q` + position (u64, big-endian) | `E` + id + event in JSON, or `P` + id: the picture of an event |
//! | `b` + number of the boot (u64, big-endian) | the boot's id and its last sequence number |
//! | `o` + alarm | the last event of an alarm that has not ended |
//! | `x` + position | an entry the hub will never take, kept for whoever looks into it |

mod entry;
mod store;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_wire::event::{Event, EventData, Happening, Phase};
use gatepost_wire::health::{OutboxHealth, Recorded};
use gatepost_wire::{BootId, EdgeId, EventId, Seq, Timestamp};
use tokio::sync::watch;
use ulid::Ulid;

pub use entry::{Entry, Item, Position};
use store::Store;

/// How many boots health tells about.
const BOOTS_REMEMBERED: usize = 8;

/// The store on disk failed.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// sled or the file system.
    #[error("{}: the outbox cannot be written or read: {reason}", folder.display())]
    Store {
        /// Where it lives.
        folder: PathBuf,
        /// What was said.
        reason: String,
    },
    /// The event cannot be written as JSON.
    #[error("an event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// An event that has no place in the order yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its identity, whatever happens to it from here on.
    pub id: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub data: EventData,
}

/// The one who records: gives every event its place.
pub struct Recorder {
    store: Arc<Store>,
    edge: EdgeId,
    boot: BootId,
    boot_number: u64,
    last: Seq,
    next_position: Position,
    recorded: watch::Sender<Seq>,
}

/// The one who delivers.
#[derive(Clone)]
pub struct Delivery {
    store: Arc<Store>,
    recorded: watch::Receiver<Seq>,
}

/// What a restart found: alarms that were going on when the daemon died.
pub type OpenAlarms = Vec<EventData>;

/// Opens the outbox for a new boot.
///
/// A store that cannot be opened is set aside whole under another name, and an empty one takes its place: a
/// box that watches is worth more than one that insists on its past.
///
/// # Errors
/// [`OutboxError`] when not even an empty store can be made there.
pub fn open(folder: &Path, edge: EdgeId) -> Result<(Recorder, Delivery, OpenAlarms), OutboxError> {
    let store = Arc::new(Store::open(folder)?);
    let boot = BootId::from_ulid(Ulid::generate());
    let boot_number = store.last_boot_number()? + 1;
    let next_position = store.last_position()?.next();
    let open_alarms = store.open_alarms()?;
    let (sender, receiver) = watch::channel(Seq(0));
    let recorder = Recorder {
        store: Arc::clone(&store),
        edge,
        boot,
        boot_number,
        last: Seq(0),
        next_position,
        recorded: sender,
    };
    Ok((recorder, Delivery { store, recorded: receiver }, open_alarms))
}

impl Recorder {
    /// This start of the daemon.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Writes the event, and that its picture (if it has one) must follow, and returns once both are on the
    /// disk. After an error nothing is recorded and the same draft can be tried again: it gets the same place.
    ///
    /// # Errors
    /// [`OutboxError`]; a full disk is one.
    pub fn record(&mut self, draft: &Draft) -> Result<Event, OutboxError> {
        let seq = self.last.next();
        let event = Event {
            id: draft.id,
            edge: self.edge.clone(),
            boot: self.boot,
            seq,
            time: draft.time,
            data: draft.data.clone(),
            extra: Default::default(),
        };
        let mut batch = sled::Batch::default();
        let mut items = vec![Item::Event { id: event.id, json: event.to_json()? }];
        if !event.data.evidence.is_empty() {
            items.push(Item::Picture { event: event.id });
        }
        let mut position = self.next_position;
        for item in &items {
            position.put(&mut batch, item);
            position = position.next();
        }
        store::put_boot(&mut batch, self.boot_number, Recorded { boot: self.boot, last: seq })?;
        note_alarm(&mut batch, &event.data)?;
        self.store.commit(batch, items.len() as u64)?;
        self.next_position = position;
        self.last = seq;
        self.recorded.send_replace(seq);
        Ok(event)
    }
}

/// Remembers an alarm until its end, so that one cut short by a power loss can be ended after it.
fn note_alarm(batch: &mut sled::Batch, data: &EventData) -> Result<(), OutboxError> {
    if let Some(alarm) = data.happening.alarm() {
        match alarm.phase {
            Phase::Ended => store::forget_alarm(batch, alarm.id),
            Phase::Began => store::remember_alarm(batch, alarm.id, data)?,
            // A clip may come after the end, and must not open the alarm again.
            Phase::Updated => {}
        }
    }
    Ok(())
}

impl Delivery {
    /// The next entries after `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn pending(&self, after: Option<Position>, limit: usize) -> Result<Vec<Entry>, OutboxError> {
        self.store.pending(after, limit)
    }

    /// Events whose pictures still wait.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn pending_pictures(&self) -> Result<HashSet<EventId>, OutboxError> {
        self.store.pending_pictures()
    }

    /// Forgets an entry the broker has acknowledged, and gives it back. Should the box die before this reaches the disk, it is
    /// sent again and the hub drops the double.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn remove(&self, position: Position) -> Result<Option<Item>, OutboxError> {
        self.store.remove(position)
    }

    /// Takes an entry the hub will never take out of the way of the others, and keeps it.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn set_aside(&self, position: Position) -> Result<(), OutboxError> {
        self.store.set_aside(position)
    }

    /// Changes whenever something new is recorded.
    pub fn recorded(&self) -> watch::Receiver<Seq> {
        self.recorded.clone()
    }

    /// Size and backlog, for health.
    pub fn health(&self) -> OutboxHealth {
        OutboxHealth { queued: self.store.queued(), disk_bytes: self.store.disk_bytes() }
    }

    /// How far the last boots got, newest first.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn recorded_by_boot(&self) -> Result<Vec<Recorded>, OutboxError> {
        self.store.boots(BOOTS_REMEMBERED)
    }
}

/// The end of an alarm that was cut short: the same happening with its last phase.
pub fn ended(mut data: EventData) -> Option<EventData> {
    if matches!(data.happening, Happening::Unknown(_)) {
        return None;
    }
    data.happening.set_phase(Phase::Ended);
    data.evidence.clear();
    Some(data)
}

fn store_error(folder: &Path, reason: impl ToString) -> OutboxError {
    OutboxError::Store { folder: folder.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
