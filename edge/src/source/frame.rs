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

/// Makes frames of pixels that lie in memory without gaps between rows.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Format of the last frame, which the next most likely shares, and what it means.
    last: Option<(String, VideoInfo)>,
}

impl Packed {
    /// A frame of a format in GStreamer's words (caps).
    pub fn frame(
        &mut self,
        pixels: Vec<u8>,
        format: &str,
        at: Duration,
        time: Timestamp,
    ) -> Result<Frame, NoPicture> {
        let (_, info) = match self.last.take_if(|(last, _)| last == format) {
            Some(same) => self.last.insert(same),
            None => self.last.insert((format.to_owned(), layout(format)?)),
        };
        if pixels.len() != info.size() {
            return Err(NoPicture::Bytes { is: pixels.len(), wanted: info.size() });
        }
        Ok(Frame { at, time, buffer: gst::Buffer::from_mut_slice(pixels), info: info.clone() })
    }
}

fn layout(format: &str) -> Result<VideoInfo, NoPicture> {
    let not_understood = || NoPicture::Format(format.chars().take(200).collect());
    if !is_plain(format) {
        return Err(not_understood());
    }
    let caps: gst::Caps =
        format.parse().ok().filter(|caps: &gst::Caps| caps.is_fixed()).ok_or_else(not_understood)?;
    VideoInfo::from_caps(&caps).map_err(|_| not_understood())
}

/// What a [`VideoInfo`] may say of a picture in memory.
const FIELDS: [&str; 13] = [
    "format",
    "width",
    "height",
    "framerate",
    "max-framerate",
    "pixel-aspect-ratio",
    "interlace-mode",
    "field-order",
    "colorimetry",
    "chroma-site",
    "views",
    "multiview-mode",
    "multiview-flags",
];

/// Is a text written as formats of pictures are? Lists, quotes and structures in structures do not belong into one, and where one breaks
/// off GStreamer 1.22 loses memory, the more the longer it is. Nor do names of no meaning: GLib keeps each one it has met for ever.
/// Whoever has taken over a camera's process may send many.
fn is_plain(format: &str) -> bool {
    let mut parts = format.split(',');
    format.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ,=()/:._+-".contains(&byte))
        && matches!(parts.next(), Some("video/x-raw" | "video/x-raw(format:Interlaced)"))
        && parts.all(|part| part.split_once('=').is_some_and(|(name, _)| FIELDS.contains(&name.trim())))
}

/// A picture is not what it says it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPicture {
    #[error("no format of a picture: {0}")]
    Format(String),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_it_says_it_is() {
        gst::init().unwrap();
        let mut packed = Packed::default();
        let mut frame =
            |format: &str, bytes| packed.frame(vec![0; bytes], format, Duration::ZERO, Timestamp::UNIX_EPOCH);
        let format = "video/x-raw, format=I420, width=10, height=6";
        // Rows of I420 are a multiple of four bytes long.
        let bytes = 12 * 6 + 2 * 8 * 3;
        for _ in 0..2 {
            assert_eq!(frame(format, bytes).unwrap().to_rgb().unwrap().pixels.len(), 3 * 10 * 6);
        }
        let other = "video/x-raw, format=GRAY8, width=10, height=6";
        assert_eq!(frame(other, bytes).unwrap_err(), NoPicture::Bytes { is: bytes, wanted: 12 * 6 });
        assert_eq!(frame(other, 12 * 6).unwrap().width(), 10);
        for more in [", made-up=1", ", width", ", ", "; video/x-raw"] {
            let format = format!("{other}{more}");
            assert_eq!(frame(&format, 12 * 6).unwrap_err(), NoPicture::Format(format));
        }
        let memory = "video/x-raw(memory:MadeUp), format=GRAY8, width=10, height=6";
        assert_eq!(frame(memory, 12 * 6).unwrap_err(), NoPicture::Format(memory.into()));
        for no_format in [
            "",
            "video/x-raw",
            "audio/x-raw, rate=8000",
            "video/x-raw, format=I420, width=-1, height=6",
            "video/x-raw, format=I420, width=10, height=6, x=<1, 2>",
        ] {
            assert!(frame(no_format, bytes).is_err(), "{no_format}");
        }
    }
}
