//! What a technician writes: one TOML file, checked whole before anything starts.
//!
//! Values are parsed into types that cannot hold nonsense; what only the whole file can show (a rule that
//! names a zone nobody drew, two cameras of one name) is checked in [`load`] with the line it stands on.

mod adc;
mod address;
mod area;
mod camera;
mod clips;
mod enrolment;
mod fusion;
mod gpio;
mod key_store;
mod label;
mod line;
mod load;
mod log;
mod message;
mod metrics;
mod millis;
mod modbus;
mod model;
mod motion;
mod mqtt;
mod name;
mod onvif;
mod outbox;
mod polygon;
mod profile;
mod rule;
mod schedule;
mod seconds;
mod sensor;
mod serial;
mod span;
mod tamper;
mod tiles;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use gatepost_wire::arming::Input;
use gatepost_wire::{AreaId, BrokerUrl, EdgeId, SensorId};
use schemars::JsonSchema;
use serde::Deserialize;

pub use adc::{AdcBand, AdcPoint, LineState};
pub use address::{Address, CameraUrl};
pub use area::{Area, Member, Role, StandingMode, TimetableEntry, WhenDisarmed, WhenOpen, is_24_hour};
pub use camera::{AnalysisFps, Camera, Idle, Mask, Transport, Zone};
pub use clips::{ClipWidth, Clips, DiskPercent, KeepDays, MemoryMib, Originals, Within};
pub use enrolment::EnrolmentUrl;
pub use fusion::{FusedInput, FusionPart, FusionRule};
pub use gpio::{GpioBias, GpioLevel, GpioPoint};
pub use key_store::{KeyStore, Tcti};
pub use label::Label;
pub use line::{Line, Polyline};
#[cfg(any(test, fuzzing))]
pub(crate) use load::fuzzing;
pub use load::{ConfigError, load, parse};
pub use log::{Log, LogFormat, LogLevel};
pub use message::{
    JsonPointer, Meaning, MessageCondition, MessageFault, MessageMeasure, MessageTest, Scalar,
};
pub use metrics::{LoopbackAddr, Metrics};
pub use millis::Millis;
pub use modbus::{Contact, ModbusAddress, ModbusLine, ModbusLineId, ModbusPoint, ModbusUrl, UnitId};
pub use model::{Model, Threads, Workers};
pub use motion::{AreaShare, Ignore, Motion};
pub use mqtt::{MqttBroker, MqttBrokerId, MqttPoint, MqttTopic};
pub use onvif::{OnvifDevice, OnvifDeviceId, OnvifPoint, OnvifTopic, OnvifUrl};
pub use outbox::{Outbox, OutboxLimit};
pub use polygon::{Point, Polygon};
pub use profile::{
    BitTable, ByteOrder, Condition, NumberType, PointFault, PointId, Profile, ProfilePoint, Register,
    RegisterId, RegisterTable, Shape, Test, WordTable,
};
pub use rule::{
    BoxPoint, CrossingDirection, Fraction, LineCrossingRule, LoiteringRule, ObjectLeftRule, OvercrowdingRule,
    Passage, Place, Rule, RuleTerms, VehicleStoppedRule, ZoneIntrusionRule,
};
pub use schedule::{Calendar, Hours, OnHolidays, Schedule, ScheduleId, Term, TimeZone, Weekday};
pub use seconds::Seconds;
pub use sensor::{Reach, Sensor};
pub use serial::{Baud, SerialLine, SerialParity, SerialStop};
pub use span::Span;
pub use tamper::Tamper;
pub use tiles::{TileCount, TileOverlap, Tiles};
pub use webhook::{Webhook, WebhookPoint};

