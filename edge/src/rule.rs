//! Rules: which tracks, where and for how long, are an alarm. Pure: tracks and time in, decisions out.

mod zone_intrusion;

use std::time::Duration;

use gatepost_wire::event::Phase;
use gatepost_wire::{RuleId, Severity, ZoneId};

use crate::config::{Camera, Rule};
use crate::track::Track;
use zone_intrusion::ZoneIntrusion;

/// Which of a rule's alarms; counted within one run of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlarmNumber(pub u64);

/// A rule says that an alarm begins, goes on or ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The rule.
    pub rule: RuleId,
    /// The area it watches.
    pub zone: ZoneId,
    /// How grave.
    pub severity: Severity,
    /// Which alarm of this rule.
    pub alarm: AlarmNumber,
    /// The moment of its life.
    pub phase: Phase,
    /// Who or what, as last seen.
    pub track: Track,
    /// Time inside so far.
    pub dwell: Duration,
}

/// The rules of one camera; none by default.
#[derive(Default)]
pub struct Rules {
    zone_intrusions: Vec<ZoneIntrusion>,
}

impl Rules {
    /// The rules as configured; the configuration has been checked: every rule's zone exists.
    pub fn new(camera: &Camera) -> Self {
        let zone_intrusions = camera
            .rules
            .iter()
            .filter_map(|Rule::ZoneIntrusion(rule)| {
                let zone = camera.zones.iter().find(|zone| zone.id == rule.zone)?;
                Some(ZoneIntrusion::new(rule.clone(), zone.polygon.clone()))
            })
            .collect();
        Self { zone_intrusions }
    }

    /// Takes the tracks of one frame; `at` only grows.
    pub fn decide(&mut self, tracks: &[Track], at: Duration) -> Vec<Decision> {
        self.zone_intrusions.iter_mut().flat_map(|rule| rule.decide(tracks, at)).collect()
    }
}
