//! A TPM 2.0 made of software, the one virtual machines are given (swtpm with libtpms), on loopback ports of its own. It keeps its
//! ports and what it holds over kill and restart; each is another TPM.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tempfile::TempDir;

use crate::daemon::{Daemon, Launch};
use crate::http::wait_until;
use crate::program::find;
use crate::{Error, Result, port};

const PATIENCE: Duration = Duration::from_secs(10);

/// A swtpm process. Dropping kills it and removes what it holds.
pub struct Swtpm {
    launch: Launch,
    port: u16,
    running: Option<Daemon>,
    _dir: TempDir,
}

impl Swtpm {
    /// Makes a new TPM and waits until it answers.
    pub fn start() -> Result<Self> {
        let program = find("swtpm")?;
        let dir = TempDir::with_prefix("gatepost-swtpm-").map_err(Error::io("a temporary directory"))?;
        // Who knows the one looks for the other right above.
        let port = port::pair()?;
        let address = |port: u16| format!("type=tcp,port={port},bindaddr={}", Ipv4Addr::LOCALHOST);
        let launch = Launch::new(program)
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"])
            .arg(format!("dir={}", dir.path().display()))
            .args(["--server".to_owned(), address(port), "--ctrl".to_owned(), address(port + 1)]);
        let mut tpm = Self { launch, port, running: None, _dir: dir };
        tpm.restart()?;
        Ok(tpm)
    }

    /// How it is reached, as tpm2-tss writes it.
    pub fn tcti(&self) -> String {
        format!("swtpm:host={},port={}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// SIGKILL: what a TPM that fails looks like.
    pub fn kill(&mut self) -> Result<()> {
        self.running.take().as_mut().map_or(Ok(()), Daemon::kill)
    }

    /// Starts it again with what it holds; what still runs is killed.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let mut daemon = self.launch.spawn()?;
        let control: SocketAddr = (Ipv4Addr::LOCALHOST, self.port + 1).into();
        let answers = wait_until("swtpm accepting connections", PATIENCE, || match daemon.exited() {
            Ok(None) => TcpStream::connect_timeout(&control, Duration::from_secs(1)).ok().map(|_| true),
            _ => Some(false),
        });
        if !matches!(answers, Ok(true)) {
            let problem = format!("does not accept connections on {control}");
            return Err(Error::Daemon { program: "swtpm".into(), problem, log: daemon.log() });
        }
        self.running = Some(daemon);
        Ok(())
    }
}
