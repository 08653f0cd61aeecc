//! What a sensor's watch hands on: it tripped, fell ill, or is at rest or well again.

use std::time::Duration;

use gatepost_wire::event::{InputKind, Measurement, Phase, SensorFaultKind};
use gatepost_wire::{AreaId, SensorId, Severity, Timestamp};

/// A sensor's state changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trip {
    /// Which sensor.
    pub sensor: SensorId,
    /// What it senses.
    pub input: InputKind,
    /// The area it guards.
    pub area: Option<AreaId>,
    /// How grave it is when it trips.
    pub grade: Severity,
    /// When, since the start of the daemon, on the monotonic clock.
    pub at: Duration,
    /// When, UTC.
    pub time: Timestamp,
    /// What changed.
    pub change: Change,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It tripped; what it measured.
    Tripped(Option<Measurement>),
    /// It is at rest again.
    Rested(Option<Measurement>),
    /// It fell ill in this way; why, in words for a technician.
    Ill(SensorFaultKind, String),
    /// It is well again in this respect.
    Well(SensorFaultKind, String),
}

impl Change {
    /// Which moment of an alarm this is.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Tripped(_) | Self::Ill(..) => Phase::Began,
            Self::Rested(_) | Self::Well(..) => Phase::Ended,
        }
    }
}

impl Trip {
    /// How grave: an alarm as it is configured; of faults those that somebody may have caused stand above those of
    /// batteries and wires.
    pub fn severity(&self) -> Severity {
        match &self.change {
            Change::Tripped(_) | Change::Rested(_) => self.grade,
            Change::Ill(fault, _) | Change::Well(fault, _) => match fault {
                SensorFaultKind::Tamper | SensorFaultKind::Open | SensorFaultKind::Short => Severity::HIGH,
                SensorFaultKind::Power | SensorFaultKind::Comms => Severity::MEDIUM,
            },
        }
    }
}
