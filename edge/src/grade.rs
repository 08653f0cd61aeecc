//! What an alarm counts for: its area's mode and what confirms it, taken together. Pure: events in the making and time in,
//! events in the making out.
//!
//! Nothing is held back. An alarm that waits for the end of an entry delay, or for another that confirms it, is recorded
//! at once with the grade it has by then, and graded again by an event of the same alarm. The hub keeps the gravest.

mod alarms;
mod kept;

use std::collections::HashMap;
use std::time::Duration;

use gatepost_wire::arming::{AreaHealth, ArmingChanged, Cause, Input, Mode, Stage};
use gatepost_wire::command::SetMode;
use gatepost_wire::event::{EventData, Fused, FusedLink, Happening, Phase, TamperKind};
use gatepost_wire::{AlarmId, AreaId, EventId, Severity, Timestamp};
use ulid::Ulid;

use crate::arm::{Arming, Change, Elapsed, Refusal, Verdict, Waited};
use crate::config::{Calendar, Config};
use crate::fuse::{Begun, Fusion, Grade, Link};
use crate::outbox::Draft;
use alarms::{Alarms, Held, Standing};

pub use kept::Kept;

/// A moment by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the daemon's start, monotonic.
    pub at: Duration,
    /// UTC, which may be set forth and back.
    pub time: Timestamp,
}

/// Grades every alarm of a box.
pub struct Grader {
    arming: Arming,
    fusion: Fusion,
    alarms: Alarms,
    /// Alarms that wait for the end of an entry delay, the first of each input.
    waiting: HashMap<Input, kept::Waiting>,
    /// How many faults each input has.
    faults: HashMap<Input, usize>,
    labels: Vec<Option<String>>,
    is_unsaved: bool,
}

impl Grader {
    /// The areas and fusion rules of a box, as it was when it stopped; and what there is to tell of that.
    pub fn new(config: &Config, kept: Option<(Kept, Elapsed)>, now: Moment) -> (Self, Vec<Draft>) {
        let calendar: Calendar = config.calendar();
        let (kept, elapsed) = kept.unzip();
        let (areas, waiting) = kept.map(Kept::into_parts).unzip();
        let (arming, changes) = Arming::new(&config.areas, &calendar, areas.zip(elapsed), now.at, now.time);
        let label = |area: &crate::config::Area| area.label.as_ref().map(|it| it.as_str().to_owned());
        let mut this = Self {
            arming,
            fusion: Fusion::new(&config.fusion),
            alarms: Alarms::default(),
            waiting: waiting.unwrap_or_default(),
            faults: HashMap::new(),
            labels: config.areas.iter().map(label).collect(),
            is_unsaved: false,
        };
        let drafts = this.told(changes, now);
        (this, drafts)
    }

    /// Takes an event that was made of what happened at `at`. It comes out first, if it comes out.
    pub fn take(&mut self, draft: Draft, at: Duration, now: Moment) -> Vec<Draft> {
        let Some(alarm) = draft.data.happening.alarm() else { return vec![draft] };
        match alarm.phase {
            Phase::Began => self.begin(alarm.id, draft, at, now),
            Phase::Updated => self.alarms.update(alarm.id, draft).into_iter().collect(),
            Phase::Ended => self.end(alarm.id, draft, at, now),
        }
    }

    /// Carries out the order of a person.
    ///
    /// # Errors
    /// [`Refusal`] says why not; nothing has changed then.
    pub fn order(
        &mut self,
        order: &SetMode,
        who: &str,
        why: &str,
        now: Moment,
    ) -> Result<Vec<Draft>, Refusal> {
        let cause = Cause::Command { who: who.to_owned(), why: why.to_owned() };
        let change = self.arming.order(order, cause, now.at)?;
        Ok(self.told(vec![change], now))
    }

    /// Time goes on.
    pub fn tick(&mut self, now: Moment) -> Vec<Draft> {
        let changes = self.arming.tick(now.at, now.time);
        self.told(changes, now)
    }

    /// When the next delay is over.
    pub fn next_due(&self) -> Option<Duration> {
        self.arming.next_due()
    }

    /// More about an alarm: the event that tells of it, as the alarm stands; none when it is only counted or long over.
    pub fn addition(&self, alarm: AlarmId, time: Timestamp) -> Option<Draft> {
        self.alarms.addition(alarm, time)
    }

    /// What must be on the disk before what came out is, if anything changed.
    pub fn unsaved(&mut self, now: Moment) -> Option<Kept> {
        std::mem::take(&mut self.is_unsaved).then(|| Kept::new(self.arming.saved(now.at), &self.waiting))
    }

