//! Many events in one message, as a box sends what waited.

use gatepost_wire::event::Phase;
use gatepost_wire::{BootId, Event, EventId, batch};
use rumqttc::v5::mqttbytes::v5::PubAckReason;

use crate::edge::Edge;
use crate::message::{alarm, boot, event_topic, intrusion, intrusion_of};
use crate::process::Home;

/// As one message.
pub fn join(events: &[Event]) -> Vec<u8> {
    let documents: Vec<Vec<u8>> = events.iter().map(|event| event.to_json().unwrap()).collect();
    batch::join(documents.iter().map(|document| &document[..]))
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

/// Alarms of `gate-1` that begin and end.
pub fn backlog(boot: BootId, alarms: u64) -> Vec<Event> {
    let both = |n| {
        let alarm = alarm();
        [(2 * n + 1, Phase::Began), (2 * n + 2, Phase::Ended)]
            .map(|(seq, phase)| intrusion_of("gate-1", boot, seq, alarm, phase))
    };
    (0..alarms).flat_map(both).collect()
}

#[tokio::test]
async fn a_batch_is_stored_in_its_order_and_once() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let events = backlog(boot(), 100);
    let topic = event_topic(&events[0]);
    for _ in 0..2 {
        assert_eq!(edge.publish(&topic, join(&events), false).await.unwrap(), PubAckReason::Success);
        assert_eq!(hub.event_ids(), ids(&events));
    }
    // Some of it known, some of it new.
    let more = [&events[150..], &[intrusion(events[0].boot, 201)]].concat();
    assert_eq!(edge.publish(&topic, join(&more), false).await.unwrap(), PubAckReason::Success);
    assert_eq!(hub.event_ids().len(), 201);
    let alerts = hub.get("/api/v1/alerts?limit=200");
    let alerts = alerts["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 101);
    let ended = alerts.iter().filter(|alert| alert["phase"] == "ended").count();
    assert_eq!(ended, 100, "each began and ended in one transaction: {}", alerts[0]);
    let device = hub.device("gate-1").unwrap();
    assert_eq!(device["missing"].as_array().map(Vec::len), Some(0), "{device}");
}

#[tokio::test]
async fn one_bad_event_refuses_the_batch_and_its_good_ones_are_taken_alone() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let good = intrusion(boot, 1);
    let foreign = intrusion_of("gate-2", boot, 2, alarm(), Phase::Began);
    let topic = event_topic(&good);
    for bad in [join(&[good.clone(), foreign]), b"[]".to_vec(), b"[{}]".to_vec(), b"[".to_vec()] {
        let answer = edge.publish(&topic, bad, false).await.unwrap();
        assert_eq!(answer, PubAckReason::PayloadFormatInvalid);
    }
    assert_eq!(hub.event_ids(), []);
    assert_eq!(edge.publish(&topic, good.to_json().unwrap(), false).await.unwrap(), PubAckReason::Success);
    assert_eq!(hub.event_ids(), [good.id]);
}
