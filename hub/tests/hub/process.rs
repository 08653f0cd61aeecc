//! A hub as a process, with its own directory.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::Daemon;
use gatepost_testbed::http;
use gatepost_testbed::postgres::Postgres;
use gatepost_wire::command::VerifyingKey;
use gatepost_wire::{Event, EventId};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gatepost-hub");

/// Runs a command of the hub to its end.
pub fn command(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

/// Where a hub keeps things; it outlives the process.
pub struct Home {
    dir: TempDir,
    data: PathBuf,
    broker: String,
    store: String,
    /// Of the page; 0: a free one.
    port: u16,
    /// Who asks in tests.
    account: OnceLock<Account>,
}

impl Home {
    /// With the embedded broker.
    pub fn embedded() -> Self {
        Self::with_broker("[broker]\nlisten = \"127.0.0.1:0\"\n")
    }

    /// With the embedded broker and enrolment, for boxes elsewhere.
    pub fn for_boxes(tls: &str) -> Self {
        Self::with_broker(&format!(
            "[broker]\nlisten = \"127.0.0.1:0\"\ntls_listen = \"127.0.0.1:0\"\n\
             [enrolment]\nlisten = \"127.0.0.1:0\"\n[tls]\nnames = [\"127.0.0.1\"]\n{tls}\n"
        ))
    }

    /// With this `[broker]` table.
    pub fn with_broker(broker: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("gatepost-hub-").tempdir().unwrap();
        let data = dir.path().join("data");
        Self { dir, data, broker: broker.to_owned(), store: store(), port: 0, account: OnceLock::new() }
            .configured()
    }

    /// With its data elsewhere.
    pub fn with_data(self, data: PathBuf) -> Self {
        Self { data, ..self }.configured()
    }

    /// With this `[store]` table; none is a SQLite file, whatever other tests use.
    pub fn with_store(self, store: &str) -> Self {
        Self { store: store.to_owned(), ..self }.configured()
    }

    /// With its page at this port.
    pub fn at_port(self, port: u16) -> Self {
        Self { port, ..self }.configured()
    }

    fn configured(self) -> Self {
        let data = self.data.display();
        let text = format!(
            "data_dir = {:?}\n[log]\nlevel = \"debug\"\n[web]\nlisten = \"127.0.0.1:{}\"\n{}{}",
            data.to_string(),
            self.port,
            self.broker,
            self.store
        );
        std::fs::write(self.dir.path().join("hub.toml"), text).unwrap();
        self
    }

    pub fn config(&self) -> String {
        self.dir.path().join("hub.toml").display().to_string()
    }

    pub fn data(&self) -> &std::path::Path {
        &self.data
    }

    /// Adds a device and gives its token.
    pub fn add(&self, edge: &str) -> String {
        self.call(&["device", "add", edge])
    }

    /// Calls a command of the hub on this configuration, and gives what it prints.
    pub fn call(&self, args: &[&str]) -> String {
        let done = command(&[args, &["--config", &self.config()]].concat());
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// What the hub signs commands with.
    pub fn hub_key(&self) -> VerifyingKey {
        self.call(&["signing-key"]).parse().unwrap()
    }

    /// Starts the hub and waits until it listens. Requests are those of somebody who may do everything.
    pub fn start(&self) -> Hub {
        let hub = self.start_unknown();
        let new = || Account::everything(PROGRAM, self.config().as_ref(), &hub.web).unwrap();
        let account = self.account.get_or_init(new);
        account.use_at(&hub.web);
        Hub { cookie: account.cookie().to_owned(), ..hub }
    }

    /// Starts the hub and waits until it listens. It has the same database as another; requests are those of its account.
    pub fn start_beside(&self, other: &Self) -> Hub {
        let hub = self.start_unknown();
        let account = other.account.get().unwrap();
        account.use_at(&hub.web);
        Hub { cookie: account.cookie().to_owned(), ..hub }
    }

    /// Starts the hub and waits until it listens. Nobody is signed in.
    pub fn start_unknown(&self) -> Hub {
        let daemon = Daemon::spawn(PROGRAM, ["run", "--config", &self.config()]).unwrap();
        let web = address(&daemon, "web listening");
        Hub { web, daemon, cookie: String::new() }
    }

    /// Makes an account and signs in; gives the session's cookie.
    pub fn account(&self, hub: &Hub, name: &str, arguments: &[&str]) -> String {
        let account = Account::new(PROGRAM, self.config().as_ref(), &hub.web, name, arguments).unwrap();
        account.cookie().to_owned()
    }
}

/// Nothing, which is a SQLite file; or with `GATEPOST_TEST_DATABASE=postgres` a database of a real server that nobody has used.
fn store() -> String {
    let url = Postgres::wanted().unwrap();
    url.map_or_else(String::new, |url| format!("[store]\nurl = {url:?}\n"))
}

fn address(daemon: &Daemon, what: &str) -> String {
    let line = daemon.wait_for_line(PATIENCE, |line| line.contains(what)).unwrap();
    line.split("address=").nth(1).unwrap().trim().to_owned()
}

fn port(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// A running hub; dropping kills it.
pub struct Hub {
    pub web: String,
    pub daemon: Daemon,
    /// Of who may do everything.
    pub cookie: String,
}

impl Hub {
    /// Where it tells programs how it fares.
    pub fn metrics(&self) -> String {
        address(&self.daemon, "metrics listening")
    }

    /// Port of the embedded broker.
    pub fn broker_port(&self) -> u16 {
        port(&address(&self.daemon, "broker listening"))
    }

    /// Port of the broker for boxes.
    pub fn tls_port(&self) -> u16 {
        port(&address(&self.daemon, "broker listening for boxes"))
    }

    /// Port of enrolment.
    pub fn enrolment_port(&self) -> u16 {
        port(&address(&self.daemon, "enrolment listening"))
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.web)
    }

    pub fn get(&self, path: &str) -> Value {
        http::get_json(&self.url(path)).unwrap()
    }

    /// Opens what the alarm of an event shows, for a reason.
    pub fn look_at(&self, event: &Event) {
        let alarm = event.data.happening.alarm().unwrap().id;
        let wanted = json!({ "alarm": alarm, "reason": "check_alarm", "text": "a test" });
        let answer = http::post_json(&self.url("/api/v1/viewings"), &wanted).unwrap();
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }

    /// Ids of all stored events, in order of storing, over all pages.
    pub fn event_ids(&self) -> Vec<EventId> {
        let mut ids = Vec::new();
        let mut path = "/api/v1/events?limit=1000".to_owned();
        loop {
            let page = self.get(&path);
            let events = page["events"].as_array().unwrap();
            ids.extend(events.iter().map(|event| event["id"].as_str().unwrap().parse::<EventId>().unwrap()));
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/events?limit=1000&after={next}"),
                None => return ids,
            }
        }
    }

    /// The device of this name.
    pub fn device(&self, edge: &str) -> Option<Value> {
        let devices = self.get("/api/v1/devices");
        devices["devices"].as_array().unwrap().iter().find(|device| device["edge"] == edge).cloned()
    }

    /// Waits for a log line that holds all these texts.
    pub fn wait_for_log(&self, texts: &[&str]) -> String {
        self.daemon.wait_for_line(PATIENCE, |line| texts.iter().all(|text| line.contains(text))).unwrap()
    }
}
