use super::*;
use crate::detect::TrackScores;
use proptest::prelude::*;

const TRACK_SCORES: TrackScores = TrackScores { sure: 0.8, start: 0.4, keep: 0.2 };
const SCORES: Scores = Scores { cover: 0.1, people: TRACK_SCORES, vehicles: TRACK_SCORES };
const STEP_MS: u64 = 200;

fn person(x: f32, y: f32, score: f32) -> Detection {
    let region = Region { left: x, top: y, right: x + 0.05, bottom: y + 0.15 };
    Detection { class: ObjectClass::Person, score, region }
}

fn at(frame: u64) -> Duration {
    Duration::from_millis(frame * STEP_MS)
}

#[test]
fn a_walk_is_one_track_through_weak_and_missing_detections() {
    let mut tracker = Tracker::new(SCORES);
    let mut numbers = std::collections::BTreeSet::new();
    for frame in 0..20 {
        let score = if frame % 3 == 0 { 0.25 } else { 0.6 };
        let walk = person(0.1 + 0.01 * frame as f32, 0.3, if frame == 0 { 0.6 } else { score });
        let seen: &[Detection] = if (8..11).contains(&frame) { &[] } else { &[walk] };
        numbers.extend(tracker.update(seen, at(frame)).iter().map(|t| t.number));
    }
    assert_eq!(numbers.len(), 1);
}

#[test]
fn weak_detections_start_nothing_and_one_glint_is_none() {
    let mut tracker = Tracker::new(SCORES);
    for frame in 0..5 {
        assert!(tracker.update(&[person(0.5, 0.5, 0.35)], at(frame)).is_empty());
    }
    assert!(tracker.update(&[person(0.5, 0.5, 0.9)], at(5)).is_empty());
    assert!(tracker.update(&[], at(6)).is_empty());
    assert!(tracker.update(&[person(0.5, 0.5, 0.9)], at(7)).is_empty(), "a second start, not a confirmation");
}

#[test]
fn a_track_dies_and_its_number_with_it() {
    let mut tracker = Tracker::new(SCORES);
    tracker.update(&[person(0.5, 0.5, 0.9)], at(0));
    let first = tracker.update(&[person(0.5, 0.5, 0.9)], at(1))[0].number;
    assert_eq!(tracker.update(&[], at(2)).len(), 1, "waited for");
    assert!(tracker.update(&[], at(20)).is_empty(), "given up");
    tracker.update(&[person(0.5, 0.5, 0.9)], at(21));
    assert_ne!(tracker.update(&[person(0.5, 0.5, 0.9)], at(22))[0].number, first);
}

#[test]
fn a_newborn_and_a_missed_one_leave_it_unsure() {
    let mut tracker = Tracker::new(SCORES);
    let mut unsure_after = |seen: &[Detection], frame| {
        tracker.update(seen, at(frame));
        tracker.is_unsure()
    };
    let someone = [person(0.5, 0.5, 0.9)];
    assert!(!unsure_after(&[], 0));
    assert!(unsure_after(&someone, 1), "seen once");
    assert!(!unsure_after(&someone, 2));
    assert!(unsure_after(&[], 3), "missed");
    assert!(!unsure_after(&someone, 4));
    assert!(unsure_after(&[], 5));
    assert!(!unsure_after(&[], 20), "gone");
}

#[test]
fn people_and_cars_are_never_confused() {
    let mut tracker = Tracker::new(SCORES);
    let car = Detection { class: ObjectClass::Car, ..person(0.5, 0.5, 0.9) };
    tracker.update(&[car], at(0));
    tracker.update(&[car], at(1));
    let tracks = tracker.update(&[person(0.5, 0.5, 0.9)], at(2));
    assert!(tracks.iter().all(|t| t.class == ObjectClass::Car && !t.seen));
}

#[test]
fn a_van_that_is_called_car_and_truck_is_one_track() {
    let mut tracker = Tracker::new(SCORES);
    for frame in 0..8 {
        let car = Detection { class: ObjectClass::Car, ..person(0.1 + 0.02 * frame as f32, 0.5, 0.6) };
        let truck = Detection { class: ObjectClass::Truck, score: 0.5 + 0.2 * (frame % 2) as f32, ..car };
        assert!(tracker.update(&[car, truck], at(frame)).len() <= 1, "frame {frame}");
    }
}

