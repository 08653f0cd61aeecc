//! Frames of what a ring held: decoded once more, in order, as fast as they are asked for.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use gstreamer as gst;

use super::Frame;
use super::decode::KeptDecoder;
use super::encoded::Encoded;
use super::pipeline::PipelineError;
use super::ring::Cut;
use crate::clock::Clock;

/// Kept pictures cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A plugin is missing.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The decoder gives neither pictures nor a reason.
    #[error("the decoder gave no picture for {} s", PATIENCE.as_secs())]
    Hangs,
}

/// Longer than any decoder takes for a picture, on a machine that has other work.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_FOR_ERRORS_EVERY: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// A bus that is asked without any patience was seen to hold its message back.
const A_MOMENT: gst::ClockTime = gst::ClockTime::from_mseconds(1);

/// Frames of a cut.
pub struct Replay<'c> {
    clock: &'c Clock,
    /// Each of one format: a camera may change its picture's size, or be another one after it was away.
    parts: VecDeque<Vec<Encoded>>,
    decoder: Option<KeptDecoder>,
    last: Duration,
}

impl<'c> Replay<'c> {
    /// Frames get their times as live ones do.
    pub fn of(cut: &Cut, clock: &'c Clock) -> Self {
        // Between key frames a parser may learn more about one and the same format.
        let goes_on = |a: &Encoded, b: &Encoded| !b.key || a.caps == b.caps;
        let parts = cut.units.chunk_by(goes_on).map(<[Encoded]>::to_vec).collect();
        Self { clock, parts, decoder: None, last: Duration::ZERO }
    }

    /// The next frame; none after the last. What is damaged is left out.
    ///
    /// # Errors
    /// [`ReplayError`]; then there is nothing more to be had.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ReplayError> {
        loop {
            let Some(decoder) = &self.decoder else {
                let Some(part) = self.parts.pop_front() else { return Ok(None) };
                self.decoder = Some(KeptDecoder::start(&part)?);
                continue;
            };
            let Some(sample) = next_sample(decoder)? else {
                self.decoder = None;
                continue;
            };
            // Pictures that were sent in another order than they are shown came in another order too.
            let came = sample.buffer().and_then(|buffer| buffer.pts()).map(Duration::from);
            self.last = came.map_or(self.last, |came| came.max(self.last));
            if let Some(frame) = Frame::new(&sample, self.last, self.clock.utc(self.last)) {
                return Ok(Some(frame));
            }
        }
    }
}

/// The next picture of a part; none at its end, or where the decoder cannot go on.
fn next_sample(decoder: &KeptDecoder) -> Result<Option<gst::Sample>, ReplayError> {
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        if let Some(sample) = decoder.pull(LOOK_FOR_ERRORS_EVERY) {
            return Ok(Some(sample));
        }
        let Some(message) = decoder.wait(A_MOMENT) else { continue };
        if let gst::MessageView::Error(error) = message.view() {
            tracing::debug!("a part of a clip cannot be decoded: {}", error.error());
        }
        return Ok(None);
    }
    Err(ReplayError::Hangs)
}
