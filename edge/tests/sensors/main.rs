//! Sensors of every kind, each against a peer that was not written here.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod adc;
mod burst;
mod modbus;
mod mqtt;
mod onvif;
mod serial;
#[path = "../support/mod.rs"]
mod support;
mod webhook;

use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::event::{Happening, Phase, SensorFaultKind};
use gatepost_wire::health::SensorHealth;
use gatepost_wire::{AlarmId, Event};
use support::listener::{Heard, Listener};
use support::site::Site;

/// A box without cameras, its broker, and whoever listens there.
struct Place {
    site: Site,
    _broker: Mosquitto,
    listener: Listener,
}

impl Place {
    fn new() -> Self {
        let broker = Mosquitto::start(&Options::default()).unwrap();
        let listener = Listener::start(broker.port());
        Self { site: Site::new(broker.port()), _broker: broker, listener }
    }

    fn table(mut self, toml: &str) -> Self {
        self.site = self.site.table(toml);
        self
    }

    /// Waits for an alarm of a sensor.
    fn wait_for_alarm(&self, sensor: &str, phase: Phase) -> Event {
        let what = format!("{phase:?} of an alarm of {sensor}");
        self.listener.wait(&what, |heard| alarms(heard, sensor, phase).last().cloned())
    }

    /// Waits until a sensor's health is as wanted.
    fn wait_for_health(&self, sensor: &str, wanted: impl Fn(&SensorHealth) -> bool) -> SensorHealth {
        let what = format!("the wanted health of {sensor}");
        self.listener.wait(&what, |heard| health(heard, sensor).filter(&wanted))
    }

    /// Waits for a fault of this kind that goes on and whose words contain `reason`.
    fn wait_for_fault(&self, sensor: &str, kind: SensorFaultKind, reason: &str) -> AlarmId {
        let what = format!("the fault {kind:?} of {sensor}, saying {reason:?}");
        self.listener.wait(&what, |heard| {
            let ended = faults(heard, sensor, kind, Phase::Ended);
            let goes_on = |id: &AlarmId| !ended.iter().any(|(ended, _)| ended == id);
            let mut began = faults(heard, sensor, kind, Phase::Began).into_iter();
            began.find(|(id, detail)| detail.contains(reason) && goes_on(id)).map(|(id, _)| id)
        })
    }

    /// Waits until a fault is over.
    fn wait_for_end(&self, sensor: &str, kind: SensorFaultKind, alarm: AlarmId) {
        let what = format!("the end of the fault {kind:?} of {sensor}");
        self.listener.wait(&what, |heard| {
            faults(heard, sensor, kind, Phase::Ended).iter().any(|(id, _)| *id == alarm).then_some(())
        });
    }
}

fn alarms(heard: &Heard, sensor: &str, phase: Phase) -> Vec<Event> {
    let alarms = heard.of("sensor_alarm", phase).into_iter();
    alarms.filter(|event| event.data.happening.sensor().unwrap().as_str() == sensor).collect()
}

fn faults(heard: &Heard, sensor: &str, kind: SensorFaultKind, phase: Phase) -> Vec<(AlarmId, String)> {
    let of_kind = |event: Event| match event.data.happening {
        Happening::SensorFault(it) if it.sensor.as_str() == sensor && it.fault == kind => {
            Some((it.alarm.id, it.detail))
        }
        _ => None,
    };
    heard.of("sensor_fault", phase).into_iter().filter_map(of_kind).collect()
}

fn health(heard: &Heard, sensor: &str) -> Option<SensorHealth> {
    heard.health.last()?.sensors.iter().find(|it| it.sensor.as_str() == sensor).cloned()
}
