//! One connection to a camera: what is received, what of it is decoded, and what comes out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatepost_wire::health::CameraFaultKind;

use super::Frame;
use super::attention::Attention;
use super::encoded::Encoded;
use super::fault::Fault;
use super::frame::Packed;
use super::gauge::CameraGauge;
use super::hint::SizeHint;
use super::layout::Layout;
use super::limits::MOST_UNIT_BYTES;
use super::process::{Decoders, Dialogue, Heard, Login, Order, Orders, Report, Stream, Wanted, orders};
use super::ring::Ring;
use super::selection::Selection;
use crate::clock::Clock;
use crate::config::Camera;

/// A hint of movement is worth so much attention; whether there is somebody, the pictures will show.
const HINT_LASTS: Duration = Duration::from_secs(2);
/// A decoder that failed so often without a picture in between will not do better.
const MOST_FAILURES: u32 = 3;

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
    dialogue: Dialogue,
    desk: Arc<Mutex<Desk>>,
    ends: Receiver<End>,
    line: Arc<Line<F>>,
    failures: u32,
    decoded_at_failure: Option<Instant>,
}

/// How a connection ended without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

/// How a connection, or its decoder, ended; faults in words for a person.
enum End {
    Reached,
    Failed(Fault),
    DecoderFailed(Fault),
    /// The process ended by itself.
    Gone,
}

/// Where it is decided what is decoded.
struct Desk {
    selection: Selection,
    hint: SizeHint,
    orders: Orders,
    /// Format of the last encoded picture, which the next most likely shares.
    format: Arc<str>,
    packed: Packed,
    hardware_decoder: Option<String>,
    ends: Sender<End>,
}

impl<F: Fn(Frame) + Send + Sync + 'static> Connection<F> {
    /// Connects; what goes wrong later is told by [`Connection::wait`].
    pub fn open(line: &Arc<Line<F>>, login: Option<Login>) -> Result<Self, Fault> {
        let camera = &line.camera;
        line.gauge.connects();
        // Nobody knows what went on before.
        line.attention.wake(line.clock.now().0);
        line.ring.interrupt();
        let (tell, ends) = mpsc::channel();
        let (orders, given) = orders();
        let desk = Arc::new(Mutex::new(Desk::new(camera, orders, tell)));
        let (at_desk, on_line) = (Arc::clone(&desk), Arc::clone(line));
        let dialogue =
            Dialogue::begin(camera.id.as_str(), given, move |heard| hear(heard, &at_desk, &on_line));
        let dialogue = dialogue.map_err(|e| {
            Fault::new(CameraFaultKind::BoxFailed, format!("its process cannot be started: {e}"))
                .at(&camera.url)
        })?;
        let this =
            Self { dialogue, desk, ends, line: Arc::clone(line), failures: 0, decoded_at_failure: None };
        let stream = Stream { url: camera.url.clone(), transport: camera.transport, login };
        this.order(decode(line))?;
        this.order(Order::Receive(stream))?;
        Ok(this)
    }

    /// Waits for a fault or the end, at most for `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<Ended>, Fault> {
        match self.ends.recv_timeout(timeout) {
            // The desk keeps the other end.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(None),
            Ok(End::Reached) => Ok(Some(Ended)),
            Ok(End::Failed(fault)) => Err(fault),
            Ok(End::DecoderFailed(fault)) => self.replace_decoder(fault).map(|()| None),
            Ok(End::Gone) => {
                let (url, how) = (&self.line.camera.url, self.dialogue.how_it_ended());
                let reason = format!("{url}: what it sends ended the process that takes it apart ({how})");
                self.distrust_decoder(&reason);
                Err(Fault::new(CameraFaultKind::Crashes, reason))
            }
        }
    }

    /// The decoder made nothing of what came: the next connection decodes by software. If software does no better, the hardware gets its chance again.
    pub fn distrust_decoder(&self, reason: &str) {
        let hardware = locked(&self.desk).hardware_decoder.clone();
        if let Some(hardware) = &hardware {
            tracing::warn!(camera = %self.line.camera.id, "{hardware} is not used for this camera: {reason}");
        }
        self.line.software_only.store(hardware.is_some(), Ordering::Relaxed);
    }

    /// What breaks a decoder is damaged video. The connection is as good as before, so only the decoder begins
    /// anew, at the next key frame.
    fn replace_decoder(&mut self, fault: Fault) -> Result<(), Fault> {
        let decoded = self.line.gauge.last_decoded();
        self.failures = if decoded == self.decoded_at_failure { self.failures + 1 } else { 1 };
        self.decoded_at_failure = decoded;
        if self.failures > MOST_FAILURES {
            self.distrust_decoder(&fault.reason);
            return Err(fault);
        }
        tracing::debug!(camera = %self.line.camera.id, "{}; decoding anew", fault.reason);
        let mut desk = locked(&self.desk);
        desk.selection.lose();
        drop(desk);
        self.order(decode(&self.line))
    }

    fn order(&self, order: Order) -> Result<(), Fault> {
        let given = locked(&self.desk).orders.give(order, Bytes::new());
        let url = &self.line.camera.url;
        given.then_some(()).ok_or_else(|| {
            Fault::new(CameraFaultKind::BoxFailed, "the process that takes it apart does not keep up").at(url)
        })
    }
}

