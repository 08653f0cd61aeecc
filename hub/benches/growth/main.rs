//! How the hub fares as its database grows: at each size, how fast events are stored and how soon a page's questions are answered.
//!
//! Events are written by the hub's own writer, with its own grouping beside it, in pairs of which each is an alarm; as they come, all
//! but the newest [`fill::OPEN`] incidents are closed. Then a real hub is started on that database and asked by HTTP, one question after the other. In the
//! end the oldest tenth is deleted as retention does, while single events come.
//!
//! | variable | otherwise |
//! | --- | --- |
//! | `GROWTH_EVENTS` | 100000; sizes are powers of ten from 10000 to this |
//! | `GROWTH_OF` | `district`: 200 boxes take turns; or `one-camera`, which chatters for half a year and nobody closes what it raises |
//! | `GROWTH_DATABASE` | `sqlite`; or `postgres`, outside |
//! | `GROWTH_FOLDER` | the system's for temporary files; ten million events take 20 GB |
//!
//! `docs/SCALE.md` has figures.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

mod ask;
mod clear;
mod event;
mod fill;
mod home;

use std::time::Duration;

use ask::{Answers, QUESTIONS};
use clear::Cleared;
use event::District;
use fill::Filling;
use home::Home;

const SMALLEST: u64 = 10_000;

struct Row {
    events: u64,
    per_second: f64,
    bytes: u64,
    answers: Vec<(&'static str, Answers)>,
}

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let most = std::env::var("GROWTH_EVENTS").map_or(100_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let home = Home::new();
    let district = match std::env::var("GROWTH_OF").as_deref() {
        Ok("one-camera") => District::of_one_camera(),
        Ok("district") | Err(_) => District::of_boxes(),
        Ok(other) => panic!("GROWTH_OF={other}: district or one-camera is needed"),
    };
    let (mut rows, mut filling) = (Vec::new(), Filling::with(district));
    let sizes = std::iter::successors(Some(SMALLEST), |size| size.checked_mul(10));
    for events in sizes.take_while(|size| *size <= most) {
        let per_second = runtime.block_on(filling.up_to(&home, events));
        if events == SMALLEST {
            runtime.block_on(home.add_quiet_school());
        }
        let hub = home.start();
        let answers = QUESTIONS.iter().map(|question| (question.name, question.ask(&hub))).collect();
        drop(hub);
        let row = Row { events, per_second, bytes: home.database_bytes(), answers };
        println!("{events} events: {per_second:.0}/s, {} MiB", row.bytes >> 20);
        for (name, of) in &row.answers {
            println!("  {name}: {:.1?} / {:.1?}", of.p50, of.p99);
        }
        rows.push(row);
    }
    print(&rows);
    let horizon = filling.time_of(most / 10);
    runtime.block_on(home.close_incidents_but(0));
    runtime.block_on(home.date_incidents(horizon));
    print_cleared(&runtime.block_on(clear::clear(&home, &mut filling, horizon)), home.database_bytes());
}

fn print_cleared(cleared: &Cleared, bytes: u64) {
    let Cleared { disposed, took, worked, before, meanwhile } = cleared;
    let per_second = |of: &Duration| disposed.events as f64 / of.as_secs_f64();
    println!(
        "deleted {} events, {} alarms, {} incidents: {:.0} events/s of work, {:.0}/s with rests; {} MiB are left",
        disposed.events,
        disposed.alarms,
        disposed.incidents,
        per_second(worked),
        per_second(took),
        bytes >> 20
    );
    for (when, Answers { count, p50, p99, most }) in [("before", before), ("meanwhile", meanwhile)] {
        println!("an event is stored, {when}, {count} times: p50 {p50:.1?}, p99 {p99:.1?}, most {most:.1?}");
    }
}

fn print(rows: &[Row]) {
    let columns = |cell: &dyn Fn(&Row) -> String| {
        rows.iter().map(|row| format!(" {} |", cell(row))).collect::<String>()
    };
    println!("| events stored |{}", columns(&|row| row.events.to_string()));
    println!("| --- |{}", columns(&|_| "---".into()));
    println!(
        "| stored, events/s, since the size before |{}",
        columns(&|row| format!("{:.0}", row.per_second))
    );
    println!("| bytes for each |{}", columns(&|row| (row.bytes / row.events).to_string()));
    for (index, question) in QUESTIONS.iter().enumerate() {
        let ms = |of: Duration| format!("{:.1}", of.as_secs_f64() * 1000.0);
        let cell = |row: &Row| {
            let (_, answers) = &row.answers[index];
            format!("{} / {}", ms(answers.p50), ms(answers.p99))
        };
        println!("| {}, p50 / p99 ms |{}", question.name, columns(&cell));
    }
}
