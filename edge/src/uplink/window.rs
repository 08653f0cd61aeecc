//! What is on its way: which entries were handed to the broker and not acknowledged yet. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::outbox::{Lane, Position};

/// More in flight than this brings nothing on one connection.
const MAX_IN_FLIGHT: usize = 64;
/// And no more bytes than this, unless one entry alone is larger: a box has little memory, and clips are large.
const MAX_BYTES_IN_FLIGHT: usize = 4 << 20;
/// Kept free for presence and health.
const RESERVED: usize = 2;
/// One of so many places is kept free for urgent entries: they do not wait for an answer to a backlog.
const URGENT_SHARE: usize = 8;

/// A publish under way and the entries in it.
#[derive(Debug, Clone)]
struct Sending {
    positions: Vec<Position>,
    bytes: usize,
    since: Instant,
}

/// A publish the broker answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    /// The entries in it.
    pub positions: Vec<Position>,
    /// How long the answer took.
    pub took: Duration,
}

/// The in-flight window.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    /// Handed to the client, no packet id known yet; none for what is not from the outbox.
    expected: VecDeque<Option<Sending>>,
    in_flight: HashMap<u16, Option<Sending>>,
    /// The last entry of each lane handed over.
    cursors: HashMap<Lane, Position>,
    /// Something was not delivered: begin again from the oldest entry then.
    retry_at: Option<Instant>,
}

impl Window {
    /// `receive_max`: how many unacknowledged publishes the broker takes.
    pub fn new(receive_max: u16) -> Self {
        let limit = usize::from(receive_max).min(MAX_IN_FLIGHT).saturating_sub(RESERVED).max(1);
        Self {
            limit,
            expected: VecDeque::new(),
            in_flight: HashMap::new(),
            cursors: HashMap::new(),
            retry_at: None,
        }
    }

    /// How many more entries of a lane may be handed over now.
    pub fn room(&mut self, lane: Lane, now: Instant) -> usize {
        let under_way = self.expected.len() + self.in_flight.len();
        if let Some(at) = self.retry_at {
            if now < at || under_way > 0 {
                return 0;
            }
            self.retry_at = None;
            self.cursors.clear();
        }
        let limit = match lane {
            Lane::Urgent => self.limit,
            Lane::Routine => self.limit - self.limit / URGENT_SHARE,
        };
        limit.saturating_sub(under_way)
    }

    /// Would so many bytes more be too many at once, behind `planned` that are not handed over yet?
    pub fn is_too_much(&self, planned: usize, bytes: usize) -> bool {
        let under_way = self.expected.iter().chain(self.in_flight.values()).flatten();
        let before = planned + under_way.map(|sending| sending.bytes).sum::<usize>();
        before > 0 && before + bytes > MAX_BYTES_IN_FLIGHT
    }

    /// The last entry of a lane handed over.
    pub fn cursor(&self, lane: Lane) -> Option<Position> {
        self.cursors.get(&lane).copied()
    }

    /// The entries that wait for their answer, the oldest first.
    pub fn unanswered(&self) -> Vec<Position> {
        let mut positions: Vec<_> =
            self.in_flight.values().flatten().flat_map(|sending| sending.positions.clone()).collect();
        positions.sort_unstable();
        positions
    }

    /// Publishes of a lane that hold more than one entry and wait for their answer.
    pub fn batches(&self, lane: Lane) -> usize {
        let under_way = self.expected.iter().chain(self.in_flight.values()).flatten();
        under_way
            .filter(|sending| sending.positions.len() > 1)
            .filter(|sending| sending.positions.iter().all(|position| position.lane() == lane))
            .count()
    }

    /// Entries of one lane, of so many bytes together, are about to be handed to the client in one publish.
    pub fn expect(&mut self, positions: Vec<Position>, bytes: usize, now: Instant) {
        for position in &positions {
            // A picture goes after events that were recorded after it.
            let cursor = self.cursors.entry(position.lane()).or_insert(*position);
            *cursor = (*cursor).max(*position);
        }
        self.expected.push_back(Some(Sending { positions, bytes, since: now }));
    }

    /// Something that is not from the outbox is about to be handed to the client.
    pub fn expect_other(&mut self) {
        self.expected.push_back(None);
    }

    /// The client gave the oldest expected publish this packet id.
    pub fn sent(&mut self, packet: u16) {
        if let Some(sending) = self.expected.pop_front() {
            self.in_flight.insert(packet, sending);
        }
    }

    /// The broker answered; gives the entries it was about.
    pub fn acknowledged(&mut self, packet: u16, now: Instant) -> Option<Answered> {
        let Sending { positions, since, .. } = self.in_flight.remove(&packet).flatten()?;
        Some(Answered { positions, took: now.duration_since(since) })
    }

    /// Hands out nothing until `at`, then everything that still waits, from the oldest.
    pub fn start_over(&mut self, at: Instant) {
        self.retry_at = Some(at);
    }

