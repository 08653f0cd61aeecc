//! Does anything move that may be something?

use std::time::Duration;

use gatepost_wire::event::Region;
use opencv::core::{Mat, count_non_zero};
use opencv::prelude::*;

use super::background::Background;
use super::blobs::Blobs;
use super::{MotionError, Thumbnail};
use crate::config::{self, Point, Polygon};

/// When more of the picture changes at once it is the light, not something in it (or something so large
/// that the rest of the picture says little): what was learned is of no use any more.
const RELIT: f32 = 0.5;

/// What moves in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// Where.
    pub areas: Vec<Region>,
    /// Share of the picture that is not as usual, specks included, places to ignore not.
    pub share: f32,
    /// So much changed at once that all was learned anew.
    pub relit: bool,
}

impl Motion {
    /// Does anything move?
    pub fn moved(&self) -> bool {
        !self.areas.is_empty()
    }
}

/// Watches one camera's thumbnails for motion.
pub struct Gate {
    background: Background,
    blobs: Blobs,
    ignore: Vec<Polygon>,
    ignored: Option<Ignored>,
}

/// Where motion does not count, for thumbnails of one size.
struct Ignored {
    width: usize,
    height: usize,
    pixels: Vec<bool>,
}

impl Gate {
    /// A gate that has seen nothing yet.
    ///
    /// # Errors
    /// [`MotionError`] when OpenCV has no memory.
    pub fn new(config: &config::Motion) -> Result<Self, MotionError> {
        Ok(Self {
            background: Background::new()?,
            blobs: Blobs::new(config.min_area)?,
            ignore: config.ignore.iter().map(|ignore| ignore.polygon.clone()).collect(),
            ignored: None,
        })
    }

    /// Takes one thumbnail; `at` only grows. In the very first everything moves.
    ///
    /// # Errors
    /// [`MotionError`]; the gate can be used again.
    pub fn see(&mut self, picture: &Thumbnail, at: Duration) -> Result<Motion, MotionError> {
        let mut unusual = self.background.see(picture, at)?;
        let relit = share(&unusual)? > RELIT;
        if relit {
            self.background.restart(picture)?;
        }
        self.ignore(&mut unusual, picture)?;
        Ok(Motion { areas: self.blobs.find(&unusual)?, share: share(&unusual)?, relit })
    }

    fn ignore(&mut self, unusual: &mut Mat, picture: &Thumbnail) -> Result<(), MotionError> {
        if self.ignore.is_empty() {
            return Ok(());
        }
        let fits = |ignored: &Ignored| (ignored.width, ignored.height) == (picture.width(), picture.height());
        let ignored = match self.ignored.take().filter(fits) {
            Some(ignored) => ignored,
            None => Ignored::new(&self.ignore, picture),
        };
        let ignored = self.ignored.insert(ignored);
        for (pixel, _) in unusual.data_bytes_mut()?.iter_mut().zip(&ignored.pixels).filter(|(_, i)| **i) {
            *pixel = 0;
        }
        Ok(())
    }
}

impl Ignored {
    fn new(polygons: &[Polygon], picture: &Thumbnail) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let centre = |i: usize, count: usize| (i as f32 + 0.5) / count as f32;
        let pixels = (0..height)
            .flat_map(|y| (0..width).map(move |x| Point { x: centre(x, width), y: centre(y, height) }))
            .map(|point| polygons.iter().any(|polygon| polygon.contains(point)))
            .collect();
        Self { width, height, pixels }
    }
}

fn share(mask: &Mat) -> Result<f32, MotionError> {
    Ok(count_non_zero(mask)? as f32 / mask.total().max(1) as f32)
}
