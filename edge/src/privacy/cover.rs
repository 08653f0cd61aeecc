//! Where people are, or may be: what must be covered in a picture.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_wire::event::{ObjectClass, Region};

use crate::detect::Detection;
use crate::track::Track;

/// Where somebody was seen stays covered for so long: a detector that misses a person mostly does so for a few
/// frames, between two in which it finds them.
const HELD: Duration = Duration::from_secs(1);

/// What must be covered, over time. It errs on the side of covering: a bush too much harms nobody.
#[derive(Debug, Default)]
pub struct Cover {
    recent: VecDeque<(Duration, Vec<Region>)>,
}

impl Cover {
    /// Takes what was detected and what is followed in one frame; `at` only grows. Returns everything to cover in it:
    /// whatever was detected with however little confidence, whatever the tracker believes is there unseen, and
    /// both of the last second.
    pub fn update(&mut self, detections: &[Detection], tracks: &[Track], at: Duration) -> Vec<Region> {
        let detected = detections.iter().map(|d| (d.class, d.region));
        let believed = tracks.iter().map(|t| (t.class, t.region));
        let now = detected
            .chain(believed)
            .filter(|(class, _)| may_show_a_person(*class))
            .map(|(_, region)| region)
            .collect();
        self.recent.retain(|(then, _)| at.saturating_sub(*then) <= HELD);
        self.recent.push_back((at, now));
        self.recent.iter().flat_map(|(_, regions)| regions).copied().collect()
    }
}

/// Whoever sits on it is in its box.
pub fn may_show_a_person(class: ObjectClass) -> bool {
    matches!(class, ObjectClass::Person | ObjectClass::Bicycle | ObjectClass::Motorcycle)
}

/// What was to be covered in the pictures of the last while, for whoever shows them once more.
#[derive(Debug)]
pub struct CoverLog {
    span: Duration,
    noted: Mutex<VecDeque<(Duration, Vec<Region>)>>,
}

impl CoverLog {
    /// Remembers for so long.
    pub fn new(span: Duration) -> Self {
        Self { span, noted: Mutex::default() }
    }

    /// This was covered in the picture of `at`; times only grow.
    pub fn note(&self, at: Duration, people: &[Region]) {
        // After a panic it holds whole notes all the same.
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push_back((at, people.to_vec()));
        while noted.front().is_some_and(|(then, _)| *then + self.span < at) {
            noted.pop_front();
        }
    }

    /// What was covered from `from` to `until`.
    pub fn between(&self, from: Duration, until: Duration) -> Vec<(Duration, Vec<Region>)> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter().filter(|(at, _)| (from..=until).contains(at)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(class: ObjectClass, left: f32) -> Detection {
        let region = Region { left, top: 0.2, right: left + 0.1, bottom: 0.5 };
        Detection { class, score: 0.1, region }
    }

    #[test]
    fn who_is_missed_for_a_moment_stays_covered_and_cars_never_are() {
        let mut cover = Cover::default();
        let at = Duration::from_millis;
        let person = seen(ObjectClass::Person, 0.1);
        assert_eq!(cover.update(&[person, seen(ObjectClass::Car, 0.6)], &[], at(0)), [person.region]);
        assert_eq!(cover.update(&[], &[], at(900)), [person.region], "missed");
        assert_eq!(cover.update(&[], &[], at(1100)), [], "gone");
        let rider = seen(ObjectClass::Bicycle, 0.3);
        assert_eq!(cover.update(&[rider], &[], at(1200)), [rider.region]);
    }

    #[test]
    fn the_log_forgets_and_cuts() {
        let log = CoverLog::new(Duration::from_secs(5));
        let region = seen(ObjectClass::Person, 0.1).region;
        for second in 0..20 {
            log.note(Duration::from_secs(second), &[region]);
        }
        let noted = log.between(Duration::from_secs(3), Duration::from_secs(16));
        let times: Vec<u64> = noted.iter().map(|(at, _)| at.as_secs()).collect();
        assert_eq!(times, [14, 15, 16]);
    }
}
