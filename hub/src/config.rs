//! What the hub is told: one TOML file, checked whole before anything starts.
//!
//! Every value has a default, so an empty file is a complete configuration. A type that exists holds a
//! permitted value: nothing later has to check again.

mod address;
mod oidc;
mod read;
mod retention;
mod traces;
mod webhook;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use gatepost_wire::{BrokerUrl, EdgeId};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::authority::AuthorityFiles;
use crate::incident::Deadlines;
use crate::store::{Database, Server};

pub use address::{HostName, LoopbackAddr, SecureUrl, ServerName, ShareGroup};
pub use oidc::{Claim, ClientId, ClientSecret, Issuer, Label, LabelText, Oidc, OidcTable, Prompt};
#[cfg(any(test, fuzzing))]
pub(crate) use read::fuzzing;
pub use read::{ConfigError, load, read_toml};
pub use retention::{AttachmentDays, Days, EvidenceDays, HealthDays, Kept, RecordDays};
pub use traces::{BearerToken, TraceShare, Traces, TracesTable};
pub use webhook::{Secret, Tells, Webhook, WebhookName, WebhookTable};

/// A configuration that may be started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything the hub keeps lives below it.
    pub data_dir: PathBuf,
    /// How it logs.
    pub log: Log,
    /// Where people and programs reach it.
    pub web: Web,
    /// Where programs of this machine ask how it fares; nowhere unless given.
    pub metrics: Option<LoopbackAddr>,
    /// By what boxes know it, and it knows boxes.
    pub tls: Tls,
    /// By whom people may sign in besides by password.
    pub oidc: Option<Oidc>,
    /// Where boxes enrol and renew their certificates; nowhere unless given.
    pub enrolment: Option<SocketAddr>,
    /// Where edges reach it.
    pub broker: Broker,
    /// The database.
    pub database: Database,
    /// How long incidents may stay in a stage.
    pub incident_deadlines: Deadlines,
    /// How long what is kept.
    pub kept: Kept,
    /// Programs that are told of incidents.
    pub webhooks: Vec<Webhook>,
    /// A collector of traces, if there is one.
    pub traces: Option<Traces>,
}

/// By what boxes know the hub, and the hub knows boxes.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Names and addresses boxes and people reach it under.
    pub names: Vec<ServerName>,
    /// Keys and certificates.
    pub authority: AuthorityFiles,
    /// A certificate of a box counts so long.
    pub certificate_valid: SignedDuration,
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
    /// Where it listens without TLS.
    pub listen: LoopbackAddr,
    /// Where it listens with TLS, for boxes with a certificate.
    pub tls_listen: Option<SocketAddr>,
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
    /// The authority its certificate comes from, if not the hub's own.
    pub ca_file: Option<PathBuf>,
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
    /// Figures for Prometheus.
    pub metrics: MetricsTable,
    /// Certificates.
    pub tls: TlsTable,
    /// An OpenID Connect provider by which people may sign in besides by password.
    pub oidc: Option<OidcTable>,
    /// Where boxes enrol.
    pub enrolment: EnrolmentTable,
    /// Where edges reach the hub.
    pub broker: BrokerTable,
    /// The database.
    pub store: StoreTable,
    /// How long incidents may stay in a stage.
    pub incident_deadlines: Deadlines,
    /// How long evidence and records are kept, and how boxes fared.
    pub retention: Kept,
    /// Programs that are told of incidents.
    pub webhooks: Vec<WebhookTable>,
    /// A collector that is sent traces.
    pub traces: Option<TracesTable>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/gatepost-hub".into(),
            log: Log::default(),
            web: Web::default(),
            metrics: MetricsTable::default(),
            tls: TlsTable::default(),
            oidc: None,
            enrolment: EnrolmentTable::default(),
            broker: BrokerTable::default(),
            store: StoreTable::default(),
            incident_deadlines: Deadlines::default(),
            retention: Kept::default(),
            webhooks: Vec::new(),
            traces: None,
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
    /// Address and port for people on other machines, by TLS 1.3, e.g. `0.0.0.0:443`. Without it only this machine reaches the page.
    #[schemars(with = "Option<String>")]
    pub tls_listen: Option<Spanned<SocketAddr>>,
    /// Further names under which a reverse proxy passes requests on, e.g. `gatepost.school.example`.
    #[schemars(with = "Vec<String>")]
    pub host_names: Vec<HostName>,
}

