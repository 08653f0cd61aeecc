//! Talking with a camera's process while it works. Whoever talks never waits for it.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::thread::{Builder, JoinHandle};

use super::Process;
use super::message::{self, MessageError, Report};
use super::orders::Given;

/// A camera's process, which ends when this is dropped, and two threads that talk with it.
pub(in crate::source) struct Dialogue {
    process: Option<Process>,
    hearing: Option<JoinHandle<()>>,
}

impl Dialogue {
    /// Starts the process. On a thread of its own `listen` gets its reports, and then why there are no more.
    pub fn begin<F>(camera: &str, given: Given, mut listen: F) -> io::Result<Self>
    where
        F: FnMut(Heard) + Send + 'static,
    {
        let process = Process::start(camera)?;
        let (reports, orders) = (process.stream()?, process.stream()?);
        // It ends with the process, and with whoever orders.
        Builder::new().name("camera-out".into()).spawn(move || {
            // That the process has ended is heard on the other thread.
            let _ = given.pass_on(orders);
        })?;
        let hearing = Builder::new().name("camera-in".into()).spawn(move || hear(reports, &mut listen))?;
        Ok(Self { process: Some(process), hearing: Some(hearing) })
    }

    /// How the process ended by itself.
    pub fn how_it_ended(&mut self) -> String {
        self.process.as_mut().map(Process::how_it_ended).unwrap_or_default()
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // Ends both threads' streams.
        self.process = None;
        // Nothing of this connection may come after the next one began.
        if self.hearing.take().is_some_and(|hearing| hearing.join().is_err()) {
            tracing::error!("the thread that hears a camera's process panicked");
        }
    }
}

/// What the process says.
pub(in crate::source) enum Heard {
    /// A report, and the picture it is about.
    Report(Report, Vec<u8>),
    /// It has ended.
    Nothing,
    /// It says what makes no sense.
    Nonsense(MessageError),
}

fn hear(from: UnixStream, listen: &mut impl FnMut(Heard)) {
    let mut from = BufReader::new(from);
    loop {
        match message::read(&mut from) {
            Ok(Some((report, data))) => listen(Heard::Report(report, data)),
            // Whoever crashes does so in the middle of a sentence.
            Ok(None) | Err(MessageError::Io(_)) => return listen(Heard::Nothing),
            Err(nonsense) => return listen(Heard::Nonsense(nonsense)),
        }
    }
}
