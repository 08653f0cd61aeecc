//! The pedestrian clip as thumbnails, decoded once for all tests.

use std::sync::OnceLock;
use std::time::Duration;

use gatepost_wire::Timestamp;

use super::{Thumbnail, Thumbnailer};
use crate::source::Clip;

/// All of it, with the place of each in the clip.
pub(crate) fn pedestrians() -> &'static [(Duration, Thumbnail)] {
    static THUMBNAILS: OnceLock<Vec<(Duration, Thumbnail)>> = OnceLock::new();
    THUMBNAILS.get_or_init(|| {
        gstreamer::init().unwrap();
        let file = gatepost_testbed::footage::vtest().expect("run `setup/install.sh footage` first");
        let mut clip = Clip::open(&file, Timestamp::now()).unwrap();
        let mut thumbnailer = Thumbnailer::default();
        let mut thumbnails = Vec::new();
        while let Some(frame) = clip.next_frame().unwrap() {
            thumbnails.push((frame.at, thumbnailer.take(&frame).unwrap()));
        }
        thumbnails
    })
}

/// A picture whose every pixel is made of its place and of what was there.
pub(crate) fn altered(
    picture: &Thumbnail,
    mut pixel: impl FnMut(usize, usize, &dyn Fn(isize, isize) -> u8) -> u8,
) -> Thumbnail {
    let (width, height) = (picture.width(), picture.height());
    let at = |x: isize, y: isize| {
        let x = x.clamp(0, width as isize - 1) as usize;
        let y = y.clamp(0, height as isize - 1) as usize;
        picture.pixels()[y * width + x]
    };
    let pixels = (0..width * height).map(|i| pixel(i % width, i / width, &at)).collect();
    Thumbnail::new(width, height, pixels).unwrap()
}

/// Gaussian enough: the noise of a sensor.
pub(crate) fn noise(random: &mut fastrand::Rng, sigma: f32) -> f32 {
    let sum: f32 = (0..12).map(|_| random.f32()).sum();
    (sum - 6.0) * sigma
}

/// A brightness as a byte.
pub(crate) fn byte(level: f32) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}
