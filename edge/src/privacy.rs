//! Privacy: people are made unrecognisable before a picture leaves memory, and what a site has masked is black
//! before anything else sees the picture.

mod cover;
mod mask;

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::event::Region;

use crate::source::RgbPicture;
pub use cover::{Cover, CoverLog, may_show_a_person};
pub use mask::{MaskError, Masks};

/// Widens a person's box on each side by this share of its own size: detectors cut hair, hands and bags.
const MARGIN: f32 = 0.25;
/// A box is covered by at most this many blocks across, however near the person stands.
const BLOCKS_ACROSS: usize = 5;
/// Blocks are never smaller, in pixels: far people have few pixels to lose.
const MIN_BLOCK: usize = 8;

/// Covers each region with coarse blocks of their mean colours.
///
/// Blocks lie on a grid of the picture, not of the person: in a clip they stand still while somebody walks below
/// them. Their sides are powers of two, so that coarse ones are made of whole fine ones.
pub fn pixelate(picture: &mut RgbPicture, people: &[Region]) {
    let mut blocks: BTreeMap<usize, BTreeSet<(usize, usize)>> = BTreeMap::new();
    for region in people {
        let area = Area::around(region, picture);
        let side = area.width().div_ceil(BLOCKS_ACROSS).max(MIN_BLOCK).next_power_of_two();
        let of_side = blocks.entry(side).or_default();
        for row in area.top / side..area.bottom.div_ceil(side) {
            of_side.extend((area.left / side..area.right.div_ceil(side)).map(|column| (row, column)));
        }
    }
    // From fine to coarse: who stands near is never covered by the finer blocks of somebody behind them.
    for (side, places) in blocks {
        for (row, column) in places {
            let (left, top) = (column * side, row * side);
            let (right, bottom) = ((left + side).min(picture.width), (top + side).min(picture.height));
            level(picture, &Area { left, top, right, bottom });
        }
    }
}

/// What is covered for a person in this region: generously more.
pub fn widened(region: &Region) -> Region {
    let (dx, dy) = ((region.right - region.left) * MARGIN, (region.bottom - region.top) * MARGIN);
    Region {
        left: (region.left - dx).clamp(0.0, 1.0),
        top: (region.top - dy).clamp(0.0, 1.0),
        right: (region.right + dx).clamp(0.0, 1.0),
        bottom: (region.bottom + dy).clamp(0.0, 1.0),
    }
}

/// Pixels, right and bottom not included.
struct Area {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Area {
    fn around(region: &Region, picture: &RgbPicture) -> Self {
        let wide = widened(region);
        let pixel = |fraction: f32, size: usize| fraction * size as f32;
        Self {
            left: pixel(wide.left, picture.width).floor() as usize,
            top: pixel(wide.top, picture.height).floor() as usize,
            right: pixel(wide.right, picture.width).ceil() as usize,
            bottom: pixel(wide.bottom, picture.height).ceil() as usize,
        }
    }

    fn width(&self) -> usize {
        self.right.saturating_sub(self.left)
    }
}

/// Gives every pixel of the area their mean colour.
fn level(picture: &mut RgbPicture, area: &Area) {
    let stride = 3 * picture.width;
    let row = |y: usize| y * stride + 3 * area.left..y * stride + 3 * area.right;
    let mut sums = [0u64; 3];
    for y in area.top..area.bottom {
        for pixel in picture.pixels[row(y)].chunks_exact(3) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(*value);
            }
        }
    }
    let count = (area.width() * (area.bottom - area.top)) as u64;
    if count == 0 {
        return;
    }
    // A mean of bytes is a byte.
    let mean = sums.map(|sum| (sum / count) as u8);
    for y in area.top..area.bottom {
        for pixel in picture.pixels[row(y)].chunks_exact_mut(3) {
            pixel.copy_from_slice(&mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noise(width: usize, height: usize) -> RgbPicture {
        let pixels = (0..3 * width * height).map(|i| (i * 7919 % 251) as u8).collect();
        RgbPicture { width, height, pixels }
    }

    fn colours(picture: &RgbPicture, x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> usize {
        let pixel = |x: usize, y: usize| &picture.pixels[3 * (y * picture.width + x)..][..3];
        let all: std::collections::BTreeSet<_> =
            y.flat_map(|y| x.clone().map(move |x| pixel(x, y))).collect();
        all.len()
    }

    #[test]
    fn a_person_becomes_a_few_blocks_and_the_rest_stays() {
        let before = noise(200, 100);
        let mut after = before.clone();
        pixelate(&mut after, &[Region { left: 0.4, top: 0.2, right: 0.6, bottom: 0.9 }]);
        let detail = colours(&after, 70..130, 10..100);
        assert!(detail <= 6 * 9, "{detail} colours are left of the person and the margin");
        assert_eq!(after.pixels[..3 * 64], before.pixels[..3 * 64]);
    }

    #[test]
    fn blocks_stand_still_while_a_person_walks_and_near_ones_are_coarse() {
        let at = |left: f32, width: f32| Region { left, top: 0.2, right: left + width, bottom: 0.9 };
        let (mut one, mut other) = (noise(256, 128), noise(256, 128));
        pixelate(&mut one, &[at(0.40, 0.1)]);
        pixelate(&mut other, &[at(0.41, 0.1)]);
        let pixel = |picture: &RgbPicture, x: usize| picture.pixels[3 * (64 * 256 + x)..][..3].to_vec();
        assert!((104..128).all(|x| pixel(&one, x) == pixel(&other, x)));
        // Twice, in either order: the coarse blocks win.
        let (near, far) = (at(0.2, 0.5), at(0.4, 0.02));
        let mut orders = [noise(256, 128), noise(256, 128)];
        pixelate(&mut orders[0], &[near, far]);
        pixelate(&mut orders[1], &[far, near]);
        assert_eq!(orders[0], orders[1]);
        assert!(colours(&orders[0], 64..180, 32..96) <= 6 * 4);
    }

    proptest! {
        #[test]
        fn any_region_is_possible(l in -1f32..2.0, t in -1f32..2.0, w in 0f32..2.0, h in 0f32..2.0) {
            let mut picture = noise(61, 37);
            pixelate(&mut picture, &[Region { left: l, top: t, right: l + w, bottom: t + h }]);
            prop_assert_eq!(picture.pixels.len(), 3 * 61 * 37);
        }
    }
}
