use std::collections::BTreeMap;

use proptest::prelude::*;
use ulid::Ulid;

use super::*;

const FENCE: &str = r#"
id = "fence-3"
within_s = 8
severity = 1
blind = 2
lateness_s = 30
collapse_s = 60
part = [
    { any = [{ sensor = "fence-3" }, { sensor = "beam-3" }], alone = 3 },
    { any = [{ camera = "east", zone = "lawn" }], alone = 3 },
]
"#;

fn fusion(rules: &[&str]) -> Fusion {
    let rules: Vec<FusionRule> = rules.iter().map(|rule| toml::from_str(rule).unwrap()).collect();
    Fusion::new(&rules)
}

fn sensor(name: &str) -> Input {
    Input::Sensor { sensor: name.parse().unwrap() }
}

fn zone(name: &str) -> Input {
    Input::Zone { camera: "east".parse().unwrap(), zone: name.parse().unwrap() }
}

fn id(number: u128) -> AlarmId {
    AlarmId::from_ulid(Ulid::from(number))
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn begun(number: u128, input: Input, at: u64) -> Begun {
    Begun { alarm: id(number), input, at: millis(at), severity: Severity::HIGH }
}

/// The fence trips and rests again at once.
fn trip(fusion: &mut Fusion, number: u128, at: u64) -> Vec<(AlarmId, u8)> {
    let grades = fusion.begin(&begun(number, sensor("fence-3"), at), millis(at));
    fusion.end(id(number), millis(at + 200));
    told(&grades)
}

fn told(grades: &[Grade]) -> Vec<(AlarmId, u8)> {
    grades.iter().map(|grade| (grade.alarm, grade.severity.level())).collect()
}

#[test]
fn without_rules_an_alarm_is_worth_what_it_is() {
    let grades = fusion(&[]).begin(&begun(1, zone("lawn"), 5), millis(5));
    assert_eq!(
        grades,
        [Grade { alarm: id(1), severity: Severity::HIGH, happening: Severity::HIGH, link: None }]
    );
    assert_eq!(told(&fusion(&[FENCE]).begin(&begun(1, zone("pond"), 5), millis(5))), [(id(1), 2)]);
}

#[test]
fn a_sensor_and_a_person_near_in_time_are_one_grave_happening() {
    let mut fusion = fusion(&[FENCE]);
    assert_eq!(told(&fusion.begin(&begun(1, sensor("fence-3"), 1000), millis(1000))), [(id(1), 3)]);
    fusion.end(id(1), millis(1500));
    let grades = fusion.begin(&begun(2, zone("lawn"), 9500), millis(9600));
    assert_eq!(told(&grades), [(id(2), 4), (id(1), 1)]);
    let rule: RuleId = "fence-3".parse().unwrap();
    assert_eq!(grades[0].link, Some((rule.clone(), Link::PartOf(id(1)))));
    assert_eq!(grades[1].link, Some((rule, Link::Parts(vec![id(2)]))));
}

#[test]
fn the_other_way_round_and_while_somebody_is_still_there() {
    let mut fusion = fusion(&[FENCE]);
    assert_eq!(told(&fusion.begin(&begun(1, zone("lawn"), 0), millis(0))), [(id(1), 3)]);
    // He stands there for ten minutes before he climbs: that is news.
    let grades = fusion.begin(&begun(2, sensor("fence-3"), 600_000), millis(600_000));
    assert_eq!(told(&grades), [(id(2), 1), (id(1), 1)]);
}

#[test]
fn too_far_apart_they_stay_what_they_are() {
    let mut fusion = fusion(&[FENCE]);
    fusion.begin(&begun(1, sensor("fence-3"), 0), millis(0));
    fusion.end(id(1), millis(0));
    assert_eq!(told(&fusion.begin(&begun(2, zone("lawn"), 8001), millis(8001))), [(id(2), 3)]);
}

#[test]
fn a_gust_is_told_once_and_again_after_a_while() {
    let mut fusion = fusion(&[FENCE]);
    assert_eq!(trip(&mut fusion, 1, 0), [(id(1), 3)]);
    for (number, at) in (2..).zip((5_000..=60_000).step_by(5_000)) {
        assert_eq!(trip(&mut fusion, number, at), [(id(number), 4)]);
    }
    assert_eq!(trip(&mut fusion, 99, 65_000), [(id(99), 3)]);
}

/// It is all one happening, each trip near the one before. Were the whole of it remembered, a windy night would be grave from
/// end to end because somebody walked by once.
#[test]
fn a_gust_that_goes_on_is_not_grave_for_ever() {
    let mut fusion = fusion(&[FENCE]);
    fusion.begin(&begun(1, zone("lawn"), 0), millis(0));
    fusion.end(id(1), millis(0));
    let times = (0..=195_000).step_by(5_000);
    let grades = (2..).zip(times).map(|(number, at)| trip(&mut fusion, number, at)[0].1);
    let told: Vec<u8> = grades.filter(|grade| *grade < 4).collect();
    assert_eq!(
        told,
        [1, 3, 3],
        "the first is told by the alarm on the lawn; then one a minute, soon as what it is by itself"
    );
}

#[test]
fn a_blind_camera_confirms_by_its_blindness_before_and_after() {
    let east: CameraId = "east".parse().unwrap();
    let mut before = fusion(&[FENCE]);
    before.blind(&east, millis(0), millis(0));
    assert_eq!(told(&before.begin(&begun(1, sensor("fence-3"), 50_000), millis(50_000))), [(id(1), 2)]);
    before.end(id(1), millis(50_000));
    before.sees(&east, millis(60_000));
    assert_eq!(told(&before.begin(&begun(2, sensor("fence-3"), 130_000), millis(130_000))), [(id(2), 3)]);

    let mut after = fusion(&[FENCE]);
    after.begin(&begun(1, sensor("fence-3"), 1000), millis(1000));
    assert_eq!(told(&after.blind(&east, millis(4000), millis(9000))), [(id(1), 2)]);
    // The camera's own alarms are not confirmed by its own blindness.
    let mut own = fusion(&[FENCE]);
    own.begin(&begun(1, zone("lawn"), 1000), millis(1000));
    assert!(own.blind(&east, millis(4000), millis(4000)).is_empty());
}

#[test]
fn what_is_heard_of_too_late_is_an_alarm_all_the_same() {
    let mut fusion = fusion(&[FENCE]);
    fusion.begin(&begun(1, sensor("fence-3"), 0), millis(0));
    assert_eq!(told(&fusion.begin(&begun(2, zone("lawn"), 1000), millis(31_001))), [(id(2), 3)]);
    assert_eq!(told(&fusion.begin(&begun(3, zone("lawn"), 1000), millis(31_000))), [(id(3), 4), (id(1), 1)]);
}

#[test]
fn three_parts_need_all_three() {
    let mut fusion = fusion(&["id = 'x'\nseverity = 1\npart = [{ any = [{ sensor = 'a' }] }, \
         { any = [{ sensor = 'b' }] }, { any = [{ camera = 'east' }] }]"]);
    assert_eq!(told(&fusion.begin(&begun(1, sensor("a"), 0), millis(0))), [(id(1), 2)]);
    assert_eq!(told(&fusion.begin(&begun(2, sensor("b"), 7000), millis(7000))), [(id(2), 4)]);
    assert_eq!(told(&fusion.begin(&begun(3, zone("any"), 9000), millis(9000))), [(id(3), 4), (id(1), 1)]);
}

#[test]
fn told_by_one_rule_only_an_alarm_keeps_what_it_is_worth_by_another() {
    let other = "id = 'beams'\nseverity = 1\nblind = 2\npart = [{ any = [{ sensor = 'beam-3' }], alone = 3 }, \
                 { any = [{ camera = 'west' }] }]";
    let mut fusion = fusion(&[FENCE, other]);
    fusion.blind(&"west".parse().unwrap(), millis(0), millis(0));
    fusion.begin(&begun(1, sensor("fence-3"), 0), millis(0));
    let grades = fusion.begin(&begun(2, sensor("beam-3"), 1000), millis(1000));
    assert_eq!(grades[0].severity, Severity::HIGH);
    assert!(matches!(grades[0].link, Some((_, Link::PartOf(_)))));
}

#[test]
fn what_was_nothing_hides_nothing_that_comes_after_it() {
    let mut fusion = fusion(&[FENCE]);
    fusion.begin(&begun(1, sensor("fence-3"), 0), millis(0));
    let part = fusion.begin(&begun(2, sensor("beam-3"), 1000), millis(1000));
    assert_eq!((part[0].severity, part[0].happening), (Severity::LOW, Severity::MEDIUM));
    fusion.forget(id(1));
    assert_eq!(told(&fusion.begin(&begun(3, zone("lawn"), 3000), millis(3000))), [(id(3), 4), (id(2), 1)]);
    fusion.forget(id(2));
    fusion.forget(id(3));
    assert_eq!(told(&fusion.begin(&begun(4, sensor("fence-3"), 4000), millis(4000))), [(id(4), 3)]);
}

/// One thing that happens, with how much later it is heard of.
#[derive(Debug, Clone)]
struct Told {
    what: What,
    at: u64,
    lasts: u64,
    late: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Fence,
    Beam,
    Lawn,
    Blind,
}

/// As long as a happening can go on and all of it be remembered when the latest part is heard of: `within_s` and `collapse_s`
/// of [`FENCE`], in milliseconds.
const REMEMBERED: u64 = 68_000;

/// From one happening to the next: the longest lasts 20 s after its last part begins and is near for 8 s more, so they stay
/// apart, while what is late of one may be heard of within the other.
const APART: u64 = 97_000;

fn happenings() -> impl Strategy<Value = Vec<Told>> {
    let what = prop_oneof![
        4 => Just(What::Fence), 2 => Just(What::Beam), 4 => Just(What::Lawn), 1 => Just(What::Blind)
    ];
    let at = (0..3u64, 0..=REMEMBERED).prop_map(|(happening, at)| happening * APART + at);
    let one = (what, at, 0..20_000u64, 0..=30_000u64);
    prop::collection::vec(one.prop_map(|(what, at, lasts, late)| Told { what, at, lasts, late }), 1..40)
}

/// What each alarm is worth in the end, by itself or by the alarm that tells of it. Each is heard of when it is over.
fn worth(
    happenings: &[Told],
    delay: impl Fn(&Told) -> u64,
) -> Result<BTreeMap<AlarmId, Severity>, TestCaseError> {
    let mut fusion = fusion(&[FENCE]);
    let east: CameraId = "east".parse().unwrap();
    let mut order: Vec<(usize, &Told)> = happenings.iter().enumerate().collect();
    order.sort_by_key(|(number, told)| (told.at + delay(told), *number));
    let (mut worth, mut told_by) = (BTreeMap::<AlarmId, Severity>::new(), BTreeMap::new());
    for (number, told) in order {
        let (now, end) = (millis(told.at + delay(told)), millis(told.at + told.lasts));
        let input = match told.what {
            What::Fence => Some(sensor("fence-3")),
            What::Beam => Some(sensor("beam-3")),
            What::Lawn => Some(zone("lawn")),
            What::Blind => None,
        };
        let mut grades = Vec::new();
        if let Some(input) = input {
            let begun = begun(number as u128 + 1, input, told.at);
            grades.extend(fusion.begin(&begun, now));
            prop_assert_eq!(grades[0].alarm, begun.alarm, "an alarm that goes in comes out");
            grades.extend(fusion.end(begun.alarm, end));
        } else {
            grades.extend(fusion.blind(&east, millis(told.at), now));
            grades.extend(fusion.sees(&east, end));
        }
        for grade in grades {
            let before = worth.insert(grade.alarm, grade.severity);
            prop_assert!(before.is_none_or(|before| grade.severity < before), "a grade never falls");
            if let Some((_, Link::PartOf(teller))) = grade.link {
                told_by.insert(grade.alarm, teller);
            }
        }
        prop_assert!(fusion.remembered() <= 64);
    }
    Ok(worth
        .iter()
        .map(|(alarm, own)| (*alarm, told_by.get(alarm).map_or(*own, |teller| worth[teller])))
        .collect())
}

proptest! {
    /// Of what goes on for longer, the beginning is forgotten: `a_gust_that_goes_on_is_not_grave_for_ever`.
    #[test]
    fn the_order_of_what_comes_late_does_not_change_what_it_is_worth(happenings in happenings()) {
        // Heard of at once, what lasts is known to last; blindness is known when it begins.
        prop_assert_eq!(worth(&happenings, |_| 0)?, worth(&happenings, |told| told.late)?);
    }

    #[test]
    fn memory_is_bounded(trips in prop::collection::vec((0..4u128, 0..50u64), 100..400)) {
        let mut fusion = fusion(&[FENCE]);
        let mut now = 0;
        for (number, (kind, pause)) in (1..).zip(trips) {
            now += pause;
            let input = if kind == 0 { zone("lawn") } else { sensor("fence-3") };
            let grades = fusion.begin(&begun(number, input, now), millis(now));
            prop_assert_eq!(grades[0].alarm, id(number));
            prop_assert!(fusion.remembered() <= 64);
        }
    }
}
