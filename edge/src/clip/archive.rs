//! Clips on disk: kept for as long as configured, in a share of the disk, with what is known of them beside them.
//!
//! | file in `clips/` | what |
//! | --- | --- |
//! | `{clip}.mp4` | the clip, people covered |
//! | `{clip}.age` | the same seconds uncovered, encrypted; only where the site allows it |
//! | `{clip}.json` | whose clip it is; written last, so that without it the others are no clip |

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_wire::event::EventData;
use gatepost_wire::{EventId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use super::retention::{Kept, going};
use crate::evidence::write_durably;

/// What is known of a clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub clip: EventId,
    /// When its first alarm began.
    pub time: Timestamp,
    /// Whose clip it is.
    pub alarms: Vec<ClipAlarm>,
}

/// An alarm a clip belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipAlarm {
    /// The event that began the alarm.
    pub began: EventId,
    /// The event the clip was sent with.
    pub event: EventId,
    /// What the alarm is.
    pub data: EventData,
}

impl Record {
    fn severity(&self) -> Severity {
        self.alarms.iter().map(|alarm| alarm.data.severity).min().unwrap_or(Severity::LOW)
    }

    fn has(&self, event: EventId) -> Option<&ClipAlarm> {
        self.alarms.iter().find(|alarm| alarm.began == event || alarm.event == event)
    }
}

/// The limits clips are kept within.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// So long, where the disk allows.
    pub keep: Duration,
    /// Share of the whole disk that clips may take, 0 to 1.
    pub disk_share: f64,
    /// Free space that belongs to events, bytes.
    pub reserve_bytes: u64,
}

/// Some clips went before their time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutShort {
    /// How old the youngest of them was.
    pub age: Duration,
    /// What clips may take, bytes.
    pub budget: u64,
}

/// All clips of the box.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    room: Room,
    records: BTreeMap<EventId, (Record, u64)>,
}

impl Archive {
    /// Opens (or makes) the folder, and removes what is no whole clip.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path, room: Room) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut this = Self { folder: folder.to_owned(), room, records: BTreeMap::new() };
        let files: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|file| file.map(|f| f.path())).collect::<Result<_, _>>()?;
        for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")) {
            match fs::read(file)
                .map_err(|e| e.to_string())
                .and_then(|json| serde_json::from_slice::<Record>(&json).map_err(|e| e.to_string()))
            {
                Ok(record) => {
                    let bytes = this.bytes_of(record.clip);
                    this.records.insert(record.clip, (record, bytes));
                }
                Err(reason) => tracing::warn!("{}: no clip's record: {reason}; removed", file.display()),
            }
        }
        for file in files {
            let clip = file.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            let whole = clip.is_some_and(|clip: EventId| this.records.contains_key(&clip))
                && file.extension().is_some_and(|kind| kind != "part");
            if !whole {
                fs::remove_file(&file)?;
            }
        }
        Ok(this)
    }

    /// Keeps a clip, and its encrypted original if there is one, once there is room for it.
    ///
    /// # Errors
    /// What the file system says; then nothing of the clip is kept.
    pub fn add(&mut self, record: Record, mp4: &[u8], original: Option<&[u8]>) -> io::Result<()> {
        let id = record.clip;
        let json = serde_json::to_vec(&record)?;
        let mut written = write_durably(&self.file(id, MP4), mp4);
        if let Some(original) = original {
            written = written.and_then(|()| write_durably(&self.file(id, AGE), original));
        }
        written = written.and_then(|()| write_durably(&self.file(id, JSON), &json));
        if let Err(error) = written {
            self.delete(id);
            return Err(error);
        }
        let bytes = self.bytes_of(id);
        self.records.insert(id, (record, bytes));
        Ok(())
    }

    /// Removes what is too old or too much, `coming` bytes that are about to be written included. Gives whose clips
    /// went, and whether some went before their time.
    pub fn tidy(&mut self, now: Timestamp, coming: u64) -> (Vec<Record>, Option<CutShort>) {
        let kept: Vec<Kept> = self.records.values().map(|(record, bytes)| kept(record, *bytes)).collect();
        let budget = self.budget();
        let going = going(&kept, now, self.room.keep, budget.saturating_sub(coming));
        let mut gone = Vec::new();
        for id in going.clips {
            self.delete(id);
            gone.extend(self.records.remove(&id).map(|(record, _)| record));
        }
        (gone, going.cut_short.map(|age| CutShort { age, budget }))
    }

    /// Is there room for so many bytes, after [`Self::tidy`]?
    pub fn has_room(&self, bytes: u64) -> bool {
        self.used() + bytes <= self.budget()
    }

    /// The clip of an alarm, by the event that began it or the one the clip was sent with.
    pub fn find(&self, event: EventId) -> Option<(&Record, &ClipAlarm)> {
        self.records.values().find_map(|(record, _)| Some((record, record.has(event)?)))
    }

    /// Where a clip is.
    pub fn clip(&self, id: EventId) -> PathBuf {
        self.file(id, MP4)
    }

    /// Where its encrypted original is, if it was kept.
    pub fn original(&self, id: EventId) -> Option<PathBuf> {
        Some(self.file(id, AGE)).filter(|file| file.is_file())
    }

    /// Bytes clips may take: their share, and never what belongs to events.
    pub fn budget(&self) -> u64 {
        let total = fs4::total_space(&self.folder).unwrap_or(0);
        let free = fs4::available_space(&self.folder).unwrap_or(0);
        let share = (total as f64 * self.room.disk_share) as u64;
        share.min((self.used() + free).saturating_sub(self.room.reserve_bytes))
    }

    fn used(&self) -> u64 {
        self.records.values().map(|(_, bytes)| bytes).sum()
    }

    fn delete(&self, id: EventId) {
        // The record last: what is left without its files is gone at the next attempt.
        for kind in [MP4, AGE, JSON] {
            let file = self.file(id, kind);
            if let Err(error) = fs::remove_file(&file)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!("{}: cannot be removed: {error}", file.display());
            }
        }
    }

    fn bytes_of(&self, id: EventId) -> u64 {
        [MP4, AGE, JSON]
            .iter()
            .filter_map(|kind| fs::metadata(self.file(id, kind)).ok())
            .map(|m| m.len())
            .sum()
    }

    fn file(&self, id: EventId, kind: &str) -> PathBuf {
        self.folder.join(format!("{id}.{kind}"))
    }
}

