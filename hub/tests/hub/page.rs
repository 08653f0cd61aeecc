//! The live page in a real browser: clips and originals, accounts, an incident from its report to its evaluation, looking back and handing over, what was deleted;
//! the bell, areas, roles alone, the shelf, a cut network, lists as files.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatepost_testbed::account::PASSWORD;
use gatepost_testbed::footage::workspace_root;
use gatepost_testbed::http;
use gatepost_wire::command::{Order, Outcome, Reason};
use gatepost_wire::event::Phase;
use gatepost_wire::{BootId, Event, Severity, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::command::{come_online, reply};
use crate::edge::Edge;
use crate::incident::{take_step, wait_for_incidents};
use crate::message::{
    alarm, boot, encrypted, evidence_topic, happening, health, intrusion_of, picture, with_clip,
    with_evidence, with_original_kept, with_released,
};
use crate::process::{Home, Hub, PATIENCE};
use crate::program::{Mood, Program};
use crate::webhook;

/// Ten seconds of video in the format a box makes.
fn real_clip(folder: &Path) -> Vec<u8> {
    film(folder.join("clip.mp4"), 100, "openh264enc ! h264parse ! mp4mux faststart=true")
}

/// A picture in the format a box makes.
pub fn real_picture(folder: &Path) -> Vec<u8> {
    film(folder.join("picture.jpg"), 1, "jpegenc")
}

fn film(file: PathBuf, pictures: u8, encoded: &str) -> Vec<u8> {
    let done = Command::new("gst-launch-1.0")
        .args(["-q", "videotestsrc", "pattern=ball", &format!("num-buffers={pictures}"), "!"])
        .args("video/x-raw,width=640,height=360,framerate=10/1 !".split(' '))
        .args(format!("{encoded} ! filesink").split(' '))
        .arg(format!("location={}", file.display()))
        .output()
        .unwrap_or_else(|e| panic!("gst-launch-1.0 cannot be started: {e}; run `setup/install.sh debian`"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(file).unwrap()
}

/// Gives a site a plan with these things on it.
pub fn draw_plan(hub: &Hub, site: &str, picture: &[u8], placed: &Value) {
    let path = hub.url(&format!("/api/v1/sites/{site}/plan"));
    let picture = http::send_bytes(
        "PUT",
        &format!("{path}/picture?version=0"),
        Some(&hub.cookie),
        "image/jpeg",
        picture,
    );
    let plan: Value = picture.unwrap().json().unwrap();
    let wanted = json!({ "version": plan["version"], "placed": placed });
    http::send("PUT", &path, Some(&hub.cookie), Some(&wanted)).unwrap().success().unwrap();
}

/// Makes accounts for a program's people, of each its variable, their name and role; what [`drive`] wants of them.
fn people_of<'p>(home: &Home, hub: &Hub, people: &[(&'p str, &'p str, &str)]) -> Vec<(&'p str, &'p str)> {
    let account = |&(variable, name, role): &(&'p str, &'p str, &str)| {
        home.account(hub, name, &["--role", role]);
        (variable, name)
    };
    people.iter().map(account).collect()
}

/// Runs a program of `hub/ui/e2e`, which says what it wants done in lines of its own; every check of it has to hold.
pub fn drive(script: &str, hub: &Hub, people: &[(&str, &str)], mut on_line: impl FnMut(&str)) {
    let page = workspace_root().join("hub/ui");
    assert!(
        page.join("node_modules").is_dir(),
        "the browser test needs its packages: run `setup/install.sh page`"
    );
    let mut browser = Command::new("node");
    browser
        .arg(format!("e2e/{script}"))
        .current_dir(page)
        .env("GATEPOST_URL", &hub.web)
        .stdout(Stdio::piped());
    for (role, name) in people {
        let password = match *role {
            "GATEPOST_NAME" => "GATEPOST_PASSWORD".to_owned(),
            role => format!("{role}_PASSWORD"),
        };
        browser.env(role, name).env(password, PASSWORD);
    }
    let mut browser = browser
        .spawn()
        .unwrap_or_else(|e| panic!("node cannot be started: {e}; run `setup/install.sh debian`"));
    let mut said = Vec::new();
    for line in BufReader::new(browser.stdout.take().unwrap()).lines().map_while(Result::ok) {
        on_line(&line);
        said.push(line);
    }
    let status = browser.wait().unwrap();
    let said = said.join("\n");
    println!("{said}");
    assert!(status.success() && said.ends_with("DONE"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_played_and_an_original_asked_for() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    for name in ["wang.li", "li.na"] {
        home.account(&hub, name, &["--role", "supervisor"]);
    }
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let (boot, alarm) = (boot(), alarm());
    let event = |seq, phase| intrusion_of("gate-1", boot, seq, alarm, phase);
    // A picture that is named and never comes: the page says so, and asks for nothing that is not there.
    let began = with_original_kept(event(1, Phase::Began), &picture("covered"));
    let clip = real_clip(home.data());
    let updated = with_clip(event(2, Phase::Updated), &clip);
    assert!(edge.send(&began).await.unwrap() && edge.send(&updated).await.unwrap());
    edge.publish(&evidence_topic(&updated), clip, false).await.unwrap();

    let release = async |edge: &mut Edge| {
        let command = edge.command(home.hub_key()).await;
        let Order::ReleaseOriginal(release) = &command.order else { panic!("{command:?}") };
        assert_eq!(release.event, began.id);
        let original = encrypted("someone");
        let released = with_released(event(3, Phase::Updated), &original, command.id, release.until);
        assert!(edge.send(&released).await.unwrap());
        edge.publish(&evidence_topic(&released), original, false).await.unwrap();
        edge.publish("gp/v1/gate-1/command/reply", reply(&command, Outcome::Done), false).await.unwrap();
    };
    let mut work = async |line: &str| {
        if line == "HELD" {
            let command = edge.command(home.hub_key()).await;
            assert!(
                matches!(&command.order, Order::HoldEvidence(hold) if hold.alarm == alarm),
                "{command:?}"
            );
            edge.publish("gp/v1/gate-1/command/reply", reply(&command, Outcome::Done), false).await.unwrap();
        }
        if line == "ASKED" {
            release(&mut edge).await;
        }
    };
    tokio::task::block_in_place(|| {
        drive(
            "evidence-page.mjs",
            &hub,
            &[("GATEPOST_NAME", "wang.li"), ("GATEPOST_SECOND", "li.na")],
            |line| Handle::current().block_on(work(line)),
        );
    });
}

/// A person's way through the page: signing in, the second factor, other people's accounts, and a session that ends.
#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_manage_accounts() {
    let receiver = Program::start(Mood::Answers(410));
    let home = webhook::home(&receiver, "", "tells = [\"opened\"]\n");
    let token = home.add("gate-1");
    let hub = home.start();
    home.account(&hub, "wang.li", &["--role", "supervisor"]);
    home.account(&hub, "li.na", &["--role", "administrator"]);
    // A box that has said something, so that there is one to see.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    assert!(edge.send(&intrusion_of("gate-1", boot, 1, alarm(), Phase::Began)).await.unwrap());
    // Of another kind: it opens an incident of its own, of which the receiver does not want to hear either.
    let fence = json!({ "kind": "sensor_alarm", "sensor": "fence-3", "input": "fence", "area": "north" });
    assert!(edge.send(&happening(boot, 2, alarm(), Phase::Began, fence)).await.unwrap());
    let people = [("GATEPOST_NAME", "wang.li"), ("GATEPOST_ADMIN", "li.na")];
    tokio::task::block_in_place(|| {
        drive("accounts-page.mjs", &hub, &people, |line| match line {
            "END" => {
                home.call(&["person", "disable", "wang.li"]);
                home.call(&["person", "enable", "wang.li"]);
            }
            "WELL" => receiver.is_now(Mood::Takes),
            _ => {}
        });
    });
}

/// An operator, a handler with a phone and a supervisor take an incident from its report to its evaluation.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_followed_to_its_end() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    for (name, role) in [("qin.lan", "operator"), ("zhao.min", "handler"), ("wang.li", "supervisor")] {
        home.account(&hub, name, &["--role", role]);
    }
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    let people =
        [("GATEPOST_NAME", "qin.lan"), ("GATEPOST_HANDLER", "zhao.min"), ("GATEPOST_SUPERVISOR", "wang.li")];
    let seen = real_picture(home.data());
    // Once in each language.
    let mut seq = 0;
    let mut publish = async |event: Event| {
        assert!(edge.send(&event).await.unwrap());
        if !event.data.evidence.is_empty() {
            edge.publish(&evidence_topic(&event), seen.clone(), false).await.unwrap();
        }
    };
    tokio::task::block_in_place(|| {
        drive("incidents-page.mjs", &hub, &people, |line| match line {
            "READY" => {
                seq += 1;
                let event = with_evidence(intrusion_of("gate-1", boot, seq, alarm(), Phase::Began), &seen);
                Handle::current().block_on(publish(event));
            }
            "AGAIN" => {
                seq += 1;
                let fence =
                    json!({ "kind": "sensor_alarm", "sensor": "fence-3", "input": "fence", "area": "north" });
                Handle::current().block_on(publish(happening(boot, seq, alarm(), Phase::Began, fence)));
            }
            _ => {}
        });
    });
}

/// More incidents than one page of the search has; a supervisor looks back and hands the shift over.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_searched_and_the_shift_handed_over() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    home.account(&hub, "wang.li", &["--role", "supervisor"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    for seq in 1..=60_u32 {
        let mut event = intrusion_of("gate-1", boot, seq.into(), alarm(), Phase::Began);
        // Too far apart to be one incident.
        event.time = Timestamp::now() - SignedDuration::from_mins(10 * i64::from(61 - seq));
        assert!(edge.send(&event).await.unwrap());
    }
    http::wait_until("incidents", PATIENCE, || {
        let page = hub.get("/api/v1/incidents?limit=200");
        (page["incidents"].as_array().unwrap().len() == 60).then_some(())
    })
    .unwrap();
    tokio::task::block_in_place(|| drive("history-page.mjs", &hub, &[("GATEPOST_NAME", "wang.li")], |_| {}));
}

