//! How much a camera may send. One that is broken, or is no camera at all, must not eat the memory of the others.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A key frame of an 8K camera has a tenth of it.
pub(super) const MOST_UNIT_BYTES: usize = 16 << 20;
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
pub(super) struct Limits {
    /// Bytes that came since the last whole picture.
    pending: AtomicUsize,
    /// Requests that were sent since then.
    requests: AtomicUsize,
    exceeded: AtomicBool,
    tell: Box<dyn Fn(Excess) + Send + Sync>,
}

impl Limits {
    /// Calls `tell` once, if there is too much of anything: then the connection must end.
    pub fn new(tell: impl Fn(Excess) + Send + Sync + 'static) -> Self {
        Self { pending: 0.into(), requests: 0.into(), exceeded: false.into(), tell: Box::new(tell) }
    }

    /// So many bytes came; false when they must be thrown away.
    pub fn admits_bytes(&self, count: usize) -> bool {
        let pending = self.pending.fetch_add(count, Ordering::Relaxed) + count;
        if pending > MOST_UNIT_BYTES {
            self.exceeded(Excess::Unit);
        }
        !self.exceeded.load(Ordering::Relaxed)
    }

    /// The camera is to be asked for something; false when it must not be.
    pub fn admits_request(&self) -> bool {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= MOST_REQUESTS {
            self.exceeded(Excess::Requests);
        }
        !self.exceeded.load(Ordering::Relaxed)
    }

    /// A picture is whole, of so many pixels across and down where its format tells; false when it must be thrown away.
    pub fn admits(&self, size: Option<(i32, i32)>) -> bool {
        self.pending.store(0, Ordering::Relaxed);
        self.requests.store(0, Ordering::Relaxed);
        if let Some((width, height)) = size
            && u64::from(width.unsigned_abs()) * u64::from(height.unsigned_abs()) > MOST_PIXELS
        {
            self.exceeded(Excess::Pixels { width, height });
        }
        !self.exceeded.load(Ordering::Relaxed)
    }

    fn exceeded(&self, excess: Excess) {
        // The first says what is wrong; whatever follows is thrown away.
        if !self.exceeded.swap(true, Ordering::Relaxed) {
            (self.tell)(excess);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn limits() -> (Limits, Receiver<Excess>) {
        let (tell, told) = channel();
        (Limits::new(move |excess| tell.send(excess).unwrap()), told)
    }

    #[test]
    fn pictures_of_a_camera_are_no_excess() {
        let (limits, told) = limits();
        for _ in 0..100 {
            assert!(limits.admits_bytes(MOST_UNIT_BYTES / 2));
            assert!(limits.admits_request());
            assert!(limits.admits(Some((4000, 3000))) && limits.admits(None));
        }
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn what_has_no_end_and_what_is_huge_is() {
        let (unit, told) = limits();
        assert!(unit.admits_bytes(MOST_UNIT_BYTES) && !unit.admits_bytes(1));
        assert_eq!(told.try_recv(), Ok(Excess::Unit));
        assert!(!unit.admits(Some((640, 480))), "the connection is given up");

        let (requests, told) = limits();
        assert!((0..MOST_REQUESTS).all(|_| requests.admits_request()));
        assert!(told.try_recv().is_err());
        assert!(!requests.admits_request());
        assert_eq!(told.try_recv(), Ok(Excess::Requests));

        let (pixels, told) = limits();
        assert!(!pixels.admits(Some((16384, 16384))) && !pixels.admits_bytes(1));
        assert!(told.try_recv().unwrap().to_string().contains("16384x16384"));
        assert!(told.try_recv().is_err(), "it is told once");
    }
}
