//! How often a panel may speak of one sensor: a bucket that fills again with time.

use std::time::Duration;

use tokio::time::Instant;

/// So many at once.
const BURST: u32 = 40;
/// Then one for each of these.
const EACH: Duration = Duration::from_millis(50);

/// How often one sensor was spoken of.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When the bucket is full again.
    full_at: Option<Instant>,
}

impl Rate {
    /// May one more come now?
    pub fn takes(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.unwrap_or(now).max(now) + EACH;
        let fits = full_at - now <= EACH * BURST;
        if fits {
            self.full_at = Some(full_at);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_after_the_other() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        assert_eq!((0..100).filter(|_| rate.takes(start)).count(), BURST as usize);
        let later = (1..=100).map(|i| start + EACH * i / 2);
        assert_eq!(later.filter(|at| rate.takes(*at)).count(), 50);
        let rested = start + Duration::from_secs(60);
        assert_eq!((0..100).filter(|_| rate.takes(rested)).count(), BURST as usize, "no more than a burst");
    }
}
