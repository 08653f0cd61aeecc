//! What a clip would have covered, for measuring.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::corners;
use crate::clip::{ClipCover, LOOK_EVERY};
use crate::detect::{Detection, Scores};
use crate::privacy::widened;
use crate::source::Rate;

/// Takes the frames of a clip and writes, once all are seen, what is covered in each.
pub(super) struct ClipCoverFile {
    cover: ClipCover,
    looked_at: Rate,
    shown: Vec<(u64, Duration)>,
    out: BufWriter<File>,
}

impl ClipCoverFile {
    pub fn create(file: &Path, scores: Scores) -> anyhow::Result<Self> {
        let out = File::create(file).with_context(|| format!("{}: cannot be written", file.display()))?;
        Ok(Self {
            cover: ClipCover::new(scores, Vec::new()),
            looked_at: Rate::of_clip(LOOK_EVERY),
            shown: Vec::new(),
            out: BufWriter::new(out),
        })
    }

    /// Takes a frame; the detections count only if a clip would have looked at it.
    pub fn take(&mut self, number: u64, at: Duration, detections: &[Detection]) {
        self.shown.push((number, at));
        if self.looked_at.takes(at) {
            self.cover.look(detections, at);
        }
    }

    pub fn write(mut self) -> anyhow::Result<()> {
        for (number, at) in self.shown {
            let covered: Vec<_> = self.cover.at(at).iter().map(|region| corners(&widened(region))).collect();
            writeln!(self.out, "{}", json!({ "frame": number, "covered": covered }))?;
        }
        self.out.flush().context("an output file cannot be written")
    }
}
