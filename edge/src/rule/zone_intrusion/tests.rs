use gatepost_wire::event::{ObjectClass, Region};
use proptest::prelude::*;

use super::*;

const STEP_MS: u64 = 200;

fn rule() -> ZoneIntrusion {
    let rule = toml::from_str("id = 'r'\nzone = 'z'\ndwell_ms = 1000\nclear_ms = 2000").unwrap();
    let polygon = vec![[0.4, 0.0], [1.0, 0.0], [1.0, 1.0], [0.4, 1.0]].try_into().unwrap();
    ZoneIntrusion::new(rule, polygon)
}

fn track(number: u32, x: f32, seen: bool) -> Track {
    Track {
        established: true,
        number: TrackNumber(number),
        class: ObjectClass::Person,
        region: Region { left: x - 0.03, top: 0.3, right: x + 0.03, bottom: 0.5 },
        score: 0.6,
        seen,
    }
}

/// Feeds one frame every 200 ms and gives the phases with their frame and alarm.
fn phases(rule: &mut ZoneIntrusion, frames: &[Vec<Track>]) -> Vec<(usize, Phase, u64)> {
    let decide = |(i, tracks): (usize, &Vec<Track>)| {
        let decisions = rule.decide(tracks, Duration::from_millis(i as u64 * STEP_MS));
        decisions.into_iter().map(|d| (i, d.phase, d.alarm.0)).collect::<Vec<_>>()
    };
    frames.iter().enumerate().flat_map(decide).collect()
}

#[test]
fn a_stay_begins_after_the_dwell_and_ends_after_the_clear_time() {
    let mut frames = vec![vec![track(1, 0.7, true)]; 10];
    frames.extend(vec![vec![track(1, 0.2, true)]; 15]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (19, Phase::Ended, 1)]);
}

#[test]
fn passing_through_and_standing_outside_are_no_alarm() {
    let passing: Vec<_> =
        (0..20).map(|i| vec![track(1, if (8..12).contains(&i) { 0.5 } else { 0.3 }, true)]).collect();
    assert_eq!(phases(&mut rule(), &passing), []);
    let car = Track { class: ObjectClass::Car, ..track(1, 0.7, true) };
    assert_eq!(phases(&mut rule(), &vec![vec![car]; 20]), []);
}

#[test]
fn a_missed_detection_neither_breaks_nor_lengthens_a_stay() {
    let frames: Vec<_> = (0..12).map(|i| vec![track(1, 0.7, i != 3 && i != 4)]).collect();
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1)]);
    let only_guessed: Vec<_> = (0..12).map(|i| vec![track(1, 0.7, i == 0)]).collect();
    assert_eq!(phases(&mut rule(), &only_guessed), []);
}

#[test]
fn a_new_number_in_the_same_place_continues_the_alarm() {
    let mut frames = vec![vec![track(1, 0.7, true)]; 8];
    frames.extend(vec![vec![track(2, 0.71, true)]; 8]);
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (13, Phase::Updated, 1)]);
}

#[test]
fn two_people_are_two_alarms() {
    let frames = vec![vec![track(1, 0.5, true), track(2, 0.8, true)]; 8];
    assert_eq!(phases(&mut rule(), &frames), [(5, Phase::Began, 1), (5, Phase::Began, 2)]);
}

proptest! {
    /// Every alarm begins once, ends at most once, and nothing is said of it before or after.
    #[test]
    fn alarms_live_in_order(
        frames in prop::collection::vec(
            prop::collection::vec((1u32..5, 0.2f32..0.9, any::<bool>()), 0..4), 0..80,
        )
    ) {
        let frames: Vec<Vec<Track>> = frames
            .into_iter()
            .map(|tracks| {
                let unique: std::collections::BTreeMap<_, _> =
                    tracks.into_iter().map(|(n, x, seen)| (n, track(n, x, seen))).collect();
                unique.into_values().collect()
            })
            .chain(std::iter::repeat_n(Vec::new(), 15))
            .collect();
        let mut open = std::collections::BTreeSet::new();
        let mut ended = std::collections::BTreeSet::new();
        for (_, phase, alarm) in phases(&mut rule(), &frames) {
            prop_assert!(!ended.contains(&alarm));
            match phase {
                Phase::Began => prop_assert!(open.insert(alarm)),
                Phase::Updated => prop_assert!(open.contains(&alarm)),
                Phase::Ended => { prop_assert!(open.remove(&alarm)); ended.insert(alarm); }
            }
        }
        prop_assert!(open.is_empty(), "with nobody there every alarm ends");
    }
}
