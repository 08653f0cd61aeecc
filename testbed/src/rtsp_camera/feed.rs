//! Feeds one client's media with the clip's access units, each when it is due.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::Join;
use super::clip::Clip;
use super::damage::{Damage, Flipper};

// How often a feeder that waits looks whether its client has started to play or is gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a camera and its feeders share.
pub(super) struct Scene {
    pub(super) join: Join,
    clip: Mutex<Arc<Clip>>,
    damage: Mutex<Option<Damage>>,
    began: Instant,
    served: AtomicU64,
    paused: Mutex<bool>,
    changed: Condvar,
}

impl Scene {
    pub(super) fn new(clip: Arc<Clip>, join: Join) -> Self {
        let (served, paused, changed) = (AtomicU64::new(0), Mutex::new(false), Condvar::new());
        let (clip, damage) = (Mutex::new(clip), Mutex::new(None));
        Scene { clip, damage, join, began: Instant::now(), served, paused, changed }
    }

    pub(super) fn clip(&self) -> Arc<Clip> {
        self.clip.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_clip(&self, clip: Arc<Clip>) {
        *self.clip.lock().unwrap_or_else(PoisonError::into_inner) = clip;
    }

    fn damage(&self) -> Option<Damage> {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_damage(&self, damage: Option<Damage>) {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = damage;
    }

    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    pub(super) fn is_paused(&self) -> bool {
        *self.paused()
    }

    pub(super) fn set_paused(&self, paused: bool) {
        *self.paused() = paused;
        self.changed.notify_all();
    }

    // A bool is valid whatever panicked.
    fn paused(&self) -> MutexGuard<'_, bool> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts feeding when the media asks for data, and ends when the media is torn down or `gone` is set.
pub(super) fn attach(scene: &Arc<Scene>, source: &gst_app::AppSrc, gone: &Arc<AtomicBool>) {
    let (scene, gone) = (scene.clone(), gone.clone());
    let started = AtomicBool::new(false);
    let need_data = move |source: &gst_app::AppSrc, _: u32| {
        if !started.swap(true, Ordering::Relaxed) {
            let (scene, gone, source) = (scene.clone(), gone.clone(), source.clone());
            thread::spawn(move || feed(&scene, &source, &gone));
        }
    };
    source.set_callbacks(gst_app::AppSrcCallbacks::builder().need_data(need_data).build());
}

fn feed(scene: &Scene, source: &gst_app::AppSrc, gone: &AtomicBool) {
    let mut clip = scene.clip();
    let mut flipper: Option<Flipper> = None;
    let mut index = match scene.join {
        Join::Live => clip.key_frame_at(scene.began.elapsed()),
        Join::Beginning => 0,
    };
    let mut pts = gst::ClockTime::ZERO;
    let mut first = true;
    loop {
        // The first unit goes at once: the server needs it to describe the stream before it plays.
        if first {
            first = false;
        } else {
            match wait_until_due(scene, source, gone, pts) {
                Some(due) => pts = due,
                None => return,
            }
        }
        let now = scene.clip();
        if !Arc::ptr_eq(&now, &clip) {
            (clip, index) = (now, 0);
        }
        let duration = clip.duration_of(index).try_into().unwrap_or(gst::ClockTime::ZERO);
        // Shares the bytes; only the times are the client's own.
        let damage = scene.damage();
        if flipper.as_ref().map(Flipper::damage) != damage {
            flipper = damage.map(Flipper::new);
        }
        let whole = &clip.units[index].data;
        let damaged = flipper.as_mut().and_then(|flipper| flipper.flip(whole));
        let mut unit = damaged.unwrap_or_else(|| whole.copy());
        let Some(times) = unit.get_mut() else { return };
        times.set_pts(pts);
        times.set_dts(pts);
        times.set_duration(duration);
        if source.push_buffer(unit).is_err() {
            return;
        }
        scene.served.fetch_add(1, Ordering::Relaxed);
        pts += duration;
        index = (index + 1) % clip.units.len();
    }
}

/// Waits for the running time `pts`; the time stamp to send with, which is later after a pause. None if
/// the client is gone.
fn wait_until_due(
    scene: &Scene,
    source: &gst_app::AppSrc,
    gone: &AtomicBool,
    mut pts: gst::ClockTime,
) -> Option<gst::ClockTime> {
    let mut paused = scene.paused();
    loop {
        if gone.load(Ordering::Relaxed) {
            return None;
        }
        let playing = source.current_state() == gst::State::Playing;
        let now = source.current_running_time().filter(|_| playing);
        let wait = match now {
            Some(now) if *paused => {
                pts = pts.max(now);
                LOOK_EVERY
            }
            Some(now) if now >= pts => return Some(pts),
            Some(now) => Duration::from(pts - now).min(LOOK_EVERY),
            None => LOOK_EVERY,
        };
        paused = scene.changed.wait_timeout(paused, wait).unwrap_or_else(PoisonError::into_inner).0;
    }
}
