use gatepost_wire::event::{ObjectClass, Phase};

use super::*;
use crate::rule::testing::{car, person, phases, phases_at, right_part};

fn rule() -> VehicleStopped {
    let rule = toml::from_str("id = 'r'\nzone = 'z'\nafter_s = 4\nclear_s = 2").unwrap();
    VehicleStopped::new(&rule, right_part())
}

#[test]
fn a_standing_car_is_an_alarm_until_it_drives_off() {
    let mut frames = vec![vec![car(1, 0.7)]; 30];
    frames.extend((0..20).map(|i| vec![car(1, 0.7 + 0.01 * i as f32)]));
    // From frame 34 on it is away from its place by a fifth of its size.
    assert_eq!(phases(&mut rule(), &frames), [(20, Phase::Began, 1), (44, Phase::Ended, 1)]);
}

#[test]
fn creeping_is_not_standing() {
    let frames: Vec<_> = (0..100).map(|i| vec![car(1, 0.45 + 0.005 * i as f32)]).collect();
    assert_eq!(phases(&mut rule(), &frames), []);
}

#[test]
fn dense_traffic_is_not_standing() {
    // A car every 1.6 s, each a tenth of the picture farther in each frame.
    let passing = |frame: i32, first: i32| 0.3 + 0.1 * (frame - 8 * first) as f32;
    let shown = |frame: i32| {
        let cars = (0..13).map(|n| (n, passing(frame, n)));
        cars.filter(|(_, x)| (0.3..0.95).contains(x)).map(|(n, x)| car(n as u32, x)).collect::<Vec<_>>()
    };
    let frames: Vec<_> = (0..100).map(shown).collect();
    assert_eq!(phases(&mut rule(), &frames), []);
}

#[test]
fn trembling_is_standing() {
    let frames: Vec<_> = (0..30).map(|i| vec![car(1, 0.7 + 0.01 * (i % 3) as f32)]).collect();
    assert_eq!(phases(&mut rule(), &frames), [(20, Phase::Began, 1)]);
}

#[test]
fn neither_somebody_in_front_nor_a_new_number_nor_another_kind_of_vehicle_breaks_it() {
    let mut frames = vec![vec![car(1, 0.7)]; 10];
    frames.extend(vec![vec![]; 5]);
    let truck = Track { class: ObjectClass::Truck, ..car(2, 0.705) };
    frames.extend(vec![vec![truck]; 10]);
    frames.extend(vec![vec![]; 9]);
    frames.extend(vec![vec![car(3, 0.7)]; 10]);
    assert_eq!(phases(&mut rule(), &frames), [(20, Phase::Began, 1)]);
}

#[test]
fn people_and_cars_elsewhere_are_none() {
    assert_eq!(phases(&mut rule(), &vec![vec![person(1, 0.7, true), car(2, 0.2)]; 30]), []);
}

#[test]
fn frames_far_apart_are_no_absence() {
    let frames: Vec<_> = (0..6).map(|i| (i * 3000, vec![car(1, 0.7)], vec![])).collect();
    assert_eq!(phases_at(&mut rule(), &frames), [(2, Phase::Began, 1)]);
}
