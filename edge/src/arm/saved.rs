//! What of the areas must survive a power cut, and what time does to it meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_wire::AreaId;
use gatepost_wire::arming::Input;
use serde::{Deserialize, Serialize};

use super::area::State;
use crate::config::StandingMode;

/// The areas at one moment. Times in it are what was left then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Saved(Vec<SavedArea>);

/// One area at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedArea {
    pub(super) id: AreaId,
    pub(super) state: State,
    /// What the timetable last asked for; none without a timetable.
    pub(super) asked: Option<StandingMode>,
    pub(super) bypassed: BTreeSet<Input>,
    pub(super) waiting: BTreeSet<Input>,
    pub(super) passed: u64,
}

/// How much time went by while the daemon was not running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elapsed {
    /// So much: the machine was up all the while and its monotonic clock says so.
    Counted(Duration),
    /// The power was off: only the clock on the wall says how long, and it may be wrong. Delays of seconds are over then;
    /// what lasts longer goes by it, but never longer than it had to.
    PowerCut(Duration),
}

impl Saved {
    pub(super) fn of(areas: Vec<SavedArea>) -> Self {
        Self(areas)
    }

    pub(super) fn area(&self, id: &AreaId) -> Option<SavedArea> {
        self.0.iter().find(|area| &area.id == id).cloned()
    }
}

impl State {
    /// The same with times since the start of the daemon turned into what is left at `at`.
    pub(super) fn left(self, at: Duration) -> Self {
        self.with_until(|until| until.saturating_sub(at))
    }

    /// The same with what was left turned into times since the start of the daemon.
    pub(super) fn resumed(self, elapsed: Elapsed, at: Duration) -> Self {
        let lasts_long = matches!(self, Self::Maintained { .. });
        self.with_until(|left| match elapsed {
            Elapsed::Counted(gone) => at + left.saturating_sub(gone),
            Elapsed::PowerCut(gone) if lasts_long => at + left.saturating_sub(gone),
            Elapsed::PowerCut(_) => at,
        })
    }

    fn with_until(self, f: impl Fn(Duration) -> Duration) -> Self {
        match self {
            Self::Resting | Self::Guarding { .. } => self,
            Self::Leaving { to, until } => Self::Leaving { to, until: f(until) },
            Self::Entered { mode, until } => Self::Entered { mode, until: f(until) },
            Self::Maintained { until, back } => Self::Maintained { until: f(until), back },
        }
    }
}
