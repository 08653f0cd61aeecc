//! What holds for every kind of rule.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::RuleId;
use gatepost_wire::event::Phase;
use proptest::prelude::*;

use super::testing::{STEP_MS, car, person};
use super::*;
use crate::config::Config;

const BAG: Region = Region { left: 0.68, top: 0.45, right: 0.72, bottom: 0.5 };

fn config(rules: &str) -> Config {
    let text = format!(
        "edge = 'e'\ndata_dir = 'd'\n[model]\nmanifest = 'm'\nruntime = 'r'\n\
         [uplink]\nbroker = 'mqtt://127.0.0.1:1883'\n\
         [[schedule]]\nid = 'early'\nspans = ['00:00-00:01']\n\
         [[camera]]\nid = 'c'\nurl = 'rtsp://192.0.2.1/'\n\
         [[camera.zone]]\nid = 'z'\npolygon = [[0.4, 0.0], [1.0, 0.0], [1.0, 1.0], [0.4, 1.0]]\n\
         [[camera.line]]\nid = 'l'\npoints = [[0.5, 0.9], [0.5, 0.1]]\n{rules}"
    );
    crate::config::parse(&text, std::path::Path::new("edge.toml")).unwrap()
}

fn rules(text: &str) -> Rules {
    let config = config(text);
    Rules::new(&config.cameras[0], &config.calendar())
}

/// One of each kind, and of each way to configure one, twice: always and until 00:01.
fn every_rule() -> Rules {
    let kinds = [
        "zone_intrusion'\nzone = 'z'\nclear_ms = 1000",
        "zone_intrusion'\nzone = 'z'\ndirection = 'entering'\npoint = 'any'\ncool_down_s = 3",
        "zone_intrusion'\nzone = 'z'\ndirection = 'leaving'\npoint = 'centre'",
        "line_crossing'\nline = 'l'",
        "line_crossing'\nline = 'l'\ndirection = 'left_to_right'\ncool_down_s = 1",
        "loitering'\nzone = 'z'\nafter_s = 3\nclear_s = 2",
        "vehicle_stopped'\nzone = 'z'\nafter_s = 1\nclear_s = 1",
        "object_left'\nzone = 'z'\nafter_s = 1\nunattended_s = 1\nclear_s = 1",
        "overcrowding'\nzone = 'z'\nlimit = 1\nhold_ms = 400",
    ];
    let rule = |(i, kind): (usize, &&str)| {
        format!(
            "[[camera.rule]]\nid = 'always-{i}'\nkind = '{kind}\n\
             [[camera.rule]]\nid = 'early-{i}'\nschedule = 'early'\nkind = '{kind}\n"
        )
    };
    rules(&kinds.iter().enumerate().map(rule).collect::<String>())
}

fn time(ms: u64) -> Timestamp {
    "2026-03-02T00:00:00Z".parse::<Timestamp>().unwrap() + Duration::from_millis(ms)
}

fn decide(rules: &mut Rules, tracks: &[Track], things: &[Region], ms: u64) -> Vec<Decision> {
    rules.decide(tracks, things, Duration::from_millis(ms), time(ms))
}

fn told(rules: &mut Rules, tracks: &[Track], milliseconds: &[u64]) -> Vec<(u64, Phase, u64)> {
    let at = |ms: &u64| {
        let decisions = decide(rules, tracks, &[], *ms);
        decisions.into_iter().map(|d| (*ms, d.phase, d.alarm.0)).collect::<Vec<_>>()
    };
    milliseconds.iter().flat_map(at).collect()
}

#[test]
fn an_alarm_ends_with_the_hours_of_its_rule() {
    let intrusion = "[[camera.rule]]\nid = 'r'\nkind = 'zone_intrusion'\nzone = 'z'\nschedule = 'early'";
    let mut rules = rules(intrusion);
    let told = told(&mut rules, &[person(1, 0.7, true)], &[57_000, 58_000, 59_000, 60_000, 61_000]);
    assert_eq!(told, [(58_000, Phase::Began, 1), (60_000, Phase::Ended, 1)]);
    // The next day it is another alarm, which takes its dwell.
    let day = 24 * 60 * 60 * 1000;
    let told = self::told(&mut rules, &[person(1, 0.7, true)], &[day - 1000, day, day + 500, day + 1000]);
    assert_eq!(told, [(day + 1000, Phase::Began, 2)]);
}

