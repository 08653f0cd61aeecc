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

    /// Every order of nine answers, and of shorter ones in which some came later than they might have: a batch stays within its
    /// bounds, and who was answered later never sends more afterwards.
    #[test]
    fn a_later_answer_never_makes_a_larger_batch() {
        const ANSWERS: [Duration; 4] = [Duration::ZERO, QUICK, SLOW, Duration::from_secs(1)];
        fn check(quicker: &Pace, slower: &Pace, left: u8) {
            for pace in [quicker, slower] {
                assert!((LEAST..=MAX_BATCH_EVENTS).contains(&pace.events));
            }
            assert!(slower.events <= quicker.events);
            for (index, took) in
                ANSWERS.into_iter().enumerate().take(if left > 0 { ANSWERS.len() } else { 0 })
            {
                let next = |pace: &Pace, took| {
                    let mut pace = Pace { ..*pace };
                    pace.answered(took);
                    pace
                };
                check(&next(quicker, took), &next(slower, took), left - 1);
                if let Some(longer) = ANSWERS.get(index + 1) {
                    check(&next(quicker, took), &next(slower, *longer), left.saturating_sub(3));
                }
            }
        }
        check(&Pace::new(), &Pace::new(), 9);
    }

    /// Boxes that drain together into a hub that stores so much a second: each is answered when the batches of all are stored.
    #[test]
    fn boxes_that_drain_together_find_what_the_hub_can_take() {
        for per_event in [20, 100, 400].map(Duration::from_micros) {
            for boxes in [1, 2, 10, 100, 1000] {
                let mut paces: Vec<Pace> =
                    (0..boxes).map(|index| Pace { events: LEAST << (index % 8) }).collect();
                let stored = |paces: &[Pace]| {
                    per_event * u32::try_from(paces.iter().map(Pace::events).sum::<usize>()).unwrap()
                };
                for _ in 0..16 {
                    let took = stored(&paces);
                    paces.iter_mut().for_each(|pace| pace.answered(took));
                }
                let took = stored(&paces);
                let least = paces.iter().all(|pace| pace.events == LEAST);
                let most = paces.iter().all(|pace| pace.events == MAX_BATCH_EVENTS);
                let fits = (QUICK..=SLOW).contains(&took);
                assert!(
                    fits || took > SLOW && least || took < QUICK && most,
                    "{boxes} boxes: {took:?}, {paces:?}"
                );
            }
        }
    }
}
