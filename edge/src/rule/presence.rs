//! How long something has been there, judged from frames alone.

use std::time::Duration;

use super::AlarmNumber;

/// Something is or was there.
#[derive(Debug, Clone)]
pub(super) struct Presence {
    pub(super) since: Duration,
    pub(super) last_seen: Duration,
    /// The part of the time in which it was never missed.
    seen_for: Duration,
    /// The first frame that did not show it any more.
    missing_since: Option<Duration>,
    pub(super) alarm: Option<AlarmNumber>,
}

impl Presence {
    pub(super) fn new(at: Duration) -> Self {
        Self { since: at, last_seen: at, seen_for: Duration::ZERO, missing_since: None, alarm: None }
    }

    pub(super) fn see(&mut self, at: Duration) {
        if self.is_here() {
            self.seen_for += at.saturating_sub(self.last_seen);
        }
        self.last_seen = at;
        self.missing_since = None;
    }

    pub(super) fn miss(&mut self, at: Duration) {
        self.missing_since.get_or_insert(at);
    }

    /// Was it seen in the last frame?
    pub(super) fn is_here(&self) -> bool {
        self.missing_since.is_none()
    }

    /// How long it has been away.
    pub(super) fn away(&self, at: Duration) -> Duration {
        self.missing_since.map_or(Duration::ZERO, |since| at.saturating_sub(since))
    }

    /// Was it seen for at least half of the time?
    pub(super) fn is_mostly_seen(&self) -> bool {
        self.seen_for * 2 >= self.lasted()
    }

    /// How long it has lasted, as far as it was seen.
    pub(super) fn lasted(&self) -> Duration {
        self.last_seen.saturating_sub(self.since)
    }
}
