//! Which steps go with which stage, and who may take them. Pure.

use std::collections::BTreeSet;

use gatepost_wire::{Severity, Timestamp};
use jiff::SignedDuration;

use super::action::{Action, FalseReason, Kind, Outcome};
use super::deadline::Deadlines;
use super::extension::Extension;
use super::overdue::Urged;
use super::stage::Stage;
use crate::access::{Permission, Person, PersonName};

/// Nothing is put aside for longer.
const LONGEST_SHELF: SignedDuration = SignedDuration::from_hours(24);

/// How far an incident got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its stage.
    pub stage: Stage,
    /// What triage found.
    pub outcome: Option<Outcome>,
    /// Why it was a false alarm.
    pub reason: Option<FalseReason>,
    /// Who handles it.
    pub assignee: Option<PersonName>,
    /// It waits apart until then.
    pub shelved_until: Option<Timestamp>,
    /// By when its stage is to be left.
    pub due: Option<Timestamp>,
    /// What the hub has said of that.
    pub urged: Urged,
    /// Its stage has been escalated.
    pub escalated: bool,
    /// More time that somebody asked for.
    pub extension: Option<Extension>,
}

/// Who takes a step.
#[derive(Debug, Clone)]
pub struct Actor {
    /// By what they sign in.
    pub name: PersonName,
    /// What they may do.
    pub may: BTreeSet<Permission>,
}

impl From<&Person> for Actor {
    fn from(person: &Person) -> Self {
        Self { name: person.name.clone(), may: person.roles.permissions() }
    }
}

/// A step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Not by this person.
    #[error("your account does not have the permission `{}` that this takes", .0.name())]
    Forbidden(Permission),
    /// Only by who was asked to handle it.
    #[error("only the person the incident is assigned to may do that")]
    NotYours,
    /// Nobody says of their own work that it is done well.
    #[error("who handled the incident may not verify it: somebody else has to")]
    OwnWork,
    /// Nobody decides about time they asked for, or are given.
    #[error(
        "who asked for more time, or handles the incident, may not decide about it: somebody else has to"
    )]
    OwnTime,
    /// Not now.
    #[error("this does not go with the stage the incident is in: load it anew")]
    WrongStage,
    /// What belongs to the step is wrong.
    #[error("{problem}")]
    Parameter {
        /// Which part.
        name: &'static str,
        /// What is wrong and what to do.
        problem: &'static str,
    },
}

impl State {
    /// Of a new incident.
    pub fn reported(severity: Severity, deadlines: &Deadlines, now: Timestamp) -> Self {
        Self {
            stage: Stage::Reported,
            outcome: None,
            reason: None,
            assignee: None,
            shelved_until: None,
            due: deadlines.due(Stage::Reported, severity, now),
            urged: Urged::NotYet,
            escalated: false,
            extension: None,
        }
    }

    /// Is it put aside?
    pub fn is_shelved(&self, now: Timestamp) -> bool {
        self.stage.is_open() && self.shelved_until.is_some_and(|until| now < until)
    }

