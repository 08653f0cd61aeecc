//! What the hub tells programs of itself.

use std::collections::BTreeSet;
use std::fs;

use gatepost_testbed::footage::workspace_root;
use gatepost_testbed::http::{self, EventStream};
use gatepost_testbed::metrics::{documented, served, value};
use gatepost_wire::event::Phase;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::Value;

use crate::edge::Edge;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, PATIENCE};

fn home() -> Home {
    Home::with_broker("[broker]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_what_is_documented() {
    let home = home();
    let hub = home.start_unknown();
    let text = http::get(&format!("{}/metrics", hub.metrics())).unwrap().success().unwrap().text();
    let documented = documented().unwrap();
    let always = documented.iter().filter(|(_, may_be_missing)| !**may_be_missing).map(|(name, _)| name);
    let always: BTreeSet<String> = always.filter(|name| name.starts_with("gatepost_hub_")).cloned().collect();
    assert!(always.len() >= 10);
    assert_eq!(served(&text), always);
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_follow_what_happens() {
    let home = home();
    let token = home.add("gate-1");
    let hub = home.start();
    let _page = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let event = intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began);
    assert!(edge.send(&event).await.unwrap());
    assert!(edge.send(&event).await.unwrap(), "a duplicate is acknowledged");
    let refused = edge.publish("gp/v1/gate-1/event", b"garbage".to_vec(), false).await.unwrap();
    assert_ne!(refused, PubAckReason::Success);
    let metrics = format!("{}/metrics", hub.metrics());
    let figure = |text: &str, series: &str| {
        value(text, series).unwrap_or_else(|| panic!("{series} is not in\n{text}"))
    };
    let text = http::wait_until("the incident to be counted", PATIENCE, || {
        let answer = http::get(&metrics).unwrap();
        assert!(answer.content_type.starts_with("application/openmetrics-text"), "{}", answer.content_type);
        let text = answer.text();
        (figure(&text, "gatepost_hub_incidents_open{stage=\"reported\"}") == 1.0).then_some(text)
    })
    .unwrap();
    for (result, least) in [("stored", 1.0), ("duplicate", 1.0), ("refused", 1.0)] {
        let counted = figure(&text, &format!("gatepost_hub_records_total{{result=\"{result}\"}}"));
        assert!(counted >= least, "{result}: {counted}\n{text}");
    }
    assert!(figure(&text, "gatepost_hub_commit_duration_seconds_count") >= 3.0);
    assert_eq!(figure(&text, "gatepost_hub_live_pages"), 1.0);
    assert_eq!(figure(&text, "gatepost_hub_alarms_ungrouped"), 0.0);
    assert_eq!(figure(&text, "gatepost_hub_storage_up"), 1.0);
    assert!(figure(&text, "gatepost_hub_database_size_bytes") > 4096.0);
    assert_eq!(http::get(&format!("{}/health/live", hub.metrics())).unwrap().status, 200);
    assert_eq!(http::get(&format!("{}/health/ready", hub.metrics())).unwrap().status, 200);
    // Nothing else is there, least of all without being signed in.
    assert_eq!(http::get(&format!("{}/api/v1/alerts", hub.metrics())).unwrap().status, 404);
}

#[test]
fn other_machines_are_not_told() {
    let home =
        Home::with_broker("[broker]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"0.0.0.0:9464\"\n");
    let refused = crate::process::command(&["check", "--config", &home.config()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("metrics.listen"), "{said}");
}

#[test]
fn every_query_of_the_dashboard_names_figures_that_exist() {
    let dashboard: Value =
        serde_json::from_slice(&fs::read(workspace_root().join("docs/grafana/gatepost.json")).unwrap())
            .unwrap();
    let documented = documented().unwrap();
    let mut queried = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let names: Vec<&str> = words.filter(|word| word.starts_with("gatepost_")).collect();
            assert!(!names.is_empty(), "{query}");
            for name in names {
                let name = name.strip_suffix("_bucket").unwrap_or(name);
                assert!(documented.contains_key(name), "{query}: docs/METRICS.md does not list {name}");
                queried.insert(name.to_owned());
            }
        }
    }
    assert!(queried.len() * 2 > documented.len(), "the dashboard shows {queried:?} only");
}
