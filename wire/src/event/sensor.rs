//! What a sensor at a fence, a door or a ceiling says: that it tripped, or that it is ill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alarm, Extra};
use crate::id::{AreaId, SensorId};

/// A sensor tripped. The alarm ends when it is at rest again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SensorAlarm {
    /// Which alarm.
    pub alarm: Alarm,
    /// The sensor.
    pub sensor: SensorId,
    /// What it senses.
    pub input: InputKind,
    /// The area it guards, where it is assigned to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// What it measured at this moment, where it measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measurement>,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A measured value with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// The number; always finite.
    pub value: f64,
    /// Its unit, e.g. `mV`, `°C`, `%`; empty for a bare count.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// What a sensor senses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A door, a window, a gate or any other contact.
    Contact,
    /// Something warm moves before it (a passive infrared detector), or a camera's own motion detection.
    Motion,
    /// Someone climbs, cuts or shakes: vibration cable or fibre.
    Vibration,
    /// An electric or tension fence.
    Fence,
    /// A light barrier is broken.
    Beam,
    /// Glass breaks.
    GlassBreak,
    /// Smoke.
    Smoke,
    /// Heat, or a rise of it.
    Heat,
    /// Gas.
    Gas,
    /// Water where none should be.
    Water,
    /// Somebody asks for help.
    Panic,
    /// A measured level left its bounds.
    Level,
}

impl InputKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Contact,
        Self::Motion,
        Self::Vibration,
        Self::Fence,
        Self::Beam,
        Self::GlassBreak,
        Self::Smoke,
        Self::Heat,
        Self::Gas,
        Self::Water,
        Self::Panic,
        Self::Level,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Motion => "motion",
            Self::Vibration => "vibration",
            Self::Fence => "fence",
            Self::Beam => "beam",
            Self::GlassBreak => "glass_break",
            Self::Smoke => "smoke",
            Self::Heat => "heat",
            Self::Gas => "gas",
            Self::Water => "water",
            Self::Panic => "panic",
            Self::Level => "level",
        }
    }
}

/// A sensor cannot be relied on: it may be blind while this lasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SensorFault {
    /// Which alarm.
    pub alarm: Alarm,
    /// The sensor.
    pub sensor: SensorId,
    /// What it senses while it is well.
    pub input: InputKind,
    /// The area it guards, where it is assigned to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// In what way it is ill.
    pub fault: SensorFaultKind,
    /// What was seen, in words for a technician; never a secret.
    pub detail: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// In what way a sensor is ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SensorFaultKind {
    /// Its case was opened, or it was taken off the wall.
    Tamper,
    /// Its line is cut, or makes contact only now and then.
    Open,
    /// Its line is bridged.
    Short,
    /// Its supply or battery fails.
    Power,
    /// It does not answer, or answers nonsense.
    Comms,
}

impl SensorFaultKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Tamper, Self::Open, Self::Short, Self::Power, Self::Comms];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tamper => "tamper",
            Self::Open => "open",
            Self::Short => "short",
            Self::Power => "power",
            Self::Comms => "comms",
        }
    }
}
