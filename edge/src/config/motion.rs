//! How a camera's picture is watched for motion, so that the detector is spared while nothing moves.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Polygon, Seconds};

/// The motion gate of one camera.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Motion {
    /// Spare the detector while nothing moves. Without it every frame goes through the detector.
    pub gate: bool,
    /// Seconds after which the detector looks even if nothing moved, 1 to 60.
    pub full_look_s: Seconds<1, 60>,
    /// Smallest thing that counts as moving, as a share of the picture's area: 0.0001 to 0.5.
    pub min_area: AreaShare,
    /// Where motion does not count: a flag, a road behind the fence, a clock the camera draws.
    pub ignore: Vec<Ignore>,
}

impl Default for Motion {
    fn default() -> Self {
        Self {
            gate: true,
            full_look_s: Seconds::constant::<5>(),
            min_area: AreaShare(0.0005),
            ignore: Vec::new(),
        }
    }
}

/// A part of the picture whose motion does not count.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Its corners in order, as fractions of the picture's width and height.
    pub polygon: Polygon,
}

/// A share of the picture's area, 0.0001 to 0.5.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f32")]
#[schemars(inline, extend("minimum" = 0.0001, "maximum" = 0.5))]
pub struct AreaShare(f32);

impl AreaShare {
    /// The share.
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl TryFrom<f32> for AreaShare {
    type Error = String;
    fn try_from(share: f32) -> Result<Self, String> {
        if (0.0001..=0.5).contains(&share) {
            Ok(Self(share))
        } else {
            Err(format!("{share} of the picture is not possible: 0.0001 to 0.5"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_has_a_default_and_nonsense_is_refused() {
        let motion: Motion = toml::from_str("").unwrap();
        assert!(motion.gate && motion.ignore.is_empty());
        assert_eq!(motion.full_look_s.span().as_secs(), 5);
        let refused = |text: &str| toml::from_str::<Motion>(text).unwrap_err().to_string();
        assert!(refused("full_look_s = 0").contains("1 to 60"));
        assert!(refused("full_look_s = 61").contains("1 to 60"));
        assert!(refused("min_area = 0.0").contains("0.0001 to 0.5"));
        assert!(refused("min_area = nan").contains("0.0001 to 0.5"));
        assert!(refused("[[ignore]]\npolygon = [[0.1, 0.1], [0.2, 0.2]]").contains("at least 3 corners"));
    }
}
