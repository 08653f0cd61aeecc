//! A site's plan: a picture of the place, and which cameras, zones and sensors are where on it. It shows places and devices; of people
//! and their ways there is nothing on it.
//!
//! The [picture](Picture) is kept in the database, not as a file like evidence. There is one of at most 8 MiB per site, so the database
//! stays small; it comes and goes in one transaction with what is placed on it and with its site, every hub at the database has the same
//! one, and whatever backs the database up takes it along.
//!
//! Both are drawn by people, sometimes by two at once: every change names the [version](PlanVersion) it was decided on.

mod picture;
mod placement;

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use picture::{MAX_PICTURE_BYTES, MAX_SIDE_PX, Picture, PictureError, PictureKind, PictureSize, Sha256};
pub use placement::{
    Degrees, Fraction, MAX_PLACED, MAX_PLAN_BYTES, Outline, PlacedCamera, PlacedSensor, PlacedZone,
    Placements, Point, View, ZoneLabel, ZoneSource,
};

use crate::access::{SiteId, SiteLabel};

/// The number of a plan's last change. It is never given twice, not even to another plan of the site. 0: there is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct PlanVersion(i64);

impl PlanVersion {
    /// Before there is a plan.
    pub const NONE: Self = Self(0);

    /// As a number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for PlanVersion {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, &'static str> {
        if number < 0 { Err("a version is 0 or more") } else { Ok(Self(number)) }
    }
}

/// What is told of a plan's picture; the picture itself is asked for apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlanPicture)]
pub struct PictureAbout {
    /// What kind it is, told by its bytes.
    pub kind: PictureKind,
    /// As its header has it. A photo that its header turns is shown turned.
    #[serde(flatten)]
    pub size: PictureSize,
    /// Bytes.
    #[schema(example = 48213)]
    pub bytes: u64,
    /// SHA-256 of its bytes, lower-case hex.
    #[schema(
        value_type = String, example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: Sha256,
}

/// A site's plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SitePlan, example = json!({
    "site": "school-3", "label": "第三小学", "version": 4211, "changed": "2026-01-31T08:30:00Z",
    "picture": { "kind": "png", "width_px": 1600, "height_px": 1000, "bytes": 48213,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" },
    "placed": {
        "cameras": [{ "edge": "gate-1", "camera": "east-gate", "at": { "x": 0.82, "y": 0.4 },
            "view": { "direction_deg": 270, "angle_deg": 80 } }],
        "zones": [{ "label": "草坪", "outline": [{ "x": 0.5, "y": 0.3 }, { "x": 0.7, "y": 0.3 }, { "x": 0.6, "y": 0.6 }],
            "shows": { "edge": "gate-1", "camera": "east-gate", "zone": "lawn" } }],
        "sensors": [{ "edge": "gate-1", "sensor": "fence-3", "at": { "x": 0.1, "y": 0.05 } }]
    }
}))]
pub struct Plan {
    /// Whose it is.
    #[schema(value_type = String, format = "name")]
    pub site: SiteId,
    /// What people call the site.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 100)]
    pub label: SiteLabel,
    /// Say it when changing the plan: who changed it since is not overwritten.
    #[schema(value_type = i64, minimum = 1)]
    pub version: PlanVersion,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub changed: Timestamp,
    /// Its picture.
    pub picture: PictureAbout,
    /// What is on it.
    pub placed: Placements,
}
