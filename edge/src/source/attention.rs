//! How closely a camera is watched: everything it sends is decoded for as long as somebody has a reason.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Until when one camera is watched closely. Whoever has a reason wakes it; without one it falls asleep.
#[derive(Debug)]
pub struct Attention {
    quiet: Duration,
    awake_until_ns: AtomicU64,
}

impl Attention {
    /// Awake from the daemon's start; falls asleep when nothing happened for `quiet`.
    pub fn new(quiet: Duration) -> Self {
        let this = Self { quiet, awake_until_ns: 0.into() };
        this.wake(Duration::ZERO);
        this
    }

    /// Something happened at `at`, since the daemon's start: stay awake until it has been quiet for long enough.
    pub fn wake(&self, at: Duration) {
        self.wake_for(at, self.quiet);
    }

    /// Stay awake for so long after `at`, or longer if somebody else has a reason.
    pub fn wake_for(&self, at: Duration, time: Duration) {
        // Nanoseconds in 64 bits last for five hundred years.
        self.awake_until_ns.fetch_max((at + time).as_nanos() as u64, Ordering::Relaxed);
    }

    /// Has anybody a reason at `at`?
    pub fn is_awake(&self, at: Duration) -> bool {
        (at.as_nanos() as u64) < self.awake_until_ns.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_asleep_when_it_is_quiet_and_the_longest_reason_counts() {
        let second = Duration::from_secs(1);
        let attention = Attention::new(10 * second);
        assert!(attention.is_awake(9 * second), "a daemon starts awake");
        assert!(!attention.is_awake(10 * second));
        attention.wake(20 * second);
        attention.wake_for(21 * second, 2 * second);
        assert!(attention.is_awake(29 * second), "the shorter reason takes nothing away");
        assert!(!attention.is_awake(31 * second));
        attention.wake_for(40 * second, 2 * second);
        assert!(attention.is_awake(41 * second) && !attention.is_awake(42 * second));
    }
}
