//! A hub's SQLite file is taken along to a PostgreSQL server, and the hub goes on there as if nothing had been.

use gatepost_testbed::http;
use gatepost_testbed::postgres::Postgres;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _};

use crate::edge::Edge;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE, command};

fn transfer(home: &Home, file: &str) -> std::process::Output {
    command(&["transfer", "--from", file, "--config", &home.config()])
}

/// All that the hub shows of itself.
fn shown(hub: &Hub) -> Vec<(&'static str, Value)> {
    [
        "/api/v1/alerts",
        "/api/v1/events",
        "/api/v1/incidents",
        "/api/v1/people",
        "/api/v1/sites",
        "/api/v1/viewings",
        "/api/v1/disposals",
        "/api/v1/devices?limit=10",
    ]
    .map(|path| (path, hub.get(path)))
    .into()
}

/// The hub's incidents, once there are `count` that hold `alarms` together: an incident grows behind what is stored.
fn wait_for_incidents(hub: &Hub, count: usize, alarms: u64) -> Vec<Value> {
    http::wait_until("incidents", PATIENCE, || {
        let page = hub.get("/api/v1/incidents");
        let incidents = page["incidents"].as_array().unwrap().clone();
        let grouped: u64 = incidents.iter().map(|incident| incident["alarms"].as_u64().unwrap()).sum();
        (incidents.len() == count && grouped == alarms).then_some(incidents)
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_moves_to_a_server_with_all_it_knows() {
    let home = Home::embedded().with_store("");
    let token = home.add("gate-1");
    let mut hub = home.start();
    let boot = boot();
    {
        let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
        for seq in 1..=600 {
            assert!(edge.send(&intrusion_of("gate-1", boot, seq, alarm(), Phase::Began)).await.unwrap());
        }
    }
    let [incident] = &wait_for_incidents(&hub, 1, 600)[..] else { panic!("one place, one incident") };
    let id = incident["id"].as_str().unwrap();
    let step = |hub: &Hub, mut step: Value| {
        step["version"] = hub.get(&format!("/api/v1/incidents/{id}"))["version"].clone();
        let answer = http::post_json(&hub.url(&format!("/api/v1/incidents/{id}/steps")), &step).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    step(&hub, json!({ "action": "note", "text": "看过了 <b>" }));
    step(&hub, json!({ "action": "triage", "outcome": "false_alarm", "reason": "animal" }));
    let site = json!({ "label": "实验小学", "edges": ["gate-1"] });
    let put = http::send("PUT", &hub.url("/api/v1/sites/school-1"), Some(&hub.cookie), Some(&site)).unwrap();
    assert_eq!(put.status, 200);
    home.account(&hub, "wang", &["--role", "operator", "--site", "school-1"]);
    let before = shown(&hub);
    let file = home.data().join("hub.sqlite").display().to_string();
    let exported = home.call(&["timeline", "export"]);
    assert!(hub.daemon.terminate(PATIENCE).unwrap().success());

    let server = Postgres::shared().unwrap();
    let home = home.with_store(&format!("[store]\nurl = {:?}\n", server.new_database().unwrap()));
    let moved = transfer(&home, &file);
    assert!(moved.status.success(), "{moved:?}");
    let again = transfer(&home, &file);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("nobody has used"), "{said}");

    // The same account: its hash, its session, its second factor came along.
    let hub = home.start();
    for ((path, before), (_, now)) in before.iter().zip(shown(&hub)) {
        assert_eq!(*before, now, "{path}");
    }
    assert_eq!(home.call(&["timeline", "export"]), exported);
    // What was stored is known again, and counting goes on.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let mut later = intrusion_of("gate-1", boot, 601, alarm(), Phase::Began);
    assert!(edge.send(&later).await.unwrap());
    let incidents = wait_for_incidents(&hub, 2, 601);
    assert_eq!(incidents[0]["number"].as_i64().unwrap(), incident["number"].as_i64().unwrap() + 1);
    later.seq = gatepost_wire::Seq(602);
    assert!(edge.send(&later).await.unwrap(), "a duplicate by its id");
    assert_eq!(hub.event_ids().iter().filter(|id| **id == later.id).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_version_is_not_taken() {
    let home = Home::embedded().with_store("");
    drop(home.start_unknown());
    let file = home.data().join("hub.sqlite").display().to_string();
    sqlx::any::install_default_drivers();
    let mut older = AnyConnection::connect(&format!("sqlite://{file}")).await.unwrap();
    let last = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    sqlx::query(last).execute(&mut older).await.unwrap();
    older.close().await.unwrap();
    let url = Postgres::shared().unwrap().new_database().unwrap();
    let refused = transfer(&home.with_store(&format!("[store]\nurl = {url:?}\n")), &file);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("another version"), "{said}");
}
