//! A real mosquitto broker on a loopback port of its own, which keeps its port and its store over kill
//! and restart.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::daemon::{Daemon, Launch};
use crate::http::wait_until;
use crate::program::find;
use crate::{Error, Result, port};

const PATIENCE: Duration = Duration::from_secs(10);

/// What the broker keeps over its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    #[default]
    Off,
    /// Its store is written at a clean end only (mosquitto's own default is this and every half hour), so
    /// a kill loses what came since.
    AtExit,
    /// Its store is written about once a second while it changes.
    EverySecond,
}

/// How the broker is set up. The default is anonymous, without persistence.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// User names and passwords. Empty: anyone may connect without.
    pub users: Vec<(String, String)>,
    /// What survives its end.
    pub persistence: Persistence,
    /// Largest payload it accepts, in bytes.
    pub message_size_limit: Option<u32>,
    /// Further lines for `mosquitto.conf`.
    pub extra: Vec<String>,
}

/// A mosquitto process. Dropping kills it and removes its directory.
pub struct Mosquitto {
    launch: Launch,
    port: u16,
    running: Option<Daemon>,
    past_log: String,
    dir: TempDir,
}

impl Mosquitto {
    /// Starts a broker and waits until it accepts connections.
    pub fn start(options: &Options) -> Result<Self> {
        let program = find("mosquitto")?;
        let dir = TempDir::with_prefix("gatepost-mosquitto-").map_err(Error::io("a temporary directory"))?;
        let port = port::free()?;
        let passwords = dir.path().join("passwords");
        if !options.users.is_empty() {
            write_passwords(&passwords, &options.users)?;
        }
        let config = dir.path().join("mosquitto.conf");
        fs::write(&config, config_text(options, port, dir.path(), &passwords))
            .map_err(Error::io(config.display().to_string()))?;
        let launch = Launch::new(program).arg("-c").arg(config);
        let mut broker = Mosquitto { launch, port, running: None, past_log: String::new(), dir };
        broker.restart()?;
        Ok(broker)
    }

    /// Where it listens, the same over restarts.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its directory with `mosquitto.conf` and the store.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Everything it logged, over all its runs.
    pub fn log(&self) -> String {
        let now = self.running.as_ref().map(Daemon::log).unwrap_or_default();
        format!("{}{now}", self.past_log)
    }

    /// Waits for a line in the log of the present run.
    pub fn wait_for_line(&self, timeout: Duration, wanted: impl FnMut(&str) -> bool) -> Result<String> {
        self.running()?.wait_for_line(timeout, wanted)
    }

    /// SIGKILL: the broker is gone without a word and connections are reset.
    pub fn kill(&mut self) -> Result<()> {
        self.end(Daemon::kill)
    }

    /// SIGTERM: the broker ends cleanly and writes its store.
    pub fn terminate(&mut self) -> Result<()> {
        self.end(|daemon| daemon.terminate(PATIENCE).map(drop))
    }

    /// SIGSTOP: connections stay open and nothing is answered, until [`Mosquitto::thaw`].
    pub fn freeze(&mut self) -> Result<()> {
        self.running_mut()?.freeze()
    }

    /// SIGCONT after [`Mosquitto::freeze`].
    pub fn thaw(&mut self) -> Result<()> {
        self.running_mut()?.thaw()
    }

    /// Starts it again on the same port with the same store; if it still runs, ends it cleanly first.
    pub fn restart(&mut self) -> Result<()> {
        if self.running.is_some() {
            self.terminate()?;
        }
        let mut daemon = self.launch.spawn()?;
        let addr = self.addr();
        let answers = wait_until("mosquitto accepting connections", PATIENCE, || match daemon.exited() {
            Ok(None) => TcpStream::connect_timeout(&addr, Duration::from_secs(1)).ok().map(|_| true),
            _ => Some(false),
        });
        if !matches!(answers, Ok(true)) {
            let problem = format!("does not accept connections on {addr}");
            return Err(Error::Daemon { program: "mosquitto".into(), problem, log: daemon.log() });
        }
        self.running = Some(daemon);
        Ok(())
    }

    fn end(&mut self, how: impl FnOnce(&mut Daemon) -> Result<()>) -> Result<()> {
        let mut daemon = self.running.take().ok_or_else(not_running)?;
        let ended = how(&mut daemon);
        self.past_log.push_str(&daemon.log());
        ended
    }

    fn running(&self) -> Result<&Daemon> {
        self.running.as_ref().ok_or_else(not_running)
    }

    fn running_mut(&mut self) -> Result<&mut Daemon> {
        self.running.as_mut().ok_or_else(not_running)
    }
}

fn not_running() -> Error {
    Error::Daemon { program: "mosquitto".into(), problem: "is not running".into(), log: String::new() }
}

fn config_text(options: &Options, port: u16, dir: &Path, passwords: &Path) -> String {
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = text.write_fmt(words);
        text.push('\n');
    };
    line(format_args!("listener {port} 127.0.0.1"));
    line(format_args!("log_dest stderr"));
    line(format_args!("log_type all"));
    // Started by root it would become the user mosquitto, who may not write here; else this is ignored.
    line(format_args!("user root"));
    // As docs/BROKER.md asks for: else it drops what a slow subscriber has not fetched yet, acknowledged or not.
    line(format_args!("max_queued_messages 0"));
    line(format_args!("allow_anonymous {}", options.users.is_empty()));
    if !options.users.is_empty() {
        line(format_args!("password_file {}", passwords.display()));
    }
    if options.persistence != Persistence::Off {
        line(format_args!("persistence true"));
        line(format_args!("persistence_location {}/", dir.display()));
    }
    match options.persistence {
        Persistence::Off => line(format_args!("persistence false")),
        Persistence::AtExit => line(format_args!("autosave_interval 0")),
        Persistence::EverySecond => {
            line(format_args!("autosave_interval 1"));
        }
    }
    if let Some(limit) = options.message_size_limit {
        line(format_args!("message_size_limit {limit}"));
    }
    for extra in &options.extra {
        line(format_args!("{extra}"));
    }
    text
}

fn write_passwords(path: &Path, users: &[(String, String)]) -> Result<()> {
    let lines: String = users.iter().map(|(user, password)| format!("{user}:{password}\n")).collect();
    fs::write(path, lines).map_err(Error::io(path.display().to_string()))?;
    let done = Command::new(find("mosquitto_passwd")?).arg("-U").arg(path).output();
    let done = done.map_err(Error::io("running mosquitto_passwd"))?;
    if done.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&done.stderr).into_owned();
    Err(Error::Daemon { program: "mosquitto_passwd".into(), problem: "failed".into(), log })
}
