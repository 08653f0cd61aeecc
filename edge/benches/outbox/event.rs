//! The same event for every store.

use gatepost_edge::outbox::Draft;
use gatepost_wire::event::{Alarm, DeviceFault, EventData, FaultKind, Happening, Phase};
use gatepost_wire::{AlarmId, BootId, EdgeId, Event, EventId, Seq, Severity, Timestamp};
use ulid::Ulid;

/// Roughly what an alarm with a label, a rule and a picture has as JSON.
pub const BYTES: usize = 1000;
/// JSON around the text that fills it up.
const AROUND: usize = 430;

/// So many events, none of which leaves an alarm open.
pub fn drafts(count: usize) -> Vec<Draft> {
    (0..count).map(|_| draft()).collect()
}

fn draft() -> Draft {
    let happening = Happening::DeviceFault(DeviceFault {
        alarm: Alarm { id: AlarmId::from_ulid(Ulid::generate()), phase: Phase::Ended },
        fault: FaultKind::DiskLow,
        detail: "x".repeat(BYTES - AROUND),
        extra: Default::default(),
    });
    Draft {
        id: EventId::from_ulid(Ulid::generate()),
        time: Timestamp::now(),
        data: EventData {
            severity: Severity::LOW,
            happening,
            evidence: Vec::new(),
            fused: None,
            extra: Default::default(),
        },
    }
}

/// As the outbox writes it.
pub fn json(draft: &Draft, boot: BootId, number: u64) -> Vec<u8> {
    let event = Event {
        id: draft.id,
        edge: edge(),
        boot,
        seq: Seq(number),
        time: draft.time,
        data: draft.data.clone(),
        extra: Default::default(),
    };
    event.to_json().unwrap()
}

pub fn edge() -> EdgeId {
    "gate-1".parse().unwrap()
}
