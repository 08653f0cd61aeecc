//! The outbox beside other stores of the same promise: what is called recorded has been synced, and one sync covers a group of
//! at most 256 events. Bare `write` and `fdatasync` of the same groups is the limit.
//!
//! Each measurement is a process of its own, so that its memory is its own; the stores take turns, three rounds, and medians
//! are compared. `OUTBOX_EVENTS` sets how many wait in the last part (1,000,000), `OUTBOX_DIR` where it happens (the
//! folder for temporary files, which must be on a disk). `docs/DELIVERY.md` tells what came out.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

mod backlog;
mod bare;
mod event;
mod measure;
mod outbox;
mod peers;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use backlog::Backlog;
use measure::Figures;

/// What is compared, the limit first.
const STORES: [&str; 5] = ["bare", "outbox", "redb", "fjall", "sqlite"];
const ROUNDS: usize = 3;
/// Enough for a steady state, few enough for three rounds of five stores.
const EVENTS: usize = 25_600;
const BACKLOG: usize = 1_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["append", store] => println!("{}", measure::append(&mut *open(store, &fresh(store).path), EVENTS)),
        ["backlog", store, events] => {
            let place = fresh(store);
            println!("{}", backlog::of(&mut *open(store, &place.path), &place.path, events.parse().unwrap()));
        }
        _ => compare(),
    }
    ExitCode::SUCCESS
}

fn open(store: &str, folder: &Path) -> Box<dyn Backlog> {
    match store {
        "bare" => Box::new(bare::Bare::open(folder)),
        "outbox" => Box::new(outbox::Outbox::open(folder)),
        "redb" => Box::new(peers::Redb::open(folder)),
        "fjall" => Box::new(peers::Fjall::open(folder)),
        "sqlite" => Box::new(peers::Sqlite::open(folder)),
        other => panic!("no store {other:?}"),
    }
}

struct Place {
    path: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn fresh(store: &str) -> Place {
    let home = std::env::var_os("OUTBOX_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = home.join(format!("gatepost-outbox-bench-{}-{store}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    Place { path }
}

fn child(arguments: &[&str]) -> Figures {
    let done = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Figures::parse(&String::from_utf8(done.stdout).unwrap())
}

fn compare() {
    println!("Appended in groups of 256, events of {} bytes; medians of {ROUNDS} rounds", event::BYTES);
    println!(
        "{:8} {:>10} {:>9} {:>22} {:>22}",
        "", "events/s", "of bare", "group p50/p99 ms", "alone p50/p99 ms"
    );
    let mut rounds: Vec<Vec<Figures>> = STORES.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (store, figures) in STORES.iter().zip(&mut rounds) {
            figures.push(child(&["append", store]));
        }
    }
    let median = |figures: &[Figures], name: &str| {
        let mut values: Vec<f64> = figures.iter().map(|it| it.get(name)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let limit = median(&rounds[0], "events_per_s");
    for (store, figures) in STORES.iter().zip(&rounds) {
        let of = |name| median(figures, name);
        println!(
            "{store:8} {:>10.0} {:>9.2} {:>13.2} / {:>6.2} {:>13.2} / {:>6.2}",
            of("events_per_s"),
            of("events_per_s") / limit,
            of("group_p50_ms"),
            of("group_p99_ms"),
            of("alone_p50_ms"),
            of("alone_p99_ms")
        );
    }
    let events = std::env::var("OUTBOX_EVENTS").unwrap_or_else(|_| BACKLOG.to_string());
    println!("\n{events} events wait, then all are taken, oldest first");
    println!(
        "{:8} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "", "filled in s", "disk MiB", "memory MiB", "taken in s", "left MiB"
    );
    for store in STORES {
        let it = child(&["backlog", store, &events]);
        println!(
            "{store:8} {:>12.1} {:>12.1} {:>12.1} {:>12.1} {:>12.1}",
            it.get("filled_s"),
            it.get("disk_mib"),
            it.get("memory_mib"),
            it.get("taken_s"),
            it.get("left_mib")
        );
    }
}
