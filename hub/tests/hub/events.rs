//! Events through the embedded broker: stored once, gaps seen and filled, alarms told whole.

use gatepost_testbed::http::{self, wait_until};
use gatepost_wire::Event;
use gatepost_wire::event::Phase;
use serde_json::json;

use crate::client::enrolled;
use crate::edge::Edge;
use crate::message::{alarm, boot, health, intrusion, intrusion_of, presence};
use crate::process::{Home, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_an_alert_once_acknowledged() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    edge.publish("gp/v1/gate-1/health", health("gate-1", boot, 1), true).await.unwrap();
    let event = intrusion(boot, 1);
    assert!(edge.send(&event).await.unwrap());

    // No waiting: the acknowledgement means that it is stored.
    let alerts = hub.get("/api/v1/alerts");
    let alert = &alerts["alerts"][0];
    assert_eq!(alert["first_event"], json!(event.id));
    assert_eq!(alert["began"], json!(event.time));
    for (key, value) in [
        ("edge", "gate-1"),
        ("kind", "zone_intrusion"),
        ("camera", "east-gate"),
        ("camera_label", "东门"),
        ("zone", "lawn"),
        ("zone_label", "草坪"),
        ("rule", "lawn-closed"),
        ("object", "person"),
        ("phase", "began"),
    ] {
        assert_eq!(alert[key], value, "{key}");
    }
    assert_eq!((&alert["severity"], &alert["events"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&alert["ended"], &alert["snapshot"], &alerts["next"]),
        (&json!(null), &json!(null), &json!(null))
    );

    let stored = hub.get(&format!("/api/v1/events/{}", event.id));
    let sent: serde_json::Value = serde_json::from_slice(&event.to_json().unwrap()).unwrap();
    assert_eq!(stored["envelope"], sent, "the event is kept whole");
    assert_eq!((&stored["seq"], &stored["sequence_conflict"]), (&json!(1), &json!(false)));
    assert_eq!(hub.device("gate-1").unwrap()["missing"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_acknowledged_and_stored_once() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let mut hub = home.start();
    let event = intrusion(boot(), 1);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&event).await.unwrap());
    assert!(edge.send(&event).await.unwrap());
    drop(edge);
    hub.daemon.kill().unwrap();
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&event).await.unwrap());
    assert_eq!(hub.event_ids(), [event.id]);
    assert_eq!(hub.get("/api/v1/alerts")["alerts"][0]["events"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_exact_and_close_when_the_late_event_comes() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let events: Vec<_> = (1..=6).map(|seq| intrusion(boot, seq)).collect();
    let missing = || hub.device("gate-1").unwrap()["missing"].clone();
    let gap = |first: u64, last: u64| json!({ "boot": boot, "first": first, "last": last });

    for i in [1, 4] {
        assert!(edge.send(&events[i]).await.unwrap());
    }
    assert_eq!(missing(), json!([gap(1, 1), gap(3, 4)]));
    edge.publish("gp/v1/gate-1/health", health("gate-1", boot, 6), true).await.unwrap();
    assert_eq!(missing(), json!([gap(1, 1), gap(3, 4), gap(6, 6)]), "announced but not here");
    for i in [3, 0, 5] {
        assert!(edge.send(&events[i]).await.unwrap());
    }
    assert_eq!(missing(), json!([gap(3, 3)]));
    assert!(edge.send(&events[2]).await.unwrap());
    assert_eq!(missing(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_used_twice_is_kept_and_flagged() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let (one, other) = (intrusion(boot, 1), intrusion(boot, 1));
    assert!(edge.send(&one).await.unwrap());
    assert!(edge.send(&other).await.unwrap());
    assert_eq!(hub.event_ids(), [one.id, other.id]);
    assert_eq!(hub.get(&format!("/api/v1/events/{}", one.id))["sequence_conflict"], false);
    assert_eq!(hub.get(&format!("/api/v1/events/{}", other.id))["sequence_conflict"], true);
    hub.wait_for_log(&["another event already has this sequence number", &other.id.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_with_another_disk_counts_from_one_again_and_nothing_is_lost() {
    let home = Home::for_boxes("");
    let hub = home.start();
    let gate = enrolled(&home, &hub, "gate-1").await;
    let before = boot();
    let mut events: Vec<Event> = (1..=3).map(|seq| intrusion(before, seq)).collect();
    let mut edge = Edge::with(gate.options(hub.tls_port())).await.unwrap();
    for event in &events {
        assert!(edge.send(event).await.unwrap());
    }
    drop(edge);

    // With the disk went its key and where it was with counting. One that was copied from another even says that it is the same start.
    let gate = enrolled(&home, &hub, "gate-1").await;
    let mut edge = Edge::with(gate.options(hub.tls_port())).await.unwrap();
    let after = boot();
    events.extend((1..=3).map(|seq| intrusion(after, seq)));
    events.extend((2..=4).map(|seq| intrusion(before, seq)));
    for event in &events[3..] {
        assert!(edge.send(event).await.unwrap());
    }
    assert_eq!(hub.event_ids(), events.iter().map(|event| event.id).collect::<Vec<_>>());
    let conflicts = events.iter().map(|event| {
        let stored = hub.get(&format!("/api/v1/events/{}", event.id));
        stored["sequence_conflict"].as_bool().unwrap()
    });
    let expected = [false, false, false, false, false, false, true, true, false];
    assert_eq!(conflicts.collect::<Vec<_>>(), expected);
    assert_eq!(hub.device("gate-1").unwrap()["missing"], json!([]));
    wait_until("all alarms in an incident", PATIENCE, || {
        (hub.get("/api/v1/incidents")["incidents"][0]["alarms"] == 9).then_some(())
    })
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_whole_whatever_the_order() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, alarm) = (boot(), alarm());
    let began = intrusion_of("gate-1", boot, 1, alarm, Phase::Began);
    let updated = intrusion_of("gate-1", boot, 2, alarm, Phase::Updated);
    let ended = intrusion_of("gate-1", boot, 3, alarm, Phase::Ended);
    for event in [&ended, &updated, &began, &updated] {
        assert!(edge.send(event).await.unwrap());
    }
    let alerts = hub.get("/api/v1/alerts");
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    let alert = &alerts["alerts"][0];
    assert_eq!((&alert["phase"], &alert["events"]), (&json!("ended"), &json!(3)));
    assert_eq!((&alert["began"], &alert["ended"]), (&json!(began.time), &json!(ended.time)));
    assert_eq!(alert["first_event"], json!(began.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_without_holes() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let mut sent = Vec::new();
    for seq in 1..=7 {
        let event = intrusion(boot, seq);
        assert!(edge.send(&event).await.unwrap());
        sent.push(json!(event.id));
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/alerts?limit=3&edge=gate-1&camera=east-gate".to_owned();
    loop {
        let page = hub.get(&path);
        seen.extend(page["alerts"].as_array().unwrap().iter().map(|alert| alert["first_event"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/alerts?limit=3&edge=gate-1&camera=east-gate&before={next}");
    }
    seen.reverse();
    assert_eq!(seen, sent);
    assert_eq!(hub.get("/api/v1/alerts?edge=gate-2")["alerts"], json!([]));
    let of_boot = hub.get(&format!("/api/v1/events?edge=gate-1&boot={boot}&limit=2"));
    assert_eq!(of_boot["events"].as_array().unwrap().len(), 2);
    let answer = http::get(&hub.url(&format!("/api/v1/events?boot={boot}"))).unwrap();
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_follows_the_connection() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let mut hub = home.start();
    let boot = boot();
    let topic = "gp/v1/gate-1/presence";
    let will = presence("gate-1", boot, "offline");
    let mut edge = Edge::with_will(hub.broker_port(), "gate-1", &token, topic, &will).await;
    edge.publish(topic, presence("gate-1", boot, "online"), true).await.unwrap();
    let state = |hub: &crate::process::Hub| hub.device("gate-1").unwrap()["presence"].clone();
    assert_eq!(state(&hub), "online");

    hub.daemon.kill().unwrap();
    drop(edge);
    let hub = home.start();
    assert_eq!(state(&hub), "unknown", "nobody is connected to a broker that has just started");

    let mut edge = Edge::with_will(hub.broker_port(), "gate-1", &token, topic, &will).await;
    edge.publish(topic, presence("gate-1", boot, "online"), true).await.unwrap();
    let seen_before = hub.device("gate-1").unwrap()["last_seen"].clone();
    assert!(edge.send(&intrusion(boot, 1)).await.unwrap());
    assert!(hub.device("gate-1").unwrap()["last_seen"].as_str() > seen_before.as_str());
    drop(edge);
    wait_until("the last will at the hub", PATIENCE, || (state(&hub) == "offline").then_some(())).unwrap();
}