/// Auditors read which files went, administrators how many records; here one file did.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_told() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let people = [
        ("GATEPOST_NAME", "li.na", "auditor"),
        ("GATEPOST_SUPERVISOR", "wang.li", "supervisor"),
        ("GATEPOST_ADMIN", "zhao.ming", "administrator"),
        ("GATEPOST_HANDLER", "zhao.min", "handler"),
    ];
    let people = people_of(&home, &hub, &people);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began)).await.unwrap());
    let incident = wait_for_incidents(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    let paper = hub.url(&format!("/api/v1/incidents/{incident}/attachments?name=bill.pdf"));
    let attached =
        http::send_bytes("POST", &paper, Some(&hub.cookie), "application/pdf", b"%PDF-1.4 %%EOF").unwrap();
    assert_eq!(attached.status, 201, "{}", attached.text());
    take_step(&hub, &incident, json!({ "action": "withdraw", "attachment": 1, "text": "of another school" }));
    tokio::task::block_in_place(|| drive("deletions-page.mjs", &hub, &people, |_| {}));
}

/// A technician draws the plan of a school; what happens there is shown on it, to a guard with a phone too.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_drawn_and_shows_what_happens() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let school = json!({ "label": "第三小学", "edges": ["gate-1"] });
    http::send("PUT", &hub.url("/api/v1/sites/school-3"), Some(&hub.cookie), Some(&school)).unwrap();
    home.account(&hub, "chen.jie", &["--role", "technician", "--role", "operator", "--site", "school-3"]);
    home.account(&hub, "li.na", &["--role", "administrator"]);
    home.account(&hub, "zhao.min", &["--role", "handler", "--site", "school-3"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    let mut said: Value = serde_json::from_str(&health("gate-1", boot, 1)).unwrap();
    said["sensors"] = json!([{
        "sensor": "fence-3", "label": "北围栏三段", "input": "fence", "state": "rest",
        "faults": [{ "fault": "open", "detail": "the line is cut" }], "readings": 1, "errors": 0,
    }]);
    edge.publish("gp/v1/gate-1/health", said.to_string(), true).await.unwrap();
    let mut on_line = async |line: &str| match line {
        "READY" => {
            assert!(edge.send(&intrusion_of("gate-1", boot, 1, alarm(), Phase::Began)).await.unwrap());
        }
        "ILL" => {
            // What it is ill with is told by its kind; the words need not say it.
            let (reason, now) = ("nothing is to be had of it", Timestamp::now());
            said["time"] = json!(now);
            said["cameras"][0]["state"] = json!({ "name": "faulted", "reason": reason });
            said["cameras"][0]["faults"] =
                json!([{ "fault": "login_refused", "since": now, "detail": reason }]);
            edge.publish("gp/v1/gate-1/health", said.to_string(), true).await.unwrap();
        }
        _ => {}
    };
    let people =
        [("GATEPOST_NAME", "chen.jie"), ("GATEPOST_SECOND", "li.na"), ("GATEPOST_HANDLER", "zhao.min")];
    tokio::task::block_in_place(|| {
        drive("plan-page.mjs", &hub, &people, |line| Handle::current().block_on(on_line(line)));
    });
}

/// At a sensor of its own, so that it joins no other incident.
fn elsewhere(boot: BootId, seq: u64, severity: Severity) -> Event {
    let sensor = format!("fence-{seq}");
    let fence = json!({ "kind": "sensor_alarm", "sensor": sensor, "input": "fence", "area": "north" });
    let mut event = happening(boot, seq, alarm(), Phase::Began, fence);
    event.data.severity = severity;
    event
}

/// Runs a program that wants an alarm at each of these lines. Of its people: the variable, the name, the role.
async fn drive_with_alarms(script: &str, people: &[(&str, &str, &str)], alarms: &[(&str, Severity)]) {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let people = people_of(&home, &hub, people);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let (boot, mut seq) = (boot(), 0);
    let mut work = async |line: &str| {
        let Some(&(_, severity)) = alarms.iter().find(|(at, _)| *at == line) else { return };
        seq += 1;
        assert!(edge.send(&elsewhere(boot, seq, severity)).await.unwrap());
    };
    tokio::task::block_in_place(|| {
        drive(script, &hub, &people, |line| Handle::current().block_on(work(line)));
    });
}

/// Who turned it on hears of what is grave, and is shown it while they look elsewhere; nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn the_bell_rings_for_what_is_grave() {
    let alarms = [
        ("GRAVE", Severity::CRITICAL),
        ("AGAIN", Severity::HIGH),
        ("MINOR", Severity::MEDIUM),
        ("OFF", Severity::CRITICAL),
    ];
    drive_with_alarms("bell-page.mjs", &[("GATEPOST_NAME", "qin.lan", "operator")], &alarms).await;
}

