//! Plans of sites over the API: drawn, seen, changed by two at once, refused.

use std::io::{Read as _, Write as _};

use gatepost_testbed::http::{self, Answer};
use serde_json::{Value, json};

use crate::process::{Home, Hub};

/// The head of a PNG of this size; the hub looks at no more of it.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let head = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &width.to_be_bytes(), &height.to_be_bytes()].concat();
    [&head[..], b"\x08\x02\0\0\0and its pixels"].concat()
}

fn ask(hub: &Hub, cookie: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    http::send(method, &hub.url(path), Some(cookie), body).unwrap()
}

fn draw(hub: &Hub, cookie: &str, site: &str, version: i64, picture: &[u8]) -> Answer {
    let url = hub.url(&format!("/api/v1/sites/{site}/plan/picture?version={version}"));
    // What the sender says it is decides nothing.
    http::send_bytes("PUT", &url, Some(cookie), "text/html", picture).unwrap()
}

fn place(hub: &Hub, cookie: &str, site: &str, version: i64, placed: &Value) -> Answer {
    let wanted = json!({ "version": version, "placed": placed });
    ask(hub, cookie, "PUT", &format!("/api/v1/sites/{site}/plan"), Some(&wanted))
}

fn camera(edge: &str) -> Value {
    json!({
        "cameras": [{ "edge": edge, "camera": "east-gate", "at": { "x": 0.25, "y": 0.75 },
            "view": { "direction_deg": 270, "angle_deg": 80 } }],
        "zones": [{ "label": "草坪", "outline": [{ "x": 0.1, "y": 0.1 }, { "x": 0.4, "y": 0.1 }, { "x": 0.4, "y": 0.4 }],
            "shows": { "edge": edge, "camera": "east-gate", "zone": "lawn" } }],
        "sensors": [{ "edge": edge, "sensor": "fence-3", "at": { "x": 1.0, "y": 0.0 } }],
    })
}

fn version(answer: Answer) -> i64 {
    let plan: Value = answer.json().unwrap();
    plan["version"].as_i64().unwrap()
}

/// Two schools with a box each, and a technician of the first.
fn schools(home: &Home) -> (Hub, String) {
    let hub = home.start();
    for (site, edge) in [("school-1", "gate-1"), ("school-2", "gate-2")] {
        let wanted = json!({ "label": site, "edges": [edge] });
        let path = format!("/api/v1/sites/{site}");
        assert_eq!(ask(&hub, &hub.cookie, "PUT", &path, Some(&wanted)).status, 200);
    }
    let technician = home.account(&hub, "chen.jie", &["--role", "technician", "--site", "school-1"]);
    (hub, technician)
}

