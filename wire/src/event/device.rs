//! What is ill in a box.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alarm, Extra};

/// The box itself is ill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceFault {
    /// Which alarm.
    pub alarm: Alarm,
    /// What is ill.
    pub fault: FaultKind,
    /// What was seen, in words for a technician; never a secret.
    pub detail: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// What is ill in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The detector gives errors instead of detections: the cameras are blind.
    InferenceFailed,
    /// Less disk is free than the configured reserve.
    DiskLow,
    /// The disk does not hold clips for as long as configured.
    RetentionShort,
    /// The model's file is not the one that was loaded any more: the next restart changes what is detected, or
    /// is refused.
    ModelReplaced,
    /// A part of what waited for the hub could not be read any more.
    OutboxDamaged,
    /// More waited for the hub than may, so events were deleted undelivered; the detail says which.
    EventsDropped,
}

impl FaultKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InferenceFailed => "inference_failed",
            Self::DiskLow => "disk_low",
            Self::RetentionShort => "retention_short",
            Self::ModelReplaced => "model_replaced",
            Self::OutboxDamaged => "outbox_damaged",
            Self::EventsDropped => "events_dropped",
        }
    }
}
