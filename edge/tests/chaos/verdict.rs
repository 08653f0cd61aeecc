//! What was recorded against what the hub has.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::thread;
use std::time::{Duration, Instant};

use gatepost_testbed::http;
use serde::Deserialize;
use serde_json::Value;

/// An event the edge's log calls recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recorded {
    pub event: String,
    pub boot: String,
    pub seq: u64,
}

/// An event as the hub has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Stored {
    pub id: String,
    pub boot: String,
    pub seq: u64,
    pub severity: u8,
    /// The CloudEvent.
    envelope: Value,
}

impl Stored {
    fn tells_of_damage(&self) -> bool {
        self.envelope["data"]["happening"]["fault"] == "outbox_damaged"
    }
}

/// Numbers of a boot that are not at the hub, as the hub shows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Gap {
    boot: String,
    first: u64,
    last: u64,
}

impl Gap {
    fn holds(&self, event: &Recorded) -> bool {
        self.boot == event.boot && (self.first..=self.last).contains(&event.seq)
    }
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Stored>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Devices {
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    missing: Vec<Gap>,
}

/// What a log says.
pub fn recorded_in(log: &str) -> Vec<Recorded> {
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let said = |line: &&Value, message: &str| line["fields"]["message"] == message;
    let Some(boot) = lines.iter().find(|line| said(line, "started")) else { return Vec::new() };
    let boot = text(&boot["fields"]["boot"]);
    let recorded = |line: &Value| Recorded {
        event: text(&line["fields"]["event"]),
        boot: boot.clone(),
        seq: text(&line["fields"]["seq"]).parse().unwrap_or(0),
    };
    lines.iter().filter(|line| said(line, "recorded")).map(recorded).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What is wrong; nothing if all is well.
#[derive(Debug, Default)]
pub struct Verdict {
    pub recorded: usize,
    pub stored: usize,
    pub lost: Vec<Recorded>,
    pub doubled: usize,
    /// Two events in one place of a boot.
    pub conflicts: usize,
    /// Neighbours stored in another order than they were recorded in, within a boot and an urgency.
    pub overtaken: usize,
    /// Gaps the hub still shows.
    pub missing: Vec<Gap>,
    /// The edge said that its outbox was damaged.
    pub is_damage_told: bool,
    /// What the edge's logs say of its outbox.
    pub said: Vec<String>,
}

impl Verdict {
    /// Everything recorded is there, once and in its place.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.doubled + self.conflicts + self.missing.len() == 0
    }

    /// No bytes of it were harmed on the disk, so nobody may be told that they were.
    pub fn is_unharmed(&self) -> bool {
        self.is_whole() && !self.is_damage_told
    }

    /// For whoever looks into a run that is not well.
    pub fn details(&self) -> String {
        let Self { lost, doubled, conflicts, overtaken, missing, said, .. } = self;
        let said = said.join("\n");
        format!(
            "lost: {lost:?}\ndoubled: {doubled}, two in one place: {conflicts}, overtaken: {overtaken}\n\
             shown as missing: {missing:?}\nthe edge's logs say of its outbox:\n{said}"
        )
    }

    /// Nothing is there twice, and what is not there is known to be missing.
    pub fn is_reported(&self) -> bool {
        let is_known = |event| self.is_damage_told || self.missing.iter().any(|gap| gap.holds(event));
        self.lost.iter().all(is_known) && self.doubled + self.conflicts == 0
    }

    /// Waits until the hub has everything, at most `patience`, and compares.
    pub fn reach(web: &str, recorded: &[Recorded], patience: Duration) -> anyhow::Result<Self> {
        let deadline = Instant::now() + patience;
        loop {
            let verdict = Self::of(recorded, &stored(web)?, missing(web)?);
            if verdict.is_whole() || Instant::now() > deadline {
                return Ok(verdict);
            }
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn of(recorded: &[Recorded], stored: &[Stored], missing: Vec<Gap>) -> Self {
        let ids: HashSet<&str> = stored.iter().map(|event| event.id.as_str()).collect();
        let places: BTreeSet<(&str, u64)> =
            stored.iter().map(|event| (event.boot.as_str(), event.seq)).collect();
        let mut ways: BTreeMap<(&str, bool), Vec<u64>> = BTreeMap::new();
        for event in stored {
            ways.entry((&event.boot, event.severity == 1)).or_default().push(event.seq);
        }
        let overtaken = |seqs: &Vec<u64>| seqs.windows(2).filter(|pair| pair[0] > pair[1]).count();
        Self {
            recorded: recorded.len(),
            stored: stored.len(),
            lost: recorded.iter().filter(|event| !ids.contains(event.event.as_str())).cloned().collect(),
            doubled: stored.len() - ids.len(),
            conflicts: stored.len() - places.len(),
            overtaken: ways.values().map(overtaken).sum(),
            missing,
            is_damage_told: stored.iter().any(Stored::tells_of_damage),
            said: Vec::new(),
        }
    }
}

fn stored(web: &str) -> anyhow::Result<Vec<Stored>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let Page { events, next } = http::get_json(&format!("{web}/api/v1/events?limit=1000{after}"))?;
        all.extend(events);
        match next {
            Some(cursor) => after = format!("&after={cursor}"),
            None => return Ok(all),
        }
    }
}

fn missing(web: &str) -> anyhow::Result<Vec<Gap>> {
    let Devices { devices } = http::get_json(&format!("{web}/api/v1/devices"))?;
    Ok(devices.into_iter().flat_map(|device| device.missing).collect())
}
