//! Supervised inputs: a line with resistors at its end, measured by an analogue-to-digital converter. What is measured
//! tells rest and alarm apart, and a cut and a bridged line from both.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Millis;

/// A supervised input at a channel of a converter.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "AdcKeys")]
#[schemars(with = "AdcKeys")]
pub struct AdcPoint {
    /// The file a reading is read from.
    pub file: PathBuf,
    /// What a reading is multiplied with.
    pub scale: f64,
    /// Its unit after that.
    pub unit: String,
    /// From one reading to the next.
    pub poll_ms: Millis<5, 60_000>,
    /// What readings mean; none overlaps another.
    pub bands: Vec<AdcBand>,
}

/// Readings that mean something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdcBand {
    /// What they mean.
    pub is: LineState,
    /// The least of them.
    pub least: f64,
    /// The most of them.
    pub most: f64,
}

/// How a supervised line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// At rest.
    Normal,
    /// Tripped.
    Alarm,
    /// Cut.
    Open,
    /// Bridged.
    Short,
}

impl LineState {
    const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Alarm => "alarm",
            Self::Open => "open",
            Self::Short => "short",
        }
    }
}

impl AdcPoint {
    /// What a reading, after it is scaled, means; none between two bands, where it stays what it was.
    pub fn state(&self, value: f64) -> Option<LineState> {
        self.bands.iter().find(|band| (band.least..=band.most).contains(&value)).map(|band| band.is)
    }
}

/// A supervised input as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AdcKeys {
    /// The file a reading is read from, `/sys/bus/iio/devices/iio:device0/in_voltage0_raw`.
    file: PathBuf,
    /// What a reading is multiplied with.
    #[serde(default = "default_scale")]
    scale: f64,
    /// Its unit after that, e.g. `mV`.
    #[serde(default)]
    unit: String,
    /// Milliseconds from one reading to the next.
    #[serde(default = "default_poll")]
    poll_ms: Millis<5, 60_000>,
    /// What readings mean, after they are scaled. `normal` and `alarm` are needed; between two of them it stays what it was.
    bands: Vec<BandKeys>,
}

/// A band as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BandKeys {
    /// What it means.
    is: LineState,
    /// The least reading; without end unless given.
    at_least: Option<f64>,
    /// The greatest reading; without end unless given.
    at_most: Option<f64>,
}

impl TryFrom<AdcKeys> for AdcPoint {
    type Error = String;
    fn try_from(keys: AdcKeys) -> Result<Self, String> {
        let AdcKeys { file, scale, unit, poll_ms, bands } = keys;
        if !scale.is_finite() || scale == 0.0 {
            return Err("`scale` is a number, and not 0".into());
        }
        let band = |keys: &BandKeys| AdcBand {
            is: keys.is,
            least: keys.at_least.unwrap_or(f64::NEG_INFINITY),
            most: keys.at_most.unwrap_or(f64::INFINITY),
        };
        let bands: Vec<AdcBand> = bands.iter().map(band).collect();
        for (number, band) in bands.iter().enumerate() {
            if band.least.partial_cmp(&band.most).is_none_or(std::cmp::Ordering::is_gt) {
                return Err(format!(
                    "no reading can be {}: `at_least` is more than `at_most`",
                    band.is.name()
                ));
            }
            let overlaps = |other: &&AdcBand| other.least <= band.most && band.least <= other.most;
            if let Some(other) = bands.iter().take(number).find(overlaps) {
                return Err(format!("a reading cannot be both {} and {}", other.is.name(), band.is.name()));
            }
        }
        for needed in [LineState::Normal, LineState::Alarm] {
            if !bands.iter().any(|band| band.is == needed) {
                return Err(format!("which readings are {}? It needs a band", needed.name()));
            }
        }
        Ok(Self { file, scale, unit, poll_ms, bands })
    }
}

fn default_scale() -> f64 {
    1.0
}
fn default_poll() -> Millis<5, 60_000> {
    Millis::constant::<50>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(bands: &str) -> Result<AdcPoint, String> {
        toml::from_str(&format!("file = 'f'\nbands = [{bands}]")).map_err(|error| error.to_string())
    }

    #[test]
    fn each_reading_means_one_thing_or_nothing() {
        let good = "{ is = 'short', at_most = 300 }, { is = 'normal', at_least = 800, at_most = 1200 }, \
                    { is = 'alarm', at_least = 1500, at_most = 2000 }, { is = 'open', at_least = 3000 }";
        let point = point(good).unwrap();
        let states = [-5.0, 300.0, 500.0, 1000.0, 1500.0, 2500.0, 4095.0].map(|value| point.state(value));
        use LineState::{Alarm, Normal, Open, Short};
        assert_eq!(states, [Some(Short), Some(Short), None, Some(Normal), Some(Alarm), None, Some(Open)]);
    }

    #[test]
    fn bands_that_cannot_be_are_refused() {
        let normal = "{ is = 'normal', at_most = 10 }";
        for (bands, reason) in [
            (normal.to_owned(), "which readings are alarm"),
            (format!("{normal}, {{ is = 'alarm', at_least = 10 }}"), "both normal and alarm"),
            (format!("{normal}, {{ is = 'alarm', at_least = 30, at_most = 20 }}"), "no reading can be alarm"),
            (format!("{normal}, {{ is = 'alarm', at_least = nan }}"), "no reading can be alarm"),
            (format!("{normal}, {{ is = 'alarm' }}"), "both normal and alarm"),
        ] {
            assert!(point(&bands).unwrap_err().contains(reason), "{bands}");
        }
    }
}
