//! Other programs are told of incidents, whatever they do: they fail, hang, go away, refuse.

use std::time::Duration;

use gatepost_testbed::http;
use gatepost_testbed::metrics::{documented, served, value};
use gatepost_wire::event::Phase;
use ring::hmac;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::incident::take_step;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};
use crate::program::{Message, Mood, Program};

const KEY: &[u8] = b"01234567890123456789012345678901";
pub const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

fn document(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

fn assert_signed(message: &Message) {
    let (id, time) = (&message.headers["webhook-id"], &message.headers["webhook-timestamp"]);
    let signed = [format!("{id}.{time}.").as_bytes(), &message.body].concat();
    let signature = message.headers["webhook-signature"].strip_prefix("v1,").unwrap();
    let tag = data_encoding::BASE64.decode(signature.as_bytes()).unwrap();
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, KEY), &signed, &tag).unwrap();
    let age = jiff::Timestamp::now().as_second() - time.parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "{age}");
}

/// The next that was taken.
fn taken(program: &Program) -> Message {
    loop {
        let (mood, message) = program.next();
        assert_eq!(message.target, "/hook?a=b");
        assert_signed(&message);
        if mood == Mood::Takes {
            return message;
        }
    }
}

/// A hub that tells this program.
pub fn home(program: &Program, before: &str, more: &str) -> Home {
    let home = Home::with_broker(&format!(
        "[broker]\nlisten = \"127.0.0.1:0\"\n{before}[[webhooks]]\nname = \"district\"\nurl = \"{}/hook?a=b\"\n\
         secret_file = \"district.secret\"\n{more}",
        program.url
    ));
    std::fs::write(std::path::Path::new(&home.config()).with_file_name("district.secret"), SECRET).unwrap();
    home
}

