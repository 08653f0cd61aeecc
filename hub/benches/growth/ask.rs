//! What a page asks, and how soon it is answered.

use std::time::{Duration, Instant};

use gatepost_testbed::http;
use serde_json::Value;

use crate::home::Hub;

/// So often, unless it takes longer than this.
const TIMES: usize = 200;
const LONGEST: Duration = Duration::from_secs(20);

/// A question, asked again and again; where its answer names a next page, that is asked for next.
pub struct Question {
    pub name: &'static str,
    /// `{largest}`: the incident of the newest ones that has most alarms.
    path: &'static str,
    /// The parameter that names where the next page begins.
    cursor: Option<&'static str>,
}

/// How long the answers took.
pub struct Answers {
    pub count: usize,
    pub p50: Duration,
    pub p99: Duration,
    pub most: Duration,
}

impl Answers {
    /// Of one wait or more.
    pub fn of(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        let at = |percent: usize| waits[(waits.len() - 1) * percent / 100];
        Self { count: waits.len(), p50: at(50), p99: at(99), most: at(100) }
    }
}

const fn pages(name: &'static str, path: &'static str, cursor: &'static str) -> Question {
    Question { name, path, cursor: Some(cursor) }
}

const fn same(name: &'static str, path: &'static str) -> Question {
    Question { name, path, cursor: None }
}

/// Those of the views that lists and searches are on.
pub const QUESTIONS: [Question; 12] = [
    pages("open incidents", "/api/v1/incidents?open=true&limit=50", "before"),
    pages("all incidents, newest first", "/api/v1/incidents?limit=50", "before"),
    pages("incidents of one box", "/api/v1/incidents?limit=50&edge=box-77", "before"),
    pages("incidents of a quiet school", "/api/v1/incidents?limit=50&site=quiet", "before"),
    pages("a search that finds nothing, each look", "/api/v1/incidents?limit=50&camera=nowhere", "before"),
    pages("alarms, newest first", "/api/v1/alerts?limit=50", "before"),
    pages("alarms of one box", "/api/v1/alerts?limit=50&edge=box-77", "before"),
    pages("events, oldest first", "/api/v1/events?limit=50", "after"),
    pages("events of one box", "/api/v1/events?limit=50&edge=box-77", "after"),
    same("devices", "/api/v1/devices?limit=50"),
    same("the alarms of an incident", "/api/v1/incidents/{largest}/alerts"),
    same("figures of 30 days", "/api/v1/incident-figures?days=30"),
];

impl Question {
    pub fn ask(&self, hub: &Hub) -> Answers {
        let path = match self.path.contains("{largest}") {
            true => self.path.replace("{largest}", &largest(hub)),
            false => self.path.to_owned(),
        };
        let mut waits = Vec::with_capacity(TIMES);
        let mut next: Option<String> = None;
        let begun = Instant::now();
        while waits.len() < TIMES && begun.elapsed() < LONGEST {
            let from = match (self.cursor, &next) {
                (Some(cursor), Some(next)) => format!("&{cursor}={next}"),
                _ => String::new(),
            };
            let url = format!("{}{path}{from}", hub.web);
            let began = Instant::now();
            let answer = http::get(&url).unwrap().success().unwrap();
            waits.push(began.elapsed());
            let page: Value = answer.json().unwrap();
            next = page["next"].as_str().map(str::to_owned);
        }
        Answers::of(waits)
    }
}

fn largest(hub: &Hub) -> String {
    let page: Value = http::get_json(&format!("{}/api/v1/incidents?limit=50", hub.web)).unwrap();
    let incidents = page["incidents"].as_array().unwrap().iter();
    let largest = incidents.max_by_key(|incident| incident["alarms"].as_u64()).unwrap();
    largest["id"].as_str().unwrap().to_owned()
}
