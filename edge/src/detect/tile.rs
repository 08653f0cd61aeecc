//! Looking at a picture piece by piece: a person far away in a wide picture is too small once the whole picture is
//! brought to the model's input, and large enough once a tile is (Akyon et al., "Slicing Aided Hyper Inference
//! and Fine-tuning for Small Object Detection", 2022).

use gatepost_wire::event::Region;

use super::Detection;
use super::suppress::iou;
use crate::config::Tiles;
use crate::source::Frame;

/// A box that ends so near to a seam, as a share of its tile, may go on behind it.
const AT_THE_SEAM: f32 = 0.015;
/// So much of a cut box inside another of its class, and it is a piece of that.
const PIECE: f32 = 0.5;

/// A part of a frame, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// Something seen in a part, as fractions of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    detection: Detection,
    /// It touches a seam, so it may be a piece of something.
    cut: bool,
}

impl Seen {
    /// Seen in the whole frame, which has no seams.
    pub(super) fn whole(detection: Detection) -> Self {
        Self { detection, cut: false }
    }
}

impl Part {
    /// All of a frame.
    pub(super) fn whole(frame: &Frame) -> Self {
        Self { left: 0, top: 0, width: frame.width(), height: frame.height() }
    }

    /// Brings what was seen in this part, as fractions of it, to the frame.
    pub(super) fn see(&self, detection: Detection, frame: &Frame) -> Seen {
        self.place(detection, Self::whole(frame))
    }

    fn place(&self, detection: Detection, frame: Self) -> Seen {
        let Region { left, top, right, bottom } = detection.region;
        let cut = (left < AT_THE_SEAM && self.left > 0)
            || (top < AT_THE_SEAM && self.top > 0)
            || (right > 1.0 - AT_THE_SEAM && self.left + self.width < frame.width)
            || (bottom > 1.0 - AT_THE_SEAM && self.top + self.height < frame.height);
        let x = |x: f32| (self.left as f32 + x * self.width as f32) / frame.width as f32;
        let y = |y: f32| (self.top as f32 + y * self.height as f32) / frame.height as f32;
        let region = Region { left: x(left), top: y(top), right: x(right), bottom: y(bottom) };
        Seen { detection: Detection { region, ..detection }, cut }
    }
}

/// The tiles of a frame, row by row.
pub(super) fn parts(frame: &Frame, tiles: &Tiles) -> Vec<Part> {
    cut(Part::whole(frame), tiles)
}

fn cut(frame: Part, tiles: &Tiles) -> Vec<Part> {
    let columns = spans(frame.width, tiles.columns.get(), tiles.overlap.get());
    let rows = spans(frame.height, tiles.rows.get(), tiles.overlap.get());
    let row = |&(top, height): &(u32, u32)| {
        columns.iter().map(move |&(left, width)| Part { left, top, width, height }).collect::<Vec<_>>()
    };
    rows.iter().flat_map(row).collect()
}

/// Cuts a side into `count` pieces, each sharing `overlap` of itself with the next: starts and lengths, even
/// numbers, because chroma is stored for pairs of pixels.
fn spans(side: u32, count: u32, overlap: f32) -> Vec<(u32, u32)> {
    let length = side as f32 / (count as f32 - (count - 1) as f32 * overlap);
    let step = length * (1.0 - overlap);
    let start = |i: u32| ((i as f32 * step) as u32) & !1;
    let span = |i: u32| {
        let end =
            if i + 1 == count { side } else { ((start(i) as f32 + length) as u32 & !1).max(start(i + 1)) };
        (start(i), end - start(i))
    };
    // A picture too small to cut is taken whole.
    if side < 4 * count { vec![(0, side)] } else { (0..count).map(span).collect() }
}

/// What was seen in overlapping parts, each thing once, by falling score: whole boxes suppress each other as
/// usual; then pieces are dropped that lie in a whole box or in a better piece of their class.
pub(super) fn merge(mut seen: Vec<Seen>, nms_iou: f32) -> Vec<Detection> {
    seen.sort_by(|a, b| a.cut.cmp(&b.cut).then(b.detection.score.total_cmp(&a.detection.score)));
    let mut kept: Vec<Detection> = Vec::with_capacity(seen.len());
    for Seen { detection, cut } in seen {
        let is_seen = |other: &Detection| {
            other.class == detection.class
                && (iou(&other.region, &detection.region) > nms_iou
                    || cut && share_inside(&detection.region, &other.region) > PIECE)
        };
        if !kept.iter().any(is_seen) {
            kept.push(detection);
        }
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score));
    kept
}

