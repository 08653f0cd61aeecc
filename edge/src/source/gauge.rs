//! What health says of a camera, kept up to date by those who know.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_wire::Timestamp;
use gatepost_wire::event::{Phase, TamperKind};
use gatepost_wire::health::{Attention, CameraFaultKind, CameraIllness, CameraState};

use super::fault::Fault;

/// A decoder that has had something to decode for so long without giving a picture shows nothing any more.
const DECODER_PATIENCE: Duration = Duration::from_secs(5);

/// What is wrong with a connection that shows no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing comes.
    Nothing,
    /// Something comes that a decoder cannot begin with.
    NoKeyFrame,
    /// The decoder makes nothing of what comes.
    Undecodable,
}

/// Counters and the present state of one camera.
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

/// What is to be seen of a camera.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Is there a picture?
    pub state: CameraState,
    /// Element that decodes, once known.
    pub decoder: Option<String>,
    /// How closely it is watched; none while there is no picture.
    pub attention: Option<Attention>,
    /// Why there is no picture.
    blind: Option<CameraIllness>,
    /// What is wrong with the picture.
    tampering: Vec<CameraIllness>,
    /// The last sign of a picture: it was decoded, or it came and those before it could be decoded.
    pub(super) last_picture: Option<(Instant, Timestamp)>,
    /// The last thing that came over this connection, whether or not it is a picture.
    last_unit: Option<Instant>,
    /// Since when the decoder has had something to decode without giving a picture.
    owes_since: Option<Instant>,
    last_decoded: Option<Instant>,
}

impl Seen {
    /// When the last picture came, UTC.
    pub fn last_frame(&self) -> Option<Timestamp> {
        self.last_picture.map(|(_, time)| time)
    }

    /// What it is ill with: why there is no picture, then what is wrong with the picture.
    pub fn faults(&self) -> Vec<CameraIllness> {
        self.blind.iter().chain(&self.tampering).cloned().collect()
    }
}

