//! Events: what the rooms before this one noticed becomes something with an identity that is written down.

mod happening;
mod judge;
mod record;
mod standing;

use std::collections::HashMap;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use gatepost_wire::command::{SetMode, Who, Why};
use gatepost_wire::event::{
    Alarm, CameraTamper, DeviceFault, EventData, FaultKind, Happening, Phase, Region, SensorAlarm,
    SensorFault, SensorFaultKind, TamperKind,
};
use gatepost_wire::{AlarmId, CameraId, EventId, RuleId, SensorId, Severity, Timestamp};
use ulid::Ulid;

use crate::arm::Refusal;
use crate::outbox::Draft;
use crate::rule::{AlarmNumber, Decision};
use crate::sensor::{self, Trip};
use crate::source::{Frame, SignalChange};
use crate::tamper;
pub use happening::happening;
pub use judge::Judge;
pub use record::{RecordThread, Recording, Reporter};

/// Something was noticed.
#[derive(Debug)]
pub enum Observation {
    /// A rule decided.
    Decision {
        /// By whom it was seen.
        camera: CameraId,
        /// When.
        time: Timestamp,
        /// The same moment since the daemon's start.
        at: Duration,
        /// What.
        decision: Decision,
        /// What it looked like.
        picture: Option<Box<Picture>>,
    },
    /// A camera's picture went or came.
    Signal {
        /// Which camera.
        camera: CameraId,
        /// When.
        time: Timestamp,
        /// What.
        change: SignalChange,
    },
    /// A camera stopped showing its scene, or shows it again.
    Tamper {
        /// Which camera.
        camera: CameraId,
        /// When.
        time: Timestamp,
        /// The same moment since the daemon's start.
        at: Duration,
        /// What.
        change: tamper::Change,
    },
    /// A sensor tripped, fell ill, or is at rest or well again.
    Sensor(Trip),
    /// A camera shows what was there when a sensor tripped.
    Snapshot {
        /// The sensor's alarm.
        alarm: AlarmId,
        /// When the frame was taken.
        time: Timestamp,
        /// What it looks like.
        picture: Box<Picture>,
    },
    /// A person wants an area in another mode.
    Order(ModeOrder),
    /// Nothing happened; time went on.
    Time,
    /// Something more is known of an alarm that began earlier: there is a clip of it.
    Addition {
        /// The event that tells of it; what it brings waits under this name.
        event: EventId,
        /// When it was ready.
        time: Timestamp,
        /// The alarm, and what it has more.
        data: EventData,
        /// Told once it is written down.
        recorded: Option<SyncSender<()>>,
    },
    /// The box itself fell ill (why), or is well again.
    Device {
        /// What is ill.
        fault: FaultKind,
        /// When.
        time: Timestamp,
        /// Why, in words for a technician; none when it is well again.
        detail: Option<String>,
    },
}

impl Observation {
    /// When it happened, since the daemon's start, where it says so.
    fn at(&self) -> Option<Duration> {
        match self {
            Self::Decision { at, .. } | Self::Tamper { at, .. } => Some(*at),
            Self::Sensor(trip) => Some(trip.at),
            Self::Signal { .. }
            | Self::Snapshot { .. }
            | Self::Order(_)
            | Self::Time
            | Self::Addition { .. }
            | Self::Device { .. } => None,
        }
    }

    /// Which camera saw it, and when, if its last seconds show something.
    fn shown_by(&self) -> Option<(&CameraId, Duration)> {
        match self {
            Self::Decision { camera, at, .. } | Self::Tamper { camera, at, .. } => Some((camera, *at)),
            _ => None,
        }
    }

    fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Decision { picture, .. } => picture.as_deref(),
            Self::Snapshot { picture, .. } => Some(picture),
            _ => None,
        }
    }
}

/// A person wants an area in another mode.
#[derive(Debug)]
pub struct ModeOrder {
    /// The area and the mode.
    pub order: SetMode,
    /// Who.
    pub who: Who,
    /// Why.
    pub why: Why,
    /// Gets the answer once what follows from it is on the disk.
    pub answer: SyncSender<Result<(), Refusal>>,
}

/// A frame, and where people are in it.
#[derive(Debug)]
pub struct Picture {
    /// The frame as the camera gave it.
    pub frame: Frame,
    /// What must be covered before it is kept.
    pub people: Vec<Region>,
}

