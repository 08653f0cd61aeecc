//! Nobody may go over a line. One crossing is one alarm, however long somebody dithers on the line: it counts
//! once they are clear of it on the other side, and the way back only after that.

use std::time::Duration;

use gatepost_wire::ZoneId;
use gatepost_wire::event::{Direction, Phase, Region};

use super::Finding;
use super::area::Kind;
use super::finding::sighting;
use super::guard::{AlarmCount, Change, View, Watch};
use super::presence::Presence;
use crate::config::{CrossingDirection, LineCrossingRule, Point, Polyline};
use crate::detect::iou;
use crate::track::Track;

/// Clear of the line is who stands this fraction of their box's height beside it.
const CLEAR: f32 = 0.25;
/// Whoever is not seen for this long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3);
/// A new track this close to where another was lost is believed to be the same thing.
const SAME_THING_IOU: f32 = 0.1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn of(offset: f32) -> Self {
        if offset < 0.0 { Self::Left } else { Self::Right }
    }
}

/// Someone near the line or elsewhere in the picture.
struct Walker {
    track: Track,
    presence: Presence,
    /// The side they were last clear of the line on; at first the side they appeared on.
    side: Side,
    /// How often they went over the line itself since then, left to right less right to left. Who walks around
    /// its end changes sides without crossing it.
    crossings: i32,
}

pub(super) struct LineCrossing {
    line: ZoneId,
    points: Polyline,
    kind: Kind,
    direction: CrossingDirection,
    walkers: Vec<Walker>,
    alarms: AlarmCount,
}

impl LineCrossing {
    pub(super) fn new(rule: &LineCrossingRule, points: Polyline) -> Self {
        Self {
            line: rule.line.clone(),
            points,
            kind: Kind { classes: rule.classes.clone(), min_height: rule.min_height },
            direction: rule.direction,
            walkers: Vec::new(),
            alarms: AlarmCount::default(),
        }
    }

    /// Follows one track to its new place; says which way it went over the line, if it now has.
    fn follow(&mut self, track: &Track, view: &View<'_>) -> Option<Direction> {
        let index = self.walker_of(track, view.tracks).unwrap_or_else(|| {
            self.walkers.push(self.newcomer(track, view));
            self.walkers.len() - 1
        });
        let walker = &mut self.walkers[index];
        let foot = Point::foot_of(&track.region);
        walker.crossings += self.points.crossings(Point::foot_of(&walker.track.region), foot);
        walker.track = track.clone();
        walker.presence.see(view.at);
        let offset = self.points.offset(foot);
        if offset.abs() < CLEAR * height(&track.region) {
            return None;
        }
        let (from, to) = (std::mem::replace(&mut walker.side, Side::of(offset)), Side::of(offset));
        match (from, to, std::mem::take(&mut walker.crossings)) {
            (Side::Left, Side::Right, 1..) => Some(Direction::LeftToRight),
            (Side::Right, Side::Left, ..=-1) => Some(Direction::RightToLeft),
            _ => None,
        }
    }

    /// Someone new comes from where they were first seen: a few frames pass before it is known that they are no scenery, and
    /// at few pictures a second they may be over the line by then.
    fn newcomer(&self, track: &Track, view: &View<'_>) -> Walker {
        let is_young = view.at.saturating_sub(track.birth.at) <= FORGOTTEN;
        let region = if is_young { track.birth.region } else { track.region };
        let born = Track { region, ..track.clone() };
        let side = Side::of(self.points.offset(Point::foot_of(&born.region)));
        Walker { track: born, presence: Presence::new(view.at), side, crossings: 0 }
    }

    /// The walker with the track's number, or one who was lost where it appeared.
    fn walker_of(&self, track: &Track, tracks: &[Track]) -> Option<usize> {
        let known = self.walkers.iter().position(|walker| walker.track.number == track.number);
        let is_seen = |walker: &Walker| tracks.iter().any(|t| t.seen && t.number == walker.track.number);
        known.or_else(|| {
            self.walkers.iter().position(|walker| {
                !is_seen(walker) && iou(&walker.track.region, &track.region) >= SAME_THING_IOU
            })
        })
    }

    fn is_watched(&self, direction: Direction) -> bool {
        match self.direction {
            CrossingDirection::Both => true,
            CrossingDirection::LeftToRight => direction == Direction::LeftToRight,
            CrossingDirection::RightToLeft => direction == Direction::RightToLeft,
        }
    }

    fn crossing(&mut self, track: &Track, direction: Direction) -> [Change; 2] {
        let alarm = self.alarms.next();
        [Phase::Began, Phase::Ended].map(|phase| {
            let (line, seen) = (self.line.clone(), sighting(track));
            Change { alarm, phase, finding: Finding::LineCrossing { line, direction, seen } }
        })
    }
}

fn height(region: &Region) -> f32 {
    region.bottom - region.top
}

impl Watch for LineCrossing {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        let mut changes = Vec::new();
        // A place that is only guessed is none to cross a line at.
        for track in view.tracks.iter().filter(|track| track.seen) {
            if !self.kind.counts(track) {
                continue;
            }
            if let Some(direction) = self.follow(track, view).filter(|way| self.is_watched(*way))
                && view.may_begin
            {
                changes.extend(self.crossing(track, direction));
            }
        }
        self.walkers.retain_mut(|walker| {
            if walker.presence.last_seen != view.at {
                walker.presence.miss(view.at);
            }
            walker.presence.is_here() || walker.presence.away(view.at) < FORGOTTEN
        });
        changes
    }

    fn close(&mut self) -> Vec<Change> {
        self.walkers.clear();
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
