//! A hub as a process, with its own broker and SQLite on this machine's disk; or, with `GATEPOST_DRAIN_DATABASE=postgres`, PostgreSQL.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::{Daemon, binary};
use gatepost_testbed::http;
use gatepost_testbed::postgres::Postgres;
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running hub; dropping kills it.
pub struct Hub {
    daemon: Daemon,
    web: String,
    broker: String,
    server: Option<Postgres>,
    dir: TempDir,
}

impl Hub {
    /// Starts one that knows these devices.
    pub fn start(devices: &[String]) -> Self {
        let dir = tempfile::Builder::new().prefix("gatepost-hub-").tempdir().unwrap();
        let config = dir.path().join("hub.toml");
        let server = match std::env::var("GATEPOST_DRAIN_DATABASE").as_deref() {
            Ok("postgres") => Some(Postgres::start().unwrap()),
            Ok("sqlite") | Err(_) => None,
            Ok(other) => panic!("GATEPOST_DRAIN_DATABASE={other}: sqlite or postgres is needed"),
        };
        let store = server.as_ref().map_or_else(String::new, |server| {
            format!("[store]\nurl = {:?}\n", server.new_database().unwrap())
        });
        std::fs::write(
            &config,
            format!(
                "data_dir = \"data\"\n{store}[web]\nlisten = \"127.0.0.1:0\"\n[broker]\nlisten = \"127.0.0.1:0\"\n"
            ),
        )
        .unwrap();
        let program = binary("gatepost-hub").unwrap();
        for device in devices {
            let done = Command::new(&program)
                .args(["device", "add", device, "--config"])
                .arg(&config)
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
            std::fs::write(dir.path().join(device), done.stdout).unwrap();
        }
        let daemon =
            Daemon::spawn(&program, ["run".into(), "--config".into(), config.clone().into_os_string()])
                .unwrap();
        let address = |what: &str| {
            let line = daemon.wait_for_line(PATIENCE, |line| line.contains(what)).unwrap();
            line.split("address=").nth(1).unwrap().trim().to_owned()
        };
        let (web, broker) = (address("web listening"), address("broker listening"));
        Account::everything(&program, &config, &web).unwrap();
        Self { daemon, web, broker, server, dir }
    }

    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// `mqtt://…`.
    pub fn broker(&self) -> &str {
        &self.broker
    }

    /// Where a device's token is.
    pub fn token_file(&self, device: &str) -> PathBuf {
        self.dir.path().join(device)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.web)
    }

    /// The database with what is still in its log.
    pub fn database_bytes(&self) -> u64 {
        if let Some(server) = &self.server {
            // The only one in it.
            let size = server.execute("hub_1", "SELECT pg_database_size(current_database())").unwrap();
            return size.trim().parse().unwrap();
        }
        ["hub.sqlite", "hub.sqlite-wal"]
            .iter()
            .filter_map(|name| std::fs::metadata(self.dir.path().join("data").join(name)).ok())
            .map(|meta| meta.len())
            .sum()
    }

    /// Every event of these boxes is stored, once, with its own number, and no other is.
    pub fn assert_stored_once(&self, expected: &[(&str, usize)]) {
        let mut ids = HashSet::new();
        let mut seqs: HashMap<String, HashSet<u64>> = HashMap::new();
        let mut path = "/api/v1/events?limit=1000".to_owned();
        loop {
            let page: Value = http::get_json(&self.url(&path)).unwrap();
            for event in page["events"].as_array().unwrap() {
                let id = event["id"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "event {id} is stored twice");
                let seqs = seqs.entry(event["edge"].as_str().unwrap().to_owned()).or_default();
                assert!(seqs.insert(event["seq"].as_u64().unwrap()), "a number is taken twice");
            }
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/events?limit=1000&after={next}"),
                None => break,
            }
        }
        for (name, count) in expected {
            let stored = seqs.remove(*name).unwrap_or_default();
            let lost = (1..=*count as u64).filter(|seq| !stored.contains(seq)).count();
            assert_eq!((lost, stored.len()), (0, *count), "{name}: lost, stored");
        }
        assert!(seqs.is_empty(), "events nobody sent: {:?}", seqs.keys());
        println!("  lost 0, doubled 0 of {}", ids.len());
    }
}
