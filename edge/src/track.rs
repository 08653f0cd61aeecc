//! Tracking within one camera: which detection is the same thing as a moment ago.
//!
//! Two-threshold association as in ByteTrack (Zhang et al., 2022): strong detections start and continue
//! tracks, weak ones may only continue them. Pure: detections and time in, tracks out. A track's number is
//! local to its camera and is never used again.

mod association;
mod kalman;

use std::time::Duration;

use gatepost_wire::event::{ObjectClass, Region, TrackNumber};

use crate::detect::{Detection, Scores, iou};
use association::assign;
use kalman::BoxFilter;

/// Overlap needed to continue a track, by how good the evidence is.
const STRONG_IOU: f32 = 0.2;
const WEAK_IOU: f32 = 0.4;
const NEWBORN_IOU: f32 = 0.3;
/// How long an unseen track is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);

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
}

struct Followed {
    track: Track,
    filter: BoxFilter,
    last_seen: Duration,
    /// Seen twice: one strong detection alone may be a glint.
    confirmed: bool,
}

/// Follows the things in one camera's picture.
pub struct Tracker {
    scores: Scores,
    followed: Vec<Followed>,
    next_number: u32,
    now: Option<Duration>,
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    pub fn new(scores: Scores) -> Self {
        Self { scores, followed: Vec::new(), next_number: 1, now: None }
    }

    /// Takes the detections of one frame; `at` only grows. Returns the confirmed tracks, those not seen in
    /// this frame included.
    pub fn update(&mut self, detections: &[Detection], at: Duration) -> Vec<Track> {
        let step = self.now.map_or(Duration::ZERO, |now| at.saturating_sub(now));
        self.now = Some(at);
        for followed in &mut self.followed {
            followed.filter.predict(step);
            followed.track.region = followed.filter.region();
            followed.track.seen = false;
        }
        let (strong, weak): (Vec<_>, Vec<_>) = detections
            .iter()
            .filter(|d| d.score >= self.scores.keep)
            .partition(|d| d.score >= self.scores.start);
        let rest = self.continue_tracks(&strong, STRONG_IOU, at, |f| f.confirmed);
        self.continue_tracks(&weak, WEAK_IOU, at, |f| f.confirmed && !f.track.seen);
        let rest = self.continue_tracks(&rest, NEWBORN_IOU, at, |f| !f.confirmed);
        // A newborn that is not seen again at once was none.
        self.followed.retain(|f| f.track.seen || (f.confirmed && at.saturating_sub(f.last_seen) <= PATIENCE));
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
        let mut open: Vec<&mut Followed> = self.followed.iter_mut().filter(|f| eligible(f)).collect();
        let pairs = assign(open.len(), detections.len(), |t, d| {
            let (followed, detection) = (&open[t].track, detections[d]);
            let overlap = iou(&followed.region, &detection.region);
            (may_be_same(followed.class, detection.class) && overlap >= min_iou).then_some(overlap)
        });
        let mut taken = vec![false; detections.len()];
        for (t, d) in pairs {
            taken[d] = true;
            open[t].see(detections[d], at);
        }
        detections.iter().zip(taken).filter(|(_, taken)| !taken).map(|(d, _)| *d).collect()
    }

    fn start(&mut self, detection: &Detection, at: Duration) {
        let track = Track {
            number: TrackNumber(self.next_number),
            class: detection.class,
            region: detection.region,
            score: detection.score,
            seen: true,
        };
        self.next_number += 1;
        let filter = BoxFilter::new(&detection.region);
        self.followed.push(Followed { track, filter, last_seen: at, confirmed: false });
    }
}

impl Followed {
    fn see(&mut self, detection: &Detection, at: Duration) {
        self.filter.correct(&detection.region);
        self.track.region = self.filter.region();
        self.track.score = detection.score;
        self.track.seen = true;
        self.last_seen = at;
        self.confirmed = true;
    }
}

/// A detector often wavers between car, bus and truck, never between a person and a car.
fn may_be_same(a: ObjectClass, b: ObjectClass) -> bool {
    a == b || (a != ObjectClass::Person && b != ObjectClass::Person)
}

#[cfg(test)]
mod tests;
