//! How long an incident may stay in a stage, and what happens when it stays for longer.

use gatepost_testbed::http;
use gatepost_testbed::metrics::value;
use gatepost_wire::event::Phase;
use gatepost_wire::{Severity, Timestamp};
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::incident::{Person, wait_for_incidents};
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};

fn put_site(hub: &Hub, site: &str, wanted: &Value) -> http::Answer {
    let url = hub.url(&format!("/api/v1/sites/{site}"));
    http::send("PUT", &url, Some(&hub.cookie), Some(wanted)).unwrap()
}

/// Opens an incident at a box; its id.
pub async fn open(hub: &Hub, edge: &str, token: &str, severity: Severity, all: usize) -> String {
    let mut link = Edge::connect(hub.broker_port(), edge, token).await.unwrap();
    let mut event = intrusion_of(edge, boot(), 1, alarm(), Phase::Began);
    event.data.severity = severity;
    assert!(link.send(&event).await.unwrap());
    let incidents = wait_for_incidents(hub, all);
    incidents.iter().find(|one| one["edge"] == edge).unwrap()["id"].as_str().unwrap().to_owned()
}

/// Seconds from the last step of an incident to its deadline.
fn given(person: &Person<'_>, id: &str) -> Option<i64> {
    let timeline: Value = person.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    let last: Timestamp =
        timeline["steps"].as_array().unwrap().last().unwrap()["time"].as_str()?.parse().unwrap();
    let due: Timestamp = person.incident(id)["due"].as_str()?.parse().unwrap();
    Some(due.duration_since(last).as_secs())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_has_deadlines_of_its_own_and_what_it_leaves_out_is_as_everywhere() {
    let home = Home::with_broker(
        "[broker]\nlisten = \"127.0.0.1:0\"\n[incident_deadlines]\nreported_s = [100, 200, 300, 400]\ntriaged_s = 500\n",
    );
    let (here, there) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let own = json!({ "reported_s": [null, 30, null, 0], "assigned_s": 40 });
    let site = json!({ "label": "school", "edges": ["gate-2"], "deadlines": own });
    let put = put_site(&hub, "school-2", &site);
    assert_eq!(put.status, 200, "{}", put.text());
    let sites = hub.get("/api/v1/sites");
    assert_eq!(sites["sites"][0]["deadlines"]["reported_s"], json!([null, 30, null, 0]));
    assert_eq!(sites["sites"][0]["deadlines"]["triaged_s"], Value::Null);
    assert_eq!(sites["deadlines"]["triaged_s"], 500, "what holds where a site says nothing");

    let usual = open(&hub, "gate-1", &here, Severity::HIGH, 1).await;
    let own = open(&hub, "gate-2", &there, Severity::HIGH, 2).await;
    assert_eq!((given(&operator, &usual), given(&operator, &own)), (Some(200), Some(30)));
    for (id, triaged, assigned) in [(&usual, 500, 600), (&own, 500, 40)] {
        operator.takes(id, json!({ "action": "triage", "outcome": "real" }));
        assert_eq!(given(&operator, id), Some(triaged));
        operator.takes(id, json!({ "action": "assign", "to": "tester" }));
        assert_eq!(given(&operator, id), Some(assigned));
    }

    // What was entered before keeps its deadline; the next stage has the new one.
    let changed =
        json!({ "label": "school", "edges": ["gate-2"], "deadlines": { "assigned_s": 0, "accepted_s": 50 } });
    assert_eq!(put_site(&hub, "school-2", &changed).status, 200);
    assert_eq!(given(&operator, &own), Some(40));
    let tester = |step: Value| {
        let mut step = step;
        step["version"] = operator.incident(&own)["version"].clone();
        http::send(
            "POST",
            &hub.url(&format!("/api/v1/incidents/{own}/steps")),
            Some(&hub.cookie),
            Some(&step),
        )
    };
    assert_eq!(tester(json!({ "action": "accept" })).unwrap().status, 200);
    assert_eq!(given(&operator, &own), Some(50));
    operator.takes(&own, json!({ "action": "assign", "to": "tester" }));
    assert_eq!(given(&operator, &own), None, "as long as it likes");

    for (deadlines, parameter) in [
        (json!({ "assigned_s": 2_592_001 }), "deadlines.assigned_s"),
        (json!({ "assigned_s": -1 }), "deadlines.assigned_s"),
        (json!({ "reported_s": [1, 2] }), "deadlines.reported_s"),
        (json!({ "closed_s": 1 }), "deadlines"),
    ] {
        let refused =
            put_site(&hub, "school-2", &json!({ "label": "x", "edges": [], "deadlines": deadlines }));
        assert_eq!(refused.status, 400, "{deadlines}");
        assert!(refused.text().contains(parameter), "{deadlines}: {}", refused.text());
    }
    let log = hub.get("/api/v1/access-log");
    let details: Vec<&str> =
        log["records"].as_array().unwrap().iter().filter_map(|one| one["detail"].as_str()).collect();
    assert!(
        details.iter().any(|detail| detail.contains("reported -/30/-/0 s, assigned 40 s")),
        "{details:?}"
    );
    // Without any, it is as everywhere again.
    assert_eq!(put_site(&hub, "school-2", &json!({ "label": "school", "edges": ["gate-2"] })).status, 200);
    assert_eq!(hub.get("/api/v1/sites")["sites"][0]["deadlines"]["accepted_s"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_move_is_reminded_and_then_it_is_escalated_once() {
    let home = Home::with_broker(
        "[broker]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n[incident_deadlines]\nreported_s = [1, 1, 1, 1]\n\
         escalate_after_s = 1\ntriaged_s = 86400\n",
    );
    let (here, there) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let never = json!({ "label": "yard", "edges": ["gate-2"], "deadlines": { "escalate_after_s": 0 } });
    assert_eq!(put_site(&hub, "yard", &never).status, 200);
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let id = open(&hub, "gate-1", &here, Severity::LOW, 1).await;
    let quiet = open(&hub, "gate-2", &there, Severity::LOW, 2).await;
    let late = http::wait_until("the escalation", PATIENCE, || {
        let incident = operator.incident(&id);
        (incident["escalated"] == true).then_some(incident)
    })
    .unwrap();
    assert_eq!((&late["version"], &late["overdue"]), (&json!(3), &json!(true)));
    let actions = |id: &str| -> Vec<String> {
        let timeline: Value = operator.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
        let steps = timeline["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["who"].is_null()), "the hub says it by itself");
        steps.iter().map(|step| step["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(&id), ["open", "remind", "escalate"]);
    let list = |query: &str| operator.list(query).iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(list("escalated=true"), [json!(id)]);
    assert_eq!(list("escalated=false"), [json!(quiet)]);
    let escalated = || {
        let text = http::get(&format!("{}/metrics", hub.metrics())).unwrap().text();
        value(&text, "gatepost_hub_incidents_escalated").unwrap()
    };
    assert_eq!(escalated(), 1.0);

    // Looks go on, as another one shows; nothing is said twice, and what a site never escalates it never escalates.
    let mut link = Edge::connect(hub.broker_port(), "gate-1", &here).await.unwrap();
    let mut event = intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began);
    event.time = Timestamp::now() - jiff::SignedDuration::from_mins(30);
    assert!(link.send(&event).await.unwrap());
    http::wait_until("another escalation", PATIENCE, || (list("escalated=true").len() == 2).then_some(()))
        .unwrap();
    assert_eq!(actions(&id), ["open", "remind", "escalate"]);
    assert_eq!(actions(&quiet), ["open", "remind"]);
    let next = operator.takes(&id, json!({ "action": "triage", "outcome": "real" }));
    assert_eq!((&next["escalated"], &next["overdue"]), (&json!(false), &json!(false)), "another stage");
    assert_eq!(list("escalated=true").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_it_asks_for_more_time_and_a_second_person_decides() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let handler = Person::new(&home, &hub, "zhao", &["--role", "handler"]);
    let supervisor = Person::new(&home, &hub, "li", &["--role", "supervisor"]);
    let second = Person::new(&home, &hub, "chen", &["--role", "supervisor"]);
    let id = open(&hub, "gate-1", &token, Severity::HIGH, 1).await;
    operator.takes(&id, json!({ "action": "assign", "to": "zhao" }));
    handler.takes(&id, json!({ "action": "accept" }));
    let before = handler.incident(&id)["due"].clone();
    let until = Timestamp::now() + jiff::SignedDuration::from_hours(3);
    let ask = |until: &Timestamp| json!({ "action": "request_extension", "until": until, "text": "等 <b>钥匙</b>" });
    let early = handler.step(&id, ask(&before.as_str().unwrap().parse().unwrap()));
    assert_eq!((early.status, early.text().contains("until")), (400, true), "{}", early.text());
    assert_eq!(handler.step(&id, json!({ "action": "extend", "until": until, "text": "x" })).status, 400);
    let asked = handler.takes(&id, ask(&until));
    let by = json!({ "name": "zhao", "display_name": "zhao" });
    assert_eq!(asked["extension"], json!({ "by": by, "until": until, "reason": "等 <b>钥匙</b>" }));
    assert_eq!(asked["due"], before, "asking alone moves nothing");
    assert_eq!(operator.step(&id, ask(&until)).status, 409, "one at a time");
    assert_eq!(operator.step(&id, json!({ "action": "approve_extension" })).status, 403);
    assert!(supervisor.incident(&id)["may"].as_array().unwrap().contains(&json!("approve_extension")));
    assert_eq!(
        supervisor.step(&id, json!({ "action": "decline_extension" })).status,
        400,
        "it wants a reason"
    );
    let declined =
        supervisor.takes(&id, json!({ "action": "decline_extension", "text": "there is a spare one" }));
    assert_eq!((&declined["extension"], &declined["due"]), (&Value::Null, &before));

    // A supervisor who asks is no exception.
    supervisor.takes(&id, ask(&until));
    let own = supervisor.step(&id, json!({ "action": "approve_extension" }));
    assert_eq!((own.status, own.text().contains("somebody else")), (403, true), "{}", own.text());
    let approved = second.takes(&id, json!({ "action": "approve_extension" }));
    assert_eq!((&approved["extension"], &approved["due"]), (&Value::Null, &json!(until)));
    let timeline: Value = handler.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    let steps: Vec<(&Value, &Value, &Value)> = timeline["steps"].as_array().unwrap()[3..]
        .iter()
        .map(|step| (&step["who"], &step["action"], &step["detail"]))
        .collect();
    let (alone, with) = (json!({ "until": until }), |by: &str| json!({ "until": until, "by": by }));
    assert_eq!(
        steps,
        [
            (&json!("zhao (zhao)"), &json!("request_extension"), &alone),
            (&json!("li (li)"), &json!("decline_extension"), &with("zhao")),
            (&json!("li (li)"), &json!("request_extension"), &alone),
            (&json!("chen (chen)"), &json!("approve_extension"), &with("li")),
        ]
    );
    // What was asked for in one stage is nothing in the next.
    operator.takes(&id, ask(&(until + jiff::SignedDuration::from_hours(1))));
    assert_eq!(handler.takes(&id, json!({ "action": "begin" }))["extension"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_chatters_and_what_stays_are_figures() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let mut link = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    // One that has gone on for a day, and three within a minute.
    for (seq, ago) in [(1, 25 * 3600), (2, 600), (3, 580), (4, 545)] {
        let mut event = intrusion_of("gate-1", boot, seq, alarm(), Phase::Began);
        event.time = Timestamp::now() - jiff::SignedDuration::from_secs(ago);
        assert!(link.send(&event).await.unwrap());
    }
    wait_for_incidents(&hub, 2);
    let figures: Value = http::wait_until("all alarms in their incidents", PATIENCE, || {
        let figures: Value = operator.get("/api/v1/incident-figures?days=1").json().unwrap();
        (figures["chattering"]["alarms"] == 1).then_some(figures)
    })
    .unwrap();
    let worst = &figures["chattering"]["worst"][0];
    assert_eq!(figures["chattering"]["sources"], 1);
    assert_eq!(
        (&worst["camera"], &worst["rule"], &worst["kind"]),
        (&json!("east-gate"), &json!("lawn-closed"), &json!("zone_intrusion"))
    );
    assert_eq!((&figures["stale"]["alarms"], &figures["stale"]["incidents"]), (&json!(1), &json!(0)));
    assert_eq!(figures["stale"]["oldest"].as_array().unwrap().len(), 1);
    assert_eq!(figures["stale"]["oldest"][0]["ongoing"], true);
}
