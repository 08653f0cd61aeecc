use gatepost_wire::event::{ObjectClass, Phase};

use super::*;
use crate::rule::testing::{person, phases, phases_at, right_part, standing_at};

fn rule_with(more: &str) -> ZoneIntrusion {
    let text = format!("id = 'r'\nzone = 'z'\ndwell_ms = 1000\nclear_ms = 2000\n{more}");
    ZoneIntrusion::new(&toml::from_str(&text).unwrap(), right_part())
}

fn rule() -> ZoneIntrusion {
    rule_with("")
}

fn walk(xs: impl IntoIterator<Item = f32>) -> Vec<Vec<Track>> {
    xs.into_iter().map(|x| vec![person(1, x, true)]).collect()
}

fn times(x: f32, count: usize) -> impl Iterator<Item = f32> {
    std::iter::repeat_n(x, count)
}

#[test]
fn a_stay_begins_after_the_dwell_and_ends_after_the_clear_time() {
    let frames = walk(times(0.7, 10).chain(times(0.2, 15)));
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (20, Phase::Ended, 1)]);
}

#[test]
fn passing_through_and_standing_outside_are_no_alarm() {
    let passing = walk((0..20).map(|i| if (8..12).contains(&i) { 0.5 } else { 0.3 }));
    assert_eq!(phases(&mut rule(), &passing), []);
    let car = Track { class: ObjectClass::Car, ..person(1, 0.7, true) };
    assert_eq!(phases(&mut rule(), &vec![vec![car]; 20]), []);
}

#[test]
fn a_missed_detection_neither_breaks_nor_lengthens_a_stay() {
    let frames: Vec<_> = (0..12).map(|i| vec![person(1, 0.7, i != 3 && i != 4)]).collect();
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1)]);
    let only_guessed: Vec<_> = (0..12).map(|i| vec![person(1, 0.7, i == 0)]).collect();
    assert_eq!(phases(&mut rule(), &only_guessed), []);
}

#[test]
fn frames_far_apart_are_no_absence() {
    let inside = || vec![person(1, 0.7, true)];
    let frames = [0, 200, 5000, 10_000, 10_200, 15_000].map(|ms| (ms, inside(), vec![]));
    assert_eq!(phases_at(&mut rule(), &frames), [(2, Phase::Began, 1)]);
    // Gone at some time before 15 s: it counts from the first frame that shows it.
    let mut frames = frames.to_vec();
    frames.extend([20_000, 24_900, 25_000].map(|ms| (ms, vec![], vec![])));
    assert_eq!(phases_at(&mut rule(), &frames), [(2, Phase::Began, 1), (8, Phase::Ended, 1)]);
}

#[test]
fn a_new_number_in_the_same_place_continues_the_alarm() {
    let mut frames = vec![vec![person(1, 0.7, true)]; 8];
    frames.extend(vec![vec![person(2, 0.71, true)]; 8]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (13, Phase::Updated, 1)]);
}

#[test]
fn who_is_lost_and_appears_within_reach_without_coming_in_continues_the_alarm() {
    let mut frames = vec![vec![person(1, 0.7, true)]; 8];
    frames.extend(vec![vec![]; 10]);
    // Lost for two seconds and two and a half heights farther.
    let mut continued = frames.clone();
    continued.extend(vec![vec![person(2, 0.95, true)]; 10]);
    assert_eq!(phases(&mut rule(), &continued), [(5, Phase::Began, 1), (23, Phase::Updated, 1)]);
    // Whoever is seen to come in from outside is another.
    frames.extend(vec![vec![person(2, 0.35, true)]; 2]);
    frames.extend(vec![vec![person(2, 0.55, true)]; 7]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (25, Phase::Began, 2)]);
}

#[test]
fn an_alarm_waits_longer_for_who_is_lost_than_for_who_left() {
    let mut frames = vec![vec![person(1, 0.7, true)]; 8];
    frames.extend(vec![vec![]; 40]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (33, Phase::Ended, 1)]);
}

