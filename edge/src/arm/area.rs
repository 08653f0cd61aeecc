//! One area: its mode, the way into it and out of it.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_wire::arming::{Cause, Input, Mode, Stage};
use gatepost_wire::command::WantedMode;
use gatepost_wire::{AreaId, Timestamp};
use serde::{Deserialize, Serialize};

use super::saved::SavedArea;
use super::{Change, Elapsed, Refusal, Verdict, Waited};
use crate::config::{self, Calendar, Hours, Role, StandingMode, WhenDisarmed, WhenOpen};

/// Where an area is on its way. Times are since the start of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Disarmed.
    Resting,
    /// People have time to leave.
    Leaving { to: StandingMode, until: Duration },
    /// StandingMode; after an alarm by the entry route that route counts at once.
    Guarding { mode: StandingMode, alarmed: bool },
    /// Somebody came in by the entry route and has time to disarm.
    Entered { mode: StandingMode, until: Duration },
    /// Somebody works on the system.
    Maintained { until: Duration, back: StandingMode },
}

/// One area.
pub(super) struct Area {
    terms: config::Area,
    timetable: Vec<(Hours, StandingMode)>,
    state: State,
    /// What the timetable asked for last.
    asked: Option<StandingMode>,
    /// A mode that comes by itself and is still to be set.
    due: Option<(StandingMode, Cause)>,
    refusal_told: bool,
    bypassed: BTreeSet<Input>,
    /// Tripped by the entry route; alarms, if nobody disarms in time.
    waiting: BTreeSet<Input>,
    open: BTreeSet<Input>,
    faulty: BTreeSet<Input>,
    passed: u64,
}

impl Area {
    pub(super) fn new(
        terms: &config::Area,
        calendar: &Calendar,
        saved: Option<(SavedArea, Elapsed)>,
        at: Duration,
        time: Timestamp,
    ) -> Self {
        let hours = |entry: &config::TimetableEntry| (calendar.hours(Some(&entry.schedule)), entry.mode);
        let mut this = Self {
            terms: terms.clone(),
            timetable: terms.timetable.iter().map(hours).collect(),
            state: State::Resting,
            asked: None,
            due: None,
            refusal_told: false,
            bypassed: BTreeSet::new(),
            waiting: BTreeSet::new(),
            open: BTreeSet::new(),
            faulty: BTreeSet::new(),
            passed: 0,
        };
        match saved {
            Some((saved, elapsed)) => this.resume(saved, elapsed, at),
            // Nobody has to leave a site whose box is started for the first time.
            None => {
                this.state = State::standing(this.target(time));
                this.asked = this.asks(time);
            }
        }
        this
    }

    fn resume(&mut self, saved: SavedArea, elapsed: Elapsed, at: Duration) {
        self.state = saved.state.resumed(elapsed, at);
        self.asked = saved.asked;
        let rests = |input: &Input| self.role(input).is_some_and(|role| role != Role::Always);
        self.bypassed = saved.bypassed.into_iter().filter(rests).collect();
        self.waiting = saved.waiting;
        self.passed = saved.passed;
    }

    pub(super) fn saved(&self, at: Duration) -> SavedArea {
        SavedArea {
            id: self.terms.id.clone(),
            state: self.state.left(at),
            asked: self.asked,
            bypassed: self.bypassed.clone(),
            waiting: self.waiting.clone(),
            passed: self.passed,
        }
    }

    pub(super) fn id(&self) -> &AreaId {
        &self.terms.id
    }

    pub(super) fn due(&self) -> Option<Duration> {
        match self.state {
            State::Resting | State::Guarding { .. } => None,
            State::Leaving { until, .. } | State::Entered { until, .. } | State::Maintained { until, .. } => {
                Some(until)
            }
        }
    }

    pub(super) fn trip(&mut self, input: &Input, role: Role, at: Duration) -> (Verdict, Option<Change>) {
        match self.state.meets(role) {
            Meeting::Counts if role == Role::Always || !self.is_bypassed(input) => (Verdict::Counts, None),
            Meeting::Waits if !self.is_bypassed(input) => self.enter(input, at),
            _ => {
                self.passed += 1;
                (Verdict::Rests { record: self.terms.when_disarmed == WhenDisarmed::Record }, None)
            }
        }
    }

