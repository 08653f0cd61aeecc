//! What the hub says by itself of an incident whose stage takes too long: a reminder, and when that does not help it is escalated, once
//! for each stage. Pure.

use gatepost_wire::{Severity, Timestamp};
use jiff::SignedDuration;

use super::action::Kind;
use super::deadline::Deadlines;
use super::state::State;

/// What the hub has said of the deadline that an incident has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urged {
    /// Nothing.
    NotYet,
    /// That it has passed.
    Reminded {
        /// When it is escalated, if it is to be.
        escalates: Option<Timestamp>,
    },
}

impl Urged {
    /// Time stood still, or has to be given back.
    pub(super) fn later_by(self, time: SignedDuration) -> Self {
        match self {
            Self::NotYet => Self::NotYet,
            Self::Reminded { escalates } => {
                let later = |at: Timestamp| at.saturating_add(time).unwrap_or(at);
                Self::Reminded { escalates: escalates.map(later) }
            }
        }
    }
}

/// What the hub has to say now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urge {
    /// Its stage takes too long.
    Remind,
    /// It still does: this is the supervisors' business now.
    Escalate,
}

impl Urge {
    /// The step that says so.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Remind => Kind::Remind,
            Self::Escalate => Kind::Escalate,
        }
    }
}

impl State {
    /// What the hub has to say of it now.
    pub fn urge(&self, now: Timestamp) -> Option<Urge> {
        if !self.is_overdue(now) {
            return None;
        }
        match self.urged {
            Urged::NotYet => Some(Urge::Remind),
            Urged::Reminded { escalates: Some(at) } if at <= now => Some(Urge::Escalate),
            Urged::Reminded { .. } => None,
        }
    }

    /// How it stands once that is said.
    pub fn once_urged(&self, urge: Urge, severity: Severity, deadlines: &Deadlines, now: Timestamp) -> Self {
        let escalates = match urge {
            // Once for each stage, however often its deadline is moved.
            Urge::Remind if !self.escalated => deadlines.escalation(self.stage, severity, now),
            Urge::Remind | Urge::Escalate => None,
        };
        Self {
            urged: Urged::Reminded { escalates },
            escalated: self.escalated || urge == Urge::Escalate,
            ..self.clone()
        }
    }

    /// How it stands once it has become so grave: graver ones are looked at sooner.
    pub fn once_worse(&self, severity: Severity, deadlines: &Deadlines, now: Timestamp) -> Self {
        if self.stage != super::Stage::Reported {
            return self.clone();
        }
        let sooner = |had: Option<Timestamp>, has| [had, has].into_iter().flatten().min();
        let urged = match self.urged {
            Urged::Reminded { escalates: Some(at) } => Urged::Reminded {
                escalates: sooner(Some(at), deadlines.escalation(self.stage, severity, now)),
            },
            as_it_was => as_it_was,
        };
        Self { due: sooner(self.due, deadlines.due(self.stage, severity, now)), urged, ..self.clone() }
    }
}
