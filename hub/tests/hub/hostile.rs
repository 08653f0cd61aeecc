//! Wrong clocks, and clients that try what no page does: tricks in every parameter, too much, and too slowly.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use gatepost_testbed::http;
use gatepost_wire::Timestamp;
use gatepost_wire::event::Phase;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::batch::{backlog, join};
use crate::client;
use crate::edge::Edge;
use crate::message::{alarm, boot, event_topic, intrusion, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};

/// None of them is a name, a number or an id of anything.
const TRICKS: [&str; 12] = [
    "' OR 1=1 --",
    "'; DROP TABLE event; --",
    "1) UNION SELECT hash FROM person --",
    "../../../../etc/passwd",
    "..\\..\\hub.toml",
    "\u{0}",
    "\u{202e}gnp.exe",
    "{{7*7}}",
    "$(id)",
    "-1.5E309",
    "+99999999999999999999999999",
    "🦆",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_camera_without_end_buries_nothing_and_no_list_grows_with_it() {
    const ALARMS: u64 = 10_100;
    let home = Home::embedded();
    let (token, other) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let events = backlog(boot(), ALARMS);
    for some in events.chunks(200) {
        let answer = edge.publish(&event_topic(&some[0]), join(some), false).await.unwrap();
        assert_eq!(answer, PubAckReason::Success);
    }
    let mut bystander = Edge::connect(hub.broker_port(), "gate-2", &other).await.unwrap();
    let lone = intrusion_of("gate-2", boot(), 1, alarm(), Phase::Began);
    assert!(bystander.send(&lone).await.unwrap());
    // Its incident does not wait until all of those have theirs.
    let sizes = |page: &Value| -> Vec<u64> {
        let incidents = page["incidents"].as_array().unwrap().iter();
        incidents.map(|incident| incident["alarms"].as_u64().unwrap()).collect()
    };
    let grouped = |page: &Value| sizes(page).iter().sum::<u64>();
    let page = http::wait_until("the other's incident", PATIENCE, || {
        let page = hub.get("/api/v1/incidents?edge=gate-2");
        (grouped(&page) == 1).then(|| hub.get("/api/v1/incidents"))
    })
    .unwrap();
    assert!(grouped(&page) < ALARMS, "{page}");

    let page = http::wait_until("all incidents", PATIENCE, || {
        let page = hub.get("/api/v1/incidents");
        (grouped(&page) == ALARMS + 1).then_some(page)
    })
    .unwrap();
    let incidents = page["incidents"].as_array().unwrap();
    let mut sizes = sizes(&page);
    sizes.sort_unstable();
    assert_eq!(sizes, [1, ALARMS - 10_000, 10_000], "people meet it twice, not ten thousand times");
    let large = incidents.iter().find(|incident| incident["alarms"] == 10_000).unwrap();
    let alerts = hub.get(&format!("/api/v1/incidents/{}/alerts", large["id"].as_str().unwrap()));
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 200);
    let figures = hub.get("/api/v1/incident-figures?days=1");
    assert_eq!(figures["opened"], 3);
    let [source] = &figures["chattering"]["worst"].as_array().unwrap()[..] else { panic!("{figures}") };
    assert_eq!((&source["edge"], &source["alarms"]), (&json!("gate-1"), &json!(ALARMS - 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_clocks_break_no_list_and_hide_no_incident() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let before = Timestamp::now();
    let times = ["1970-01-01T00:00:00Z", "9999-12-30T00:00:00Z", "-000500-01-01T00:00:00Z"];
    let mut ids = Vec::new();
    for (seq, time) in (1..).zip(times) {
        let mut event = intrusion(boot, seq);
        event.time = time.parse().unwrap();
        assert!(edge.send(&event).await.unwrap(), "{time}");
        ids.push(event.id);
    }
    let now = intrusion(boot, 4);
    assert!(edge.send(&now).await.unwrap());
    ids.push(now.id);
    assert_eq!(hub.event_ids(), ids, "in the order of their numbers");

    let alerts = hub.get("/api/v1/alerts");
    let shown: Vec<&str> =
        alerts["alerts"].as_array().unwrap().iter().map(|alert| alert["edge"].as_str().unwrap()).collect();
    assert_eq!(shown.len(), 4, "{alerts}");
    // However wrong the box's clock, people meet it when the hub hears of it.
    let incidents = http::wait_until("all incidents", PATIENCE, || {
        let page = hub.get("/api/v1/incidents");
        (page["incidents"].as_array().unwrap().len() == times.len() + 1).then_some(page)
    });
    for incident in incidents.unwrap()["incidents"].as_array().unwrap() {
        let opened: Timestamp = incident["opened"].as_str().unwrap().parse().unwrap();
        assert!((before..=Timestamp::now()).contains(&opened), "{incident}");
    }
    for path in [
        "/api/v1/incident-figures",
        "/api/v1/exports/alerts?format=csv",
        "/api/v1/exports/incidents?format=json",
        "/api/v1/shift-report?from=1970-01-01T00:00:00Z&until=1970-01-02T00:00:00Z",
        "/api/v1/alerts?limit=1",
    ] {
        let answer = http::get(&hub.url(path)).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    // Page by page nobody is met twice and nobody left out.
    let (mut path, mut met) = ("/api/v1/alerts?limit=1".to_owned(), Vec::new());
    loop {
        let page = hub.get(&path);
        met.extend(page["alerts"].as_array().unwrap().iter().map(|alert| alert["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/alerts?limit=1&before={next}");
    }
    met.sort_by_key(ToString::to_string);
    met.dedup();
    assert_eq!(met.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_in_parameters_are_refused_and_change_nothing() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let event = intrusion(boot(), 1);
    assert!(edge.send(&event).await.unwrap());
    let people = hub.get("/api/v1/people");
    let document = hub.get("/api/v1/openapi.json");
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for parameter in parameters.filter(|parameter| parameter["in"] != "header") {
                for trick in TRICKS {
                    let url = hub.url(&with_trick(path, operation, parameter, trick));
                    let answer = send(&method.to_uppercase(), &url, &hub);
                    let told = answer.text();
                    let is_refused = (400..500).contains(&answer.status);
                    // Who comes back from a provider is led to the page, which says why they are not let in.
                    let is_led_back = path.contains("/oidc/") && answer.content_type.starts_with("text/html");
                    let is_in_vain = is_refused || is_led_back || finds_nothing(&answer);
                    assert!(is_in_vain, "{method} {url}: {} {told}", answer.status);
                    // What was asked for may be named, and nothing else.
                    let told = told.replace(trick, "");
                    for secret in ["root:x:0", "SELECT", "sqlite", "syntax error"] {
                        assert!(!told.contains(secret), "{method} {url}: {told}");
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
    assert_eq!(hub.event_ids(), [event.id]);
    assert_eq!(hub.get("/api/v1/people"), people);
}

/// A kind may be one that only a later box knows: then there are none of it.
fn finds_nothing(answer: &http::Answer) -> bool {
    let found: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let mut lists = found.as_object().into_iter().flatten().filter_map(|(_, list)| list.as_array());
    answer.status == 200 && lists.next().is_some_and(Vec::is_empty) && lists.next().is_none()
}

fn send(method: &str, url: &str, hub: &Hub) -> http::Answer {
    let body = (method != "GET" && method != "DELETE").then(|| Value::Object(Default::default()));
    http::send(method, url, Some(&hub.cookie), body.as_ref()).unwrap()
}

/// The path with the trick in this parameter, and in every other that must be there.
fn with_trick(path: &str, operation: &Value, parameter: &Value, trick: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(trick.as_bytes()).collect();
    let encoded = encoded.replace('+', "%20");
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for one in operation["parameters"].as_array().unwrap() {
        let name = one["name"].as_str().unwrap();
        if one["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &encoded);
        } else if name == parameter["name"] || one["required"] == true {
            query.push(format!("{name}={encoded}"));
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

#[test]
fn a_hundred_megabytes_are_refused_before_they_are_there() {
    const MEGABYTE: usize = 1 << 20;
    let home = Home::embedded();
    let hub = home.start();
    let address = hub.web.trim_start_matches("http://");
    for length in ["content-length: 104857600", "transfer-encoding: chunked"] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /api/v1/session HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut chunk = format!("{MEGABYTE:x}\r\n").into_bytes();
        chunk.extend(vec![b' '; MEGABYTE]);
        chunk.extend(b"\r\n");
        // It ends as soon as the hub has had enough.
        let taken = (0..100).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        assert!(taken < 100, "{length}: it took all of it");
        let mut answer = [0; 12];
        // What was sent and not read may have reset the connection before the answer is read.
        if stream.read_exact(&mut answer).is_ok() {
            assert_eq!(&answer, b"HTTP/1.1 413", "{length}");
        }
    }
    let peak = hub.daemon.peak_rss_bytes().unwrap();
    assert!(peak < 150 * MEGABYTE as u64, "{peak} bytes");
    assert_eq!(http::get(&hub.url("/health/live")).unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dribbles_is_let_go_and_keeps_nobody_waiting() {
    let home = Home::with_broker(
        "tls_listen = \"127.0.0.1:0\"\n[tls]\nnames = [\"127.0.0.1\"]\n[broker]\nlisten = \"127.0.0.1:0\"\n",
    );
    let hub = home.start();
    let line = hub.wait_for_log(&["page listening for other machines"]);
    let port: u16 = line.rsplit_once(':').unwrap().1.trim().parse().unwrap();
    let tls = client::tls(&client::authority(&home), None);
    // A head that never ends, and a body that never comes.
    let heads = ["GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ", BODY_THAT_NEVER_COMES];
    let mut dribbling = Vec::new();
    for n in 0..100 {
        let mut stream = client::connect(port, tls.clone()).await;
        stream.write_all(heads[n % heads.len()].as_bytes()).await.unwrap();
        dribbling.push(tokio::spawn(async move {
            let mut answer = Vec::new();
            // One byte a second, for as long as it is let.
            let (mut reads, mut writes) = tokio::io::split(&mut stream);
            let drip = async {
                while writes.write_all(b"x").await.is_ok() && writes.flush().await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            };
            tokio::select! {
                _ = reads.read_to_end(&mut answer) => {}
                () = drip => {}
            }
            String::from_utf8_lossy(&answer).into_owned()
        }));
    }
    let head = "GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let answer = client::exchange(port, tls, head, "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for task in dribbling {
        // Ten seconds are allowed, and this machine may be slow.
        let answer = tokio::time::timeout(Duration::from_secs(60), task).await.expect("it is still held");
        let answer = answer.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

const BODY_THAT_NEVER_COMES: &str = "POST /api/v1/session HTTP/1.1\r\nhost: 127.0.0.1\r\n\
                                     content-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
