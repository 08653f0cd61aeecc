//! A clip as a camera sends it: encoded access units in memory, with their times, in a loop.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;

use super::{cache, encode};
use crate::{Error, Result};

/// What the camera sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264.
    #[default]
    H264,
    /// H.265.
    H265,
    /// JPEG after JPEG.
    Mjpeg,
}

impl Codec {
    /// The payloader that must be in the server's pipeline.
    pub(super) fn payloader(self) -> &'static str {
        match self {
            Codec::H264 => "rtph264pay",
            Codec::H265 => "rtph265pay",
            Codec::Mjpeg => "rtpjpegpay",
        }
    }
}

/// How a clip is prepared. Equal recipes of an unchanged file give the same clip.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recipe {
    pub(super) codec: Codec,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) max_frames: Option<u32>,
    pub(super) one_key_frame: bool,
}

/// One encoded picture.
pub(super) struct Unit {
    pub(super) data: gst::Buffer,
    /// From the start of the clip.
    pub(super) at: Duration,
    /// A decoder can start here.
    pub(super) key: bool,
}

/// A whole encoded clip; the first unit is a key frame.
pub(super) struct Clip {
    pub(super) caps: gst::Caps,
    pub(super) units: Vec<Unit>,
    /// Of one round, including the last frame's own duration.
    pub(super) length: Duration,
}

impl Clip {
    /// From the cache, or decoded and encoded now.
    pub(super) fn load(path: &Path, recipe: &Recipe) -> Result<Arc<Clip>> {
        // Several tests of one process want the same clip at once: the first encodes, the others then
        // find it in the cache.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let entry =
            cache::Entry::of(path, recipe).map_err(|source| Error::NoClip { clip: path.into(), source })?;
        if let Some(clip) = entry.read() {
            return Ok(Arc::new(clip));
        }
        let clip = encode::encode(path, recipe)?;
        entry.write(&clip);
        Ok(Arc::new(clip))
    }

    /// Time from unit `index` to the one after it, over the loop point too.
    pub(super) fn duration_of(&self, index: usize) -> Duration {
        let end = self.units.get(index + 1).map_or(self.length, |next| next.at);
        end.saturating_sub(self.units[index].at)
    }

    /// The key frame to start at for someone who joins `elapsed` after the clip began to play.
    pub(super) fn key_frame_at(&self, elapsed: Duration) -> usize {
        let round = self.length.as_nanos().max(1);
        let position = Duration::from_nanos((elapsed.as_nanos() % round) as u64);
        self.units.iter().rposition(|unit| unit.key && unit.at <= position).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(keys: &[bool]) -> Clip {
        gst::init().unwrap();
        let unit = |(index, &key)| Unit {
            data: gst::Buffer::new(),
            at: Duration::from_millis(100 * index as u64),
            key,
        };
        Clip {
            caps: gst::Caps::new_any(),
            units: keys.iter().enumerate().map(unit).collect(),
            length: Duration::from_millis(100 * keys.len() as u64),
        }
    }

    #[test]
    fn joiners_start_at_the_last_key_frame() {
        let clip = clip(&[true, false, false, true, false]);
        for (ms, index) in [(0, 0), (299, 0), (300, 3), (499, 3), (500, 0), (10_350, 3)] {
            assert_eq!(clip.key_frame_at(Duration::from_millis(ms)), index, "{ms} ms");
        }
    }

    #[test]
    fn every_frame_has_a_duration() {
        let clip = clip(&[true, false, false]);
        assert!((0..3).all(|index| clip.duration_of(index) == Duration::from_millis(100)));
    }
}