#[test]
fn after_an_alarm_there_is_quiet_and_then_what_lasts_begins() {
    let intrusion = "[[camera.rule]]\nid = 'r'\nkind = 'zone_intrusion'\nzone = 'z'\ncool_down_s = 10";
    let mut rules = rules(intrusion);
    let (somebody, outside) = ([person(1, 0.7, true)], [person(1, 0.2, true)]);
    assert_eq!(told(&mut rules, &somebody, &[0, 1000]), [(1000, Phase::Began, 1)]);
    assert_eq!(told(&mut rules, &outside, &[2000, 4000]), [(4000, Phase::Ended, 1)]);
    // One who comes and goes in the quiet is none; one who stays on is one when it is over.
    assert_eq!(told(&mut rules, &somebody, &[5000, 6000, 7000]), []);
    assert_eq!(told(&mut rules, &outside, &[8000, 10_000]), []);
    assert_eq!(told(&mut rules, &somebody, &[11_000, 13_000, 14_000, 15_000]), [(14_000, Phase::Began, 2)]);
}

/// What one frame of an arbitrary scene shows.
#[derive(Debug, Clone)]
struct Shown {
    tracks: Vec<Track>,
    things: Vec<Region>,
    after_ms: u64,
}

fn shown() -> impl Strategy<Value = Shown> {
    // Few places and numbers, so that things do meet, stand still and come back.
    let one = (1u32..6, 0u8..12, any::<bool>(), prop::bool::weighted(0.8));
    let people_and_cars = prop::collection::vec(one, 0..5);
    (
        people_and_cars,
        prop::bool::weighted(0.8),
        prop_oneof![8 => Just(STEP_MS), 1 => Just(1000), 1 => Just(7000)],
    )
        .prop_map(|(tracks, bag, after_ms)| {
            let track = |(number, place, is_car, seen): (u32, u8, bool, bool)| {
                let x = 0.3 + f32::from(place) * 0.04;
                let track = if is_car { car(number, x) } else { person(number, x, true) };
                (number, Track { seen, ..track })
            };
            let tracks: BTreeMap<u32, Track> = tracks.into_iter().map(track).collect();
            let things = if bag { vec![BAG] } else { vec![] };
            Shown { tracks: tracks.into_values().collect(), things, after_ms }
        })
}

/// Scenes in which most frames repeat the one before.
fn scene() -> impl Strategy<Value = Vec<Shown>> {
    let run = (shown(), 1usize..12).prop_map(|(shown, count)| vec![shown; count]);
    prop::collection::vec(run, 0..16).prop_map(|runs| runs.concat())
}

proptest! {
    /// Every alarm of every kind of rule begins once and ends once, and nothing is said of it before or after.
    #[test]
    fn alarms_live_in_order(scene in scene()) {
        let nothing = Shown { tracks: vec![], things: vec![], after_ms: STEP_MS };
        let scene = scene.into_iter().chain(std::iter::repeat_n(nothing, 30));
        let mut rules = every_rule();
        let mut open: BTreeSet<(RuleId, AlarmNumber)> = BTreeSet::new();
        let mut begun = BTreeSet::new();
        let mut ms = 30_000;
        for shown in scene {
            ms += shown.after_ms;
            for Decision { rule, alarm, phase, .. } in decide(&mut rules, &shown.tracks, &shown.things, ms) {
                let which = (rule, alarm);
                prop_assert!(!which.0.as_str().starts_with("early") || ms < 60_000 || phase == Phase::Ended);
                match phase {
                    Phase::Began => {
                        prop_assert!(begun.insert(which.clone()), "{which:?} began twice");
                        open.insert(which);
                    }
                    Phase::Updated => prop_assert!(open.contains(&which), "{which:?} is not open"),
                    Phase::Ended => prop_assert!(open.remove(&which), "{which:?} is not open"),
                }
            }
        }
        prop_assert!(open.is_empty(), "with nothing there every alarm ends: {open:?}");
    }
}

#[test]
fn every_kind_can_raise_an_alarm() {
    let mut rules = every_rule();
    let mut begun = BTreeSet::new();
    for i in 0..100u64 {
        let x = 0.2 + 0.006 * i as f32;
        let mut tracks = vec![person(1, x, true), person(2, 0.6, true), car(3, 0.9), person(4, 0.9, true)];
        tracks.push(person(5, 1.0 - x, true));
        if i > 60 {
            tracks.remove(1);
        }
        for decision in decide(&mut rules, &tracks, &[BAG], i * STEP_MS) {
            begun.insert(decision.rule.to_string());
        }
    }
    // The seventh wants nobody near.
    for i in (0..9).filter(|i| *i != 7) {
        assert!(begun.contains(&format!("always-{i}")), "always-{i} not in {begun:?}");
    }
}
