//! Receiving and decoding happen in a process of their own for each camera. Both take apart bytes of somebody
//! else's making, with a million lines of C; where they fail, only this camera's process ends.

mod dialogue;
mod message;
mod orders;
mod serve;

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

pub(super) use dialogue::{Dialogue, Heard};
pub(super) use message::{
    Decoders, Login, MessageError, Order, Password, Report, Stream, Wanted, read, write,
};
pub(super) use orders::{Orders, orders};
pub(super) use serve::Reports;
pub use serve::run;

/// The camera is told goodbye, which takes it a moment; then the process ends by itself.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A camera's process, which ends when this is dropped.
pub(super) struct Process {
    stream: UnixStream,
    peer: Option<Peer>,
}

impl Process {
    /// Starts it; `camera` names it for whoever looks at the list of processes.
    pub fn start(camera: &str) -> io::Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        Ok(Self { stream, peer: Some(Peer::start(camera, theirs)?) })
    }

    /// One end of the connection with it. Ends when the process does, or this is dropped.
    pub fn stream(&self) -> io::Result<UnixStream> {
        self.stream.try_clone()
    }

    /// How it ended by itself.
    pub fn how_it_ended(&mut self) -> String {
        let ended = self.peer.as_mut().and_then(|peer| peer.wait(Duration::from_secs(1)));
        ended.unwrap_or_else(|| "it closed the connection".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails where the other side has ended already.
        let _ = self.stream.shutdown(Shutdown::Both);
        let Some(mut peer) = self.peer.take() else { return };
        // Nobody has to wait until a camera lets go. Where there is no thread for that, it is killed at once.
        let end = move || drop(peer.wait(ENDS_WITHIN));
        let _ = thread::Builder::new().name("camera-end".into()).spawn(end);
    }
}

/// The other side; killed when dropped, if it still runs.
#[cfg(not(test))]
struct Peer(std::process::Child);

#[cfg(not(test))]
impl Peer {
    fn start(camera: &str, stream: UnixStream) -> io::Result<Self> {
        use std::os::fd::OwnedFd;
        use std::os::unix::process::CommandExt;
        use std::process::{Command, Stdio};

        // The program that runs, even if another was installed in its place.
        let child = Command::new("/proc/self/exe")
            .arg0("gatepost-edge")
            .args(["camera", camera])
            .stdin(Stdio::from(OwnedFd::from(stream)))
            .stdout(Stdio::null())
            // Ctrl-C is for the daemon, which ends its cameras in its own time.
            .process_group(0)
            .spawn()?;
        Ok(Self(child))
    }

    fn wait(&mut self, timeout: Duration) -> Option<String> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(status.to_string());
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[cfg(not(test))]
impl Drop for Peer {
    fn drop(&mut self) {
        // Nothing where it has ended; nothing can be done where this fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In unit tests, whose program is not the daemon's, a thread.
#[cfg(test)]
struct Peer(thread::JoinHandle<io::Result<()>>);

#[cfg(test)]
impl Peer {
    fn start(_: &str, stream: UnixStream) -> io::Result<Self> {
        thread::Builder::new().spawn(move || serve::serve(stream)).map(Self)
    }

    fn wait(&mut self, timeout: Duration) -> Option<String> {
        let deadline = Instant::now() + timeout;
        while !self.0.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}
