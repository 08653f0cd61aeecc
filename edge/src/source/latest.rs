//! Where cameras and the detectors meet: one place for each camera, holding its newest frame. A late frame is
//! worthless, so a newer one replaces it; whoever was looked at longest ago is next.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

struct Places<S, T> {
    places: Vec<Place<S, T>>,
    /// All cameras, the one that was looked at longest ago first.
    order: VecDeque<usize>,
    closed: bool,
}

struct Place<S, T> {
    /// What is known of the camera; none while somebody looks at it.
    state: Option<S>,
    waiting: Option<T>,
}

/// The newest item of each camera, and what is known of the camera. Who takes the one takes the other, so a
/// camera's items are looked at one after another, in order, however many look.
pub struct Latest<S, T> {
    places: Mutex<Places<S, T>>,
    ready: Condvar,
}

impl<S, T> Latest<S, T> {
    /// A place for each camera, numbered from 0, with what is known of it.
    pub fn new(cameras: impl IntoIterator<Item = S>) -> Self {
        let place = |state| Place { state: Some(state), waiting: None };
        let places: Vec<_> = cameras.into_iter().map(place).collect();
        let order = (0..places.len()).collect();
        Self { places: Mutex::new(Places { places, order, closed: false }), ready: Condvar::new() }
    }

    /// Leaves an item; true when an older one had to give way.
    pub fn put(&self, camera: usize, item: T) -> bool {
        let replaced = self.lock().places[camera].waiting.replace(item).is_some();
        self.ready.notify_one();
        replaced
    }

    /// Waits for an item and lets `look` have it, with the camera's number and what is known of the camera;
    /// false once closed. Cameras take turns.
    pub fn serve(&self, look: impl FnOnce(usize, &mut S, T)) -> bool {
        let Some((camera, mut state, item)) = self.take() else { return false };
        look(camera, &mut state, item);
        let mut places = self.lock();
        let place = &mut places.places[camera];
        place.state = Some(state);
        // One may have come meanwhile, and whoever waits passed it by.
        if place.waiting.is_some() {
            self.ready.notify_one();
        }
        true
    }

    fn take(&self) -> Option<(usize, S, T)> {
        let mut places = self.lock();
        while !places.closed {
            if let Some(taken) = places.next() {
                return Some(taken);
            }
            places = self.ready.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// Lets whoever waits go home.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Places<S, T>> {
        // Nothing that can panic runs under the lock, and a half-made change is not possible.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, T> Places<S, T> {
    fn next(&mut self) -> Option<(usize, S, T)> {
        let Self { places, order, .. } = self;
        let is_ready = |&camera: &usize| places[camera].waiting.is_some() && places[camera].state.is_some();
        let turn = order.iter().position(is_ready)?;
        let camera = order.remove(turn)?;
        order.push_back(camera);
        let place = &mut places[camera];
        Some((camera, place.state.take()?, place.waiting.take()?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn latest(cameras: usize) -> Latest<Vec<u32>, u32> {
        Latest::new((0..cameras).map(|_| Vec::new()))
    }

    /// Who is served next, with what.
    fn served(latest: &Latest<Vec<u32>, u32>) -> (usize, u32) {
        let mut seen = None;
        assert!(latest.serve(|camera, _, item| seen = Some((camera, item))));
        seen.unwrap()
    }

    #[test]
    fn the_newest_replaces_and_cameras_take_turns() {
        let latest = latest(3);
        assert!(!latest.put(0, 1));
        assert!(latest.put(0, 2));
        latest.put(2, 1);
        assert_eq!(served(&latest), (0, 2));
        latest.put(0, 3);
        assert_eq!(served(&latest), (2, 1), "camera 2 waits longer");
        assert_eq!(served(&latest), (0, 3));
        latest.close();
        assert!(!latest.serve(|_, _, _| unreachable!("closed")));
    }

    #[test]
    fn a_camera_somebody_looks_at_is_passed_by_and_keeps_its_turn() {
        let latest = latest(3);
        for camera in 0..3 {
            latest.put(camera, 1);
        }
        let (go, gone) = channel();
        thread::scope(|scope| {
            let (slow, begun) = channel();
            let latest = &latest;
            scope.spawn(move || {
                latest.serve(|camera, _, _| {
                    slow.send(camera).unwrap();
                    gone.recv().unwrap();
                })
            });
            assert_eq!(begun.recv().unwrap(), 0);
            assert!(!latest.put(0, 2), "its place is free, though somebody looks at the one before");
            assert!(latest.put(0, 3), "one waits, no more");
            assert_eq!(served(latest), (1, 1));
            assert_eq!(served(latest), (2, 1));
            latest.put(1, 2);
            assert_eq!(served(latest), (1, 2), "camera 0 would be next, but is looked at");
            latest.put(1, 3);
            go.send(()).unwrap();
        });
        assert_eq!(served(&latest), (0, 3));
        assert_eq!(served(&latest), (1, 3));
    }

    /// However many look: every camera's items in order, never by two at once, none forgotten, all served alike.
    #[test]
    fn many_look_at_many() {
        const CAMERAS: usize = 7;
        let latest = latest(CAMERAS);
        let at_once: Vec<_> = (0..CAMERAS).map(|_| AtomicUsize::new(0)).collect();
        let dropped = AtomicUsize::new(0);
        let rounds = 2000;
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while latest.serve(|camera, seen, item| {
                        assert_eq!(at_once[camera].fetch_add(1, Ordering::SeqCst), 0, "two at once");
                        seen.push(item);
                        thread::yield_now();
                        at_once[camera].fetch_sub(1, Ordering::SeqCst);
                    }) {}
                });
            }
            for round in 0..rounds {
                for camera in 0..CAMERAS {
                    dropped.fetch_add(usize::from(latest.put(camera, round)), Ordering::SeqCst);
                }
            }
            // The last of each camera is served, whoever slept when it came.
            let idle = || {
                let places = latest.lock();
                places.places.iter().all(|place| place.waiting.is_none() && place.state.is_some())
            };
            while !idle() {
                thread::yield_now();
            }
            latest.close();
        });
        let places = latest.lock();
        let seen: Vec<_> = places.places.iter().map(|place| place.state.as_ref().unwrap()).collect();
        assert!(
            seen.iter().all(|seen| seen.is_sorted_by(|a, b| a < b) && seen.last() == Some(&(rounds - 1)))
        );
        let total: usize = seen.iter().map(|seen| seen.len()).sum();
        assert_eq!(total + dropped.into_inner(), CAMERAS * rounds as usize);
    }
}
