//! What one camera's picture means over time: detections to tracks to decisions. The daemon and
//! `analyse` use it alike.

use std::time::Duration;

use gatepost_wire::Timestamp;
use gatepost_wire::event::Region;

use crate::config::{Calendar, Camera};
use crate::detect::{Detection, Scores};
use crate::privacy::Cover;
use crate::rule::{Decision, Rules};
use crate::track::{Track, Tracker};

/// The state of one camera's picture.
pub struct Scene {
    tracker: Tracker,
    rules: Rules,
    cover: Cover,
}

/// What one frame showed.
#[derive(Debug)]
pub struct Sight {
    /// Everything followed.
    pub tracks: Vec<Track>,
    /// What the rules say.
    pub decisions: Vec<Decision>,
    /// Where people are or may be: what must be covered in a picture of this frame.
    pub people: Vec<Region>,
}

impl Scene {
    /// A scene nobody has looked at yet.
    pub fn new(rules: Rules, scores: Scores) -> Self {
        Self { tracker: Tracker::new(scores), rules, cover: Cover::default() }
    }

    /// A scene with a camera's rules.
    pub fn of(camera: &Camera, calendar: &Calendar, scores: Scores) -> Self {
        Self::new(Rules::new(camera, calendar), scores)
    }

    /// Is there something that was seen only once yet, or that was missed just now?
    pub fn is_unsure(&self) -> bool {
        self.tracker.is_unsure()
    }

    /// Takes the detections of one frame, and where something was put down and stays; `at` only grows, `time` is for
    /// schedules.
    pub fn see(&mut self, detections: &[Detection], left: &[Region], at: Duration, time: Timestamp) -> Sight {
        let tracks = self.tracker.update(detections, at);
        // What may be scenery is covered in pictures all the same, but raises no alarm.
        let established: Vec<Track> = tracks.iter().filter(|track| track.established).cloned().collect();
        // Who stands or parks is no thing that was left.
        let is_thing = |area: &&Region| tracks.iter().all(|track| !overlap(&track.region, area));
        let things: Vec<Region> = left.iter().filter(is_thing).copied().collect();
        let decisions = self.rules.decide(&established, &things, at, time);
        let people = self.cover.update(detections, &tracks, at);
        Sight { tracks, decisions, people }
    }
}

/// Have two areas anything in common?
fn overlap(a: &Region, b: &Region) -> bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
