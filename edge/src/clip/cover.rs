//! Who has to be covered in each picture of a clip. A clip can look ahead as well as back: where somebody is
//! found at one look and again at a later one, they are covered in between, whatever the looks between said.
//! Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_wire::event::{Region, TrackNumber};

use crate::detect::{Detection, Scores};
use crate::privacy::may_show_a_person;
use crate::track::Tracker;

/// Where somebody was seen is covered for so long before and after.
pub const HELD: Duration = Duration::from_millis(600);
/// Looks within this time after a picture can change what is covered in it: whoever is found again within it, is
/// followed over the gap.
pub const AHEAD: Duration = Duration::from_secs(2);
/// From one look to the next. People at a run move about a width of theirs meanwhile.
pub const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Knows who was seen around a moment.
pub struct ClipCover {
    tracker: Tracker,
    /// Everything that was seen or believed at one time, by the clip's own looks and by the live ones.
    seen: Vec<(Duration, Vec<Region>)>,
    /// Where each followed thing was seen, and when.
    paths: BTreeMap<TrackNumber, Vec<(Duration, Region)>>,
}

impl ClipCover {
    /// Nothing seen yet but what was covered while it happened.
    pub fn new(scores: Scores, live: Vec<(Duration, Vec<Region>)>) -> Self {
        Self { tracker: Tracker::new(scores), seen: live, paths: BTreeMap::new() }
    }

    /// Takes what a look at one picture found; `at` only grows.
    pub fn look(&mut self, detections: &[Detection], at: Duration) {
        let people = detections.iter().filter(|d| may_show_a_person(d.class)).map(|d| d.region);
        let mut regions: Vec<Region> = people.collect();
        for track in self.tracker.update(detections, at) {
            if !may_show_a_person(track.class) {
                continue;
            }
            regions.push(track.region);
            if track.seen {
                self.paths.entry(track.number).or_default().push((at, track.region));
            }
        }
        self.seen.push((at, regions));
    }

    /// What is covered in the picture of `at`.
    pub fn at(&self, at: Duration) -> Vec<Region> {
        let near = |(then, _): &&(Duration, Vec<Region>)| then.abs_diff(at) <= HELD;
        let held = self.seen.iter().filter(near).flat_map(|(_, regions)| regions).copied();
        let between = self.paths.values().filter_map(|path| between(path, at));
        held.chain(between).collect()
    }

    /// Nobody will ask for pictures before `at` any more.
    pub fn forget_before(&mut self, at: Duration) {
        self.seen.retain(|(then, _)| *then + HELD >= at);
        self.paths.retain(|_, path| path.last().is_some_and(|(then, _)| *then + AHEAD >= at));
    }
}

/// Where something was at `at` that was seen before and after.
fn between(path: &[(Duration, Region)], at: Duration) -> Option<Region> {
    let after = path.partition_point(|(then, _)| *then <= at);
    let ((t0, a), (t1, b)) = (path.get(after.checked_sub(1)?)?, path.get(after)?);
    let part = (at - *t0).as_secs_f32() / (*t1 - *t0).as_secs_f32();
    let mix = |from: f32, to: f32| from + (to - from) * part;
    Some(Region {
        left: mix(a.left, b.left),
        top: mix(a.top, b.top),
        right: mix(a.right, b.right),
        bottom: mix(a.bottom, b.bottom),
    })
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::ObjectClass;
    use proptest::prelude::*;

    use super::*;
    use crate::detect::TrackScores;

    const MS: Duration = Duration::from_millis(1);

    fn scores() -> Scores {
        let each = TrackScores { sure: 0.8, start: 0.4, keep: 0.2 };
        Scores { cover: 0.1, people: each, vehicles: each }
    }

    /// Walks 0.05 of the picture a second.
    fn walker(at: Duration) -> Region {
        let left = 0.1 + 0.05 * at.as_secs_f32();
        Region { left, top: 0.3, right: left + 0.06, bottom: 0.6 }
    }

    fn seen(class: ObjectClass, region: Region) -> Detection {
        Detection { class, score: 0.7, region }
    }

    fn inside(region: &Region, x: f32) -> bool {
        region.left <= x && x <= region.right
    }

    #[test]
    fn a_car_is_not_covered_and_who_comes_is_covered_before() {
        let mut cover = ClipCover::new(scores(), Vec::new());
        cover.look(&[seen(ObjectClass::Car, walker(MS))], Duration::ZERO);
        let person = walker(600 * MS);
        cover.look(&[seen(ObjectClass::Person, person)], 600 * MS);
        assert_eq!(cover.at(Duration::ZERO), [person]);
        assert_eq!(cover.at(1300 * MS), []);
    }

    #[test]
    fn what_was_covered_live_is_covered_in_the_clip() {
        let region = walker(MS);
        let cover = ClipCover::new(scores(), vec![(1000 * MS, vec![region])]);
        assert_eq!(cover.at(500 * MS), [region]);
        assert_eq!(cover.at(1601 * MS), []);
    }

    #[test]
    fn forgetting_changes_nothing_later() {
        let mut cover = ClipCover::new(scores(), Vec::new());
        for look in 0..20u32 {
            let at = look * LOOK_EVERY;
            cover.look(&[seen(ObjectClass::Person, walker(at))], at);
        }
        let later: Vec<_> = (10..38).map(|i| cover.at(i * 100 * MS)).collect();
        cover.forget_before(1000 * MS);
        assert_eq!((10..38).map(|i| cover.at(i * 100 * MS)).collect::<Vec<_>>(), later);
    }

    proptest! {
        /// However many looks miss somebody, between two that find them their middle is covered.
        #[test]
        fn who_is_missed_between_two_looks_stays_covered(
            missed in prop::collection::vec(any::<bool>(), 30),
        ) {
            let mut cover = ClipCover::new(scores(), Vec::new());
            let (mut hits, mut in_a_row) = (Vec::new(), 0);
            for (look, missed) in (0u32..).zip(missed) {
                let at = look * LOOK_EVERY;
                // The tracker waits 1.5 s for who is missed; two looks make a track.
                let missed = missed && look > 2 && in_a_row < 6;
                in_a_row = if missed { in_a_row + 1 } else { 0 };
                let found = seen(ObjectClass::Person, walker(at));
                cover.look(if missed { &[] } else { std::slice::from_ref(&found) }, at);
                if !missed {
                    hits.push(at);
                }
            }
            let last = hits.last().copied().unwrap_or_default();
            for picture in (0u32..60).map(|i| i * 100 * MS).take_while(|at| *at <= last) {
                let truth = walker(picture);
                let middle = (truth.left + truth.right) / 2.0;
                prop_assert!(cover.at(picture).iter().any(|region| inside(region, middle)), "at {picture:?}");
            }
        }
    }
}
