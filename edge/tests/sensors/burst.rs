//! A lightning strike: every fence says everything at once, and somebody presses the button.

use std::time::Duration;

use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_testbed::usage;
use gatepost_wire::event::{Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event as MqttEvent, MqttOptions};

use super::support::turn;
use super::webhook::{TOKEN, place};
use super::{alarms, faults, health};

const SENSORS: usize = 256;
/// Of each: as many as are chatter, and the last is that it rests.
const CHANGES: usize = 20;
const MOST_GROWTH_BYTES: u64 = 64 << 20;

fn said(change: usize) -> &'static str {
    if change.is_multiple_of(2) { "ALARM" } else { "REST" }
}

/// Says everything as fast as the broker takes it.
fn strike(broker: &Mosquitto, rounds: std::ops::Range<usize>, retain: bool) {
    let mut options = MqttOptions::new("lightning", "127.0.0.1", broker.port());
    options.set_keep_alive(Duration::from_secs(60));
    let count = SENSORS * rounds.len();
    let (client, mut connection) = Client::new(options, count);
    for (round, sensor) in rounds.flat_map(|round| (0..SENSORS).map(move |sensor| (round, sensor))) {
        client.publish(format!("fence/{sensor}"), QoS::AtLeastOnce, retain, said(round)).unwrap();
    }
    let acknowledged = |event: &_| matches!(event, MqttEvent::Incoming(Packet::PubAck(_)));
    assert_eq!(connection.iter().map(Result::unwrap).filter(acknowledged).take(count).count(), count);
}

#[test]
fn five_thousand_changes_in_a_second_are_absorbed() {
    let _turn = turn();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    strike(&broker, 1..2, true);
    let (mut place, panel) = place();
    place =
        place.table(&format!("[[mqtt]]\nid = \"fences\"\nurl = \"mqtt://127.0.0.1:{}\"\n", broker.port()));
    for n in 0..SENSORS {
        place = place.table(&format!(
            "[[sensor]]\nid = \"fence-{n}\"\ninput = \"vibration\"\nmqtt = {{ broker = \"fences\", topic = \"fence/{n}\", \
             alarm = {{ pointer = \"\", is = \"ALARM\" }} }}\n"
        ));
    }
    let mut edge = place.site.run();
    edge.wait_for("panels may tell");
    place.listener.wait("all fences at rest", |heard| {
        let rests = |n| health(heard, &format!("fence-{n}")).is_some_and(|it| it.state == SensorState::Rest);
        (0..SENSORS).all(rests).then_some(())
    });
    let before = usage::pss_bytes(edge.pid()).unwrap();
    let half = CHANGES / 2;
    strike(&broker, 0..half, false);
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": true}"), 202);
    strike(&broker, half..CHANGES, false);

    place.wait_for_alarm("panic", Phase::Began);
    place.listener.wait("the end of all chatter", |heard| {
        let over = |n| faults(heard, &format!("fence-{n}"), SensorFaultKind::Open, Phase::Ended).len() == 1;
        (0..SENSORS).all(over).then_some(())
    });
    let grown = usage::pss_bytes(edge.pid()).unwrap().saturating_sub(before);
    assert!(grown < MOST_GROWTH_BYTES, "{} MiB more than before", grown >> 20);
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    let heard = place.listener.heard();
    heard.assert_whole();
    let button = heard.events.iter().position(|event| event.data.severity.level() == 1).unwrap();
    assert!(button < heard.events.len() / 2 + SENSORS, "it waited for {button} of {}", heard.events.len());
    for n in 0..SENSORS {
        let id = format!("fence-{n}");
        let (began, ended) = (alarms(&heard, &id, Phase::Began), alarms(&heard, &id, Phase::Ended));
        assert!((1..=half).contains(&began.len()) && began.len() == ended.len(), "{id}: {}", began.len());
        assert_eq!(faults(&heard, &id, SensorFaultKind::Open, Phase::Began).len(), 1);
    }
}
