//! What a message is. The bytes may be anything; the answer is a type that holds only what is right, or the
//! reason why it is of no use.

use gatepost_wire::batch;
use gatepost_wire::{
    EdgeId, Event, EventId, Health, MAX_ENVELOPE_BYTES, Presence as WirePresence, Reply, Topic,
};
use serde::de::DeserializeOwned;

use crate::evidence::Piece;
use crate::store::{Content, Delivery, Presence};

/// What a message is.
pub(super) enum Message {
    /// It can be stored as it is.
    Plain(Content),
    /// Many events, each with its own part of the payload.
    Batch(Vec<(Delivery, Content)>),
    /// Its bytes go to disk first.
    Evidence { edge: EdgeId, event: EventId, piece: Piece },
}

pub(super) fn read(delivery: &Delivery) -> Message {
    let topic: Topic = match delivery.topic.parse() {
        Ok(topic) => topic,
        Err(error) => {
            return Message::Plain(Content::Refused { edge: None, reason: format!("{error}") });
        }
    };
    let parsed = match &topic {
        Topic::Event(edge) if batch::is_batch(&delivery.payload) => {
            events(edge, delivery).map(Message::Batch)
        }
        Topic::Event(edge) => event(edge, &delivery.payload).map(Message::Plain),
        Topic::Evidence(edge, event) => Piece::parse(delivery.payload.clone())
            .map(|piece| Message::Evidence { edge: edge.clone(), event: *event, piece })
            .map_err(|e| e.to_string()),
        Topic::Health(edge) => health(edge, &delivery.payload).map(Message::Plain),
        Topic::Presence(edge) => presence(edge, &delivery.payload).map(Message::Plain),
        Topic::Command(_) => Err("commands come from the hub, never from a box".into()),
        Topic::Reply(edge) => reply(edge, &delivery.payload).map(Message::Plain),
    };
    parsed.unwrap_or_else(|reason| {
        Message::Plain(Content::Refused { edge: Some(topic.edge().clone()), reason })
    })
}

fn event(edge: &EdgeId, payload: &[u8]) -> Result<Content, String> {
    let event = Event::from_json(payload).map_err(|e| e.to_string())?;
    same_edge(edge, &event.edge)?;
    storable("sequence", event.seq.0)?;
    Ok(Content::Event { event: Box::new(event), text: text(payload)? })
}

/// All of a batch or nothing: what is wrong with one event is found by sending it alone.
fn events(edge: &EdgeId, delivery: &Delivery) -> Result<Vec<(Delivery, Content)>, String> {
    let documents = batch::split(&delivery.payload).map_err(|e| e.to_string())?;
    let one = |document: &str| {
        let payload = delivery.payload.slice_ref(document.as_bytes());
        event(edge, &payload).map(|content| (Delivery { payload, ..delivery.clone() }, content))
    };
    documents.into_iter().map(one).collect()
}

fn health(edge: &EdgeId, payload: &[u8]) -> Result<Content, String> {
    let health: Health = json("Health", payload)?;
    same_edge(edge, &health.edge)?;
    for recorded in &health.recorded {
        storable("recorded.last", recorded.last.0)?;
    }
    Ok(Content::Health { health: Box::new(health), text: text(payload)? })
}

fn presence(edge: &EdgeId, payload: &[u8]) -> Result<Content, String> {
    let presence: WirePresence = json("Presence", payload)?;
    same_edge(edge, &presence.edge)?;
    Ok(Content::Presence(Presence { edge: presence.edge, boot: presence.boot, state: presence.state }))
}

fn reply(edge: &EdgeId, payload: &[u8]) -> Result<Content, String> {
    let reply = Reply::from_json(payload).map_err(|e| e.to_string())?;
    Ok(Content::Reply { edge: edge.clone(), reply: Box::new(reply), text: text(payload)? })
}

