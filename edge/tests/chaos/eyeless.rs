//! An edge without eyes: outbox, recording thread and uplink as the daemon has them, and instead of cameras a source of
//! decisions that is never short of news. Runs as a process of its own, to be killed.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatepost_edge::clip::{Archive, Room};
use gatepost_edge::clock::Clock;
use gatepost_edge::command::{CommandThread, Means};
use gatepost_edge::config::{self, Config};
use gatepost_edge::event::{Judge, Observation, RecordThread, Reporter};
use gatepost_edge::evidence::EvidenceStore;
use gatepost_edge::health::{HealthSource, InferenceGauge};
use gatepost_edge::identity::{HubKey, IdentityFile};
use gatepost_edge::linked::LinkedCameras;
use gatepost_edge::outbox::{self, Delivery};
use gatepost_edge::rule::{AlarmNumber, Decision, Finding};
use gatepost_edge::uplink::Uplink;
use gatepost_wire::event::Phase;
use gatepost_wire::{Severity, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

const MIB: u64 = 1 << 20;
const TICK: Duration = Duration::from_millis(500);
const LAST_DELIVERY: Duration = Duration::from_secs(120);

/// Runs until SIGTERM, with this configuration and about so many events a second.
pub fn run(config: &Path, per_second: u32, seed: u64) -> anyhow::Result<()> {
    let config = config::load(config)?;
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).init();
    tokio::runtime::Runtime::new()?.block_on(live(config, per_second, seed))
}

async fn live(config: Config, per_second: u32, seed: u64) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let (recorder, delivery, open_alarms) =
        outbox::open(&config.data_dir.join("outbox"), config.edge.clone())?;
    let evidence = EvidenceStore::open(&config.data_dir.join("evidence"), config.disk_reserve_mib * MIB)?;
    let boot = recorder.boot();
    let clock = Arc::new(Clock::default());
    let linked = Arc::new(LinkedCameras::new(&config.fusion, |_| None));
    let (judge, told, areas) = Judge::open(&config, Arc::clone(&clock), Arc::clone(&linked))?;
    let limit = config.outbox.max_mib;
    let (record, reporter) =
        RecordThread::start(recorder, evidence.clone(), open_alarms, (judge, told), linked, None, limit)?;
    tracing::info!(%boot, waiting = delivery.health().queued, "started");
    let identity = IdentityFile::of(&config.edge, &config.data_dir, &config.uplink);
    let means = Means {
        edge: config.edge.clone(),
        hub_key: HubKey::of(identity.clone(), &config.uplink),
        clock: Arc::clone(&clock),
        originals_allowed: false,
        archive: archive(&config)?,
        evidence: evidence.clone(),
        reporter: reporter.clone(),
    };
    let (commands, orders, replies) = CommandThread::start(&config.data_dir.join("commands"), means)?;
    let health = HealthSource {
        edge: config.edge.clone(),
        boot,
        model: "none".into(),
        clock: Arc::clone(&clock),
        cameras: Vec::new(),
        sensors: Vec::new(),
        inference: Arc::new(InferenceGauge::new(config.model.workers(NonZero::<usize>::MIN, 1))),
        identity: identity.clone(),
        delivery: delivery.clone(),
        areas,
    };
    let (report, reports) = watch::channel(health.report(&config)?);
    let (stop, stopped) = watch::channel(false);
    let uplink = Uplink {
        link: std::sync::Arc::default(),
        config: config.uplink.clone(),
        identity,
        edge: config.edge.clone(),
        boot,
        delivery: delivery.clone(),
        evidence,
        health: reports,
        orders,
        replies: tokio::sync::Mutex::new(replies),
    };
    let uplink = tokio::spawn(uplink.run(stopped));
    let ticker = tokio::spawn(tell(health, config, report, reporter.clone()));

    let enough = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&enough);
    let source = tokio::task::spawn_blocking(move || see(&reporter, per_second, seed, &seen));
    terminate.recv().await;
    enough.store(true, Ordering::Relaxed);
    source.await?;
    ticker.abort();
    let _ = ticker.await;
    tokio::task::spawn_blocking(move || {
        commands.close();
        record.join();
    })
    .await?;
    // Whoever stops it wants to see everything arrive.
    let _ = tokio::time::timeout(LAST_DELIVERY, drained(&delivery)).await;
    stop.send_replace(true);
    uplink.await?;
    tracing::info!("stopped");
    Ok(())
}

fn archive(config: &Config) -> anyhow::Result<Arc<Mutex<Archive>>> {
    let room =
        Room { keep: config.clips.keep(), disk_share: 0.1, reserve_bytes: config.disk_reserve_mib * MIB };
    Ok(Arc::new(Mutex::new(Archive::open(&config.data_dir.join("clips"), room)?)))
}

async fn drained(delivery: &Delivery) {
    while delivery.health().queued > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn tell(health: HealthSource, config: Config, report: watch::Sender<Vec<u8>>, reporter: Reporter) {
    loop {
        if health.delivery.has_untold_damage() {
            let reporter = reporter.clone();
            tokio::task::spawn_blocking(move || reporter.report(Observation::Time));
        }
        if let Ok(json) = health.report(&config) {
            report.send_replace(json);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Alarms of every severity that begin and end, alone and in crowds.
fn see(reporter: &Reporter, per_second: u32, seed: u64, enough: &AtomicBool) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let began = Instant::now();
    let mut alarm = 0;
    while !enough.load(Ordering::Relaxed) {
        let crowd = if rng.u8(..) < 16 { rng.u32(2..40) } else { 1 };
        for _ in 0..crowd {
            alarm += 1;
            let severity = Severity::try_from(rng.u8(1..=4)).unwrap_or(Severity::LOW);
            for phase in [Phase::Began, Phase::Ended] {
                reporter.report(decision(alarm, severity, phase, began.elapsed()));
            }
        }
        std::thread::sleep(Duration::from_secs(2) * crowd / per_second);
    }
}

#[allow(clippy::unwrap_used, reason = "the names are written here")]
fn decision(alarm: u64, severity: Severity, phase: Phase, at: Duration) -> Observation {
    let finding = Finding::Overcrowding { zone: "yard".parse().unwrap(), count: 9, limit: 8 };
    let decision =
        Decision { rule: "crowd".parse().unwrap(), severity, alarm: AlarmNumber(alarm), phase, finding };
    Observation::Decision {
        camera: "gate".parse().unwrap(),
        time: Timestamp::now(),
        at,
        decision,
        picture: None,
    }
}
