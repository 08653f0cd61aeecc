//! How much may wait for the hub.

use schemars::JsonSchema;
use serde::Deserialize;

const MIB: u64 = 1024 * 1024;

/// The events that wait while the hub cannot be reached.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// Disk the waiting events may take, in MiB, 64 to 1048576. Beyond it the least severe go first, of those the oldest,
    /// and an event says which. Pictures are bounded by `disk_reserve_mib` instead.
    pub max_mib: OutboxLimit,
}

/// Disk for waiting events, 64 MiB to 1 TiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(extend("minimum" = 64, "maximum" = 1_048_576))]
pub struct OutboxLimit(u64);

impl OutboxLimit {
    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0 * MIB
    }
}

/// A small share of the smallest disk that clips make sense on.
impl Default for OutboxLimit {
    fn default() -> Self {
        Self(4096)
    }
}

impl TryFrom<u64> for OutboxLimit {
    type Error = String;
    fn try_from(mib: u64) -> Result<Self, String> {
        if (64..=1_048_576).contains(&mib) {
            Ok(Self(mib))
        } else {
            Err(format!("{mib} MiB are not possible: 64 to 1048576"))
        }
    }
}

impl std::fmt::Display for OutboxLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} MiB", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_and_too_much_are_refused() {
        let outbox = |text: &str| toml::from_str::<Outbox>(text).map_err(|error| error.to_string());
        assert_eq!(outbox("max_mib = 64").unwrap().max_mib.bytes(), 64 << 20);
        assert_eq!(outbox("").unwrap().max_mib, OutboxLimit::default());
        assert!(outbox("max_mib = 63").unwrap_err().contains("64 to 1048576"));
        assert!(outbox("max_mb = 64").unwrap_err().contains("unknown field"));
    }
}
