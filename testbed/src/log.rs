//! What a child process writes, line by line, in memory and optionally in a file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Shared by the reader threads and whoever waits for a line.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    readers: usize,
    file: Option<File>,
}

/// Why no line was found.
pub(crate) enum NoLine {
    /// Nobody can write any more.
    Ended,
    /// The time is over.
    Timeout,
}

impl Log {
    pub(crate) fn with_file(file: Option<File>) -> Self {
        let log = Log::default();
        log.state().file = file;
        log
    }

    // A panic while the lock is held leaves the lines intact, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads `stream` to its end in a thread of its own.
    pub(crate) fn follow(&self, stream: impl Read + Send + 'static) {
        self.state().readers += 1;
        let log = self.clone();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut raw = Vec::new();
            while matches!(stream.read_until(b'\n', &mut raw), Ok(1..)) {
                log.add(String::from_utf8_lossy(&raw).trim_end().to_owned());
                raw.clear();
            }
            log.state().readers -= 1;
            log.0.changed.notify_all();
        });
    }

    fn add(&self, line: String) {
        let mut state = self.state();
        if let Some(file) = &mut state.file {
            // The file is a convenience; the memory is what tests judge by.
            let _ = writeln!(file, "{line}");
        }
        state.lines.push(line);
        self.0.changed.notify_all();
    }

    pub(crate) fn len(&self) -> usize {
        self.state().lines.len()
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.state().lines.join("\n");
        text.push('\n');
        text
    }

    /// First line from number `from` on that `wanted` accepts, waiting for it.
    pub(crate) fn wait_for(
        &self,
        from: usize,
        timeout: Duration,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<String, NoLine> {
        let deadline = Instant::now() + timeout;
        let mut seen = from;
        let mut state = self.state();
        loop {
            if let Some(found) = state.lines.iter().skip(seen).find(|line| wanted(line)) {
                return Ok(found.clone());
            }
            seen = seen.max(state.lines.len());
            if state.readers == 0 {
                return Err(NoLine::Ended);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoLine::Timeout);
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until all output is read, which it is soon after the process is dead.
    pub(crate) fn drain(&self, timeout: Duration) {
        let _ = self.wait_for(self.len(), timeout, |_| false);
    }
}
