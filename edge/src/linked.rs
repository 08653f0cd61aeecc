//! Cameras that look closely when a sensor trips, and show what was there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gatepost_wire::arming::Input;
use gatepost_wire::event::Phase;
use gatepost_wire::{AlarmId, SensorId};

use crate::config::FusionRule;
use crate::outbox::Draft;
use crate::sensor::{Change, Trip};
use crate::source::Attention;

/// Alarms one camera still owes a picture. A storm of trips shows the same picture.
const OWED: usize = 16;

/// One camera: how closely it looks, and for which alarms its next picture is wanted.
#[derive(Debug)]
pub struct LinkedCamera {
    attention: Arc<Attention>,
    wanted: Mutex<Vec<AlarmId>>,
}

/// Which cameras a sensor wakes.
#[derive(Debug, Default)]
pub struct LinkedCameras {
    by_sensor: HashMap<SensorId, Vec<Arc<LinkedCamera>>>,
}

impl LinkedCamera {
    /// A camera of which nothing is wanted.
    pub fn new(attention: Arc<Attention>) -> Self {
        Self { attention, wanted: Mutex::default() }
    }

    /// The alarms of which the frame at hand is wanted.
    pub fn take_wanted(&self) -> Vec<AlarmId> {
        std::mem::take(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn want(&self, alarm: AlarmId) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() < OWED {
            wanted.push(alarm);
        }
    }
}

impl LinkedCameras {
    /// The links of fusion rules; `cameras` gives the camera of a name.
    pub fn new(
        rules: &[FusionRule],
        cameras: impl Fn(&gatepost_wire::CameraId) -> Option<Arc<LinkedCamera>>,
    ) -> Self {
        let mut by_sensor: HashMap<SensorId, Vec<Arc<LinkedCamera>>> = HashMap::new();
        for rule in rules {
            let woken: Vec<Arc<LinkedCamera>> = rule.woken().iter().filter_map(&cameras).collect();
            for input in rule.parts.iter().flat_map(|part| &part.any) {
                let Input::Sensor { sensor } = &input.0 else { continue };
                let linked = by_sensor.entry(sensor.clone()).or_default();
                for camera in &woken {
                    if !linked.iter().any(|known| Arc::ptr_eq(known, camera)) {
                        linked.push(Arc::clone(camera));
                    }
                }
            }
        }
        Self { by_sensor }
    }

    /// Wakes the cameras of a sensor that tripped.
    pub fn wake(&self, trip: &Trip) {
        if matches!(trip.change, Change::Tripped(_)) {
            for camera in self.by_sensor.get(&trip.sensor).into_iter().flatten() {
                camera.attention.wake(trip.at);
            }
        }
    }

    /// Wants a picture of each camera of a sensor whose alarm began.
    pub fn want_pictures(&self, trip: &Trip, began: &Draft) {
        let alarm = began.data.happening.alarm().filter(|alarm| alarm.phase == Phase::Began);
        let Some(alarm) = alarm.filter(|_| matches!(trip.change, Change::Tripped(_))) else { return };
        for camera in self.by_sensor.get(&trip.sensor).into_iter().flatten() {
            camera.want(alarm.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatepost_wire::event::InputKind;
    use gatepost_wire::{Severity, Timestamp};

    use super::*;

    #[test]
    fn a_trip_wakes_the_cameras_of_its_rules_and_no_other() {
        let rule = |sensor: &str| -> FusionRule {
            toml::from_str(&format!(
                "id = 'f'\nseverity = 1\npart = [{{ any = [{{ sensor = '{sensor}' }}] }}, \
                 {{ any = [{{ camera = 'east' }}] }}]"
            ))
            .unwrap()
        };
        let second = Duration::from_secs(1);
        let attention = Arc::new(Attention::new(second));
        let east = Arc::new(LinkedCamera::new(Arc::clone(&attention)));
        let cameras = |id: &gatepost_wire::CameraId| (id.as_str() == "east").then(|| Arc::clone(&east));
        let linked = LinkedCameras::new(&[rule("fence-1"), rule("fence-1"), rule("fence-2")], cameras);
        let trip = |sensor: &str, change: Change| Trip {
            sensor: sensor.parse().unwrap(),
            input: InputKind::Fence,
            area: None,
            grade: Severity::HIGH,
            at: 10 * second,
            time: Timestamp::now(),
            change,
        };
        linked.wake(&trip("door", Change::Tripped(None)));
        linked.wake(&trip("fence-1", Change::Rested(None)));
        assert!(!attention.is_awake(10 * second));
        linked.wake(&trip("fence-1", Change::Tripped(None)));
        assert!(attention.is_awake(10 * second) && !attention.is_awake(12 * second));
        assert_eq!(linked.by_sensor[&"fence-1".parse().unwrap()].len(), 1, "once, however many rules");
    }
}
