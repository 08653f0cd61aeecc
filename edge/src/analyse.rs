//! `gatepost-edge analyse`: the daemon's eyes on a clip, as fast as the machine goes. For measuring against
//! ground truth, for tuning zones on footage, and for comparing machines. Prints one line of JSON: how many
//! frames, how fast, how much memory.

mod clip_cover;
mod mot;
mod places;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gatepost_wire::event::{Alarm, Region};
use gatepost_wire::{AlarmId, CameraId, Timestamp};
use serde_json::{Value, json};
use ulid::Ulid;

use crate::config::{Config, Threads, Tiles};
use crate::detect::{Detection, Detector};
use crate::event::happening;
use crate::eye::{Eye, Glance};
use crate::privacy::{Masks, widened};
use crate::rule::{AlarmNumber, Decision, Rules};
use crate::scene::Scene;
use crate::source::{Clip, Rate};
use crate::tamper;
use clip_cover::ClipCoverFile;
use mot::MotFile;

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
    /// The model's manifest, when no configuration is given; the default model of the working copy or the package
    /// unless named.
    #[arg(long, conflicts_with = "config")]
    model: Option<PathBuf>,
    /// ONNX Runtime's shared library, when no configuration is given; that of the working copy or the package unless
    /// named.
    #[arg(long, conflicts_with = "config")]
    onnxruntime: Option<PathBuf>,
    /// Pictures a second of the clip that are looked at; every one unless given.
    #[arg(long)]
    fps: Option<f64>,
    /// Let the detector look at every frame, and do not watch for tampering: for measuring the detector alone.
    /// Without a configuration it is so anyway.
    #[arg(long)]
    no_gate: bool,
    /// Stop after so many frames of the clip.
    #[arg(long)]
    frames: Option<u64>,
    /// Write every detection, a JSON line for each analysed frame.
    #[arg(long)]
    detections_out: Option<PathBuf>,
    /// Write tracks in MOTChallenge format (pixels, frames of the clip from 1): a line for each object and analysed
    /// frame, of what moved or was seen beyond doubt.
    #[arg(long)]
    mot_out: Option<PathBuf>,
    /// Write what a picture of each analysed frame would have covered, a JSON line for each frame.
    #[arg(long)]
    covered_out: Option<PathBuf>,
    /// Write what a clip would have covered in each analysed frame, a JSON line for each frame. A clip looks five
    /// times a second, ahead as well as back.
    #[arg(long)]
    clip_covered_out: Option<PathBuf>,
    /// Write what the rules decide, a JSON line for each.
    #[arg(long)]
    events_out: Option<PathBuf>,
}

/// What a clip is looked at with.
struct Prepared {
    detector: Detector,
    eye: Eye,
    camera: CameraId,
    masks: Masks,
}

impl Analyse {
    /// Does it.
    ///
    /// # Errors
    /// What is wrong with the clip, the model, the configuration or an output file.
    pub fn run(&self) -> anyhow::Result<()> {
        let Prepared { mut detector, mut eye, camera, masks } = self.prepare()?;
        let mut clip = Clip::open(&self.input, Timestamp::now())?;
        let mut detections_out = create(self.detections_out.as_ref())?;
        let mut mot_out = self.mot_out.as_ref().map(|file| MotFile::create(file)).transpose()?;
        let mut covered_out = create(self.covered_out.as_ref())?;
        let mut clip_covered_out = self
            .clip_covered_out
            .as_ref()
            .map(|file| ClipCoverFile::create(file, detector.scores()))
            .transpose()?;
        let mut events_out = create(self.events_out.as_ref())?;
        let mut rate = rate(self.fps)?;
        let (started, mut number, mut analysed, mut still) = (Instant::now(), 0u64, 0u64, 0u64);
        while let Some(frame) = clip.next_frame()? {
            number += 1;
            if rate.takes(frame.at) {
                let frame = frame.masked(&masks)?;
                let Glance { tamper, seen, .. } = eye.look(&frame, &mut detector);
                let seen = seen?;
                analysed += 1;
                still += u64::from(seen.looked.is_none());
                write_detections(&mut detections_out, number, eye.last_detections())?;
                if let Some(mot_out) = &mut mot_out {
                    let size = (frame.width(), frame.height());
                    mot_out.write(number, frame.at, size, &seen.sight.tracks).with_context(unwritable)?;
                }
                write_covered(&mut covered_out, number, &seen.sight.people)?;
                if let Some(out) = &mut clip_covered_out {
                    out.take(number, frame.at, eye.last_detections());
                }
                write_events(&mut events_out, &camera, number, frame.at, &seen.sight.decisions)?;
                write_tamper(&mut events_out, number, frame.at, &tamper)?;
            }
            if self.frames == Some(number) {
                break;
            }
        }
        if let Some(out) = clip_covered_out {
            out.write()?;
        }
        for out in [detections_out, covered_out, events_out].iter_mut().flatten() {
            out.flush().with_context(unwritable)?;
        }
        mot_out.map_or(Ok(()), MotFile::finish).with_context(unwritable)?;
        let seconds = started.elapsed().as_secs_f64();
        let summary = json!({
            "frames": number,
            "analysed": analysed,
            "still": still,
            "seconds": seconds,
            "fps": analysed as f64 / seconds,
            "peak_memory_bytes": peak_memory_bytes(),
        });
        println!("{summary}");
        Ok(())
    }

