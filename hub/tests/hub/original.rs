//! Released originals: taken only from a box that was ordered to release them, only encrypted, and gone at their end, even if
//! the hub was off at that moment.

use std::path::{Path, PathBuf};

use gatepost_testbed::http::{self, wait_until};
use gatepost_wire::event::Phase;
use gatepost_wire::{CommandId, Timestamp};
use jiff::ToSpan as _;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};

use crate::api::raw;
use crate::command::ask;
use crate::edge::Edge;
use crate::message::{
    alarm, boot, encrypted, evidence_topic, intrusion_of, picture, with_original_kept, with_released,
};
use crate::process::{Home, Hub, PATIENCE};

fn files(home: &Home, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for shelf in std::fs::read_dir(home.data().join("evidence")).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension() == Some(Path::new(extension).as_os_str()) {
                found.push(path);
            }
        }
    }
    found
}

/// The original, as its alert tells of it.
fn original(hub: &Hub) -> Value {
    let alert = &hub.get("/api/v1/alerts")["alerts"][0];
    let evidence = alert["evidence"].as_array().unwrap();
    evidence.iter().find(|piece| piece["role"] == "original").cloned().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_is_here_until_its_end_and_then_gone_with_a_note() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, alarm) = (boot(), alarm());
    let covered =
        with_original_kept(intrusion_of("gate-1", boot, 1, alarm, Phase::Began), &picture("covered"));
    assert!(edge.send(&covered).await.unwrap());
    assert_eq!(hub.get("/api/v1/alerts")["alerts"][0]["evidence"][0]["original_kept"], true);
    // Long enough for what follows on a slow machine; the restart below waits it out.
    let command = ask(&home, &hub, &covered, "20 s");
    let until: Timestamp =
        serde_json::from_value(hub.get(&format!("/api/v1/commands/{command}"))["order"]["until"].clone())
            .unwrap();

    let bytes = encrypted("someone");
    // A box that claims a later end does not get it.
    let later = until.checked_add(1.hour()).unwrap();
    let id: CommandId = command.parse().unwrap();
    let released = with_released(intrusion_of("gate-1", boot, 2, alarm, Phase::Updated), &bytes, id, later);
    assert!(edge.send(&released).await.unwrap());
    let stored = edge.publish(&evidence_topic(&released), bytes.clone(), false).await.unwrap();
    assert!(matches!(stored, PubAckReason::Success | PubAckReason::NoMatchingSubscribers), "{stored:?}");
    let told = original(&hub);
    assert_eq!((&told["state"], &told["command"]), (&json!("here"), &json!(command)));
    assert_eq!(told["media_type"], "image/jpeg", "what is inside");
    assert_eq!(told["until"], json!(until));
    let path = told["url"].as_str().unwrap().to_owned();
    hub.look_at(&released);
    let head = raw(&hub, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    for header in ["200 OK", "application/vnd.age", "no-store", "attachment"] {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    assert_eq!(files(&home, "age").len(), 1);
    let snapshot = edge.publish(&evidence_topic(&covered), picture("covered"), false).await.unwrap();
    assert!(matches!(snapshot, PubAckReason::Success | PubAckReason::NoMatchingSubscribers));

    // The hub is off when the end comes.
    drop(hub);
    wait_until("the end", PATIENCE * 3, || (Timestamp::now() > until).then_some(())).unwrap();
    assert_eq!(files(&home, "age").len(), 1);
    let hub = home.start();
    wait_until("the deletion", PATIENCE, || (original(&hub)["state"] == "deleted").then_some(())).unwrap();
    assert_eq!(files(&home, "age"), Vec::<PathBuf>::new());
    assert_eq!(http::get(&hub.url(&path)).unwrap().status, 404);
    let deletions = hub.get(&format!("/api/v1/deletions?event={}", released.id));
    let note = &deletions["deletions"][0];
    assert_eq!((&note["cause"], &note["command"]), (&json!("released_until"), &json!(command)));
    assert_eq!(deletions["deletions"].as_array().unwrap().len(), 1);
    assert_eq!(files(&home, "jpg").len(), 1, "the covered picture stays");

    // The box sends it once more, because it never heard that it had arrived.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let again = edge.publish(&evidence_topic(&released), bytes, false).await.unwrap();
    assert!(matches!(again, PubAckReason::Success | PubAckReason::NoMatchingSubscribers), "{again:?}");
    assert_eq!(files(&home, "age"), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_nobody_asked_for_or_in_the_clear_is_refused() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, alarm) = (boot(), alarm());
    let covered =
        with_original_kept(intrusion_of("gate-1", boot, 1, alarm, Phase::Began), &picture("covered"));
    assert!(edge.send(&covered).await.unwrap());
    let command = ask(&home, &hub, &covered, "2 h").parse().unwrap();
    let until = Timestamp::now().checked_add(1.hour()).unwrap();
    let invented = CommandId::from_ulid(ulid::Ulid::generate());
    let event = |seq| intrusion_of("gate-1", boot, seq, alarm, Phase::Updated);
    let mut in_the_clear = with_released(event(3), &picture("uncovered"), command, until);
    in_the_clear.data.evidence[0].media_type = "image/jpeg".into();
    let mut unexplained = with_released(event(4), &encrypted("c"), command, until);
    unexplained.data.evidence[0].original = None;
    for (event, bytes, reason) in [
        (with_released(event(2), &encrypted("b"), invented, until), encrypted("b"), "this hub did not give"),
        (in_the_clear, picture("uncovered"), "only encrypted"),
        (unexplained, encrypted("c"), "does not say which command"),
    ] {
        assert!(edge.send(&event).await.unwrap(), "{reason}");
        let answer = edge.publish(&evidence_topic(&event), bytes, false).await.unwrap();
        assert_eq!(answer, PubAckReason::PayloadFormatInvalid, "{reason}");
        hub.wait_for_log(&["message refused", reason]);
    }
    assert_eq!((files(&home, "age"), files(&home, "jpg")), (Vec::new(), Vec::new()));
}
