//! A camera: where it is, how it is watched, and what is drawn across its picture.

use std::path::PathBuf;
use std::time::Duration;

use gatepost_wire::{CameraId, ZoneId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CameraUrl, Label, Line, Motion, Polygon, Rule, Tamper, Tiles};
use crate::privacy::Masks;

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

fn default_clips() -> bool {
    true
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
