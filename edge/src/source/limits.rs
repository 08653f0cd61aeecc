//! How much a camera may send. One that is broken, or is no camera at all, must not eat the memory of the others.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::encoded::Encoded;

/// A key frame of an 8K camera has a tenth of it.
const MOST_UNIT_BYTES: usize = 16 << 20;
/// 4096 x 4096. A decoder keeps up to 17 pictures, each one and a half bytes for every pixel.
const MOST_PIXELS: u64 = 1 << 24;
/// A camera is asked some seven times before its first picture.
const MOST_REQUESTS: usize = 50;

/// What a camera sent too much of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    #[error("the camera sends a picture of more than {} MiB that does not end", MOST_UNIT_BYTES >> 20)]
    Unit,
    #[error("the camera sends this box round in circles: {MOST_REQUESTS} requests and no picture")]
    Requests,
    #[error(
        "the camera sends pictures of {width}x{height}, more than the {} megapixels this box decodes: choose a \
         smaller size in the camera's settings, or its second stream",
        MOST_PIXELS / 1_000_000
    )]
    Pixels { width: i32, height: i32 },
}

/// Watches what comes over one connection.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Bytes that came since the last whole picture.
    pending: AtomicUsize,
    /// Requests that were sent since then.
    requests: AtomicUsize,
    excess: OnceLock<Excess>,
}

impl Limits {
    /// So many bytes came; false when they must be thrown away.
    pub fn admits_bytes(&self, count: usize) -> bool {
        let pending = self.pending.fetch_add(count, Ordering::Relaxed) + count;
        if pending > MOST_UNIT_BYTES {
            self.exceeded(Excess::Unit);
        }
        self.excess.get().is_none()
    }

    /// The camera is asked for something.
    pub fn asks(&self) {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= MOST_REQUESTS {
            self.exceeded(Excess::Requests);
        }
    }

    /// A picture is whole; false when it must be thrown away.
    pub fn admits(&self, unit: &Encoded) -> bool {
        self.pending.store(0, Ordering::Relaxed);
        self.requests.store(0, Ordering::Relaxed);
        if let Some((width, height)) = unit.size()
            && u64::from(width.unsigned_abs()) * u64::from(height.unsigned_abs()) > MOST_PIXELS
        {
            self.exceeded(Excess::Pixels { width, height });
        }
        self.excess.get().is_none()
    }

    /// What it was too much of, if it was: then the connection must end.
    pub fn excess(&self) -> Option<&Excess> {
        self.excess.get()
    }

    fn exceeded(&self, excess: Excess) {
        // The first says what is wrong; whatever follows is thrown away.
        let _ = self.excess.set(excess);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gstreamer as gst;

    use super::*;

    fn unit(width: i32, height: i32) -> Encoded {
        gst::init().unwrap();
        let caps = gst::Caps::builder("video/x-h264").field("width", width).field("height", height).build();
        let buffer = gst::Buffer::with_size(10).unwrap();
        Encoded { buffer, caps, key: true, at: Duration::ZERO }
    }

    #[test]
    fn pictures_of_a_camera_are_no_excess() {
        let limits = Limits::default();
        for _ in 0..100 {
            assert!(limits.admits_bytes(MOST_UNIT_BYTES / 2));
            limits.asks();
            assert!(limits.admits(&unit(4000, 3000)));
        }
        assert_eq!(limits.excess(), None);
    }

    #[test]
    fn what_has_no_end_and_what_is_huge_is() {
        let limits = Limits::default();
        assert!(limits.admits_bytes(MOST_UNIT_BYTES) && !limits.admits_bytes(1));
        assert_eq!(limits.excess(), Some(&Excess::Unit));
        assert!(!limits.admits(&unit(640, 480)), "the connection is given up");

        let limits = Limits::default();
        (0..MOST_REQUESTS).for_each(|_| limits.asks());
        assert_eq!(limits.excess(), None);
        limits.asks();
        assert_eq!(limits.excess(), Some(&Excess::Requests));

        let limits = Limits::default();
        assert!(!limits.admits(&unit(16384, 16384)) && !limits.admits_bytes(1));
        assert!(limits.excess().unwrap().to_string().contains("16384x16384"));
    }
}
