//! What an administrator does beside the running daemon. The daemon reads the same database and files and need not be told.

mod backup;
mod hold;
mod person;
mod timeline;
mod transfer;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use gatepost_hub::authority::Authority;
use gatepost_hub::broker::{self, Devices};
use gatepost_hub::config::{self, Broker, Config, ServerName};
use gatepost_hub::enrolment;
use gatepost_hub::store::{Database, DeviceFilter, Store};
use gatepost_wire::health::CameraState;
use gatepost_wire::{EdgeId, Health, Timestamp};
use jiff::SignedDuration;

use crate::ConfigFile;
pub use backup::{BackupCommand, RestoreCommand};
pub use hold::HoldCommand;
pub use person::PersonCommand;
pub use timeline::TimelineCommand;
pub use transfer::TransferCommand;
pub use webhook::WebhookCommand;

/// How the access log names who used this.
const BY: &str = "command line";

#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Prints a code by which a box enrols, once: `gatepost-edge enrol` asks for it
    Enrol {
        /// Name of the edge
        edge: EdgeId,
        /// The code ends after so many hours
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=168))]
        valid_h: u16,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Lists the boxes: whether they are online, how many of their cameras have a picture, until when they may come in
    List(ConfigFile),
    /// Shuts a box out, at once: its certificates, its unused codes, its token
    Revoke {
        /// Name of the edge
        edge: EdgeId,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Prints a token, once, for an edge on this machine that speaks to the embedded broker without TLS
    Add {
        /// Name of the edge
        edge: EdgeId,
        #[command(flatten)]
        config: ConfigFile,
    },
}

impl DeviceCommand {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Enrol { edge, valid_h, config: file } => enrol(&file, &edge, valid_h),
            Self::List(file) => list(&config::load(&file.config)?),
            Self::Revoke { edge, config: file } => revoke(&config::load(&file.config)?, &edge),
            Self::Add { edge, config: file } => add(&file, &edge),
        }
    }
}

fn enrol(file: &ConfigFile, edge: &EdgeId, valid_h: u16) -> anyhow::Result<()> {
    let config = config::load(&file.config)?;
    if config.enrolment.is_none() {
        bail!(
            "{}: `enrolment.listen` is missing, so no box could bring the code: give an address such as \"0.0.0.0:8443\"",
            file.config.display()
        );
    }
    let authority = Authority::open(&config.tls.authority)?;
    let now = Timestamp::now();
    let until = now + SignedDuration::from_hours(i64::from(valid_h));
    let code = with_store(&config, async |store| {
        Ok(enrolment::new_code(store, &authority, edge, now, until).await?)
    })?;
    eprintln!("Device {edge} may enrol once, until {until}, with this code; it is shown only once:");
    println!("{}", code.reveal());
    Ok(())
}

fn list(config: &Config) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let (certificates, devices) = with_store(config, async |store| {
        Ok((store.certificates().await?, store.devices(&DeviceFilter::ALL).await?))
    })?;
    let mut states: BTreeMap<EdgeId, Vec<String>> = BTreeMap::new();
    for device in devices {
        let presence = serde_json::to_value(device.presence).unwrap_or_default();
        let told = states.entry(device.edge).or_default();
        told.push(presence.as_str().unwrap_or("unknown").to_owned());
        let health = device.health.and_then(|health| serde_json::from_str::<Health>(health.get()).ok());
        told.extend(health.as_ref().map(pictures));
    }
    for known in certificates {
        let state = match known.revoked {
            Some(at) => format!("shut out since {at}"),
            None if known.counts(now) => format!("certificate until {}", known.until),
            None => format!("certificate ended on {}: enrol it again", known.until),
        };
        states.entry(known.edge).or_default().push(state);
    }
    for (edge, told) in states {
        println!("{edge:<24} {}", told.join("; "));
    }
    Ok(())
}

fn pictures(health: &Health) -> String {
    let with = health.cameras.iter().filter(|camera| matches!(camera.state, CameraState::Streaming)).count();
    format!("{with} of {} cameras have a picture", health.cameras.len())
}

fn revoke(config: &Config, edge: &EdgeId) -> anyhow::Result<()> {
    let certificates = with_store(config, async |store| Ok(store.revoke(edge, Timestamp::now()).await?))?;
    let had_token = match &config.broker {
        Broker::Embedded(broker) => Devices::remove(&broker.devices_file, edge)?,
        Broker::External(_) => false,
    };
    if certificates == 0 && !had_token {
        bail!("device {edge} has neither a certificate that counts nor a token here");
    }
    eprintln!("Device {edge} is shut out: {certificates} certificate(s) revoked.");
    if had_token {
        eprintln!("Its token is gone; a connection it has without TLS stays until it breaks.");
    }
    if let Broker::External(_) = config.broker {
        eprintln!(
            "The broker does not know it yet: run `gatepost-hub broker-files` again and let it read crl.pem."
        );
    }
    Ok(())
}

fn add(file: &ConfigFile, edge: &EdgeId) -> anyhow::Result<()> {
    let Broker::Embedded(broker) = config::load(&file.config)?.broker else {
        bail!(
            "{}: broker.mode is \"external\", so tokens are made there and not here",
            file.config.display()
        );
    };
    let token = Devices::add(&broker.devices_file, edge)?;
    eprintln!("Device {edge} may log in now. This is its token; it is shown only once:");
    println!("{}", token.reveal());
    Ok(())
}

/// A broker whose configuration the hub can write.
#[derive(Clone, Copy, ValueEnum)]
enum Product {
    /// Eclipse mosquitto 2
    Mosquitto,
    /// EMQX 5
    Emqx,
}

/// Certificates, revocations and access rules for a broker run by someone else.
#[derive(Args)]
pub struct BrokerFiles {
    /// Which broker
    product: Product,
    /// A host name or address under which boxes and hub reach it; more than once for more
    #[arg(long = "name", value_name = "NAME", required = true)]
    names: Vec<ServerName>,
    /// Folder for the files
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

impl BrokerFiles {
    pub fn write(self) -> anyhow::Result<()> {
        let config = config::load(&self.config.config)?;
        let authority = Authority::open(&config.tls.authority)?;
        let now = Timestamp::now();
        // A hub that has never run has issued nothing.
        let revoked = match config.database.exists() {
            true => with_store(&config, async |store| Ok(store.revoked(now).await?))?,
            false => Vec::new(),
        };
        let revoked: Vec<_> = revoked.into_iter().map(|(_, revoked)| revoked).collect();
        let product = match self.product {
            Product::Mosquitto => broker::Product::Mosquitto,
            Product::Emqx => broker::Product::Emqx,
        };
        let out = std::path::absolute(&self.out).with_context(|| self.out.display().to_string())?;
        for file in broker::write_files(product, &out, &authority, &self.names, &revoked, now)? {
            println!("{}", file.display());
        }
        Ok(())
    }
}

fn with_store<T>(config: &Config, work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    // Made here by an administrator, the daemon could not write it.
    if !config.database.exists() {
        bail!("{}: there is no database yet: start the hub once", config.database);
    }
    with_database(&config.database, work)
}

fn with_database<T>(
    database: &Database,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(database).await?;
        let done = work(&store).await;
        store.close().await;
        done
    })
}
