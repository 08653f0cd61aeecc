//! What is recorded arrives, whole and in order, whatever happens to broker and box.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::thread;
use std::time::Duration;

use gatepost_testbed::http::wait_until;
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use support::edge::{Edge, Recorded};
use support::listener::Listener;
use support::site::{CameraConfig, EDGE, Site};
use support::{LATER, pedestrians, turn};

/// A broker that keeps no subscriber waiting: what it has acknowledged it has also passed on.
fn broker() -> Mosquitto {
    let extra = vec!["max_inflight_messages 0".into(), "max_queued_messages 0".into()];
    Mosquitto::start(&Options { extra, ..Options::default() }).unwrap()
}

/// A box with many small zones, which has something to tell all the time.
fn busy_site(broker: u16, camera: &str) -> Site {
    let mut site = Site::new(broker).camera(CameraConfig::new("gate", camera).grid(4, 4));
    site.dwell_ms = 0;
    site.clear_ms = 300;
    site
}

fn wait_for_records(edge: &Edge, count: usize) -> Vec<Recorded> {
    let enough = || Some(edge.recorded()).filter(|recorded| recorded.len() >= count);
    wait_until("enough recorded events", LATER, enough).unwrap_or_else(|e| panic!("{e}:\n{}", edge.log()))
}

#[test]
fn events_wait_for_a_broker_that_is_down() {
    let _turn = turn();
    let camera = pedestrians();
    let mut broker = broker();
    broker.kill().unwrap();
    let site = busy_site(broker.port(), &camera.url());
    let mut edge = site.run();
    let before = wait_for_records(&edge, 5);
    assert_eq!(edge.lines_with("the connection to the broker").len(), 1, "said once:\n{}", edge.log());
    broker.restart().unwrap();
    let listener = Listener::start(broker.port());
    listener.wait_for_all(&before);
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    let heard = listener.heard();
    heard.assert_whole();
    let seqs: Vec<u64> = heard.events.iter().map(|event| event.seq.0).collect();
    assert!(seqs.is_sorted(), "in the order of recording: {seqs:?}");
}

#[test]
fn nothing_recorded_is_lost_to_kills_of_box_and_broker() {
    let _turn = turn();
    let camera = pedestrians();
    let mut broker = broker();
    let listener = Listener::start(broker.port());
    let site = busy_site(broker.port(), &camera.url());
    let mut recorded: Vec<Recorded> = Vec::new();
    for round in 0..4 {
        let mut edge = site.run();
        wait_for_records(&edge, 4);
        match round {
            // The broker takes messages and never answers.
            0 | 2 => broker.freeze().unwrap(),
            _ => broker.kill().unwrap(),
        }
        let so_far = edge.recorded().len();
        wait_for_records(&edge, so_far + 3);
        edge.kill();
        recorded.extend(edge.recorded());
        match round {
            0 | 2 => broker.thaw().unwrap(),
            _ => broker.restart().unwrap(),
        }
    }
    let mut edge = site.run();
    listener.wait_for_all(&recorded);
    edge.terminate();
    recorded.extend(edge.recorded());
    listener.wait_for_all(&recorded);
    let heard = listener.heard();
    heard.assert_whole();
    let last = edge.recorded()[0].boot.clone();
    let first_boots = heard.events.iter().filter(|event| event.boot.to_string() != last);
    let open_before: Vec<String> = first_boots
        .filter_map(|event| event.data.happening.alarm())
        .map(|alarm| alarm.id.to_string())
        .filter(|alarm| heard.open_alarms().contains(alarm))
        .collect();
    assert!(open_before.is_empty(), "alarms open at a kill never ended: {open_before:?}");
}

#[test]
fn a_login_that_is_rejected_can_be_corrected_while_it_runs() {
    let _turn = turn();
    let camera = pedestrians();
    let users = [(EDGE, "right-secret"), ("listener", "ears")].map(|(u, p)| (u.to_owned(), p.to_owned()));
    let broker = Mosquitto::start(&Options { users: users.into(), ..Options::default() }).unwrap();
    let listener = Listener::start_as(broker.port(), Some(("listener", "ears")));
    let mut site = busy_site(broker.port(), &camera.url());
    site.password = Some("wrong-secret".into());
    let mut edge = site.run();
    let said = edge.wait_for("rejects the login").message().to_owned();
    for needed in
        [format!("127.0.0.1:{}", broker.port()), format!("{EDGE:?}"), "`uplink.password_file`".into()]
    {
        assert!(said.contains(&needed), "{said} must name {needed}");
    }
    let recorded = wait_for_records(&edge, 5);
    // Several attempts are over by now.
    assert_eq!(edge.lines_with("rejects the login").len(), 1, "said once:\n{}", edge.log());
    // A file that is gone for a moment is no reason to give up either.
    fs::remove_file(site.path("uplink.password")).unwrap();
    let said = edge.wait_for("the password cannot be read").message().to_owned();
    assert!(said.contains("`uplink.password_file`") && said.contains("uplink.password"), "{said}");
    site.write("uplink.password", "right-secret\n");
    listener.wait_for_all(&recorded);
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    assert!(!edge.log().contains("-secret"), "the password must never be in the log:\n{}", edge.log());
}

#[test]
fn events_wait_until_somebody_listens() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = broker();
    let site = busy_site(broker.port(), &camera.url());
    let mut edge = site.run();
    edge.wait_for("no hub listens there yet");
    let before = wait_for_records(&edge, 5);
    // A broker that passes nothing on would forget what it takes now.
    thread::sleep(Duration::from_secs(6));
    let listener = Listener::start(broker.port());
    listener.wait_for_all(&before);
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();
    let said = edge.lines_with("no hub listens there yet").len();
    assert_eq!(said, 1, "said once:\n{}", edge.log());
}

/// Told to the client at the start of a session, as MQTT 5 can.
#[test]
fn a_broker_that_announces_a_limit_too_small_for_pictures_gets_the_events() {
    assert_events_without_pictures(Options {
        extra: vec!["max_packet_size 20000".into()],
        ..Options::default()
    });
}

/// Not told: the broker refuses each picture that is too large.
#[test]
fn a_broker_with_a_silent_limit_too_small_for_pictures_gets_the_events() {
    assert_events_without_pictures(Options { message_size_limit: Some(20_000), ..Options::default() });
}

fn assert_events_without_pictures(options: Options) {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&options).unwrap();
    let listener = Listener::start(broker.port());
    let site = busy_site(broker.port(), &camera.url());
    let mut edge = site.run();
    let recorded = wait_for_records(&edge, 6);
    listener.wait_for_all(&recorded);
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    let heard = listener.heard();
    heard.assert_whole();
    assert!(heard.pictures.is_empty(), "{} pictures", heard.pictures.len());
    assert!(heard.events.iter().any(|event| !event.data.evidence.is_empty()), "no event named a picture");
    let told = edge.log().contains("without its picture");
    assert!(told, "that a picture is dropped must be told; the broker's log:\n{}", broker.log());
    // Those of the last moment may not have been tried any more.
    let left = fs::read_dir(site.data_dir.join("evidence")).unwrap().count();
    assert!(left <= 3, "{left} pictures that nobody will ever take are kept");
}
