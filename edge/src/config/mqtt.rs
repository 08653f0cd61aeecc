//! MQTT: the brokers sensors are heard on, and what they say there.

use std::path::PathBuf;

use gatepost_wire::BrokerUrl;
use gatepost_wire::event::{InputKind, SensorFaultKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::message::{
    JsonPointer, Meaning, MessageCondition, MessageFault, MessageMeasure, MessageTest, Scalar,
};
use super::name::name;
use super::{Label, Seconds};

/// The topic Zigbee2MQTT publishes below unless its own configuration says otherwise.
const ZIGBEE_BASE: &str = "zigbee2mqtt";

name! {
    /// Name of a broker sensors are heard on.
    MqttBrokerId
}

/// A broker sensors are heard on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MqttBroker {
    /// Name of the broker, unique among those of this box.
    pub id: MqttBrokerId,
    /// `mqtts://host:port`, MQTT 5; or `mqtt://host:port`, on loopback only.
    pub url: BrokerUrl,
    /// Certificate in PEM of the authority the broker's certificate comes from; `mqtts` needs it.
    pub ca_file: Option<PathBuf>,
    /// User name the broker asks for.
    pub username: Option<String>,
    /// File that holds the password, on its first line.
    pub password_file: Option<PathBuf>,
}

/// Where a sensor is heard, and what it means.
#[derive(Debug, Clone)]
pub struct MqttPoint {
    /// The broker.
    pub broker: MqttBrokerId,
    /// Where it speaks.
    pub topic: MqttTopic,
    /// Where it is told whether it can be reached.
    pub availability: Option<MqttTopic>,
    /// What it says.
    pub meaning: Meaning,
    /// It must speak at least so often.
    pub silent_after_s: Option<Seconds<10, 604_800>>,
    /// It says when it trips, but not when it rests: so long after that it does.
    pub rests_after_s: Option<Seconds<1, 3600>>,
}

/// A topic, without wildcards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[^+#]{1,256}$"))]
pub struct MqttTopic(String);

impl MqttTopic {
    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MqttTopic {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_good = (1..=256).contains(&text.len())
            && !text.chars().any(|it| matches!(it, '+' | '#') || it.is_control());
        if is_good {
            Ok(Self(text))
        } else {
            Err("a topic of one sensor has 1 to 256 characters and no '+' or '#'")
        }
    }
}

/// A sensor on a broker, as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MqttKeys {
    /// The broker it is heard on.
    broker: MqttBrokerId,
    /// Where it speaks; no wildcards.
    topic: MqttTopic,
    /// Where it is told whether it can be reached: `online` or `offline`, or `{"state": "online"}`.
    availability: Option<MqttTopic>,
    /// When it is tripped.
    alarm: MessageCondition,
    /// What it measures.
    measure: Option<MessageMeasure>,
    /// When it is ill.
    #[serde(default, rename = "fault")]
    faults: Vec<MessageFault>,
    /// Seconds within which it has to speak; its silence is a fault then.
    silent_after_s: Option<Seconds<10, 604_800>>,
    /// For sensors that say only when they trip: seconds after which they are at rest again.
    rests_after_s: Option<Seconds<1, 3600>>,
}

impl From<MqttKeys> for MqttPoint {
    fn from(keys: MqttKeys) -> Self {
        let MqttKeys { broker, topic, availability, alarm, measure, faults, silent_after_s, rests_after_s } =
            keys;
        let meaning = Meaning { alarm, measure, faults };
        Self { broker, topic, availability, meaning, silent_after_s, rests_after_s }
    }
}

/// A device of Zigbee2MQTT, as it is written. What its messages mean follows from what the sensor senses.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ZigbeeKeys {
    /// The broker Zigbee2MQTT publishes on.
    broker: MqttBrokerId,
    /// The device's friendly name there.
    device: MqttTopic,
    /// The topic Zigbee2MQTT publishes below.
    base: Option<MqttTopic>,
    /// Seconds within which it has to speak; its silence is a fault then.
    silent_after_s: Option<Seconds<10, 604_800>>,
}

impl ZigbeeKeys {
    /// What is heard of it.
    pub(super) fn point(self, input: InputKind) -> Result<MqttPoint, String> {
        let Self { broker, device, base, silent_after_s } = self;
        let (key, tripped) = property(input).ok_or_else(|| {
            format!(
                "Zigbee2MQTT has no property for {}: write a table `mqtt` with the topic and what its messages mean",
                input.name()
            )
        })?;
        let is = |key: &str, value: bool| MessageCondition {
            pointer: JsonPointer::to_key(key),
            test: MessageTest::AnyOf(vec![Scalar::Truth(value)]),
        };
        let fault = |kind, key, detail: &str| {
            Ok::<_, String>(MessageFault {
                kind,
                when: is(key, true),
                detail: Label::try_from(detail.to_owned())?,
            })
        };
        let faults = vec![
            fault(SensorFaultKind::Tamper, "tamper", "it was opened or taken off")?,
            fault(SensorFaultKind::Power, "battery_low", "its battery is low")?,
        ];
        let base = base.as_ref().map_or(ZIGBEE_BASE, MqttTopic::as_str);
        let topic = format!("{base}/{}", device.as_str());
        Ok(MqttPoint {
            broker,
            availability: Some(format!("{topic}/availability").try_into()?),
            topic: topic.try_into()?,
            meaning: Meaning { alarm: is(key, tripped), measure: None, faults },
            silent_after_s,
            rests_after_s: None,
        })
    }
}

/// The property a Zigbee device tells this by, and its value when it is tripped (Zigbee2MQTT's "exposes", binary
/// properties).
const fn property(input: InputKind) -> Option<(&'static str, bool)> {
    Some(match input {
        // True is closed.
        InputKind::Contact => ("contact", false),
        InputKind::Motion => ("occupancy", true),
        InputKind::Vibration => ("vibration", true),
        InputKind::Smoke => ("smoke", true),
        InputKind::Gas => ("gas", true),
        InputKind::Water => ("water_leak", true),
        InputKind::Panic => ("sos", true),
        InputKind::Fence | InputKind::Beam | InputKind::GlassBreak | InputKind::Heat | InputKind::Level => {
            return None;
        }
    })
}
