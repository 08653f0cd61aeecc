//! The detectors at work: any number of threads, each with a detector of its own, take the cameras' newest frames
//! in turn and report what the rules decide and whether the cameras still show their scenes.

mod illness;

use std::io;
use std::num::NonZero;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use gatepost_wire::event::{FaultKind, Phase, Region};

use crate::config::{Calendar, Camera};
use crate::detect::{DetectError, Detector, Scores};
use crate::event::{Observation, Picture, Reporter};
use crate::eye::{Eye, Glance, Seen};
use crate::health::InferenceGauge;
use crate::linked::LinkedCamera;
use crate::motion::MotionError;
use crate::privacy::CoverLog;
use crate::scene::{Scene, Sight};
use crate::source::{Attention, CameraGauge, Frame, Latest};
use illness::{Change, Illness};

/// A camera as the detectors see it.
pub struct AnalysedCamera {
    camera: Camera,
    eye: Eye,
    gauge: Arc<CameraGauge>,
    attention: Arc<Attention>,
    linked: Arc<LinkedCamera>,
    cover: Arc<CoverLog>,
}

impl AnalysedCamera {
    /// A camera nobody has looked through yet.
    ///
    /// # Errors
    /// [`MotionError`] when OpenCV has no memory.
    pub fn new(
        camera: Camera,
        calendar: &Calendar,
        gauge: Arc<CameraGauge>,
        attention: Arc<Attention>,
        linked: Arc<LinkedCamera>,
        cover: Arc<CoverLog>,
        scores: Scores,
    ) -> Result<Self, MotionError> {
        let eye = Eye::of(&camera, Scene::of(&camera, calendar, scores))?;
        Ok(Self { camera, eye, gauge, attention, linked, cover })
    }

    fn count(&self, seen: &Seen) {
        let counter = if seen.looked.is_some() { &self.gauge.analysed } else { &self.gauge.still };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Where cameras and detectors meet.
pub type Frames = Latest<AnalysedCamera, Frame>;

/// What all detectors share.
pub struct Analysis {
    frames: Arc<Frames>,
    gauge: Arc<InferenceGauge>,
    illness: Mutex<Illness>,
}

impl Analysis {
    /// Frames of so many cameras, and what is counted of looking at them.
    pub fn new(frames: Arc<Frames>, cameras: usize, gauge: Arc<InferenceGauge>) -> Self {
        Self { frames, gauge, illness: Mutex::new(Illness::new(cameras)) }
    }

    /// Puts every detector to work on a thread of its own, until the frames end.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self, detectors: Vec<Detector>, reporter: &Reporter) -> io::Result<Vec<JoinHandle<()>>> {
        let shared = Arc::new(self);
        let start = |(number, detector)| {
            let worker = Worker { detector, analysis: Arc::clone(&shared), reporter: reporter.clone() };
            std::thread::Builder::new().name(format!("analysis-{number}")).spawn(move || worker.run())
        };
        detectors.into_iter().enumerate().map(start).collect()
    }
}

/// One detector's thread.
struct Worker {
    detector: Detector,
    analysis: Arc<Analysis>,
    reporter: Reporter,
}

impl Worker {
    fn run(mut self) {
        let analysis = Arc::clone(&self.analysis);
        while analysis.frames.serve(|index, camera, frame| {
            let started = Instant::now();
            self.look(index, camera, &frame);
            analysis.gauge.worked(started.elapsed());
        }) {}
    }

    fn look(&mut self, index: usize, watched: &mut AnalysedCamera, frame: &Frame) {
        let Glance { tamper, stirred, seen } = watched.eye.look(frame, &mut self.detector);
        for change in tamper {
            watched.gauge.tampered(change.kind, change.phase, &change.detail, frame.time);
            let camera = watched.camera.id.clone();
            self.reporter.report(Observation::Tamper { camera, time: frame.time, at: frame.at, change });
        }
        if stirred {
            watched.attention.wake(frame.at);
        }
        match seen {
            Ok(seen) => {
                watched.count(&seen);
                watched.cover.note(frame.at, &seen.sight.people);
                self.report_snapshots(watched, frame, &seen.sight.people);
                self.report_decisions(watched, frame, seen.sight);
                if let Some(took) = seen.looked {
                    self.analysis.gauge.ran(took);
                    self.succeeded(index, frame);
                }
            }
            Err(error) => self.failed(index, watched, frame, &error),
        }
    }

    fn report_decisions(&self, watched: &AnalysedCamera, frame: &Frame, sight: Sight) {
        for decision in sight.decisions {
            let picture = (decision.phase == Phase::Began)
                .then(|| Box::new(Picture { frame: frame.clone(), people: sight.people.clone() }));
            let camera = watched.camera.id.clone();
            self.reporter.report(Observation::Decision {
                camera,
                time: frame.time,
                at: frame.at,
                decision,
                picture,
            });
        }
    }

    /// What was there when a sensor tripped.
    fn report_snapshots(&self, watched: &AnalysedCamera, frame: &Frame, people: &[Region]) {
        for alarm in watched.linked.take_wanted() {
            let picture = Box::new(Picture { frame: frame.clone(), people: people.to_vec() });
            self.reporter.report(Observation::Snapshot { alarm, time: frame.time, picture });
        }
    }

    fn succeeded(&self, index: usize, frame: &Frame) {
        self.judge(frame, "", |illness| illness.looked(index, frame.at));
    }

    /// The frame is lost and nothing else.
    fn failed(&self, index: usize, watched: &AnalysedCamera, frame: &Frame, error: &DetectError) {
        let camera = &watched.camera.id;
        self.analysis.gauge.failed();
        self.judge(frame, &format!("camera {camera}: {error}"), |illness| {
            let (in_a_row, change) = illness.failed(index, frame.at);
            if in_a_row == 1 {
                tracing::warn!(%camera, "a frame could not be looked at: {error}");
            }
            if change.is_some() {
                tracing::error!(%camera, "the detector fails again and again: {error}");
            }
            change
        });
    }

    /// Reports what changes; one at a time, so that an illness is never told to end before it began.
    fn judge(&self, frame: &Frame, why: &str, judge: impl FnOnce(&mut Illness) -> Option<Change>) {
        // Numbers only: nothing can be left half done.
        let mut illness = self.analysis.illness.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(change) = judge(&mut illness) else { return };
        self.analysis.gauge.failing_is(change == Change::Ill);
        let detail = (change == Change::Ill).then(|| why.to_owned());
        let (fault, time) = (FaultKind::InferenceFailed, frame.time);
        self.reporter.report(Observation::Device { fault, time, detail });
    }
}

/// Cores this process may use; one where the system does not tell.
pub fn cores() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}
