//! How fast a backlog reaches the hub: real outboxes and uplinks against a real hub with its own broker and SQLite.
//!
//! First one box alone drains `GATEPOST_DRAIN_EVENTS` (100,000), beside the limit in the same run: reading and forgetting the same
//! outbox with nobody at the other end. Then `GATEPOST_HERD_BOXES` (100) come back at once, each with `GATEPOST_HERD_EVENTS`
//! (1,000) waiting, while ten others have an alarm now and then: how long until it is on the hub's live page.
//!
//! Fails if one event is lost or stored twice. `docs/DELIVERY.md` has figures.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

mod boxes;
mod hub;
mod news;
mod report;

use std::time::{Duration, Instant};

use boxes::EdgeBox;
use hub::Hub;
use news::{News, Reporter};
use report::{Cost, Quantiles};

const REPORTERS: usize = 10;
const NEWS_EVERY: Duration = Duration::from_millis(250);
/// News before the herd comes, for comparison.
const CALM: Duration = Duration::from_secs(5);

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        pair(number("GATEPOST_DRAIN_EVENTS", 100_000)).await;
        herd(number("GATEPOST_HERD_BOXES", 100), number("GATEPOST_HERD_EVENTS", 1_000)).await;
    });
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

async fn pair(events: usize) {
    let folder = tempfile::Builder::new().prefix("gatepost-drain-").tempdir().unwrap();
    let alone = EdgeBox::filled(folder.path(), "limit", events);
    let began = Instant::now();
    alone.drain_to_nowhere();
    let limit = events as f64 / began.elapsed().as_secs_f64();

    let hub = Hub::start(&["pair".to_owned()]);
    let edge = EdgeBox::filled(folder.path(), "pair", events);
    let cost = Cost::start(hub.pid());
    let began = Instant::now();
    let running = edge.connect(&hub);
    running.drained().await;
    let rate = events as f64 / began.elapsed().as_secs_f64();
    println!("one box drains {events} events");
    println!(
        "  {rate:.0} events/s (target 20000), {:.2} of an outbox with nobody at the other end ({limit:.0}/s)",
        rate / limit
    );
    cost.report(events);
    running.stop().await;
    println!("  {:.0} bytes of database for each", hub.database_bytes() as f64 / events as f64);
    hub.assert_stored_once(&[("pair", events)]);
}

async fn herd(boxes: usize, events: usize) {
    let folder = tempfile::Builder::new().prefix("gatepost-herd-").tempdir().unwrap();
    let names: Vec<String> = (0..boxes).map(|n| format!("herd-{n}")).collect();
    let reporters: Vec<String> = (0..REPORTERS).map(|n| format!("news-{n}")).collect();
    let hub = Hub::start(&[names.clone(), reporters.clone()].concat());
    let herd: Vec<EdgeBox> = names.iter().map(|name| EdgeBox::filled(folder.path(), name, events)).collect();
    let news = News::listen(&hub);
    let reporters: Vec<Reporter> = reporters
        .iter()
        .map(|name| Reporter::start(EdgeBox::filled(folder.path(), name, 0), &hub, &news, NEWS_EVERY))
        .collect();
    tokio::time::sleep(CALM).await;
    let calm = news.take_late();

    let began = Instant::now();
    let cost = Cost::start(hub.pid());
    let running: Vec<_> = herd.into_iter().map(|edge| edge.connect(&hub)).collect();
    for edge in &running {
        edge.drained().await;
    }
    let took = began.elapsed();
    let backlog = boxes * events;
    println!(
        "{boxes} boxes drain {events} events each, at once, while {REPORTERS} others have an alarm every {NEWS_EVERY:?}"
    );
    println!("  {:.0} events/s together, {:.1} s", backlog as f64 / took.as_secs_f64(), took.as_secs_f64());
    cost.report(backlog);
    let mut sent = Vec::new();
    for reporter in reporters {
        sent.push(reporter.stop().await);
    }
    news.wait_for_all().await;
    let during = news.take_late();
    println!("  recorded to live page, before       {}", Quantiles::of(calm));
    println!("  recorded to live page, meanwhile    {}; {} reloads", Quantiles::of(during), news.resets());
    for edge in running {
        edge.stop().await;
    }
    let mut expected: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), events)).collect();
    expected.extend(sent.iter().map(|(name, count)| (name.as_str(), *count)));
    hub.assert_stored_once(&expected);
}
