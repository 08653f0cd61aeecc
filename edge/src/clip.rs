//! Clips: the seconds before and after an alarm as an MP4 that shows nobody.
//!
//! ```text
//! record ── an alarm began ──▶ Bookings ── its last second is over ──▶ Waiting ──▶ Maker ──▶ Archive, and an event
//!            seconds of a camera   │ cut from its Ring        gravest first   decode, mask, look, cover, encode
//! ```
//!
//! Two threads for the whole box: one cuts in time, before the rings move on; one makes the clips, one after the other
//! and with the lowest priority, so that a clip waits for the detector and never the detector for a clip.

mod archive;
mod booking;
mod cover;
mod deletion;
mod film;
mod hold;
mod make;
mod report;
mod retention;
mod waiting;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use gatepost_wire::event::Region;
use gatepost_wire::{CameraId, Severity};

use crate::clock::Clock;
use crate::config::Tiles;
use crate::privacy::{CoverLog, Masks};
use crate::source::{Cut, Ring};
pub use archive::{Archive, ClipAlarm, CutShort, Record, Room};
pub use booking::{BegunAlarm, Span};
use booking::{Booking, Bookings};
pub use cover::{ClipCover, LOOK_EVERY};
pub use deletion::{Deletion, DeletionCause, DeletionLog};
pub use film::{FilmError, check_encoder};
pub use hold::{Holds, Superseded};
pub use make::Maker;
pub use report::Publisher;
pub(crate) use report::locked;
use waiting::{Waiting, Weighed};

#[cfg(test)]
pub(crate) use booking::tests;

/// The detector may be so far behind; what it saw until then covers people in the clip.
pub const SETTLES: Duration = Duration::from_secs(2);
/// A camera's ring holds so much more than a clip needs: time to the key frame before it, and until it is cut.
pub const RING_SPARE: Duration = Duration::from_secs(5);
/// Alarms that may wait to be booked; it is done at once, so this is never reached.
const REQUESTS: usize = 256;
/// How often it is looked whether to stop, and whether clips have become too old.
const TICK: Duration = Duration::from_millis(500);

/// What is remembered of a camera's last seconds.
#[derive(Debug)]
pub struct Preroll {
    /// What it sent.
    pub ring: Arc<Ring>,
    /// What was covered in it.
    pub cover: Arc<CoverLog>,
}

/// A camera clips are made of.
pub struct ClipCamera {
    /// Its name.
    pub id: CameraId,
    /// Black in every clip.
    pub masks: Masks,
    /// How the detector looks at it.
    pub tiles: Tiles,
    /// Its last seconds.
    pub preroll: Arc<Preroll>,
}

/// Asks for clips.
#[derive(Clone)]
pub struct ClipRequests {
    sender: SyncSender<(CameraId, BegunAlarm)>,
}

impl ClipRequests {
    /// Asks for a clip of an alarm that has just begun; never waits.
    pub fn ask(&self, camera: CameraId, alarm: BegunAlarm) {
        let event = alarm.event;
        if self.sender.try_send((camera, alarm)).is_err() {
            tracing::warn!(%event, "no clip is made of this alarm: too many ask, or the daemon stops");
        }
    }
}

/// Where requests arrive.
pub struct RequestedClips(Receiver<(CameraId, BegunAlarm)>);

/// A way to ask for clips, and where the requests arrive.
pub fn requests() -> (ClipRequests, RequestedClips) {
    let (sender, receiver) = sync_channel(REQUESTS);
    (ClipRequests { sender }, RequestedClips(receiver))
}

/// What a clip is made of.
pub(crate) struct Job {
    booking: Booking,
    masks: Masks,
    tiles: Tiles,
    cut: Cut,
    live: Vec<(Duration, Vec<Region>)>,
}

impl Weighed for Job {
    fn severity(&self) -> Severity {
        self.booking.severity()
    }
    fn bytes(&self) -> usize {
        self.cut.bytes()
    }
}

/// The running threads.
pub struct ClipThreads {
    stop: Arc<AtomicBool>,
    waiting: Arc<Waiting<Job>>,
    cutter: JoinHandle<()>,
    maker: JoinHandle<()>,
}

impl ClipThreads {
    /// Starts them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        requested: RequestedClips,
        cameras: Vec<ClipCamera>,
        span: Span,
        clock: Arc<Clock>,
        mut maker: Maker,
        mut publisher: Publisher,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let waiting = Arc::new(Waiting::default());
        let cutter = Cutter { cameras, clock, bookings: Bookings::new(span), waiting: Arc::clone(&waiting) };
        let told = Arc::clone(&stop);
        let cutter = std::thread::Builder::new()
            .name("clip-cut".into())
            .spawn(move || cutter.run(&requested, &told))?;
        let (jobs, told) = (Arc::clone(&waiting), Arc::clone(&stop));
        let maker = std::thread::Builder::new().name("clip-make".into()).spawn(move || {
            yield_to_all_others();
            while let Some(job) = jobs.take(TICK) {
                match job {
                    Some(job) => publisher.publish(&job.booking, maker.make(&job, &told)),
                    None => publisher.tidy(),
                }
                if jobs.is_empty() {
                    maker.rest();
                }
            }
        })?;
        Ok(Self { stop, waiting, cutter, maker })
    }

    /// Stops them; a clip that is not finished is not made.
    pub fn close(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.waiting.close();
        for thread in [self.cutter, self.maker] {
            if thread.join().is_err() {
                tracing::error!("a thread that makes clips panicked");
            }
        }
    }
}

/// The lowest priority there is: clips are made with what the detector leaves.
fn yield_to_all_others() {
    const LOWEST: i32 = 19;
    // On Linux this is about the calling thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::warn!("clips are made with ordinary priority: {error}");
    }
}

struct Cutter {
    cameras: Vec<ClipCamera>,
    clock: Arc<Clock>,
    bookings: Bookings,
    waiting: Arc<Waiting<Job>>,
}

impl Cutter {
    fn run(mut self, requested: &RequestedClips, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let (now, _) = self.clock.now();
            let over = self.bookings.next_over().map(|until| (until + SETTLES).saturating_sub(now));
            match requested.0.recv_timeout(over.unwrap_or(TICK).min(TICK)) {
                Ok((camera, alarm)) => self.book(camera, alarm),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let (now, _) = self.clock.now();
            for booking in self.bookings.over(now.saturating_sub(SETTLES)) {
                self.cut(booking);
            }
        }
    }

    fn book(&mut self, camera: CameraId, alarm: BegunAlarm) {
        if !self.cameras.iter().any(|known| known.id == camera) {
            return;
        }
        let event = alarm.event;
        if !self.bookings.book(camera, alarm) {
            tracing::debug!(%event, "no clip of its own: its camera's clip belongs to many alarms already");
        }
    }

    fn cut(&self, booking: Booking) {
        let Some(camera) = self.cameras.iter().find(|known| known.id == booking.camera) else { return };
        let Preroll { ring, cover } = &*camera.preroll;
        let cut = ring.cut(booking.from, booking.until);
        // What was covered a little before and after still counts at the ends.
        let live = cover.between(booking.from.saturating_sub(cover::HELD), booking.until + cover::HELD);
        let job = Job { booking, masks: camera.masks.clone(), tiles: camera.tiles, cut, live };
        for Job { booking, .. } in self.waiting.put(job) {
            tracing::warn!(
                camera = %booking.camera, severity = booking.severity().level(),
                "too many alarms at once: no clip is made of one"
            );
        }
    }
}
