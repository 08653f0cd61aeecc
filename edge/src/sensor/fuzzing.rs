//! What a fuzzer does with what sensors say.

use std::sync::LazyLock;

use super::message::{is_online, read};
use crate::config::{Meaning, Reach, Sensor};

pub use super::modbus::fuzzing::modbus_reply;
pub use super::onvif::fuzzing::{onvif_answer, onvif_challenge};

/// One of each kind of condition, on the whole of a message and inside it.
static MEANINGS: LazyLock<Vec<Meaning>> = LazyLock::new(|| {
    let zigbee = "zigbee = { broker = 'b', device = 'd' }";
    let of = |keys: &str| format!("[mqtt]\nbroker = 'b'\ntopic = 't'\n{keys}");
    vec![
        meaning(zigbee),
        meaning(&of(
            "alarm = { pointer = '/v', at_least = -1, at_most = 80 }\nmeasure = { pointer = '/v', unit = '%' }",
        )),
        meaning(&of("alarm = { pointer = '', is = 1 }")),
        meaning(&of("alarm = { pointer = '', any_of = ['OPEN', 'a'] }")),
        meaning(&of("alarm = { pointer = '/a/0/b~1c', is = true }")),
    ]
});

fn meaning(keys: &str) -> Meaning {
    match toml::from_str::<Sensor>(&format!("id = 's'\ninput = 'contact'\n{keys}")) {
        Ok(Sensor { reach: Reach::Mqtt(point), .. }) => point.meaning,
        other => panic!("{other:?}"),
    }
}

/// A message over MQTT, of Zigbee2MQTT or to the webhook.
pub fn sensor_message(payload: &[u8]) {
    for meaning in MEANINGS.iter() {
        match read(meaning, payload) {
            Ok(reading) => {
                assert!(reading.measured.as_ref().is_none_or(|it| it.value.is_finite()));
                assert!(
                    reading.tripped.is_some() || reading.measured.is_some() || !reading.faults.is_empty()
                );
            }
            Err(fault) => assert!(fault.to_string().len() < 400, "a payload is not told whole"),
        }
    }
    let _ = is_online(payload);
}