/// An incident is put aside until a time, taken back, and given back by who was to go.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_shelved_and_returned() {
    let people = [("GATEPOST_NAME", "qin.lan", "operator"), ("GATEPOST_HANDLER", "zhao.min", "handler")];
    let alarms = [("READY", Severity::HIGH), ("AGAIN", Severity::HIGH)];
    drive_with_alarms("shelve-page.mjs", &people, &alarms).await;
}

/// The network is cut in the middle of an incident.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_network_loses_nothing_and_does_nothing_twice() {
    let people = [("GATEPOST_NAME", "qin.lan", "operator"), ("GATEPOST_SUPERVISOR", "wang.li", "supervisor")];
    let alarms = [("READY", Severity::HIGH), ("CUT", Severity::HIGH)];
    drive_with_alarms("cut-page.mjs", &people, &alarms).await;
}

/// An area whose gate is open, as a box reports it.
fn store() -> Value {
    json!([{
        "area": "store", "label": "仓库", "mode": "disarmed", "stage": "set", "open": [{ "sensor": "gate-contact" }],
    }])
}

/// A maintainer arms, disarms and puts into maintenance; the box refuses to arm what is open unless it is left out.
#[tokio::test(flavor = "multi_thread")]
async fn areas_are_armed_from_the_page() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let people = people_of(&home, &hub, &[("GATEPOST_NAME", "lu.yun", "maintainer")]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let mut said: Value = serde_json::from_str(&health("gate-1", boot(), 1)).unwrap();
    said["areas"] = store();
    edge.publish("gp/v1/gate-1/health", said.to_string(), true).await.unwrap();
    let mut work = async |line: &str| {
        if line != "ORDERED" {
            return;
        }
        let command = edge.command(home.hub_key()).await;
        let Order::SetMode(order) = &command.order else { panic!("{command:?}") };
        let mode = serde_json::to_value(&order.mode).unwrap();
        let (name, bypass) = (mode["name"].as_str().unwrap(), mode["bypass"].as_array());
        let outcome = if name.starts_with("armed") && bypass.is_none() {
            let detail = "not closed: sensor gate-contact".into();
            Outcome::Refused { reason: Reason::NotReady, detail, highest: None }
        } else {
            let now = Timestamp::now();
            said["time"] = json!(now);
            let area = &mut said["areas"][0];
            area["mode"] = json!(name);
            area["bypassed"] = json!(bypass.cloned().unwrap_or_default());
            area["until"] = json!(mode["for_s"].as_i64().map(|s| now + SignedDuration::from_secs(s)));
            edge.publish("gp/v1/gate-1/health", said.to_string(), true).await.unwrap();
            Outcome::Done
        };
        edge.publish("gp/v1/gate-1/command/reply", reply(&command, outcome), false).await.unwrap();
    };
    tokio::task::block_in_place(|| {
        drive("areas-page.mjs", &hub, &people, |line| Handle::current().block_on(work(line)));
    });
}

