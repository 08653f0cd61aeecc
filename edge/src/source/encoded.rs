//! One access unit as the camera sent it: an encoded picture, and when it arrived.

use std::time::Duration;

use gstreamer as gst;

/// An encoded picture. Clones share the bytes.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    /// The picture; a key frame of H.264 and H.265 brings its parameter sets along.
    pub buffer: gst::Buffer,
    /// What is in it.
    pub caps: gst::Caps,
    /// A decoder can begin here.
    pub key: bool,
    /// When it arrived, since the daemon's start. The camera's own clock is not asked.
    pub at: Duration,
}

impl Encoded {
    /// None for a sample without a picture (some cameras at a box send empty ones now and then) or without a
    /// format.
    pub fn new(sample: &gst::Sample, at: Duration) -> Option<Self> {
        let (buffer, caps) = (sample.buffer_owned().filter(|b| b.size() > 0)?, sample.caps_owned()?);
        let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        Some(Self { buffer, caps, key, at })
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.buffer.size()
    }

    /// Width and height in pixels, where the format tells.
    pub fn size(&self) -> Option<(i32, i32)> {
        let format = self.caps.structure(0)?;
        Some((format.get("width").ok()?, format.get("height").ok()?))
    }

    /// Is every picture of this format whole in itself, whatever came before?
    pub fn stands_alone(&self) -> bool {
        self.caps
            .structure(0)
            .is_some_and(|format| matches!(format.name().as_str(), "image/jpeg" | "video/x-raw"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_picture_is_none() {
        gst::init().unwrap();
        let caps = gst::Caps::new_empty_simple("image/jpeg");
        let unit = |bytes| {
            let buffer = gst::Buffer::with_size(bytes).unwrap();
            Encoded::new(&gst::Sample::builder().buffer(&buffer).caps(&caps).build(), Duration::ZERO)
        };
        assert!(unit(0).is_none() && unit(1).is_some());
    }
}
