//! `gatepost-edge`: the box beside the gate.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use gatepost_edge::analyse::Analyse;
use gatepost_edge::clip::DeletionLog;
use gatepost_edge::config::{self, Config, Log, LogFormat, LogLevel, Profile};
use gatepost_edge::daemon;
use gatepost_edge::detect::Detector;
use gatepost_edge::identity::{self, HubKey, IdentityError, IdentityFile};
use tracing_subscriber::EnvFilter;

/// Watches cameras, applies the site's rules, keeps every event and sends it to the hub.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon.
    Run {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Check a configuration and the files it names, and say what is wrong.
    Check {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Bring a one-time code, read from standard input, to the hub and become known to it.
    Enrol {
        /// The configuration; it names the hub in `uplink.enrolment`.
        #[arg(long)]
        config: PathBuf,
    },
    /// Print which clips this box deleted, when and why: a line of JSON each, the oldest first.
    Deletions {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Print the JSON Schema of the configuration.
    Schema {
        /// Of the profile of a Modbus device instead.
        #[arg(long)]
        profile: bool,
    },
    /// Receive and decode the video of one camera, for the daemon that started this.
    #[command(hide = true)]
    Camera {
        /// For whoever looks at the list of processes.
        name: String,
    },
    /// Run detection, tracking and rules on a clip.
    Analyse(Box<Analyse>),
}

fn main() -> ExitCode {
    if std::env::var_os("TSS2_LOG").is_none() {
        // tpm2-tss would write lines of its own to stderr for each error, which this program tells in its own words.
        // SAFETY: no other thread runs yet that could read the environment meanwhile.
        unsafe { std::env::set_var("TSS2_LOG", "all+none") };
    }
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gatepost-edge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run { config } => {
            let config = config::load(&config)?;
            log_to_stderr(&config.log);
            gstreamer::init().context("GStreamer cannot be started")?;
            tokio::runtime::Runtime::new()?.block_on(daemon::run(config))
        }
        Command::Check { config } => check(&config),
        Command::Enrol { config } => enrol(&config),
        Command::Deletions { config } => deletions(&config),
        Command::Schema { profile } => {
            let schema = if profile { schemars::schema_for!(Profile) } else { schemars::schema_for!(Config) };
            println!("{}", serde_json::to_string_pretty(&schema)?);
            Ok(())
        }
        Command::Camera { name } => gatepost_edge::source::run_process().context(name),
        Command::Analyse(analyse) => {
            log_to_stderr(&Log::default());
            gstreamer::init().context("GStreamer cannot be started")?;
            analyse.run()
        }
    }
}

fn deletions(file: &std::path::Path) -> anyhow::Result<()> {
    let folder = config::load(file)?.clips_dir();
    let lines = DeletionLog::of(&folder).read();
    let lines =
        lines.with_context(|| format!("{}: the record of deletions cannot be read", folder.display()))?;
    std::io::stdout().write_all(lines.as_bytes()).context("standard output")
}

/// The code comes by standard input, so that it stands in no list of processes and no history.
fn enrol(file: &std::path::Path) -> anyhow::Result<()> {
    let config = config::load(file)?;
    let hub = config.uplink.enrolment.as_ref().with_context(|| {
        format!(
            "{}: `uplink.enrolment` is missing: where is the hub? e.g. https://hub.example:8443",
            file.display()
        )
    })?;
    if std::io::stdin().is_terminal() {
        eprintln!("Code that `gatepost-hub device enrol {}` printed:", config.edge);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the code cannot be read")?;
    let code = line.parse()?;
    let identity = IdentityFile::of(&config.edge, &config.data_dir, &config.uplink);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fresh = runtime.block_on(identity.enrol(hub, code))?;
    println!(
        "{} is enrolled; its certificate counts until {} and is renewed before",
        config.edge,
        fresh.until()
    );
    println!("{}", identity.describe_key()?);
    Ok(())
}

/// Everything `run` needs to find, short of reaching cameras and broker.
fn check(file: &std::path::Path) -> anyhow::Result<()> {
    let config = config::load(file)?;
    // Only the runtime itself can tell whether library, model and manifest go together.
    Detector::load(&config.model.manifest, &config.model.runtime, config.model.threads)?;
    for secret in config.secret_files() {
        gatepost_edge::secret::read_secret(secret)?;
    }
    gatepost_edge::sensor::check(&config)?;
    check_identity(&config)?;
    if config.clips.enabled {
        gstreamer::init().context("GStreamer cannot be started")?;
        gatepost_edge::clip::check_encoder().context("`clips`")?;
    }
    let (cameras, sensors) = (config.cameras.len(), config.sensors.len());
    println!("{}: {cameras} camera(s), {sensors} sensor(s), nothing wrong", file.display());
    Ok(())
}

/// A box is set up before it is enrolled, so that it has not is only said.
fn check_identity(config: &Config) -> anyhow::Result<()> {
    for broker in &config.mqtt {
        if let Some(file) = &broker.ca_file {
            identity::tls_by(file)?;
        }
    }
    let identity = IdentityFile::of(&config.edge, &config.data_dir, &config.uplink);
    match HubKey::of(identity.clone(), &config.uplink).read() {
        Err(IdentityError::None { .. }) if !config.uplink.broker.is_tls() => {
            eprintln!(
                "no `uplink.hub_key_file`, and not enrolled: this box carries out no command of its hub"
            );
        }
        Err(unknown @ IdentityError::None { .. }) => eprintln!("{unknown}"),
        key => drop(key?),
    }
    if config.uplink.enrolment.is_some() {
        println!("{}", identity.describe_key()?);
    }
    Ok(())
}

fn log_to_stderr(log: &Log) {
    let level = match log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    // ONNX Runtime is talkative at "info", sled, Modbus and TSS at errors; what matters of them arrives as errors of ours.
    let filter = EnvFilter::new(format!("{level},ort=warn,sled=off,tokio_modbus=off,tss_esapi=off"));
    let subscriber = tracing_subscriber::fmt()
        // It would complain of a log nobody reads any more to stderr, which is that log, and panic.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Human => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
