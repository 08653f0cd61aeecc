//! Accounts: who gets in, and what each may do and see.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_testbed::account::PASSWORD;
use gatepost_testbed::http::{self, Answer, EventStream};
use gatepost_wire::Event;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::command::come_online;
use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, intrusion, intrusion_of, picture, with_original_kept};
use crate::process::{Home, Hub, PATIENCE, command};

const ROLES: [&str; 7] =
    ["operator", "handler", "supervisor", "maintainer", "technician", "auditor", "administrator"];

/// Who may do what: the table of docs/ACCESS.md. Every method of every documented path has to be here.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("GET", "/api/v1/alerts", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/events", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/events/{id}", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/viewings", &["supervisor", "auditor"]),
    // Before the two that take an opening.
    ("POST", "/api/v1/viewings", &["operator", "handler", "supervisor"]),
    ("GET", "/api/v1/events/{id}/snapshot", &["operator", "handler", "supervisor"]),
    ("GET", "/api/v1/events/{id}/evidence/{sha256}", &["operator", "handler", "supervisor"]),
    ("GET", "/api/v1/incidents", &["operator", "handler", "supervisor", "auditor"]),
    // One that does not exist: the steps have a test of their own.
    ("GET", "/api/v1/incidents/{id}", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/incidents/{id}/alerts", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/incidents/{id}/timeline", &["operator", "handler", "supervisor", "auditor"]),
    ("POST", "/api/v1/incidents/{id}/steps", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/incidents/{id}/attachments", &["operator", "handler", "supervisor", "auditor"]),
    ("POST", "/api/v1/incidents/{id}/attachments", &["operator", "handler", "supervisor", "auditor"]),
    ("GET", "/api/v1/incidents/{id}/attachments/{number}", &["operator", "handler", "supervisor"]),
    ("GET", "/api/v1/handlers", &["operator", "supervisor"]),
    ("GET", "/api/v1/incident-figures", &["operator", "supervisor", "auditor"]),
    ("GET", "/api/v1/shift-report", &["operator", "supervisor", "auditor"]),
    ("GET", "/api/v1/exports/alerts", &["supervisor", "auditor"]),
    ("GET", "/api/v1/exports/incidents", &["supervisor", "auditor"]),
    ("GET", "/api/v1/commands", &["operator", "supervisor", "maintainer", "auditor"]),
    ("GET", "/api/v1/commands/{id}", &["operator", "supervisor", "maintainer", "auditor"]),
    // With an order to arm; releasing an original has a test of its own.
    ("POST", "/api/v1/commands", &["operator", "supervisor", "maintainer"]),
    // Of one that does not exist.
    ("POST", "/api/v1/commands/{id}/decision", &["supervisor"]),
    ("GET", "/api/v1/deletions", &["supervisor", "auditor"]),
    ("GET", "/api/v1/disposals", &["auditor", "administrator"]),
    ("GET", "/api/v1/holds", &["supervisor", "auditor"]),
    // Refused for what they say; the steps have a test of their own.
    ("POST", "/api/v1/holds", &["supervisor", "auditor"]),
    ("POST", "/api/v1/holds/{id}/steps", &["supervisor", "auditor"]),
    (
        "GET",
        "/api/v1/devices",
        &["operator", "supervisor", "maintainer", "technician", "auditor", "administrator"],
    ),
    (
        "GET",
        "/api/v1/devices/{edge}/history",
        &["operator", "supervisor", "maintainer", "technician", "auditor", "administrator"],
    ),
    ("GET", "/api/v1/people", &["administrator"]),
    ("POST", "/api/v1/people", &["administrator"]),
    ("PATCH", "/api/v1/people/{name}", &["administrator"]),
    ("POST", "/api/v1/people/{name}/invitation", &["administrator"]),
    ("GET", "/api/v1/sites", &["administrator"]),
    ("PUT", "/api/v1/sites/{site}", &["administrator"]),
    ("DELETE", "/api/v1/sites/{site}", &["administrator"]),
    ("GET", "/api/v1/plans", &ROLES),
    // Of a site that does not exist; those of other sites have a test of their own.
    ("GET", "/api/v1/sites/{site}/plan", &ROLES),
    ("PUT", "/api/v1/sites/{site}/plan", &["technician", "administrator"]),
    ("DELETE", "/api/v1/sites/{site}/plan", &["technician", "administrator"]),
    ("GET", "/api/v1/sites/{site}/plan/picture", &ROLES),
    ("PUT", "/api/v1/sites/{site}/plan/picture", &["technician", "administrator"]),
    // Of one that does not exist.
    ("GET", "/api/v1/webhooks", &["administrator"]),
    ("GET", "/api/v1/webhooks/{name}/dead", &["administrator"]),
    ("POST", "/api/v1/webhooks/{name}/dead/retry", &["administrator"]),
    ("POST", "/api/v1/webhooks/{name}/dead/{step}/retry", &["administrator"]),
    ("GET", "/api/v1/access-log", &["auditor", "administrator"]),
    ("GET", "/api/v1/live", &ROLES),
    ("GET", "/api/v1/session", &ROLES),
    // About their own account; the requests here are refused for what they say, not for who says it.
    ("PUT", "/api/v1/session/password", &ROLES),
    ("POST", "/api/v1/session/second-factor", &ROLES),
    ("PUT", "/api/v1/session/second-factor", &ROLES),
    ("DELETE", "/api/v1/session/second-factor", &ROLES),
    // Last: it ends the session.
    ("DELETE", "/api/v1/session", &ROLES),
];

