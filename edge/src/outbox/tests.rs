use gatepost_wire::event::{Alarm, DeviceFault, FaultKind};
use gatepost_wire::{AlarmId, Evidence, MediaType, Severity};

use super::*;

fn edge() -> EdgeId {
    "gate-1".parse().unwrap()
}

fn draft(phase: Phase, alarm: AlarmId, pictures: usize) -> Draft {
    let happening = Happening::DeviceFault(DeviceFault {
        alarm: Alarm { id: alarm, phase },
        fault: FaultKind::DiskLow,
        detail: "test".into(),
        extra: Default::default(),
    });
    let evidence = vec![Evidence::covered(MediaType::Jpeg, "0".into(), 1); pictures];
    Draft {
        id: EventId::from_ulid(Ulid::generate()),
        time: Timestamp::now(),
        data: EventData {
            severity: Severity::LOW,
            happening,
            evidence,
            fused: None,
            extra: Default::default(),
        },
    }
}

fn any_alarm() -> AlarmId {
    AlarmId::from_ulid(Ulid::generate())
}

#[test]
fn what_is_recorded_waits_in_order_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, delivery, _) = open(folder.path(), edge()).unwrap();
    let first = recorder.record(&draft(Phase::Began, any_alarm(), 1)).unwrap();
    let second = recorder.record(&draft(Phase::Began, any_alarm(), 0)).unwrap();
    assert_eq!((first.seq, second.seq), (Seq(1), Seq(2)));
    let boot = recorder.boot();
    drop((recorder, delivery));

    let (mut recorder, delivery, _) = open(folder.path(), edge()).unwrap();
    let third = recorder.record(&draft(Phase::Began, any_alarm(), 0)).unwrap();
    assert_eq!(third.seq, Seq(1), "each boot counts from one");
    let items: Vec<_> = delivery.pending(None, 10).unwrap().into_iter().map(|entry| entry.item).collect();
    let event = |e: &Event| Item::Event { id: e.id, json: e.to_json().unwrap() };
    assert_eq!(items, [event(&first), Item::Picture { event: first.id }, event(&second), event(&third)]);
    assert_eq!(delivery.health().queued, 4);
    let boots = delivery.recorded_by_boot().unwrap();
    assert_eq!(boots, [Recorded { boot: recorder.boot(), last: Seq(1) }, Recorded { boot, last: Seq(2) }]);
}

#[test]
fn what_is_acknowledged_is_gone_and_positions_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, delivery, _) = open(folder.path(), edge()).unwrap();
    for _ in 0..3 {
        recorder.record(&draft(Phase::Began, any_alarm(), 0)).unwrap();
    }
    let entries = delivery.pending(None, 2).unwrap();
    assert_eq!(entries.len(), 2);
    let rest = delivery.pending(Some(entries[1].position), 10).unwrap();
    assert_eq!(rest.len(), 1);
    for entry in &entries {
        delivery.remove(entry.position).unwrap();
        delivery.remove(entry.position).unwrap();
    }
    assert_eq!(delivery.health().queued, 1);
    assert_eq!(delivery.pending(None, 10).unwrap(), rest);
}

#[test]
fn an_alarm_cut_short_is_found_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (cut, whole) = (any_alarm(), any_alarm());
    {
        let (mut recorder, _delivery, open_alarms) = open(folder.path(), edge()).unwrap();
        assert!(open_alarms.is_empty());
        for (phase, alarm) in [(Phase::Began, cut), (Phase::Began, whole), (Phase::Ended, whole)] {
            recorder.record(&draft(phase, alarm, 0)).unwrap();
        }
    }
    let (mut recorder, _delivery, open_alarms) = open(folder.path(), edge()).unwrap();
    let [left] = &open_alarms[..] else { panic!("{open_alarms:?}") };
    let end = ended(left.clone()).unwrap();
    assert_eq!(end.happening.alarm(), Some(Alarm { id: cut, phase: Phase::Ended }));
    recorder.record(&Draft { data: end, ..draft(Phase::Ended, cut, 0) }).unwrap();
    drop(recorder);
    drop(_delivery);
    assert!(open(folder.path(), edge()).unwrap().2.is_empty());
}

#[test]
fn a_folder_that_is_a_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outbox");
    std::fs::write(&file, "").unwrap();
    let error = open(&file, edge()).err().unwrap().to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
}

#[test]
fn what_the_hub_refuses_is_out_of_the_way_but_not_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, delivery, _) = open(folder.path(), edge()).unwrap();
    recorder.record(&draft(Phase::Began, any_alarm(), 0)).unwrap();
    recorder.record(&draft(Phase::Began, any_alarm(), 0)).unwrap();
    let entries = delivery.pending(None, 2).unwrap();
    delivery.set_aside(entries[0].position).unwrap();
    delivery.set_aside(entries[0].position).unwrap();
    assert_eq!(delivery.pending(None, 10).unwrap(), entries[1..]);
    assert_eq!(delivery.health().queued, 1);
    assert_eq!(recorder.store.count_set_aside().unwrap(), 1);
}

#[test]
fn what_comes_after_the_end_of_an_alarm_does_not_open_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, delivery, _) = open(folder.path(), edge()).unwrap();
    let alarm = any_alarm();
    for phase in [Phase::Began, Phase::Ended, Phase::Updated] {
        recorder.record(&draft(phase, alarm, 1)).unwrap();
    }
    drop((recorder, delivery));
    let (_, _, open_alarms) = open(folder.path(), edge()).unwrap();
    assert_eq!(open_alarms, []);
}
