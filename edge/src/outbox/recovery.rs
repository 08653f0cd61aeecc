//! Coming back after a power cut, a kill or damage: what can be read is delivered, the rest is kept aside.
//!
//! sled cuts its log at the first record it cannot read, and leaves out a page it cannot read, without a word. So the
//! entries are counted against their numbers, and if any is absent the log is read once more for frames
//! ([`super::frame`]).
//!
//! The other way round, what stands in the log need not have been promised: a group may have been cut short by a full disk or
//! a kill. A part of one is not taken for news, or the hub would look for the rest of it, which never was.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use gatepost_wire::Event;

use super::blobs::Blobs;
use super::damage::{Damage, free_name};
use super::entry::{Entry, Item};
use super::frame::{self, Found, Group};
use super::segment::{Change, Fault, LOG_FILE, Segment, sync_folder};
use super::state::State;
use super::store::{DRAINED, REBUILT};

/// Entries written at once while a segment is filled.
const CHUNK: usize = 512;

/// First numbers of the segments in a folder, in order.
pub(super) fn segments(folder: &Path) -> Result<Vec<u64>, Fault> {
    let mut firsts: Vec<u64> = names(folder)?.iter().filter_map(|name| first_number(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Brings to its end what was being deleted or replaced when the power went.
pub(super) fn finish_interrupted(folder: &Path) -> Result<(), Fault> {
    for name in names(folder)? {
        let path = folder.join(&name);
        let Some((segment, kind)) = name.split_once('.') else { continue };
        if first_number(segment).is_none() {
            continue;
        }
        match kind {
            // Complete, or the segment would still be there.
            REBUILT if !folder.join(segment).exists() => std::fs::rename(&path, folder.join(segment))?,
            REBUILT | DRAINED => std::fs::remove_dir_all(&path)?,
            _ => {}
        }
    }
    Ok(sync_folder(folder)?)
}

/// The last number that was promised of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Promised {
    /// Known to the process that gives the numbers, or because the next segment begins behind it.
    Exactly(u64),
    /// Told by a mark that may be older than the promise.
    AtLeast(u64),
}

impl Promised {
    pub fn number(self) -> u64 {
        let (Self::Exactly(number) | Self::AtLeast(number)) = self;
        number
    }
}

/// Opens a segment and puts back what sled left out of it, which must know at least what was promised.
pub(super) fn open(
    folder: &Path,
    first: u64,
    promised: Promised,
) -> Result<(Segment, Option<Damage>), Fault> {
    let log = read_log(folder)?;
    let opened = Segment::open(folder).and_then(|segment| {
        // Whatever cannot be read now would not be readable later.
        segment.state()?;
        let loss = Loss::of(&segment, &log, first, promised)?;
        Ok((segment, loss))
    });
    match opened {
        Ok((segment, None)) => Ok((segment, None)),
        Ok((segment, Some(loss))) if loss.is_torn_tail => {
            let read_back = loss.read_back.len();
            // It may be cut short once more.
            let group = loss.group_read_back();
            let again = move |number| group.unwrap_or(Group::alone(number));
            let entries = loss.read_back.into_values();
            put_back(&segment, segment.state()?, entries, again, (first, loss.end))?;
            if read_back > 0 {
                tracing::info!(entries = read_back, "a write to the outbox was cut short, and is read back");
            }
            Ok((segment, None))
        }
        // What sled left out once it leaves out again, so nothing is put back into that database.
        Ok((segment, Some(loss))) => {
            let reason = format!("its log breaks off; {} entries cannot be read any more", loss.missing);
            let (read_back, mut entries) = (loss.read_back.len() as u64, loss.read_back);
            segment.for_each(|entry| drop(entries.insert(entry.position.number, entry.clone())))?;
            let state = segment.state()?;
            drop(segment);
            let damage = replace(folder, state, entries, (first, loss.end), Damage::new(read_back, &reason))?;
            Ok((Segment::open(folder)?, Some(damage)))
        }
        Err(Fault::Damaged(reason)) => {
            let damage = rebuild_from(folder, &log, first, promised, &reason)?;
            Ok((Segment::open(folder)?, Some(damage)))
        }
        Err(refused) => Err(refused),
    }
}

/// What sled left out without a word.
struct Loss {
    /// What is in the log all the same. Some of it may have been delivered long ago: the hub drops doubles.
    read_back: BTreeMap<u64, Entry>,
    /// Entries that are nowhere.
    missing: u64,
    /// The last number there ever was, and none that is given again is at or below it.
    end: u64,
    /// A group of which nobody was told: the process was killed while it was written.
    is_torn_tail: bool,
}

impl Loss {
    fn of(segment: &Segment, log: &[u8], first: u64, promised: Promised) -> Result<Option<Self>, Fault> {
        let last = segment.last_number()?.unwrap_or(first - 1);
        let mut present = HashSet::new();
        segment.for_each(|entry| {
            present.insert(entry.position.number);
        })?;
        let absent = segment.expected_entries(first)?.saturating_sub(present.len() as u64);
        // Where all numbers up to the last one are accounted for, what is not there was delivered.
        let from = if absent > 0 { first } else { last + 1 };
        let Salvage { entries: mut read_back, broken_off } = Salvage::of(log, from, promised);
        read_back.retain(|number, _| !present.contains(number));
        let end = read_back.keys().next_back().copied().unwrap_or(last).max(last).max(promised.number());
        let void = broken_off.map_or(end, |group| group.last.max(end));
        if read_back.is_empty() && absent == 0 && void == last {
            return Ok(None);
        }
        let found = read_back.len() as u64;
        let is_torn_tail = absent == 0
            && promised.number() <= last
            && end - last == found
            && read_back.len() <= super::GROUP * 2;
        let missing = (absent + end - last).saturating_sub(found);
        if !is_torn_tail {
            let present = present.len();
            tracing::warn!(first, last, ?promised, present, absent, found, end, "the outbox does not add up");
        }
        Ok(Some(Self { read_back, missing, end: void, is_torn_tail }))
    }

    fn group_read_back(&self) -> Option<Group> {
        let ((first, _), (last, _)) =
            self.read_back.first_key_value().zip(self.read_back.last_key_value())?;
        Some(Group { first: *first, last: *last })
    }
}

/// Puts what can be read of a damaged segment in its place.
pub(super) fn rebuild(folder: &Path, first: u64, promised: Promised, reason: &str) -> Result<Damage, Fault> {
    rebuild_from(folder, &read_log(folder)?, first, promised, reason)
}

fn rebuild_from(
    folder: &Path,
    log: &[u8],
    first: u64,
    promised: Promised,
    reason: &str,
) -> Result<Damage, Fault> {
    let Salvage { entries, broken_off } = Salvage::of(log, first, promised);
    let read_back = entries.len() as u64;
    let end = entries.keys().next_back().copied().unwrap_or(first - 1).max(promised.number());
    let end = broken_off.map_or(end, |group| group.last.max(end));
    replace(folder, State::default(), entries, (first, end), Damage::new(read_back, reason))
}

/// Puts a fresh segment with these entries in a damaged one's place, which is set aside together with what is said of it:
/// however early the box dies after that, the next start knows.
fn replace(
    folder: &Path,
    state: State,
    entries: BTreeMap<u64, Entry>,
    (first, last): (u64, u64),
    damage: Damage,
) -> Result<Damage, Fault> {
    write_rebuilt(folder, state, entries.into_values(), first, last)?;
    let outbox = folder.parent().unwrap_or(folder);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let aside = free_name(outbox, &name);
    damage.write_into(folder)?;
    std::fs::rename(folder, &aside)?;
    std::fs::rename(folder.with_extension(REBUILT), folder)?;
    sync_folder(outbox)?;
    outbox.parent().map_or(Ok(()), sync_folder)?;
    Ok(Damage { aside: Some(aside), ..damage })
}

/// Writes these entries into a fresh segment beside `folder`, ready to take its place.
pub(super) fn write_rebuilt(
    folder: &Path,
    state: State,
    entries: impl IntoIterator<Item = Entry>,
    first: u64,
    last: u64,
) -> Result<(), Fault> {
    let rebuilt = folder.with_extension(REBUILT);
    match std::fs::remove_dir_all(&rebuilt) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // It takes the segment's place once all of it is there.
    put_back(&Segment::open(&rebuilt)?, state, entries, Group::alone, (first, last))
}

/// Adds entries to what is known of boots and alarms, with what they say of them.
fn put_back(
    segment: &Segment,
    mut state: State,
    entries: impl IntoIterator<Item = Entry>,
    group: impl Fn(u64) -> Group,
    (first, last): (u64, u64),
) -> Result<(), Fault> {
    let mut entries = entries.into_iter().peekable();
    let mut waiting = segment.tally()?.entries();
    loop {
        let mut change = Change::default();
        for entry in entries.by_ref().take(CHUNK) {
            note(&mut state, &entry);
            change.put(&entry, group(entry.position.number));
            waiting += 1;
        }
        if entries.peek().is_some() {
            segment.commit(change)?;
            continue;
        }
        // In one go with the last of them: an entry behind the last number would be overwritten, and a number that is
        // neither there nor gone is missed.
        change.set_last_number(last);
        state.write_whole(&mut change).map_err(|e| Fault::Refused(e.to_string()))?;
        return segment.commit_with_gone(change, (last + 1).saturating_sub(first).saturating_sub(waiting));
    }
}

pub(super) fn note(state: &mut State, entry: &Entry) {
    if let Item::Event { json, .. } = &entry.item
        && let Ok(event) = Event::from_json(json)
    {
        state.note(&event);
    }
}

/// The entries that stand in a log's bytes and may have been promised, each number once.
struct Salvage {
    entries: BTreeMap<u64, Entry>,
    /// A group that is not all there, behind everything that is known to have been promised. Its entries are left out; its
    /// numbers must not be given again, for what is left of it lies in the log with these numbers.
    broken_off: Option<Group>,
}

impl Salvage {
    /// From number `from` on.
    fn of(log: &[u8], from: u64, promised: Promised) -> Self {
        let mut found: BTreeMap<u64, Found> = frame::scan(log)
            .filter(|found| found.entry.position.number >= from)
            .map(|found| (found.entry.position.number, found))
            .collect();
        let broken_off = match promised {
            // Whoever was refused tries again with the same numbers, here or in the next segment.
            Promised::Exactly(last) => {
                found.retain(|number, _| *number <= last);
                None
            }
            Promised::AtLeast(last) => broken_off(&found, from, last),
        };
        if let Some(Group { first, last }) = broken_off {
            found.retain(|number, _| *number < first);
            tracing::info!(
                first,
                last,
                "a write to the outbox was cut short; nobody was told of it, and it is left out"
            );
        }
        let entries = found.into_iter().map(|(number, found)| (number, found.entry)).collect();
        Self { entries, broken_off }
    }
}

/// Groups are written one after the other, so only the last one can have been cut short, and only if it was never promised.
fn broken_off(found: &BTreeMap<u64, Found>, from: u64, promised: u64) -> Option<Group> {
    let group = found.values().next_back()?.group;
    let is_whole = (group.first.max(from)..=group.last).all(|number| found.contains_key(&number));
    (group.last > promised && !is_whole).then_some(group)
}

/// The log and the pages that were too large for it, before sled opens them and cleans up.
fn read_log(folder: &Path) -> Result<Vec<u8>, Fault> {
    let mut log = match std::fs::read(folder.join(LOG_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    log.extend(Blobs::of(folder).read()?);
    Ok(log)
}

fn first_number(name: &str) -> Option<u64> {
    (name.len() == 20).then(|| name.parse().ok()).flatten().filter(|first| *first > 0)
}

fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let names = std::fs::read_dir(folder)?.map(|file| Ok(file?.file_name().to_string_lossy().into_owned()));
    Ok(names.collect::<io::Result<_>>()?)
}
