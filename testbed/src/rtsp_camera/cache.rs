//! Encoded clips on disk, beside the build's output, so that not every test encodes anew. Whatever is
//! wrong with the cache, the clip is simply encoded again; `cargo clean` empties it.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gstreamer as gst;
use serde::{Deserialize, Serialize};

use super::clip::{Clip, Recipe, Unit};

// Changes with the encoder settings and the format of the file.
const VERSION: u32 = 1;
// Fewer are encoded in a moment, and clips that a test makes for itself would pile up.
const WORTH_KEEPING: usize = 100;

/// Where one clip is kept.
pub(super) struct Entry(PathBuf);

#[derive(Serialize, Deserialize)]
struct Head {
    caps: String,
    length_ns: u64,
    /// Time in ns, size in bytes, key frame.
    units: Vec<(u64, usize, bool)>,
}

impl Entry {
    /// The place for `clip`; an error if the clip cannot be read.
    pub(super) fn of(clip: &Path, recipe: &Recipe) -> io::Result<Self> {
        let clip = fs::canonicalize(clip)?;
        let meta = fs::metadata(&clip)?;
        let mut hasher = DefaultHasher::new();
        (VERSION, &clip, meta.len(), meta.modified()?, recipe).hash(&mut hasher);
        Ok(Entry(directory().join(format!("{:016x}.clip", hasher.finish()))))
    }

    pub(super) fn read(&self) -> Option<Clip> {
        let bytes = fs::read(&self.0).ok()?;
        let head_end = bytes.iter().position(|&byte| byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..head_end]).ok()?;
        let mut rest = &bytes[head_end + 1..];
        let mut units = Vec::with_capacity(head.units.len());
        for (at_ns, size, key) in head.units {
            let (data, after) = rest.split_at_checked(size)?;
            rest = after;
            let data = gst::Buffer::from_slice(data.to_vec());
            units.push(Unit { data, at: Duration::from_nanos(at_ns), key });
        }
        let caps = head.caps.parse().ok()?;
        let whole = rest.is_empty() && !units.is_empty();
        whole.then_some(Clip { caps, units, length: Duration::from_nanos(head.length_ns) })
    }

    pub(super) fn write(&self, clip: &Clip) {
        if clip.units.len() >= WORTH_KEEPING {
            // Only time is lost.
            let _ = self.try_write(clip);
        }
    }

    fn try_write(&self, clip: &Clip) -> io::Result<()> {
        let dir = directory();
        fs::create_dir_all(&dir)?;
        let head = Head {
            caps: clip.caps.to_string(),
            length_ns: clip.length.as_nanos() as u64,
            units: clip
                .units
                .iter()
                .map(|unit| (unit.at.as_nanos() as u64, unit.data.size(), unit.key))
                .collect(),
        };
        // Written aside and renamed, so that nobody reads half a clip.
        let aside = self.0.with_extension(std::process::id().to_string());
        let mut file = BufWriter::new(File::create(&aside)?);
        serde_json::to_writer(&mut file, &head)?;
        file.write_all(b"\n")?;
        for unit in &clip.units {
            file.write_all(&unit.data.map_readable().map_err(io::Error::other)?)?;
        }
        file.flush()?;
        fs::rename(aside, &self.0)
    }
}

/// `<target>/testbed-clips`, or the system's temporary directory for a program outside of a target.
fn directory() -> PathBuf {
    let exe = env::current_exe().unwrap_or_default();
    let target = exe.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| env::temp_dir().join("gatepost-testbed-clips"), |dir| dir.join("testbed-clips"))
}
