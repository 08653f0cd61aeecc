//! A disk that is soon full.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A small file system in memory; unmounted when dropped.
pub struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// None, with the reason printed, where it cannot be mounted.
    pub fn mount(size: &str) -> Option<Self> {
        let dir = TempDir::with_prefix("gatepost-disk-").unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o"]).arg(format!("size={size}")).arg("tmpfs").arg(dir.path());
        let failure = match mount.output() {
            Ok(output) if output.status.success() => return Some(Self { dir }),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("skipped: a small tmpfs cannot be mounted here (root is needed): {failure}");
        None
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Takes every free byte.
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        for size in [65536, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A daemon still dying may hold it; lazily it goes all the same.
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}