#[test]
fn a_technician_draws_the_plan_that_those_of_the_site_see() {
    let home = Home::embedded();
    let (hub, technician) = schools(&home);
    let handler = home.account(&hub, "zhao.min", &["--role", "handler", "--site", "school-1"]);
    let list = |cookie: &str| ask(&hub, cookie, "GET", "/api/v1/plans", None).json::<Value>().unwrap();
    let none = json!({ "sites": [{ "site": "school-1", "label": "school-1", "edges": ["gate-1"], "version": null }] });
    assert_eq!(list(&technician), none);
    assert_eq!(ask(&hub, &handler, "GET", "/api/v1/sites/school-1/plan", None).status, 404);
    assert_eq!(ask(&hub, &handler, "GET", "/api/v1/sites/school-1/plan/picture", None).status, 404);

    let first = version(draw(&hub, &technician, "school-1", 0, &png(1600, 1000)).success().unwrap());
    let placed = place(&hub, &technician, "school-1", first, &camera("gate-1"));
    assert_eq!(placed.status, 200, "{}", placed.text());
    let seen: Value = ask(&hub, &handler, "GET", "/api/v1/sites/school-1/plan", None).json().unwrap();
    assert_eq!(seen["placed"], camera("gate-1"));
    let picture = &seen["picture"];
    let about = (&picture["kind"], &picture["width_px"], &picture["height_px"], &picture["bytes"]);
    assert_eq!(about, (&json!("png"), &json!(1600), &json!(1000), &json!(png(1600, 1000).len())));
    assert_eq!(list(&handler)["sites"][0]["version"], seen["version"]);

    let by = |sha256: &str| {
        let path = format!("/api/v1/sites/school-1/plan/picture?sha256={sha256}");
        ask(&hub, &handler, "GET", &path, None)
    };
    let sha256 = picture["sha256"].as_str().unwrap();
    let shown = by(sha256);
    assert_eq!((shown.status, shown.content_type.as_str()), (200, "image/png"));
    assert_eq!(shown.body, png(1600, 1000));
    assert_eq!(by(&"0".repeat(64)).status, 404, "the address of another picture");
    assert_eq!(by("x").status, 400);
    // A browser asks whether what it has is still the one, and does not guess what it is.
    let head = head_of(&hub, &handler, &format!("If-None-Match: \"{sha256}\"\r\n"));
    assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
    let head = head_of(&hub, &handler, "If-None-Match: \"another\"\r\n").to_ascii_lowercase();
    for said in [
        "http/1.1 200 ",
        "content-type: image/png",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'self'",
        "cache-control: private, no-cache",
        &format!("etag: \"{sha256}\""),
    ] {
        assert!(head.contains(said), "{said} is not in {head}");
    }

    let log: Value = ask(&hub, &hub.cookie, "GET", "/api/v1/access-log", None).json().unwrap();
    let told: Vec<_> =
        log["records"].as_array().unwrap().iter().take_while(|one| one["by"] == "chen.jie").collect();
    assert_eq!(told.len(), 2, "{log}");
    assert_eq!(told[0]["action"], "plan_changed");
    assert_eq!(told[0]["detail"], "school-1: 1 cameras, 1 zones, 1 sensors");
}