/// What anybody may ask who is not signed in.
pub const OPEN: &[(&str, &str)] = &[
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/invitation"),
    ("GET", "/api/v1/sign-in-ways"),
    ("GET", "/api/v1/oidc/start"),
    ("GET", "/api/v1/oidc/callback"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
];

fn body(method: &str, path: &str, event: &Event) -> Option<Value> {
    match (method, path) {
        ("POST", "/api/v1/commands/{id}/decision") => Some(json!({ "outcome": "approved" })),
        ("POST", "/api/v1/viewings") => Some(opening(event)),
        ("POST", "/api/v1/commands") => Some(json!({
            "edge": "gate-1", "why": "evening",
            "order": { "kind": "set_mode", "area": "yard", "mode": { "name": "armed_away" } },
        })),
        ("GET", _) | ("DELETE", "/api/v1/session" | "/api/v1/sites/{site}") => None,
        _ => Some(json!({ "nonsense": 1 })),
    }
}

fn opening(event: &Event) -> Value {
    json!({ "alarm": event.data.happening.alarm().unwrap().id, "reason": "check_alarm", "text": "a test" })
}

/// Pages of a person with this cookie; only the head of the live stream, which has no end.
fn ask(hub: &Hub, cookie: Option<&str>, method: &str, path: &str, body: Option<&Value>) -> u16 {
    if path == "/api/v1/live" {
        let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        return head(hub, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n"));
    }
    http::send(method, &hub.url(path), cookie, body).unwrap().status
}

fn head(hub: &Hub, request: &str) -> u16 {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut stream = std::net::TcpStream::connect(hub.web.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

async fn send(edge: &mut Edge, event: &Event) {
    assert!(edge.send(event).await.unwrap());
    edge.publish(&evidence_topic(event), picture("x"), false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_open_to_the_roles_of_the_table_and_to_nobody_else() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let event = with_original_kept(intrusion(boot(), 1), &picture("x"));
    send(&mut edge, &event).await;
    let sha256 = event.data.evidence[0].sha256.to_string();

    let documented: BTreeSet<(String, String)> = hub.get("/api/v1/openapi.json")["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let own = |(method, path): (&str, &str)| (method.to_owned(), path.to_owned());
    let table: BTreeSet<_> =
        TABLE.iter().map(|(method, path, _)| (*method, *path)).chain(OPEN.iter().copied()).map(own).collect();
    assert_eq!(documented, table, "every documented route is in the tables of this test");

    let place = |path: &str| {
        let path = path.replace("{sha256}", &sha256).replace("{name}", "nobody").replace("{site}", "nowhere");
        let path = path.replace("{edge}", "gate-1").replace("{number}", "1").replace("{step}", "1");
        if path.contains("/commands/") || path.contains("/incidents/") {
            path.replace("{id}", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        } else {
            path.replace("{id}", &event.id.to_string())
        }
    };
    for role in ROLES {
        let cookie = home.account(&hub, role, &["--role", role]);
        for (method, path, roles) in TABLE {
            let status = ask(&hub, Some(&cookie), method, &place(path), body(method, path, &event).as_ref());
            let refused = status == 403;
            assert_eq!(!refused, roles.contains(&role), "{method} {path} as {role}: {status}");
            assert_ne!(status, 401, "{method} {path} as {role}");
            assert_ne!(status, 405, "{method} {path} as {role}");
        }
        let over = ask(&hub, Some(&cookie), "GET", "/api/v1/session", None);
        assert_eq!(over, 401, "{role} has signed out");
    }
    for (method, path, _) in TABLE {
        let body = body(method, path, &event);
        for cookie in [None, Some("__Host-gatepost=0000"), Some("gatepost=x")] {
            let status = ask(&hub, cookie, method, &place(path), body.as_ref());
            assert_eq!(status, 401, "{method} {path} as a stranger");
        }
    }
    for (method, path) in OPEN {
        let status = ask(&hub, None, method, path, body(method, path, &event).as_ref());
        assert!(!matches!(status, 401 | 403 | 404 | 405), "{method} {path}: {status}");
        assert_eq!(ask(&hub, None, "PATCH", path, None), 405, "{path}: it is known what can be done");
    }
    for path in ["/api/v1/nothing", "/api/v1/people/x/y"] {
        assert_eq!(ask(&hub, None, "GET", path, None), 401, "{path}: a stranger learns nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_limited_to_a_site_sees_nothing_of_another() {
    let home = Home::embedded();
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let put = |site: &str, edges: Value| {
        let wanted = json!({ "label": site, "edges": edges });
        http::send("PUT", &hub.url(&format!("/api/v1/sites/{site}")), Some(&hub.cookie), Some(&wanted))
            .unwrap()
    };
    assert_eq!(put("school-1", json!(["gate-1"])).status, 200);
    let cookie = home.account(&hub, "wang.li", &["--role", "supervisor", "--site", "school-1"]);
    let get = |path: &str| http::send("GET", &hub.url(path), Some(&cookie), None::<&()>).unwrap();
    let json = |path: &str| get(path).json::<Value>().unwrap();

    let live = hub.url("/api/v1/live");
    // The stream of another person at the same address.
    let theirs = hub.url("/api/v1/live").replace("127.0.0.1", "localhost");
    http::sign_in(&theirs, &cookie);
    let (all, limited) = (EventStream::open(&live).unwrap(), EventStream::open(&theirs).unwrap());

    let mut events = Vec::new();
    for (name, token) in [("gate-2", &two), ("gate-1", &one)] {
        let mut edge = Edge::connect(hub.broker_port(), name, token).await.unwrap();
        let event = with_original_kept(intrusion_of(name, boot(), 1, alarm(), Phase::Began), &picture("x"));
        send(&mut edge, &event).await;
        events.push(event);
    }
    let [foreign, own] = events.try_into().unwrap();
    let next_alert = |stream: &EventStream| loop {
        let told = stream.next(PATIENCE).unwrap();
        if told.event == "alert" {
            return serde_json::from_str::<Value>(&told.data).unwrap()["edge"].clone();
        }
    };
    assert_eq!((next_alert(&all), next_alert(&limited)), (json!("gate-2"), json!("gate-1")));

    for (path, list) in [
        ("/api/v1/alerts", "alerts"),
        ("/api/v1/events", "events"),
        ("/api/v1/devices", "devices"),
        ("/api/v1/alerts?edge=gate-2", ""),
        ("/api/v1/events?edge=gate-2", ""),
    ] {
        let told = json(path);
        match list {
            "" => assert!(!told.to_string().contains("gate-2"), "{told}"),
            list => {
                let edges: Vec<&Value> =
                    told[list].as_array().unwrap().iter().map(|one| &one["edge"]).collect();
                assert!(!edges.is_empty() && edges.iter().all(|edge| *edge == "gate-1"), "{path}: {told}");
            }
        }
    }
    for (event, status) in [(&own, 201), (&foreign, 404)] {
        let url = hub.url("/api/v1/viewings");
        let opened = http::send("POST", &url, Some(&cookie), Some(&opening(event))).unwrap();
        assert_eq!(opened.status, status, "{}", opened.text());
        // Of both there is a line: somebody who is for every site looks at both.
        http::post_json(&url, &opening(event)).unwrap().success().unwrap();
    }
    let register = json("/api/v1/viewings");
    let lines: Vec<_> =
        register["viewings"].as_array().unwrap().iter().map(|line| (&line["edge"], &line["sites"])).collect();
    assert_eq!(lines, [(&json!("gate-1"), &json!(null)), (&json!("gate-1"), &json!(["school-1"]))]);
    for (event, status) in [(&own, 200), (&foreign, 404)] {
        let sha256 = &event.data.evidence[0].sha256;
        for path in ["".to_owned(), "/snapshot".to_owned(), format!("/evidence/{sha256}")] {
            let path = format!("/api/v1/events/{}{path}", event.id);
            assert_eq!(get(&path).status, status, "{path}");
        }
    }
    let give = |edge: &str, event: &Event| {
        let until = gatepost_wire::Timestamp::now() + jiff::SignedDuration::from_hours(2);
        let order = json!({
            "edge": edge, "why": "police report 17",
            "order": { "kind": "release_original", "event": event.id, "until": until },
        });
        http::send("POST", &hub.url("/api/v1/commands"), Some(&cookie), Some(&order)).unwrap()
    };
    assert_eq!(give("gate-2", &foreign).status, 403);
    assert_eq!(give("gate-9", &foreign).status, 403, "as for one that does not exist");
    assert_eq!(give("gate-1", &foreign).status, 400, "not by naming a box of one's own either");
    let given: Value = give("gate-1", &own).json().unwrap();
    assert_eq!(given["who"], "wang.li (wang.li)");
    assert_eq!(json("/api/v1/commands")["commands"].as_array().unwrap().len(), 1);
    let theirs: Value = {
        let order = json!({
            "edge": "gate-2", "why": "evening",
            "order": { "kind": "set_mode", "area": "yard", "mode": { "name": "armed_away" } },
        });
        http::post_json(&hub.url("/api/v1/commands"), &order).unwrap().json().unwrap()
    };
    assert_eq!(json("/api/v1/commands")["commands"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/commands/{}", theirs["id"].as_str().unwrap());
    assert_eq!((get(&path).status, http::get(&hub.url(&path)).unwrap().status), (404, 200));

    // The box moves to their site while the page is open: it is told to look again, and then sees it.
    assert_eq!(put("school-1", json!(["gate-1", "gate-2"])).status, 200);
    let told = loop {
        let told = limited.next(PATIENCE).unwrap();
        if told.event == "reset" {
            break told;
        }
    };
    assert_eq!(told.data, "null");
    assert_eq!(json("/api/v1/alerts")["alerts"].as_array().unwrap().len(), 2);
    let mut gate = Edge::connect(hub.broker_port(), "gate-2", &two).await.unwrap();
    come_online(&mut gate).await;
}

#[test]
fn a_session_begins_with_a_link_or_a_password_and_ends_when_it_should() {
    let home = Home::embedded();
    let hub = home.start();
    let account = home.account(&hub, "wang.li", &["--role", "operator"]);
    let url = hub.url("/api/v1/session");
    let sign_in = |password: &str| {
        let given = json!({ "name": "wang.li", "password": password });
        http::send("POST", &url, None, Some(&given)).unwrap()
    };
    let answer = sign_in(PASSWORD);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let set = answer.set_cookie.clone().unwrap();
    for word in ["__Host-gatepost=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(set.contains(word), "{set}");
    }
    let session: Value = answer.json().unwrap();
    assert_eq!(session["person"]["roles"], json!(["operator"]));
    assert!(session["may"].as_array().unwrap().contains(&json!("see_alerts")), "{session}");
    let cookie = set.split(';').next().unwrap().to_owned();
    let is_in = |cookie: &str| http::send("GET", &url, Some(cookie), None::<&()>).unwrap().status == 200;
    assert!(is_in(&cookie) && is_in(&account));

    // Another site's page cannot sign anybody in or out.
    let request = format!(
        "DELETE /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Sec-Fetch-Site: cross-site\r\n\r\n"
    );
    assert_eq!(head(&hub, &request), 403);
    assert!(is_in(&cookie));
    let gone = http::send("DELETE", &url, Some(&cookie), None::<&()>).unwrap();
    assert_eq!(gone.status, 204);
    assert!(gone.set_cookie.unwrap().ends_with("Max-Age=0"));
    assert!(!is_in(&cookie) && is_in(&account));

    // An open page ends with its account.
    let page = hub.web.replace("127.0.0.1", "localhost");
    http::sign_in(&page, &account);
    let stream = EventStream::open(&format!("{page}/api/v1/live")).unwrap();
    home.call(&["person", "disable", "wang.li"]);
    let over = http::wait_until("the stream to end", Duration::from_secs(10), || {
        stream.next(Duration::from_millis(100)).err().filter(|error| error.to_string().contains("ended"))
    });
    over.unwrap();
    assert!(!is_in(&account));
    assert_eq!(sign_in(PASSWORD).status, 401);

    home.call(&["person", "enable", "wang.li"]);
    for _ in 0..4 {
        assert_eq!(sign_in("wrong wrong wrong").status, 401);
    }
    let refused = sign_in(PASSWORD);
    assert_eq!(refused.status, 429, "five failures, with the one while disabled");
    let wait: u64 = refused.retry_after.unwrap().parse().unwrap();
    assert!((1..=16).contains(&wait), "{wait}");

    let actions = |answer: Answer| -> Vec<String> {
        let log: Value = answer.json().unwrap();
        let records = log["records"].as_array().unwrap().iter();
        let own = records.filter(|record| record["name"] == "wang.li");
        own.map(|record| record["action"].as_str().unwrap().to_owned()).collect()
    };
    let told = actions(http::get(&hub.url("/api/v1/access-log?limit=200")).unwrap());
    let failed = "sign_in_failed";
    assert_eq!(
        told,
        [
            failed,
            failed,
            failed,
            failed,
            "person_enabled",
            failed,
            "person_disabled",
            "signed_out",
            "signed_in",
            "signed_in",
            "password_set",
            "invited",
            "person_added"
        ]
    );
    let log = hub.daemon.log();
    assert!(!log.contains(PASSWORD) && !log.contains("wrong wrong"), "no password is logged");
}

#[test]
fn people_are_managed_over_the_api() {
    let home = Home::embedded();
    let hub = home.start();
    let ask = |method: &str, path: &str, body: Value| {
        http::send(method, &hub.url(&format!("/api/v1/{path}")), Some(&hub.cookie), Some(&body)).unwrap()
    };
    let new = json!({ "name": "zhao", "display_name": " 赵敏 ", "roles": ["handler"], "sites": null });
    let added: Value = ask("POST", "people", new.clone()).json().unwrap();
    assert_eq!(
        (&added["person"]["display_name"], &added["person"]["state"]),
        (&json!("赵敏"), &json!("invited"))
    );
    assert_eq!(ask("POST", "people", new.clone()).status, 409);
    let with = |key: &str, value: Value| {
        let mut new = new.clone();
        new["name"] = json!("another");
        new[key] = value;
        new
    };
    for (new, parameter) in [
        (with("name", json!("Zhao Min")), "name"),
        (with("roles", json!([])), "roles"),
        (with("roles", json!(["root"])), "roles[0]"),
        (with("sites", json!(["nowhere"])), "sites"),
        (with("display_name", json!("<script>\nx")), "display_name"),
        (with("password", json!("x")), "password"),
    ] {
        let refused = ask("POST", "people", new.clone());
        let problem: Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!(
            (refused.status, problem["parameter"].as_str().unwrap_or("")),
            (400, parameter),
            "{problem}"
        );
    }
    let limited = ask("PATCH", "people/tester", json!({ "sites": [] }));
    assert_eq!(limited.status, 400, "an administrator is for every site");
    let changed: Value =
        ask("PATCH", "people/zhao", json!({ "roles": ["operator"], "sites": [] })).json().unwrap();
    assert_eq!((&changed["roles"], &changed["sites"]), (&json!(["operator"]), &json!([])));
    let same: Value = ask("PATCH", "people/zhao", json!({ "display_name": "赵" })).json().unwrap();
    assert_eq!(same["sites"], json!([]), "what is left out stays");
    assert_eq!(
        ask("PATCH", "people/tester", json!({ "disabled": true })).status,
        409,
        "nobody would be left"
    );
    assert_eq!(ask("PATCH", "people/nobody", json!({})).status, 404);

    let accept = |token: &Value, password: &str| {
        let given = json!({ "token": token, "password": password });
        http::send("POST", &hub.url("/api/v1/invitation"), None, Some(&given)).unwrap()
    };
    let first = &added["invitation"]["token"];
    let second: Value = ask("POST", "people/zhao/invitation", json!({})).json().unwrap();
    assert_eq!(accept(first, PASSWORD).status, 404, "a newer one was made");
    assert_eq!(accept(&second["token"], "short").status, 400);
    let opened = accept(&second["token"], PASSWORD);
    assert_eq!(opened.status, 201);
    let cookie = opened.set_cookie.unwrap().split(';').next().unwrap().to_owned();
    let change = |old: &str, new: &str| {
        let given = json!({ "old": old, "new": new });
        http::send("PUT", &hub.url("/api/v1/session/password"), Some(&cookie), Some(&given)).unwrap()
    };
    let problem: Value =
        serde_json::from_slice(&change("wrong wrong wrong", "another good one").body).unwrap();
    assert_eq!(problem["parameter"], "old");
    let problem: Value = serde_json::from_slice(&change(PASSWORD, "short").body).unwrap();
    assert_eq!(problem["parameter"], "new");
    assert_eq!(change(PASSWORD, "another good one").status, 204);
    let people: Value = http::get_json(&hub.url("/api/v1/people")).unwrap();
    let names: Vec<&Value> = people["people"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["tester", "zhao"]);
    assert!(!people.to_string().contains("argon2"), "{people}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_elsewhere_come_in_by_tls() {
    let home = Home::with_broker(
        "tls_listen = \"127.0.0.1:0\"\n[tls]\nnames = [\"127.0.0.1\"]\n[broker]\nlisten = \"127.0.0.1:0\"\n",
    );
    let hub = home.start();
    let line = hub.wait_for_log(&["page listening for other machines"]);
    let port: u16 = line.rsplit_once(':').unwrap().1.trim().parse().unwrap();
    let tls = crate::client::tls(&crate::client::authority(&home), None);
    let ask = async |host: &str, cookie: &str| {
        let head =
            format!("GET /api/v1/session HTTP/1.1\r\nhost: {host}\r\n{cookie}connection: close\r\n\r\n");
        crate::client::exchange(port, tls.clone(), &head, "").await
    };
    let cookie = format!("cookie: {}\r\n", hub.cookie);
    let answer = ask("127.0.0.1", &cookie).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"tester\""), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    assert!(ask("127.0.0.1", "").await.starts_with("HTTP/1.1 401"));
    assert!(ask("evil.example", &cookie).await.starts_with("HTTP/1.1 421"));
    let link = home.call(&["person", "link", "tester"]);
    assert!(link.starts_with("https://127.0.0.1:"), "{link}");
    let log = hub.get("/api/v1/access-log");
    assert_eq!(log["records"][1]["address"], "127.0.0.1", "{log}");
}

#[test]
fn the_first_account_is_made_on_the_command_line() {
    let home = Home::embedded().with_store("");
    let config = home.config();
    let early = command(&[
        "person",
        "add",
        "li.na",
        "--display-name",
        "李娜",
        "--role",
        "administrator",
        "--config",
        &config,
    ]);
    assert!(String::from_utf8_lossy(&early.stderr).contains("start the hub once"), "{early:?}");
    let hub = home.start_unknown();
    let link = home.call(&["person", "add", "li.na", "--display-name", "李娜", "--role", "administrator"]);
    let (page, fragment) = link.split_once("/#welcome=").unwrap();
    assert!(page.starts_with("http://127.0.0.1:"), "{link}");
    let (name, token) = fragment.split_once(':').unwrap();
    let given = json!({ "token": token, "password": PASSWORD });
    let opened = http::send("POST", &hub.url("/api/v1/invitation"), None, Some(&given)).unwrap();
    assert_eq!((name, opened.status), ("li.na", 201));
    let listed = home.call(&["person", "list"]);
    assert!(listed.contains("li.na") && listed.contains("active; 李娜 (administrator)"), "{listed}");
    for (arguments, words) in [
        (
            ["person", "add", "li.na", "--display-name", "x", "--role", "operator"].as_slice(),
            "never used again",
        ),
        (["person", "add", "x", "--display-name", "x", "--role", "root"].as_slice(), "is no role"),
        (["person", "disable", "li.na"].as_slice(), "last administrator"),
        (["person", "link", "nobody"].as_slice(), "there is no person"),
    ] {
        let done = command(&[arguments, &["--config", &config]].concat());
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && told.contains(words), "{told}");
    }
    let again = home.call(&["person", "link", "li.na"]);
    assert!(again.contains("/#welcome=li.na:") && again != link, "{again}");
}
