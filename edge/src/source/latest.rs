//! Where cameras and the detector meet: one place for each camera, holding its newest frame. A late frame is
//! worthless, so a newer one replaces it; cameras are served in turn.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

struct Places<T> {
    waiting: Vec<Option<T>>,
    next: usize,
    closed: bool,
}

/// The newest item of each camera.
pub struct Latest<T> {
    places: Mutex<Places<T>>,
    arrived: Condvar,
}

impl<T> Latest<T> {
    /// Places for `cameras` cameras, numbered from 0.
    pub fn new(cameras: usize) -> Self {
        let places = Places { waiting: (0..cameras).map(|_| None).collect(), next: 0, closed: false };
        Self { places: Mutex::new(places), arrived: Condvar::new() }
    }

    /// Leaves an item; true when an older one had to give way.
    pub fn put(&self, camera: usize, item: T) -> bool {
        let replaced = self.lock().waiting[camera].replace(item).is_some();
        self.arrived.notify_one();
        replaced
    }

    /// Waits for an item, taking the cameras in turn; none once closed.
    pub fn take(&self) -> Option<(usize, T)> {
        let mut places = self.lock();
        loop {
            if places.closed {
                return None;
            }
            let count = places.waiting.len();
            let found = (0..count).map(|i| (places.next + i) % count).find(|&i| places.waiting[i].is_some());
            if let Some(camera) = found {
                places.next = (camera + 1) % count;
                return places.waiting[camera].take().map(|item| (camera, item));
            }
            places = self.arrived.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets whoever waits go home.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Places<T>> {
        // Nothing that can panic runs under the lock, and a half-made change is not possible.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_replaces_and_cameras_take_turns() {
        let latest = Latest::new(3);
        assert!(!latest.put(0, "a1"));
        assert!(latest.put(0, "a2"));
        latest.put(2, "c1");
        assert_eq!(latest.take(), Some((0, "a2")));
        latest.put(0, "a3");
        assert_eq!(latest.take(), Some((2, "c1")), "camera 2 waits longer");
        assert_eq!(latest.take(), Some((0, "a3")));
        latest.close();
        assert_eq!(latest.take(), None);
    }
}
