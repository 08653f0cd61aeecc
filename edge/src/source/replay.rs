//! Frames of what a ring held: decoded once more, in order, as fast as they are asked for.

use std::collections::VecDeque;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::Frame;
use super::encoded::Encoded;
use super::frame::Packed;
use super::process::{MessageError, Order, Process, Report, Wanted, read, write};
use super::ring::Cut;
use crate::clock::Clock;

/// Kept pictures cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The machine has no room for one more process.
    #[error("the process that decodes a clip cannot be started: {0}")]
    Start(io::Error),
    /// The decoder gives neither pictures nor a reason.
    #[error("the decoder gave no picture for {} s", PATIENCE.as_secs())]
    Hangs,
    /// What the camera sent was too much for it.
    #[error("what the camera sent ended the process that decodes it ({0})")]
    Crashed(String),
    /// It was taken over.
    #[error("the process that decodes a clip says what makes no sense: {0}")]
    Nonsense(String),
}

/// Longer than any decoder takes for a picture, on a machine that has other work.
const PATIENCE: Duration = Duration::from_secs(60);

/// Frames of a cut.
pub struct Replay<'c> {
    clock: &'c Clock,
    /// Each of one format: a camera may change its picture's size, or be another one after it was away.
    parts: VecDeque<Vec<Encoded>>,
    /// A part is in the hands of the decoder.
    decoding: bool,
    packed: Packed,
    orders: BufWriter<UnixStream>,
    reports: BufReader<UnixStream>,
    process: Process,
}

impl<'c> Replay<'c> {
    /// Frames get their times as live ones do; `camera` names the process that decodes.
    ///
    /// # Errors
    /// [`ReplayError::Start`].
    pub fn of(cut: &Cut, camera: &str, clock: &'c Clock) -> Result<Self, ReplayError> {
        // Between key frames a parser may learn more about one and the same format.
        let goes_on = |a: &Encoded, b: &Encoded| !b.key || a.format == b.format;
        let parts = cut.units.chunk_by(goes_on).map(<[Encoded]>::to_vec).collect();
        let process = Process::start(camera).map_err(ReplayError::Start)?;
        let stream = || process.stream().map_err(ReplayError::Start);
        let (orders, reports) = (BufWriter::new(stream()?), BufReader::new(stream()?));
        // Of the connection, both ways.
        reports.get_ref().set_read_timeout(Some(PATIENCE)).map_err(ReplayError::Start)?;
        reports.get_ref().set_write_timeout(Some(PATIENCE)).map_err(ReplayError::Start)?;
        Ok(Self { clock, parts, decoding: false, packed: Packed::default(), orders, reports, process })
    }

    /// The next frame; none after the last. What is damaged is left out.
    ///
    /// # Errors
    /// [`ReplayError`]; then there is nothing more to be had.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ReplayError> {
        loop {
            if !self.decoding {
                let Some(part) = self.parts.pop_front() else { return Ok(None) };
                self.order(&part).map_err(|error| self.fault(error.into()))?;
                self.decoding = true;
            }
            match read(&mut self.reports) {
                Ok(Some((Report::Picture { layout, at }, picture))) => {
                    let at = self.clock.past(at);
                    let frame = self.packed.frame(picture, layout, at, self.clock.utc(at));
                    return frame.map(Some).map_err(|error| ReplayError::Nonsense(error.to_string()));
                }
                Ok(Some((Report::DecoderEnded, _))) => self.decoding = false,
                Ok(Some((Report::DecoderFailed(fault), _))) => {
                    tracing::debug!("a part of a clip cannot be decoded: {}", fault.reason);
                    self.decoding = false;
                }
                Ok(Some(_)) => {}
                Ok(None) => return Err(ReplayError::Crashed(self.process.how_it_ended())),
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    /// The process takes all of it before it has to be listened to.
    fn order(&mut self, part: &[Encoded]) -> io::Result<()> {
        write(&mut self.orders, &Order::Decode(Wanted::Kept), &[])?;
        for unit in part {
            write(&mut self.orders, &Order::unit(unit), &unit.data)?;
        }
        write(&mut self.orders, &Order::End, &[])?;
        self.orders.flush()
    }

    fn fault(&mut self, error: MessageError) -> ReplayError {
        match error {
            MessageError::Io(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                ReplayError::Hangs
            }
            MessageError::Io(_) => ReplayError::Crashed(self.process.how_it_ended()),
            nonsense => ReplayError::Nonsense(nonsense.to_string()),
        }
    }
}
