//! Pictures: kept only when their event names their hash, whichever comes first.

use std::path::Path;

use gatepost_testbed::http;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::json;

use crate::edge::Edge;
use crate::message::{boot, evidence_topic, intrusion, picture, with_evidence};
use crate::process::Home;

fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for shelf in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            names.push(file.unwrap().file_name().into_string().unwrap());
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_shown_with_its_alert() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    for (seq, picture_first) in [(1, false), (2, true)] {
        let picture = picture(&format!("picture {seq}"));
        let event = with_evidence(intrusion(boot, seq), &picture);
        if picture_first {
            edge.publish(&evidence_topic(&event), picture.clone(), false).await.unwrap();
            assert!(edge.send(&event).await.unwrap());
        } else {
            assert!(edge.send(&event).await.unwrap());
            assert_eq!(hub.get("/api/v1/alerts")["alerts"][0]["snapshot"], json!(null));
            edge.publish(&evidence_topic(&event), picture.clone(), false).await.unwrap();
        }
        let path = format!("/api/v1/events/{}/snapshot", event.id);
        assert_eq!(hub.get("/api/v1/alerts")["alerts"][0]["snapshot"], json!(path));
        hub.look_at(&event);
        let answer = http::get(&hub.url(&path)).unwrap();
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "image/jpeg"));
        assert_eq!(answer.body, picture);
    }
    assert_eq!(files(&home.data().join("evidence")).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_its_event_does_not_name_is_refused() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let event = with_evidence(intrusion(boot, 1), &picture("the right one"));
    assert!(edge.send(&event).await.unwrap());
    let reason = edge.publish(&evidence_topic(&event), picture("another"), false).await.unwrap();
    assert_eq!(reason, PubAckReason::PayloadFormatInvalid);
    hub.wait_for_log(&["message refused", "names no evidence with SHA-256", &event.id.to_string()]);

    // It comes before its event, so only the event's coming shows that it is wrong.
    let late = with_evidence(intrusion(boot, 2), &picture("the right one"));
    edge.publish(&evidence_topic(&late), picture("a third"), false).await.unwrap();
    assert_eq!(files(&home.data().join("evidence")).len(), 1, "it waits");
    assert!(edge.send(&late).await.unwrap());
    hub.wait_for_log(&["evidence refused", &late.id.to_string()]);

    for event in [&event, &late] {
        let answer = http::get(&hub.url(&format!("/api/v1/events/{}/snapshot", event.id))).unwrap();
        assert_eq!(answer.status, 404);
    }
    assert_eq!(files(&home.data().join("evidence")), Vec::<String>::new());
    assert_eq!(hub.device("gate-1").unwrap()["refused"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_refused() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let page = b"<html><script>alert(1)</script>".to_vec();
    let event = with_evidence(intrusion(boot(), 1), &page);
    assert!(edge.send(&event).await.unwrap());
    let reason = edge.publish(&evidence_topic(&event), page, false).await.unwrap();
    assert_eq!(reason, PubAckReason::PayloadFormatInvalid);
    hub.wait_for_log(&["message refused", "not a JPEG, MP4 or age file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_pictures_are_bounded() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let mut refused = 0;
    for seq in 1..=70 {
        let topic = evidence_topic(&intrusion(boot, seq));
        let reason = edge.publish(&topic, picture(&format!("{seq}")), false).await.unwrap();
        refused += u32::from(reason == PubAckReason::PayloadFormatInvalid);
    }
    assert_eq!(refused, 6);
    assert_eq!(files(&home.data().join("evidence")).len(), 64);
    assert_eq!(hub.device("gate-1").unwrap()["refused"], 6);
}
