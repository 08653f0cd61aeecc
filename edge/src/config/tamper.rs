//! Which ways of failing to show its scene a camera is watched for.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Seconds;

/// The tamper watch of one camera. How each kind is told is described in `docs/TAMPER.md`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tamper {
    /// Something is held or sprayed over the lens.
    pub covered: bool,
    /// Out of focus, or dirt on the lens.
    pub blurred: bool,
    /// It looks somewhere else than it did. To be switched off for a camera that turns by itself.
    pub moved: bool,
    /// The very same picture again and again.
    pub frozen: bool,
    /// Seconds it lasts before it is an alarm, and seconds all is well before the alarm ends, 1 to 600.
    pub after_s: Seconds<1, 600>,
    /// Seconds of the very same picture before it counts as frozen, 5 to 3600.
    pub frozen_after_s: Seconds<5, 3600>,
    /// Seconds after which a new view is the one to compare with, and the alarm ends: 30 to 86400.
    pub moved_relearn_s: Seconds<30, 86400>,
}

impl Default for Tamper {
    fn default() -> Self {
        Self {
            covered: true,
            blurred: true,
            moved: true,
            frozen: true,
            after_s: Seconds::constant::<5>(),
            frozen_after_s: Seconds::constant::<30>(),
            moved_relearn_s: Seconds::constant::<600>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_watched_unless_switched_off() {
        let tamper: Tamper = toml::from_str("moved = false").unwrap();
        assert!(tamper.covered && tamper.blurred && tamper.frozen && !tamper.moved);
        let refused = |text: &str| toml::from_str::<Tamper>(text).unwrap_err().to_string();
        assert!(refused("after_s = 0").contains("1 to 600"));
        assert!(refused("frozen = 3").contains("boolean"));
    }
}
