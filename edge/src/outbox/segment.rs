//! One segment of the outbox: a sled database in a folder of its own, small enough to be opened, read back or thrown
//! away whole. Here is what sled does not do by itself: reach the platters, and fail without a panic.
//!
//! One tree, five kinds of keys, so that what belongs together is one atomic batch:
//!
//! | key | value |
//! | --- | --- |
//! | `u` or `q` (the lane) + number (u64, big-endian) | an entry, framed |
//! | `n` | the last number given out here, which stays when its entry is gone |
//! | `r` | how many numbers have no entry any more; with it, what is missing is known to be missing |
//! | `b` + number of the boot (u64, big-endian) | the boot's id and its last sequence number |
//! | `o` + alarm | the last event of an alarm that has not ended |
//!
//! Boots and alarms are carried over when the next segment begins, so the newest one knows everything.

use std::collections::BTreeSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sled::{Batch, Db, IVec};

use super::blobs::Blobs;
use super::entry::{Entry, Lane, Position};
use super::frame::{self, Group};
use super::state::State;
use super::tally::Tally;

/// sled keeps its log in this file of its folder.
pub(super) const LOG_FILE: &str = "db";
/// What sled began to write of where its pages are, and did not finish. It takes this for finished all the same, says that it is
/// damaged, and opens nothing; it needs none of it, for the log says the same.
const UNFINISHED: &str = ".generating";
/// A box has little memory, and a segment is read front to back once.
const CACHE_BYTES: u64 = 2 * 1024 * 1024;
/// sled lets go of its lock a moment after it is closed.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
const LAST_NUMBER: &[u8] = b"n";
const GONE: &[u8] = b"r";

/// Why a segment cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The file system refuses; the segment itself may be well.
    #[error("{0}")]
    Refused(String),
    /// What is on the disk is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(io) => io.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Refused(error.to_string()),
        }
    }
}

pub(super) struct Segment {
    db: Db,
    log: File,
    blobs: Blobs,
    removals: Mutex<Removals>,
}

/// What was removed. Both are written in one batch, so they change under one lock: an entry removed and not yet counted would
/// be looked for after a kill, and the segment called damaged.
struct Removals {
    /// How many numbers have no entry, here or in the database.
    gone: u64,
    /// Removed, and still in the database until something else is written or the segment is closed. A drained segment is
    /// deleted whole, so most removals are never written: each would cost the log more than the entry itself did.
    forgotten: BTreeSet<[u8; 9]>,
}

/// A change of a segment, made whole or not at all.
#[derive(Default)]
pub(super) struct Change(Batch);

impl Change {
    pub fn put(&mut self, entry: &Entry, group: Group) {
        self.0.insert(&entry.position.key(), frame::encode(entry, group));
    }

    pub fn set_last_number(&mut self, number: u64) {
        self.0.insert(LAST_NUMBER, &number.to_be_bytes());
    }

    /// How many numbers up to the last one have no entry.
    pub fn set_gone(&mut self, count: u64) {
        self.0.insert(GONE, &count.to_be_bytes());
    }

    pub fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.0.insert(key, value);
    }

    pub fn unset(&mut self, key: Vec<u8>) {
        self.0.remove(key);
    }
}

