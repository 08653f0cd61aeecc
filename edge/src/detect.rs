//! Detection: a frame in, boxes of people and vehicles out. A model is described by its manifest, never by
//! code.

mod decode;
mod fit;
mod manifest;
mod suppress;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatepost_wire::event::{ObjectClass, Region};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use crate::config::Threads;
use crate::source::Frame;
pub use decode::DecodeError;
use decode::Decoder;
use fit::{FitError, Fitter};
use manifest::{Element, Layout};
pub use manifest::{Manifest, ManifestError, Scores, TrackScores};
pub use suppress::iou;

/// Something the model saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// What kind of thing.
    pub class: ObjectClass,
    /// How sure, 0 to 1.
    pub score: f32,
    /// Where, as fractions of the frame.
    pub region: Region,
}

/// Why a detector cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The manifest or the model file it names.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// ONNX Runtime's shared library.
    #[error(
        "{}: ONNX Runtime cannot be loaded from here (`model.runtime`): {reason}; `setup/install.sh onnxruntime` fetches it",
        file.display()
    )]
    Runtime {
        /// The library.
        file: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The runtime does not take the model.
    #[error("{}: ONNX Runtime refuses this model: {reason}", file.display())]
    Model {
        /// The model file.
        file: PathBuf,
        /// What the runtime said.
        reason: String,
    },
    /// Manifest and model disagree.
    #[error("{}: `{key}`: the model has no tensor {name:?}; it has: {present}", manifest.display())]
    NoTensor {
        /// The manifest.
        manifest: PathBuf,
        /// The key that names the tensor.
        key: &'static str,
        /// The name.
        name: String,
        /// What the model has.
        present: String,
    },
}

/// Why one frame could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The picture cannot be brought to the model's input.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The runtime failed.
    #[error("ONNX Runtime: {0}")]
    Run(#[from] ort::Error),
    /// The model's answer has another shape than its manifest says.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// A loaded model.
pub struct Detector {
    fitter: Fitter,
    model: Model,
}

struct Model {
    session: Session,
    manifest: Manifest,
    decoder: Decoder,
    /// Kept between runs, so that a model of floats does not allocate for every frame.
    planes: Vec<f32>,
}

impl Detector {
    /// Loads the runtime and the model; the model's file must have the hash its manifest names.
    ///
    /// # Errors
    /// [`LoadError`] names the file and the key.
    pub fn load(manifest_file: &Path, runtime: &Path, threads: Threads) -> Result<Self, LoadError> {
        let manifest = Manifest::load(manifest_file)?;
        let model = manifest.read_model()?;
        let environment = environment(runtime)?;
        let refused = |reason: String| LoadError::Model { file: manifest.model_file(), reason };
        let session = build_session(&environment, threads, &model).map_err(|e| refused(e.to_string()))?;
        let inputs: Vec<&str> = session.inputs().iter().map(|i| i.name()).collect();
        let outputs: Vec<&str> = session.outputs().iter().map(|o| o.name()).collect();
        for (key, name, present) in std::iter::once(("input.tensor", manifest.input.tensor.as_str(), &inputs))
            .chain(manifest.decoder.outputs().into_iter().map(|(key, name)| (key, name, &outputs)))
        {
            if !present.contains(&name) {
                return Err(LoadError::NoTensor {
                    manifest: manifest_file.to_owned(),
                    key,
                    name: name.to_owned(),
                    present: present.join(", "),
                });
            }
        }
        let decoder = Decoder::new(&manifest);
        let fitter = Fitter::new(&manifest.input);
        Ok(Self { fitter, model: Model { session, manifest, decoder, planes: Vec::new() } })
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.model.manifest.name
    }

    /// The scores this model needs to start and to continue a track.
    pub fn scores(&self) -> Scores {
        self.model.manifest.scores
    }

    /// Looks at one frame.
    ///
    /// # Errors
    /// [`DetectError`]; the detector can be used again.
    pub fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.detect_timed(frame).map(|(detections, _)| detections)
    }

    /// Like [`Self::detect`], and how long the runtime itself took: the limit that benches compare with.
    ///
    /// # Errors
    /// [`DetectError`]; the detector can be used again.
    pub fn detect_timed(&mut self, frame: &Frame) -> Result<(Vec<Detection>, Duration), DetectError> {
        let fitted = self.fitter.fit(frame)?;
        self.model.run(&fitted)
    }
}

impl Model {
    fn run(&mut self, fitted: &fit::Fitted) -> Result<(Vec<Detection>, Duration), DetectError> {
        let input = &self.manifest.input;
        let size = fitted.size();
        let (width, height) = (size.width as usize, size.height as usize);
        let shape = match input.layout {
            Layout::Nhwc => [1, height, width, 3],
            Layout::Nchw => [1, 3, height, width],
        };
        let pixels = fitted.pixels()?;
        let started;
        let outputs = match (input.element, input.layout) {
            (Element::U8, Layout::Nhwc) => {
                let tensor = TensorRef::from_array_view((shape, pixels))?;
                started = Instant::now();
                self.session.run(ort::inputs![input.tensor.as_str() => tensor])?
            }
            (Element::U8, Layout::Nchw) => {
                let planes = fit::planar(pixels);
                let tensor = TensorRef::from_array_view((shape, planes.as_slice()))?;
                started = Instant::now();
                self.session.run(ort::inputs![input.tensor.as_str() => tensor])?
            }
            (Element::F32, layout) => {
                fit::normalise(pixels, layout, &input.normalise, &mut self.planes);
                let tensor = TensorRef::from_array_view((shape, self.planes.as_slice()))?;
                started = Instant::now();
                self.session.run(ort::inputs![input.tensor.as_str() => tensor])?
            }
        };
        let took = started.elapsed();
        let found = self.decoder.decode(size, |name| {
            let (shape, values) = outputs[name].try_extract_tensor::<f32>().ok()?;
            Some((shape.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect(), values))
        })?;
        let detections = found
            .into_iter()
            .filter_map(|found| {
                let class = self.manifest.class_of(found.class)?;
                Some(Detection { class, score: found.score, region: fitted.to_frame(found.bounds)? })
            })
            .collect();
        Ok((detections, took))
    }
}

fn environment(runtime: &Path) -> Result<Environment, LoadError> {
    let failed = |reason: String| LoadError::Runtime { file: runtime.to_owned(), reason };
    if !runtime.is_file() {
        return Err(failed("there is no such file".into()));
    }
    let environment = ort::init_from(runtime)
        .map_err(|e| failed(e.to_string()))?
        .with_name("gatepost")
        // Newer runtimes carry an uploader; nothing of a site leaves it but by the uplink.
        .with_telemetry(false)
        .build()
        .map_err(|e| failed(e.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    Ok(environment)
}

fn build_session(environment: &Environment, threads: Threads, model: &[u8]) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::Level3)?
        .with_intra_threads(threads.get())?
        .with_inter_threads(1)?
        // A box has other work to do while the detector waits.
        .with_intra_op_spinning(false)?
        .commit_from_memory(model)
}
