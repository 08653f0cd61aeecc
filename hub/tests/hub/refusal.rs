//! Bad input over MQTT: one clear line each, and the hub goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, PubAckReason, SubscribeReasonCode};

use crate::edge::{Edge, options};
use crate::message::{boot, event_topic, intrusion, intrusion_of, presence};
use crate::process::{Home, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_noted_and_not_asked_for_again() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    for (topic, payload, reason) in [
        ("gp/v1/gate-1/event", "\u{0}garbage\u{1b}[31m".to_owned(), "not a Gatepost event"),
        ("gp/v1/gate-1/event", "x".repeat(100_000), "at most 65536 bytes, this one has 100000"),
        ("gp/v1/gate-1/health", "{}".to_owned(), "not a Gatepost Health"),
        ("gp/v1/gate-1/presence", presence("gate-2", boot, "online"), "speaks for edge gate-2"),
        ("gp/v1/gate-1/nonsense", "{}".to_owned(), "is not a topic of gp/v1"),
    ] {
        let answer = edge.publish(topic, payload, false).await.unwrap();
        assert_eq!(answer, PubAckReason::PayloadFormatInvalid, "{topic}");
        hub.wait_for_log(&["message refused", topic, reason]);
    }
    let foreign =
        intrusion_of("gate-2", boot, 1, crate::message::alarm(), gatepost_wire::event::Phase::Began);
    let answer = edge.publish("gp/v1/gate-1/event", foreign.to_json().unwrap(), false).await.unwrap();
    assert_eq!(answer, PubAckReason::PayloadFormatInvalid);
    assert!(!hub.daemon.log().contains('\u{1b}'), "a device must not paint the operator's terminal");

    // A topic that is nobody's counts for nobody.
    assert_eq!(hub.device("gate-1").unwrap()["refused"], 5);
    assert_eq!(hub.device("gate-2"), None);
    let event = intrusion(boot, 1);
    assert!(edge.send(&event).await.unwrap(), "the same connection goes on");
    assert_eq!(hub.event_ids(), [event.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_of_another_edge_cannot_be_touched() {
    let home = Home::embedded();
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let mut first = Edge::connect(hub.broker_port(), "gate-1", &one).await.unwrap();
    let mut second = Edge::connect(hub.broker_port(), "gate-2", &two).await.unwrap();
    let event = intrusion(boot(), 1);
    assert!(first.send(&event).await.unwrap());
    let alarm = event.data.happening.alarm().unwrap().id;
    let end = intrusion_of("gate-2", boot(), 1, alarm, gatepost_wire::event::Phase::Ended);
    assert!(!second.send(&end).await.unwrap());
    let mut copy =
        intrusion_of("gate-2", boot(), 1, crate::message::alarm(), gatepost_wire::event::Phase::Began);
    copy.id = event.id;
    assert!(!second.send(&copy).await.unwrap());
    assert_eq!(hub.get("/api/v1/alerts")["alerts"][0]["phase"], "began");
    assert_eq!(hub.event_ids(), [event.id]);
    hub.wait_for_log(&["message refused", "belongs to edge gate-1"]);
}

/// Logs in and publishes by hand; true when the broker then closes the connection.
fn rude_publish(port: u16, name: &str, token: &str, payload: &[u8]) -> bool {
    let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
    let packet = |kind: u8, body: Vec<u8>| {
        let mut bytes = vec![kind];
        let mut length = body.len();
        while length > 127 {
            bytes.push(u8::try_from(length % 128).unwrap() | 0x80);
            length /= 128;
        }
        bytes.push(u8::try_from(length).unwrap());
        [bytes, body].concat()
    };
    // MQTT 5, user name, password and clean start, 60 s keep-alive, no properties.
    let connect = [text("MQTT"), vec![5, 0xc2, 0, 60, 0], text(name), text(name), text(token)].concat();
    let publish = [text("gp/v1/gate-1/event"), vec![0, 1, 0], payload.to_vec()].concat();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&packet(0x10, connect)).unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[0], 0x20, "no CONNACK");
    stream.read_exact(&mut vec![0; usize::from(answer[1])]).unwrap();
    // The broker may close before it has read everything.
    let sent = stream.write_all(&packet(0x32, publish));
    sent.is_err() || !matches!(stream.read(&mut answer), Ok(1..))
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_end_their_connection_only() {
    let home = Home::embedded();
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let mut bystander = Edge::connect(hub.broker_port(), "gate-2", &two).await.unwrap();
    // A client that heeds the limit it was told would not send this at all.
    assert!(
        rude_publish(hub.broker_port(), "gate-1", &one, &vec![b'x'; 10_000_000]),
        "the connection goes on"
    );
    hub.wait_for_log(&[
        "WARN",
        "device cut off",
        "gate-1",
        "127.0.0.1:",
        "max=9437184",
        "broker.max_packet_bytes",
    ]);
    let boot = boot();
    assert!(
        bystander
            .send(&intrusion_of(
                "gate-2",
                boot,
                1,
                crate::message::alarm(),
                gatepost_wire::event::Phase::Began
            ))
            .await
            .unwrap()
    );
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &one).await.unwrap();
    assert!(edge.send(&intrusion(boot, 1)).await.unwrap());
    let peak = hub.daemon.peak_rss_bytes().unwrap();
    assert!(peak < 150 * 1024 * 1024, "{peak} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_devices_log_in_and_only_as_themselves() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let port = hub.broker_port();
    for (name, password) in [("gate-1", "wrong"), ("gate-9", &token), ("../etc", &token), ("gate-1", "")] {
        let refused = Edge::connect(port, name, password).await.err();
        assert_eq!(refused, Some(ConnectReturnCode::BadUserNamePassword), "{name}");
    }
    hub.wait_for_log(&["device refused", "127.0.0.1:", "gate-9", "unknown device or wrong token"]);
    assert!(!hub.daemon.log().contains(&token), "a token must not be logged");

    let mut other_id = options(port, "gate-1", &token);
    other_id.set_client_id("gate-2".into());
    assert_eq!(Edge::with(other_id).await.err(), Some(ConnectReturnCode::NotAuthorized));
    hub.wait_for_log(&["device refused", "the client id must be the device's name"]);

    let mut anonymous = rumqttc::v5::MqttOptions::new("gate-1", "127.0.0.1", port);
    anonymous.set_clean_start(true);
    assert!(Edge::with(anonymous).await.is_err());

    // Added while the hub runs.
    let late = home.add("gate-2");
    assert!(Edge::connect(port, "gate-2", &late).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_neither_writes_nor_reads_beside_its_own_topics() {
    let home = Home::embedded();
    let (one, two) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &one).await.unwrap();
    let foreign =
        intrusion_of("gate-2", boot(), 1, crate::message::alarm(), gatepost_wire::event::Phase::Began);
    let answer = edge.publish(&event_topic(&foreign), foreign.to_json().unwrap(), false).await.unwrap();
    assert_eq!(answer, PubAckReason::NotAuthorized);
    hub.wait_for_log(&["message refused: not its own topic", "gate-1", "gp/v1/gate-2/event"]);
    assert_eq!(hub.event_ids(), []);
    for filter in ["#", "gp/v1/+/event", "gp/v1/gate-2/health", "$share/x/gp/v1/gate-1/event"] {
        let answer = edge.subscribe(filter).await.unwrap();
        assert_eq!(answer, SubscribeReasonCode::NotAuthorized, "{filter}");
    }
    assert!(matches!(edge.subscribe("gp/v1/gate-1/#").await.unwrap(), SubscribeReasonCode::Success(_)));

    let will = presence("gate-1", boot(), "offline");
    let mut spy = options(hub.broker_port(), "gate-2", &two);
    spy.set_last_will(rumqttc::v5::mqttbytes::v5::LastWill::new(
        "gp/v1/gate-1/presence",
        will,
        rumqttc::v5::mqttbytes::QoS::AtLeastOnce,
        true,
        None,
    ));
    assert_eq!(Edge::with(spy).await.err(), Some(ConnectReturnCode::NotAuthorized));
}
