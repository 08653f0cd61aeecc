//! The one error type of the testbed. Its text is what a failing test prints, so it carries logs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What went wrong in a stand-in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, a process or a socket failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path or address.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// No free port was found.
    #[error("no free loopback port between {first} and {last}")]
    NoPort {
        /// First port tried.
        first: u16,
        /// Last port tried.
        last: u16,
    },
    /// A daemon of the workspace is not built.
    #[error("{name} is not in {}: `make test-rust` builds it", looked_in.display())]
    NotBuilt {
        /// Name of the binary.
        name: String,
        /// Directory it should be in.
        looked_in: PathBuf,
    },
    /// A program of the system is missing.
    #[error("`{0}` is not installed: run `setup/install.sh debian`")]
    NoProgram(&'static str),
    /// The Python that set-up brings is missing.
    #[error("{}: no Python there: run `setup/install.sh python-sensors`", .0.display())]
    NoPython(PathBuf),
    /// The test clip is missing.
    #[error("{}: no footage there: run `setup/install.sh footage`, or name a clip in GATEPOST_FOOTAGE", .0.display())]
    NoFootage(PathBuf),
    /// A clip cannot be opened.
    #[error("{}: the clip cannot be read: {source}", clip.display())]
    NoClip {
        /// The file.
        clip: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// A clip can be opened but not played.
    #[error("{}: the clip is no video that GStreamer can play: {why}", clip.display())]
    NotVideo {
        /// The file.
        clip: PathBuf,
        /// GStreamer's words.
        why: String,
    },
    /// The camera cannot do its work.
    #[error("camera, {what}: {why}")]
    Camera {
        /// What was being done.
        what: String,
        /// GStreamer's words.
        why: String,
    },
    /// Something awaited did not happen in time.
    #[error("{what} did not happen within {waited:?}")]
    Timeout {
        /// What was awaited.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// A daemon did not do what was awaited; its whole log follows.
    #[error("{program}: {problem}; its log:\n{log}")]
    Daemon {
        /// Name of the program.
        program: String,
        /// What it did not do.
        problem: String,
        /// Everything it wrote so far.
        log: String,
    },
    /// An HTTP request got no answer.
    #[error("{url}: {source}")]
    Http {
        /// Address asked.
        url: String,
        /// Why it failed.
        source: Box<ureq::Error>,
    },
    /// An HTTP request got an answer that is no success.
    #[error("{url}: HTTP {status}: {body}")]
    Status {
        /// Address asked.
        url: String,
        /// Status code.
        status: u16,
        /// Body of the answer as text.
        body: String,
    },
    /// An HTTP answer is not the JSON it should be.
    #[error("{url}: {source} in: {body}")]
    Json {
        /// Address asked.
        url: String,
        /// What does not fit.
        source: serde_json::Error,
        /// Body of the answer as text.
        body: String,
    },
    /// A server-sent-events stream ended.
    #[error("{0}: the event stream ended")]
    StreamEnded(String),
}

/// Result of the testbed.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` on I/O: says what was being done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }

    pub(crate) fn camera(what: impl Into<String>, why: impl ToString) -> Error {
        Error::Camera { what: what.into(), why: why.to_string() }
    }
}
