//! Commands: given with name and reason, brought to their box through either kind of broker, answered once.

use gatepost_testbed::http::{self, Answer, EventStream};
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::command::{Order, Outcome, Reason, Reply, SetMode, WantedMode};
use gatepost_wire::{Command, Event, Timestamp};
use rumqttc::v5::mqttbytes::v5::{PubAckReason, SubscribeReasonCode};
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::external;
use crate::message::{boot, intrusion, picture, presence, with_evidence, with_original_kept};
use crate::process::{Home, Hub, PATIENCE};

fn order(event: &Event, lasts: &str) -> Value {
    let lasts: jiff::Span = lasts.parse().unwrap();
    let until = Timestamp::now().checked_add(lasts).unwrap();
    json!({
        "edge": "gate-1", "why": "police report 17",
        "order": { "kind": "release_original", "event": event.id, "until": until },
    })
}

/// Asks for the event's original, and has another person approve it; gives the command's id.
pub fn ask(home: &Home, hub: &Hub, event: &Event, lasts: &str) -> String {
    let answer = http::post_json(&hub.url("/api/v1/commands"), &order(event, lasts)).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let given: Value = answer.json().unwrap();
    assert_eq!((&given["state"], &given["who"]), (&json!("proposed"), &json!("tester (tester)")));
    let id = given["id"].as_str().unwrap().to_owned();
    let second = home.account(hub, "second", &["--role", "supervisor"]);
    let approved = decide(hub, &second, &id, &json!({ "outcome": "approved" }));
    assert_eq!(approved.status, 200, "{}", approved.text());
    assert_eq!(approved.json::<Value>().unwrap()["state"], "waiting");
    id
}

fn decide(hub: &Hub, cookie: &str, id: &str, decision: &Value) -> Answer {
    http::send("POST", &hub.url(&format!("/api/v1/commands/{id}/decision")), Some(cookie), Some(decision))
        .unwrap()
}

pub fn reply(command: &Command, outcome: Outcome) -> Vec<u8> {
    let reply = Reply { command: command.id, time: Timestamp::now(), outcome, extra: Default::default() };
    reply.to_json().unwrap()
}

/// Says that the box is connected, as a box does after it subscribed.
pub async fn come_online(edge: &mut Edge) {
    edge.subscribe("gp/v1/gate-1/command").await.unwrap();
    edge.publish("gp/v1/gate-1/presence", presence("gate-1", boot(), "online"), true).await.unwrap();
}

