//! One track and what its next place is guessed from.

use std::time::Duration;

use gatepost_wire::event::Region;

use super::Track;
use super::kalman::BoxFilter;
use crate::detect::{Detection, TrackScores};

/// Who moved so many of their own widths, or half as many of their heights, is no scenery.
const MOVED_WIDTHS: f32 = 0.5;
/// A box that is elsewhere in so many sightings in a row has moved: one alone may be cut wrong.
const MOVED_SIGHTINGS: u32 = 2;

pub(super) struct Followed {
    pub(super) track: Track,
    filter: BoxFilter,
    pub(super) last_region: Region,
    pub(super) last_seen: Duration,
    /// Seen twice: one strong detection alone may be a glint.
    pub(super) confirmed: bool,
    moved_sightings: u32,
}

impl Followed {
    /// A track that was born just now.
    pub(super) fn new(track: Track) -> Self {
        Self {
            filter: BoxFilter::new(&track.region),
            last_region: track.region,
            last_seen: track.birth.at,
            confirmed: false,
            moved_sightings: 0,
            track,
        }
    }

    /// Goes on to the next frame, in which it has not been found yet.
    pub(super) fn predict(&mut self, step: Duration) {
        self.filter.predict(step);
        self.track.region = self.filter.region();
        self.track.seen = false;
    }

    /// Takes the detection it was found in. The less sure the detector was, the less of its box is believed: boxes of
    /// those half hidden are cut wrong (after Du et al., GIAOTracker, 2021).
    pub(super) fn see(&mut self, detection: &Detection, at: Duration, scores: &TrackScores) {
        let doubt = (scores.start / detection.score).max(1.0);
        self.filter.correct(&detection.region, doubt);
        self.track.region = self.filter.region();
        self.track.score = detection.score;
        self.track.seen = true;
        self.last_seen = at;
        self.last_region = self.track.region;
        self.confirmed = true;
        self.moved_sightings = if self.is_elsewhere() { self.moved_sightings + 1 } else { 0 };
        self.track.established |= detection.score >= scores.sure || self.moved_sightings >= MOVED_SIGHTINGS;
    }

    /// Is it not where it was born? A box of which one edge stayed where it was became larger or smaller, or is cut
    /// another way.
    fn is_elsewhere(&self) -> bool {
        let (now, born) = (&self.track.region, &self.track.birth.region);
        let across = shift([now.left - born.left, now.right - born.right]) / (born.right - born.left);
        let along = 2.0 * shift([now.top - born.top, now.bottom - born.bottom]) / (born.bottom - born.top);
        across.hypot(along) > MOVED_WIDTHS
    }
}

/// How far two opposite edges moved the same way.
fn shift([a, b]: [f32; 2]) -> f32 {
    if a.signum() == b.signum() { a.abs().min(b.abs()) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_grows_on_one_side_has_not_moved() {
        assert_eq!(shift([0.0, 0.3]), 0.0);
        assert_eq!(shift([-0.2, 0.3]), 0.0);
        assert_eq!(shift([0.2, 0.3]), 0.2);
        assert_eq!(shift([-0.2, -0.1]), 0.1);
    }
}
