//! What fusion is worth: false alarms a day and missed climbs for a fence sensor alone, a camera alone, and both fused.
//!
//! The camera's alarms are real: `gatepost-edge analyse` on real footage, whose ground truth says when somebody was in the
//! zone before the fence. The sensor is synthetic: gusts, animals, and climbs of people the ground truth shows. A month is
//! made of pieces of that footage at random hours; most people just pass, and some of them climb. `docs/FUSION.md` tells
//! the method and what came out.
//!
//! `GATEPOST_TRUTH` names the true stays, as `accuracy/events_truth.py` writes them for the zone below and a dwell of
//! 1 s. `GATEPOST_SEEDS` sets how many months are made (5).

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gatepost_edge::config::FusionRule;
use gatepost_edge::fuse::{Begun, Fusion};
use gatepost_testbed::footage;
use gatepost_wire::arming::Input;
use gatepost_wire::{AlarmId, CameraId, Severity};
use serde_json::Value;
use ulid::Ulid;

const ZONE: &str = "[[0.05, 0.25], [0.30, 0.25], [0.30, 0.50], [0.05, 0.50]]";
const RULE: &str = r#"
id = "fence-3"
within_s = 8
severity = 1
blind = 2
part = [
    { any = [{ sensor = "fence-3" }], alone = 3 },
    { any = [{ camera = "east", zone = "lawn" }], alone = 3 },
]
"#;
const DAYS: u32 = 30;
const DAY: f64 = 86_400.0;
/// Pieces of footage a day, between 06:00 and 22:00.
const PASSES_A_DAY: u32 = 60;
const CLIMBS_A_DAY: u32 = 3;
/// Share of climbs in the dark, in fog or with the lens covered: the camera is known to be blind then.
const BLIND_SHARE: f64 = 0.2;
/// Share of climbs the sensor does not feel.
const SENSOR_MISSES: f64 = 0.05;
const ANIMALS_A_DAY: f64 = 8.0;
/// Every third day is stormy for six hours, with so many gusts an hour that shake the fence enough.
const GUSTS_AN_HOUR: f64 = 20.0;
const STORM: f64 = 6.0 * 3600.0;
/// False alarms nearer than this are one to whoever hears them, of each of the three alike.
const COLLAPSE: f64 = 60.0;
/// An alarm from this long before a climb until this long after it is its alarm.
const BEFORE: f64 = 5.0;
const AFTER: f64 = 20.0;

/// Seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    from: f64,
    to: f64,
}

/// What the footage shows: to the camera, and in truth.
struct Footage {
    alarms: Vec<Span>,
    stays: Vec<Span>,
    length: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Sensor,
    Camera,
    Blind,
}

/// One month of a site.
struct Month {
    happenings: Vec<(Source, Span)>,
    climbs: Vec<Span>,
}

/// What a system told, in the order it did: when, and how grave.
type Told = Vec<(f64, Severity)>;

