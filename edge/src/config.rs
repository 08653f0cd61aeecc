//! What a technician writes: one TOML file, checked whole before anything starts.
//!
//! Values are parsed into types that cannot hold nonsense; what only the whole file can show (a rule that
//! names a zone nobody drew, two cameras of one name) is checked in [`load`] with the line it stands on.

mod adc;
mod address;
mod area;
mod clips;
mod fusion;
mod gpio;
mod line;
mod load;
mod message;
mod millis;
mod modbus;
mod motion;
mod mqtt;
mod name;
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
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_wire::arming::Input;
use gatepost_wire::{AreaId, BrokerUrl, CameraId, EdgeId, SensorId, ZoneId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::privacy::Masks;

pub use adc::{AdcBand, AdcPoint, LineState};
pub use address::{Address, CameraUrl};
pub use area::{Area, Member, Role, StandingMode, TimetableEntry, WhenDisarmed, WhenOpen, is_24_hour};
pub use clips::{ClipWidth, Clips, DiskPercent, KeepDays, MemoryMib, Originals, Within};
pub use fusion::{FusedInput, FusionPart, FusionRule};
pub use gpio::{GpioBias, GpioLevel, GpioPoint};
pub use line::{Line, Polyline};
pub use load::{ConfigError, load, parse};
pub use message::{
    JsonPointer, Meaning, MessageCondition, MessageFault, MessageMeasure, MessageTest, Scalar,
};
pub use millis::Millis;
pub use modbus::{Contact, ModbusAddress, ModbusLine, ModbusLineId, ModbusPoint, ModbusUrl, UnitId};
pub use motion::{AreaShare, Ignore, Motion};
pub use mqtt::{MqttBroker, MqttBrokerId, MqttPoint, MqttTopic};
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
    /// Where panels tell by HTTP what their sensors say. Nobody can unless given.
    pub webhook: Option<Webhook>,
    /// The sensors.
    #[serde(default, rename = "sensor")]
    pub sensors: Vec<Sensor>,
    /// Descriptions of Modbus devices, by the file each stands in: [`load`] reads those that sensors name.
    #[serde(skip)]
    pub profiles: BTreeMap<PathBuf, Arc<Profile>>,
    /// The cameras.
    #[serde(rename = "camera")]
    pub cameras: Vec<Camera>,
}

impl Config {
    /// Every file that holds a secret, each on its first line.
    pub fn secret_files(&self) -> impl Iterator<Item = &PathBuf> {
        let cameras = self.cameras.iter().filter_map(|camera| camera.password_file.as_ref());
        let brokers = self.mqtt.iter().filter_map(|broker| broker.password_file.as_ref());
        let webhook = self.webhook.iter().map(|webhook| &webhook.token_file);
        cameras.chain(&self.uplink.password_file).chain(brokers).chain(webhook)
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

/// Logging.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// Least grave level that is written.
    pub level: LogLevel,
}

/// For people or for machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines to read.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Least grave level that is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Only what is broken.
    Error,
    /// And what is about to break.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And how.
    Debug,
}

/// The detector.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The model's manifest; another model is another manifest.
    pub manifest: PathBuf,
    /// ONNX Runtime's shared library.
    pub runtime: PathBuf,
    /// Threads of one run.
    #[serde(default = "default_threads")]
    pub threads: Threads,
    /// How many frames are looked at side by side, each by a detector of its own with `threads` threads. Unless
    /// given there is one for every `threads` cores, and no more than cameras. Each costs memory of its own.
    pub workers: Option<Workers>,
}

impl Model {
    /// How many detectors a box with so many cores and cameras works with.
    pub fn workers(&self, cores: NonZero<usize>, cameras: usize) -> Workers {
        self.workers
            .unwrap_or_else(|| Workers((cores.get() / self.threads.0).min(cameras).clamp(1, Workers::MOST)))
    }
}

/// A number of detectors, 1 to 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "usize")]
#[schemars(extend("minimum" = 1, "maximum" = 16))]
pub struct Workers(usize);

impl Workers {
    const MOST: usize = 16;

    /// The number.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for Workers {
    type Error = String;
    fn try_from(count: usize) -> Result<Self, String> {
        if (1..=Self::MOST).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} detectors are not possible: 1 to {}", Self::MOST))
        }
    }
}

/// A number of threads, 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "usize")]
#[schemars(extend("minimum" = 1, "maximum" = 64))]
pub struct Threads(usize);

impl Threads {
    /// One thread.
    pub const ONE: Self = Self(1);

    /// The number.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for Threads {
    type Error = String;
    fn try_from(count: usize) -> Result<Self, String> {
        if (1..=64).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} threads are not possible: 1 to 64"))
        }
    }
}

/// The way to the hub.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uplink {
    /// The MQTT 5 broker, `mqtt://host:port`. Plain MQTT is only allowed on loopback.
    pub broker: BrokerUrl,
    /// File that holds the password, on its first line. The user name is the edge's name. Without it the
    /// box logs in without a password.
    pub password_file: Option<PathBuf>,
    /// Seconds between health reports.
    #[serde(default = "default_health_every_s")]
    #[schemars(range(min = 1))]
    pub health_every_s: u64,
}

