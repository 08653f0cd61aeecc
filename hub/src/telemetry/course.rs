//! How a box fared over a stretch of time, as it is told: a grid of equal steps, with nothing where the box said nothing.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::{BootId, CameraId, EdgeId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::sample::{Amount, BoxSample};
use super::standing::{Change, State};
use super::stretch::Stretch;

/// How a box fared. Every list has one entry for each step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "edge": "gate-1", "from": "2026-01-31T08:20:00Z", "until": "2026-01-31T08:30:00Z", "step_s": 300, "reports": [10, 0],
    "temperature_celsius": { "min": [48.2, null], "mean": [49.0, null], "max": [50.1, null] },
    "disk_free_bytes": { "min": [48300000000_u64, null], "mean": [48300000000_u64, null], "max": [48300000000_u64, null] },
    "queued": { "min": [0, null], "mean": [0.2, null], "max": [2, null] },
    "inference_ms": { "min": [80.1, null], "mean": [84.3, null], "max": [99.0, null] },
    "load": { "min": [0.3, null], "mean": [0.42, null], "max": [0.6, null] },
    "cameras": [{ "camera": "east-gate", "picture": [1, null], "frames_per_s": [5, null], "looked_at_per_s": [4.8, null] }],
    "changes": [{ "time": "2026-01-31T08:25:31Z", "camera": null, "state": "offline", "reason": null }],
    "standing": [
        { "time": "2026-01-31T08:25:31Z", "camera": null, "state": "offline", "reason": null },
        { "time": "2026-01-30T06:00:02Z", "camera": "east-gate", "state": "streaming", "reason": null },
    ],
}))]
pub struct DeviceHistory {
    /// The box.
    #[schema(value_type = String)]
    pub edge: EdgeId,
    /// When the first step begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When the last step ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// How long a step is, seconds.
    pub step_s: i64,
    /// Reports that came; 0 while the box was silent.
    pub reports: Vec<i64>,
    /// The warmest part of the box, °C, where its system knows.
    pub temperature_celsius: Course,
    /// Free space where the outbox lives.
    pub disk_free_bytes: Course,
    /// Messages that waited for the hub.
    pub queued: Course,
    /// Time of one look of the detector, milliseconds; nothing where it did not look.
    pub inference_ms: Course,
    /// Share of the time the detector was at work, 0 to 1.
    pub load: Course,
    /// Its cameras, by name.
    pub cameras: Vec<CameraCourse>,
    /// When box or cameras came, went or fell ill within this time; the latest 500.
    pub changes: Vec<StateChange>,
    /// How box and cameras stand now, and since when.
    pub standing: Vec<StateChange>,
}

/// Something measured. The mean of each step is that of all reports in it.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Course {
    /// The least in each step.
    #[schema(example = json!([48.2, null]))]
    pub min: Vec<Option<f64>>,
    /// On the average.
    #[schema(example = json!([49.0, null]))]
    pub mean: Vec<Option<f64>>,
    /// The greatest.
    #[schema(example = json!([50.1, null]))]
    pub max: Vec<Option<f64>>,
}

/// One camera.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct CameraCourse {
    /// Its name.
    #[schema(value_type = String, example = "east-gate")]
    pub camera: CameraId,
    /// Share of the reports in which there was a picture, 0 to 1.
    #[schema(example = json!([1, null]))]
    pub picture: Vec<Option<f64>>,
    /// Frames taken for analysis in a second; nothing where it cannot be told, after a silence in which the box was started anew.
    #[schema(example = json!([5, null]))]
    pub frames_per_s: Vec<Option<f64>>,
    /// Of them, those that something looked at.
    #[schema(example = json!([4.8, null]))]
    pub looked_at_per_s: Vec<Option<f64>>,
}

/// How a box or a camera stands from a moment on.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateChange {
    /// From when on, by the hub's clock.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// The camera; null for the box itself.
    #[schema(value_type = Option<String>, example = "east-gate")]
    pub camera: Option<CameraId>,
    /// How it stands.
    pub state: State,
    /// Why, in words for a technician, as the box said it.
    #[schema(example = "connected, but no key frame to begin with for 30 s")]
    pub reason: Option<String>,
}

