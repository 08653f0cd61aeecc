//! The hub as a process, its broker, and what it has stored in the end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::Daemon;
use gatepost_testbed::mosquitto::{Mosquitto, Options, Persistence};
use gatepost_testbed::postgres::Postgres;
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// What an external broker has acknowledged may be stored so much later.
const LATER: Duration = Duration::from_secs(300);
/// One token for all: who may log in is not what is measured.
pub const TOKEN: &str = "load";

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerKind {
    /// The hub's own.
    Embedded,
    /// Debian's mosquitto beside it.
    Mosquitto,
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// The hub's own file.
    Sqlite,
    /// Debian's PostgreSQL beside it, which waits for the disk as it does by default.
    Postgres,
}

/// A running hub; dropping kills it.
pub struct Hub {
    daemon: Daemon,
    web: String,
    broker: SocketAddr,
    dir: TempDir,
    server: Option<Postgres>,
    _mosquitto: Option<Mosquitto>,
}

/// The name of an edge.
pub fn name(number: u32) -> String {
    format!("load-{number}")
}

impl Hub {
    /// Starts one that knows so many edges.
    pub fn start(kind: BrokerKind, database: DatabaseKind, edges: u32) -> Self {
        let dir = tempfile::Builder::new().prefix("gatepost-load-").tempdir().unwrap();
        let mosquitto = (kind == BrokerKind::Mosquitto).then(mosquitto);
        let broker = match &mosquitto {
            None => "listen = \"127.0.0.1:0\"".to_owned(),
            Some(mosquitto) => format!("mode = \"external\"\nurl = \"mqtt://{}\"", mosquitto.addr()),
        };
        let server = (database == DatabaseKind::Postgres).then(|| Postgres::start().unwrap());
        let store = server.as_ref().map_or_else(String::new, |server| {
            format!("[store]\nurl = {:?}\n", server.new_database().unwrap())
        });
        let config = dir.path().join("hub.toml");
        let text =
            format!("data_dir = \"data\"\n[web]\nlisten = \"127.0.0.1:0\"\n{store}[broker]\n{broker}\n");
        std::fs::write(&config, text).unwrap();
        write_devices(dir.path(), edges);
        let program = env!("CARGO_BIN_EXE_gatepost-hub");
        let daemon =
            Daemon::spawn(program, ["run".into(), "--config".into(), config.clone().into_os_string()])
                .unwrap();
        let line = |what: &str| daemon.wait_for_line(PATIENCE, |line| line.contains(what)).unwrap();
        let address = |what: &str| line(what).split("address=").nth(1).unwrap().trim().to_owned();
        let web = address("web listening");
        let broker = match &mosquitto {
            None => address("broker listening").trim_start_matches("mqtt://").parse().unwrap(),
            Some(mosquitto) => {
                line("broker connected and subscribed to");
                mosquitto.addr()
            }
        };
        Account::everything(program, &config, &web).unwrap();
        Self { daemon, web, broker, dir, server, _mosquitto: mosquitto }
    }

    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    pub fn broker(&self) -> SocketAddr {
        self.broker
    }

    pub fn live_url(&self) -> String {
        format!("{}/api/v1/live", self.web)
    }

    /// Every event that was sent is stored, once, with its own number, and no other is. `sent`: how many of each edge.
    pub async fn assert_stored_once(&self, sent: &HashMap<String, u64>) {
        sqlx::any::install_default_drivers();
        let data = self.dir.path().join("data");
        let url = match &self.server {
            // The only one in it.
            Some(server) => server.url("hub_1"),
            None => format!("sqlite://{}?mode=ro", data.join("hub.sqlite").display()),
        };
        let mut database = AnyConnection::connect(&url).await.unwrap();
        let expected: u64 = sent.values().sum();
        let patient_until = Instant::now() + LATER;
        while count(&mut database).await < expected && Instant::now() < patient_until {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT edge, count(*), count(DISTINCT seq), min(seq), max(seq) FROM event GROUP BY edge",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let (mut lost, mut doubled) = (expected, 0);
        for (edge, rows, different, first, last) in rows {
            let [rows, different, first, last] =
                [rows, different, first, last].map(|n| u64::try_from(n).unwrap());
            let sent = sent.get(&edge).copied().unwrap_or(0);
            assert!(first >= 1 && last <= sent, "{edge}: numbers {first} to {last}, and {sent} were sent");
            lost -= different;
            doubled += rows - different;
        }
        let bytes = match &self.server {
            Some(_) => {
                let size = sqlx::query_scalar("SELECT pg_database_size(current_database())");
                size.fetch_one(&mut database).await.map(|size: i64| u64::try_from(size).unwrap()).unwrap()
            }
            None => file_bytes(&data),
        };
        println!(
            "stored {expected}: lost {lost}, doubled {doubled}; {:.0} bytes of database for each",
            bytes as f64 / expected as f64
        );
        assert_eq!((lost, doubled), (0, 0));
    }
}

fn file_bytes(data: &std::path::Path) -> u64 {
    ["hub.sqlite", "hub.sqlite-wal"]
        .iter()
        .filter_map(|name| std::fs::metadata(data.join(name)).ok())
        .map(|meta| meta.len())
        .sum()
}

async fn count(database: &mut AnyConnection) -> u64 {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(database).await.unwrap();
    u64::try_from(count).unwrap()
}

/// What `gatepost-hub device add` writes, for thousands at once.
fn write_devices(dir: &std::path::Path, edges: u32) {
    let hash: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut text = "[devices]\n".to_owned();
    for number in 0..edges {
        text.push_str(&format!("{} = \"sha256:{hash}\"\n", name(number)));
    }
    std::fs::create_dir_all(dir.join("data")).unwrap();
    std::fs::write(dir.join("data/devices.toml"), text).unwrap();
}

fn mosquitto() -> Mosquitto {
    // What it logs would be kept in this process.
    let extra = vec!["log_type none".into(), "max_inflight_messages 0".into()];
    Mosquitto::start(&Options { extra, persistence: Persistence::EverySecond, ..Options::default() }).unwrap()
}