/// As many pictures as are wanted of this camera.
fn decode<F>(line: &Line<F>) -> Order {
    let software = line.software_only.load(Ordering::Relaxed);
    let decoders = if software { Decoders::Software } else { Decoders::Any };
    Order::Decode(Wanted::Live { every: line.camera.analysis_fps.period(), decoders })
}

fn hear<F: Fn(Frame)>(heard: Heard, desk: &Mutex<Desk>, line: &Line<F>) {
    match heard {
        Heard::Report(report, picture) => locked(desk).hear(report, picture, line),
        Heard::Nonsense(error) => locked(desk).fail(line, &error.to_string()),
        Heard::Nothing => locked(desk).end(End::Gone),
    }
}

impl Desk {
    fn new(camera: &Camera, orders: Orders, ends: Sender<End>) -> Self {
        Self {
            selection: Selection::new(camera.idle, camera.analysis_fps.period()),
            hint: SizeHint::default(),
            orders,
            format: "".into(),
            packed: Packed::default(),
            hardware_decoder: None,
            ends,
        }
    }

    fn hear<F: Fn(Frame)>(&mut self, report: Report, picture: Vec<u8>, line: &Line<F>) {
        match report {
            Report::Unit { .. } if picture.len() > MOST_UNIT_BYTES => {
                self.fail(line, "a picture is too large")
            }
            Report::Unit { format, key } => {
                if *self.format != *format {
                    self.format = format.into();
                }
                let (at, _) = line.clock.now();
                let unit = Encoded { data: picture.into(), format: Arc::clone(&self.format), key, at };
                self.take(unit, line);
            }
            Report::Picture { layout, at } => self.show(layout, line.clock.past(at), picture, line),
            Report::Decoded { at } => line.gauge.frame_came(line.clock.utc(line.clock.past(at))),
            // A late frame is worthless: what it cannot do in time it begins anew with.
            Report::Behind => self.selection.lose(),
            Report::DecoderIs { name, hardware } => {
                self.hardware_decoder = hardware.then(|| name.clone());
                line.gauge.decoder_is(Some(name));
            }
            Report::DecoderFailed(fault) => self.end(End::DecoderFailed(fault.at(&line.camera.url))),
            Report::Failed(fault) => self.end(End::Failed(fault)),
            Report::Ended => self.end(End::Reached),
            Report::DecoderEnded => {}
        }
    }

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
            kept_up &= self.orders.give(Order::unit(&unit), unit.data);
        });
        if !kept_up {
            self.selection.lose();
        }
        gauge.unit_came(clock.utc(at), self.selection.is_partial());
    }

    fn show<F: Fn(Frame)>(&mut self, layout: Layout, at: Duration, picture: Vec<u8>, line: &Line<F>) {
        let time = line.clock.utc(at);
        match self.packed.frame(picture, layout, at, time) {
            Ok(frame) => {
                line.gauge.frame_came(time);
                line.gauge.frame_taken();
                (line.on_frame)(frame);
            }
            Err(error) => self.fail(line, &error.to_string()),
        }
    }

    fn fail<F>(&self, line: &Line<F>, what: &str) {
        let url = &line.camera.url;
        let reason = format!("the process that takes it apart says what makes no sense: {what}");
        self.end(End::Failed(Fault::new(CameraFaultKind::Crashes, reason).at(url)));
    }

    fn end(&self, end: End) {
        // Nobody listens any more where the connection is being closed.
        let _ = self.ends.send(end);
    }
}

fn locked(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    // After a panic the choice is made anew with the next picture.
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
