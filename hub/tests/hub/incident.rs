//! The closed loop: alarms become incidents, people follow them to the end.

use std::time::Duration;

use gatepost_testbed::http::{self, Answer, EventStream};
use gatepost_wire::event::Phase;
use gatepost_wire::{AlarmId, Severity, Timestamp};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};

use crate::batch::join;
use crate::edge::Edge;
use crate::message::{alarm, boot, event_topic, happening, intrusion_of};
use crate::process::{Home, Hub, PATIENCE, command};

/// Somebody who is signed in.
pub struct Person<'h> {
    hub: &'h Hub,
    cookie: String,
}

impl<'h> Person<'h> {
    pub fn new(home: &Home, hub: &'h Hub, name: &str, arguments: &[&str]) -> Self {
        Self { hub, cookie: home.account(hub, name, arguments) }
    }

    pub fn get(&self, path: &str) -> Answer {
        http::send("GET", &self.hub.url(path), Some(&self.cookie), None::<&()>).unwrap()
    }

    pub fn incident(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/incidents/{id}")).json().unwrap()
    }

    pub fn list(&self, query: &str) -> Vec<Value> {
        let page: Value = self.get(&format!("/api/v1/incidents?{query}")).json().unwrap();
        page["incidents"].as_array().unwrap().clone()
    }

    /// As the page does: with the version it has just loaded.
    pub fn step(&self, id: &str, mut step: Value) -> Answer {
        if step.get("version").is_none() {
            step["version"] = http::get_json::<Value>(&self.hub.url(&format!("/api/v1/incidents/{id}")))
                .unwrap()["version"]
                .clone();
        }
        let url = self.hub.url(&format!("/api/v1/incidents/{id}/steps"));
        http::send("POST", &url, Some(&self.cookie), Some(&step)).unwrap()
    }

    pub fn takes(&self, id: &str, step: Value) -> Value {
        let answer = self.step(id, step.clone());
        assert_eq!(answer.status, 200, "{step}: {}", answer.text());
        answer.json().unwrap()
    }
}

/// As somebody who may do everything.
pub fn take_step(hub: &Hub, id: &str, mut step: Value) {
    let path = format!("/api/v1/incidents/{id}");
    step["version"] = hub.get(&path)["version"].clone();
    let answer = http::post_json(&hub.url(&format!("{path}/steps")), &step).unwrap();
    assert_eq!(answer.status, 200, "{step}: {}", answer.text());
}

