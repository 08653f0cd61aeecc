//! A district: several hubs at one PostgreSQL database and one broker, and what boxes send them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatepost_testbed::http::wait_until;
use gatepost_testbed::mosquitto::{Mosquitto, Options, Persistence};
use gatepost_testbed::postgres::{PASSWORD, Postgres};
use gatepost_wire::event::Phase;
use gatepost_wire::{BootId, EventId};
use tokio::task::JoinHandle;

use crate::edge::Edge;
use crate::external::{connected, edge, edge_at};
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE, command};

const DATABASE: &str = "district";

/// A server, a broker, and hubs that share both and a folder.
pub struct District {
    pub server: Postgres,
    pub broker: Mosquitto,
    pub homes: [Home; 2],
}

impl District {
    pub fn new() -> Self {
        Self::with("", &[])
    }

    /// With this in the configuration of both, and these files beside it.
    pub fn with(more: &str, files: &[(&str, &str)]) -> Self {
        let server = Postgres::start().unwrap();
        server.execute("postgres", &format!("CREATE DATABASE {DATABASE}")).unwrap();
        let persistence = Persistence::EverySecond;
        let broker = Mosquitto::start(&Options { persistence, ..Options::default() }).unwrap();
        let first = Self::home(&server, &broker, "hub-1", more);
        let second = Self::home(&server, &broker, "hub-2", more).with_data(first.data().to_owned());
        for home in [&first, &second] {
            for (name, text) in files {
                std::fs::write(Path::new(&home.config()).with_file_name(name), text).unwrap();
            }
        }
        Self { server, broker, homes: [first, second] }
    }

    /// Over the port, with a password out of a file, as in a district.
    fn home(server: &Postgres, broker: &Mosquitto, name: &str, more: &str) -> Home {
        let url = server.url_by_port(DATABASE);
        let home = Home::with_broker(&format!(
            "[broker]\nmode = \"external\"\nurl = \"mqtt://127.0.0.1:{}\"\nclient_id = \"{name}\"\nshare_group = \"hub\"\n{more}",
            broker.port()
        ))
        .with_store(&format!("[store]\nurl = {url:?}\npassword_file = \"password\"\n"));
        std::fs::write(Path::new(&home.config()).with_file_name("password"), PASSWORD).unwrap();
        home
    }

    pub fn start(&self) -> [Hub; 2] {
        let first = self.homes[0].start();
        let second = self.homes[1].start_beside(&self.homes[0]);
        for hub in [&first, &second] {
            connected(hub);
        }
        [first, second]
    }

    pub fn query(&self, sql: &str) -> String {
        self.server.execute(DATABASE, sql).unwrap().trim().to_owned()
    }

    /// The chain of steps has no fork, whichever of the two was at it.
    pub fn verify_timeline(&self) {
        let lines = self.homes[1].call(&["timeline", "export"]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines).unwrap();
        let verified = command(&["timeline", "verify", file.path().to_str().unwrap()]);
        assert!(verified.status.success(), "{verified:?}");
    }
}

/// So many alarms of one box, one after the other; what the broker took.
pub async fn storm(broker: &Mosquitto, boot: BootId, from: u64, count: u64) -> Vec<EventId> {
    alarms_of("gate-1", edge(broker).await, boot, from, Duration::from_millis(5), |seq| seq < from + count)
        .await
}

/// Alarms of a box from this number on, one after the other with a rest between, while there are to be more; what the broker took.
async fn alarms_of(
    name: &str,
    mut edge: Edge,
    boot: BootId,
    from: u64,
    rest: Duration,
    more: impl Fn(u64) -> bool,
) -> Vec<EventId> {
    let mut sent = Vec::new();
    for seq in (from..).take_while(|seq| more(*seq)) {
        let event = intrusion_of(name, boot, seq, alarm(), Phase::Began);
        assert!(edge.send(&event).await.unwrap());
        sent.push(event.id);
        tokio::time::sleep(rest).await;
    }
    sent
}

pub fn wait_for_events(hub: &Hub, sent: &[EventId]) {
    let wanted: BTreeSet<EventId> = sent.iter().copied().collect();
    let what = format!("{} events", wanted.len());
    wait_until(&what, PATIENCE, || {
        let stored = hub.event_ids();
        let distinct: BTreeSet<EventId> = stored.iter().copied().collect();
        assert_eq!(stored.len(), distinct.len(), "an event is stored twice");
        (distinct == wanted).then_some(())
    })
    .unwrap();
}

/// Alarms of several boxes, one after the other each, until it is enough.
pub struct Storm {
    enough: Arc<AtomicBool>,
    boxes: Vec<JoinHandle<Vec<EventId>>>,
}

impl Storm {
    pub fn of(broker: &Mosquitto, boxes: &[&'static str]) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let boxes =
            boxes.iter().map(|name| tokio::spawn(sent(broker.port(), name, Arc::clone(&enough)))).collect();
        Self { enough, boxes }
    }

    /// What the broker took of it.
    pub async fn end(self) -> Vec<EventId> {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for sent in self.boxes {
            all.extend(sent.await.unwrap());
        }
        all
    }
}

async fn sent(port: u16, name: &'static str, enough: Arc<AtomicBool>) -> Vec<EventId> {
    let edge = edge_at(port, name).await;
    alarms_of(name, edge, boot(), 1, Duration::from_millis(10), move |_| !enough.load(Ordering::Relaxed))
        .await
}
