//! What the boxes of a district would have sent, or a single camera that does not come to rest.

use gatepost_wire::event::{
    Alarm, EventData, ObjectClass, Phase, Region, Sighting, TrackNumber, ZoneIntrusion,
};
use gatepost_wire::{AlarmId, BootId, Event, EventId, Happening, Seq, Severity, Timestamp};
use jiff::SignedDuration;
use ulid::Ulid;

/// Cameras that take turns, each with alarms that begin and end.
pub struct District {
    boots: Vec<BootId>,
    /// The number in the name of the first box; the others go on from it.
    first: u64,
    cameras: u64,
    /// Between two alarms of a camera.
    between: SignedDuration,
    began: Timestamp,
    told: u64,
    alarm: AlarmId,
}

impl District {
    /// 200 boxes of four cameras, whose alarms lie too far apart to be one incident.
    pub fn of_boxes() -> Self {
        Self::new(0, 200, 4, SignedDuration::from_mins(6), "2026-01-01T00:00:00Z".parse().unwrap())
    }

    /// One of `box-77`, whose lists are asked for; its alarms chatter and are one incident for as long as it takes them. It began so long ago that the first million events end
    /// before today, and a tenth of them may be deleted.
    pub fn of_one_camera() -> Self {
        let began = Timestamp::now() - SignedDuration::from_hours(200 * 24);
        Self::new(77, 1, 1, SignedDuration::from_secs(30), began)
    }

    fn new(first: u64, boxes: u64, cameras: u64, between: SignedDuration, began: Timestamp) -> Self {
        let boots = (0..boxes).map(|_| BootId::from_ulid(Ulid::generate())).collect();
        Self { boots, first, cameras, between, began, told: 0, alarm: AlarmId::from_ulid(Ulid::generate()) }
    }

    fn boxes(&self) -> u64 {
        self.boots.len() as u64
    }

    /// When so many events had been told.
    pub fn time(&self, events: u64) -> Timestamp {
        let rounds = events / 2 / (self.boxes() * self.cameras);
        self.began + self.between * i32::try_from(rounds).unwrap()
    }

    /// The next event, when the hub hears of it.
    pub fn next(&mut self) -> (Event, Timestamp) {
        let (alarm, is_end) = (self.told / 2, self.told % 2 == 1);
        self.told += 1;
        let places = self.boxes() * self.cameras;
        let (place, round) = (alarm % places, alarm / places);
        let (index, camera) = (place % self.boxes(), place / self.boxes());
        let number = self.first + index;
        if !is_end {
            self.alarm = AlarmId::from_ulid(Ulid::generate());
        }
        let of_box = (round * self.cameras + camera) * 2 + u64::from(is_end);
        let rounds = i32::try_from(round).unwrap();
        let time = self.began + self.between * rounds + SignedDuration::from_secs(i64::from(is_end) * 5);
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
            boot: self.boots[usize::try_from(index).unwrap()],
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
