//! `gatepost-edge analyse`: the daemon's eyes on a clip, as fast as the machine goes. For measuring against
//! ground truth, for tuning zones on footage, and for comparing machines. Prints one line of JSON: how many
//! frames, how fast, how much memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gatepost_wire::Timestamp;
use gatepost_wire::event::Region;
use serde_json::json;

use crate::config::{Config, Threads};
use crate::detect::{Detection, Detector};
use crate::rule::{Decision, Rules};
use crate::scene::{Scene, Sight};
use crate::source::{Clip, Frame, Rate};

/// What to analyse and what to write.
#[derive(Debug, Clone, clap::Args)]
pub struct Analyse {
    /// The clip.
    #[arg(long)]
    input: PathBuf,
    /// Take model, zones and rules from this configuration.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Whose zones and rules; the first camera unless named.
    #[arg(long, requires = "config")]
    camera: Option<String>,
    /// The model's manifest, when no configuration is given.
    #[arg(long, default_value = "models/centernet-512.toml")]
    model: PathBuf,
    /// ONNX Runtime's shared library, when no configuration is given.
    #[arg(long, default_value_os_t = default_runtime())]
    onnxruntime: PathBuf,
    /// Pictures a second of the clip that are looked at; every one unless given.
    #[arg(long)]
    fps: Option<f64>,
    /// Stop after so many frames of the clip.
    #[arg(long)]
    frames: Option<u64>,
    /// Write every detection, a JSON line for each analysed frame.
    #[arg(long)]
    detections_out: Option<PathBuf>,
    /// Write tracks in MOTChallenge format (pixels, frames from 1).
    #[arg(long)]
    mot_out: Option<PathBuf>,
    /// Write what the rules decide, a JSON line for each.
    #[arg(long)]
    events_out: Option<PathBuf>,
}

fn default_runtime() -> PathBuf {
    PathBuf::from(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH))
}

impl Analyse {
    /// Does it.
    ///
    /// # Errors
    /// What is wrong with the clip, the model, the configuration or an output file.
    pub fn run(&self) -> anyhow::Result<()> {
        let (mut detector, rules) = self.prepare()?;
        let mut scene = Scene::new(rules, detector.scores());
        let mut clip = Clip::open(&self.input, Timestamp::now())?;
        let mut detections_out = create(self.detections_out.as_ref())?;
        let mut mot_out = create(self.mot_out.as_ref())?;
        let mut events_out = create(self.events_out.as_ref())?;
        let mut rate = rate(self.fps)?;
        let (started, mut number, mut analysed) = (Instant::now(), 0u64, 0u64);
        while let Some(frame) = clip.next_frame()? {
            number += 1;
            if rate.takes(frame.at) {
                let detections = detector.detect(&frame)?;
                let sight = scene.see(&detections, frame.at);
                analysed += 1;
                write_detections(&mut detections_out, number, &detections)?;
                write_tracks(&mut mot_out, number, &frame, &sight)?;
                write_events(&mut events_out, number, frame.at, &sight.decisions)?;
            }
            if self.frames == Some(number) {
                break;
            }
        }
        for out in [detections_out, mot_out, events_out].iter_mut().flatten() {
            out.flush().context("an output file cannot be written")?;
        }
        let seconds = started.elapsed().as_secs_f64();
        let summary = json!({
            "frames": number,
            "analysed": analysed,
            "seconds": seconds,
            "fps": analysed as f64 / seconds,
            "peak_memory_bytes": peak_memory_bytes(),
        });
        println!("{summary}");
        Ok(())
    }

    fn prepare(&self) -> anyhow::Result<(Detector, Rules)> {
        let Some(file) = &self.config else {
            let detector = Detector::load(&self.model, &self.onnxruntime, Threads::ONE)?;
            return Ok((detector, Rules::default()));
        };
        let Config { model, cameras, .. } = crate::config::load(file)?;
        let camera = match &self.camera {
            Some(name) => cameras
                .iter()
                .find(|camera| camera.id.as_str() == name)
                .with_context(|| format!("{}: there is no camera {name:?}", file.display()))?,
            None => &cameras[0],
        };
        let detector = Detector::load(&model.manifest, &model.runtime, model.threads)?;
        Ok((detector, Rules::new(camera)))
    }
}

/// The limit `--fps` asks for.
fn rate(fps: Option<f64>) -> anyhow::Result<Rate> {
    let every = match fps {
        None => Duration::ZERO,
        Some(fps) if fps > 0.0 && fps.is_finite() => Duration::from_secs_f64(1.0 / fps),
        Some(fps) => bail!("--fps {fps} is not possible: more than 0"),
    };
    Ok(Rate::of_clip(every))
}

/// Most physical memory this process ever had; none where the system does not tell.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

type Out = Option<BufWriter<File>>;

fn create(path: Option<&PathBuf>) -> anyhow::Result<Out> {
    let open = |path: &PathBuf| {
        File::create(path)
            .map(BufWriter::new)
            .with_context(|| format!("{}: cannot be written", path.display()))
    };
    path.map(open).transpose()
}

fn corners(region: &Region) -> [f32; 4] {
    [region.left, region.top, region.right, region.bottom]
}

fn write_detections(out: &mut Out, frame: u64, detections: &[Detection]) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    let detections: Vec<_> = detections
        .iter()
        .map(|d| json!({ "class": d.class, "score": d.score, "box": corners(&d.region) }))
        .collect();
    writeln!(out, "{}", json!({ "frame": frame, "detections": detections }))?;
    Ok(())
}

fn write_tracks(out: &mut Out, number: u64, frame: &Frame, sight: &Sight) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    for track in sight.tracks.iter().filter(|track| track.seen) {
        let [left, top, right, bottom] = corners(&track.region);
        writeln!(
            out,
            "{number},{},{:.2},{:.2},{:.2},{:.2},{:.4},-1,-1,-1",
            track.number.0,
            left * width,
            top * height,
            (right - left) * width,
            (bottom - top) * height,
            track.score,
        )?;
    }
    Ok(())
}

fn write_events(out: &mut Out, frame: u64, at: Duration, decisions: &[Decision]) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    for decision in decisions {
        let event = json!({
            "frame": frame,
            "clip_time_ms": at.as_millis() as u64,
            "kind": "zone_intrusion",
            "rule": decision.rule,
            "zone": decision.zone,
            "severity": decision.severity,
            "alarm": decision.alarm.0,
            "phase": decision.phase,
            "object": decision.track.class,
            "track": decision.track.number,
            "region": decision.track.region,
            "dwell_ms": decision.dwell.as_millis() as u64,
        });
        writeln!(out, "{event}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_must_be_possible() {
        assert!(rate(None).is_ok() && rate(Some(0.5)).is_ok());
        assert!(rate(Some(0.0)).is_err() && rate(Some(f64::NAN)).is_err());
    }
}
