//! A backup is taken of a hub that works, and another hub goes on from it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gatepost_testbed::http;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, intrusion, intrusion_of, picture, with_evidence};
use crate::process::{Home, PATIENCE, command};

fn restore(from: &Path, to: &Path) -> std::process::Output {
    command(&["restore", &from.display().to_string(), "--to", &to.display().to_string()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_goes_on_from_a_backup_that_was_taken_under_load() {
    let home = Home::embedded().with_store("");
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let first = with_evidence(intrusion(boot(), 1), &picture("first"));
    assert!(edge.send(&first).await.unwrap());
    edge.publish(&evidence_topic(&first), picture("first"), false).await.unwrap();
    let id = http::wait_until("an incident", PATIENCE, || {
        hub.get("/api/v1/incidents")["incidents"][0]["id"].as_str().map(str::to_owned)
    })
    .unwrap();
    let steps = hub.url(&format!("/api/v1/incidents/{id}/steps"));
    let note = http::post_json(&steps, &json!({ "version": 1, "action": "note", "text": "seen" })).unwrap();
    assert_eq!(note.status, 200, "{}", note.text());

    let attachments = format!("/api/v1/incidents/{id}/attachments");
    let bill = b"%PDF-1.4 the bill %%EOF";
    let named = hub.url(&format!("{attachments}?name=bill.pdf"));
    assert_eq!(
        http::send_bytes("POST", &named, Some(&hub.cookie), "application/pdf", bill).unwrap().status,
        201
    );

    // Events and pictures come all the while.
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let load = tokio::spawn(async move {
        let boot = boot();
        for seq in 1.. {
            let shot = picture(&format!("picture {seq}"));
            let event = with_evidence(intrusion_of("gate-1", boot, seq, alarm(), Phase::Began), &shot);
            assert!(edge.send(&event).await.unwrap());
            edge.publish(&evidence_topic(&event), shot, false).await.unwrap();
            if stopped.try_recv().is_ok() {
                break;
            }
        }
    });
    http::wait_until("load", PATIENCE, || (hub.event_ids().len() > 10).then_some(())).unwrap();
    let before = hub.event_ids();
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("backup");
    home.call(&["backup", &backup.display().to_string()]);
    http::wait_until("events after it", PATIENCE, || (hub.event_ids().len() > before.len()).then_some(()))
        .unwrap();
    stop.send(()).unwrap();
    load.await.unwrap();
    let key = home.hub_key();
    drop(hub);

    let data = dir.path().join("data");
    let restored = restore(&backup, &data);
    assert!(restored.status.success(), "{restored:?}");
    let again = restore(&backup, &data);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("not empty"), "{said}");
    assert_eq!(
        std::fs::metadata(data.join("keys/authority.key")).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // Another machine: only the configuration is the same.
    let home = home.with_data(data);
    assert_eq!(home.hub_key(), key, "boxes obey it as they did");
    let hub = home.start();
    let now = hub.event_ids();
    for event in &before {
        assert!(now.contains(event), "{event} is not in the backup");
    }
    let alerts = hub.get("/api/v1/alerts?limit=200");
    let alerts = alerts["alerts"].as_array().unwrap();
    for alert in alerts {
        let wanted = json!({ "alarm": alert["id"], "reason": "check_alarm", "text": "a test" });
        assert_eq!(http::post_json(&hub.url("/api/v1/viewings"), &wanted).unwrap().status, 201);
    }
    let shown: Vec<&str> = alerts.iter().filter_map(|alert| alert["snapshot"].as_str()).collect();
    assert!(shown.len() + 1 >= alerts.len(), "the last picture may have been on its way: {alerts:?}");
    for path in &shown {
        assert_eq!(http::get(&hub.url(path)).unwrap().status, 200, "{path}");
    }
    assert!(shown.iter().any(|path| path.contains(&first.id.to_string())));
    let incident: Value = hub.get(&format!("/api/v1/incidents/{id}"));
    assert!(incident["version"].as_i64().unwrap() >= 2, "{incident}");
    let attached = http::get(&hub.url(&format!("{attachments}/1"))).unwrap();
    assert_eq!((attached.status, attached.body.as_slice()), (200, &bill[..]));
    let export = dir.path().join("timeline.jsonl");
    std::fs::write(&export, home.call(&["timeline", "export"]) + "\n").unwrap();
    let verified = command(&["timeline", "verify", &export.display().to_string()]);
    assert!(verified.status.success(), "{verified:?}");
    // Boxes come in by what they had, and what they send again is stored.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&intrusion(boot(), 1)).await.unwrap());
}
