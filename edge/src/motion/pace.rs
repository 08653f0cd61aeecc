//! When the detector has to look, and when what it saw last still holds.

use std::time::Duration;

/// Look, or go on with what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The detector must look.
    Detect,
    /// Nothing moved since it looked: the last detections still hold.
    Same,
}

/// Decides that for one camera.
#[derive(Debug)]
pub struct Pace {
    full_look: Duration,
    looked: Option<Duration>,
    /// Something moved in the picture before.
    moving: bool,
}

impl Pace {
    /// Looks at least every `full_look`.
    pub fn new(full_look: Duration) -> Self {
        Self { full_look, looked: None, moving: false }
    }

    /// Decides for a frame. `unsure`: something was seen only once yet, or missed once.
    pub fn decide(&mut self, moved: bool, unsure: bool, at: Duration) -> Look {
        // The first still picture is looked at too: who left it must not be taken for standing there.
        let stopped = std::mem::replace(&mut self.moving, moved);
        let due = self.looked.is_none_or(|looked| at.saturating_sub(looked) >= self.full_look);
        if moved || stopped || unsure || due { Look::Detect } else { Look::Same }
    }

    /// The detector has looked. Until it has, it is asked to again.
    pub fn looked(&mut self, at: Duration) {
        self.looked = Some(at);
    }

    /// What was seen last is of no use: the next frame must be looked at.
    pub fn forget(&mut self) {
        self.looked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn it_looks_while_something_moves_and_once_after() {
        let mut pace = Pace::new(second(5));
        let mut decide = |moved, at| {
            let look = pace.decide(moved, false, second(at));
            if look == Look::Detect {
                pace.looked(second(at));
            }
            look
        };
        assert_eq!(decide(false, 0), Look::Detect, "nothing was ever seen");
        assert_eq!(decide(false, 1), Look::Same);
        assert_eq!(decide(true, 2), Look::Detect);
        assert_eq!(decide(true, 3), Look::Detect);
        assert_eq!(decide(false, 4), Look::Detect, "the first still picture");
        assert_eq!(decide(false, 5), Look::Same);
        assert_eq!(decide(false, 8), Look::Same);
        assert_eq!(decide(false, 9), Look::Detect, "5 s without a look");
    }

    #[test]
    fn what_was_seen_once_is_looked_at_again_and_failures_do_not_count() {
        let mut pace = Pace::new(second(5));
        pace.looked(second(0));
        assert_eq!(pace.decide(false, true, second(1)), Look::Detect);
        assert_eq!(pace.decide(false, false, second(1)), Look::Same);
        pace.forget();
        assert_eq!(pace.decide(false, false, second(2)), Look::Detect);
        assert_eq!(pace.decide(false, false, second(3)), Look::Detect, "it has still not looked");
    }
}
