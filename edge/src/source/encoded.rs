//! One access unit as the camera sent it: an encoded picture, and when it arrived.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// An encoded picture. Clones share the bytes.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    /// The picture; a key frame of H.264 and H.265 brings its parameter sets along.
    pub data: Bytes,
    /// What is in it, in GStreamer's words (caps).
    pub format: Arc<str>,
    /// A decoder can begin here.
    pub key: bool,
    /// When it arrived, since the daemon's start. The camera's own clock is not asked.
    pub at: Duration,
}

impl Encoded {
    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Is every picture of this format whole in itself, whatever came before?
    pub fn stands_alone(&self) -> bool {
        matches!(self.format.split(',').next(), Some("image/jpeg" | "video/x-raw"))
    }
}

#[cfg(test)]
impl Encoded {
    /// Of a format, with this many bytes.
    pub fn of(format: &str, key: bool, at: Duration, bytes: usize) -> Self {
        Self { data: vec![0; bytes].into(), format: format.into(), key, at }
    }
}
