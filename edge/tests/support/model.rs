//! Models that are not what they should be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gatepost_testbed::footage::workspace_root;
use sha2::{Digest, Sha256};

use super::site::{installed, manifest_value};

/// Every picture is darker.
pub const EVERY_PICTURE: u32 = 256;

/// A copy of the box's own model in `folder`, with its manifest.
pub fn copied(manifest: &Path, folder: &Path) -> PathBuf {
    let model = fs::read(weights(manifest)).unwrap();
    fs::write(folder.join("model.onnx"), model).unwrap();
    described(manifest, folder)
}

/// A model that fails at run on pictures whose mean is below `darker_than` of 255, with its manifest.
pub fn trapped(manifest: &Path, folder: &Path, darker_than: u32) -> PathBuf {
    let python = installed(workspace_root().join(".fetched/python/bin/python"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/trap.py");
    let mut command = Command::new(python);
    command.arg(script).arg(weights(manifest)).arg(darker_than.to_string()).arg(folder.join("model.onnx"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    described(manifest, folder)
}

fn weights(manifest: &Path) -> PathBuf {
    manifest.with_file_name(manifest_value(manifest, "file"))
}

/// Writes a manifest like `manifest` for the `model.onnx` in `folder`.
fn described(manifest: &Path, folder: &Path) -> PathBuf {
    let model = fs::read(folder.join("model.onnx")).unwrap();
    let hash: String = Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = fs::read_to_string(manifest)
        .unwrap()
        .replace(&manifest_value(manifest, "file"), "model.onnx")
        .replace(&manifest_value(manifest, "sha256"), &hash);
    let file = folder.join("model.toml");
    fs::write(&file, text).unwrap();
    file
}
