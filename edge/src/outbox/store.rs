//! The chain of segments: written at its end, read from its beginning, and given back to the disk segment by segment.
//!
//! One folder for each segment, named by the first number in it:
//!
//! | folder | what |
//! | --- | --- |
//! | `00000000000000000001` … | segments; the last one is written to |
//! | `….drained` | a segment nobody needs, about to be deleted |
//! | `….rebuilt` | what is to take a segment's place, complete once the segment itself is gone |
//! | `high_water` | the highest number promised ([`super::high_water`]) |
//! | `refused` | entries the hub will never take, one file each, for whoever looks into it |
//!
//! At most [`OPEN_SEGMENTS`] are open besides the last, so memory does not grow with what waits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::damage::Damage;
use super::entry::{Entry, Lane, Position};
use super::frame::Group;
use super::high_water::HighWaterMark;
use super::recovery::{self, Promised};
use super::segment::{self, Change, Fault, Segment, sync_folder};
use super::state::State;
use super::tally::Tally;

/// A segment is sealed when its log is this large. Small enough to be read back in one go, large enough that a backlog of
/// a million events is not thousands of folders.
pub(super) const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// One where routine entries are read, one where urgent ones are.
const OPEN_SEGMENTS: usize = 2;
const TALLY_FILE: &str = "tally.json";
pub(super) const DRAINED: &str = "drained";
pub(super) const REBUILT: &str = "rebuilt";
pub(super) const REFUSED: &str = "refused";

/// A segment as the chain knows it.
struct Slot {
    folder: PathBuf,
    /// What waits in it. While it is closed this may be too much, never too little.
    tally: Tally,
    disk_bytes: u64,
    open: Option<Arc<Segment>>,
    /// When it was last used, for choosing which to close.
    used: u64,
}

/// The chain.
pub(super) struct Chain {
    folder: PathBuf,
    segment_bytes: u64,
    slots: BTreeMap<u64, Slot>,
    state: State,
    /// The last number promised. What has a higher one is on its way to the disk, or did not get there.
    last_number: u64,
    /// `last_number` is exact, and no longer what the process before left in its mark.
    has_taken_stock: bool,
    mark: HighWaterMark,
    uses: u64,
    /// A failed commit may be there or not: count anew after the next one.
    uncertain: bool,
    pub damages: Vec<Damage>,
}

/// A change on its way to the disk.
pub(super) struct Pending {
    pub segment: Arc<Segment>,
    first: u64,
    entries: Vec<Entry>,
    state: State,
}