#[derive(Debug, Default, Clone, Copy)]
struct Score {
    false_alarms: usize,
    missed: usize,
    without_any_alarm: usize,
    climbs: usize,
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let Some(truth) = std::env::var_os("GATEPOST_TRUTH") else {
        println!(
            "fusion: no ground truth, nothing is measured. GATEPOST_TRUTH names it; accuracy/README.md says how it is made."
        );
        return;
    };
    let footage = Footage::read(Path::new(&truth));
    println!(
        "footage: {} alarms of the camera, {} true stays in {:.0} s",
        footage.alarms.len(),
        footage.stays.len(),
        footage.length
    );
    let seeds: u64 = std::env::var("GATEPOST_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let mut totals = [Score::default(); 3];
    for seed in 1..=seeds {
        let month = Month::make(&footage, seed);
        for (total, told) in totals.iter_mut().zip([
            alone(&month, Source::Sensor),
            alone(&month, Source::Camera),
            fused(&month),
        ]) {
            total.add(score(&told, &month.climbs));
        }
    }
    report(&totals, seeds);
}

fn report(totals: &[Score; 3], seeds: u64) {
    let days = f64::from(DAYS) * seeds as f64;
    println!("\n{seeds} months of {DAYS} days, severity 1 and 2:");
    println!(
        "{:14} {:>16} {:>10} {:>18} {:>8}",
        "", "false alarms/day", "missed", "without any alarm", "climbs"
    );
    for (name, total) in ["sensor alone", "camera alone", "fused"].iter().zip(totals) {
        println!(
            "{name:14} {:>16.2} {:>10} {:>18} {:>8}",
            total.false_alarms as f64 / days,
            total.missed,
            total.without_any_alarm,
            total.climbs
        );
    }
    let of_fused = totals[2].false_alarms.max(1) as f64;
    println!(
        "\nfewer false alarms than the sensor alone: {:.1} times, than the camera alone: {:.1} times",
        totals[0].false_alarms as f64 / of_fused,
        totals[1].false_alarms as f64 / of_fused
    );
}

impl Footage {
    fn read(truth: &Path) -> Self {
        let stays: Vec<Value> = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
        let seconds = |value: &Value, key: &str| value[key].as_f64().unwrap();
        let stays: Vec<Span> = stays
            .iter()
            .map(|stay| Span { from: seconds(stay, "start"), to: seconds(stay, "end") })
            .collect();
        let length = stays.iter().map(|stay| stay.to).fold(0.0, f64::max);
        let mut alarms = camera_alarms();
        alarms.retain(|alarm| alarm.from < length);
        Self { alarms, stays, length }
    }
}

/// What the real pipeline says of the real clip.
fn camera_alarms() -> Vec<Span> {
    let (root, folder) = (footage::workspace_root(), tempfile::tempdir().unwrap());
    let (config, events) = (folder.path().join("edge.toml"), folder.path().join("events.jsonl"));
    let runtime = root.join(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH));
    let text = format!(
        "edge = 'bench'\ndata_dir = 'data'\n[model]\nmanifest = {:?}\nruntime = {runtime:?}\n\
         [uplink]\nbroker = 'mqtt://127.0.0.1:1883'\n[[camera]]\nid = 'east'\nurl = 'rtsp://127.0.0.1/'\n\
         [[camera.zone]]\nid = 'lawn'\npolygon = {ZONE}\n\
         [[camera.rule]]\nid = 'lawn'\nkind = 'zone_intrusion'\nzone = 'lawn'\n",
        root.join("models/centernet-512.toml")
    );
    std::fs::write(&config, text).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_gatepost-edge"))
        .args(["analyse", "--fps", "5", "--input"])
        .arg(footage::vtest().unwrap())
        .arg("--config")
        .arg(&config)
        .arg("--events-out")
        .arg(&events)
        .status()
        .unwrap();
    assert!(status.success());
    let mut open: HashMap<u64, f64> = HashMap::new();
    let mut alarms = Vec::new();
    for line in std::fs::read_to_string(&events).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let (at, alarm) =
            (event["clip_time_ms"].as_f64().unwrap() / 1000.0, event["alarm"].as_u64().unwrap());
        match event["phase"].as_str().unwrap() {
            "began" => drop(open.insert(alarm, at)),
            "ended" => alarms.extend(open.remove(&alarm).map(|from| Span { from, to: at })),
            _ => {}
        }
    }
    alarms.extend(open.into_values().map(|from| Span { from, to: from + 60.0 }));
    alarms.sort_by(|a, b| a.from.total_cmp(&b.from));
    alarms
}

impl Month {
    fn make(footage: &Footage, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut this = Self { happenings: Vec::new(), climbs: Vec::new() };
        for day in 0..DAYS {
            let midnight = f64::from(day) * DAY;
            for _ in 0..PASSES_A_DAY {
                let at = midnight + (6.0 + 16.0 * rng.f64()) * 3600.0;
                this.show(footage, at);
            }
            for _ in 0..CLIMBS_A_DAY {
                this.climb(footage, midnight + rng.f64() * (DAY - 120.0), &mut rng);
            }
            this.nuisance(ANIMALS_A_DAY / 24.0, Span { from: midnight, to: midnight + DAY }, &mut rng);
            if day % 3 == 0 {
                let from = midnight + rng.f64() * (DAY - STORM);
                this.nuisance(GUSTS_AN_HOUR, Span { from, to: from + STORM }, &mut rng);
            }
        }
        this.happenings.sort_by(|a, b| a.1.from.total_cmp(&b.1.from));
        this
    }

    /// People pass, as the footage shows them.
    fn show(&mut self, footage: &Footage, at: f64) {
        let alarms = footage.alarms.iter().map(|it| Span { from: at + it.from, to: at + it.to });
        self.happenings.extend(alarms.map(|span| (Source::Camera, span)));
    }

