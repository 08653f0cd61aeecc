//! Throughput: frames analysed per second on one inference thread, against the limit and against the peer, all
//! in the same run on the same clip and model, so that the ratios hold on a noisy machine.
//!
//! - ours: `gatepost-edge analyse` as a process: decode, fit, infer, decode boxes, track, rule
//! - the limit: time to decode every frame and do nothing, plus time inside ONNX Runtime for every frame
//! - the peer: `benches/peer/analyse.py`, OpenCV + onnxruntime + supervision
//!
//! `GATEPOST_BENCH_ROUNDS` sets how often all are run (3), `GATEPOST_BENCH_MODEL` which manifest (512).

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gatepost_edge::config::Threads;
use gatepost_edge::detect::Detector;
use gatepost_edge::source::Clip;
use gatepost_testbed::footage;
use gatepost_wire::Timestamp;
use serde_json::Value;

const POLYGON: [[f32; 2]; 4] = [[0.30, 0.25], [0.75, 0.25], [0.75, 0.95], [0.30, 0.95]];

struct Bench {
    clip: PathBuf,
    manifest: PathBuf,
    runtime: PathBuf,
    config: PathBuf,
    python: PathBuf,
    /// Loaded once: a process has one ONNX Runtime.
    detector: Detector,
}

#[derive(Clone, Copy)]
struct Round {
    decode: Duration,
    inference: Duration,
    ours: Duration,
    ours_bytes: u64,
    peer: Duration,
    peer_bytes: u64,
}

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    gstreamer::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::prepare(folder.path());
    let rounds: usize = std::env::var("GATEPOST_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let rounds: Vec<Round> = (1..=rounds).map(|n| bench.round(n)).collect();
    report(&rounds);
}

impl Bench {
    fn prepare(folder: &Path) -> Self {
        let root = footage::workspace_root();
        let model = std::env::var("GATEPOST_BENCH_MODEL").unwrap_or("models/centernet-512.toml".into());
        let manifest = root.join(model);
        let runtime = root.join(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH));
        let detector = Detector::load(&manifest, &runtime, Threads::ONE).unwrap();
        let bench = Self {
            clip: footage::vtest().unwrap(),
            manifest,
            runtime,
            config: folder.join("edge.toml"),
            python: root.join(".fetched/python/bin/python"),
            detector,
        };
        assert!(bench.python.exists(), "the peer needs its Python: run `setup/install.sh python-bench`");
        std::fs::write(&bench.config, bench.config_text()).unwrap();
        bench
    }

    fn config_text(&self) -> String {
        format!(
            "edge = \"bench\"\ndata_dir = \"data\"\n[model]\nmanifest = {:?}\nruntime = {:?}\n\
             [uplink]\nbroker = \"mqtt://127.0.0.1:1\"\n\
             [[camera]]\nid = \"clip\"\nurl = \"rtsp://127.0.0.1/unused\"\n\
             [[camera.zone]]\nid = \"lawn\"\npolygon = {POLYGON:?}\n\
             [[camera.rule]]\nid = \"lawn-closed\"\nkind = \"zone_intrusion\"\nzone = \"lawn\"\n",
            self.manifest, self.runtime
        )
    }

    fn round(&mut self, number: usize) -> Round {
        eprintln!("round {number}: decoding only");
        let decode = self.decode_only();
        eprintln!("round {number}: inference only");
        let inference = self.inference_only();
        eprintln!("round {number}: gatepost-edge");
        let (ours, ours_bytes) = self.ours();
        eprintln!("round {number}: the peer in Python");
        let (peer, peer_bytes) = self.peer();
        Round { decode, inference, ours, ours_bytes, peer, peer_bytes }
    }

    fn decode_only(&self) -> Duration {
        let started = Instant::now();
        let mut clip = Clip::open(&self.clip, Timestamp::now()).unwrap();
        while clip.next_frame().unwrap().is_some() {}
        started.elapsed()
    }

    fn inference_only(&mut self) -> Duration {
        let mut clip = Clip::open(&self.clip, Timestamp::now()).unwrap();
        let mut inside = Duration::ZERO;
        while let Some(frame) = clip.next_frame().unwrap() {
            inside += self.detector.detect_timed(&frame).unwrap().1;
        }
        inside
    }

    fn ours(&self) -> (Duration, u64) {
        let summary = run(Command::new(env!("CARGO_BIN_EXE_gatepost-edge"))
            .args(["analyse", "--no-gate", "--config"])
            .arg(&self.config)
            .arg("--input")
            .arg(&self.clip));
        (seconds(&summary), summary["peak_memory_bytes"].as_u64().unwrap())
    }

    fn peer(&self) -> (Duration, u64) {
        let mut command = Command::new(&self.python);
        command.arg(footage::workspace_root().join("edge/benches/peer/analyse.py"));
        command.arg("--clip").arg(&self.clip).arg("--model").arg(&self.manifest).arg("--polygon");
        command.args(POLYGON.iter().map(|[x, y]| format!("{x},{y}")));
        let summary = run(&mut command);
        (seconds(&summary), summary["peak_rss_bytes"].as_u64().unwrap())
    }
}

/// Runs a program that ends with one line of JSON on its standard output.
fn run(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().last().unwrap()).unwrap()
}

fn seconds(summary: &Value) -> Duration {
    Duration::from_secs_f64(summary["seconds"].as_f64().unwrap())
}

fn report(rounds: &[Round]) {
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let s = |of: &dyn Fn(&Round) -> Duration| median(&|r| of(r).as_secs_f64());
    println!("medians of {} round(s) over the whole clip, one inference thread", rounds.len());
    println!("  decode only      {:8.2} s", s(&|r| r.decode));
    println!("  inference only   {:8.2} s", s(&|r| r.inference));
    println!(
        "  gatepost-edge    {:8.2} s   {:6.1} MB",
        s(&|r| r.ours),
        median(&|r| r.ours_bytes as f64) / 1e6
    );
    println!(
        "  peer in Python   {:8.2} s   {:6.1} MB",
        s(&|r| r.peer),
        median(&|r| r.peer_bytes as f64) / 1e6
    );
    let limit = |r: &Round| (r.decode + r.inference).as_secs_f64() / r.ours.as_secs_f64();
    let peer = |r: &Round| r.peer.as_secs_f64() / r.ours.as_secs_f64();
    println!("speed against the limit {:.2} (target 0.90)", median(&limit));
    println!("speed against the peer  {:.2} (target 2.50)", median(&peer));
    println!(
        "memory against the peer {:.2} (target 0.33)",
        median(&|r| r.ours_bytes as f64 / r.peer_bytes as f64)
    );
}
