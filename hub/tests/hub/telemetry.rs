//! How a box fared, from its reports to the API, over restarts of the hub.

use gatepost_testbed::http::{self, wait_until};
use gatepost_wire::{BootId, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{boot, presence};
use crate::process::{Home, Hub, PATIENCE};

/// What the box says `seconds` after its start.
fn report(boot: BootId, seconds: i64, celsius: f64, camera: Value) -> String {
    json!({
        "edge": "gate-1", "time": Timestamp::now(), "boot": boot, "uptime_ms": seconds * 1000, "version": "0.1.0", "recorded": [],
        "outbox": { "queued": 3, "disk_bytes": 0 },
        "cameras": [{
            "camera": "east-gate", "state": camera, "frames_sampled": 5 * seconds, "frames_analysed": 3 * seconds,
            "frames_still": seconds, "frames_dropped": seconds,
        }],
        "inference": { "model": "test", "failures": 0, "mean_ms": 84.5, "load": 0.5 },
        "disk_free_bytes": 48_000_000, "temperature_celsius": celsius,
    })
    .to_string()
}

fn history(hub: &Hub) -> Value {
    let (now, hour) = (Timestamp::now(), SignedDuration::from_hours(1));
    hub.get(&format!(
        "/api/v1/devices/gate-1/history?from={}&until={}",
        now - hour,
        now + SignedDuration::from_mins(1)
    ))
}

/// What was told in all steps together: reports, the hottest, frames in a second.
fn summary(history: &Value) -> (i64, Option<f64>, Option<f64>) {
    let numbers =
        |list: &Value| list.as_array().unwrap().iter().filter_map(Value::as_f64).collect::<Vec<_>>();
    let most = |list: &Value| numbers(list).into_iter().reduce(f64::max);
    let reports = numbers(&history["reports"]).into_iter().sum::<f64>() as i64;
    (reports, most(&history["temperature_celsius"]["max"]), most(&history["cameras"][0]["frames_per_s"]))
}

fn states(changes: &Value) -> Vec<(Option<&str>, &str)> {
    let changes = changes.as_array().unwrap().iter();
    changes.map(|change| (change["camera"].as_str(), change["state"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_box_fared_is_told_at_once_and_kept_over_a_restart() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let mut hub = home.start();
    let boot = boot();
    let streams = || json!({ "name": "streaming" });
    let ill = json!({ "name": "faulted", "reason": "connected, but no key frame to begin with for 30 s" });
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    edge.publish("gp/v1/gate-1/presence", presence("gate-1", boot, "online"), true).await.unwrap();
    for (seconds, celsius, camera) in [(10, 48.5, streams()), (40, 51.5, streams()), (70, 50.0, ill)] {
        edge.publish("gp/v1/gate-1/health", report(boot, seconds, celsius, camera), true).await.unwrap();
    }
    // Before anything of it is written: the five minutes are not over.
    let at_once = history(&hub);
    assert_eq!(summary(&at_once), (3, Some(51.5), Some(5.0)), "{at_once}");
    assert_eq!((&at_once["edge"], &at_once["step_s"]), (&json!("gate-1"), &json!(300)));
    let told = wait_until("the changes to be written", PATIENCE, || {
        let told = history(&hub);
        (told["standing"][1]["state"] == "faulted").then_some(told)
    })
    .unwrap();
    let east = Some("east-gate");
    assert_eq!(states(&told["changes"]), [(None, "online"), (east, "streaming"), (east, "faulted")]);
    assert_eq!(states(&told["standing"]), [(None, "online"), (east, "faulted")]);
    assert!(told["standing"][1]["reason"].as_str().unwrap().contains("no key frame"), "{told}");

    drop(edge);
    hub.daemon.terminate(PATIENCE).unwrap();
    let hub = home.start();
    let kept = history(&hub);
    assert_eq!(summary(&kept), (3, Some(51.5), Some(5.0)), "{kept}");
    // The broker of the new hub has what was retained only if it is another process; what counts is said again.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    edge.publish("gp/v1/gate-1/health", report(boot, 100, 60.25, streams()), true).await.unwrap();
    let more = history(&hub);
    assert_eq!(summary(&more).0, 4, "what is written and what is not are one: {more}");
    assert_eq!(summary(&more).1, Some(60.25));
    let told = wait_until("the camera to be back", PATIENCE, || {
        let told = history(&hub);
        (told["standing"][1]["state"] == "streaming").then_some(told)
    })
    .unwrap();
    assert_eq!(states(&told["changes"]).last(), Some(&(east, "streaming")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_how_a_box_of_another_site_fared() {
    let home = Home::embedded();
    home.add("gate-2");
    let hub = home.start();
    let site = json!({ "label": "school", "edges": ["gate-1"] });
    http::send("PUT", &hub.url("/api/v1/sites/school-1"), Some(&hub.cookie), Some(&site)).unwrap();
    let cookie = home.account(&hub, "wang.li", &["--role", "technician", "--site", "school-1"]);
    for (edge, status) in [("gate-1", 200), ("gate-2", 403), ("nowhere", 403)] {
        let path =
            format!("/api/v1/devices/{edge}/history?from=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z");
        let answer = http::send("GET", &hub.url(&path), Some(&cookie), None::<&()>).unwrap();
        assert_eq!(answer.status, status, "{edge}: {}", answer.text());
    }
}