impl Segment {
    /// Opens the database in `folder`, or makes one there that survives a power cut.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder)?;
        remove_unfinished(folder)?;
        let db = open_db(folder)?;
        let log = File::open(folder.join(LOG_FILE))?;
        log.sync_all()?;
        // The files' names, and the folder's own.
        sync_folder(folder)?;
        folder.parent().map_or(Ok(()), sync_folder)?;
        let blobs = Blobs::of(folder);
        blobs.sync()?;
        let gone = guarded(|| number_at(&db, GONE))?.unwrap_or(0);
        let removals = Mutex::new(Removals { gone, forgotten: BTreeSet::new() });
        Ok(Self { db, log, blobs, removals })
    }

    /// How many entries wait here, from the numbers alone, in a segment that begins with `first`.
    pub fn expected_entries(&self, first: u64) -> Result<u64, Fault> {
        let given = self.last_number()?.map_or(0, |last| (last + 1).saturating_sub(first));
        Ok(given.saturating_sub(self.removals().gone))
    }

    fn removals(&self) -> MutexGuard<'_, Removals> {
        self.removals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is about to be deleted: what was removed need not be written any more.
    pub fn discard(&self) {
        self.removals().forgotten.clear();
    }

    /// Adds what was removed to a change.
    fn write_removals(&self, change: &mut Change) {
        let mut removals = self.removals();
        if !removals.forgotten.is_empty() {
            removals.forgotten.iter().for_each(|key| change.0.remove(key));
            change.set_gone(removals.gone);
            // Should the change fail, they are delivered again.
            removals.forgotten.clear();
        }
    }

    /// Returns once the change would survive a power cut.
    pub fn commit(&self, mut change: Change) -> Result<(), Fault> {
        self.write_removals(&mut change);
        guarded(|| {
            self.db.apply_batch(change.0)?;
            self.db.flush()?;
            // flush() ends in sync_file_range(2), which promises nothing about power cuts, and leaves out large pages. They come
            // first: the log refers to them.
            self.blobs.sync()?;
            self.log.sync_data()?;
            Ok(())
        })
    }

    /// Commits a change after which so many numbers have no entry. Nothing was removed since it was opened.
    pub fn commit_with_gone(&self, mut change: Change, gone: u64) -> Result<(), Fault> {
        change.set_gone(gone);
        self.removals().gone = gone;
        self.commit(change)
    }

    /// Entries of a lane from number `from` on, at most `limit`.
    pub fn entries(&self, lane: Lane, from: u64, limit: usize) -> Result<Vec<Entry>, Fault> {
        guarded(|| {
            let range = Position::new(from, lane).key()..=Position::new(u64::MAX, lane).key();
            let removals = self.removals();
            let waits = |found: &Result<(IVec, IVec), sled::Error>| {
                !found.as_ref().is_ok_and(|(key, _)| removals.forgotten.contains(&key[..]))
            };
            self.db.range(range).filter(waits).take(limit).map(|found| entry(&found?)).collect()
        })
    }

    /// Every entry in turn.
    pub fn for_each(&self, mut each: impl FnMut(&Entry)) -> Result<(), Fault> {
        guarded(|| {
            for lane in Lane::ALL {
                for found in self.db.scan_prefix([lane.prefix()]) {
                    let found = found?;
                    if !self.removals().forgotten.contains(&found.0[..]) {
                        each(&entry(&found)?);
                    }
                }
            }
            Ok(())
        })
    }

    /// What waits here, counted.
    pub fn tally(&self) -> Result<Tally, Fault> {
        let mut tally = Tally::default();
        self.for_each(|entry| tally.add(entry))?;
        Ok(tally)
    }

    /// Forgets an entry and gives it back; not synced, since it would only be delivered again.
    pub fn remove(&self, position: Position) -> Result<Option<Entry>, Fault> {
        let removed = self.get(position)?;
        if removed.is_some() {
            let mut removals = self.removals();
            removals.forgotten.insert(position.key());
            removals.gone += 1;
        }
        Ok(removed)
    }

    /// Looks an entry up.
    pub fn get(&self, position: Position) -> Result<Option<Entry>, Fault> {
        if self.removals().forgotten.contains(&position.key()) {
            return Ok(None);
        }
        guarded(|| match self.db.get(position.key())? {
            Some(value) => entry(&(IVec::from(&position.key()), value)).map(Some),
            None => Ok(None),
        })
    }

    /// The last number given out here; none in a segment nothing was ever written to.
    pub fn last_number(&self) -> Result<Option<u64>, Fault> {
        guarded(|| number_at(&self.db, LAST_NUMBER))
    }

    /// Boots and open alarms.
    pub fn state(&self) -> Result<State, Fault> {
        guarded(|| {
            let mut state = State::default();
            for found in self.db.scan_prefix([State::BOOT]).chain(self.db.scan_prefix([State::OPEN_ALARM])) {
                let (key, value) = found?;
                state.read(&key, &value).map_err(damaged)?;
            }
            Ok(state)
        })
    }

    /// Its size on the disk, bytes.
    pub fn disk_bytes(&self) -> u64 {
        self.log.metadata().map_or(0, |log| log.len()) + self.blobs.disk_bytes()
    }
}

/// Closed while something in it waits: what does not is written down, or it would all be delivered again.
impl Drop for Segment {
    fn drop(&mut self) {
        let mut change = Change::default();
        self.write_removals(&mut change);
        // Not synced, and if it fails they are only delivered again.
        let _ = guarded(|| Ok(self.db.apply_batch(change.0)?));
    }
}

/// Size on the disk of a segment that is not open, bytes.
pub(super) fn disk_bytes(folder: &Path) -> u64 {
    std::fs::metadata(folder.join(LOG_FILE)).map_or(0, |log| log.len()) + Blobs::of(folder).disk_bytes()
}

/// Makes what was created, renamed or removed in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove_unfinished(folder: &Path) -> std::io::Result<()> {
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().to_string_lossy().ends_with(UNFINISHED) {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

fn number_at(db: &Db, key: &[u8]) -> Result<Option<u64>, Fault> {
    let Some(bytes) = db.get(key)? else { return Ok(None) };
    let number = bytes.as_ref().try_into().map_err(|_| damaged("a number is none"))?;
    Ok(Some(u64::from_be_bytes(number)))
}

fn open_db(folder: &Path) -> Result<Db, Fault> {
    // Every commit flushes by itself.
    let config = sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    for _ in 0..LOCK_TRIES {
        match guarded(|| Ok(config.open())) {
            Ok(Err(sled::Error::Io(error))) if is_locked(&error) => std::thread::sleep(LOCK_PAUSE),
            opened => return Ok(opened??),
        }
    }
    Err(Fault::Refused("another process has it open".into()))
}

fn is_locked(error: &std::io::Error) -> bool {
    // sled wraps the errno in an error of its own kind.
    error.kind() == std::io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

fn entry((key, value): &(IVec, IVec)) -> Result<Entry, Fault> {
    frame::decode(value)
        .filter(|entry| entry.position.key() == **key)
        .ok_or_else(|| damaged("an entry is not what was written"))
}

fn damaged(reason: impl ToString) -> Fault {
    Fault::Damaged(reason.to_string())
}

/// sled panics on some damage. Whoever gets [`Fault::Damaged`] throws the database away, so nothing half done is seen.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        Err(damaged(said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("sled panicked")))
    })
}
