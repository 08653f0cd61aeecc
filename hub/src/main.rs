//! `gatepost-hub`: the command line of the hub.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use gatepost_hub::{broker, config, daemon, logging, web};
use gatepost_wire::EdgeId;

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
    /// Says which devices may log in at the embedded broker
    #[command(subcommand)]
    Device(DeviceCommand),
}

#[derive(Subcommand)]
enum DeviceCommand {
    /// Adds a device and prints its token, once
    Add {
        /// Name of the edge
        edge: EdgeId,
        #[command(flatten)]
        config: ConfigFile,
    },
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
            tokio::runtime::Runtime::new().context("starting the runtime")?.block_on(daemon::run(config))?;
        }
        Command::Check(file) => {
            let config = config::load(&file.config)?;
            if let config::Broker::Embedded(broker) = &config.broker {
                broker::Devices::open(broker.devices_file.clone())?;
            }
            println!("{}: good", file.config.display());
        }
        Command::Schema => println!("{}", serde_json::to_string_pretty(&config::schema())?),
        Command::Openapi => println!("{}", web::document().to_pretty_json()?),
        Command::Device(DeviceCommand::Add { edge, config: file }) => {
            let config::Broker::Embedded(broker) = config::load(&file.config)?.broker else {
                bail!(
                    "{}: broker.mode is \"external\", so devices are made there and not here",
                    file.config.display()
                );
            };
            let token = broker::Devices::add(&broker.devices_file, &edge)?;
            eprintln!("Device {edge} may log in now. This is its token; it is shown only once:");
            println!("{}", token.reveal());
        }
    }
    Ok(())
}
