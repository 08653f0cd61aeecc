//! Privacy masks: areas of the picture nobody may see, a neighbour's window say. They are black before anything
//! else sees the frame: the detector, a snapshot, a clip.

use std::ops::Range;

use gstreamer as gst;
use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::Writable;
use gstreamer_video::{VideoFormatFlags, VideoFrame, VideoInfo};

use crate::config::Polygon;

/// A frame cannot be masked, so it must not be shown to anything.
#[derive(Debug, thiserror::Error)]
#[error("privacy masks cannot be drawn into a {format} picture: {reason}; the picture is thrown away")]
pub struct MaskError {
    format: String,
    reason: &'static str,
}

/// The masked areas of one camera.
#[derive(Debug, Clone, Default)]
pub struct Masks {
    areas: Vec<Polygon>,
}

impl Masks {
    /// These areas.
    pub fn new(areas: Vec<Polygon>) -> Self {
        Self { areas }
    }

    /// Makes the areas black, in a copy.
    ///
    /// # Errors
    /// [`MaskError`] for a pixel format this cannot draw into.
    pub fn burn(&self, buffer: gst::Buffer, info: &VideoInfo) -> Result<gst::Buffer, MaskError> {
        if self.areas.is_empty() {
            return Ok(buffer);
        }
        let failed = |reason| MaskError { format: info.format().to_string(), reason };
        // The decoder may still need its picture as it is, to decode the next one from.
        let copy = buffer.copy_deep().map_err(|_| failed("no memory"))?;
        let mut frame = VideoFrame::from_buffer_writable(copy, info)
            .map_err(|_| failed("its buffer is not of its format"))?;
        for component in 0..info.n_components() {
            self.blacken(&mut frame, component).map_err(failed)?;
        }
        Ok(frame.into_buffer())
    }

    fn blacken(&self, frame: &mut VideoFrame<Writable>, component: u32) -> Result<(), &'static str> {
        let format = frame.format_info();
        if format.flags().intersects(VideoFormatFlags::COMPLEX | VideoFormatFlags::TILED) {
            return Err("its pixels are packed in an unknown way");
        }
        let c = component as usize;
        let sample_bytes = match format.depth()[c] {
            8 => 1,
            9..=16 => 2,
            _ => return Err("its samples have an unknown size"),
        };
        let value = black(format, c);
        let bytes = match (sample_bytes, format.flags().contains(VideoFormatFlags::LE)) {
            (1, _) => vec![value as u8],
            (_, true) => value.to_le_bytes().to_vec(),
            (_, false) => value.to_be_bytes().to_vec(),
        };
        let (width, height) = (frame.comp_width(component) as usize, frame.comp_height(component) as usize);
        let (pixel, offset) =
            (frame.comp_pstride(component) as usize, frame.comp_poffset(component) as usize);
        let plane = frame.comp_plane(component);
        let stride = frame.plane_stride()[plane as usize] as usize;
        let data = frame.plane_data_mut(plane).map_err(|_| "a plane of it cannot be written")?;
        for row in 0..height {
            for span in self.spans(row, width, height) {
                for column in span {
                    let at = row * stride + column * pixel + offset;
                    data.get_mut(at..at + bytes.len())
                        .ok_or("it is smaller than it says")?
                        .copy_from_slice(&bytes);
                }
            }
        }
        Ok(())
    }

    /// The masked columns of one row of a `width` x `height` grid; a cell a mask only touches counts.
    fn spans(&self, row: usize, width: usize, height: usize) -> Vec<Range<usize>> {
        let lines = [0.0, 0.5, 1.0].map(|part| (row as f32 + part) / height as f32);
        let column = |x: f32| x * width as f32;
        self.areas
            .iter()
            .flat_map(|area| lines.iter().flat_map(|y| area.spans_at(*y)))
            .map(|(from, to)| column(from).floor() as usize..(column(to).ceil() as usize).min(width))
            .collect()
    }
}

/// The value of a component that makes black: luma and colours lowest, chroma in the middle, alpha opaque.
fn black(format: gstreamer_video::VideoFormatInfo, component: usize) -> u16 {
    let depth = format.depth()[component];
    let shift = format.shift()[component];
    let value = match (format.is_yuv(), component) {
        (_, 3) => (1u32 << depth) - 1,
        (true, 0) => 16 << (depth - 8),
        (true, _) => 1 << (depth - 1),
        (false, _) => 0,
    };
    (value << shift) as u16
}

#[cfg(test)]
mod tests {
    use gstreamer_video::VideoFormat;

    use super::*;
    use crate::source::Frame;

    const LEFT_HALF: [[f32; 2]; 4] = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]];
    const TRIANGLE: [[f32; 2]; 3] = [[0.2, 0.2], [0.8, 0.3], [0.4, 0.9]];

    fn masked(format: VideoFormat, area: &[[f32; 2]]) -> Result<Vec<[u8; 3]>, MaskError> {
        gst::init().unwrap();
        let info = VideoInfo::builder(format, 64, 48).build().unwrap();
        let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
        buffer.get_mut().unwrap().map_writable().unwrap().fill(200);
        let masks = Masks::new(vec![Polygon::try_from(area.to_vec()).unwrap()]);
        let burnt = masks.burn(buffer.clone(), &info)?;
        assert!(
            buffer.map_readable().unwrap().iter().all(|byte| *byte == 200),
            "the decoder's picture is left alone"
        );
        let picture = Frame::of_buffer(burnt, info).to_rgb().unwrap();
        Ok(picture.pixels.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect())
    }

    #[test]
    fn what_is_masked_is_black_in_every_format_a_decoder_gives() {
        use VideoFormat::*;
        for format in [I420, Nv12, Y42b, Y444, Yuy2, Gray8, Rgb, Bgrx, I42010le] {
            for area in [LEFT_HALF.as_slice(), &TRIANGLE] {
                let polygon = Polygon::try_from(area.to_vec()).unwrap();
                let pixels = masked(format, area).unwrap();
                for (i, pixel) in pixels.iter().enumerate() {
                    let x = ((i % 64) as f32 + 0.5) / 64.0;
                    let y = ((i / 64) as f32 + 0.5) / 48.0;
                    if polygon.contains(crate::config::Point { x, y }) {
                        // The converter lets the colour, not the brightness, of neighbours shine in.
                        assert!(pixel.iter().all(|value| *value <= 48), "{format:?} {x},{y}: {pixel:?}");
                    }
                }
                let far = pixels[47 * 64 + 63];
                assert!(far.iter().any(|value| *value > 100), "{format:?}: the rest stays: {far:?}");
            }
        }
    }

    #[test]
    fn a_format_that_cannot_be_masked_is_refused() {
        assert!(masked(VideoFormat::V210, &TRIANGLE).is_err());
    }
}
