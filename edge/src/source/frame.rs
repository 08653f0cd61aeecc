//! One decoded picture and when it was received.

use std::time::Duration;

use gatepost_wire::Timestamp;
use gstreamer as gst;
use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::Readable;
use gstreamer_video::{VideoConverter, VideoFormat, VideoFrame, VideoInfo};

use crate::privacy::{MaskError, Masks};

/// A picture cannot be read or converted.
#[derive(Debug, thiserror::Error)]
#[error("a {width}x{height} picture cannot be read: {reason}")]
pub struct FrameError {
    width: u32,
    height: u32,
    reason: String,
}

/// A decoded picture in whatever format the decoder gives. Clones share the pixels.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Monotonic: since the daemon's start for a camera, since the beginning for a clip.
    pub at: Duration,
    /// When it was received, UTC.
    pub time: Timestamp,
    buffer: gst::Buffer,
    info: VideoInfo,
}

/// Pixels for a picture file: three bytes each, row by row without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbPicture {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}

impl Frame {
    pub(super) fn new(sample: &gst::Sample, at: Duration, time: Timestamp) -> Option<Self> {
        let info = VideoInfo::from_caps(sample.caps()?).ok()?;
        Some(Self { at, time, buffer: sample.buffer_owned()?, info })
    }

    #[cfg(test)]
    pub(crate) fn of_buffer(buffer: gst::Buffer, info: VideoInfo) -> Self {
        Self { at: Duration::ZERO, time: Timestamp::UNIX_EPOCH, buffer, info }
    }

    /// The same with a camera's privacy masks drawn in.
    ///
    /// # Errors
    /// [`MaskError`]; then nothing may see the frame.
    pub fn masked(self, masks: &Masks) -> Result<Self, MaskError> {
        let buffer = masks.burn(self.buffer, &self.info)?;
        Ok(Self { buffer, ..self })
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.info.width()
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.info.height()
    }

    pub(crate) fn info(&self) -> &VideoInfo {
        &self.info
    }

    pub(crate) fn map(&self) -> Result<VideoFrame<Readable>, FrameError> {
        VideoFrame::from_buffer_readable(self.buffer.clone(), &self.info)
            .map_err(|_| self.failed("its buffer is not of its format".into()))
    }

    /// The whole picture in colours for a picture file.
    ///
    /// # Errors
    /// [`FrameError`] when the buffer cannot be mapped or its format cannot be converted.
    pub fn to_rgb(&self) -> Result<RgbPicture, FrameError> {
        self.to_rgb_of(self.width(), self.height())
    }

    /// The whole picture in colours, scaled to so many pixels across and down.
    ///
    /// # Errors
    /// [`FrameError`] when the buffer cannot be mapped or its format cannot be converted.
    pub fn to_rgb_of(&self, width: u32, height: u32) -> Result<RgbPicture, FrameError> {
        let failed = |reason: String| self.failed(reason);
        let info = VideoInfo::builder(VideoFormat::Rgb, width, height)
            .fps(self.info.fps())
            .build()
            .map_err(|e| failed(e.to_string()))?;
        let converter = VideoConverter::new(&self.info, &info, None).map_err(|e| failed(e.to_string()))?;
        let buffer = gst::Buffer::with_size(info.size()).map_err(|e| failed(e.to_string()))?;
        let mut target =
            VideoFrame::from_buffer_writable(buffer, &info).map_err(|_| failed("no memory".into()))?;
        converter.frame(&self.map()?, &mut target);
        let (width, height) = (width as usize, height as usize);
        let stride = target.plane_stride()[0] as usize;
        let data = target.plane_data(0).map_err(|e| failed(e.to_string()))?;
        let pixels = data.chunks(stride).take(height).flat_map(|row| &row[..3 * width]).copied().collect();
        Ok(RgbPicture { width, height, pixels })
    }

    fn failed(&self, reason: String) -> FrameError {
        FrameError { width: self.width(), height: self.height(), reason }
    }
}
