//! The file that says how the areas stood, and how long ago. It is written anew as a whole, and on the disk before the event is
//! that tells of the change: a box that comes back knows at least as much as it told.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::arm::Elapsed;
use crate::grade::Kept;

/// The file.
pub(super) struct StandingFile {
    path: PathBuf,
}

/// What is in it.
#[derive(Serialize, Deserialize)]
struct Standing {
    /// Which start of the machine it was written in, and when in it.
    machine: MachineTime,
    time: Timestamp,
    kept: Kept,
}

/// A moment of a machine's life: its clock runs on while the daemon does not, and nobody can set it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MachineTime {
    boot: String,
    up: Duration,
}

impl MachineTime {
    fn now() -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        let uptime = fs::read_to_string("/proc/uptime")?;
        let seconds = uptime.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        let up = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(Self { boot, up: up.ok_or_else(|| io::Error::other(format!("/proc/uptime says {uptime:?}")))? })
    }
}

impl StandingFile {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// How the areas stood, if the file is there and whole. One that is not is kept beside its place.
    pub(super) fn load(&self, now: Timestamp) -> io::Result<Option<(Kept, Elapsed)>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        match serde_json::from_str::<Standing>(&text) {
            Ok(standing) => {
                let elapsed = standing.elapsed(&MachineTime::now()?, now);
                Ok(Some((standing.kept, elapsed)))
            }
            Err(error) => {
                let aside = self.path.with_extension("json.damaged");
                fs::rename(&self.path, &aside)?;
                tracing::error!(
                    "{}: it does not say how the areas stood ({error}); it is kept as {}, and the areas start as \
                     configured",
                    self.path.display(),
                    aside.display()
                );
                Ok(None)
            }
        }
    }

    /// Returns once it would survive a power cut.
    pub(super) fn save(&self, kept: Kept, now: Timestamp) -> io::Result<()> {
        let standing = Standing { machine: MachineTime::now()?, time: now, kept };
        let new = self.path.with_extension("json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&standing)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Standing {
    fn elapsed(&self, machine: &MachineTime, now: Timestamp) -> Elapsed {
        if self.machine.boot == machine.boot {
            Elapsed::Counted(machine.up.saturating_sub(self.machine.up))
        } else {
            // A clock that was set back says nothing; what lasts then lasts as long as it had to.
            Elapsed::PowerCut(now.duration_since(self.time).try_into().unwrap_or(Duration::ZERO))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        serde_json::from_value(serde_json::json!({ "areas": [], "waiting": [] })).unwrap()
    }

    #[test]
    fn what_was_saved_is_loaded_and_time_went_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = StandingFile::at(folder.path().join("arming.json"));
        let now = Timestamp::now();
        assert!(file.load(now).unwrap().is_none());
        file.save(kept(), now).unwrap();
        file.save(kept(), now).unwrap();
        let (loaded, elapsed) = file.load(now - jiff::SignedDuration::from_hours(1)).unwrap().unwrap();
        assert_eq!(loaded, kept());
        assert!(matches!(elapsed, Elapsed::Counted(gone) if gone < Duration::from_secs(3600)), "{elapsed:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn after_a_power_cut_only_the_clock_on_the_wall_tells() {
        let up = Duration::from_secs(100);
        let machine = |boot: &str| MachineTime { boot: boot.into(), up };
        let now = Timestamp::now();
        let standing = Standing { machine: machine("a"), time: now, kept: kept() };
        let later = now + Duration::from_secs(60);
        assert_eq!(standing.elapsed(&machine("b"), later), Elapsed::PowerCut(Duration::from_secs(60)));
        let earlier = now - jiff::SignedDuration::from_hours(1);
        assert_eq!(standing.elapsed(&machine("b"), earlier), Elapsed::PowerCut(Duration::ZERO));
        assert_eq!(standing.elapsed(&machine("a"), earlier), Elapsed::Counted(Duration::ZERO));
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = StandingFile::at(folder.path().join("arming.json"));
        fs::write(file.path(), "{\"machine\":").unwrap();
        assert!(file.load(Timestamp::now()).unwrap().is_none());
        assert!(!file.path().exists() && folder.path().join("arming.json.damaged").exists());
    }
}
