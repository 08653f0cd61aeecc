//! What a JSON message says. Pure: bytes in, a reading out.

use gatepost_wire::event::Measurement;
use serde_json::Value;

use super::sign::Reading;
use crate::config::{JsonPointer, Meaning, MessageCondition, MessageTest, Scalar};

/// Why a message makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageFault {
    /// A value is not of the kind that was expected.
    #[error("{pointer:?} is {value}, and {expected} was expected")]
    Odd {
        /// Where.
        pointer: String,
        /// What stands there, shortened.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// None of what a sensor tells by is in it.
    #[error("nothing of what was expected is in it")]
    Empty,
}

/// What a message says of a sensor. What is not in it is not known.
pub(super) fn read(meaning: &Meaning, payload: &[u8]) -> Result<Reading, MessageFault> {
    let value = parse(payload);
    let tripped = holds(&meaning.alarm, &value)?;
    let mut faults: Vec<(_, Option<String>)> = Vec::new();
    for fault in &meaning.faults {
        let Some(is_ill) = holds(&fault.when, &value)? else { continue };
        let detail = is_ill.then(|| fault.detail.as_str().to_owned());
        match faults.iter_mut().find(|(kind, _)| *kind == fault.kind) {
            Some((_, told)) => *told = told.take().or(detail),
            None => faults.push((fault.kind, detail)),
        }
    }
    let measured = match &meaning.measure {
        Some(measure) => number(&measure.pointer, &value)?
            .map(|number| Measurement { value: number, unit: measure.unit.clone() }),
        None => None,
    };
    if tripped.is_none() && faults.is_empty() && measured.is_none() {
        return Err(MessageFault::Empty);
    }
    Ok(Reading { tripped, measured, faults })
}

/// Whether something can be reached, in either way Zigbee2MQTT says it: a word, or an object with a `state`.
pub(super) fn is_online(payload: &[u8]) -> Option<bool> {
    let value = parse(payload);
    match value.get("state").unwrap_or(&value).as_str()? {
        "online" => Some(true),
        "offline" => Some(false),
        _ => None,
    }
}

/// A payload that is no JSON is a bare word.
fn parse(payload: &[u8]) -> Value {
    serde_json::from_slice(payload)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(payload).trim().to_owned()))
}

/// What stands there, if anything does.
fn find<'v>(pointer: &JsonPointer, value: &'v Value) -> Option<&'v Value> {
    value.pointer(pointer.as_str()).filter(|value| !value.is_null())
}

fn holds(condition: &MessageCondition, value: &Value) -> Result<Option<bool>, MessageFault> {
    match &condition.test {
        MessageTest::Within { least, most } => {
            Ok(number(&condition.pointer, value)?.map(|number| (*least..=*most).contains(&number)))
        }
        MessageTest::AnyOf(wanted) => {
            let Some(value) = find(&condition.pointer, value) else { return Ok(None) };
            let same_kind = |scalar: &Scalar| match scalar {
                Scalar::Truth(truth) => value.as_bool().map(|value| value == *truth),
                Scalar::Number(number) => value.as_f64().map(|value| value == *number),
                Scalar::Text(text) => value.as_str().map(|value| value == text),
            };
            // A text where true or false was expected would never be an alarm, and nobody would know.
            let compared: Vec<bool> = wanted.iter().filter_map(same_kind).collect();
            if compared.is_empty() {
                let expected = match wanted.first() {
                    Some(Scalar::Truth(_)) => "true or false",
                    Some(Scalar::Number(_)) => "a number",
                    _ => "a text",
                };
                return Err(odd(&condition.pointer, value, expected));
            }
            Ok(Some(compared.contains(&true)))
        }
    }
}

fn number(pointer: &JsonPointer, value: &Value) -> Result<Option<f64>, MessageFault> {
    let Some(value) = find(pointer, value) else { return Ok(None) };
    value
        .as_f64()
        .filter(|number| number.is_finite())
        .map(Some)
        .ok_or_else(|| odd(pointer, value, "a number"))
}

