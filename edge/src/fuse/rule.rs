//! One fusion rule and what it remembers.

use std::collections::HashMap;
use std::time::Duration;

use gatepost_wire::{AlarmId, CameraId, RuleId, Severity};

use super::happening::{Known, Span, happening_of};
use super::{Begun, Link};
use crate::config::FusionRule;

/// Alarms and blind times a rule remembers; of more, what is over longest is forgotten first. What was told stays told.
const MEMORY: usize = 64;

/// What a rule says of an alarm.
pub(super) struct Regrade {
    pub(super) known: Known,
    /// What its happening is worth.
    pub(super) happening: Severity,
    pub(super) link: Option<(RuleId, Link)>,
}

struct Part {
    alone: Option<Severity>,
    cameras: Vec<CameraId>,
}

pub(super) struct Rule {
    id: RuleId,
    within: Duration,
    lateness: Duration,
    collapse: Duration,
    severity: Severity,
    blind: Option<Severity>,
    parts: Vec<Part>,
    /// In the order they were heard of.
    known: Vec<Known>,
    blind_times: HashMap<CameraId, Vec<Span>>,
}

impl Rule {
    pub(super) fn new(rule: &FusionRule) -> Self {
        let part = |part: &crate::config::FusionPart| Part {
            alone: part.alone,
            cameras: part.any.iter().filter_map(|input| input.0.camera().cloned()).collect(),
        };
        Self {
            id: rule.id.clone(),
            within: rule.within_s.span(),
            lateness: rule.lateness_s.span(),
            collapse: rule.collapse_s.span(),
            severity: rule.severity,
            blind: rule.blind,
            parts: rule.parts.iter().map(part).collect(),
            known: Vec::new(),
            blind_times: HashMap::new(),
        }
    }

    pub(super) fn alone(&self, part: usize) -> Option<Severity> {
        self.parts[part].alone
    }

    pub(super) fn remembered(&self) -> usize {
        self.known.len()
    }

    /// What was told of an alarm, as far as this rule remembers.
    pub(super) fn told(&self, alarm: AlarmId) -> Option<Severity> {
        self.known
            .iter()
            .filter(|known| known.alarm == alarm && known.told_by.is_none())
            .map(|it| it.told)
            .min()
    }

    /// An alarm begins. What this rule says of it comes first, then of the alarms that it confirms.
    pub(super) fn begin(
        &mut self,
        begun: &Begun,
        part: usize,
        alone: Severity,
        now: Duration,
    ) -> Vec<Regrade> {
        self.forget_old(now);
        let new = Known {
            alarm: begun.alarm,
            input: begun.input.clone(),
            part,
            span: Span::instant(begun.at),
            alone,
            told: alone,
            told_by: None,
        };
        if now.saturating_sub(begun.at) > self.lateness {
            return vec![Regrade { known: new, happening: alone, link: None }];
        }
        let place = self.known.len();
        self.known.push(new);
        let happening = happening_of(place, &self.known, self.within);
        self.known[place].told_by = self.teller(place, &happening);
        let mut regrades = self.tell(&happening);
        regrades.retain(|it| it.known.alarm != begun.alarm);
        let known = self.known[place].clone();
        let link = match known.told_by {
            Some(teller) => Some(Link::PartOf(teller)),
            None if happening.len() > 1 => Some(Link::Parts(self.others(place, &happening))),
            None => None,
        };
        // From here on it lasts until its end is heard of.
        self.known[place].span.to = None;
        let link = link.map(|link| (self.id.clone(), link));
        regrades.insert(0, Regrade { known, happening: self.grade(&happening), link });
        regrades
    }

    /// An alarm ends; only now is it certain how long it lasted, and what was near.
    pub(super) fn end(&mut self, alarm: AlarmId, at: Duration) -> Vec<Regrade> {
        let mut regrades = Vec::new();
        for place in 0..self.known.len() {
            let known = &mut self.known[place];
            if known.alarm == alarm && known.span.to.is_none() {
                known.span.to = Some(at.max(known.span.from));
                regrades.extend(self.tell(&happening_of(place, &self.known, self.within)));
            }
        }
        regrades
    }

    pub(super) fn forget(&mut self, alarm: AlarmId) {
        self.known.retain(|known| known.alarm != alarm);
        for known in self.known.iter_mut().filter(|known| known.told_by == Some(alarm)) {
            // What it told of is to be told of anew.
            (known.told_by, known.told) = (None, known.alone);
        }
    }

