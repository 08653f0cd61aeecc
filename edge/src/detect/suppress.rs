//! Boxes in the model's own pixels, and keeping one of several that mean the same thing.

use gatepost_wire::event::Region;

/// A box in pixels of the model's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl From<Bounds> for Region {
    /// The same edges; overlap does not ask for the unit.
    fn from(b: Bounds) -> Self {
        Self { left: b.left, top: b.top, right: b.right, bottom: b.bottom }
    }
}

/// What a decoder found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Index among the model's classes.
    pub class: usize,
    pub score: f32,
    pub bounds: Bounds,
}

/// Intersection over union of two boxes, 0 to 1.
pub fn iou(a: &Region, b: &Region) -> f32 {
    let width = (a.right.min(b.right) - a.left.max(b.left)).max(0.0);
    let height = (a.bottom.min(b.bottom) - a.top.max(b.top)).max(0.0);
    let area = |r: &Region| (r.right - r.left).max(0.0) * (r.bottom - r.top).max(0.0);
    let union = area(a) + area(b) - width * height;
    if union > 0.0 { width * height / union } else { 0.0 }
}

/// Greedy non-maximum suppression, class by class: the best box wins over those of its class that overlap it
/// by more than `nms_iou`. Returns boxes by falling score.
pub(super) fn suppress(mut found: Vec<Found>, nms_iou: f32) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for candidate in found {
        let doubled = kept
            .iter()
            .any(|k| k.class == candidate.class && iou(&k.bounds.into(), &candidate.bounds.into()) > nms_iou);
        if !doubled {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(class: usize, score: f32, left: f32) -> Found {
        Found { class, score, bounds: Bounds { left, top: 0.0, right: left + 10.0, bottom: 10.0 } }
    }

    #[test]
    fn the_best_of_overlapping_boxes_stays() {
        let kept = suppress(vec![found(0, 0.5, 0.0), found(0, 0.9, 1.0), found(0, 0.4, 30.0)], 0.5);
        assert_eq!(kept, vec![found(0, 0.9, 1.0), found(0, 0.4, 30.0)]);
    }

    #[test]
    fn other_classes_do_not_suppress() {
        assert_eq!(suppress(vec![found(0, 0.5, 0.0), found(2, 0.9, 0.0)], 0.5).len(), 2);
    }
}
