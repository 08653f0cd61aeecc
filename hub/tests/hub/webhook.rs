//! Other programs are told of incidents, whatever they do: they fail, hang, go away, refuse.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_testbed::http;
use gatepost_testbed::metrics::{documented, served, value};
use gatepost_wire::event::Phase;
use ring::hmac;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};

const KEY: &[u8] = b"01234567890123456789012345678901";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Takes,
    Answers(u16),
    Hangs,
}

struct Message {
    headers: HashMap<String, String>,
    body: String,
}

impl Message {
    fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn assert_signed(&self) {
        let signed =
            format!("{}.{}.{}", self.headers["webhook-id"], self.headers["webhook-timestamp"], self.body);
        let signature = self.headers["webhook-signature"].strip_prefix("v1,").unwrap();
        let tag = data_encoding::BASE64.decode(signature.as_bytes()).unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, KEY), signed.as_bytes(), &tag).unwrap();
        let age =
            jiff::Timestamp::now().as_second() - self.headers["webhook-timestamp"].parse::<i64>().unwrap();
        assert!((0..60).contains(&age), "{age}");
    }
}

/// A program that is told.
struct Program {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    told: Receiver<(Mood, Message)>,
}

impl Program {
    fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, told) = channel();
        let mood = Arc::new(Mutex::new(mood));
        let shared = Arc::clone(&mood);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mood, sender) = (*shared.lock().unwrap(), sender.clone());
                std::thread::spawn(move || answer(stream.unwrap(), mood, &sender));
            }
        });
        Self { port, mood, told }
    }

    fn is_now(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn next(&self) -> (Mood, Message) {
        self.told.recv_timeout(PATIENCE).expect("to be told")
    }

    /// The next that was taken.
    fn taken(&self) -> Message {
        loop {
            let (mood, message) = self.next();
            message.assert_signed();
            if mood == Mood::Takes {
                return message;
            }
        }
    }
}

fn answer(stream: TcpStream, mood: Mood, told: &Sender<(Mood, Message)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut headers = HashMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("POST /hook?a=b HTTP/1.1"), "{line}");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    // Who is gone at the end of a test hears no more.
    let _ = told.send((mood, Message { headers, body: String::from_utf8(body).unwrap() }));
    let status = match mood {
        Mood::Takes => 204,
        Mood::Answers(status) => status,
        Mood::Hangs => {
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
    };
    let mut stream = stream;
    let _ = stream.write_all(
        format!("HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .as_bytes(),
    );
}

fn home(program: &Program, before: &str, more: &str) -> Home {
    let home = Home::with_broker(&format!(
        "[broker]\nlisten = \"127.0.0.1:0\"\n{before}[[webhooks]]\nname = \"district\"\nurl = \"http://127.0.0.1:{}/hook?a=b\"\n\
         secret_file = \"district.secret\"\n{more}",
        program.port
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

fn step(hub: &Hub, id: &str, mut step: Value) {
    step["version"] = hub.get(&format!("/api/v1/incidents/{id}"))["version"].clone();
    let answer = http::post_json(&hub.url(&format!("/api/v1/incidents/{id}/steps")), &step).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
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
    step(&hub, &id, json!({ "action": "note", "text": "the words of a person" }));
    step(&hub, &id, json!({ "action": "triage", "outcome": "false_alarm", "reason": "animal" }));
    while program.next().0 != Mood::Hangs {}
    // The hub is killed with a message under way, and the receiver is well again.
    drop(hub);
    program.is_now(Mood::Takes);
    let hub = home.start();
    let (opened, closed) = (program.taken(), program.taken());
    assert_eq!(opened.body, first.body, "it was not taken before, so it is told again");
    let event = opened.event();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!((&event["type"], &event["subject"]), (&json!("gatepost.incident.opened"), &json!(id)));
    let event = closed.event();
    assert_eq!(
        (&event["type"], &event["data"]["stage"]),
        (&json!("gatepost.incident.closed"), &json!("closed"))
    );
    assert_eq!(event["data"]["reason"], "animal");
    assert!(!closed.body.contains("words of a person") && !closed.body.contains("wang"), "{}", closed.body);
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
    assert_eq!(refused.event()["subject"], json!(id), "what happens at another site is not told");
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
    assert_eq!(program.taken().body, refused.body);
    http::wait_until("no dead letter", PATIENCE, || home.call(&["webhook", "dead"]).is_empty().then_some(()))
        .unwrap();
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
    let event = program.taken().event();
    assert_eq!((&event["type"], &event["subject"]), (&json!("gatepost.incident.escalated"), &json!(id)));
    assert_eq!((&event["data"]["action"], &event["data"]["stage"]), (&json!("escalate"), &json!("reported")));
}
