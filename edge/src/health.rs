//! Health: what the box says of itself, put together now and then from what the rooms count.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_wire::arming::AreaHealth;
use gatepost_wire::health::{
    CameraFaultKind, CameraHealth, CameraState, CertificateHealth, Health, InferenceHealth, ModelFile,
    SensorIllness, SensorState, ZoneLabel,
};
use gatepost_wire::{BootId, EdgeId};

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::watch;

use crate::clip::Preroll;
use crate::clock::Clock;
use crate::config::{Camera, Config, Workers};
use crate::identity::{Identity, IdentityFile};
use crate::linked::LinkedCamera;
use crate::outbox::Delivery;
use crate::sensor::WatchedSensor;
use crate::source::{Attention, CameraGauge, Seen};
use crate::temperature;

/// What the detectors count, all together.
#[derive(Debug)]
pub struct InferenceGauge {
    workers: u32,
    runs: AtomicU64,
    inferring_us: AtomicU64,
    working_us: AtomicU64,
    failures: AtomicU64,
    failing: AtomicBool,
    durations: Histogram,
    taken: Mutex<Taken>,
}

/// What the detectors counted since the daemon started.
#[derive(Debug)]
pub struct InferenceCounts {
    /// Times of single runs, seconds.
    pub durations: Histogram,
    /// Runs that gave an error.
    pub failures: u64,
    /// Frames fail again and again.
    pub failing: bool,
    /// How many detectors there are.
    pub workers: u32,
}

/// When counts were taken last, and what came out.
#[derive(Debug, Default)]
struct Taken {
    at: Duration,
    model_file: Option<ModelFile>,
}

impl InferenceGauge {
    /// For so many detectors.
    pub fn new(workers: Workers) -> Self {
        Self {
            workers: workers.get() as u32,
            runs: 0.into(),
            inferring_us: 0.into(),
            working_us: 0.into(),
            failures: 0.into(),
            failing: false.into(),
            // 5 ms to 5 s.
            durations: Histogram::new(exponential_buckets(0.005, 2.0, 11)),
            taken: Mutex::default(),
        }
    }

