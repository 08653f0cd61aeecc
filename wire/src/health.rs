//! What a box says of itself: [`Health`] every half minute, [`Presence`] when it comes and goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::arming::AreaHealth;
use crate::event::{Extra, InputKind, SensorFaultKind};
use crate::finite::finite_or_none;
use crate::id::{BootId, CameraId, EdgeId, SensorId, Seq, ZoneId};
use crate::schema::date_time;
use crate::word::words;

/// State of a box, retained on [`crate::Topic::Health`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The box.
    pub edge: EdgeId,
    /// When this was measured, UTC.
    #[schemars(schema_with = "date_time")]
    pub time: Timestamp,
    /// The start of the daemon.
    pub boot: BootId,
    /// Since that start, milliseconds, from a monotonic clock.
    pub uptime_ms: u64,
    /// Version of the daemon.
    pub version: String,
    /// How far each of the last boots got, newest first: what the hub must have to have everything.
    pub recorded: Vec<Recorded>,
    /// Events and pictures not yet acknowledged.
    pub outbox: OutboxHealth,
    /// Every configured camera.
    pub cameras: Vec<CameraHealth>,
    /// Every configured sensor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorHealth>,
    /// Every configured area.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<AreaHealth>,
    /// The detector.
    pub inference: InferenceHealth,
    /// Where the key is by which the hub knows it; none before it has enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyPlace>,
    /// Free space where the outbox lives, bytes.
    pub disk_free_bytes: u64,
    /// How warm the warmest part of the box is, °C; none where its system does not know.
    #[serde(default, deserialize_with = "finite_or_none", skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<f32>,
    /// What the box proves with who it is; none when it logs in by a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateHealth>,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Where the private key of a box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// In its TPM: who carries the disk away does not have it.
    Tpm,
    /// In a file on its disk.
    File,
}

/// The last sequence number recorded in one boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// The boot.
    pub boot: BootId,
    /// Its last event.
    pub last: Seq,
}

/// The certificate a box has from its hub, renewed when a third of its time is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateHealth {
    /// It counts from then, UTC.
    #[schemars(schema_with = "date_time")]
    pub from: Timestamp,
    /// It counts until then, UTC.
    #[schemars(schema_with = "date_time")]
    pub until: Timestamp,
}

/// What waits on the box for the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutboxHealth {
    /// Messages waiting.
    pub queued: u64,
    /// Size of the store on disk, bytes.
    pub disk_bytes: u64,
}

/// One camera as its edge sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraHealth {
    /// The camera.
    pub camera: CameraId,
    /// What people call it, e.g. `东门`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its areas and what people call them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneLabel>,
    /// Is there a picture?
    pub state: CameraState,
    /// What it was ill with when this was measured; without a picture why, before what is wrong with its picture. None from boxes that tell
    /// only `state`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<CameraIllness>,
    /// GStreamer element that decodes, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<String>,
    /// How closely it is watched at the moment; none while there is no picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// Frames taken for analysis since the daemon started.
    pub frames_sampled: u64,
    /// Frames that went through the detector.
    pub frames_analysed: u64,
    /// Frames in which nothing had moved, so that the detector was spared.
    #[serde(default)]
    pub frames_still: u64,
    /// Frames thrown away because a newer one came before the detector was free.
    pub frames_dropped: u64,
    /// Time of the last picture, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_frame: Option<Timestamp>,
}

/// What people call an area of a camera's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneLabel {
    /// The area.
    pub zone: ZoneId,
    /// Its name for people, e.g. `草坪`.
    pub label: String,
}

/// How closely a camera is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Nothing moves: only key frames are decoded.
    Idle,
    /// Something moves, or a sensor tripped: every frame is decoded.
    Awake,
}

/// Is there a picture?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum CameraState {
    /// Asked for, nothing came yet.
    Connecting,
    /// Pictures come.
    Streaming,
    /// No pictures; `reason` says what was seen, in words for a technician.
    Faulted {
        /// Never holds a secret.
        reason: String,
    },
}

