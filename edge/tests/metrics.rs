//! What a box tells programs of itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeSet;

use gatepost_testbed::http::{self, wait_until};
use gatepost_testbed::metrics::{documented, served, value};
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use support::site::{CameraConfig, EVERYWHERE, Site};
use support::{SOON, pedestrians, turn};

#[test]
fn figures_are_those_documented_and_follow_what_happens() {
    let _turn = turn();
    let camera = pedestrians();
    let mut broker = Mosquitto::start(&Options::default()).unwrap();
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("gate", &camera.url()).zone(EVERYWHERE))
        .table("\n[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let mut edge = site.run();
    let address = edge.wait_for("metrics listening").field("address").unwrap();
    let text = || http::get(&format!("{address}/metrics")).unwrap().success().unwrap().text();
    let figure = |text: &str, series: &str| {
        value(text, series).unwrap_or_else(|| panic!("{series} is not in\n{text}"))
    };

    let seen = wait_until("a picture that was looked at", SOON, || {
        let text = text();
        let runs = figure(&text, "gatepost_edge_inference_duration_seconds_count");
        let streaming = figure(&text, "gatepost_edge_cameras{state=\"streaming\"}");
        let connected = figure(&text, "gatepost_edge_uplink_connected");
        (runs > 0.0 && streaming == 1.0 && connected == 1.0).then_some(text)
    })
    .unwrap();
    for (name, may_be_missing) in documented().unwrap() {
        assert!(
            !name.starts_with("gatepost_edge_") || may_be_missing || served(&seen).contains(&name),
            "{name}\n{seen}"
        );
    }
    let known: BTreeSet<String> = documented().unwrap().into_keys().collect();
    assert_eq!(served(&seen).difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(figure(&seen, "gatepost_edge_camera_frames_total{camera=\"gate\",fate=\"analysed\"}") > 0.0);
    assert_eq!(http::get(&format!("{address}/health/live")).unwrap().status, 200);
    assert_eq!(http::get(&format!("{address}/health/ready")).unwrap().status, 200);

    // The way to the hub is lost: what happens waits, and the figures say so.
    broker.kill().unwrap();
    wait_until("events that wait", SOON, || {
        let text = text();
        let waiting = figure(&text, "gatepost_edge_outbox_messages") > 0.0;
        (waiting && figure(&text, "gatepost_edge_uplink_connected") == 0.0).then_some(())
    })
    .unwrap();
    edge.terminate();
}
