//! Sensors: fences, contacts, beams, smoke and water detectors. What each of them says becomes a [`Trip`].
//!
//! A line is a way to some of them, and has a task of its own: a bus cannot be asked by two at a time. What is heard on it
//! comes as signs of its sensors; a watch for each sensor says what they amount to.

mod adc;
mod desk;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gauge;
mod gpio;
mod message;
mod modbus;
mod mqtt;
mod onvif;
mod sign;
mod supervise;
mod trip;
mod watch;
mod webhook;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::{Config, Reach, Sensor};
use adc::Adc;
use desk::{Attended, Desk, Report};
use gpio::{Chip, Gpio};
use modbus::Modbus;
use mqtt::Mqtt;
use onvif::Onvif;
use sign::Line;
use supervise::supervise;
use webhook::Webhook;

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
        let mut this = Self { lines: JoinSet::new() };
        let desk = |sensors| Desk::new(sensors, Arc::clone(clock), Arc::clone(&report));
        for line in &config.modbus {
            let (sensors, points) = on_line(config, watched, |reach| match reach {
                Reach::Modbus(point) if point.line == line.id => Some(point.clone()),
                _ => None,
            });
            let (profiles, line, clock) = (config.profiles.clone(), line.clone(), Arc::clone(clock));
            let name = format!("modbus {}", line.id);
            let make = move || Modbus::new(&line, &points, &profiles, Arc::clone(&clock));
            this.listen(name, desk(sensors), make);
        }
        for broker in &config.mqtt {
            let (sensors, points) = on_line(config, watched, |reach| match reach {
                Reach::Mqtt(point) if point.broker == broker.id => Some(point.clone()),
                _ => None,
            });
            let name = format!("mqtt {}", broker.id);
            let client_id = format!("gatepost-{}-{}", config.edge, broker.id);
            let (broker, clock) = (broker.clone(), Arc::clone(clock));
            let make =
                move || Mqtt::new(broker.clone(), client_id.clone(), points.clone(), Arc::clone(&clock));
            this.listen(name, desk(sensors), make);
        }
        for device in &config.onvif {
            let (sensors, points) = on_line(config, watched, |reach| match reach {
                Reach::Onvif(point) if point.device == device.id => Some(point.clone()),
                _ => None,
            });
            let name = format!("onvif {}", device.id);
            let (device, clock) = (device.clone(), Arc::clone(clock));
            let make = move || Onvif::new(device.clone(), points.clone(), Arc::clone(&clock));
            this.listen(name, desk(sensors), make);
        }
        if let Some(webhook) = &config.webhook {
            let (sensors, points) = on_line(config, watched, |reach| match reach {
                Reach::Webhook(point) => Some(point.clone()),
                _ => None,
            });
            let ids = sensors.iter().map(|attended: &Attended| attended.sensor.id.clone());
            let points: Vec<_> = ids.zip(points).collect();
            let (webhook, clock) = (webhook.clone(), Arc::clone(clock));
            let make = move || Webhook::new(webhook.clone(), &points, Arc::clone(&clock));
            this.listen("webhook".into(), desk(sensors), make);
        }
        let chips = watched.iter().filter_map(|it| match &it.sensor.reach {
            Reach::Gpio(point) => Some(&point.chip),
            _ => None,
        });
        for chip in chips.collect::<BTreeSet<_>>() {
            let (sensors, points) = on_line(config, watched, |reach| match reach {
                Reach::Gpio(point) if point.chip == *chip => Some(point.clone()),
                _ => None,
            });
            let clock = Arc::clone(clock);
            let make = move || Gpio::<Chip>::new(points.clone(), Arc::clone(&clock));
            this.listen(format!("gpio {}", chip.display()), desk(sensors), make);
        }
        for it in watched {
            if let Reach::Adc(point) = &it.sensor.reach {
                let (point, clock) = (point.clone(), Arc::clone(clock));
                let make = move || Adc::new(point.clone(), Arc::clone(&clock));
                this.listen(format!("adc {}", it.sensor.id), desk(vec![attended(config, it)]), make);
            }
        }
        this
    }

    /// A line without sensors is not listened to.
    fn listen<L: Line>(&mut self, name: String, desk: Desk, make: impl Fn() -> L + Send + 'static) {
        if !desk.is_empty() {
            self.lines.spawn(supervise(name, make, Arc::new(desk)));
        }
    }

    /// Stops listening.
    pub async fn close(mut self) {
        self.lines.shutdown().await;
    }
}

/// Whether what sensors need besides the configuration is there, short of reaching them.
///
/// # Errors
/// What cannot be used, and where it stands.
pub fn check(config: &Config) -> anyhow::Result<()> {
    if let Some(webhook) = &config.webhook {
        Webhook::check(webhook)?;
    }
    Ok(())
}

impl WatchedSensor {
    /// All sensors of a box, nothing being known of them.
    pub fn all(config: &Config) -> Vec<Self> {
        let watched = |sensor: &Sensor| Self { sensor: sensor.clone(), gauge: Arc::default() };
        config.sensors.iter().map(watched).collect()
    }
}

/// The sensors of a line, and how it reaches each.
fn on_line<P>(
    config: &Config,
    watched: &[WatchedSensor],
    point: impl Fn(&Reach) -> Option<P>,
) -> (Vec<Attended>, Vec<P>) {
    watched.iter().filter_map(|it| Some((attended(config, it), point(&it.sensor.reach)?))).unzip()
}

fn attended(config: &Config, watched: &WatchedSensor) -> Attended {
    let WatchedSensor { sensor, gauge } = watched.clone();
    let area = config.area_of(&sensor.id).cloned();
    Attended { sensor, area, gauge }
}
