//! Work that one of several hubs does for all: whoever has it, it is done, and once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use gatepost_testbed::http::wait_until;
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::district::District;
use crate::external::edge_at;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Hub, PATIENCE};
use crate::program::{Mood, Program};
use crate::webhook::SECRET;

/// The incidents at these boxes, once each has one.
async fn open(district: &District, hub: &Hub, boxes: Range<u32>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for number in boxes {
        let name = format!("gate-{number}");
        let mut edge = edge_at(district.broker.port(), &name).await;
        assert!(edge.send(&intrusion_of(&name, boot(), 1, alarm(), Phase::Began)).await.unwrap());
        names.insert(name);
    }
    let opened = wait_until("an incident for each", PATIENCE, || {
        let page = hub.get("/api/v1/incidents?limit=200");
        let here = page["incidents"].as_array().unwrap().iter();
        let here = here.filter(|one| names.contains(one["edge"].as_str().unwrap()));
        let ids: BTreeSet<String> = here.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        (ids.len() == names.len()).then_some(ids)
    });
    opened.unwrap()
}

/// What was done with each, once each is escalated.
fn escalated(hub: &Hub, ids: &BTreeSet<String>) -> Vec<Value> {
    let done = |id: &String| {
        let timeline = hub.get(&format!("/api/v1/incidents/{id}/timeline"));
        let steps = timeline["steps"].as_array().unwrap();
        json!(steps.iter().map(|step| step["action"].clone()).collect::<Vec<_>>())
    };
    let late = |id: &String| hub.get(&format!("/api/v1/incidents/{id}"))["escalated"] == true;
    wait_until("every escalation", PATIENCE, || ids.iter().all(late).then_some(())).unwrap();
    ids.iter().map(done).collect()
}

/// What the program hears, by incident, until all of these are escalated and no more comes.
fn told(program: &Program, ids: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    loop {
        let all = ids.iter().all(|id| {
            told.get(id).is_some_and(|kinds| kinds.iter().any(|kind| kind == "gatepost.incident.escalated"))
        });
        // What is told twice comes at about the same time.
        let next = program.told.recv_timeout(if all { Duration::from_secs(1) } else { PATIENCE });
        let message = match next {
            Ok((_, message)) => message,
            Err(_) if all => return told,
            Err(error) => panic!("{error}: {told:?}"),
        };
        let event: Value = serde_json::from_slice(&message.body).unwrap();
        let kind = event["type"].as_str().unwrap().to_owned();
        told.entry(event["subject"].as_str().unwrap().to_owned()).or_default().push(kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_late_is_reminded_and_other_programs_are_told_by_one_of_two_hubs() {
    let program = Program::start(Mood::Takes);
    let district = District::with(
        &format!(
            "[incident_deadlines]\nreported_s = [2, 2, 2, 2]\nescalate_after_s = 1\n\
             [[webhooks]]\nname = \"district\"\nurl = \"{}/hook\"\nsecret_file = \"district.secret\"\n",
            program.url
        ),
        &[("district.secret", SECRET)],
    );
    let [mut one, two] = district.start();
    let once = |done: &[Value]| done.iter().all(|steps| *steps == json!(["open", "remind", "escalate"]));
    let kinds = ["gatepost.incident.opened", "gatepost.incident.escalated"];
    let ids = open(&district, &two, 0..10).await;
    let done = escalated(&two, &ids);
    assert!(once(&done), "{done:?}");
    let heard = told(&program, &ids);
    assert!(heard.len() == 10 && heard.values().all(|told| *told == kinds), "{heard:?}");

    // One is killed while somebody is waited for: the other goes on with whatever it had to do. What it was telling may be told again.
    let ids = open(&district, &two, 10..20).await;
    one.daemon.kill().unwrap();
    let done = escalated(&two, &ids);
    assert!(once(&done), "{done:?}");
    for (_, mut heard) in told(&program, &ids) {
        heard.dedup();
        assert_eq!(heard, kinds);
    }
    district.verify_timeline();
}
