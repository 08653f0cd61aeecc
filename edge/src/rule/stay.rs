//! Stays: who has been in an area for how long. One stay is one alarm, whatever numbers its track had.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_wire::event::{Phase, Region, TrackNumber};

use super::AlarmNumber;
use super::guard::{AlarmCount, View};
use super::presence::Presence;
use crate::config::Point;
use crate::detect::iou;
use crate::track::Track;

/// A new track this close to where another was lost is believed to be the same happening.
const SAME_HAPPENING_IOU: f32 = 0.1;
/// A new track is given this long to show that it is none of those already known.
const SETTLING: Duration = Duration::from_secs(1);
/// The tracker may see the old and the new track of one thing side by side for this long.
const HANDOVER: Duration = Duration::from_millis(500);

/// The time of a stay that is no alarm yet passes to a new number only this soon: where many come and go one after
/// another, a chain of them must not add up to one who stays.
const SOON: Duration = Duration::from_secs(2);
/// This close to the picture's edge, whoever is lost has left the picture, and whoever appears has come into it.
const EDGE: f32 = 0.01;
/// How far somebody gets out of sight, in heights of their box: a step aside, as far as people walk in a
/// second, and never farther than this.
const STEP_ASIDE: f32 = 0.5;
const WALKED_IN_A_SECOND: f32 = 1.0;
const FARTHEST: f32 = 3.0;

/// How long a stay must and may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// A stay this long is an alarm.
    pub(super) need: Duration,
    /// A stay that is no alarm survives a gap this long.
    pub(super) gap: Duration,
    /// An alarm ends when whoever it is about has been seen outside and not inside for this long.
    pub(super) clear: Duration,
    /// An alarm ends when whoever it is about has not been seen at all for this long.
    pub(super) lost: Duration,
    /// Is it an alarm only after having been seen outside?
    pub(super) only_from_outside: bool,
}

/// What became of a stay.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) alarm: AlarmNumber,
    pub(super) phase: Phase,
    pub(super) track: Track,
    pub(super) lasted: Duration,
}

struct Stay {
    track: Track,
    presence: Presence,
    /// Where and since when it has been seen under this number.
    first: Track,
    own_since: Duration,
    settled: bool,
    /// Did it come from outside the area or the picture? If not, it was most likely there all along.
    from_outside: bool,
    /// Not seen in the last frame, but believed to be inside still.
    believed: bool,
    /// Last seen outside or at the picture's edge, so it has left and is not lost.
    left: bool,
}

impl Stay {
    fn told(&self, alarm: AlarmNumber, phase: Phase) -> Told {
        Told { alarm, phase, track: self.track.clone(), lasted: self.presence.lasted() }
    }

    fn own_age(&self) -> Duration {
        self.presence.last_seen.saturating_sub(self.own_since)
    }

    /// Was it lost when and where the other appeared? Then says how far apart that was.
    fn apart_from_heir(&self, other: &Self) -> Option<f32> {
        if self.presence.last_seen > other.own_since + HANDOVER {
            return None;
        }
        let near = |track: &Track| iou(&self.track.region, &track.region) >= SAME_HAPPENING_IOU;
        let apart = Point::foot_of(&self.track.region).distance(Point::foot_of(&other.first.region));
        let lost_for = other.own_since.saturating_sub(self.presence.last_seen);
        if self.presence.alarm.is_none() && (self.left || lost_for > SOON) {
            return None;
        }
        let reach = (STEP_ASIDE + WALKED_IN_A_SECOND * lost_for.as_secs_f32()).min(FARTHEST);
        let in_reach = apart <= reach * height(&self.track.region).max(height(&other.first.region));
        let is_same =
            near(&other.first) || near(&other.track) || (in_reach && !self.left && !other.from_outside);
        is_same.then_some(apart)
    }

    fn is_over(&self, at: Duration, Terms { gap, clear, lost, .. }: Terms) -> bool {
        let away = self.presence.away(at);
        !self.presence.is_here()
            && match (self.presence.alarm, self.left) {
                (Some(_), true) => away >= clear,
                (Some(_), false) => away >= lost,
                (None, _) => away >= gap && !self.believed,
            }
    }
}

fn height(region: &Region) -> f32 {
    region.bottom - region.top
}

fn at_edge(region: &Region) -> bool {
    region.left.min(region.top) <= EDGE || region.right.max(region.bottom) >= 1.0 - EDGE
}

/// The stays in one area.
pub(super) struct Stays {
    terms: Terms,
    stays: Vec<Stay>,
    /// Those whose last seen place is outside.
    outside: BTreeSet<TrackNumber>,
    alarms: AlarmCount,
}

impl Stays {
    pub(super) fn new(terms: Terms) -> Self {
        Self { terms, stays: Vec::new(), outside: BTreeSet::new(), alarms: AlarmCount::default() }
    }

