//! How far an incident got.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far an incident got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody has looked yet.
    Reported,
    /// Somebody has looked, and it is real.
    Triaged,
    /// Somebody is to handle it.
    Assigned,
    /// They will.
    Accepted,
    /// They are at it.
    Handling,
    /// They say that it is done.
    FedBack,
    /// Somebody else has seen that it is.
    Verified,
    /// Over.
    Closed,
    /// Over, and looked back at.
    Evaluated,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Self; 9] = [
        Self::Reported,
        Self::Triaged,
        Self::Assigned,
        Self::Accepted,
        Self::Handling,
        Self::FedBack,
        Self::Verified,
        Self::Closed,
        Self::Evaluated,
    ];

    /// Is there something left to do about it?
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Evaluated)
    }
}
