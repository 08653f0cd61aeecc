//! A hub, an edge and the network between them, each to be broken.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::{Daemon, Launch, binary};
use gatepost_testbed::port;
use gatepost_testbed::postgres::Postgres;
use gatepost_testbed::proxy::Proxy;
use tempfile::TempDir;

use crate::database::Database;
use crate::forgetful::Forgetful;
use crate::verdict::{Recorded, Verdict, recorded_in};

const START: Duration = Duration::from_secs(120);
const DISK: &str = "size=96m";
/// A record of sled may end with a number whose last bytes are zero: they are written and synced, and not free for rubbish.
const RECORD_ENDS_WITH_ZEROS: usize = 64;
/// sled's own segments, unless it is told otherwise.
const PART: usize = 512 * 1024;
/// How an entry begins in the outbox's log, and how much of it follows at least.
const FRAME: &[u8] = b"GPf2";
const FRAME_BYTES_AT_LEAST: usize = 200;

/// A folder for the disks of edges that ended with damage or less than everything, for whoever wants to look into them.
const KEEP: &str = "CHAOS_KEEP";

/// A place for data, on a small disk of its own where that can be mounted.
struct Disk {
    path: PathBuf,
    is_mounted: bool,
}

impl Disk {
    fn new(path: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&path)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(&path);
        let is_mounted = mount.output().is_ok_and(|done| done.status.success());
        Ok(Self { path, is_mounted })
    }

    /// Takes every free byte; nothing where it is no disk of its own.
    fn fill(&self) -> anyhow::Result<()> {
        if self.is_mounted {
            // Filled once more, it gives nothing back in between.
            let mut ballast = File::options().create(true).append(true).open(self.path.join("ballast"))?;
            for size in [65536, 4096, 1] {
                while ballast.write_all(&vec![0; size]).is_ok() {}
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.path.join("ballast").exists()
    }

    fn free(&self) -> anyhow::Result<()> {
        if self.is_full() { Ok(fs::remove_file(self.path.join("ballast"))?) } else { Ok(()) }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
        }
    }
}

/// What a power cut or a worn disk does to a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// Bytes behind the end that nobody meant.
    Rubbish,
    /// One bit within an event is another.
    Flip,
    /// Everything from within an event on is gone.
    Cut,
}

pub struct Site {
    pub edge: Option<Daemon>,
    pub hub: Option<Daemon>,
    /// Its server; none where the hub keeps everything in SQLite.
    pub database: Option<Database>,
    pub proxy: Proxy,
    pub recorded: Vec<Recorded>,
    /// Of the present hub process.
    pub web: String,
    /// Who asks the hub what it has.
    account: Option<Account>,
    /// fdatasync keeps nothing: to see whether a loss would be seen.
    pub disk_lies: bool,
    clock_s: i64,
    starts: u64,
    seed: u64,
    /// What the edge's logs say of its outbox, for whoever looks into a run that is not well.
    said: Vec<String>,
    forgetful: Forgetful,
    edge_disk: Disk,
    hub_disk: Disk,
    // Last, so that it is removed last.
    dir: TempDir,
}

