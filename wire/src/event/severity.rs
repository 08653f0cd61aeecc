//! How grave an event is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 1 is the gravest, 4 the least: the order of GB/T 28181-2022 `AlarmPriority` (A.2.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Severity(u8);

impl Severity {
    /// Somebody may be in danger now.
    pub const CRITICAL: Self = Self(1);
    /// Look at once.
    pub const HIGH: Self = Self(2);
    /// Look soon.
    pub const MEDIUM: Self = Self(3);
    /// For the record.
    pub const LOW: Self = Self(4);

    /// 1 to 4.
    pub const fn level(self) -> u8 {
        self.0
    }
}

/// A severity outside 1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("severity {0} does not exist: 1 (gravest) to 4 (least)")]
pub struct SeverityError(u8);

impl TryFrom<u8> for Severity {
    type Error = SeverityError;
    fn try_from(level: u8) -> Result<Self, SeverityError> {
        if (1..=4).contains(&level) { Ok(Self(level)) } else { Err(SeverityError(level)) }
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> u8 {
        severity.0
    }
}

impl JsonSchema for Severity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Severity".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 4 })
    }
}
