//! Clips on disk: kept for as long as configured, in a share of the disk, with what is known of them beside them.
//!
//! | file in `clips/` | what |
//! | --- | --- |
//! | `{clip}.mp4` | the clip, people covered |
//! | `{clip}.age` | the same seconds uncovered, encrypted; only where the site allows it |
//! | `{clip}.json` | whose clip it is; written last, so that without it the others are no clip |
//! | `deleted.jsonl`, `deleted.1.jsonl` | what was deleted, when and why |

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_wire::command::HoldEvidence;
use gatepost_wire::event::EventData;
use gatepost_wire::{AlarmId, CommandId, EventId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use super::deletion::{Deletion, DeletionCause, DeletionLog};
use super::hold::{Holds, Superseded};
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

    fn alarms(&self) -> impl Iterator<Item = AlarmId> {
        self.alarms.iter().filter_map(|alarm| alarm.data.happening.alarm().map(|alarm| alarm.id))
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
    /// What of it is on legal hold, bytes.
    pub held: u64,
}

/// All clips of the box.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    room: Room,
    records: BTreeMap<EventId, (Record, u64)>,
    holds: Holds,
    deletions: DeletionLog,
}

impl Archive {
    /// Opens (or makes) the folder, and removes what is no whole clip.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path, room: Room) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (records, holds) = (BTreeMap::new(), Holds::default());
        let deletions = DeletionLog::of(folder);
        let kept = deletions.files();
        let mut this = Self { folder: folder.to_owned(), room, records, holds, deletions };
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
            if !whole && !kept.contains(&file) {
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
            for kind in [MP4, AGE, JSON] {
                self.remove(id, kind);
            }
            return Err(error);
        }
        let bytes = self.bytes_of(id);
        self.records.insert(id, (record, bytes));
        Ok(())
    }

    /// What is on hold, as it was when the box was last on. To be told before the first [`Self::tidy`].
    pub fn resume(&mut self, holds: Holds) {
        self.holds = holds;
    }

    /// Holds an alarm's clips, those that are still made of it, too, or lets them go. Says whether there is one now.
    ///
    /// # Errors
    /// When a later order about the alarm was taken.
    pub fn hold(
        &mut self,
        sequence: u64,
        command: CommandId,
        order: &HoldEvidence,
    ) -> Result<bool, Superseded> {
        self.holds.take(sequence, command, order)?;
        Ok(self.records.values().any(|(record, _)| record.alarms().any(|alarm| alarm == order.alarm)))
    }

    /// Removes what is too old or too much, `coming` bytes that are about to be written included. Gives whose clips
    /// went, and whether some went before their time.
    pub fn tidy(&mut self, now: Timestamp, coming: u64) -> (Vec<Record>, Option<CutShort>) {
        let kept: Vec<Kept> =
            self.records.values().map(|(record, bytes)| self.kept(record, *bytes, now)).collect();
        let budget = self.budget();
        let going = going(&kept, now, self.room.keep, budget.saturating_sub(coming));
        let old = going.old.into_iter().map(|id| (id, DeletionCause::Age));
        let early = going.early.into_iter().map(|id| (id, DeletionCause::Room));
        let mut gone = Vec::new();
        for (id, cause) in old.chain(early) {
            gone.extend(self.let_go(id, cause, now));
        }
        (gone, going.cut_short.map(|age| CutShort { age, budget, held: going.held }))
    }

    /// What there is too little room for at all.
    pub fn no_room(&self, now: Timestamp) -> CutShort {
        let held = self.records.values().filter(|(record, _)| self.is_held(record, now));
        let held = held.map(|(_, bytes)| bytes).sum();
        CutShort { age: Duration::ZERO, budget: self.budget(), held }
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

    fn kept(&self, record: &Record, bytes: u64, now: Timestamp) -> Kept {
        let held = self.is_held(record, now);
        Kept { id: record.clip, severity: record.severity(), time: record.time, bytes, held }
    }

    fn is_held(&self, record: &Record, now: Timestamp) -> bool {
        record.alarms().any(|alarm| self.holds.hold(alarm, now))
    }

    fn used(&self) -> u64 {
        self.records.values().map(|(_, bytes)| bytes).sum()
    }

    /// Deletes a clip and notes that it did. Its record goes last: where the power fails before, or the note cannot be written, the next
    /// attempt finds it and ends what was begun.
    fn let_go(&mut self, id: EventId, cause: DeletionCause, now: Timestamp) -> Option<Record> {
        let (record, bytes) = self.records.get(&id)?;
        let deletion = Deletion {
            time: now,
            cause,
            clip: id,
            began: record.time,
            events: record.alarms.iter().map(|alarm| alarm.event).collect(),
            bytes: *bytes,
            with_original: self.original(id).is_some(),
        };
        self.remove(id, MP4);
        self.remove(id, AGE);
        if let Err(error) = self.deletions.add(&deletion) {
            tracing::warn!(clip = %id, "that a clip is deleted cannot be noted, and is tried again: {error}");
            return None;
        }
        self.remove(id, JSON);
        self.records.remove(&id).map(|(record, _)| record)
    }

    fn remove(&self, id: EventId, kind: &str) {
        let file = self.file(id, kind);
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("{}: cannot be removed: {error}", file.display());
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
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let archive = Archive::open(folder.path(), ROOM).unwrap();
        let noted: Vec<_> = noted(&archive).into_iter().map(|one| (one.clip, one.with_original)).collect();
        assert_eq!(noted, [(id(1), true), (id(2), false)], "that is on record, after a restart too");
    }

    fn noted(archive: &Archive) -> Vec<Deletion> {
        archive.deletions.read().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn what_cannot_be_noted_is_gone_and_is_noted_later() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let mut archive = Archive::open(folder.path(), ROOM).unwrap();
        archive.add(record(1, now), b"clip", None).unwrap();
        let later = now + Duration::from_secs(3700);
        let [_, file] = archive.deletions.files();
        fs::create_dir(&file).unwrap();
        assert_eq!(archive.tidy(later, 0), (Vec::new(), None));
        assert!(!archive.clip(id(1)).exists(), "what shows people does not wait for the note");
        fs::remove_dir(&file).unwrap();
        assert_eq!(archive.tidy(later, 0).0.len(), 1);
        let [one] = &noted(&archive)[..] else { panic!("one line") };
        assert_eq!(
            (one.clip, one.cause, one.time, &one.events[..]),
            (id(1), DeletionCause::Age, later, &[id(1)][..])
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_held_outlives_its_days_and_goes_once_it_is_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let begun_at = Timestamp::now();
        let after = |seconds| begun_at + Duration::from_secs(seconds);
        let order = |alarm: u128, until| {
            let alarm = AlarmId::from_ulid(Ulid(alarm));
            HoldEvidence { alarm, until, extra: Default::default() }
        };
        let command = |number: u128| CommandId::from_ulid(Ulid(number));
        let mut archive = Archive::open(folder.path(), ROOM).unwrap();
        archive.add(record(1, begun_at), b"clip", Some(b"sealed")).unwrap();
        archive.add(record(2, begun_at), b"clip", None).unwrap();
        assert_eq!(archive.hold(7, command(7), &order(101, after(90_000))), Ok(true));
        assert_eq!(
            archive.hold(8, command(8), &order(103, after(90_000))),
            Ok(false),
            "there is nothing of this alarm yet"
        );
        let names = |gone: Vec<Record>| gone.iter().map(|record| record.clip).collect::<Vec<_>>();
        assert_eq!(names(archive.tidy(after(7000), 0).0), [id(2)]);
        assert!(archive.original(id(1)).is_some());
        archive.add(record(3, begun_at), b"clip", None).unwrap();
        assert_eq!(names(archive.tidy(after(7000), 0).0), [], "what is made later is held, too");
        assert_eq!(archive.hold(6, command(6), &order(101, begun_at)), Err(Superseded));
        assert_eq!(archive.hold(9, command(9), &order(101, begun_at)), Ok(true));
        assert_eq!(names(archive.tidy(after(7000), 0).0), [id(1)]);
        assert_eq!(archive.original(id(1)), None);
        assert_eq!(names(archive.tidy(after(90_000), 0).0), [id(3)], "and without a word at its end");
    }

    #[test]
    fn what_is_held_takes_room_from_the_others_and_it_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let mut archive = Archive::open(folder.path(), Room { disk_share: 0.0, ..ROOM }).unwrap();
        archive.add(record(1, now), &[0; 2000], None).unwrap();
        archive.add(record(2, now), b"clip", None).unwrap();
        let until = now + Duration::from_secs(60);
        let order = HoldEvidence { alarm: AlarmId::from_ulid(Ulid(101)), until, extra: Default::default() };
        archive.hold(1, CommandId::from_ulid(Ulid(1)), &order).unwrap();
        let (gone, short) = archive.tidy(now, 0);
        assert_eq!((gone.len(), gone[0].clip), (1, id(2)));
        assert_eq!(noted(&archive)[0].cause, DeletionCause::Room);
        let held = archive.bytes_of(id(1));
        assert!(held > 2000 && !archive.has_room(1));
        assert_eq!(short, Some(CutShort { age: Duration::ZERO, budget: 0, held }));
        assert_eq!(archive.no_room(now).held, held);
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
