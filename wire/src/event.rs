//! Events: what happened, where, how grave, in which order. An event is born once, at an edge.
//!
//! Fields this version does not know are kept in `extra` and written out again, so that an older hub stores
//! whole what a newer edge says.

mod fused;
mod sensor;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::arming::ArmingChanged;
use crate::evidence::Evidence;
use crate::id::{AlarmId, AreaId, BootId, CameraId, EdgeId, EventId, RuleId, SensorId, Seq, ZoneId};
use crate::tagged::{known, tag};
pub use fused::{Fused, FusedLink};
pub use sensor::{InputKind, Measurement, SensorAlarm, SensorFault, SensorFaultKind};

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

/// 1 is the gravest, 4 the least: the order of GB/T 28181-2022 `AlarmPriority` (A.2.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Severity(u8);

impl Severity {
    /// Somebody may be in danger now.
    pub const CRITICAL: Self = Self(1);
    /// Look at once.
    pub const HIGH: Self = Self(2);
    /// Look soon.
    pub const MEDIUM: Self = Self(3);
    /// For the record.
    pub const LOW: Self = Self(4);

    /// 1 to 4.
    pub const fn level(self) -> u8 {
        self.0
    }
}

/// A severity outside 1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("severity {0} does not exist: 1 (gravest) to 4 (least)")]
pub struct SeverityError(u8);

impl TryFrom<u8> for Severity {
    type Error = SeverityError;
    fn try_from(level: u8) -> Result<Self, SeverityError> {
        if (1..=4).contains(&level) { Ok(Self(level)) } else { Err(SeverityError(level)) }
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> u8 {
        severity.0
    }
}

impl JsonSchema for Severity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Severity".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 4 })
    }
}

/// What happened; `kind` names it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// Someone or something is inside a closed area.
    ZoneIntrusion(ZoneIntrusion),
    /// Someone or something went over a line.
    LineCrossing(LineCrossing),
    /// Someone stays about in an area for long.
    Loitering(Loitering),
    /// A vehicle stands where none may stand, such as a fire lane.
    VehicleStopped(VehicleStopped),
    /// A thing was put down and left.
    ObjectLeft(ObjectLeft),
    /// More are in an area than it holds safely.
    Overcrowding(Overcrowding),
    /// A camera no longer shows what it should.
    CameraTamper(CameraTamper),
    /// A sensor tripped.
    SensorAlarm(SensorAlarm),
    /// A sensor cannot be relied on.
    SensorFault(SensorFault),
    /// The box itself is ill.
    DeviceFault(DeviceFault),
    /// An area is armed otherwise than before. No alarm.
    ArmingChanged(ArmingChanged),
    /// A kind of a newer version, kept whole (its `kind` is inside).
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(Extra),
}

impl Happening {
    /// The name on the wire.
    pub fn kind(&self) -> &str {
        match self {
            Self::ZoneIntrusion(_) => "zone_intrusion",
            Self::LineCrossing(_) => "line_crossing",
            Self::Loitering(_) => "loitering",
            Self::VehicleStopped(_) => "vehicle_stopped",
            Self::ObjectLeft(_) => "object_left",
            Self::Overcrowding(_) => "overcrowding",
            Self::CameraTamper(_) => "camera_tamper",
            Self::SensorAlarm(_) => "sensor_alarm",
            Self::SensorFault(_) => "sensor_fault",
            Self::DeviceFault(_) => "device_fault",
            Self::ArmingChanged(_) => "arming_changed",
            Self::Unknown(fields) => fields.get("kind").and_then(Value::as_str).unwrap_or_default(),
        }
    }

    /// The alarm this event begins, updates or ends.
    pub fn alarm(&self) -> Option<Alarm> {
        match self {
            Self::ZoneIntrusion(it) => Some(it.alarm),
            Self::LineCrossing(it) => Some(it.alarm),
            Self::Loitering(it) => Some(it.alarm),
            Self::VehicleStopped(it) => Some(it.alarm),
            Self::ObjectLeft(it) => Some(it.alarm),
            Self::Overcrowding(it) => Some(it.alarm),
            Self::CameraTamper(it) => Some(it.alarm),
            Self::SensorAlarm(it) => Some(it.alarm),
            Self::SensorFault(it) => Some(it.alarm),
            Self::DeviceFault(it) => Some(it.alarm),
            Self::ArmingChanged(_) => None,
            Self::Unknown(fields) => fields.get("alarm").and_then(|alarm| Alarm::deserialize(alarm).ok()),
        }
    }

