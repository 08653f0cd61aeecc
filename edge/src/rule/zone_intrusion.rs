//! Nobody may stay in an area, or come in, or go out: one alarm for each stay.

use std::time::Duration;

use gatepost_wire::ZoneId;

use super::Finding;
use super::area::{Area, Kind};
use super::finding::sighting;
use super::guard::{Change, View, Watch};
use super::stay::{Stays, Terms, Told};
use crate::config::{Passage, Polygon, ZoneIntrusionRule};
use crate::track::Track;
use leaving::Leavings;

mod leaving;

/// A stay that is not yet an alarm survives a gap this long: a step behind a post.
const GAP: Duration = Duration::from_millis(600);
/// Who is lost from sight inside has most likely not left: an alarm waits for them at least this long.
const LOST: Duration = Duration::from_secs(5);

pub(super) struct ZoneIntrusion {
    zone: ZoneId,
    kind: Kind,
    area: Area,
    passage: Passages,
}

/// What counts, and what must be remembered for it.
enum Passages {
    Staying(Stays),
    Leaving(Leavings),
}

impl ZoneIntrusion {
    pub(super) fn new(rule: &ZoneIntrusionRule, polygon: Polygon) -> Self {
        let need = Duration::from_millis(rule.dwell_ms);
        let clear = Duration::from_millis(rule.clear_ms);
        let passage = match rule.direction {
            Passage::Leaving => Passages::Leaving(Leavings::new(need)),
            Passage::Inside | Passage::Entering => Passages::Staying(Stays::new(Terms {
                need,
                gap: GAP,
                clear,
                lost: clear.max(LOST),
                only_from_outside: rule.direction == Passage::Entering,
            })),
        };
        Self {
            zone: rule.zone.clone(),
            kind: Kind { classes: rule.classes.clone(), min_height: rule.min_height },
            area: Area { polygon, point: rule.point },
            passage,
        }
    }

    fn change(&self, Told { alarm, phase, track, lasted }: Told) -> Change {
        let finding =
            Finding::ZoneIntrusion { zone: self.zone.clone(), seen: sighting(&track), dwell: lasted };
        Change { alarm, phase, finding }
    }
}

impl Watch for ZoneIntrusion {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        let counted = view.tracks.iter().filter(|track| self.kind.counts(track));
        let (inside, outside): (Vec<&Track>, Vec<&Track>) =
            counted.partition(|track| self.area.holds(&track.region));
        let told = match &mut self.passage {
            Passages::Staying(stays) => stays.look(&inside, &outside, view),
            Passages::Leaving(leavings) => leavings.look(&inside, &outside, view),
        };
        told.into_iter().map(|told| self.change(told)).collect()
    }

    fn close(&mut self) -> Vec<Change> {
        let told = match &mut self.passage {
            Passages::Staying(stays) => stays.close(),
            Passages::Leaving(leavings) => {
                leavings.close();
                Vec::new()
            }
        };
        told.into_iter().map(|told| self.change(told)).collect()
    }
}

#[cfg(test)]
mod tests;
