//! Events: what happened, where, how grave, in which order. An event is born once, at an edge.
//!
//! Fields this version does not know are kept in `extra` and written out again, so that an older hub stores
//! whole what a newer edge says.

mod camera;
mod device;
mod fused;
mod happening;
mod sensor;
mod severity;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::evidence::Evidence;
use crate::id::{AlarmId, BootId, EdgeId, EventId, Seq};
pub use camera::{
    CameraTamper, Direction, LineCrossing, Loitering, ObjectClass, ObjectLeft, Overcrowding, Region,
    Sighting, TamperKind, TrackNumber, VehicleStopped, ZoneIntrusion,
};
pub use device::{DeviceFault, FaultKind};
pub use fused::{Fused, FusedLink};
pub use happening::Happening;
pub use sensor::{InputKind, Measurement, SensorAlarm, SensorFault, SensorFaultKind};
pub use severity::{Severity, SeverityError};

/// Fields of a newer version of the contract, kept as they came.
pub type Extra = Map<String, Value>;

/// One event. On the wire it is a CloudEvent, see [`crate::envelope`].
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique for ever; made by the edge.
    pub id: EventId,
    /// Where it was born.
    pub edge: EdgeId,
    /// The start of the edge it was recorded under.
    pub boot: BootId,
    /// Its place among the events of that boot.
    pub seq: Seq,
    /// When it happened (for video: when the frame was received), UTC.
    pub time: Timestamp,
    /// What happened and how grave it is.
    pub data: EventData,
    /// CloudEvents extension attributes of a newer version.
    pub extra: Extra,
}

/// The `data` of the envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventData {
    /// How grave.
    pub severity: Severity,
    /// What happened.
    pub happening: Happening,
    /// Pictures and clips that belong to it; each follows on its own topic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The alarms it was graded with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fused: Option<Fused>,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Which alarm, and which moment of its life. The hub never ends an alarm by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Shared by all events of one alarm.
    pub id: AlarmId,
    /// The moment.
    pub phase: Phase,
}

/// A moment in the life of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The first event of an alarm.
    Began,
    /// It goes on and something about it changed.
    Updated,
    /// The cause is gone; people may still have to act.
    Ended,
}
