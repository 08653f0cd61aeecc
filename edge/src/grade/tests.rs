use gatepost_wire::command::WantedMode;
use gatepost_wire::event::{Alarm, InputKind, SensorAlarm, SensorFault, SensorFaultKind};

use super::*;
use crate::config::parse;

const SITE: &str = r#"
edge = "gate-1"
data_dir = "data"
[model]
manifest = "model.toml"
runtime = "runtime.so"
[uplink]
broker = "mqtt://127.0.0.1:1883"
[[camera]]
id = "east-gate"
url = "rtsp://127.0.0.1/"
zone = [
    { id = "lawn", polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]] },
    { id = "fire-lane", polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]] },
]

[[area]]
id = "school"
mode = "armed_away"
exit_delay_s = 0
entry_delay_s = 30
member = [{ camera = "east-gate", zone = "lawn" }, { camera = "east-gate", zone = "fire-lane", role = "entry" }]

[[fusion]]
id = "lawn-and-lane"
severity = 1
part = [
    { any = [{ camera = "east-gate", zone = "lawn" }], alone = 3 },
    { any = [{ camera = "east-gate", zone = "fire-lane" }], alone = 3 },
]
"#;

fn config() -> Config {
    parse(SITE, "edge.toml".as_ref()).unwrap()
}

fn now(at_s: u64) -> Moment {
    let start: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    let at = Duration::from_secs(at_s);
    Moment { at, time: start + at }
}

fn grader() -> Grader {
    let (grader, drafts) = Grader::new(&config(), None, now(0));
    assert_eq!(stages(&drafts), [("school".to_owned(), Mode::ArmedAway, Stage::Set)]);
    grader
}

fn stages(drafts: &[Draft]) -> Vec<(String, Mode, Stage)> {
    let stage = |draft: &Draft| match &draft.data.happening {
        Happening::ArmingChanged(it) => Some((it.area.to_string(), it.mode, it.stage)),
        _ => None,
    };
    drafts.iter().filter_map(stage).collect()
}

fn id(number: u128) -> AlarmId {
    AlarmId::from_ulid(Ulid::from(number))
}

/// An alarm of a zone.
fn seen(number: u128, phase: Phase, zone: &str, at_s: u64) -> Draft {
    let happening = Happening::Overcrowding(gatepost_wire::event::Overcrowding {
        alarm: Alarm { id: id(number), phase },
        camera: "east-gate".parse().unwrap(),
        rule: "r".parse().unwrap(),
        zone: zone.parse().unwrap(),
        count: 2,
        limit: 1,
        extra: Default::default(),
    });
    let data = EventData {
        severity: Severity::HIGH,
        happening,
        evidence: Vec::new(),
        fused: None,
        extra: Default::default(),
    };
    draft(data, now(at_s).time)
}

fn take(grader: &mut Grader, draft: Draft, at_s: u64) -> Vec<Draft> {
    grader.take(draft, now(at_s).at, now(at_s))
}

/// Alarm, phase and severity of what tells of alarms.
fn told(drafts: &[Draft]) -> Vec<(u128, Phase, u8)> {
    let told = |draft: &Draft| {
        let alarm = draft.data.happening.alarm()?;
        let number = (1..100).find(|number| id(*number) == alarm.id)?;
        Some((number, alarm.phase, draft.data.severity.level()))
    };
    drafts.iter().filter_map(told).collect()
}

use Phase::{Began, Ended, Updated};

#[test]
fn an_alarm_that_counts_is_told_as_fusion_grades_it_and_again_when_it_is_confirmed() {
    let mut grader = grader();
    let area: gatepost_wire::AreaId = "school".parse().unwrap();
    assert_eq!(told(&take(&mut grader, seen(1, Began, "lawn", 1), 1)), [(1, Began, 3)]);
    assert_eq!(told(&take(&mut grader, seen(1, Updated, "lawn", 2), 2)), [(1, Updated, 3)]);
    assert_eq!(told(&take(&mut grader, seen(1, Ended, "lawn", 3), 3)), [(1, Ended, 3)]);
    // After the entry delay the lane counts at once.
    take(&mut grader, seen(2, Began, "fire-lane", 20), 20);
    grader.tick(now(50));
    let drafts = take(&mut grader, seen(3, Began, "lawn", 60), 60);
    assert_eq!(told(&drafts), [(3, Began, 4), (2, Updated, 1)]);
    assert_eq!(drafts[1].data.fused.as_ref().unwrap().link, FusedLink::Parts(vec![id(3)]));
    assert_eq!(grader.areas(now(60))[0].area, area);
}

#[test]
fn an_alarm_that_ended_is_raised_by_an_event_that_leaves_it_ended() {
    let mut grader = grader();
    take(&mut grader, seen(1, Began, "lawn", 1), 1);
    take(&mut grader, seen(1, Ended, "lawn", 2), 2);
    let drafts = take(&mut grader, seen(2, Began, "fire-lane", 3), 3);
    assert_eq!(told(&drafts), [(2, Began, 4), (1, Ended, 1)]);
    assert_eq!(drafts[1].time, now(2).time, "it ended when it ended");
    let order = order(WantedMode::ArmedStay { bypass: Vec::new() });
    assert_eq!(grader.order(&order, "w", "y", now(4)), Err(Refusal::EntryDelay));
}

