//! Which track continues in which detection.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

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

#[cfg(test)]
mod tests {
    use super::*;

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
