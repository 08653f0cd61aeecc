//! The hub under load: thousands of simulated edges over real MQTT 5 connections against a real hub process.
//!
//! Phases: everybody connects; alarms at a steady rate, with health of every edge each 30 s; a storm. In the same run the
//! limit: the same rows into a bare SQLite table. Fails if one event is lost or stored twice.
//!
//! | variable | otherwise |
//! | --- | --- |
//! | `LOAD_EDGES` | 1000 |
//! | `LOAD_PER_SECOND` | 1000 |
//! | `LOAD_SECONDS` | 10 |
//! | `LOAD_STORM` | 20000, in one second |
//! | `LOAD_BROKER` | `embedded`; or `mosquitto`, outside |
//! | `LOAD_DATABASE` | `sqlite`; or `postgres`, outside |
//!
//! `make load` runs the whole; `docs/DELIVERY.md` has figures.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

mod edge;
mod hub;
mod limit;
mod link;
mod message;
mod page;
mod tally;

use std::time::{Duration, Instant};

use edge::Edges;
use hub::{BrokerKind, DatabaseKind, Hub};
use page::Page;
use tally::{Cost, Quantiles};

/// New connections a second: boxes come back over the second their jitter gives them, not at once.
const CONNECTS_A_SECOND: u32 = 1000;
const STORM: Duration = Duration::from_secs(1);

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    // The hub and mosquitto inherit it.
    gatepost_hub::limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run());
}

fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

async fn run() {
    let kind = match std::env::var("LOAD_BROKER").as_deref() {
        Ok("mosquitto") => BrokerKind::Mosquitto,
        Ok("embedded") | Err(_) => BrokerKind::Embedded,
        Ok(other) => panic!("LOAD_BROKER={other}: embedded or mosquitto is needed"),
    };
    let database = match std::env::var("LOAD_DATABASE").as_deref() {
        Ok("postgres") => DatabaseKind::Postgres,
        Ok("sqlite") | Err(_) => DatabaseKind::Sqlite,
        Ok(other) => panic!("LOAD_DATABASE={other}: sqlite or postgres is needed"),
    };
    let (count, rate) = (number("LOAD_EDGES", 1000), number("LOAD_PER_SECOND", 1000));
    let (seconds, storm) = (number("LOAD_SECONDS", 10), number("LOAD_STORM", 20_000));
    println!("{count} edges, {kind:?}, {database:?}");
    let limit = limit::rows_per_second().await;
    println!("limit: {limit:.0} rows/s into a bare SQLite table, 512 in a transaction that is synced");

    let hub = Hub::start(kind, database, count);
    let began = Instant::now();
    let mut edges = Edges::connect(&hub, count, CONNECTS_A_SECOND).await;
    println!(
        "connected {count} in {:.1} s, {CONNECTS_A_SECOND} begun a second",
        began.elapsed().as_secs_f64()
    );

    let page = Page::open(&hub);
    let cost = Cost::start(hub.pid());
    edges.send(rate * seconds, Duration::from_secs(seconds.into())).await;
    let answered = edges.all_answered().await;
    println!("steady: {rate} alarms/s for {seconds} s, health of each edge every 30 s");
    println!("  to PUBACK       {}", Quantiles::of(answered));
    println!("  to live stream  {}", page.settled(rate * seconds).await);
    cost.report(rate * seconds);

    let cost = Cost::start(hub.pid());
    let began = Instant::now();
    edges.send(storm, STORM).await;
    let answered = edges.all_answered().await;
    let took = began.elapsed().as_secs_f64();
    let stored = f64::from(storm) / took;
    println!("storm: {storm} alarms in one second");
    println!("  to PUBACK       {}", Quantiles::of(answered));
    println!("  to live stream  {}", page.settled(rate * seconds + storm).await);
    println!("  the last answered after {took:.2} s: {stored:.0}/s, {:.2} of the limit", stored / limit);
    cost.report(storm);

    println!("connections lost and made again: {}", edges.reconnected());
    let sent = edges.sent();
    edges.close().await;
    hub.assert_stored_once(&sent).await;
}
