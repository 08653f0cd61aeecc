//! sled, and what it does not do by itself: reach the platters, and come back after a failed write.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use gatepost_wire::event::EventData;
use gatepost_wire::health::Recorded;
use gatepost_wire::{AlarmId, EventId};
use sled::{Batch, Db};

use super::entry::{Entry, Item, Position, QUEUE};
use super::{OutboxError, store_error};

const BOOT: u8 = b'b';
const OPEN_ALARM: u8 = b'o';
const SET_ASIDE: u8 = b'x';
/// sled keeps its log in this file of its folder.
const LOG_FILE: &str = "db";
/// A box has little memory; the queue is read front to back once.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

pub(super) struct Store {
    folder: PathBuf,
    /// None only while it is being reopened, or when that failed.
    db: RwLock<Option<Db>>,
    queued: AtomicU64,
}

pub(super) fn put_boot(batch: &mut Batch, number: u64, recorded: Recorded) -> Result<(), OutboxError> {
    batch.insert(&numbered(BOOT, number), serde_json::to_vec(&recorded)?);
    Ok(())
}

pub(super) fn remember_alarm(batch: &mut Batch, alarm: AlarmId, data: &EventData) -> Result<(), OutboxError> {
    batch.insert(alarm_key(alarm), serde_json::to_vec(data)?);
    Ok(())
}

pub(super) fn forget_alarm(batch: &mut Batch, alarm: AlarmId) {
    batch.remove(alarm_key(alarm));
}

fn alarm_key(alarm: AlarmId) -> Vec<u8> {
    [&[OPEN_ALARM], alarm.to_string().as_bytes()].concat()
}

fn numbered(kind: u8, number: u64) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