pub fn wait_for_incidents(hub: &Hub, count: usize) -> Vec<Value> {
    http::wait_until("incidents", PATIENCE, || {
        let page = hub.get("/api/v1/incidents?limit=200");
        let incidents = page["incidents"].as_array().unwrap().clone();
        (incidents.len() == count).then_some(incidents)
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_of_one_happening_are_one_incident() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let mut seq = 0;
    let mut event = |alarm: AlarmId, phase: Phase, minutes_ago: i64| {
        seq += 1;
        let mut event = intrusion_of("gate-1", boot, seq, alarm, phase);
        event.time = Timestamp::now() - jiff::SignedDuration::from_mins(minutes_ago);
        event
    };
    let (first, second, earlier, later) = (alarm(), alarm(), alarm(), alarm());
    for event in [
        event(first, Phase::Began, 30),
        event(first, Phase::Ended, 29),
        // Four minutes after the first ended: the same happening.
        event(second, Phase::Began, 25),
        // Long before, and long after.
        event(earlier, Phase::Began, 60),
        event(later, Phase::Began, 10),
    ] {
        assert!(edge.send(&event).await.unwrap());
    }
    let incidents = wait_for_incidents(&hub, 3);
    let alarms: Vec<&Value> = incidents.iter().map(|incident| &incident["alarms"]).collect();
    assert_eq!(alarms, [1, 1, 2], "newest first");
    let double = &incidents[2];
    assert_eq!(
        (&double["stage"], &double["ongoing"], &double["version"]),
        (&json!("reported"), &json!(true), &json!(1))
    );
    let id = double["id"].as_str().unwrap();
    let alerts = hub.get(&format!("/api/v1/incidents/{id}/alerts"));
    let ids: Vec<&Value> = alerts["alerts"].as_array().unwrap().iter().map(|alert| &alert["id"]).collect();
    assert_eq!(ids, [&json!(first), &json!(second)]);
    assert!(edge.send(&event(second, Phase::Ended, 24)).await.unwrap());
    let quiet = |id: &str| (hub.get(&format!("/api/v1/incidents/{id}"))["ongoing"] == false).then_some(());
    http::wait_until("the incident to be quiet", PATIENCE, || quiet(id)).unwrap();
    let told = loop {
        let told = stream.next(PATIENCE).unwrap();
        if told.event == "incident" {
            break serde_json::from_str::<Value>(&told.data).unwrap();
        }
    };
    assert!(told.get("may").is_none() && told["number"].as_i64().unwrap() >= 1, "{told}");

    // A hub that is killed and started again opens none twice.
    drop(stream);
    drop(hub);
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&event(earlier, Phase::Ended, 59)).await.unwrap());
    let id = incidents[1]["id"].as_str().unwrap();
    http::wait_until("the incident to be quiet", PATIENCE, || {
        (hub.get(&format!("/api/v1/incidents/{id}"))["ongoing"] == false).then_some(())
    })
    .unwrap();
    wait_for_incidents(&hub, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_follow_an_incident_to_its_end() {
    let home = Home::embedded();
    let (token, elsewhere) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let site = json!({ "label": "school", "edges": ["gate-2"] });
    let url = hub.url("/api/v1/sites/school-2");
    assert_eq!(http::send("PUT", &url, Some(&hub.cookie), Some(&site)).unwrap().status, 200);
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let handler = Person::new(&home, &hub, "zhao", &["--role", "handler"]);
    let supervisor = Person::new(&home, &hub, "li", &["--role", "supervisor"]);
    let _far = Person::new(&home, &hub, "far", &["--role", "handler", "--site", "school-2"]);
    for (name, token) in [("gate-1", &token), ("gate-2", &elsewhere)] {
        let mut edge = Edge::connect(hub.broker_port(), name, token).await.unwrap();
        assert!(edge.send(&intrusion_of(name, boot(), 1, alarm(), Phase::Began)).await.unwrap());
    }
    let incidents = wait_for_incidents(&hub, 2);
    let id = incidents.iter().find(|one| one["edge"] == "gate-1").unwrap()["id"].as_str().unwrap();

    assert_eq!(handler.get(&format!("/api/v1/incidents/{id}")).status, 404, "it is not theirs");
    assert_eq!(handler.list(""), Vec::<Value>::new());
    assert_eq!(
        operator.incident(id)["may"],
        json!(["triage", "assign", "shelve", "request_extension", "note", "attach"])
    );
    let people: Value = operator.get("/api/v1/handlers?edge=gate-1").json().unwrap();
    let names: Vec<&Value> = people["people"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["li", "tester", "zhao"]);
    for (step, status, words) in [
        (json!({ "action": "assign", "to": "far" }), 400, "cannot handle it"),
        (json!({ "action": "assign", "to": "wang" }), 400, "cannot handle it"),
        (json!({ "action": "accept" }), 403, "handle_incidents"),
        (json!({ "action": "close", "text": "x" }), 409, "stage"),
        (json!({ "action": "triage", "outcome": "false_alarm" }), 400, "why"),
        (json!({ "action": "triage", "outcome": "maybe" }), 400, "maybe"),
        (json!({ "action": "note", "text": "  " }), 400, "1 to 1000"),
        (json!({ "action": "note", "text": "x", "more": 1 }), 400, "unknown field"),
        (json!({ "action": "note", "text": "x", "version": 7 }), 409, "changed meanwhile"),
        (json!({ "action": "open" }), 400, "unknown variant"),
    ] {
        let answer = operator.step(id, step.clone());
        assert_eq!(answer.status, status, "{step}: {}", answer.text());
        assert!(answer.text().contains(words), "{step}: {}", answer.text());
    }

    operator.takes(id, json!({ "action": "triage", "outcome": "real" }));
    let assigned = operator
        .takes(id, json!({ "action": "assign", "to": "zhao", "text": "at the <b>east</b> gate\n请尽快" }));
    assert_eq!(assigned["assignee"], json!({ "name": "zhao", "display_name": "zhao" }));
    assert_eq!(handler.list("mine=true&open=true").len(), 1);
    assert_eq!(
        handler.incident(id)["may"],
        json!(["accept", "return", "request_extension", "note", "attach"])
    );
    handler.takes(id, json!({ "action": "accept" }));
    handler.takes(id, json!({ "action": "begin" }));
    assert_eq!(
        supervisor.step(id, json!({ "action": "feed_back", "text": "x" })).status,
        403,
        "only by who has it"
    );
    handler.takes(id, json!({ "action": "feed_back", "text": "a ball; gave it back" }));
    assert_eq!(handler.step(id, json!({ "action": "pass" })).status, 403);
    supervisor.takes(id, json!({ "action": "pass" }));
    let closed = operator.takes(id, json!({ "action": "close" }));
    assert_eq!(
        (&closed["stage"], &closed["outcome"], &closed["due"]),
        (&json!("closed"), &json!("real"), &Value::Null)
    );
    supervisor.takes(id, json!({ "action": "evaluate", "grade": 5 }));
    assert_eq!(operator.list("open=true").len(), 1, "the other one");
    assert_eq!(operator.list("open=false").len(), 1);

    let timeline: Value = handler.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    let steps = timeline["steps"].as_array().unwrap();
    let actions: Vec<&str> = steps.iter().map(|step| step["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["open", "triage", "assign", "accept", "begin", "feed_back", "pass", "close", "evaluate"]
    );
    assert_eq!((&steps[0]["who"], &steps[2]["who"]), (&Value::Null, &json!("wang (wang)")));
    assert_eq!(steps[2]["detail"], json!({ "to": "zhao", "display_name": "zhao" }));
    assert_eq!(closed["object"], "person");
    let figures: Value = supervisor.get("/api/v1/incident-figures?days=1").json().unwrap();
    assert_eq!((&figures["opened"], &figures["per_operator_10_min"]["operators"]), (&json!(2), &json!(1)));
    assert!(figures["close_s"]["p50"].as_i64().unwrap() < 60, "{figures}");

    // The export holds together, and whoever changes a word of it is found out.
    let export = home.call(&["timeline", "export"]);
    let file = home.data().join("export.jsonl");
    let verify = |text: &str| {
        std::fs::write(&file, text).unwrap();
        command(&["timeline", "verify", &file.display().to_string()])
    };
    let good = verify(&export);
    assert!(String::from_utf8_lossy(&good.stdout).starts_with("whole: 10 steps"), "{good:?}");
    let forged = verify(&export.replace("gave it back", "kept it"));
    assert!(!forged.status.success());
    assert!(String::from_utf8_lossy(&forged.stderr).contains("was changed"), "{forged:?}");
}

/// Whatever is asked for, each page goes on where the one before it ended, and what does not match is not there.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_searched_and_a_shift_is_handed_over() {
    let home = Home::embedded();
    let tokens = ["gate-1", "gate-2"].map(|name| (name, home.add(name)));
    let hub = home.start();
    let school = json!({ "label": "school", "edges": ["gate-2"] });
    let url = hub.url("/api/v1/sites/school-2");
    assert_eq!(http::send("PUT", &url, Some(&hub.cookie), Some(&school)).unwrap().status, 200);
    let begin = Timestamp::now() - jiff::SignedDuration::from_secs(1);
    for (name, token) in &tokens {
        let mut edge = Edge::connect(hub.broker_port(), name, token).await.unwrap();
        let boot = boot();
        // So far apart that each is an incident of its own, the third as grave as it gets.
        for (seq, ago) in [(1, 40), (2, 20), (3, 1)] {
            let mut event = intrusion_of(name, boot, seq, alarm(), Phase::Began);
            event.time = Timestamp::now() - jiff::SignedDuration::from_mins(ago);
            event.data.severity = if seq == 3 { Severity::CRITICAL } else { Severity::HIGH };
            assert!(edge.send(&event).await.unwrap());
        }
    }
    let all = wait_for_incidents(&hub, 6);
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let far = Person::new(&home, &hub, "far", &["--role", "operator", "--site", "school-2"]);
    let [animal, real, noted, ..] = &all[..] else { panic!("{all:?}") };
    let id = |incident: &Value| incident["id"].as_str().unwrap().to_owned();
    let (animal, real, noted) = (id(animal), id(real), id(noted));
    operator.takes(&animal, json!({ "action": "triage", "outcome": "false_alarm", "reason": "animal" }));
    operator.takes(&real, json!({ "action": "triage", "outcome": "real" }));
    operator.takes(&real, json!({ "action": "close", "text": "the gardener" }));
    operator.takes(&noted, json!({ "action": "note", "text": "<b>ask</b> the school" }));

    let found = |query: &str| operator.list(query).iter().map(id).collect::<Vec<_>>();
    let everything: Vec<String> = all.iter().map(id).collect();
    assert_eq!(found(""), everything, "newest first");
    assert_eq!(found("outcome=false_alarm"), [&*animal]);
    assert_eq!(found("reason=animal&kind=zone_intrusion&camera=east-gate"), [&*animal]);
    assert_eq!(found("reason=plant"), Vec::<String>::new());
    assert_eq!(found("outcome=real&open=false"), [&*real]);
    assert_eq!(found("kind=loitering"), Vec::<String>::new());
    assert_eq!(found("severity=1").len(), 2);
    assert_eq!(found("severity=2").len(), 4);
    assert_eq!(found("stage=reported").len(), 4);
    assert_eq!(found("open=false").len(), 2);
    let number = all[0]["number"].as_i64().unwrap();
    assert_eq!(found(&format!("number={number}")), everything[..1]);
    // What one batch opened has one time: the moment may lie between neighbours or hold several of them.
    let at = |incident: &Value| incident["opened"].as_str().unwrap().to_owned();
    let moment = at(&all[2]);
    let since = all.iter().filter(|one| at(one) >= moment).count();
    assert_eq!(found(&format!("from={moment}")), everything[..since], "from that moment on");
    assert_eq!(found(&format!("until={moment}")), everything[since..], "before that moment");
    let of_site = operator.list("site=school-2");
    assert!(of_site.len() == 3 && of_site.iter().all(|one| one["edge"] == "gate-2"), "{of_site:?}");
    assert_eq!(far.list("").len(), 3);
    assert_eq!(far.list("edge=gate-1"), Vec::<Value>::new(), "not theirs, whatever they ask for");

    let (mut paged, mut before) = (Vec::new(), String::new());
    loop {
        let page: Value =
            operator.get(&format!("/api/v1/incidents?limit=2&severity=2{before}")).json().unwrap();
        paged.extend(page["incidents"].as_array().unwrap().iter().map(id));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(paged, found("severity=2"));
    for (query, parameter) in [
        ("severity=5", "severity"),
        ("severity=x", "severity"),
        ("from=yesterday", "from"),
        ("before=17", "before"),
        ("site=School", "site"),
        ("outcome=maybe", "outcome"),
        ("words=x", "unknown field"),
    ] {
        let answer = operator.get(&format!("/api/v1/incidents?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.text().contains(parameter), "{query}: {}", answer.text());
    }

    let report = |person: &Person<'_>, from: Timestamp, until: Timestamp| -> Value {
        person.get(&format!("/api/v1/shift-report?from={from}&until={until}")).json().unwrap()
    };
    let end = Timestamp::now() + jiff::SignedDuration::from_secs(1);
    let shift = report(&operator, begin, end);
    assert_eq!(
        (&shift["opened"], &shift["closed"], &shift["false_alarms"]),
        (&json!(6), &json!(2), &json!(1))
    );
    assert_eq!(shift["worst"][0]["rules"][0]["reasons"], json!({ "animal": 1 }));
    let open = shift["open"].as_array().unwrap();
    let said = open.iter().find(|one| one["incident"]["id"] == noted).unwrap();
    assert_eq!((open.len(), &said["said"]["text"]), (4, &json!("<b>ask</b> the school")));
    assert!(open.iter().filter(|one| one["said"].is_null()).count() == 3, "{shift}");
    let done = shift["dealt_with"].as_array().unwrap();
    assert_eq!((done.len(), &done[0]["said"]["text"]), (1, &json!("the gardener")));
    assert_eq!(shift["notes"][0]["step"]["who"], "wang (wang)");
    let theirs = report(&far, begin, end);
    assert_eq!(
        (&theirs["opened"], theirs["open"].as_array().unwrap().len()),
        (&json!(3), 3 - theirs["closed"].as_u64().unwrap() as usize)
    );
    let later = report(&operator, end, end + jiff::SignedDuration::from_hours(1));
    assert_eq!((&later["opened"], &later["closed"], &later["notes"]), (&json!(0), &json!(0), &json!([])));
    for span in [(end, begin), (begin, begin + jiff::SignedDuration::from_hours(169))] {
        let answer = operator.get(&format!("/api/v1/shift-report?from={}&until={}", span.0, span.1));
        assert_eq!(answer.status, 400, "{}", answer.text());
    }

    // Boxes come in pages, too.
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let page = hub.get(&format!("/api/v1/devices?limit=1{after}"));
        names.extend(page["devices"].as_array().unwrap().iter().map(|one| one["edge"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(names, ["gate-1", "gate-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_act_at_once_one_is_told_and_who_is_late_is_reminded() {
    let home = Home::with_broker(
        "[broker]\nlisten = \"127.0.0.1:0\"\n[incident_deadlines]\nreported_s = [1, 1, 1, 1]\n",
    );
    let token = home.add("gate-1");
    let hub = home.start();
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began)).await.unwrap());
    let id = wait_for_incidents(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    let late = http::wait_until("the reminder", Duration::from_secs(15), || {
        let incident = operator.incident(&id);
        (incident["overdue"] == true && incident["version"] == 2).then_some(incident)
    });
    let timeline: Value = operator.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    assert_eq!(timeline["steps"][1]["action"], "remind", "{late:?}");
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let both = [(); 8].map(|()| {
            let step = json!({ "version": 2, "action": "triage", "outcome": "test" });
            scope.spawn(|| operator.step(&id, step).status)
        });
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 200 | 409)), "{answers:?}");
    assert_eq!(operator.incident(&id)["stage"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_box_has_fused_is_one_incident_and_a_graver_part_makes_it_graver() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, whole, part) = (boot(), alarm(), alarm());
    let mut seen = intrusion_of("gate-1", boot, 1, part, Phase::Began);
    seen.data.severity = Severity::MEDIUM;
    assert!(edge.send(&seen).await.unwrap());
    let open = wait_for_incidents(&hub, 1);
    assert_eq!(open[0]["severity"], 3);
    let mut fence = happening(
        boot,
        2,
        whole,
        Phase::Began,
        json!({ "kind": "sensor_alarm", "sensor": "fence-3", "input": "fence", "area": "north" }),
    );
    fence.data.severity = Severity::CRITICAL;
    fence.data.fused = serde_json::from_value(json!({ "rule": "climbing", "parts": [part] })).unwrap();
    assert!(edge.send(&fence).await.unwrap());
    let graver = http::wait_until("the incident to be graver", PATIENCE, || {
        let incident = wait_for_incidents(&hub, 1).remove(0);
        (incident["severity"] == 1).then_some(incident)
    })
    .unwrap();
    assert_eq!((&graver["alarms"], &graver["version"]), (&json!(2), &json!(2)));
    let path = format!("/api/v1/incidents/{}/timeline", graver["id"].as_str().unwrap());
    assert_eq!(hub.get(&path)["steps"][1]["action"], "worsen");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_on_while_a_box_was_cut_off_is_one_incident_once_it_has_told_all() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let ago = |seq, minutes| {
        let mut event = intrusion_of("gate-1", boot, seq, alarm(), Phase::Began);
        event.time = Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        event
    };
    // What happens now comes before what happened meanwhile: every four minutes for an hour.
    assert!(edge.send(&ago(17, 1)).await.unwrap());
    let now = wait_for_incidents(&hub, 1).remove(0);
    assert!(edge.send(&ago(1, 61)).await.unwrap());
    let [meanwhile, _] = &wait_for_incidents(&hub, 2)[..] else { panic!() };
    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let backlog: Vec<_> = (2..=16).zip((1..=57).rev().step_by(4)).map(|(seq, at)| ago(seq, at)).collect();
    let answer = edge.publish(&event_topic(&backlog[0]), join(&backlog), false).await.unwrap();
    assert_eq!(answer, PubAckReason::Success);

    let one = http::wait_until("one incident", PATIENCE, || {
        let open = hub.get("/api/v1/incidents?open=true")["incidents"].as_array().unwrap().clone();
        (open.len() == 1 && open[0]["alarms"] == 17).then(|| open[0].clone())
    })
    .unwrap();
    assert_eq!((&one["id"], &one["merged_into"]), (&now["id"], &Value::Null));
    let id = meanwhile["id"].as_str().unwrap();
    let gone = hub.get(&format!("/api/v1/incidents/{id}"));
    let state = (&gone["stage"], &gone["outcome"], &gone["alarms"], &gone["merged_into"]);
    assert_eq!(state, (&json!("closed"), &Value::Null, &json!(0), &now["number"]));
    let may: Vec<&str> = gone["may"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(may, ["note", "attach"]);
    let steps = |id: &Value| {
        let path = format!("/api/v1/incidents/{}/timeline", id.as_str().unwrap());
        let timeline = hub.get(&path);
        let last = timeline["steps"].as_array().unwrap().last().unwrap().clone();
        (last["action"].clone(), last["to"].clone(), last["detail"].clone())
    };
    let merge = json!("merge");
    let into = json!({ "into": now["id"], "number": now["number"] });
    assert_eq!(steps(&gone["id"]), (merge.clone(), json!("closed"), into));
    let from = json!({ "from": gone["id"], "number": gone["number"] });
    assert_eq!(steps(&one["id"]), (merge, json!("reported"), from));
    // Who looks at a page sees one of them go.
    loop {
        let told = stream.next(PATIENCE).unwrap();
        if told.event == "incident" && told.data.contains(id) {
            let told: Value = serde_json::from_str(&told.data).unwrap();
            if told["stage"] == "closed" {
                assert_eq!(told["merged_into"], now["number"]);
                break;
            }
        }
    }
    let figures = hub.get("/api/v1/incident-figures?days=1");
    assert_eq!((&figures["opened"], &figures["close_s"]), (&json!(2), &Value::Null));
}
