//! A suspicion becomes an alarm when it lasts, and an alarm ends when all has been well for as long.

use std::time::Duration;

use gatepost_wire::event::Phase;

/// One kind of suspicion over time.
#[derive(Debug)]
pub(super) struct Hold {
    begin_after: Duration,
    end_after: Duration,
    raised: bool,
    /// Since when it speaks against what is held: for an alarm, or for its end.
    against_since: Option<Duration>,
}

impl Hold {
    pub(super) fn new(begin_after: Duration, end_after: Duration) -> Self {
        Self { begin_after, end_after, raised: false, against_since: None }
    }

    /// Takes one judgement; `at` only grows.
    pub(super) fn see(&mut self, suspected: bool, at: Duration) -> Option<Phase> {
        if suspected == self.raised {
            self.against_since = None;
            return None;
        }
        let since = *self.against_since.get_or_insert(at);
        let needed = if self.raised { self.end_after } else { self.begin_after };
        if at.saturating_sub(since) < needed {
            return None;
        }
        self.against_since = None;
        self.raised = suspected;
        Some(if suspected { Phase::Began } else { Phase::Ended })
    }

    /// Nothing was seen for a while: what was about to change must last anew.
    pub(super) fn interrupt(&mut self) {
        self.against_since = None;
    }

    /// Ends at once, if it was raised.
    pub(super) fn settle(&mut self) -> Option<Phase> {
        self.against_since = None;
        std::mem::take(&mut self.raised).then_some(Phase::Ended)
    }

    /// Is there an alarm?
    pub(super) fn raised(&self) -> bool {
        self.raised
    }

    /// Is there an alarm, or may there be one soon?
    pub(super) fn suspects(&self) -> bool {
        self.raised || self.against_since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_told_once_and_what_flickers_is_not() {
        let mut hold = Hold::new(Duration::from_secs(5), Duration::from_secs(2));
        let mut see = |suspected, at| hold.see(suspected, Duration::from_secs(at));
        assert_eq!([see(true, 0), see(true, 4), see(false, 5), see(true, 6), see(true, 10)], [None; 5]);
        assert_eq!(see(true, 11), Some(Phase::Began));
        assert_eq!([see(true, 20), see(false, 21), see(true, 22), see(false, 23)], [None; 4]);
        assert_eq!(see(false, 25), Some(Phase::Ended));
        assert_eq!(see(false, 30), None);
    }

    #[test]
    fn an_interruption_starts_the_wait_anew_and_settling_ends() {
        let mut hold = Hold::new(Duration::from_secs(5), Duration::from_secs(2));
        assert_eq!(hold.see(true, Duration::from_secs(0)), None);
        hold.interrupt();
        assert_eq!(hold.see(true, Duration::from_secs(9)), None);
        assert_eq!(hold.see(true, Duration::from_secs(14)), Some(Phase::Began));
        assert_eq!(hold.settle(), Some(Phase::Ended));
        assert_eq!(hold.settle(), None);
    }
}