    /// Does somebody have to be reminded?
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.stage.is_open() && !self.is_shelved(now) && self.due.is_some_and(|due| due <= now)
    }

    /// May this person take such a step now, if they say the right things?
    pub fn allows(&self, kind: Kind, actor: &Actor, now: Timestamp) -> Result<(), StepError> {
        use Stage::{Accepted, Assigned, Closed, FedBack, Handling, Reported, Triaged, Verified};
        let permissions = kind.permissions();
        if !permissions.iter().any(|permission| actor.may.contains(permission)) {
            let needed = permissions.first().copied().unwrap_or(Permission::WorkIncidents);
            return Err(StepError::Forbidden(needed));
        }
        let fits = match kind {
            Kind::Open | Kind::Worsen | Kind::Merge | Kind::Remind | Kind::Escalate | Kind::Extend => false,
            Kind::Triage => matches!(self.stage, Reported | Triaged),
            Kind::Assign => matches!(self.stage, Reported | Triaged | Assigned | Accepted | Handling),
            Kind::Accept => self.stage == Assigned,
            Kind::Return => matches!(self.stage, Assigned | Accepted),
            Kind::Begin => self.stage == Accepted,
            Kind::FeedBack => matches!(self.stage, Accepted | Handling),
            Kind::Pass | Kind::Fail => self.stage == FedBack,
            Kind::Close => matches!(self.stage, Triaged | Verified),
            // What became part of another has none.
            Kind::Evaluate => self.stage == Closed && self.outcome.is_some(),
            Kind::Shelve => self.stage.is_open() && !self.is_shelved(now),
            Kind::Unshelve => self.is_shelved(now),
            Kind::RequestExtension | Kind::ApproveExtension | Kind::DeclineExtension => {
                self.extension_fits(kind, now)
            }
            Kind::Note | Kind::Attach | Kind::Withdraw => true,
        };
        if !fits {
            return Err(StepError::WrongStage);
        }
        let theirs = self.assignee.as_ref() == Some(&actor.name);
        match kind {
            Kind::Accept | Kind::Return | Kind::Begin | Kind::FeedBack if !theirs => Err(StepError::NotYours),
            Kind::Pass | Kind::Fail if theirs => Err(StepError::OwnWork),
            Kind::RequestExtension | Kind::ApproveExtension | Kind::DeclineExtension => {
                self.extension_allowed(kind, actor)
            }
            _ => Ok(()),
        }
    }

    /// Everything this person may do now.
    pub fn choices(&self, actor: &Actor, now: Timestamp) -> BTreeSet<Kind> {
        Kind::OF_PEOPLE.into_iter().filter(|kind| self.allows(*kind, actor, now).is_ok()).collect()
    }

    /// How far it is after a step.
    ///
    /// # Errors
    /// When it cannot be taken: not by this person, not in this stage, or not like this.
    pub fn after(
        &self,
        action: &Action,
        actor: &Actor,
        severity: Severity,
        deadlines: &Deadlines,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        self.allows(action.kind(), actor, now)?;
        let mut next = self.clone();
        match action {
            Action::Triage { outcome, reason, .. } => next.triage(*outcome, *reason)?,
            Action::Assign { to, .. } => {
                next.outcome = Some(Outcome::Real);
                next.assignee = Some(to.clone());
                next.stage = Stage::Assigned;
            }
            Action::Accept {} => next.stage = Stage::Accepted,
            Action::Return { .. } => {
                next.assignee = None;
                next.stage = Stage::Triaged;
            }
            Action::Begin {} | Action::Fail { .. } => next.stage = Stage::Handling,
            Action::FeedBack { .. } => next.stage = Stage::FedBack,
            Action::Pass { .. } => next.stage = Stage::Verified,
            Action::Close { text } => {
                if self.stage == Stage::Triaged && text.is_none() {
                    let problem = "nobody handled it, so say how it was dealt with";
                    return Err(StepError::Parameter { name: "text", problem });
                }
                next.stage = Stage::Closed;
            }
            Action::Evaluate { .. } => next.stage = Stage::Evaluated,
            Action::Shelve { until, .. } => {
                let until = within(*until, now, LONGEST_SHELF)?;
                next.shelved_until = Some(until);
                next.urged = self.urged.later_by(until.duration_since(now));
            }
            Action::Unshelve {} => {
                next.shelved_until = None;
                if let Some(until) = self.shelved_until {
                    next.urged = self.urged.later_by(-until.duration_since(now));
                }
            }
            Action::RequestExtension { until, text } => {
                next = self.asked_for(*until, text, &actor.name, now)?
            }
            Action::ApproveExtension { .. } => next = self.decided(true),
            Action::DeclineExtension { .. } => next = self.decided(false),
            Action::Note { .. } | Action::Withdraw { .. } => {}
        }
        if next.stage != self.stage || matches!(action, Action::Assign { .. }) {
            next.due = deadlines.due(next.stage, severity, now);
            next.shelved_until = None;
            next.urged = Urged::NotYet;
            next.escalated = false;
            next.extension = None;
        }
        Ok(next)
    }

    fn triage(&mut self, outcome: Outcome, reason: Option<FalseReason>) -> Result<(), StepError> {
        let wrong = |problem| Err(StepError::Parameter { name: "reason", problem });
        match (outcome, reason) {
            (Outcome::FalseAlarm, None) => return wrong("say why it is a false alarm"),
            (Outcome::Real | Outcome::Test, Some(_)) => return wrong("only a false alarm has one"),
            _ => {}
        }
        if outcome == Outcome::Real && self.stage != Stage::Reported {
            return Err(StepError::WrongStage);
        }
        self.outcome = Some(outcome);
        self.reason = reason;
        self.stage = if outcome == Outcome::Real { Stage::Triaged } else { Stage::Closed };
        Ok(())
    }
}

/// A time to come that is no further ahead.
pub(super) fn within(
    until: Timestamp,
    now: Timestamp,
    longest: SignedDuration,
) -> Result<Timestamp, StepError> {
    let wrong = |problem| Err(StepError::Parameter { name: "until", problem });
    if until <= now {
        return wrong("it is in the past");
    }
    if until.duration_since(now) > longest {
        return wrong("it is too far ahead: a shelf ends within 24 hours, an extension within 30 days");
    }
    Ok(until)
}

#[cfg(test)]
mod tests;
