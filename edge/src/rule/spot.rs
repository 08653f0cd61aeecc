//! Spots: places where something stands still. The place makes it the same thing, so neither a new number nor
//! somebody who walks in front breaks it.

use std::time::Duration;

use gatepost_wire::event::{Phase, Region};

use super::AlarmNumber;
use super::guard::AlarmCount;
use super::presence::Presence;
use crate::config::Point;
use crate::detect::iou;

/// This much overlap is the same place, however the box was cut.
const SAME_PLACE_IOU: f32 = 0.7;

/// Something stands here.
#[derive(Debug, Clone)]
pub(super) struct Spot<T> {
    /// Where it came to rest: compared with this, it cannot creep away unnoticed.
    place: Region,
    /// As last seen.
    pub(super) region: Region,
    pub(super) what: T,
    presence: Presence,
}

impl<T> Spot<T> {
    /// How long it has stood, as far as it was seen.
    pub(super) fn still(&self) -> Duration {
        self.presence.lasted()
    }

    pub(super) fn is_here(&self) -> bool {
        self.presence.is_here()
    }

    /// How much of its place a box still covers.
    pub(super) fn overlap(&self, region: &Region) -> f32 {
        iou(&self.place, region)
    }
}

/// An alarm began or ended at a spot.
pub(super) struct Told<T> {
    pub(super) alarm: AlarmNumber,
    pub(super) phase: Phase,
    pub(super) spot: Spot<T>,
}

/// The spots of one area.
pub(super) struct Spots<T> {
    /// Still is what is displaced by less than this fraction of its size.
    play: f32,
    /// Whatever has not been seen for this long is gone.
    clear: Duration,
    spots: Vec<Spot<T>>,
    alarms: AlarmCount,
}

impl<T: Clone> Spots<T> {
    pub(super) fn new(play: f32, clear: Duration) -> Self {
        Self { play, clear, spots: Vec::new(), alarms: AlarmCount::default() }
    }

    /// Takes what one frame shows; `again` updates what is known of a thing that was known. Returns the alarms of
    /// what is gone.
    pub(super) fn look(
        &mut self,
        found: Vec<(Region, T)>,
        at: Duration,
        again: impl Fn(&mut T, T),
    ) -> Vec<Told<T>> {
        let mut seen = vec![false; self.spots.len()];
        for (region, what) in found {
            match self.spot_of(&region) {
                Some(index) => {
                    let spot = &mut self.spots[index];
                    spot.region = region;
                    spot.presence.see(at);
                    again(&mut spot.what, what);
                    seen[index] = true;
                }
                None => {
                    self.spots.push(Spot { place: region, region, what, presence: Presence::new(at) });
                    seen.push(true);
                }
            }
        }
        for (spot, _) in self.spots.iter_mut().zip(seen).filter(|(_, seen)| !seen) {
            spot.presence.miss(at);
        }
        let clear = self.clear;
        let (gone, spots) = std::mem::take(&mut self.spots)
            .into_iter()
            .partition(|spot| !spot.is_here() && spot.presence.away(at) >= clear);
        self.spots = spots;
        ended(gone)
    }

    /// Forgets the spots that are no alarm and of which this is true.
    pub(super) fn forget(&mut self, is_wrong: impl Fn(&Spot<T>) -> bool) {
        self.spots.retain(|spot| spot.presence.alarm.is_some() || !is_wrong(spot));
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Spot<T>> {
        self.spots.iter_mut()
    }

    /// Begins an alarm at every spot that is due and has none. A place at which something is seen now and then is
    /// one where things pass, not one where something stands.
    pub(super) fn begin(&mut self, is_due: impl Fn(&Spot<T>) -> bool) -> Vec<Told<T>> {
        let Self { spots, alarms, .. } = self;
        spots
            .iter_mut()
            .filter(|spot| spot.presence.alarm.is_none() && spot.is_here() && spot.presence.is_mostly_seen())
            .filter(|spot| is_due(spot))
            .map(|spot| {
                let alarm = alarms.next();
                spot.presence.alarm = Some(alarm);
                Told { alarm, phase: Phase::Began, spot: spot.clone() }
            })
            .collect()
    }

    /// Ends all of them.
    pub(super) fn close(&mut self) -> Vec<Told<T>> {
        ended(std::mem::take(&mut self.spots))
    }

    /// The spot that is at this place.
    fn spot_of(&self, region: &Region) -> Option<usize> {
        let is_same = |spot: &&Spot<T>| {
            let moved = Point::centre_of(&spot.place).distance(Point::centre_of(region));
            spot.overlap(region) >= SAME_PLACE_IOU || moved < self.play * size(&spot.place)
        };
        let candidates = self.spots.iter().enumerate().filter(|(_, spot)| is_same(spot));
        candidates
            .max_by(|(_, a), (_, b)| a.overlap(region).total_cmp(&b.overlap(region)))
            .map(|(index, _)| index)
    }
}

fn ended<T>(spots: Vec<Spot<T>>) -> Vec<Told<T>> {
    let told = |spot: Spot<T>| Some(Told { alarm: spot.presence.alarm?, phase: Phase::Ended, spot });
    spots.into_iter().filter_map(told).collect()
}

/// The longer side of a box, as a fraction of the picture's height.
fn size(region: &Region) -> f32 {
    let corner = |x, y| Point { x, y };
    let along = |a: Point, b: Point| a.distance(b);
    along(corner(region.left, region.top), corner(region.right, region.top))
        .max(along(corner(region.left, region.top), corner(region.left, region.bottom)))
}
