//! What a fuzzer does with the parsers of this crate. Compiled for it and for tests only; see `fuzz/README.md`.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::command::VerifyingKey;
use crate::envelope::MAX_ENVELOPE_BYTES;
use crate::{Command, Event, Evidence, Health, Presence, Reply, Topic};

/// What was read of an event is what is read again once it was written.
pub fn event(bytes: &[u8]) {
    let Ok(event) = Event::from_json(bytes) else { return };
    let written = event.to_json();
    let Ok(written) = written else { panic!("it cannot be written: {written:?}") };
    // `1e20` is written with all its digits, and many of them with more than an event may have.
    if written.len() > MAX_ENVELOPE_BYTES {
        return;
    }
    match Event::from_json(&written) {
        Ok(again) => assert_eq!(again, event),
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&written)),
    }
}

/// The same of everything else that travels as JSON.
pub fn command(bytes: &[u8]) {
    survives(Command::from_json(bytes).ok());
    survives(Reply::from_json(bytes).ok());
    survives(serde_json::from_slice::<Health>(bytes).ok());
    survives(serde_json::from_slice::<Presence>(bytes).ok());
    survives(serde_json::from_slice::<Evidence>(bytes).ok());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(topic) = text.parse::<Topic>() {
        assert_eq!(topic.to_string(), text, "a topic has one spelling");
    }
}

/// What a box takes for an order of its hub: nothing, without the hub's key.
pub fn signed(bytes: &[u8]) {
    // Any key will do: nobody has signed this.
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".parse::<VerifyingKey>();
    let Ok(key) = key else { panic!("the key of RFC 8037, A.2 is one") };
    assert!(key.open(bytes).is_err());
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(read: Option<T>) {
    let Some(read) = read else { return };
    let written = serde_json::to_string(&read);
    let Ok(written) = written else { panic!("it cannot be written: {written:?}") };
    match serde_json::from_str::<T>(&written) {
        Ok(again) => assert_eq!(again, read),
        Err(error) => panic!("{error}: {written}"),
    }
}

#[cfg(test)]
mod tests {
    use gatepost_testbed::corpus::replay;

    #[test]
    fn what_was_found_stays_mended() {
        replay("wire_event", super::event);
        replay("wire_command", super::command);
        replay("wire_signed", super::signed);
    }
}