fn odd(pointer: &JsonPointer, value: &Value, expected: &'static str) -> MessageFault {
    let value = value.to_string().chars().take(40).collect();
    MessageFault::Odd { pointer: pointer.as_str().to_owned(), value, expected }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::SensorFaultKind::{Power, Tamper};
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Reach, Sensor};

    fn meaning(keys: &str) -> Meaning {
        let text = format!("id = 's'\ninput = 'contact'\n{keys}");
        let sensor: Sensor = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        let Reach::Mqtt(point) = sensor.reach else { panic!("{keys}") };
        point.meaning
    }

    fn plain(keys: &str) -> Meaning {
        meaning(&format!("[mqtt]\nbroker = 'b'\ntopic = 't'\n{keys}"))
    }

    fn tripped(meaning: &Meaning, payload: &str) -> Result<Option<bool>, MessageFault> {
        read(meaning, payload.as_bytes()).map(|reading| reading.tripped)
    }

    #[test]
    fn a_zigbee_contact_is_an_alarm_when_it_is_open() {
        let meaning = meaning("zigbee = { broker = 'b', device = 'front door' }");
        let payload = br#"{"battery":97,"battery_low":false,"contact":false,"linkquality":120,"tamper":true,"voltage":2900}"#;
        let reading = read(&meaning, payload).unwrap();
        assert_eq!(reading.tripped, Some(true));
        assert_eq!(reading.faults, [(Tamper, Some("it was opened or taken off".into())), (Power, None)]);
        assert_eq!(tripped(&meaning, r#"{"contact":true}"#), Ok(Some(false)));
        assert_eq!(tripped(&meaning, r#"{"battery_low":true}"#), Ok(None), "the rest is not known");
        assert_eq!(tripped(&meaning, r#"{"linkquality":120}"#), Err(MessageFault::Empty));
    }

    #[test]
    fn thresholds_words_and_whole_payloads() {
        let level = plain(
            "alarm = { pointer = '/tank/level', at_least = 80 }\nmeasure = { pointer = '/tank/level', unit = '%' }",
        );
        let reading = read(&level, br#"{"tank":{"level":80.5}}"#).unwrap();
        assert_eq!((reading.tripped, reading.measured.unwrap().value), (Some(true), 80.5));
        assert_eq!(tripped(&level, r#"{"tank":{"level":79}}"#), Ok(Some(false)));
        let button = plain("alarm = { pointer = '/action', any_of = ['emergency', 'panic'] }");
        assert_eq!(tripped(&button, r#"{"action":"panic"}"#), Ok(Some(true)));
        assert_eq!(tripped(&button, r#"{"action":""}"#), Ok(Some(false)));
        let bare = plain("alarm = { pointer = '', is = 'OPEN' }");
        assert_eq!(
            (tripped(&bare, "OPEN\n"), tripped(&bare, "\"CLOSED\"")),
            (Ok(Some(true)), Ok(Some(false)))
        );
        let number = plain("alarm = { pointer = '', is = 1 }");
        assert_eq!((tripped(&number, "1"), tripped(&number, "0")), (Ok(Some(true)), Ok(Some(false))));
    }

    #[test]
    fn a_value_of_another_kind_is_a_failure_and_not_rest() {
        let truth = plain("alarm = { pointer = '/open', is = true }");
        let said = tripped(&truth, r#"{"open":"ON"}"#).unwrap_err().to_string();
        assert_eq!(said, r#""/open" is "ON", and true or false was expected"#);
        let level = plain("alarm = { pointer = '/level', at_least = 80 }");
        assert!(tripped(&level, r#"{"level":"81"}"#).is_err());
        assert_eq!(tripped(&level, "<html>"), Err(MessageFault::Empty));
    }

    #[test]
    fn availability_comes_in_two_ways() {
        for (payload, expected) in [
            ("online", Some(true)),
            ("offline", Some(false)),
            (r#"{"state":"offline"}"#, Some(false)),
            (r#"{"state":7}"#, None),
            ("", None),
        ] {
            assert_eq!(is_online(payload.as_bytes()), expected, "{payload}");
        }
    }

    proptest! {
        #[test]
        fn no_payload_is_too_strange(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let level = plain("alarm = { pointer = '/level', at_least = 80 }");
            let _ = read(&level, &payload);
            let _ = is_online(&payload);
        }

        #[test]
        fn a_threshold_is_where_it_was_written(value in -1e6..1e6f64, least in -1e6..1e6f64) {
            let meaning = plain(&format!("alarm = {{ pointer = '/v', at_least = {least:?} }}"));
            let payload = serde_json::json!({ "v": value }).to_string();
            prop_assert_eq!(tripped(&meaning, &payload), Ok(Some(value >= least)));
        }
    }
}