    /// By the entry route.
    fn enter(&mut self, input: &Input, at: Duration) -> (Verdict, Option<Change>) {
        let delay = self.terms.entry_delay_s.span();
        let State::Guarding { mode, .. } = self.state else {
            self.waiting.insert(input.clone());
            return (Verdict::Waits, None);
        };
        if delay.is_zero() {
            return (Verdict::Counts, None);
        }
        self.waiting.insert(input.clone());
        self.state = State::Entered { mode, until: at + delay };
        (Verdict::Waits, Some(self.told(Stage::EntryDelay, Cause::Input { input: input.clone() })))
    }

    pub(super) fn set_open(&mut self, input: &Input, open: bool) {
        if open {
            self.open.insert(input.clone())
        } else {
            self.open.remove(input)
        };
    }

    pub(super) fn set_faulty(&mut self, input: &Input, faulty: bool) {
        let concerned =
            |member: &config::Member| member.input.contains(input) || input.contains(&member.input);
        if !faulty {
            self.faulty.remove(input);
        } else if self.terms.members.iter().any(concerned) {
            self.faulty.insert(input.clone());
        }
    }

    pub(super) fn order(
        &mut self,
        wanted: &WantedMode,
        cause: Cause,
        at: Duration,
    ) -> Result<Change, Refusal> {
        let change = match wanted {
            WantedMode::Disarmed => self.enter_state(State::Resting, BTreeSet::new(), cause),
            WantedMode::Maintenance { for_s } => {
                let (wanted, most) =
                    (Duration::from_secs((*for_s).into()), self.terms.maintenance_max_s.span());
                if wanted > most {
                    return Err(Refusal::TooLong { wanted, most });
                }
                let state = State::Maintained { until: at + wanted, back: self.state.standing_mode() };
                self.enter_state(state, BTreeSet::new(), cause)
            }
            WantedMode::ArmedStay { bypass } => {
                self.arm(StandingMode::ArmedStay, bypass.iter().cloned().collect(), cause, at)?
            }
            WantedMode::ArmedAway { bypass } => {
                self.arm(StandingMode::ArmedAway, bypass.iter().cloned().collect(), cause, at)?
            }
        };
        // What a person decides holds until the timetable's next change.
        self.due = None;
        self.refusal_told = false;
        Ok(change)
    }

    fn arm(
        &mut self,
        to: StandingMode,
        bypass: BTreeSet<Input>,
        cause: Cause,
        at: Duration,
    ) -> Result<Change, Refusal> {
        if matches!(self.state, State::Entered { .. }) {
            return Err(Refusal::EntryDelay);
        }
        for input in &bypass {
            match self.role(input) {
                None => return Err(Refusal::NotOfThisArea(input.clone())),
                Some(Role::Always) => return Err(Refusal::NeverRests(input.clone())),
                Some(_) => {}
            }
        }
        let not_ready: Vec<Input> = self
            .not_ready(to)
            .into_iter()
            .filter(|input| !bypass.iter().any(|bypassed| bypassed.contains(input)))
            .collect();
        if !not_ready.is_empty() {
            return Err(Refusal::Open(not_ready));
        }
        let delay = self.terms.exit_delay_s.span();
        let already = matches!(self.state, State::Guarding { mode, .. } if mode == to);
        let state = match self.state {
            State::Leaving { to: leaving, .. } if leaving == to => self.state,
            _ if already || delay.is_zero() => State::standing(to),
            _ => State::Leaving { to, until: at + delay },
        };
        Ok(self.enter_state(state, bypass, cause))
    }

