//! A serial line: two pseudo-terminals with a wire between them. The near one is found by a name of its own, as udev gives to
//! adapters, and can be unplugged and plugged in again, which makes it another device file.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tempfile::TempDir;

use crate::{Error, Result};

/// How long a byte may lie in the wire.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A serial line. Dropping it unplugs both ends.
pub struct SerialLine {
    near: Arc<Mutex<Option<End>>>,
    far: PathBuf,
    name: PathBuf,
    stopping: Arc<AtomicBool>,
    wire: Option<JoinHandle<()>>,
    _dir: TempDir,
}

/// One end of the wire, and the device file somebody opens. That is kept open here too: without anybody there, reading
/// fails.
struct End {
    wire: File,
    device: PathBuf,
    _kept: OwnedFd,
}

impl SerialLine {
    /// A line whose adapter is plugged in.
    pub fn start() -> Result<Self> {
        let dir = TempDir::with_prefix("gatepost-serial-").map_err(Error::io("a temporary directory"))?;
        let far = End::new()?;
        let mut line = Self {
            near: Arc::default(),
            far: far.device.clone(),
            name: dir.path().join("usb-adapter-if00-port0"),
            stopping: Arc::default(),
            wire: None,
            _dir: dir,
        };
        let (near, stopping) = (Arc::clone(&line.near), Arc::clone(&line.stopping));
        line.wire = Some(thread::spawn(move || carry(&near, far, &stopping)));
        line.plug_in()?;
        Ok(line)
    }

    /// The name the adapter keeps.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The device file at the far end.
    pub fn far(&self) -> &Path {
        &self.far
    }

    /// The device file that has the name now.
    pub fn device(&self) -> Option<PathBuf> {
        self.near().as_ref().map(|end| end.device.clone())
    }

    /// Takes the adapter out: its device is gone, and so is its name.
    pub fn unplug(&self) -> Result<()> {
        std::fs::remove_file(&self.name).map_err(Error::io(self.name.display().to_string()))?;
        *self.near() = None;
        Ok(())
    }

    /// Puts it in again.
    pub fn plug_in(&self) -> Result<()> {
        let end = End::new()?;
        symlink(&end.device, &self.name).map_err(Error::io(self.name.display().to_string()))?;
        *self.near() = Some(end);
        Ok(())
    }

    fn near(&self) -> std::sync::MutexGuard<'_, Option<End>> {
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SerialLine {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(wire) = self.wire.take() {
            let _ = wire.join();
        }
    }
}

impl End {
    fn new() -> Result<Self> {
        let failed = |errno: rustix::io::Errno| Error::io("a pseudo-terminal")(errno.into());
        let wire = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map_err(failed)?;
        grantpt(&wire).map_err(failed)?;
        unlockpt(&wire).map_err(failed)?;
        let name = ptsname(&wire, Vec::new()).map_err(failed)?;
        let device = PathBuf::from(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let kept = open(&device, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).map_err(failed)?;
        // A terminal would answer what it hears.
        let mut mode = tcgetattr(&kept).map_err(failed)?;
        mode.make_raw();
        tcsetattr(&kept, OptionalActions::Now, &mode).map_err(failed)?;
        rustix::io::ioctl_fionbio(&wire, true).map_err(failed)?;
        Ok(Self { wire: wire.into(), device, _kept: kept })
    }

    fn pass_on(&mut self, to: Option<&mut Self>) {
        let mut bytes = [0; 512];
        // Nothing there is an error here too.
        let Ok(count) = self.wire.read(&mut bytes) else { return };
        if let (Some(to), Some(bytes)) = (to, bytes.get(..count)) {
            // What nobody reads any more is lost, as on a wire.
            let _ = to.wire.write_all(bytes);
        }
    }
}

fn carry(near: &Mutex<Option<End>>, mut far: End, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Relaxed) {
        {
            let mut near = near.lock().unwrap_or_else(PoisonError::into_inner);
            far.pass_on(near.as_mut());
            if let Some(near) = near.as_mut() {
                near.pass_on(Some(&mut far));
            }
        }
        thread::sleep(LOOK_EVERY);
    }
}
