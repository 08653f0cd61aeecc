//! A stretch of time in equal steps, and which samples tell of it.

use gatepost_wire::Timestamp;
use jiff::SignedDuration;

use super::sample::{BoxSample, Width, floor};

/// More steps are not told of; a longer stretch has longer steps.
const MOST_STEPS: i64 = 1000;

/// Nothing is kept for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Up to so long a stretch is told of by five minutes, if they are still kept.
const FINE_UP_TO: SignedDuration = SignedDuration::from_hours(48);

/// Five minutes are kept for so long, or for as long as hours are, if that is less.
pub const FINE_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// What is asked for cannot be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StretchError {
    /// It ends before it begins.
    #[error("it has to be later than `from`")]
    Order,
    /// It is too long.
    #[error("at most 400 days after `from`")]
    TooLong,
}

/// A stretch of time, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Which samples tell of it.
    pub width: Width,
    /// How long a step is, seconds.
    pub step_s: i64,
    /// When the first step begins.
    pub start: Timestamp,
    /// How many there are.
    pub steps: usize,
}

impl Stretch {
    /// From then until then, asked now, in as many steps as there is something to tell of, but a thousand at most.
    ///
    /// # Errors
    /// When it ends before it begins, or is longer than anything is kept.
    pub fn new(from: Timestamp, until: Timestamp, now: Timestamp) -> Result<Self, StretchError> {
        let length = until.duration_since(from);
        if length <= SignedDuration::ZERO {
            return Err(StretchError::Order);
        }
        if length > LONGEST {
            return Err(StretchError::TooLong);
        }
        let fine = length <= FINE_UP_TO && now.duration_since(from) <= FINE_KEPT;
        let width = if fine { Width::Fine } else { Width::Coarse };
        let widths = length.as_secs() / width.seconds() + 1;
        let step_s = width.seconds() * (widths + MOST_STEPS - 1).div_euclid(MOST_STEPS);
        let start = floor(from, step_s);
        let covered = until.duration_since(start).as_secs_f64() / step_s as f64;
        Ok(Self { width, step_s, start, steps: covered.ceil() as usize })
    }

    /// When the first step begins before the first one that is told of: what counters have come to since then is needed.
    pub fn lead(&self) -> Timestamp {
        self.start.checked_sub(self.step()).unwrap_or(self.start)
    }

    /// When the last step ends.
    pub fn end(&self) -> Timestamp {
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        self.start.checked_add(self.step() * steps).unwrap_or(Timestamp::MAX)
    }

    fn step(&self) -> SignedDuration {
        SignedDuration::from_secs(self.step_s)
    }

    /// Which step a moment is in; 0 is the one before the first.
    fn place(&self, time: Timestamp) -> Option<usize> {
        let after = time.duration_since(self.lead()).as_secs().div_euclid(self.step_s);
        usize::try_from(after).ok().filter(|place| *place <= self.steps)
    }

    /// Puts samples into their steps, the one before the first included.
    pub(super) fn gather(&self, samples: &[(Timestamp, BoxSample)]) -> Vec<Option<BoxSample>> {
        let mut gathered: Vec<Option<BoxSample>> = vec![None; self.steps + 1];
        for (start, sample) in samples {
            let Some(step) = self.place(*start).and_then(|place| gathered.get_mut(place)) else { continue };
            match step {
                Some(known) => known.merge(sample),
                None => *step = Some(sample.clone()),
            }
        }
        gathered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::sample::tests::at;

    #[test]
    fn a_stretch_has_as_many_steps_as_can_be_told_of() {
        let hour = |hours: i64| SignedDuration::from_hours(hours);
        let now = at(1_800_000_000);
        let of = |length, ago| Stretch::new(now - ago - length, now - ago, now);
        let day = of(hour(24), hour(0)).unwrap();
        assert_eq!((day.width, day.step_s, day.steps), (Width::Fine, 300, 288));
        let old = of(hour(24), hour(100)).unwrap();
        assert_eq!((old.width, old.step_s, old.steps), (Width::Coarse, 3600, 24));
        let month = of(hour(30 * 24), hour(0)).unwrap();
        assert_eq!((month.width, month.step_s, month.steps), (Width::Coarse, 3600, 720));
        let year = of(hour(400 * 24), hour(0)).unwrap();
        assert!(year.step_s == 10 * 3600 && year.steps <= 1000, "{year:?}");
        assert_eq!(of(hour(0), hour(0)), Err(StretchError::Order));
        assert_eq!(of(hour(400 * 24 + 1), hour(0)), Err(StretchError::TooLong));
        let odd = Stretch::new(at(301), at(602), at(602)).unwrap();
        assert_eq!((odd.start, odd.steps, odd.end()), (at(300), 2, at(900)));
    }
}