    /// The areas as they are, for health.
    pub fn areas(&self, now: Moment) -> Vec<AreaHealth> {
        let health = |(change, label): (Change, &Option<String>)| AreaHealth {
            area: change.area,
            label: label.clone(),
            mode: change.mode,
            stage: change.stage,
            until: change.until.map(|until| now.utc(until)),
            bypassed: change.bypassed,
            open: change.open,
            passed: change.passed,
        };
        self.arming.states().into_iter().zip(&self.labels).map(health).collect()
    }

    fn begin(&mut self, alarm: AlarmId, mut draft: Draft, at: Duration, now: Moment) -> Vec<Draft> {
        if let Some(ill) = illness(&draft.data.happening) {
            let mut drafts = self.fall_ill(&ill, at, now);
            drafts.insert(0, draft);
            return drafts;
        }
        let Some(input) = input_of(&draft.data.happening) else { return vec![draft] };
        let own = draft.data.severity;
        self.arming.set_open(&input, true);
        let (verdict, change) = self.arming.trip(&input, now.at);
        let mut regraded = Vec::new();
        let standing = match verdict {
            Verdict::Rests { record } => {
                draft.data.severity = Severity::LOW;
                if record { Standing::Rests } else { Standing::Silent }
            }
            Verdict::Counts | Verdict::Waits => {
                let begun = Begun { alarm, input: input.clone(), at, severity: own };
                let mut grades = self.fusion.begin(&begun, now.at).into_iter();
                let grade = grades.next();
                let worth = grade.as_ref().map_or(own, |grade| self.worth(grade));
                draft.data.fused = grade.and_then(|grade| fused(grade.link));
                regraded = grades.collect();
                if verdict == Verdict::Waits {
                    draft.data.severity = Severity::LOW;
                    self.wait(&input, &draft.data, worth);
                    Standing::Waits
                } else {
                    draft.data.severity = worth;
                    Standing::Counts
                }
            }
        };
        let held = Held {
            input,
            own,
            told: draft.data.severity,
            standing,
            data: EventData { evidence: Vec::new(), ..draft.data.clone() },
            ended: None,
        };
        self.alarms.begin(alarm, held);
        let mut drafts = if standing == Standing::Silent { Vec::new() } else { vec![draft] };
        drafts.extend(self.regraded(regraded, now));
        drafts.extend(self.told(change.into_iter().collect(), now));
        drafts
    }

    fn wait(&mut self, input: &Input, data: &EventData, worth: Severity) {
        let waiting = || kept::Waiting { data: EventData { evidence: Vec::new(), ..data.clone() }, worth };
        let first = self.waiting.entry(input.clone()).or_insert_with(waiting);
        first.worth = first.worth.min(worth);
        self.is_unsaved = true;
    }

    fn end(&mut self, alarm: AlarmId, draft: Draft, at: Duration, now: Moment) -> Vec<Draft> {
        if let Some(ill) = illness(&draft.data.happening) {
            return std::iter::once(draft).chain(self.get_well(&ill, at, now)).collect();
        }
        if let Some(input) = self.alarms.closed_by(alarm) {
            self.arming.set_open(&input, false);
        }
        let ended = self.alarms.end(alarm, draft);
        let grades = self.fusion.end(alarm, at);
        ended.into_iter().chain(self.regraded(grades, now)).collect()
    }

    fn regraded(&mut self, grades: impl IntoIterator<Item = Grade>, now: Moment) -> Vec<Draft> {
        grades.into_iter().filter_map(|grade| self.regrade(grade, now)).collect()
    }

    fn fall_ill(&mut self, ill: &Input, at: Duration, now: Moment) -> Vec<Draft> {
        let faults = self.faults.entry(ill.clone()).or_default();
        *faults += 1;
        if *faults > 1 {
            return Vec::new();
        }
        self.arming.set_faulty(ill, true);
        let Input::Camera { camera } = ill else { return Vec::new() };
        let grades = self.fusion.blind(camera, at, now.at);
        self.regraded(grades, now)
    }

    fn get_well(&mut self, ill: &Input, at: Duration, now: Moment) -> Vec<Draft> {
        let Some(faults) = self.faults.get_mut(ill) else { return Vec::new() };
        *faults = faults.saturating_sub(1);
        if *faults > 0 {
            return Vec::new();
        }
        self.faults.remove(ill);
        self.arming.set_faulty(ill, false);
        let Input::Camera { camera } = ill else { return Vec::new() };
        let grades = self.fusion.sees(camera, at);
        self.regraded(grades, now)
    }