    /// Says of which moment of its alarm's life this tells. Nothing happens where there is no alarm.
    pub fn set_phase(&mut self, phase: Phase) {
        match self {
            Self::ZoneIntrusion(it) => it.alarm.phase = phase,
            Self::LineCrossing(it) => it.alarm.phase = phase,
            Self::Loitering(it) => it.alarm.phase = phase,
            Self::VehicleStopped(it) => it.alarm.phase = phase,
            Self::ObjectLeft(it) => it.alarm.phase = phase,
            Self::Overcrowding(it) => it.alarm.phase = phase,
            Self::CameraTamper(it) => it.alarm.phase = phase,
            Self::SensorAlarm(it) => it.alarm.phase = phase,
            Self::SensorFault(it) => it.alarm.phase = phase,
            Self::DeviceFault(it) => it.alarm.phase = phase,
            Self::ArmingChanged(_) => {}
            Self::Unknown(fields) => {
                if let (Some(Value::Object(alarm)), Ok(phase)) =
                    (fields.get_mut("alarm"), serde_json::to_value(phase))
                {
                    alarm.insert("phase".into(), phase);
                }
            }
        }
    }

    /// The camera it was seen by.
    pub fn camera(&self) -> Option<CameraId> {
        match self {
            Self::ZoneIntrusion(it) => Some(it.camera.clone()),
            Self::LineCrossing(it) => Some(it.camera.clone()),
            Self::Loitering(it) => Some(it.camera.clone()),
            Self::VehicleStopped(it) => Some(it.camera.clone()),
            Self::ObjectLeft(it) => Some(it.camera.clone()),
            Self::Overcrowding(it) => Some(it.camera.clone()),
            Self::CameraTamper(it) => Some(it.camera.clone()),
            Self::SensorAlarm(_) | Self::SensorFault(_) | Self::DeviceFault(_) | Self::ArmingChanged(_) => {
                None
            }
            Self::Unknown(fields) => fields.get("camera")?.as_str()?.parse().ok(),
        }
    }

    /// The area or line of the picture it happened at.
    pub fn zone(&self) -> Option<ZoneId> {
        match self {
            Self::ZoneIntrusion(it) => Some(it.zone.clone()),
            Self::LineCrossing(it) => Some(it.line.clone()),
            Self::Loitering(it) => Some(it.zone.clone()),
            Self::VehicleStopped(it) => Some(it.zone.clone()),
            Self::ObjectLeft(it) => Some(it.zone.clone()),
            Self::Overcrowding(it) => Some(it.zone.clone()),
            Self::CameraTamper(_)
            | Self::SensorAlarm(_)
            | Self::SensorFault(_)
            | Self::DeviceFault(_)
            | Self::ArmingChanged(_) => None,
            Self::Unknown(fields) => fields.get("zone")?.as_str()?.parse().ok(),
        }
    }

    /// The rule that decided it.
    pub fn rule(&self) -> Option<RuleId> {
        match self {
            Self::ZoneIntrusion(it) => Some(it.rule.clone()),
            Self::LineCrossing(it) => Some(it.rule.clone()),
            Self::Loitering(it) => Some(it.rule.clone()),
            Self::VehicleStopped(it) => Some(it.rule.clone()),
            Self::ObjectLeft(it) => Some(it.rule.clone()),
            Self::Overcrowding(it) => Some(it.rule.clone()),
            Self::CameraTamper(_)
            | Self::SensorAlarm(_)
            | Self::SensorFault(_)
            | Self::DeviceFault(_)
            | Self::ArmingChanged(_) => None,
            Self::Unknown(fields) => fields.get("rule")?.as_str()?.parse().ok(),
        }
    }