impl Chain {
    /// Segments are sealed at `segment_bytes`.
    pub fn open(folder: &Path, segment_bytes: u64) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder)?;
        folder.parent().map_or(Ok(()), sync_folder)?;
        recovery::finish_interrupted(folder)?;
        let (mark, last_number) = HighWaterMark::open(folder);
        let mut chain = Self {
            folder: folder.to_owned(),
            segment_bytes,
            slots: BTreeMap::new(),
            state: State::default(),
            last_number,
            has_taken_stock: false,
            mark,
            uses: 0,
            uncertain: false,
            damages: Damage::untold(folder)?,
        };
        for first in recovery::segments(folder)? {
            let folder = chain.path(first);
            let disk_bytes = segment::disk_bytes(&folder);
            let slot = Slot { folder, tally: Tally::default(), disk_bytes, open: None, used: 0 };
            chain.slots.insert(first, slot);
        }
        chain.take_stock()?;
        chain.has_taken_stock = true;
        Ok(chain)
    }

    /// Counts what waits, and finds the end of the chain and its state.
    fn take_stock(&mut self) -> Result<(), Fault> {
        let firsts: Vec<u64> = self.slots.keys().copied().collect();
        let Some((newest, sealed)) = firsts.split_last() else {
            if self.last_number > 0 {
                let reason =
                    format!("its segments are gone; the last number in them was {}", self.last_number);
                self.damages.push(Damage::without_remains(&self.folder, &reason));
            }
            return self.begin();
        };
        for first in sealed {
            let tally = self.slots.get(first).and_then(|slot| read_tally(&slot.folder));
            match (tally, self.slots.get_mut(first)) {
                (Some(tally), Some(slot)) => slot.tally = tally,
                _ => drop(self.segment(*first)?),
            }
        }
        let segment = self.segment(*newest)?;
        self.last_number = segment.last_number()?.unwrap_or(newest - 1);
        self.state = segment.state()?;
        drop(segment);
        if let Some(before) = sealed.last().filter(|_| self.state.is_empty()) {
            // The newest was made and not begun when the power went, or lost its beginning.
            self.state = self.with_segment(*before, Segment::state)?;
            self.write_state(*newest)?;
        }
        Ok(())
    }

    /// Begins a new segment, which knows from the start what the one before knew.
    fn begin(&mut self) -> Result<(), Fault> {
        let first = self.last_number + 1;
        let folder = self.path(first);
        let segment = Arc::new(Segment::open(&folder)?);
        let disk_bytes = segment.disk_bytes();
        let slot = Slot { folder, tally: Tally::default(), disk_bytes, open: Some(segment), used: self.uses };
        self.slots.insert(first, slot);
        self.close_unused();
        // Without its beginning it is no segment; it is begun again with the next event.
        self.write_state(first).inspect_err(|_| drop(self.slots.remove(&first)))
    }

    fn write_state(&mut self, first: u64) -> Result<(), Fault> {
        let mut change = Change::default();
        change.set_last_number(self.last_number);
        self.state.write_whole(&mut change).map_err(|e| Fault::Refused(e.to_string()))?;
        self.segment(first)?.commit(change)
    }

    /// Prepares a change that adds entries, in the order given. Nothing is settled before [`Chain::settle`].
    pub fn prepare(
        &mut self,
        items: Vec<(gatepost_wire::Severity, super::Item)>,
        events: &[gatepost_wire::Event],
    ) -> Result<(Pending, Change), Fault> {
        // A group that was refused may be there all the same, so it is tried again in the same segment: in the next one it
        // would be there twice.
        let is_full = |slot: &Slot| slot.disk_bytes >= self.segment_bytes && !self.uncertain;
        if self.newest_slot().is_none_or(is_full) {
            self.seal()?;
            self.begin()?;
        }
        let mut state = self.state.clone();
        events.iter().for_each(|event| state.note(event));
        let mut change = Change::default();
        let mut number = self.last_number;
        let group = Group { first: number + 1, last: number + items.len() as u64 };
        let mut entries = Vec::with_capacity(items.len());
        for (severity, item) in items {
            number += 1;
            let entry = Entry { position: Position::new(number, Lane::of(severity)), severity, item };
            change.put(&entry, group);
            entries.push(entry);
        }
        change.set_last_number(number);
        state.write_changes(events, &mut change).map_err(|e| Fault::Refused(e.to_string()))?;
        let first = self.newest();
        let segment = self.segment(first)?;
        Ok((Pending { segment, first, entries, state }, change))
    }

    /// Takes in what became of a change. False when it went into a segment that has been replaced meanwhile.
    pub fn settle(&mut self, pending: Pending, committed: bool) -> bool {
        let Pending { segment, first, entries, state } = pending;
        let Some(slot) = self.slots.get_mut(&first) else { return false };
        let is_current = slot.open.as_ref().is_some_and(|open| Arc::ptr_eq(open, &segment));
        if !committed || !is_current {
            // After a failed write sled refuses everything until it is opened again.
            if is_current {
                slot.open = None;
            }
            self.uncertain = true;
            return false;
        }
        slot.disk_bytes = segment.disk_bytes();
        let recount = if std::mem::take(&mut self.uncertain) { segment.tally().ok() } else { None };
        match recount {
            Some(tally) => slot.tally = tally,
            None => entries.iter().for_each(|entry| slot.tally.add(entry)),
        }
        self.last_number = entries.last().map_or(self.last_number, |entry| entry.position.number);
        self.mark.raise(self.last_number);
        self.state = state;
        true
    }

    /// Entries of a lane after `after`, in order, at most `limit`.
    pub fn pending(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault> {
        let from = after.map_or(0, |after| after.number + 1);
        let firsts: Vec<u64> = self.slots.range(self.slot_of(from)..).map(|(first, _)| *first).collect();
        let mut found = Vec::new();
        for first in firsts {
            if found.len() >= limit {
                break;
            }
            if self.slots.get(&first).is_some_and(|slot| slot.tally.of_lane(lane) > 0) {
                let room = limit - found.len();
                found.extend(self.with_segment(first, |segment| segment.entries(lane, from, room))?);
                self.retire_if_drained(first)?;
            }
        }
        // Who is killed before it is settled has not recorded it, and the hub would know of a number that never was.
        found.retain(|entry| entry.position.number <= self.last_number);
        Ok(found)
    }

    pub fn get(&mut self, position: Position) -> Result<Option<Entry>, Fault> {
        let first = self.slot_of(position.number);
        if !self.slots.contains_key(&first) {
            return Ok(None);
        }
        self.with_segment(first, |segment| segment.get(position))
    }

    pub fn remove(&mut self, position: Position) -> Result<Option<Entry>, Fault> {
        let first = self.slot_of(position.number);
        if !self.slots.contains_key(&first) {
            return Ok(None);
        }
        let removed = self.with_segment(first, |segment| segment.remove(position))?;
        if let (Some(entry), Some(slot)) = (&removed, self.slots.get_mut(&first)) {
            slot.tally.subtract(entry);
        }
        self.retire_if_drained(first)?;
        Ok(removed)
    }

    /// Calls `each` with every entry; segments without pictures are left out.
    pub fn for_each_with_pictures(&mut self, mut each: impl FnMut(&Entry)) -> Result<(), Fault> {
        let firsts: Vec<u64> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.tally.pictures() > 0)
            .map(|(first, _)| *first)
            .collect();
        for first in firsts {
            let segment = self.segment(first)?;
            segment.for_each(&mut each)?;
            drop(segment);
            self.retire_if_drained(first)?;
        }
        Ok(())
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn queued(&self) -> u64 {
        self.slots.values().map(|slot| slot.tally.entries()).sum()
    }

    pub fn disk_bytes(&self) -> u64 {
        self.slots.values().map(|slot| slot.disk_bytes).sum()
    }

    /// The oldest sealed segment that holds something of this severity.
    pub fn oldest_with(&self, severity: gatepost_wire::Severity) -> Option<u64> {
        let newest = self.newest();
        let holds = |(first, slot): &(&u64, &Slot)| **first != newest && slot.tally.of_severity(severity) > 0;
        self.slots.iter().find(holds).map(|(first, _)| *first)
    }

    /// Rewrites a sealed segment with only those entries `keep` wants.
    pub fn thin_out(&mut self, first: u64, keep: impl Fn(&Entry) -> bool) -> Result<(), Fault> {
        let segment = self.segment(first)?;
        let mut kept = Vec::new();
        segment.for_each(|entry| {
            if keep(entry) {
                kept.push(entry.clone());
            }
        })?;
        drop(segment);
        let Some(slot) = self.slots.get_mut(&first) else { return Ok(()) };
        slot.open = None;
        if kept.is_empty() {
            slot.tally = Tally::default();
            return self.retire_if_drained(first);
        }
        let last = self.promised_of(first).number();
        let folder = self.path(first);
        recovery::write_rebuilt(&folder, State::default(), kept, first, last)?;
        std::fs::rename(&folder, folder.with_extension(DRAINED))?;
        std::fs::rename(folder.with_extension(REBUILT), &folder)?;
        sync_folder(&self.folder)?;
        std::fs::remove_dir_all(folder.with_extension(DRAINED))?;
        let tally = self.segment(first)?.tally()?;
        write_tally(&folder, &tally)
    }

    /// Does something with a segment; one that turns out to be damaged is rebuilt first.
    pub fn with_segment<T>(
        &mut self,
        first: u64,
        work: impl Fn(&Segment) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let segment = self.segment(first)?;
        match work(&segment) {
            Err(Fault::Damaged(reason)) => {
                drop(segment);
                self.rebuild(first, &reason)?;
                work(&*self.segment(first)?)
            }
            Err(refused) => {
                // After a failed write sled refuses everything until it is opened again.
                if let Some(slot) = self.slots.get_mut(&first) {
                    slot.open = None;
                }
                Err(refused)
            }
            done => done,
        }
    }

    /// The segment, opened and counted if it was closed.
    fn segment(&mut self, first: u64) -> Result<Arc<Segment>, Fault> {
        self.uses += 1;
        let promised = self.promised_of(first);
        let uses = self.uses;
        let Some(slot) = self.slots.get_mut(&first) else {
            return Err(Fault::Damaged(format!("segment {first} is gone")));
        };
        slot.used = uses;
        if let Some(segment) = &slot.open {
            return Ok(Arc::clone(segment));
        }
        let (segment, damage) = recovery::open(&slot.folder, first, promised)?;
        self.damages.extend(damage);
        slot.tally = segment.tally()?;
        slot.disk_bytes = segment.disk_bytes();
        let segment = Arc::new(segment);
        slot.open = Some(Arc::clone(&segment));
        self.close_unused();
        Ok(segment)
    }

    /// Replaces a damaged segment by what can be read of it.
    fn rebuild(&mut self, first: u64, reason: &str) -> Result<(), Fault> {
        let promised = self.promised_of(first);
        let Some(slot) = self.slots.get_mut(&first) else { return Ok(()) };
        slot.open = None;
        let damage = recovery::rebuild(&slot.folder, first, promised, reason)?;
        self.damages.push(damage);
        // Only the newest must know what is not in its own entries.
        if first == self.newest() { self.write_state(first) } else { Ok(()) }
    }

    /// How many databases are in memory.
    #[cfg(test)]
    pub fn open_segments(&self) -> usize {
        self.slots.values().filter(|slot| slot.open.is_some()).count()
    }

    fn close_unused(&mut self) {
        let newest = self.newest();
        let mut open: Vec<(u64, u64)> = self
            .slots
            .iter()
            .filter(|(first, slot)| slot.open.is_some() && **first != newest)
            .map(|(first, slot)| (slot.used, *first))
            .collect();
        open.sort_unstable();
        let superfluous = open.len().saturating_sub(OPEN_SEGMENTS);
        for (_, first) in &open[..superfluous] {
            if let Some(slot) = self.slots.get_mut(first) {
                slot.open = None;
            }
        }
    }

    /// Nothing more goes into the newest segment; what waits in it is written beside it.
    fn seal(&mut self) -> Result<(), Fault> {
        let newest = self.newest();
        let Some(slot) = self.slots.get(&newest) else { return Ok(()) };
        write_tally(&slot.folder, &slot.tally)
    }

    /// Gives a segment's bytes back once nothing in it waits any more.
    fn retire_if_drained(&mut self, first: u64) -> Result<(), Fault> {
        let is_newest = first == self.newest();
        if is_newest || self.slots.get(&first).is_none_or(|slot| slot.tally.entries() > 0) {
            return Ok(());
        }
        let Some(Slot { folder, open, .. }) = self.slots.remove(&first) else { return Ok(()) };
        if let Some(segment) = open {
            segment.discard();
        }
        let drained = folder.with_extension(DRAINED);
        std::fs::rename(&folder, &drained)?;
        Ok(std::fs::remove_dir_all(&drained)?)
    }

    fn newest(&self) -> u64 {
        self.slots.keys().next_back().copied().unwrap_or(0)
    }

    fn newest_slot(&self) -> Option<&Slot> {
        self.slots.values().next_back()
    }

    /// The first number of the segment that holds `number`, or of the oldest.
    fn slot_of(&self, number: u64) -> u64 {
        self.slots.range(..=number).next_back().map_or(0, |(first, _)| *first)
    }

    /// The last number a segment must know: the next one begins after it. The newest must know what was promised.
    fn promised_of(&self, first: u64) -> Promised {
        match self.slots.range(first + 1..).next() {
            Some((next, _)) => Promised::Exactly(next - 1),
            None if self.has_taken_stock => Promised::Exactly(self.last_number),
            None => Promised::AtLeast(self.last_number),
        }
    }

    fn path(&self, first: u64) -> PathBuf {
        self.folder.join(format!("{first:020}"))
    }
}

fn read_tally(folder: &Path) -> Option<Tally> {
    serde_json::from_slice(&std::fs::read(folder.join(TALLY_FILE)).ok()?).ok()
}

/// Lost or torn it is only counted again.
fn write_tally(folder: &Path, tally: &Tally) -> Result<(), Fault> {
    let json = serde_json::to_vec(tally).map_err(|e| Fault::Refused(e.to_string()))?;
    Ok(std::fs::write(folder.join(TALLY_FILE), json)?)
}
