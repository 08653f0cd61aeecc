//! The API is what its document says, whatever is asked of it: schemathesis makes up requests from the document, good and bad, and holds
//! each answer against it.

use std::path::PathBuf;
use std::process::Command;

use gatepost_testbed::footage::workspace_root;
use gatepost_testbed::http;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::command::{ask, come_online};
use crate::edge::Edge;
use crate::message::{boot, evidence_topic, happening, health, intrusion, picture, with_original_kept};
use crate::page::{draw_plan, real_picture};
use crate::process::{Home, Hub, PATIENCE};

/// The one request after which its session can ask nothing more.
const SIGN_OUT: &str = "DELETE /api/v1/session";

/// Somebody who asks.
struct Asker<'a> {
    name: &'a str,
    /// Their session's cookie, name and value.
    cookie: &'a str,
}

/// Runs it to its end; what it found is printed. The session is told by the environment, which other users of the machine cannot read.
fn hold_against_document(hub: &Hub, asker: &Asker, arguments: &[&str]) {
    let python = workspace_root().join(".fetched/python/bin");
    assert!(
        python.join("schemathesis").is_file(),
        "schemathesis is not there: run `setup/install.sh python-api`"
    );
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hub/schemathesis");
    let (_, token) = asker.cookie.split_once('=').unwrap();
    let done = Command::new(python.join("python"))
        .args(["-B", "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"])
        .arg(hub.url("/api/v1/openapi.json"))
        .args(arguments)
        .current_dir(folder)
        .env("GATEPOST_SESSION", token)
        .env("GATEPOST_NAME", asker.name)
        .env("COLUMNS", "160")
        .output()
        .unwrap_or_else(|error| panic!("Python cannot be started: {error}"));
    println!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "schemathesis found something, or could not look: see above");
}

/// Whether somebody is still signed in, with all they had.
fn session(hub: &Hub, asker: &Asker) -> Value {
    let answer = http::send("GET", &hub.url("/api/v1/session"), Some(asker.cookie), None::<&()>).unwrap();
    answer
        .json()
        .unwrap_or_else(|error| panic!("{} was signed out, so nothing was tested since: {error}", asker.name))
}

/// A hub with something of everything in it.
async fn furnished(home: &Home) -> (Hub, Edge) {
    let token = home.add("gate-1");
    let hub = home.start();
    let ask_for = |method: &str, path: &str, body: Value| {
        let answer = http::send(method, &hub.url(path), Some(&hub.cookie), Some(&body)).unwrap();
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
    };
    ask_for("PUT", "/api/v1/sites/school-3", json!({ "label": "第三小学", "edges": ["gate-1"] }));
    let guest =
        json!({ "name": "wang.li", "display_name": "王丽", "roles": ["handler"], "sites": ["school-3"] });
    ask_for("POST", "/api/v1/people", guest);

    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    edge.publish("gp/v1/gate-1/health", health("gate-1", boot, 3), true).await.unwrap();
    // Ids of the document's examples, so that these find something.
    let mut seen = with_original_kept(intrusion(boot, 1), &picture("x"));
    seen.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    let alarm = seen.data.happening.alarm().unwrap().id;
    assert!(edge.send(&seen).await.unwrap());
    edge.publish(&evidence_topic(&seen), picture("x"), false).await.unwrap();
    let fence = json!({ "kind": "sensor_alarm", "sensor": "fence-3", "input": "fence", "area": "north" });
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAX".parse().unwrap();
    assert!(edge.send(&happening(boot, 3, id, Phase::Began, fence)).await.unwrap());
    let incident = http::wait_until("incidents", PATIENCE, || {
        let all = hub.get("/api/v1/incidents");
        all["incidents"].as_array().unwrap().get(1).cloned()
    });
    let incident = incident.unwrap();
    let note = json!({ "version": incident["version"], "action": "note", "text": "the fence is whole" });
    ask_for("POST", &format!("/api/v1/incidents/{}/steps", incident["id"].as_str().unwrap()), note);
    let attachments =
        format!("/api/v1/incidents/{}/attachments?name=bill.pdf", incident["id"].as_str().unwrap());
    let attached = http::send_bytes(
        "POST",
        &hub.url(&attachments),
        Some(&hub.cookie),
        "application/pdf",
        b"%PDF-1.4 %%EOF",
    );
    assert_eq!(attached.unwrap().status, 201);
    hub.look_at(&seen);
    ask(home, &hub, &seen, "2 h");
    let until = gatepost_wire::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    ask_for("POST", "/api/v1/holds", json!({ "alarm": alarm, "reason": "police report 17", "until": until }));
    let placed = json!({
        "cameras": [{ "edge": "gate-1", "camera": "east-gate", "at": { "x": 0.5, "y": 0.5 }, "view": null }],
        "zones": [], "sensors": [],
    });
    draw_plan(&hub, "school-3", &real_picture(home.data()), &placed);
    (hub, edge)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_is_answered_as_documented() {
    let home = Home::embedded();
    let (hub, _edge) = furnished(&home).await;
    let guard =
        home.account(&hub, "guard", &["--role", "handler", "--role", "technician", "--site", "school-3"]);
    let leaver = home.account(&hub, "leaver", &["--role", "technician"]);
    tokio::task::block_in_place(|| {
        let askers = [
            (Asker { name: "tester", cookie: &hub.cookie }, "8"),
            // Who may do little is refused most of it.
            (Asker { name: "guard", cookie: &guard }, "3"),
        ];
        for (asker, examples) in &askers {
            let before = session(&hub, asker);
            hold_against_document(&hub, asker, &["--exclude-name", SIGN_OUT, "--max-examples", examples]);
            assert_eq!(session(&hub, asker), before);
        }
        let leaver = Asker { name: "leaver", cookie: &leaver };
        hold_against_document(&hub, &leaver, &["--include-name", SIGN_OUT, "--max-examples", "3"]);
    });
}
