//! Which track continues in which detection.

use std::time::Duration;

use gatepost_wire::event::Region;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use crate::detect::iou;

/// By how much of its own size a box is widened on each side for every second its track was not seen, and at most.
const BUFFER_PER_SECOND: f32 = 0.5;
const BUFFER_MAX: f32 = 0.5;
/// Overlaps are compared to a millionth.
const UNITS: f32 = 1e6;

/// The pairs (track, detection) with the greatest sum of overlaps; `overlap` is none for a pair that must
/// not be.
pub(super) fn assign(
    tracks: usize,
    detections: usize,
    overlap: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    if tracks == 0 || detections == 0 {
        return Vec::new();
    }
    // The algorithm wants no more rows than columns; surplus columns mean "none".
    let columns = tracks.max(detections);
    let weights = Matrix::from_fn(tracks, columns, |(t, d)| {
        if d < detections { overlap(t, d).map_or(0, |o| (o * UNITS) as i64) } else { 0 }
    });
    let (_, chosen) = kuhn_munkres(&weights);
    chosen.into_iter().enumerate().filter(|&(t, d)| weights[(t, d)] > 0).collect()
}

/// Overlap of where a track is guessed to be and of a detection, both widened the more the longer it was not seen: at
/// few pictures a second people leave the guess (Yang et al., "Hard to Track Objects with Irregular Motions and Similar
/// Appearances? Make It Easier by Buffering the Matching Space", 2023).
pub(super) fn buffered_iou(guess: &Region, detected: &Region, unseen: Duration) -> f32 {
    let by = (BUFFER_PER_SECOND * unseen.as_secs_f32()).min(BUFFER_MAX);
    let widened = |r: &Region| {
        let (x, y) = (by * (r.right - r.left), by * (r.bottom - r.top));
        Region { left: r.left - x, top: r.top - y, right: r.right + x, bottom: r.bottom + y }
    };
    iou(&widened(guess), &widened(detected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_unseen_the_farther_apart_two_boxes_may_be() {
        let region = |left: f32| Region { left, top: 0.2, right: left + 0.1, bottom: 0.5 };
        let after = |ms| buffered_iou(&region(0.1), &region(0.21), Duration::from_millis(ms));
        assert_eq!(after(0), 0.0);
        assert!(after(333) > 0.05 && after(1000) > after(333), "{} {}", after(333), after(1000));
        assert_eq!(after(1000), after(5000), "not without end");
    }

    #[test]
    fn the_best_sum_wins_over_the_best_pair() {
        let overlaps = [[0.6, 0.5], [0.5, 0.0]];
        let pairs = assign(2, 2, |t, d| Some(overlaps[t][d]).filter(|o| *o > 0.0));
        assert_eq!(pairs, [(0, 1), (1, 0)]);
    }

    #[test]
    fn forbidden_pairs_and_surplus_stay_alone() {
        assert_eq!(assign(3, 1, |t, _| (t == 1).then_some(0.4)), [(1, 0)]);
        assert!(assign(2, 2, |_, _| None).is_empty());
        assert!(assign(0, 2, |_, _| Some(1.0)).is_empty());
    }
}