/// What an alarm is known by until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Cause {
    Rule(CameraId, RuleId, AlarmNumber),
    Tamper(CameraId, TamperKind),
    Sensor(SensorId),
    SensorFault(SensorId, SensorFaultKind),
    Device(FaultKind),
}

/// Gives alarms and events their identities.
#[derive(Debug, Default)]
pub(crate) struct Births {
    open: HashMap<Cause, AlarmId>,
}

impl Births {
    /// The event an observation is; none when it ends what never began.
    fn draft(&mut self, observation: &Observation) -> Option<Draft> {
        let (time, severity, happening) = match observation {
            Observation::Decision { camera, time, decision, .. } => {
                let cause = Cause::Rule(camera.clone(), decision.rule.clone(), decision.alarm);
                let alarm = self.alarm(cause, decision.phase)?;
                (*time, decision.severity, happening(camera, &decision.finding, &decision.rule, alarm))
            }
            Observation::Signal { camera, time, change } => {
                let (phase, detail) = match change {
                    SignalChange::Lost(reason) => (Phase::Began, reason.clone()),
                    SignalChange::Back => (Phase::Ended, "the picture is back".into()),
                };
                let (severity, happening) = self.tamper(camera, TamperKind::SignalLost, phase, detail)?;
                (*time, severity, happening)
            }
            Observation::Tamper { camera, time, change, .. } => {
                let tamper::Change { kind, phase, detail } = change.clone();
                let (severity, happening) = self.tamper(camera, kind, phase, detail)?;
                (*time, severity, happening)
            }
            Observation::Sensor(trip) => (trip.time, trip.severity(), self.sensed(trip)?),
            Observation::Addition { .. }
            | Observation::Snapshot { .. }
            | Observation::Order(_)
            | Observation::Time => return None,
            Observation::Device { fault, time, detail } => {
                let cause = Cause::Device(*fault);
                let phase = match detail {
                    Some(_) if self.open.contains_key(&cause) => Phase::Updated,
                    Some(_) => Phase::Began,
                    None => Phase::Ended,
                };
                let alarm = self.alarm(cause, phase)?;
                let detail = detail.clone().unwrap_or_else(|| "it is well again".into());
                let device = DeviceFault { alarm, fault: *fault, detail, extra: Default::default() };
                (*time, Severity::MEDIUM, Happening::DeviceFault(device))
            }
        };
        let data =
            EventData { severity, happening, evidence: Vec::new(), fused: None, extra: Default::default() };
        Some(Draft { id: EventId::from_ulid(Ulid::generate()), time, data })
    }

    /// One alarm for each camera and kind.
    fn tamper(
        &mut self,
        camera: &CameraId,
        tamper: TamperKind,
        phase: Phase,
        detail: String,
    ) -> Option<(Severity, Happening)> {
        let alarm = self.alarm(Cause::Tamper(camera.clone(), tamper), phase)?;
        // Dirt and fog blur as well, and something is still to be seen.
        let severity = if tamper == TamperKind::Blurred { Severity::MEDIUM } else { Severity::HIGH };
        let camera = camera.clone();
        let tamper = CameraTamper { alarm, camera, tamper, detail, extra: Default::default() };
        Some((severity, Happening::CameraTamper(tamper)))
    }

    /// One alarm for each sensor, and one for each way in which it is ill.
    fn sensed(&mut self, trip: &Trip) -> Option<Happening> {
        let (sensor, input, area) = (trip.sensor.clone(), trip.input, trip.area.clone());
        let phase = trip.change.phase();
        let extra = Default::default();
        Some(match trip.change.clone() {
            sensor::Change::Tripped(measured) | sensor::Change::Rested(measured) => {
                let alarm = self.alarm(Cause::Sensor(sensor.clone()), phase)?;
                Happening::SensorAlarm(SensorAlarm { alarm, sensor, input, area, measured, extra })
            }
            sensor::Change::Ill(fault, detail) | sensor::Change::Well(fault, detail) => {
                let alarm = self.alarm(Cause::SensorFault(sensor.clone(), fault), phase)?;
                Happening::SensorFault(SensorFault { alarm, sensor, input, area, fault, detail, extra })
            }
        })
    }

    fn alarm(&mut self, cause: Cause, phase: Phase) -> Option<Alarm> {
        let id = match phase {
            Phase::Began => *self.open.entry(cause).or_insert_with(|| AlarmId::from_ulid(Ulid::generate())),
            Phase::Updated => *self.open.get(&cause)?,
            Phase::Ended => self.open.remove(&cause)?,
        };
        Some(Alarm { id, phase })
    }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::InputKind;

