//! Alarms that wear operators out without telling them anything: those that chatter, and those that stay.
//!
//! The terms and the aims are those of ANSI/ISA-18.2 (IEC 62682) and EEMUA 191; the bound of three alarms in a minute is the one the guides to
//! both begin with.

use gatepost_wire::{CameraId, EdgeId, RuleId, SensorId};
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::Incident;

/// A source chatters when it raises so many alarms
pub const CHATTER_ALARMS: i64 = 3;

/// within this time, by the box's clock. The aim: none does.
pub const CHATTER_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What goes on, or is open, for longer than this is stale. The aim: fewer than five on any day.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Both, for the figures.
#[derive(Debug, Default)]
pub struct Nuisance {
    /// What chattered in the time that is asked about.
    pub chattering: Chattering,
    /// What is stale now.
    pub stale: Stale,
}

/// Sources that raised three alarms or more within 60 seconds.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Chattering {
    /// How many.
    #[schema(example = 2)]
    pub sources: usize,
    /// How many alarms were at least the third of their source within 60 seconds.
    #[schema(example = 11)]
    pub alarms: usize,
    /// Those with most of them; at most ten.
    pub worst: Vec<ChatteringSource>,
}

/// What raises alarms: one kind, by one rule, of one camera or sensor, or of a box itself.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "sensor_alarm", "edge": "gate-1", "camera": null, "camera_label": null, "sensor": "fence-3",
    "sensor_label": "北围栏", "rule": null, "alarms": 9
}))]
pub struct ChatteringSource {
    /// What happened, as in an alert.
    #[schema(example = "sensor_alarm")]
    pub kind: String,
    /// The box.
    #[schema(value_type = String, example = "gate-1")]
    pub edge: EdgeId,
    /// The camera.
    #[schema(value_type = Option<String>, example = "east-gate")]
    pub camera: Option<CameraId>,
    /// What people call it.
    #[schema(example = "东门")]
    pub camera_label: Option<String>,
    /// The sensor.
    #[schema(value_type = Option<String>, example = "fence-3")]
    pub sensor: Option<SensorId>,
    /// What people call it.
    #[schema(example = "北围栏")]
    pub sensor_label: Option<String>,
    /// The rule.
    #[schema(value_type = Option<String>, example = "lawn-closed")]
    pub rule: Option<RuleId>,
    /// How many of its alarms were at least the third within 60 seconds.
    #[schema(example = 9)]
    pub alarms: usize,
}

/// What stays for longer than 24 hours.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Stale {
    /// Incidents that were opened so long ago and are open.
    #[schema(example = 2)]
    pub incidents: usize,
    /// Alarms that began so long ago and go on, also of incidents that are closed.
    #[schema(example = 3)]
    pub alarms: usize,
    /// Incidents that are counted here, or have an alarm that is: the oldest first, at most ten, without `may`.
    pub oldest: Vec<Incident>,
}