/// The head of an answer with the picture.
fn head_of(hub: &Hub, cookie: &str, headers: &str) -> String {
    let mut stream = std::net::TcpStream::connect(hub.web.trim_start_matches("http://")).unwrap();
    let request = format!(
        "GET /api/v1/sites/school-1/plan/picture HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    String::from_utf8(answer[..end].to_vec()).unwrap()
}

#[test]
fn who_is_of_another_school_learns_nothing_of_a_plan() {
    let home = Home::embedded();
    let (hub, technician) = schools(&home);
    let theirs = version(draw(&hub, &hub.cookie, "school-2", 0, &png(10, 10)).success().unwrap());
    let empty = json!({ "cameras": [], "zones": [], "sensors": [] });
    let of = |site: &str| {
        let path = format!("/api/v1/sites/{site}/plan");
        [
            ask(&hub, &technician, "GET", &path, None),
            ask(&hub, &technician, "GET", &format!("{path}/picture"), None),
            place(&hub, &technician, site, theirs, &empty),
            draw(&hub, &technician, site, theirs, &png(20, 20)),
            ask(&hub, &technician, "DELETE", &format!("{path}?version={theirs}"), None),
        ]
        .map(|answer| (answer.status, answer.text().replace(site, "it")))
    };
    // As for one that does not exist.
    assert_eq!(of("school-2"), of("school-9"));
    assert!(of("school-2").iter().all(|(status, _)| *status == 404));
    assert_eq!(hub.get("/api/v1/sites/school-2/plan")["version"], theirs);
    // Nor is a box of theirs placed.
    let own = version(draw(&hub, &technician, "school-1", 0, &png(10, 10)).success().unwrap());
    let refused = place(&hub, &technician, "school-1", own, &camera("gate-2"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("gate-2") && refused.text().contains("\"placed\""), "{}", refused.text());
}

#[test]
fn of_two_who_draw_at_once_the_later_is_told() {
    let home = Home::embedded();
    let (hub, technician) = schools(&home);
    let first = version(draw(&hub, &technician, "school-1", 0, &png(10, 10)).success().unwrap());
    let second = version(place(&hub, &technician, "school-1", first, &camera("gate-1")).success().unwrap());
    for refused in [
        place(&hub, &hub.cookie, "school-1", first, &json!({ "cameras": [], "zones": [], "sensors": [] })),
        draw(&hub, &hub.cookie, "school-1", first, &png(20, 20)),
        draw(&hub, &hub.cookie, "school-1", 0, &png(20, 20)),
        ask(&hub, &hub.cookie, "DELETE", &format!("/api/v1/sites/school-1/plan?version={first}"), None),
    ] {
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("chen.jie changed the plan"), "{}", refused.text());
    }
    assert_eq!(hub.get("/api/v1/sites/school-1/plan")["version"], second);
    let gone =
        ask(&hub, &hub.cookie, "DELETE", &format!("/api/v1/sites/school-1/plan?version={second}"), None);
    assert_eq!(gone.status, 204);
    assert_eq!(place(&hub, &technician, "school-1", second, &camera("gate-1")).status, 404);

    // A site goes with its plan.
    draw(&hub, &technician, "school-1", 0, &png(10, 10)).success().unwrap();
    let everywhere = json!({ "sites": null });
    assert_eq!(ask(&hub, &hub.cookie, "PATCH", "/api/v1/people/chen.jie", Some(&everywhere)).status, 200);
    assert_eq!(ask(&hub, &hub.cookie, "DELETE", "/api/v1/sites/school-1", None).status, 204);
    assert_eq!(http::get(&hub.url("/api/v1/sites/school-1/plan/picture")).unwrap().status, 404);
}

#[test]
fn what_is_no_picture_or_no_place_is_refused() {
    let home = Home::embedded();
    let (hub, technician) = schools(&home);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for (picture, status, why) in [
        (&svg[..], 415, "no PNG, JPEG or WebP"),
        (b"", 415, "no PNG, JPEG or WebP"),
        (&png(10, 10)[..20], 400, "cut off or damaged"),
        (&png(8001, 10), 400, "8001 × 10"),
        (&png(0, 10), 400, "0 × 10"),
    ] {
        let refused = draw(&hub, &technician, "school-1", 0, picture);
        assert_eq!(refused.status, status, "{}", refused.text());
        assert!(refused.text().contains(why), "{}", refused.text());
    }
    let most = [png(10, 10), vec![0; 8 * 1024 * 1024 - png(10, 10).len()]].concat();
    let first = version(draw(&hub, &technician, "school-1", 0, &most).success().unwrap());
    let (mut more, status) = (most, |answer: http::Answer| answer.status);
    more.push(0);
    assert_eq!(status(draw(&hub, &technician, "school-1", first, &more)), 413);
    let url = hub.url("/api/v1/sites/school-1/plan/picture");
    assert_eq!(
        status(http::send_bytes("PUT", &url, Some(&technician), "image/png", &png(9, 9)).unwrap()),
        400
    );

    let with = |key: &str, value: Value| {
        let mut placed = camera("gate-1");
        placed[key] = value;
        placed
    };
    let at = |x: f64| json!([{ "edge": "gate-1", "sensor": "fence-3", "at": { "x": x, "y": 0 } }]);
    let zone = |label: &str| json!([{ "label": label, "outline": [{ "x": 0, "y": 0 }, { "x": 1, "y": 1 }], "shows": null }]);
    for (placed, parameter) in [
        (with("sensors", at(1.5)), "placed"),
        (with("zones", zone("two\nlines")), "placed"),
        (with("zones", zone("")), "placed"),
        (with("people", json!([])), "placed"),
        (json!({ "cameras": [] }), "placed"),
    ] {
        let refused = place(&hub, &technician, "school-1", first, &placed);
        let told: Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!(refused.status, 400, "{told}");
        assert!(told["parameter"].as_str().unwrap().starts_with(parameter), "{told}");
    }
    // A line, and text that looks like markup: it is a name like any other.
    let odd = place(&hub, &technician, "school-1", first, &with("zones", zone("<b>&'\"")));
    assert_eq!(odd.status, 200, "{}", odd.text());
}
