//! One thing that waits: its place and what it is.

use gatepost_wire::{EventId, Severity};

/// Which queue an entry waits in. What is gravest does not wait behind what is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Severity 1 and its pictures.
    Urgent,
    /// Everything else.
    Routine,
}

impl Lane {
    /// In the order they are served.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Routine];

    /// The lane of an event of this severity.
    pub fn of(severity: Severity) -> Self {
        if severity == Severity::CRITICAL { Self::Urgent } else { Self::Routine }
    }

    pub(super) const fn prefix(self) -> u8 {
        match self {
            Self::Urgent => b'u',
            Self::Routine => b'q',
        }
    }
}

/// Place in the order of recording; its number only grows as long as the store lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub(super) number: u64,
    pub(super) lane: Lane,
}

impl Position {
    pub(crate) const fn new(number: u64, lane: Lane) -> Self {
        Self { number, lane }
    }

    /// The lane it waits in.
    pub const fn lane(self) -> Lane {
        self.lane
    }

    pub(super) fn key(self) -> [u8; 9] {
        let mut key = [self.lane.prefix(); 9];
        key[1..].copy_from_slice(&self.number.to_be_bytes());
        key
    }
}

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event, as it goes over the wire.
    Event {
        /// Its id.
        id: EventId,
        /// The CloudEvent.
        json: Vec<u8>,
    },
    /// The picture of an event; its bytes are with the evidence.
    Picture {
        /// Whose picture.
        event: EventId,
    },
}

/// An item, its place and how grave it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place.
    pub position: Position,
    /// How grave the event is.
    pub severity: Severity,
    /// The item.
    pub item: Item,
}
