//! Legal hold: two people keep an alarm's evidence, and two let it go.

use gatepost_testbed::http::{self, Answer};
use gatepost_wire::Timestamp;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, intrusion_of, picture, with_evidence};
use crate::process::{Home, Hub};

fn post(hub: &Hub, cookie: &str, path: &str, body: &Value) -> Answer {
    http::send("POST", &hub.url(path), Some(cookie), Some(body)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_hold_an_alarm_and_two_lift_it() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let one = home.account(&hub, "wang.li", &["--role", "supervisor"]);
    let two = home.account(&hub, "sun.hao", &["--role", "auditor"]);
    let operator = home.account(&hub, "qin.lan", &["--role", "operator"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let alarm = alarm();
    let event = with_evidence(intrusion_of("gate-1", boot(), 1, alarm, Phase::Began), &picture("x"));
    assert!(edge.send(&event).await.unwrap());
    edge.publish(&evidence_topic(&event), picture("x"), false).await.unwrap();

    let until = Timestamp::now() + jiff::SignedDuration::from_hours(200 * 24);
    let wanted = json!({ "alarm": alarm, "reason": "police report 17", "until": until });
    let with = |key: &str, value: Value| {
        let mut wanted = wanted.clone();
        wanted[key] = value;
        wanted
    };
    let far = Timestamp::now() + jiff::SignedDuration::from_hours(367 * 24);
    for (body, status, words) in [
        (with("until", json!("2020-01-01T00:00:00Z")), 400, "past"),
        (with("until", json!(far)), 400, "a year"),
        (with("reason", json!(" ")), 400, "1 to 200"),
        (with("alarm", json!("01ARZ3NDEKTSV4RRFFQ69G5FAV")), 404, "no alarm"),
    ] {
        let refused = post(&hub, &one, "/api/v1/holds", &body);
        assert!(refused.status == status && refused.text().contains(words), "{}", refused.text());
    }
    assert_eq!(post(&hub, &operator, "/api/v1/holds", &wanted).status, 403);
    let proposed = post(&hub, &one, "/api/v1/holds", &wanted);
    assert_eq!(proposed.status, 201, "{}", proposed.text());
    let hold: Value = proposed.json().unwrap();
    assert_eq!((&hold["state"], &hold["may"]), (&json!("proposed"), &json!(["decline"])));
    assert_eq!(post(&hub, &two, "/api/v1/holds", &wanted).status, 409, "one is proposed already");

    let path = format!("/api/v1/holds/{}/steps", hold["id"].as_str().unwrap());
    let step = |cookie: &str, step: &str, text: Option<&str>| {
        let body = match text {
            Some(text) => json!({ "step": step, "text": text }),
            None => json!({ "step": step }),
        };
        post(&hub, cookie, &path, &body)
    };
    let own = step(&one, "confirm", None);
    assert!(own.status == 403 && own.text().contains("another person"), "{}", own.text());
    let held: Value = step(&two, "confirm", None).json().unwrap();
    assert_eq!((&held["state"], &held["steps"][0]["who"]), (&json!("held"), &json!("sun.hao (sun.hao)")));
    assert_eq!(step(&two, "confirm", None).status, 409, "it is held already");
    assert_eq!(step(&two, "lift", None).status, 400, "it has to be said why");
    assert_eq!(step(&two, "lift", Some("the case is closed")).status, 200);
    assert_eq!(step(&two, "confirm_lift", None).status, 403);

    drop(hub);
    let hub = home.start();
    let list = |query: &str| {
        let url = hub.url(&format!("/api/v1/holds{query}"));
        http::send("GET", &url, Some(&one), None::<&()>).unwrap().json::<Value>().unwrap()["holds"].clone()
    };
    assert_eq!(list("")[0]["state"], "lift_proposed");
    assert_eq!(list("")[0]["may"], json!(["confirm_lift", "keep"]));
    assert_eq!(list("?alarm=01ARZ3NDEKTSV4RRFFQ69G5FAV"), json!([]));
    let lifted = post(&hub, &one, &path, &json!({ "step": "confirm_lift" }));
    assert_eq!(lifted.json::<Value>().unwrap()["state"], "lifted");
    assert_eq!(list("")[0]["steps"].as_array().unwrap().len(), 3);
    assert_eq!(post(&hub, &one, "/api/v1/holds", &wanted).status, 201, "and may be held again");
}
