//! No vehicle may stand in an area, such as a fire lane: one alarm for each that stands.

use std::time::Duration;

use gatepost_wire::ZoneId;

use super::Finding;
use super::area::{Area, Kind};
use super::finding::sighting;
use super::guard::{Change, View, Watch};
use super::spot::{Spots, Told};
use crate::config::{Polygon, VehicleStoppedRule};
use crate::track::Track;

/// A vehicle seen elsewhere, with no more than this much overlap, has left its place; somebody in front of it
/// cuts its box less.
const LEFT_IOU: f32 = 0.3;

pub(super) struct VehicleStopped {
    zone: ZoneId,
    kind: Kind,
    area: Area,
    after: Duration,
    spots: Spots<Track>,
}

impl VehicleStopped {
    pub(super) fn new(rule: &VehicleStoppedRule, polygon: Polygon) -> Self {
        Self {
            zone: rule.zone.clone(),
            kind: Kind { classes: rule.classes.clone(), min_height: rule.min_height },
            area: Area { polygon, point: rule.point },
            after: Duration::from_secs(rule.after_s),
            spots: Spots::new(rule.play.get(), Duration::from_secs(rule.clear_s)),
        }
    }

    fn change(&self, Told { alarm, phase, spot }: Told<Track>) -> Change {
        let (seen, still) = (sighting(&spot.what), spot.still());
        Change { alarm, phase, finding: Finding::VehicleStopped { zone: self.zone.clone(), seen, still } }
    }
}

impl Watch for VehicleStopped {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        let found = view
            .tracks
            .iter()
            .filter(|track| track.seen && self.kind.counts(track) && self.area.holds(&track.region))
            .map(|track| (track.region, track.clone()))
            .collect();
        let mut told = self.spots.look(found, view.at, |known, seen| *known = seen);
        // Otherwise vehicles that pass one after another would add up to one that stands.
        self.spots.forget(|spot| {
            let is_elsewhere = |track: &Track| {
                track.seen && track.number == spot.what.number && spot.overlap(&track.region) < LEFT_IOU
            };
            view.tracks.iter().any(is_elsewhere)
        });
        if view.may_begin {
            let after = self.after;
            told.extend(self.spots.begin(|spot| spot.still() >= after));
        }
        told.into_iter().map(|told| self.change(told)).collect()
    }

    fn close(&mut self) -> Vec<Change> {
        let told = self.spots.close();
        told.into_iter().map(|told| self.change(told)).collect()
    }
}

#[cfg(test)]
mod tests;
