//! Incidents: alarms of one happening, followed from report to closing by people.
//!
//! The hub [groups](Grouping) alarms into incidents. What people do about one is a [step](Action); which steps go with which
//! [stage](Stage), and who may take them, is decided by [`State::after`], without a clock, a database or a network. Every step goes into
//! a [`timeline`] that is only added to.

mod action;
mod deadline;
mod extension;
mod figures;
mod grouping;
mod nuisance;
mod overdue;
mod shift;
mod stage;
mod state;
pub mod timeline;

pub use action::{Action, FalseReason, Grade, Kind, Outcome, Text};
pub use deadline::{Deadlines, SiteDeadlines, StageSeconds};
pub use extension::Extension;
pub use figures::{Figures, PerOperator, Tally, Times, Took, WorstPlace, WorstRule};
pub use grouping::Grouping;
pub use nuisance::{
    CHATTER_ALARMS, CHATTER_WITHIN, Chattering, ChatteringSource, Nuisance, STALE_AFTER, Stale,
};
pub use overdue::{Urge, Urged};
pub use shift::{Followed, Note, ShiftReport};
pub use stage::Stage;
pub use state::{Actor, State, StepError};

use std::collections::BTreeSet;

use gatepost_wire::event::{InputKind, ObjectClass};
use gatepost_wire::{AlarmId, CameraId, EdgeId, RuleId, SensorId, Severity, Timestamp, ZoneId};
use serde::Serialize;
use ulid::Ulid;
use utoipa::ToSchema;

use crate::access::{DisplayName, PersonName};

/// A ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct IncidentId(Ulid);

impl IncidentId {
    /// A new one.
    pub fn new() -> Self {
        Self(Ulid::generate())
    }
}

impl Default for IncidentId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for IncidentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error| format!("{text:?} is no ULID: {error}"))
    }
}

/// Where something happened and what: alarms that agree in it may be one incident.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "zone_intrusion", "edge": "gate-1", "camera": "east-gate", "zone": "lawn",
    "sensor": null, "cause": null
}))]
pub struct Place {
    /// What happened, as in an alert.
    #[schema(example = "zone_intrusion")]
    pub kind: String,
    /// The box.
    #[schema(value_type = String, format = "name", example = "gate-1")]
    pub edge: EdgeId,
    /// The camera.
    #[schema(value_type = Option<String>, format = "name", example = "east-gate")]
    pub camera: Option<CameraId>,
    /// The area or line in its picture.
    #[schema(value_type = Option<String>, format = "name", example = "lawn")]
    pub zone: Option<ZoneId>,
    /// The sensor.
    #[schema(value_type = Option<String>, format = "name", example = "fence-3")]
    pub sensor: Option<SensorId>,
    /// Why, where the kind alone does not say it.
    #[schema(example = "covered")]
    pub cause: Option<String>,
}

/// Somebody who handles an incident, or works on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Assignee {
    /// By what they sign in.
    #[schema(value_type = String, format = "person-name", example = "zhao.min")]
    pub name: PersonName,
    /// What others call them.
    #[schema(value_type = String, format = "line", example = "赵敏")]
    pub display_name: DisplayName,
}

/// An incident as people are told of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "number": 17, "kind": "zone_intrusion", "edge": "gate-1", "camera": "east-gate", "zone": "lawn",
    "sensor": null, "cause": null, "object": "person", "input": null, "camera_label": "东门", "zone_label": "草坪", "sensor_label": null, "severity": 2, "alarms": 3, "attachments": 1,
    "ongoing": true, "first": "2026-01-31T08:30:00Z", "last": "2026-01-31T08:31:10Z", "opened": "2026-01-31T08:30:00.2Z", "merged_into": null,
    "stage": "reported", "outcome": null, "reason": null, "assignee": null, "shelved_until": null,
    "due": "2026-01-31T08:33:00.2Z", "overdue": false, "escalated": false, "extension": null, "version": 1, "may": ["triage", "assign", "shelve", "request_extension", "note", "attach"]
}))]
pub struct Incident {
    /// ULID.
    #[schema(value_type = String, format = "ulid")]
    pub id: IncidentId,
    /// What people call it by.
    pub number: i64,
    /// Where and what.
    #[serde(flatten)]
    pub place: Place,
    /// What people call the camera.
    pub camera_label: Option<String>,
    /// What people call the area.
    pub zone_label: Option<String>,
    /// What people call the sensor.
    pub sensor_label: Option<String>,
    /// What its first alarm saw.
    #[schema(value_type = Option<String>, example = "person")]
    pub object: Option<ObjectClass>,
    /// What the sensor of its first alarm senses.
    #[schema(value_type = Option<String>, example = "fence")]
    pub input: Option<InputKind>,
    /// The gravest of its alarms: 1 (gravest) to 4.
    #[schema(value_type = u8, minimum = 1, maximum = 4)]
    pub severity: Severity,
    /// How many alarms it has.
    pub alarms: u32,
    /// How many attachments it has whose bytes are here.
    pub attachments: u32,
    /// One of them still goes on.
    pub ongoing: bool,
    /// When the first began, by the box's clock.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// When something last happened, by the box's clock.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// When it was opened, by the hub's clock.
    #[schema(value_type = String, format = DateTime)]
    pub opened: Timestamp,
    /// The number of the incident that it turned out to be part of, which has its alarms now.
    #[schema(example = 17)]
    pub merged_into: Option<i64>,
    /// How far it got.
    #[serde(flatten)]
    pub state: Told,
    /// What the caller may do with it now; left out in the stream of changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may: Option<BTreeSet<Kind>>,
}

/// How far an incident got, as people are told of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Told {
    /// Its stage.
    pub stage: Stage,
    /// What triage found: `real`, `false_alarm` or `test`.
    #[schema(value_type = Option<String>, example = "false_alarm")]
    pub outcome: Option<&'static str>,
    /// Why it was a false alarm.
    pub reason: Option<FalseReason>,
    /// Who handles it.
    pub assignee: Option<Assignee>,
    /// It waits apart until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub shelved_until: Option<Timestamp>,
    /// By when its stage is to be left.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due: Option<Timestamp>,
    /// It was not.
    pub overdue: bool,
    /// Nor when that had been said: its stage is the supervisors' business.
    pub escalated: bool,
    /// More time that somebody asked for, while nobody has decided about it.
    pub extension: Option<AskedExtension>,
    /// How many steps its timeline has.
    #[schema(example = 2)]
    pub version: u32,
}

/// More time that somebody asked for, as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AskedExtension {
    /// Who asks.
    pub by: Assignee,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Why.
    #[schema(value_type = String, max_length = 1000, example = "等警方取走录像")]
    pub reason: Text,
}

/// An alarm as far as grouping asks.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which.
    pub alarm: AlarmId,
    /// Where and what.
    pub place: Place,
    /// What it saw.
    pub object: Option<ObjectClass>,
    /// What its sensor senses.
    pub input: Option<InputKind>,
    /// The rule that decided it.
    pub rule: Option<RuleId>,
    /// How grave it is by now.
    pub severity: Severity,
    /// When it began, by the box's clock.
    pub first: Timestamp,
    /// When something last happened.
    pub last: Timestamp,
    /// It goes on.
    pub ongoing: bool,
    /// Alarms of the same happening, where the box says so.
    pub fused_with: Vec<AlarmId>,
}
