//! A full disk: the box says so, stays up, and loses nothing it called recorded. Needs a file system of its
//! own to fill, so it needs root; otherwise it is skipped and says why.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;

use gatepost_testbed::http::wait_until;
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use support::edge::Recorded;
use support::listener::Listener;
use support::site::{CameraConfig, Site, only_complaint};
use support::small_disk::SmallDisk;
use support::{LATER, pedestrians, turn};

fn busy_site(broker: u16, camera: &str, disk: &SmallDisk) -> Site {
    let mut site = Site::new(broker).camera(CameraConfig::new("gate", camera).grid(4, 4));
    (site.dwell_ms, site.clear_ms) = (0, 300);
    site.data_dir = disk.path().join("data");
    site
}

#[test]
fn a_disk_that_fills_up_costs_nothing_that_was_recorded() {
    let _turn = turn();
    let Some(disk) = SmallDisk::mount("16m") else { return };
    let camera = pedestrians();
    let mut broker = Mosquitto::start(&Options::default()).unwrap();
    // What is recorded must wait on the disk.
    broker.kill().unwrap();
    let site = busy_site(broker.port(), &camera.url(), &disk);
    let mut edge = site.run();
    let enough = |count: usize| move |recorded: &Vec<Recorded>| recorded.len() >= count;
    wait_until("events before", LATER, || Some(edge.recorded()).filter(enough(4))).unwrap();
    let ballast = disk.fill();
    let told = wait_until("the message", LATER, || {
        // sled may still find room in what it has already taken from the disk.
        disk.fill();
        edge.lines_with("the outbox cannot be written").pop()
    });
    let told = told.unwrap_or_else(|error| panic!("{error}:\n{}", edge.log()));
    assert_eq!(told.level(), "ERROR");
    let folder = site.data_dir.display().to_string();
    assert!(
        told.message().contains(&folder) && told.message().contains("No space left"),
        "{}",
        told.message()
    );
    std::thread::sleep(std::time::Duration::from_secs(5));
    edge.assert_alive();
    let errors =
        edge.lines_with("the outbox cannot be").iter().filter(|line| line.level() == "ERROR").count();
    // Once that it cannot be written, once that it cannot be opened again.
    assert!(errors <= 2, "said once:\n{}", edge.log());
    let when_full = edge.recorded().len();
    fs::remove_file(&ballast).unwrap();
    edge.wait_for("events can be written again");
    wait_until("events after", LATER, || Some(edge.recorded()).filter(enough(when_full + 4))).unwrap();

    broker.restart().unwrap();
    let listener = Listener::start(broker.port());
    listener.wait_for_all(&edge.recorded());
    edge.kill();
    // And once more from the disk alone.
    let mut again = site.run();
    listener.wait_for_all(&edge.recorded());
    again.terminate();
    listener.wait_for_all(&again.recorded());
    listener.heard().assert_whole();
}

#[test]
fn what_was_recorded_before_a_kill_on_a_full_disk_is_there_afterwards() {
    let _turn = turn();
    let Some(disk) = SmallDisk::mount("16m") else { return };
    let camera = pedestrians();
    let mut broker = Mosquitto::start(&Options::default()).unwrap();
    broker.kill().unwrap();
    let site = busy_site(broker.port(), &camera.url(), &disk);
    let mut edge = site.run();
    wait_until("events before", LATER, || (edge.recorded().len() >= 4).then_some(())).unwrap();
    let ballast = wait_until("the message", LATER, || {
        let ballast = disk.fill();
        edge.lines_with("the outbox cannot be written").pop().map(|_| ballast)
    })
    .unwrap();
    edge.kill();

    // On a disk that is still full it says clearly that it cannot start, or it starts and waits for space.
    let refused = only_complaint_if_any(&site);
    if let Some(said) = refused {
        assert!(said.contains(&site.data_dir.display().to_string()), "{said}");
        assert!(said.contains("No space left"), "{said}");
    }
    fs::remove_file(&ballast).unwrap();
    broker.restart().unwrap();
    let listener = Listener::start(broker.port());
    let mut again = site.run();
    listener.wait_for_all(&edge.recorded());
    again.terminate();
    listener.wait_for_all(&again.recorded());
    listener.heard().assert_whole();
}

/// Starts the daemon on the full disk; its one message if it refuses.
fn only_complaint_if_any(site: &Site) -> Option<String> {
    let mut edge = site.launch();
    let started = wait_until("a start or an end", LATER, || {
        (!edge.lines_with("started").is_empty()).then_some(true).or_else(|| edge.has_ended().then_some(false))
    });
    if started.unwrap() {
        edge.kill();
        return None;
    }
    let said: Vec<String> =
        edge.log().lines().filter(|line| line.starts_with("gatepost-edge: ")).map(str::to_owned).collect();
    assert_eq!(said.len(), 1, "{}", edge.log());
    said.into_iter().next()
}

#[test]
fn a_first_start_on_a_full_disk_is_a_clear_error() {
    let _turn = turn();
    let Some(disk) = SmallDisk::mount("4m") else { return };
    let site = busy_site(9, "rtsp://127.0.0.1:9/none", &disk);
    disk.fill();
    let said = only_complaint(&site.call("run"));
    assert!(said.contains("`data_dir`") && said.contains(&site.data_dir.display().to_string()), "{said}");
    assert!(said.contains("No space left"), "{said}");
}
