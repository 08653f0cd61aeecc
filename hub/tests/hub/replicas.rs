//! Several hubs at one PostgreSQL database and one broker.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_testbed::http::{EventStream, wait_until};
use gatepost_testbed::postgres::Postgres;
use gatepost_wire::command::Outcome;
use gatepost_wire::event::Phase;
use gatepost_wire::{Command, CommandId, Timestamp};
use serde_json::{Value, json};

use crate::command::come_online;
use crate::district::{District, storm, wait_for_events};
use crate::edge::Edge;
use crate::external::{connected, edge};
use crate::hold::{Keepers, answer, told};
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};

/// What a page hears of alarms until all of these are among it: each incident by its id, as it was told last.
fn hear(stream: &EventStream, alarms: usize) -> BTreeMap<String, Value> {
    let mut incidents: BTreeMap<String, Value> = BTreeMap::new();
    loop {
        let told: i64 = incidents.values().map(|incident| incident["alarms"].as_i64().unwrap()).sum();
        if told == i64::try_from(alarms).unwrap() {
            return incidents;
        }
        let event = stream.next(PATIENCE).unwrap();
        if event.event == "incident" {
            let incident: Value = serde_json::from_str(&event.data).unwrap();
            incidents.insert(incident["id"].as_str().unwrap().to_owned(), incident);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_is_killed_under_load_and_nothing_is_lost_or_doubled() {
    let district = District::new();
    let [mut one, two] = district.start();
    let page = EventStream::open(&two.url("/api/v1/live")).unwrap();
    let boot = boot();
    let mut sent = storm(&district.broker, boot, 1, 60).await;
    wait_for_events(&two, &sent);
    assert_eq!(one.event_ids(), two.event_ids(), "both show the same");
    let by_both = one.wait_for_log(&["stored", "gate-1/event"]);
    assert!(!by_both.is_empty());
    two.wait_for_log(&["stored", "gate-1/event"]);

    let (more, ()) = tokio::join!(storm(&district.broker, boot, 61, 120), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        one.daemon.kill().unwrap();
    });
    sent.extend(more);
    // What had been given to the one that was killed comes again when it is back.
    let one = district.homes[0].start();
    connected(&one);
    sent.extend(storm(&district.broker, boot, 181, 20).await);
    wait_for_events(&two, &sent);
    let told = hear(&page, sent.len());
    assert_eq!(district.query("SELECT count(*) FROM incident_alarm"), sent.len().to_string());
    assert_eq!(district.query("SELECT count(*) FROM incident"), told.len().to_string());
    assert_eq!(two.device("gate-1").unwrap()["missing"], json!([]));
    district.verify_timeline();
}

/// Hubs look by themselves each five seconds: that alone would not tell pages of so many in time.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_both_hear_of_each_alarm_at_once_whichever_stored_it() {
    let district = District::new();
    let hubs = district.start();
    let pages = [0, 1].map(|at| EventStream::open(&hubs[at].url("/api/v1/live")).unwrap());
    let (mut edge, boot) = (edge(&district.broker).await, boot());
    let all = tokio::time::Instant::now() + PATIENCE;
    for seq in 1..=40 {
        let alarm = alarm();
        assert!(edge.send(&intrusion_of("gate-1", boot, seq, alarm, Phase::Began)).await.unwrap());
        for page in &pages {
            loop {
                let told = page.next(all - tokio::time::Instant::now()).unwrap();
                if told.event == "alert" && told.data.contains(&alarm.to_string()) {
                    break;
                }
            }
        }
    }
    // Both had something to tell the other.
    for hub in &hubs {
        hub.wait_for_log(&["stored", "gate-1/event"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_and_started_again() {
    let mut district = District::new();
    let hubs = district.start();
    let boot = boot();
    let mut sent = storm(&district.broker, boot, 1, 20).await;
    wait_for_events(&hubs[0], &sent);
    district.server.kill().unwrap();
    sent.extend(storm(&district.broker, boot, 21, 20).await);
    for hub in &hubs {
        hub.wait_for_log(&["events cannot be stored, so none is acknowledged"]);
    }
    district.server.restart().unwrap();
    for hub in &hubs {
        hub.wait_for_log(&["events are stored again"]);
    }
    sent.extend(storm(&district.broker, boot, 41, 20).await);
    wait_for_events(&hubs[0], &sent);
    let page = EventStream::open(&hubs[1].url("/api/v1/live")).unwrap();
    let after = storm(&district.broker, boot, 61, 5).await;
    sent.extend(after);
    let event = loop {
        let event = page.next(PATIENCE).unwrap();
        if event.event == "incident" {
            break event;
        }
    };
    assert!(event.data.contains("gate-1"));
    wait_for_events(&hubs[1], &sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_not_shown() {
    let server = Postgres::start().unwrap();
    let url = server.url_by_port("postgres");
    let home =
        Home::embedded().with_store(&format!("[store]\nurl = {url:?}\npassword_file = \"password\"\n"));
    std::fs::write(std::path::Path::new(&home.config()).with_file_name("password"), "not it").unwrap();
    let done = crate::process::command(&["run", "--config", &home.config()]);
    let said = String::from_utf8(done.stderr).unwrap() + &String::from_utf8(done.stdout).unwrap();
    assert!(!done.status.success());
    assert!(said.contains(&url) && said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("not it"), "{said}");
}

/// A box whose alarm two people hold.
struct Held {
    edge: Edge,
    keepers: Keepers,
}

impl Held {
    async fn at(district: &District, hub: &Hub) -> Self {
        let mut edge = edge(&district.broker).await;
        let alarm = alarm();
        assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm, Phase::Began)).await.unwrap());
        let stored =
            || hub.get("/api/v1/alerts")["alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
        wait_until("the alarm", PATIENCE, || stored().then_some(())).unwrap();
        Self { edge, keepers: Keepers::of(&district.homes[0], hub, alarm) }
    }

    /// The next command about the alarm that is not that one once more. Whoever takes the duty over sends what is open again.
    async fn told(&mut self, district: &District, but: Option<CommandId>) -> (Command, Timestamp) {
        loop {
            let told = told(&mut self.edge, &district.homes[0], self.keepers.alarm).await;
            if Some(told.0.id) != but {
                return told;
            }
        }
    }

    async fn answer(&mut self, command: &Command) {
        answer(&mut self.edge, command, Outcome::Done).await;
    }

    /// By this hub; the next order the box is told is that.
    async fn lift(&mut self, district: &District, hub: &Hub, put_on: &Command) {
        self.keepers.lift(hub);
        let (lifted, end) = self.told(district, Some(put_on.id)).await;
        assert!(end <= lifted.issued, "{lifted:?}");
        self.answer(&lifted).await;
    }

    fn stands(&self, state: &str, hubs: &[&Hub]) {
        for hub in hubs {
            assert!(self.keepers.custody(hub, state)["answered"].is_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_taken_by_one_hub_is_told_once_and_its_answer_is_seen_at_both() {
    let district = District::new();
    let [one, two] = district.start();
    let mut held = Held::at(&district, &one).await;
    come_online(&mut held.edge).await;
    let until = held.keepers.hold(&one);
    let (put_on, end) = held.told(&district, None).await;
    assert_eq!(end, until);
    held.answer(&put_on).await;
    held.stands("held", &[&one, &two]);
    held.lift(&district, &two, &put_on).await;
    held.stands("released", &[&one, &two]);
    assert_eq!(district.query("SELECT count(*) FROM command"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_told_by_the_other_hub_when_the_one_that_took_it_is_killed() {
    let district = District::new();
    let [mut one, two] = district.start();
    let mut held = Held::at(&district, &one).await;
    // Its box is away, so nobody has told it yet.
    let until = held.keepers.hold(&one);
    assert_eq!(held.keepers.latest(&two)["custody"]["state"], "waiting");
    one.daemon.kill().unwrap();
    come_online(&mut held.edge).await;
    let (put_on, end) = held.told(&district, None).await;
    assert_eq!(end, until);
    held.answer(&put_on).await;
    held.stands("held", &[&two]);

    let one = district.homes[0].start();
    connected(&one);
    held.stands("held", &[&one]);
    held.lift(&district, &one, &put_on).await;
    held.stands("released", &[&one, &two]);
    assert_eq!(district.query("SELECT count(*) FROM command"), "2");
}