impl Site {
    pub fn start(seed: u64) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("gatepost-chaos-")?;
        let edge_disk = Disk::new(dir.path().join("edge"))?;
        let hub_disk = Disk::new(dir.path().join("hub"))?;
        let boxes = port::free()?;
        let proxy = Proxy::before(boxes)?;
        let forgetful = Forgetful::build(dir.path(), &edge_disk.path.join("data"))?;
        let database =
            Postgres::is_wanted().then(|| Database::start(dir.path(), &hub_disk.path)).transpose()?;
        let config = hub_config(&hub_disk.path, boxes, database.as_ref());
        fs::write(dir.path().join("hub.toml"), config)?;
        let mut site = Self {
            edge: None,
            hub: None,
            database,
            proxy,
            recorded: Vec::new(),
            web: String::new(),
            account: None,
            disk_lies: false,
            clock_s: 0,
            starts: 0,
            seed,
            said: Vec::new(),
            forgetful,
            edge_disk,
            hub_disk,
            dir,
        };
        site.start_hub()?;
        site.enrol()?;
        Ok(site)
    }

    /// What passes the proxy is TLS, so a byte lost or changed on the way is noticed by it.
    fn enrol(&self) -> anyhow::Result<()> {
        let hub = self.hub.as_ref().context("no hub runs")?;
        let line = hub.wait_for_line(START, |line| line.contains("enrolment listening"))?;
        let url = line.split("address=").nth(1).context("the enrolment's address")?.trim();
        let config = self.dir.path().join("edge.toml");
        fs::write(&config, edge_config(&self.edge_disk.path, self.proxy.port(), url))?;
        let mut order = Command::new(binary("gatepost-hub")?);
        order.args(["device", "enrol", "gate-1", "--config"]).arg(self.dir.path().join("hub.toml"));
        let code = order.output()?;
        ensure!(code.status.success(), "device enrol: {}", String::from_utf8_lossy(&code.stderr));
        let file = self.dir.path().join("code");
        fs::write(&file, code.stdout)?;
        let mut bring = Command::new(binary("gatepost-edge")?);
        bring.args(["enrol", "--config"]).arg(config).stdin(File::open(file)?);
        let brought = bring.output()?;
        ensure!(brought.status.success(), "enrol: {}", String::from_utf8_lossy(&brought.stderr));
        Ok(())
    }

    pub fn has_small_disks(&self) -> bool {
        self.edge_disk.is_mounted && self.hub_disk.is_mounted
    }

    pub fn start_hub(&mut self) -> anyhow::Result<()> {
        if self.hub.is_none() {
            let launch = Launch::new(binary("gatepost-hub")?).args(["run", "--config"]);
            let hub = launch.arg(self.dir.path().join("hub.toml")).spawn()?;
            // The last thing it opens. With that port taken it ends, after it has named its web address.
            hub.wait_for_line(START, |line| line.contains("broker listening for boxes"))?;
            let line = hub.wait_for_line(START, |line| line.contains("web listening"))?;
            self.web = line.split("address=").nth(1).context("the hub's address")?.trim().to_owned();
            match &self.account {
                Some(account) => account.use_at(&self.web),
                None => {
                    let config = self.dir.path().join("hub.toml");
                    self.account = Some(Account::everything(binary("gatepost-hub")?, &config, &self.web)?);
                }
            }
            self.hub = Some(hub);
        }
        Ok(())
    }

    pub fn kill_hub(&mut self) -> anyhow::Result<()> {
        self.hub.take().map_or(Ok(()), |mut hub| Ok(hub.kill()?))
    }

    /// Does nothing on a full disk, where it may well refuse to start.
    pub fn start_edge(&mut self) -> anyhow::Result<()> {
        if self.edge.is_none() && !self.edge_disk.is_full() {
            self.starts += 1;
            let seed = self.seed.wrapping_mul(1000).wrapping_add(self.starts);
            let mut launch = Launch::new(std::env::current_exe()?)
                .arg("eyeless")
                .arg(self.dir.path().join("edge.toml"))
                .arg("120")
                .arg(seed.to_string())
                .env("FORGETFUL_CLOCK_S", self.clock_s.to_string());
            for (key, value) in self.forgetful.environment()? {
                launch = launch.env(key, value);
            }
            if self.disk_lies {
                launch = launch.env("FORGETFUL_LIES", "1");
            }
            let edge = launch.spawn()?;
            edge.wait_for_line(START, |line| line.contains("\"started\""))?;
            self.edge = Some(edge);
        }
        Ok(())
    }

    /// Until the running edge has recorded so many events.
    pub fn wait_for_recorded(&self, events: usize) -> anyhow::Result<()> {
        let edge = self.edge.as_ref().context("no edge runs")?;
        let until = Instant::now() + START;
        while recorded_in(&edge.log()).len() < events {
            ensure!(Instant::now() < until, "the edge records too few events:\n{}", edge.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// SIGKILL; what its log called recorded is remembered.
    pub fn kill_edge(&mut self) -> anyhow::Result<()> {
        if let Some(mut edge) = self.edge.take() {
            edge.kill()?;
            self.remember(&edge);
        }
        Ok(())
    }

    /// SIGTERM; it ends once everything is delivered.
    pub fn stop_edge(&mut self) -> anyhow::Result<()> {
        if let Some(mut edge) = self.edge.take() {
            let status = edge.terminate(Duration::from_secs(180))?;
            self.remember(&edge);
            ensure!(status.success(), "{status}:\n{}", edge.log());
        }
        Ok(())
    }

    fn remember(&mut self, edge: &Daemon) {
        let log = edge.log();
        self.recorded.extend(recorded_in(&log));
        let telling = log.lines().filter(|line| line.contains("\"started\"") || line.contains("outbox"));
        self.said.extend(telling.map(str::to_owned));
    }

    /// Asks the hub what it has of what was recorded, until it has everything.
    pub fn verdict(&self, patience: Duration) -> anyhow::Result<Verdict> {
        let asked = Verdict::reach(&self.web, &self.recorded, patience);
        let hub = || self.hub.as_ref().map_or_else(String::new, Daemon::log);
        let verdict = asked.with_context(|| format!("the hub cannot be asked; it wrote:\n{}", hub()))?;
        if let Some(folder) = std::env::var_os(KEEP).filter(|_| !verdict.is_unharmed()) {
            let to = Path::new(&folder).join(format!("{}-{}", self.seed, self.recorded.len()));
            fs::create_dir_all(&to)?;
            let copied = Command::new("cp").arg("-a").arg(&self.edge_disk.path).arg(&to).status()?;
            ensure!(copied.success(), "{}: {copied}", to.display());
        }
        Ok(Verdict { said: self.said.clone(), ..verdict })
    }

    pub fn cut_power(&mut self) -> anyhow::Result<()> {
        self.kill_edge()?;
        // What is kept is copied to this disk.
        self.edge_disk.free()?;
        self.forgetful.cut_power()
    }

    /// The next start of the edge finds the system clock off by so much.
    pub fn step_clock(&mut self, seconds: i64) {
        self.clock_s = seconds;
    }

    pub fn fill_edge_disk(&self) -> anyhow::Result<()> {
        self.edge_disk.fill()
    }

    pub fn fill_hub_disk(&self) -> anyhow::Result<()> {
        self.hub_disk.fill()
    }

    pub fn free_disks(&self) -> anyhow::Result<()> {
        self.edge_disk.free().and_then(|()| self.hub_disk.free())
    }

    /// Damages the newest log. The edge must be dead.
    pub fn tear_tail(&self, tear: Tear, rng: &mut fastrand::Rng) -> anyhow::Result<()> {
        if self.edge_disk.is_full() {
            // Nothing can be written there, and trying would destroy what is.
            return Ok(());
        }
        let Some(path) = self.newest_log() else {
            // A power cut may have left none.
            ensure!(tear == Tear::Rubbish, "the outbox has no log");
            return Ok(());
        };
        let mut bytes = fs::read(&path)?;
        match tear {
            Tear::Rubbish => {
                let rubbish = rng.usize(1..4000);
                let Some(free) = behind_the_end(&bytes) else { return Ok(()) };
                let free = free.start..free.end.min(free.start + rubbish);
                bytes.resize(bytes.len().max(free.end), 0);
                bytes[free].fill_with(|| rng.u8(..));
            }
            Tear::Flip => {
                let at = inside_an_event(&bytes, rng)?;
                bytes[at] ^= 1 << rng.u32(0..8);
            }
            Tear::Cut => bytes.truncate(inside_an_event(&bytes, rng)?),
        }
        Ok(fs::write(path, bytes)?)
    }

    fn newest_log(&self) -> Option<PathBuf> {
        let segments = fs::read_dir(self.edge_disk.path.join("data/outbox")).ok()?;
        let logs = segments.filter_map(|segment| Some(segment.ok()?.path().join("db")));
        logs.filter(|log| log.exists()).max()
    }
}

/// Where nothing of a log stands yet. sled writes it in parts of one size, which lie in the file in any order, and fills a part that
/// is full with zeros: what is written next goes into the last one, and everything else in the file is written and synced.
fn behind_the_end(log: &[u8]) -> Option<Range<usize>> {
    let parts = log.chunks(PART).enumerate().filter_map(|(n, part)| Some((number_of_part(part)?, n * PART)));
    let (_, base) = parts.max()?;
    let part = &log[base..log.len().min(base + PART)];
    let used = part.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let free = base + used + RECORD_ENDS_WITH_ZEROS..base + PART;
    (!free.is_empty()).then_some(free)
}

/// How far the log had grown when this part was begun; none where the part is not used.
fn number_of_part(part: &[u8]) -> Option<i64> {
    let (crc, rest) = part.split_first_chunk()?;
    let head: &[u8; 16] = rest.first_chunk()?;
    let (number, _) = head.split_first_chunk()?;
    let is_used = !crc32fast::hash(head) == u32::from_le_bytes(*crc);
    is_used.then_some(i64::from_le_bytes(*number) ^ i64::MAX)
}

/// Somewhere in one of the events of a log. sled writes an event more than once as its pages grow, so not every wound
/// destroys any.
fn inside_an_event(log: &[u8], rng: &mut fastrand::Rng) -> anyhow::Result<usize> {
    let frames = log.windows(FRAME.len()).enumerate().filter(|(_, bytes)| *bytes == FRAME);
    let frames: Vec<usize> = frames.map(|(at, _)| at).collect();
    let frame = rng.choice(frames).context("no event is in the outbox's log")?;
    Ok(frame + FRAME.len() + rng.usize(..FRAME_BYTES_AT_LEAST))
}

fn hub_config(disk: &Path, boxes: u16, database: Option<&Database>) -> String {
    let data = disk.join("data");
    let store = database.map(Database::config).unwrap_or_default();
    format!(
        "data_dir = {data:?}\n[broker]\nlisten = \"127.0.0.1:0\"\ntls_listen = \"127.0.0.1:{boxes}\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[enrolment]\nlisten = \"127.0.0.1:0\"\n[tls]\nnames = [\"127.0.0.1\"]\n{store}"
    )
}

fn edge_config(disk: &Path, broker: u16, enrolment: &str) -> String {
    let data = disk.join("data");
    format!(
        "edge = \"gate-1\"\ndata_dir = {data:?}\ndisk_reserve_mib = 1\n\
         [model]\nmanifest = \"none\"\nruntime = \"none\"\n\
         [uplink]\nbroker = \"mqtts://127.0.0.1:{broker}\"\nenrolment = {enrolment:?}\nhealth_every_s = 1\n\
         [[camera]]\nid = \"gate\"\nurl = \"rtsp://127.0.0.1:9/none\"\n"
    )
}