    use super::*;

    fn signal(change: SignalChange) -> Observation {
        Observation::Signal { camera: "gate".parse().unwrap(), time: Timestamp::now(), change }
    }

    #[test]
    fn an_alarm_keeps_its_identity_from_beginning_to_end() {
        let mut births = Births::default();
        let alarm = |draft: Option<Draft>| draft.unwrap().data.happening.alarm().unwrap();
        let began = alarm(births.draft(&signal(SignalChange::Lost("unplugged".into()))));
        let ended = alarm(births.draft(&signal(SignalChange::Back)));
        assert_eq!((began.phase, ended.phase), (Phase::Began, Phase::Ended));
        assert_eq!(began.id, ended.id);
        let again = alarm(births.draft(&signal(SignalChange::Lost("unplugged".into()))));
        assert_ne!(again.id, began.id);
    }

    #[test]
    fn each_kind_of_tampering_is_an_alarm_of_its_own() {
        let mut births = Births::default();
        let mut born = |kind, phase| {
            let change = tamper::Change { kind, phase, detail: "seen".into() };
            let camera = "gate".parse().unwrap();
            let draft = births.draft(&Observation::Tamper {
                camera,
                time: Timestamp::now(),
                at: Duration::ZERO,
                change,
            })?;
            Some((draft.data.happening.alarm()?.id, draft.data.severity))
        };
        let (covered, severity) = born(TamperKind::Covered, Phase::Began).unwrap();
        assert_eq!(severity, Severity::HIGH);
        let (blurred, severity) = born(TamperKind::Blurred, Phase::Began).unwrap();
        assert_eq!(severity, Severity::MEDIUM);
        assert_ne!(covered, blurred);
        assert_eq!(born(TamperKind::Moved, Phase::Ended), None);
        assert_eq!(born(TamperKind::Covered, Phase::Ended).unwrap().0, covered);
        assert_eq!(born(TamperKind::Blurred, Phase::Ended).unwrap().0, blurred);
    }

    #[test]
    fn an_illness_that_changes_goes_on() {
        let mut births = Births::default();
        let mut alarm = |detail: Option<&str>| {
            let (fault, detail) = (FaultKind::ModelReplaced, detail.map(str::to_owned));
            births
                .draft(&Observation::Device { fault, time: Timestamp::now(), detail })?
                .data
                .happening
                .alarm()
        };
        let phases = [alarm(Some("replaced")), alarm(Some("gone")), alarm(None)].map(Option::unwrap);
        assert_eq!(phases.map(|a| a.phase), [Phase::Began, Phase::Updated, Phase::Ended]);
        assert!(phases.iter().all(|a| a.id == phases[0].id));
        assert_eq!(alarm(None), None);
    }

    #[test]
    fn a_sensor_has_one_alarm_and_one_for_each_fault() {
        let mut births = Births::default();
        let mut born = |change: sensor::Change| {
            let trip = Trip {
                sensor: "fence-3".parse().unwrap(),
                input: InputKind::Fence,
                area: Some("north".parse().unwrap()),
                grade: Severity::CRITICAL,
                at: Duration::ZERO,
                time: Timestamp::now(),
                change,
            };
            let draft = births.draft(&Observation::Sensor(trip))?;
            assert_eq!(draft.data.happening.sensor().unwrap().as_str(), "fence-3");
            assert_eq!(draft.data.happening.area().unwrap().as_str(), "north");
            Some((draft.data.happening.alarm()?.id, draft.data.severity))
        };
        assert_eq!(born(sensor::Change::Rested(None)), None);
        let (tripped, severity) = born(sensor::Change::Tripped(None)).unwrap();
        assert_eq!(severity, Severity::CRITICAL);
        let (open, severity) = born(sensor::Change::Ill(SensorFaultKind::Open, "cut".into())).unwrap();
        assert_eq!(severity, Severity::HIGH);
        let (power, severity) = born(sensor::Change::Ill(SensorFaultKind::Power, "low".into())).unwrap();
        assert_eq!(severity, Severity::MEDIUM);
        assert!(tripped != open && open != power);
        assert_eq!(born(sensor::Change::Rested(None)).unwrap().0, tripped);
        assert_eq!(born(sensor::Change::Well(SensorFaultKind::Open, "whole".into())).unwrap().0, open);
    }

    #[test]
    fn the_end_of_nothing_is_no_event() {
        assert_eq!(Births::default().draft(&signal(SignalChange::Back)), None);
    }
}
