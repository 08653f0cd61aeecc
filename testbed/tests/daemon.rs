//! Child processes: their log, their end, their memory.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::time::{Duration, Instant};

use gatepost_testbed::daemon::{Daemon, Launch, binary};
use gatepost_testbed::http::wait_until;

const SOON: Duration = Duration::from_secs(5);

fn shell(script: &str) -> Daemon {
    Daemon::spawn("/bin/sh", ["-c", script]).unwrap()
}

#[test]
fn lines_of_both_streams_are_seen_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log");
    let script = "echo one; echo two >&2; exec sleep 60";
    let mut daemon = Launch::new("/bin/sh").args(["-c", script]).log_file(&file).spawn().unwrap();
    assert_eq!(daemon.wait_for_line(SOON, |line| line.starts_with("tw")).unwrap(), "two");
    daemon.wait_for_line(SOON, |line| line == "one").unwrap();
    // The kernel counts the first pages late.
    wait_until("memory in use", SOON, || daemon.peak_rss_bytes().ok().filter(|&bytes| bytes > 0)).unwrap();
    daemon.kill().unwrap();
    let mut kept: Vec<_> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    kept.sort();
    assert_eq!(kept, ["one", "two"]);
}

#[test]
fn a_line_that_does_not_come_gives_the_log() {
    let error = shell("echo here; exec sleep 60")
        .wait_for_line(Duration::from_millis(300), |line| line == "there")
        .unwrap_err()
        .to_string();
    assert!(error.contains("within 300ms") && error.contains("here"), "{error}");
}

#[test]
fn an_early_end_is_noticed_at_once() {
    let started = Instant::now();
    let error = shell("echo bye; exit 3").wait_for_line(SOON, |_| false).unwrap_err().to_string();
    assert!(error.contains("ended") && error.contains("bye"), "{error}");
    assert!(started.elapsed() < SOON);
}

#[test]
fn terminate_lets_it_clean_up() {
    let mut daemon = shell("trap 'echo clean; exit 7' TERM; echo ready; while :; do sleep 0.05; done");
    daemon.wait_for_line(SOON, |line| line == "ready").unwrap();
    assert_eq!(daemon.terminate(SOON).unwrap().code(), Some(7));
    assert!(daemon.log().contains("clean"));
}

#[test]
fn one_that_ignores_terminate_is_killed() {
    let mut daemon = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    daemon.wait_for_line(SOON, |line| line == "ready").unwrap();
    daemon.terminate(Duration::from_millis(200)).unwrap_err();
    assert!(daemon.exited().unwrap().is_some());
}

#[test]
fn dropping_kills() {
    let daemon = shell("echo ready; exec sleep 60");
    daemon.wait_for_line(SOON, |line| line == "ready").unwrap();
    let pid = daemon.pid();
    drop(daemon);
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
}

#[test]
fn a_binary_that_is_not_built_says_what_to_run() {
    let error = binary("gatepost-nothing").unwrap_err().to_string();
    assert!(error.contains("make test-rust"), "{error}");
}
