//! The HTTP client against a server that speaks just enough.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use gatepost_testbed::Error;
use gatepost_testbed::http::{self, EventStream};
use serde_json::{Value, json};

/// Gives each connection in turn one of `answers`, and then holds it open if it is an event stream.
fn serve(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut open = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while !lines.next().unwrap().unwrap().is_empty() {}
            (&stream).write_all(answer.as_bytes()).unwrap();
            if answer.contains("event-stream") {
                open.push(stream);
            }
        }
        thread::sleep(Duration::from_secs(30));
    });
    url
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[test]
fn json_bytes_and_refusals() {
    let url = serve(vec![
        answer("200 OK", "application/json", r#"{"a":1}"#),
        answer("200 OK", "image/jpeg", "\u{1}\u{2}"),
        answer("404 Not Found", "text/plain", "no such alarm"),
        answer("404 Not Found", "text/plain", "no such alarm"),
        answer("200 OK", "text/html", "<p>"),
    ]);
    assert_eq!(http::get_json::<Value>(&url).unwrap(), json!({"a": 1}));
    assert_eq!(http::get_bytes(&url).unwrap(), [1, 2]);
    let missing = http::get(&url).unwrap();
    assert_eq!((missing.status, missing.text().as_str()), (404, "no such alarm"));
    let error = http::get_json::<Value>(&url).unwrap_err();
    assert!(matches!(error, Error::Status { status: 404, .. }), "{error}");
    assert!(matches!(http::get_json::<Value>(&url), Err(Error::Json { .. })));
}

#[test]
fn a_stream_gives_events_as_they_come() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let url = serve(vec![format!("{head}: hello\n\nevent: alert\nid: 3\ndata: one\n\ndata: half")]);
    let stream = EventStream::open(&url).unwrap();
    let event = stream.next(Duration::from_secs(5)).unwrap();
    assert_eq!((event.event.as_str(), event.id.as_deref(), event.data.as_str()), ("alert", Some("3"), "one"));
    assert!(matches!(stream.next(Duration::from_millis(100)), Err(Error::Timeout { .. })));
}

#[test]
fn a_stream_that_is_refused_is_an_error() {
    let url = serve(vec![answer("503 Service Unavailable", "text/plain", "starting")]);
    let error = EventStream::open(&url).err().unwrap().to_string();
    assert!(error.contains("503") && error.contains("starting"), "{error}");
}
