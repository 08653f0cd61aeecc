//! What tests of rules share: tracks to feed, and what is told in short.

use std::time::Duration;

use gatepost_wire::event::{ObjectClass, Phase, Region, TrackNumber};

use super::guard::{View, Watch};
use crate::config::Polygon;
use crate::track::{Birth, Track};

pub(super) const STEP_MS: u64 = 200;

/// A person a fifth of the picture high whose foot is at `x` and half way down.
pub(super) fn person(number: u32, x: f32, seen: bool) -> Track {
    standing_at(number, x, 0.5, seen)
}

pub(super) fn standing_at(number: u32, x: f32, y: f32, seen: bool) -> Track {
    let region = Region { left: x - 0.03, top: y - 0.2, right: x + 0.03, bottom: y };
    Track {
        established: true,
        number: TrackNumber(number),
        class: ObjectClass::Person,
        region,
        score: 0.6,
        seen,
        birth: Birth { at: Duration::ZERO, region, score: 0.6 },
    }
}

/// A car whose middle is at `x` and half way down.
pub(super) fn car(number: u32, x: f32) -> Track {
    let region = Region { left: x - 0.1, top: 0.42, right: x + 0.1, bottom: 0.58 };
    Track { class: ObjectClass::Car, region, ..person(number, x, true) }
}

/// Everything right of 0.4.
pub(super) fn right_part() -> Polygon {
    vec![[0.4, 0.0], [1.0, 0.0], [1.0, 1.0], [0.4, 1.0]].try_into().unwrap()
}

/// Feeds one frame every 200 ms and gives the phases with their frame and alarm.
pub(super) fn phases(watch: &mut dyn Watch, frames: &[Vec<Track>]) -> Vec<(usize, Phase, u64)> {
    let frames: Vec<_> = frames
        .iter()
        .enumerate()
        .map(|(i, tracks)| (i as u64 * STEP_MS, tracks.clone(), Vec::new()))
        .collect();
    phases_at(watch, &frames)
}

/// The same for frames at any time, in milliseconds, with still things.
pub(super) fn phases_at(
    watch: &mut dyn Watch,
    frames: &[(u64, Vec<Track>, Vec<Region>)],
) -> Vec<(usize, Phase, u64)> {
    let look = |(i, (ms, tracks, things_left)): (usize, &(u64, Vec<Track>, Vec<Region>))| {
        let view = View { tracks, things_left, at: Duration::from_millis(*ms), may_begin: true };
        let changes = watch.look(&view);
        changes.into_iter().map(|c| (i, c.phase, c.alarm.0)).collect::<Vec<_>>()
    };
    frames.iter().enumerate().flat_map(look).collect()
}
