//! Where the signs of a line's sensors come together and become trips.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_wire::{AreaId, Severity};

use super::gauge::SensorGauge;
use super::sign::{Said, Sign};
use super::watch::{Terms, Watch};
use super::{Change, Trip};
use crate::clock::Clock;
use crate::config::Sensor;

/// Takes trips; may wait for a slow disk.
pub(super) type Report = Arc<dyn Fn(Trip) + Send + Sync>;

/// A sensor of a line.
#[derive(Debug, Clone)]
pub(super) struct Attended {
    pub sensor: Sensor,
    pub area: Option<AreaId>,
    pub gauge: Arc<SensorGauge>,
}

/// The sensors of one line.
pub(super) struct Desk {
    sensors: Vec<Attended>,
    watches: Mutex<Vec<Watch>>,
    clock: Arc<Clock>,
    report: Report,
}

impl Desk {
    pub fn new(sensors: Vec<Attended>, clock: Arc<Clock>, report: Report) -> Self {
        let terms = |sensor: &Sensor| Terms {
            patience: sensor.comms_after_s.span(),
            silent_after: sensor.silent_after(),
            rests_after: sensor.rests_after(),
        };
        let watches = sensors.iter().map(|it| Watch::new(terms(&it.sensor))).collect();
        Self { sensors, watches: Mutex::new(watches), clock, report }
    }

    /// Has it no sensors?
    pub fn is_empty(&self) -> bool {
        self.sensors.is_empty()
    }

    /// Takes signs; returns once what follows from them is handed on.
    pub async fn take(&self, signs: Vec<Sign>) {
        let mut trips = Vec::new();
        for Sign { sensor, at, said } in signs {
            let Some(attended) = self.sensors.get(sensor) else { continue };
            match said {
                Said::Reading(_) | Said::Kept(_) => attended.gauge.count(false),
                Said::Failed(_) => attended.gauge.count(true),
                Said::Linked | Said::Gone(_) | Said::Back => {}
            }
            let mut watches = self.lock();
            let Some(watch) = watches.get_mut(sensor) else { continue };
            trips.extend(self.trips(attended, watch.take(said, at), at));
            attended.gauge.follow(watch, watch.heard().map(|heard| self.clock.utc(heard)));
        }
        self.hand_on(trips).await;
    }

    /// Nothing is heard on the whole line.
    pub async fn fail(&self, reason: &str) {
        let (at, _) = self.clock.now();
        let failed = |sensor| Sign { sensor, at, said: Said::Failed(reason.to_owned()) };
        self.take((0..self.sensors.len()).map(failed).collect()).await;
    }

    /// Time goes on.
    pub async fn tick(&self) {
        let (at, _) = self.clock.now();
        let mut trips = Vec::new();
        for (attended, watch) in self.sensors.iter().zip(self.lock().iter_mut()) {
            let changes = watch.tick(at);
            if !changes.is_empty() {
                attended.gauge.follow(watch, watch.heard().map(|heard| self.clock.utc(heard)));
                trips.extend(self.trips(attended, changes, at));
            }
        }
        self.hand_on(trips).await;
    }

    fn trips(&self, attended: &Attended, changes: Vec<Change>, at: Duration) -> Vec<Trip> {
        let Attended { sensor, area, .. } = attended;
        let time = self.clock.utc(at);
        let trip = |change: Change| {
            tell(&change, sensor);
            let (id, area) = (sensor.id.clone(), area.clone());
            Trip { sensor: id, input: sensor.input, area, grade: sensor.severity, at, time, change }
        };
        changes.into_iter().map(trip).collect()
    }

    async fn hand_on(&self, mut trips: Vec<Trip>) {
        if trips.is_empty() {
            return;
        }
        trips.sort_by_key(urgency);
        let report = Arc::clone(&self.report);
        // Reporting may wait for a slow disk, and the runtime must not. A panic there is told by who panicked.
        let _ = tokio::task::spawn_blocking(move || trips.into_iter().for_each(|trip| report(trip))).await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Watch>> {
        // A watch that panicked knows at worst too little, and hears more with the next sign.
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes first where many come at once, as in a lightning strike. Those of one alarm stay in their order.
fn urgency(trip: &Trip) -> (Severity, bool) {
    let is_fault = matches!(trip.change, Change::Ill(..) | Change::Well(..));
    (trip.severity(), is_fault)
}

fn tell(change: &Change, sensor: &Sensor) {
    let sensor = &sensor.id;
    match change {
        Change::Tripped(_) => tracing::info!(%sensor, "it tripped"),
        Change::Rested(_) => tracing::info!(%sensor, "it is at rest"),
        Change::Ill(fault, detail) => tracing::warn!(%sensor, fault = fault.name(), "{detail}"),
        Change::Well(fault, detail) => tracing::info!(%sensor, fault = fault.name(), "{detail}"),
    }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::SensorFaultKind;

    use super::super::sign::Reading;
    use super::*;

    #[tokio::test]
    async fn the_gravest_comes_first_and_an_alarm_keeps_its_order() {
        let (told, heard) = std::sync::mpsc::channel();
        let sensor = |n: usize| {
            let severity = if n == 9 { 1 } else { 3 };
            let text = format!(
                "id = 's{n}'\ninput = 'contact'\nseverity = {severity}\ngpio = {{ chip = '/dev/gpiochip0', line = {n} }}"
            );
            Attended { sensor: toml::from_str(&text).unwrap(), area: None, gauge: Arc::default() }
        };
        let report: Report = Arc::new(move |trip: Trip| told.send(trip).unwrap());
        let desk = Desk::new((0..10).map(sensor).collect(), Arc::default(), report);
        let says = |sensor, tripped, ill: bool| {
            let faults = vec![(SensorFaultKind::Short, ill.then(|| "short".into()))];
            let reading = Reading { tripped: Some(tripped), measured: None, faults };
            Sign { sensor, at: Duration::from_secs(1), said: Said::Reading(reading) }
        };
        let signs =
            (0..10).flat_map(|n| [says(n, true, n == 4), says(n, false, false), says(n, true, false)]);
        desk.take(signs.collect()).await;
        drop(desk);
        let trips: Vec<Trip> = heard.iter().collect();
        assert!(trips[..3].iter().all(|trip| trip.sensor.as_str() == "s9"), "{trips:?}");
        assert!(
            trips[3..5].iter().all(|trip| trip.sensor.as_str() == "s4"),
            "a short circuit, then that it is over"
        );
        assert!(matches!(trips[3].change, Change::Ill(..)));
        for n in 0..10 {
            let of_it = trips.iter().filter(|trip| trip.sensor.as_str() == format!("s{n}"));
            let is_phase = |change: &&Change| !matches!(change, Change::Ill(..) | Change::Well(..));
            let phases: Vec<_> = of_it.map(|trip| &trip.change).filter(is_phase).collect();
            assert!(
                matches!(phases[..], [Change::Tripped(_), Change::Rested(_), Change::Tripped(_)]),
                "{phases:?}"
            );
        }
    }
}
