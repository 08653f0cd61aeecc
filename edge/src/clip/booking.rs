//! Which seconds of which camera become clips. Alarms of one camera that overlap share one, so that many alarms
//! are not many times the work. Pure: alarms and times in, bookings out.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_wire::event::EventData;
use gatepost_wire::{CameraId, EventId, Severity};

/// Alarms that one clip is sent with; each gets an event and the bytes once more.
const MOST_ALARMS: usize = 8;

/// An alarm that began.
#[derive(Debug, Clone, PartialEq)]
pub struct BegunAlarm {
    /// The event that told of it.
    pub event: EventId,
    /// What that event said.
    pub data: EventData,
    /// When, since the daemon's start.
    pub at: Duration,
}

/// Seconds of one camera that are to become a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Booking {
    /// The camera.
    pub camera: CameraId,
    /// First moment.
    pub from: Duration,
    /// Last moment.
    pub until: Duration,
    /// Whose clip it is; at least one.
    pub alarms: Vec<BegunAlarm>,
}

impl Booking {
    /// The gravest of its alarms.
    pub fn severity(&self) -> Severity {
        self.alarms.iter().map(|alarm| alarm.data.severity).min().unwrap_or(Severity::LOW)
    }
}

/// How much of a camera's time belongs to a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Time before an alarm.
    pub before: Duration,
    /// Time after it.
    pub after: Duration,
}

impl Span {
    /// A clip that several alarms share is no longer than this.
    pub fn longest(&self) -> Duration {
        2 * (self.before + self.after)
    }
}

/// What is booked and not yet over: at most one clip for each camera.
#[derive(Debug)]
pub struct Bookings {
    span: Span,
    open: BTreeMap<CameraId, Booking>,
}

impl Bookings {
    /// Nothing booked.
    pub fn new(span: Span) -> Self {
        Self { span, open: BTreeMap::new() }
    }

    /// Books the seconds around an alarm, or makes it share the clip its camera has already booked. False when that
    /// clip has as many alarms as it may have.
    pub fn book(&mut self, camera: CameraId, alarm: BegunAlarm) -> bool {
        let Span { before, after } = self.span;
        let until = alarm.at + after;
        let Some(booking) = self.open.get_mut(&camera) else {
            let from = alarm.at.saturating_sub(before);
            let booking = Booking { camera: camera.clone(), from, until, alarms: vec![alarm] };
            self.open.insert(camera, booking);
            return true;
        };
        if booking.alarms.len() >= MOST_ALARMS {
            return false;
        }
        booking.until = until.max(booking.until).min(booking.from + self.span.longest());
        booking.alarms.push(alarm);
        true
    }

    /// Takes out what is over at `now`.
    pub fn over(&mut self, now: Duration) -> Vec<Booking> {
        self.open.extract_if(.., |_, booking| booking.until <= now).map(|(_, booking)| booking).collect()
    }

    /// When the next one will be over.
    pub fn next_over(&self) -> Option<Duration> {
        self.open.values().map(|booking| booking.until).min()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use gatepost_wire::AlarmId;
    use gatepost_wire::event::{Alarm, Happening, Overcrowding, Phase};
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;

    pub fn begun(event: u128, severity: u8, at: Duration) -> BegunAlarm {
        let alarm = Alarm { id: AlarmId::from_ulid(Ulid(event)), phase: Phase::Began };
        let happening = Happening::Overcrowding(Overcrowding {
            alarm,
            camera: "gate".parse().unwrap(),
            rule: "full".parse().unwrap(),
            zone: "lawn".parse().unwrap(),
            count: 9,
            limit: 8,
            extra: Default::default(),
        });
        let severity = severity.try_into().unwrap();
        let data =
            EventData { severity, happening, evidence: Vec::new(), fused: None, extra: Default::default() };
        BegunAlarm { event: EventId::from_ulid(Ulid(event)), data, at }
    }

    const S: Duration = Duration::from_secs(1);
    const SPAN: Span = Span { before: Duration::from_secs(5), after: Duration::from_secs(10) };

    fn camera(name: &str) -> CameraId {
        name.parse().unwrap()
    }

    #[test]
    fn alarms_that_overlap_share_a_clip_and_cameras_do_not() {
        let mut bookings = Bookings::new(SPAN);
        assert!(bookings.book(camera("a"), begun(1, 3, 20 * S)));
        assert!(bookings.book(camera("a"), begun(2, 1, 24 * S)));
        assert!(bookings.book(camera("b"), begun(3, 2, 25 * S)));
        assert_eq!(bookings.next_over(), Some(34 * S));
        assert_eq!(bookings.over(33 * S), []);
        let over = bookings.over(34 * S);
        let [shared] = over.as_slice() else { panic!("{over:?}") };
        assert_eq!((shared.from, shared.until, shared.alarms.len()), (15 * S, 34 * S, 2));
        assert_eq!(shared.severity(), Severity::CRITICAL);
        assert!(bookings.book(camera("a"), begun(4, 3, 34 * S)), "the next one is a clip of its own");
        assert_eq!(bookings.over(60 * S).len(), 2);
        assert_eq!(bookings.next_over(), None);
    }

    proptest! {
        #[test]
        fn work_is_bounded_however_many_alarms_there_are(
            alarms in prop::collection::vec((0u32..8000, 0u8..2), 0..200),
        ) {
            let mut bookings = Bookings::new(SPAN);
            let (mut now, mut clips) = (Duration::ZERO, Vec::new());
            let mut last_end: BTreeMap<CameraId, Duration> = BTreeMap::new();
            for (number, (step, which)) in alarms.iter().enumerate() {
                now += Duration::from_millis(u64::from(*step));
                clips.extend(bookings.over(now));
                bookings.book(camera(if *which == 0 { "a" } else { "b" }), begun(number as u128, 2, now));
            }
            clips.extend(bookings.over(now + SPAN.longest()));
            for clip in clips {
                prop_assert!(clip.until - clip.from <= SPAN.longest());
                prop_assert!((1..=MOST_ALARMS).contains(&clip.alarms.len()));
                prop_assert!(clip.alarms.iter().all(|alarm| clip.from <= alarm.at && alarm.at <= clip.until));
                // Of no moment there are two clips but for the seconds before.
                let end = last_end.insert(clip.camera.clone(), clip.until).unwrap_or_default();
                prop_assert!(clip.from + SPAN.before >= end || end.is_zero());
            }
        }
    }
}
