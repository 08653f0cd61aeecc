//! Waiting before trying again: longer each time, and never all boxes at once.

use std::time::Duration;

/// Exponential backoff; each pause is drawn between half of its ceiling and the whole.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    last: Duration,
    ceiling: Duration,
}

impl Backoff {
    /// The first pause is up to `first`, each later one up to twice the one before, none longer than `last`.
    pub fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, ceiling: first }
    }

    /// It worked: the next failure starts from the first pause again.
    pub fn reset(&mut self) {
        self.ceiling = self.first;
    }

    /// How long to wait now: between half and the whole of the present ceiling.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.ceiling.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.ceiling = (self.ceiling * 2).min(self.last);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_last_and_start_again() {
        let (first, last) = (Duration::from_secs(1), Duration::from_secs(8));
        let mut backoff = Backoff::new(first, last);
        let pauses: Vec<_> = (0..20).map(|_| backoff.next_pause()).collect();
        assert!(pauses[0] >= first / 2 && pauses[0] <= first);
        assert!(pauses[3..].iter().all(|p| *p >= last / 2 && *p <= last));
        backoff.reset();
        assert!(backoff.next_pause() <= first);
    }
}
