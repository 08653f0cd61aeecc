//! What one camera's picture means over time: detections to tracks to decisions. The daemon and
//! `analyse` use it alike.

use std::time::Duration;

use gatepost_wire::event::{ObjectClass, Region};

use crate::config::Camera;
use crate::detect::{Detection, Scores};
use crate::rule::{Decision, Rules};
use crate::track::{Track, Tracker};

/// The state of one camera's picture.
pub struct Scene {
    tracker: Tracker,
    rules: Rules,
}

/// What one frame showed.
#[derive(Debug)]
pub struct Sight {
    /// Everything followed.
    pub tracks: Vec<Track>,
    /// What the rules say.
    pub decisions: Vec<Decision>,
    /// Where people are or are believed to be: what must be covered in a picture of this frame.
    pub people: Vec<Region>,
}

impl Scene {
    /// A scene nobody has looked at yet.
    pub fn new(rules: Rules, scores: Scores) -> Self {
        Self { tracker: Tracker::new(scores), rules }
    }

    /// A scene with a camera's rules.
    pub fn of(camera: &Camera, scores: Scores) -> Self {
        Self::new(Rules::new(camera), scores)
    }

    /// Is there something that was seen only once yet, or that was missed just now?
    pub fn is_unsure(&self) -> bool {
        self.tracker.is_unsure()
    }

    /// Takes the detections of one frame; `at` only grows.
    pub fn see(&mut self, detections: &[Detection], at: Duration) -> Sight {
        let tracks = self.tracker.update(detections, at);
        let decisions = self.rules.decide(&tracks, at);
        let detected = detections.iter().map(|d| (d.class, d.region));
        let believed = tracks.iter().map(|t| (t.class, t.region));
        let people = detected
            .chain(believed)
            .filter(|(class, _)| may_show_a_person(*class))
            .map(|(_, region)| region)
            .collect();
        Sight { tracks, decisions, people }
    }
}

/// Whoever sits on it is in its box.
fn may_show_a_person(class: ObjectClass) -> bool {
    matches!(class, ObjectClass::Person | ObjectClass::Bicycle | ObjectClass::Motorcycle)
}
