//! Health: what the box says of itself, put together now and then from what the rooms count.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost_wire::health::{CameraHealth, CameraState, Health, InferenceHealth, ZoneLabel};
use gatepost_wire::{BootId, EdgeId};

use crate::clock::Clock;
use crate::config::{Camera, Config};
use crate::outbox::{Delivery, OutboxError};
use crate::source::{Attention, CameraGauge};

/// What the detector's thread counts.
#[derive(Debug, Default)]
pub struct InferenceGauge {
    runs: AtomicU64,
    busy_us: AtomicU64,
    failures: AtomicU64,
}

impl InferenceGauge {
    /// One run that took `took`.
    pub fn ran(&self, took: Duration) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.busy_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// One run that gave an error.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Mean time of the runs since the last call.
    fn take_mean_ms(&self) -> Option<f32> {
        let (runs, busy) = (self.runs.swap(0, Ordering::Relaxed), self.busy_us.swap(0, Ordering::Relaxed));
        (runs > 0).then(|| busy as f32 / runs as f32 / 1000.0)
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
    /// The detector.
    pub inference: Arc<InferenceGauge>,
    /// The outbox.
    pub delivery: Delivery,
}

impl HealthSource {
    /// What each camera does now.
    pub fn camera_states(&self) -> Vec<CameraState> {
        self.cameras.iter().map(|watched| watched.gauge.seen().state).collect()
    }

    /// A report of this moment, as JSON.
    ///
    /// # Errors
    /// [`OutboxError`] when the outbox cannot be read.
    pub fn report(&self, config: &Config) -> Result<Vec<u8>, OutboxError> {
        let (uptime, time) = self.clock.now();
        let health = Health {
            edge: self.edge.clone(),
            time,
            boot: self.boot,
            uptime_ms: uptime.as_millis() as u64,
            version: env!("CARGO_PKG_VERSION").into(),
            recorded: self.delivery.recorded_by_boot()?,
            outbox: self.delivery.health(),
            cameras: self.cameras.iter().map(camera_health).collect(),
            inference: InferenceHealth {
                model: self.model.clone(),
                mean_ms: self.inference.take_mean_ms(),
                failures: self.inference.failures.load(Ordering::Relaxed),
                load: None,
            },
            disk_free_bytes: disk_free_bytes(&config.data_dir),
            extra: Default::default(),
        };
        Ok(serde_json::to_vec(&health)?)
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
        state: seen.state,
        decoder: seen.decoder,
        frames_sampled: gauge.sampled.load(Ordering::Relaxed),
        frames_analysed: gauge.analysed.load(Ordering::Relaxed),
        attention: seen.attention,
        frames_still: gauge.still.load(Ordering::Relaxed),
        frames_dropped: gauge.dropped.load(Ordering::Relaxed),
    }
}
