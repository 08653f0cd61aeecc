//! A backup is taken of a hub that works, and another hub goes on from it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use gatepost_testbed::http;
use gatepost_testbed::postgres::{self, Postgres};
use gatepost_wire::command::VerifyingKey;
use gatepost_wire::event::Phase;
use gatepost_wire::{Event, EventId};
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, intrusion, intrusion_of, picture, with_evidence};
use crate::process::{Home, PATIENCE, PROGRAM, command};

fn restore(from: &Path, to: &Path) -> std::process::Output {
    command(&["restore", &from.display().to_string(), "--to", &to.display().to_string()])
}

/// What a hub had when a backup of it was taken.
struct Taken {
    token: String,
    key: VerifyingKey,
    /// An alarm with a picture, and its incident, which has a note and an attachment.
    first: Event,
    incident: String,
    events: Vec<EventId>,
}

const BILL: &[u8] = b"%PDF-1.4 the bill %%EOF";

fn attachments_of(incident: &str) -> String {
    format!("/api/v1/incidents/{incident}/attachments")
}

/// Starts a hub and takes a backup of it while events and pictures come; then it ends.
async fn taken_under_load(home: &Home, take: impl FnOnce()) -> Taken {
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let first = with_evidence(intrusion(boot(), 1), &picture("first"));
    assert!(edge.send(&first).await.unwrap());
    edge.publish(&evidence_topic(&first), picture("first"), false).await.unwrap();
    let incident = http::wait_until("an incident", PATIENCE, || {
        hub.get("/api/v1/incidents")["incidents"][0]["id"].as_str().map(str::to_owned)
    })
    .unwrap();
    let steps = hub.url(&format!("/api/v1/incidents/{incident}/steps"));
    let note = http::post_json(&steps, &json!({ "version": 1, "action": "note", "text": "seen" })).unwrap();
    assert_eq!(note.status, 200, "{}", note.text());
    let named = hub.url(&format!("{}?name=bill.pdf", attachments_of(&incident)));
    let attached = http::send_bytes("POST", &named, Some(&hub.cookie), "application/pdf", BILL).unwrap();
    assert_eq!(attached.status, 201);

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
    let events = hub.event_ids();
    take();
    http::wait_until("events after it", PATIENCE, || (hub.event_ids().len() > events.len()).then_some(()))
        .unwrap();
    stop.send(()).unwrap();
    load.await.unwrap();
    Taken { token, key: home.hub_key(), first, incident, events }
}

/// Starts a hub on what was put back, on another machine: only the configuration is the same.
async fn goes_on(home: &Home, taken: &Taken) {
    assert_eq!(home.hub_key(), taken.key, "boxes obey it as they did");
    let hub = home.start();
    let now = hub.event_ids();
    for event in &taken.events {
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
    assert!(shown.iter().any(|path| path.contains(&taken.first.id.to_string())));
    let incident: Value = hub.get(&format!("/api/v1/incidents/{}", taken.incident));
    assert!(incident["version"].as_i64().unwrap() >= 2, "{incident}");
    let attached = http::get(&hub.url(&format!("{}/1", attachments_of(&taken.incident)))).unwrap();
    assert_eq!((attached.status, attached.body.as_slice()), (200, BILL));
    let dir = tempfile::tempdir().unwrap();
    let export = dir.path().join("timeline.jsonl");
    std::fs::write(&export, home.call(&["timeline", "export"]) + "\n").unwrap();
    let verified = command(&["timeline", "verify", &export.display().to_string()]);
    assert!(verified.status.success(), "{verified:?}");
    // Boxes come in by what they had, and what they send again is stored.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &taken.token).await.unwrap();
    assert!(edge.send(&intrusion(boot(), 1)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_goes_on_from_a_backup_that_was_taken_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("backup");
    let home = Home::embedded().with_store("");
    let taken = taken_under_load(&home, || {
        home.call(&["backup", &backup.display().to_string()]);
    })
    .await;

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
    goes_on(&home.with_data(data), &taken).await;
}

/// The blocks of commands of a part of the manual.
fn recipes(part: &str) -> Vec<String> {
    let manual = std::fs::read_to_string("../docs/BACKUP.md").unwrap();
    let (_, part) = manual.split_once(&format!("\n## {part}\n")).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let blocks = part.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Does what the manual says, as somebody does whose hub keeps its data elsewhere.
fn follow(recipe: &str, at: &Path, home: &Home, server: &Postgres, url: &str) {
    let recipe = recipe
        .replace("/var/lib/gatepost-hub", &home.data().display().to_string())
        .replace("/etc/gatepost/hub.toml", &home.config())
        .replace("sudo -u gatepost-hub gatepost-hub", PROGRAM);
    let done = Command::new("sh")
        .args(["-euc", &recipe])
        .current_dir(at)
        .env("DATABASE_URL", url)
        .env("PGHOST", server.socket())
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", postgres::USER)
        .output()
        .unwrap();
    assert!(done.status.success(), "{recipe}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_goes_on_from_a_dump_as_the_manual_says() {
    let [take, put_back] = &recipes("With PostgreSQL")[..] else { panic!("two recipes") };
    let server = Postgres::start().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let on = |url: &str| format!("[store]\nurl = {url:?}\n");
    let url = server.new_database().unwrap();
    let home = Home::embedded().with_store(&on(&url));
    let taken = taken_under_load(&home, || follow(take, dir.path(), &home, &server, &url)).await;

    let url = server.url("gatepost");
    let home = home.with_data(dir.path().join("data")).with_store(&on(&url));
    std::fs::create_dir(home.data()).unwrap();
    follow(put_back, dir.path(), &home, &server, &url);
    goes_on(&home, &taken).await;
}
