//! A clip in a file: every frame, in order, as fast as it is asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_wire::Timestamp;
use gstreamer as gst;

use super::Frame;
use super::decode::FileDecoder;
use super::fault::explain;
use super::pipeline::PipelineError;

/// Why a clip cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// No such file, or it may not be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A plugin is missing.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// No video, or damaged; the text names the file.
    #[error("{0}")]
    Decode(String),
}

/// A bus that is asked without any patience was seen to hold its message back.
const A_MOMENT: gst::ClockTime = gst::ClockTime::from_mseconds(1);
const LOOK_FOR_ERRORS_EVERY: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// Frames of a clip.
pub struct Clip {
    decoder: FileDecoder,
    name: String,
    began: Timestamp,
    frames: u64,
    ended: bool,
}

impl Clip {
    /// Opens a clip; its frames get `began` plus their place in the clip as their time.
    ///
    /// # Errors
    /// [`ClipError`] names the file.
    pub fn open(file: &Path, began: Timestamp) -> Result<Self, ClipError> {
        std::fs::File::open(file)
            .map_err(|source| ClipError::Unreadable { file: file.to_owned(), source })?;
        let name = file.display().to_string();
        if file.is_dir() {
            return Err(ClipError::Decode(format!("{name}: this is a folder; a clip is needed")));
        }
        let decoder = FileDecoder::start(file)?;
        Ok(Self { decoder, name, began, frames: 0, ended: false })
    }

    /// The next frame; none after the last.
    ///
    /// # Errors
    /// [`ClipError::Decode`] when the file is no video or damaged.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ClipError> {
        let sample = loop {
            if self.ended {
                return Ok(None);
            }
            // An error does not wake whoever waits for a frame.
            match self.decoder.pull(LOOK_FOR_ERRORS_EVERY) {
                Some(sample) => break sample,
                None => self.look_for_end()?,
            }
        };
        let at = sample
            .buffer()
            .and_then(|buffer| buffer.pts())
            .map_or(Duration::ZERO, |pts| Duration::from_nanos(pts.nseconds()));
        self.frames += 1;
        Frame::new(&sample, at, self.began + at)
            .map(Some)
            .ok_or_else(|| ClipError::Decode(format!("{}: a frame has no format", self.name)))
    }

    fn look_for_end(&mut self) -> Result<(), ClipError> {
        let Some(message) = self.decoder.wait(A_MOMENT) else { return Ok(()) };
        self.ended = true;
        match message.view() {
            gst::MessageView::Error(error) => Err(ClipError::Decode(explain(error).at(&self.name).reason)),
            _ if self.frames == 0 => {
                Err(ClipError::Decode(format!("{}: there is no video in it", self.name)))
            }
            _ => Ok(()),
        }
    }
}
