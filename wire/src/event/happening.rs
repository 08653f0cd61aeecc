//! What happened: one kind of event each, and what they have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{
    Alarm, CameraTamper, DeviceFault, Extra, InputKind, LineCrossing, Loitering, Measurement, ObjectClass,
    ObjectLeft, Overcrowding, Phase, SensorAlarm, SensorFault, VehicleStopped, ZoneIntrusion,
};
use crate::arming::ArmingChanged;
use crate::id::{AreaId, CameraId, RuleId, SensorId, ZoneId};
use crate::tagged::{known, tag};

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