/// Opens an incident at a box, and gives its id.
async fn open(hub: &Hub, edge: &mut Edge, name: &str, known: &mut Vec<String>) -> String {
    assert!(edge.send(&intrusion_of(name, boot(), 1, alarm(), Phase::Began)).await.unwrap());
    let id = http::wait_until("the incident", PATIENCE, || {
        let page = hub.get("/api/v1/incidents?limit=200");
        let ids =
            page["incidents"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        ids.into_iter().find(|id| !known.contains(id))
    })
    .unwrap();
    known.push(id.clone());
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_receiver_does_it_is_told_everything_in_order() {
    let program = Program::start(Mood::Answers(503));
    let home = home(&program, "", "");
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let id = open(&hub, &mut edge, "gate-1", &mut Vec::new()).await;
    let (_, first) = program.next();
    assert_eq!(first.headers["content-type"], "application/cloudevents+json; charset=utf-8");
    // It goes on failing; then it hangs; meanwhile the incident goes on, and so does everything else.
    let (_, again) = program.next();
    assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"], "a repetition is known by its id");
    assert_eq!(again.body, first.body);
    program.is_now(Mood::Hangs);
    take_step(&hub, &id, json!({ "action": "note", "text": "the words of a person" }));
    take_step(&hub, &id, json!({ "action": "triage", "outcome": "false_alarm", "reason": "animal" }));
    while program.next().0 != Mood::Hangs {}
    // The hub is killed with a message under way, and the receiver is well again.
    drop(hub);
    program.is_now(Mood::Takes);
    let hub = home.start();
    let (opened, closed) = (taken(&program), taken(&program));
    assert_eq!(opened.body, first.body, "it was not taken before, so it is told again");
    let event = document(&opened);
    assert_eq!(event["specversion"], "1.0");
    assert_eq!((&event["type"], &event["subject"]), (&json!("gatepost.incident.opened"), &json!(id)));
    let event = document(&closed);
    assert_eq!(
        (&event["type"], &event["data"]["stage"]),
        (&json!("gatepost.incident.closed"), &json!("closed"))
    );
    assert_eq!(event["data"]["reason"], "animal");
    let text = event.to_string();
    assert!(!text.contains("words of a person") && !text.contains("wang"), "{text}");
    let more = program.told.recv_timeout(Duration::from_secs(1)).ok().map(|(mood, more)| (mood, more.body));
    assert_eq!(more, None, "nothing is told twice that was taken");
    drop(hub);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_kept_and_sent_again_when_somebody_says_so() {
    let program = Program::start(Mood::Answers(410));
    let home = home(
        &program,
        "[metrics]\nlisten = \"127.0.0.1:0\"\n",
        "tells = [\"opened\"]\nsites = [\"school-1\"]\n",
    );
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let site = json!({ "label": "school", "edges": ["gate-1"] });
    let put = http::send("PUT", &hub.url("/api/v1/sites/school-1"), Some(&hub.cookie), Some(&site)).unwrap();
    assert_eq!(put.status, 200);
    let mut known = Vec::new();
    let mut far = Edge::connect(hub.broker_port(), "gate-2", &two).await.unwrap();
    open(&hub, &mut far, "gate-2", &mut known).await;
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &one).await.unwrap();
    let id = open(&hub, &mut edge, "gate-1", &mut known).await;
    let (_, refused) = program.next();
    assert_eq!(document(&refused)["subject"], json!(id), "what happens at another site is not told");
    let dead = http::wait_until("a dead letter", PATIENCE, || {
        let dead = home.call(&["webhook", "dead"]);
        (!dead.is_empty()).then_some(dead)
    });
    let dead = dead.unwrap();
    let figures = http::get(&format!("{}/metrics", hub.metrics())).unwrap().text();
    assert_eq!(value(&figures, "gatepost_hub_webhook_dead{webhook=\"district\"}"), Some(1.0), "{figures}");
    assert_eq!(value(&figures, "gatepost_hub_webhook_waiting{webhook=\"district\"}"), Some(0.0), "{figures}");
    let documented = documented().unwrap();
    assert!(served(&figures).iter().all(|name| documented.contains_key(name)), "{figures}");
    assert!(dead.starts_with("district ") && dead.contains("410") && dead.lines().count() == 1, "{dead}");
    assert!(
        program.told.recv_timeout(Duration::from_secs(2)).is_err(),
        "refused for good, it is not tried again"
    );
    // A redirection is followed nowhere.
    program.is_now(Mood::Answers(302));
    assert_eq!(home.call(&["webhook", "retry", "district"]), "1 will be sent again");
    assert_eq!(program.next().0, Mood::Answers(302));
    let noted = || home.call(&["webhook", "dead"]).contains("302").then_some(());
    http::wait_until("the answer to be noted", PATIENCE, noted).unwrap();
    program.is_now(Mood::Takes);
    home.call(&["webhook", "retry", "district"]);
    assert_eq!(taken(&program).body, refused.body);
    http::wait_until("no dead letter", PATIENCE, || home.call(&["webhook", "dead"]).is_empty().then_some(()))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_what_was_not_taken_and_have_it_told_again() {
    let program = Program::start(Mood::Answers(503));
    let home = home(&program, "", "tells = [\"opened\"]\n");
    let token = home.add("gate-1");
    let hub = home.start();
    let cookie = home.account(&hub, "zhao", &["--role", "administrator"]);
    let ask = |method: &str, path: &str| {
        http::send(method, &hub.url(&format!("/api/v1/{path}")), Some(&cookie), None::<&()>).unwrap()
    };
    let status = || ask("GET", "webhooks").json::<Value>().unwrap()["webhooks"][0].clone();
    let until = |what: &str, there: &dyn Fn(&Value) -> bool| {
        http::wait_until(what, PATIENCE, || Some(status()).filter(there)).unwrap()
    };
    let host = program.url.strip_prefix("http://").unwrap();
    let receiver = json!({ "host": host, "tells": ["opened"], "sites": null });
    let fresh = status();
    assert_eq!((&fresh["name"], &fresh["receiver"]), (&json!("district"), &receiver));
    assert_eq!((&fresh["dead"], &fresh["failure"]), (&json!(0), &json!(null)));

    // It fails for now: that and since when is there to be seen, and what waits.
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let mut known = Vec::new();
    let first = open(&hub, &mut edge, "gate-1", &mut known).await;
    let failing =
        until("a failure", &|one| one["failure"]["reason"] == "not taken: HTTP 503 Service Unavailable");
    assert_eq!((&failing["dead"], failing["waiting"].as_i64().unwrap() > 0), (&json!(0), true));
    let later = until("another attempt", &|one| one["failure"]["time"] != failing["failure"]["time"]);
    assert_eq!(later["failure"]["since"], failing["failure"]["since"]);

    // Then it refuses for good, two of them.
    program.is_now(Mood::Answers(410));
    take_step(&hub, &first, json!({ "action": "triage", "outcome": "false_alarm", "reason": "animal" }));
    until("a dead letter", &|one| one["dead"] == 1);
    assert!(edge.send(&intrusion_of("gate-1", boot(), 2, alarm(), Phase::Began)).await.unwrap());
    let dead = until("two dead letters", &|one| one["dead"] == 2);
    assert_eq!((&dead["waiting"], &dead["failure"]["reason"]), (&json!(0), &json!("refused: HTTP 410 Gone")));
    let page: Value = ask("GET", "webhooks/district/dead?limit=1").json().unwrap();
    let next = page["next"].as_str().unwrap();
    let last: Value = ask("GET", &format!("webhooks/district/dead?limit=1&before={next}")).json().unwrap();
    let letter = &last["letters"][0];
    assert_eq!(
        (&letter["message"], &letter["tells"], &letter["reason"], &letter["again"]),
        (&json!(format!("{first}-1")), &json!("opened"), &json!("refused: HTTP 410 Gone"), &json!(false))
    );
    let incident = hub.get(&format!("/api/v1/incidents/{first}"));
    assert_eq!((&letter["incident"], letter["attempts"].as_i64().unwrap() > 1), (&incident["number"], true));
    let told = format!("{page}{last}{}", ask("GET", "webhooks").text());
    assert!(!told.contains("/hook") && !told.contains("a=b") && !told.contains("whsec_"), "{told}");

    // One is told again, then all that is left; who wanted it stands in the log.
    let number = letter["step"].as_i64().unwrap();
    program.is_now(Mood::Takes);
    let again = ask("POST", &format!("webhooks/district/dead/{number}/retry"));
    assert_eq!((again.status, again.json::<Value>().unwrap()), (202, json!({ "count": 1 })));
    assert_eq!(document(&taken(&program))["subject"], json!(first));
    let left = until("one dead letter", &|one| one["dead"] == 1);
    assert_eq!(left["failure"], json!(null), "the last attempt went well");
    assert_eq!(ask("POST", &format!("webhooks/district/dead/{number}/retry")).status, 404, "it was taken");
    assert_eq!(ask("POST", "webhooks/district/dead/retry").json::<Value>().unwrap(), json!({ "count": 1 }));
    assert_ne!(document(&taken(&program))["subject"], json!(first));
    until("no dead letter", &|one| one["dead"] == 0);
    assert_eq!(ask("POST", "webhooks/nobody/dead/retry").status, 404);
    assert_eq!(ask("GET", "webhooks/nobody/dead").status, 404);
    assert_eq!(ask("POST", "webhooks/district/dead/-1/retry").status, 400);
    let log: Value = ask("GET", "access-log").json().unwrap();
    let records = log["records"].as_array().unwrap().iter();
    let retried: Vec<_> = records
        .filter(|record| record["action"] == "webhook_retried")
        .map(|record| (record["by"].as_str().unwrap(), record["detail"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(retried, [("zhao", "district: 1".to_owned()), ("zhao", format!("district: #{number}"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_escalated_is_told_as_that() {
    let program = Program::start(Mood::Takes);
    let late = "[incident_deadlines]\nreported_s = [1, 1, 1, 1]\nescalate_after_s = 1\n";
    let home = home(&program, late, "tells = [\"escalated\"]\n");
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let id = open(&hub, &mut edge, "gate-1", &mut Vec::new()).await;
    let event = document(&taken(&program));
    assert_eq!((&event["type"], &event["subject"]), (&json!("gatepost.incident.escalated"), &json!(id)));
    assert_eq!((&event["data"]["action"], &event["data"]["stage"]), (&json!("escalate"), &json!("reported")));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_over_tls_if_its_certificate_is_good() {
    let (program, authority) = Program::over_tls();
    let (other, _) = Program::over_tls();
    // Of one program the authority is known; the other only says that it is of it.
    let home = home(
        &program,
        "",
        &format!(
            "ca_file = \"authority.pem\"\n[[webhooks]]\nname = \"stranger\"\nurl = \"{}/hook\"\n\
             secret_file = \"district.secret\"\nca_file = \"authority.pem\"\n",
            other.url
        ),
    );
    std::fs::write(std::path::Path::new(&home.config()).with_file_name("authority.pem"), authority).unwrap();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let id = open(&hub, &mut edge, "gate-1", &mut Vec::new()).await;
    assert_eq!(document(&taken(&program))["subject"], json!(id));
    assert!(other.told.recv_timeout(Duration::from_secs(3)).is_err(), "nobody knows who that is");
}
