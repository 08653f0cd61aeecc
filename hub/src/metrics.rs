//! How the hub fares, as figures for Prometheus. Each is listed in docs/METRICS.md.
//!
//! What happens is counted where it happens; how much there is of everything is looked up when somebody asks. There is no figure of
//! a person, and none holds a name or a picture.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_wire::Timestamp;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::config::Config;
use crate::intake::{Counters, Intake, Storage};
use crate::live::Feed;
use crate::store::{Census, Store, StoreError, WebhookBacklog};
use crate::traces::Traces;

/// What every name begins with.
const PREFIX: &str = "gatepost_hub";

/// One label and its value.
type Label = [(&'static str, String); 1];

/// What counts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    counted: Arc<Registry>,
    data_dir: PathBuf,
    webhooks: Vec<String>,
}

/// What is looked at when somebody asks.
#[derive(Debug)]
pub struct Subjects<'a> {
    /// How much there is of everything.
    pub store: &'a Store,
    /// What waits for the writing task.
    pub intake: &'a Intake,
    /// Open pages.
    pub feed: &'a Feed,
    /// Does the disk take what comes?
    pub storage: Storage,
}

impl Metrics {
    /// With what the writing task and the sending of traces count.
    pub fn new(intake: &Counters, traces: &Traces, config: &Config) -> Self {
        let mut counted = Registry::with_prefix(PREFIX);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        counted.register("build", "The program", Info::new(version));
        intake.register(&mut counted);
        traces.register(&mut counted);
        Self {
            counted: Arc::new(counted),
            data_dir: config.data_dir.clone(),
            webhooks: config.webhooks.iter().map(|webhook| webhook.name.as_str().to_owned()).collect(),
        }
    }

    /// All figures in the text format of OpenMetrics 1.0. Without the database those that stand in it are left out.
    ///
    /// # Errors
    /// When it cannot be written as text, which no figure is known to do.
    pub async fn text(&self, of: Subjects<'_>) -> Result<String, std::fmt::Error> {
        let mut now = Registry::with_prefix(PREFIX);
        let census = of.store.census(Timestamp::now()).await;
        show_running(&mut now, &of, &census);
        if let Ok(census) = &census {
            show_census(&mut now, census);
        }
        if let Ok(backlogs) = of.store.webhook_backlogs().await {
            self.show_webhooks(&mut now, &backlogs);
        }
        self.show_disk(&mut now);
        let mut text = String::new();
        encode_registry(&mut text, &self.counted)?;
        encode_registry(&mut text, &now)?;
        encode_eof(&mut text)?;
        Ok(text)
    }

    fn show_webhooks(&self, registry: &mut Registry, backlogs: &[WebhookBacklog]) {
        // One that was removed from the configuration keeps its place in the database.
        let known = backlogs.iter().filter(|backlog| self.webhooks.contains(&backlog.name));
        let waiting = known.clone().map(|backlog| (backlog.name.clone(), backlog.waiting));
        let dead = known.map(|backlog| (backlog.name.clone(), backlog.dead));
        registry.register("webhook_waiting", "Steps it has not got to", family("webhook", waiting));
        registry.register("webhook_dead", "What it did not take", family("webhook", dead));
    }

    fn show_disk(&self, registry: &mut Registry) {
        if let Ok(disk) = rustix::fs::statvfs(&self.data_dir) {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            registry.register_with_unit(
                "disk_free",
                "Free space where data_dir is",
                Unit::Bytes,
                gauge(free),
            );
        }
    }
}

fn show_running(registry: &mut Registry, of: &Subjects<'_>, census: &Result<Census, StoreError>) {
    let (news, backlog) = of.intake.waiting();
    let waiting = [("news", news), ("backlog", backlog)];
    let waiting = waiting.map(|(queue, count)| (queue.to_owned(), count as i64));
    registry.register("queue_messages", "Messages that wait for the writing task", family("queue", waiting));
    registry.register(
        "live_pages",
        "Open pages and programs that follow changes",
        gauge(of.feed.listeners() as u64),
    );
    let works = u64::from(of.storage == Storage::Works);
    registry.register(
        "storage_up",
        "1: what comes is stored. 0: nothing is acknowledged to boxes",
        gauge(works),
    );
    registry.register("database_up", "1: the database can be read", gauge(census.is_ok().into()));
}

fn show_census(registry: &mut Registry, census: &Census) {
    let bytes = u64::try_from(census.bytes).unwrap_or(0);
    registry.register_with_unit("database_size", "Size of the database", Unit::Bytes, gauge(bytes));
    registry.register(
        "devices",
        "Boxes, by whether they are connected to the broker",
        family("presence", census.devices.clone()),
    );
    registry.register("incidents_open", "Open incidents, by stage", family("stage", census.open.clone()));
    registry.register(
        "incidents_overdue",
        "Open incidents whose stage takes too long",
        signed(census.overdue),
    );
    registry.register(
        "incidents_escalated",
        "Open incidents whose stage still takes too long some time after the reminder",
        signed(census.escalated),
    );
    let help = "Alarms that changed and wait for their incident; more than 10,000 are not counted";
    registry.register("alarms_ungrouped", help, signed(census.ungrouped));
    registry.register("last_change", "The number of the last change", signed(census.last_change));
}

fn gauge(value: u64) -> Gauge {
    signed(i64::try_from(value).unwrap_or(i64::MAX))
}

fn signed(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

/// One figure for each value of a label.
fn family(label: &'static str, figures: impl IntoIterator<Item = (String, i64)>) -> Family<Label, Gauge> {
    let family = Family::<Label, Gauge>::default();
    for (value, figure) in figures {
        family.get_or_create(&[(label, value)]).set(figure);
    }
    family
}
