//! The thread that writes events down. It alone owns the recorder, so the order of recording is the order of
//! events.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use gatepost_wire::command::{SetMode, Who, Why};
use gatepost_wire::event::{EventData, Phase};
use gatepost_wire::{EventId, Timestamp};
use ulid::Ulid;

use super::{Judge, ModeOrder, Observation};
use crate::arm::Refusal;
use crate::clip::{BegunAlarm, ClipRequests};
use crate::evidence::{EvidenceStore, Snapshot};
use crate::linked::LinkedCameras;
use crate::outbox::{Draft, OpenAlarms, Recorder, ended};

/// Observations that may wait while the disk is slow or full. When it is reached the detector waits: frames
/// are dropped then, observations never.
const WAITING: usize = 1024;
const RETRY: Duration = Duration::from_secs(1);

/// Takes observations.
#[derive(Clone)]
pub struct Reporter {
    observations: SyncSender<Observation>,
    linked: Arc<LinkedCameras>,
}

impl Reporter {
    /// Hands an observation over; waits when very many wait already. The cameras of a sensor that trips wake before.
    pub fn report(&self, observation: Observation) {
        if let Observation::Sensor(trip) = &observation {
            self.linked.wake(trip);
        }
        if self.observations.send(observation).is_err() {
            // Only after the thread has gone home, at the very end of the daemon.
            tracing::warn!("an observation came too late to be recorded");
        }
    }

    /// Orders another mode for an area, in the name of a person; returns once what follows from it is on the disk. `None` when
    /// the daemon stops before.
    ///
    /// # Errors
    /// [`Refusal`] says why it is not done.
    pub fn set_mode(&self, order: SetMode, who: Who, why: Why) -> Option<Result<(), Refusal>> {
        let (answer, answered) = sync_channel(1);
        self.report(Observation::Order(ModeOrder { order, who, why, answer }));
        answered.recv().ok()
    }
}

/// The running thread.
pub struct RecordThread {
    thread: JoinHandle<()>,
}

impl RecordThread {
    /// Starts recording; first come the ends of alarms that a power cut left open, and how the areas stand. It stops when the last
    /// [`Reporter`] is gone and everything reported is written. Of alarms that begin a clip is asked for.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        recorder: Recorder,
        evidence: EvidenceStore,
        open_alarms: OpenAlarms,
        (judge, areas): (Judge, Vec<Draft>),
        linked: Arc<LinkedCameras>,
        clips: Option<ClipRequests>,
    ) -> io::Result<(Self, Reporter)> {
        let (sender, receiver) = sync_channel(WAITING);
        let mut writer = Writer { recorder, evidence, judge, clips, disk_is_full: false };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || writer.run(open_alarms, &areas, &receiver))?;
        Ok((Self { thread }, Reporter { observations: sender, linked }))
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
    judge: Judge,
    clips: Option<ClipRequests>,
    disk_is_full: bool,
}

impl Writer {
    fn run(&mut self, open_alarms: Vec<EventData>, areas: &[Draft], observations: &Receiver<Observation>) {
        for data in open_alarms.into_iter().filter_map(ended) {
            self.record(&Draft { id: EventId::from_ulid(Ulid::generate()), time: Timestamp::now(), data });
        }
        areas.iter().for_each(|draft| self.record(draft));
        for observation in observations {
            match &observation {
                Observation::Order(order) => self.carry_out(order),
                other => self.observe(other),
            }
        }
    }

    fn observe(&mut self, observation: &Observation) {
        let mut drafts = self.judge.take(observation);
        if let (Some(picture), Some(draft)) = (observation.picture(), drafts.first_mut()) {
            self.attach_snapshot(draft, Snapshot::take(&picture.frame, &picture.people));
        }
        drafts.iter().for_each(|draft| self.record(draft));
        if let Observation::Addition { recorded: Some(recorded), .. } = observation {
            // Whoever waited for it may have given up.
            let _ = recorded.try_send(());
        }
        if let Some(first) = drafts.into_iter().next() {
            self.ask_for_clip(observation, first);
        }
    }

    fn ask_for_clip(&self, observation: &Observation, Draft { id: event, data, .. }: Draft) {
        let begins = data.happening.alarm().is_some_and(|alarm| alarm.phase == Phase::Began);
        if let (Some(clips), Some((camera, at)), true) = (&self.clips, observation.shown_by(), begins) {
            clips.ask(camera.clone(), BegunAlarm { event, data, at });
        }
    }

    fn carry_out(&mut self, order: &ModeOrder) {
        let ModeOrder { order: SetMode { area, mode, .. }, who, why, .. } = order;
        let answer = self.judge.order(order).map(|drafts| {
            tracing::info!(%area, ?mode, %who, %why, "an order is carried out");
            drafts.iter().for_each(|draft| self.record(draft));
        });
        if let Err(refusal) = &answer {
            tracing::warn!(%area, ?mode, %who, %why, "an order is refused: {refusal}");
        }
        // Who asked may have gone; what was ordered is done.
        let _ = order.answer.send(answer);
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
