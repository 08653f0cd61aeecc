//! What holds for every kind of rule: its hours, and the quiet after an alarm.

use std::time::Duration;

use gatepost_wire::Timestamp;
use gatepost_wire::event::{Phase, Region};

use super::{AlarmNumber, Decision, Finding};
use crate::config::{Hours, RuleTerms};
use crate::track::Track;

/// What one frame shows.
pub(super) struct View<'a> {
    /// Everything followed, what is not seen in this frame included.
    pub(super) tracks: &'a [Track],
    /// Still things that were not there before.
    pub(super) things_left: &'a [Region],
    /// When; only grows.
    pub(super) at: Duration,
    /// May an alarm begin? What still lasts when one may, begins then.
    pub(super) may_begin: bool,
}

/// An alarm begins, goes on or ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) alarm: AlarmNumber,
    pub(super) phase: Phase,
    pub(super) finding: Finding,
}

/// One kind of rule.
pub(super) trait Watch: Send {
    /// Takes one frame.
    fn look(&mut self, view: &View<'_>) -> Vec<Change>;

    /// Ends every alarm and forgets what was seen, not how many alarms there were.
    fn close(&mut self) -> Vec<Change>;
}

/// Numbers alarms.
#[derive(Debug, Default)]
pub(super) struct AlarmCount(u64);

impl AlarmCount {
    pub(super) fn next(&mut self) -> AlarmNumber {
        self.0 += 1;
        AlarmNumber(self.0)
    }
}

/// A rule with the terms it applies on.
pub(super) struct Guard {
    terms: RuleTerms,
    hours: Hours,
    watch: Box<dyn Watch>,
    last_end: Option<Duration>,
}

impl Guard {
    pub(super) fn new(terms: RuleTerms, hours: Hours, watch: Box<dyn Watch>) -> Self {
        Self { terms, hours, watch, last_end: None }
    }

    pub(super) fn decide(
        &mut self,
        tracks: &[Track],
        things_left: &[Region],
        at: Duration,
        time: Timestamp,
    ) -> Vec<Decision> {
        let changes = if self.hours.are_open(time) {
            let quiet = self.last_end.is_some_and(|end| at.saturating_sub(end) < self.terms.cool_down);
            self.watch.look(&View { tracks, things_left, at, may_begin: !quiet })
        } else {
            self.watch.close()
        };
        if changes.iter().any(|change| change.phase == Phase::Ended) {
            self.last_end = Some(at);
        }
        changes.into_iter().map(|change| self.decision(change)).collect()
    }

    fn decision(&self, Change { alarm, phase, finding }: Change) -> Decision {
        let RuleTerms { id, severity, .. } = &self.terms;
        Decision { rule: id.clone(), severity: *severity, alarm, phase, finding }
    }
}
