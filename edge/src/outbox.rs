//! The outbox: every event is on disk here before anyone is told, and stays until the broker has acknowledged
//! it. Built on sled, in segments that are given back to the disk as they drain.

mod backlog;
mod blobs;
mod damage;
mod entry;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod high_water;
mod legacy;
mod recovery;
mod segment;
mod state;
mod store;
mod tally;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_wire::event::{Event, EventData, Happening, Phase};
use gatepost_wire::health::{OutboxHealth, Recorded};
use gatepost_wire::{BootId, EdgeId, EventId, Seq, Severity, Timestamp};
use tokio::sync::watch;
use ulid::Ulid;

pub use backlog::Loss;
pub use damage::Damage;
pub use entry::{Entry, Item, Lane, Position};
use segment::Fault;
use store::Chain;

/// At most so many events share one write to the disk.
pub const GROUP: usize = 256;

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

/// The store, shared by who records and who delivers.
struct Store {
    folder: PathBuf,
    chain: Mutex<Chain>,
}

/// The one who records: gives every event its place.
pub struct Recorder {
    store: Arc<Store>,
    edge: EdgeId,
    boot: BootId,
    last: Seq,
    recorded: watch::Sender<Seq>,
}

/// The one who delivers.
#[derive(Clone)]
pub struct Delivery {
    store: Arc<Store>,
    recorded: watch::Receiver<Seq>,
}

/// What is written in one go, and the events in it.
type Composed = (Vec<(Severity, Item)>, Vec<Event>);

/// What a restart found: alarms that were going on when the daemon died.
pub type OpenAlarms = Vec<EventData>;

/// Opens the outbox for a new boot.
///
/// Of a damaged store what can be read is kept and the rest set aside, see [`Recorder::untold_damages`]: a box that watches
/// is worth more than one that insists on its past.
///
/// # Errors
/// [`OutboxError`] when not even an empty store can be made there.
pub fn open(folder: &Path, edge: EdgeId) -> Result<(Recorder, Delivery, OpenAlarms), OutboxError> {
    open_sized(folder, edge, store::SEGMENT_BYTES)
}

fn open_sized(
    folder: &Path,
    edge: EdgeId,
    segment_bytes: u64,
) -> Result<(Recorder, Delivery, OpenAlarms), OutboxError> {
    let failed = |fault: Fault| store_error(folder, fault);
    let chain = legacy::import(folder).and_then(|()| Chain::open(folder, segment_bytes)).map_err(failed)?;
    for damage in &chain.damages {
        tracing::error!("{}: {damage}", folder.display());
    }
    let open_alarms = chain.state().open_alarms();
    let boot = BootId::from_ulid(Ulid::generate());
    let store = Arc::new(Store { folder: folder.to_owned(), chain: Mutex::new(chain) });
    let (sender, receiver) = watch::channel(Seq(0));
    let recorder = Recorder { store: Arc::clone(&store), edge, boot, last: Seq(0), recorded: sender };
    Ok((recorder, Delivery { store, recorded: receiver }, open_alarms))
}

impl Store {
    /// What a panic could have left half done is on the disk, not in here.
    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Chain) -> Result<T, Fault>) -> Result<T, OutboxError> {
        work(&mut self.chain()).map_err(|fault| store_error(&self.folder, fault))
    }

    /// Writes items and returns once they would survive a power cut. The chain is free for who delivers meanwhile.
    fn commit(&self, items: &[(Severity, Item)], events: &[Event]) -> Result<(), OutboxError> {
        loop {
            let (pending, change) = self.with(|chain| chain.prepare(items.to_vec(), events))?;
            let written = pending.segment.commit(change);
            let settled = self.chain().settle(pending, written.is_ok());
            written.map_err(|fault| store_error(&self.folder, fault))?;
            if settled {
                return Ok(());
            }
            // The segment was found damaged by who delivers, and replaced: into the new one with it.
        }
    }
}

impl Recorder {
    /// This start of the daemon.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Writes these events in their order, and that their pictures (if they have any) must follow, and returns
    /// once all of it is on the disk. One wait for the disk covers them all. After an error nothing is recorded and
    /// the same drafts can be tried again: they get the same places.
    ///
    /// # Errors
    /// [`OutboxError`]; a full disk is one.
    pub fn record(&mut self, drafts: &[Draft]) -> Result<Vec<Event>, OutboxError> {
        let (items, events) = self.compose(drafts)?;
        self.store.commit(&items, &events)?;
        self.last = events.last().map_or(self.last, |event| event.seq);
        self.recorded.send_replace(self.last);
        Ok(events)
    }

    /// The events these drafts become, and what has to be written of them.
    fn compose(&self, drafts: &[Draft]) -> Result<Composed, OutboxError> {
        let mut seq = self.last;
        let mut items = Vec::with_capacity(drafts.len());
        let mut events = Vec::with_capacity(drafts.len());
        for draft in drafts {
            seq = seq.next();
            let event = self.event(draft, seq);
            items.push((event.data.severity, Item::Event { id: event.id, json: event.to_json()? }));
            if !event.data.evidence.is_empty() {
                items.push((event.data.severity, Item::Picture { event: event.id }));
            }
            events.push(event);
        }
        Ok((items, events))
    }

