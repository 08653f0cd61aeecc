//! Tracks in MOTChallenge's format: `frame, id, left, top, width, height, score, -1, -1, -1`, pixels, frames from 1
//! (Leal-Taixé et al., MOTChallenge 2015).

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use gatepost_wire::event::TrackNumber;

use crate::scene::Sight;
use crate::source::Frame;

/// A file of tracks. Lines of one frame need not stand together: the first steps of a track are known to be one
/// only once it is established, and are written then.
pub(super) struct MotFile {
    pub out: BufWriter<File>,
    waiting: HashMap<TrackNumber, String>,
}

impl MotFile {
    pub fn create(file: &Path) -> anyhow::Result<Self> {
        let out = File::create(file).with_context(|| format!("{}: cannot be written", file.display()))?;
        Ok(Self { out: BufWriter::new(out), waiting: HashMap::new() })
    }

    pub fn write(&mut self, number: u64, frame: &Frame, sight: &Sight) -> std::io::Result<()> {
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        for track in sight.tracks.iter().filter(|track| track.seen) {
            let region = track.region;
            let line = format!(
                "{number},{},{:.2},{:.2},{:.2},{:.2},{:.4},-1,-1,-1\n",
                track.number.0,
                region.left * width,
                region.top * height,
                (region.right - region.left) * width,
                (region.bottom - region.top) * height,
                track.score,
            );
            if track.established {
                let before = self.waiting.remove(&track.number).unwrap_or_default();
                self.out.write_all(before.as_bytes())?;
                self.out.write_all(line.as_bytes())?;
            } else {
                self.waiting.entry(track.number).or_default().push_str(&line);
            }
        }
        self.waiting.retain(|number, _| sight.tracks.iter().any(|track| track.number == *number));
        Ok(())
    }
}