impl From<Change> for StateChange {
    fn from(Change { camera, standing, .. }: Change) -> Self {
        Self { time: standing.since, camera, state: standing.state, reason: standing.reason }
    }
}

impl DeviceHistory {
    /// Of samples, in any order, that begin between [`Stretch::lead`] and [`Stretch::end`].
    pub fn new(
        edge: EdgeId,
        stretch: &Stretch,
        samples: &[(Timestamp, BoxSample)],
        changes: Vec<Change>,
        standing: Vec<Change>,
    ) -> Self {
        let gathered = stretch.gather(samples);
        let told = gathered.get(1..).unwrap_or_default();
        let course = |amount: fn(&BoxSample) -> &Amount, unit: f64| Course::new(told, amount, unit);
        Self {
            edge,
            from: stretch.start,
            until: stretch.end(),
            step_s: stretch.step_s,
            reports: told.iter().map(|step| step.as_ref().map_or(0, |sample| sample.reports)).collect(),
            temperature_celsius: course(|sample| &sample.temperature, 1000.0),
            disk_free_bytes: course(|sample| &sample.disk, 1.0),
            queued: course(|sample| &sample.queued, 1.0),
            inference_ms: course(|sample| &sample.inference, 1000.0),
            load: course(|sample| &sample.load, 1000.0),
            cameras: cameras(&gathered, stretch.step_s),
            changes: changes.into_iter().map(Into::into).collect(),
            standing: standing.into_iter().map(Into::into).collect(),
        }
    }
}

impl Course {
    fn new(steps: &[Option<BoxSample>], amount: fn(&BoxSample) -> &Amount, unit: f64) -> Self {
        let mut course = Self::default();
        for step in steps {
            let amount = step.as_ref().map(amount);
            let bounds = amount.and_then(|amount| amount.bounds);
            course.min.push(bounds.map(|(least, _)| rounded(least as f64 / unit)));
            course.mean.push(amount.and_then(Amount::mean).map(|mean| rounded(mean / unit)));
            course.max.push(bounds.map(|(_, most)| rounded(most as f64 / unit)));
        }
        course
    }
}

/// What a camera's counters stood at.
#[derive(Clone, Copy)]
struct Reading {
    boot: BootId,
    uptime_ms: i64,
    sampled: i64,
    looked_at: i64,
}

impl Reading {
    /// Frames in a second since an earlier one. Counters begin at 0 with each start of the daemon; if that was in these steps, they count
    /// from there.
    fn rates_since(&self, before: Option<Self>, step_s: i64) -> Option<(f64, f64)> {
        let from = match before {
            Some(before) if before.boot == self.boot => before,
            _ if self.uptime_ms <= 2 * step_s * 1000 => {
                Self { uptime_ms: 0, sampled: 0, looked_at: 0, ..*self }
            }
            _ => return None,
        };
        let seconds = self.uptime_ms.checked_sub(from.uptime_ms).filter(|ms| *ms > 0)? as f64 / 1000.0;
        let rate = |now: i64, then: i64| {
            let frames = now.checked_sub(then).filter(|frames| *frames >= 0)?;
            Some(rounded(frames as f64 / seconds))
        };
        Some((rate(self.sampled, from.sampled)?, rate(self.looked_at, from.looked_at)?))
    }
}

fn cameras(gathered: &[Option<BoxSample>], step_s: i64) -> Vec<CameraCourse> {
    let told = gathered.iter().skip(1).flatten();
    let names: BTreeSet<&CameraId> = told.flat_map(|sample| sample.cameras.keys()).collect();
    let mut before: BTreeMap<&CameraId, Reading> = BTreeMap::new();
    let mut courses: BTreeMap<&CameraId, CameraCourse> =
        names.iter().map(|name| (*name, empty(name))).collect();
    for (place, step) in gathered.iter().enumerate() {
        for (name, course) in &mut courses {
            let sample = step.as_ref().and_then(|step| Some((step, step.cameras.get(*name)?)));
            // Only the box's last report says of which start its counters are.
            let reading =
                sample.filter(|(step, camera)| camera.last == step.last).map(|(step, camera)| Reading {
                    boot: step.boot,
                    uptime_ms: step.uptime_ms,
                    sampled: camera.sampled,
                    looked_at: camera.looked_at,
                });
            let rates = reading.and_then(|reading| reading.rates_since(before.get(name).copied(), step_s));
            if let Some(reading) = reading {
                before.insert(name, reading);
            }
            if place == 0 {
                continue;
            }
            let picture =
                sample.map(|(_, camera)| rounded(camera.streaming as f64 / camera.reports.max(1) as f64));
            course.picture.push(picture);
            course.frames_per_s.push(rates.map(|(frames, _)| frames));
            course.looked_at_per_s.push(rates.map(|(_, looked_at)| looked_at));
        }
    }
    courses.into_values().collect()
}

