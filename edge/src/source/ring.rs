//! The last seconds of a camera as it sent them, still encoded: what an alarm's clip begins with. It costs
//! memory and no decoding; the bytes are those the decoder gets, not copies of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Rate;
use super::encoded::Encoded;

/// Of pictures that stand alone so many are kept: a clip shows no more.
const KEPT_EVERY: Duration = Duration::from_millis(100);

/// How much a ring holds. Whichever is reached first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingLimits {
    /// So far back a cut can begin, if there is a key frame to begin with.
    pub span: Duration,
    /// Encoded bytes.
    pub bytes: usize,
}

/// One camera's ring. It outlives connections.
#[derive(Debug)]
pub struct Ring {
    held: Mutex<Held>,
}

/// Pictures cut out of a ring, beginning with one a decoder can begin with. Clones share the bytes.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    pub(super) units: Vec<Encoded>,
}

impl Cut {
    /// Time of its first picture, which may lie before what was asked for.
    pub fn begins(&self) -> Option<Duration> {
        self.units.first().map(|unit| unit.at)
    }

    /// Encoded size.
    pub fn bytes(&self) -> usize {
        self.units.iter().map(Encoded::bytes).sum()
    }
}

impl Ring {
    /// An empty ring.
    pub fn new(limits: RingLimits) -> Self {
        Self { held: Mutex::new(Held::new(limits)) }
    }

    /// Takes what came; times only grow.
    pub(super) fn push(&self, unit: &Encoded) {
        self.locked().push(unit);
    }

    /// What comes next continues nothing: the connection is a new one.
    pub(super) fn interrupt(&self) {
        self.locked().waits_for_key = true;
    }

    /// What came from `from` to `until`, from the last key frame before it on.
    pub fn cut(&self, from: Duration, until: Duration) -> Cut {
        self.locked().cut(from, until)
    }

    fn locked(&self) -> MutexGuard<'_, Held> {
        // After a panic it holds whole units all the same.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Held {
    limits: RingLimits,
    /// Begins with a key frame.
    units: VecDeque<Encoded>,
    bytes: usize,
    waits_for_key: bool,
    rate: Rate,
}

impl Held {
    fn new(limits: RingLimits) -> Self {
        let rate = Rate::of_arrivals(KEPT_EVERY);
        Self { limits, units: VecDeque::new(), bytes: 0, waits_for_key: true, rate }
    }

    fn push(&mut self, unit: &Encoded) {
        if unit.stands_alone() && !self.rate.takes(unit.at) {
            return;
        }
        if self.waits_for_key && !unit.key {
            return;
        }
        self.waits_for_key = false;
        self.bytes += unit.bytes();
        self.units.push_back(unit.clone());
        while self.bytes > self.limits.bytes || self.can_spare_first_group(unit.at) {
            self.drop_first_group();
        }
    }

    /// Does a later group reach back far enough?
    fn can_spare_first_group(&self, now: Duration) -> bool {
        let second = self.units.iter().skip(1).find(|unit| unit.key);
        second.is_some_and(|key| key.at + self.limits.span <= now)
    }

    /// A key frame and what depends on it.
    fn drop_first_group(&mut self) {
        let length = self.units.iter().skip(1).position(|unit| unit.key);
        // What came last depends on what is dropped here, and so does what follows.
        self.waits_for_key |= length.is_none();
        let length = length.map_or(self.units.len(), |place| place + 1);
        let dropped: usize = self.units.drain(..length).map(|unit| unit.bytes()).sum();
        self.bytes -= dropped;
    }

    fn cut(&self, from: Duration, until: Duration) -> Cut {
        let first = self.units.iter().rposition(|unit| unit.key && unit.at <= from).unwrap_or(0);
        let units = self.units.iter().skip(first).take_while(|unit| unit.at <= until);
        Cut { units: units.cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn times(cut: &Cut) -> Vec<u128> {
        cut.units.iter().map(|unit| unit.at.as_millis()).collect()
    }

    #[test]
    fn a_cut_begins_with_the_key_frame_before_it() {
        let ring = Ring::new(RingLimits { span: Duration::from_secs(10), bytes: 1 << 20 });
        for i in 0..100u32 {
            ring.push(&Encoded::of("video/x-h264", i % 20 == 0, i * 100 * MS, 10));
        }
        let cut = ring.cut(4500 * MS, 4800 * MS);
        assert_eq!(times(&cut), [4000, 4100, 4200, 4300, 4400, 4500, 4600, 4700, 4800]);
        assert_eq!((cut.begins(), cut.bytes()), (Some(4000 * MS), 90));
    }

    #[test]
    fn after_an_interruption_it_waits_for_a_key_frame() {
        let ring = Ring::new(RingLimits { span: Duration::from_secs(10), bytes: 1 << 20 });
        let push = |key, at: u32| ring.push(&Encoded::of("video/x-h264", key, at * MS, 10));
        push(true, 0);
        push(false, 40);
        ring.interrupt();
        push(false, 80);
        push(true, 120);
        assert_eq!(times(&ring.cut(Duration::ZERO, 1000 * MS)), [0, 40, 120]);
    }

    #[test]
    fn of_pictures_that_stand_alone_only_as_many_are_kept_as_a_clip_shows() {
        let ring = Ring::new(RingLimits { span: Duration::from_secs(10), bytes: 1 << 20 });
        for i in 0..50u32 {
            ring.push(&Encoded::of("image/jpeg", true, i * 40 * MS, 10));
        }
        assert_eq!(ring.cut(Duration::ZERO, 2000 * MS).units.len(), 20);
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_never_begins_with_what_cannot_be_decoded(
            steps in prop::collection::vec((1u32..400, 0usize..3000, prop::bool::weighted(0.1), prop::bool::weighted(0.02)), 1..300),
            span in 0u32..5000,
            bytes in 1usize..40_000,
        ) {
            let limits = RingLimits { span: span * MS, bytes };
            let mut held = Held::new(limits);
            let mut now = Duration::ZERO;
            for (step, size, key, interrupted) in steps {
                now += step * MS;
                held.waits_for_key |= interrupted;
                held.push(&Encoded::of("video/x-h264", key, now, size));
                prop_assert!(held.bytes <= bytes);
                prop_assert_eq!(held.bytes, held.units.iter().map(Encoded::bytes).sum::<usize>());
                prop_assert!(held.units.front().is_none_or(|first| first.key));
                // What is spared is needed: without its first group it would not reach back far enough.
                let last = held.units.back().map_or(now, |last| last.at);
                prop_assert!(!held.can_spare_first_group(last));
                let cut = held.cut(now.saturating_sub(limits.span / 2), now);
                prop_assert!(cut.units.first().is_none_or(|first| first.key));
                prop_assert!(cut.units.is_sorted_by(|a, b| a.at < b.at));
            }
        }
    }
}
