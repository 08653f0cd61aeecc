//! Arming: which areas of a site are armed, how they came to be, and what they are made of.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::event::Extra;
use crate::id::{AreaId, CameraId, SensorId, ZoneId};
use crate::schema::date_time;

/// Whatever can raise an alarm and can be armed: an input, as alarm systems call it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Input {
    /// A sensor.
    Sensor {
        /// Its name.
        sensor: SensorId,
    },
    /// An area or line of a camera's picture.
    Zone {
        /// The camera.
        camera: CameraId,
        /// The area or line.
        zone: ZoneId,
    },
    /// Everything a camera's rules watch.
    Camera {
        /// The camera.
        camera: CameraId,
    },
}

impl Input {
    /// The camera it is seen by.
    pub fn camera(&self) -> Option<&CameraId> {
        match self {
            Self::Sensor { .. } => None,
            Self::Zone { camera, .. } | Self::Camera { camera } => Some(camera),
        }
    }

    /// Is `other` this input or a part of it? A camera's areas are parts of the camera.
    pub fn contains(&self, other: &Self) -> bool {
        match self {
            Self::Camera { camera } => other.camera() == Some(camera),
            _ => self == other,
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sensor { sensor } => write!(f, "sensor {sensor}"),
            Self::Zone { camera, zone } => write!(f, "zone {zone} of camera {camera}"),
            Self::Camera { camera } => write!(f, "camera {camera}"),
        }
    }
}

/// What an area watches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only 24-hour inputs.
    Disarmed,
    /// The perimeter: people are inside and may move there.
    ArmedStay,
    /// Everything.
    ArmedAway,
    /// Only 24-hour inputs, for work on the system; ends by itself.
    Maintenance,
}

impl Mode {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disarmed => "disarmed",
            Self::ArmedStay => "armed_stay",
            Self::ArmedAway => "armed_away",
            Self::Maintenance => "maintenance",
        }
    }
}

/// How far an area got on the way into its mode or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The mode is in force.
    Set,
    /// It will be: time to leave.
    ExitDelay,
    /// Somebody came in by the entry route: time to disarm.
    EntryDelay,
    /// Nobody disarmed in time. The mode is in force, and what waited is an alarm.
    EntryExpired,
    /// It could not be set, because of what is open. The mode told is the one that stays.
    Refused,
}

impl Stage {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::ExitDelay => "exit_delay",
            Self::EntryDelay => "entry_delay",
            Self::EntryExpired => "entry_expired",
            Self::Refused => "refused",
        }
    }
}

/// Who or what changed an area's mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Cause {
    /// A person, through the hub.
    Command {
        /// The operator's name, as written into the command.
        who: String,
        /// The reason.
        why: String,
    },
    /// The area's timetable.
    Timetable,
    /// Time ran out: of a delay, or of maintenance.
    Timer,
    /// An input of the entry route.
    Input {
        /// Which.
        input: Input,
    },
    /// The box started: for the first time, or again with what it was before.
    Start,
}

/// An area's mode changed, or was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmingChanged {
    /// The area.
    pub area: AreaId,
    /// Its mode.
    pub mode: Mode,
    /// How far it got.
    pub stage: Stage,
    /// Who or what did it.
    pub cause: Cause,
    /// When a delay or maintenance will be over, by the box's clock at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub until: Option<Timestamp>,
    /// Inputs that do not count while the mode lasts, by decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bypassed: Vec<Input>,
    /// Inputs that are open or faulty, and not bypassed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Input>,
    /// Alarms that did not count since the last change, because the area was not armed or they were bypassed.
    #[serde(default)]
    pub passed: u64,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// An area as its box sees it at the moment, in [`crate::Health`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaHealth {
    /// The area.
    pub area: AreaId,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its mode.
    pub mode: Mode,
    /// How far it got: `set`, `exit_delay` or `entry_delay`.
    pub stage: Stage,
    /// When a delay or maintenance will be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub until: Option<Timestamp>,
    /// Inputs that do not count while the mode lasts, by decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bypassed: Vec<Input>,
    /// Inputs that are open or faulty: arming needs them closed or bypassed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Input>,
    /// Alarms that did not count since the mode last changed.
    #[serde(default)]
    pub passed: u64,
}
