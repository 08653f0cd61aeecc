//! Sensors: what each senses, how grave that is, and how it is reached.

use std::time::Duration;

use gatepost_wire::event::InputKind;
use gatepost_wire::{SensorId, Severity};
use schemars::JsonSchema;
use serde::Deserialize;

use super::mqtt::{MqttKeys, ZigbeeKeys};
use super::webhook::WebhookKeys;
use super::{AdcPoint, GpioPoint, Label, ModbusPoint, MqttPoint, OnvifPoint, Seconds, WebhookPoint};

/// One input of a sensor: a door contact, a zone of a fence.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "SensorKeys")]
#[schemars(with = "SensorKeys")]
pub struct Sensor {
    /// Its name.
    pub id: SensorId,
    /// What people call it.
    pub label: Option<Label>,
    /// What it senses.
    pub input: InputKind,
    /// How grave it is when it trips.
    pub severity: Severity,
    /// How long it may give no sense before that is a fault.
    pub comms_after_s: Seconds<1, 3600>,
    /// How it is reached.
    pub reach: Reach,
}

/// How a sensor is reached.
#[derive(Debug, Clone)]
pub enum Reach {
    /// It is an input of a Modbus device.
    Modbus(ModbusPoint),
    /// It speaks on a broker.
    Mqtt(MqttPoint),
    /// An ONVIF device, most often a camera, tells of it.
    Onvif(OnvifPoint),
    /// A panel speaks for it.
    Webhook(WebhookPoint),
    /// It is a contact at a pin of this box.
    Gpio(GpioPoint),
    /// It is a supervised input at a converter of this box.
    Adc(AdcPoint),
}

impl Sensor {
    /// Its silence for so long is a fault.
    pub fn silent_after(&self) -> Option<Duration> {
        let seconds = match &self.reach {
            Reach::Modbus(_) | Reach::Onvif(_) | Reach::Gpio(_) | Reach::Adc(_) => None,
            Reach::Mqtt(point) => point.silent_after_s,
            Reach::Webhook(point) => point.silent_after_s,
        };
        seconds.map(Seconds::span)
    }

    /// It is at rest again so long after it said that it tripped.
    pub fn rests_after(&self) -> Option<Duration> {
        let seconds = match &self.reach {
            Reach::Modbus(_) | Reach::Gpio(_) | Reach::Adc(_) => None,
            Reach::Mqtt(point) => point.rests_after_s,
            Reach::Onvif(point) => point.rests_after_s,
            Reach::Webhook(point) => point.rests_after_s,
        };
        seconds.map(Seconds::span)
    }
}

/// A sensor as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SensorKeys {
    /// Name of the sensor, unique in this box.
    id: SensorId,
    /// What people call it.
    label: Option<Label>,
    /// What it senses. Smoke, heat, gas, water and panic count in every mode.
    input: InputKind,
    /// How grave it is when it trips.
    #[serde(default = "default_severity")]
    severity: Severity,
    /// Seconds it may be out of reach, or answer nonsense, before that is a fault.
    #[serde(default = "default_comms_after")]
    comms_after_s: Seconds<1, 3600>,
    /// It is an input of a Modbus device.
    modbus: Option<ModbusPoint>,
    /// It speaks on an MQTT broker.
    mqtt: Option<MqttKeys>,
    /// It is a device of Zigbee2MQTT.
    zigbee: Option<ZigbeeKeys>,
    /// An ONVIF device, most often a camera, tells of it: its own input, or what it noticed itself.
    onvif: Option<OnvifPoint>,
    /// A panel tells of it by HTTP: `POST /v1/sensors/{id}`.
    webhook: Option<WebhookKeys>,
    /// It is a dry contact at a pin of this box.
    gpio: Option<GpioPoint>,
    /// It is a supervised input at a converter of this box.
    adc: Option<AdcPoint>,
}

impl TryFrom<SensorKeys> for Sensor {
    type Error = String;
    fn try_from(keys: SensorKeys) -> Result<Self, String> {
        let SensorKeys {
            id,
            label,
            input,
            severity,
            comms_after_s,
            modbus,
            mqtt,
            zigbee,
            onvif,
            webhook,
            gpio,
            adc,
        } = keys;
        let mut ways = Vec::new();
        ways.extend(modbus.map(Reach::Modbus));
        ways.extend(mqtt.map(|keys| Reach::Mqtt(keys.into())));
        ways.extend(zigbee.map(|keys| keys.point(input).map(Reach::Mqtt)).transpose()?);
        ways.extend(onvif.map(Reach::Onvif));
        ways.extend(webhook.map(|keys| Reach::Webhook(keys.into())));
        ways.extend(gpio.map(Reach::Gpio));
        ways.extend(adc.map(Reach::Adc));
        let (Some(reach), true) = (ways.pop(), ways.is_empty()) else {
            let tables = "`modbus`, `mqtt`, `zigbee`, `onvif`, `webhook`, `gpio` and `adc`";
            return Err(format!("how is it reached? It needs one of the tables {tables}, and no other"));
        };
        Ok(Self { id, label, input, severity, comms_after_s, reach })
    }
}

fn default_severity() -> Severity {
    Severity::HIGH
}
fn default_comms_after() -> Seconds<1, 3600> {
    Seconds::constant::<15>()
}
