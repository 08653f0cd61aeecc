//! How the box fares, as figures for Prometheus, and whether it is well. Each figure is listed in docs/METRICS.md.
//!
//! They are put together when somebody asks, of what the rooms count for health anyway. There is no figure of a person, and none
//! holds a name or a picture.

mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatepost_wire::health::{CameraState, SensorState};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use server::{ListenError, serve};

use crate::event::Recording;
use crate::health::{HealthSource, disk_free_bytes};
use crate::temperature;
use crate::uplink::Link;

/// What every name begins with.
const PREFIX: &str = "gatepost_edge";

type Labels<const N: usize> = [(&'static str, String); N];

/// What is looked at when somebody asks.
pub struct Metrics {
    /// What health is made of.
    pub health: Arc<HealthSource>,
    /// The way to the hub.
    pub link: Arc<Link>,
    /// Are events written?
    pub recording: Recording,
    /// Where the outbox lives.
    pub data_dir: PathBuf,
}

impl Metrics {
    /// All figures in the text format of OpenMetrics 1.0.
    ///
    /// # Errors
    /// When it cannot be written as text, which no figure is known to do.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix(PREFIX);
        self.show_box(&mut registry);
        self.show_outbox(&mut registry);
        self.show_cameras(&mut registry);
        self.show_detectors(&mut registry);
        self.show_sensors(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    /// Why it is not doing what it is there for; none when it is.
    pub fn illness(&self) -> Option<&'static str> {
        if self.recording.fails() {
            Some("events cannot be written: the disk is full or broken")
        } else if self.health.inference.counts().failing {
            Some("the detector fails again and again")
        } else {
            None
        }
    }

    fn show_box(&self, registry: &mut Registry) {
        let version =
            [("version", env!("CARGO_PKG_VERSION").to_owned()), ("model", self.health.model.clone())];
        registry.register("build", "The program and its model", Info::new(version));
        let (uptime, _) = self.health.clock.now();
        let help = "Time since the daemon started";
        registry.register_with_unit("uptime", help, Unit::Seconds, ConstGauge::new(uptime.as_secs_f64()));
        let free = gauge(disk_free_bytes(&self.data_dir));
        registry.register_with_unit("disk_free", "Free space where data_dir is", Unit::Bytes, free);
        let connected = gauge(self.link.is_connected().into());
        registry.register("uplink_connected", "1: connected to the hub's broker", connected);
        let temperatures = Family::<Labels<1>, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (zone, celsius) in temperature::zones() {
            temperatures.get_or_create(&[("zone", zone)]).set(celsius);
        }
        let help = "Temperature of a part of the box";
        registry.register_with_unit("temperature", help, Unit::Celsius, temperatures);
    }

    fn show_outbox(&self, registry: &mut Registry) {
        let outbox = self.health.delivery.health();
        registry.register(
            "outbox_messages",
            "Events and pictures the hub has not acknowledged",
            gauge(outbox.queued),
        );
        let help = "Size of the outbox on the disk";
        registry.register_with_unit("outbox_size", help, Unit::Bytes, gauge(outbox.disk_bytes));
        let up = gauge((!self.recording.fails()).into());
        registry.register("recording_up", "1: events are written to the disk", up);
    }

    fn show_cameras(&self, registry: &mut Registry) {
        let states = Family::<Labels<1>, Gauge>::default();
        for state in ["connecting", "streaming", "faulted"] {
            drop(states.get_or_create(&[("state", state.to_owned())]));
        }
        let frames = Family::<Labels<2>, Counter>::default();
        for watched in &self.health.cameras {
            let state = match watched.gauge.seen().state {
                CameraState::Connecting => "connecting",
                CameraState::Streaming => "streaming",
                CameraState::Faulted { .. } => "faulted",
            };
            states.get_or_create(&[("state", state.to_owned())]).inc();
            let gauge = &watched.gauge;
            for (fate, count) in [
                ("sampled", &gauge.sampled),
                ("analysed", &gauge.analysed),
                ("still", &gauge.still),
                ("dropped", &gauge.dropped),
            ] {
                let labels = [("camera", watched.camera.id.to_string()), ("fate", fate.to_owned())];
                frames.get_or_create(&labels).inc_by(count.load(Ordering::Relaxed));
            }
        }
        registry.register("cameras", "Cameras, by whether there is a picture", states);
        registry.register("camera_frames", "Decoded frames, by what became of each", frames);
    }

    fn show_detectors(&self, registry: &mut Registry) {
        let counts = self.health.inference.counts();
        let help = "Time of one run of the model";
        registry.register_with_unit("inference_duration", help, Unit::Seconds, counts.durations);
        let failures = ConstCounter::new(counts.failures);
        registry.register("inference_failures", "Runs of the model that gave an error", failures);
        let failing = gauge(counts.failing.into());
        registry.register("inference_failing", "1: frames of a camera fail again and again", failing);
        registry.register("inference_workers", "Frames looked at side by side", gauge(counts.workers.into()));
    }

    fn show_sensors(&self, registry: &mut Registry) {
        let states = Family::<Labels<1>, Gauge>::default();
        for state in ["unknown", "rest", "tripped"] {
            drop(states.get_or_create(&[("state", state.to_owned())]));
        }
        let (mut faulted, mut readings, mut errors) = (0, 0, 0);
        for watched in &self.health.sensors {
            let health = watched.gauge.health(&watched.sensor);
            let state = match health.state {
                SensorState::Unknown => "unknown",
                SensorState::Rest => "rest",
                SensorState::Tripped => "tripped",
            };
            states.get_or_create(&[("state", state.to_owned())]).inc();
            faulted += u64::from(!health.faults.is_empty());
            readings += health.readings;
            errors += health.errors;
        }
        registry.register("sensors", "Sensors, by what they say", states);
        registry.register("sensors_faulted", "Sensors that are ill", gauge(faulted));
        registry.register("sensor_readings", "Readings of all sensors", ConstCounter::new(readings));
        let help = "Readings of all sensors that failed or made no sense";
        registry.register("sensor_errors", help, ConstCounter::new(errors));
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
