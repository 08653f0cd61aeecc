//! Cameras per core: what a box pays for each camera, for one to 32 of them, while nothing moves and while
//! something does, and what the same cameras cost if everything they send is decoded.
//!
//! All cameras are H.264, 1920x1080, 25 pictures a second, over TCP from one clip that was encoded before; their
//! server is this program, whose own time is told beside the daemon's. Processor time is the daemon's and its cameras'
//! processes' as the kernel counts it, so that other work on the machine spoils it little; memory counts what they
//! share once.
//!
//! `GATEPOST_BENCH_CAMERAS` sets how many (`1,2,4,8,16,32`), `GATEPOST_BENCH_SECONDS` how long each is measured
//! (15), `GATEPOST_BENCH_MODEL` which manifest (512).

#![allow(clippy::unwrap_used, reason = "a bench stops at the first thing that goes wrong, like a test")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use gatepost_testbed::mosquitto::{Mosquitto, Options as Broker};
use gatepost_testbed::rtsp_camera::{Options, RtspCamera};
use gatepost_testbed::{footage, usage};
use gatepost_wire::Health;
use gatepost_wire::health::{Attention, CameraState};
use support::listener::Listener;
use support::site::{CameraConfig, EVERYWHERE, Site};

/// One round of a clip.
const CLIP_S: u32 = 10;
/// More cameras than this are not decoded whole: the naive way needs more than two cores for them.
const MOST_NAIVE: usize = 8;
/// After the cameras are as they should be, until the figures are.
const SETTLE: Duration = Duration::from_secs(6);
/// Kinds of threads that are told.
const THREADS: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    Idle,
    Busy,
}

/// What is decoded and looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As the daemon is delivered.
    Ours,
    /// Every picture is decoded; the motion gate spares the detector.
    DecodeAll,
    /// Every picture is decoded, and every one that is taken goes through the detector.
    Naive,
}

struct Figures {
    scene: Scene,
    way: Way,
    cameras: usize,
    cpu_s_per_camera_minute: f64,
    memory_bytes: u64,
    /// Over all cameras, a second.
    sampled: f64,
    analysed: f64,
    dropped: f64,
    server_cores: f64,
    threads: Vec<(String, f64)>,
}

fn main() {
    // `cargo test --benches` calls with other arguments; a bench that takes minutes is not a test.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let counts = std::env::var("GATEPOST_BENCH_CAMERAS").unwrap_or("1,2,4,8,16,32".into());
    let counts: Vec<usize> = counts.split(',').map(|count| count.trim().parse().unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for scene in [Scene::Idle, Scene::Busy] {
        let camera = serve(scene, folder.path());
        for &cameras in &counts {
            all.push(measure(&camera, scene, Way::Ours, cameras));
        }
        for &cameras in counts.iter().filter(|&&cameras| cameras <= MOST_NAIVE) {
            all.push(measure(&camera, scene, Way::DecodeAll, cameras));
        }
        let few = counts.iter().copied().filter(|&cameras| cameras <= 2).max();
        all.extend(few.map(|cameras| measure(&camera, scene, Way::Naive, cameras)));
    }
    report(&all);
}

fn serve(scene: Scene, folder: &Path) -> RtspCamera {
    let clip = folder.join(format!("{}.avi", scene.name()));
    match scene {
        Scene::Idle => footage::nothing_moves(&clip, CLIP_S).unwrap(),
        Scene::Busy => footage::pedestrians_in_a_hurry(&clip, CLIP_S).unwrap(),
    }
    let options = Options { width: Some(1920), height: Some(1080), ..Options::default() };
    RtspCamera::serve(&clip, &options).unwrap()
}

fn measure(camera: &RtspCamera, scene: Scene, way: Way, cameras: usize) -> Figures {
    let seconds = std::env::var("GATEPOST_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(15);
    eprintln!("{} scene, {}, {cameras} camera(s)", scene.name(), way.name());
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port());
    let model = std::env::var("GATEPOST_BENCH_MODEL").unwrap_or("models/centernet-512.toml".into());
    site.manifest = footage::workspace_root().join(model);
    site.cameras = (0..cameras).map(|number| config(&camera.url(), way, number)).collect();
    let mut edge = site.run();
    let wanted = if scene == Scene::Idle && way == Way::Ours { Attention::Idle } else { Attention::Awake };
    listener.wait("the cameras to be as they should", |heard| {
        let cameras = &heard.health.last()?.cameras;
        let is_so = |c: &gatepost_wire::health::CameraHealth| {
            c.state == CameraState::Streaming && (c.attention == Some(wanted) || scene == Scene::Busy)
        };
        cameras.iter().all(is_so).then_some(())
    });
    thread::sleep(SETTLE);
    let family = usage::family(edge.pid()).unwrap();
    let cpu = || family.iter().map(|pid| usage::cpu_time(*pid).unwrap()).sum::<Duration>();
    let now = || {
        let own = usage::cpu_time(std::process::id()).unwrap();
        let health = listener.heard().health.pop().unwrap();
        (Instant::now(), cpu(), cpu_by_thread(&family), own, health)
    };
    let (began, cpu, threads, own, health) = now();
    thread::sleep(Duration::from_secs(seconds));
    let (ended, cpu_after, threads_after, own_after, health_after) = now();
    let time = (ended - began).as_secs_f64();
    let reported = (health_after.uptime_ms - health.uptime_ms) as f64 / 1000.0;
    let rate = |of: &dyn Fn(&Health) -> u64| (of(&health_after) - of(&health)) as f64 / reported;
    let per_camera_minute = |cpu: f64| cpu / time * 60.0 / cameras as f64;
    let figures = Figures {
        scene,
        way,
        cameras,
        cpu_s_per_camera_minute: per_camera_minute((cpu_after - cpu).as_secs_f64()),
        memory_bytes: family.iter().map(|pid| usage::pss_bytes(*pid).unwrap()).sum(),
        sampled: rate(&|health| health.cameras.iter().map(|c| c.frames_sampled).sum()),
        analysed: rate(&|health| health.cameras.iter().map(|c| c.frames_analysed).sum()),
        dropped: rate(&|health| health.cameras.iter().map(|c| c.frames_dropped).sum()),
        server_cores: (own_after - own).as_secs_f64() / time,
        threads: busiest(&threads, &threads_after, per_camera_minute),
    };
    edge.terminate();
    figures
}

fn config(url: &str, way: Way, number: usize) -> CameraConfig {
    // Different addresses, as those of different cameras.
    let url = format!("{url}?camera={number}");
    let config = CameraConfig::new(&format!("camera-{number}"), &url).zone(EVERYWHERE).extra("quiet_s = 3");
    match way {
        Way::Ours => config,
        Way::DecodeAll => config.extra("idle = \"full\""),
        Way::Naive => config.extra("idle = \"full\"").extra("motion.gate = false"),
    }
}

fn cpu_by_thread(family: &[u32]) -> BTreeMap<String, Duration> {
    let mut times = BTreeMap::new();
    for (name, time) in family.iter().flat_map(|pid| usage::cpu_by_thread(*pid).unwrap()) {
        *times.entry(name).or_insert(Duration::ZERO) += time;
    }
    times
}

fn busiest(
    before: &BTreeMap<String, Duration>,
    after: &BTreeMap<String, Duration>,
    per_camera_minute: impl Fn(f64) -> f64,
) -> Vec<(String, f64)> {
    let used = |(name, time): (&String, &Duration)| {
        let since = time.saturating_sub(before.get(name).copied().unwrap_or_default());
        (name.clone(), per_camera_minute(since.as_secs_f64()))
    };
    let mut used: Vec<_> = after.iter().map(used).collect();
    used.sort_by(|a, b| b.1.total_cmp(&a.1));
    used.truncate(THREADS);
    used
}

impl Scene {
    fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
        }
    }
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "as delivered",
            Self::DecodeAll => "decode all",
            Self::Naive => "decode and detect all",
        }
    }
}

