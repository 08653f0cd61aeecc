//! An alarm as people and programs are told of it: with the names its edge gives to places.

mod evidence;

use gatepost_wire::event::{Direction, InputKind, ObjectClass, Phase};
use gatepost_wire::{AlarmId, CameraId, EdgeId, EventId, RuleId, SensorId, Severity, Timestamp, ZoneId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::alarm::Alarm;

pub use evidence::{AlertEvidence, EvidenceState, Role};

/// One alarm as far as its events have come.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "kind": "zone_intrusion", "severity": 2, "edge": "gate-1",
    "camera": "east-gate", "camera_label": "东门", "zone": "lawn", "zone_label": "草坪", "rule": "lawn-closed",
    "object": "person", "direction": null, "count": null, "limit": null, "cause": null, "detail": null,
    "sensor": null, "sensor_label": null, "input": null,
    "phase": "updated",
    "began": "2026-01-31T08:30:00Z", "last": "2026-01-31T08:30:04Z", "ended": null,
    "received": "2026-01-31T08:30:00.2Z", "events": 3, "first_event": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "snapshot": "/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/snapshot",
    "evidence": [{
        "event": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "role": "snapshot",
        "media_type": "image/jpeg", "bytes": 48213, "time": "2026-01-31T08:30:00Z", "state": "here",
        "url": "/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/evidence/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "original_kept": true, "command": null, "until": null, "deleted": null
    }]
}), json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAW", "kind": "line_crossing", "severity": 2, "edge": "gate-1",
    "camera": "north-fence", "camera_label": "北围墙", "zone": "fence", "zone_label": "围墙线", "rule": "no-climbing",
    "object": "person", "direction": "left_to_right", "count": null, "limit": null, "cause": null, "detail": null,
    "sensor": null, "sensor_label": null, "input": null,
    "phase": "ended",
    "began": "2026-01-31T08:30:00Z", "last": "2026-01-31T08:30:00Z", "ended": "2026-01-31T08:30:00Z",
    "received": "2026-01-31T08:30:00.2Z", "events": 2, "first_event": "01ARZ3NDEKTSV4RRFFQ69G5FAW",
    "snapshot": "/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAW/snapshot", "evidence": []
}), json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "kind": "overcrowding", "severity": 3, "edge": "gate-1",
    "camera": "hall", "camera_label": "大厅", "zone": "stairs", "zone_label": "楼梯口", "rule": "stairs-full",
    "object": null, "direction": null, "count": 14, "limit": 10, "cause": null, "detail": null,
    "sensor": null, "sensor_label": null, "input": null, "phase": "updated",
    "began": "2026-01-31T08:30:00Z", "last": "2026-01-31T08:31:10Z", "ended": null,
    "received": "2026-01-31T08:30:00.2Z", "events": 4, "first_event": "01ARZ3NDEKTSV4RRFFQ69G5FAX",
    "snapshot": null, "evidence": []
}), json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAY", "kind": "camera_tamper", "severity": 2, "edge": "gate-1",
    "camera": "east-gate", "camera_label": "东门", "zone": null, "zone_label": null, "rule": null,
    "object": null, "direction": null, "count": null, "limit": null, "cause": "covered",
    "detail": "nothing but one dark surface for 12 s",
    "sensor": null, "sensor_label": null, "input": null, "phase": "began",
    "began": "2026-01-31T08:30:00Z", "last": "2026-01-31T08:30:00Z", "ended": null,
    "received": "2026-01-31T08:30:00.2Z", "events": 1, "first_event": "01ARZ3NDEKTSV4RRFFQ69G5FAY",
    "snapshot": null, "evidence": []
}), json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAZ", "kind": "sensor_fault", "severity": 2, "edge": "gate-1",
    "camera": null, "camera_label": null, "zone": null, "zone_label": null, "rule": null,
    "sensor": "fence-3", "sensor_label": "北围栏三段", "input": "fence",
    "object": null, "direction": null, "count": null, "limit": null, "cause": "open",
    "detail": "the line is cut", "phase": "began",
    "began": "2026-01-31T08:30:00Z", "last": "2026-01-31T08:30:00Z", "ended": null,
    "received": "2026-01-31T08:30:00.2Z", "events": 1, "first_event": "01ARZ3NDEKTSV4RRFFQ69G5FAZ",
    "snapshot": null, "evidence": []
})))]
pub struct Alert {
    /// The alarm's id, a ULID.
    #[schema(value_type = String, format = "ulid")]
    pub id: AlarmId,
    /// What happened: `zone_intrusion`, `line_crossing`, `loitering`, `vehicle_stopped`, `object_left`, `overcrowding`,
    /// `camera_tamper`, `sensor_alarm`, `sensor_fault`, `device_fault`, or a kind of a newer edge.
    pub kind: String,
    /// The gravest of its events: 1 (gravest) to 4.
    #[schema(value_type = u8, minimum = 1, maximum = 4)]
    pub severity: Severity,
    /// The box it comes from.
    #[schema(value_type = String, format = "name")]
    pub edge: EdgeId,
    /// The camera that saw it.
    #[schema(value_type = Option<String>, format = "name")]
    pub camera: Option<CameraId>,
    /// What people call the camera.
    pub camera_label: Option<String>,
    /// The area of the picture; for `line_crossing` the line.
    #[schema(value_type = Option<String>, format = "name")]
    pub zone: Option<ZoneId>,
    /// What people call the area or line.
    pub zone_label: Option<String>,
    /// The rule that decided it.
    #[schema(value_type = Option<String>, format = "name")]
    pub rule: Option<RuleId>,
    /// The sensor it comes from.
    #[schema(value_type = Option<String>, format = "name")]
    pub sensor: Option<SensorId>,
    /// What people call the sensor.
    pub sensor_label: Option<String>,
    /// What that sensor senses: `contact`, `motion`, `vibration`, `fence`, `beam`, `glass_break`, `smoke`, `heat`, `gas`,
    /// `water`, `panic` or `level`.
    #[schema(value_type = Option<String>)]
    pub input: Option<InputKind>,
    /// What was seen: a kind of object, never who.
    #[schema(value_type = Option<String>)]
    pub object: Option<ObjectClass>,
    /// Which way over the line, for who looks from its first point to its second: `left_to_right` or `right_to_left`.
    #[schema(value_type = Option<String>)]
    pub direction: Option<Direction>,
    /// For `overcrowding`: the most that were counted at once.
    pub count: Option<u32>,
    /// For `overcrowding`: how many are allowed.
    pub limit: Option<u32>,
    /// Why, where the kind alone does not say it: `signal_lost`, `covered`, `blurred`, `moved` or `frozen` of a camera,
    /// `tamper`, `open`, `short`, `power` or `comms` of a sensor,
    /// `inference_failed`, `disk_low`, `retention_short`, `model_replaced`, `outbox_damaged` or `events_dropped` of a
    /// device.
    pub cause: Option<String>,
    /// In words for a technician.
    pub detail: Option<String>,
    /// How far it got: `began`, `updated` or `ended`.
    #[schema(value_type = String)]
    pub phase: Phase,
    /// When it began, by the edge's clock.
    #[schema(value_type = String, format = DateTime)]
    pub began: Timestamp,
    /// Its latest moment, by the edge's clock.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// When it ended, by the edge's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// When the hub first heard of it.
    #[schema(value_type = String, format = DateTime)]
    pub received: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// The event that began it, as far as known.
    #[schema(value_type = String, format = "ulid")]
    pub first_event: EventId,
    /// Where its picture is, once it came.
    pub snapshot: Option<String>,
    /// What it can show, in the order of its events: pictures, clips, released originals, come or not.
    pub evidence: Vec<AlertEvidence>,
}

