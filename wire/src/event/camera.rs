//! What a camera sees that must not be: the kinds of event that rules decide, and the camera's own state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alarm, Extra};
use crate::finite::finite;
use crate::id::{CameraId, RuleId, ZoneId};

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
    #[serde(deserialize_with = "finite")]
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
    #[serde(deserialize_with = "finite")]
    pub left: f32,
    /// Top edge.
    #[serde(deserialize_with = "finite")]
    pub top: f32,
    /// Right edge.
    #[serde(deserialize_with = "finite")]
    pub right: f32,
    /// Bottom edge.
    #[serde(deserialize_with = "finite")]
    pub bottom: f32,
}
