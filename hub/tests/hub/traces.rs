//! A collector is sent traces, and nothing depends on it.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use gatepost_testbed::http;
use gatepost_testbed::metrics::{documented, served, value};
use gatepost_wire::event::{Alarm, Phase};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use prost::Message as _;

use crate::edge::Edge;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};
use crate::program::{Mood, Program};

fn home(collector: &Program) -> Home {
    let home = Home::with_broker(&format!(
        "[broker]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n[traces]\nurl = \"{}/v1/traces\"\n\
         token_file = \"collector.token\"\n",
        collector.url
    ));
    std::fs::write(std::path::Path::new(&home.config()).with_file_name("collector.token"), "one-word\n")
        .unwrap();
    home
}

/// What the collector is sent next.
fn sent(collector: &Program) -> Vec<Span> {
    let (_, message) = collector.next();
    assert_eq!(message.target, "/v1/traces");
    assert_eq!(message.headers["content-type"], "application/x-protobuf");
    assert_eq!(message.headers["authorization"], "Bearer one-word");
    let request = ExportTraceServiceRequest::decode(message.body.as_slice()).unwrap();
    let [of] = &request.resource_spans[..] else { panic!("{request:?}") };
    assert_eq!(word(&of.resource.as_ref().unwrap().attributes, "service.name"), Some("gatepost-hub"));
    of.scope_spans.iter().flat_map(|scope| scope.spans.clone()).collect()
}

/// Waits until it was sent what is looked for; gives that with all before it.
fn sent_until(collector: &Program, spans: &mut Vec<Span>, found: impl Fn(&Span) -> bool) {
    let began = Instant::now();
    while !spans.iter().any(&found) {
        assert!(began.elapsed() < PATIENCE, "{spans:#?}");
        spans.extend(sent(collector));
    }
}

/// Asks for a few alerts as a part of a trace of somebody's.
fn ask_within(hub: &Hub, parent: &str) {
    let address = hub.web.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "GET /api/v1/alerts?limit=7 HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\ntraceparent: {parent}\r\nconnection: close\r\n\r\n",
        hub.cookie
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

fn word<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let one = attributes.iter().find(|one| one.key == key)?;
    match one.value.as_ref()?.value.as_ref()? {
        Value::StringValue(word) => Some(word),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_and_a_request_are_followed_from_end_to_end() {
    let collector = Program::start(Mood::Takes);
    let home = home(&collector);
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, alarm) = (boot(), alarm());
    let began = intrusion_of("gate-1", boot, 1, alarm, Phase::Began);
    let ended = intrusion_of("gate-1", boot, 2, alarm, Phase::Ended);
    for event in [&began, &ended, &began] {
        assert!(edge.send(event).await.unwrap());
    }
    ask_within(&hub, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

    let id = |event: &gatepost_wire::Event| event.id.to_string();
    let is = |span: &Span, event: &str| word(&span.attributes, "gatepost.event.id") == Some(event);
    let mut spans = Vec::new();
    sent_until(&collector, &mut spans, |span| is(span, &id(&ended)));
    sent_until(&collector, &mut spans, |span| span.name == "GET /api/v1/alerts");
    let of = |event: &str| {
        let of: Vec<&Span> = spans.iter().filter(|span| is(span, event)).collect();
        let [one] = of[..] else { panic!("once, though it came twice: {of:?}") };
        one
    };
    let (first, last) = (of(&id(&began)), of(&id(&ended)));
    let Alarm { id: alarm, .. } = began.data.happening.alarm().unwrap();
    assert_eq!(first.trace_id, alarm.as_ulid().to_bytes(), "whoever has the alarm's id has its trace");
    assert_eq!((&last.trace_id, &last.parent_span_id), (&first.trace_id, &first.span_id));
    assert_eq!((first.parent_span_id.len(), first.kind), (0, SpanKind::Consumer as i32));
    assert_eq!(first.name, "event zone_intrusion");
    assert_eq!(i128::from(first.start_time_unix_nano), began.time.as_nanosecond(), "from when it happened");
    let parts: HashMap<&str, &Span> = spans
        .iter()
        .filter(|span| span.parent_span_id == first.span_id && span.span_id != last.span_id)
        .map(|span| (span.name.as_str(), span))
        .collect();
    let way = ["reach the hub", "wait for the writing task", "store"].map(|part| parts[part]);
    assert_eq!(way[0].start_time_unix_nano, first.start_time_unix_nano);
    assert_eq!(way[1].start_time_unix_nano, way[0].end_time_unix_nano);
    assert_eq!(way[2].start_time_unix_nano, way[1].end_time_unix_nano);
    assert_eq!(way[2].end_time_unix_nano, first.end_time_unix_nano, "until it is on the disk");
    assert!(spans.iter().any(|span| span.name == "store records"));

    let request = spans.iter().find(|span| span.name == "GET /api/v1/alerts").unwrap();
    assert_eq!(
        request.trace_id,
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes(),
        "of who asked"
    );
    assert_eq!(request.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
    assert_eq!(word(&request.attributes, "http.route"), Some("/api/v1/alerts"));
    assert!(!format!("{spans:?}").contains("limit=7"), "what was asked for is nobody's business");

    let figures = http::get(&format!("{}/metrics", hub.metrics())).unwrap().text();
    let sent = value(&figures, "gatepost_hub_trace_spans_total{result=\"sent\"}").unwrap();
    assert!(sent >= spans.len() as f64, "{figures}");
    let documented = documented().unwrap();
    assert!(served(&figures).iter().all(|name| documented.contains_key(name)), "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_a_collector_that_hangs() {
    let collector = Program::start(Mood::Answers(503));
    let home = home(&collector);
    let token = home.add("gate-1");
    let mut hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began)).await.unwrap());
    let metrics = format!("{}/metrics", hub.metrics());
    http::wait_until("spans to be given up", PATIENCE, || {
        let figures = http::get(&metrics).unwrap().text();
        value(&figures, "gatepost_hub_trace_spans_total{result=\"dropped\"}").filter(|count| *count > 0.0)
    })
    .unwrap();
    collector.is_now(Mood::Hangs);
    assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began)).await.unwrap());
    while collector.next().0 != Mood::Hangs {}
    let ended = hub.daemon.terminate(PATIENCE).unwrap();
    assert!(ended.success(), "it ends although the collector has not answered: {ended}");
}