fn json<T: DeserializeOwned>(name: &str, payload: &[u8]) -> Result<T, String> {
    if payload.len() > MAX_ENVELOPE_BYTES {
        return Err(format!("{name} has at most {MAX_ENVELOPE_BYTES} bytes, this one has {}", payload.len()));
    }
    serde_json::from_slice(payload).map_err(|e| format!("not a Gatepost {name}: {e}"))
}

fn same_edge(topic: &EdgeId, payload: &EdgeId) -> Result<(), String> {
    if topic == payload {
        return Ok(());
    }
    Err(format!("it speaks for edge {payload} on the topic of edge {topic}"))
}

/// The database's integers end at 2⁶³-1, and no edge gets there by counting.
fn storable(field: &str, number: u64) -> Result<(), String> {
    i64::try_from(number).map(|_| ()).map_err(|_| format!("{field} {number} is beyond any real count"))
}

fn text(payload: &[u8]) -> Result<String, String> {
    String::from_utf8(payload.to_vec()).map_err(|e| format!("not UTF-8: {e}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatepost_wire::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn refusal(topic: &str, payload: &[u8]) -> Option<String> {
        let delivery = Delivery {
            topic: topic.into(),
            payload: Bytes::copy_from_slice(payload),
            received: Timestamp::UNIX_EPOCH,
            retained: false,
        };
        match read(&delivery) {
            Message::Plain(Content::Refused { reason, .. }) => Some(reason),
            _ => None,
        }
    }

    const EVENT: &str = r#"{"specversion":"1.0","id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","source":"/gatepost/edge/gate-1",
        "type":"gatepost.event.v1.later_kind","time":"2026-01-31T08:30:00Z","datacontenttype":"application/json",
        "boot":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":"1","data":{"severity":2,"happening":{"kind":"later_kind"}}}"#;

    #[test]
    fn refusals_say_what_is_wrong() {
        assert_eq!(refusal("gp/v1/gate-1/event", EVENT.as_bytes()), None);
        for (topic, payload, expected) in [
            ("gp/v1/gate-2/event", EVENT.to_owned(), "it speaks for edge gate-1 on the topic of edge gate-2"),
            (
                "gp/v1/gate-1/event",
                EVENT.replace("\"1\"", "\"18446744073709551615\""),
                "beyond any real count",
            ),
            ("gp/v1/gate-1/event", "x".repeat(70_000), "at most 65536 bytes, this one has 70000"),
            ("gp/v1/gate-1/event", "\u{0}\u{1}".to_owned(), "not a Gatepost event"),
            ("gp/v1/gate-1/health", "{}".to_owned(), "not a Gatepost Health: missing field"),
            ("gp/v1/gate-1/presence", "[".to_owned(), "not a Gatepost Presence"),
            (
                "gp/v1/gate-1/evidence/01ARZ3NDEKTSV4RRFFQ69G5FAV",
                "no".to_owned(),
                "not a JPEG, MP4 or age file",
            ),
            ("gp/v1/gate-1/command", "{}".to_owned(), "commands come from the hub"),
            ("gp/v1/gate-1/command/reply", "{}".to_owned(), "not a Gatepost reply: missing field"),
            ("gp/v1/Gate/event", EVENT.to_owned(), "edge in topic"),
            ("weather/today", "rain".to_owned(), "is not a topic of gp/v1"),
        ] {
            let reason = refusal(topic, payload.as_bytes()).unwrap();
            assert!(reason.contains(expected), "{topic}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_come(topic in ".{0,80}", room in 0usize..6, payload in prop::collection::vec(any::<u8>(), 0..300)) {
            let room =
                ["event", "health", "presence", "evidence/01ARZ3NDEKTSV4RRFFQ69G5FAV", "command", "command/reply"][room];
            let ours = format!("gp/v1/gate-1/{room}");
            prop_assert!(refusal(&topic, &payload).is_some());
            prop_assert!(refusal(&ours, &payload).is_some());
        }
    }
}