    /// What keeps the area from being armed. Who leaves may still pass the way out.
    fn not_ready(&self, to: StandingMode) -> Vec<Input> {
        let may_be_open = |role: Role| {
            let on_the_way_out = matches!(role, Role::Entry | Role::Interior);
            on_the_way_out && !self.terms.exit_delay_s.span().is_zero()
        };
        let counts = |role: Role| State::standing(to).meets(role) != Meeting::Rests && role != Role::Always;
        let open = self
            .open
            .iter()
            .filter(|input| self.role(input).is_some_and(|role| counts(role) && !may_be_open(role)));
        let faulty = self.faulty.iter().filter(|input| {
            self.terms.members.iter().any(|member| {
                (member.input.contains(input) || input.contains(&member.input)) && counts(member.role)
            })
        });
        open.chain(faulty).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn tick(&mut self, at: Duration, time: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        let asks = self.asks(time);
        if asks != self.asked {
            self.asked = asks;
            self.refusal_told = false;
            self.due = asks.map(|mode| (mode, Cause::Timetable));
        }
        match self.state {
            State::Leaving { to, until } if until <= at => changes.push(self.left(to, at)),
            State::Entered { mode, until } if until <= at => changes.push(self.expire(mode)),
            State::Maintained { until, back } if until <= at => {
                let next = self.asked.unwrap_or(back);
                self.state = State::Resting;
                self.due.get_or_insert((next, Cause::Timer));
            }
            _ => {}
        }
        changes.extend(self.set_due(at));
        changes
    }

    /// Everybody has left, or should have.
    fn left(&mut self, to: StandingMode, at: Duration) -> Change {
        self.state = State::standing(to);
        let still_open = self.open.iter().filter(|input| !self.is_bypassed(input)).filter(|input| {
            let role = self.role(input).unwrap_or(Role::Always);
            matches!(role, Role::Entry | Role::Interior) && self.state.meets(role) != Meeting::Rests
        });
        let inside: BTreeSet<Input> = still_open.cloned().collect();
        let delay = self.terms.entry_delay_s.span();
        match inside.first().cloned() {
            None => self.told(Stage::Set, Cause::Timer),
            Some(first) => {
                // Whoever is late gets the time of who comes in.
                self.waiting = inside;
                self.state = State::Entered { mode: to, until: at + delay };
                self.told(Stage::EntryDelay, Cause::Input { input: first })
            }
        }
    }

    /// Nobody disarmed in time.
    fn expire(&mut self, mode: StandingMode) -> Change {
        self.state = State::Guarding { mode, alarmed: true };
        let waited = std::mem::take(&mut self.waiting).into_iter().collect();
        let waited = Some(Waited::InVain(waited));
        Change { waited, ..self.told(Stage::EntryExpired, Cause::Timer) }
    }

    /// Sets a mode that comes by itself as soon as it can be.
    fn set_due(&mut self, at: Duration) -> Option<Change> {
        // Neither an intruder nor a technician is helped by the hour.
        if matches!(self.state, State::Entered { .. } | State::Maintained { .. }) {
            return None;
        }
        let (mode, cause) = self.due.clone()?;
        let bypass = match self.terms.when_open {
            WhenOpen::Refuse => BTreeSet::new(),
            WhenOpen::Bypass => self.not_ready(mode).into_iter().collect(),
        };
        let set = match mode {
            StandingMode::Disarmed => Ok(self.enter_state(State::Resting, BTreeSet::new(), cause.clone())),
            StandingMode::ArmedStay | StandingMode::ArmedAway => self.arm(mode, bypass, cause.clone(), at),
        };
        match set {
            Ok(change) => {
                self.due = None;
                self.refusal_told = false;
                Some(change)
            }
            // Tried again until it can be; told once.
            Err(_) if std::mem::replace(&mut self.refusal_told, true) => None,
            Err(_) => {
                let open = self.not_ready(mode);
                Some(Change { open, ..self.told(Stage::Refused, cause) })
            }
        }
    }

    fn enter_state(&mut self, state: State, bypassed: BTreeSet<Input>, cause: Cause) -> Change {
        self.state = state;
        self.bypassed = bypassed;
        let waited: Vec<Input> = std::mem::take(&mut self.waiting).into_iter().collect();
        let stage = if matches!(state, State::Leaving { .. }) { Stage::ExitDelay } else { Stage::Set };
        let change = self.told(stage, cause);
        Change { waited: (!waited.is_empty()).then_some(Waited::Disarmed(waited)), ..change }
    }

    /// A change to tell, with what was counted since the last one.
    pub(super) fn told(&mut self, stage: Stage, cause: Cause) -> Change {
        let change = Change { stage, cause, open: Vec::new(), ..self.state() };
        self.passed = 0;
        change
    }

    /// The area as it is.
    pub(super) fn state(&self) -> Change {
        let stage = match self.state {
            State::Leaving { .. } => Stage::ExitDelay,
            State::Entered { .. } => Stage::EntryDelay,
            State::Resting | State::Guarding { .. } | State::Maintained { .. } => Stage::Set,
        };
        let open = self.open.iter().chain(&self.faulty).filter(|input| !self.is_bypassed(input));
        Change {
            area: self.terms.id.clone(),
            mode: self.state.mode(),
            stage,
            cause: Cause::Start,
            until: self.due(),
            bypassed: self.bypassed.iter().cloned().collect(),
            open: open.cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            passed: self.passed,
            waited: None,
        }
    }

    fn is_bypassed(&self, input: &Input) -> bool {
        self.bypassed.iter().any(|bypassed| bypassed.contains(input))
    }

    /// The role of an input in this area; that of its zone before that of its camera.
    fn role(&self, input: &Input) -> Option<Role> {
        let exact = self.terms.members.iter().find(|member| &member.input == input);
        let member = exact.or_else(|| self.terms.members.iter().find(|it| it.input.contains(input)))?;
        Some(member.role)
    }

    /// What the timetable asks for at this time; none without a timetable.
    fn asks(&self, time: Timestamp) -> Option<StandingMode> {
        (!self.timetable.is_empty()).then(|| self.target(time))
    }

    fn target(&self, time: Timestamp) -> StandingMode {
        let entry = self.timetable.iter().find(|(hours, _)| hours.are_open(time));
        entry.map_or(self.terms.mode, |(_, mode)| *mode)
    }
}

/// What a state makes of a trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    Counts,
    Waits,
    Rests,
}

