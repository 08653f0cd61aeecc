//! What an edge would send.

use gatepost_wire::event::{
    Alarm, EventData, ObjectClass, Phase, Region, Sighting, TrackNumber, ZoneIntrusion,
};
use gatepost_wire::evidence::{Original, Released};
use gatepost_wire::{
    AlarmId, BootId, CommandId, Event, EventId, Evidence, Happening, MediaType, Seq, Severity, Timestamp,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

pub fn boot() -> BootId {
    BootId::from_ulid(Ulid::generate())
}

pub fn alarm() -> AlarmId {
    AlarmId::from_ulid(Ulid::generate())
}

/// Someone on the lawn of `gate-1`, as an alarm of its own.
pub fn intrusion(boot: BootId, seq: u64) -> Event {
    intrusion_of("gate-1", boot, seq, alarm(), Phase::Began)
}

pub fn intrusion_of(edge: &str, boot: BootId, seq: u64, alarm: AlarmId, phase: Phase) -> Event {
    Event {
        id: EventId::from_ulid(Ulid::generate()),
        edge: edge.parse().unwrap(),
        boot,
        seq: Seq(seq),
        time: Timestamp::now(),
        data: EventData {
            severity: Severity::HIGH,
            happening: Happening::ZoneIntrusion(ZoneIntrusion {
                alarm: Alarm { id: alarm, phase },
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
    }
}

/// An event of `gate-1` that says this; `happening` has everything but the alarm.
pub fn happening(boot: BootId, seq: u64, alarm: AlarmId, phase: Phase, mut happening: Value) -> Event {
    happening["alarm"] = json!({ "id": alarm, "phase": phase });
    let mut event = intrusion_of("gate-1", boot, seq, alarm, phase);
    event.data.happening = serde_json::from_value(happening).unwrap();
    event
}

/// Bytes framed as a JPEG, different for each text.
pub fn picture(text: &str) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0", text.as_bytes(), b"\xff\xd9"].concat()
}

/// Bytes framed as an MP4, different for each text.
pub fn clip(text: &str) -> Vec<u8> {
    let part = |kind: &[u8; 4], body: &[u8]| {
        let size = u32::try_from(8 + body.len()).unwrap().to_be_bytes();
        [&size[..], kind, body].concat()
    };
    [part(b"ftyp", b"isom"), part(b"moov", b"index"), part(b"mdat", text.as_bytes())].concat()
}

/// Bytes that begin like an age file, different for each text.
pub fn encrypted(text: &str) -> Vec<u8> {
    format!("age-encryption.org/v1\n-> X25519 key\n--- {text}").into_bytes()
}

fn evidence(media_type: MediaType, bytes: &[u8]) -> Evidence {
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Evidence::covered(media_type, sha256, bytes.len() as u64)
}

/// The event names the picture.
pub fn with_evidence(mut event: Event, picture: &[u8]) -> Event {
    event.data.evidence.push(evidence(MediaType::Jpeg, picture));
    event
}

/// The event names the picture, of which the box keeps the original.
pub fn with_original_kept(event: Event, picture: &[u8]) -> Event {
    let mut event = with_evidence(event, picture);
    event.data.evidence[0].original = Some(Original::Kept);
    event
}

/// The event names the clip.
pub fn with_clip(mut event: Event, clip: &[u8]) -> Event {
    event.data.evidence.push(evidence(MediaType::Mp4, clip));
    event
}

/// The event names an original that a command released.
pub fn with_released(mut event: Event, original: &[u8], command: CommandId, until: Timestamp) -> Event {
    let released = Released { command, until, media_type: MediaType::Jpeg, extra: Default::default() };
    let evidence = evidence(MediaType::Age, original);
    event.data.evidence.push(Evidence { original: Some(Original::Released(released)), ..evidence });
    event
}

pub fn event_topic(event: &Event) -> String {
    format!("gp/v1/{}/event", event.edge)
}

pub fn evidence_topic(event: &Event) -> String {
    format!("gp/v1/{}/evidence/{}", event.edge, event.id)
}

/// What a box says of itself when it recorded `last` events in this boot.
pub fn health(edge: &str, boot: BootId, last: u64) -> String {
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
}

pub fn presence(edge: &str, boot: BootId, state: &str) -> String {
    json!({ "edge": edge, "boot": boot, "state": state }).to_string()
}
