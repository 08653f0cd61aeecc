//! The watch over one camera.

use std::time::Duration;

use gatepost_wire::event::{Phase, TamperKind};

use super::frozen::Sameness;
use super::hold::Hold;
use super::structure::{Levels, Structure};
use super::view::{Measures, View};
use crate::config;
use crate::motion::Thumbnail;

/// More often than this says nothing new.
const EVERY: Duration = Duration::from_millis(400);
/// After a pause as long as this nothing is known of the time between.
const PAUSE: Duration = Duration::from_secs(12);
/// Time over which the present picture is averaged: takes away noise, and much of who passes.
const PRESENT: Duration = Duration::from_millis(800);
/// Time over which the picture to compare with is learned: follows the daylight.
const LEARNED: Duration = Duration::from_secs(60);
/// Time a new picture is learned before anything is compared with it.
const FIRST: Duration = Duration::from_secs(10);

/// An alarm begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In what way the camera fails to show its scene.
    pub kind: TamperKind,
    /// [`Phase::Began`] or [`Phase::Ended`].
    pub phase: Phase,
    /// What was seen, in words for a technician.
    pub detail: String,
}

/// Watches one camera's thumbnails for tampering.
pub struct Watcher {
    moved_relearn: Duration,
    last: Option<Duration>,
    pictures: Option<Pictures>,
    views: [Watched; 3],
    /// Since when another view is told.
    moved_since: Duration,
    frozen: Option<Freeze>,
}

/// A view that is an alarm when it lasts.
struct Watched {
    kind: TamperKind,
    view: View,
    wanted: bool,
    hold: Hold,
}

/// A picture that stays the same is one too.
struct Freeze {
    after: Duration,
    sameness: Sameness,
    hold: Hold,
}

/// What is there and what should be.
struct Pictures {
    width: usize,
    height: usize,
    present: Vec<f32>,
    learned: Vec<f32>,
    learned_for: Duration,
}

impl Watcher {
    /// A watch that has seen nothing yet.
    pub fn new(config: &config::Tamper) -> Self {
        let after = config.after_s.span();
        let watched = |kind, view, wanted| Watched { kind, view, wanted, hold: Hold::new(after, after) };
        Self {
            moved_relearn: config.moved_relearn_s.span(),
            last: None,
            pictures: None,
            views: [
                watched(TamperKind::Covered, View::Covered, config.covered),
                watched(TamperKind::Blurred, View::Blurred, config.blurred),
                watched(TamperKind::Moved, View::Moved, config.moved),
            ],
            moved_since: Duration::ZERO,
            frozen: config.frozen.then(|| Freeze {
                after: config.frozen_after_s.span(),
                sameness: Sameness::default(),
                // The wait is in how long the picture has been the same.
                hold: Hold::new(Duration::ZERO, after),
            }),
        }
    }

    /// Takes one thumbnail; `at` only grows.
    pub fn see(&mut self, picture: &Thumbnail, at: Duration) -> Vec<Change> {
        let step = self.last.map(|last| at.saturating_sub(last));
        if step.is_some_and(|step| step < EVERY) {
            return Vec::new();
        }
        self.last = Some(at);
        let step = step.unwrap_or(Duration::ZERO);
        if step > PAUSE {
            self.interrupt();
        }
        let mut changes = Vec::new();
        let fits = |p: &Pictures| (p.width, p.height) == (picture.width(), picture.height());
        match self.pictures.take().filter(fits) {
            Some(mut pictures) => {
                pictures.see(picture, step);
                self.judge(&mut pictures, step, at, &mut changes);
                self.pictures = Some(pictures);
            }
            None => {
                self.settle("the picture has another size and is learned anew", &mut changes);
                self.pictures = Some(Pictures::new(picture));
            }
        }
        let covered = self.views.iter().any(|w| w.view == View::Covered && w.hold.suspects());
        if let Some(frozen) = &mut self.frozen {
            changes.extend(frozen.see(picture, covered, at));
        }
        changes
    }

