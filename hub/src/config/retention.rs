//! How long what is kept.

use schemars::JsonSchema;
use serde::Deserialize;

/// How long what is kept.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kept {
    /// Pictures and clips are deleted so many days after they came, 1 to 3650. Released originals end when their command
    /// says.
    #[serde(rename = "evidence_days")]
    #[schemars(with = "u16", range(min = 1, max = 3650))]
    pub evidence: EvidenceDays,
    /// What people attached to an incident is deleted so many days after the incident was closed, 1 to 3650; what is attached to a closed
    /// one so many days after that. While the incident is open it stays.
    #[serde(rename = "attachment_days")]
    #[schemars(with = "u16", range(min = 1, max = 3650))]
    pub attachments: AttachmentDays,
    /// Alarms, events, closed incidents with their timelines, the viewing register, commands and the access log are deleted so many days
    /// after they ended, 180 to 3650. An incident that is open or has attachments and an alarm whose evidence is kept stay.
    #[serde(rename = "record_days")]
    #[schemars(with = "u16", range(min = 180, max = 3650))]
    pub records: RecordDays,
    /// How boxes fared, for the plots of the page, is deleted after so many days, 1 to 400: temperature, disk, frames, and when they
    /// came and went.
    #[serde(rename = "health_days")]
    #[schemars(with = "u16", range(min = 1, max = 400))]
    pub health: HealthDays,
}

/// How long evidence is kept.
pub type EvidenceDays = Days<1, 30, 3650>;

/// How long attachments are kept.
pub type AttachmentDays = Days<1, 30, 3650>;

/// How long records are kept.
pub type RecordDays = Days<180, 365, 3650>;

/// How long is kept how boxes fared.
pub type HealthDays = Days<1, 30, 400>;

/// Days: `LEAST` to `MOST`; `USUAL` unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Days<const LEAST: u16, const USUAL: u16, const MOST: u16>(u16);

impl<const LEAST: u16, const USUAL: u16, const MOST: u16> Days<LEAST, USUAL, MOST> {
    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<const LEAST: u16, const USUAL: u16, const MOST: u16> Default for Days<LEAST, USUAL, MOST> {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<const LEAST: u16, const USUAL: u16, const MOST: u16> TryFrom<u16> for Days<LEAST, USUAL, MOST> {
    type Error = String;

    fn try_from(days: u16) -> Result<Self, String> {
        if (LEAST..=MOST).contains(&days) {
            Ok(Self(days))
        } else {
            Err(format!("a number of days from {LEAST} to {MOST} is needed"))
        }
    }
}
