//! A real mosquitto: its port, its store and its log over kill and restart.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use gatepost_testbed::Error;
use gatepost_testbed::mosquitto::{Mosquitto, Options, Persistence};

// MQTT 5 CONNECT with client id "t", clean start, keep alive 60 s, and user and password if given.
fn connect(broker: &Mosquitto, login: Option<(&str, &str)>) -> (TcpStream, u8) {
    let field = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let flags = if login.is_some() { 0b1100_0010 } else { 0b10 };
    let mut rest = field("MQTT");
    rest.extend([5, flags, 0, 60, 0]);
    rest.extend(field("t"));
    if let Some((user, password)) = login {
        rest.extend([field(user), field(password)].concat());
    }
    let mut stream = TcpStream::connect(broker.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&[0x10, rest.len() as u8]).unwrap();
    stream.write_all(&rest).unwrap();
    let mut acknowledgement = [0; 4];
    stream.read_exact(&mut acknowledgement).unwrap();
    (stream, acknowledgement[3])
}

fn publish_retained(stream: &mut TcpStream, topic: &str) {
    let mut packet = vec![0x31, (2 + topic.len() + 1 + 1) as u8, 0, topic.len() as u8];
    packet.extend(topic.as_bytes());
    packet.extend([0, b'x']);
    stream.write_all(&packet).unwrap();
}

fn subscribe(stream: &mut TcpStream, topic: &str) {
    let mut packet = vec![0x82, (2 + 1 + 2 + topic.len() + 1) as u8, 0, 1, 0, 0, topic.len() as u8];
    packet.extend(topic.as_bytes());
    packet.push(0);
    stream.write_all(&packet).unwrap();
}

#[test]
fn a_restart_keeps_the_port_and_the_log() {
    let mut broker = Mosquitto::start(&Options::default()).unwrap();
    let addr = broker.addr();
    let (mut stream, reason) = connect(&broker, None);
    assert_eq!(reason, 0);

    broker.kill().unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(TcpStream::connect(addr).is_err(), "a killed broker still answers");
    assert!(matches!(broker.kill(), Err(Error::Daemon { .. })));

    broker.restart().unwrap();
    assert_eq!(broker.addr(), addr);
    assert_eq!(connect(&broker, None).1, 0);
    broker.terminate().unwrap();
    let log = broker.log();
    assert_eq!(log.matches("starting").count(), 2, "{log}");
    assert_eq!(log.matches("terminating").count(), 1, "{log}");
}

#[test]
fn a_wrong_password_is_refused() {
    let users = vec![("edge".into(), "right horse".into())];
    let broker = Mosquitto::start(&Options { users, ..Options::default() }).unwrap();
    assert_eq!(connect(&broker, Some(("edge", "right horse"))).1, 0);
    const NOT_AUTHORISED: u8 = 0x87;
    assert_eq!(connect(&broker, Some(("edge", "wrong"))).1, NOT_AUTHORISED);
    assert_eq!(connect(&broker, None).1, NOT_AUTHORISED);
}

#[test]
fn the_store_outlives_a_clean_end() {
    let options = Options { persistence: Persistence::AtExit, ..Options::default() };
    let mut broker = Mosquitto::start(&options).unwrap();
    let mut stream = connect(&broker, None).0;
    publish_retained(&mut stream, "kept");
    broker.wait_for_line(Duration::from_secs(5), |line| line.contains("PUBLISH")).unwrap();
    broker.restart().unwrap();
    let mut stream = connect(&broker, None).0;
    subscribe(&mut stream, "kept");
    broker.wait_for_line(Duration::from_secs(5), |line| line.contains("Sending PUBLISH")).unwrap();
}

#[test]
fn a_config_it_rejects_is_told_with_its_log() {
    let options = Options { extra: vec!["no_such_option 1".into()], ..Options::default() };
    let error = Mosquitto::start(&options).err().unwrap().to_string();
    assert!(error.contains("does not accept connections") && error.contains("no_such_option"), "{error}");
}
