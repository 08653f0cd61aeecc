//! What a place usually looks like: a mixture of Gaussians for each pixel (MOG2: Zivkovic, 2004), so that
//! foliage and flicker are several usual looks and noise at night is a wide one.

use std::time::Duration;

use opencv::core::{Mat, Ptr, set_num_threads};
use opencv::prelude::*;
use opencv::video::{BackgroundSubtractorMOG2, create_background_subtractor_mog2};

use super::{MotionError, Thumbnail};

/// Unused by the library as long as it is told how fast to learn.
const HISTORY: i32 = 500;
/// Squared distance from a usual look, in variances, that is unusual.
const THRESHOLD: f64 = 16.0;
/// Wide enough for the noise of a cheap sensor at night.
const MOST_VARIANCE: f64 = 400.0;
/// Learns nine tenths of a lasting change in 2.3 times this. What stands still is usual after a tenth of it.
const MEMORY: Duration = Duration::from_secs(60);
const FASTEST: f64 = 0.5;

/// The usual look of a camera's picture.
pub(super) struct Background {
    model: Ptr<BackgroundSubtractorMOG2>,
    last: Option<Duration>,
    /// Frames since it knew nothing.
    frames: u32,
}

impl Background {
    pub(super) fn new() -> Result<Self, MotionError> {
        // The other cores belong to decoding and to the detector.
        set_num_threads(1)?;
        let mut model = create_background_subtractor_mog2(HISTORY, THRESHOLD, false)?;
        model.set_var_max(MOST_VARIANCE)?;
        Ok(Self { model, last: None, frames: 0 })
    }

    /// Which pixels are unusual (255); then learns from the picture, by the time that passed.
    pub(super) fn see(&mut self, picture: &Thumbnail, at: Duration) -> Result<Mat, MotionError> {
        let step = self.last.map_or(Duration::ZERO, |last| at.saturating_sub(last));
        self.last = Some(at);
        self.frames = self.frames.saturating_add(1);
        let by_time = 1.0 - (-step.as_secs_f64() / MEMORY.as_secs_f64()).exp();
        // In the beginning each frame is a large part of all that is known.
        let by_count = 0.5 / f64::from(self.frames);
        self.apply(picture, by_time.max(by_count).min(FASTEST))
    }

    /// Forgets all but this picture.
    pub(super) fn restart(&mut self, picture: &Thumbnail) -> Result<(), MotionError> {
        self.frames = 1;
        self.apply(picture, 1.0).map(drop)
    }

    fn apply(&mut self, picture: &Thumbnail, rate: f64) -> Result<Mat, MotionError> {
        let mut unusual = Mat::default();
        let picture =
            Mat::new_rows_cols_with_data(picture.height() as i32, picture.width() as i32, picture.pixels())?;
        BackgroundSubtractorMOG2Trait::apply(&mut self.model, &picture, &mut unusual, rate)?;
        Ok(unusual)
    }
}
