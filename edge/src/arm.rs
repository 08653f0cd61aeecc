//! Arming: which alarms count, by area and mode. Pure: inputs, orders and time in, verdicts and changes out.
//!
//! Delays count on the monotonic clock, so that nobody gains time by setting a clock; timetables go by the clock on
//! the wall. No mode silences a 24-hour input.

mod area;
mod refusal;
mod saved;

use std::collections::HashMap;
use std::time::Duration;

use gatepost_wire::arming::{Cause, Input, Mode, Stage};
use gatepost_wire::command::SetMode;
use gatepost_wire::{AreaId, Timestamp};

use crate::config::{self, Calendar, Role};
use area::Area;

pub use refusal::Refusal;
pub use saved::{Elapsed, Saved};

/// What arming says of an alarm that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Counts,
    /// It counts if the area is not disarmed before its entry delay is over.
    Waits,
    /// It does not: the area is not armed for it, or it is bypassed. `record` says whether it is written down.
    Rests {
        /// Written down for the record, or only counted?
        record: bool,
    },
}

/// An area's mode changed, or was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The area.
    pub area: AreaId,
    /// Its mode now.
    pub mode: Mode,
    /// How far it got.
    pub stage: Stage,
    /// Who or what did it.
    pub cause: Cause,
    /// When a delay or maintenance is over, since the daemon's start.
    pub until: Option<Duration>,
    /// Inputs that do not count meanwhile, by decision.
    pub bypassed: Vec<Input>,
    /// Inputs that are open or faulty and not bypassed.
    pub open: Vec<Input>,
    /// Alarms that did not count since the last change.
    pub passed: u64,
    /// What becomes of the inputs that waited for the end of an entry delay.
    pub waited: Option<Waited>,
}

/// What becomes of the inputs that waited for the end of an entry delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// Nobody disarmed in time: they are alarms.
    InVain(Vec<Input>),
    /// Somebody disarmed in time: they were nothing.
    Disarmed(Vec<Input>),
}

/// All areas of a box. Without any, everything counts always.
pub struct Arming {
    areas: Vec<Area>,
    place_of: HashMap<Input, (usize, Role)>,
}

impl Arming {
    /// The areas as configured, as they were when the box stopped or as the timetable wants them. The changes say which.
    pub fn new(
        areas: &[config::Area],
        calendar: &Calendar,
        saved: Option<(Saved, Elapsed)>,
        at: Duration,
        time: Timestamp,
    ) -> (Self, Vec<Change>) {
        let mut place_of = HashMap::new();
        for (index, area) in areas.iter().enumerate() {
            place_of.extend(area.members.iter().map(|it| (it.input.clone(), (index, it.role))));
        }
        let restored = |area: &config::Area| {
            let (saved, elapsed) = saved.as_ref()?;
            Some((saved.area(&area.id)?, *elapsed))
        };
        let mut this = Self { areas: Vec::new(), place_of };
        let mut changes = Vec::new();
        for area in areas {
            let mut armed = Area::new(area, calendar, restored(area), at, time);
            let stage = armed.state().stage;
            changes.push(armed.told(stage, Cause::Start));
            this.areas.push(armed);
        }
        changes.extend(this.tick(at, time));
        (this, changes)
    }

    /// An alarm of this input begins. Says whether it counts, and what that changes.
    pub fn trip(&mut self, input: &Input, at: Duration) -> (Verdict, Option<Change>) {
        match self.place(input) {
            Some((index, role)) => self.areas[index].trip(input, role, at),
            None => (Verdict::Counts, None),
        }
    }

    /// An input is open, or closed again: an alarm of it goes on, or the last one ended.
    pub fn set_open(&mut self, input: &Input, open: bool) {
        if let Some((index, _)) = self.place(input) {
            self.areas[index].set_open(input, open);
        }
    }

    /// An input is ill, or well again: a sensor's line is cut, a camera is blind.
    pub fn set_faulty(&mut self, input: &Input, faulty: bool) {
        for area in &mut self.areas {
            area.set_faulty(input, faulty);
        }
    }

    /// Carries out an order of a person.
    ///
    /// # Errors
    /// [`Refusal`] says why not; nothing has changed then.
    pub fn order(&mut self, order: &SetMode, cause: Cause, at: Duration) -> Result<Change, Refusal> {
        let area = self.areas.iter_mut().find(|area| area.id() == &order.area);
        let Some(area) = area else { return Err(Refusal::UnknownArea(order.area.clone())) };
        area.order(&order.mode, cause, at)
    }

    /// Time goes on: `at` only grows, `time` may be set forth and back.
    pub fn tick(&mut self, at: Duration, time: Timestamp) -> Vec<Change> {
        self.areas.iter_mut().flat_map(|area| area.tick(at, time)).collect()
    }

    /// When the next delay is over.
    pub fn next_due(&self) -> Option<Duration> {
        self.areas.iter().filter_map(Area::due).min()
    }

    /// The area of an input, if it has one.
    pub fn area_of(&self, input: &Input) -> Option<&AreaId> {
        self.place(input).map(|(index, _)| self.areas[index].id())
    }

    /// The areas as they are.
    pub fn states(&self) -> Vec<Change> {
        self.areas.iter().map(Area::state).collect()
    }

    /// What must survive a power cut.
    pub fn saved(&self, at: Duration) -> Saved {
        Saved::of(self.areas.iter().map(|area| area.saved(at)).collect())
    }

    /// The area of an input, if it has one: that of its zone before that of its camera.
    fn place(&self, input: &Input) -> Option<(usize, Role)> {
        let whole = || Some(Input::Camera { camera: input.camera()?.clone() });
        let place = |input: &Input| self.place_of.get(input).copied();
        place(input).or_else(|| place(&whole()?))
    }
}

#[cfg(test)]
mod tests;
