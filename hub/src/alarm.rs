//! What the events of one alarm say together. Pure.
//!
//! Events come late, doubled and out of order, so merging is commutative and associative: whatever the order
//! of arrival, the alarm ends up the same. An alarm that ended stays ended.

use gatepost_wire::event::{Direction, InputKind, ObjectClass, Phase};
use gatepost_wire::{
    AlarmId, CameraId, EdgeId, Event, EventId, Happening, RuleId, SensorId, Severity, Timestamp, ZoneId,
};

/// One moment in the life of an alarm. Moments are ordered by phase first, because clocks may be wrong but an
/// end is never before a beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Began, updated or ended.
    pub phase: Phase,
    /// When the edge says it happened.
    pub time: Timestamp,
    /// The event that says so.
    pub event: EventId,
}

impl Moment {
    fn rank(&self) -> (u8, Timestamp, EventId) {
        let phase = match self.phase {
            Phase::Began => 0,
            Phase::Updated => 1,
            Phase::Ended => 2,
        };
        (phase, self.time, self.event)
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One alarm as far as its events have come.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its identity.
    pub id: AlarmId,
    /// Where it was born.
    pub edge: EdgeId,
    /// Kind and place, as its first moment says.
    pub scene: Scene,
    /// Words for a technician, as its latest moment says.
    pub detail: Option<String>,
    /// The most that were counted at once.
    pub crowd: Option<Crowd>,
    /// The gravest of its events.
    pub severity: Severity,
    /// How many events it has.
    pub events: u64,
    /// How it began, as far as known.
    pub first: Moment,
    /// How far it got.
    pub latest: Moment,
    /// The earliest moment of which a picture is here.
    pub snapshot: Option<Moment>,
}

/// How many were in an area at once, and how many may be. Ordered by the count first, so that the greatest keeps
/// the limit it was measured against, should the rule have changed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crowd {
    /// How many were counted.
    pub count: u32,
    /// How many are allowed.
    pub limit: u32,
}

/// What and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The event's kind.
    pub kind: String,
    /// The camera that saw it.
    pub camera: Option<CameraId>,
    /// The area or line of its picture.
    pub zone: Option<ZoneId>,
    /// The rule that decided it.
    pub rule: Option<RuleId>,
    /// What was seen.
    pub object: Option<ObjectClass>,
    /// Why, where the kind alone does not say it, e.g. `signal_lost`.
    pub cause: Option<String>,
    /// Which way over the line.
    pub direction: Option<Direction>,
    /// The sensor it comes from.
    pub sensor: Option<SensorId>,
    /// What that sensor senses.
    pub input: Option<InputKind>,
}

impl Alarm {
    /// The alarm as this one event tells it; none when the event belongs to no alarm.
    pub fn of(event: &Event) -> Option<Self> {
        let happening = &event.data.happening;
        let alarm = happening.alarm()?;
        let moment = Moment { phase: alarm.phase, time: event.time, event: event.id };
        let (cause, detail) = cause_and_detail(happening);
        Some(Self {
            id: alarm.id,
            edge: event.edge.clone(),
            scene: Scene {
                kind: happening.kind().to_owned(),
                camera: happening.camera(),
                zone: happening.zone(),
                rule: happening.rule(),
                object: happening.object(),
                cause: cause.map(str::to_owned),
                direction: direction(happening),
                sensor: happening.sensor(),
                input: happening.input(),
            },
            detail,
            crowd: crowd(happening),
            severity: event.data.severity,
            events: 1,
            first: moment,
            latest: moment,
            snapshot: None,
        })
    }

    /// Both together. Each event may be merged in once only: the caller deduplicates.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let scene = if self.first <= other.first { self.scene } else { other.scene };
        let detail = if self.latest >= other.latest { self.detail } else { other.detail };
        Self {
            id: self.id,
            edge: self.edge,
            scene,
            detail,
            crowd: self.crowd.max(other.crowd),
            severity: self.severity.min(other.severity),
            events: self.events + other.events,
            first: self.first.min(other.first),
            latest: self.latest.max(other.latest),
            snapshot: self.snapshot.into_iter().chain(other.snapshot).min(),
        }
    }

    /// The moment it ended, if it did.
    pub fn ended(&self) -> Option<Timestamp> {
        (self.latest.phase == Phase::Ended).then_some(self.latest.time)
    }
}

/// Why, where the kind alone does not say it, and the words for a technician.
fn cause_and_detail(happening: &Happening) -> (Option<&'static str>, Option<String>) {
    match happening {
        Happening::CameraTamper(tamper) => (Some(tamper.tamper.name()), Some(tamper.detail.clone())),
        Happening::SensorFault(fault) => (Some(fault.fault.name()), Some(fault.detail.clone())),
        Happening::DeviceFault(fault) => (Some(fault.fault.name()), Some(fault.detail.clone())),
        _ => (None, None),
    }
}

fn direction(happening: &Happening) -> Option<Direction> {
    match happening {
        Happening::LineCrossing(crossing) => Some(crossing.direction),
        _ => None,
    }
}

