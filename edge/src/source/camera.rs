//! One live camera: connect, watch, and connect again for ever. Whatever a camera does hurts only itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gatepost_wire::health::CameraFaultKind;

use super::connection::{Connection, Ended, Line};
use super::fault::Fault;
use super::gauge::{CameraGauge, Silence};
use super::process::{Login, Password};
use super::{Attention, Frame, Ring};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config::{Address, Camera};
use crate::secret::read_secret;

const TICK: Duration = Duration::from_millis(200);
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_secs(30);
/// Some cameras send a key frame so seldom; connecting again would only start the wait anew.
const KEY_FRAME_PATIENCE: Duration = Duration::from_secs(30);
/// Nothing for so long is a connection that hangs, however late it is to be an alarm.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// A clip shorter than this is not played more often.
const SHORTEST_ROUND: Duration = Duration::from_secs(1);

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
    /// How closely to watch.
    pub attention: Arc<Attention>,
    /// Gets everything that comes.
    pub ring: Arc<Ring>,
    /// Gives every frame its time.
    pub clock: Arc<Clock>,
    /// Set to end.
    pub stop: Arc<AtomicBool>,
    /// Takes each frame; must not block.
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
    let Watch { camera, gauge, attention, ring, clock, stop, on_frame, on_signal } = watch;
    let mut signal =
        Signal { after: camera.signal_lost_after(), since: Instant::now(), lost: false, notify: on_signal };
    let software_only = AtomicBool::new(false);
    let line = Arc::new(Line { camera, gauge, attention, ring, clock, on_frame, software_only });
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LAST);
    let mut last_reason = String::new();
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        let (reason, pause) = match connect(&line).and_then(|c| observe(c, &line, &stop, &mut signal)) {
            Ok(End::Told) => break,
            Ok(End::Round) => {
                ("the clip is too short".to_owned(), SHORTEST_ROUND.saturating_sub(started.elapsed()))
            }
            Err(fault) => {
                let reason = fault.reason.clone();
                if line.gauge.seen().last_picture.is_some_and(|(at, _)| at > started) {
                    backoff.reset();
                }
                if reason != last_reason {
                    tracing::warn!(camera = %line.camera.id, "{reason}; trying again");
                    last_reason.clone_from(&reason);
                }
                line.gauge.faulted(fault, line.clock.now().1);
                (reason, backoff.next_pause())
            }
        };
        let until = Instant::now() + pause;
        while Instant::now() < until && !stop.load(Ordering::Relaxed) {
            signal.check(&line.gauge, &reason);
            std::thread::sleep(
                Duration::from_millis(100).min(until.saturating_duration_since(Instant::now())),
            );
        }
    }
}

/// Why a connection ended without a fault.
enum End {
    /// The daemon stops.
    Told,
    /// The clip was played to its end.
    Round,
}

fn connect<F: Fn(Frame) + Send + Sync + 'static>(line: &Arc<Line<F>>) -> Result<Connection<F>, Fault> {
    let camera = &line.camera;
    let login = login(camera.username.as_deref(), camera.password_file.as_deref())?;
    Connection::open(line, login)
}

fn login(username: Option<&str>, password_file: Option<&Path>) -> Result<Option<Login>, Fault> {
    let (Some(username), Some(file)) = (username, password_file) else { return Ok(None) };
    let password = read_secret(file).map_err(|e| Fault::new(CameraFaultKind::BoxFailed, e.to_string()))?;
    Ok(Some(Login { username: username.to_owned(), password: Password(password) }))
}

/// Watches a connection to its end; an error says why it must be made again.
fn observe<F, S>(
    mut connection: Connection<F>,
    line: &Line<F>,
    stop: &AtomicBool,
    signal: &mut Signal<S>,
) -> Result<End, Fault>
where
    F: Fn(Frame) + Send + Sync + 'static,
    S: FnMut(SignalChange),
{
    let Line { camera, gauge, .. } = line;
    let (started, after) = (Instant::now(), camera.signal_lost_after());
    while !stop.load(Ordering::Relaxed) {
        if let Some(Ended) = connection.wait(TICK)? {
            return match camera.url.address() {
                Address::Clip(_) if gauge.has_received() => Ok(End::Round),
                Address::Clip(_) => {
                    Err(Fault::new(CameraFaultKind::Unsupported, "there is no video in it").at(&camera.url))
                }
                _ => Err(Fault::new(CameraFaultKind::Ended, "the camera ended the stream").at(&camera.url)),
            };
        }
        let last = gauge.seen().last_picture.map_or(started, |(at, _)| at.max(started));
        let silence = gauge.silence(after);
        let (kind, what) = match silence {
            Silence::Nothing => (CameraFaultKind::Silent, "no picture"),
            Silence::NoKeyFrame => (CameraFaultKind::NoKeyFrames, "no key frame to begin with"),
            Silence::Undecodable => (CameraFaultKind::Undecodable, "nothing that can be decoded"),
        };
        let hung = format!("{}: connected, but {what} for {} s", camera.url, last.elapsed().as_secs());
        signal.check(gauge, &hung);
        let patience = match silence {
            Silence::NoKeyFrame => after.max(KEY_FRAME_PATIENCE),
            Silence::Nothing | Silence::Undecodable => after.min(LONGEST_SILENCE),
        };
        if last.elapsed() > patience {
            if silence == Silence::Undecodable {
                connection.distrust_decoder(&hung);
            }
            return Err(Fault::new(kind, hung));
        }
    }
    Ok(End::Told)
}

struct Signal<S> {
    after: Duration,
    since: Instant,
    lost: bool,
    notify: S,
}

impl<S: FnMut(SignalChange)> Signal<S> {
    fn check(&mut self, gauge: &CameraGauge, reason: &str) {
        let last = gauge.seen().last_picture.map_or(self.since, |(at, _)| at);
        let lost = last.elapsed() > self.after;
        if lost && !self.lost {
            (self.notify)(SignalChange::Lost(reason.to_owned()));
        } else if !lost && self.lost {
            (self.notify)(SignalChange::Back);
        }
        self.lost = lost;
    }
}
