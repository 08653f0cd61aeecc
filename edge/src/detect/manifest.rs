//! A model's description: which file, what it wants to see, how its answer is read. `models/README.md`
//! explains the keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gatepost_wire::event::ObjectClass;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A model as described by its author.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Short name, shown in health.
    pub name: String,
    file: PathBuf,
    sha256: String,
    /// Licence of the weights.
    pub licence: String,
    /// Where the weights come from.
    pub source: String,
    pub(super) input: Input,
    pub(super) decoder: DecoderKind,
    /// Which scores mean what.
    pub scores: Scores,
    classes: BTreeMap<String, ObjectClass>,
    #[serde(skip)]
    path: PathBuf,
}

/// What the model wants to see.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub tensor: String,
    pub width: u32,
    pub height: u32,
    pub layout: Layout,
    pub element: Element,
    pub channels: Channels,
    pub fit: Fit,
    /// The model takes any size up to `width` x `height` whose sides are multiples of this; a letterbox then
    /// needs hardly any border.
    pub multiple: Option<u32>,
    #[serde(default)]
    pub pad: u8,
    #[serde(default)]
    pub normalise: Normalise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    Nhwc,
    Nchw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Element {
    U8,
    F32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Channels {
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fit {
    Letterbox,
    Stretch,
}

/// `(x - mean) * scale` for each channel, in the order of `channels`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Normalise {
    #[serde(default)]
    pub mean: [f32; 3],
    #[serde(default = "ones")]
    pub scale: [f32; 3],
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

impl Default for Normalise {
    fn default() -> Self {
        Self { mean: [0.0; 3], scale: ones() }
    }
}

/// How the model's answer is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum DecoderKind {
    CenterNet { heatmap: String, size: String, stride: u32, nms_iou: f32 },
    Yolox { output: String, strides: Vec<u32>, nms_iou: f32 },
}

impl DecoderKind {
    /// Keys and names of the output tensors it reads.
    pub(super) fn outputs(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::CenterNet { heatmap, size, .. } => {
                vec![("decoder.heatmap", heatmap.as_str()), ("decoder.size", size.as_str())]
            }
            Self::Yolox { output, .. } => vec![("decoder.output", output.as_str())],
        }
    }
}

/// Scores differ between models, and between kinds of object, so a model brings its own thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Enough to be covered in pictures, should it be a person; less is not reported at all.
    pub cover: f32,
    /// Of people, and of bicycles and motorcycles, which come with one.
    pub people: TrackScores,
    /// Of cars, buses and trucks.
    pub vehicles: TrackScores,
}

impl Scores {
    /// Those of a class.
    pub fn of(&self, class: ObjectClass) -> &TrackScores {
        match class {
            ObjectClass::Person | ObjectClass::Bicycle | ObjectClass::Motorcycle => &self.people,
            ObjectClass::Car | ObjectClass::Bus | ObjectClass::Truck => &self.vehicles,
        }
    }
}