fn crowd(happening: &Happening) -> Option<Crowd> {
    match happening {
        Happening::Overcrowding(it) => Some(Crowd { count: it.count, limit: it.limit }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An event of one alarm as an edge would send it. Which kind it is depends on the number: no edge mixes kinds, but
    /// the order of arrival must not matter even then.
    fn event(number: u8, phase: &str, second: i64, severity: u8) -> Event {
        let alarm = serde_json::json!({ "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "phase": phase });
        let seen = serde_json::json!({
            "camera": "east-gate", "rule": "r", "object": "person", "track": number, "score": 0.9,
            "region": { "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4 },
        });
        let mut happening = match number % 4 {
            0 | 1 => serde_json::json!({
                "kind": "device_fault", "fault": "disk_low", "detail": format!("number {number}"),
            }),
            2 => serde_json::json!({
                "kind": "overcrowding", "camera": "yard", "rule": "r", "zone": "yard",
                "count": 10 + second, "limit": number,
            }),
            _ => serde_json::json!({
                "kind": "line_crossing", "line": "fence",
                "direction": if second % 2 == 0 { "left_to_right" } else { "right_to_left" },
            }),
        };
        if number % 4 == 3 {
            happening.as_object_mut().unwrap().extend(seen.as_object().unwrap().clone());
        }
        happening["alarm"] = alarm;
        let kind = happening["kind"].as_str().unwrap().to_owned();
        let id = format!("01ARZ3NDEKTSV4RRFFQ69G{number:04}");
        let json = serde_json::json!({
            "specversion": "1.0", "id": id, "source": "/gatepost/edge/gate-1",
            "type": format!("gatepost.event.v1.{kind}"),
            "time": Timestamp::from_second(second).unwrap().to_string(),
            "datacontenttype": "application/json",
            "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "sequence": "1",
            "data": { "severity": severity, "happening": happening },
        });
        Event::from_json(json.to_string().as_bytes()).unwrap()
    }

    fn alarm(number: u8, phase: &str, second: i64, severity: u8) -> Alarm {
        let mut alarm = Alarm::of(&event(number, phase, second, severity)).unwrap();
        if number.is_multiple_of(2) {
            alarm.snapshot = Some(alarm.first);
        }
        alarm
    }

    #[test]
    fn a_late_update_does_not_reopen_an_alarm() {
        let ended = alarm(1, "began", 10, 3).merge(alarm(5, "ended", 30, 3));
        let all = ended.merge(alarm(4, "updated", 40, 2));
        assert_eq!(all.latest.phase, Phase::Ended);
        assert_eq!(all.ended(), Some(Timestamp::from_second(30).unwrap()));
        assert_eq!(all.detail.as_deref(), Some("number 5"));
        assert_eq!(all.scene.cause, Some("disk_low".to_owned()));
        assert_eq!((all.events, all.severity), (3, Severity::HIGH));
    }

    #[test]
    fn the_greatest_crowd_counts_and_keeps_its_limit() {
        let (few, most, fewer) =
            (alarm(2, "began", 1, 3), alarm(6, "updated", 9, 3), alarm(10, "ended", 4, 3));
        let all = fewer.merge(few).merge(most);
        assert_eq!(all.crowd, Some(Crowd { count: 19, limit: 6 }));
        assert_eq!(all.ended(), Some(Timestamp::from_second(4).unwrap()));
    }

    #[test]
    fn a_crossing_ends_at_the_moment_it_begins() {
        let (began, ended) = (alarm(3, "began", 7, 3), alarm(7, "ended", 7, 3));
        let all = ended.clone().merge(began.clone());
        assert_eq!(all, began.merge(ended));
        assert_eq!((all.first.phase, all.latest.phase), (Phase::Began, Phase::Ended));
        assert_eq!(all.ended(), Some(all.first.time));
        assert_eq!(all.scene.zone.unwrap().as_str(), "fence");
        assert_eq!(all.scene.direction, Some(Direction::RightToLeft));
    }

    proptest! {
        #[test]
        fn order_of_arrival_does_not_matter(
            parts in prop::collection::vec((0usize..3, 0i64..5, 1u8..=4), 1..8),
            seed in any::<u64>(),
        ) {
            let alarms: Vec<Alarm> = parts
                .iter()
                .enumerate()
                .map(|(i, (phase, second, severity))| {
                    alarm(u8::try_from(i).unwrap(), ["began", "updated", "ended"][*phase], *second, *severity)
                })
                .collect();
            let together = |order: &[usize]| {
                order.iter().map(|i| alarms[*i].clone()).reduce(Alarm::merge).unwrap()
            };
            let straight: Vec<usize> = (0..alarms.len()).collect();
            let mut shuffled = straight.clone();
            let mut rng = fastrand::Rng::with_seed(seed);
            rng.shuffle(&mut shuffled);
            prop_assert_eq!(together(&straight), together(&shuffled));

            let split = rng.usize(0..alarms.len());
            if split > 0 {
                let grouped = together(&shuffled[..split]).merge(together(&shuffled[split..]));
                prop_assert_eq!(together(&straight), grouped);
            }
            let any_ended = parts.iter().any(|(phase, ..)| *phase == 2);
            prop_assert_eq!(together(&shuffled).ended().is_some(), any_ended);
        }
    }
}
