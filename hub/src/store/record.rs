//! What intake hands over to be stored, and what became of it.

use bytes::Bytes;
use gatepost_wire::health::PresenceState;
use gatepost_wire::{BootId, EdgeId, Event, EventId, Health, Timestamp};

/// A message as it came, with the moment it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// MQTT topic; it may be anything.
    pub topic: String,
    /// Payload; it may be anything.
    pub payload: Bytes,
    /// When the hub received it.
    pub received: Timestamp,
    /// The broker kept it from earlier: its sender need not be there now.
    pub retained: bool,
}

/// A message and what intake made of it.
#[derive(Debug)]
pub struct Record {
    /// As it came.
    pub delivery: Delivery,
    /// What it is.
    pub content: Content,
}

/// What a message is.
#[derive(Debug)]
pub enum Content {
    /// One event; `text` is the payload, whole.
    Event {
        /// As this version reads it.
        event: Box<Event>,
        /// As it came.
        text: String,
    },
    /// A picture that is already on disk.
    Picture {
        /// Who sent it.
        edge: EdgeId,
        /// The event it says it belongs to.
        event: EventId,
        /// Of its bytes, lower-case hex.
        sha256: String,
    },
    /// State of a box; `text` is the payload, whole.
    Health {
        /// As this version reads it.
        health: Box<Health>,
        /// As it came.
        text: String,
    },
    /// A box came or went.
    Presence(Presence),
    /// Of no use.
    Refused {
        /// The box that sent it, where the topic says so.
        edge: Option<EdgeId>,
        /// Why.
        reason: String,
    },
}

/// A box came or went.
#[derive(Debug, Clone)]
pub struct Presence {
    /// The box.
    pub edge: EdgeId,
    /// The start of the daemon that speaks, or for which the broker speaks.
    pub boot: BootId,
    /// Is it connected?
    pub state: PresenceState,
}

/// What became of a record whose transaction is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is stored.
    Stored,
    /// It was already stored; nothing changed.
    Duplicate,
    /// It is of no use, which is noted.
    Refused(String),
}
