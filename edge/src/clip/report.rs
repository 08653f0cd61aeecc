//! A finished clip is kept, and its alarms are told of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_wire::event::{FaultKind, Phase};
use gatepost_wire::evidence::Original;
use gatepost_wire::{EventId, Evidence, Timestamp};
use ulid::Ulid;

use super::archive::{Archive, ClipAlarm, CutShort, Record};
use super::booking::Booking;
use super::make::{ClipFault, Made};
use crate::clock::Clock;
use crate::event::{Observation, Reporter};
use crate::evidence::{EvidenceStore, Kind, describe};

/// How often it is looked whether clips have become too old, or the disk too full.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Clips are held long enough again when for so long none had to go before its time.
const SHORT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Keeps clips and tells of them.
pub struct Publisher {
    archive: Arc<Mutex<Archive>>,
    evidence: EvidenceStore,
    reporter: Reporter,
    clock: Arc<Clock>,
    keep: Duration,
    tidied: Option<Instant>,
    short_since: Option<Instant>,
}

impl Publisher {
    /// Keeps clips in `archive`, for `keep` if it can.
    pub fn new(
        archive: Arc<Mutex<Archive>>,
        evidence: EvidenceStore,
        reporter: Reporter,
        clock: Arc<Clock>,
        keep: Duration,
    ) -> Self {
        Self { archive, evidence, reporter, clock, keep, tidied: None, short_since: None }
    }

    /// Takes what became of a booking.
    pub(super) fn publish(&mut self, booking: &Booking, made: Result<Made, ClipFault>) {
        let camera = &booking.camera;
        match made {
            Ok(made) => {
                if let Err(reason) = self.keep(booking, &made) {
                    tracing::warn!(%camera, "a clip is not kept: {reason}");
                }
            }
            Err(ClipFault::Stopped) => tracing::info!(%camera, "a clip is not finished: the daemon stops"),
            Err(fault) => tracing::warn!(%camera, "no clip is made: {fault}"),
        }
    }

    fn keep(&mut self, booking: &Booking, made: &Made) -> Result<(), String> {
        let Some(first) = booking.alarms.first() else { return Ok(()) };
        let bytes = (made.covered.len() + made.original.as_ref().map_or(0, Vec::len)) as u64;
        self.make_room(bytes);
        if !locked(&self.archive).has_room(bytes) {
            let (_, now) = self.clock.now();
            let short = locked(&self.archive).no_room(now);
            self.ran_short(&short, now);
            return Err("the room for clips is too small for it".into());
        }
        let record = record(booking, self.clock.utc(first.at));
        let file = self.archived(record.clone(), made).map_err(|error| error.to_string())?;
        tracing::info!(
            camera = %booking.camera, clip = %record.clip, bytes, seconds = made.length.as_secs_f64(),
            alarms = record.alarms.len(), "a clip is kept"
        );
        for alarm in record.alarms {
            self.tell(alarm, &file, made);
        }
        Ok(())
    }

    fn archived(&self, record: Record, made: &Made) -> io::Result<PathBuf> {
        let mut archive = locked(&self.archive);
        let file = archive.clip(record.clip);
        archive.add(record, &made.covered, made.original.as_deref())?;
        Ok(file)
    }

    /// The alarm goes on to be what it is; that there is a clip of it is news.
    fn tell(&self, alarm: ClipAlarm, file: &Path, made: &Made) {
        let ClipAlarm { event, mut data, .. } = alarm;
        if let Err(error) = self.evidence.adopt(event, Kind::Clip, file) {
            tracing::warn!(%event, "a clip stays on the box: it cannot be made ready to be sent: {error}");
            return;
        }
        data.happening.set_phase(Phase::Updated);
        let original = made.original.as_ref().map(|_| Original::Kept);
        data.evidence = vec![Evidence { original, ..describe(Kind::Clip, &made.covered) }];
        let (_, time) = self.clock.now();
        self.reporter.report(Observation::Addition { event, time, data, recorded: None });
    }

    /// Removes what is too old or too much, now and then.
    pub(super) fn tidy(&mut self) {
        if self.tidied.is_none_or(|at| at.elapsed() >= TIDY_EVERY) {
            self.make_room(0);
        }
    }

    fn make_room(&mut self, bytes: u64) {
        self.tidied = Some(Instant::now());
        let (_, now) = self.clock.now();
        let (gone, short) = locked(&self.archive).tidy(now, bytes);
        for Record { clip, alarms, .. } in gone {
            // One that was never fetched goes too: the disk is not there for what nobody takes.
            for alarm in alarms {
                self.evidence.remove(alarm.event);
            }
            tracing::info!(%clip, "a clip is deleted");
        }
        match short {
            Some(short) => self.ran_short(&short, now),
            None if self.short_since.is_some_and(|since| since.elapsed() >= SHORT_FOR) => {
                self.short_since = None;
                self.report(None, now);
            }
            None => {}
        }
    }

    fn ran_short(&mut self, short: &CutShort, now: Timestamp) {
        if self.short_since.replace(Instant::now()).is_some() {
            return;
        }
        let detail = shortage(short, self.keep);
        tracing::warn!("{detail}");
        self.report(Some(detail), now);
    }

    fn report(&self, detail: Option<String>, time: Timestamp) {
        self.reporter.report(Observation::Device { fault: FaultKind::RetentionShort, time, detail });
    }
}

/// After a panic the archive holds whole records all the same.
pub(crate) fn locked(archive: &Mutex<Archive>) -> MutexGuard<'_, Archive> {
    archive.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record(booking: &Booking, time: Timestamp) -> Record {
    let new_event = || EventId::from_ulid(Ulid::generate());
    let alarms = booking
        .alarms
        .iter()
        .map(|alarm| ClipAlarm { began: alarm.event, event: new_event(), data: alarm.data.clone() })
        .collect();
    Record { clip: new_event(), time, alarms }
}

/// In words for a technician.
fn shortage(short: &CutShort, keep: Duration) -> String {
    const DAY: f64 = 86_400.0;
    const MIB: u64 = 1 << 20;
    let held = match short.held {
        0 => String::new(),
        held => format!(", {} MiB of which are on legal hold and stay until its end", held.div_ceil(MIB)),
    };
    format!(
        "clips should be kept for {} days and the disk holds them for {:.1}: {} MiB are for clips{held}; give it a larger disk, a \
         larger `clips.disk_percent`, or a smaller `clips.keep_days`",
        keep.as_secs_f64() / DAY,
        short.age.as_secs_f64() / DAY,
        short.budget / MIB
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technician_is_told_how_much_there_is_and_what_to_do() {
        let short = CutShort { age: Duration::from_secs(3 * 86_400 + 43_200), budget: 5 << 30, held: 0 };
        let month = Duration::from_secs(30 * 86_400);
        let told = shortage(&short, month);
        assert!(
            told.contains("30 days") && told.contains("3.5") && told.contains("5120 MiB are for clips;"),
            "{told}"
        );
        let told = shortage(&CutShort { held: 3 << 30, ..short }, month);
        assert!(told.contains("5120 MiB are for clips, 3072 MiB of which are on legal hold"), "{told}");
    }
}
