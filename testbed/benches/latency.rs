//! Latency: from a frame's arrival at the edge to its alert on the hub's live stream, over the whole way
//! (detection, record on disk, MQTT, commit, live stream), on a running site.
//!
//! An alert carries the time its frame was received; edge, hub and this program share the machine's clock.
//! `GATEPOST_BENCH_SECONDS` sets how long to watch (120).

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

#[path = "../tests/site/mod.rs"]
mod site;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gatepost_testbed::http::EventStream;
use serde::Deserialize;
use site::Site;

#[derive(Deserialize)]
struct Alert {
    id: String,
    began: jiff::Timestamp,
    snapshot: Option<String>,
}

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let seconds = std::env::var("GATEPOST_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(120);
    let site = Site::with_own_broker();
    let stream = EventStream::open(&site.live_url()).unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut alerts, mut pictures) = (BTreeMap::new(), BTreeMap::new());
    while Instant::now() < end {
        let Ok(sent) = stream.next(Duration::from_secs(1)) else { continue };
        if sent.event != "alert" {
            continue;
        }
        let alert: Alert = serde_json::from_str(&sent.data).unwrap();
        let late = jiff::Timestamp::now().duration_since(alert.began).as_secs_f64();
        if alert.snapshot.is_some() {
            pictures.entry(alert.id.clone()).or_insert(late);
        }
        alerts.entry(alert.id).or_insert(late);
    }
    println!("frame in to alert on the live stream, {seconds} s of one camera at 5 pictures a second");
    report("alert  ", alerts.into_values().collect());
    report("picture", pictures.into_values().collect());
}

fn report(what: &str, mut late: Vec<f64>) {
    assert!(!late.is_empty(), "nothing happened: is the clip served and the model there?");
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late[((late.len() - 1) as f64 * share).round() as usize] * 1000.0;
    println!(
        "  {what}  n {:4}  p50 {:6.0} ms  p99 {:6.0} ms  max {:6.0} ms",
        late.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
