//! What a simulated edge sends.

use gatepost_wire::event::{
    Alarm, EventData, ObjectClass, Phase, Region, Sighting, TrackNumber, ZoneIntrusion,
};
use gatepost_wire::{AlarmId, BootId, Event, EventId, Happening, Seq, Severity, Timestamp};
use serde_json::json;
use ulid::Ulid;

/// Somebody on the lawn, as an alarm of its own.
pub fn alarm(edge: &str, boot: BootId, seq: u64) -> Vec<u8> {
    let event = Event {
        id: EventId::from_ulid(Ulid::generate()),
        edge: edge.parse().unwrap(),
        boot,
        seq: Seq(seq),
        time: Timestamp::now(),
        data: EventData {
            severity: Severity::HIGH,
            happening: Happening::ZoneIntrusion(ZoneIntrusion {
                alarm: Alarm { id: AlarmId::from_ulid(Ulid::generate()), phase: Phase::Began },
                camera: "east-gate".parse().unwrap(),
                rule: "lawn-closed".parse().unwrap(),
                zone: "lawn".parse().unwrap(),
                seen: Sighting {
                    object: ObjectClass::Person,
                    track: TrackNumber(7),
                    region: Region { left: 0.1, top: 0.2, right: 0.3, bottom: 0.4 },
                    score: 0.9,
                },
                dwell_ms: 2000,
                extra: Default::default(),
            }),
            fused: None,
            evidence: Vec::new(),
            extra: Default::default(),
        },
        extra: Default::default(),
    };
    event.to_json().unwrap()
}

/// A box that is well and recorded so many events.
pub fn health(edge: &str, boot: BootId, last: u64) -> Vec<u8> {
    json!({
        "edge": edge, "time": Timestamp::now(), "boot": boot, "uptime_ms": 1000, "version": "0.1.0",
        "recorded": [{ "boot": boot, "last": last }],
        "outbox": { "queued": 0, "disk_bytes": 0 },
        "cameras": [{
            "camera": "east-gate", "label": "东门", "zones": [{ "zone": "lawn", "label": "草坪" }],
            "state": { "name": "streaming" },
            "frames_sampled": 1, "frames_analysed": 1, "frames_dropped": 0,
        }],
        "inference": { "model": "test", "failures": 0 },
        "disk_free_bytes": 1,
    })
    .to_string()
    .into_bytes()
}
