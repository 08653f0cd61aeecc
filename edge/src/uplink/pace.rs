//! How many events of a backlog go in one publish. It grows while the hub answers quickly and shrinks when it does not: a hundred
//! boxes that drain at once slow each other down, and none of them keeps the hub from hearing news. Pure.

use std::time::Duration;

use gatepost_wire::batch::MAX_BATCH_EVENTS;

/// A new session begins with so many: hubs come back with all their boxes at once.
const FIRST: usize = 16;
/// Fewer would not be a batch.
const LEAST: usize = 2;
/// An answer that takes less says that the hub could take more.
const QUICK: Duration = Duration::from_millis(100);
/// One that takes more says that others wait behind this box.
const SLOW: Duration = Duration::from_millis(250);

/// Events in the next batch.
#[derive(Debug)]
pub(super) struct Pace {
    events: usize,
}

impl Pace {
    pub fn new() -> Self {
        Self { events: FIRST }
    }

    pub fn events(&self) -> usize {
        self.events
    }

    /// A batch was answered.
    pub fn answered(&mut self, took: Duration) {
        if took < QUICK {
            self.events = (self.events * 2).min(MAX_BATCH_EVENTS);
        } else if took > SLOW {
            self.events = (self.events / 2).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_quick_answers_and_shrinks_with_slow_ones() {
        let mut pace = Pace::new();
        let mut after = |times, took| {
            (0..times).for_each(|_| pace.answered(took));
            pace.events()
        };
        assert_eq!(after(1, Duration::from_millis(9)), 2 * FIRST);
        assert_eq!(after(20, Duration::from_millis(9)), MAX_BATCH_EVENTS);
        assert_eq!(after(20, Duration::from_millis(200)), MAX_BATCH_EVENTS, "neither quick nor slow");
        assert_eq!(after(2, Duration::from_secs(1)), MAX_BATCH_EVENTS / 4);
        assert_eq!(after(20, Duration::from_secs(1)), LEAST);
    }
}
