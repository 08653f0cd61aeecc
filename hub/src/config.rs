//! What the hub is told: one TOML file, checked whole before anything starts.
//!
//! Every value has a default, so an empty file is a complete configuration. A type that exists holds a
//! permitted value: nothing later has to check again.

mod address;
mod read;

use std::num::NonZeroU32;
use std::path::PathBuf;

use gatepost_wire::{BrokerUrl, EdgeId};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use address::{HostName, LoopbackAddr, ShareGroup};
pub use read::{ConfigError, load, read_toml};

/// A configuration that may be started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything the hub keeps lives below it.
    pub data_dir: PathBuf,
    /// How it logs.
    pub log: Log,
    /// Where people and programs reach it.
    pub web: Web,
    /// Where edges reach it.
    pub broker: Broker,
    /// The database file.
    pub database: PathBuf,
    /// Pictures and clips are kept so long, days.
    pub evidence_days: EvidenceDays,
}

/// Which broker the hub listens to.
#[derive(Debug, Clone)]
pub enum Broker {
    /// Its own, inside the process.
    Embedded(EmbeddedBroker),
    /// Any other MQTT 5 broker.
    External(ExternalBroker),
}

/// The broker inside the process.
#[derive(Debug, Clone)]
pub struct EmbeddedBroker {
    /// Where it listens.
    pub listen: LoopbackAddr,
    /// A longer MQTT packet ends its connection.
    pub max_packet_bytes: u32,
    /// Which devices may log in.
    pub devices_file: PathBuf,
}

/// A broker run by someone else.
#[derive(Debug, Clone)]
pub struct ExternalBroker {
    /// Where it is.
    pub url: BrokerUrl,
    /// Name and password, where it asks for them.
    pub login: Option<Login>,
    /// The name of the hub's session there; it must stay the same over restarts.
    pub client_id: String,
    /// Replicas of the hub with the same group share the messages.
    pub share_group: Option<ShareGroup>,
    /// The broker is told not to deliver a longer packet.
    pub max_packet_bytes: u32,
}

/// Name and password at an external broker.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password; it is never printed.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The file as it is written; [`load`] makes a [`Config`] of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "GatepostHubConfig")]
pub struct File {
    /// Everything the hub keeps lives below it. A relative path is taken from this file's directory.
    pub data_dir: PathBuf,
    /// How the hub logs.
    pub log: Log,
    /// The page and the API.
    pub web: Web,
    /// Where edges reach the hub.
    pub broker: BrokerTable,
    /// The database.
    pub store: StoreTable,
    /// How long evidence is kept.
    pub retention: RetentionTable,
}

impl Default for File {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/gatepost-hub".into(),
            log: Log::default(),
            web: Web::default(),
            broker: BrokerTable::default(),
            store: StoreTable::default(),
            retention: RetentionTable::default(),
        }
    }
}

/// How the hub logs, to standard error.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// For eyes or for machines.
    pub format: LogFormat,
    /// The least grave line that is written.
    pub level: LogLevel,
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// The least grave line that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Only what needs a person.
    Error,
    /// And what may soon.
    Warn,
    /// And what the hub does.
    #[default]
    Info,
    /// And every message.
    Debug,
    /// And everything else.
    Trace,
}

/// The page and the API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Loopback address and port; port 0 takes a free one.
    #[schemars(with = "String")]
    pub listen: LoopbackAddr,
    /// Further names under which a reverse proxy passes requests on, e.g. `gatepost.school.example`.
    #[schemars(with = "Vec<String>")]
    pub host_names: Vec<HostName>,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: LoopbackAddr::on_port(8080), host_names: Vec::new() }
    }
}

/// Where edges reach the hub.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerTable {
    /// The hub's own broker, or one run by someone else.
    pub mode: BrokerMode,
    /// A longer MQTT packet is not taken. Default: 9 MiB, room for one clip.
    pub max_packet_bytes: Option<NonZeroU32>,
    /// Embedded: loopback address and port (default `127.0.0.1:1883`); port 0 takes a free one.
    #[schemars(with = "Option<String>")]
    pub listen: Option<Spanned<LoopbackAddr>>,
    /// Embedded: which devices may log in (default `devices.toml` below `data_dir`); written by
    /// `gatepost-hub device add`.
    #[schemars(with = "Option<PathBuf>")]
    pub devices_file: Option<Spanned<PathBuf>>,
    /// External: `mqtt://host:port`, on loopback: there is no TLS yet.
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<BrokerUrl>>,
    /// External: name to log in with.
    #[schemars(with = "Option<String>")]
    pub username: Option<Spanned<String>>,
    /// External: file that holds the password and nothing else.
    #[schemars(with = "Option<PathBuf>")]
    pub password_file: Option<Spanned<PathBuf>>,
    /// External: name of the hub's session at the broker (default `gatepost-hub`), different for each replica.
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// External: replicas of the hub with the same group share the messages.
    #[schemars(with = "Option<String>")]
    pub share_group: Option<Spanned<ShareGroup>>,
}

/// The hub's own broker, or one run by someone else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrokerMode {
    /// Inside the hub.
    #[default]
    Embedded,
    /// Any MQTT 5 broker.
    External,
}

/// The database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreTable {
    /// The SQLite file (default `hub.sqlite` below `data_dir`).
    pub path: Option<PathBuf>,
}

/// How long evidence is kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionTable {
    /// Pictures and clips are deleted so many days after they came, 1 to 3650. Released originals end when their command
    /// says.
    #[schemars(with = "u16", range(min = 1, max = 3650))]
    pub evidence_days: EvidenceDays,
}

/// Days: 1 to 3650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct EvidenceDays(u16);

impl EvidenceDays {
    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for EvidenceDays {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u16> for EvidenceDays {
    type Error = &'static str;

    fn try_from(days: u16) -> Result<Self, &'static str> {
        if (1..=3650).contains(&days) {
            Ok(Self(days))
        } else {
            Err("a number of days from 1 to 3650 is needed")
        }
    }
}

/// The devices file: who may log in at the embedded broker.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DevicesFile {
    /// Name of the edge and the hash of its token.
    pub devices: std::collections::BTreeMap<EdgeId, String>,
}

/// JSON Schema of the file.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(File)
}
