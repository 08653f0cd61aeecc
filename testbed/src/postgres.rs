//! A real PostgreSQL server with a folder, a socket and a loopback port of its own.
//!
//! It refuses to run as root, so root starts it as the user `postgres`, whom Debian's package makes.

use std::env;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::daemon::{Daemon, Launch};
use crate::http::wait_until;
use crate::{Error, Result, port};

const PATIENCE: Duration = Duration::from_secs(30);

/// The role hubs connect as; it owns everything.
pub const USER: &str = "gatepost";

/// Its password over the port; the socket asks for none.
pub const PASSWORD: &str = "for tests only";

/// Ends the server when the program that started it has ended, however it ended: then its standard input does.
const KEEPER: &str = r#"dir=$1; shift
"$@" </dev/null & server=$!
cat >/dev/null
kill -QUIT $server 2>/dev/null; wait $server; rm -rf "$dir""#;

/// A server. Dropping it kills it and removes its folder.
pub struct Postgres {
    running: Option<Daemon>,
    launch: Launch,
    port: u16,
    dir: PathBuf,
    /// Removes the folder; none where that is the keeper's to do.
    _folder: Option<TempDir>,
}

impl Postgres {
    /// Starts one that keeps its promises: what it has committed is on disk.
    pub fn start() -> Result<Self> {
        let folder =
            TempDir::with_prefix("gatepost-postgres-").map_err(Error::io("a temporary directory"))?;
        let mut server = Self::start_with(folder.path().to_owned(), &[], &[])?;
        server._folder = Some(folder);
        Ok(server)
    }

    /// Starts one like [`Postgres::start`] in a folder that is the caller's, on a disk of less than 100 MiB.
    pub fn start_on_a_small_disk(dir: PathBuf) -> Result<Self> {
        Self::start_with(dir, &["--wal-segsize=1"], &["min_wal_size=2MB", "max_wal_size=4MB"])
    }

    fn start_with(dir: PathBuf, at_first: &[&str], settings: &[&str]) -> Result<Self> {
        let port = port::free()?;
        initialise(&dir, at_first)?;
        let (program, arguments) = command(&dir, port, settings)?;
        let launch = Launch::new(program).args(arguments);
        let mut server = Self { running: None, launch, port, dir, _folder: None };
        server.restart()?;
        Ok(server)
    }