    fn prepare(&self) -> anyhow::Result<Prepared> {
        let Some(file) = &self.config else {
            let program = std::env::current_exe().ok();
            let model = places::model().find(self.model.as_ref(), program.as_deref())?;
            let runtime = places::onnxruntime().find(self.onnxruntime.as_ref(), program.as_deref())?;
            let detector = Detector::load(&model, &runtime, Threads::ONE)?;
            let eye = Eye::always_looking(Scene::new(Rules::default(), detector.scores()), Tiles::default());
            return Ok(Prepared { detector, eye, camera: "clip".parse()?, masks: Masks::default() });
        };
        let config = crate::config::load(file)?;
        let calendar = config.calendar();
        let Config { model, cameras, .. } = config;
        let camera = match &self.camera {
            Some(name) => cameras
                .iter()
                .find(|camera| camera.id.as_str() == name)
                .with_context(|| format!("{}: there is no camera {name:?}", file.display()))?,
            None => &cameras[0],
        };
        let detector = Detector::load(&model.manifest, &model.runtime, model.threads)?;
        let scene = Scene::of(camera, &calendar, detector.scores());
        let eye =
            if self.no_gate { Eye::always_looking(scene, camera.tiles) } else { Eye::of(camera, scene)? };
        Ok(Prepared { detector, eye, camera: camera.id.clone(), masks: camera.masks() })
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

fn unwritable() -> &'static str {
    "an output file cannot be written; is the disk full?"
}

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

fn write_covered(out: &mut Out, frame: u64, people: &[Region]) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    let covered: Vec<_> = people.iter().map(|region| corners(&widened(region))).collect();
    writeln!(out, "{}", json!({ "frame": frame, "covered": covered }))?;
    Ok(())
}

fn write_events(
    out: &mut Out,
    camera: &CameraId,
    frame: u64,
    at: Duration,
    decisions: &[Decision],
) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    for decision in decisions {
        writeln!(out, "{}", event(camera, frame, at, decision)?)?;
    }
    Ok(())
}

/// A decision with the fields it has on the wire. An alarm has only its number here: identities are given when
/// events are recorded.
fn event(camera: &CameraId, frame: u64, at: Duration, decision: &Decision) -> anyhow::Result<Value> {
    let Decision { rule, severity, alarm: AlarmNumber(number), phase, finding } = decision;
    let nameless = Alarm { id: AlarmId::from_ulid(Ulid::nil()), phase: *phase };
    let mut event = serde_json::to_value(happening(camera, finding, rule, nameless))?;
    if let Value::Object(fields) = &mut event {
        fields.remove("camera");
        fields.extend([
            ("frame".into(), json!(frame)),
            ("clip_time_ms".into(), json!(at.as_millis() as u64)),
            ("severity".into(), json!(severity)),
            ("alarm".into(), json!(number)),
            ("phase".into(), json!(phase)),
        ]);
    }
    Ok(event)
}

fn write_tamper(out: &mut Out, frame: u64, at: Duration, changes: &[tamper::Change]) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    for tamper::Change { kind, phase, detail } in changes {
        let event = json!({
            "frame": frame,
            "clip_time_ms": at.as_millis() as u64,
            "kind": "camera_tamper",
            "tamper": kind,
            "phase": phase,
            "detail": detail,
        });
        writeln!(out, "{event}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gatepost_wire::Severity;
    use gatepost_wire::event::Phase;

    use super::*;
    use crate::rule::Finding;

    #[test]
    fn an_event_has_the_fields_it_has_on_the_wire_and_a_number_for_its_alarm() {
        let finding = Finding::Overcrowding { zone: "lawn".parse().unwrap(), count: 9, limit: 8 };
        let (rule, severity) = ("full".parse().unwrap(), Severity::HIGH);
        let decision = Decision { rule, severity, alarm: AlarmNumber(3), phase: Phase::Began, finding };
        let written = event(&"gate".parse().unwrap(), 7, Duration::from_millis(1400), &decision).unwrap();
        let expected = json!({
            "frame": 7, "clip_time_ms": 1400, "kind": "overcrowding", "rule": "full", "zone": "lawn",
            "severity": 2, "alarm": 3, "phase": "began", "count": 9, "limit": 8,
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn a_rate_must_be_possible() {
        assert!(rate(None).is_ok() && rate(Some(0.5)).is_ok());
        assert!(rate(Some(0.0)).is_err() && rate(Some(f64::NAN)).is_err());
    }
}
