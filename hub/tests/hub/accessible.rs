//! Every view of the page, looked at by axe.

use gatepost_testbed::http;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::command::come_online;
use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, happening, health, intrusion_of, with_original_kept};
use crate::page::{draw_plan, drive, real_picture};
use crate::process::PATIENCE;
use crate::program::{Mood, Program};
use crate::webhook;

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_accessible() {
    let receiver = Program::start(Mood::Answers(410));
    let home = webhook::home(&receiver, "", "tells = [\"opened\"]\n");
    let token = home.add("gate-1");
    let hub = home.start();
    let roles = ["--role", "supervisor", "--role", "administrator", "--role", "auditor"];
    let cookie = home.account(&hub, "wang.li", &roles);
    home.account(&hub, "zhao.min", &["--role", "handler"]);
    home.account(&hub, "chen.jie", &["--role", "technician"]);
    let ask = |method: &str, path: &str, body: Value| {
        let answer = http::send(method, &hub.url(path), Some(&cookie), Some(&body)).unwrap();
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
    };
    ask("PUT", "/api/v1/sites/school-3", json!({ "label": "第三小学", "edges": ["gate-1"] }));

    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    let mut said: Value = serde_json::from_str(&health("gate-1", boot, 2)).unwrap();
    said["areas"] = json!([{ "area": "yard", "label": "操场", "mode": "disarmed", "stage": "set" }]);
    said["sensors"] = json!([{
        "sensor": "fence-3", "label": "北围栏三段", "input": "fence", "state": "rest",
        "faults": [{ "fault": "open", "detail": "the line is cut" }], "readings": 1, "errors": 0,
    }]);
    edge.publish("gp/v1/gate-1/health", said.to_string(), true).await.unwrap();
    let fence = json!({ "kind": "sensor_alarm", "sensor": "fence-3", "input": "fence", "area": "north" });
    assert!(edge.send(&happening(boot, 1, alarm(), Phase::Began, fence)).await.unwrap());
    let at = |x: f64, y: f64| json!({ "x": x, "y": y });
    let placed = json!({
        "cameras": [{ "edge": "gate-1", "camera": "east-gate", "at": at(0.5, 0.5), "view": { "direction_deg": 90, "angle_deg": 70 } }],
        "zones": [{ "label": "草坪", "outline": [at(0.1, 0.1), at(0.4, 0.1), at(0.4, 0.4)],
            "shows": { "edge": "gate-1", "camera": "east-gate", "zone": "lawn" } }],
        "sensors": [{ "edge": "gate-1", "sensor": "fence-3", "at": at(0.8, 0.2) }],
    });
    draw_plan(&hub, "school-3", &real_picture(home.data()), &placed);
    // The newest, so that it is the first of the list.
    let picture = real_picture(home.data());
    let seen = with_original_kept(intrusion_of("gate-1", boot, 2, alarm(), Phase::Began), &picture);
    assert!(edge.send(&seen).await.unwrap());
    edge.publish(&evidence_topic(&seen), picture.clone(), false).await.unwrap();
    let first = http::wait_until("incidents", PATIENCE, || {
        let all = hub.get("/api/v1/incidents");
        let all = all["incidents"].as_array().unwrap();
        (all.len() == 2).then(|| all[0]["id"].as_str().unwrap().to_owned())
    })
    .unwrap();
    for (name, bytes) in [("gate.jpg", picture.as_slice()), ("bill.pdf", b"%PDF-1.4 %%EOF")] {
        let url = hub.url(&format!("/api/v1/incidents/{first}/attachments?name={name}"));
        let attached = http::send_bytes("POST", &url, Some(&cookie), "image/jpeg", bytes).unwrap();
        assert_eq!(attached.status, 201, "{}", attached.text());
    }
    hub.look_at(&seen);
    let until = gatepost_wire::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let fence = hub.get("/api/v1/alerts")["alerts"][1]["id"].clone();
    ask("POST", "/api/v1/holds", json!({ "alarm": fence, "reason": "police report 17", "until": until }));

    let people =
        [("GATEPOST_NAME", "wang.li"), ("GATEPOST_HANDLER", "zhao.min"), ("GATEPOST_TECHNICIAN", "chen.jie")];
    tokio::task::block_in_place(|| drive("accessible-page.mjs", &hub, &people, |_| {}));
}
