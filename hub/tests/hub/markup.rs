//! Markup in every text that a box or a person can send: it is shown as text, on every view of the page, and nothing of it runs.

use gatepost_testbed::http;
use gatepost_wire::command::{Outcome, Reason};
use gatepost_wire::event::Phase;
use gatepost_wire::{Severity, Timestamp};
use serde_json::{Value, json};

use crate::command::{come_online, reply};
use crate::edge::Edge;
use crate::message::{alarm, boot, happening, intrusion_of, picture, with_original_kept};
use crate::page::{draw_plan, drive, real_picture};
use crate::process::{Home, PATIENCE};

/// It says where it came from, should it run. The page's program looks for `onerror=ran(`.
fn markup(place: &str) -> String {
    format!("<img src=x onerror=ran('{place}')><script>ran('{place}')</script>\"'>")
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_is_text_wherever_it_comes_from() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let roles = ["--role", "supervisor", "--role", "administrator", "--role", "auditor"];
    let cookie = home.account(&hub, "wang.li", &roles);
    let ask = |method: &str, path: &str, body: Value| {
        let answer = http::send(method, &hub.url(path), Some(&cookie), Some(&body)).unwrap();
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
        answer
    };
    // As long as a name may be.
    ask("PATCH", "/api/v1/people/wang.li", json!({ "display_name": "<img src=x onerror=ran('name')>" }));
    ask("PATCH", "/api/v1/people/wang.li", json!({ "provider": markup("provider") }));
    ask("PUT", "/api/v1/sites/school-1", json!({ "label": markup("site"), "edges": ["gate-1"] }));

    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    let health = json!({
        "edge": "gate-1", "time": Timestamp::now(), "boot": boot, "uptime_ms": 1000, "version": markup("version"),
        "recorded": [], "outbox": { "queued": 0, "disk_bytes": 0 },
        "cameras": [
            {
                "camera": "east-gate", "label": markup("camera"), "zones": [{ "zone": "lawn", "label": markup("zone") }],
                "state": { "name": "faulted", "reason": markup("reason") },
                "faults": [
                    { "fault": markup("kind"), "since": Timestamp::now(), "detail": markup("reason") },
                    { "fault": "covered", "since": Timestamp::now(), "detail": markup("reason") },
                ],
                "decoder": markup("decoder"),
                "frames_sampled": 1, "frames_analysed": 1, "frames_dropped": 0,
            },
        ],
        "sensors": [{
            "sensor": "leak", "label": markup("sensor"), "input": "water", "state": "rest",
            "faults": [{ "fault": "open", "detail": markup("fault") }], "readings": 1, "errors": 0,
        }],
        "areas": [{ "area": "yard", "label": markup("area"), "mode": "disarmed", "stage": "set" }],
        "inference": { "model": markup("model"), "failures": 0 },
        "disk_free_bytes": 1,
    });
    edge.publish("gp/v1/gate-1/health", health.to_string(), true).await.unwrap();
    let seen = with_original_kept(intrusion_of("gate-1", boot, 1, alarm(), Phase::Began), &picture("x"));
    let fault = json!({ "kind": "device_fault", "fault": "disk_low", "detail": markup("detail") });
    let ill = json!({ "kind": "sensor_fault", "sensor": "leak", "input": "water", "fault": "open", "detail": markup("detail") });
    let unknown = json!({ "kind": markup("kind"), "camera": "east-gate" });
    let mut events = vec![seen.clone()];
    for (seq, said) in [(2, fault), (3, ill), (4, unknown)] {
        let mut event = happening(boot, seq, alarm(), Phase::Began, said);
        event.data.severity = Severity::HIGH;
        events.push(event);
    }
    for event in &events {
        assert!(edge.send(event).await.unwrap(), "{event:?}");
    }
    let incidents = http::wait_until("incidents", PATIENCE, || {
        let page = hub.get("/api/v1/incidents");
        let all = page["incidents"].as_array().unwrap().clone();
        (all.len() >= 4).then_some(all)
    })
    .unwrap();
    let step = |incident: &Value, step: Value| {
        let path = format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap());
        let mut step = step;
        step["version"] = hub.get(&path)["version"].clone();
        ask("POST", &format!("{path}/steps"), step);
    };
    for incident in &incidents {
        step(incident, json!({ "action": "note", "text": markup("note") }));
    }
    let until = Timestamp::now() + jiff::SignedDuration::from_hours(2);
    let [closed, wrong, shelved, late, ..] = &incidents[..] else { panic!("{incidents:?}") };
    step(closed, json!({ "action": "triage", "outcome": "real", "text": markup("triage") }));
    step(closed, json!({ "action": "close", "text": markup("close") }));
    step(
        wrong,
        json!({ "action": "triage", "outcome": "false_alarm", "reason": "other", "text": markup("triage") }),
    );
    step(shelved, json!({ "action": "assign", "to": "wang.li", "text": markup("assign") }));
    step(late, json!({ "action": "request_extension", "until": until, "text": markup("extension") }));
    let id = late["id"].as_str().unwrap();
    for (number, place) in [(1, "file"), (2, "withdrawn")] {
        let name: String = form_urlencoded::byte_serialize(markup(place).as_bytes()).collect();
        let url = hub.url(&format!("/api/v1/incidents/{id}/attachments?name={name}"));
        let paper = format!("%PDF-1.4 {number} %%EOF");
        let attached = http::send_bytes("POST", &url, Some(&cookie), "text/html", paper.as_bytes()).unwrap();
        assert_eq!(attached.status, 201, "{}", attached.text());
    }
    step(late, json!({ "action": "withdraw", "attachment": 2, "text": markup("withdraw") }));
    let order = json!({
        "edge": "gate-1", "why": markup("why"),
        "order": { "kind": "release_original", "event": seen.id, "until": until },
    });
    let given: Value = ask("POST", "/api/v1/commands", order).json().unwrap();
    let second = home.account(&hub, "second", &["--role", "supervisor"]);
    let decision = hub.url(&format!("/api/v1/commands/{}/decision", given["id"].as_str().unwrap()));
    let yes = json!({ "outcome": "approved" });
    assert_eq!(http::send("POST", &decision, Some(&second), Some(&yes)).unwrap().status, 200);
    let command = edge.command(home.hub_key()).await;
    let refused = Outcome::Refused { reason: Reason::NotFound, detail: markup("reply"), highest: None };
    edge.publish("gp/v1/gate-1/command/reply", reply(&command, refused), false).await.unwrap();

    let at = |x: f64, y: f64| json!({ "x": x, "y": y });
    let placed = json!({
        "cameras": [{ "edge": "gate-1", "camera": "east-gate", "at": at(0.5, 0.5), "view": null }],
        "zones": [{ "label": markup("plan"), "outline": [at(0.1, 0.1), at(0.4, 0.1), at(0.4, 0.4)], "shows": null }],
        "sensors": [{ "edge": "gate-1", "sensor": "leak", "at": at(0.8, 0.2) }],
    });
    draw_plan(&hub, "school-1", &real_picture(home.data()), &placed);
    tokio::task::block_in_place(|| drive("hostile-page.mjs", &hub, &[("GATEPOST_NAME", "wang.li")], |_| {}));
}