    /// Returns when it is time to start over; never when that is not planned.
    pub async fn retry_due(&self) {
        match self.retry_at {
            Some(at) if at > Instant::now() => tokio::time::sleep_until(at).await,
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position(n: u8) -> Position {
        Position::new(n.into(), Lane::Routine)
    }

    fn expect(window: &mut Window, n: u8, bytes: usize) {
        window.expect(vec![position(n)], bytes, Instant::now());
    }

    fn acknowledged(window: &mut Window, packet: u16) -> Option<Vec<Position>> {
        window.acknowledged(packet, Instant::now()).map(|answered| answered.positions)
    }

    #[test]
    fn a_batch_is_one_publish_and_its_answer_is_for_all_of_it() {
        let mut window = Window::new(10);
        let now = Instant::now();
        window.expect(vec![position(1), position(3)], 100, now);
        window.expect(vec![position(2)], 100, now);
        assert_eq!((window.batches(Lane::Routine), window.batches(Lane::Urgent)), (1, 0));
        assert_eq!((window.room(Lane::Routine, now), window.cursor(Lane::Routine)), (5, Some(position(3))));
        window.sent(1);
        let answered = window.acknowledged(1, now + Duration::from_secs(1)).unwrap();
        assert_eq!(
            answered,
            Answered { positions: vec![position(1), position(3)], took: Duration::from_secs(1) }
        );
        assert_eq!(window.batches(Lane::Routine), 0);
    }

    #[test]
    fn acknowledgements_find_their_entry_in_any_order() {
        let mut window = Window::new(10);
        let now = Instant::now();
        assert_eq!((window.room(Lane::Urgent, now), window.room(Lane::Routine, now)), (8, 7));
        window.expect_other();
        for n in 1..=3 {
            expect(&mut window, n, 100);
        }
        for packet in 1..=4 {
            window.sent(packet);
        }
        assert_eq!((window.room(Lane::Routine, now), window.cursor(Lane::Routine)), (3, Some(position(3))));
        assert_eq!(window.cursor(Lane::Urgent), None, "lanes do not move each other");
        assert_eq!(acknowledged(&mut window, 3), Some(vec![position(2)]));
        assert_eq!(acknowledged(&mut window, 1), None);
        assert_eq!(acknowledged(&mut window, 3), None, "twice says nothing new");
    }

    #[test]
    fn starting_over_waits_for_the_pause_and_for_what_is_under_way() {
        let mut window = Window::new(10);
        let now = Instant::now();
        expect(&mut window, 1, 100);
        window.sent(1);
        expect(&mut window, 2, 100);
        window.sent(2);
        acknowledged(&mut window, 1);
        window.start_over(now + Duration::from_secs(5));
        assert_eq!(window.room(Lane::Urgent, now), 0);
        assert_eq!(window.room(Lane::Urgent, now + Duration::from_secs(6)), 0, "one is still under way");
        acknowledged(&mut window, 2);
        assert_eq!(window.room(Lane::Urgent, now + Duration::from_secs(6)), 8);
        assert_eq!(window.cursor(Lane::Routine), None);
    }

    #[test]
    fn bytes_are_bounded_and_what_is_larger_than_the_bound_goes_alone() {
        let mut window = Window::new(10);
        assert!(!window.is_too_much(0, MAX_BYTES_IN_FLIGHT + 1), "alone it may go");
        expect(&mut window, 1, MAX_BYTES_IN_FLIGHT - 10);
        assert!(!window.is_too_much(0, 10) && window.is_too_much(0, 11) && window.is_too_much(1, 10));
        window.sent(1);
        assert!(window.is_too_much(0, 11));
        acknowledged(&mut window, 1);
        assert!(!window.is_too_much(0, 11));
    }

    proptest! {
        /// Whatever happens in whatever order, an entry is given back at most once for each time it was sent,
        /// and the window never grows beyond its limit.
        #[test]
        fn the_window_holds(steps in prop::collection::vec(0u8..3, 1..200)) {
            let mut window = Window::new(6);
            let (mut next, mut sent, mut packets, mut back) = (1u8, 0u16, Vec::new(), 0);
            for step in steps {
                match step {
                    0 if window.room(Lane::Routine, Instant::now()) > 0 && next < 255 => {
                        expect(&mut window, next, 100);
                        next += 1;
                    }
                    1 if u16::from(next) - 1 > sent => { sent += 1; window.sent(sent); packets.push(sent); }
                    2 => if let Some(packet) = packets.pop() {
                        prop_assert!(acknowledged(&mut window, packet).is_some());
                        prop_assert!(acknowledged(&mut window, packet).is_none());
                        back += 1;
                    },
                    _ => {}
                }
                prop_assert!(usize::from(next) - 1 - back <= 4);
            }
        }
    }
}
