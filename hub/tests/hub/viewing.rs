//! The viewing register: no picture without an incident or a reason, and who looked at what stays.

use gatepost_testbed::http::{self, Answer, wait_until};
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, intrusion_of, picture, with_evidence};
use crate::process::{Home, Hub, PATIENCE};

fn post(hub: &Hub, cookie: &str, path: &str, body: &Value) -> Answer {
    http::send("POST", &hub.url(path), Some(cookie), Some(body)).unwrap()
}

fn get(hub: &Hub, cookie: &str, path: &str) -> Answer {
    http::send("GET", &hub.url(path), Some(cookie), None::<&()>).unwrap()
}

fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.content_type, "application/problem+json");
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_takes_an_open_incident_or_a_reason_and_leaves_a_line() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let operator = home.account(&hub, "qin.lan", &["--role", "operator"]);
    let handler = home.account(&hub, "zhao.min", &["--role", "handler"]);
    let auditor = home.account(&hub, "sun.hao", &["--role", "auditor"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let alarm = alarm();
    let event = with_evidence(intrusion_of("gate-1", boot(), 1, alarm, Phase::Began), &picture("covered"));
    assert!(edge.send(&event).await.unwrap());
    edge.publish(&evidence_topic(&event), picture("covered"), false).await.unwrap();
    let incident = wait_until("the incident", PATIENCE, || {
        hub.get("/api/v1/incidents")["incidents"][0]["id"].as_str().map(str::to_owned)
    })
    .unwrap();
    let sha256 = event.data.evidence[0].sha256.clone();
    let paths = [
        format!("/api/v1/events/{}/snapshot", event.id),
        format!("/api/v1/events/{}/evidence/{sha256}", event.id),
    ];

    for path in &paths {
        let refused = get(&hub, &operator, path);
        assert_eq!(refused.status, 403);
        assert!(problem(&refused)["detail"].as_str().unwrap().contains("POST /api/v1/viewings"));
    }
    let through = json!({ "alarm": alarm, "incident": incident });
    let opened = post(&hub, &operator, "/api/v1/viewings", &through);
    assert_eq!(opened.status, 201, "{}", opened.text());
    let opened: Value = opened.json().unwrap();
    for path in &paths {
        for _ in 0..2 {
            assert_eq!(get(&hub, &operator, path).body, picture("covered"));
        }
        assert_eq!(get(&hub, &handler, path).status, 403, "what others opened is not open to them");
    }
    let same = post(&hub, &operator, "/api/v1/viewings", &through);
    assert_eq!(same.status, 200);
    assert_eq!(same.json::<Value>().unwrap()["id"], opened["id"]);

    // The handler was never given the incident, so it is no reason for them; they have to state one.
    let refused = post(&hub, &handler, "/api/v1/viewings", &through);
    assert_eq!((refused.status, &problem(&refused)["parameter"]), (409, &json!("incident")));
    for (body, parameter) in [
        (json!({ "alarm": alarm }), "reason"),
        (json!({ "alarm": alarm, "reason": "curiosity", "text": "x" }), "reason"),
        (json!({ "alarm": alarm, "reason": "other" }), "text"),
        (json!({ "alarm": alarm, "reason": "other", "text": "  " }), "text"),
        (json!({ "alarm": alarm, "reason": "other", "text": "x".repeat(201) }), "text"),
        (json!({ "alarm": alarm, "incident": incident, "reason": "other", "text": "x" }), "incident"),
        (json!({ "alarm": "x", "reason": "other", "text": "x" }), "alarm"),
    ] {
        let refused = post(&hub, &handler, "/api/v1/viewings", &body);
        assert_eq!((refused.status, &problem(&refused)["parameter"]), (400, &json!(parameter)), "{body}");
    }
    let stated = json!({ "alarm": alarm, "reason": "request", "text": " 派出所来函 17 " });
    assert_eq!(post(&hub, &handler, "/api/v1/viewings", &stated).status, 201);
    assert_eq!(get(&hub, &handler, &paths[0]).status, 200);

    // A closed incident is no reason any more.
    let step = json!({ "version": 1, "action": "triage", "outcome": "test" });
    let closed = post(&hub, &operator, &format!("/api/v1/incidents/{incident}/steps"), &step);
    assert_eq!(closed.status, 200, "{}", closed.text());
    assert_eq!(post(&hub, &operator, "/api/v1/viewings", &through).status, 409);

    // The register and what is open are on disk.
    drop(hub);
    let hub = home.start();
    assert_eq!(get(&hub, &handler, &paths[0]).status, 200);
    assert_eq!(get(&hub, &operator, "/api/v1/viewings").status, 403, "who looks does not read who looked");
    let register: Value = get(&hub, &auditor, "/api/v1/viewings").json().unwrap();
    let lines = register["viewings"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["person"], &lines[0]["text"]), (&json!("zhao.min"), &json!("派出所来函 17")));
    let line = &lines[1];
    assert_eq!((&line["person"], &line["incident"]), (&json!("qin.lan"), &json!(incident)));
    assert_eq!(
        (&line["roles"], &line["sites"], &line["address"]),
        (&json!(["operator"]), &json!(null), &json!("127.0.0.1"))
    );
    assert_eq!(
        (&line["alarm"], &line["kind"], &line["camera"]),
        (&json!(alarm), &json!("zone_intrusion"), &json!("east-gate"))
    );
    let pieces: Vec<_> = line["pieces"].as_array().unwrap().iter().map(|piece| &piece["sha256"]).collect();
    assert_eq!(pieces, [&json!(sha256)], "once, however often and by whichever path");
    for (query, number) in
        [("person=qin.lan", 1), ("person=nobody", 0), (&format!("alarm={alarm}"), 2), ("limit=1", 1)]
    {
        let found: Value = get(&hub, &auditor, &format!("/api/v1/viewings?{query}")).json().unwrap();
        assert_eq!(found["viewings"].as_array().unwrap().len(), number, "{query}");
    }
    let next = format!("/api/v1/viewings?limit=1&before={}", lines[0]["number"]);
    assert_eq!(get(&hub, &auditor, &next).json::<Value>().unwrap()["viewings"][0]["id"], line["id"]);
    assert_eq!(get(&hub, &auditor, &paths[0]).status, 403, "who reads the register sees no pictures");
}
