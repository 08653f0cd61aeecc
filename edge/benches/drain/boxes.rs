//! Boxes without cameras: recording thread, outbox and uplink as the daemon has them.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_edge::clip::{Archive, Room};
use gatepost_edge::clock::Clock;
use gatepost_edge::command::{CommandThread, Means};
use gatepost_edge::config::{self, Config};
use gatepost_edge::event::{Judge, Observation, RecordThread, Reporter};
use gatepost_edge::evidence::EvidenceStore;
use gatepost_edge::identity::{HubKey, IdentityFile};
use gatepost_edge::linked::LinkedCameras;
use gatepost_edge::outbox::{self, Delivery, Lane};
use gatepost_edge::rule::{AlarmNumber, Decision, Finding};
use gatepost_edge::uplink::Uplink;
use gatepost_testbed::http::wait_until;
use gatepost_wire::event::Phase;
use gatepost_wire::{BootId, Severity, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::hub::Hub;

const LATER: Duration = Duration::from_secs(600);
/// Entries looked at together where nobody is at the other end.
const PAGE: usize = 256;

/// A box that is not connected yet.
pub struct EdgeBox {
    config: Config,
    folder: std::path::PathBuf,
    boot: BootId,
    delivery: Delivery,
    evidence: EvidenceStore,
    record: RecordThread,
    reporter: Reporter,
    alarms: u64,
}

/// A box that is.
pub struct Running {
    delivery: Delivery,
    reporter: Reporter,
    record: RecordThread,
    commands: CommandThread,
    stop: watch::Sender<bool>,
    uplink: JoinHandle<()>,
    alarms: u64,
    // Health is told for as long as this lives.
    _report: watch::Sender<Vec<u8>>,
}

impl EdgeBox {
    /// With so many events in its outbox: alarms of severity 2 to 4 that began and ended.
    pub fn filled(parent: &Path, name: &str, events: usize) -> Self {
        let folder = parent.join(name);
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("edge.toml");
        fs::write(&config, configuration(name)).unwrap();
        let config = config::load(&config).unwrap();
        let (recorder, delivery, open) = outbox::open(&folder.join("outbox"), config.edge.clone()).unwrap();
        let evidence = EvidenceStore::open(&folder.join("evidence"), 0).unwrap();
        let boot = recorder.boot();
        let linked = Arc::new(LinkedCameras::new(&config.fusion, |_| None));
        let (judge, told, _) = Judge::open(&config, Arc::new(Clock::default()), Arc::clone(&linked)).unwrap();
        let limit = config.outbox.max_mib;
        let judge = (judge, told);
        let (record, reporter) =
            RecordThread::start(recorder, evidence.clone(), open, judge, linked, None, limit).unwrap();
        let mut this = Self { config, folder, boot, delivery, evidence, record, reporter, alarms: 0 };
        for _ in 0..events.div_ceil(2) {
            this.alarms += 1;
            alarm(&this.reporter, this.alarms);
        }
        wait_until("a filled outbox", LATER, || (this.recorded() >= events as u64).then_some(())).unwrap();
        this
    }

    pub fn name(&self) -> String {
        self.config.edge.to_string()
    }

    fn recorded(&self) -> u64 {
        self.delivery.recorded().borrow().0
    }

    /// Reads and forgets everything, as the uplink does, without sending it.
    pub fn drain_to_nowhere(self) {
        for lane in Lane::ALL {
            let mut cursor = None;
            loop {
                let page = self.delivery.pending(lane, cursor, PAGE).unwrap();
                let Some(last) = page.last() else { break };
                cursor = Some(last.position);
                for entry in page {
                    self.delivery.remove(entry.position).unwrap();
                }
            }
        }
        drop(self.reporter);
        self.record.join();
    }

    /// Starts the uplink.
    pub fn connect(self, hub: &Hub) -> Running {
        let Self { config, folder, boot, delivery, evidence, record, reporter, alarms } = self;
        let room = Room { keep: config.clips.keep(), disk_share: 0.1, reserve_bytes: 0 };
        let archive = Arc::new(Mutex::new(Archive::open(&folder.join("clips"), room).unwrap()));
        let identity = IdentityFile::of(&config.edge, &folder, &config.uplink);
        let means = Means {
            edge: config.edge.clone(),
            hub_key: HubKey::of(identity.clone(), &config.uplink),
            clock: Arc::default(),
            originals_allowed: false,
            archive,
            evidence: evidence.clone(),
            reporter: reporter.clone(),
        };
        let (commands, orders, replies) = CommandThread::start(&folder.join("commands"), means).unwrap();
        let (report, health) = watch::channel(b"{}".to_vec());
        let (stop, stopped) = watch::channel(false);
        let mut config = config;
        config.uplink.broker = hub.broker().to_owned().try_into().unwrap();
        config.uplink.password_file = Some(hub.token_file(config.edge.as_str()));
        let uplink = Uplink {
            link: std::sync::Arc::default(),
            config: config.uplink,
            identity,
            edge: config.edge,
            boot,
            delivery: delivery.clone(),
            evidence,
            health,
            orders,
            replies: tokio::sync::Mutex::new(replies),
        };
        let uplink = tokio::spawn(uplink.run(stopped));
        Running { delivery, reporter, record, commands, stop, uplink, alarms, _report: report }
    }
}

impl Running {
    /// Returns once nothing waits any more.
    pub async fn drained(&self) {
        while self.delivery.health().queued > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Something happens here, and is over at once.
    pub fn alarm(&mut self) {
        self.alarms += 1;
        alarm(&self.reporter, self.alarms);
    }

    /// Delivers what is left and ends; gives the number of events there ever were.
    pub async fn stop(self) -> usize {
        let Self { delivery, reporter, record, commands, stop, uplink, .. } = self;
        tokio::task::spawn_blocking(move || {
            commands.close();
            drop(reporter);
            record.join();
        })
        .await
        .unwrap();
        while delivery.health().queued > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.send_replace(true);
        uplink.await.unwrap();
        let recorded = delivery.recorded().borrow().0;
        recorded as usize
    }
}

fn alarm(reporter: &Reporter, number: u64) {
    let severity = Severity::try_from(2 + (number % 3) as u8).unwrap();
    for phase in [Phase::Began, Phase::Ended] {
        let finding = Finding::Overcrowding { zone: "yard".parse().unwrap(), count: 9, limit: 8 };
        let rule = "crowd".parse().unwrap();
        let decision = Decision { rule, severity, alarm: AlarmNumber(number), phase, finding };
        reporter.report(Observation::Decision {
            camera: "gate".parse().unwrap(),
            time: Timestamp::now(),
            at: Duration::from_millis(number),
            decision,
            picture: None,
        });
    }
}

fn configuration(name: &str) -> String {
    format!(
        r#"
edge = "{name}"
data_dir = "."
[uplink]
broker = "mqtt://127.0.0.1:1"
[model]
manifest = "unused.toml"
runtime = "unused.so"
[[camera]]
id = "gate"
url = "rtsp://127.0.0.1:1/none"
[[camera.zone]]
id = "yard"
polygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
[[camera.rule]]
id = "crowd"
kind = "overcrowding"
zone = "yard"
limit = 8
"#
    )
}
