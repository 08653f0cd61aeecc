//! Detection: a frame in, boxes of people and vehicles out. A model is described by its manifest, never by
//! code.

mod decode;
mod fit;
mod manifest;
mod suppress;
mod tile;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gatepost_wire::event::{ObjectClass, Region};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use crate::config::{Threads, Tiles};
use crate::source::Frame;
pub use decode::DecodeError;
use decode::Decoder;
use fit::{FitError, Fitter};
use manifest::{Element, Layout};
pub use manifest::{Manifest, ManifestError, Scores, TrackScores};
pub use suppress::iou;
use tile::{Part, Seen};
pub use watch::{ModelState, ModelWatch};

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

/// A model that was read and proved to be the one its manifest describes: what detectors are made of.
pub struct Model {
    manifest: Manifest,
    bytes: Vec<u8>,
    environment: Environment,
    watch: ModelWatch,
}

impl Model {
    /// Loads the runtime and the model; the model's file must have the hash its manifest names.
    ///
    /// # Errors
    /// [`LoadError`] names the file and the key.
    pub fn load(manifest_file: &Path, runtime: &Path) -> Result<Self, LoadError> {
        let manifest = Manifest::load(manifest_file)?;
        // Before it is read: what changes while it is read is noticed afterwards.
        let watch = ModelWatch::of(&manifest);
        let bytes = manifest.read_model()?;
        Ok(Self { bytes, environment: environment(runtime)?, watch, manifest })
    }

    /// A detector with a session of its own.
    ///
    /// # Errors
    /// [`LoadError`] when the runtime refuses the model, or it has not the tensors its manifest names.
    pub fn detector(&self, threads: Threads) -> Result<Detector, LoadError> {
        let Self { manifest, bytes, environment, .. } = self;
        let refused = |reason: String| LoadError::Model { file: manifest.model_file(), reason };
        let session = build_session(environment, threads, bytes).map_err(|e| refused(e.to_string()))?;
        check_tensors(manifest, &session)?;
        let (decoder, fitter) = (Decoder::new(manifest), Fitter::new(&manifest.input));
        let network = Network { session, manifest: manifest.clone(), decoder, planes: Vec::new() };
        Ok(Detector { fitter, network })
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The scores this model needs to start and to continue a track.
    pub fn scores(&self) -> Scores {
        self.manifest.scores
    }

    /// Watches the model's file from now on.
    pub fn watch(&self) -> ModelWatch {
        self.watch.clone()
    }
}

/// A loaded model at work.
pub struct Detector {
    fitter: Fitter,
    network: Network,
}

struct Network {
    session: Session,
    manifest: Manifest,
    decoder: Decoder,
    /// Kept between runs, so that a model of floats does not allocate for every frame.
    planes: Vec<f32>,
}

impl Detector {
    /// [`Model::load`] for one detector.
    ///
    /// # Errors
    /// [`LoadError`] names the file and the key.
    pub fn load(manifest_file: &Path, runtime: &Path, threads: Threads) -> Result<Self, LoadError> {
        Model::load(manifest_file, runtime)?.detector(threads)
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.network.manifest.name
    }

    /// The scores this model needs to start and to continue a track.
    pub fn scores(&self) -> Scores {
        self.network.manifest.scores
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
        self.detect_part(frame, Part::whole(frame))
    }

    /// Looks at the whole frame and then at each tile of it, which shows small things larger. A thing seen more
    /// than once is told once.
    ///
    /// # Errors
    /// [`DetectError`]; the detector can be used again.
    pub fn detect_tiled(&mut self, frame: &Frame, tiles: &Tiles) -> Result<Vec<Detection>, DetectError> {
        let whole = self.detect(frame)?;
        if tiles.count() < 2 {
            return Ok(whole);
        }
        let mut seen: Vec<Seen> = whole.into_iter().map(Seen::whole).collect();
        for part in tile::parts(frame, tiles) {
            let (detections, _) = self.detect_part(frame, part)?;
            seen.extend(detections.into_iter().map(|detection| part.see(detection, frame)));
        }
        Ok(tile::merge(seen, self.network.manifest.nms_iou()))
    }

    fn detect_part(&mut self, frame: &Frame, part: Part) -> Result<(Vec<Detection>, Duration), DetectError> {
        let fitted = self.fitter.fit(frame, part)?;
        self.network.run(&fitted)
    }
}

impl Network {
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
                Some(Detection { class, score: found.score, region: fitted.to_part(found.bounds)? })
            })
            .collect();
        Ok((detections, took))
    }
}

/// Has the model the tensors its manifest names?
fn check_tensors(manifest: &Manifest, session: &Session) -> Result<(), LoadError> {
    let inputs: Vec<&str> = session.inputs().iter().map(|i| i.name()).collect();
    let outputs: Vec<&str> = session.outputs().iter().map(|o| o.name()).collect();
    for (key, name, present) in std::iter::once(("input.tensor", manifest.input.tensor.as_str(), &inputs))
        .chain(manifest.decoder.outputs().into_iter().map(|(key, name)| (key, name, &outputs)))
    {
        if !present.contains(&name) {
            return Err(LoadError::NoTensor {
                manifest: manifest.path().to_owned(),
                key,
                name: name.to_owned(),
                present: present.join(", "),
            });
        }
    }
    Ok(())
}