    /// One of them climbs.
    fn climb(&mut self, footage: &Footage, at: f64, rng: &mut fastrand::Rng) {
        let stay = footage.stays[rng.usize(..footage.stays.len())];
        let climb = Span { from: at + stay.from, to: at + stay.to };
        if rng.f64() < BLIND_SHARE {
            let blind = Span { from: at - 600.0 * rng.f64(), to: at + footage.length + 600.0 * rng.f64() };
            self.happenings.push((Source::Blind, blind));
        } else {
            self.show(footage, at);
        }
        if rng.f64() >= SENSOR_MISSES {
            for _ in 0..rng.usize(2..6) {
                let from = climb.from + rng.f64() * (climb.to - climb.from).min(8.0);
                self.happenings.push((Source::Sensor, Span { from, to: from + 0.5 }));
            }
        }
        self.climbs.push(climb);
    }

    /// The fence shakes, and nobody is there.
    fn nuisance(&mut self, an_hour: f64, span: Span, rng: &mut fastrand::Rng) {
        let mut at = span.from;
        loop {
            // The time to the next of events that know nothing of each other.
            at += -(1.0 - rng.f64()).ln() * 3600.0 / an_hour;
            if at >= span.to {
                return;
            }
            self.happenings.push((Source::Sensor, Span { from: at, to: at + 0.5 }));
        }
    }
}

/// What one source tells by itself: everything is severity 2.
fn alone(month: &Month, source: Source) -> Told {
    let alarms = month.happenings.iter().filter(|(of, _)| *of == source);
    alarms.map(|(_, span)| (span.from, Severity::HIGH)).collect()
}

/// What the daemon's fusion tells. Ends are heard of when they come.
fn fused(month: &Month) -> Told {
    let rule: FusionRule = toml::from_str(RULE).unwrap();
    let mut fusion = Fusion::new(&[rule]);
    let east: CameraId = "east".parse().unwrap();
    let moment = Duration::from_secs_f64;
    let mut moments: Vec<(f64, usize, bool)> = Vec::new();
    for (number, (_, span)) in month.happenings.iter().enumerate() {
        moments.extend([(span.from, number, true), (span.to, number, false)]);
    }
    moments.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut told, mut grave) = (Told::new(), HashSet::new());
    for (at, number, begins) in moments {
        let (source, alarm) =
            (month.happenings[number].0, AlarmId::from_ulid(Ulid::from(number as u128 + 1)));
        let input = match source {
            Source::Sensor => Input::Sensor { sensor: "fence-3".parse().unwrap() },
            Source::Camera => Input::Zone { camera: east.clone(), zone: "lawn".parse().unwrap() },
            Source::Blind => Input::Camera { camera: east.clone() },
        };
        let grades = match (source, begins) {
            (Source::Blind, true) => fusion.blind(&east, moment(at), moment(at)),
            (Source::Blind, false) => fusion.sees(&east, moment(at)),
            (_, true) => {
                let begun = Begun { alarm, input, at: moment(at), severity: Severity::HIGH };
                fusion.begin(&begun, moment(at))
            }
            (_, false) => fusion.end(alarm, moment(at)),
        };
        for grade in grades {
            // What is graver than severity 2 already calls nobody again.
            let is_news = !is_grave(grade.severity) || grave.insert(grade.alarm);
            if is_news {
                told.push((at, grade.severity));
            }
        }
    }
    told
}

fn is_grave(severity: Severity) -> bool {
    severity <= Severity::HIGH
}

fn score(told: &Told, climbs: &[Span]) -> Score {
    let belongs = |at: f64, climb: &Span| at >= climb.from - BEFORE && at <= climb.to + AFTER;
    let mut false_alarms: Vec<f64> = Vec::new();
    for (at, severity) in told {
        let is_new = false_alarms.last().is_none_or(|last| at - last > COLLAPSE);
        if is_grave(*severity) && is_new && !climbs.iter().any(|it| belongs(*at, it)) {
            false_alarms.push(*at);
        }
    }
    let lacks = |wanted: &dyn Fn(Severity) -> bool| {
        let has = |climb: &&Span| told.iter().any(|(at, severity)| wanted(*severity) && belongs(*at, climb));
        climbs.iter().filter(|climb| !has(climb)).count()
    };
    Score {
        false_alarms: false_alarms.len(),
        missed: lacks(&is_grave),
        without_any_alarm: lacks(&|_| true),
        climbs: climbs.len(),
    }
}

impl Score {
    fn add(&mut self, other: Self) {
        self.false_alarms += other.false_alarms;
        self.missed += other.missed;
        self.without_any_alarm += other.without_any_alarm;
        self.climbs += other.climbs;
    }
}
