//! A program as a child process: its log, its signals, its memory. Killed when dropped.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::log::{Log, NoLine};
use crate::{Error, Result, usage};

/// Path of a binary of this workspace, of the same profile as the test that asks.
pub fn binary(name: &str) -> Result<PathBuf> {
    let exe = env::current_exe().map_err(Error::io("finding the running test"))?;
    // A test or bench is <target>/<profile>/deps/<test>, a binary is <target>/<profile>/<name>.
    let own_dir = exe.parent().unwrap_or(Path::new("."));
    let is_deps = matches!(own_dir.file_name().and_then(OsStr::to_str), Some("deps" | "examples"));
    let profile_dir = if is_deps { own_dir.parent().unwrap_or(own_dir) } else { own_dir };
    let beside = profile_dir.join(name);
    if beside.is_file() {
        return Ok(beside);
    }
    let profile = profile_dir.file_name().unwrap_or(OsStr::new("debug"));
    env::var_os("CARGO_TARGET_DIR")
        .map(|target| Path::new(&target).join(profile).join(name))
        .filter(|path| path.is_file())
        .ok_or_else(|| Error::NotBuilt { name: name.into(), looked_in: profile_dir.into() })
}

/// How to start a [`Daemon`].
pub struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    log_file: Option<PathBuf>,
}

impl Launch {
    /// Starts `program`, which is a path ([`binary`] finds ours).
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Launch { program: program.into(), args: Vec::new(), envs: Vec::new(), dir: None, log_file: None }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One more environment variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.envs.push((key.into(), value.into()));
        self
    }

    /// Working directory.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Also keeps the log in this file, appending.
    #[must_use]
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.log_file = Some(path.into());
        self
    }

    /// Starts the process.
    pub fn spawn(&self) -> Result<Daemon> {
        let file = match &self.log_file {
            Some(path) => {
                let open = File::options().create(true).append(true).open(path);
                Some(open.map_err(Error::io(path.display().to_string()))?)
            }
            None => None,
        };
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.envs.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        let mut child = command.spawn().map_err(Error::io(format!("starting {}", self.program.display())))?;
        let log = Log::with_file(file);
        if let Some(stdout) = child.stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        Ok(Daemon { name: name.to_string_lossy().into_owned(), child, log })
    }
}

/// A running child process. Its log is what it writes to stderr and stdout. Dropping kills it.
pub struct Daemon {
    name: String,
    child: Child,
    log: Log,
}

impl Daemon {
    /// Starts `program` with `args`; [`Launch`] has more to set.
    pub fn spawn<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        Launch::new(program).args(args).spawn()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything written so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// How many lines were written so far, for [`Daemon::wait_for_line_from`].
    pub fn lines(&self) -> usize {
        self.log.len()
    }

    /// First line of the whole log that `wanted` accepts, waiting for it. The error carries the log.
    pub fn wait_for_line(&self, timeout: Duration, wanted: impl FnMut(&str) -> bool) -> Result<String> {
        self.wait_for_line_from(0, timeout, wanted)
    }

    /// Like [`Daemon::wait_for_line`], but looks only from line number `from` on.
    pub fn wait_for_line_from(
        &self,
        from: usize,
        timeout: Duration,
        wanted: impl FnMut(&str) -> bool,
    ) -> Result<String> {
        self.log.wait_for(from, timeout, wanted).map_err(|why| {
            self.error(match why {
                NoLine::Ended => "ended without the awaited line".into(),
                NoLine::Timeout => format!("did not write the awaited line within {timeout:?}"),
            })
        })
    }

    /// Exit status, if it has ended.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().map_err(Error::io(format!("waiting for {}", self.name)))
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self, timeout: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.exited()? {
                self.log.drain(Duration::from_secs(1));
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(self.error(format!("still runs after {timeout:?}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGTERM, then waits. If it does not end in time it is killed and that is an error.
    pub fn terminate(&mut self, timeout: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let ended = self.wait(timeout);
        if ended.is_err() {
            self.kill()?;
        }
        ended
    }

    /// SIGINT, what Ctrl-C sends, then waits like [`Daemon::terminate`].
    pub fn interrupt(&mut self, timeout: Duration) -> Result<ExitStatus> {
        self.signal(Signal::INT)?;
        let ended = self.wait(timeout);
        if ended.is_err() {
            self.kill()?;
        }
        ended
    }

    /// SIGKILL: what a power cut looks like to a process. Nothing if it has ended already.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().map_err(Error::io(format!("killing {}", self.name)))?;
        self.child.wait().map_err(Error::io(format!("waiting for {}", self.name)))?;
        self.log.drain(Duration::from_secs(1));
        Ok(())
    }

    /// SIGSTOP: it hangs, with its connections open, until [`Daemon::thaw`].
    pub fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT after [`Daemon::freeze`].
    pub fn thaw(&mut self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Most physical memory it ever had, in bytes. It must still run.
    pub fn peak_rss_bytes(&self) -> Result<u64> {
        usage::peak_rss_bytes(self.pid())
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        // Once reaped, its id may be another process's.
        if self.exited()?.is_some() {
            return Err(self.error("has ended already".into()));
        }
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|errno| Error::io(format!("signalling {}", self.name))(errno.into()))
    }

    fn error(&self, problem: String) -> Error {
        Error::Daemon { program: self.name.clone(), problem, log: self.log() }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the process is ours to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
