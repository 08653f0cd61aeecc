//! Time for frames and events: UTC that runs with the monotonic clock, so that a step of the system clock does
//! not tear a stay in a zone apart. Order comes from sequence numbers, never from here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gatepost_wire::Timestamp;

/// A difference to the system clock beyond this is a step, not drift.
const STEP: Duration = Duration::from_secs(2);
/// Drift taken back at each [`Clock::discipline`], so that time hardly ever runs backwards.
const SLEW: Duration = Duration::from_millis(100);

/// UTC on a monotonic footing.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// UTC at `started`, corrected as the system clock is.
    anchor: Mutex<Timestamp>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { started: Instant::now(), anchor: Mutex::new(Timestamp::now()) }
    }
}

impl Clock {
    /// Time since the start of the daemon, and UTC.
    pub fn now(&self) -> (Duration, Timestamp) {
        let elapsed = self.started.elapsed();
        (elapsed, self.utc(elapsed))
    }

    /// UTC at a time since the start of the daemon.
    pub fn utc(&self, at: Duration) -> Timestamp {
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) + at
    }

    /// The same time, or now, if it is said to be later: whoever is not trusted may say anything.
    pub fn past(&self, at: Duration) -> Duration {
        at.min(self.started.elapsed())
    }

    /// Follows the system clock, which a time service sets: small differences little by little, a step at
    /// once. To be called now and then.
    pub fn discipline(&self) {
        let (_, ours) = self.now();
        let correction = correction(ours, Timestamp::now());
        if correction.unsigned_abs() > STEP {
            tracing::warn!(
                step_ms = correction.as_millis() as i64,
                "the system clock was set; events follow it from now on"
            );
        }
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        // Out of range only with a clock thousands of years off: then the old time is as good.
        *anchor = anchor.checked_add(correction).unwrap_or(*anchor);
    }
}

fn correction(ours: Timestamp, system: Timestamp) -> jiff::SignedDuration {
    let difference = system.duration_since(ours);
    if difference.unsigned_abs() > STEP {
        return difference;
    }
    let slew = jiff::SignedDuration::try_from(SLEW).unwrap_or(jiff::SignedDuration::ZERO);
    difference.clamp(-slew, slew)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn drift_is_slewed_and_a_step_is_followed() {
        let now = Timestamp::now();
        let off = |ms| correction(now, now + SignedDuration::from_millis(ms)).as_millis();
        assert_eq!(off(40), 40);
        assert_eq!(off(-1500), -100);
        assert_eq!(off(3_600_000), 3_600_000);
        assert_eq!(off(-3_600_000), -3_600_000);
    }

    #[test]
    fn time_goes_on() {
        let clock = Clock::default();
        let (first, utc) = clock.now();
        std::thread::sleep(Duration::from_millis(5));
        let (second, later) = clock.now();
        assert!(second > first && later > utc);
        assert!(clock.past(first) == first && (second..Duration::MAX).contains(&clock.past(Duration::MAX)));
        assert!(utc.duration_since(Timestamp::now()).unsigned_abs() < Duration::from_secs(1));
    }
}
