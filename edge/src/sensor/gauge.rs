//! What health says of a sensor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_wire::Timestamp;
use gatepost_wire::health::{SensorHealth, SensorIllness, SensorState};

use super::watch::Watch;
use crate::config::Sensor;

/// Counters and the present state of one sensor.
#[derive(Debug)]
pub struct SensorGauge {
    readings: AtomicU64,
    errors: AtomicU64,
    seen: Mutex<SeenSensor>,
}

/// What is to be seen of a sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSensor {
    /// What it says.
    pub state: SensorState,
    /// What it is ill with, the gravest first.
    pub faults: Vec<SensorIllness>,
    last_seen: Option<Timestamp>,
}

impl Default for SensorGauge {
    fn default() -> Self {
        let seen = SeenSensor { state: SensorState::Unknown, faults: Vec::new(), last_seen: None };
        Self { readings: 0.into(), errors: 0.into(), seen: Mutex::new(seen) }
    }
}

impl SensorGauge {
    /// What is worth a report at once when it changes.
    pub fn standing(&self) -> (SensorState, Vec<SensorIllness>) {
        let seen = self.lock();
        (seen.state, seen.faults.clone())
    }

    /// As health tells it.
    pub fn health(&self, sensor: &Sensor) -> SensorHealth {
        let seen = self.lock().clone();
        SensorHealth {
            sensor: sensor.id.clone(),
            label: sensor.label.as_ref().map(|label| label.as_str().to_owned()),
            input: sensor.input,
            state: seen.state,
            faults: seen.faults,
            last_seen: seen.last_seen,
            readings: self.readings.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }

    /// A reading came, or failed.
    pub(super) fn count(&self, failed: bool) {
        self.readings.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(failed.into(), Ordering::Relaxed);
    }

    /// What its watch knows now.
    pub(super) fn follow(&self, watch: &Watch, heard: Option<Timestamp>) {
        let illness =
            |(fault, detail): (&_, &String)| SensorIllness { fault: *fault, detail: detail.clone() };
        let faults = watch.faults().iter().map(illness).collect();
        *self.lock() = SeenSensor { state: watch.state(), faults, last_seen: heard };
    }

    fn lock(&self) -> MutexGuard<'_, SeenSensor> {
        // It is replaced as a whole: nothing can be left half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
