//! Sensors: fences, contacts, beams, smoke and water detectors. What each of them says becomes a [`Trip`].
//!
//! A line is a way to some of them, and has a task of its own: a bus cannot be asked by two at a time. What is heard on it
//! comes as signs of its sensors; a watch for each sensor says what they amount to.

mod desk;
mod gauge;
mod modbus;
mod sign;
mod supervise;
mod trip;
mod watch;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::{Config, Reach, Sensor};
use desk::{Attended, Desk, Report};
use modbus::Modbus;
use supervise::supervise;

pub use gauge::SensorGauge;
pub use trip::{Change, Trip};

/// A sensor and what is counted of it.
#[derive(Debug, Clone)]
pub struct WatchedSensor {
    /// Its configuration.
    pub sensor: Sensor,
    /// Its counters.
    pub gauge: Arc<SensorGauge>,
}

/// The tasks that listen to all sensors of a box; they end when this is dropped.
pub struct Sensors {
    lines: JoinSet<()>,
}

impl Sensors {
    /// Starts listening. `report` takes what the sensors say, and may wait.
    pub fn start(
        config: &Config,
        watched: &[WatchedSensor],
        clock: &Arc<Clock>,
        report: impl Fn(Trip) + Send + Sync + 'static,
    ) -> Self {
        let report: Report = Arc::new(report);
        let mut lines = JoinSet::new();
        for line in &config.modbus {
            let on_line = watched.iter().filter_map(|it| {
                let Reach::Modbus(point) = &it.sensor.reach;
                (point.line == line.id).then(|| (attended(config, it), point.clone()))
            });
            let (sensors, points): (Vec<_>, Vec<_>) = on_line.unzip();
            if sensors.is_empty() {
                continue;
            }
            let desk = Arc::new(Desk::new(sensors, Arc::clone(clock), Arc::clone(&report)));
            let (profiles, line, clock) = (config.profiles.clone(), line.clone(), Arc::clone(clock));
            let name = line.id.to_string();
            let make = move || Modbus::new(&line, &points, &profiles, Arc::clone(&clock));
            lines.spawn(supervise(name, make, desk));
        }
        Self { lines }
    }

    /// Stops listening.
    pub async fn close(mut self) {
        self.lines.shutdown().await;
    }
}

impl WatchedSensor {
    /// All sensors of a box, nothing being known of them.
    pub fn all(config: &Config) -> Vec<Self> {
        let watched = |sensor: &Sensor| Self { sensor: sensor.clone(), gauge: Arc::default() };
        config.sensors.iter().map(watched).collect()
    }
}

fn attended(config: &Config, watched: &WatchedSensor) -> Attended {
    let WatchedSensor { sensor, gauge } = watched.clone();
    let area = config.area_of(&sensor.id).cloned();
    Attended { sensor, area, gauge }
}
