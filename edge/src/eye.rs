//! One camera's eye: what its frames show, and when the detector has to look at all. The daemon and `analyse`
//! see with it alike.

use std::time::{Duration, Instant};

use crate::config::{Camera, Tiles};
use crate::detect::{DetectError, Detection, Detector};
use crate::motion::{Gate, Left, Look, MotionError, Pace, Thumbnail, ThumbnailError, Thumbnailer};
use crate::scene::{Scene, Sight};
use crate::source::Frame;
use crate::tamper::{Change, Watcher};

/// Everything that is known of one camera's picture.
pub struct Eye {
    scene: Scene,
    last_detections: Vec<Detection>,
    tiles: Tiles,
    small: Option<Small>,
}

/// What is seen in the small grey picture.
struct Small {
    thumbnailer: Thumbnailer,
    gate: Option<(Gate, Pace)>,
    left: Left,
    tamper: Watcher,
    failing: bool,
}

/// Why a frame's small picture says nothing. The detector looks then.
#[derive(Debug, thiserror::Error)]
enum SmallError {
    #[error(transparent)]
    Thumbnail(#[from] ThumbnailError),
    #[error(transparent)]
    Motion(#[from] MotionError),
}

/// What one frame showed.
#[derive(Debug)]
pub struct Glance {
    /// Whether the camera still shows its scene.
    pub tamper: Vec<Change>,
    /// Something moved, so that there is a reason to watch closely.
    pub stirred: bool,
    /// Who and what is there.
    pub seen: Result<Seen, DetectError>,
}

/// Who and what is there.
#[derive(Debug)]
pub struct Seen {
    /// Tracks and decisions.
    pub sight: Sight,
    /// How long the detector looked; none when nothing had moved since it looked last.
    pub looked: Option<Duration>,
}

impl Eye {
    /// An eye that looks at every frame and at nothing but what the detector sees.
    pub fn always_looking(scene: Scene, tiles: Tiles) -> Self {
        Self { scene, last_detections: Vec::new(), tiles, small: None }
    }

    /// An eye as the camera's configuration wants it.
    ///
    /// # Errors
    /// [`MotionError`] when OpenCV has no memory.
    pub fn of(camera: &Camera, scene: Scene) -> Result<Self, MotionError> {
        let motion = &camera.motion;
        let gate = || Ok::<_, MotionError>((Gate::new(motion)?, Pace::new(motion.full_look_s.span())));
        let small = Small {
            thumbnailer: Thumbnailer::default(),
            gate: if motion.gate { Some(gate()?) } else { None },
            left: Left::new(motion.min_area)?,
            tamper: Watcher::new(&camera.tamper),
            failing: false,
        };
        Ok(Self { small: Some(small), ..Self::always_looking(scene, camera.tiles) })
    }

    /// Takes one frame; the time of frames only grows.
    pub fn look(&mut self, frame: &Frame, detector: &mut Detector) -> Glance {
        let (outlook, tamper) = match &mut self.small {
            Some(small) => small.see(frame, self.scene.is_unsure()),
            None => (Outlook::BLIND, Vec::new()),
        };
        Glance { tamper, stirred: outlook.stirred, seen: self.see(frame, outlook.look, detector) }
    }

    /// What the detector saw last, which is what is there if nothing moved since.
    pub fn last_detections(&self) -> &[Detection] {
        &self.last_detections
    }

    fn see(&mut self, frame: &Frame, look: Look, detector: &mut Detector) -> Result<Seen, DetectError> {
        let looked = match look {
            Look::Same => None,
            Look::Detect => {
                let started = Instant::now();
                let detections = detector.detect_tiled(frame, &self.tiles);
                if let Some((_, pace)) = self.small.as_mut().and_then(|small| small.gate.as_mut()) {
                    match &detections {
                        Ok(_) => pace.looked(frame.at),
                        Err(_) => pace.forget(),
                    }
                }
                self.last_detections = detections?;
                Some(started.elapsed())
            }
        };
        let left = self.small.as_ref().map_or(&[][..], |small| small.left.areas());
        Ok(Seen { sight: self.scene.see(&self.last_detections, left, frame.at, frame.time), looked })
    }
}

/// What the small picture says of motion.
#[derive(Clone, Copy)]
struct Outlook {
    look: Look,
    stirred: bool,
}

impl Outlook {
    /// Without a small picture anything may be moving.
    const BLIND: Self = Self { look: Look::Detect, stirred: true };
}

impl Small {
    fn see(&mut self, frame: &Frame, unsure: bool) -> (Outlook, Vec<Change>) {
        let mut tamper = Vec::new();
        let seen = self.thumbnailer.take(frame).map_err(SmallError::from).and_then(|picture| {
            tamper = self.tamper.see(&picture, frame.at);
            Ok(self.watch(&picture, unsure, frame.at)?)
        });
        let was_failing = std::mem::replace(&mut self.failing, seen.is_err());
        let outlook = seen.unwrap_or_else(|error| {
            if !was_failing {
                tracing::warn!("the detector looks at every frame: {error}");
            }
            Outlook::BLIND
        });
        (outlook, tamper)
    }

    fn watch(&mut self, picture: &Thumbnail, unsure: bool, at: Duration) -> Result<Outlook, MotionError> {
        let Some((gate, pace)) = &mut self.gate else {
            self.left.see(picture, at)?;
            return Ok(Outlook::BLIND);
        };
        let motion = gate.see(picture, at)?;
        if motion.relit {
            self.left.restart(picture, at);
        } else {
            self.left.see(picture, at)?;
        }
        Ok(Outlook { look: pace.decide(motion.moved(), unsure, at), stirred: motion.moved() })
    }
}

#[cfg(test)]
mod tests {
    use gatepost_testbed::footage::{vtest, workspace_root};
    use gatepost_wire::Timestamp;

    use super::*;
    use crate::config::{Calendar, Threads};
    use crate::source::Clip;

    fn detector() -> Detector {
        let root = workspace_root();
        let runtime = root.join(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH));
        Detector::load(&root.join("models/centernet-320.toml"), &runtime, Threads::ONE).unwrap()
    }

    /// A frame as the `i`th of a camera with five a second.
    fn nth(i: u32, frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        frame.at = Duration::from_millis(200) * i;
        frame
    }

    fn camera() -> (Camera, Calendar) {
        let example = include_str!("../../config/edge.example.toml");
        let mut config = crate::config::parse(example, "edge.toml".as_ref()).unwrap();
        let calendar = config.calendar();
        (config.cameras.remove(0), calendar)
    }

    #[test]
    fn the_detector_is_spared_while_nothing_moves_and_nobody_is_lost_meanwhile() {
        gstreamer::init().unwrap();
        let mut detector = detector();
        let (camera, calendar) = camera();
        let mut eye = Eye::of(&camera, Scene::of(&camera, &calendar, detector.scores())).unwrap();
        let mut clip = Clip::open(&vtest().unwrap(), Timestamp::now()).unwrap();
        let still = clip.next_frame().unwrap().unwrap();
        let (mut looked, mut followed) = (Vec::new(), Vec::new());
        for i in 0..100u32 {
            let frame = nth(i, &still);
            let seen = eye.look(&frame, &mut detector).seen.unwrap();
            if seen.looked.is_some() {
                looked.push(i);
            }
            followed.push(seen.sight.tracks.iter().filter(|track| track.seen).count());
        }
        assert_eq!(looked, [0, 1, 26, 51, 76], "at once, to confirm, then every 5 s");
        assert!(followed[1] >= 3 && followed[2..].iter().all(|&n| n == followed[1]), "{followed:?}");
        // The clip goes on: people walk.
        for i in 100..120u32 {
            let frame = clip.next_frame().unwrap().unwrap();
            let frame = nth(i, &frame);
            let seen = eye.look(&frame, &mut detector).seen.unwrap();
            assert!(seen.looked.is_some() || i < 103, "frame {i}");
        }
    }

    #[test]
    fn without_a_gate_the_detector_looks_at_every_frame() {
        gstreamer::init().unwrap();
        let mut detector = detector();
        let (mut camera, calendar) = camera();
        camera.motion.gate = false;
        let scene = || Scene::of(&camera, &calendar, detector.scores());
        let eyes = [Eye::of(&camera, scene()).unwrap(), Eye::always_looking(scene(), camera.tiles)];
        let mut clip = Clip::open(&vtest().unwrap(), Timestamp::now()).unwrap();
        let still = clip.next_frame().unwrap().unwrap();
        for mut eye in eyes {
            for i in 0..5 {
                let frame = nth(i, &still);
                assert!(eye.look(&frame, &mut detector).seen.unwrap().looked.is_some());
            }
        }
    }
}