/// What the edge's people call the places of an alarm.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// The camera.
    pub camera: Option<String>,
    /// The area.
    pub zone: Option<String>,
    /// The sensor.
    pub sensor: Option<String>,
}

impl Alert {
    /// The alarm with its labels and what it can show.
    pub fn new(alarm: Alarm, labels: Labels, received: Timestamp, evidence: Vec<AlertEvidence>) -> Self {
        Self {
            id: alarm.id,
            severity: alarm.severity,
            camera_label: labels.camera,
            zone_label: labels.zone,
            sensor_label: labels.sensor,
            phase: alarm.latest.phase,
            began: alarm.first.time,
            last: alarm.latest.time,
            ended: alarm.ended(),
            received,
            events: alarm.events,
            first_event: alarm.first.event,
            snapshot: alarm.snapshot.map(|moment| format!("/api/v1/events/{}/snapshot", moment.event)),
            detail: alarm.detail,
            edge: alarm.edge,
            kind: alarm.scene.kind,
            camera: alarm.scene.camera,
            zone: alarm.scene.zone,
            rule: alarm.scene.rule,
            sensor: alarm.scene.sensor,
            input: alarm.scene.input,
            object: alarm.scene.object,
            cause: alarm.scene.cause,
            direction: alarm.scene.direction,
            count: alarm.crowd.map(|crowd| crowd.count),
            limit: alarm.crowd.map(|crowd| crowd.limit),
            evidence,
        }
    }
}
