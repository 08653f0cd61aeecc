use gatepost_wire::event::Phase;

use super::*;
use crate::rule::testing::{STEP_MS, person, phases_at, right_part};
use crate::track::Track;

const BAG: Region = Region { left: 0.68, top: 0.45, right: 0.72, bottom: 0.5 };

fn rule() -> ObjectLeft {
    let text = "id = 'r'\nzone = 'z'\nafter_s = 4\nunattended_s = 2\nclear_s = 2";
    ObjectLeft::new(&toml::from_str(text).unwrap(), right_part())
}

/// So many frames each with these people, with or without the bag.
fn told(scenes: &[(usize, Vec<Track>, bool)]) -> Vec<(usize, Phase, u64)> {
    let of = |(count, people, bag): &(usize, Vec<Track>, bool)| {
        let things = if *bag { vec![BAG] } else { vec![] };
        vec![(people.clone(), things); *count]
    };
    let frames: Vec<_> = scenes
        .iter()
        .flat_map(of)
        .enumerate()
        .map(|(i, (people, things))| (i as u64 * STEP_MS, people, things))
        .collect();
    phases_at(&mut rule(), &frames)
}

#[test]
fn a_thing_with_nobody_near_is_an_alarm_until_it_is_gone() {
    let scenes = [(30, vec![], true), (15, vec![], false)];
    assert_eq!(told(&scenes), [(20, Phase::Began, 1), (40, Phase::Ended, 1)]);
}

#[test]
fn whoever_stands_beside_it_attends_it() {
    let near = || vec![person(1, 0.75, true)];
    assert_eq!(told(&[(60, near(), true)]), []);
    assert_eq!(told(&[(60, vec![person(1, 0.75, false)], true)]), [], "also when only believed there");
    // After that person has gone it takes the time alone.
    assert_eq!(told(&[(30, near(), true), (20, vec![person(1, 0.95, true)], true)]), [(40, Phase::Began, 1)]);
}

#[test]
fn who_passes_in_front_does_not_end_it() {
    let scenes = [(25, vec![], true), (8, vec![person(1, 0.7, true)], false), (20, vec![], true)];
    assert_eq!(told(&scenes), [(20, Phase::Began, 1)]);
}

#[test]
fn a_thing_outside_is_none() {
    let outside = Region { left: 0.1, right: 0.14, ..BAG };
    let frames: Vec<_> = (0..60).map(|i| (i * STEP_MS, vec![], vec![outside])).collect();
    assert_eq!(phases_at(&mut rule(), &frames), []);
}
