//! What the work with incidents looks like in numbers, against the guide values of EEMUA 191 for alarm systems: at most one alarm for an
//! operator in ten minutes is very likely acceptable, up to two manageable, up to five likely over-demanding, more unacceptable.

use std::collections::BTreeMap;

use gatepost_wire::{CameraId, EdgeId, RuleId, Timestamp};
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::action::FalseReason;

const TEN_MINUTES_S: i64 = 600;

/// So many places are named.
const WORST: usize = 10;

/// An incident as far as statistics ask.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The box.
    pub edge: EdgeId,
    /// The camera.
    pub camera: Option<CameraId>,
    /// What people call it.
    pub camera_label: Option<String>,
    /// The rule of its first alarm.
    pub rule: Option<RuleId>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When somebody had looked.
    pub acknowledged: Option<Timestamp>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// It was a false alarm, for this reason.
    pub false_alarm: Option<FalseReason>,
}

/// The work with incidents since a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// That moment.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How many were opened.
    pub opened: usize,
    /// How many of them each operator had to look at.
    pub per_operator_10_min: PerOperator,
    /// Seconds until somebody had looked.
    pub acknowledge_s: Option<Times>,
    /// Seconds until it was closed.
    pub close_s: Option<Times>,
    /// How many were false alarms.
    pub false_alarms: usize,
    /// Where most false alarms come from; at most ten places.
    pub worst: Vec<WorstPlace>,
}

/// Incidents for each operator in ten minutes.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct PerOperator {
    /// On the average.
    pub mean: f64,
    /// In the worst ten minutes.
    pub peak: f64,
    /// How many people triaged any; at least one is reckoned with.
    pub operators: usize,
}

/// How long something took.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Times {
    /// Half of them at most so long, seconds.
    pub p50: i64,
    /// Nine tenths at most so long.
    pub p90: i64,
}

/// A rule of a camera.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct WorstPlace {
    /// The box.
    #[schema(value_type = String)]
    pub edge: EdgeId,
    /// The camera.
    #[schema(value_type = Option<String>)]
    pub camera: Option<CameraId>,
    /// What people call it.
    pub camera_label: Option<String>,
    /// The rule.
    #[schema(value_type = Option<String>)]
    pub rule: Option<RuleId>,
    /// How many incidents it opened.
    pub incidents: usize,
    /// How many of them were false alarms.
    pub false_alarms: usize,
    /// Why.
    pub reasons: BTreeMap<FalseReason, usize>,
}

impl Figures {
    /// Of these incidents, which `operators` people looked at between `since` and `now`.
    pub fn of(incidents: &[Counted], operators: usize, since: Timestamp, now: Timestamp) -> Self {
        let took = |end: fn(&Counted) -> Option<Timestamp>| {
            let seconds = |one: &Counted| Some(end(one)?.duration_since(one.opened).as_secs());
            Times::of(incidents.iter().filter_map(seconds).collect())
        };
        Self {
            since,
            opened: incidents.len(),
            per_operator_10_min: PerOperator::of(incidents, operators, now.duration_since(since)),
            acknowledge_s: took(|one| one.acknowledged),
            close_s: took(|one| one.closed),
            false_alarms: incidents.iter().filter(|one| one.false_alarm.is_some()).count(),
            worst: WorstPlace::of(incidents),
        }
    }
}

impl PerOperator {
    fn of(incidents: &[Counted], operators: usize, time: SignedDuration) -> Self {
        let mut windows: BTreeMap<i64, u32> = BTreeMap::new();
        for one in incidents {
            *windows.entry(one.opened.as_second().div_euclid(TEN_MINUTES_S)).or_default() += 1;
        }
        // Too few to lose anything as floating point numbers.
        let people = operators.max(1) as f64;
        let all = (time.as_secs_f64() / TEN_MINUTES_S as f64).max(1.0);
        let peak = windows.values().copied().max().unwrap_or(0);
        Self { mean: incidents.len() as f64 / all / people, peak: f64::from(peak) / people, operators }
    }
}

impl Times {
    fn of(mut seconds: Vec<i64>) -> Option<Self> {
        seconds.sort_unstable();
        // The smallest value that so many percent do not exceed (nearest rank).
        let rank =
            |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { p50: rank(50)?, p90: rank(90)? })
    }
}

impl WorstPlace {
    /// The places of these incidents with most false alarms, at most ten.
    pub fn of(incidents: &[Counted]) -> Vec<Self> {
        let mut places: BTreeMap<_, Self> = BTreeMap::new();
        for one in incidents {
            let place = (one.edge.clone(), one.camera.clone(), one.rule.clone());
            let place = places.entry(place).or_insert_with(|| Self {
                edge: one.edge.clone(),
                camera: one.camera.clone(),
                camera_label: one.camera_label.clone(),
                rule: one.rule.clone(),
                incidents: 0,
                false_alarms: 0,
                reasons: BTreeMap::new(),
            });
            place.incidents += 1;
            if let Some(reason) = one.false_alarm {
                place.false_alarms += 1;
                *place.reasons.entry(reason).or_default() += 1;
            }
        }
        let mut worst: Vec<_> = places.into_values().filter(|place| place.false_alarms > 0).collect();
        worst.sort_by_key(|place| std::cmp::Reverse(place.false_alarms));
        worst.truncate(WORST);
        worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn counted(
        camera: &str,
        opened: i64,
        acknowledged: Option<i64>,
        false_alarm: Option<FalseReason>,
    ) -> Counted {
        Counted {
            edge: "gate-1".parse().unwrap(),
            camera: Some(camera.parse().unwrap()),
            camera_label: None,
            rule: None,
            opened: at(opened),
            acknowledged: acknowledged.map(|after| at(opened + after)),
            closed: None,
            false_alarm,
        }
    }

    #[test]
    fn figures_are_those_of_the_guide() {
        let plant = Some(FalseReason::Plant);
        let incidents: Vec<_> = (0..10)
            .map(|n| counted("east", n * 60, Some(n + 1), plant.filter(|_| n < 3)))
            .chain([counted("west", 5000, None, plant)])
            .collect();
        let figures = Figures::of(&incidents, 2, at(0), at(6000));
        assert_eq!(figures.per_operator_10_min, PerOperator { mean: 0.55, peak: 5.0, operators: 2 });
        assert_eq!(figures.acknowledge_s, Some(Times { p50: 5, p90: 9 }));
        assert_eq!((figures.close_s, figures.opened, figures.false_alarms), (None, 11, 4));
        let worst: Vec<_> = figures.worst.iter().map(|place| (place.incidents, place.false_alarms)).collect();
        assert_eq!(worst, [(10, 3), (1, 1)]);
        assert_eq!(figures.worst[0].reasons, [(FalseReason::Plant, 3)].into_iter().collect());
    }

    #[test]
    fn nothing_is_nothing() {
        let figures = Figures::of(&[], 0, at(0), at(1));
        assert_eq!((figures.per_operator_10_min.mean, figures.acknowledge_s), (0.0, None));
    }
}
