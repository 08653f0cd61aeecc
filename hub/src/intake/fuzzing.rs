//! What a fuzzer does with what boxes send.

use bytes::Bytes;
use gatepost_wire::Timestamp;

use super::parse::{Message, read};
use crate::store::{Content, Delivery};

/// A topic up to the first line's end, and a payload.
pub fn message(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (topic, payload) = bytes.split_at(end);
    let Ok(topic) = std::str::from_utf8(topic) else { return };
    let payload = payload.get(1..).unwrap_or_default();
    let delivery = Delivery {
        topic: topic.into(),
        payload: Bytes::copy_from_slice(payload),
        received: Timestamp::UNIX_EPOCH,
        retained: false,
    };
    match read(&delivery) {
        Message::Batch(events) => {
            assert!(!events.is_empty());
            for (delivery, content) in events {
                let Content::Event { event, text } = content else { panic!("a batch holds events") };
                is_from(topic, event.edge.as_str());
                assert_eq!(text.as_bytes(), delivery.payload);
            }
        }
        Message::Plain(Content::Refused { reason, .. }) => assert!(!reason.is_empty()),
        Message::Plain(Content::Event { event, text }) => {
            assert!(i64::try_from(event.seq.0).is_ok(), "the database can hold it");
            is_from(topic, event.edge.as_str());
            assert_eq!(text.as_bytes(), payload);
        }
        Message::Plain(Content::Health { health, text }) => {
            is_from(topic, health.edge.as_str());
            assert_eq!(text.as_bytes(), payload);
        }
        Message::Plain(Content::Presence(presence)) => is_from(topic, presence.edge.as_str()),
        Message::Plain(Content::Reply { edge, text, .. }) => {
            is_from(topic, edge.as_str());
            assert_eq!(text.as_bytes(), payload);
        }
        Message::Plain(Content::Evidence { .. }) => panic!("its bytes are not on disk yet"),
        Message::Evidence { edge, .. } => is_from(topic, edge.as_str()),
    }
}

/// Nobody speaks for another box.
fn is_from(topic: &str, edge: &str) {
    assert_eq!(topic.split('/').nth(2), Some(edge));
}
