//! One track and what its next place is guessed from.

use std::time::Duration;

use gatepost_wire::event::Region;

use super::Track;
use super::kalman::BoxFilter;
use crate::detect::{Detection, TrackScores};

/// Who moved so many of their own widths, or half as many of their heights, is no scenery.
const MOVED_WIDTHS: f32 = 0.5;
/// This close to the picture's edge a box is cut off by it.
const EDGE: f32 = 0.005;
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

    /// Is it not where it was born? Half its width across or a quarter of its height along, whichever is larger now and then:
    /// a box that was cut wrong once is no measure.
    fn is_elsewhere(&self) -> bool {
        let (now, born) = (&self.track.region, &self.track.birth.region);
        let across = moved([born.left, born.right], [now.left, now.right]);
        let along = 2.0 * moved([born.top, born.bottom], [now.top, now.bottom]);
        across.hypot(along) > MOVED_WIDTHS
    }
}

/// How far a box moved along one side, in its own lengths. A box of which one edge stays where it was became larger or
/// smaller, or is cut another way; only of what the picture's edge cuts off nobody knows where it ends.
fn moved(born: [f32; 2], now: [f32; 2]) -> f32 {
    let [low, high] = [now[0] - born[0], now[1] - born[1]];
    let is_cut = |at_low: bool| {
        let edge = |side: [f32; 2]| if at_low { side[0] <= EDGE } else { side[1] >= 1.0 - EDGE };
        edge(born) || edge(now)
    };
    let by = match (is_cut(true), is_cut(false)) {
        (true, true) => 0.0,
        (true, false) => high.abs(),
        (false, true) => low.abs(),
        (false, false) if low.signum() == high.signum() => low.abs().min(high.abs()),
        (false, false) => 0.0,
    };
    by / (born[1] - born[0]).max(now[1] - now[0]).max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_grows_on_one_side_has_not_moved() {
        assert_eq!(moved([0.2, 0.4], [0.2, 0.6]), 0.0);
        assert_eq!(moved([0.2, 0.4], [0.1, 0.6]), 0.0);
        assert!((moved([0.2, 0.4], [0.3, 0.5]) - 0.5).abs() < 1e-5);
        assert!((moved([0.2, 0.4], [0.1, 0.35]) - 0.2).abs() < 1e-5);
    }

    #[test]
    fn what_comes_in_over_the_edge_of_the_picture_moves_by_its_inner_edge() {
        assert!((moved([0.9, 1.0], [0.6, 1.0]) - 0.75).abs() < 1e-5);
        assert!((moved([0.0, 0.1], [0.0, 0.4]) - 0.75).abs() < 1e-5);
        assert_eq!(moved([0.0, 1.0], [0.0, 1.0]), 0.0);
    }
}
