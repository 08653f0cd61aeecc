//! Sensors: what each senses, how grave that is, and how it is reached.

use gatepost_wire::event::InputKind;
use gatepost_wire::{SensorId, Severity};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Label, ModbusPoint, Seconds};

/// One input of a sensor: a door contact, a zone of a fence.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "SensorKeys")]
#[schemars(with = "SensorKeys")]
pub struct Sensor {
    /// Its name.
    pub id: SensorId,
    /// What people call it.
    pub label: Option<Label>,
    /// What it senses.
    pub input: InputKind,
    /// How grave it is when it trips.
    pub severity: Severity,
    /// How long it may give no sense before that is a fault.
    pub comms_after_s: Seconds<1, 3600>,
    /// How it is reached.
    pub reach: Reach,
}

/// How a sensor is reached.
#[derive(Debug, Clone)]
pub enum Reach {
    /// It is an input of a Modbus device.
    Modbus(ModbusPoint),
}

/// A sensor as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SensorKeys {
    /// Name of the sensor, unique in this box.
    id: SensorId,
    /// What people call it.
    label: Option<Label>,
    /// What it senses. Smoke, heat, gas, water and panic count in every mode.
    input: InputKind,
    /// How grave it is when it trips.
    #[serde(default = "default_severity")]
    severity: Severity,
    /// Seconds it may be out of reach, or answer nonsense, before that is a fault.
    #[serde(default = "default_comms_after")]
    comms_after_s: Seconds<1, 3600>,
    /// It is an input of a Modbus device.
    modbus: Option<ModbusPoint>,
}

impl TryFrom<SensorKeys> for Sensor {
    type Error = &'static str;
    fn try_from(keys: SensorKeys) -> Result<Self, Self::Error> {
        let SensorKeys { id, label, input, severity, comms_after_s, modbus } = keys;
        let reach = modbus.map(Reach::Modbus).ok_or("how is it reached? It needs a table `modbus`")?;
        Ok(Self { id, label, input, severity, comms_after_s, reach })
    }
}

fn default_severity() -> Severity {
    Severity::HIGH
}
fn default_comms_after() -> Seconds<1, 3600> {
    Seconds::constant::<15>()
}
