//! Tracking within one camera: which detection is the same thing as a moment ago.
//!
//! Two-threshold association as in ByteTrack (Zhang et al., 2022): strong detections start and continue
//! tracks, weak ones may only continue them. Pure: detections and time in, tracks out. A track's number is
//! local to its camera and is never used again.
//!
//! A detector also sees people in rocks and bollards, steadily and with scores that many people do not get. What
//! tells them apart is that people and vehicles move: a track is [`Track::established`] once it has left its
//! place, or its score was beyond doubt. What was tried and measured is in `docs/TRACKING.md`.

mod association;
mod followed;
mod kalman;

use std::time::Duration;

use gatepost_wire::event::{ObjectClass, Region, TrackNumber};

use crate::detect::{Detection, Scores, iou};
use association::{assign, buffered_iou};
use followed::Followed;

/// Overlap needed to continue a track, by how good the evidence is.
const STRONG_IOU: f32 = 0.1;
const WEAK_IOU: f32 = 0.4;
/// Low, because nothing is known yet of its speed, and at 3 pictures a second a walker leaves most of their box.
const NEWBORN_IOU: f32 = 0.1;
/// Two boxes of different kinds of vehicle that overlap so much are one vehicle.
const DOUBLE_IOU: f32 = 0.7;
/// How long an unseen track is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Where an established track was lost, a new one within this time is believed to be the same thing.
const REMEMBERED: Duration = Duration::from_secs(10);

/// One followed thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Local to the camera, never used again.
    pub number: TrackNumber,
    /// What kind of thing.
    pub class: ObjectClass,
    /// Where it is, or, while it is not seen, where it is believed to be.
    pub region: Region,
    /// Score of the last detection.
    pub score: f32,
    /// Was it seen in this very frame?
    pub seen: bool,
    /// Has it moved, or was it seen beyond doubt? What has not may be scenery that looks like a person.
    pub established: bool,
    /// The detection that began it.
    pub birth: Birth,
}

/// Where and when something was seen first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Birth {
    /// When.
    pub at: Duration,
    /// Where.
    pub region: Region,
    /// How sure the detector was.
    pub score: f32,
}

/// Follows the things in one camera's picture.
pub struct Tracker {
    scores: Scores,
    followed: Vec<Followed>,
    /// Where established tracks were lost, and when.
    lost: Vec<(Region, Duration)>,
    next_number: u32,
    now: Option<Duration>,
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    pub fn new(scores: Scores) -> Self {
        Self { scores, followed: Vec::new(), lost: Vec::new(), next_number: 1, now: None }
    }

    /// Takes the detections of one frame; `at` only grows. Returns the confirmed tracks, those not seen in
    /// this frame included.
    pub fn update(&mut self, detections: &[Detection], at: Duration) -> Vec<Track> {
        let step = self.now.map_or(Duration::ZERO, |now| at.saturating_sub(now));
        self.now = Some(at);
        for followed in &mut self.followed {
            followed.predict(step);
        }
        let (strong, weak): (Vec<_>, Vec<_>) = without_doubles(detections)
            .into_iter()
            .filter(|d| d.score >= self.scores.of(d.class).keep)
            .partition(|d| d.score >= self.scores.of(d.class).start);
        let rest = self.continue_tracks(&strong, STRONG_IOU, at, |f| f.confirmed);
        self.continue_tracks(&weak, WEAK_IOU, at, |f| f.confirmed && !f.track.seen);
        let rest = self.continue_tracks(&rest, NEWBORN_IOU, at, |f| !f.confirmed);
        self.give_up(at);
        for detection in rest {
            self.start(detection, at);
        }
        self.followed.iter().filter(|f| f.confirmed).map(|f| f.track.clone()).collect()
    }

    /// Is there something that was seen only once yet, or that was missed just now? The next frame must show
    /// whether it was a glint, or is gone.
    pub fn is_unsure(&self) -> bool {
        self.followed.iter().any(|followed| !(followed.confirmed && followed.track.seen))
    }

    /// Gives each detection to the track it continues; returns those that continue none.
    fn continue_tracks<'d>(
        &mut self,
        detections: &[&'d Detection],
        min_iou: f32,
        at: Duration,
        eligible: impl Fn(&Followed) -> bool,
    ) -> Vec<&'d Detection> {
        let scores = self.scores;
        let mut open: Vec<&mut Followed> = self.followed.iter_mut().filter(|f| eligible(f)).collect();
        let pairs = assign(open.len(), detections.len(), |t, d| {
            let (followed, detection) = (&open[t], detections[d]);
            let unseen = at.saturating_sub(followed.last_seen);
            let overlap = buffered_iou(&followed.track.region, &detection.region, unseen);
            (may_be_same(followed.track.class, detection.class) && overlap >= min_iou).then_some(overlap)
        });
        let mut taken = vec![false; detections.len()];
        for (t, d) in pairs {
            taken[d] = true;
            open[t].see(detections[d], at, scores.of(detections[d].class));
        }
        detections.iter().zip(taken).filter(|(_, taken)| !taken).map(|(d, _)| *d).collect()
    }

    /// A newborn that is not seen again at once was none; others are waited for.
    fn give_up(&mut self, at: Duration) {
        self.lost.retain(|(_, lost_at)| at.saturating_sub(*lost_at) <= REMEMBERED);
        let waited_for =
            |f: &Followed| f.track.seen || (f.confirmed && at.saturating_sub(f.last_seen) <= PATIENCE);
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.followed).into_iter().partition(waited_for);
        self.followed = kept;
        self.lost.extend(gone.iter().filter(|f| f.track.established).map(|f| (f.last_region, f.last_seen)));
    }

    fn start(&mut self, detection: &Detection, at: Duration) {
        let was_lost_here = |(region, _): &(Region, Duration)| iou(region, &detection.region) >= NEWBORN_IOU;
        let Detection { class, score, region } = *detection;
        let track = Track {
            number: TrackNumber(self.next_number),
            class,
            region,
            score,
            seen: true,
            established: score >= self.scores.of(class).sure || self.lost.iter().any(was_lost_here),
            birth: Birth { at, region, score },
        };
        self.next_number += 1;
        self.followed.push(Followed::new(track));
    }
}

/// What the detector takes for a car and for a truck at once is one thing: the more confident opinion stays.
fn without_doubles(detections: &[Detection]) -> Vec<&Detection> {
    let is_double = |d: &Detection| {
        detections.iter().any(|other| {
            other.class != d.class
                && may_be_same(other.class, d.class)
                && other.score > d.score
                && iou(&other.region, &d.region) >= DOUBLE_IOU
        })
    };
    detections.iter().filter(|d| !is_double(d)).collect()
}

/// A detector often wavers between car, bus and truck, never between a person and a car.
fn may_be_same(a: ObjectClass, b: ObjectClass) -> bool {
    a == b || (a != ObjectClass::Person && b != ObjectClass::Person)
}

#[cfg(test)]
mod tests;
