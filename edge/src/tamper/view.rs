//! One picture against the learned one: is it the same scene, and if not, what happened to it?

use super::structure::Structure;

/// Edges weaker than this (mean square of differences) are none: sky, a bare wall, the noise that is left.
const EDGES: f32 = 12.0;
/// What rounding to bytes leaves of edges; below it is only the memory of an earlier picture.
const ROUNDING: f32 = 0.3;
/// With fewer cells with edges than this share nothing can be said: night without light, fog.
const JUDGEABLE: f32 = 0.12;
/// From this on a cell's edges lie where they lay.
const ALIKE: f32 = 0.5;
/// At most this share of the cells may still be alike; a vehicle that fills half the picture leaves more.
const FEW_ALIKE: f32 = 0.25;
/// A cell that has less of its sharpness has lost it.
const SHARP: f32 = 0.6;
/// At least this share of the cells must have lost their sharpness.
const MOST: f32 = 0.75;
/// What is left of the strength of edges when something is over the lens.
const EDGES_GONE: f32 = 0.15;
/// From this on light and dark are spread as they were: blur leaves more, a hand hardly ever as much.
const LIGHT_ALIKE: f32 = 0.85;

/// What a picture shows, compared with what was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The scene as it was learned, or enough of it.
    Clear,
    /// No scene at all.
    Covered,
    /// The scene without its details.
    Blurred,
    /// Another scene.
    Moved,
    /// What was learned has too little structure to compare with.
    Unknown,
}

/// The measures [`View`] is decided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measures {
    /// Share of the picture that had edges.
    pub judgeable: f32,
    /// Share of the cells with edges whose edges lie where they lay.
    pub alike: f32,
    /// Share of the cells with edges that are as sharp as they were.
    pub sharp: f32,
    /// Strength of edges where there were some, now against then.
    pub edges: f32,
    /// Likeness of how light and dark are spread.
    pub light: f32,
}

impl Measures {
    pub(super) fn of(now: &Structure, learned: &Structure) -> Self {
        let [mut count, mut alike, mut sharp] = [0usize; 3];
        let [mut edges_now, mut edges_then] = [0.0f32; 2];
        for ((cell, was), likeness) in now.cells.iter().zip(&learned.cells).zip(now.likeness(learned)) {
            if was.edges < EDGES {
                continue;
            }
            let is_alike = likeness >= ALIKE && cell.edges > ROUNDING;
            // What is left where edges are weak and nothing is alike is noise, which is always sharp.
            let only_noise = cell.edges < EDGES && !is_alike;
            count += 1;
            alike += usize::from(is_alike);
            sharp += usize::from(cell.sharpness >= SHARP * was.sharpness && !only_noise);
            edges_now += cell.edges;
            edges_then += was.edges;
        }
        let share = |of: usize| of as f32 / count.max(1) as f32;
        Self {
            judgeable: count as f32 / learned.cells.len().max(1) as f32,
            alike: share(alike),
            sharp: share(sharp),
            edges: edges_now / edges_then.max(f32::EPSILON),
            light: now.likeness_of_light(learned),
        }
    }

    pub(super) fn view(&self) -> View {
        let same_light = self.light >= LIGHT_ALIKE;
        let few_alike = self.alike <= FEW_ALIKE;
        let unsharp = 1.0 - self.sharp >= MOST;
        match () {
            () if self.judgeable < JUDGEABLE => View::Unknown,
            () if unsharp && same_light => View::Blurred,
            () if few_alike && self.edges < EDGES_GONE => View::Covered,
            () if few_alike => View::Moved,
            () => View::Clear,
        }
    }
}
