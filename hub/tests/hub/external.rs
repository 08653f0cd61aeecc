//! With a real mosquitto outside.

use gatepost_testbed::http::wait_until;
use gatepost_testbed::mosquitto::{Mosquitto, Options, Persistence};
use rumqttc::v5::MqttOptions;

use crate::edge::Edge;
use crate::message::{boot, event_topic, health, intrusion, presence};
use crate::process::{Home, Hub, PATIENCE};

pub fn home(broker: &Mosquitto) -> Home {
    Home::with_broker(&format!(
        "[broker]\nmode = \"external\"\nurl = \"mqtt://127.0.0.1:{}\"\n",
        broker.port()
    ))
}

pub async fn edge(broker: &Mosquitto) -> Edge {
    edge_at(broker.port(), "gate-1").await
}

/// The box of this name, at the broker of this port.
pub async fn edge_at(port: u16, name: &str) -> Edge {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    options.set_max_packet_size(Some(64 * 1024 * 1024));
    Edge::with(options).await.unwrap()
}

pub fn connected(hub: &Hub) {
    hub.wait_for_log(&["broker connected and subscribed to"]);
}

fn wait_for_events(hub: &Hub, count: usize) {
    let what = format!("{count} events at the hub");
    wait_until(&what, PATIENCE, || (hub.event_ids().len() == count).then_some(())).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_and_a_killed_hub_catches_up() {
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let home = home(&broker);
    let mut hub = home.start();
    connected(&hub);
    let mut edge = edge(&broker).await;
    let boot = boot();
    let mut sent = Vec::new();
    let mut send = async |edge: &mut Edge, seq| {
        let event = intrusion(boot, seq);
        assert!(edge.send(&event).await.unwrap());
        sent.push(event.id);
    };
    for seq in 1..=5 {
        send(&mut edge, seq).await;
    }
    wait_for_events(&hub, 5);
    hub.daemon.kill().unwrap();
    for seq in 6..=9 {
        send(&mut edge, seq).await;
    }
    let hub = home.start();
    wait_for_events(&hub, 9);
    assert_eq!(hub.event_ids(), sent, "in the order they were sent");
    assert_eq!(hub.device("gate-1").unwrap()["missing"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_is_found_again() {
    let mut broker =
        Mosquitto::start(&Options { persistence: Persistence::EverySecond, ..Options::default() }).unwrap();
    let home = home(&broker);
    let hub = home.start();
    connected(&hub);
    let boot = boot();
    let mut first = edge(&broker).await;
    assert!(first.send(&intrusion(boot, 1)).await.unwrap());
    wait_for_events(&hub, 1);
    let before = hub.daemon.lines();
    broker.restart().unwrap();
    hub.daemon
        .wait_for_line_from(before, PATIENCE, |line| line.contains("no connection to the broker"))
        .unwrap();
    hub.daemon.wait_for_line_from(before, PATIENCE, |line| line.contains("broker connected")).unwrap();
    let mut second = edge(&broker).await;
    assert!(second.send(&intrusion(boot, 2)).await.unwrap());
    wait_for_events(&hub, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_login_is_said_without_the_password() {
    let users = vec![("hub".to_owned(), "right-password".to_owned())];
    let broker = Mosquitto::start(&Options { users, ..Options::default() }).unwrap();
    let home = Home::with_broker(&format!(
        "[broker]\nmode = \"external\"\nurl = \"mqtt://127.0.0.1:{}\"\nusername = \"hub\"\npassword_file = \"password\"\n",
        broker.port()
    ));
    let password = std::path::Path::new(&home.config()).with_file_name("password");
    std::fs::write(&password, "wrong-password\n").unwrap();
    let mut hub = home.start();
    hub.wait_for_log(&[
        "rejects the login of user \"hub\"",
        &broker.port().to_string(),
        "broker.password_file",
    ]);
    assert!(hub.daemon.exited().unwrap().is_none(), "it stays up");
    assert!(!hub.daemon.log().contains("wrong-password"));
    drop(hub);
    std::fs::write(&password, "right-password\n").unwrap();
    connected(&home.start());
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_ten_megabytes_do_no_harm() {
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let home = home(&broker);
    let hub = home.start();
    connected(&hub);
    let mut edge = edge(&broker).await;
    edge.publish("gp/v1/gate-1/event", "garbage", false).await.unwrap();
    edge.publish("gp/v1/gate-1/event", vec![b'x'; 10_000_000], false).await.unwrap();
    let event = intrusion(boot(), 1);
    assert!(edge.send(&event).await.unwrap());
    wait_for_events(&hub, 1);
    hub.wait_for_log(&["message refused", "gp/v1/gate-1/event", "not a Gatepost event"]);
    assert_eq!(hub.device("gate-1").unwrap()["refused"], 1);
    let peak = hub.daemon.peak_rss_bytes().unwrap();
    assert!(peak < 150 * 1024 * 1024, "{peak} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_state_is_read_but_is_no_sign_of_life() {
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let boot = boot();
    let mut edge = edge(&broker).await;
    edge.publish("gp/v1/gate-1/health", health("gate-1", boot, 3), true).await.unwrap();
    edge.publish("gp/v1/gate-1/presence", presence("gate-1", boot, "online"), true).await.unwrap();
    let home = home(&broker);
    let hub = home.start();
    let device = wait_until("the retained state", PATIENCE, || {
        hub.device("gate-1").filter(|device| device["presence"] == "online")
    })
    .unwrap();
    assert_eq!(device["health"]["version"], "0.1.0");
    assert_eq!(device["missing"], serde_json::json!([{ "boot": boot, "first": 1, "last": 3 }]));
    drop(hub);
    let hub = home.start();
    connected(&hub);
    assert_eq!(hub.device("gate-1").unwrap()["last_seen"], device["last_seen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_one_group_share_the_events() {
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let replica = |name: &str| {
        Home::with_broker(&format!(
            "[broker]\nmode = \"external\"\nurl = \"mqtt://127.0.0.1:{}\"\nclient_id = \"{name}\"\nshare_group = \"hub\"\n",
            broker.port()
        ))
    };
    let (one, two) = (replica("hub-1"), replica("hub-2"));
    let (one, two) = (one.start(), two.start());
    connected(&one);
    connected(&two);
    let mut edge = edge(&broker).await;
    let boot = boot();
    for seq in 1..=10 {
        let event = intrusion(boot, seq);
        assert_eq!(event_topic(&event), "gp/v1/gate-1/event");
        assert!(edge.send(&event).await.unwrap());
    }
    let counts = || (one.event_ids().len(), two.event_ids().len());
    wait_until("all events at one replica or the other", PATIENCE, || {
        let (a, b) = counts();
        (a + b == 10).then_some(())
    })
    .unwrap();
    let (a, b) = counts();
    assert!(a > 0 && b > 0, "{a} and {b}");
}
