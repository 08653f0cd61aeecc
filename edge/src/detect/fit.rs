//! Bringing a frame to the size, shape and colour order the model wants, and boxes back to the frame.

use gatepost_wire::event::Region;
use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::Writable;
use gstreamer_video::{VideoConverter, VideoConverterConfig, VideoFormat, VideoFrame, VideoInfo};

use super::manifest::{Channels, Fit, Input, Layout, Normalise};
use super::suppress::Bounds;
use super::tile::Part;
use crate::source::Frame;

/// Why a frame cannot be brought to the model's input.
#[derive(Debug, thiserror::Error)]
#[error("a {width}x{height} picture cannot be scaled for the model: {reason}")]
pub struct FitError {
    width: u32,
    height: u32,
    reason: String,
}

/// Size of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub width: u32,
    pub height: u32,
}

/// The model's input for frames of one size, and where the frame lies in it, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Placement {
    input: Size,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Placement {
    fn new(input: &Input, frame: Size) -> Self {
        let most = Size { width: input.width, height: input.height };
        if input.fit == Fit::Stretch {
            return Self { input: most, left: 0, top: 0, width: most.width, height: most.height };
        }
        let scale = (most.width as f32 / frame.width as f32).min(most.height as f32 / frame.height as f32);
        // Even numbers: chroma is stored for pairs of pixels.
        let side = |frame: u32, limit: u32| (((frame as f32 * scale) as u32) & !1).clamp(2, limit);
        let (width, height) = (side(frame.width, most.width), side(frame.height, most.height));
        let needed =
            |side: u32, limit: u32| input.multiple.map_or(limit, |m| side.next_multiple_of(m).min(limit));
        let input = Size { width: needed(width, most.width), height: needed(height, most.height) };
        let margin = |room: u32, side: u32| ((room - side) / 2) & !1;
        Self { input, left: margin(input.width, width), top: margin(input.height, height), width, height }
    }

    /// From input pixels to fractions of what was fitted, cut at its edges; none when nothing is left.
    fn to_part(self, b: Bounds) -> Option<Region> {
        let x = |x: f32| ((x - self.left as f32) / self.width as f32).clamp(0.0, 1.0);
        let y = |y: f32| ((y - self.top as f32) / self.height as f32).clamp(0.0, 1.0);
        let region = Region { left: x(b.left), top: y(b.top), right: x(b.right), bottom: y(b.bottom) };
        (region.left < region.right && region.top < region.bottom).then_some(region)
    }
}

/// Converters kept ready: the formats of a box's cameras and the tiles of their pictures, as a rule.
const KEPT: usize = 24;

/// Scales and converts in one pass.
pub(super) struct Fitter {
    input: Input,
    /// Last used last.
    prepared: Vec<Prepared>,
}

/// What brings one part of frames of one format to the model.
struct Prepared {
    from: VideoInfo,
    part: Part,
    converter: VideoConverter,
    placement: Placement,
    target: VideoFrame<Writable>,
}

/// A frame in the model's input.
pub(super) struct Fitted<'f> {
    placement: Placement,
    target: &'f VideoFrame<Writable>,
}

impl Fitter {
    pub(super) fn new(input: &Input) -> Self {
        Self { input: input.clone(), prepared: Vec::new() }
    }

    /// A part of a frame as the model wants it.
    pub(super) fn fit(&mut self, frame: &Frame, part: Part) -> Result<Fitted<'_>, FitError> {
        let failed = |reason: String| FitError { width: frame.width(), height: frame.height(), reason };
        let info = frame.info();
        let known = self.prepared.iter().position(|kept| kept.part == part && kept.from == *info);
        let mut prepared = match known {
            Some(index) => self.prepared.remove(index),
            None => Prepared::new(&self.input, info, part).map_err(failed)?,
        };
        let source = frame.map().map_err(|e| failed(e.to_string()))?;
        prepared.converter.frame(&source, &mut prepared.target);
        if self.prepared.len() >= KEPT {
            self.prepared.remove(0);
        }
        self.prepared.push(prepared);
        let Some(Prepared { placement, target, .. }) = self.prepared.last() else {
            return Err(failed("no target picture".into()));
        };
        Ok(Fitted { placement: *placement, target })
    }
}

impl Prepared {
    fn new(input: &Input, from: &VideoInfo, part: Part) -> Result<Self, String> {
        let format = match input.channels {
            Channels::Rgb => VideoFormat::Rgb,
            Channels::Bgr => VideoFormat::Bgr,
        };
        let placement = Placement::new(input, Size { width: part.width, height: part.height });
        // The converter wants to be told that it need not change the rate.
        let to = VideoInfo::builder(format, placement.input.width, placement.input.height)
            .fps(from.fps())
            .build()
            .map_err(|e| e.to_string())?;
        let mut config = VideoConverterConfig::new();
        config.set_src_x(part.left as i32);
        config.set_src_y(part.top as i32);
        config.set_src_width(Some(part.width as i32));
        config.set_src_height(Some(part.height as i32));
        config.set_dest_x(placement.left as i32);
        config.set_dest_y(placement.top as i32);
        config.set_dest_width(Some(placement.width as i32));
        config.set_dest_height(Some(placement.height as i32));
        config.set_fill_border(true);
        config.set_border_argb(u32::from_be_bytes([255, input.pad, input.pad, input.pad]));
        config.set_resampler_method(gstreamer_video::VideoResamplerMethod::Linear);
        let converter = VideoConverter::new(from, &to, Some(config)).map_err(|e| e.to_string())?;
        let buffer = gstreamer::Buffer::with_size(to.size()).map_err(|e| e.to_string())?;
        let target =
            VideoFrame::from_buffer_writable(buffer, &to).map_err(|_| "no memory for the picture")?;
        Ok(Self { from: from.clone(), part, converter, placement, target })
    }
}

