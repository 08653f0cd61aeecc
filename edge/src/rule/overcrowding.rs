//! No more than so many may be in an area at once. A count, and nothing else.

use std::time::Duration;

use gatepost_wire::ZoneId;
use gatepost_wire::event::Phase;

use super::area::{Area, Kind};
use super::guard::{AlarmCount, Change, View, Watch};
use super::{AlarmNumber, Finding};
use crate::config::{OvercrowdingRule, Polygon};
use crate::detect::iou;
use crate::track::Track;

/// A thing only believed to be where another is seen is most likely that other one.
const SAME_THING_IOU: f32 = 0.5;
/// Told again when there are this many times more than last told.
const NOTABLY_MORE: f32 = 1.2;

struct Crowd {
    alarm: AlarmNumber,
    told: u32,
    thin_since: Option<Duration>,
}

pub(super) struct Overcrowding {
    zone: ZoneId,
    kind: Kind,
    area: Area,
    limit: u32,
    /// The alarm ends when there are no more than this.
    thin: u32,
    hold: Duration,
    crowded_since: Option<Duration>,
    count: u32,
    crowd: Option<Crowd>,
    alarms: AlarmCount,
}

impl Overcrowding {
    pub(super) fn new(rule: &OvercrowdingRule, polygon: Polygon) -> Self {
        Self {
            zone: rule.zone.clone(),
            kind: Kind { classes: rule.classes.clone(), min_height: rule.min_height },
            area: Area { polygon, point: rule.point },
            limit: rule.limit,
            thin: rule.limit.saturating_sub(rule.hysteresis),
            hold: Duration::from_millis(rule.hold_ms),
            crowded_since: None,
            count: 0,
            crowd: None,
            alarms: AlarmCount::default(),
        }
    }

    /// Those believed to be there count too: in a crowd people are hidden by others all the time.
    fn count(&self, tracks: &[Track]) -> u32 {
        let is_inside = |track: &&Track| self.kind.counts(track) && self.area.holds(&track.region);
        let (seen, believed): (Vec<&Track>, Vec<&Track>) =
            tracks.iter().filter(is_inside).partition(|track| track.seen);
        let is_seen = |believed: &&&Track| {
            seen.iter().any(|track| iou(&track.region, &believed.region) >= SAME_THING_IOU)
        };
        let unseen = believed.iter().filter(|track| !is_seen(track)).count();
        u32::try_from(seen.len() + unseen).unwrap_or(u32::MAX)
    }

    fn change(&self, alarm: AlarmNumber, phase: Phase) -> Change {
        let (zone, count, limit) = (self.zone.clone(), self.count, self.limit);
        Change { alarm, phase, finding: Finding::Overcrowding { zone, count, limit } }
    }

    fn go_on(&mut self, mut crowd: Crowd, at: Duration) -> Vec<Change> {
        if self.count > self.thin {
            crowd.thin_since = None;
        } else if at.saturating_sub(*crowd.thin_since.get_or_insert(at)) >= self.hold {
            return vec![self.change(crowd.alarm, Phase::Ended)];
        }
        let mut changes = Vec::new();
        if self.count > crowd.told && self.count as f32 >= crowd.told as f32 * NOTABLY_MORE {
            crowd.told = self.count;
            changes.push(self.change(crowd.alarm, Phase::Updated));
        }
        self.crowd = Some(crowd);
        changes
    }

    fn begin(&mut self, view: &View<'_>) -> Vec<Change> {
        let Some(since) = self.crowded_since else { return Vec::new() };
        if !view.may_begin || view.at.saturating_sub(since) < self.hold {
            return Vec::new();
        }
        let alarm = self.alarms.next();
        self.crowd = Some(Crowd { alarm, told: self.count, thin_since: None });
        vec![self.change(alarm, Phase::Began)]
    }
}

impl Watch for Overcrowding {
    fn look(&mut self, view: &View<'_>) -> Vec<Change> {
        self.count = self.count(view.tracks);
        self.crowded_since = (self.count > self.limit).then(|| self.crowded_since.unwrap_or(view.at));
        match self.crowd.take() {
            Some(crowd) => self.go_on(crowd, view.at),
            None => self.begin(view),
        }
    }

    fn close(&mut self) -> Vec<Change> {
        self.crowded_since = None;
        let crowd = self.crowd.take();
        crowd.map(|crowd| self.change(crowd.alarm, Phase::Ended)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
