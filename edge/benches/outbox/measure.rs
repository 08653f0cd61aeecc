//! How fast, and how long one waits.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::backlog::Backlog;
use crate::event::drafts;

/// A full group of the recording thread.
pub const GROUP: usize = 256;
/// A busy box: alarms of several cameras and sensors.
const ALONE: usize = 400;
const ALONE_EVERY: Duration = Duration::from_millis(5);

/// Named numbers, as a child process tells them.
#[derive(Default)]
pub struct Figures(HashMap<String, f64>);

impl Figures {
    pub fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.into(), value);
    }

    pub fn get(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no figure {name}"))
    }

    pub fn parse(text: &str) -> Self {
        let figure = |line: &str| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        Self(text.lines().map(figure).collect())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Groups one after the other, then events that come alone.
pub fn append(store: &mut dyn Backlog, events: usize) -> Figures {
    let groups: Vec<_> = (0..events / GROUP).map(|_| drafts(GROUP)).collect();
    let alone = drafts(ALONE);
    let mut figures = Figures::default();
    let began = Instant::now();
    let mut waits: Vec<f64> = groups.iter().map(|group| time(|| store.append(group))).collect();
    figures.set("events_per_s", (groups.len() * GROUP) as f64 / began.elapsed().as_secs_f64());
    percentiles(&mut figures, "group", &mut waits);
    let mut waits: Vec<f64> = Vec::with_capacity(alone.len());
    for event in alone.chunks(1) {
        waits.push(time(|| store.append(event)));
        std::thread::sleep(ALONE_EVERY);
    }
    percentiles(&mut figures, "alone", &mut waits);
    figures
}

fn time(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e3
}

fn percentiles(figures: &mut Figures, of: &str, waits_ms: &mut [f64]) {
    waits_ms.sort_by(f64::total_cmp);
    for percent in [50, 99] {
        let at = (waits_ms.len() * percent / 100).min(waits_ms.len() - 1);
        figures.set(&format!("{of}_p{percent}_ms"), waits_ms[at]);
    }
}