    pub(super) fn blind(&mut self, camera: &CameraId, at: Duration, now: Duration) -> Vec<Regrade> {
        self.forget_old(now);
        let times = self.blind_times.entry(camera.clone()).or_default();
        times.push(Span::instant(at));
        if times.len() > MEMORY {
            times.remove(0);
        }
        let regrades = self.tell_all();
        if let Some(time) = self.blind_times.get_mut(camera).and_then(|times| times.last_mut()) {
            time.to = None;
        }
        regrades
    }

    pub(super) fn sees(&mut self, camera: &CameraId, at: Duration) -> Vec<Regrade> {
        let time = self.blind_times.get_mut(camera).and_then(|times| times.last_mut());
        match time.filter(|time| time.to.is_none()) {
            Some(time) => {
                time.to = Some(at.max(time.from));
                self.tell_all()
            }
            None => Vec::new(),
        }
    }

    fn tell_all(&mut self) -> Vec<Regrade> {
        let mut seen = vec![false; self.known.len()];
        let mut regrades = Vec::new();
        for place in 0..self.known.len() {
            if !seen[place] {
                let happening = happening_of(place, &self.known, self.within);
                happening.iter().for_each(|member| seen[*member] = true);
                regrades.extend(self.tell(&happening));
            }
        }
        regrades
    }

    /// The alarm that tells of the one at `place`: the first that tells of its happening, unless that was too long ago.
    fn teller(&self, place: usize, happening: &[usize]) -> Option<AlarmId> {
        let at = self.known[place].span.from;
        let tells =
            |member: &&Known| member.told_by.is_none() && at.abs_diff(member.span.from) <= self.collapse;
        let others = happening.iter().filter(|member| **member != place).map(|member| &self.known[*member]);
        others.filter(tells).min_by_key(|known| (known.span.from, known.alarm)).map(|known| known.alarm)
    }

    /// Raises what tells of a happening to what the happening is worth.
    fn tell(&mut self, happening: &[usize]) -> Vec<Regrade> {
        let grade = self.grade(happening);
        let mut regrades = Vec::new();
        for &member in happening {
            let known = &mut self.known[member];
            if known.told_by.is_none() && grade < known.told {
                known.told = grade;
                let known = known.clone();
                let parts = self.others(member, happening);
                let link = (!parts.is_empty()).then(|| (self.id.clone(), Link::Parts(parts)));
                regrades.push(Regrade { known, happening: grade, link });
            }
        }
        regrades
    }

    fn others(&self, place: usize, happening: &[usize]) -> Vec<AlarmId> {
        happening.iter().filter(|member| **member != place).map(|member| self.known[*member].alarm).collect()
    }

    fn grade(&self, happening: &[usize]) -> Severity {
        let members = || happening.iter().map(|member| &self.known[*member]);
        let is_whole = (0..self.parts.len()).all(|part| members().any(|known| known.part == part));
        let together = is_whole.then_some(self.severity);
        let blind = self.blind.filter(|_| members().any(|known| self.is_unseen(known)));
        members().map(|known| known.alone).chain(together).chain(blind).min().unwrap_or(Severity::LOW)
    }

    /// Was a camera blind that should have confirmed it?
    fn is_unseen(&self, known: &Known) -> bool {
        let others = self.parts.iter().enumerate().filter(|(part, _)| *part != known.part);
        let mut times =
            others.flat_map(|(_, part)| &part.cameras).filter_map(|it| self.blind_times.get(it)).flatten();
        times.any(|time| time.is_near(known.span, self.within))
    }

    /// Forgets what can confirm nothing any more, but through a long chain of others. That is meant: a happening goes on for
    /// as long as a fence shakes in the wind, and what confirmed its beginning does not make all of it grave.
    fn forget_old(&mut self, now: Duration) {
        let kept = self.within + self.lateness + self.collapse;
        let counts = |span: &Span| span.to.is_none_or(|to| to + kept >= now);
        self.known.retain(|known| counts(&known.span));
        for times in self.blind_times.values_mut() {
            times.retain(counts);
        }
        if self.known.len() >= MEMORY {
            let over =
                |(_, known): &(usize, &Known)| (known.span.to.is_none(), known.span.to, known.span.from);
            if let Some(oldest) = self.known.iter().enumerate().min_by_key(over).map(|(place, _)| place) {
                self.known.remove(oldest);
            }
        }
    }
}
