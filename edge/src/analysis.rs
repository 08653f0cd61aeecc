//! The detector's thread: takes the cameras' newest frames in turn and reports what the rules decide.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use gatepost_wire::event::{FaultKind, Phase};

use crate::config::Camera;
use crate::detect::Detector;
use crate::event::{Observation, Picture, Reporter};
use crate::health::InferenceGauge;
use crate::scene::Scene;
use crate::source::{Attention, CameraGauge, Frame, Latest};

/// This many failures in a row are an illness, not an accident.
const FAILURES_UNTIL_FAULT: u32 = 5;

/// A camera as the detector's thread sees it.
pub struct AnalysedCamera {
    camera: Camera,
    scene: Scene,
    gauge: Arc<CameraGauge>,
    attention: Arc<Attention>,
}

impl AnalysedCamera {
    /// A camera nobody has looked through yet.
    pub fn new(
        camera: Camera,
        gauge: Arc<CameraGauge>,
        attention: Arc<Attention>,
        detector: &Detector,
    ) -> Self {
        let scene = Scene::of(&camera, detector.scores());
        Self { camera, scene, gauge, attention }
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
            let started = Instant::now();
            match self.detector.detect(&frame) {
                Ok(detections) => {
                    self.gauge.ran(started.elapsed());
                    if std::mem::take(&mut failures_in_a_row) >= FAILURES_UNTIL_FAULT {
                        self.report_fault(&frame, None);
                    }
                    let watched = &mut self.cameras[index];
                    watched.gauge.analysed.fetch_add(1, Ordering::Relaxed);
                    let sight = watched.scene.see(&detections, frame.at);
                    if !sight.tracks.is_empty() {
                        watched.attention.wake(frame.at);
                    }
                    for decision in sight.decisions {
                        let picture = (decision.phase == Phase::Began).then(|| {
                            Box::new(Picture { frame: frame.clone(), people: sight.people.clone() })
                        });
                        let camera = watched.camera.id.clone();
                        self.reporter.report(Observation::Decision {
                            camera,
                            time: frame.time,
                            decision,
                            picture,
                        });
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

    fn report_fault(&self, frame: &Frame, detail: Option<String>) {
        self.reporter.report(Observation::Device {
            fault: FaultKind::InferenceFailed,
            time: frame.time,
            detail,
        });
    }
}