    /// The one of this program, for tests that are not about the server: each has a database of its own in it. It does not wait for
    /// the disk.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres>> = OnceLock::new();
        match SHARED.get_or_init(Self::start_kept) {
            Ok(server) => Ok(server),
            Err(error) => Err(Error::Daemon {
                program: "postgres".into(),
                problem: error.to_string(),
                log: String::new(),
            }),
        }
    }

    fn start_kept() -> Result<Self> {
        let folder =
            TempDir::with_prefix("gatepost-postgres-").map_err(Error::io("a temporary directory"))?;
        let dir = folder.keep();
        let port = port::free()?;
        initialise(&dir, &[])?;
        let (program, arguments) = command(&dir, port, &["fsync=off", "full_page_writes=off"])?;
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg(KEEPER).arg("keeper").arg(&dir).arg(program).args(arguments);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = keeper.spawn().map_err(Error::io("starting postgres"))?;
        // Open until this program ends.
        std::mem::forget(child.stdin.take());
        let server = Self { running: None, launch: Launch::new("sh"), port, dir, _folder: None };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// URL of a database of the shared server that nobody has used, when tests are to use PostgreSQL (`GATEPOST_TEST_DATABASE=postgres`).
    pub fn wanted() -> Result<Option<String>> {
        if Self::is_wanted() { Self::shared()?.new_database().map(Some) } else { Ok(None) }
    }

    /// Are tests to use PostgreSQL?
    pub fn is_wanted() -> bool {
        env::var("GATEPOST_TEST_DATABASE").is_ok_and(|database| database == "postgres")
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket, at which it asks for no password.
    pub fn socket(&self) -> &Path {
        &self.dir
    }

    /// Makes a database nobody has used, and gives its URL by the socket.
    pub fn new_database(&self) -> Result<String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("hub_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// URL of a database by the socket, which asks for no password.
    pub fn url(&self, database: &str) -> String {
        let socket = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{socket}:{}/{database}", self.port)
    }

    /// URL of a database by the loopback port, which asks for [`PASSWORD`].
    pub fn url_by_port(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Executes SQL and gives what `psql` prints of it, values only.
    pub fn execute(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(find("psql")?);
        psql.arg("-h").arg(&self.dir).arg("-p").arg(self.port.to_string());
        psql.args(["-U", USER, "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", sql]);
        output(psql, "psql")
    }

    /// SIGKILL to the server; its processes follow it.
    pub fn kill(&mut self) -> Result<()> {
        match self.running.take() {
            Some(mut daemon) => daemon.kill(),
            None => Ok(()),
        }
    }

    /// Starts it again on the same port with the same data.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        // Processes of a killed server may still hold its memory for a moment; until they are gone it does not start.
        wait_until("postgres starting", PATIENCE, || {
            let mut daemon = self.launch.spawn().ok()?;
            let answers = wait_until("postgres answering", PATIENCE, || match daemon.exited() {
                Ok(None) => self.answers().then_some(true),
                _ => Some(false),
            });
            matches!(answers, Ok(true)).then(|| self.running = Some(daemon))
        })
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        wait_until("postgres answering", PATIENCE, || self.answers().then_some(()))
    }

    /// Does it run, and take statements?
    pub fn answers(&self) -> bool {
        self.execute("postgres", "SELECT 1").is_ok()
    }
}

fn initialise(dir: &Path, further: &[&str]) -> Result<()> {
    if geteuid().is_root() {
        let mut id = Command::new("id");
        id.args(["-u", "postgres"]);
        let uid = output(id, "id")?.trim().parse().map_err(|_| Error::NoProgram("postgres"))?;
        chown(dir, Some(uid), None).map_err(Error::io(dir.display().to_string()))?;
    }
    let password = dir.join("password");
    fs::write(&password, PASSWORD).map_err(Error::io(password.display().to_string()))?;
    let (program, mut arguments) = as_user(find("initdb")?);
    arguments.extend(["-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=trust"].map(String::from));
    arguments.extend(["--auth-host=scram-sha-256", "--no-sync", "--no-instructions"].map(String::from));
    arguments.push(format!("--pwfile={}", password.display()));
    arguments.push(format!("--pgdata={}", dir.join("data").display()));
    let mut initdb = Command::new(program);
    initdb.args(arguments).args(further).current_dir("/");
    output(initdb, "initdb").map(drop)
}

/// The program and its arguments.
fn command(dir: &Path, port: u16, settings: &[&str]) -> Result<(PathBuf, Vec<String>)> {
    let (program, mut arguments) = as_user(find("postgres")?);
    arguments.extend(["-D".into(), dir.join("data").display().to_string()]);
    let mut set = |setting: String| arguments.extend(["-c".to_owned(), setting]);
    set(format!("port={port}"));
    set(format!("listen_addresses={}", Ipv4Addr::LOCALHOST));
    set(format!("unix_socket_directories={}", dir.display()));
    set("max_connections=400".into());
    for setting in settings {
        set((*setting).to_owned());
    }
    Ok((program, arguments))
}

/// The same program, but not as root.
fn as_user(program: PathBuf) -> (PathBuf, Vec<String>) {
    if !geteuid().is_root() {
        return (program, Vec::new());
    }
    let words = ["--reuid=postgres", "--regid=postgres", "--clear-groups"].map(String::from);
    ("setpriv".into(), words.into_iter().chain([program.display().to_string()]).collect())
}

/// Debian puts the server's programs where no PATH has them.
fn find(program: &'static str) -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found =
        versions.map(|version| version.path().join("bin").join(program)).filter(|path| path.is_file());
    found.max().ok_or(Error::NoProgram(program))
}

fn output(mut command: Command, program: &'static str) -> Result<String> {
    let done = command.stdin(Stdio::null()).output().map_err(Error::io(format!("running {program}")))?;
    if done.status.success() {
        return String::from_utf8(done.stdout)
            .map_err(|error| Error::io("what it printed")(io::Error::other(error)));
    }
    let log = String::from_utf8_lossy(&done.stderr).into_owned();
    Err(Error::Daemon { program: program.into(), problem: "failed".into(), log })
}