/// One box.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of this box, unique in the district.
    pub edge: EdgeId,
    /// Where the outbox and the pictures waiting for the hub live.
    pub data_dir: PathBuf,
    /// Free space, in MiB, below which pictures are no longer kept and a device fault is raised. Events
    /// are kept as long as a byte is left.
    #[serde(default = "default_disk_reserve_mib")]
    pub disk_reserve_mib: u64,
    /// The site's time zone, an IANA name such as `Asia/Shanghai`: schedules go by the clock on its walls. UTC
    /// unless given.
    #[serde(default)]
    pub time_zone: TimeZone,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// Figures for Prometheus.
    #[serde(default)]
    pub metrics: Metrics,
    /// The detector.
    pub model: Model,
    /// The way to the hub.
    pub uplink: Uplink,
    /// Clips of alarms.
    #[serde(default)]
    pub clips: Clips,
    /// Clips with nobody covered, encrypted.
    #[serde(default)]
    pub originals: Originals,
    /// What waits for the hub.
    #[serde(default)]
    pub outbox: Outbox,
    /// Hours at which rules apply and areas are armed; a rule or a timetable names one.
    #[serde(default, rename = "schedule")]
    pub schedules: Vec<Schedule>,
    /// What is armed together. Without any, everything counts always.
    #[serde(default, rename = "area")]
    pub areas: Vec<Area>,
    /// Alarms that confirm each other.
    #[serde(default)]
    pub fusion: Vec<FusionRule>,
    /// Lines to Modbus devices.
    #[serde(default)]
    pub modbus: Vec<ModbusLine>,
    /// Brokers on which sensors speak.
    #[serde(default)]
    pub mqtt: Vec<MqttBroker>,
    /// Devices whose ONVIF events are pulled.
    #[serde(default)]
    pub onvif: Vec<OnvifDevice>,
    /// Where panels tell by HTTP what their sensors say. Nobody can unless given.
    pub webhook: Option<Webhook>,
    /// The sensors.
    #[serde(default, rename = "sensor")]
    pub sensors: Vec<Sensor>,
    /// Descriptions of Modbus devices, by the file each stands in: [`load`] reads those that sensors name.
    #[serde(skip)]
    pub profiles: BTreeMap<PathBuf, Arc<Profile>>,
    /// The cameras. A box may have sensors only.
    #[serde(default, rename = "camera")]
    pub cameras: Vec<Camera>,
}

impl Config {
    /// Where clips are kept.
    pub fn clips_dir(&self) -> PathBuf {
        self.data_dir.join("clips")
    }

    /// Every file that holds a secret, each on its first line.
    pub fn secret_files(&self) -> impl Iterator<Item = &PathBuf> {
        let cameras = self.cameras.iter().filter_map(|camera| camera.password_file.as_ref());
        let brokers = self.mqtt.iter().filter_map(|broker| broker.password_file.as_ref());
        let devices = self.onvif.iter().filter_map(|device| device.password_file.as_ref());
        let webhook = self.webhook.iter().map(|webhook| &webhook.token_file);
        cameras.chain(&self.uplink.password_file).chain(brokers).chain(devices).chain(webhook)
    }

    /// The area a sensor belongs to, if it belongs to one.
    pub fn area_of(&self, sensor: &SensorId) -> Option<&AreaId> {
        let is_meant = |input: &Input| matches!(input, Input::Sensor { sensor: id } if id == sensor);
        self.areas.iter().find(|area| area.members.iter().any(|it| is_meant(&it.input))).map(|area| &area.id)
    }

    /// The schedules and the clock they go by.
    pub fn calendar(&self) -> Calendar {
        Calendar { time_zone: self.time_zone.clone(), schedules: self.schedules.clone() }
    }
}

/// The way to the hub.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uplink {
    /// The MQTT 5 broker, `mqtts://host:port`, to which the box shows the certificate it got by enrolling. Plain
    /// `mqtt://host:port` is only allowed on loopback.
    pub broker: BrokerUrl,
    /// Where the hub gives and renews certificates, `https://host:port`: where `gatepost-edge enrol` brings a code.
    pub enrolment: Option<EnrolmentUrl>,
    /// Where the key is made by which the hub knows this box: at enrolment, and anew at each renewal.
    #[serde(default)]
    pub key_store: KeyStore,
    /// How the box's TPM is reached, `device:/dev/tpmrm0` unless given.
    #[serde(default)]
    pub tpm: Tcti,
    /// File that holds the password, on its first line. The user name is the edge's name. Without it the
    /// box logs in without a password.
    pub password_file: Option<PathBuf>,
    /// File with the public key of the hub on its first line, as `gatepost-hub signing-key` prints it: only commands signed by it
    /// are carried out. Enrolment brings it, so only a box that has not enrolled needs this.
    pub hub_key_file: Option<PathBuf>,
    /// Seconds between health reports.
    #[serde(default = "default_health_every_s")]
    #[schemars(range(min = 1))]
    pub health_every_s: u64,
}

fn default_disk_reserve_mib() -> u64 {
    200
}
fn default_health_every_s() -> u64 {
    30
}
