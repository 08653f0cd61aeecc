//! Tells people when the model's file is not the one that was loaded any more.

use std::sync::Arc;

use gatepost_wire::event::FaultKind;
use gatepost_wire::health::ModelFile;

use crate::clock::Clock;
use crate::detect::{ModelState, ModelWatch};
use crate::event::{Observation, Reporter};
use crate::health::InferenceGauge;

/// Watches the model's file for the daemon.
pub(super) struct ModelFileWatch {
    watch: ModelWatch,
    gauge: Arc<InferenceGauge>,
    reporter: Reporter,
}

impl ModelFileWatch {
    pub(super) fn new(watch: ModelWatch, gauge: Arc<InferenceGauge>, reporter: Reporter) -> Self {
        gauge.model_file_is(ModelFile::AsLoaded);
        Self { watch, gauge, reporter }
    }

    /// Looks at it, for which it may be read; true when it became another.
    pub(super) fn look(&mut self, clock: &Clock) -> bool {
        let Some(state) = tokio::task::block_in_place(|| self.watch.look()) else { return false };
        let (file, detail) = match state {
            ModelState::AsLoaded => (ModelFile::AsLoaded, None),
            ModelState::Replaced { .. } => (ModelFile::Replaced, Some(state.to_string())),
            ModelState::Missing { .. } => (ModelFile::Missing, Some(state.to_string())),
        };
        match &detail {
            Some(detail) => tracing::warn!("{detail}"),
            None => tracing::info!("{state}"),
        }
        self.gauge.model_file_is(file);
        let (_, time) = clock.now();
        let observation = Observation::Device { fault: FaultKind::ModelReplaced, time, detail };
        // Reporting may wait for a slow disk, and the caller must not.
        let reporter = self.reporter.clone();
        tokio::task::spawn_blocking(move || reporter.report(observation));
        true
    }
}
