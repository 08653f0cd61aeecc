//! The detector, and how much of the box it may use.

use std::num::NonZero;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The detector.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The model's manifest; another model is another manifest.
    pub manifest: PathBuf,
    /// ONNX Runtime's shared library.
    pub runtime: PathBuf,
    /// Threads of one run.
    #[serde(default = "default_threads")]
    pub threads: Threads,
    /// How many frames are looked at side by side, each by a detector of its own with `threads` threads. Unless
    /// given there is one for every `threads` cores, and no more than cameras. Each costs memory of its own.
    pub workers: Option<Workers>,
}

impl Model {
    /// How many detectors a box with so many cores and cameras works with.
    pub fn workers(&self, cores: NonZero<usize>, cameras: usize) -> Workers {
        self.workers
            .unwrap_or_else(|| Workers((cores.get() / self.threads.0).min(cameras).clamp(1, Workers::MOST)))
    }
}

/// A number of detectors, 1 to 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "usize")]
#[schemars(extend("minimum" = 1, "maximum" = 16))]
pub struct Workers(usize);

impl Workers {
    const MOST: usize = 16;

    /// The number.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for Workers {
    type Error = String;
    fn try_from(count: usize) -> Result<Self, String> {
        if (1..=Self::MOST).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} detectors are not possible: 1 to {}", Self::MOST))
        }
    }
}

/// A number of threads, 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "usize")]
#[schemars(extend("minimum" = 1, "maximum" = 64))]
pub struct Threads(usize);

impl Threads {
    /// One thread.
    pub const ONE: Self = Self(1);

    /// The number.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for Threads {
    type Error = String;
    fn try_from(count: usize) -> Result<Self, String> {
        if (1..=64).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} threads are not possible: 1 to 64"))
        }
    }
}

fn default_threads() -> Threads {
    Threads::ONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_for_every_core_but_not_for_more_cameras_than_there_are() {
        let workers = |keys: &str, cores, cameras| {
            let model: Model = toml::from_str(&format!("manifest = \"m\"\nruntime = \"r\"\n{keys}")).unwrap();
            model.workers(NonZero::new(cores).unwrap(), cameras).get()
        };
        assert_eq!(workers("", 2, 40), 2);
        assert_eq!(workers("", 8, 3), 3);
        assert_eq!(workers("threads = 4", 8, 40), 2);
        assert_eq!(workers("threads = 4", 2, 40), 1);
        assert_eq!(workers("", 128, 200), 16);
        assert_eq!(workers("workers = 5", 2, 1), 5);
        let refused = toml::from_str::<Model>("manifest = \"m\"\nruntime = \"r\"\nworkers = 0").unwrap_err();
        assert!(refused.to_string().contains("1 to 16"), "{refused}");
    }
}
