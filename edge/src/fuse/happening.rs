//! Alarms that are near each other in time are of one happening.

use std::time::Duration;

use gatepost_wire::arming::Input;
use gatepost_wire::{AlarmId, Severity};

/// A time with a beginning and, if it is over, an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Duration,
    pub(super) to: Option<Duration>,
}

impl Span {
    /// Of what begins, no more is known at first.
    pub(super) const fn instant(at: Duration) -> Self {
        Self { from: at, to: Some(at) }
    }

    /// Is there no more than `within` between the two?
    pub(super) fn is_near(self, other: Self, within: Duration) -> bool {
        let before = |a: Self, b: Self| a.to.is_none_or(|to| to + within >= b.from);
        before(self, other) && before(other, self)
    }
}

/// An alarm that is remembered.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) alarm: AlarmId,
    pub(super) input: Input,
    /// The part of the rule it belongs to.
    pub(super) part: usize,
    pub(super) span: Span,
    /// What it is worth alone.
    pub(super) alone: Severity,
    /// What was told of it.
    pub(super) told: Severity,
    /// The alarm that tells of it; none if it does itself.
    pub(super) told_by: Option<AlarmId>,
}

/// Places of all that belong to one happening with the one at `first`: near to it, near to what is near to it, and so on.
pub(super) fn happening_of(first: usize, known: &[Known], within: Duration) -> Vec<usize> {
    let mut found = vec![first];
    let mut next = 0;
    while let Some(&member) = found.get(next) {
        let span = known[member].span;
        let near = (0..known.len()).filter(|other| span.is_near(known[*other].span, within));
        let new: Vec<usize> = near.filter(|other| !found.contains(other)).collect();
        found.extend(new);
        next += 1;
    }
    found.sort_unstable();
    found
}
