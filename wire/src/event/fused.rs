//! How alarms of one happening belong together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AlarmId, RuleId};

/// An alarm that was graded together with others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fused {
    /// The fusion rule of the box.
    pub rule: RuleId,
    /// The others.
    #[serde(flatten)]
    pub link: FusedLink,
}

/// Which alarm tells of a happening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FusedLink {
    /// This one, and it is as grave as they are together. These are its parts as far as known; others name it themselves.
    Parts(Vec<AlarmId>),
    /// That one. This is there for the record.
    PartOf(AlarmId),
}