    /// The sensor it comes from.
    pub fn sensor(&self) -> Option<SensorId> {
        match self {
            Self::SensorAlarm(it) => Some(it.sensor.clone()),
            Self::SensorFault(it) => Some(it.sensor.clone()),
            Self::Unknown(fields) => fields.get("sensor")?.as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// What that sensor senses.
    pub fn input(&self) -> Option<InputKind> {
        match self {
            Self::SensorAlarm(it) => Some(it.input),
            Self::SensorFault(it) => Some(it.input),
            Self::Unknown(fields) => InputKind::deserialize(fields.get("input")?).ok(),
            _ => None,
        }
    }

    /// The area that is guarded there.
    pub fn area(&self) -> Option<AreaId> {
        match self {
            Self::SensorAlarm(it) => it.area.clone(),
            Self::SensorFault(it) => it.area.clone(),
            Self::ArmingChanged(it) => Some(it.area.clone()),
            Self::Unknown(fields) => fields.get("area")?.as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// What was measured.
    pub fn measured(&self) -> Option<Measurement> {
        match self {
            Self::SensorAlarm(it) => it.measured.clone(),
            _ => None,
        }
    }

    /// What kind of object it is about.
    pub fn object(&self) -> Option<ObjectClass> {
        match self {
            Self::ZoneIntrusion(it) => Some(it.seen.object),
            Self::LineCrossing(it) => Some(it.seen.object),
            Self::Loitering(it) => Some(it.seen.object),
            Self::VehicleStopped(it) => Some(it.seen.object),
            Self::ObjectLeft(_)
            | Self::Overcrowding(_)
            | Self::CameraTamper(_)
            | Self::SensorAlarm(_)
            | Self::SensorFault(_)
            | Self::DeviceFault(_)
            | Self::ArmingChanged(_) => None,
            Self::Unknown(fields) => ObjectClass::deserialize(fields.get("object")?).ok(),
        }
    }
}

impl<'de> Deserialize<'de> for Happening {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Extra::deserialize(deserializer)?;
        let kind = tag("kind", &fields)?;
        match kind.as_str() {
            "zone_intrusion" => known("kind", &kind, fields).map(Self::ZoneIntrusion),
            "line_crossing" => known("kind", &kind, fields).map(Self::LineCrossing),
            "loitering" => known("kind", &kind, fields).map(Self::Loitering),
            "vehicle_stopped" => known("kind", &kind, fields).map(Self::VehicleStopped),
            "object_left" => known("kind", &kind, fields).map(Self::ObjectLeft),
            "overcrowding" => known("kind", &kind, fields).map(Self::Overcrowding),
            "camera_tamper" => known("kind", &kind, fields).map(Self::CameraTamper),
            "sensor_alarm" => known("kind", &kind, fields).map(Self::SensorAlarm),
            "sensor_fault" => known("kind", &kind, fields).map(Self::SensorFault),
            "device_fault" => known("kind", &kind, fields).map(Self::DeviceFault),
            "arming_changed" => known("kind", &kind, fields).map(Self::ArmingChanged),
            _ => Ok(Self::Unknown(fields)),
        }
    }
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

/// What a camera sees of one followed thing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// What kind of object.
    pub object: ObjectClass,
    /// Local to this camera and this boot; dies with the track.
    pub track: TrackNumber,
    /// Where in the picture.
    pub region: Region,
    /// How sure the detector was, 0 to 1.
    pub score: f32,
}

/// Someone or something stayed inside a closed area for at least the rule's dwell, or came in, or went out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneIntrusion {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera that saw it.
    pub camera: CameraId,
    /// The rule that decided it.
    pub rule: RuleId,
    /// The area.
    pub zone: ZoneId,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Sighting,
    /// Time inside the area so far, milliseconds.
    pub dwell_ms: u64,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Someone or something went over a line. It ends at once: a crossing has no duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineCrossing {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera that saw it.
    pub camera: CameraId,
    /// The rule that decided it.
    pub rule: RuleId,
    /// The line; lines and areas of a camera share their names.
    pub line: ZoneId,
    /// Which way.
    pub direction: Direction,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Sighting,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Which way over a line, for who looks from the line's first point to its second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the left-hand side to the right-hand side.
    LeftToRight,
    /// From the right-hand side to the left-hand side.
    RightToLeft,
}

/// Someone stays about in an area for longer than the rule allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loitering {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera that saw it.
    pub camera: CameraId,
    /// The rule that decided it.
    pub rule: RuleId,
    /// The area.
    pub zone: ZoneId,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Sighting,
    /// Time in the area so far, milliseconds.
    pub dwell_ms: u64,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A vehicle stands in an area for longer than the rule allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VehicleStopped {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera that saw it.
    pub camera: CameraId,
    /// The rule that decided it.
    pub rule: RuleId,
    /// The area.
    pub zone: ZoneId,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Sighting,
    /// Time it has been standing, milliseconds.
    pub still_ms: u64,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A thing that was not there before lies in an area, with nobody near.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectLeft {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera that saw it.
    pub camera: CameraId,
    /// The rule that decided it.
    pub rule: RuleId,
    /// The area.
    pub zone: ZoneId,
    /// Where in the picture.
    pub region: Region,
    /// Time it has been lying there, milliseconds.
    pub still_ms: u64,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// More are in an area at once than the rule's limit. A count, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overcrowding {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera that saw it.
    pub camera: CameraId,
    /// The rule that decided it.
    pub rule: RuleId,
    /// The area.
    pub zone: ZoneId,
    /// How many were counted.
    pub count: u32,
    /// How many are allowed.
    pub limit: u32,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A camera no longer shows what it should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraTamper {
    /// Which alarm.
    pub alarm: Alarm,
    /// The camera.
    pub camera: CameraId,
    /// In what way.
    pub tamper: TamperKind,
    /// What was seen, in words for a technician; never a secret.
    pub detail: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// In what way a camera fails to show its scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TamperKind {
    /// No picture for longer than configured.
    SignalLost,
    /// Something is held or sprayed over the lens.
    Covered,
    /// Out of focus, or dirt on the lens.
    Blurred,
    /// It looks somewhere else than it did.
    Moved,
    /// The same picture again and again.
    Frozen,
}

impl TamperKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignalLost => "signal_lost",
            Self::Covered => "covered",
            Self::Blurred => "blurred",
            Self::Moved => "moved",
            Self::Frozen => "frozen",
        }
    }
}

/// The box itself is ill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceFault {
    /// Which alarm.
    pub alarm: Alarm,
    /// What is ill.
    pub fault: FaultKind,
    /// What was seen, in words for a technician; never a secret.
    pub detail: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// What is ill in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The detector gives errors instead of detections: the cameras are blind.
    InferenceFailed,
    /// Less disk is free than the configured reserve.
    DiskLow,
    /// The disk does not hold clips for as long as configured.
    RetentionShort,
    /// The model's file is not the one that was loaded any more: the next restart changes what is detected, or
    /// is refused.
    ModelReplaced,
    /// A part of what waited for the hub could not be read any more.
    OutboxDamaged,
    /// More waited for the hub than may, so events were deleted undelivered; the detail says which.
    EventsDropped,
}

impl FaultKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InferenceFailed => "inference_failed",
            Self::DiskLow => "disk_low",
            Self::RetentionShort => "retention_short",
            Self::ModelReplaced => "model_replaced",
            Self::OutboxDamaged => "outbox_damaged",
            Self::EventsDropped => "events_dropped",
        }
    }
}

/// What the detector can tell apart. Kinds of object, never who someone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectClass {
    /// A human being, anyone.
    Person,
    /// A bicycle.
    Bicycle,
    /// A motorcycle, an electric scooter.
    Motorcycle,
    /// A car.
    Car,
    /// A bus.
    Bus,
    /// A truck, a van.
    Truck,
}

/// Number of a track, local to one camera and one boot. It dies with the track and is never matched across
/// cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TrackNumber(pub u32);

/// A box in the picture as fractions of its width and height: 0,0 is the top left corner, 1,1 the bottom
/// right one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Region {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}
