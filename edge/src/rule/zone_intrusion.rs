//! Nobody may stay in an area, or come in, or go out: one alarm for each stay.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_wire::ZoneId;
use gatepost_wire::event::TrackNumber;

use super::Finding;
use super::area::{Area, Kind};
use super::finding::sighting;
use super::guard::{Change, View, Watch};
use super::stay::{Inside, Stays, Terms, Told};
use crate::config::{Passage, Polygon, ZoneIntrusionRule};
use crate::track::Track;
use leaving::Leavings;

mod leaving;

/// A stay that is not yet an alarm survives a gap this long: a step behind a post.
const GAP: Duration = Duration::from_millis(600);

pub(super) struct ZoneIntrusion {
    zone: ZoneId,
    kind: Kind,
    area: Area,
    passage: Passages,
}

/// What counts, and what must be remembered for it.
enum Passages {
    Inside(Stays),
    /// With those whose last seen place is outside.
    Entering(Stays, BTreeSet<TrackNumber>),
    Leaving(Leavings),
}

impl ZoneIntrusion {
    pub(super) fn new(rule: &ZoneIntrusionRule, polygon: Polygon) -> Self {
        let need = Duration::from_millis(rule.dwell_ms);
        let stays = Stays::new(Terms { need, gap: GAP, clear: Duration::from_millis(rule.clear_ms) });
        let passage = match rule.direction {
            Passage::Inside => Passages::Inside(stays),
            Passage::Entering => Passages::Entering(stays, BTreeSet::new()),
            Passage::Leaving => Passages::Leaving(Leavings::new(need)),
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
        let all = |counts: &dyn Fn(&Track) -> bool| -> Vec<Inside<'_>> {
            inside.iter().map(|track| Inside { track, counts: counts(track) }).collect()
        };
        let told = match &mut self.passage {
            Passages::Inside(stays) => stays.look(&all(&|_| true), view),
            Passages::Entering(stays, came_from_outside) => {
                let told = stays.look(&all(&|track| came_from_outside.contains(&track.number)), view);
                came_from_outside.retain(|number| {
                    let is = |track: &&Track| track.number == *number;
                    view.tracks.iter().any(|track| is(&track)) && !inside.iter().any(|t| t.seen && is(t))
                });
                came_from_outside.extend(outside.iter().filter(|track| track.seen).map(|track| track.number));
                told
            }
            Passages::Leaving(leavings) => leavings.look(&inside, &outside, view),
        };
        told.into_iter().map(|told| self.change(told)).collect()
    }

    fn close(&mut self) -> Vec<Change> {
        let told = match &mut self.passage {
            Passages::Inside(stays) => stays.close(),
            Passages::Entering(stays, came_from_outside) => {
                came_from_outside.clear();
                stays.close()
            }
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
