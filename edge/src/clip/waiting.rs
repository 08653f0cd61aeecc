//! Clips that wait to be made. There is room for few: the gravest are made first, and when too many come at once
//! the least grave are not made at all.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_wire::Severity;

/// Clips that may wait.
const MOST_WAITING: usize = 6;
/// Encoded video that may wait.
const MOST_BYTES: usize = 96 << 20;

/// Work that waits.
pub trait Weighed {
    /// How grave.
    fn severity(&self) -> Severity;
    /// Memory it takes.
    fn bytes(&self) -> usize;
}

struct Places<J> {
    jobs: Vec<J>,
    closed: bool,
}

/// Where clips wait.
pub struct Waiting<J> {
    places: Mutex<Places<J>>,
    changed: Condvar,
}

impl<J: Weighed> Default for Waiting<J> {
    fn default() -> Self {
        Self { places: Mutex::new(Places { jobs: Vec::new(), closed: false }), changed: Condvar::new() }
    }
}

impl<J: Weighed> Waiting<J> {
    /// Puts a job in; gives back those there is no room for.
    #[must_use]
    pub fn put(&self, job: J) -> Vec<J> {
        let mut places = self.locked();
        places.jobs.push(job);
        // The gravest in front; among equals whoever came first.
        places.jobs.sort_by_key(J::severity);
        let mut refused = Vec::new();
        let too_much =
            |jobs: &[J]| jobs.len() > MOST_WAITING || jobs.iter().map(J::bytes).sum::<usize>() > MOST_BYTES;
        while too_much(&places.jobs) {
            refused.extend(places.jobs.pop());
        }
        self.changed.notify_one();
        refused
    }

    /// The gravest job; waits for one, at most for `patience`. The outer none once closed.
    pub fn take(&self, patience: Duration) -> Option<Option<J>> {
        let places = self.locked();
        let nothing = |places: &mut Places<J>| places.jobs.is_empty() && !places.closed;
        let (mut places, _) = self
            .changed
            .wait_timeout_while(places, patience, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        let next = (!places.jobs.is_empty()).then(|| places.jobs.remove(0));
        (!places.closed).then_some(next)
    }

    /// Does nothing wait?
    pub fn is_empty(&self) -> bool {
        self.locked().jobs.is_empty()
    }

    /// What still waits is not made any more.
    pub fn close(&self) {
        self.locked().closed = true;
        self.changed.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, Places<J>> {
        // After a panic it holds whole jobs all the same.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Job(u8, usize, char);

    impl Weighed for Job {
        fn severity(&self) -> Severity {
            self.0.try_into().unwrap()
        }
        fn bytes(&self) -> usize {
            self.1
        }
    }

    #[test]
    fn the_gravest_come_first_and_the_least_grave_are_not_made() {
        let waiting = Waiting::default();
        for (severity, name) in [(3, 'a'), (2, 'b'), (4, 'c'), (2, 'd'), (3, 'e'), (1, 'f')] {
            assert_eq!(waiting.put(Job(severity, 1, name)), []);
        }
        assert_eq!(waiting.put(Job(3, 1, 'g')), [Job(4, 1, 'c')]);
        assert_eq!(waiting.put(Job(4, 1, 'h')), [Job(4, 1, 'h')]);
        let order: String = (0..6).map(|_| waiting.take(Duration::ZERO).unwrap().unwrap().2).collect();
        assert_eq!(order, "fbdaeg");
        assert!(waiting.is_empty());
        assert_eq!(waiting.take(Duration::ZERO), Some(None));
        waiting.close();
        assert_eq!(waiting.take(Duration::MAX), None);
    }

    #[test]
    fn memory_is_bounded_too() {
        let waiting = Waiting::default();
        assert_eq!(waiting.put(Job(2, MOST_BYTES, 'a')), []);
        assert_eq!(waiting.put(Job(1, 1, 'b')), [Job(2, MOST_BYTES, 'a')]);
        assert_eq!(waiting.put(Job(1, MOST_BYTES + 1, 'c')), [Job(1, MOST_BYTES + 1, 'c')]);
        assert_eq!(waiting.take(Duration::ZERO), Some(Some(Job(1, 1, 'b'))));
    }
}
