//! More time for a stage: one person asks for it, another says whether it is given. Pure.

use gatepost_wire::Timestamp;
use jiff::SignedDuration;

use super::action::{Kind, Text};
use super::overdue::Urged;
use super::state::{Actor, State, StepError, within};
use crate::access::{Permission, PersonName};

/// Nothing gets more time than this at once.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// More time that somebody asked for and nobody has decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Who asks.
    pub by: PersonName,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: Text,
}

impl State {
    /// What is to be decided about. What was asked for until a time that has come is nothing any more.
    pub fn extension_asked(&self, now: Timestamp) -> Option<&Extension> {
        self.extension.as_ref().filter(|extension| self.stage.is_open() && now < extension.until)
    }

    /// Does such a step about more time go with how it stands?
    pub(super) fn extension_fits(&self, kind: Kind, now: Timestamp) -> bool {
        let asked = self.extension_asked(now).is_some();
        match kind {
            Kind::RequestExtension => self.stage.is_open() && self.due.is_some() && !asked,
            _ => asked,
        }
    }

    /// May this person take it? Who works the incident asks; who gives is neither who asks nor who is given the time.
    pub(super) fn extension_allowed(&self, kind: Kind, actor: &Actor) -> Result<(), StepError> {
        let theirs = self.assignee.as_ref() == Some(&actor.name);
        if kind == Kind::RequestExtension {
            let works = theirs || actor.may.contains(&Permission::WorkIncidents);
            return if works { Ok(()) } else { Err(StepError::NotYours) };
        }
        let asked = self.extension.as_ref().is_some_and(|extension| extension.by == actor.name);
        if asked || theirs { Err(StepError::OwnTime) } else { Ok(()) }
    }

    /// How it stands once somebody has asked.
    pub(super) fn asked_for(
        &self,
        until: Timestamp,
        reason: &Text,
        by: &PersonName,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        let until = within(until, now, LONGEST)?;
        if self.due.is_some_and(|due| until <= due) {
            let problem = "it is no later than the deadline there is";
            return Err(StepError::Parameter { name: "until", problem });
        }
        let extension = Extension { by: by.clone(), until, reason: reason.clone() };
        Ok(Self { extension: Some(extension), ..self.clone() })
    }

    /// How it stands once that is decided.
    pub(super) fn decided(&self, given: bool) -> Self {
        match &self.extension {
            Some(extension) if given => {
                Self { due: Some(extension.until), urged: Urged::NotYet, extension: None, ..self.clone() }
            }
            _ => Self { extension: None, ..self.clone() },
        }
    }
}