impl Store {
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        std::fs::create_dir_all(folder).map_err(|e| store_error(folder, e))?;
        let db = match open_db(folder) {
            Ok(db) => db,
            Err(sled::Error::Corruption { .. }) => {
                let aside = set_aside(folder)?;
                tracing::error!(
                    "{}: the outbox is damaged; it is kept as {} and an empty one takes its place",
                    folder.display(),
                    aside.display()
                );
                open_db(folder).map_err(|e| store_error(folder, e))?
            }
            Err(error) => return Err(store_error(folder, error)),
        };
        let queued = count(&db).into();
        Ok(Self { folder: folder.to_owned(), db: RwLock::new(Some(db)), queued })
    }

    /// Applies a batch that adds `added` entries, and returns once it would survive a power cut.
    pub fn commit(&self, batch: Batch, added: u64) -> Result<(), OutboxError> {
        let written = self.with(|db| {
            db.apply_batch(batch)?;
            db.flush()?;
            // flush() ends in sync_file_range(2), which promises nothing about power cuts.
            File::open(self.folder.join(LOG_FILE))?.sync_data()?;
            Ok(())
        });
        match written {
            Ok(()) => {
                self.queued.fetch_add(added, Ordering::Relaxed);
            }
            // After a failed write sled refuses everything until it is opened again.
            Err(_) => self.reopen(),
        }
        written
    }

    pub fn pending(&self, after: Option<Position>, limit: usize) -> Result<Vec<Entry>, OutboxError> {
        let first = after.map_or(Position::START, Position::next);
        let entry = |(key, value): (sled::IVec, sled::IVec)| {
            Some(Entry { position: Position::from_key(&key)?, item: Item::from_bytes(&value)? })
        };
        self.with(|db| {
            db.range(first.key()..=Position(u64::MAX).key())
                .filter_map(|found| found.map(entry).transpose())
                .take(limit)
                .collect()
        })
    }

    pub fn pending_pictures(&self) -> Result<HashSet<EventId>, OutboxError> {
        let picture = |bytes: sled::IVec| match Item::from_bytes(&bytes)? {
            Item::Picture { event } => Some(event),
            Item::Event { .. } => None,
        };
        self.with(|db| {
            let entries = db.scan_prefix([QUEUE]).values().chain(db.scan_prefix([SET_ASIDE]).values());
            entries.filter_map(|found| found.map(picture).transpose()).collect()
        })
    }

    pub fn remove(&self, position: Position) -> Result<Option<Item>, OutboxError> {
        let removed = self.with(|db| db.remove(position.key()))?;
        if removed.is_some() {
            self.queued.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(removed.and_then(|bytes| Item::from_bytes(&bytes)))
    }

    /// Takes an entry out of the queue and keeps it.
    pub fn set_aside(&self, position: Position) -> Result<(), OutboxError> {
        let moved = self.with(|db| {
            let Some(bytes) = db.get(position.key())? else { return Ok(false) };
            let mut batch = Batch::default();
            batch.remove(&position.key());
            batch.insert(&numbered(SET_ASIDE, position.0), bytes);
            db.apply_batch(batch)?;
            Ok(true)
        })?;
        if moved {
            self.queued.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    pub fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    pub fn disk_bytes(&self) -> u64 {
        self.with(|db| db.size_on_disk()).unwrap_or(0)
    }

    pub fn last_position(&self) -> Result<Position, OutboxError> {
        let last = self.with(|db| db.scan_prefix([QUEUE]).keys().next_back().transpose())?;
        Ok(last.and_then(|key| Position::from_key(&key)).unwrap_or(Position::START))
    }

    pub fn last_boot_number(&self) -> Result<u64, OutboxError> {
        let last = self.with(|db| db.scan_prefix([BOOT]).keys().next_back().transpose())?;
        Ok(last.and_then(|key| Some(u64::from_be_bytes(key.get(1..)?.try_into().ok()?))).unwrap_or(0))
    }

    pub fn boots(&self, count: usize) -> Result<Vec<Recorded>, OutboxError> {
        let values: Vec<_> =
            self.with(|db| db.scan_prefix([BOOT]).values().rev().take(count).collect::<sled::Result<_>>())?;
        Ok(values.iter().filter_map(|value| serde_json::from_slice(value).ok()).collect())
    }

    pub fn open_alarms(&self) -> Result<Vec<EventData>, OutboxError> {
        let values: Vec<_> =
            self.with(|db| db.scan_prefix([OPEN_ALARM]).values().collect::<sled::Result<_>>())?;
        Ok(values.iter().filter_map(|value| serde_json::from_slice(value).ok()).collect())
    }

    #[cfg(test)]
    pub fn count_set_aside(&self) -> Result<usize, OutboxError> {
        self.with(|db| Ok(db.scan_prefix([SET_ASIDE]).count()))
    }

    fn with<T>(&self, work: impl FnOnce(&Db) -> sled::Result<T>) -> Result<T, OutboxError> {
        let guard = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let db =
            guard.as_ref().ok_or_else(|| store_error(&self.folder, "it is closed after a failed write"))?;
        work(db).map_err(|e| store_error(&self.folder, e))
    }

    fn reopen(&self) {
        let mut guard = self.db.write().unwrap_or_else(PoisonError::into_inner);
        // The old one must let go of its lock first.
        let was_open = guard.take().is_some();
        match open_db(&self.folder) {
            Ok(db) => {
                // The failed batch may be there or not.
                self.queued.store(count(&db), Ordering::Relaxed);
                *guard = Some(db);
            }
            // Tried again with every event, told once.
            Err(error) if was_open => {
                tracing::error!("{}: the outbox cannot be opened again: {error}", self.folder.display());
            }
            Err(_) => {}
        }
    }
}

fn open_db(folder: &Path) -> sled::Result<Db> {
    // Every commit flushes by itself.
    sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None).open()
}

fn count(db: &Db) -> u64 {
    db.scan_prefix([QUEUE]).keys().count() as u64
}

/// Renames a damaged store out of the way; nothing of it is deleted.
fn set_aside(folder: &Path) -> Result<PathBuf, OutboxError> {
    let stamp = gatepost_wire::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".damaged-{stamp}"));
    let aside = folder.with_file_name(name);
    std::fs::rename(folder, &aside)
        .and_then(|()| std::fs::create_dir_all(folder))
        .map_err(|e| store_error(folder, e))?;
    Ok(aside)
}
