//! Nobody may stay in an area: one alarm for each stay.

use std::time::Duration;

use gatepost_wire::event::{Phase, TrackNumber};

use super::{AlarmNumber, Decision};
use crate::config::{Point, Polygon, ZoneIntrusionRule};
use crate::detect::iou;
use crate::track::Track;

/// A stay that is not yet an alarm survives a gap this long: a step behind a post.
const GAP: Duration = Duration::from_millis(600);
/// A new track this close to where an alarmed one was lost is believed to be the same happening.
const SAME_HAPPENING_IOU: f32 = 0.1;

struct Stay {
    track: Track,
    since: Duration,
    last_inside: Duration,
    alarm: Option<AlarmNumber>,
}

impl Stay {
    fn dwell(&self) -> Duration {
        self.last_inside.saturating_sub(self.since)
    }
}

pub(super) struct ZoneIntrusion {
    rule: ZoneIntrusionRule,
    polygon: Polygon,
    stays: Vec<Stay>,
    alarms: u64,
}

impl ZoneIntrusion {
    pub(super) fn new(rule: ZoneIntrusionRule, polygon: Polygon) -> Self {
        Self { rule, polygon, stays: Vec::new(), alarms: 0 }
    }

    pub(super) fn decide(&mut self, tracks: &[Track], at: Duration) -> Vec<Decision> {
        let inside: Vec<&Track> = tracks
            .iter()
            .filter(|t| {
                self.rule.classes.contains(&t.class) && self.polygon.contains(Point::foot_of(&t.region))
            })
            .collect();
        for track in &inside {
            self.note(track, at);
        }
        let mut decisions = self.end_left(&inside, at);
        decisions.extend(self.begin_due(&inside));
        decisions
    }

    fn note(&mut self, track: &Track, at: Duration) {
        match self.stays.iter_mut().find(|stay| stay.track.number == track.number) {
            Some(stay) => {
                stay.track = track.clone();
                // A place that is only guessed keeps a stay alive, but does not make it longer.
                if track.seen {
                    stay.last_inside = at;
                }
            }
            None if track.seen => {
                self.stays.push(Stay { track: track.clone(), since: at, last_inside: at, alarm: None });
            }
            None => {}
        }
    }

    /// Ends the stays nobody has been seen in for long enough.
    fn end_left(&mut self, inside: &[&Track], at: Duration) -> Vec<Decision> {
        let clear = Duration::from_millis(self.rule.clear_ms);
        let is_inside = |number: TrackNumber| inside.iter().any(|track| track.number == number);
        let (left, stays) = std::mem::take(&mut self.stays).into_iter().partition(|stay: &Stay| {
            let away = at.saturating_sub(stay.last_inside);
            if stay.alarm.is_some() { away >= clear } else { away >= GAP && !is_inside(stay.track.number) }
        });
        self.stays = stays;
        left.iter().filter_map(|stay| self.decision(stay, stay.alarm?, Phase::Ended)).collect()
    }

    /// Makes an alarm of every stay that has lasted long enough.
    fn begin_due(&mut self, inside: &[&Track]) -> Vec<Decision> {
        let dwell = Duration::from_millis(self.rule.dwell_ms);
        let is_due = |stay: &Stay| stay.alarm.is_none() && stay.track.seen && stay.dwell() >= dwell;
        let due: Vec<TrackNumber> = self.stays.iter().filter(|s| is_due(s)).map(|s| s.track.number).collect();
        due.into_iter().filter_map(|number| self.begin(number, inside)).collect()
    }

    fn begin(&mut self, number: TrackNumber, inside: &[&Track]) -> Option<Decision> {
        let lost = self.take_lost_near(number, inside);
        let place = self.stays.iter().position(|stay| stay.track.number == number)?;
        let (alarm, phase) = match lost {
            Some((alarm, since)) => {
                self.stays[place].since = since;
                (alarm, Phase::Updated)
            }
            None => {
                self.alarms += 1;
                (AlarmNumber(self.alarms), Phase::Began)
            }
        };
        self.stays[place].alarm = Some(alarm);
        self.decision(&self.stays[place], alarm, phase)
    }

    /// The tracker sometimes loses a person and finds them again under another number. The alarm of a track
    /// lost where this one is now goes on with this one.
    fn take_lost_near(&mut self, number: TrackNumber, inside: &[&Track]) -> Option<(AlarmNumber, Duration)> {
        let region = self.stays.iter().find(|stay| stay.track.number == number)?.track.region;
        let is_seen = |number: TrackNumber| inside.iter().any(|track| track.number == number && track.seen);
        let lost = self.stays.iter().position(|stay| {
            stay.alarm.is_some()
                && !is_seen(stay.track.number)
                && iou(&stay.track.region, &region) >= SAME_HAPPENING_IOU
        })?;
        let lost = self.stays.remove(lost);
        Some((lost.alarm?, lost.since))
    }

    fn decision(&self, stay: &Stay, alarm: AlarmNumber, phase: Phase) -> Option<Decision> {
        Some(Decision {
            rule: self.rule.id.clone(),
            zone: self.rule.zone.clone(),
            severity: self.rule.severity,
            alarm,
            phase,
            track: stay.track.clone(),
            dwell: stay.dwell(),
        })
    }
}

#[cfg(test)]
mod tests;
