//! The thread that writes events down. It alone owns the recorder, so the order of recording is the order of
//! events.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use gatepost_wire::event::EventData;
use gatepost_wire::{EventId, Timestamp};
use ulid::Ulid;

use super::{Births, Observation};
use crate::evidence::{EvidenceStore, Snapshot};
use crate::outbox::{Draft, OpenAlarms, Recorder, ended};

/// Observations that may wait while the disk is slow or full. When it is reached the detector waits: frames
/// are dropped then, observations never.
const WAITING: usize = 1024;
const RETRY: Duration = Duration::from_secs(1);

/// Takes observations.
#[derive(Clone)]
pub struct Reporter {
    observations: SyncSender<Observation>,
}

impl Reporter {
    /// Hands an observation over; waits when very many wait already.
    pub fn report(&self, observation: Observation) {
        if self.observations.send(observation).is_err() {
            // Only after the thread has gone home, at the very end of the daemon.
            tracing::warn!("an observation came too late to be recorded");
        }
    }
}

/// The running thread.
pub struct RecordThread {
    thread: JoinHandle<()>,
}

impl RecordThread {
    /// Starts recording; first come the ends of alarms that a power cut left open. It stops when the last
    /// [`Reporter`] is gone and everything reported is written.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        recorder: Recorder,
        evidence: EvidenceStore,
        open_alarms: OpenAlarms,
    ) -> io::Result<(Self, Reporter)> {
        let (sender, receiver) = sync_channel(WAITING);
        let mut writer = Writer { recorder, evidence, births: Births::default(), disk_is_full: false };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || writer.run(open_alarms, &receiver))?;
        Ok((Self { thread }, Reporter { observations: sender }))
    }

    /// Waits until everything is written.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the recording thread panicked; its last event may be missing");
        }
    }
}

struct Writer {
    recorder: Recorder,
    evidence: EvidenceStore,
    births: Births,
    disk_is_full: bool,
}

impl Writer {
    fn run(&mut self, open_alarms: Vec<EventData>, observations: &Receiver<Observation>) {
        for data in open_alarms.into_iter().filter_map(ended) {
            self.record(&Draft { id: EventId::from_ulid(Ulid::generate()), time: Timestamp::now(), data });
        }
        for observation in observations {
            let Some(mut draft) = self.births.draft(&observation) else { continue };
            if let Observation::Decision { picture: Some(picture), .. } = &observation {
                self.attach_snapshot(&mut draft, Snapshot::take(&picture.frame, &picture.people));
            }
            self.record(&draft);
        }
    }

    /// An alarm without its picture is still an alarm: what goes wrong here is only told.
    fn attach_snapshot(&self, draft: &mut Draft, snapshot: Result<Snapshot, crate::evidence::SnapshotError>) {
        let kept = snapshot.map_err(|e| e.to_string()).and_then(|snapshot| {
            self.evidence.keep(draft.id, &snapshot).map(|()| snapshot).map_err(|e| e.to_string())
        });
        match kept {
            Ok(snapshot) => draft.data.evidence.push(snapshot.describe()),
            Err(reason) => tracing::warn!(event = %draft.id, "no picture is kept: {reason}"),
        }
    }

    /// Tries until it is written: an event is never given up.
    fn record(&mut self, draft: &Draft) {
        loop {
            match self.recorder.record(draft) {
                Ok(event) => {
                    if std::mem::take(&mut self.disk_is_full) {
                        tracing::info!("events can be written again");
                    }
                    tracing::info!(
                        event = %event.id, seq = %event.seq, kind = event.data.happening.kind(),
                        severity = event.data.severity.level(), "recorded"
                    );
                    return;
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.disk_is_full, true) {
                        tracing::error!("{error}; trying again every second, nothing is lost meanwhile");
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
    }
}