impl Default for CameraGauge {
    fn default() -> Self {
        let seen = Seen {
            state: CameraState::Connecting,
            decoder: None,
            attention: None,
            blind: None,
            tampering: Vec::new(),
            last_picture: None,
            last_unit: None,
            owes_since: None,
            last_decoded: None,
        };
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
    /// What is to be seen now.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Fields are only assigned under the lock: nothing can be left half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection: nothing has come over it.
    pub(super) fn connects(&self) {
        let mut seen = self.lock();
        (seen.last_unit, seen.owes_since) = (None, None);
    }

    /// Something came. `partial`: only a part of what comes is decoded.
    pub(super) fn unit_came(&self, time: Timestamp, partial: bool) {
        let mut seen = self.lock();
        let now = Instant::now();
        seen.last_unit = Some(now);
        let shows = seen.owes_since.is_none_or(|since| now - since < DECODER_PATIENCE);
        if seen.state == CameraState::Streaming && shows {
            seen.last_picture = Some((now, time));
            seen.attention = Some(if partial { Attention::Idle } else { Attention::Awake });
        }
    }

    /// The decoder was given something.
    pub(super) fn decodes(&self) {
        self.lock().owes_since.get_or_insert_with(Instant::now);
    }

    /// The decoder gave a picture that came at `time`.
    pub(super) fn frame_came(&self, time: Timestamp) {
        let mut seen = self.lock();
        (seen.owes_since, seen.last_decoded) = (None, Some(Instant::now()));
        (seen.state, seen.blind) = (CameraState::Streaming, None);
        // A camera that wakes shows what is past; what came since is known already.
        let time = seen.last_picture.map_or(time, |(_, last)| last.max(time));
        seen.last_picture = Some((Instant::now(), time));
    }

    /// When the decoder gave its last picture.
    pub(super) fn last_decoded(&self) -> Option<Instant> {
        self.lock().last_decoded
    }

    /// A frame is taken for analysis.
    pub(super) fn frame_taken(&self) {
        self.sampled.fetch_add(1, Ordering::Relaxed);
    }

    /// Why there has been no picture for longer than `within`.
    pub(super) fn silence(&self, within: Duration) -> Silence {
        let seen = self.lock();
        if seen.last_unit.is_none_or(|at| at.elapsed() > within) {
            Silence::Nothing
        } else if seen.owes_since.is_some() {
            Silence::Undecodable
        } else {
            Silence::NoKeyFrame
        }
    }

    /// Did anything come over this connection?
    pub(super) fn has_received(&self) -> bool {
        self.lock().last_unit.is_some()
    }

    pub(super) fn decoder_is(&self, name: Option<String>) {
        self.lock().decoder = name;
    }

    /// There is no picture, at `now`.
    pub(super) fn faulted(&self, fault: Fault, now: Timestamp) {
        let Fault { kind, reason } = fault;
        let mut seen = self.lock();
        // However often the reason changes, it is the same time without a picture.
        let since = seen.blind.as_ref().map(|illness| illness.since).or(seen.last_frame()).unwrap_or(now);
        seen.blind = Some(CameraIllness { fault: kind, since, detail: reason.clone() });
        (seen.state, seen.attention) = (CameraState::Faulted { reason }, None);
    }

    /// The picture began not to show its scene at `time`, or shows it again.
    pub fn tampered(&self, kind: TamperKind, phase: Phase, detail: &str, time: Timestamp) {
        let fault = match kind {
            // That there is no picture is known from the connection.
            TamperKind::SignalLost => return,
            TamperKind::Covered => CameraFaultKind::Covered,
            TamperKind::Blurred => CameraFaultKind::Blurred,
            TamperKind::Moved => CameraFaultKind::Moved,
            TamperKind::Frozen => CameraFaultKind::Frozen,
        };
        let mut seen = self.lock();
        seen.tampering.retain(|illness| illness.fault != fault);
        if phase != Phase::Ended {
            seen.tampering.push(CameraIllness { fault, since: time, detail: detail.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn told(gauge: &CameraGauge) -> Vec<(CameraFaultKind, Timestamp)> {
        gauge.seen().faults().into_iter().map(|illness| (illness.fault, illness.since)).collect()
    }

    #[test]
    fn without_a_picture_it_is_ill_since_the_last_one_whatever_the_reason_becomes() {
        use CameraFaultKind::{Ended, LoginRefused, Unreachable};
        let gauge = CameraGauge::default();
        let faulted = |kind, second| gauge.faulted(Fault::new(kind, "why"), at(second));
        faulted(Unreachable, 3);
        faulted(LoginRefused, 5);
        assert_eq!(told(&gauge), [(LoginRefused, at(3))], "there was no picture yet");
        gauge.frame_came(at(10));
        assert!(told(&gauge).is_empty());
        faulted(Ended, 12);
        faulted(Unreachable, 60);
        assert_eq!(told(&gauge), [(Unreachable, at(10))]);
        assert_eq!(gauge.seen().faults()[0].detail, "why");
    }

    #[test]
    fn what_is_wrong_with_the_picture_stays_until_it_is_over() {
        use CameraFaultKind::{Covered, Ended, Frozen};
        let gauge = CameraGauge::default();
        gauge.frame_came(at(0));
        gauge.tampered(TamperKind::Covered, Phase::Began, "dark", at(1));
        gauge.tampered(TamperKind::Frozen, Phase::Began, "same", at(2));
        gauge.tampered(TamperKind::SignalLost, Phase::Began, "gone", at(3));
        gauge.faulted(Fault::new(Ended, "gone"), at(4));
        assert_eq!(told(&gauge), [(Ended, at(0)), (Covered, at(1)), (Frozen, at(2))]);
        gauge.frame_came(at(5));
        gauge.tampered(TamperKind::Covered, Phase::Ended, "light", at(6));
        assert_eq!(told(&gauge), [(Frozen, at(2))]);
    }
}
