//! From single pixels to areas that are large enough to be something.

use gatepost_wire::event::Region;
use opencv::core::{BORDER_CONSTANT, CV_32S, Mat, Point, Size};
use opencv::imgproc::{
    CC_STAT_AREA, CC_STAT_HEIGHT, CC_STAT_LEFT, CC_STAT_TOP, CC_STAT_WIDTH, MORPH_CLOSE, MORPH_OPEN,
    MORPH_RECT, connected_components_with_stats, get_structuring_element_def,
    morphology_default_border_value, morphology_ex,
};
use opencv::prelude::*;

use super::MotionError;
use crate::config::AreaShare;

/// Whatever is thinner is a rain drop or noise.
const SPECK: i32 = 3;
/// Parts of one thing that the background shines through are no farther apart.
const GAP: i32 = 5;

/// Finds areas in masks.
pub(super) struct Blobs {
    min_area: AreaShare,
    speck: Mat,
    gap: Mat,
}

impl Blobs {
    pub(super) fn new(min_area: AreaShare) -> Result<Self, MotionError> {
        let square = |side| get_structuring_element_def(MORPH_RECT, Size::new(side, side));
        Ok(Self { min_area, speck: square(SPECK)?, gap: square(GAP)? })
    }

    /// The areas where `mask` is not 0.
    pub(super) fn find(&self, mask: &Mat) -> Result<Vec<Region>, MotionError> {
        let solid = self.clean(mask)?;
        let (mut labels, mut stats, mut centres) = (Mat::default(), Mat::default(), Mat::default());
        let count =
            connected_components_with_stats(&solid, &mut labels, &mut stats, &mut centres, 8, CV_32S)?;
        let (width, height) = (solid.cols() as f32, solid.rows() as f32);
        let least = self.min_area.get() * width * height;
        let mut areas = Vec::new();
        // The first is the background.
        for label in 1..count {
            let stat = |column: i32| stats.at_2d::<i32>(label, column).map(|value| *value as f32);
            if stat(CC_STAT_AREA)? < least {
                continue;
            }
            let (left, top) = (stat(CC_STAT_LEFT)?, stat(CC_STAT_TOP)?);
            areas.push(Region {
                left: left / width,
                top: top / height,
                right: (left + stat(CC_STAT_WIDTH)?) / width,
                bottom: (top + stat(CC_STAT_HEIGHT)?) / height,
            });
        }
        Ok(areas)
    }

    fn clean(&self, mask: &Mat) -> Result<Mat, MotionError> {
        let pass = |from: &Mat, operation, kernel: &Mat| -> Result<Mat, MotionError> {
            let mut to = Mat::default();
            let border = morphology_default_border_value()?;
            morphology_ex(from, &mut to, operation, kernel, Point::new(-1, -1), 1, BORDER_CONSTANT, border)?;
            Ok(to)
        };
        pass(&pass(mask, MORPH_OPEN, &self.speck)?, MORPH_CLOSE, &self.gap)
    }
}
