//! Every kind of alarm from the edge to the API: nothing an operator needs is lost on the way.

use gatepost_testbed::http::EventStream;
use gatepost_wire::Event;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, event_topic, happening, health};
use crate::process::{Home, PATIENCE};

/// What a camera saw of one thing.
fn seen(mut fields: Value, object: &str) -> Value {
    let sighting = json!({
        "object": object, "track": 7, "score": 0.9,
        "region": { "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4 },
    });
    fields.as_object_mut().unwrap().extend(sighting.as_object().unwrap().clone());
    fields
}

/// At a place of camera `yard`, decided by a rule.
fn at(key: &str, place: &str, mut fields: Value) -> Value {
    fields["camera"] = json!("yard");
    fields["rule"] = json!(format!("{place}-rule"));
    fields[key] = json!(place);
    fields
}

/// Every kind with what it says, and what the API must say of it.
fn kinds() -> Vec<(Value, Value)> {
    let region = json!({ "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4 });
    let mut kinds = vec![
        (
            at("zone", "lawn", seen(json!({ "kind": "zone_intrusion", "dwell_ms": 900 }), "person")),
            json!({ "camera": "yard", "zone": "lawn", "zone_label": "草坪", "rule": "lawn-rule", "object": "person" }),
        ),
        (
            at(
                "line",
                "fence",
                seen(json!({ "kind": "line_crossing", "direction": "right_to_left" }), "person"),
            ),
            json!({
                "camera": "yard", "zone": "fence", "zone_label": "围墙线", "rule": "fence-rule", "object": "person",
                "direction": "right_to_left",
            }),
        ),
        (
            at("zone", "lawn", seen(json!({ "kind": "loitering", "dwell_ms": 90_000 }), "person")),
            json!({ "camera": "yard", "zone": "lawn", "zone_label": "草坪", "rule": "lawn-rule", "object": "person" }),
        ),
        (
            at("zone", "fire-lane", seen(json!({ "kind": "vehicle_stopped", "still_ms": 60_000 }), "truck")),
            json!({
                "camera": "yard", "zone": "fire-lane", "zone_label": null, "rule": "fire-lane-rule",
                "object": "truck",
            }),
        ),
        (
            at("zone", "lawn", json!({ "kind": "object_left", "still_ms": 60_000, "region": region })),
            json!({ "camera": "yard", "zone": "lawn", "rule": "lawn-rule" }),
        ),
        (
            at("zone", "lawn", json!({ "kind": "overcrowding", "count": 12, "limit": 8 })),
            json!({ "camera": "yard", "zone": "lawn", "rule": "lawn-rule", "count": 12, "limit": 8 }),
        ),
        (
            at("zone", "lawn", seen(json!({ "kind": "of_a_newer_edge", "much": ["more"] }), "person")),
            json!({ "camera": "yard", "zone": "lawn", "rule": "lawn-rule", "object": "person" }),
        ),
    ];
    for tamper in ["signal_lost", "covered", "blurred", "moved", "frozen"] {
        kinds.push((
            json!({ "kind": "camera_tamper", "camera": "yard", "tamper": tamper, "detail": "seen so" }),
            json!({ "camera": "yard", "camera_label": "后院", "cause": tamper, "detail": "seen so" }),
        ));
    }
    kinds.push((
        json!({ "kind": "sensor_alarm", "sensor": "fence-3", "input": "fence", "area": "north" }),
        json!({ "sensor": "fence-3", "sensor_label": "北围栏三段", "input": "fence" }),
    ));
    for fault in ["tamper", "open", "short", "power", "comms"] {
        kinds.push((
            json!({ "kind": "sensor_fault", "sensor": "leak", "input": "water", "fault": fault, "detail": "seen so" }),
            json!({ "sensor": "leak", "sensor_label": null, "input": "water", "cause": fault, "detail": "seen so" }),
        ));
    }
    for fault in [
        "inference_failed",
        "disk_low",
        "retention_short",
        "model_replaced",
        "outbox_damaged",
        "events_dropped",
    ] {
        kinds.push((
            json!({ "kind": "device_fault", "fault": fault, "detail": "seen so" }),
            json!({ "cause": fault, "detail": "seen so" }),
        ));
    }
    kinds
}

fn labelled(health: &str) -> String {
    let mut health: Value = serde_json::from_str(health).unwrap();
    health["cameras"][0]["camera"] = json!("yard");
    health["cameras"][0]["label"] = json!("后院");
    health["cameras"][0]["zones"] =
        json!([{ "zone": "lawn", "label": "草坪" }, { "zone": "fence", "label": "围墙线" }]);
    health["cameras"][0]["attention"] = json!("awake");
    health["cameras"][0]["frames_still"] = json!(1_234);
    health["sensors"] = json!([
        { "sensor": "fence-3", "label": "北围栏三段", "input": "fence", "state": "rest", "readings": 9, "errors": 0 },
        { "sensor": "leak", "input": "water", "state": "tripped", "readings": 9, "errors": 1 },
    ]);
    health["inference"]["load"] = json!(0.97);
    health["inference"]["failing"] = json!(true);
    health["inference"]["workers"] = json!(2);
    health["inference"]["model_file"] = json!("replaced");
    health.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_alarm_is_told_whole() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let report = labelled(&health("gate-1", boot, 0));
    edge.publish("gp/v1/gate-1/health", report.as_str(), true).await.unwrap();
    let told: Value = hub.device("gate-1").unwrap()["health"].clone();
    assert_eq!(told, serde_json::from_str::<Value>(&report).unwrap(), "a report is passed on whole");

    let documented = hub.get("/api/v1/openapi.json");
    let schema = &documented["components"]["schemas"]["Alert"];
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let documented_keys = keys(&schema["properties"]);

    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    for (n, (said, expected)) in kinds().into_iter().enumerate() {
        let kind = said["kind"].clone();
        let event = happening(boot, n as u64 + 1, alarm(), Phase::Began, said);
        assert!(edge.send(&event).await.unwrap(), "{kind}");
        let alert = hub.get("/api/v1/alerts?limit=1")["alerts"][0].clone();
        assert_eq!((&alert["kind"], &alert["first_event"]), (&kind, &json!(event.id)));
        assert_eq!(keys(&alert), documented_keys);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&alert[key], value, "{key} of {kind}");
        }
        for key in
            ["zone", "rule", "object", "direction", "count", "limit", "cause", "detail", "sensor", "input"]
        {
            if expected.get(key).is_none() {
                assert_eq!(alert[key], Value::Null, "{key} of {kind}");
            }
        }
        // The page is told the same.
        let live = loop {
            let sent = stream.next(PATIENCE).unwrap();
            if sent.event == "alert" {
                break serde_json::from_str::<Value>(&sent.data).unwrap();
            }
        };
        assert_eq!(live, alert);
    }
    assert_eq!(hub.device("gate-1").unwrap()["refused"], 0);

    let examples = schema["examples"].as_array().unwrap();
    assert!(examples.len() >= 4);
    for example in examples {
        assert_eq!(keys(example), documented_keys, "{}", example["kind"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_begins_and_ends_at_one_moment() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let said =
        at("line", "fence", seen(json!({ "kind": "line_crossing", "direction": "left_to_right" }), "car"));
    let one = |seq, alarm, phase| happening(boot, seq, alarm, phase, said.clone());
    for (n, backwards) in [false, true].into_iter().enumerate() {
        let (alarm, seq) = (alarm(), 2 * n as u64);
        let began = one(seq + 1, alarm, Phase::Began);
        let ended = Event { time: began.time, ..one(seq + 2, alarm, Phase::Ended) };
        let order = if backwards { [&ended, &began] } else { [&began, &ended] };
        for event in order {
            assert!(edge.send(event).await.unwrap());
        }
        let alerts = hub.get("/api/v1/alerts");
        assert_eq!(alerts["alerts"].as_array().unwrap().len(), n + 1);
        let alert = &alerts["alerts"][0];
        assert_eq!((&alert["phase"], &alert["events"]), (&json!("ended"), &json!(2)));
        assert_eq!((&alert["began"], &alert["ended"]), (&json!(began.time), &json!(began.time)));
        assert_eq!((&alert["first_event"], &alert["direction"]), (&json!(began.id), &json!("left_to_right")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greatest_crowd_is_told_in_whatever_order_the_counts_come_and_after_a_restart() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let mut hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, alarm) = (boot(), alarm());
    let counted = |seq, phase, count: u32| {
        let said = at("zone", "lawn", json!({ "kind": "overcrowding", "count": count, "limit": 8 }));
        happening(boot, seq, alarm, phase, said)
    };
    let began = counted(1, Phase::Began, 9);
    let most = counted(2, Phase::Updated, 23);
    let ended = counted(3, Phase::Ended, 8);
    for event in [&ended, &most] {
        assert!(edge.send(event).await.unwrap());
    }
    drop(edge);
    hub.daemon.kill().unwrap();
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    for event in [&began, &most] {
        assert!(edge.send(event).await.unwrap());
    }
    let alerts = hub.get("/api/v1/alerts");
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    let alert = &alerts["alerts"][0];
    assert_eq!((&alert["count"], &alert["limit"]), (&json!(23), &json!(8)));
    assert_eq!((&alert["phase"], &alert["events"]), (&json!("ended"), &json!(3)));
}

/// A known kind that says nonsense is refused and counted; what is merely new in it is kept.
#[tokio::test(flavor = "multi_thread")]
async fn nonsense_in_a_known_kind_is_refused() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let good = happening(
        boot(),
        1,
        alarm(),
        Phase::Began,
        at(
            "zone",
            "lawn",
            json!({ "kind": "overcrowding", "count": 12, "limit": 8, "since": "a newer edge" }),
        ),
    );
    let text = String::from_utf8(good.to_json().unwrap()).unwrap();
    for (from, to) in [
        ("\"count\":12", "\"count\":-12"),
        ("\"count\":12", "\"count\":4294967296"),
        ("\"limit\":8", "\"limit\":\"8\""),
    ] {
        let bad = text.replace(from, to);
        assert_ne!(bad, text);
        let _ = edge.publish(&event_topic(&good), bad, false).await;
    }
    assert_eq!(hub.get("/api/v1/alerts")["alerts"], json!([]));
    assert_eq!(hub.device("gate-1").unwrap()["refused"], 3);
    assert!(edge.send(&good).await.unwrap());
    let stored = hub.get(&format!("/api/v1/events/{}", good.id));
    assert_eq!(stored["envelope"]["data"]["happening"]["since"], "a newer edge");
}
