//! Nobody may stay about in an area for long: one alarm for each stay, steps out of it and losses of sight
//! included.

use std::time::Duration;

use gatepost_wire::ZoneId;

use super::Finding;
use super::area::{Area, Kind};
use super::finding::sighting;
use super::guard::{Change, View, Watch};
use super::stay::{Inside, Stays, Terms, Told};
use crate::config::{LoiteringRule, Polygon};

pub(super) struct Loitering {
    zone: ZoneId,
    kind: Kind,
    area: Area,
    stays: Stays,
}

impl Loitering {
    pub(super) fn new(rule: &LoiteringRule, polygon: Polygon) -> Self {
        let clear = Duration::from_secs(rule.clear_s);
        Self {
            zone: rule.zone.clone(),
            kind: Kind { classes: rule.classes.clone(), min_height: rule.min_height },
            area: Area { polygon, point: rule.point },
            stays: Stays::new(Terms { need: Duration::from_secs(rule.after_s), gap: clear, clear }),
        }
    }

    fn change(&self, Told { alarm, phase, track, lasted }: Told) -> Change {
        let finding = Finding::Loitering { zone: self.zone.clone(), seen: sighting(&track), dwell: lasted };
        Change { alarm, phase, finding }
    }
}

impl Watch for Loitering {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        let inside: Vec<Inside<'_>> = view
            .tracks
            .iter()
            .filter(|track| self.kind.counts(track) && self.area.holds(&track.region))
            .map(|track| Inside { track, counts: true })
            .collect();
        let told = self.stays.look(&inside, view);
        told.into_iter().map(|told| self.change(told)).collect()
    }

    fn close(&mut self) -> Vec<Change> {
        let told = self.stays.close();
        told.into_iter().map(|told| self.change(told)).collect()
    }
}

#[cfg(test)]
mod tests;