    fn judge(&mut self, pictures: &mut Pictures, step: Duration, at: Duration, changes: &mut Vec<Change>) {
        if pictures.learned_for < FIRST {
            return pictures.learn(step);
        }
        let Some(measures) = pictures.measure() else { return };
        let view = measures.view();
        for watched in &mut self.views {
            let Some(phase) = watched.hold.see(view == watched.view, at) else { continue };
            if !watched.wanted {
                // Of what nobody wants to hear, the new picture is simply the one to learn.
                watched.hold.settle();
                pictures.restart();
                continue;
            }
            if watched.view == View::Moved {
                self.moved_since = at;
            }
            changes.push(Change {
                kind: watched.kind,
                phase,
                detail: describe(&measures, watched.view, phase),
            });
        }
        let moved = self.views.iter().any(|w| w.view == View::Moved && w.hold.raised());
        if moved && at.saturating_sub(self.moved_since) >= self.moved_relearn {
            pictures.restart();
            self.settle("the new view is taken for the right one from now on", changes);
        }
        if !self.views.iter().any(|watched| watched.hold.suspects()) {
            pictures.learn(step);
        }
    }

    fn settle(&mut self, why: &str, changes: &mut Vec<Change>) {
        for Watched { kind, hold, .. } in &mut self.views {
            changes.extend(hold.settle().map(|phase| Change { kind: *kind, phase, detail: why.into() }));
        }
    }

    fn interrupt(&mut self) {
        self.views.iter_mut().for_each(|watched| watched.hold.interrupt());
        if let Some(frozen) = &mut self.frozen {
            frozen.sameness.interrupt();
            frozen.hold.interrupt();
        }
    }
}

fn describe(measures: &Measures, view: View, phase: Phase) -> String {
    let percent = |share: f32| (100.0 * share).round();
    let alike = percent(measures.alike);
    match (phase, view) {
        (Phase::Ended, _) => format!("it is over: {alike} % of the learned edges lie where they lay"),
        (_, View::Covered) => {
            format!("hardly a picture: edges have {} % of the learned strength", percent(measures.edges))
        }
        (_, View::Blurred) => {
            format!("details are gone: {} % of the picture is as sharp as learned", percent(measures.sharp))
        }
        _ => format!("not the learned view: {alike} % of the learned edges lie where they lay"),
    }
}

impl Freeze {
    /// `covered`: where nothing is to be seen no noise need be.
    fn see(&mut self, picture: &Thumbnail, covered: bool, at: Duration) -> Option<Change> {
        let same_for = self.sameness.see(picture, at);
        let phase = self.hold.see(same_for >= self.after && !covered, at)?;
        let detail = match phase {
            Phase::Ended => "the picture changes again".into(),
            _ => format!("the very same picture for {} s, although pictures keep coming", same_for.as_secs()),
        };
        Some(Change { kind: TamperKind::Frozen, phase, detail })
    }
}

impl Pictures {
    fn new(picture: &Thumbnail) -> Self {
        let levels: Vec<f32> = picture.pixels().iter().map(|&level| level.into()).collect();
        let (width, height) = (picture.width(), picture.height());
        Self { width, height, present: levels.clone(), learned: levels, learned_for: Duration::ZERO }
    }

    fn see(&mut self, picture: &Thumbnail, step: Duration) {
        let part = if step > PAUSE { 1.0 } else { part_of(step, PRESENT) };
        for (present, &level) in self.present.iter_mut().zip(picture.pixels()) {
            *present += part * (f32::from(level) - *present);
        }
    }

    /// Learns what is there now. In the beginning all pictures weigh the same.
    fn learn(&mut self, step: Duration) {
        self.learned_for += step;
        let part = part_of(step, self.learned_for.min(LEARNED));
        for (learned, present) in self.learned.iter_mut().zip(&self.present) {
            *learned += part * (present - *learned);
        }
    }

    /// Forgets what was learned.
    fn restart(&mut self) {
        self.learned.clone_from(&self.present);
        self.learned_for = Duration::ZERO;
    }

    fn measure(&self) -> Option<Measures> {
        let structure = |values| Structure::of(Levels { width: self.width, height: self.height, values });
        Some(Measures::of(&structure(&self.present)?, &structure(&self.learned)?))
    }
}

/// How much of an average over `memory` the last `step` makes up.
fn part_of(step: Duration, memory: Duration) -> f32 {
    if memory.is_zero() { 0.0 } else { 1.0 - (-step.as_secs_f32() / memory.as_secs_f32()).exp() }
}
