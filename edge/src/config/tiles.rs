//! Into how many tiles a wide picture is cut, so that the detector sees small people larger.

use schemars::JsonSchema;
use serde::Deserialize;

/// Tiles of one camera's picture. Besides the whole picture the detector looks at each tile: with 2 × 1 a look
/// takes three times as long.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tiles {
    /// Beside each other, 1 to 8.
    pub columns: TileCount,
    /// Above each other, 1 to 8.
    pub rows: TileCount,
    /// Share of a tile that the next one shows too, 0 to 0.5: wider than a person, so that nobody is only ever
    /// seen cut in two.
    pub overlap: TileOverlap,
}

impl Tiles {
    /// How many there are; 1 is the whole picture and nothing else.
    pub const fn count(&self) -> u32 {
        self.columns.0 * self.rows.0
    }
}

impl Default for Tiles {
    fn default() -> Self {
        Self { columns: TileCount(1), rows: TileCount(1), overlap: TileOverlap(0.15) }
    }
}

/// A number of tiles in a row, 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u32")]
#[schemars(inline, extend("minimum" = 1, "maximum" = 8))]
pub struct TileCount(u32);

impl TileCount {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for TileCount {
    type Error = String;
    fn try_from(count: u32) -> Result<Self, String> {
        if (1..=8).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} tiles are not possible: 1 to 8"))
        }
    }
}

/// A share of a tile, 0 to 0.5.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f32")]
#[schemars(inline, extend("minimum" = 0.0, "maximum" = 0.5))]
pub struct TileOverlap(f32);

impl TileOverlap {
    /// The share.
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl TryFrom<f32> for TileOverlap {
    type Error = String;
    fn try_from(share: f32) -> Result<Self, String> {
        if (0.0..=0.5).contains(&share) {
            Ok(Self(share))
        } else {
            Err(format!("an overlap of {share} is not possible: 0 to 0.5 of a tile"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_picture_unless_written_and_nonsense_is_refused() {
        let tiles = |text: &str| toml::from_str::<Tiles>(text);
        assert_eq!(tiles("").unwrap().count(), 1);
        assert_eq!(tiles("columns = 3\nrows = 2").unwrap().count(), 6);
        let refused = |text: &str| tiles(text).unwrap_err().to_string();
        assert!(refused("columns = 0").contains("1 to 8"));
        assert!(refused("rows = 9").contains("1 to 8"));
        assert!(refused("overlap = 0.6").contains("0 to 0.5"));
        assert!(refused("overlap = nan").contains("0 to 0.5"));
        assert!(refused("cols = 2").contains("unknown field"));
    }
}
