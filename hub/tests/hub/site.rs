//! Who is limited to a site, and everything there is of another: each route that reads, each that writes, and the live stream.

use std::collections::BTreeSet;

use gatepost_testbed::http::{self, Answer, EventStream};
use gatepost_wire::event::Phase;
use gatepost_wire::{Event, Timestamp};
use serde_json::{Value, json};

use crate::access::OPEN;
use crate::edge::Edge;
use crate::incident::{take_step, wait_for_incidents};
use crate::message::{
    alarm, boot, evidence_topic, health, intrusion_of, picture, presence, with_original_kept,
};
use crate::page::{draw_plan, real_picture};
use crate::process::{Home, Hub, PATIENCE};

const WORDS: &str = "words said at the other school";

/// What reads and is no site's: what each knows of themselves, and a webhook there is none of.
const OF_NO_SITE: &[&str] = &["/api/v1/session", "/api/v1/webhooks/{name}/dead"];

/// Of everything one: an event with evidence, an incident with steps and attachments, a hold, a command, a plan.
struct School {
    name: &'static str,
    edge: &'static str,
    event: Event,
    incident: String,
    hold: String,
    command: String,
}

impl School {
    /// As somebody who may do everything makes it.
    async fn at(hub: &Hub, link: &mut Edge, name: &'static str, edge: &'static str, shot: &[u8]) -> Self {
        let site = json!({ "label": name, "edges": [edge] });
        take(hub, "PUT", &format!("/api/v1/sites/{name}"), &site);
        let placed = json!({
            "cameras": [{ "edge": edge, "camera": "east-gate", "at": { "x": 0.5, "y": 0.5 }, "view": null }],
            "zones": [], "sensors": [],
        });
        draw_plan(hub, name, shot, &placed);
        let boot = boot();
        let event = intrusion_of(edge, boot, 1, alarm(), Phase::Began);
        let event = with_original_kept(event, &picture(edge));
        assert!(link.send(&event).await.unwrap());
        link.publish(&evidence_topic(&event), picture(edge), false).await.unwrap();
        hub.look_at(&event);
        let incidents = http::wait_until("the incident", PATIENCE, || {
            let page = hub.get(&format!("/api/v1/incidents?edge={edge}"));
            page["incidents"][0]["id"].as_str().map(str::to_owned)
        });
        let incident = incidents.unwrap();
        take_step(hub, &incident, json!({ "action": "note", "text": WORDS }));
        let attachments = hub.url(&format!("/api/v1/incidents/{incident}/attachments?name={edge}.pdf"));
        for number in 1..=2 {
            let paper = format!("%PDF-1.4 {edge} {number} %%EOF");
            http::send_bytes("POST", &attachments, Some(&hub.cookie), "application/pdf", paper.as_bytes())
                .unwrap()
                .success()
                .unwrap();
        }
        // What is taken back leaves a note of its deletion.
        take_step(hub, &incident, json!({ "action": "withdraw", "attachment": 2, "text": WORDS }));
        take_step(
            hub,
            &incident,
            json!({ "action": "triage", "outcome": "false_alarm", "reason": "animal" }),
        );
        let until = Timestamp::now() + jiff::SignedDuration::from_hours(48);
        let alarm = event.data.happening.alarm().unwrap().id;
        let hold =
            take(hub, "POST", "/api/v1/holds", &json!({ "alarm": alarm, "reason": WORDS, "until": until }));
        let order = json!({ "kind": "set_mode", "area": "yard", "mode": { "name": "armed_away" } });
        let command =
            take(hub, "POST", "/api/v1/commands", &json!({ "edge": edge, "why": WORDS, "order": order }));
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        // It says of itself how it is when all else is there.
        let presence = presence(edge, boot, "online");
        link.publish(&format!("gp/v1/{edge}/presence"), presence, true).await.unwrap();
        link.publish(&format!("gp/v1/{edge}/health"), health(edge, boot, 1), true).await.unwrap();
        Self { name, edge, incident, hold: id(&hold), command: id(&command), event }
    }