/// One camera.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Name of the camera, unique in this box.
    pub id: CameraId,
    /// What people call it.
    pub label: Option<Label>,
    /// `rtsp://host:port/path`, without user and password; `v4l2:///dev/video0` for a camera at this box;
    /// `file:///path` for a clip that is played over and over.
    pub url: CameraUrl,
    /// How pictures travel from a camera in the network.
    #[serde(default)]
    pub transport: Transport,
    /// User name the camera asks for.
    pub username: Option<String>,
    /// File that holds the camera's password, on its first line.
    pub password_file: Option<PathBuf>,
    /// Pictures a second that are looked at.
    #[serde(default = "default_analysis_fps")]
    pub analysis_fps: AnalysisFps,
    /// What is decoded while nothing moves.
    #[serde(default)]
    pub idle: Idle,
    /// Seconds without movement after which a camera counts as idle.
    #[serde(default = "default_quiet_s")]
    #[schemars(range(min = 1))]
    pub quiet_s: u64,
    /// Seconds without a picture after which the signal counts as lost.
    #[serde(default = "default_signal_lost_after_s")]
    #[schemars(range(min = 1))]
    pub signal_lost_after_s: u64,
    /// Areas nobody may see: black before anything else sees the picture.
    #[serde(default, rename = "mask")]
    pub masks: Vec<Mask>,
    /// For wide views: into how many tiles the picture is cut for the detector.
    #[serde(default)]
    pub tiles: Tiles,
    /// Are clips made of its alarms?
    #[serde(default = "default_clips")]
    pub clips: bool,
    /// How it is watched for motion.
    #[serde(default)]
    pub motion: Motion,
    /// How it is watched for tampering.
    #[serde(default)]
    pub tamper: Tamper,
    /// Areas of the picture.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// Lines across the picture.
    #[serde(default, rename = "line")]
    pub lines: Vec<Line>,
    /// What must not happen there.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

impl Camera {
    /// What is drawn into every picture.
    pub fn masks(&self) -> Masks {
        Masks::new(self.masks.iter().map(|mask| mask.polygon.clone()).collect())
    }

    /// Time without a picture after which the signal counts as lost.
    pub fn signal_lost_after(&self) -> Duration {
        Duration::from_secs(self.signal_lost_after_s)
    }

    /// Time without movement after which it counts as idle.
    pub fn quiet(&self) -> Duration {
        Duration::from_secs(self.quiet_s)
    }
}

/// How pictures travel from a camera in the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// In the connection itself: what is lost on the way is sent again.
    #[default]
    Tcp,
    /// Beside it: what is lost on the way is missing. For cameras that offer nothing else.
    Udp,
}

/// What is decoded while nothing moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// Only key frames, if they come often enough to see somebody by them.
    #[default]
    KeyFrames,
    /// Everything, as if something moved.
    Full,
}

/// Name for people: 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = 64))]
pub struct Label(String);

impl Label {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.chars().count() {
            1..=64 if !text.chars().any(char::is_control) => Ok(Self(text)),
            _ => Err("a label has 1 to 64 characters and no control characters".into()),
        }
    }
}

/// Pictures a second that are looked at, 1 to 15: more costs much and shows little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u32")]
#[schemars(extend("minimum" = 1, "maximum" = 15))]
pub struct AnalysisFps(u32);

impl AnalysisFps {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Time from one to the next.
    pub fn period(self) -> Duration {
        Duration::from_secs(1) / self.0
    }
}

impl TryFrom<u32> for AnalysisFps {
    type Error = String;
    fn try_from(fps: u32) -> Result<Self, String> {
        if (1..=15).contains(&fps) {
            Ok(Self(fps))
        } else {
            Err(format!("{fps} pictures a second are not possible: 1 to 15"))
        }
    }
}

/// An area nobody may see, such as a neighbour's window.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// Its corners in order, as fractions of the picture's width and height.
    pub polygon: Polygon,
}

/// An area of the picture.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Name of the area, unique among the areas and lines of this camera.
    pub id: ZoneId,
    /// What people call it.
    pub label: Option<Label>,
    /// Its corners in order, as fractions of the picture's width and height.
    pub polygon: Polygon,
}

fn default_disk_reserve_mib() -> u64 {
    200
}
fn default_clips() -> bool {
    true
}
fn default_threads() -> Threads {
    Threads::ONE
}
fn default_health_every_s() -> u64 {
    30
}
fn default_analysis_fps() -> AnalysisFps {
    AnalysisFps(5)
}
fn default_quiet_s() -> u64 {
    10
}
fn default_signal_lost_after_s() -> u64 {
    10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_for_every_core_but_not_for_more_cameras_than_there_are() {
        let workers = |keys: &str, cores, cameras| {
            let model: Model = toml::from_str(&format!("manifest = \"m\"\nruntime = \"r\"\n{keys}")).unwrap();
            model.workers(NonZero::new(cores).unwrap(), cameras).get()
        };
        assert_eq!(workers("", 2, 40), 2);
        assert_eq!(workers("", 8, 3), 3);
        assert_eq!(workers("threads = 4", 8, 40), 2);
        assert_eq!(workers("threads = 4", 2, 40), 1);
        assert_eq!(workers("", 128, 200), 16);
        assert_eq!(workers("workers = 5", 2, 1), 5);
        let refused = toml::from_str::<Model>("manifest = \"m\"\nruntime = \"r\"\nworkers = 0").unwrap_err();
        assert!(refused.to_string().contains("1 to 16"), "{refused}");
    }
}
