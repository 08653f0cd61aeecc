//! Spans of whole milliseconds that must lie within bounds.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// Whole milliseconds, no fewer than `LEAST` and no more than `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(inline, extend("minimum" = LEAST, "maximum" = MOST))]
pub struct Millis<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Millis<LEAST, MOST> {
    /// So many milliseconds; bounds are checked when the program is compiled.
    pub(super) const fn constant<const COUNT: u64>() -> Self {
        const { assert!(LEAST <= COUNT && COUNT <= MOST) };
        Self(COUNT)
    }

    /// As a span of time.
    pub const fn span(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl<const LEAST: u64, const MOST: u64> TryFrom<u64> for Millis<LEAST, MOST> {
    type Error = String;
    fn try_from(count: u64) -> Result<Self, String> {
        if (LEAST..=MOST).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} milliseconds are not possible: {LEAST} to {MOST}"))
        }
    }
}