const MP4: &str = "mp4";
const AGE: &str = "age";
const JSON: &str = "json";

fn kept(record: &Record, bytes: u64) -> Kept {
    Kept { id: record.clip, severity: record.severity(), time: record.time, bytes }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::super::tests::begun;
    use super::*;

    fn id(number: u128) -> EventId {
        EventId::from_ulid(Ulid(number))
    }

    fn record(number: u128, time: Timestamp) -> Record {
        let began = begun(number + 100, 2, Duration::ZERO);
        let alarm = ClipAlarm { began: began.event, event: id(number), data: began.data };
        Record { clip: id(number), time, alarms: vec![alarm] }
    }

    const ROOM: Room = Room { keep: Duration::from_secs(3600), disk_share: 0.9, reserve_bytes: 0 };

    #[test]
    fn clips_survive_a_restart_and_what_is_no_whole_clip_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let mut archive = Archive::open(folder.path(), ROOM).unwrap();
        archive.add(record(1, now), b"clip", Some(b"sealed")).unwrap();
        archive.add(record(2, now), b"clip", None).unwrap();
        for stray in ["01ARZ3NDEKTSV4RRFFQ69G5FAV.mp4", "notes.txt", "x.part"] {
            fs::write(folder.path().join(stray), "stray").unwrap();
        }
        fs::write(folder.path().join("01ARZ3NDEKTSV4RRFFQ69G5FAW.json"), "{").unwrap();
        let mut archive = Archive::open(folder.path(), ROOM).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
        let (found, alarm) = archive.find(id(101)).unwrap();
        assert_eq!((found.clip, alarm.event), (id(1), id(1)));
        assert!(archive.find(id(2)).is_some() && archive.find(id(3)).is_none());
        assert_eq!(fs::read(archive.original(id(1)).unwrap()).unwrap(), b"sealed");
        assert_eq!(archive.original(id(2)), None);
        let (gone, short) = archive.tidy(now + Duration::from_secs(3700), 0);
        assert_eq!((gone.len(), short), (2, None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_belongs_to_events_is_never_used() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { reserve_bytes: u64::MAX, ..ROOM };
        let mut archive = Archive::open(folder.path(), room).unwrap();
        assert!(!archive.has_room(1));
        archive.add(record(1, Timestamp::now()), b"clip", None).unwrap();
        let (gone, short) = archive.tidy(Timestamp::now(), 0);
        assert_eq!((gone.len(), short.unwrap().budget), (1, 0));
    }
}
