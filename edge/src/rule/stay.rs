//! Stays: who has been in an area for how long. One stay is one alarm, whatever numbers its track had.

use std::time::Duration;

use gatepost_wire::event::{Phase, TrackNumber};

use super::AlarmNumber;
use super::guard::{AlarmCount, View};
use super::presence::Presence;
use crate::detect::iou;
use crate::track::Track;

/// A new track this close to where another was lost is believed to be the same happening.
const SAME_HAPPENING_IOU: f32 = 0.1;
/// A new track is given this long to show that it is none of those already known.
const SETTLING: Duration = Duration::from_secs(1);
/// The tracker may see the old and the new track of one thing side by side for this long.
const HANDOVER: Duration = Duration::from_millis(500);

/// How long a stay must and may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// A stay this long is an alarm.
    pub(super) need: Duration,
    /// A stay that is no alarm survives a gap this long.
    pub(super) gap: Duration,
    /// An alarm ends when nobody has been seen for this long.
    pub(super) clear: Duration,
}

/// A track that is in the area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inside<'a> {
    pub(super) track: &'a Track,
    /// May its stay become an alarm, should it begin now?
    pub(super) counts: bool,
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
    counts: bool,
    /// Not seen in the last frame, but believed to be inside still.
    believed: bool,
}

impl Stay {
    fn told(&self, alarm: AlarmNumber, phase: Phase) -> Told {
        Told { alarm, phase, track: self.track.clone(), lasted: self.presence.lasted() }
    }

    fn own_age(&self) -> Duration {
        self.presence.last_seen.saturating_sub(self.own_since)
    }

    /// Was it lost where the other appeared, when the other appeared?
    fn may_have_become(&self, other: &Self) -> bool {
        let near = |track: &Track| iou(&self.track.region, &track.region) >= SAME_HAPPENING_IOU;
        self.presence.last_seen <= other.own_since + HANDOVER && (near(&other.first) || near(&other.track))
    }
}

/// The stays in one area.
pub(super) struct Stays {
    terms: Terms,
    stays: Vec<Stay>,
    alarms: AlarmCount,
}

impl Stays {
    pub(super) fn new(terms: Terms) -> Self {
        Self { terms, stays: Vec::new(), alarms: AlarmCount::default() }
    }

    /// Takes one frame and which of its tracks are inside.
    pub(super) fn look(&mut self, inside: &[Inside<'_>], view: &View<'_>) -> Vec<Told> {
        for it in inside {
            self.note(it, view.at);
        }
        for stay in &mut self.stays {
            let found = inside.iter().find(|it| it.track.number == stay.track.number);
            stay.believed = found.is_some_and(|it| !it.track.seen);
            if !found.is_some_and(|it| it.track.seen) {
                stay.presence.miss(view.at);
            }
        }
        let mut told = self.end_left(view.at);
        told.extend(self.settle(view.tracks));
        if view.may_begin {
            told.extend(self.begin_due());
        }
        told
    }

    /// Ends all of them.
    pub(super) fn close(&mut self) -> Vec<Told> {
        let stays = std::mem::take(&mut self.stays);
        stays.iter().filter_map(|stay| Some(stay.told(stay.presence.alarm?, Phase::Ended))).collect()
    }

    fn note(&mut self, inside: &Inside<'_>, at: Duration) {
        let Inside { track, counts } = *inside;
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
                counts,
                believed: false,
            }),
            None => {}
        }
    }

    /// Ends the stays nobody has been seen in for long enough.
    fn end_left(&mut self, at: Duration) -> Vec<Told> {
        let Terms { gap, clear, .. } = self.terms;
        let (left, stays) = std::mem::take(&mut self.stays).into_iter().partition(|stay: &Stay| {
            let away = stay.presence.away(at);
            let over =
                if stay.presence.alarm.is_some() { away >= clear } else { away >= gap && !stay.believed };
            over && !stay.presence.is_here()
        });
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
        // An alarm first: it must not be told twice.
        let lost = self
            .stays
            .iter()
            .enumerate()
            .filter(|(_, stay)| !is_seen(stay.track.number) && stay.may_have_become(&self.stays[heir]))
            .max_by_key(|(_, stay)| (stay.presence.alarm.is_some(), stay.presence.last_seen))
            .map(|(place, _)| place)?;
        let (presence, counts) = (self.stays[lost].presence.clone(), self.stays[lost].counts);
        let stay = &mut self.stays[heir];
        stay.presence.since = presence.since;
        stay.presence.alarm = presence.alarm;
        stay.counts |= counts;
        let told = presence.alarm.map(|alarm| stay.told(alarm, Phase::Updated));
        self.stays.remove(lost);
        told
    }

    /// Makes an alarm of every stay that has lasted long enough.
    fn begin_due(&mut self) -> Vec<Told> {
        let Self { terms, stays, alarms } = self;
        let is_due = |stay: &&mut Stay| {
            let presence = &stay.presence;
            presence.alarm.is_none()
                && stay.counts
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