#[test]
fn who_was_inside_beside_another_does_not_take_over_their_alarm() {
    // The second comes while the first is there; then the first goes.
    let mut frames = vec![vec![person(1, 0.7, true)]; 6];
    frames.extend(vec![vec![person(1, 0.7, true), person(2, 0.72, true)]; 4]);
    frames.extend(vec![vec![person(2, 0.72, true)]; 10]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (11, Phase::Began, 2)]);
}

#[test]
fn who_stepped_out_and_is_seen_there_is_not_the_one_who_came_in() {
    let mut frames = vec![vec![person(1, 0.42, true)]; 8];
    frames.extend(vec![vec![person(1, 0.38, true), person(2, 0.42, true)]; 8]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (13, Phase::Began, 2)]);
}

#[test]
fn two_people_are_two_alarms() {
    let frames = vec![vec![person(1, 0.5, true), person(2, 0.8, true)]; 8];
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (5, Phase::Began, 2)]);
}

#[test]
fn entering_is_coming_from_outside() {
    let mut entering = rule_with("direction = 'entering'");
    assert_eq!(phases(&mut entering, &walk(times(0.7, 15))), [], "was there from the first");
    let mut entering = rule_with("direction = 'entering'");
    let came = walk(times(0.2, 3).chain(times(0.7, 8)).chain(times(0.2, 12)));
    assert_eq!(phases(&mut entering, &came), [(8, Phase::Began, 1), (21, Phase::Ended, 1)]);
    let mut entering = rule_with("direction = 'entering'");
    let into_picture = walk(times(0.98, 2).chain(times(0.8, 8)));
    assert_eq!(phases(&mut entering, &into_picture), [(5, Phase::Began, 1)], "from outside the picture");
    // A step over the edge is not yet a way out and in again.
    let mut entering = rule_with("direction = 'entering'");
    let stepped = walk(times(0.42, 8).chain(times(0.38, 2)).chain(times(0.42, 15)));
    assert_eq!(phases(&mut entering, &stepped), []);
}

#[test]
fn leaving_is_going_out_after_having_been_inside() {
    let out = walk(times(0.7, 8).chain(times(0.2, 8)));
    let mut leaving = rule_with("direction = 'leaving'");
    assert_eq!(phases(&mut leaving, &out), [(11, Phase::Began, 1), (11, Phase::Ended, 1)]);
    let mut leaving = rule_with("direction = 'leaving'");
    assert_eq!(phases(&mut leaving, &walk(times(0.7, 3).chain(times(0.2, 8)))), [], "hardly inside");
    let mut leaving = rule_with("direction = 'leaving'");
    let back = walk(times(0.42, 8).chain(times(0.38, 2)).chain(times(0.42, 8)));
    assert_eq!(phases(&mut leaving, &back), [], "a step over the edge and back");
    let mut leaving = rule_with("direction = 'leaving'");
    let mut lost = walk(times(0.7, 8));
    lost.extend(vec![vec![]; 40]);
    assert_eq!(phases(&mut leaving, &lost), [], "out of sight is not outside");
}

#[test]
fn the_point_of_the_box_and_its_height() {
    // The box reaches from 0.3 down to 0.5; the area ends at 0.45.
    let upper = || vec![[0.4, 0.0], [1.0, 0.0], [1.0, 0.45], [0.4, 0.45]].try_into().unwrap();
    let alarms = |more: &str, x: f32| {
        let text = format!("id = 'r'\nzone = 'z'\n{more}");
        let mut rule = ZoneIntrusion::new(&toml::from_str(&text).unwrap(), upper());
        phases(&mut rule, &walk(times(x, 10))).len()
    };
    assert_eq!((alarms("", 0.7), alarms("point = 'centre'", 0.7), alarms("point = 'any'", 0.7)), (0, 1, 1));
    assert_eq!((alarms("point = 'centre'", 0.38), alarms("point = 'any'", 0.38)), (0, 1));
    assert_eq!(alarms("point = 'any'", 0.2), 0);
    let high = |min: &str| {
        let frames = vec![vec![standing_at(1, 0.7, 0.5, true)]; 10];
        phases(&mut rule_with(&format!("min_height = {min}")), &frames).len()
    };
    assert_eq!((high("0.19"), high("0.21")), (1, 0));
}
