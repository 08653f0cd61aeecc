//! One device on a Modbus line: what it is asked for, and what its answers say of its sensors.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::DeviceFault;
use super::plan::{Block, blocks};
use super::value::{Answer, Value};
use crate::backoff::Backoff;
use crate::config::{Contact, PointId, Profile, ProfilePoint, RegisterId, UnitId};
use crate::sensor::sign::{Reading, Said};

/// A device that does not answer costs all others on its line the time it is waited for, so it is asked less and less
/// often, but no less than this.
const RETRY_LAST: Duration = Duration::from_secs(10);

/// What a request came to.
pub(super) type Outcome = Result<Answer, DeviceFault>;

/// A device.
pub(super) struct Device {
    pub unit: UnitId,
    pub blocks: Vec<Block>,
    /// When it is asked next.
    pub due: Instant,
    profile: Arc<Profile>,
    sensors: Vec<DeviceSensor>,
    backoff: Backoff,
}

/// A sensor of it.
pub(super) struct DeviceSensor {
    /// Its place among the sensors of the line.
    pub place: usize,
    pub point: PointId,
    pub contact: Contact,
}

impl Device {
    pub fn new(unit: UnitId, profile: Arc<Profile>, sensors: Vec<DeviceSensor>) -> Self {
        let points = sensors.iter().filter_map(|sensor| profile.point(&sensor.point));
        let registers = points.flat_map(ProfilePoint::registers).filter_map(|id| profile.register(id));
        let blocks = blocks(registers);
        let backoff = Backoff::new(profile.poll_ms.span(), RETRY_LAST.max(profile.poll_ms.span()));
        Self { unit, blocks, due: Instant::now(), profile, sensors, backoff }
    }

    /// What its answers, one for each block, say of its sensors.
    pub fn read(&self, outcomes: &[Outcome]) -> Vec<(usize, Said)> {
        self.sensors.iter().map(|sensor| (sensor.place, self.said(sensor, outcomes))).collect()
    }

    /// It did not answer at all.
    pub fn fail(&self, fault: &DeviceFault) -> Vec<(usize, Said)> {
        self.sensors.iter().map(|sensor| (sensor.place, Said::Failed(fault.to_string()))).collect()
    }

    /// It was asked at `asked`.
    pub fn was_asked(&mut self, asked: Instant, answered: bool) {
        let pause = if answered {
            self.backoff.reset();
            self.profile.poll_ms.span()
        } else {
            self.backoff.next_pause()
        };
        // What took longer than the pause is not caught up on.
        self.due = (asked + pause).max(Instant::now());
    }

    fn said(&self, sensor: &DeviceSensor, outcomes: &[Outcome]) -> Said {
        let Some(point) = self.profile.point(&sensor.point) else {
            return Said::Failed(format!("its profile has no point {:?}", sensor.point.as_str()));
        };
        match self.reading(point, sensor.contact, outcomes) {
            Ok(reading) => Said::Reading(reading),
            Err(reason) => Said::Failed(reason),
        }
    }

    fn reading(
        &self,
        point: &ProfilePoint,
        contact: Contact,
        outcomes: &[Outcome],
    ) -> Result<Reading, String> {
        let alarm = self.value(&point.alarm.register, outcomes)?.satisfies(&point.alarm);
        let mut faults: Vec<(_, Option<String>)> = Vec::new();
        for fault in &point.faults {
            let is_ill = self.value(&fault.when.register, outcomes)?.satisfies(&fault.when);
            let detail = is_ill.then(|| fault.detail.as_str().to_owned());
            // Several conditions may mean the same kind of illness: one is enough.
            match faults.iter_mut().find(|(kind, _)| *kind == fault.kind) {
                Some((_, told)) => *told = told.take().or(detail),
                None => faults.push((fault.kind, detail)),
            }
        }
        let measured = match &point.measure {
            Some(id) => {
                let value = self.value(id, outcomes)?;
                self.profile.register(id).and_then(|register| value.measurement(register))
            }
            None => None,
        };
        let tripped = Some(alarm == (contact == Contact::NormallyOpen));
        Ok(Reading { tripped, measured, faults })
    }

    fn value(&self, id: &RegisterId, outcomes: &[Outcome]) -> Result<Value, String> {
        let unknown = || format!("its profile has no register {:?}", id.as_str());
        let register = self.profile.register(id).ok_or_else(unknown)?;
        let asked = self.blocks.iter().zip(outcomes);
        let place = asked.filter_map(|(block, outcome)| Some((block.place_of(register)?, outcome)));
        let (place, outcome) = place.into_iter().next().ok_or_else(unknown)?;
        let answer = outcome.as_ref().map_err(ToString::to_string)?;
        answer.value(register, place).ok_or_else(|| format!("register {:?} holds no number", id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::{Measurement, SensorFaultKind};

    use super::*;

    fn device(contact: Contact) -> Device {
        let profile: Profile = toml::from_str(
            "name = 'M'\nsource = 's'\n\
             [[register]]\nid = 'status'\ntable = 'input'\naddress = 0\n\
             [[register]]\nid = 'level'\ntable = 'input'\naddress = 9\nscale = 0.1\nunit = 'm'\n\
             [[point]]\nid = 'leak'\nalarm = { register = 'status', bit = 0 }\nmeasure = 'level'\n\
             [[point.fault]]\nkind = 'open'\nwhen = { register = 'status', bit = 1 }\ndetail = 'cut'\n\
             [[point.fault]]\nkind = 'open'\nwhen = { register = 'status', bit = 2 }\ndetail = 'off'\n",
        )
        .unwrap();
        let point = profile.points[0].id.clone();
        Device::new(UnitId::default(), Arc::new(profile), vec![DeviceSensor { place: 4, point, contact }])
    }

    fn words(words: [u16; 1]) -> Outcome {
        Ok(Answer::Words(words.to_vec()))
    }

    #[test]
    fn answers_become_readings() {
        let device = device(Contact::NormallyOpen);
        assert_eq!(device.blocks.len(), 2);
        let [(4, Said::Reading(reading))] = &device.read(&[words([0b101]), words([25])])[..] else {
            panic!()
        };
        assert_eq!(reading.tripped, Some(true));
        assert_eq!(reading.measured, Some(Measurement { value: 2.5, unit: "m".into() }));
        assert_eq!(reading.faults, [(SensorFaultKind::Open, Some("off".into()))], "one of two is enough");
    }

    #[test]
    fn a_closed_contact_trips_when_it_opens() {
        let device = device(Contact::NormallyClosed);
        let tripped = |status| match &device.read(&[words([status]), words([0])])[..] {
            [(_, Said::Reading(reading))] => reading.tripped,
            other => panic!("{other:?}"),
        };
        assert_eq!((tripped(1), tripped(0)), (Some(false), Some(true)));
    }

    #[test]
    fn a_refused_request_is_a_failure_of_whoever_needs_it() {
        let device = device(Contact::NormallyOpen);
        let refused = DeviceFault::Refused { block: device.blocks[1], why: "Illegal data address".into() };
        let said = device.read(&[words([1]), Err(refused)]);
        let [(4, Said::Failed(reason))] = &said[..] else { panic!("{said:?}") };
        assert!(reason.contains("Illegal data address"), "{reason}");
    }
}
