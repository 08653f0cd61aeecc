//! One decoded picture and when it was received.

use std::time::Duration;

use gatepost_wire::Timestamp;
use gstreamer as gst;
use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::Readable;
use gstreamer_video::{VideoConverter, VideoFormat, VideoFrame, VideoInfo};

use super::layout::{Layout, NoLayout};
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

/// Makes frames of pixels that lie in memory as a [`Layout`] says.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Of the last frame, which the next most likely shares, and what it means.
    last: Option<(Layout, VideoInfo)>,
}

impl Packed {
    /// A frame of these pixels.
    pub fn frame(
        &mut self,
        pixels: Vec<u8>,
        layout: Layout,
        at: Duration,
        time: Timestamp,
    ) -> Result<Frame, NoPicture> {
        let (_, info) = match self.last.take_if(|(last, _)| *last == layout) {
            Some(same) => self.last.insert(same),
            None => {
                let info = layout.info()?;
                self.last.insert((layout, info))
            }
        };
        if pixels.len() != info.size() {
            return Err(NoPicture::Bytes { is: pixels.len(), wanted: info.size() });
        }
        Ok(Frame { at, time, buffer: gst::Buffer::from_mut_slice(pixels), info: info.clone() })
    }
}

/// A picture is not what it says it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPicture {
    #[error(transparent)]
    Layout(#[from] NoLayout),
    #[error("a picture of {is} bytes that must have {wanted}")]
    Bytes { is: usize, wanted: usize },
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
        let info = Layout::of(&VideoInfo::from_caps(sample.caps()?).ok()?).info().ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(pixels: VideoFormat) -> Layout {
        Layout::of(&VideoInfo::builder(pixels, 10, 6).build().unwrap())
    }

    #[test]
    fn a_picture_is_what_it_says_it_is() {
        gst::init().unwrap();
        let mut packed = Packed::default();
        let mut frame = |pixels, bytes| {
            packed.frame(vec![0; bytes], layout(pixels), Duration::ZERO, Timestamp::UNIX_EPOCH)
        };
        // Rows of I420 are a multiple of four bytes long.
        let bytes = 12 * 6 + 2 * 8 * 3;
        for _ in 0..2 {
            let frame = frame(VideoFormat::I420, bytes).unwrap();
            assert_eq!(frame.to_rgb().unwrap().pixels.len(), 3 * 10 * 6);
        }
        let other = VideoFormat::Gray8;
        assert_eq!(frame(other, bytes).unwrap_err(), NoPicture::Bytes { is: bytes, wanted: 12 * 6 });
        assert_eq!(frame(other, 12 * 6).unwrap().width(), 10);
    }
}
