//! What came into the picture and stays there without moving: a suitcase, a barrier, a parked car, someone
//! who stands. Two backgrounds tell: a fast one that holds what is there now, and a slow one that holds what
//! was there before. Where they differ for some seconds while the fast one is at rest, something was left.
//!
//! Rules decide what it means: a track in the same place says that it is a person or a vehicle. Something
//! taken away differs as well; it is told apart by where the outline is, which is in the old picture then.

use std::time::Duration;

use gatepost_wire::event::Region;
use opencv::core::Mat;
use opencv::prelude::*;

use super::blobs::Blobs;
use super::{MotionError, Thumbnail};
use crate::config::AreaShare;

/// More often than this says nothing new.
const EVERY: Duration = Duration::from_millis(250);
/// The fast background.
const NOW: Duration = Duration::from_secs(2);
/// The slow background, where nothing seems to lie: follows daylight.
const BEFORE: Duration = Duration::from_secs(30);
/// The slow background where something lies: what lies for hours belongs there.
const BEFORE_BENEATH: Duration = Duration::from_secs(3600);
/// Levels of brightness between the backgrounds that are a difference.
const DIFFERENT: f32 = 18.0;
/// Levels of brightness between the fast background and the picture that are still rest.
const REST: f32 = 10.0;
/// Seconds a pixel must have been different and at rest.
const STILL_S: f32 = 5.0;
/// Unrest counts so many times: someone passing in front interrupts, and noise does not.
const UNREST_COUNTS: f32 = 2.0;
/// A pixel that proved still for longer than this does not become surer.
const MOST_S: f32 = 2.0 * STILL_S;
/// When more of the picture differs at once it is the light.
const RELIT: f32 = 0.4;
/// The outline must be this much stronger in the old picture for something to have been taken away.
const TAKEN_AWAY: f32 = 1.5;

/// Watches one camera's thumbnails for things that were left.
pub struct Left {
    blobs: Blobs,
    learned: Option<Learned>,
    areas: Vec<Region>,
}

struct Learned {
    width: usize,
    height: usize,
    at: Duration,
    places: Vec<Place>,
}

/// One pixel over time.
#[derive(Clone, Copy)]
struct Place {
    now: f32,
    before: f32,
    still_s: f32,
}

impl Left {
    /// A watch that has seen nothing yet; what is smaller than `min_area` is not told.
    ///
    /// # Errors
    /// [`MotionError`] when OpenCV has no memory.
    pub fn new(min_area: AreaShare) -> Result<Self, MotionError> {
        Ok(Self { blobs: Blobs::new(min_area)?, learned: None, areas: Vec::new() })
    }

    /// Takes one thumbnail; `at` only grows.
    ///
    /// # Errors
    /// [`MotionError`]; the watch can be used again.
    pub fn see(&mut self, picture: &Thumbnail, at: Duration) -> Result<(), MotionError> {
        let fits = |l: &Learned| (l.width, l.height) == (picture.width(), picture.height());
        let Some(mut learned) = self.learned.take().filter(fits) else {
            self.restart(picture, at);
            return Ok(());
        };
        let step = at.saturating_sub(learned.at);
        if step < EVERY {
            self.learned = Some(learned);
            return Ok(());
        }
        let different = learned.learn(picture, step);
        learned.at = at;
        if different > RELIT {
            self.restart(picture, at);
            return Ok(());
        }
        let areas = self.blobs.find(&learned.still()?)?;
        self.areas = areas.into_iter().filter(|area| !learned.was_taken_away(area)).collect();
        self.learned = Some(learned);
        Ok(())
    }

    /// Where something was left, as of the last thumbnail.
    pub fn areas(&self) -> &[Region] {
        &self.areas
    }

    /// Takes this picture for what was always there: the light changed, or the camera was away.
    pub fn restart(&mut self, picture: &Thumbnail, at: Duration) {
        let place = |&level: &u8| Place { now: level.into(), before: level.into(), still_s: 0.0 };
        let places = picture.pixels().iter().map(place).collect();
        self.learned = Some(Learned { width: picture.width(), height: picture.height(), at, places });
        self.areas.clear();
    }
}

impl Learned {
    /// Learns from a picture; returns the share of the picture in which the backgrounds differ.
    fn learn(&mut self, picture: &Thumbnail, step: Duration) -> f32 {
        let share = |memory: Duration| 1.0 - (-step.as_secs_f32() / memory.as_secs_f32()).exp();
        let (fast, slow, beneath) = (share(NOW), share(BEFORE), share(BEFORE_BENEATH));
        let seconds = step.as_secs_f32();
        let mut count = 0usize;
        for (place, &level) in self.places.iter_mut().zip(picture.pixels()) {
            let level = f32::from(level);
            let rests = (level - place.now).abs() < REST;
            place.now += fast * (level - place.now);
            let differs = (place.now - place.before).abs() > DIFFERENT;
            count += usize::from(differs);
            place.before += if differs { beneath } else { slow } * (place.now - place.before);
            let proof = if differs && rests { seconds } else { -UNREST_COUNTS * seconds };
            place.still_s = (place.still_s + proof).clamp(0.0, MOST_S);
        }
        count as f32 / self.places.len().max(1) as f32
    }

    fn still(&self) -> Result<Mat, MotionError> {
        let mask: Vec<u8> =
            self.places.iter().map(|place| if place.still_s >= STILL_S { 255 } else { 0 }).collect();
        let mask = Mat::new_rows_cols_with_data(self.height as i32, self.width as i32, &mask)?;
        Ok(mask.try_clone()?)
    }

    /// Is the outline in the old picture and not in the new one?
    fn was_taken_away(&self, area: &Region) -> bool {
        let [mut now, mut before] = [0.0f32; 2];
        let last = |count: usize| count.saturating_sub(1);
        let pixel = |share: f32, count: usize| ((share * count as f32) as usize).min(last(count));
        let (left, right) = (pixel(area.left, self.width), pixel(area.right, self.width));
        let (top, bottom) = (pixel(area.top, self.height), pixel(area.bottom, self.height));
        for y in top..=bottom {
            for x in left..=right {
                let here = self.places[y * self.width + x];
                // Only where what is still ends.
                let inside = here.still_s >= STILL_S;
                let neighbours = [(x + 1 < self.width, 1), (y + 1 < self.height, self.width)];
                for (exists, offset) in neighbours {
                    let Some(there) = self.places.get(y * self.width + x + offset).filter(|_| exists) else {
                        continue;
                    };
                    if inside != (there.still_s >= STILL_S) {
                        now += (here.now - there.now).abs();
                        before += (here.before - there.before).abs();
                    }
                }
            }
        }
        before > TAKEN_AWAY * now
    }
}
