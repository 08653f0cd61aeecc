//! The daemon: wires the rooms together, and takes them down in the order data flows, so that what was seen
//! is recorded and what is recorded is sent.

mod model_file;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use gatepost_wire::event::FaultKind;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::analysis::{AnalysedCamera, Analysis, Frames, cores};
use crate::clip::{self, Archive, ClipCamera, ClipThreads, Maker, Preroll, Publisher, RequestedClips, Room};
use crate::clock::Clock;
use crate::command::{CommandThread, Means};
use crate::config::{Calendar, Camera, Clips, Config, KeyStore};
use crate::detect::{Detector, Model, Scores};
use crate::event::{Judge, Observation, RecordThread, Reporter};
use crate::evidence::EvidenceStore;
use crate::health::{HealthSource, InferenceGauge, WatchedCamera, disk_free_bytes};
use crate::identity::{HubKey, IdentityFile, keep_fresh};
use crate::linked::{LinkedCamera, LinkedCameras};
use crate::metrics::{self, Metrics};
use crate::original::Recipients;
use crate::outbox::{self, Delivery};
use crate::privacy::CoverLog;
use crate::sensor::{Sensors, WatchedSensor};
use crate::source::{self, Attention, CameraGauge, Frame, Latest, Ring, Watch};
use crate::uplink::{Link, Uplink};
use model_file::ModelFileWatch;

/// What still waits in the outbox may go out for so long after everything else has stopped.
const LAST_DELIVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether there is something new to tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How late the end of a delay may be noticed.
const TELL_TIME_EVERY: Duration = Duration::from_millis(250);
const MIB: u64 = 1024 * 1024;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What keeps the daemon from starting; once started it goes on.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let model = Arc::new(Model::load(&config.model.manifest, &config.model.runtime)?);
    let workers = config.model.workers(cores(), config.cameras.len());
    let detectors =
        (0..workers.get()).map(|_| model.detector(config.model.threads)).collect::<Result<_, _>>()?;
    let (recorder, delivery, open_alarms) =
        outbox::open(&config.data_dir.join("outbox"), config.edge.clone()).context("`data_dir`")?;
    let evidence = open_evidence(&config, &delivery)?;
    let archive = open_archive(&config)?;
    let boot = recorder.boot();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let identity = IdentityFile::of(&config.edge, &config.data_dir, &config.uplink);
    if config.uplink.enrolment.is_some() {
        look_for_key(&identity, config.uplink.key_store)?;
    }

    let clock = Arc::new(Clock::default());
    let watched = |camera| WatchedCamera::new(camera, &config.clips);
    let cameras: Vec<WatchedCamera> = config.cameras.iter().map(watched).collect();
    let linked = Arc::new(LinkedCameras::new(&config.fusion, |id| {
        cameras.iter().find(|watched| &watched.camera.id == id).map(|watched| Arc::clone(&watched.linked))
    }));
    let (judge, areas_told, areas) = Judge::open(&config, Arc::clone(&clock), Arc::clone(&linked))?;
    let (ask, requested) = clip::requests();
    let ask = config.clips.enabled.then_some(ask);
    let (record, reporter) = RecordThread::start(
        recorder,
        evidence.clone(),
        open_alarms,
        (judge, areas_told),
        linked,
        ask,
        config.outbox.max_mib,
    )?;
    let inference = Arc::new(InferenceGauge::new(workers));
    let health = Arc::new(HealthSource {
        edge: config.edge.clone(),
        boot,
        model: model.name().to_owned(),
        clock: Arc::clone(&clock),
        cameras,
        sensors: WatchedSensor::all(&config),
        inference: Arc::clone(&inference),
        delivery: delivery.clone(),
        areas,
        identity: identity.clone(),
    });
    tracing::info!(
        edge = %config.edge, %boot, cameras = config.cameras.len(), sensors = config.sensors.len(),
        model = model.name(), workers = workers.get(),
        waiting = delivery.health().queued, "started"
    );
    let means = Means {
        edge: config.edge.clone(),
        hub_key: HubKey::of(identity.clone(), &config.uplink),
        clock: Arc::clone(&clock),
        originals_allowed: !config.originals.recipients.is_empty(),
        archive: Arc::clone(&archive),
        evidence: evidence.clone(),
        reporter: reporter.clone(),
    };
    let folder = config.data_dir.join("commands");
    let (commands, orders, replies) = CommandThread::start(&folder, means)
        .with_context(|| format!("`data_dir`: {}: commands cannot be kept there", folder.display()))?;
    // Not before the archive knows what is on hold: this deletes old clips.
    let clips = open_clips(&config, &model, requested, &health, archive, &evidence, &reporter)?;
    let eyes = Eyes::open(detectors, model.scores(), &health, &config.calendar(), &reporter)?;
    let tripped = reporter.clone();
    let sensors = Sensors::start(&config, &health.sensors, &clock, move |trip| {
        tripped.report(Observation::Sensor(trip));
    });

    let waiting = delivery.clone();
    let (stop, stopped) = watch::channel(false);
    let first = health.report(&config)?;
    let (report, reports) = watch::channel(first);
    let link = Arc::new(Link::default());
    let uplink = Uplink {
        link: Arc::clone(&link),
        config: config.uplink.clone(),
        identity: identity.clone(),
        edge: config.edge.clone(),
        boot,
        delivery,
        evidence,
        health: reports,
        orders,
        replies: tokio::sync::Mutex::new(replies),
    };
    let uplink = tokio::spawn(uplink.run(stopped));
    let hub = config.uplink.enrolment.clone();
    let fresh = tokio::spawn(async move {
        if let Some(hub) = hub {
            keep_fresh(identity, hub).await;
        }
    });
    let has_areas = !config.areas.is_empty();
    let passing = reporter.clone();
    let time = tokio::spawn(async move {
        if has_areas {
            tell_time(passing).await;
        }
    });
    let metrics = Metrics {
        health: Arc::clone(&health),
        link,
        recording: reporter.recording(),
        data_dir: config.data_dir.clone(),
    };
    let figures = match config.metrics.listen {
        Some(listen) => Some(tokio::spawn(metrics::serve(listen.get(), metrics).await?)),
        None => None,
    };
    let model = ModelFileWatch::new(model.watch(), inference, reporter.clone());
    let ticker = tokio::spawn(keep_health(health, config, report, reporter.clone(), model));

    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
    }
    // Aborting only asks: the reporters inside are gone once they have ended.
    for task in [ticker, time, fresh].into_iter().chain(figures) {
        task.abort();
        let _ = task.await;
    }
    sensors.close().await;
    drop(reporter);
    tokio::task::spawn_blocking(move || {
        eyes.close();
        clips.close();
        commands.close();
        record.join();
    })
    .await?;
    // Whoever is not reached in this time gets it after the next start.
    let _ = tokio::time::timeout(LAST_DELIVERY, drained(&waiting)).await;
    stop.send_replace(true);
    uplink.await?;
    tracing::info!("stopped");
    Ok(())
}

