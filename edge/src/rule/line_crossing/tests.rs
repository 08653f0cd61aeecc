use proptest::prelude::*;

use super::*;
use crate::rule::testing::{STEP_MS, person, standing_at};
use crate::track::Birth;

/// Upwards through the middle of the picture: left and right are the picture's.
fn rule(direction: &str) -> LineCrossing {
    let rule = toml::from_str(&format!("id = 'r'\nline = 'l'\ndirection = '{direction}'")).unwrap();
    LineCrossing::new(&rule, vec![[0.5, 0.9], [0.5, 0.1]].try_into().unwrap())
}

/// The frames and directions of the crossings; each must begin and end at once.
fn crossings(rule: &mut LineCrossing, frames: &[Vec<Track>]) -> Vec<(usize, Direction)> {
    let mut told = Vec::new();
    for (i, tracks) in frames.iter().enumerate() {
        let at = Duration::from_millis(i as u64 * STEP_MS);
        let changes = rule.look(&View { tracks, things_left: &[], at, may_begin: true });
        for pair in changes.chunks(2) {
            assert_eq!((pair[0].phase, pair[1].phase), (Phase::Began, Phase::Ended));
            assert_eq!(pair[0].alarm, pair[1].alarm);
            let Finding::LineCrossing { direction, .. } = pair[0].finding else { panic!() };
            told.push((i, direction));
        }
    }
    told
}

fn walk(xs: &[f32]) -> Vec<Vec<Track>> {
    xs.iter().map(|x| vec![person(1, *x, true)]).collect()
}

use Direction::{LeftToRight, RightToLeft};

#[test]
fn over_the_line_counts_in_its_direction() {
    let xs = [0.40, 0.44, 0.48, 0.52, 0.56, 0.60];
    // Clear of it is a quarter of the box's height: about 0.03 of the width.
    assert_eq!(crossings(&mut rule("both"), &walk(&xs)), [(4, LeftToRight)]);
    assert_eq!(crossings(&mut rule("left_to_right"), &walk(&xs)), [(4, LeftToRight)]);
    assert_eq!(crossings(&mut rule("right_to_left"), &walk(&xs)), []);
    let back: Vec<f32> = xs.iter().rev().copied().collect();
    assert_eq!(crossings(&mut rule("both"), &walk(&back)), [(4, RightToLeft)]);
}

#[test]
fn there_and_back_counts_twice_and_dithering_once() {
    let there_and_back = [0.4, 0.6, 0.4];
    assert_eq!(crossings(&mut rule("both"), &walk(&there_and_back)), [(1, LeftToRight), (2, RightToLeft)]);
    let dithering = [0.4, 0.49, 0.51, 0.49, 0.52, 0.48, 0.51, 0.56, 0.51, 0.49, 0.52, 0.6];
    assert_eq!(crossings(&mut rule("both"), &walk(&dithering)), [(7, LeftToRight)]);
    let turned_back = [0.4, 0.49, 0.51, 0.52, 0.49, 0.4];
    assert_eq!(crossings(&mut rule("both"), &walk(&turned_back)), []);
}

#[test]
fn who_is_over_the_line_when_they_prove_to_be_no_scenery_has_crossed_it() {
    let born_at = |x: f32, ms| Track {
        birth: Birth { at: Duration::from_millis(ms), ..person(1, x, true).birth },
        ..person(1, 0.6, true)
    };
    let after = |frames: usize, born: Track| [vec![vec![]; frames], vec![vec![born]]].concat();
    assert_eq!(crossings(&mut rule("both"), &after(4, born_at(0.4, 200))), [(4, LeftToRight)]);
    assert_eq!(crossings(&mut rule("both"), &after(4, born_at(0.55, 200))), []);
    assert_eq!(crossings(&mut rule("both"), &after(40, born_at(0.4, 200))), [], "long ago");
}

#[test]
fn around_its_end_is_not_over_it() {
    // The line begins at 0.9; the way leads below it, to the other side and back over it.
    let way = [(0.4, 0.8), (0.4, 0.98), (0.6, 0.98), (0.6, 0.8), (0.4, 0.8)];
    let frames: Vec<_> = way.map(|(x, y)| vec![standing_at(1, x, y, true)]).to_vec();
    assert_eq!(crossings(&mut rule("both"), &frames), [(4, RightToLeft)]);
}

#[test]
fn a_new_number_on_the_line_is_the_same_walker() {
    let frames = [(1, 0.40), (1, 0.46), (1, 0.48), (2, 0.51), (2, 0.56)];
    let frames: Vec<_> = frames.map(|(number, x)| vec![person(number, x, true)]).to_vec();
    assert_eq!(crossings(&mut rule("both"), &frames), [(4, LeftToRight)]);
}

#[test]
fn a_guess_crosses_nothing() {
    let mut frames = walk(&[0.40, 0.46]);
    frames.extend([0.5, 0.54, 0.6].map(|x| vec![person(1, x, false)]));
    assert_eq!(crossings(&mut rule("both"), &frames), []);
    frames.push(vec![person(1, 0.6, true)]);
    assert_eq!(crossings(&mut rule("both"), &frames), [(5, LeftToRight)], "seen again on the other side");
}

proptest! {
    /// Whatever somebody does near the line, it is as many crossings as changes of the side they were clear on.
    #[test]
    fn crossings_are_changes_of_the_clear_side(
        xs in prop::collection::vec(0.3f32..0.7, 1..60)
    ) {
        let told = crossings(&mut rule("both"), &walk(&xs));
        let mut clear: Vec<bool> =
            xs.iter().filter(|x| (**x - 0.5).abs() * 1.6 >= 0.05).map(|x| *x > 0.5).collect();
        // Where they appeared counts as well.
        clear.insert(0, xs[0] >= 0.5);
        clear.dedup();
        prop_assert_eq!(told.len(), clear.len() - 1);
    }

    /// Between the lines that are clear of it nothing counts.
    #[test]
    fn dithering_alone_never_counts(xs in prop::collection::vec(0.472f32..0.528, 1..80)) {
        prop_assert_eq!(crossings(&mut rule("both"), &walk(&xs)), []);
    }
}
