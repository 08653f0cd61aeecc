//! Nothing may be left lying in an area. Left is what lies still while nobody is near; whose it is nobody asks.

use std::time::Duration;

use gatepost_wire::ZoneId;
use gatepost_wire::event::{ObjectClass, Region};

use super::Finding;
use super::area::{Area, is_high_enough};
use super::guard::{Change, View, Watch};
use super::spot::{Spots, Told};
use crate::config::{Fraction, ObjectLeftRule, Point, Polygon};

/// The edges of still foreground waver more than a detector's box.
const PLAY: f32 = 0.25;

/// Since when nobody has been near.
type AloneSince = Option<Duration>;

pub(super) struct ObjectLeft {
    zone: ZoneId,
    area: Area,
    min_height: Fraction,
    near: f32,
    after: Duration,
    unattended: Duration,
    spots: Spots<AloneSince>,
}

impl ObjectLeft {
    pub(super) fn new(rule: &ObjectLeftRule, polygon: Polygon) -> Self {
        Self {
            zone: rule.zone.clone(),
            area: Area { polygon, point: rule.point },
            min_height: rule.min_height,
            near: rule.near.get(),
            after: Duration::from_secs(rule.after_s),
            unattended: Duration::from_secs(rule.unattended_s),
            spots: Spots::new(PLAY, Duration::from_secs(rule.clear_s)),
        }
    }

    fn change(&self, Told { alarm, phase, spot }: Told<AloneSince>) -> Change {
        let (region, still) = (spot.region, spot.still());
        Change { alarm, phase, finding: Finding::ObjectLeft { zone: self.zone.clone(), region, still } }
    }
}

impl Watch for ObjectLeft {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        let found = view
            .things_left
            .iter()
            .filter(|region| self.area.holds(region) && is_high_enough(region, self.min_height))
            .map(|region| (*region, None))
            .collect();
        let mut told = self.spots.look(found, view.at, |_, _| {});
        // Whoever is only believed to be there is near as well: a guess must not raise an alarm.
        let people: Vec<&Region> =
            view.tracks.iter().filter(|t| t.class == ObjectClass::Person).map(|t| &t.region).collect();
        for spot in self.spots.iter_mut() {
            let attended = people.iter().any(|person| apart(person, &spot.region) <= self.near);
            spot.what = if attended { None } else { spot.what.or(Some(view.at)) };
        }
        if view.may_begin {
            let Self { after, unattended, spots, .. } = self;
            let alone = |since: AloneSince| since.is_some_and(|it| view.at.saturating_sub(it) >= *unattended);
            told.extend(spots.begin(|spot| spot.still() >= *after && alone(spot.what)));
        }
        told.into_iter().map(|told| self.change(told)).collect()
    }

    fn close(&mut self) -> Vec<Change> {
        let told = self.spots.close();
        told.into_iter().map(|told| self.change(told)).collect()
    }
}

/// How far two boxes are apart; 0 when they touch.
fn apart(a: &Region, b: &Region) -> f32 {
    let gap = |low: f32, high: f32, other_low: f32, other_high: f32| {
        (other_low - high).max(low - other_high).max(0.0)
    };
    let x = gap(a.left, a.right, b.left, b.right);
    let y = gap(a.top, a.bottom, b.top, b.bottom);
    Point { x: 0.0, y: 0.0 }.distance(Point { x, y })
}

#[cfg(test)]
mod tests;
