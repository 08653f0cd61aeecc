//! The camera's process itself: takes orders until there are none.

use std::io::{self, BufReader, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use gatepost_wire::health::CameraFaultKind;
use gstreamer as gst;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::message::{self, MessageError, Order, Report};
use crate::source::decode::LiveDecoder;
use crate::source::fault::Fault;
use crate::source::pipeline::PipelineError;
use crate::source::receive::Reception;

/// A camera that has not let go after so long is left.
#[cfg(not(test))]
const GOODBYE_WITHIN: std::time::Duration = std::time::Duration::from_secs(3);
/// A decoder keeps up to 17 pictures of 16 megapixels; whoever needs more than this needs ever more.
const MOST_MEMORY_BYTES: u64 = 2 << 30;
/// Of all processes, one of these is to go first where memory runs out (proc(5)); the daemon stays at 0.
const OOM_SCORE: &str = "500";

/// Does what a daemon orders, who holds the other end of standard input. Returns when it has let go.
///
/// # Errors
/// Standard input is no such connection, or orders make no sense.
pub fn run() -> io::Result<()> {
    let memory = Rlimit { current: Some(MOST_MEMORY_BYTES), ..getrlimit(Resource::Data) };
    setrlimit(Resource::Data, memory)?;
    // Whoever looks at the list of processes would see `exe`, of `/proc/self/exe`.
    let _ = rustix::thread::set_name(c"gatepost-camera");
    // Without it the daemon is only less safe.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    serve(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// The same over any connection.
pub(super) fn serve(stream: UnixStream) -> io::Result<()> {
    gst::init().map_err(io::Error::other)?;
    let reports = Arc::new(Reports(Mutex::new(BufWriter::new(stream.try_clone()?))));
    let mut orders = BufReader::new(stream);
    let mut works = Works::default();
    let end = loop {
        match message::read(&mut orders) {
            Ok(Some((order, data))) => works.carry_out(order, data, &reports),
            Ok(None) | Err(MessageError::Io(_)) => break Ok(()),
            Err(error) => break Err(io::Error::other(error)),
        }
    };
    // A thread of unit tests ends by itself.
    #[cfg(not(test))]
    std::thread::spawn(|| {
        std::thread::sleep(GOODBYE_WITHIN);
        std::process::exit(0);
    });
    drop(works);
    end
}

#[derive(Default)]
struct Works {
    reception: Option<Reception>,
    decoder: Option<LiveDecoder>,
}

impl Works {
    fn carry_out(&mut self, order: Order, data: Vec<u8>, reports: &Arc<Reports>) {
        match order {
            Order::Receive(stream) => match Reception::begin(&stream, reports) {
                Ok(reception) => self.reception = Some(reception),
                Err(error) => reports.tell(&Report::Failed(cannot_begin(&error))),
            },
            Order::Decode(wanted) => {
                // The one before goes first: some hardware has only one.
                self.decoder = None;
                match LiveDecoder::start(wanted, reports) {
                    Ok(decoder) => self.decoder = Some(decoder),
                    Err(error) => reports.tell(&Report::DecoderFailed(cannot_begin(&error))),
                }
            }
            Order::Unit { format, key, at } => {
                if let Some(decoder) = &mut self.decoder {
                    decoder.push(&format, key, at, data);
                }
            }
            Order::End => {
                if let Some(decoder) = &self.decoder {
                    decoder.end();
                }
            }
        }
    }
}

fn cannot_begin(error: &PipelineError) -> Fault {
    Fault::new(CameraFaultKind::BoxFailed, error.to_string())
}

/// Where GStreamer's threads tell the daemon what they have. They wait while it has other things to do.
pub(in crate::source) struct Reports(Mutex<BufWriter<UnixStream>>);

impl Reports {
    pub fn tell(&self, report: &Report) {
        self.tell_with(report, &[]);
    }

    /// With the picture the report is about.
    pub fn tell_with(&self, report: &Report, picture: &[u8]) {
        let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A daemon that is gone is noticed where its orders come from.
        let _ = message::write(&mut *to, report, picture).and_then(|()| to.flush());
    }
}
