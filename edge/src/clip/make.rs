//! Makes a clip: decodes the seconds once more, blackens what is masked, looks who is there, covers them, encodes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Job;
use super::cover::{AHEAD, ClipCover, LOOK_EVERY};
use super::film::{FPS, Film, FilmError};
use crate::clock::Clock;
use crate::config::Threads;
use crate::detect::{DetectError, Detector, LoadError, Model};
use crate::original::{Recipients, SealError};
use crate::privacy::{MaskError, pixelate};
use crate::source::{Frame, FrameError, Rate, Replay, ReplayError, RgbPicture};

/// No clip can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClipFault {
    /// Nothing came while it happened.
    #[error("the camera sent nothing that can be shown")]
    Empty,
    /// The daemon stops.
    #[error("the daemon stops")]
    Stopped,
    /// The detector that looks for people cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It fails: without it nobody would be covered.
    #[error("nobody can be covered: {0}")]
    Detect(#[from] DetectError),
    /// What the camera sent cannot be decoded.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// What nobody may see cannot be made black.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// A picture cannot be scaled.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The MP4 cannot be made.
    #[error(transparent)]
    Film(#[from] FilmError),
    /// The original cannot be encrypted.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A clip, still in memory.
pub struct Made {
    /// The MP4 with everybody covered.
    pub covered: Vec<u8>,
    /// The same uncovered, encrypted; where the site allows it.
    pub original: Option<Vec<u8>>,
    /// How long it plays.
    pub length: Duration,
}

/// Makes one clip after the other, with a detector of its own: the live one has no time.
pub struct Maker {
    /// As the daemon loaded it: its file may be another one by now.
    model: Arc<Model>,
    width: u32,
    clock: Arc<Clock>,
    originals: Option<Recipients>,
    detector: Option<Detector>,
}

impl Maker {
    /// Clips of `width` pixels across, or less if the camera's pictures are smaller; with originals for those who
    /// may open them.
    pub fn new(model: Arc<Model>, width: u32, clock: Arc<Clock>, originals: Option<Recipients>) -> Self {
        Self { model, width, clock, originals, detector: None }
    }

    /// Gives back the memory the detector takes.
    pub fn rest(&mut self) {
        self.detector = None;
    }

    /// Makes a clip; gives up when `stop` is set.
    ///
    /// # Errors
    /// [`ClipFault`]; then there is no clip, since one with somebody uncovered would be worse.
    pub(super) fn make(&mut self, job: &Job, stop: &AtomicBool) -> Result<Made, ClipFault> {
        let detector = match &mut self.detector {
            Some(detector) => detector,
            none => none.insert(self.model.detector(Threads::ONE)?),
        };
        let mut reel = Reel {
            cover: ClipCover::new(detector.scores(), job.live.clone()),
            most_width: self.width,
            with_original: self.originals.is_some(),
            waiting: VecDeque::new(),
            films: None,
        };
        let mut replay = Replay::of(&job.cut, job.booking.camera.as_str(), &self.clock)?;
        let mut shown = Rate::of_arrivals(Duration::from_secs(1) / FPS);
        let mut looked_at = Rate::of_arrivals(LOOK_EVERY);
        while let Some(frame) = replay.next_frame()? {
            if stop.load(Ordering::Relaxed) {
                return Err(ClipFault::Stopped);
            }
            // Before that it is only decoded, since what follows depends on it.
            if frame.at < job.booking.from || !shown.takes(frame.at) {
                continue;
            }
            let frame = frame.masked(&job.masks)?;
            if looked_at.takes(frame.at) {
                reel.cover.look(&detector.detect_tiled(&frame, &job.tiles)?, frame.at);
            }
            reel.take(&frame)?;
        }
        let Developed { covered, original, length } = reel.finish()?;
        let original = match (&self.originals, original) {
            (Some(recipients), Some(mp4)) => Some(recipients.seal(&mp4)?),
            _ => None,
        };
        Ok(Made { covered, original, length })
    }
}

/// Pictures that wait until it is known who has to be covered in them, and the films they go to.
struct Reel {
    cover: ClipCover,
    most_width: u32,
    with_original: bool,
    waiting: VecDeque<(Duration, RgbPicture)>,
    films: Option<Films>,
}

struct Films {
    began: Duration,
    last: Duration,
    covered: Film,
    original: Option<Film>,
}

/// Whole MP4s, nothing of them encrypted yet.
struct Developed {
    covered: Vec<u8>,
    original: Option<Vec<u8>>,
    length: Duration,
}

impl Reel {
    fn take(&mut self, frame: &Frame) -> Result<(), ClipFault> {
        let films = match &self.films {
            Some(films) => films,
            None => self.films.insert(Films::begin(frame, self.most_width, self.with_original)?),
        };
        let (width, height) = films.covered.size();
        self.waiting.push_back((frame.at, frame.to_rgb_of(width, height)?));
        while let Some((at, picture)) = self.waiting.pop_front_if(|(at, _)| *at + AHEAD < frame.at) {
            self.show(at, picture)?;
        }
        Ok(())
    }

    fn show(&mut self, at: Duration, mut picture: RgbPicture) -> Result<(), ClipFault> {
        let films = self.films.as_mut().ok_or(ClipFault::Empty)?;
        let since = at - films.began;
        films.last = at;
        if let Some(original) = &mut films.original {
            original.push(picture.clone(), since)?;
        }
        pixelate(&mut picture, &self.cover.at(at));
        self.cover.forget_before(at);
        Ok(films.covered.push(picture, since)?)
    }

    fn finish(mut self) -> Result<Developed, ClipFault> {
        while let Some((at, picture)) = self.waiting.pop_front() {
            self.show(at, picture)?;
        }
        let Films { began, last, covered, original } = self.films.ok_or(ClipFault::Empty)?;
        let (covered, original) = (covered.finish()?, original.map(Film::finish).transpose()?);
        Ok(Developed { covered, original, length: last - began })
    }
}

impl Films {
    fn begin(frame: &Frame, most_width: u32, with_original: bool) -> Result<Self, ClipFault> {
        // Even numbers: chroma is stored for pairs of pixels.
        let width = frame.width().min(most_width) & !1;
        let height = (frame.height() * width / frame.width().max(1)) & !1;
        let original = with_original.then(|| Film::begin(width, height)).transpose()?;
        Ok(Self { began: frame.at, last: frame.at, covered: Film::begin(width, height)?, original })
    }
}
