//! What the reports of one stretch of time say together. Merging is commutative and associative, so it does not matter which hub heard
//! which report, or what is merged first.

use std::collections::BTreeMap;

use gatepost_wire::health::{CameraHealth, CameraState};
use gatepost_wire::{BootId, CameraId, Health, Timestamp};

/// Greater amounts are no real ones. A hundred TB, so that the sum of an hour's reports fits into 63 bits.
const MOST: i64 = 100_000_000_000_000;

/// More reports of one box within five minutes are not counted: none says so much, and sums stay small.
const MOST_REPORTS: i64 = 1000;

/// More cameras of one box are not followed.
const MOST_CAMERAS: usize = 128;

/// How long a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// Five minutes, kept for three days.
    Fine,
    /// An hour, kept for as long as configured.
    Coarse,
}

impl Width {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fine, Self::Coarse];

    /// In seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Fine => 300,
            Self::Coarse => 3600,
        }
    }

    /// When the stretch that a moment is in began.
    pub fn start_of(self, time: Timestamp) -> Timestamp {
        floor(time, self.seconds())
    }
}

/// The last moment not after this one that is a whole number of steps after 1970.
pub(super) fn floor(time: Timestamp, step_s: i64) -> Timestamp {
    let second = time.as_nanosecond().div_euclid(1_000_000_000);
    let start = second.div_euclid(i128::from(step_s)) * i128::from(step_s);
    // Of times that jiff can hold only the very first has none before it.
    i64::try_from(start).ok().and_then(|start| Timestamp::from_second(start).ok()).unwrap_or(time)
}

/// Something measured several times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How often.
    pub count: i64,
    /// Of all of them.
    pub sum: i64,
    /// The least and the greatest; none when it was never measured.
    pub bounds: Option<(i64, i64)>,
}

impl Amount {
    /// Measured once, or not at all.
    pub fn of(measured: Option<i64>) -> Self {
        let Some(value) = measured.map(|value| value.clamp(-MOST, MOST)) else { return Self::default() };
        Self { count: 1, sum: value, bounds: Some((value, value)) }
    }

    fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.bounds = match (self.bounds, other.bounds) {
            (Some((least, most)), Some((low, high))) => Some((least.min(low), most.max(high))),
            (one, other) => one.or(other),
        };
    }

    /// On the average.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxSample {
    /// How many there were.
    pub reports: i64,
    /// When the last one came.
    pub last: Timestamp,
    /// The start of the daemon that the last one is of.
    pub boot: BootId,
    /// Since that start, milliseconds.
    pub uptime_ms: i64,
    /// The warmest part, thousandths of a degree Celsius.
    pub temperature: Amount,
    /// Mean time of one look of the detector, microseconds.
    pub inference: Amount,
    /// Share of the time the detector was at work, thousandths.
    pub load: Amount,
    /// Messages that waited for the hub.
    pub queued: Amount,
    /// Free bytes of the disk.
    pub disk: Amount,
    /// Its cameras.
    pub cameras: BTreeMap<CameraId, CameraSample>,
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraSample {
    /// How many reports told of it.
    pub reports: i64,
    /// In how many of them there was a picture.
    pub streaming: i64,
    /// When the last one came.
    pub last: Timestamp,
    /// Frames taken for analysis since the start of the daemon, as the last one has them.
    pub sampled: i64,
    /// Of them, those that something looked at, if only to see that nothing moved.
    pub looked_at: i64,
}

impl BoxSample {
    /// One report, that came then.
    pub fn of(health: &Health, received: Timestamp) -> Self {
        let thousandths = |value: f32| (f64::from(value) * 1000.0).round() as i64;
        let cameras = health.cameras.iter().take(MOST_CAMERAS);
        Self {
            reports: 1,
            last: received,
            boot: health.boot,
            uptime_ms: whole(health.uptime_ms),
            temperature: Amount::of(health.temperature_celsius.map(thousandths)),
            inference: Amount::of(health.inference.mean_ms.map(thousandths)),
            load: Amount::of(health.inference.load.map(thousandths)),
            queued: Amount::of(Some(whole(health.outbox.queued))),
            disk: Amount::of(Some(whole(health.disk_free_bytes))),
            cameras: cameras
                .map(|camera| (camera.camera.clone(), CameraSample::of(camera, received)))
                .collect(),
        }
    }

