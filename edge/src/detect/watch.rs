//! Is the model's file still the one that was loaded? A daemon goes on with what it loaded whatever happens to
//! the file, so that somebody who replaced it must be told that nothing changed yet.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::SystemTime;

use super::manifest::{Manifest, sha256_of};

/// What has become of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelState {
    /// It is what was loaded.
    AsLoaded,
    /// It is another one.
    Replaced {
        /// The file.
        file: PathBuf,
        /// Its hash, hexadecimal.
        sha256: String,
        /// The manifest.
        manifest: PathBuf,
        /// The manifest, as it is now, names this hash: a restart would take it.
        described: bool,
    },
    /// It is not there, or cannot be read.
    Missing {
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl fmt::Display for ModelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsLoaded => f.write_str("the model's file is what was loaded"),
            Self::Replaced { file, sha256, manifest, described } => {
                let file = file.display();
                write!(
                    f,
                    "{file} was replaced (sha256 {sha256}); detection goes on with the model that was loaded: "
                )?;
                if *described {
                    f.write_str("restart gatepost-edge to use the new one")
                } else {
                    let manifest = manifest.display();
                    write!(
                        f,
                        "put the old file back, or write this hash into {manifest} and restart gatepost-edge; "
                    )?;
                    f.write_str("a restart before that is refused")
                }
            }
            Self::Missing { file, reason } => {
                let file = file.display();
                write!(
                    f,
                    "{file} cannot be read any more ({reason}); detection goes on with the model that was loaded: "
                )?;
                f.write_str("put the file back before the next restart, which would be refused")
            }
        }
    }
}

/// What tells cheaply that a file may be another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    changed: SystemTime,
    bytes: u64,
    inode: u64,
}

/// Watches the file of a loaded model.
#[derive(Debug, Clone)]
pub struct ModelWatch {
    file: PathBuf,
    manifest: PathBuf,
    loaded_sha256: String,
    stamp: Option<Stamp>,
    /// What was last looked into has this stamp.
    settled: bool,
    state: ModelState,
}

impl ModelWatch {
    /// Watches the file a manifest names, which is about to be loaded.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let file = manifest.model_file();
        Self {
            stamp: stamp(&file).ok(),
            file,
            manifest: manifest.path().to_owned(),
            loaded_sha256: manifest.sha256().to_ascii_lowercase(),
            settled: true,
            state: ModelState::AsLoaded,
        }
    }

    /// Looks again; what it has become, if that has changed. Costs next to nothing while the file's time and size
    /// stay, and is read only once they have stayed from one look to the next: it may still be being written.
    pub fn look(&mut self) -> Option<&ModelState> {
        let found = stamp(&self.file);
        let stamp = found.as_ref().ok().copied();
        if stamp != self.stamp {
            (self.stamp, self.settled) = (stamp, false);
            return None;
        }
        if std::mem::replace(&mut self.settled, true) {
            return None;
        }
        let state = self.find(found.and_then(|_| fs::read(&self.file)));
        if state == self.state {
            return None;
        }
        self.state = state;
        Some(&self.state)
    }

    fn find(&self, bytes: io::Result<Vec<u8>>) -> ModelState {
        match bytes {
            Err(error) => ModelState::Missing { file: self.file.clone(), reason: error.to_string() },
            Ok(bytes) => {
                let sha256 = sha256_of(&bytes);
                if sha256 == self.loaded_sha256 {
                    return ModelState::AsLoaded;
                }
                let now = Manifest::load(&self.manifest);
                let described = now.is_ok_and(|manifest| manifest.sha256().eq_ignore_ascii_case(&sha256));
                let (file, manifest) = (self.file.clone(), self.manifest.clone());
                ModelState::Replaced { file, sha256, manifest, described }
            }
        }
    }
}

fn stamp(file: &std::path::Path) -> io::Result<Stamp> {
    let meta = fs::metadata(file)?;
    Ok(Stamp { changed: meta.modified()?, bytes: meta.len(), inode: meta.ino() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twice(watch: &mut ModelWatch) -> Option<ModelState> {
        assert_eq!(watch.look(), None, "it may still be being written");
        watch.look().cloned()
    }

    #[test]
    fn a_file_that_is_replaced_vanishes_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let manifest = |sha256: &str| {
            let text = include_str!("../../../models/centernet-512.toml");
            let start = text.find("sha256 = \"").unwrap() + 10;
            let text = format!("{}{sha256}{}", &text[..start], &text[start + 64..]);
            fs::write(path("model.toml"), text.replace("weights/centernet.onnx", "model.onnx")).unwrap();
            Manifest::load(&path("model.toml")).unwrap()
        };
        fs::write(path("model.onnx"), "old").unwrap();
        let mut watch = ModelWatch::of(&manifest(&sha256_of(b"old")));
        assert_eq!(watch.look(), None);

        fs::write(path("new"), "new one").unwrap();
        fs::rename(path("new"), path("model.onnx")).unwrap();
        let said = twice(&mut watch).unwrap();
        assert!(matches!(said, ModelState::Replaced { described: false, .. }), "{said:?}");
        assert!(
            said.to_string().contains("write this hash into")
                && said.to_string().contains(&sha256_of(b"new one"))
        );
        assert_eq!(watch.look(), None, "told once");

        fs::remove_file(path("model.onnx")).unwrap();
        let said = twice(&mut watch).unwrap();
        assert!(matches!(said, ModelState::Missing { .. }), "{said:?}");

        // The manifest is made to fit first, then the file: then a restart will do.
        manifest(&sha256_of(b"third"));
        fs::write(path("model.onnx"), "third").unwrap();
        let said = twice(&mut watch).unwrap();
        assert!(matches!(said, ModelState::Replaced { described: true, .. }), "{said:?}");

        fs::write(path("model.onnx"), "old").unwrap();
        assert_eq!(twice(&mut watch), Some(ModelState::AsLoaded));
        // Touched, but the same.
        fs::write(path("new"), "old").unwrap();
        fs::rename(path("new"), path("model.onnx")).unwrap();
        assert_eq!(twice(&mut watch), None);
    }
}
