//! Where the default model and ONNX Runtime are when nobody says: in the folder the program was started in, in the
//! working copy it was built in, or where the package installs them.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// A file that is looked for.
pub(super) struct Sought {
    /// What it is, for people.
    pub(super) what: &'static str,
    /// The option that names it.
    pub(super) option: &'static str,
    /// Where it is in a working copy, from its root.
    pub(super) in_tree: PathBuf,
    /// Where the package installs it.
    pub(super) installed: PathBuf,
}

/// The default model's manifest.
pub(super) fn model() -> Sought {
    Sought {
        what: "the default model's manifest",
        option: "--model",
        in_tree: "models/centernet-512.toml".into(),
        installed: "/usr/share/gatepost/models/centernet-512.toml".into(),
    }
}

/// ONNX Runtime's shared library.
pub(super) fn onnxruntime() -> Sought {
    let in_tree = format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH);
    Sought {
        what: "ONNX Runtime's shared library",
        option: "--onnxruntime",
        in_tree: in_tree.into(),
        installed: "/usr/lib/gatepost/libonnxruntime.so".into(),
    }
}

impl Sought {
    /// The file somebody named, or the first place where there is one; `program` is where this program is.
    ///
    /// # Errors
    /// Names the places that were looked at, and the option that names another.
    pub(super) fn find(&self, named: Option<&PathBuf>, program: Option<&Path>) -> anyhow::Result<PathBuf> {
        if let Some(named) = named {
            return Ok(named.clone());
        }
        let beside_program = program.iter().flat_map(|program| program.ancestors().skip(1));
        let places: Vec<PathBuf> = std::iter::once(self.in_tree.clone())
            .chain(beside_program.map(|folder| folder.join(&self.in_tree)))
            .chain([self.installed.clone()])
            .collect();
        if let Some(found) = places.iter().find(|place| place.is_file()) {
            return Ok(found.clone());
        }
        let looked: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        bail!(
            "{} is in none of the usual places: name it with {}, or run `setup/install.sh onnxruntime model` in the \
             working copy; looked at {}",
            self.what,
            self.option,
            looked.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(root: &Path) -> Sought {
        let installed = root.join("usr/model.toml");
        Sought {
            what: "the model",
            option: "--model",
            in_tree: "models-of-a-test/model.toml".into(),
            installed,
        }
    }

    fn put(file: &Path) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }

    #[test]
    fn the_working_copy_of_the_program_comes_before_what_is_installed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let program = root.join("copy/target/debug/gatepost-edge");
        let find = || sought(root).find(None, Some(&program));
        let error = find().unwrap_err().to_string();
        let tried = root.join("copy/models-of-a-test/model.toml").display().to_string();
        assert!(error.contains("--model") && error.contains(&tried), "{error}");
        put(&root.join("usr/model.toml"));
        assert_eq!(find().unwrap(), root.join("usr/model.toml"));
        put(&root.join("copy/models-of-a-test/model.toml"));
        assert_eq!(find().unwrap(), root.join("copy/models-of-a-test/model.toml"));
    }

    #[test]
    fn a_named_file_is_taken_as_it_is() {
        let named = PathBuf::from("other.toml");
        assert_eq!(sought(Path::new("/")).find(Some(&named), None).unwrap(), named);
    }
}
