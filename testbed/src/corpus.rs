//! What the fuzzer's targets are fed again in tests, without a fuzzer: the inputs in `fuzz/corpus` and `fuzz/regressions`.

use std::fs;
use std::path::{Path, PathBuf};

/// Feeds every input of a target to it.
///
/// # Panics
/// When there is none: then nothing is tested. And when the target does; the input is named before.
pub fn replay(target: &str, feed: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut inputs = files(&folder.join("corpus").join(target));
    assert!(!inputs.is_empty(), "fuzz/corpus/{target} has no input");
    inputs.extend(files(&folder.join("regressions").join(target)));
    for input in inputs {
        println!("{}", input.display());
        let bytes = fs::read(&input).unwrap_or_else(|error| panic!("{error}"));
        feed(&bytes);
    }
}

/// In the order of their names; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = listed.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    files
}
