//! The detector's thread: takes the cameras' newest frames in turn and reports what the rules decide and
//! whether the cameras still show their scenes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatepost_wire::event::{FaultKind, Phase};

use crate::config::{Calendar, Camera};
use crate::detect::Detector;
use crate::event::{Observation, Picture, Reporter};
use crate::eye::{Eye, Seen};
use crate::health::InferenceGauge;
use crate::motion::MotionError;
use crate::scene::{Scene, Sight};
use crate::source::{Attention, CameraGauge, Frame, Latest};

/// This many failures in a row are an illness, not an accident.
const FAILURES_UNTIL_FAULT: u32 = 5;

/// A camera as the detector's thread sees it.
pub struct AnalysedCamera {
    camera: Camera,
    eye: Eye,
    gauge: Arc<CameraGauge>,
    attention: Arc<Attention>,
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
        detector: &Detector,
    ) -> Result<Self, MotionError> {
        let eye = Eye::of(&camera, Scene::of(&camera, calendar, detector.scores()))?;
        Ok(Self { camera, eye, gauge, attention })
    }

    fn count(&self, seen: &Seen) {
        let counter = if seen.looked.is_some() { &self.gauge.analysed } else { &self.gauge.still };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The work of the detector's thread.
pub struct Analysis {
    /// The model.
    pub detector: Detector,
    /// The cameras, in the order of their places in [`Latest`].
    pub cameras: Vec<AnalysedCamera>,
    /// Where frames come from.
    pub frames: Arc<Latest<Frame>>,
    /// Counted for health.
    pub gauge: Arc<InferenceGauge>,
    /// Where decisions go.
    pub reporter: Reporter,
}

impl Analysis {
    /// Works until the frames end.
    pub fn run(mut self) {
        let mut failures_in_a_row = 0;
        while let Some((index, frame)) = self.frames.take() {
            let watched = &mut self.cameras[index];
            let glance = watched.eye.look(&frame, &mut self.detector);
            for change in glance.tamper {
                let camera = watched.camera.id.clone();
                self.reporter.report(Observation::Tamper { camera, time: frame.time, change });
            }
            if glance.stirred {
                watched.attention.wake(frame.at);
            }
            match glance.seen {
                Ok(seen) => {
                    watched.count(&seen);
                    self.report_decisions(index, &frame, seen.sight);
                    let Some(took) = seen.looked else { continue };
                    self.gauge.ran(took);
                    if std::mem::take(&mut failures_in_a_row) >= FAILURES_UNTIL_FAULT {
                        self.report_fault(&frame, None);
                    }
                }
                Err(error) => {
                    self.gauge.failed();
                    failures_in_a_row += 1;
                    if failures_in_a_row == 1 {
                        tracing::warn!(camera = %self.cameras[index].camera.id, "a frame could not be looked at: {error}");
                    }
                    if failures_in_a_row == FAILURES_UNTIL_FAULT {
                        tracing::error!("the detector fails again and again: {error}");
                        self.report_fault(&frame, Some(error.to_string()));
                    }
                }
            }
        }
    }

    fn report_decisions(&self, index: usize, frame: &Frame, sight: Sight) {
        for decision in sight.decisions {
            let picture = (decision.phase == Phase::Began)
                .then(|| Box::new(Picture { frame: frame.clone(), people: sight.people.clone() }));
            let camera = self.cameras[index].camera.id.clone();
            self.reporter.report(Observation::Decision { camera, time: frame.time, decision, picture });
        }
    }

    fn report_fault(&self, frame: &Frame, detail: Option<String>) {
        self.reporter.report(Observation::Device {
            fault: FaultKind::InferenceFailed,
            time: frame.time,
            detail,
        });
    }
}
