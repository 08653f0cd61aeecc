//! The contract between edge and hub: what an event is, what a box says of its own health, what a hub may order, where on
//! MQTT each is published, and the JSON Schema and AsyncAPI documents that say so to others.
//!
//! The rooms, in the order a message is made: [`id`], [`event`], [`arming`], [`evidence`], [`health`],
//! [`command`], [`topic`], [`envelope`], [`batch`],
//! [`schema`]; [`enrolment`], by which a box becomes known; and [`broker`], the address both sides write. Nothing here does I/O, reads a clock or spawns a task.
//!
//! The contract describes places and happenings. It has no field for who someone is, and none may be
//! added: no name, face, plate text, appearance vector, or identifier that outlives a track.
//! The one person it names is [`command::Who`]: who gives an order answers for it.

pub mod arming;
pub mod batch;
pub mod broker;
pub mod command;
pub mod enrolment;
pub mod envelope;
pub mod event;
pub mod evidence;
mod finite;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod health;
pub mod id;
pub mod schema;
mod tagged;
pub mod topic;
mod word;

pub use broker::BrokerUrl;
pub use command::{Command, Reply};
pub use envelope::{EnvelopeError, MAX_ENVELOPE_BYTES};
pub use event::{Event, Happening, Severity};
pub use evidence::{Evidence, MAX_EVIDENCE_BYTES, MediaType};
pub use health::{Health, Presence};
pub use id::{AlarmId, AreaId, BootId, CameraId, CommandId, EdgeId, EventId, RuleId, SensorId, Seq, ZoneId};
pub use topic::Topic;

/// UTC instant, RFC 3339 on the wire. Read from a clock that a time service disciplines; never the only
/// thing events are ordered by (see [`Seq`]).
pub type Timestamp = jiff::Timestamp;