/// Share of `piece` that lies in `whole`.
fn share_inside(piece: &Region, whole: &Region) -> f32 {
    let width = (piece.right.min(whole.right) - piece.left.max(whole.left)).max(0.0);
    let height = (piece.bottom.min(whole.bottom) - piece.top.max(whole.top)).max(0.0);
    let area = (piece.right - piece.left) * (piece.bottom - piece.top);
    if area > 0.0 { width * height / area } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::ObjectClass;
    use proptest::prelude::*;

    use super::*;

    const WIDE: Part = Part { left: 0, top: 0, width: 1920, height: 1080 };

    fn tiles(columns: u32, rows: u32, overlap: f32) -> Tiles {
        toml::from_str(&format!("columns = {columns}\nrows = {rows}\noverlap = {overlap}")).unwrap()
    }

    fn person(score: f32, [left, top, right, bottom]: [f32; 4]) -> Detection {
        Detection { class: ObjectClass::Person, score, region: Region { left, top, right, bottom } }
    }

    #[test]
    fn tiles_share_what_they_should() {
        let parts = cut(WIDE, &tiles(2, 1, 0.2));
        let expected = [
            Part { left: 0, top: 0, width: 1066, height: 1080 },
            Part { left: 852, top: 0, width: 1068, height: 1080 },
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn a_box_finds_its_place_in_the_frame() {
        let part = Part { left: 960, top: 540, width: 960, height: 540 };
        let seen = part.place(person(0.5, [0.5, 0.5, 0.6, 0.9]), WIDE);
        assert_eq!(seen.detection.region, Region { left: 0.75, top: 0.75, right: 0.8, bottom: 0.95 });
        assert!(!seen.cut);
        assert!(part.place(person(0.5, [0.0, 0.5, 0.1, 0.9]), WIDE).cut, "at the left seam");
        assert!(!part.place(person(0.5, [0.9, 0.5, 1.0, 1.0]), WIDE).cut, "at the picture's edge is no seam");
    }

    #[test]
    fn who_stands_on_a_seam_is_one() {
        let whole = Seen::whole(person(0.4, [0.45, 0.2, 0.55, 0.8]));
        let piece =
            |score, left, right| Seen { detection: person(score, [left, 0.2, right, 0.8]), cut: true };
        // Halves score better than the whole; they are pieces of it all the same.
        let merged = merge(vec![piece(0.9, 0.45, 0.5), piece(0.8, 0.5, 0.55), whole], 0.5);
        assert_eq!(merged, [whole.detection]);
        // Nobody saw it whole: what overlaps becomes one.
        let merged = merge(vec![piece(0.9, 0.45, 0.53), piece(0.8, 0.48, 0.54)], 0.5);
        assert_eq!(merged, [person(0.9, [0.45, 0.2, 0.53, 0.8])]);
        // Somebody beside the seam is somebody else.
        let other = Seen::whole(person(0.3, [0.6, 0.2, 0.7, 0.8]));
        assert_eq!(merge(vec![whole, other, piece(0.9, 0.45, 0.5)], 0.5).len(), 2);
    }

    proptest! {
        /// Every pixel is in a tile; tiles are even and inside the picture.
        #[test]
        fn tiles_cover_the_picture(
            (width, height) in (2u32..4000, 2u32..3000),
            (columns, rows) in (1u32..=8, 1u32..=8),
            overlap in 0.0f32..=0.5,
        ) {
            let frame = Part { left: 0, top: 0, width: width & !1, height: height & !1 };
            let parts = cut(frame, &tiles(columns, rows, overlap));
            for part in &parts {
                prop_assert!(part.left % 2 == 0 && part.top % 2 == 0 && part.width >= 2 && part.height >= 2);
                prop_assert!(part.left + part.width <= frame.width && part.top + part.height <= frame.height);
            }
            let covered = |x: u32, y: u32| parts.iter().any(|p| {
                (p.left..p.left + p.width).contains(&x) && (p.top..p.top + p.height).contains(&y)
            });
            for (x, y) in (0..40).map(|i| (i * (frame.width - 1) / 39, (i * 7 % 40) * (frame.height - 1) / 39)) {
                prop_assert!(covered(x, y), "{x},{y} of {frame:?} in {parts:?}");
            }
        }
    }
}