    /// Adds what others say of the same stretch.
    pub fn merge(&mut self, other: &Self) {
        // Of two that came in the same moment one has to win wherever they are merged.
        if (other.last, other.boot, other.uptime_ms) > (self.last, self.boot, self.uptime_ms) {
            (self.last, self.boot, self.uptime_ms) = (other.last, other.boot, other.uptime_ms);
        }
        self.reports = self.reports.saturating_add(other.reports);
        self.temperature.merge(&other.temperature);
        self.inference.merge(&other.inference);
        self.load.merge(&other.load);
        self.queued.merge(&other.queued);
        self.disk.merge(&other.disk);
        for (camera, sample) in &other.cameras {
            match self.cameras.get_mut(camera) {
                Some(known) => known.merge(sample),
                None => drop(self.cameras.insert(camera.clone(), sample.clone())),
            }
        }
    }

    /// Are there so many reports that more would say nothing?
    pub(super) fn is_full(&self) -> bool {
        self.reports >= MOST_REPORTS
    }
}

impl CameraSample {
    fn of(camera: &CameraHealth, received: Timestamp) -> Self {
        Self {
            reports: 1,
            streaming: i64::from(camera.state == CameraState::Streaming),
            last: received,
            sampled: whole(camera.frames_sampled),
            looked_at: whole(camera.frames_analysed.saturating_add(camera.frames_still)),
        }
    }

    fn merge(&mut self, other: &Self) {
        if (other.last, other.sampled, other.looked_at) > (self.last, self.sampled, self.looked_at) {
            (self.last, self.sampled, self.looked_at) = (other.last, other.sampled, other.looked_at);
        }
        self.reports = self.reports.saturating_add(other.reports);
        self.streaming = self.streaming.saturating_add(other.streaming);
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    pub(crate) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A report of a box with one camera, which has taken two frames a second since the start and looked at half of them.
    pub(crate) fn report(
        boot: &str,
        uptime_s: u64,
        celsius: Option<f32>,
        state: &serde_json::Value,
    ) -> Health {
        let told = json!({
            "edge": "gate-1", "time": "2026-01-31T08:30:00Z", "boot": boot, "uptime_ms": uptime_s * 1000, "version": "0.1.0",
            "recorded": [], "outbox": { "queued": uptime_s % 7, "disk_bytes": 0 },
            "cameras": [{
                "camera": "east-gate", "state": state, "frames_sampled": uptime_s * 2, "frames_analysed": uptime_s, "frames_dropped": 0,
            }],
            "inference": { "model": "m", "failures": 0, "mean_ms": 80.5, "load": 0.25 },
            "disk_free_bytes": 1_000_000 - uptime_s,
        });
        Health { temperature_celsius: celsius, ..serde_json::from_value(told).unwrap() }
    }

    pub(crate) const BOOT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

    proptest! {
        #[test]
        fn it_does_not_matter_what_is_merged_first(
            reports in prop::collection::vec((0u64..500, prop::option::of(-40f32..120.0), any::<bool>()), 1..12),
            split in any::<prop::sample::Index>(),
        ) {
            let samples: Vec<BoxSample> = reports.iter().map(|(uptime, celsius, streams)| {
                let state = if *streams { json!({ "name": "streaming" }) } else { json!({ "name": "connecting" }) };
                BoxSample::of(&report(BOOT, *uptime, *celsius, &state), at(*uptime as i64 / 3))
            }).collect();
            let merged = |some: &[BoxSample]| {
                let (first, rest) = some.split_first()?;
                let mut all = first.clone();
                rest.iter().for_each(|one| all.merge(one));
                Some(all)
            };
            let in_order = merged(&samples).unwrap();
            let mut back = samples.clone();
            back.reverse();
            prop_assert_eq!(merged(&back).unwrap(), in_order.clone());
            let (left, right) = samples.split_at(split.index(samples.len()));
            if let (Some(mut left), Some(right)) = (merged(left), merged(right)) {
                left.merge(&right);
                prop_assert_eq!(left, in_order);
            }
        }
    }

    #[test]
    fn a_stretch_begins_at_a_whole_one() {
        assert_eq!(Width::Fine.start_of(at(1_000_000_123)), at(999_999_900));
        assert_eq!(Width::Coarse.start_of(at(3600)), at(3600));
        assert_eq!(Width::Coarse.start_of(at(-1)), at(-3600));
        assert_eq!(floor(Timestamp::MIN, 300), Timestamp::MIN);
    }

    #[test]
    fn what_is_beyond_any_real_amount_does_not_overflow() {
        let mut all = Amount::of(Some(i64::MAX));
        all.merge(&Amount::of(None));
        all.merge(&Amount::of(Some(i64::MIN)));
        assert_eq!((all.count, all.sum, all.bounds), (2, 0, Some((-MOST, MOST))));
        assert_eq!(Amount::of(None).mean(), None);
        assert!(MOST.checked_mul(MOST_REPORTS * 12 * 7).is_some(), "an hour of seven hubs is kept as a sum");
    }
}