#[test]
fn scenery_is_never_established_and_a_walker_soon_is() {
    let mut tracker = Tracker::new(SCORES);
    for frame in 0..200 {
        let sway = if frame % 2 == 0 { 0.004 } else { -0.004 };
        let rock = person(0.5 + sway, 0.5, 0.55);
        let walker = person(0.1 + 0.01 * frame.min(20) as f32, 0.3, 0.45);
        let tracks = tracker.update(&[rock, walker], at(frame));
        let established = |x: f32| tracks.iter().any(|t| (t.region.left - x).abs() < 0.1 && t.established);
        assert!(!established(0.5), "frame {frame}");
        match frame {
            0..2 => assert!(!established(walker.region.left), "frame {frame}"),
            2..6 => {}
            _ => assert!(established(walker.region.left), "frame {frame}"),
        }
    }
}

#[test]
fn a_parked_car_whose_box_is_cut_otherwise_now_and_then_is_not_established() {
    let mut tracker = Tracker::new(SCORES);
    for frame in 0..100 {
        // Somebody hides its rear for a while, and once its box is far off.
        let region = match frame {
            30..60 => Region { left: 0.58, top: 0.5, right: 0.62, bottom: 0.6 },
            80 => Region { left: 0.56, top: 0.52, right: 0.68, bottom: 0.62 },
            _ => Region { left: 0.5, top: 0.5, right: 0.62, bottom: 0.6 },
        };
        let car = Detection { class: ObjectClass::Car, score: 0.5, region };
        let tracks = tracker.update(&[car], at(frame));
        assert!(tracks.iter().all(|track| !track.established), "frame {frame}");
    }
}

#[test]
fn at_three_pictures_a_second_somebody_who_turns_about_is_one_track() {
    let mut tracker = Tracker::new(SCORES);
    let mut numbers = std::collections::BTreeSet::new();
    let at = |frame: u64| Duration::from_millis(frame * 333);
    let mut x = 0.1;
    for frame in 0..24 {
        x += if (8..16).contains(&frame) { -0.024 } else { 0.024 };
        numbers.extend(tracker.update(&[person(x, 0.3, 0.6)], at(frame)).iter().map(|t| t.number));
    }
    assert_eq!(numbers.len(), 1);
}

#[test]
fn a_birth_is_remembered() {
    let mut tracker = Tracker::new(SCORES);
    tracker.update(&[person(0.1, 0.3, 0.6)], at(3));
    let tracks = tracker.update(&[person(0.11, 0.3, 0.5)], at(4));
    let Detection { region, score, .. } = person(0.1, 0.3, 0.6);
    assert_eq!(tracks[0].birth, Birth { at: at(3), region, score });
}

#[test]
fn who_is_seen_beyond_doubt_need_not_move() {
    let mut tracker = Tracker::new(SCORES);
    tracker.update(&[person(0.5, 0.5, 0.5)], at(0));
    assert!(!tracker.update(&[person(0.5, 0.5, 0.5)], at(1))[0].established);
    assert!(tracker.update(&[person(0.5, 0.5, 0.85)], at(2))[0].established);
    assert!(tracker.update(&[person(0.5, 0.5, 0.5)], at(3))[0].established, "for good");
}

#[test]
fn who_is_found_again_where_they_stood_is_established_at_once() {
    let mut tracker = Tracker::new(SCORES);
    for frame in 0..10 {
        tracker.update(&[person(0.1 + 0.01 * frame as f32, 0.3, 0.5)], at(frame));
    }
    for frame in 10..25 {
        tracker.update(&[], at(frame));
    }
    tracker.update(&[person(0.2, 0.3, 0.5)], at(25));
    let tracks = tracker.update(&[person(0.2, 0.3, 0.5)], at(26));
    assert!(tracks.iter().any(|t| t.seen && t.established));
}

proptest! {
    #[test]
    fn tracks_stay_sane_whatever_is_detected(
        frames in prop::collection::vec(
            prop::collection::vec((0f32..0.9, 0f32..0.8, 0.0f32..1.0), 0..6), 1..40,
        )
    ) {
        let mut tracker = Tracker::new(SCORES);
        for (i, frame) in frames.iter().enumerate() {
            let detections: Vec<_> = frame.iter().map(|&(x, y, s)| person(x, y, s)).collect();
            let tracks = tracker.update(&detections, at(i as u64));
            let mut numbers: Vec<_> = tracks.iter().map(|t| t.number).collect();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), tracks.len(), "numbers are unique");
            prop_assert!(tracks.iter().filter(|t| t.seen).count() <= detections.len());
            for t in &tracks {
                let r = t.region;
                prop_assert!([r.left, r.top, r.right, r.bottom].iter().all(|v| (0.0..=1.0).contains(v)));
            }
        }
    }
}