impl State {
    fn standing(mode: StandingMode) -> Self {
        match mode {
            StandingMode::Disarmed => Self::Resting,
            StandingMode::ArmedStay | StandingMode::ArmedAway => Self::Guarding { mode, alarmed: false },
        }
    }

    fn meets(self, role: Role) -> Meeting {
        match (self, role) {
            (_, Role::Always) => Meeting::Counts,
            (Self::Resting | Self::Maintained { .. }, _) => Meeting::Rests,
            (_, Role::Perimeter) => Meeting::Counts,
            (Self::Leaving { .. }, Role::Entry | Role::Interior) => Meeting::Rests,
            (Self::Guarding { alarmed: true, .. }, Role::Entry) => Meeting::Counts,
            (Self::Guarding { .. } | Self::Entered { .. }, Role::Entry) => Meeting::Waits,
            (Self::Guarding { mode: StandingMode::ArmedAway, .. }, Role::Interior) => Meeting::Counts,
            // Whoever came in by the entry route passes it on the way to the keypad.
            (Self::Entered { mode: StandingMode::ArmedAway, .. }, Role::Interior) => Meeting::Waits,
            (Self::Guarding { .. } | Self::Entered { .. }, Role::Interior) => Meeting::Rests,
        }
    }

    fn mode(self) -> Mode {
        match self {
            Self::Maintained { .. } => Mode::Maintenance,
            other => other.standing_mode().into(),
        }
    }

    /// The mode that stands once delays and maintenance are over.
    fn standing_mode(self) -> StandingMode {
        match self {
            Self::Resting => StandingMode::Disarmed,
            Self::Leaving { to: mode, .. }
            | Self::Guarding { mode, .. }
            | Self::Entered { mode, .. }
            | Self::Maintained { back: mode, .. } => mode,
        }
    }
}
