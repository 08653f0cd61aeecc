//! Fusion: which alarms confirm each other, and what they are worth alone.

use gatepost_wire::arming::Input;
use gatepost_wire::{CameraId, RuleId, SensorId, Severity, ZoneId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Seconds;
use super::area::input;

/// Alarms that together mean more than each by itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FusionRule {
    /// Name of the rule, unique among the fusion rules of this box.
    pub id: RuleId,
    /// How near in time they must be, seconds.
    #[serde(default = "default_within")]
    pub within_s: Seconds<1, 300>,
    /// How grave when every part has an alarm.
    pub severity: Severity,
    /// How grave at once when a part has an alarm and a camera of another part is blind. As if it saw nothing unless given.
    pub blind: Option<Severity>,
    /// What has to come together; two or more.
    #[serde(rename = "part")]
    pub parts: Vec<FusionPart>,
    /// How much later than it happened an alarm may be heard of and still confirm another, seconds.
    #[serde(default = "default_lateness")]
    pub lateness_s: Seconds<0, 300>,
    /// Alarms of one happening are told as one for so long, seconds; then as a new one.
    #[serde(default = "default_collapse")]
    pub collapse_s: Seconds<0, 600>,
    /// Cameras that look closely, and take a picture, when a sensor of this rule trips; those of its parts unless given.
    pub wake: Option<Vec<CameraId>>,
}

/// Inputs of which one is enough.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FusionPart {
    /// The inputs.
    pub any: Vec<FusedInput>,
    /// How grave its alarms are without the other parts; as the rule or sensor says unless given.
    pub alone: Option<Severity>,
}

/// A sensor, a camera, or one area or line of a camera's picture.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "InputKeys")]
#[schemars(with = "InputKeys")]
pub struct FusedInput(pub Input);

/// An input as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InputKeys {
    /// A sensor of this box; nothing else then.
    sensor: Option<SensorId>,
    /// A camera of this box: everything its rules watch.
    camera: Option<CameraId>,
    /// Only this area or line of the camera.
    zone: Option<ZoneId>,
}

impl TryFrom<InputKeys> for FusedInput {
    type Error = &'static str;
    fn try_from(keys: InputKeys) -> Result<Self, Self::Error> {
        input(keys.sensor, keys.camera, keys.zone).map(Self)
    }
}

impl FusionRule {
    /// Cameras that look closely when a sensor of this rule trips.
    pub fn woken(&self) -> Vec<CameraId> {
        let of_parts = || {
            let inputs = self.parts.iter().flat_map(|part| &part.any);
            inputs.filter_map(|input| input.0.camera().cloned()).collect()
        };
        self.wake.clone().unwrap_or_else(of_parts)
    }
}

fn default_within() -> Seconds<1, 300> {
    Seconds::constant::<8>()
}
fn default_lateness() -> Seconds<0, 300> {
    Seconds::constant::<30>()
}
fn default_collapse() -> Seconds<0, 600> {
    Seconds::constant::<60>()
}
