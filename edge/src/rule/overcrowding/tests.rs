use gatepost_wire::event::Phase;

use super::*;
use crate::rule::testing::{person, phases, right_part};

fn rule() -> Overcrowding {
    let rule = toml::from_str("id = 'r'\nzone = 'z'\nlimit = 3\nhysteresis = 1\nhold_ms = 1000").unwrap();
    Overcrowding::new(&rule, right_part())
}

fn crowd(count: u32) -> Vec<Track> {
    (0..count).map(|i| person(i + 1, 0.42 + 0.07 * i as f32, true)).collect()
}

/// So many frames with so many people.
fn told(scenes: &[(usize, u32)]) -> Vec<(usize, Phase, u64)> {
    let frames: Vec<_> = scenes.iter().flat_map(|(frames, count)| vec![crowd(*count); *frames]).collect();
    phases(&mut rule(), &frames)
}

#[test]
fn more_than_the_limit_for_long_enough() {
    assert_eq!(told(&[(20, 3)]), []);
    assert_eq!(told(&[(4, 4), (1, 3), (4, 4)]), [], "not held");
    assert_eq!(told(&[(20, 4)]), [(5, Phase::Began, 1)]);
}

#[test]
fn it_ends_when_it_has_thinned_out() {
    assert_eq!(told(&[(10, 4), (30, 3)]), [(5, Phase::Began, 1)], "at the limit is not yet fewer");
    assert_eq!(told(&[(10, 4), (10, 2)]), [(5, Phase::Began, 1), (15, Phase::Ended, 1)]);
}

#[test]
fn a_notable_rise_is_told_once() {
    let told = told(&[(10, 4), (5, 5), (5, 4), (5, 5), (5, 7)]);
    assert_eq!(told, [(5, Phase::Began, 1), (10, Phase::Updated, 1), (25, Phase::Updated, 1)]);
}

#[test]
fn the_hidden_count_but_not_twice() {
    let mut hidden = crowd(4);
    hidden[1].seen = false;
    assert_eq!(phases(&mut rule(), &vec![hidden.clone(); 10]), [(5, Phase::Began, 1)]);
    // The same place under a new number.
    hidden.push(person(9, 0.49, true));
    hidden.remove(3);
    assert_eq!(phases(&mut rule(), &vec![hidden; 10]), []);
}

#[test]
fn it_tells_count_and_limit() {
    let mut rule = rule();
    let tracks = crowd(4);
    let look =
        |ms| View { tracks: &tracks, things_left: &[], at: Duration::from_millis(ms), may_begin: true };
    rule.look(&look(0));
    let zone = "z".parse().unwrap();
    assert_eq!(rule.look(&look(1000))[0].finding, Finding::Overcrowding { zone, count: 4, limit: 3 });
}
