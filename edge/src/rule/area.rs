//! Which things count, and when they are in an area.

use std::collections::BTreeSet;

use gatepost_wire::event::{ObjectClass, Region};

use crate::config::{BoxPoint, Fraction, Point, Polygon};
use crate::track::Track;

/// Which things count.
pub(super) struct Kind {
    pub(super) classes: BTreeSet<ObjectClass>,
    pub(super) min_height: Fraction,
}

impl Kind {
    pub(super) fn counts(&self, track: &Track) -> bool {
        self.classes.contains(&track.class) && is_high_enough(&track.region, self.min_height)
    }
}

pub(super) fn is_high_enough(region: &Region, min_height: Fraction) -> bool {
    region.bottom - region.top >= min_height.get()
}

/// An area, and which point of a box must be in it.
pub(super) struct Area {
    pub(super) polygon: Polygon,
    pub(super) point: BoxPoint,
}

impl Area {
    pub(super) fn holds(&self, region: &Region) -> bool {
        match self.point {
            BoxPoint::Foot => self.polygon.contains(Point::foot_of(region)),
            BoxPoint::Centre => self.polygon.contains(Point::centre_of(region)),
            BoxPoint::Any => self.polygon.overlaps(region),
        }
    }
}
