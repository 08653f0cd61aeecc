//! What moves in a picture without being anything: rain, leaves, the noise of a night. Somebody who comes
//! meanwhile is seen.

use super::*;

/// Somebody as large as the pedestrians, who walks: in the `i`th picture since they came.
fn walker(picture: &Thumbnail, i: u64, brighter: f32) -> Thumbnail {
    let left = 60 + 4 * i as usize;
    altered(picture, |x, y, of| {
        let inside = (left..left + 12).contains(&x) && (120..148).contains(&y);
        byte(f32::from(of(x as isize, y as isize)) + if inside { brighter } else { 0.0 })
    })
}

/// Feeds a minute of five pictures a second, in whose last two seconds somebody walks; when there was motion.
fn motion_in(
    weather: impl FnMut(&Thumbnail, Duration) -> Thumbnail,
    sigma: f32,
    brighter: f32,
) -> Vec<Duration> {
    let (mut gate, mut weather) = (gate(), weather);
    let mut moved = Vec::new();
    for (at, picture) in still(sigma, 200, 60) {
        let mut picture = weather(&picture, at);
        if let Some(since) = at.checked_sub(ms(58_000)) {
            picture = walker(&picture, since.as_millis() as u64 / 200, brighter);
        }
        if gate.see(&picture, at).unwrap().moved() {
            moved.push(at);
        }
    }
    moved
}

/// Of the last 20 s without anybody at most a twentieth moved, and of the 2 s with somebody all.
fn assert_only_somebody_moves(moved: &[Duration]) {
    let during = |from: u64, to: u64| moved.iter().filter(|at| (ms(from)..ms(to)).contains(*at)).count();
    assert!(during(38_000, 58_000) <= 5, "{moved:?}");
    assert_eq!(during(58_000, 60_000), 10, "{moved:?}");
}

#[test]
fn rain_before_a_lamp() {
    let mut random = fastrand::Rng::with_seed(11);
    let rain = |picture: &Thumbnail, _: Duration| {
        let width = picture.width();
        let mut wet = vec![false; width * picture.height()];
        for _ in 0..60 {
            let (left, top) = (random.usize(..width - 2), random.usize(..picture.height() - 9));
            for row in top..top + 9 {
                wet[row * width + left..][..2].fill(true);
            }
        }
        altered(picture, |x, y, of| {
            byte(f32::from(of(x as isize, y as isize)) + if wet[y * width + x] { 60.0 } else { 0.0 })
        })
    };
    assert_only_somebody_moves(&motion_in(rain, 2.0, 60.0));
}

#[test]
fn leaves_in_the_wind() {
    let wind = |picture: &Thumbnail, at: Duration| {
        let sway = (at.as_secs_f32() * std::f32::consts::TAU / 1.3).sin() * 2.0;
        altered(picture, |x, y, of| {
            let is_tree = (200..290).contains(&x) && (20..110).contains(&y);
            of(x as isize + if is_tree { sway.round() as isize } else { 0 }, y as isize)
        })
    };
    assert_only_somebody_moves(&motion_in(wind, 2.0, 60.0));
}

#[test]
fn a_night_full_of_noise() {
    let mut random = fastrand::Rng::with_seed(12);
    let night = |picture: &Thumbnail, _: Duration| {
        altered(picture, |x, y, of| {
            byte(20.0 + 0.2 * f32::from(of(x as isize, y as isize)) + noise(&mut random, 8.0))
        })
    };
    assert_only_somebody_moves(&motion_in(night, 0.0, 60.0));
}
