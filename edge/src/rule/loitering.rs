//! Nobody may stay about in an area for long: one alarm for each stay, steps out of it and losses of sight
//! included.

use std::time::Duration;

use gatepost_wire::ZoneId;

use super::Finding;
use super::area::{Area, Kind};
use super::finding::sighting;
use super::guard::{Change, View, Watch};
use super::stay::{Stays, Terms, Told};
use crate::config::{LoiteringRule, Polygon};
use crate::track::Track;

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
            stays: Stays::new(Terms {
                need: Duration::from_secs(rule.after_s),
                gap: clear,
                clear,
                lost: clear,
                only_from_outside: false,
            }),
        }
    }

    fn change(&self, Told { alarm, phase, track, lasted }: Told) -> Change {
        let finding = Finding::Loitering { zone: self.zone.clone(), seen: sighting(&track), dwell: lasted };
        Change { alarm, phase, finding }
    }
}

impl Watch for Loitering {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        let counted = view.tracks.iter().filter(|track| self.kind.counts(track));
        let (inside, outside): (Vec<&Track>, Vec<&Track>) =
            counted.partition(|track| self.area.holds(&track.region));
        let told = self.stays.look(&inside, &outside, view);
        told.into_iter().map(|told| self.change(told)).collect()
    }

    fn close(&mut self) -> Vec<Change> {
        let told = self.stays.close();
        told.into_iter().map(|told| self.change(told)).collect()
    }
}

#[cfg(test)]
mod tests;
