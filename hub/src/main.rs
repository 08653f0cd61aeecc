//! `gatepost-hub`: the command line of the hub.

mod administer;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use gatepost_hub::authority::Authority;
use gatepost_hub::oidc::Provider;
use gatepost_hub::{broker, config, daemon, limits, logging, web};

use administer::{
    BackupCommand, BrokerFiles, DeviceCommand, HoldCommand, PersonCommand, RestoreCommand, TimelineCommand,
    TransferCommand, WebhookCommand,
};

/// Takes events from Gatepost edges, keeps each exactly once, shows live alerts.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the hub until SIGTERM or SIGINT
    Run(ConfigFile),
    /// Checks the configuration and everything it names, and starts nothing
    Check(ConfigFile),
    /// Prints the JSON Schema of the configuration
    Schema,
    /// Prints the OpenAPI document of the API
    Openapi,
    /// Says which devices may come in: lets them enrol, lists them, shuts them out
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Gives people accounts: adds them, makes one-time links, shuts them out
    #[command(subcommand)]
    Person(PersonCommand),
    /// Exports the timeline of all incidents, and checks that an export is whole
    #[command(subcommand)]
    Timeline(TimelineCommand),
    /// Copies everything the hub keeps into a folder, while it runs
    Backup(BackupCommand),
    /// Puts a backup where a hub's data belongs; overwrites nothing
    Restore(RestoreCommand),
    /// Tells boxes of legal holds anew
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Takes what a SQLite file holds along to the PostgreSQL database of the configuration
    Transfer(TransferCommand),
    /// Lists what other programs did not take, and has it sent again
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Prints the public key this hub signs commands with, for a box that has not enrolled
    SigningKey(ConfigFile),
    /// Writes certificates, revocations and access rules for a broker run by someone else
    BrokerFiles(BrokerFiles),
}

#[derive(Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "/etc/gatepost/hub.toml")]
    config: PathBuf,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gatepost-hub: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run(file) => {
            let config = config::load(&file.config)?;
            logging::start(&config.log);
            limits::raise_open_files();
            tokio::runtime::Runtime::new().context("starting the runtime")?.block_on(daemon::run(config))?;
        }
        Command::Check(file) => {
            let config = config::load(&file.config)?;
            if let config::Broker::Embedded(broker) = &config.broker {
                broker::Devices::open(broker.devices_file.clone())?;
            }
            if let Some(oidc) = &config.oidc {
                Provider::new(oidc)?;
                eprintln!("The provider has to know this redirect URI: {}", oidc.redirect_uri());
            }
            println!("{}: good", file.config.display());
        }
        Command::Schema => println!("{}", serde_json::to_string_pretty(&config::schema())?),
        Command::Openapi => println!("{}", web::document().to_pretty_json()?),
        Command::Device(command) => command.run()?,
        Command::Person(command) => command.run()?,
        Command::Timeline(command) => command.run()?,
        Command::Backup(command) => command.run()?,
        Command::Restore(command) => command.run()?,
        Command::Hold(command) => command.run()?,
        Command::Transfer(command) => command.run()?,
        Command::Webhook(command) => command.run()?,
        Command::SigningKey(file) => {
            let config = config::load(&file.config)?;
            println!("{}", Authority::open(&config.tls.authority)?.commands().verifying_key());
        }
        Command::BrokerFiles(wanted) => wanted.write()?,
    }
    Ok(())
}