/// A maintainer, an auditor and a technician, each alone, do their work and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_its_own_work() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let people = [
        ("GATEPOST_NAME", "wang.li", "supervisor"),
        ("GATEPOST_MAINTAINER", "lu.yun", "maintainer"),
        ("GATEPOST_AUDITOR", "li.na", "auditor"),
        ("GATEPOST_TECHNICIAN", "deng.kai", "technician"),
    ];
    let people = people_of(&home, &hub, &people);
    let school = json!({ "label": "第三小学", "edges": ["gate-1"] });
    http::send("PUT", &hub.url("/api/v1/sites/school-3"), Some(&hub.cookie), Some(&school)).unwrap();
    let at = |x: f64, y: f64| json!({ "x": x, "y": y });
    let placed = json!({
        "cameras": [{ "edge": "gate-1", "camera": "east-gate", "at": at(0.5, 0.5), "view": { "direction_deg": 90, "angle_deg": 70 } }],
        "zones": [{ "label": "草坪", "outline": [at(0.1, 0.1), at(0.4, 0.1), at(0.4, 0.4)],
            "shows": { "edge": "gate-1", "camera": "east-gate", "zone": "lawn" } }],
        "sensors": [],
    });
    let seen = real_picture(home.data());
    draw_plan(&hub, "school-3", &seen, &placed);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    let mut said: Value = serde_json::from_str(&health("gate-1", boot, 1)).unwrap();
    let (reason, now) = ("the camera refuses the login", Timestamp::now());
    said["areas"] = store();
    said["cameras"][0]["state"] = json!({ "name": "faulted", "reason": reason });
    said["cameras"][0]["faults"] = json!([{ "fault": "login_refused", "since": now, "detail": reason }]);
    edge.publish("gp/v1/gate-1/health", said.to_string(), true).await.unwrap();
    let event = with_evidence(intrusion_of("gate-1", boot, 1, alarm(), Phase::Began), &seen);
    assert!(edge.send(&event).await.unwrap());
    edge.publish(&evidence_topic(&event), seen, false).await.unwrap();
    wait_for_incidents(&hub, 1);
    tokio::task::block_in_place(|| drive("roles-page.mjs", &hub, &people, |_| {}));
}

/// What is taken away as a file is what the page lists.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_taken_away_as_they_are_shown() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let people = [("GATEPOST_NAME", "li.na", "auditor"), ("GATEPOST_OPERATOR", "qin.lan", "operator")];
    let people = people_of(&home, &hub, &people);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let boot = boot();
    for seq in 1..=30 {
        assert!(edge.send(&elsewhere(boot, seq, Severity::MEDIUM)).await.unwrap());
    }
    assert!(edge.send(&intrusion_of("gate-1", boot, 31, alarm(), Phase::Began)).await.unwrap());
    wait_for_incidents(&hub, 31);
    tokio::task::block_in_place(|| drive("exports-page.mjs", &hub, &people, |_| {}));
}