/// Without the TPM it has to use the box does not start. Whatever else may be wrong with its key, it watches and records; the
/// uplink says so too, as often as it tries.
fn look_for_key(identity: &IdentityFile, key_store: KeyStore) -> anyhow::Result<()> {
    if key_store == KeyStore::Tpm {
        identity.next_key().context("`uplink.key_store`")?;
    }
    let identity = identity.clone();
    tokio::task::spawn_blocking(move || match identity.describe_key() {
        Ok(place) => tracing::info!("{place}"),
        Err(error) => tracing::warn!("{error}"),
    });
    Ok(())
}

async fn drained(delivery: &Delivery) {
    while delivery.health().queued > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn open_evidence(config: &Config, delivery: &Delivery) -> anyhow::Result<EvidenceStore> {
    let folder = config.data_dir.join("evidence");
    let wanted = delivery.pending_pictures().context("`data_dir`")?;
    EvidenceStore::open(&folder, config.disk_reserve_mib * MIB)
        .and_then(|evidence| evidence.keep_only(&wanted).map(|()| evidence))
        .with_context(|| format!("`data_dir`: {}: pictures cannot be kept there", folder.display()))
}

fn open_archive(config: &Config) -> anyhow::Result<Arc<Mutex<Archive>>> {
    let folder = config.clips_dir();
    let room = Room {
        keep: config.clips.keep(),
        disk_share: config.clips.disk_percent.get() as f64 / 100.0,
        reserve_bytes: config.disk_reserve_mib * MIB,
    };
    let archive = Archive::open(&folder, room)
        .with_context(|| format!("`data_dir`: {}: clips cannot be kept there", folder.display()))?;
    Ok(Arc::new(Mutex::new(archive)))
}

/// The threads that make clips. Without clips they only delete old ones.
fn open_clips(
    config: &Config,
    model: &Arc<Model>,
    requested: RequestedClips,
    health: &HealthSource,
    archive: Arc<Mutex<Archive>>,
    evidence: &EvidenceStore,
    reporter: &Reporter,
) -> anyhow::Result<ClipThreads> {
    let with_clips = health.cameras.iter().filter(|watched| watched.camera.clips);
    let cameras = with_clips.map(|watched| ClipCamera {
        id: watched.camera.id.clone(),
        masks: watched.camera.masks(),
        tiles: watched.camera.tiles,
        preroll: Arc::clone(&watched.preroll),
    });
    let clips = &config.clips;
    let originals = Recipients::new(config.originals.recipients.clone());
    let width = clips.width.get() as u32;
    let maker = Maker::new(Arc::clone(model), width, Arc::clone(&health.clock), originals);
    let clock = Arc::clone(&health.clock);
    let publisher = Publisher::new(archive, evidence.clone(), reporter.clone(), clock, clips.keep());
    let clock = Arc::clone(&health.clock);
    Ok(ClipThreads::start(requested, cameras.collect(), clips.span(), clock, maker, publisher)?)
}

/// The cameras' threads and the detectors'.
struct Eyes {
    stop: Arc<AtomicBool>,
    frames: Arc<Frames>,
    cameras: Vec<JoinHandle<()>>,
    workers: Vec<JoinHandle<()>>,
}

impl Eyes {
    fn open(
        detectors: Vec<Detector>,
        scores: Scores,
        health: &HealthSource,
        calendar: &Calendar,
        reporter: &Reporter,
    ) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let analysed = |watched: &WatchedCamera| {
            let (gauge, attention) = (Arc::clone(&watched.gauge), Arc::clone(&watched.attention));
            let (linked, cover) = (Arc::clone(&watched.linked), Arc::clone(&watched.preroll.cover));
            AnalysedCamera::new(watched.camera.clone(), calendar, gauge, attention, linked, cover, scores)
        };
        let cameras = health.cameras.iter().map(analysed).collect::<Result<Vec<_>, _>>()?;
        let frames = Arc::new(Latest::new(cameras));
        let analysis =
            Analysis::new(Arc::clone(&frames), health.cameras.len(), Arc::clone(&health.inference));
        let workers = analysis.start(detectors, reporter)?;
        let cameras = health
            .cameras
            .iter()
            .enumerate()
            .map(|(index, watched)| {
                let watch = watch_of(index, watched, &health.clock, &stop, &frames, reporter.clone());
                let name = format!("cam-{}", watched.camera.id);
                std::thread::Builder::new().name(name).spawn(move || source::watch(watch))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { stop, frames, cameras, workers })
    }

    fn close(self) {
        self.stop.store(true, Ordering::Relaxed);
        for camera in self.cameras {
            if camera.join().is_err() {
                tracing::error!("a camera's thread panicked");
            }
        }
        self.frames.close();
        for worker in self.workers {
            if worker.join().is_err() {
                tracing::error!("a detector's thread panicked");
            }
        }
    }
}

fn watch_of(
    index: usize,
    watched: &WatchedCamera,
    clock: &Arc<Clock>,
    stop: &Arc<AtomicBool>,
    frames: &Arc<Frames>,
    reporter: Reporter,
) -> Watch<impl Fn(Frame) + Send + Sync + 'static, impl FnMut(source::SignalChange) + Send + 'static> {
    let (frames, gauge) = (Arc::clone(frames), Arc::clone(&watched.gauge));
    let (masks, said) = (watched.camera.masks(), AtomicBool::new(false));
    let name = watched.camera.id.clone();
    let (clock_of_signals, id) = (Arc::clone(clock), watched.camera.id.clone());
    Watch {
        camera: watched.camera.clone(),
        gauge: Arc::clone(&watched.gauge),
        attention: Arc::clone(&watched.attention),
        ring: Arc::clone(&watched.preroll.ring),
        clock: Arc::clone(clock),
        stop: Arc::clone(stop),
        on_frame: move |frame: Frame| match frame.masked(&masks) {
            Ok(frame) => {
                if frames.put(index, frame) {
                    gauge.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(error) => {
                if !said.swap(true, Ordering::Relaxed) {
                    tracing::error!(camera = %name, "{error}");
                }
            }
        },
        on_signal: move |change| {
            let (_, time) = clock_of_signals.now();
            reporter.report(Observation::Signal { camera: id.clone(), time, change });
        },
    }
}

/// Delays end and timetables change though nothing happens: says for ever that time goes on.
async fn tell_time(reporter: Reporter) {
    let mut tick = tokio::time::interval(TELL_TIME_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let reporter = reporter.clone();
        // Reporting may wait for a slow disk, and the runtime must not.
        let _ = tokio::task::spawn_blocking(move || reporter.report(Observation::Time)).await;
    }
}

/// Reports health, follows the system clock and watches the disk and the model's file, for ever.
async fn keep_health(
    health: Arc<HealthSource>,
    config: Config,
    report: watch::Sender<Vec<u8>>,
    reporter: Reporter,
    mut model: ModelFileWatch,
) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let every = Duration::from_secs(config.uplink.health_every_s);
    let state = |health: &HealthSource| {
        (health.camera_states(), health.sensor_states(), health.areas.borrow().clone())
    };
    let (mut disk_is_low, mut told, mut told_at) = (false, state(&health), Instant::now());
    let mut last_error = String::new();
    let mut is_crowded = true;
    loop {
        tick.tick().await;
        // Whoever stands on a ladder before the camera does not want to wait for the next regular report.
        let states = state(&health);
        let model_changed = model.look(&health.clock);
        if told_at.elapsed() < every && states == told && !model_changed {
            continue;
        }
        (told, told_at) = (states, Instant::now());
        health.clock.discipline();
        if health.delivery.has_untold_damage() {
            // Found while delivering: the recording thread looks for it whenever it has something to do.
            let reporter = reporter.clone();
            tokio::task::spawn_blocking(move || reporter.report(Observation::Time));
        }
        let crowded = health.delivery.health().disk_bytes > config.outbox.max_mib.bytes() / 2;
        if std::mem::replace(&mut is_crowded, crowded) && !crowded {
            // The backlog is on its way; nothing more has to go.
            report_device(&health, &reporter, FaultKind::EventsDropped, None);
        }
        let low = disk_free_bytes(&config.data_dir) < config.disk_reserve_mib * MIB;
        if std::mem::replace(&mut disk_is_low, low) != low {
            let (folder, reserve) = (config.data_dir.display(), config.disk_reserve_mib);
            let detail = low.then(|| format!("{folder}: less than {reserve} MiB are free"));
            report_device(&health, &reporter, FaultKind::DiskLow, detail);
        }
        match health.report(&config) {
            Ok(json) => {
                report.send_replace(json);
            }
            Err(error) => {
                let error = error.to_string();
                if error != last_error {
                    tracing::warn!("no health report: {error}");
                    last_error = error;
                }
            }
        }
    }
}

/// A detail is an illness that began, none its end.
fn report_device(health: &HealthSource, reporter: &Reporter, fault: FaultKind, detail: Option<String>) {
    let (_, time) = health.clock.now();
    let reporter = reporter.clone();
    // Reporting may wait for a slow disk, and the caller must not.
    tokio::task::spawn_blocking(move || {
        reporter.report(Observation::Device { fault, time, detail });
    });
}

impl WatchedCamera {
    fn new(camera: &Camera, clips: &Clips) -> Self {
        let camera = camera.clone();
        let attention = Arc::new(Attention::new(camera.quiet()));
        let linked = Arc::new(LinkedCamera::new(Arc::clone(&attention)));
        let mut ring = clips.ring();
        if !camera.clips {
            ring.bytes = 0;
        }
        let preroll = Preroll { ring: Ring::new(ring).into(), cover: CoverLog::new(ring.span).into() };
        let gauge = Arc::new(CameraGauge::default());
        Self { camera, gauge, attention, linked, preroll: Arc::new(preroll) }
    }
}
