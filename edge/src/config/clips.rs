//! Clips and originals: how long, how many, for whom.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Seconds;
use crate::clip::{RING_SPARE, SETTLES, Span};
use crate::original::Recipient;
use crate::source::RingLimits;

/// Clips of alarms.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clips {
    /// Are clips made at all?
    pub enabled: bool,
    /// Seconds before an alarm that are in its clip, 1 to 20.
    pub before_s: Seconds<1, 20>,
    /// Seconds after it, 1 to 20.
    pub after_s: Seconds<1, 20>,
    /// Pixels across, 160 to 1280; never more than the camera gives.
    pub width: ClipWidth,
    /// MiB of memory for each camera's last seconds, 1 to 256. If it is too little for what the camera sends, clips begin
    /// later.
    pub memory_mib: MemoryMib,
    /// Days clips stay on the box, 1 to 365, where the disk allows.
    pub keep_days: KeepDays,
    /// Share of the whole disk clips may take, 1 to 90.
    pub disk_percent: DiskPercent,
}

impl Default for Clips {
    fn default() -> Self {
        Self {
            enabled: true,
            before_s: Seconds::constant::<5>(),
            after_s: Seconds::constant::<10>(),
            width: Within(640),
            memory_mib: Within(16),
            keep_days: Within(30),
            disk_percent: Within(40),
        }
    }
}

impl Clips {
    /// The time around an alarm.
    pub fn span(&self) -> Span {
        Span { before: self.before_s.span(), after: self.after_s.span() }
    }

    /// How long clips are wanted.
    pub fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days.get() * 24 * 3600)
    }

    /// What each camera's ring holds; nothing where there are no clips.
    pub fn ring(&self) -> RingLimits {
        RingLimits {
            span: self.span().longest() + SETTLES + RING_SPARE,
            bytes: if self.enabled { self.memory_mib.get() as usize * MIB } else { 0 },
        }
    }
}

const MIB: usize = 1024 * 1024;

/// Clips with nobody covered. None are kept unless keys are given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Originals {
    /// Public keys of age (`age1…`) for which originals are encrypted; any one of them opens all. The secret keys belong to people,
    /// never on a box.
    pub recipients: Vec<Recipient>,
}

/// Pixels across.
pub type ClipWidth = Within<160, 1280>;
/// MiB of memory.
pub type MemoryMib = Within<1, 256>;
/// Days.
pub type KeepDays = Within<1, 365>;
/// Per cent of a disk.
pub type DiskPercent = Within<1, 90>;

/// A whole number, no less than `LEAST` and no more than `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(inline, extend("minimum" = LEAST, "maximum" = MOST))]
pub struct Within<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Within<LEAST, MOST> {
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<const LEAST: u64, const MOST: u64> TryFrom<u64> for Within<LEAST, MOST> {
    type Error = String;
    fn try_from(number: u64) -> Result<Self, String> {
        if (LEAST..=MOST).contains(&number) {
            Ok(Self(number))
        } else {
            Err(format!("{number} is not possible: {LEAST} to {MOST}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_and_a_ring_holds_the_longest_clip() {
        let clips: Clips = toml::from_str("before_s = 3\nafter_s = 4").unwrap();
        assert_eq!(clips.ring().span.as_secs(), 2 * (3 + 4) + 2 + 5);
        assert_eq!(clips.ring().bytes, 16 << 20);
        let off: Clips = toml::from_str("enabled = false").unwrap();
        assert_eq!(off.ring().bytes, 0);
        let refused = |text: &str| toml::from_str::<Clips>(text).unwrap_err().to_string();
        assert!(refused("width = 4000").contains("160 to 1280"));
        assert!(refused("keep_days = 0").contains("1 to 365"));
        assert!(refused("keep = 3").contains("unknown field"));
    }
}