/// What a camera is ill with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CameraIllness {
    /// In what way.
    pub fault: CameraFaultKind,
    /// Since when, as far as was noticed, UTC: without a picture the time of the last one, if there was one since the daemon started.
    #[schemars(schema_with = "date_time")]
    pub since: Timestamp,
    /// What was seen, in words for a technician; never a secret.
    pub detail: String,
}

words! {
    /// In what way a camera does not show its scene.
    CameraFaultKind {
        /// Nobody answers at its address.
        Unreachable = "unreachable",
        /// It answers and refuses the login.
        LoginRefused = "login_refused",
        /// It answers and does not know the path of its address.
        UnknownPath = "unknown_path",
        /// Another program uses it.
        Busy = "busy",
        /// It is connected and sends nothing.
        Silent = "silent",
        /// It sends, but no key frame, with which a decoder begins.
        NoKeyFrames = "no_key_frames",
        /// It sends video that cannot be decoded: it is damaged.
        Undecodable = "undecodable",
        /// It sends something else than video of a kind the box decodes.
        Unsupported = "unsupported",
        /// It sends what no camera may: pictures too large or too many, answers without end.
        Excessive = "excessive",
        /// It ended the video, or the connection broke.
        Ended = "ended",
        /// What it sends ended the process that takes it apart, or had it say what makes no sense.
        Crashes = "crashes",
        /// The box cannot ask it: a file cannot be read, a process does not start.
        BoxFailed = "box_failed",
        /// Something is held or sprayed over the lens.
        Covered = "covered",
        /// Out of focus, or dirt on the lens.
        Blurred = "blurred",
        /// It looks somewhere else than it did.
        Moved = "moved",
        /// The same picture again and again.
        Frozen = "frozen",
    }
}

/// One sensor as its edge sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SensorHealth {
    /// The sensor.
    pub sensor: SensorId,
    /// What people call it, e.g. `北围栏三段`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it senses.
    pub input: InputKind,
    /// What it says.
    pub state: SensorState,
    /// What it was ill with when this was measured, and why; the gravest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<SensorIllness>,
    /// Time of its last sign of life, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_seen: Option<Timestamp>,
    /// Readings since the daemon started.
    pub readings: u64,
    /// Readings that failed, or made no sense, since the daemon started.
    pub errors: u64,
}

/// What a sensor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SensorState {
    /// Nothing yet.
    Unknown,
    /// At rest.
    Rest,
    /// Tripped.
    Tripped,
}

/// What a sensor is ill with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorIllness {
    /// In what way.
    pub fault: SensorFaultKind,
    /// What was seen, in words for a technician; never a secret.
    pub detail: String,
}

/// The detector as measured since the last report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InferenceHealth {
    /// Name in the model's manifest.
    pub model: String,
    /// Mean time of one run, milliseconds; none when nothing ran.
    #[serde(default, deserialize_with = "finite_or_none", skip_serializing_if = "Option::is_none")]
    pub mean_ms: Option<f32>,
    /// Runs that gave an error since the daemon started.
    pub failures: u64,
    /// The frames of at least one camera cannot be looked at, again and again.
    #[serde(default)]
    pub failing: bool,
    /// Share of the time the detectors were at work, 0 to 1. Near 1 the box has more to look at than it can.
    #[serde(default, deserialize_with = "finite_or_none", skip_serializing_if = "Option::is_none")]
    pub load: Option<f32>,
    /// How many frames are looked at side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Is the model's file still the one that was loaded?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_file: Option<ModelFile>,
}

/// What became of the model's file since it was loaded. Detection goes on with what was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelFile {
    /// Nothing.
    AsLoaded,
    /// It is another one, which only a restart loads.
    Replaced,
    /// It cannot be read, so a restart would be refused.
    Missing,
}

/// Online or offline, retained on [`crate::Topic::Presence`]; the offline one is the MQTT last will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presence {
    /// The box.
    pub edge: EdgeId,
    /// The start of the daemon that speaks.
    pub boot: BootId,
    /// Is it connected?
    pub state: PresenceState,
}

/// Is a box connected?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Connected to the broker.
    Online,
    /// Said goodbye, or the broker lost it.
    Offline,
}