fn report(all: &[Figures]) {
    println!("1080p H.264, 25 pictures a second, {} core(s)", thread::available_parallelism().unwrap());
    println!(
        "scene  way                    cameras  CPU s/camera-min      MB  sampled/s  detector/s  dropped/s  server"
    );
    for f in all {
        println!(
            "{:5}  {:21}  {:7}  {:16.2}  {:6.0}  {:9.1}  {:10.1}  {:9.2}  {:5.2} cores",
            f.scene.name(),
            f.way.name(),
            f.cameras,
            f.cpu_s_per_camera_minute,
            f.memory_bytes as f64 / 1e6,
            f.sampled,
            f.analysed,
            f.dropped,
            f.server_cores,
        );
    }
    for scene in [Scene::Idle, Scene::Busy] {
        report_growth(all, scene);
    }
    report_ratios(all);
}

/// What one more camera costs, and where its time goes.
fn report_growth(all: &[Figures], scene: Scene) {
    let ours = || all.iter().filter(|f| f.scene == scene && f.way == Way::Ours);
    let Some((few, many)) = ours().min_by_key(|f| f.cameras).zip(ours().max_by_key(|f| f.cameras)) else {
        return;
    };
    if many.cameras > few.cameras {
        let more = (many.cameras - few.cameras) as f64;
        let bytes = many.memory_bytes as f64 - few.memory_bytes as f64;
        println!("{} scene: each further camera takes {:.1} MB", scene.name(), bytes / 1e6 / more);
    }
    let threads = many.threads.iter().map(|(name, cpu)| format!("{name} {cpu:.2}"));
    println!(
        "{} scene, {} cameras, CPU s/camera-min by thread: {}",
        scene.name(),
        many.cameras,
        threads.collect::<Vec<_>>().join(", ")
    );
}

fn report_ratios(all: &[Figures]) {
    let cost = |way: Way, cameras: usize| {
        let found = all.iter().find(|f| f.scene == Scene::Idle && f.way == way && f.cameras == cameras);
        found.map(|f| f.cpu_s_per_camera_minute)
    };
    for naive in all.iter().filter(|f| f.scene == Scene::Idle && f.way != Way::Ours) {
        if let Some(ours) = cost(Way::Ours, naive.cameras) {
            println!(
                "idle, {} camera(s): {:.3} of what it costs to {} (target 0.200)",
                naive.cameras,
                ours / naive.cpu_s_per_camera_minute,
                naive.way.name()
            );
        }
    }
}
