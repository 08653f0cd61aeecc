//! Fusion: alarms of one happening are told as one, and graded by what confirms them. Pure: alarms with place and time in,
//! grades out.
//!
//! No alarm is held back until another confirms it: it is told at once with the grade it has alone, and graded again
//! when more is known. A grade never falls, and nothing that was an alarm is taken back.

mod happening;
mod rule;

use std::collections::HashMap;
use std::time::Duration;

use gatepost_wire::arming::Input;
use gatepost_wire::{AlarmId, CameraId, RuleId, Severity};

use crate::config::FusionRule;
use rule::{Regrade, Rule};

/// An alarm that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub alarm: AlarmId,
    /// Where.
    pub input: Input,
    /// When it happened, since the daemon's start.
    pub at: Duration,
    /// How grave by itself.
    pub severity: Severity,
}

/// What an alarm is worth now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// The alarm.
    pub alarm: AlarmId,
    /// How grave.
    pub severity: Severity,
    /// How grave the happening is it belongs to, whichever alarm tells of it.
    pub happening: Severity,
    /// The rule that says so, and the alarms it goes by; none where the alarm stands alone.
    pub link: Option<(RuleId, Link)>,
}

/// How an alarm belongs to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It tells the happening; these belong to it.
    Parts(Vec<AlarmId>),
    /// It is told by this alarm.
    PartOf(AlarmId),
}

/// All fusion rules of a box.
pub struct Fusion {
    rules: Vec<Rule>,
    /// Places of an input in the rules: of the rule, and of the part in it.
    places: HashMap<Input, Vec<(usize, usize)>>,
    looking_at: HashMap<CameraId, Vec<usize>>,
}

impl Fusion {
    /// The rules as configured.
    pub fn new(rules: &[FusionRule]) -> Self {
        let mut places: HashMap<Input, Vec<(usize, usize)>> = HashMap::new();
        let mut looking_at: HashMap<CameraId, Vec<usize>> = HashMap::new();
        for (r, rule) in rules.iter().enumerate() {
            for (p, part) in rule.parts.iter().enumerate() {
                for input in &part.any {
                    places.entry(input.0.clone()).or_default().push((r, p));
                    if let Some(camera) = input.0.camera() {
                        looking_at.entry(camera.clone()).or_default().push(r);
                    }
                }
            }
        }
        looking_at.values_mut().for_each(|rules| rules.dedup());
        Self { rules: rules.iter().map(Rule::new).collect(), places, looking_at }
    }

    /// Takes an alarm that begins, heard of at `now`. The first grade is its own, others are of alarms that it confirms.
    pub fn begin(&mut self, begun: &Begun, now: Duration) -> Vec<Grade> {
        let places = self.places_of(&begun.input);
        let alone = places.iter().filter_map(|(r, p)| self.rules[*r].alone(*p)).min();
        let alone = alone.unwrap_or(begun.severity);
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for (r, p) in places {
            let mut regrades = self.rules[r].begin(begun, p, alone, now).into_iter();
            own.extend(regrades.next());
            others.extend(regrades);
        }
        std::iter::once(own_grade(begun.alarm, alone, own)).chain(self.grades(others)).collect()
    }

    /// Takes the end of an alarm. An alarm without a duration need not end.
    pub fn end(&mut self, alarm: AlarmId, at: Duration) -> Vec<Grade> {
        let regrades: Vec<Regrade> = self.rules.iter_mut().flat_map(|rule| rule.end(alarm, at)).collect();
        self.grades(regrades)
    }

    /// An alarm was none, or is dealt with: what comes after it is a happening of its own.
    pub fn forget(&mut self, alarm: AlarmId) {
        for rule in &mut self.rules {
            rule.forget(alarm);
        }
    }

    /// A camera does not show its scene any more.
    pub fn blind(&mut self, camera: &CameraId, at: Duration, now: Duration) -> Vec<Grade> {
        let rules = self.looking_at.get(camera).cloned().unwrap_or_default();
        let regrades = rules.into_iter().flat_map(|r| self.rules[r].blind(camera, at, now)).collect();
        self.grades(regrades)
    }

    /// A camera shows its scene again.
    pub fn sees(&mut self, camera: &CameraId, at: Duration) -> Vec<Grade> {
        let rules = self.looking_at.get(camera).cloned().unwrap_or_default();
        let regrades = rules.into_iter().flat_map(|r| self.rules[r].sees(camera, at)).collect();
        self.grades(regrades)
    }

    fn grades(&self, regrades: Vec<Regrade>) -> Vec<Grade> {
        regrades.into_iter().map(|regrade| self.grade(regrade)).collect()
    }

    /// How many alarms are remembered.
    pub fn remembered(&self) -> usize {
        self.rules.iter().map(Rule::remembered).sum()
    }

    /// What one rule says, unless another says something graver.
    fn grade(&self, Regrade { known, link, .. }: Regrade) -> Grade {
        let rules = self.places_of(&known.input);
        let told = rules.into_iter().filter_map(|(r, _)| self.rules[r].told(known.alarm)).min();
        let severity = told.map_or(known.told, |told| told.min(known.told));
        Grade { alarm: known.alarm, severity, happening: severity, link }
    }

    /// The places of an input and of the camera it belongs to.
    fn places_of(&self, input: &Input) -> Vec<(usize, usize)> {
        let whole = match input {
            Input::Zone { camera, .. } => self.places.get(&Input::Camera { camera: camera.clone() }),
            Input::Camera { .. } | Input::Sensor { .. } => None,
        };
        self.places.get(input).into_iter().chain(whole).flatten().copied().collect()
    }
}

/// What an alarm is worth that began just now, by all rules that know its input. Only what is told by another alarm for
/// every one of them is there just for the record.
fn own_grade(alarm: AlarmId, alone: Severity, regrades: Vec<Regrade>) -> Grade {
    let is_part = |regrade: &&Regrade| regrade.known.told_by.is_some();
    let itself = regrades.iter().filter(|it| !is_part(it)).map(|it| it.known.told).min();
    let severity = itself.unwrap_or(if regrades.is_empty() { alone } else { Severity::LOW });
    let tells = |link: &(RuleId, Link)| matches!(link.1, Link::PartOf(_));
    let happening = regrades.iter().map(|regrade| regrade.happening).min().unwrap_or(alone);
    let link = regrades.into_iter().filter_map(|regrade| regrade.link).min_by_key(tells);
    Grade { alarm, severity, happening, link }
}

#[cfg(test)]
mod tests;
