//! What the signs of one sensor amount to. Pure: signs and time in, changes out.
//!
//! A change is told at once. Where a contact is loose or a line hums it changes too often for anybody to follow: then
//! one fault says so, and until it is calm again nothing ends. What trips meanwhile is an alarm all the same.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use gatepost_wire::event::{Measurement, SensorFaultKind};
use gatepost_wire::health::SensorState;

use super::Change;
use super::sign::{Reading, Said};

/// So many changes within [`CALM`] are chatter. A climber who shakes a fence makes some five in that time.
const CHATTER: usize = 20;
/// How long it has to stay as it is to be believed again.
const CALM: Duration = Duration::from_secs(10);

/// What is expected of a sensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How long it may give no sense before that is a fault.
    pub patience: Duration,
    /// Its silence for so long is a fault.
    pub silent_after: Option<Duration>,
    /// It says when it trips, but not when it rests: so long after that it does.
    pub rests_after: Option<Duration>,
}

/// One sensor's watch.
#[derive(Debug)]
pub(super) struct Watch {
    terms: Terms,
    /// When it was asked of first.
    since: Option<Duration>,
    tripped: Option<bool>,
    measured: Option<Measurement>,
    ill: BTreeMap<SensorFaultKind, String>,
    failing: Option<Failing>,
    /// Why whoever watches over it says that it is out of reach.
    gone: Option<String>,
    heard: Option<Duration>,
    /// When it is taken to be at rest, if it says nothing more.
    rests_at: Option<Duration>,
    /// The last changes, when it chatters or may be about to.
    changes: VecDeque<Duration>,
    chatters: bool,
    told_tripped: bool,
    told_ill: BTreeMap<SensorFaultKind, String>,
}

#[derive(Debug)]
struct Failing {
    since: Duration,
    reason: String,
}

impl Watch {
    /// Of a sensor of which nothing is known.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            since: None,
            tripped: None,
            measured: None,
            ill: BTreeMap::new(),
            failing: None,
            gone: None,
            heard: None,
            rests_at: None,
            changes: VecDeque::new(),
            chatters: false,
            told_tripped: false,
            told_ill: BTreeMap::new(),
        }
    }

    /// Takes a sign; the time of signs only grows.
    pub fn take(&mut self, said: Said, at: Duration) -> Vec<Change> {
        match said {
            Said::Reading(reading) => {
                (self.failing, self.gone, self.heard) = (None, None, Some(at));
                self.read(reading, at);
            }
            Said::Kept(reading) => {
                self.failing = None;
                self.read(reading, at);
            }
            Said::Linked => self.failing = None,
            Said::Gone(reason) => self.gone = Some(reason),
            Said::Back => self.gone = None,
            Said::Failed(reason) => {
                let since = self.failing.as_ref().map_or(at, |failing| failing.since);
                self.failing = Some(Failing { since, reason });
            }
        }
        self.tick(at)
    }

    /// Time goes on.
    pub fn tick(&mut self, at: Duration) -> Vec<Change> {
        self.since.get_or_insert(at);
        if self.rests_at.is_some_and(|rests_at| rests_at <= at) {
            self.rests_at = None;
            if self.tripped.replace(false) == Some(true) {
                self.changed(at);
            }
        }
        if self.changes.back().is_some_and(|last| at.saturating_sub(*last) >= CALM) {
            self.changes.clear();
            self.chatters = false;
        }
        let mut told = Vec::new();
        let tripped = self.tripped == Some(true);
        if tripped && !self.told_tripped || !tripped && self.told_tripped && !self.chatters {
            self.told_tripped = tripped;
            let measured = self.measured.clone();
            told.push(if tripped { Change::Tripped(measured) } else { Change::Rested(measured) });
        }
        let ill = self.illnesses(at);
        let got_well = |kind: &SensorFaultKind| !ill.contains_key(kind);
        if !self.chatters {
            let well: Vec<_> = self.told_ill.keys().copied().filter(got_well).collect();
            for kind in well {
                self.told_ill.remove(&kind);
                told.push(Change::Well(kind, "it is well again".into()));
            }
        }
        for (kind, detail) in ill {
            if self.told_ill.insert(kind, detail.clone()).is_none() {
                told.push(Change::Ill(kind, detail));
            }
        }
        told
    }

    /// What it says.
    pub const fn state(&self) -> SensorState {
        match self.tripped {
            None => SensorState::Unknown,
            Some(false) => SensorState::Rest,
            Some(true) => SensorState::Tripped,
        }
    }

    /// What it is told to be ill with, the gravest first.
    pub fn faults(&self) -> &BTreeMap<SensorFaultKind, String> {
        &self.told_ill
    }

    /// Its last sign of life.
    pub const fn heard(&self) -> Option<Duration> {
        self.heard
    }

    fn read(&mut self, reading: Reading, at: Duration) {
        if reading.tripped == Some(true) {
            self.rests_at = self.terms.rests_after.map(|after| at + after);
        }
        if let Some(tripped) = reading.tripped
            && self.tripped.replace(tripped).is_some_and(|was| was != tripped)
        {
            self.changed(at);
        }
        self.measured = reading.measured.or(self.measured.take());
        for (kind, detail) in reading.faults {
            let was_ill = self.ill.contains_key(&kind);
            if was_ill != detail.is_some() {
                self.changed(at);
            }
            match detail {
                Some(detail) => drop(self.ill.insert(kind, detail)),
                None => drop(self.ill.remove(&kind)),
            }
        }
    }

    fn changed(&mut self, at: Duration) {
        self.changes.push_back(at);
        if self.changes.len() > CHATTER {
            self.changes.pop_front();
        }
        let first = self.changes.front().filter(|_| self.changes.len() == CHATTER);
        self.chatters |= first.is_some_and(|first| at.saturating_sub(*first) < CALM);
    }

    /// Why what it says cannot be known, if it cannot.
    fn out_of_reach(&self, at: Duration) -> Option<String> {
        let failing = self.failing.as_ref().filter(|it| at.saturating_sub(it.since) >= self.terms.patience);
        let heard = self.heard.or(self.since).unwrap_or(at);
        let silent = self.terms.silent_after.filter(|after| at.saturating_sub(heard) >= *after);
        let silence = silent.map(|after| format!("it said nothing for {} s", after.as_secs()));
        self.gone.clone().or_else(|| failing.map(|it| it.reason.clone())).or(silence)
    }

    fn illnesses(&self, at: Duration) -> BTreeMap<SensorFaultKind, String> {
        let mut ill = self.ill.clone();
        if let Some(reason) = self.out_of_reach(at) {
            ill.entry(SensorFaultKind::Comms).or_insert(reason);
        }
        if self.chatters {
            let detail = format!(
                "it chatters: {CHATTER} changes in less than {} s; a loose contact, or interference. Nothing of it ends \
                 until it is calm",
                CALM.as_secs()
            );
            ill.entry(SensorFaultKind::Open).or_insert(detail);
        }
        ill
    }
}

#[cfg(test)]
mod tests;
