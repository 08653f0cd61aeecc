use std::time::Duration;

use gatepost_wire::event::{Phase, TamperKind};
use proptest::prelude::*;

use super::{Change, Watcher};
use crate::config;
use crate::motion::Thumbnail;
use crate::motion::footage::{altered, byte, noise, pedestrians};

/// The clip for `seconds`, run to and fro, altered from 20 s on until 20 s before the end.
fn watch_with(
    config: &str,
    seconds: u64,
    mut alter: impl FnMut(&Thumbnail, Duration) -> Thumbnail,
) -> Vec<(Duration, Change)> {
    let mut watcher = Watcher::new(&toml::from_str::<config::Tamper>(config).unwrap());
    let clip = pedestrians();
    let mut changes = Vec::new();
    for i in 0..seconds * 5 / 2 {
        let at = Duration::from_millis(i * 400);
        let place = (4 * i as usize) % (2 * clip.len() - 2);
        let picture = &clip[place.min(2 * clip.len() - 2 - place)].1;
        let during = at >= Duration::from_secs(20) && at < Duration::from_secs(seconds - 20);
        let picture = if during { alter(picture, at) } else { picture.clone() };
        changes.extend(watcher.see(&picture, at).into_iter().map(|change| (at, change)));
    }
    changes
}

fn watch(alter: impl FnMut(&Thumbnail, Duration) -> Thumbnail) -> Vec<(Duration, Change)> {
    watch_with("", 70, alter)
}

fn blur(picture: &Thumbnail, radius: isize) -> Thumbnail {
    altered(picture, |x, y, of| {
        let (x, y) = (x as isize, y as isize);
        let around = (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dx, dy)));
        let sum: u32 = around.map(|(dx, dy)| u32::from(of(x + dx, y + dy))).sum();
        (sum / ((2 * radius + 1) * (2 * radius + 1)) as u32) as u8
    })
}

fn scaled(picture: &Thumbnail, gain: f32, random: &mut fastrand::Rng) -> Thumbnail {
    altered(picture, |x, y, of| byte(f32::from(of(x as isize, y as isize)) * gain + noise(random, 1.5)))
}

/// Exactly one alarm of `kind`: begun `after` seconds after the alteration, ended soon after its end.
fn assert_only(kind: TamperKind, after: u64, seconds: u64, changes: &[(Duration, Change)]) {
    let [(began, first), (ended, second)] = changes else { panic!("{kind:?}: {changes:#?}") };
    assert_eq!(
        (first.kind, first.phase, second.kind, second.phase),
        (kind, Phase::Began, kind, Phase::Ended)
    );
    let within = |at: &Duration, from: u64| (from..from + 6).contains(&at.as_secs());
    assert!(within(began, 20 + after) && within(ended, seconds - 20 + 5), "{kind:?}: {changes:#?}");
}

#[test]
fn the_clip_as_it_is_raises_nothing() {
    let mut watcher = Watcher::new(&config::Tamper::default());
    for (at, picture) in pedestrians() {
        assert_eq!(watcher.see(picture, *at), [], "{at:?}");
    }
    assert_eq!(watch(|picture, _| picture.clone()), []);
}

#[test]
fn a_covered_lens() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut cover = |level: &dyn Fn(f32, f32) -> f32, sigma: f32| {
        let changes = watch(|picture, _| {
            altered(picture, |x, y, _| byte(level(x as f32, y as f32) + noise(&mut random, sigma)))
        });
        assert_only(TamperKind::Covered, 5, 70, &changes);
    };
    cover(&|_, _| 8.0, 2.0);
    cover(&|_, _| 8.0, 0.0);
    cover(&|_, _| 250.0, 1.0);
    cover(&|x, y| 60.0 + 0.3 * x - 0.1 * y, 2.0);
}

#[test]
fn a_lens_out_of_focus() {
    for radius in [2, 4, 7] {
        assert_only(TamperKind::Blurred, 5, 70, &watch(|picture, _| blur(picture, radius)));
    }
    let mut random = fastrand::Rng::with_seed(1);
    let noisy = watch(|picture, _| scaled(&blur(picture, 6), 1.0, &mut random));
    assert_only(TamperKind::Blurred, 5, 70, &noisy);
}

#[test]
fn a_camera_that_was_turned() {
    for (dx, dy) in [(16, 0), (0, 8), (-60, 20), (150, -40)] {
        let changes = watch(|picture, _| altered(picture, |x, y, of| of(x as isize + dx, y as isize + dy)));
        assert_only(TamperKind::Moved, 5, 70, &changes);
    }
    let closer = |x: usize, y: usize| (27 + 5 * x as isize / 6, 20 + 5 * y as isize / 6);
    let changes = watch(|picture, _| {
        altered(picture, |x, y, of| {
            let (x, y) = closer(x, y);
            of(x, y)
        })
    });
    assert_only(TamperKind::Moved, 5, 70, &changes);
}

#[test]
fn a_picture_that_stands_still() {
    let mut kept: Option<Thumbnail> = None;
    let changes = watch_with("", 100, |picture, _| kept.get_or_insert_with(|| picture.clone()).clone());
    assert_only(TamperKind::Frozen, 30, 100, &changes);
    // The clock a recorder draws goes on.
    let mut kept: Option<Thumbnail> = None;
    let changes = watch_with("", 100, |picture, at| {
        let still = kept.get_or_insert_with(|| picture.clone()).clone();
        altered(&still, |x, y, of| {
            let digit = x < 6 && y < 10 && (x + y).is_multiple_of(2);
            if digit { at.as_millis() as u8 } else { of(x as isize, y as isize) }
        })
    });
    assert_only(TamperKind::Frozen, 30, 100, &changes);
}

