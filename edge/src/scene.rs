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

    /// Takes the detections of one frame; `at` only grows, `time` is for schedules.
    pub fn see(&mut self, detections: &[Detection], at: Duration, time: Timestamp) -> Sight {
        let tracks = self.tracker.update(detections, at);
        // What may be scenery is covered in pictures all the same, but raises no alarm.
        let established: Vec<Track> = tracks.iter().filter(|track| track.established).cloned().collect();
        let decisions = self.rules.decide(&established, &[], at, time);
        let people = self.cover.update(detections, &tracks, at);
        Sight { tracks, decisions, people }
    }
}
