//! The API is what its document says, and answers nobody it does not know.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use gatepost_testbed::http::{self, EventStream};
use serde_json::{Value, json};

use crate::command::ask;
use crate::edge::Edge;
use crate::message::{boot, evidence_topic, intrusion, picture, with_evidence, with_original_kept};
use crate::plan;
use crate::process::{Home, Hub, PATIENCE, command};
use crate::program::{Mood, Program};
use crate::webhook;

/// The answer to a request with these headers, and the session's cookie where there is one.
pub fn raw(hub: &Hub, request: &str) -> String {
    let request = match hub.cookie.as_str() {
        "" => request.to_owned(),
        cookie => request.replacen("Host:", &format!("Cookie: {cookie}\r\nHost:"), 1),
    };
    let mut stream = TcpStream::connect(hub.web.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_path_answers() {
    let program = Program::start(Mood::Answers(204));
    let home = webhook::home(&program, "", "");
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let event = with_original_kept(intrusion(boot(), 1), &picture("x"));
    assert!(edge.send(&event).await.unwrap());
    edge.publish(&evidence_topic(&event), picture("x"), false).await.unwrap();
    hub.look_at(&event);
    let given = ask(&home, &hub, &event, "2 h");
    let incident = http::wait_until("the incident", PATIENCE, || {
        let page = hub.get("/api/v1/incidents");
        page["incidents"][0]["id"].as_str().map(str::to_owned)
    });
    let incident = incident.unwrap();
    let attachments = hub.url(&format!("/api/v1/incidents/{incident}/attachments?name=bill.pdf"));
    let attached =
        http::send_bytes("POST", &attachments, Some(&hub.cookie), "application/pdf", b"%PDF-1.4 %%EOF")
            .unwrap();
    assert_eq!(attached.status, 201, "{}", attached.text());
    let site = json!({ "label": "school", "edges": ["gate-1"] });
    let put = http::send("PUT", &hub.url("/api/v1/sites/school-1"), Some(&hub.cookie), Some(&site)).unwrap();
    assert_eq!(put.status, 200);
    let plan = hub.url("/api/v1/sites/school-1/plan/picture?version=0");
    let drawn = http::send_bytes("PUT", &plan, Some(&hub.cookie), "image/png", &plan::png(160, 100)).unwrap();
    assert_eq!(drawn.status, 200, "{}", drawn.text());

    let printed: Value = serde_json::from_slice(&command(&["openapi"]).stdout).unwrap();
    assert_eq!(printed, hub.get("/api/v1/openapi.json"));
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = printed["paths"].as_object().unwrap();
    assert!(paths.len() >= 9);
    for (path, operations) in paths {
        // Those of OpenID Connect only lead on.
        if operations["get"]["responses"].get("200").is_none() {
            continue;
        }
        let content = operations["get"]["responses"]["200"]["content"].as_object().unwrap();
        let content_type = content.keys().next().unwrap();
        let id = match path.split('/').nth(3) {
            Some("commands") => given.clone(),
            Some("incidents") => incident.clone(),
            _ => event.id.to_string(),
        };
        let sha256 = &event.data.evidence[0].sha256;
        let query = match path.rsplit('/').next() {
            Some("handlers") => "?edge=gate-1",
            Some("shift-report" | "history") => "?from=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z",
            _ => "",
        };
        let url = hub.url(
            &(path
                .replace("{id}", &id)
                .replace("{number}", "1")
                .replace("{edge}", "gate-1")
                .replace("{site}", "school-1")
                .replace("{name}", "district")
                .replace("{sha256}", sha256)
                + query),
        );
        if content_type == "text/event-stream" {
            EventStream::open(&url).unwrap();
            continue;
        }
        let answer = http::get(&url).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(content.contains_key(&answer.content_type), "{path}: {}", answer.content_type);
        // What is documented as a list or an object has exactly the documented keys.
        let schema = &content[content_type]["schema"];
        if let Some(reference) = schema["$ref"].as_str() {
            let body: Value = answer.json().unwrap();
            let told: BTreeSet<_> = body.as_object().unwrap().keys().cloned().collect();
            let documented = keys(&printed, reference);
            assert_eq!(told, documented, "{path}");
        }
    }
}

/// The keys of a schema, with those of schemas that are flattened into it.
fn keys(document: &Value, reference: &str) -> BTreeSet<String> {
    let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
    let parts = schema["allOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
    let own = |part: &Value| match part["$ref"].as_str() {
        Some(reference) => keys(document, reference),
        None => part["properties"].as_object().unwrap().keys().cloned().collect(),
    };
    parts.iter().flat_map(own).collect()
}

#[test]
fn problems_name_the_parameter() {
    let home = Home::embedded();
    let hub = home.start();
    for (path, status, parameter) in [
        ("/api/v1/alerts?limit=0", 400, "limit"),
        ("/api/v1/alerts?limit=201", 400, "limit"),
        ("/api/v1/alerts?before=yesterday", 400, "before"),
        ("/api/v1/alerts?edge=Gate%201", 400, "edge"),
        ("/api/v1/alerts?camera=../../etc/passwd", 400, "camera"),
        ("/api/v1/alerts?sort=asc", 400, "sort"),
        ("/api/v1/events?after='%20OR%201=1", 400, "after"),
        ("/api/v1/events?edge=gate-1&boot=1", 400, "boot"),
        ("/api/v1/events/1", 400, "id"),
        ("/api/v1/events/..%2f..%2fhub.sqlite/snapshot", 400, "id"),
        ("/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, ""),
        ("/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/snapshot", 404, ""),
        ("/api/v1/devices/gate-1/history?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 400, "until"),
        ("/api/v1/devices/gate-1/history?from=2024-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 400, "until"),
        ("/api/v1/devices/Gate%201/history?from=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z", 400, "id"),
        ("/api/v1/nothing", 404, ""),
        ("/nothing", 404, ""),
    ] {
        let answer = http::get(&hub.url(path)).unwrap();
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.content_type, "application/problem+json", "{path}");
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["parameter"].as_str().unwrap_or(""), parameter, "{path}: {problem}");
    }
    for path in ["/api/v1/commands?before=x", "/api/v1/deletions?event=x", "/api/v1/commands?who=me"] {
        assert_eq!(http::get(&hub.url(path)).unwrap().status, 400, "{path}");
    }
    let posted = http::post_json(&hub.url("/api/v1/alerts"), &"x").unwrap();
    assert_eq!((posted.status, posted.content_type.as_str()), (405, "application/problem+json"));
}

#[test]
fn the_page_is_served_and_no_stranger_may_use_it() {
    let home = Home::embedded();
    let hub = home.start();
    let page = http::get(&hub.url("/")).unwrap();
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));

    let head =
        raw(&hub, "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").to_ascii_lowercase();
    for header in [
        "content-security-policy: default-src 'self';",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-cache",
    ] {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    assert!(!head.contains("unsafe-inline"));
    for host in ["evil.example", "127.0.0.1.evil.example:80"] {
        let answer =
            raw(&hub, &format!("GET /api/v1/alerts HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    }
    let script = page.text().split("src=\"/").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    if let Some(script) = script {
        let request = format!("HEAD /{script} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let head = raw(&hub, &request).to_ascii_lowercase();
        assert!(head.contains("immutable") && head.contains("javascript"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_not_sent_twice() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let event = with_evidence(intrusion(boot(), 1), &picture("x"));
    assert!(edge.send(&event).await.unwrap());
    edge.publish(&evidence_topic(&event), picture("x"), false).await.unwrap();
    let path = format!("/api/v1/events/{}/snapshot", event.id);
    let known = format!("If-None-Match: \"{}\"\r\n", event.data.evidence[0].sha256);
    let ask = |known: &str| {
        raw(&hub, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{known}Connection: close\r\n\r\n"))
    };
    assert!(ask(&known).starts_with("HTTP/1.1 403"), "not even what a browser has kept");
    hub.look_at(&event);
    let first = ask("");
    let tag = format!("etag: \"{}\"", event.data.evidence[0].sha256);
    assert!(first.contains(&tag) && first.contains("cache-control: private, no-cache"), "{first}");
    let again = ask(&known);
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
}
