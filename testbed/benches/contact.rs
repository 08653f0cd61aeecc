//! Speed of sensors: from a closed contact to its event on the box's disk, and to its alert on the hub's live stream,
//! while the box polls 256 Modbus sensors and watches a camera.
//!
//! The contact is one of a panel that tells the box by HTTP at once; how long a Modbus device waits to be polled is
//! its profile's `poll_ms` and not measured here. Beside it, in the same run, what the disk takes to keep the same
//! bytes. Box, hub and this program share the machine's clock.
//! `GATEPOST_BENCH_CONTACTS` sets how many contacts close and open (400).

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

#[path = "../tests/site/mod.rs"]
mod site;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use gatepost_testbed::http::EventStream;
use gatepost_testbed::modbus_device::ModbusDevice;
use gatepost_testbed::port;
use jiff::Timestamp;
use serde::Deserialize;
use site::Site;

/// Sensors that are polled meanwhile.
const POLLED: usize = 256;
/// Contacts of the panel: each changes so seldom that it does not chatter.
const CONTACTS: usize = 60;
const BETWEEN: Duration = Duration::from_millis(100);
const TOKEN: &str = "correct-horse-battery-staple";
/// Bytes an event takes in the outbox.
const EVENT_BYTES: usize = 500;

#[derive(Deserialize)]
struct Alert {
    sensor: Option<String>,
    ended: Option<Timestamp>,
}

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let count: usize =
        std::env::var("GATEPOST_BENCH_CONTACTS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let folder = tempfile::tempdir().unwrap();
    let device = ModbusDevice::start().unwrap();
    let port = port::free().unwrap();
    let site = Site::with_sensors(&sensors(folder.path(), &device.url(), port));
    site.edge.wait_for_line(Duration::from_secs(60), |line| line.contains("panels may tell")).unwrap();
    let stream = EventStream::open(&site.live_url()).unwrap();
    for contact in 0..CONTACTS {
        tell(port, contact, false);
    }
    let (mut told, mut to_hub) = (Vec::new(), Vec::new());
    for n in 0..count {
        let (contact, closed) = (n % CONTACTS, (n / CONTACTS).is_multiple_of(2));
        told.push(Timestamp::now());
        let began = Instant::now();
        tell(port, contact, closed);
        while !is_told(&stream, contact, closed) {
            assert!(began.elapsed() < Duration::from_secs(30), "no alert of contact {contact}");
        }
        to_hub.push(began.elapsed());
        thread::sleep(BETWEEN);
    }
    let recorded: Vec<Timestamp> = site.edge.log().lines().filter_map(recorded_at).collect();
    assert_eq!(recorded.len(), told.len(), "every change is an event, and nothing else is one");
    let to_disk =
        told.iter().zip(recorded).map(|(told, at)| at.duration_since(*told).unsigned_abs()).collect();
    println!("contact changed to …, {count} changes, {POLLED} sensors polled, one camera watched");
    let limit = report("bare write and fsync", bare(folder.path(), count));
    let disk = report("durable at the box", to_disk);
    let hub = report("on the hub's live stream", to_hub);
    println!(
        "  ratio of p99 to the bare disk's: durable {:.1}, on the live stream {:.1}",
        disk / limit,
        hub / limit
    );
}

fn sensors(folder: &Path, device: &str, port: u16) -> String {
    let mut profile = "name = \"Bench\"\nsource = \"this bench\"\npoll_ms = 100\n".to_owned();
    for n in 0..POLLED {
        write!(
            profile,
            "[[register]]\nid = \"r{n}\"\ntable = \"discrete\"\naddress = {n}\n\
             [[point]]\nid = \"p{n}\"\nalarm = {{ register = \"r{n}\" }}\n"
        )
        .unwrap();
    }
    let (profile_file, token_file) = (folder.join("bench.toml"), folder.join("panel.token"));
    std::fs::write(&profile_file, profile).unwrap();
    std::fs::write(&token_file, TOKEN).unwrap();
    let mut tables = format!(
        "[webhook]\nlisten = \"127.0.0.1:{port}\"\ntoken_file = {token_file:?}\n\
         [[modbus]]\nid = \"shed\"\nurl = {device:?}\n"
    );
    for n in 0..POLLED {
        write!(
            tables,
            "[[sensor]]\nid = \"polled-{n}\"\ninput = \"contact\"\n\
             modbus = {{ line = \"shed\", profile = {profile_file:?}, point = \"p{n}\" }}\n"
        )
        .unwrap();
    }
    for n in 0..CONTACTS {
        write!(
            tables,
            "[[sensor]]\nid = \"contact-{n}\"\ninput = \"contact\"\n\
             webhook = {{ alarm = {{ pointer = \"/closed\", is = true }} }}\n"
        )
        .unwrap();
    }
    tables
}

fn tell(port: u16, contact: usize, closed: bool) {
    let body = format!("{{\"closed\": {closed}}}");
    let mut panel = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        panel,
        "POST /v1/sensors/contact-{contact} HTTP/1.1\r\nHost: box\r\nAuthorization: Bearer {TOKEN}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    panel.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

/// Is the next thing the hub tells that this contact changed?
fn is_told(stream: &EventStream, contact: usize, closed: bool) -> bool {
    let Ok(sent) = stream.next(Duration::from_secs(1)) else { return false };
    if sent.event != "alert" {
        return false;
    }
    let alert: Alert = serde_json::from_str(&sent.data).unwrap();
    alert.sensor == Some(format!("contact-{contact}")) && alert.ended.is_none() == closed
}

/// When a sensor's alarm, or its end, was on the disk.
fn recorded_at(line: &str) -> Option<Timestamp> {
    let is_one = line.contains(": recorded event=") && line.contains("kind=\"sensor_alarm\"");
    line.split_whitespace().next().filter(|_| is_one)?.parse().ok()
}

/// How long the disk takes for as many bytes.
fn bare(folder: &Path, count: usize) -> Vec<Duration> {
    let mut file = File::create(folder.join("bare")).unwrap();
    let write = |_| {
        thread::sleep(Duration::from_millis(5));
        let began = Instant::now();
        file.write_all(&[b'x'; EVENT_BYTES]).and_then(|()| file.sync_data()).unwrap();
        began.elapsed()
    };
    (0..count).map(write).collect()
}

/// Prints what these are and returns their 99th percentile in seconds.
fn report(what: &str, mut late: Vec<Duration>) -> f64 {
    late.sort();
    let at = |share: f64| late[((late.len() - 1) as f64 * share).round() as usize].as_secs_f64();
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| at(share) * 1000.0);
    println!("  {what:25} p50 {p50:7.2} ms  p99 {p99:7.2} ms  max {most:7.2} ms");
    at(0.99)
}