/// What a tracker needs: ByteTrack's two thresholds (`start`, `keep`) and one above them.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackScores {
    /// Enough to be believed of what never moved: more than the scenery of any site gets.
    pub sure: f32,
    /// Enough to start a track.
    pub start: f32,
    /// Enough to continue one.
    pub keep: f32,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The manifest or the model file cannot be read.
    #[error("{}: cannot be read: {source}{hint}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The manifest is wrong.
    #[error("{}:{line}: {message}", file.display())]
    Invalid {
        /// The manifest.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The file is not the one the manifest describes.
    #[error(
        "{}: `sha256`: {} has the hash {found}, the manifest names {expected}: fetch the model again \
         (`setup/install.sh model`) or, if you changed it on purpose, write its hash into the manifest",
        manifest.display(), file.display()
    )]
    WrongHash {
        /// The manifest.
        manifest: PathBuf,
        /// The model file.
        file: PathBuf,
        /// Hash of the file.
        found: String,
        /// Hash in the manifest.
        expected: String,
    },
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] names file, line and key.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let text = read(path, "").map(|bytes| String::from_utf8_lossy(&bytes).into_owned())?;
        let mut manifest: Self = toml::from_str(&text).map_err(|e| ManifestError::Invalid {
            file: path.to_owned(),
            line: e.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1),
            message: e.message().to_owned(),
        })?;
        manifest.path = path.to_owned();
        manifest.check().map_err(|message| ManifestError::Invalid {
            file: path.to_owned(),
            line: 1,
            message,
        })?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let Input { width, height, element, normalise, fit, multiple, .. } = &self.input;
        if !(32..=4096).contains(width) || !(32..=4096).contains(height) {
            return Err(format!("`input`: {width}x{height} is not possible: 32 to 4096 pixels"));
        }
        if let Some(multiple) = *multiple {
            if *fit != Fit::Letterbox {
                return Err("`input.multiple` goes with fit = \"letterbox\"".into());
            }
            if multiple == 0 || width % multiple != 0 || height % multiple != 0 {
                return Err(format!("`input.multiple`: {multiple} does not divide {width}x{height}"));
            }
        }
        if *element == Element::U8 && *normalise != Normalise::default() {
            return Err(
                "`input.normalise`: bytes are given as they are; it goes with element = \"f32\"".into()
            );
        }
        let Scores { cover, people, vehicles } = self.scores;
        for (key, TrackScores { sure, start, keep }) in [("people", people), ("vehicles", vehicles)] {
            if !(0.0 < cover && cover <= keep && keep <= start && start <= sure && sure <= 1.0) {
                return Err(format!("`scores.{key}`: 0 < cover <= keep <= start <= sure <= 1 is needed"));
            }
        }
        let (nms_iou, strides) = match &self.decoder {
            DecoderKind::CenterNet { nms_iou, stride, .. } => (nms_iou, std::slice::from_ref(stride)),
            DecoderKind::Yolox { nms_iou, strides, .. } => (nms_iou, strides.as_slice()),
        };
        if !(0.0..=1.0).contains(nms_iou) {
            return Err(format!("`decoder.nms_iou`: {nms_iou} is not possible: 0 to 1"));
        }
        let sides = [*width, *height, multiple.unwrap_or(*width)];
        if strides.is_empty() || strides.iter().any(|s| *s == 0 || sides.iter().any(|side| side % s != 0)) {
            return Err(format!("`decoder`: strides {strides:?} do not divide the input's sides {sides:?}"));
        }
        if let Some(key) = self.classes.keys().find(|key| key.parse::<usize>().is_err()) {
            return Err(format!("`classes.{key}`: a class index of the model is needed, 0 or more"));
        }
        if self.classes.is_empty() {
            return Err("`classes`: at least one class is needed".into());
        }
        Ok(())
    }

    /// The manifest's own file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The hash its model has, hexadecimal.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Boxes of one class that overlap by more are one thing.
    pub(super) fn nms_iou(&self) -> f32 {
        match self.decoder {
            DecoderKind::CenterNet { nms_iou, .. } | DecoderKind::Yolox { nms_iou, .. } => nms_iou,
        }
    }

    /// Where the model's file is.
    pub fn model_file(&self) -> PathBuf {
        self.path.parent().unwrap_or(Path::new(".")).join(&self.file)
    }

    /// Reads the model and proves that it is the one described.
    ///
    /// # Errors
    /// [`ManifestError::Unreadable`] or [`ManifestError::WrongHash`].
    pub fn read_model(&self) -> Result<Vec<u8>, ManifestError> {
        let file = self.model_file();
        let bytes = read(&file, "; `setup/install.sh model` makes the default model")?;
        let found = sha256_of(&bytes);
        if found.eq_ignore_ascii_case(&self.sha256) {
            return Ok(bytes);
        }
        Err(ManifestError::WrongHash {
            manifest: self.path.clone(),
            file,
            found,
            expected: self.sha256.clone(),
        })
    }

    /// Indices of the model's classes that mean something here.
    pub(super) fn class_indices(&self) -> Vec<usize> {
        self.classes.keys().filter_map(|key| key.parse().ok()).collect()
    }

    pub(super) fn class_of(&self, index: usize) -> Option<ObjectClass> {
        self.classes.get(&index.to_string()).copied()
    }
}

/// Hexadecimal.
pub(super) fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(file: &Path, hint: &'static str) -> Result<Vec<u8>, ManifestError> {
    std::fs::read(file).map_err(|source| ManifestError::Unreadable { file: file.to_owned(), source, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../models/centernet-512.toml");

    fn load(text: &str, model: &[u8]) -> Result<Vec<u8>, ManifestError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("weights")).unwrap();
        std::fs::write(folder.path().join("weights/centernet.onnx"), model).unwrap();
        let path = folder.path().join("model.toml");
        std::fs::write(&path, text).unwrap();
        Manifest::load(&path)?.read_model()
    }

    #[test]
    fn another_file_than_described_is_refused() {
        let error = load(DEFAULT, b"not the model").unwrap_err();
        assert!(matches!(error, ManifestError::WrongHash { .. }));
        let text = error.to_string();
        assert!(text.contains("model.toml: `sha256`") && text.contains("setup/install.sh model"), "{text}");
    }

    #[test]
    fn the_described_file_is_taken() {
        let hash = sha256_of(b"model");
        let start = DEFAULT.find("sha256 = \"").unwrap() + 10;
        let text = format!("{}{hash}{}", &DEFAULT[..start], &DEFAULT[start + 64..]);
        assert_eq!(load(&text, b"model").unwrap(), b"model");
    }

    #[test]
    fn faults_name_the_line_or_the_key() {
        let unknown = load(&DEFAULT.replace("stride = 4", "strides = 4"), b"").unwrap_err().to_string();
        assert!(unknown.contains("model.toml:"), "{unknown}");
        let stride = load(&DEFAULT.replace("stride = 4", "stride = 5"), b"").unwrap_err().to_string();
        assert!(stride.contains("do not divide the input's sides"), "{stride}");
        let class = load(&DEFAULT.replace("0 = \"person\"", "x = \"person\""), b"").unwrap_err().to_string();
        assert!(class.contains("`classes.x`"), "{class}");
    }
}
