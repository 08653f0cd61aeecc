//! Profiles: what a Modbus device's registers mean, so that a new device needs no code.
//!
//! Tables, function codes and limits are those of the Modbus Application Protocol Specification V1.1b3; addresses count
//! from 0, as they travel.

mod condition;
mod register;

use gatepost_wire::event::SensorFaultKind;
use schemars::JsonSchema;
use serde::Deserialize;

use super::name::name;
use super::{Label, Millis, UnitId};

pub use condition::{Condition, Test};
pub use register::{BitTable, ByteOrder, NumberType, Register, RegisterTable, Shape, WordTable};

name! {
    /// Name of a register in a profile.
    RegisterId
}

name! {
    /// Name of a point in a profile: what can be a sensor.
    PointId
}

/// A device.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Maker and model.
    pub name: Label,
    /// Where its registers are described.
    pub source: String,
    /// Its unit id as it leaves the factory.
    #[serde(default)]
    pub unit: UnitId,
    /// Milliseconds from one reading to the next.
    #[serde(default = "default_poll")]
    pub poll_ms: Millis<20, 60_000>,
    /// What is read.
    #[serde(rename = "register")]
    pub registers: Vec<Register>,
    /// What can be a sensor.
    #[serde(rename = "point")]
    pub points: Vec<ProfilePoint>,
}

/// What can be a sensor.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfilePoint {
    /// Its name, which a sensor gives as `point`.
    pub id: PointId,
    /// When it is tripped.
    pub alarm: Condition,
    /// The register whose value an alarm tells.
    pub measure: Option<RegisterId>,
    /// When it is ill: its line is cut or bridged, its case is open, its supply fails.
    #[serde(default, rename = "fault")]
    pub faults: Vec<PointFault>,
}

/// One way in which a point is ill.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointFault {
    /// In what way.
    pub kind: SensorFaultKind,
    /// When.
    pub when: Condition,
    /// What a technician reads.
    pub detail: Label,
}

impl Profile {
    /// A register by its name.
    pub fn register(&self, id: &RegisterId) -> Option<&Register> {
        self.registers.iter().find(|register| &register.id == id)
    }

    /// A point by its name.
    pub fn point(&self, id: &PointId) -> Option<&ProfilePoint> {
        self.points.iter().find(|point| &point.id == id)
    }
}

impl ProfilePoint {
    /// All registers it needs.
    pub fn registers(&self) -> impl Iterator<Item = &RegisterId> {
        let faults = self.faults.iter().map(|fault| &fault.when.register);
        std::iter::once(&self.alarm.register).chain(faults).chain(&self.measure)
    }

    /// What it tells apart: when it is tripped, and the ways in which it is ill.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        std::iter::once(&self.alarm).chain(self.faults.iter().map(|fault| &fault.when))
    }
}

fn default_poll() -> Millis<20, 60_000> {
    Millis::constant::<1000>()
}
