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
    assert_eq!(watch.take(Said::Gone("unplugged".into()), ms(0)), [Change::Ill(Comms, "unplugged".into())]);
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
    assert!(matches!(&calm[..], [Change::Rested(None), Change::Well(SensorFaultKind::Open, _)]), "{calm:?}");
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
