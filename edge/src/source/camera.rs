//! One live camera: connect, watch, and connect again for ever. Whatever a camera does hurts only itself.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_wire::Timestamp;
use gatepost_wire::health::CameraState;
use gstreamer as gst;
use gstreamer_app::AppSinkCallbacks;

use super::Frame;
use super::fault::explain;
use super::pipeline::{DecodePipeline, Login};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config::Camera;
use crate::secret::read_secret;

const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(200);
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// What health says of a camera, kept up to date by those who know.
#[derive(Debug)]
pub struct CameraGauge {
    /// Frames taken for analysis.
    pub sampled: AtomicU64,
    /// Frames that went through the detector.
    pub analysed: AtomicU64,
    /// Frames in which nothing had moved, so that the detector was spared.
    pub still: AtomicU64,
    /// Frames replaced by a newer one before the detector was free.
    pub dropped: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    state: CameraState,
    decoder: Option<String>,
    last_frame: Option<(Instant, Timestamp)>,
}

impl Default for CameraGauge {
    fn default() -> Self {
        let seen = Seen { state: CameraState::Connecting, decoder: None, last_frame: None };
        Self {
            sampled: 0.into(),
            analysed: 0.into(),
            still: 0.into(),
            dropped: 0.into(),
            seen: Mutex::new(seen),
        }
    }
}

impl CameraGauge {
    /// State, decoder and time of the last picture.
    pub fn seen(&self) -> (CameraState, Option<String>, Option<Timestamp>) {
        let Seen { state, decoder, last_frame } = self.lock().clone();
        (state, decoder, last_frame.map(|(_, time)| time))
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Fields are only assigned under the lock: nothing can be left half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn frame_came(&self, time: Timestamp) {
        self.sampled.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.lock();
        seen.last_frame = Some((Instant::now(), time));
        seen.state = CameraState::Streaming;
    }
}

/// The picture went away or came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalChange {
    /// No picture for the configured time; why, as far as known.
    Lost(String),
    /// A picture again.
    Back,
}

/// What a watched camera calls back.
pub struct Watch<F, S> {
    /// The camera's configuration.
    pub camera: Camera,
    /// Kept up to date.
    pub gauge: Arc<CameraGauge>,
    /// Gives every frame its time.
    pub clock: Arc<Clock>,
    /// Set to end.
    pub stop: Arc<AtomicBool>,
    /// Takes each frame, on GStreamer's thread; must not block.
    pub on_frame: F,
    /// Told when the picture goes and comes.
    pub on_signal: S,
}

/// Watches a camera until told to stop; blocks its thread.
pub fn watch<F, S>(watch: Watch<F, S>)
where
    F: Fn(Frame) + Send + Sync + 'static,
    S: FnMut(SignalChange),
{
    let Watch { camera, gauge, clock, stop, on_frame, on_signal } = watch;
    let mut signal =
        Signal { after: camera.signal_lost_after(), since: Instant::now(), lost: false, notify: on_signal };
    let on_frame = Arc::new(on_frame);
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LAST);
    let mut last_reason = String::new();
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        let outcome = connect(&camera, &gauge, &clock, &on_frame)
            .and_then(|pipeline| observe(&camera, &pipeline, &gauge, &stop, &mut signal));
        let Err(reason) = outcome else { break };
        if gauge.lock().last_frame.is_some_and(|(at, _)| at > started) {
            backoff.reset();
        }
        if reason != last_reason {
            tracing::warn!(camera = %camera.id, "{reason}; trying again");
            last_reason.clone_from(&reason);
        }
        gauge.lock().state = CameraState::Faulted { reason: reason.clone() };
        let pause = Instant::now() + backoff.next_pause();
        while Instant::now() < pause && !stop.load(Ordering::Relaxed) {
            signal.check(&gauge, &reason);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn connect<F: Fn(Frame) + Send + Sync + 'static>(
    camera: &Camera,
    gauge: &Arc<CameraGauge>,
    clock: &Arc<Clock>,
    on_frame: &Arc<F>,
) -> Result<DecodePipeline, String> {
    let login = login(camera.username.as_deref(), camera.password_file.as_deref())?;
    let pipeline = DecodePipeline::rtsp(camera.url.as_str(), login.as_ref(), camera.analysis_fps.get())
        .map_err(|e| e.to_string())?;
    let (gauge, clock, on_frame) = (Arc::clone(gauge), Arc::clone(clock), Arc::clone(on_frame));
    pipeline.sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let (at, time) = clock.now();
                let frame = Frame::new(&sample, at, time).ok_or(gst::FlowError::NotNegotiated)?;
                gauge.frame_came(time);
                on_frame(frame);
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    // A failure to start is told on the bus with its reason.
    let _ = pipeline.play();
    Ok(pipeline)
}

fn login(username: Option<&str>, password_file: Option<&Path>) -> Result<Option<Login>, String> {
    let (Some(username), Some(file)) = (username, password_file) else { return Ok(None) };
    let password = read_secret(file).map_err(|e| e.to_string())?;
    Ok(Some(Login { username: username.to_owned(), password }))
}

/// Watches a running pipeline; returns why it must be started again, or nothing when told to stop.
fn observe<S: FnMut(SignalChange)>(
    camera: &Camera,
    pipeline: &DecodePipeline,
    gauge: &CameraGauge,
    stop: &AtomicBool,
    signal: &mut Signal<S>,
) -> Result<(), String> {
    let started = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        if let Some(message) = pipeline.wait(TICK) {
            return Err(match message.view() {
                gst::MessageView::Error(error) => explain(camera.url.as_str(), error),
                _ => format!("{}: the camera ended the stream", camera.url),
            });
        }
        let last = gauge.lock().last_frame.map_or(started, |(at, _)| at.max(started));
        let hung = format!("{}: connected, but no picture for {} s", camera.url, last.elapsed().as_secs());
        signal.check(gauge, &hung);
        if last.elapsed() > camera.signal_lost_after() {
            return Err(hung);
        }
        gauge.lock().decoder = pipeline.decoder();
    }
    Ok(())
}

struct Signal<S> {
    after: Duration,
    since: Instant,
    lost: bool,
    notify: S,
}

impl<S: FnMut(SignalChange)> Signal<S> {
    fn check(&mut self, gauge: &CameraGauge, reason: &str) {
        let last = gauge.lock().last_frame.map_or(self.since, |(at, _)| at);
        let lost = last.elapsed() > self.after;
        if lost && !self.lost {
            (self.notify)(SignalChange::Lost(reason.to_owned()));
        } else if !lost && self.lost {
            (self.notify)(SignalChange::Back);
        }
        self.lost = lost;
    }
}
