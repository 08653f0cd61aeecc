mod weather;

use std::time::Duration;

use gatepost_wire::event::Region;
use proptest::prelude::*;

use super::footage::{altered, byte, noise, pedestrians};
use super::{Gate, Left, Motion, Thumbnail};
use crate::config;

fn gate() -> Gate {
    Gate::new(&config::Motion::default()).unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A still picture with fresh noise, `every` milliseconds, as long as `seconds`.
fn still(sigma: f32, every: u64, seconds: u64) -> impl Iterator<Item = (Duration, Thumbnail)> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..seconds * 1000 / every).map(move |i| {
        let picture = altered(&pedestrians()[0].1, |x, y, at| {
            byte(f32::from(at(x as isize, y as isize)) + noise(&mut random, sigma))
        });
        (ms(i * every), picture)
    })
}

fn patch(picture: &Thumbnail, at: (usize, usize), size: (usize, usize), level: u8) -> Thumbnail {
    altered(picture, |x, y, of| {
        let inside = (at.0..at.0 + size.0).contains(&x) && (at.1..at.1 + size.1).contains(&y);
        if inside { level } else { of(x as isize, y as isize) }
    })
}

fn overlap(a: &Region, b: &Region) -> bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

#[test]
fn a_thumbnail_keeps_the_shape() {
    let (_, picture) = &pedestrians()[0];
    assert_eq!((picture.width(), picture.height()), (320, 240));
    assert_eq!(pedestrians().len(), 795);
    assert!(picture.pixels().iter().any(|&p| p > 150) && picture.pixels().iter().any(|&p| p < 60));
    assert_eq!(Thumbnail::new(4, 4, vec![0; 15]), None);
    assert_eq!(Thumbnail::new(0, 4, vec![]), None);
}

#[test]
fn walking_people_are_always_reported_at_any_rate() {
    for every in [1, 5, 15] {
        let mut gate = gate();
        for (at, picture) in pedestrians().iter().step_by(every) {
            let motion = gate.see(picture, *at).unwrap();
            assert!(motion.moved(), "every {every}, {at:?}: {motion:?}");
            assert!(*at < ms(2000) || motion.share < 0.2, "every {every}, {at:?}: {}", motion.share);
        }
    }
}

#[test]
fn noise_is_no_motion() {
    for (sigma, every) in [(2.0, 200), (8.0, 200), (4.0, 1500)] {
        let mut gate = gate();
        let moved: Vec<Duration> = still(sigma, every, 30)
            .filter(|(at, picture)| gate.see(picture, *at).unwrap().moved() && *at > ms(3000))
            .map(|(at, _)| at)
            .collect();
        assert!(moved.is_empty(), "sigma {sigma}, every {every} ms: {moved:?}");
    }
}

#[test]
fn a_light_step_is_told_once_and_over_at_once() {
    let mut gate = gate();
    let mut moved = Vec::new();
    for (at, picture) in still(2.0, 200, 20) {
        let lit = at >= ms(10_000);
        let picture = altered(&picture, |x, y, of| {
            let level = f32::from(of(x as isize, y as isize));
            byte(if lit { level * 0.6 - 10.0 } else { level })
        });
        let motion = gate.see(&picture, at).unwrap();
        if motion.moved() && at > ms(3000) {
            moved.push((at, motion.relit));
        }
    }
    assert_eq!(moved, [(ms(10_000), true)]);
}

#[test]
fn motion_in_a_place_to_ignore_is_none() {
    let config: config::Motion =
        toml::from_str("[[ignore]]\npolygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]").unwrap();
    let mut gate = Gate::new(&config).unwrap();
    let mut sees = |x: usize| -> Vec<Motion> {
        still(2.0, 200, 5)
            .enumerate()
            .map(|(i, (at, picture))| {
                gate.see(&patch(&picture, (x + 2 * (i % 4), 100), (12, 24), 250), at).unwrap()
            })
            .skip(5)
            .collect()
    };
    assert!(sees(40).iter().all(|motion| !motion.moved()));
    assert!(sees(240).iter().all(|motion| motion.areas.iter().all(|area| area.left >= 0.5)));
    assert!(sees(200).iter().any(Motion::moved));
}

