//! Looking at a snapshot: decode it, and measure how much fine detail a region holds.

use std::path::Path;

use gatepost_edge::source::{Clip, RgbPicture};
use gatepost_wire::Timestamp;
use gatepost_wire::event::Region;

/// Every picture of a clip or of a picture file.
pub fn decode(file: &Path, mut take: impl FnMut(RgbPicture)) {
    gstreamer::init().unwrap();
    let mut clip = Clip::open(file, Timestamp::now()).unwrap();
    while let Some(frame) = clip.next_frame().unwrap() {
        take(frame.to_rgb().unwrap());
    }
}

/// Decodes a JPEG.
pub fn decode_jpeg(jpeg: &[u8]) -> RgbPicture {
    let file = tempfile::Builder::new().suffix(".jpg").tempfile().unwrap();
    std::fs::write(file.path(), jpeg).unwrap();
    let mut pictures = Vec::new();
    decode(file.path(), |picture| pictures.push(picture));
    assert_eq!(pictures.len(), 1);
    pictures.remove(0)
}

fn luma(picture: &RgbPicture, x: usize, y: usize) -> i32 {
    let pixel = &picture.pixels[3 * (y * picture.width + x)..][..3];
    (pixel.iter().map(|&v| i32::from(v)).sum::<i32>()) / 3
}

/// Mean difference of two pictures of one size, in grey levels.
pub fn difference(a: &RgbPicture, b: &RgbPicture) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let places = (0..a.height).step_by(4).flat_map(|y| (0..a.width).step_by(4).map(move |x| (x, y)));
    let (mut sum, mut count) = (0, 0);
    for (x, y) in places {
        sum += (luma(a, x, y) - luma(b, x, y)).abs();
        count += 1;
    }
    f64::from(sum) / f64::from(count)
}

/// Share of neighbouring pixels inside a region that are clearly different. Blocks of one colour have such
/// steps at their borders only; hair, folds and limbs have them everywhere.
pub fn detail(picture: &RgbPicture, region: &Region) -> f64 {
    const STEP: i32 = 6;
    let pixel =
        |fraction: f32, size: usize| ((fraction.clamp(0.0, 1.0) * size as f32) as usize).min(size - 2);
    let columns = pixel(region.left, picture.width)..pixel(region.right, picture.width);
    let rows = pixel(region.top, picture.height)..pixel(region.bottom, picture.height);
    let (mut steps, mut count) = (0, 0);
    for (x, y) in rows.flat_map(|y| columns.clone().map(move |x| (x, y))) {
        let here = luma(picture, x, y);
        steps += i32::from((here - luma(picture, x + 1, y)).abs() > STEP);
        steps += i32::from((here - luma(picture, x, y + 1)).abs() > STEP);
        count += 2;
    }
    f64::from(steps) / f64::from(count.max(1))
}
