//! What intake hands over to be stored, and what became of it.

use bytes::Bytes;
use gatepost_wire::health::PresenceState;
use gatepost_wire::{BootId, Command, EdgeId, Event, EventId, Health, Reply, Timestamp};

use crate::access::PersonName;
use crate::evidence::Format;
use crate::retention::Cause;

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

/// What is to be stored.
#[derive(Debug)]
pub enum Record {
    /// A message and what intake made of it.
    Message {
        /// As it came.
        delivery: Delivery,
        /// What it is.
        content: Content,
    },
    /// A command that a person gave at this hub.
    Command {
        /// The command.
        command: Box<Command>,
        /// By what they sign in.
        person: PersonName,
        /// As it will be sent.
        text: String,
    },
    /// Evidence whose time is over: the file goes, and that it went is noted.
    Deletion(Deletion),
}

/// Evidence whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The event it belongs to.
    pub event: EventId,
    /// Of its bytes, lower-case hex.
    pub sha256: String,
    /// Why its time is over.
    pub cause: Cause,
    /// When it was found to be over.
    pub time: Timestamp,
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
    /// A picture, clip or original that is already on disk.
    Evidence {
        /// Who sent it.
        edge: EdgeId,
        /// The event it says it belongs to.
        event: EventId,
        /// Of its bytes, lower-case hex.
        sha256: String,
        /// What its bytes are.
        format: Format,
    },
    /// A box's answer to a command; `text` is the payload, whole.
    Reply {
        /// Who sent it.
        edge: EdgeId,
        /// As this version reads it.
        reply: Box<Reply>,
        /// As it came.
        text: String,
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
