//! A limit on the number of pictures a second.

use std::time::Duration;

/// Picks pictures at a steady rate.
#[derive(Debug, Clone)]
pub struct Rate {
    every: Duration,
    /// How much too early a picture may come.
    slack: Duration,
    next: Duration,
}

impl Rate {
    /// One picture in `every` of a clip, whose times are exact; all of them if that is zero.
    pub fn of_clip(every: Duration) -> Self {
        Self { every, slack: Duration::ZERO, next: Duration::ZERO }
    }

    /// One picture in `every` of those that arrive over a network. One that is a little early still counts:
    /// otherwise a camera that sends just as many as are wanted would lose half of them to jitter.
    pub fn of_arrivals(every: Duration) -> Self {
        Self { slack: every / 4, ..Self::of_clip(every) }
    }

    /// Is the picture of this moment wanted?
    pub fn takes(&mut self, at: Duration) -> bool {
        if at + self.slack < self.next {
            return false;
        }
        // From where it should have been, so that the rate holds on average.
        self.next = if at > self.next + self.every { at } else { self.next } + self.every;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_rate_takes_pictures_evenly() {
        let taken = |every| {
            let mut rate = Rate::of_clip(every);
            (0..100).filter(|i| rate.takes(i * 100 * MS)).count()
        };
        assert_eq!(taken(Duration::ZERO), 100);
        assert_eq!(taken(Duration::from_secs_f64(1.0 / 5.0)), 50);
        assert_eq!(taken(Duration::from_secs_f64(1.0 / 3.0)), 30);
        assert_eq!(taken(Duration::from_secs_f64(1.0 / 25.0)), 100);
    }

    #[test]
    fn jitter_costs_no_pictures() {
        let arrivals = |fps: u32| (0..100).map(move |i| i * (1000 / fps) * MS + (i * 7919 % 13) * MS);
        let taken = |fps| {
            let mut rate = Rate::of_arrivals(200 * MS);
            arrivals(fps).filter(|at| rate.takes(*at)).count()
        };
        assert_eq!(taken(5), 100);
        assert!((49..=51).contains(&taken(10)), "{}", taken(10));
        assert!((19..=21).contains(&taken(25)), "{}", taken(25));
    }

    #[test]
    fn after_a_pause_it_goes_on_at_its_rate() {
        let mut rate = Rate::of_arrivals(200 * MS);
        assert!(rate.takes(Duration::ZERO));
        assert!(rate.takes(5000 * MS));
        assert!(!rate.takes(5040 * MS));
        assert!(rate.takes(5200 * MS));
    }
}