impl Fitted<'_> {
    /// The input's pixels, row by row without gaps, three bytes each.
    pub(super) fn pixels(&self) -> Result<&[u8], FitError> {
        let Size { width, height } = self.size();
        let failed = |reason: &str| FitError { width, height, reason: reason.into() };
        let row_bytes = 3 * width as usize;
        // Rows are padded to four bytes; manifests want widths for which that adds nothing.
        if self.target.plane_stride()[0] as usize != row_bytes {
            return Err(failed("the model's input width must be a multiple of 4"));
        }
        let data = self.target.plane_data(0).map_err(|_| failed("it cannot be read"))?;
        Ok(&data[..row_bytes * height as usize])
    }

    /// Size of the model's input for this frame.
    pub(super) fn size(&self) -> Size {
        self.placement.input
    }

    /// From input pixels to fractions of the part of the frame.
    pub(super) fn to_part(&self, bounds: Bounds) -> Option<Region> {
        self.placement.to_part(bounds)
    }
}

/// Interleaved pixels to one plane for each channel.
pub(super) fn planar(pixels: &[u8]) -> Vec<u8> {
    (0..3).flat_map(|channel| pixels.iter().skip(channel).step_by(3).copied()).collect()
}

/// Bytes to normalised floats in the wanted layout.
pub(super) fn normalise(pixels: &[u8], layout: Layout, by: &Normalise, out: &mut Vec<f32>) {
    let value = |channel: usize, byte: u8| (f32::from(byte) - by.mean[channel]) * by.scale[channel];
    out.clear();
    match layout {
        Layout::Nhwc => out.extend(pixels.iter().enumerate().map(|(i, &byte)| value(i % 3, byte))),
        Layout::Nchw => {
            for channel in 0..3 {
                out.extend(pixels.iter().skip(channel).step_by(3).map(|&byte| value(channel, byte)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(fit: Fit) -> Input {
        toml::from_str(&format!(
            "tensor='x'\nwidth=512\nheight=512\nlayout='nhwc'\nelement='u8'\nchannels='rgb'\nfit='{}'",
            if fit == Fit::Letterbox { "letterbox" } else { "stretch" }
        ))
        .unwrap()
    }

    const SQUARE: Size = Size { width: 512, height: 512 };

    #[test]
    fn a_letterboxed_frame_keeps_its_shape_and_boxes_find_back() {
        let placement = Placement::new(&input(Fit::Letterbox), Size { width: 768, height: 576 });
        assert_eq!(placement, Placement { input: SQUARE, left: 0, top: 64, width: 512, height: 384 });
        let whole = placement.to_part(Bounds { left: -9.0, top: 64.0, right: 256.0, bottom: 500.0 }).unwrap();
        assert_eq!(whole, Region { left: 0.0, top: 0.0, right: 0.5, bottom: 1.0 });
        let in_the_border = Bounds { left: 0.0, top: 0.0, right: 512.0, bottom: 60.0 };
        assert_eq!(placement.to_part(in_the_border), None);
    }

    #[test]
    fn a_model_of_any_size_is_given_hardly_any_border() {
        let input = Input { multiple: Some(32), ..input(Fit::Letterbox) };
        let size = |width, height| Placement::new(&input, Size { width, height }).input;
        assert_eq!(size(768, 576), Size { width: 512, height: 384 });
        assert_eq!(size(1920, 1080), Size { width: 512, height: 288 });
        assert_eq!(size(1080, 1920), Size { width: 288, height: 512 });
        assert_eq!(size(2000, 100), Size { width: 512, height: 32 });
    }

    #[test]
    fn a_stretched_frame_fills_the_input() {
        let placement = Placement::new(&input(Fit::Stretch), Size { width: 1920, height: 1080 });
        assert_eq!(placement, Placement { input: SQUARE, left: 0, top: 0, width: 512, height: 512 });
    }

    #[test]
    fn layouts_and_normalisation() {
        let pixels = [1, 2, 3, 4, 5, 6];
        assert_eq!(planar(&pixels), [1, 4, 2, 5, 3, 6]);
        let by = Normalise { mean: [1.0, 0.0, 0.0], scale: [1.0, 2.0, 1.0] };
        let mut out = Vec::new();
        normalise(&pixels, Layout::Nchw, &by, &mut out);
        assert_eq!(out, [0.0, 3.0, 4.0, 10.0, 3.0, 6.0]);
        normalise(&pixels, Layout::Nhwc, &by, &mut out);
        assert_eq!(out, [0.0, 4.0, 3.0, 3.0, 10.0, 6.0]);
    }
}