    /// None of this may be in what others are told.
    fn marks(&self) -> [String; 5] {
        [
            self.edge.to_owned(),
            self.name.to_owned(),
            self.event.id.to_string(),
            self.incident.clone(),
            self.command.clone(),
        ]
    }

    fn is_named_in(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        self.marks().iter().any(|mark| text.contains(mark.as_str()))
    }

    /// The route with this school's things in it.
    fn place(&self, path: &str) -> String {
        let id = match path {
            _ if path.contains("/incidents/") => self.incident.clone(),
            _ if path.contains("/commands/") => self.command.clone(),
            _ if path.contains("/holds/") => self.hold.clone(),
            _ => self.event.id.to_string(),
        };
        path.replace("{id}", &id)
            .replace("{sha256}", &self.event.data.evidence[0].sha256.to_string())
            .replace("{edge}", self.edge)
            .replace("{site}", self.name)
            .replace("{number}", "1")
    }

    /// What a parameter of a query asks for when it asks for this school.
    fn parameter(&self, name: &str) -> Option<String> {
        let around = |hours| (Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string();
        let said = match name {
            "edge" => self.edge.to_owned(),
            "site" => self.name.to_owned(),
            "from" => around(-1),
            "until" => around(1),
            _ => return None,
        };
        Some(format!("{name}={said}"))
    }
}

fn take(hub: &Hub, method: &str, path: &str, body: &Value) -> Value {
    let answer = http::send(method, &hub.url(path), Some(&hub.cookie), Some(body)).unwrap();
    answer.success().unwrap().json().unwrap()
}

/// Every documented route that reads, but those for strangers, as the school is asked for: as a list of its own accord, and with each
/// parameter that names a place.
fn questions(hub: &Hub, school: &School) -> Vec<(String, String)> {
    let document = hub.get("/api/v1/openapi.json");
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(get) = methods.get("get") else { continue };
        if OPEN.contains(&("GET", path.as_str())) || path == "/api/v1/live" {
            continue;
        }
        let none = Vec::new();
        let named = get["parameters"].as_array().unwrap_or(&none).iter();
        let (needed, more): (Vec<&Value>, Vec<&Value>) =
            named.filter(|one| one["in"] == "query").partition(|one| one["required"] == true);
        let said = |one: &Value| school.parameter(one["name"].as_str().unwrap());
        let base: Vec<String> = needed.into_iter().filter_map(said).collect();
        let placed = school.place(path);
        all.push((path.clone(), format!("{placed}?{}", base.join("&"))));
        for one in more.into_iter().filter(|one| one["name"] == "edge" || one["name"] == "site") {
            let query = [base.clone(), said(one).into_iter().collect()].concat().join("&");
            all.push((path.clone(), format!("{placed}?{query}")));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_and_no_stream_tells_of_another_site_or_lets_anybody_act_there() {
    let home = Home::embedded();
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let shot = real_picture(home.data());
    let mut near = Edge::connect(hub.broker_port(), "gate-1", &one).await.unwrap();
    let mut far = Edge::connect(hub.broker_port(), "gate-2", &two).await.unwrap();
    let own_site = json!({ "label": "school-1", "edges": ["gate-1"] });
    take(&hub, "PUT", "/api/v1/sites/school-1", &own_site);
    // All roles that may be limited to sites, in one person.
    let roles = ["operator", "handler", "supervisor", "maintainer", "technician"];
    let roles: Vec<&str> = roles.iter().flat_map(|role| ["--role", role]).collect();
    let cookie = home.account(&hub, "wang.li", &[&roles[..], &["--site", "school-1"]].concat());
    let ask = |method: &str, path: &str, body: Option<&Value>| -> Answer {
        http::send(method, &hub.url(path), Some(&cookie), body).unwrap()
    };
    let theirs = hub.url("/api/v1/live").replace("127.0.0.1", "localhost");
    http::sign_in(&theirs, &cookie);
    let streams = [EventStream::open(&hub.url("/api/v1/live")), EventStream::open(&theirs)];
    let [all, limited] = streams.map(Result::unwrap);

    let foreign = School::at(&hub, &mut far, "school-2", "gate-2", &shot).await;
    let own = School::at(&hub, &mut near, "school-1", "gate-1", &shot).await;
    wait_for_incidents(&hub, 2);

    // What everybody may see is told to who may see everything, and all of it kept from the limited one.
    let kinds = |stream: &EventStream, school: &School, heard: &mut Vec<Vec<u8>>| {
        let mut kinds = BTreeSet::new();
        while kinds.len() < 4 {
            let told = stream.next(PATIENCE).unwrap();
            heard.push(told.data.clone().into_bytes());
            if school.is_named_in(told.data.as_bytes()) {
                kinds.insert(told.event);
            }
        }
        kinds
    };
    let every = ["alert", "command", "device", "incident"].map(str::to_owned).into();
    assert_eq!(kinds(&all, &foreign, &mut Vec::new()), every);
    let mut heard = Vec::new();
    assert_eq!(kinds(&limited, &own, &mut heard), every);
    for told in heard {
        assert!(!foreign.is_named_in(&told), "{}", String::from_utf8_lossy(&told));
    }

    let mut told_apart = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for (route, path) in questions(&hub, &foreign) {
        let (full, limited) = (http::get(&hub.url(&path)).unwrap(), ask("GET", &path, None));
        assert!(!foreign.is_named_in(&limited.body) || limited.status >= 400, "{path}: {}", limited.text());
        assert!(matches!(limited.status, 200 | 403 | 404), "{path}: {} {}", limited.status, limited.text());
        if full.status == 200 && (limited.status != 200 || foreign.is_named_in(&full.body)) {
            told_apart.insert(route.clone());
        }
        asked.insert(route);
    }
    let alike: Vec<&String> = asked.difference(&told_apart).collect();
    assert_eq!(alike, OF_NO_SITE, "of each other route this test has something to keep");

    let alarm = foreign.event.data.happening.alarm().unwrap().id;
    let until = Timestamp::now() + jiff::SignedDuration::from_hours(2);
    let version = hub.get(&foreign.place("/api/v1/incidents/{id}"))["version"].clone();
    let order = json!({ "kind": "set_mode", "area": "yard", "mode": { "name": "disarmed" } });
    let placed = json!({ "version": 2, "placed": { "cameras": [], "zones": [], "sensors": [] } });
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/incidents/{id}/steps",
            json!({ "version": version, "action": "note", "text": "x" }),
        ),
        ("POST", "/api/v1/viewings", json!({ "alarm": alarm, "reason": "check_alarm", "text": "x" })),
        ("POST", "/api/v1/holds", json!({ "alarm": alarm, "reason": "x", "until": until })),
        ("POST", "/api/v1/holds/{id}/steps", json!({ "step": "confirm" })),
        ("POST", "/api/v1/commands", json!({ "edge": "gate-2", "why": "x", "order": order })),
        ("POST", "/api/v1/commands/{id}/decision", json!({ "outcome": "approved" })),
        ("PUT", "/api/v1/sites/{site}/plan", placed),
        ("DELETE", "/api/v1/sites/{site}/plan?version=2", json!(null)),
    ] {
        let answer = ask(method, &foreign.place(path), Some(&body));
        assert!(matches!(answer.status, 403 | 404), "{method} {path}: {} {}", answer.status, answer.text());
    }
    for (path, method, said, bytes) in [
        (
            "/api/v1/incidents/{id}/attachments?name=x.pdf",
            "POST",
            "application/pdf",
            &b"%PDF-1.4 x %%EOF"[..],
        ),
        ("/api/v1/sites/{site}/plan/picture?version=2", "PUT", "image/jpeg", &shot),
    ] {
        let url = hub.url(&foreign.place(path));
        let answer = http::send_bytes(method, &url, Some(&cookie), said, bytes).unwrap();
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
    }
    let after = hub.get(&foreign.place("/api/v1/incidents/{id}"));
    assert_eq!(after["version"], version, "nothing was done there");
    assert_eq!(hub.get("/api/v1/holds")["holds"].as_array().unwrap().len(), 2);
    let plan = hub.get(&foreign.place("/api/v1/sites/{site}/plan"));
    assert_eq!(plan["placed"]["cameras"].as_array().map(Vec::len), Some(1), "{plan}");
}
