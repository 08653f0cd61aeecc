//! Server-sent events: what happens is told at once, and what was missed after a break.

use std::time::Instant;

use gatepost_testbed::http::{EventStream, SentEvent};
use gatepost_wire::Event;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::edge::Edge;
use crate::message::{boot, evidence_topic, health, intrusion, picture, with_evidence};
use crate::process::{Home, Hub, PATIENCE};

/// The next event of this name, and its data.
fn next(stream: &EventStream, name: &str) -> (SentEvent, Value) {
    loop {
        let event = stream.next(PATIENCE).unwrap();
        if event.event == name {
            let data = serde_json::from_str(&event.data).unwrap();
            return (event, data);
        }
    }
}

/// How far this event says its stream is: in what people wait for, in what boxes report.
fn place(event: &SentEvent) -> (i64, i64) {
    let (people, devices) = event.id.as_ref().unwrap().split_once('-').unwrap();
    (people.parse().unwrap(), devices.parse().unwrap())
}

fn alarm_id(event: &Event) -> Value {
    json!(event.data.happening.alarm().unwrap().id)
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_and_devices_are_told_as_they_change() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    edge.publish("gp/v1/gate-1/health", health("gate-1", boot, 0), true).await.unwrap();
    let (_, device) = next(&stream, "device");
    assert_eq!((&device["edge"], &device["health"]["version"]), (&json!("gate-1"), &json!("0.1.0")));

    let picture = picture("x");
    let event = with_evidence(intrusion(boot, 1), &picture);
    assert!(edge.send(&event).await.unwrap());
    let (_, alert) = next(&stream, "alert");
    assert_eq!((&alert["id"], &alert["snapshot"]), (&alarm_id(&event), &json!(null)));
    assert_eq!(alert, hub.get("/api/v1/alerts")["alerts"][0]);
    edge.publish(&evidence_topic(&event), picture, false).await.unwrap();
    let (_, alert) = next(&stream, "alert");
    assert_eq!(alert["snapshot"], json!(format!("/api/v1/events/{}/snapshot", event.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_told_after_a_break_and_a_restart() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let mut hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let first = intrusion(boot, 1);
    assert!(edge.send(&first).await.unwrap());
    let (seen, _) = next(&stream, "alert");
    drop(stream);

    let missed = intrusion(boot, 2);
    assert!(edge.send(&missed).await.unwrap());
    hub.daemon.kill().unwrap();
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let last_seen = seen.id.unwrap();
    let stream = EventStream::open_after(&hub.url("/api/v1/live"), Some(&last_seen)).unwrap();
    let (_, alert) = next(&stream, "alert");
    assert_eq!(alert["id"], alarm_id(&missed));
    let after = intrusion(boot, 3);
    assert!(edge.send(&after).await.unwrap());
    let (_, alert) = next(&stream, "alert");
    assert_eq!(alert["id"], alarm_id(&after));

    let of_another_database = EventStream::open_after(&hub.url("/api/v1/live"), Some("999999-0")).unwrap();
    let (event, _) = next(&of_another_database, "reset");
    assert!(event.id.is_some());
    assert!(EventStream::open_after(&hub.url("/api/v1/live"), Some("x")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_missed_too_much_starts_over() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    for seq in 1..=501 {
        assert!(edge.send(&intrusion(boot, seq)).await.unwrap());
    }
    let stream = EventStream::open_after(&hub.url("/api/v1/live"), Some("0-0")).unwrap();
    let (event, data) = next(&stream, "reset");
    assert_eq!(data, json!(null));
    let last = intrusion(boot, 502);
    assert!(edge.send(&last).await.unwrap());
    // The newest of those before may still be on their way.
    let after = loop {
        let (after, alert) = next(&stream, "alert");
        if alert["id"] == alarm_id(&last) {
            break after;
        }
    };
    let (after, before) = (place(&after), place(&event));
    assert!(after.0 > before.0 && after.1 >= before.1, "{after:?} {before:?}");
}

/// A page's stream without a thread of its own.
struct Page {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Page {
    async fn open(hub: &Hub) -> Self {
        let address = hub.web.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET /api/v1/live HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\n\r\n", hub.cookie);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = Self { stream, heard: Vec::new() };
        page.hear("\r\n\r\n").await;
        assert!(page.heard.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&page.heard));
        page
    }

    /// Waits until it has been told of this.
    async fn hear(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.heard.windows(text.len()).any(|part| part == text.as_bytes()) {
            let more = tokio::time::timeout_at(until.into(), self.stream.read_buf(&mut self.heard)).await;
            assert!(more.expect(text).unwrap() > 0, "a page's stream ended");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_pages_all_hear_of_every_alarm() {
    gatepost_hub::limits::raise_open_files();
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut pages = Vec::new();
    for _ in 0..2000 {
        pages.push(Page::open(&hub).await);
    }
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let events = [1, 2, 3].map(|seq| intrusion(boot, seq));
    for event in &events {
        assert!(edge.send(event).await.unwrap());
    }
    for page in &mut pages {
        for event in &events {
            page.hear(alarm_id(event).as_str().unwrap()).await;
        }
    }
    assert_eq!(hub.get("/api/v1/alerts")["alerts"].as_array().unwrap().len(), 3);
}