    /// Takes one frame and which of the tracks that count are inside and outside.
    pub(super) fn look(&mut self, inside: &[&Track], outside: &[&Track], view: &View<'_>) -> Vec<Told> {
        for track in inside {
            self.note(track, view.at);
        }
        let seen_outside = || outside.iter().filter(|track| track.seen).map(|track| track.number);
        for stay in &mut self.stays {
            let found = inside.iter().find(|track| track.number == stay.track.number);
            stay.believed = found.is_some_and(|track| !track.seen);
            if found.is_some_and(|track| track.seen) {
                stay.left = false;
            } else {
                stay.left |=
                    at_edge(&stay.track.region) || seen_outside().any(|number| number == stay.track.number);
                stay.presence.miss(view.at);
            }
        }
        self.outside.retain(|number| {
            let is = |track: &Track| track.number == *number;
            view.tracks.iter().any(is) && !inside.iter().any(|track| track.seen && is(track))
        });
        self.outside.extend(seen_outside());
        let mut told = self.end_left(view.at);
        told.extend(self.settle(view.tracks));
        if view.may_begin {
            told.extend(self.begin_due());
        }
        told
    }

    /// Ends all of them.
    pub(super) fn close(&mut self) -> Vec<Told> {
        self.outside.clear();
        let stays = std::mem::take(&mut self.stays);
        stays.iter().filter_map(|stay| Some(stay.told(stay.presence.alarm?, Phase::Ended))).collect()
    }

    fn note(&mut self, track: &Track, at: Duration) {
        match self.stays.iter_mut().find(|stay| stay.track.number == track.number) {
            Some(stay) => {
                stay.track = track.clone();
                // A place that is only guessed keeps a stay alive, but does not make it longer.
                if track.seen {
                    stay.presence.see(at);
                }
            }
            None if track.seen => self.stays.push(Stay {
                track: track.clone(),
                presence: Presence::new(at),
                first: track.clone(),
                own_since: at,
                settled: false,
                from_outside: self.outside.contains(&track.number) || at_edge(&track.region),
                believed: false,
                left: false,
            }),
            None => {}
        }
    }

    /// Ends the stays nobody has been seen in for long enough.
    fn end_left(&mut self, at: Duration) -> Vec<Told> {
        let terms = self.terms;
        let (left, stays) =
            std::mem::take(&mut self.stays).into_iter().partition(|stay: &Stay| stay.is_over(at, terms));
        self.stays = stays;
        left.iter().filter_map(|stay| Some(stay.told(stay.presence.alarm?, Phase::Ended))).collect()
    }

    /// The tracker sometimes loses somebody and finds them again under another number. The stay of a track that
    /// was lost where a new one appeared goes on with the new one.
    fn settle(&mut self, tracks: &[Track]) -> Vec<Told> {
        let settling = SETTLING.min(self.terms.need);
        let is_due = |stay: &&Stay| !stay.settled && stay.presence.is_here() && stay.own_age() >= settling;
        let due: Vec<TrackNumber> = self.stays.iter().filter(is_due).map(|stay| stay.track.number).collect();
        due.into_iter().filter_map(|number| self.inherit(number, tracks)).collect()
    }

    fn inherit(&mut self, number: TrackNumber, tracks: &[Track]) -> Option<Told> {
        let heir = self.stays.iter().position(|stay| stay.track.number == number)?;
        self.stays[heir].settled = true;
        let is_seen = |number: TrackNumber| tracks.iter().any(|track| track.number == number && track.seen);
        // An alarm first, for it must not be told twice; then the nearest.
        let lost = self
            .stays
            .iter()
            .enumerate()
            .filter(|(_, stay)| !is_seen(stay.track.number))
            .filter_map(|(place, stay)| Some((place, stay, stay.apart_from_heir(&self.stays[heir])?)))
            .min_by(|(_, a, a_apart), (_, b, b_apart)| {
                let no_alarm = |stay: &Stay| stay.presence.alarm.is_none();
                no_alarm(a).cmp(&no_alarm(b)).then(a_apart.total_cmp(b_apart))
            })
            .map(|(place, ..)| place)?;
        let (presence, from_outside) = (self.stays[lost].presence.clone(), self.stays[lost].from_outside);
        let stay = &mut self.stays[heir];
        stay.presence.since = presence.since;
        stay.presence.alarm = presence.alarm;
        stay.from_outside |= from_outside;
        let told = presence.alarm.map(|alarm| stay.told(alarm, Phase::Updated));
        self.stays.remove(lost);
        told
    }

    /// Makes an alarm of every stay that has lasted long enough.
    fn begin_due(&mut self) -> Vec<Told> {
        let Self { terms, stays, alarms, .. } = self;
        let is_due = |stay: &&mut Stay| {
            let presence = &stay.presence;
            presence.alarm.is_none()
                && (stay.from_outside || !terms.only_from_outside)
                && stay.settled
                && presence.is_here()
                && presence.lasted() >= terms.need
        };
        stays
            .iter_mut()
            .filter(is_due)
            .map(|stay| {
                let alarm = alarms.next();
                stay.presence.alarm = Some(alarm);
                stay.told(alarm, Phase::Began)
            })
            .collect()
    }
}
