//! How much waits, by severity. Pure.

use gatepost_wire::Severity;
use serde::{Deserialize, Serialize};

use super::entry::{Entry, Item, Lane};

const LEVELS: usize = 4;

/// Entries and events that wait, by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Events and pictures.
    entries: [u64; LEVELS],
    /// Events alone.
    events: [u64; LEVELS],
}

impl Tally {
    pub fn add(&mut self, entry: &Entry) {
        let level = index(entry.severity);
        self.entries[level] += 1;
        self.events[level] += u64::from(matches!(entry.item, Item::Event { .. }));
    }

    pub fn subtract(&mut self, entry: &Entry) {
        let level = index(entry.severity);
        self.entries[level] = self.entries[level].saturating_sub(1);
        let events = u64::from(matches!(entry.item, Item::Event { .. }));
        self.events[level] = self.events[level].saturating_sub(events);
    }

    pub fn entries(&self) -> u64 {
        self.entries.iter().sum()
    }

    /// Entries of a lane.
    pub fn of_lane(&self, lane: Lane) -> u64 {
        let urgent = self.entries[index(Severity::CRITICAL)];
        match lane {
            Lane::Urgent => urgent,
            Lane::Routine => self.entries() - urgent,
        }
    }

    pub fn pictures(&self) -> u64 {
        self.entries() - self.events.iter().sum::<u64>()
    }

    /// Entries of a severity.
    pub fn of_severity(&self, severity: Severity) -> u64 {
        self.entries[index(severity)]
    }
}

fn index(severity: Severity) -> usize {
    // A severity is 1 to 4.
    usize::from(severity.level()) - 1
}