/// What `Left` tells while a thing lies from 10 s on, for `seconds`.
fn left_after(seconds: u64, alter: impl Fn(&Thumbnail, Duration) -> Thumbnail) -> Vec<Region> {
    let mut left = Left::new(config::Motion::default().min_area).unwrap();
    for (at, picture) in still(2.0, 200, seconds) {
        left.see(&alter(&picture, at), at).unwrap();
        assert!(at > ms(10_000) || left.areas().is_empty(), "{at:?}: {:?}", left.areas());
    }
    left.areas().to_vec()
}

#[test]
fn a_thing_put_down_is_left_until_it_is_taken_away() {
    let case = |picture: &Thumbnail, at: Duration| {
        if at > ms(10_000) { patch(picture, (200, 160), (14, 18), 20) } else { picture.clone() }
    };
    let [area] = left_after(60, case)[..] else { panic!("{:?}", left_after(60, case)) };
    let expected = Region { left: 200.0, top: 160.0, right: 214.0, bottom: 178.0 };
    for (got, want) in [
        (area.left * 320.0, expected.left),
        (area.right * 320.0, expected.right),
        (area.top * 240.0, expected.top),
        (area.bottom * 240.0, expected.bottom),
    ] {
        assert!((got - want).abs() <= 2.0, "{area:?}");
    }
    let taken = |picture: &Thumbnail, at: Duration| {
        if at < ms(30_000) { case(picture, at) } else { picture.clone() }
    };
    assert!(left_after(45, taken).is_empty());
}

#[test]
fn a_thing_that_was_always_there_and_is_taken_away_is_not_left() {
    let bare = |picture: &Thumbnail| patch(picture, (190, 150), (40, 40), 120);
    let case = |picture: &Thumbnail, at: Duration| {
        let bare = bare(picture);
        if at < ms(10_000) { patch(&bare, (200, 160), (14, 18), 20) } else { bare }
    };
    assert!(left_after(40, case).is_empty());
}

#[test]
fn a_light_step_leaves_nothing() {
    let dim = |picture: &Thumbnail, at: Duration| {
        let by = if at < ms(10_000) { 1.0 } else { 0.5 };
        altered(picture, |x, y, of| byte(by * f32::from(of(x as isize, y as isize))))
    };
    assert!(left_after(60, dim).is_empty());
}

#[test]
fn people_who_walk_leave_nothing_behind() {
    let mut left = Left::new(config::Motion::default().min_area).unwrap();
    let mut told = 0;
    for (at, picture) in pedestrians() {
        left.see(picture, *at).unwrap();
        told += usize::from(!left.areas().is_empty());
    }
    assert!(told < 40, "{told} frames");
    let middle = Region { left: 0.45, top: 0.45, right: 0.55, bottom: 0.55 };
    assert!(!left.areas().iter().any(|area| overlap(area, &middle)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_pictures_are_taken(
        pictures in prop::collection::vec((1usize..70, 1usize..70, any::<u8>(), 0u64..3000), 1..12)
    ) {
        let config: config::Motion = toml::from_str(
            "min_area = 0.0001\n[[ignore]]\npolygon = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]",
        ).unwrap();
        let mut gate = Gate::new(&config).unwrap();
        let mut left = Left::new(config.min_area).unwrap();
        let mut at = Duration::ZERO;
        for (width, height, seed, step) in pictures {
            at += ms(step);
            let mut random = fastrand::Rng::with_seed(seed.into());
            let picture = Thumbnail::new(width, height, (0..width * height).map(|_| random.u8(..)).collect());
            let picture = picture.unwrap();
            let motion = gate.see(&picture, at).unwrap();
            left.see(&picture, at).unwrap();
            prop_assert!((0.0..=1.0).contains(&motion.share));
            for area in motion.areas.iter().chain(left.areas()) {
                prop_assert!(0.0 <= area.left && area.left < area.right && area.right <= 1.0);
                prop_assert!(0.0 <= area.top && area.top < area.bottom && area.bottom <= 1.0);
            }
        }
    }
}