    fn event(&self, draft: &Draft, seq: Seq) -> Event {
        Event {
            id: draft.id,
            edge: self.edge.clone(),
            boot: self.boot,
            seq,
            time: draft.time,
            data: draft.data.clone(),
            extra: Default::default(),
        }
    }

    /// What has to go when the outbox takes more than `limit_bytes` of the disk; none when it does not. Whoever asks
    /// records that it goes before it goes ([`Recorder::let_go`]).
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn next_loss(&mut self, limit_bytes: u64) -> Result<Option<Loss>, OutboxError> {
        self.store.with(|chain| backlog::next_loss(chain, limit_bytes))
    }

    /// What was found damaged, now or before, and no event tells of yet. Whoever asks records that it was and then says so
    /// ([`Recorder::told`]).
    pub fn untold_damages(&self) -> Vec<Damage> {
        self.store.chain().damages.clone()
    }

    /// Events tell of these damages, and are recorded.
    pub fn told(&mut self, damages: &[Damage]) {
        self.store.chain().damages.retain(|damage| !damages.contains(damage));
        damages.iter().for_each(Damage::told);
    }

    /// Deletes what a [`Loss`] names.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn let_go(&mut self, loss: &Loss) -> Result<(), OutboxError> {
        self.store.with(|chain| backlog::let_go(chain, loss))
    }
}

impl Delivery {
    /// The next entries of a lane after `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn pending(
        &self,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Entry>, OutboxError> {
        self.store.with(|chain| chain.pending(lane, after, limit))
    }

    /// The entry at a place, if it still waits.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn get(&self, position: Position) -> Result<Option<Entry>, OutboxError> {
        self.store.with(|chain| chain.get(position))
    }

    /// Events whose pictures still wait, or were refused.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn pending_pictures(&self) -> Result<HashSet<EventId>, OutboxError> {
        let mut pictures: HashSet<EventId> = refused_pictures(&self.store.folder)?.into_iter().collect();
        self.store.with(|chain| {
            chain.for_each_with_pictures(|entry| {
                if let Item::Picture { event } = entry.item {
                    pictures.insert(event);
                }
            })
        })?;
        Ok(pictures)
    }

    /// Forgets an entry the broker has acknowledged, and gives it back. Should the box die before this reaches the disk, it is
    /// sent again and the hub drops the double.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn remove(&self, position: Position) -> Result<Option<Item>, OutboxError> {
        Ok(self.store.with(|chain| chain.remove(position))?.map(|entry| entry.item))
    }

    /// Takes an entry the hub will never take out of the way of the others, and keeps it as a file.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn set_aside(&self, position: Position) -> Result<(), OutboxError> {
        if let Some(entry) = self.get(position)? {
            keep_refused(&self.store.folder, &entry)?;
            self.remove(position)?;
        }
        Ok(())
    }

    /// Changes whenever something new is recorded.
    pub fn recorded(&self) -> watch::Receiver<Seq> {
        self.recorded.clone()
    }

    /// Size and backlog, for health.
    pub fn health(&self) -> OutboxHealth {
        let chain = self.store.chain();
        OutboxHealth { queued: chain.queued(), disk_bytes: chain.disk_bytes() }
    }

    /// How far the last boots got, newest first.
    pub fn recorded_by_boot(&self) -> Vec<Recorded> {
        self.store.chain().state().boots()
    }

    /// Was anything found damaged that no event tells of yet?
    pub fn has_untold_damage(&self) -> bool {
        !self.store.chain().damages.is_empty()
    }
}

/// Writes an entry the hub refuses where a person finds it.
fn keep_refused(folder: &Path, entry: &Entry) -> Result<(), OutboxError> {
    let refused = folder.join(store::REFUSED);
    let (name, bytes): (String, &[u8]) = match &entry.item {
        Item::Event { id, json } => (format!("{id}.json"), json),
        Item::Picture { event } => (format!("{event}.picture"), b""),
    };
    let file = refused.join(name);
    std::fs::create_dir_all(&refused)
        .and_then(|()| std::fs::write(&file, bytes))
        .and_then(|()| std::fs::File::open(&file)?.sync_all())
        .and_then(|()| segment::sync_folder(&refused))
        .and_then(|()| segment::sync_folder(folder))
        .map_err(|error| store_error(&refused, error))
}

fn refused_pictures(folder: &Path) -> Result<Vec<EventId>, OutboxError> {
    let refused = folder.join(store::REFUSED);
    let files = match std::fs::read_dir(&refused) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files.map_err(|error| store_error(&refused, error))?,
    };
    let event = |file: std::fs::DirEntry| {
        file.file_name().to_str()?.strip_suffix(".picture")?.parse::<EventId>().ok()
    };
    Ok(files.filter_map(|file| file.ok().and_then(event)).collect())
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
