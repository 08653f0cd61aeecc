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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn terms(patience: u64) -> Terms {
        Terms { patience: ms(patience), silent_after: None, rests_after: None }
    }

    fn tripped(is: bool) -> Said {
        Said::Reading(Reading { tripped: Some(is), ..Reading::default() })
    }

    fn ill(kind: SensorFaultKind, detail: Option<&str>) -> Said {
        let faults = vec![(kind, detail.map(str::to_owned))];
        Said::Reading(Reading { tripped: Some(false), faults, ..Reading::default() })
    }

    #[test]
    fn a_change_is_told_once_and_at_once() {
        let mut watch = Watch::new(terms(1000));
        assert_eq!(watch.state(), SensorState::Unknown);
        assert_eq!(watch.take(tripped(false), ms(0)), []);
        let measured = Some(Measurement { value: 7.5, unit: "m".into() });
        let reading = Reading { tripped: Some(true), measured: measured.clone(), faults: Vec::new() };
        assert_eq!(watch.take(Said::Reading(reading.clone()), ms(10)), [Change::Tripped(measured.clone())]);
        assert_eq!(watch.take(Said::Reading(reading), ms(20)), []);
        assert_eq!(watch.take(tripped(false), ms(30)), [Change::Rested(measured)]);
        assert_eq!(watch.heard(), Some(ms(30)));
    }

    #[test]
    fn whoever_starts_tripped_has_an_alarm() {
        let mut watch = Watch::new(terms(1000));
        assert_eq!(watch.take(tripped(true), ms(0)), [Change::Tripped(None)]);
        assert_eq!(watch.state(), SensorState::Tripped);
    }

    #[test]
    fn faults_come_and_go_each_for_itself() {
        use SensorFaultKind::{Power, Tamper};
        let mut watch = Watch::new(terms(1000));
        let begun = watch.take(ill(Tamper, Some("open")), ms(0));
        assert_eq!(begun, [Change::Ill(Tamper, "open".into())]);
        assert_eq!(watch.take(ill(Power, Some("low")), ms(1)), [Change::Ill(Power, "low".into())]);
        assert_eq!(watch.faults().len(), 2);
        let well = watch.take(ill(Tamper, None), ms(2));
        assert!(matches!(&well[..], [Change::Well(Tamper, _)]), "{well:?}");
    }

    #[test]
    fn silence_is_a_fault_after_the_patience_and_ends_nothing() {
        let mut watch = Watch::new(terms(1000));
        watch.take(tripped(true), ms(0));
        assert_eq!(watch.take(Said::Failed("no answer".into()), ms(100)), []);
        assert_eq!(watch.take(Said::Failed("refused".into()), ms(900)), []);
        assert_eq!(watch.tick(ms(1100)), [Change::Ill(SensorFaultKind::Comms, "refused".into())]);
        assert_eq!(watch.state(), SensorState::Tripped, "what it said last");
        let back = watch.take(tripped(true), ms(2000));
        assert!(matches!(&back[..], [Change::Well(SensorFaultKind::Comms, _)]), "{back:?}");
        assert_eq!(watch.take(Said::Failed("again".into()), ms(2100)), [], "the patience begins anew");
        assert_eq!(watch.tick(ms(3000)), []);
    }

    #[test]
    fn what_was_kept_is_no_sign_of_life() {
        use SensorFaultKind::Comms;
        let mut watch = Watch::new(Terms { silent_after: Some(ms(10_000)), ..terms(1000) });
        let kept = Said::Kept(Reading { tripped: Some(true), ..Reading::default() });
        assert_eq!(
            watch.take(Said::Gone("unplugged".into()), ms(0)),
            [Change::Ill(Comms, "unplugged".into())]
        );
        assert_eq!(watch.take(kept, ms(1)), [Change::Tripped(None)]);
        assert!(matches!(&watch.take(Said::Back, ms(5000))[..], [Change::Well(Comms, _)]));
        assert_eq!(watch.heard(), None);
        assert_eq!(watch.tick(ms(9_999)), []);
        assert_eq!(watch.tick(ms(10_000)), [Change::Ill(Comms, "it said nothing for 10 s".into())]);
        assert!(matches!(&watch.take(tripped(true), ms(12_000))[..], [Change::Well(Comms, _)]));
        assert_eq!(watch.tick(ms(21_999)), []);
        assert_eq!(watch.tick(ms(22_000)).len(), 1, "counted from its last word");
    }

    #[test]
    fn a_way_that_opens_again_ends_the_fault_of_the_way_alone() {
        let mut watch = Watch::new(terms(1000));
        watch.take(Said::Failed("no broker".into()), ms(0));
        assert_eq!(watch.tick(ms(1000)).len(), 1);
        assert_eq!(watch.take(Said::Gone("asleep".into()), ms(1100)), []);
        assert_eq!(watch.take(Said::Linked, ms(1200)), [], "still out of reach");
        assert_eq!(watch.take(Said::Back, ms(1300)).len(), 1);
    }

    #[test]
    fn who_says_only_that_it_trips_rests_by_itself() {
        let mut watch = Watch::new(Terms { rests_after: Some(ms(5000)), ..terms(1000) });
        assert_eq!(watch.take(tripped(true), ms(0)), [Change::Tripped(None)]);
        assert_eq!(watch.take(tripped(true), ms(3000)), []);
        assert_eq!(watch.tick(ms(7999)), [], "counted from the last time");
        assert_eq!(watch.tick(ms(8000)), [Change::Rested(None)]);
        assert_eq!(watch.tick(ms(20_000)), []);
    }

    #[test]
    fn a_kilohertz_is_one_fault_and_its_alarm_stays_until_it_is_calm() {
        let mut watch = Watch::new(terms(1000));
        let mut told = Vec::new();
        for at in 0..60_000 {
            told.extend(watch.take(tripped(at % 2 == 1), ms(at)));
        }
        assert!(told.len() <= CHATTER + 2, "{}", told.len());
        let chatter: Vec<_> = told.iter().filter(|it| matches!(it, Change::Ill(..))).collect();
        assert!(
            matches!(&chatter[..], [Change::Ill(SensorFaultKind::Open, detail)] if detail.contains("chatters"))
        );
        let trips = told.iter().filter(|it| matches!(it, Change::Tripped(_))).count();
        let rests = told.iter().filter(|it| matches!(it, Change::Rested(_))).count();
        assert_eq!(trips, rests + 1, "it stands as an alarm");
        assert_eq!(watch.take(tripped(false), ms(60_000)), []);
        let calm = watch.tick(ms(70_000));
        assert!(
            matches!(&calm[..], [Change::Rested(None), Change::Well(SensorFaultKind::Open, _)]),
            "{calm:?}"
        );
    }

    #[test]
    fn what_trips_first_while_it_chatters_is_an_alarm() {
        use SensorFaultKind::Tamper;
        let mut watch = Watch::new(terms(1000));
        for at in 0..40 {
            watch.take(ill(Tamper, (at % 2 == 0).then_some("open")), ms(at));
        }
        assert_eq!(watch.take(tripped(true), ms(50)), [Change::Tripped(None)]);
        assert_eq!(watch.take(tripped(false), ms(51)), []);
    }

    #[test]
    fn a_climber_does_not_chatter() {
        let mut watch = Watch::new(terms(1000));
        let told: usize = (0..10).map(|i| watch.take(tripped(i % 2 == 0), ms(i * 900)).len()).sum();
        assert_eq!(told, 10);
        assert!(watch.faults().is_empty());
    }

    proptest! {
        /// Whatever a sensor does: what is told alternates, it is bounded, and in the end it is what it is.
        #[test]
        fn what_is_told_is_bounded_and_true_in_the_end(
            steps in prop::collection::vec((0u64..2000, prop::option::of(any::<bool>())), 1..400)
        ) {
            let mut watch = Watch::new(terms(5000));
            let (mut at, mut told, mut last) = (0, Vec::new(), None);
            for (pause, says) in steps {
                at += pause;
                let said = says.map_or(Said::Failed("silent".into()), tripped);
                last = says.or(last);
                told.extend(watch.take(said, ms(at)).into_iter().map(|change| (at, change)));
            }
            told.extend(watch.tick(ms(at + 60_000)).into_iter().map(|change| (at + 60_000, change)));
            let trips: Vec<_> = told.iter().filter(|(_, it)| matches!(it, Change::Tripped(_) | Change::Rested(_))).collect();
            for (i, (_, change)) in trips.iter().enumerate() {
                prop_assert_eq!(matches!(change, Change::Tripped(_)), i % 2 == 0);
            }
            prop_assert_eq!(trips.len() % 2 == 1, last == Some(true));
            for window in told.windows(2 * CHATTER + 6) {
                prop_assert!(window[window.len() - 1].0 - window[0].0 >= 9_000, "{:?}", window);
            }
        }
    }
}
