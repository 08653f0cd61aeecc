use gatepost_wire::event::Phase;

use super::*;
use crate::rule::testing::{person, phases, right_part};

fn rule() -> Loitering {
    let rule = toml::from_str("id = 'r'\nzone = 'z'\nafter_s = 10\nclear_s = 4").unwrap();
    Loitering::new(&rule, right_part())
}

#[test]
fn staying_about_is_an_alarm_and_passing_is_none() {
    let mut frames = vec![vec![person(1, 0.7, true)]; 60];
    frames.extend(vec![vec![]; 30]);
    assert_eq!(phases(&mut rule(), &frames), [(50, Phase::Began, 1), (80, Phase::Ended, 1)]);
    let mut frames = vec![vec![person(1, 0.7, true)]; 40];
    frames.extend(vec![vec![]; 40]);
    assert_eq!(phases(&mut rule(), &frames), []);
}

#[test]
fn a_step_out_and_a_new_number_do_not_break_a_stay() {
    let mut frames = vec![vec![person(1, 0.45, true)]; 20];
    frames.extend(vec![vec![person(1, 0.35, true)]; 10]);
    frames.extend(vec![vec![person(1, 0.45, true)]; 10]);
    frames.extend(vec![vec![]; 5]);
    frames.extend(vec![vec![person(2, 0.46, true)]; 20]);
    assert_eq!(phases(&mut rule(), &frames), [(50, Phase::Began, 1)]);
}

#[test]
fn too_long_away_begins_anew() {
    let mut frames = vec![vec![person(1, 0.7, true)]; 40];
    frames.extend(vec![vec![]; 25]);
    frames.extend(vec![vec![person(1, 0.7, true)]; 40]);
    assert_eq!(phases(&mut rule(), &frames), []);
}

#[test]
fn many_who_come_and_go_one_after_another_are_not_one_who_stays() {
    // Each is there for two seconds and goes out of the picture where the next comes in.
    let at = |i: u32| vec![person(i / 12, if i % 12 < 6 { 0.9 } else { 0.98 }, true)];
    let frames: Vec<_> = (0..120).map(at).collect();
    assert_eq!(phases(&mut rule(), &frames), []);
}
