//! What the boxes of a district would have sent.

use gatepost_wire::event::{
    Alarm, EventData, ObjectClass, Phase, Region, Sighting, TrackNumber, ZoneIntrusion,
};
use gatepost_wire::{AlarmId, BootId, Event, EventId, Happening, Seq, Severity, Timestamp};
use jiff::SignedDuration;
use ulid::Ulid;

const BOXES: u64 = 200;
const CAMERAS: u64 = 4;
/// Longer than alarms of one place may lie apart and be one incident.
const BETWEEN: SignedDuration = SignedDuration::from_mins(6);

/// Boxes that take turns, each with alarms that begin and end.
pub struct District {
    boots: Vec<BootId>,
    began: Timestamp,
    told: u64,
    alarm: AlarmId,
}

impl Default for District {
    fn default() -> Self {
        let boots = (0..BOXES).map(|_| BootId::from_ulid(Ulid::generate())).collect();
        let began = "2026-01-01T00:00:00Z".parse().unwrap();
        Self { boots, began, told: 0, alarm: AlarmId::from_ulid(Ulid::generate()) }
    }
}

impl District {
    /// When so many events had been told.
    pub fn time(&self, events: u64) -> Timestamp {
        let rounds = events / 2 / (BOXES * CAMERAS);
        self.began + BETWEEN * i32::try_from(rounds).unwrap()
    }

    /// The next event, when the hub hears of it.
    pub fn next(&mut self) -> (Event, Timestamp) {
        let (alarm, is_end) = (self.told / 2, self.told % 2 == 1);
        self.told += 1;
        let (place, round) = (alarm % (BOXES * CAMERAS), alarm / (BOXES * CAMERAS));
        let (number, camera) = (place % BOXES, place / BOXES);
        if !is_end {
            self.alarm = AlarmId::from_ulid(Ulid::generate());
        }
        let of_box = (round * CAMERAS + camera) * 2 + u64::from(is_end);
        let rounds = i32::try_from(round).unwrap();
        let time = self.began + BETWEEN * rounds + SignedDuration::from_secs(i64::from(is_end) * 5);
        let phase = if is_end { Phase::Ended } else { Phase::Began };
        let happening = Happening::ZoneIntrusion(ZoneIntrusion {
            alarm: Alarm { id: self.alarm, phase },
            camera: format!("camera-{camera}").parse().unwrap(),
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
        });
        let severity = Severity::try_from(u8::try_from(alarm % 4).unwrap() + 1).unwrap();
        let event = Event {
            id: EventId::from_ulid(Ulid::generate()),
            edge: format!("box-{number}").parse().unwrap(),
            boot: self.boots[usize::try_from(number).unwrap()],
            seq: Seq(of_box + 1),
            time,
            data: EventData {
                severity,
                happening,
                fused: None,
                evidence: Vec::new(),
                extra: Default::default(),
            },
            extra: Default::default(),
        };
        (event, time + SignedDuration::from_millis(40))
    }
}
