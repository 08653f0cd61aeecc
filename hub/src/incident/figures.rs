//! What the work with incidents looks like in numbers, against the guide values of EEMUA 191 for alarm systems: at most one alarm for an
//! operator in ten minutes is very likely acceptable, up to two manageable, up to five likely over-demanding, more unacceptable.

use std::collections::BTreeMap;

use gatepost_wire::{CameraId, EdgeId, RuleId, Timestamp};
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::action::FalseReason;
use super::nuisance::{Chattering, Nuisance, Stale};

const TEN_MINUTES_S: f64 = 600.0;

/// Incidents since a moment, counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many were opened.
    pub opened: usize,
    /// How many of them in the worst ten minutes.
    pub busiest: u32,
    /// How many were false alarms.
    pub false_alarms: usize,
    /// How long it took until somebody had looked.
    pub acknowledge: Vec<Took>,
    /// How long it took until they were closed.
    pub close: Vec<Took>,
    /// Where most false alarms come from, the worst first; at most ten places.
    pub worst: Vec<WorstPlace>,
}

/// How many took so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// Whole seconds.
    pub seconds: i64,
    /// How many.
    pub incidents: usize,
}

/// The work with incidents since a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// That moment.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How many were opened.
    #[schema(example = 64)]
    pub opened: usize,
    /// How many of them each operator had to look at.
    pub per_operator_10_min: PerOperator,
    /// Seconds until somebody had looked.
    pub acknowledge_s: Option<Times>,
    /// Seconds until it was closed.
    pub close_s: Option<Times>,
    /// How many were false alarms.
    #[schema(example = 23)]
    pub false_alarms: usize,
    /// Where most false alarms come from, the worst first; at most ten places.
    pub worst: Vec<WorstPlace>,
    /// What raised alarms in quick succession.
    pub chattering: Chattering,
    /// What is open, or goes on, for more than a day, now.
    pub stale: Stale,
}

/// Incidents for each operator in ten minutes.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct PerOperator {
    /// On the average.
    #[schema(example = 0.15)]
    pub mean: f64,
    /// In the worst ten minutes.
    #[schema(example = 2.0)]
    pub peak: f64,
    /// How many people triaged or assigned any; at least one is reckoned with.
    #[schema(example = 3)]
    pub operators: usize,
}

/// How long something took.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Times {
    /// Half of them at most so long, seconds.
    #[schema(example = 95)]
    pub p50: i64,
    /// Nine tenths at most so long.
    #[schema(example = 410)]
    pub p90: i64,
}

/// A camera, or a box as far as no camera of it is meant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WorstPlace {
    /// The box.
    #[schema(value_type = String, format = "name", example = "gate-1")]
    pub edge: EdgeId,
    /// The camera.
    #[schema(value_type = Option<String>, format = "name", example = "east-gate")]
    pub camera: Option<CameraId>,
    /// What people call it.
    #[schema(example = "东门")]
    pub camera_label: Option<String>,
    /// How many incidents were opened there.
    #[schema(example = 20)]
    pub incidents: usize,
    /// How many of them were false alarms.
    #[schema(example = 12)]
    pub false_alarms: usize,
    /// By which rules those were raised; the one with most of them first.
    pub rules: Vec<WorstRule>,
}

/// What a rule of a camera raised.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WorstRule {
    /// The rule; none where alarms are raised without one, as of a camera that is covered.
    #[schema(value_type = Option<String>, format = "name", example = "lawn-closed")]
    pub rule: Option<RuleId>,
    /// How many incidents it opened.
    #[schema(example = 18)]
    pub incidents: usize,
    /// How many of them were false alarms; one or more.
    #[schema(example = 12)]
    pub false_alarms: usize,
    /// Why.
    #[schema(example = json!({ "animal": 9, "light": 3 }))]
    pub reasons: BTreeMap<FalseReason, usize>,
}

impl WorstRule {
    /// As yet of nothing.
    pub const fn new(rule: Option<RuleId>) -> Self {
        Self { rule, incidents: 0, false_alarms: 0, reasons: BTreeMap::new() }
    }

    /// Counts incidents: real ones or not yet judged, or false alarms of one reason.
    pub fn add(&mut self, incidents: usize, reason: Option<FalseReason>) {
        self.incidents += incidents;
        if let Some(reason) = reason {
            self.false_alarms += incidents;
            *self.reasons.entry(reason).or_default() += incidents;
        }
    }
}

impl Figures {
    /// Of these incidents, which `operators` people looked at between `since` and `now`.
    pub fn of(tally: Tally, nuisance: Nuisance, operators: usize, since: Timestamp, now: Timestamp) -> Self {
        Self {
            since,
            opened: tally.opened,
            per_operator_10_min: PerOperator::of(&tally, operators, now.duration_since(since)),
            acknowledge_s: Times::of(tally.acknowledge),
            close_s: Times::of(tally.close),
            false_alarms: tally.false_alarms,
            worst: tally.worst,
            chattering: nuisance.chattering,
            stale: nuisance.stale,
        }
    }
}

impl PerOperator {
    fn of(tally: &Tally, operators: usize, time: SignedDuration) -> Self {
        // Too few to lose anything as floating point numbers.
        let people = operators.max(1) as f64;
        let all = (time.as_secs_f64() / TEN_MINUTES_S).max(1.0);
        let mean = tally.opened as f64 / all / people;
        Self { mean, peak: f64::from(tally.busiest) / people, operators }
    }
}

impl Times {
    fn of(mut took: Vec<Took>) -> Option<Self> {
        took.sort_unstable_by_key(|one| one.seconds);
        let all: usize = took.iter().map(|one| one.incidents).sum();
        // The smallest value that so many percent do not exceed (nearest rank).
        let rank = |percent: usize| {
            let mut left = (all * percent).div_ceil(100);
            let reached = |one: &&Took| {
                left = left.saturating_sub(one.incidents);
                left == 0
            };
            took.iter().find(reached).map(|one| one.seconds)
        };
        Some(Self { p50: rank(50)?, p90: rank(90)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn figures_are_those_of_the_guide() {
        let once = |seconds| Took { seconds, incidents: 1 };
        let tally = Tally {
            opened: 11,
            busiest: 10,
            // In whatever order.
            acknowledge: (1..=10).rev().map(once).collect(),
            close: vec![Took { seconds: 60, incidents: 8 }, Took { seconds: 5, incidents: 1 }],
            ..Tally::default()
        };
        let figures = Figures::of(tally, Nuisance::default(), 2, at(0), at(6000));
        assert_eq!(figures.per_operator_10_min, PerOperator { mean: 0.55, peak: 5.0, operators: 2 });
        assert_eq!(figures.acknowledge_s, Some(Times { p50: 5, p90: 9 }));
        assert_eq!(figures.close_s, Some(Times { p50: 60, p90: 60 }));
    }

    #[test]
    fn nothing_is_nothing() {
        let figures = Figures::of(Tally::default(), Nuisance::default(), 0, at(0), at(1));
        assert_eq!((figures.per_operator_10_min.mean, figures.acknowledge_s), (0.0, None));
    }
}