fn refused() -> Outcome {
    Outcome::Refused { reason: Reason::NotFound, detail: "deleted yesterday".into(), highest: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_waits_for_its_box_and_is_answered_once() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let port = hub.broker_port();
    let event = with_original_kept(intrusion(boot(), 1), &picture("x"));
    let mut edge = Edge::connect(port, "gate-1", &token).await.unwrap();
    assert!(edge.send(&event).await.unwrap());
    drop(edge);
    let id = ask(&home, &hub, &event, "2 h");
    let told = loop {
        let event = stream.next(PATIENCE).unwrap();
        if event.event == "command" {
            break serde_json::from_str::<Value>(&event.data).unwrap();
        }
    };
    assert_eq!((&told["id"], &told["alarm"]), (&json!(id), &json!(event.data.happening.alarm().unwrap().id)));

    // The hub is restarted before the box comes back.
    drop(stream);
    drop(hub);
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let command = edge.command(home.hub_key()).await;
    assert_eq!((command.id.to_string(), command.why.as_str()), (id.clone(), "police report 17"));
    assert_eq!(
        command.who.as_str(),
        "tester (tester), approved by second (second)",
        "the box is told of both"
    );
    assert!(matches!(&command.order, Order::ReleaseOriginal(release) if release.event == event.id));

    let topic = "gp/v1/gate-1/command/reply";
    for outcome in [refused(), Outcome::Done] {
        let stored = edge.publish(topic, reply(&command, outcome), false).await.unwrap();
        assert!(matches!(stored, PubAckReason::Success | PubAckReason::NoMatchingSubscribers), "{stored:?}");
    }
    let given = hub.get(&format!("/api/v1/commands/{id}"));
    assert_eq!(
        (&given["state"], &given["reason"]),
        (&json!("refused"), &json!("not_found")),
        "the first counts"
    );
    assert_eq!(given["detail"], "deleted yesterday");
    let list = hub.get("/api/v1/commands?kind=release_original&edge=gate-1");
    assert_eq!(list["commands"], json!([given]));
    assert_eq!(hub.get("/api/v1/commands?edge=gate-2")["commands"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_area_is_armed_by_command_and_the_box_may_refuse_with_a_reason() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let mode = json!({ "name": "armed_away", "bypass": [{ "sensor": "fence-3" }] });
    let wanted = json!({
        "edge": "gate-1", "why": "evening",
        "order": { "kind": "set_mode", "area": "yard", "mode": mode },
    });
    let answer = http::post_json(&hub.url("/api/v1/commands"), &wanted).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let command = edge.command(home.hub_key()).await;
    let Order::SetMode(SetMode { area, mode: WantedMode::ArmedAway { bypass }, .. }) = &command.order else {
        panic!("{command:?}")
    };
    assert_eq!((area.as_str(), bypass.len(), command.why.as_str()), ("yard", 1, "evening"));
    let detail = "not closed: sensor gate".into();
    let outcome = Outcome::Refused { reason: Reason::NotReady, detail, highest: None };
    edge.publish("gp/v1/gate-1/command/reply", reply(&command, outcome), false).await.unwrap();
    let given = hub.get(&format!("/api/v1/commands/{}", command.id));
    assert_eq!(
        (&given["state"], &given["reason"], &given["detail"], &given["order"]["area"]),
        (&json!("refused"), &json!("not_ready"), &json!("not closed: sensor gate"), &json!("yard"))
    );
    assert_eq!(hub.get("/api/v1/commands?kind=set_mode")["commands"], json!([given]));

    let with_mode = |mode: Value| {
        let mut wanted = wanted.clone();
        wanted["order"]["mode"] = mode;
        http::post_json(&hub.url("/api/v1/commands"), &wanted).unwrap()
    };
    for nonsense in [json!({ "name": "armed_half" }), json!({ "name": "maintenance" }), json!("disarmed")] {
        assert_eq!(with_mode(nonsense.clone()).status, 400, "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reaches_its_box_through_an_external_broker() {
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let home = external::home(&broker);
    let hub = home.start();
    external::connected(&hub);
    let mut edge = external::edge(&broker).await;
    let event = with_original_kept(intrusion(boot(), 1), &picture("x"));
    assert!(edge.send(&event).await.unwrap());
    come_online(&mut edge).await;
    http::wait_until("the event", PATIENCE, || (hub.event_ids().len() == 1).then_some(())).unwrap();
    let id = ask(&home, &hub, &event, "2 h");
    let command = edge.command(home.hub_key()).await;
    assert_eq!(command.id.to_string(), id);
    edge.publish("gp/v1/gate-1/command/reply", reply(&command, Outcome::Done), false).await.unwrap();
    let path = format!("/api/v1/commands/{id}");
    http::wait_until("the answer", PATIENCE, || (hub.get(&path)["state"] == "done").then_some(())).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gives_no_commands_and_answers_only_its_own() {
    let home = Home::embedded();
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let mut gate1 = Edge::connect(hub.broker_port(), "gate-1", &one).await.unwrap();
    let mut gate2 = Edge::connect(hub.broker_port(), "gate-2", &two).await.unwrap();
    assert_eq!(gate2.subscribe("gp/v1/gate-1/command").await.unwrap(), SubscribeReasonCode::NotAuthorized);
    let event = with_original_kept(intrusion(boot(), 1), &picture("x"));
    assert!(gate1.send(&event).await.unwrap());
    come_online(&mut gate1).await;
    let id = ask(&home, &hub, &event, "2 h");
    let command = gate1.command(home.hub_key()).await;
    let forged = command.to_json().unwrap();
    for topic in ["gp/v1/gate-2/command", "gp/v1/gate-1/command"] {
        let refused = gate2.publish(topic, forged.clone(), false).await.unwrap();
        assert_eq!(refused, PubAckReason::NotAuthorized, "{topic}");
    }
    let foreign = gate2.publish("gp/v1/gate-1/command/reply", reply(&command, Outcome::Done), false).await;
    assert_eq!(foreign.unwrap(), PubAckReason::NotAuthorized);
    let not_its_own =
        gate2.publish("gp/v1/gate-2/command/reply", reply(&command, Outcome::Done), false).await;
    assert_eq!(not_its_own.unwrap(), PubAckReason::PayloadFormatInvalid);
    hub.wait_for_log(&["message refused", "this hub gave no command", &id]);
    assert_eq!(hub.get(&format!("/api/v1/commands/{id}"))["state"], "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_ordered_is_said() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let kept = with_original_kept(intrusion(boot, 1), &picture("x"));
    let plain = with_evidence(intrusion(boot, 2), &picture("y"));
    assert!(edge.send(&kept).await.unwrap() && edge.send(&plain).await.unwrap());
    let url = hub.url("/api/v1/commands");
    let good = order(&kept, "2 h");
    let change = |pointer: &str, value: Value| {
        let mut order = good.clone();
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    let signed = |who: &str| {
        let mut order = good.clone();
        order["who"] = json!(who);
        order
    };
    for (order, status, parameter, words) in [
        (change("/why", json!("x".repeat(501))), 400, "why", "at most 500"),
        (signed("somebody else"), 400, "who", "unknown field"),
        (change("/edge", json!("gate-2")), 400, "edge", "belongs to edge gate-1"),
        (change("/order/until", json!("2020-01-01T00:00:00Z")), 400, "order.until", "in the past"),
        (change("/order/until", json!("2200-01-01T00:00:00Z")), 400, "order.until", "31 days"),
        (change("/order/kind", json!("self_destruct")), 400, "order.kind", "does not know"),
        (change("/order/event", json!(boot)), 404, "", "there is no event"),
        (order(&plain, "2 h"), 404, "", "keeps no original"),
    ] {
        let answer = http::post_json(&url, &order).unwrap();
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, status, "{problem}");
        assert_eq!(problem["parameter"].as_str().unwrap_or(""), parameter, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    ask(&home, &hub, &kept, "2 h");
    assert_eq!(http::post_json(&url, &good).unwrap().status, 409, "it is already being asked for");
    assert_eq!(hub.get("/api/v1/commands")["commands"].as_array().unwrap().len(), 1);

    let request = |headers: &str, body: &str| {
        format!(
            "POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let json = "Content-Type: application/json\r\n";
    for (headers, body, status) in [
        (format!("{json}Sec-Fetch-Site: cross-site\r\n"), good.to_string(), "403"),
        (format!("{json}Origin: https://evil.example\r\n"), good.to_string(), "403"),
        ("Content-Type: text/plain\r\n".to_owned(), good.to_string(), "415"),
        (json.to_owned(), "{".to_owned(), "400"),
        (json.to_owned(), format!("{}{}", " ".repeat(20_000), good), "413"),
    ] {
        let answer = crate::api::raw(&hub, &request(&headers, &body));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers}{answer}");
    }
}

/// The box hears nothing until another person agrees, and never when nobody does.
#[tokio::test(flavor = "multi_thread")]
async fn an_original_takes_two_people() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let second = home.account(&hub, "second", &["--role", "supervisor"]);
    let operator = home.account(&hub, "operator", &["--role", "operator"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    let events: Vec<Event> =
        (1..=3).map(|seq| with_original_kept(intrusion(boot, seq), &picture("x"))).collect();
    for event in &events {
        assert!(edge.send(event).await.unwrap());
    }
    let propose = |event: &Event, expires: Option<Timestamp>| -> String {
        let mut wanted = order(event, "2 h");
        if let Some(expires) = expires {
            wanted["expires"] = json!(expires);
        }
        let given: Value = http::post_json(&hub.url("/api/v1/commands"), &wanted).unwrap().json().unwrap();
        assert_eq!((&given["state"], &given["person"]), (&json!("proposed"), &json!("tester")));
        given["id"].as_str().unwrap().to_owned()
    };
    let yes = json!({ "outcome": "approved" });
    let soon = Timestamp::now() + std::time::Duration::from_secs(1);
    let (declined, lapsing, approved) =
        (propose(&events[0], None), propose(&events[1], Some(soon)), propose(&events[2], None));

    let own = decide(&hub, &hub.cookie, &approved, &yes);
    assert!(own.status == 403 && own.text().contains("another person"), "{}", own.text());
    assert_eq!(decide(&hub, &operator, &approved, &yes).status, 403);
    assert_eq!(decide(&hub, &second, "01ARZ3NDEKTSV4RRFFQ69G5FAV", &yes).status, 404);
    let silent = decide(&hub, &second, &declined, &json!({ "outcome": "declined" }));
    assert!(silent.status == 400 && silent.text().contains("why"), "{}", silent.text());
    let no = json!({ "outcome": "declined", "text": "no report is known" });
    let given: Value = decide(&hub, &second, &declined, &no).json().unwrap();
    assert_eq!((&given["state"], &given["approval"]["who"]), (&json!("declined"), &json!("second (second)")));
    assert_eq!(given["approval"]["text"], "no report is known");
    assert_eq!(decide(&hub, &second, &declined, &yes).status, 409, "it was decided");
    propose(&events[0], None);
    let state = |id: &str| hub.get(&format!("/api/v1/commands/{id}"))["state"].clone();
    http::wait_until("the end of a proposal", PATIENCE, || (state(&lapsing) == "lapsed").then_some(()))
        .unwrap();
    assert_eq!(decide(&hub, &second, &lapsing, &yes).status, 409);

    // The first the box hears of is the one that was approved, although it was asked for last.
    assert_eq!(decide(&hub, &second, &approved, &yes).status, 200);
    assert_eq!(edge.command(home.hub_key()).await.id.to_string(), approved);
    let armed = json!({
        "edge": "gate-1", "why": "evening",
        "order": { "kind": "set_mode", "area": "yard", "mode": { "name": "disarmed" } },
    });
    let given: Value = http::post_json(&hub.url("/api/v1/commands"), &armed).unwrap().json().unwrap();
    assert_eq!(given["state"], "waiting", "arming takes one person");
    assert_eq!(decide(&hub, &second, given["id"].as_str().unwrap(), &yes).status, 409);
    assert_eq!(edge.command(home.hub_key()).await.id.to_string(), given["id"], "and no proposal before it");
}