fn order(mode: WantedMode) -> SetMode {
    SetMode { area: "school".parse().unwrap(), mode, extra: Default::default() }
}

#[test]
fn what_waits_is_told_at_once_and_raised_when_nobody_disarms() {
    let mut grader = grader();
    let drafts = take(&mut grader, seen(1, Began, "fire-lane", 10), 10);
    assert_eq!(told(&drafts), [(1, Began, 4)]);
    assert_eq!(stages(&drafts), [("school".to_owned(), Mode::ArmedAway, Stage::EntryDelay)]);
    take(&mut grader, seen(1, Ended, "fire-lane", 15), 15);
    take(&mut grader, seen(2, Began, "fire-lane", 20), 20);
    assert_eq!(grader.next_due(), Some(Duration::from_secs(40)));
    let drafts = grader.tick(now(40));
    assert_eq!(told(&drafts), [(1, Ended, 3)], "the first of the input, which ended meanwhile");
    assert_eq!(drafts[1].time, now(15).time);
    assert!(grader.tick(now(41)).is_empty());
}

#[test]
fn what_waited_is_nothing_when_somebody_disarms_in_time() {
    let mut grader = grader();
    take(&mut grader, seen(1, Began, "fire-lane", 10), 10);
    let drafts = grader.order(&order(WantedMode::Disarmed), "王丽", "back", now(20)).unwrap();
    assert_eq!((told(&drafts).len(), stages(&drafts).len()), (0, 1));
    assert!(grader.tick(now(100)).is_empty());
    assert_eq!(told(&take(&mut grader, seen(2, Began, "lawn", 101), 101)), [(2, Began, 4)]);
    assert_eq!(grader.areas(now(102))[0].passed, 1);
}

#[test]
fn what_waited_over_a_restart_is_an_alarm_all_the_same() {
    let mut grader = grader();
    assert!(grader.unsaved(now(1)).is_some());
    assert!(grader.unsaved(now(1)).is_none(), "nothing changed since");
    take(&mut grader, seen(1, Began, "fire-lane", 10), 10);
    let kept = serde_json::to_string(&grader.unsaved(now(11)).unwrap()).unwrap();
    let kept = serde_json::from_str(&kept).unwrap();
    let elapsed = Elapsed::Counted(Duration::from_secs(5));
    let (mut grader, drafts) = Grader::new(&config(), Some((kept, elapsed)), now(0));
    assert_eq!(stages(&drafts), [("school".to_owned(), Mode::ArmedAway, Stage::EntryDelay)]);
    // Whoever came in still walks about.
    assert_eq!(told(&take(&mut grader, seen(2, Began, "fire-lane", 5), 5)), [(2, Began, 4)]);
    assert!(grader.tick(now(23)).is_empty());
    assert_eq!(told(&grader.tick(now(24))), [(1, Ended, 3)], "the one that waited first");
}

#[test]
fn what_only_counts_is_no_event_from_beginning_to_end() {
    let mut config = config();
    config.areas[0].when_disarmed = crate::config::WhenDisarmed::Count;
    config.areas[0].mode = crate::config::StandingMode::Disarmed;
    let (mut grader, _) = Grader::new(&config, None, now(0));
    for phase in [Began, Updated, Ended] {
        assert!(take(&mut grader, seen(1, phase, "lawn", 1), 1).is_empty());
    }
    let drafts =
        grader.order(&order(WantedMode::ArmedAway { bypass: Vec::new() }), "w", "y", now(2)).unwrap();
    let Happening::ArmingChanged(changed) = &drafts[0].data.happening else { panic!("{drafts:?}") };
    assert_eq!(changed.passed, 1);
}

fn sensor_draft(happening: Happening) -> Draft {
    let data = EventData {
        severity: Severity::HIGH,
        happening,
        evidence: Vec::new(),
        fused: None,
        extra: Default::default(),
    };
    draft(data, now(1).time)
}

#[test]
fn whatever_belongs_to_no_area_counts_always_and_a_fault_counts_as_it_is() {
    let mut grader = grader();
    grader.order(&order(WantedMode::Disarmed), "w", "y", now(1)).unwrap();
    let sensor: gatepost_wire::SensorId = "panic-1".parse().unwrap();
    let alarm = Alarm { id: id(1), phase: Began };
    let pressed = Happening::SensorAlarm(SensorAlarm {
        alarm,
        sensor: sensor.clone(),
        input: InputKind::Panic,
        area: None,
        measured: None,
        extra: Default::default(),
    });
    assert_eq!(told(&take(&mut grader, sensor_draft(pressed), 2)), [(1, Began, 2)]);
    let opened = Happening::SensorFault(SensorFault {
        alarm: Alarm { id: id(2), phase: Began },
        sensor,
        input: InputKind::Panic,
        area: None,
        fault: SensorFaultKind::Tamper,
        detail: "its case is open".into(),
        extra: Default::default(),
    });
    assert_eq!(told(&take(&mut grader, sensor_draft(opened), 3)), [(2, Began, 2)]);
}
