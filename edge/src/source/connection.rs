//! One connection to a camera: what is received, what of it is decoded, and what comes out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;

use super::attention::Attention;
use super::decode::{Choice, LiveDecoder};
use super::encoded::Encoded;
use super::fault::explain;
use super::gauge::CameraGauge;
use super::hint::SizeHint;
use super::limits::Limits;
use super::receive::Reception;
use super::ring::Ring;
use super::rtsp::Login;
use super::selection::Selection;
use super::{Frame, Rate};
use crate::clock::Clock;
use crate::config::Camera;

/// A hint of movement is worth so much attention; whether there is somebody, the pictures will show.
const HINT_LASTS: Duration = Duration::from_secs(2);
/// A decoder that failed so often without a picture in between will not do better.
const MOST_FAILURES: u32 = 3;
/// A bus that is asked without any patience was seen to hold its message back.
const A_MOMENT: gst::ClockTime = gst::ClockTime::from_mseconds(1);

/// What a camera's connections have in common.
pub(super) struct Line<F> {
    pub camera: Camera,
    pub gauge: Arc<CameraGauge>,
    pub attention: Arc<Attention>,
    pub ring: Arc<Ring>,
    pub clock: Arc<Clock>,
    pub on_frame: F,
    /// The hardware's decoder makes nothing of what this camera sends.
    pub software_only: AtomicBool,
}

/// A running connection, closed when dropped.
pub(super) struct Connection<F> {
    // Closed before what it feeds.
    reception: Reception,
    limits: Arc<Limits>,
    desk: Arc<Mutex<Desk>>,
    line: Arc<Line<F>>,
    failures: u32,
    decoded_at_failure: Option<Instant>,
}

/// How a connection ended without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

/// Where it is decided what is decoded; GStreamer's receiving thread works here.
struct Desk {
    selection: Selection,
    hint: SizeHint,
    decoder: LiveDecoder,
}

impl<F: Fn(Frame) + Send + Sync + 'static> Connection<F> {
    /// Connects; what goes wrong later is told by [`Connection::wait`].
    pub fn open(line: &Arc<Line<F>>, login: Option<&Login>) -> Result<Self, String> {
        let camera = &line.camera;
        line.gauge.connects();
        // Nobody knows what went on before.
        line.attention.wake(line.clock.now().0);
        line.ring.interrupt();
        let desk = Arc::new(Mutex::new(Desk {
            selection: Selection::new(camera.idle, camera.analysis_fps.period()),
            hint: SizeHint::default(),
            decoder: decoder(line)?,
        }));
        let limits = Arc::new(Limits::default());
        let (on_line, at_desk, within) = (Arc::clone(line), Arc::clone(&desk), Arc::clone(&limits));
        let reception = Reception::begin(camera, login, Arc::clone(&limits), move |sample| {
            let (at, _) = on_line.clock.now();
            if let Some(unit) = Encoded::new(sample, at).filter(|unit| within.admits(unit)) {
                locked(&at_desk).take(unit, &on_line);
            }
        });
        let reception = reception.map_err(|e| e.to_string())?;
        Ok(Self { reception, limits, desk, line: Arc::clone(line), failures: 0, decoded_at_failure: None })
    }

    /// Waits for a fault or the end, at most for `timeout`.
    pub fn wait(&mut self, timeout: gst::ClockTime) -> Result<Option<Ended>, String> {
        let url = self.line.camera.url.as_str();
        if let Some(message) = self.reception.wait(timeout) {
            return match message.view() {
                gst::MessageView::Error(error) => Err(explain(url, error)),
                _ => Ok(Some(Ended)),
            };
        }
        if let Some(excess) = self.limits.excess() {
            return Err(format!("{url}: {excess}"));
        }
        let failed = locked(&self.desk).decoder.wait(A_MOMENT);
        if let Some(message) = failed
            && let gst::MessageView::Error(error) = message.view()
        {
            self.replace_decoder(&explain(url, error))?;
        }
        self.line.gauge.decoder_is(locked(&self.desk).decoder.name());
        Ok(None)
    }

    /// The decoder made nothing of what came: the next connection decodes by software. If software does no better, the hardware gets its chance again.
    pub fn distrust_decoder(&self, reason: &str) {
        let hardware = {
            let decoder = &locked(&self.desk).decoder;
            decoder.name().filter(|_| decoder.is_hardware())
        };
        if let Some(hardware) = &hardware {
            tracing::warn!(camera = %self.line.camera.id, "{hardware} is not used for this camera: {reason}");
        }
        self.line.software_only.store(hardware.is_some(), Ordering::Relaxed);
    }

    /// What breaks a decoder is damaged video. The connection is as good as before, so only the decoder begins
    /// anew, at the next key frame.
    fn replace_decoder(&mut self, reason: &str) -> Result<(), String> {
        let decoded = self.line.gauge.last_decoded();
        self.failures = if decoded == self.decoded_at_failure { self.failures + 1 } else { 1 };
        self.decoded_at_failure = decoded;
        if self.failures > MOST_FAILURES {
            self.distrust_decoder(reason);
            return Err(reason.to_owned());
        }
        tracing::debug!(camera = %self.line.camera.id, "{reason}; decoding anew");
        let fresh = decoder(&self.line)?;
        let mut desk = locked(&self.desk);
        desk.selection.lose();
        let broken = std::mem::replace(&mut desk.decoder, fresh);
        // Stopping it takes a moment, in which pictures may come.
        drop(desk);
        drop(broken);
        Ok(())
    }
}

impl Desk {
    fn take<F>(&mut self, unit: Encoded, line: &Line<F>) {
        let Line { gauge, attention, ring, clock, .. } = line;
        let at = unit.at;
        ring.push(&unit);
        if !unit.key && self.hint.moves(unit.bytes()) {
            attention.wake_for(at, HINT_LASTS);
        }
        let mut kept_up = true;
        self.selection.take(unit, attention.is_awake(at), |unit| {
            gauge.decodes();
            kept_up &= self.decoder.push(&unit);
        });
        if !kept_up {
            // A late frame is worthless: what it cannot do in time it begins anew with.
            self.selection.lose();
        }
        gauge.unit_came(clock.utc(at), self.selection.is_partial());
    }
}

/// A decoder whose pictures go to whoever watches this line, as many as are wanted.
fn decoder<F: Fn(Frame) + Send + Sync + 'static>(line: &Arc<Line<F>>) -> Result<LiveDecoder, String> {
    let software = line.software_only.load(Ordering::Relaxed);
    let line = Arc::clone(line);
    let mut rate = Rate::of_arrivals(line.camera.analysis_fps.period());
    let mut last = Duration::ZERO;
    let choice = if software { Choice::Software } else { Choice::Any };
    let decoder = LiveDecoder::start(choice, move |sample| {
        let came = sample.buffer().and_then(|buffer| buffer.pts()).map(Duration::from);
        // Pictures that were sent in another order than they are shown came in another order too.
        last = came.map_or(last, |came| came.max(last));
        let time = line.clock.utc(last);
        line.gauge.frame_came(time);
        if rate.takes(last)
            && let Some(frame) = Frame::new(&sample, last, time)
        {
            line.gauge.frame_taken();
            (line.on_frame)(frame);
        }
    });
    decoder.map_err(|e| e.to_string())
}

fn locked(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    // After a panic the choice is made anew with the next picture.
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