/// A process has one runtime, for as long as it lives: whoever comes later gets what the first one loaded.
fn environment(runtime: &Path) -> Result<Environment, LoadError> {
    static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);
    let failed = |reason: String| LoadError::Runtime { file: runtime.to_owned(), reason };
    if !runtime.is_file() {
        return Err(failed("there is no such file".into()));
    }
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*loaded {
        Some((file, environment)) if file == runtime => return Ok(environment.clone()),
        Some((file, _)) => {
            return Err(failed(format!("this process has loaded {} already", file.display())));
        }
        None => {}
    }
    let environment = ort::init_from(runtime)
        .map_err(|e| failed(e.to_string()))?
        .with_name("gatepost")
        // Newer runtimes carry an uploader; nothing of a site leaves it but by the uplink.
        .with_telemetry(false)
        .build()
        .map_err(|e| failed(e.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    *loaded = Some((runtime.to_owned(), environment.clone()));
    Ok(environment)
}

fn build_session(environment: &Environment, threads: Threads, model: &[u8]) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::Level3)?
        .with_intra_threads(threads.get())?
        .with_inter_threads(1)?
        // A box has other work to do while the detector waits.
        .with_intra_op_spinning(false)?
        // A plan of the whole run's memory, made anew for every size of picture, takes 20 MB more than giving each
        // tensor what another has left, and saves no time.
        .with_memory_pattern(false)?
        .commit_from_memory(model)
}

#[cfg(test)]
mod tests {
    use gatepost_testbed::footage::{vtest, workspace_root};
    use gatepost_wire::Timestamp;
    use gstreamer_video::{VideoFormat, VideoFrame, VideoFrameExt, VideoInfo};

    use super::*;
    use crate::source::Clip;

    fn detector() -> Detector {
        let root = workspace_root();
        let runtime = root.join(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH));
        Detector::load(&root.join("models/centernet-512.toml"), &runtime, Threads::ONE).unwrap()
    }

    /// Frames of the pedestrian clip, one a second.
    fn pedestrians(count: usize) -> Vec<Frame> {
        gstreamer::init().unwrap();
        let mut clip = Clip::open(&vtest().unwrap(), Timestamp::now()).unwrap();
        let frames = std::iter::from_fn(|| clip.next_frame().unwrap());
        frames.step_by(10).take(count).collect()
    }

    /// Four by four frames side by side as one wide picture.
    fn mosaic(frames: &[Frame]) -> Frame {
        let pictures: Vec<_> = frames.iter().map(|frame| frame.to_rgb().unwrap()).collect();
        let (width, height) = (pictures[0].width, pictures[0].height);
        let info = VideoInfo::builder(VideoFormat::Rgb, 4 * width as u32, 4 * height as u32).build().unwrap();
        let buffer = gstreamer::Buffer::with_size(info.size()).unwrap();
        let mut wide = VideoFrame::from_buffer_writable(buffer, &info).unwrap();
        let stride = wide.plane_stride()[0] as usize;
        let pixels = wide.plane_data_mut(0).unwrap();
        for (n, picture) in pictures.iter().enumerate() {
            for (y, row) in picture.pixels.chunks_exact(3 * width).enumerate() {
                let start = (n / 4 * height + y) * stride + n % 4 * 3 * width;
                pixels[start..start + row.len()].copy_from_slice(row);
            }
        }
        Frame::of_buffer(wide.into_buffer(), info)
    }

    fn people(detections: Vec<Detection>, detector: &Detector) -> Vec<Region> {
        let sure = detector.scores().people.start;
        let person = |d: &Detection| d.class == ObjectClass::Person && d.score >= sure;
        detections.into_iter().filter(person).map(|d| d.region).collect()
    }

    /// How many of `wanted` are found.
    fn found(wanted: &[Region], among: &[Region]) -> usize {
        wanted.iter().filter(|w| among.iter().any(|region| iou(w, region) > 0.5)).count()
    }

    #[test]
    fn small_people_in_a_wide_view_are_found_in_tiles_once_each() {
        let frames = pedestrians(16);
        let mut detector = detector();
        let mut wanted = Vec::new();
        for (n, frame) in frames.iter().enumerate() {
            let (left, top) = ((n % 4) as f32 / 4.0, (n / 4) as f32 / 4.0);
            let detections = detector.detect(frame).unwrap();
            wanted.extend(people(detections, &detector).into_iter().map(|r| Region {
                left: left + r.left / 4.0,
                top: top + r.top / 4.0,
                right: left + r.right / 4.0,
                bottom: top + r.bottom / 4.0,
            }));
        }
        let wide = mosaic(&frames);
        let whole = people(detector.detect(&wide).unwrap(), &detector);
        let tiles = toml::from_str("columns = 4\nrows = 4\noverlap = 0.15").unwrap();
        let tiled = people(detector.detect_tiled(&wide, &tiles).unwrap(), &detector);
        let figures = format!(
            "{} people: the whole picture shows {} ({} boxes), tiles show {} ({} boxes)",
            wanted.len(),
            found(&wanted, &whole),
            whole.len(),
            found(&wanted, &tiled),
            tiled.len()
        );
        println!("{figures}");
        assert!(wanted.len() > 40, "{figures}");
        assert!(found(&wanted, &tiled) * 10 > wanted.len() * 8, "{figures}");
        assert!(found(&wanted, &whole) * 2 < found(&wanted, &tiled), "{figures}");
        assert!(tiled.len() * 4 < wanted.len() * 5, "hardly anybody is told twice: {figures}");
    }

    #[test]
    fn one_tile_is_the_whole_picture() {
        let frame = pedestrians(1).remove(0);
        let mut detector = detector();
        let whole = detector.detect(&frame).unwrap();
        assert!(!whole.is_empty());
        assert_eq!(detector.detect_tiled(&frame, &Tiles::default()).unwrap(), whole);
    }
}