#[test]
fn a_still_scene_with_a_sensors_noise_is_not_frozen() {
    let mut random = fastrand::Rng::with_seed(3);
    let still = &pedestrians()[0].1;
    assert_eq!(watch_with("", 120, |_, _| scaled(still, 1.0, &mut random)), []);
}

#[test]
fn light_is_no_tampering() {
    let mut random = fastrand::Rng::with_seed(1);
    for gain in [0.15, 0.5, 1.4] {
        assert_eq!(watch(|picture, _| scaled(picture, gain, &mut random)), [], "gain {gain}");
    }
    // One lamp out of two goes off, and on again.
    let half = watch(|picture, _| {
        altered(picture, |x, y, of| byte(f32::from(of(x as isize, y as isize)) * (0.2 + x as f32 / 400.0)))
    });
    assert_eq!(half, []);
    // Night falls; what is left in the end is hardly a picture.
    let dusk = watch_with("", 700, |picture, at| {
        let gain = 1.0 - ((at.as_secs_f32() - 20.0) / 640.0).clamp(0.0, 0.97);
        scaled(picture, gain, &mut random)
    });
    assert!(dusk.iter().all(|(at, _)| at.as_secs() >= 680), "{dusk:?}");
}

#[test]
fn a_truck_that_fills_half_the_picture_is_no_tampering() {
    type Inside = fn(usize, usize) -> bool;
    let halves: [Inside; 3] = [|x, _| x < 160, |_, y| y > 120, |x, y| (40..280).contains(&x) && y > 70];
    for (n, inside) in halves.into_iter().enumerate() {
        let changes = watch(|picture, _| {
            altered(picture, |x, y, of| {
                let stripe = if y % 40 < 3 { 90 } else { 200 };
                if inside(x, y) { stripe } else { of(x as isize, y as isize) }
            })
        });
        assert_eq!(changes, [], "half {n}");
    }
}

#[test]
fn a_new_view_is_learned_in_the_end() {
    let changes = watch_with("moved_relearn_s = 40", 160, |picture, _| {
        altered(picture, |x, y, of| of(x as isize + 60, y as isize))
    });
    let told: Vec<_> = changes.iter().map(|(at, c)| (at.as_secs() / 5 * 5, c.kind, c.phase)).collect();
    let moved = |at, phase| (at, TamperKind::Moved, phase);
    // Turned, learned, turned back.
    assert_eq!(told, [moved(25, Phase::Began), moved(65, Phase::Ended), moved(145, Phase::Began)]);
}

#[test]
fn what_is_switched_off_is_not_told_and_the_rest_goes_on() {
    let turned = |picture: &Thumbnail| altered(picture, |x, y, of| of(x as isize + 60, y as isize));
    let changes = watch_with("moved = false", 120, |picture, at| {
        let turned = turned(picture);
        if at.as_secs() >= 60 { blur(&turned, 4) } else { turned }
    });
    let kinds: Vec<_> = changes.iter().map(|(_, change)| change.kind).collect();
    assert_eq!(changes.first().map(|(at, c)| (at.as_secs() / 10, c.kind)), Some((6, TamperKind::Blurred)));
    assert!(kinds.iter().all(|kind| *kind == TamperKind::Blurred), "{changes:?}");
    let off = "covered = false\nblurred = false\nmoved = false\nfrozen = false";
    assert_eq!(watch_with(off, 120, |picture, _| blur(picture, 4)), []);
}

#[test]
fn pictures_that_do_not_come_prove_nothing() {
    let mut watcher = Watcher::new(&config::Tamper::default());
    let clip = pedestrians();
    let mut changes = Vec::new();
    let mut see = |from: u64, to: u64, every: u64, picture: &dyn Fn(u64) -> Thumbnail| {
        for s in (from..to).step_by(every as usize) {
            changes.extend(watcher.see(&picture(s), Duration::from_secs(s)));
        }
    };
    see(0, 30, 1, &|s| clip[10 * s as usize].1.clone());
    // One frame every 20 s, all the same, and dark.
    see(30, 300, 20, &|_| Thumbnail::new(320, 240, vec![9; 320 * 240]).unwrap());
    assert_eq!(changes, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_pictures_are_taken(
        pictures in prop::collection::vec((1usize..130, 1usize..100, any::<bool>(), any::<u64>(), 0u64..20_000), 1..30)
    ) {
        let mut watcher = Watcher::new(&config::Tamper::default());
        let mut at = Duration::ZERO;
        let mut open = std::collections::BTreeSet::new();
        for (width, height, usual, seed, step) in pictures {
            at += Duration::from_millis(step);
            let mut random = fastrand::Rng::with_seed(seed);
            let (width, height) = if usual { (96, 72) } else { (width, height) };
            let pixels = (0..width * height).map(|_| random.u8(..)).collect();
            for change in watcher.see(&Thumbnail::new(width, height, pixels).unwrap(), at) {
                match change.phase {
                    Phase::Began => prop_assert!(open.insert(change.kind.name())),
                    _ => prop_assert!(open.remove(change.kind.name())),
                }
            }
        }
    }
}