impl Web {
    /// Where people open the page, without a slash at the end; `names` are those of `tls.names`.
    pub fn page(&self, names: &[ServerName]) -> String {
        match (self.host_names.first(), &self.tls_listen, names.first()) {
            (Some(name), ..) => format!("https://{}", name.as_str()),
            (None, Some(listen), Some(name)) => match listen.get_ref().port() {
                443 => format!("https://{}", name.as_str()),
                port => format!("https://{}:{port}", name.as_str()),
            },
            _ => format!("http://{}", self.listen.get()),
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: LoopbackAddr::on_port(8080), tls_listen: None, host_names: Vec::new() }
    }
}

/// Figures for Prometheus, and whether the hub is well.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsTable {
    /// Loopback address and port of `/metrics`, `/health/live` and `/health/ready`, e.g. `127.0.0.1:9464`; port 0 takes a free one.
    /// Without it nobody is told.
    #[schemars(with = "Option<String>")]
    pub listen: Option<LoopbackAddr>,
}

/// Certificates, by which hub and boxes know each other.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsTable {
    /// Host names and IP addresses under which boxes and people reach this hub, e.g. `["hub.school.example", "192.0.2.10"]`.
    #[schemars(with = "Vec<String>")]
    pub names: Vec<ServerName>,
    /// Certificate in PEM of an authority of the district, in place of the one the hub makes for itself below `data_dir`.
    #[schemars(with = "Option<PathBuf>")]
    pub authority_certificate: Option<Spanned<PathBuf>>,
    /// Its key in PEM, readable by the hub alone.
    #[schemars(with = "Option<PathBuf>")]
    pub authority_key: Option<Spanned<PathBuf>>,
    /// A box's certificate counts so many seconds, 30 or more (default 7776000: 90 days); the box renews it when a third is
    /// left.
    #[schemars(with = "u32", range(min = 30))]
    pub certificate_valid_s: CertificateValidity,
}

/// Seconds a certificate counts: 30 or more.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub struct CertificateValidity(u32);

impl CertificateValidity {
    /// As a duration.
    pub fn get(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.0))
    }
}

impl Default for CertificateValidity {
    fn default() -> Self {
        Self(90 * 24 * 3600)
    }
}

impl TryFrom<u32> for CertificateValidity {
    type Error = &'static str;

    fn try_from(seconds: u32) -> Result<Self, &'static str> {
        if seconds >= 30 { Ok(Self(seconds)) } else { Err("30 seconds or more are needed") }
    }
}

/// Where boxes enrol.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnrolmentTable {
    /// Address and port for HTTPS, e.g. `0.0.0.0:8443`. Without it no box can enrol or renew its certificate.
    #[schemars(with = "Option<String>")]
    pub listen: Option<Spanned<SocketAddr>>,
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
    /// Embedded: address and port for boxes with a certificate, by TLS 1.3, e.g. `0.0.0.0:8883`. Without it only this machine
    /// reaches the broker.
    #[schemars(with = "Option<String>")]
    pub tls_listen: Option<Spanned<SocketAddr>>,
    /// Embedded: which devices may log in by a token (default `devices.toml` below `data_dir`); written by
    /// `gatepost-hub device add`.
    #[schemars(with = "Option<PathBuf>")]
    pub devices_file: Option<Spanned<PathBuf>>,
    /// External: `mqtts://host:port`; or `mqtt://host:port`, on loopback only.
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<BrokerUrl>>,
    /// External, `mqtts`: certificate in PEM of the authority the broker's certificate comes from, if it is not the hub's own.
    #[schemars(with = "Option<PathBuf>")]
    pub ca_file: Option<Spanned<PathBuf>>,
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
    #[schemars(with = "Option<PathBuf>")]
    pub path: Option<Spanned<PathBuf>>,
    /// A PostgreSQL database in its place, which several hubs may share, e.g. `postgres://gatepost@db.example/gatepost`. On another
    /// machine it is reached by TLS only and has to prove its name; `?sslrootcert=FILE` names its authority, if the system does not know
    /// it.
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<Server>>,
    /// PostgreSQL: file that holds the password and nothing else, if one is needed.
    #[schemars(with = "Option<PathBuf>")]
    pub password_file: Option<Spanned<PathBuf>>,
}

/// The devices file: who may log in at the embedded broker by a token.
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