    /// The event that tells of a new grade. An alarm that still waits is told of when its wait is over.
    fn regrade(&mut self, grade: Grade, now: Moment) -> Option<Draft> {
        let held = self.alarms.get_mut(grade.alarm)?;
        if held.standing == Standing::Waits {
            let (input, data) = (held.input.clone(), held.data.clone());
            self.wait(&input, &data, grade.severity);
            return None;
        }
        if held.standing != Standing::Counts || grade.severity >= held.told {
            return None;
        }
        Some(held.raise(grade.severity, fused(grade.link), now.time))
    }

    /// Events that tell of changes of the areas, and of what waited for them.
    fn told(&mut self, changes: Vec<Change>, now: Moment) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for change in changes {
            self.is_unsaved = true;
            let waited = change.waited.clone();
            if change.stage == Stage::Set && matches!(change.mode, Mode::Disarmed | Mode::Maintenance) {
                self.close_chapter(&change.area);
            }
            drafts.push(told(change, now));
            match waited {
                Some(Waited::InVain(inputs)) => {
                    drafts.extend(inputs.iter().flat_map(|input| self.raise(input, now)));
                }
                Some(Waited::Disarmed(inputs)) => {
                    for input in &inputs {
                        self.waiting.remove(input);
                        self.alarms.rest(input);
                    }
                }
                None => {}
            }
        }
        drafts
    }

    /// Whoever disarms an area has seen its alarms: what comes after the next arming is no part of them.
    fn close_chapter(&mut self, area: &AreaId) {
        let (arming, fusion) = (&self.arming, &mut self.fusion);
        for alarm in self.alarms.of(|input| arming.area_of(input) == Some(area)) {
            fusion.forget(alarm);
        }
    }

    /// What an alarm is worth that begins. One that is told by another which does not count yet tells of the happening
    /// itself.
    fn worth(&self, grade: &Grade) -> Severity {
        match &grade.link {
            Some((_, Link::PartOf(teller))) if !self.alarms.counts(*teller) => grade.happening,
            _ => grade.severity,
        }
    }

    /// Nobody disarmed in time: what waited is an alarm, the first of each input. The others belong to the same entry.
    fn raise(&mut self, input: &Input, now: Moment) -> Option<Draft> {
        let Some(kept::Waiting { mut data, worth }) = self.waiting.remove(input) else {
            return self.alarms.raise_open(input, now.time);
        };
        self.alarms.rest(input);
        let first = data.happening.alarm().and_then(|alarm| self.alarms.get_mut(alarm.id));
        Some(match first {
            Some(held) => {
                held.standing = Standing::Counts;
                held.raise(worth, None, now.time)
            }
            // It waited over a restart, which ended it.
            None => {
                data.happening.set_phase(Phase::Ended);
                data.severity = worth;
                draft(data, now.time)
            }
        })
    }
}

impl Moment {
    /// UTC at a time since the daemon's start, as far as is known now.
    fn utc(self, at: Duration) -> Timestamp {
        // Out of range only with a clock thousands of years off.
        self.time.checked_add(at.saturating_sub(self.at)).unwrap_or(self.time)
    }
}

fn draft(data: EventData, time: Timestamp) -> Draft {
    Draft { id: EventId::from_ulid(Ulid::generate()), time, data }
}

fn told(change: Change, now: Moment) -> Draft {
    let severity = if change.stage == Stage::Refused { Severity::MEDIUM } else { Severity::LOW };
    let happening = Happening::ArmingChanged(ArmingChanged {
        area: change.area,
        mode: change.mode,
        stage: change.stage,
        cause: change.cause,
        until: change.until.map(|until| now.utc(until)),
        bypassed: change.bypassed,
        open: change.open,
        passed: change.passed,
        extra: Default::default(),
    });
    draft(
        EventData { severity, happening, evidence: Vec::new(), fused: None, extra: Default::default() },
        now.time,
    )
}

fn fused(link: Option<(gatepost_wire::RuleId, Link)>) -> Option<Fused> {
    let (rule, link) = link?;
    let link = match link {
        Link::Parts(parts) => FusedLink::Parts(parts),
        Link::PartOf(alarm) => FusedLink::PartOf(alarm),
    };
    Some(Fused { rule, link })
}

/// The input an alarm is raised by; none where nothing can disarm it.
pub fn input_of(happening: &Happening) -> Option<Input> {
    match happening {
        Happening::SensorAlarm(it) => Some(Input::Sensor { sensor: it.sensor.clone() }),
        other => Some(Input::Zone { camera: other.camera()?, zone: other.zone()? }),
    }
}

/// The input that cannot be relied on while this lasts.
fn illness(happening: &Happening) -> Option<Input> {
    match happening {
        Happening::SensorFault(it) => Some(Input::Sensor { sensor: it.sensor.clone() }),
        // Through dirt and fog something is still to be seen.
        Happening::CameraTamper(it) if it.tamper != TamperKind::Blurred => {
            Some(Input::Camera { camera: it.camera.clone() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
