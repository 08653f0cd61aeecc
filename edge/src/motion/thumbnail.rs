//! A small grey copy of a frame.

use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::Writable;
use gstreamer_video::{VideoConverter, VideoConverterConfig, VideoFormat, VideoFrame, VideoInfo};

use crate::source::Frame;

/// Pixels across at most; a person far away still has a few.
const WIDTH: u32 = 320;
/// A picture many times as high as wide would not be small.
const MAX_HEIGHT: u32 = 4 * WIDTH;

/// Why a frame has no thumbnail.
#[derive(Debug, thiserror::Error)]
#[error("a {width}x{height} picture cannot be made small: {reason}")]
pub struct ThumbnailError {
    width: u32,
    height: u32,
    reason: String,
}

/// A small grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Thumbnail {
    /// A picture of `pixels`, row by row without gaps; none when they are not as many as they should be.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        (width > 0 && height > 0 && width.checked_mul(height) == Some(pixels.len())).then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Brightness, row by row without gaps.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// Makes thumbnails of one camera's frames, of whatever format; prepared anew when that changes.
#[derive(Default)]
pub struct Thumbnailer {
    prepared: Option<Prepared>,
}

struct Prepared {
    from: VideoInfo,
    converter: VideoConverter,
    target: Option<VideoFrame<Writable>>,
}

impl Thumbnailer {
    /// The thumbnail of a frame.
    ///
    /// # Errors
    /// [`ThumbnailError`] when the frame cannot be read or its format cannot be converted.
    pub fn take(&mut self, frame: &Frame) -> Result<Thumbnail, ThumbnailError> {
        let failed = |reason: String| ThumbnailError { width: frame.width(), height: frame.height(), reason };
        let prepared = match self.prepared.take().filter(|prepared| prepared.from == *frame.info()) {
            Some(prepared) => prepared,
            None => Prepared::new(frame.info()).map_err(failed)?,
        };
        let prepared = self.prepared.insert(prepared);
        let mut target = prepared.target.take().ok_or_else(|| failed("no target picture".into()))?;
        let source = frame.map().map_err(|e| failed(e.to_string()))?;
        prepared.converter.frame(&source, &mut target);
        copy(prepared.target.insert(target)).ok_or_else(|| failed("it cannot be read".into()))
    }
}

impl Prepared {
    fn new(from: &VideoInfo) -> Result<Self, String> {
        let width = from.width().min(WIDTH);
        let height = u64::from(from.height()) * u64::from(width) / u64::from(from.width().max(1));
        let height = u32::try_from(height).unwrap_or(MAX_HEIGHT).clamp(1, MAX_HEIGHT);
        // The converter wants to be told that it need not change the rate.
        let to = VideoInfo::builder(VideoFormat::Gray8, width, height)
            .fps(from.fps())
            .build()
            .map_err(|e| e.to_string())?;
        let mut config = VideoConverterConfig::new();
        config.set_resampler_method(gstreamer_video::VideoResamplerMethod::Linear);
        let converter = VideoConverter::new(from, &to, Some(config)).map_err(|e| e.to_string())?;
        let buffer = gstreamer::Buffer::with_size(to.size()).map_err(|e| e.to_string())?;
        let target =
            VideoFrame::from_buffer_writable(buffer, &to).map_err(|_| "no memory for the picture")?;
        Ok(Self { from: from.clone(), converter, target: Some(target) })
    }
}

fn copy(from: &VideoFrame<Writable>) -> Option<Thumbnail> {
    let (width, height) = (from.width() as usize, from.height() as usize);
    let stride = usize::try_from(*from.plane_stride().first()?).ok()?;
    let rows = from.plane_data(0).ok()?.chunks(stride).take(height);
    let mut pixels = Vec::with_capacity(width * height);
    for row in rows {
        pixels.extend_from_slice(row.get(..width)?);
    }
    Thumbnail::new(width, height, pixels)
}