fn empty(camera: &CameraId) -> CameraCourse {
    let (picture, frames_per_s, looked_at_per_s) = Default::default();
    CameraCourse { camera: camera.clone(), picture, frames_per_s, looked_at_per_s }
}

/// To thousandths: more is nothing anybody measured, and takes its room.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::sample::Width;
    use crate::telemetry::sample::tests::{BOOT, at, report};

    const AGAIN: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";

    fn sample(boot: &str, uptime_s: u64, second: i64) -> (Timestamp, BoxSample) {
        let health = report(boot, uptime_s, Some(41.5), &json!({ "name": "streaming" }));
        (Width::Fine.start_of(at(second)), BoxSample::of(&health, at(second)))
    }

    fn history(stretch: &Stretch, samples: &[(Timestamp, BoxSample)]) -> DeviceHistory {
        DeviceHistory::new("gate-1".parse().unwrap(), stretch, samples, Vec::new(), Vec::new())
    }

    #[test]
    fn silence_is_a_gap_and_rates_are_of_what_counters_came_to() {
        let stretch = Stretch::new(at(300), at(1800), at(1800)).unwrap();
        let samples = [
            sample(BOOT, 1000, 290),
            sample(BOOT, 1300, 590),
            sample(BOOT, 1900, 1190),
            sample(AGAIN, 100, 1400),
        ];
        let told = history(&stretch, &samples);
        assert_eq!(told.reports, [1, 0, 1, 1, 0]);
        let warm = Some(41.5);
        assert_eq!(told.temperature_celsius.mean, [warm, None, warm, warm, None]);
        assert_eq!(told.inference_ms.max, [Some(80.5), None, Some(80.5), Some(80.5), None]);
        assert_eq!(told.load.min[0], Some(0.25));
        let camera = &told.cameras[0];
        let (two, one) = (Some(2.0), Some(1.0));
        assert_eq!(camera.frames_per_s, [two, None, two, two, None]);
        assert_eq!(camera.looked_at_per_s, [one, None, one, one, None]);
        assert_eq!(camera.picture, [one, None, one, one, None]);
    }

    #[test]
    fn a_rate_that_cannot_be_told_is_not() {
        let stretch = Stretch::new(at(300), at(900), at(900)).unwrap();
        // Running for long, and nothing is known of before.
        let told = history(&stretch, &[sample(BOOT, 90_000, 400)]);
        assert_eq!(told.cameras[0].frames_per_s, [None, None]);
        // Another start, which began before all that is known.
        let told = history(&stretch, &[sample(BOOT, 1000, 100), sample(AGAIN, 90_000, 400)]);
        assert_eq!(told.cameras[0].frames_per_s, [None, None]);
        // A camera that is no longer there is not told of.
        assert!(history(&stretch, &[sample(BOOT, 1000, 100)]).cameras.is_empty());
    }

    #[test]
    fn long_steps_say_what_the_short_ones_in_them_say() {
        let now = at(3600 * 24 * 500);
        let stretch = Stretch::new(at(3600 * 24 * 100), now, now).unwrap();
        let first = stretch.start.as_second();
        let samples = [sample(BOOT, 3600, first + 10), sample(BOOT, 7200, first + 3610)];
        let told = history(&stretch, &samples);
        assert_eq!((told.reports[0], told.reports.len()), (2, stretch.steps));
        assert_eq!(told.disk_free_bytes.min[0], Some(1_000_000.0 - 7200.0));
        assert_eq!(told.disk_free_bytes.mean[0], Some(1_000_000.0 - 5400.0));
    }
}