    /// One run that took `took`.
    pub fn ran(&self, took: Duration) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.inferring_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
        self.durations.observe(took.as_secs_f64());
    }

    /// One run that gave an error.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Frames fail again and again, or no longer.
    pub fn failing_is(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// Everything that was done with one frame took `took`.
    pub fn worked(&self, took: Duration) {
        self.working_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// What was found of the model's file.
    pub fn model_file_is(&self, state: ModelFile) {
        self.lock().model_file = Some(state);
    }

    /// What was counted since the daemon started.
    pub fn counts(&self) -> InferenceCounts {
        InferenceCounts {
            durations: self.durations.clone(),
            failures: self.failures.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            workers: self.workers,
        }
    }

    /// What was counted since the last call, which was at most `now` ago.
    fn take(&self, model: &str, now: Duration) -> InferenceHealth {
        let mut taken = self.lock();
        let elapsed = now.saturating_sub(std::mem::replace(&mut taken.at, now));
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed) as f32;
        let (runs, inferring, working) = (take(&self.runs), take(&self.inferring_us), take(&self.working_us));
        let available = elapsed.as_micros() as f32 * self.workers as f32;
        InferenceHealth {
            model: model.to_owned(),
            mean_ms: (runs > 0.0).then(|| inferring / runs / 1000.0),
            failures: self.failures.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            // A look is counted when it ends, so a short time may seem more than full.
            load: (available > 0.0).then(|| (working / available).min(1.0)),
            workers: Some(self.workers),
            model_file: taken.model_file,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Fields are only assigned under the lock: nothing can be left half done.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A camera and what is counted of it.
pub struct WatchedCamera {
    /// Its configuration.
    pub camera: Camera,
    /// Its counters.
    pub gauge: Arc<CameraGauge>,
    /// How closely it is to be watched.
    pub attention: Arc<Attention>,
    /// What sensors want of it.
    pub linked: Arc<LinkedCamera>,
    /// Its last seconds.
    pub preroll: Arc<Preroll>,
}

/// Everything a report is made of.
pub struct HealthSource {
    /// Who.
    pub edge: EdgeId,
    /// Since which start.
    pub boot: BootId,
    /// Name of the model.
    pub model: String,
    /// Time.
    pub clock: Arc<Clock>,
    /// The cameras.
    pub cameras: Vec<WatchedCamera>,
    /// The sensors.
    pub sensors: Vec<WatchedSensor>,
    /// The detectors.
    pub inference: Arc<InferenceGauge>,
    /// The outbox.
    pub delivery: Delivery,
    /// The areas as they stand.
    pub areas: watch::Receiver<Vec<AreaHealth>>,
    /// Who the box is to its hub; it may not have enrolled.
    pub identity: IdentityFile,
}

impl HealthSource {
    /// What each camera does now, and in what ways it is ill.
    pub fn camera_states(&self) -> Vec<(CameraState, Vec<CameraFaultKind>)> {
        let state = |seen: Seen| {
            let kinds = seen.faults().into_iter().map(|illness| illness.fault).collect();
            (seen.state, kinds)
        };
        self.cameras.iter().map(|watched| state(watched.gauge.seen())).collect()
    }

    /// What each sensor says now, and what it is ill with.
    pub fn sensor_states(&self) -> Vec<(SensorState, Vec<SensorIllness>)> {
        self.sensors.iter().map(|watched| watched.gauge.standing()).collect()
    }

    /// A report of this moment, as JSON.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn report(&self, config: &Config) -> serde_json::Result<Vec<u8>> {
        let (uptime, time) = self.clock.now();
        // Read anew each time: it is renewed, and the box may be enrolled at any time. One that has none, or a damaged one, says so where it
        // needs it.
        let identity = self.identity.read().ok().filter(|_| config.uplink.broker.is_tls());
        let health = Health {
            edge: self.edge.clone(),
            time,
            boot: self.boot,
            uptime_ms: uptime.as_millis() as u64,
            version: env!("CARGO_PKG_VERSION").into(),
            recorded: self.delivery.recorded_by_boot(),
            outbox: self.delivery.health(),
            cameras: self.cameras.iter().map(camera_health).collect(),
            sensors: self.sensors.iter().map(|watched| watched.gauge.health(&watched.sensor)).collect(),
            areas: self.areas.borrow().clone(),
            inference: self.inference.take(&self.model, uptime),
            key: identity.as_ref().map(Identity::key_place),
            disk_free_bytes: disk_free_bytes(&config.data_dir),
            temperature_celsius: temperature::warmest().map(|celsius| celsius as f32),
            certificate: identity
                .map(|identity| CertificateHealth { from: identity.from(), until: identity.until() }),
            extra: Default::default(),
        };
        serde_json::to_vec(&health)
    }
}

/// Free space where `folder` is, bytes; 0 when even that cannot be found out.
pub fn disk_free_bytes(folder: &Path) -> u64 {
    fs4::available_space(folder).unwrap_or(0)
}

fn camera_health(watched: &WatchedCamera) -> CameraHealth {
    let WatchedCamera { camera, gauge, .. } = watched;
    let seen = gauge.seen();
    let label = |zone: &crate::config::Zone| {
        Some(ZoneLabel { zone: zone.id.clone(), label: zone.label.as_ref()?.as_str().to_owned() })
    };
    CameraHealth {
        camera: camera.id.clone(),
        label: camera.label.as_ref().map(|label| label.as_str().to_owned()),
        zones: camera.zones.iter().filter_map(label).collect(),
        last_frame: seen.last_frame(),
        faults: seen.faults(),
        state: seen.state,
        decoder: seen.decoder,
        frames_sampled: gauge.sampled.load(Ordering::Relaxed),
        frames_analysed: gauge.analysed.load(Ordering::Relaxed),
        attention: seen.attention,
        frames_still: gauge.still.load(Ordering::Relaxed),
        frames_dropped: gauge.dropped.load(Ordering::Relaxed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_the_share_of_the_time_all_detectors_had() {
        let gauge = InferenceGauge::new(Workers::try_from(2).unwrap());
        let at = Duration::from_secs;
        gauge.ran(Duration::from_millis(300));
        gauge.ran(Duration::from_millis(100));
        gauge.worked(Duration::from_millis(400));
        gauge.worked(Duration::from_millis(600));
        let health = gauge.take("m", at(2));
        assert_eq!((health.mean_ms, health.load, health.workers), (Some(200.0), Some(0.25), Some(2)));
        let rest = gauge.take("m", at(3));
        assert_eq!((rest.mean_ms, rest.load), (None, Some(0.0)), "every report tells of its own time");
        gauge.worked(at(9));
        assert_eq!(gauge.take("m", at(4)).load, Some(1.0));
        assert_eq!(gauge.take("m", at(4)).load, None, "no time, no share");
    }
}
