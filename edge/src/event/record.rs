//! The thread that writes events down. It alone owns the recorder, so the order of recording is the order of
//! events.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gatepost_wire::command::{SetMode, Who, Why};
use gatepost_wire::event::{EventData, FaultKind, Phase};
use gatepost_wire::{CameraId, EventId, Timestamp};
use ulid::Ulid;

use super::{Judge, ModeOrder, Observation};
use crate::arm::Refusal;
use crate::clip::{BegunAlarm, ClipRequests};
use crate::config::OutboxLimit;
use crate::evidence::{EvidenceStore, Snapshot};
use crate::linked::LinkedCameras;
use crate::outbox::{Draft, GROUP, Loss, OpenAlarms, Recorder, ended};

/// Observations that may wait while the disk is slow or full. When it is reached the detector waits: frames
/// are dropped then, observations never.
const WAITING: usize = 1024;
const RETRY: Duration = Duration::from_secs(1);
/// What arrives within this time of the first shares its write to the disk. Nothing is waited for: who is alone is
/// written at once.
const GATHER: Duration = Duration::from_millis(5);

/// Takes observations.
#[derive(Clone)]
pub struct Reporter {
    observations: SyncSender<Observation>,
    linked: Arc<LinkedCameras>,
    recording: Recording,
}

/// Are events written?
#[derive(Clone, Default)]
pub struct Recording {
    fails: Arc<AtomicBool>,
}

impl Recording {
    /// They are not: the disk takes none.
    pub fn fails(&self) -> bool {
        self.fails.load(Ordering::Relaxed)
    }
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

    /// Are events written?
    pub fn recording(&self) -> Recording {
        self.recording.clone()
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
        limit: OutboxLimit,
    ) -> io::Result<(Self, Reporter)> {
        let (sender, receiver) = sync_channel(WAITING);
        let recording = Recording::default();
        let mut writer = Writer { recorder, evidence, judge, clips, limit, recording: recording.clone() };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || writer.run(open_alarms, areas, &receiver))?;
        Ok((Self { thread }, Reporter { observations: sender, linked, recording }))
    }

    /// Waits until everything is written.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the recording thread panicked; its last event may be missing");
        }
    }
}

/// What shares one write to the disk.
#[derive(Default)]
struct Group {
    drafts: Vec<Draft>,
    then: Vec<Then>,
    /// What came behind them and waits for them.
    order: Option<ModeOrder>,
}

/// What waits until a group is written.
enum Then {
    Tell(SyncSender<()>),
    AskForClip(CameraId, Box<BegunAlarm>),
}

struct Writer {
    recorder: Recorder,
    evidence: EvidenceStore,
    judge: Judge,
    clips: Option<ClipRequests>,
    limit: OutboxLimit,
    recording: Recording,
}

impl Writer {
    fn run(&mut self, open_alarms: Vec<EventData>, areas: Vec<Draft>, observations: &Receiver<Observation>) {
        let end = |data| Draft { id: EventId::from_ulid(Ulid::generate()), time: Timestamp::now(), data };
        let mut first: Vec<Draft> = open_alarms.into_iter().filter_map(ended).map(end).collect();
        first.extend(areas);
        first.chunks(GROUP).for_each(|drafts| self.record(drafts));
        self.tell_of_damages();
        while let Ok(first) = observations.recv() {
            let Group { drafts, then, order } = self.gather(first, observations);
            self.make_room();
            self.record(&drafts);
            then.into_iter().for_each(|then| self.follow_up(then));
            if let Some(order) = order {
                self.carry_out(&order);
            }
            self.tell_of_damages();
        }
    }

    /// What was found damaged is mended as far as it can be, so each illness ends as it begins.
    fn tell_of_damages(&mut self) {
        let damages = self.recorder.untold_damages();
        for damage in &damages {
            for detail in [Some(damage.to_string()), None] {
                let (fault, time) = (FaultKind::OutboxDamaged, Timestamp::now());
                let drafts = self.judge.take(&Observation::Device { fault, time, detail });
                self.record(&drafts);
            }
        }
        if !damages.is_empty() {
            self.recorder.told(&damages);
        }
    }

    /// The first observation and those right behind it, up to an order, which waits for them.
    fn gather(&mut self, first: Observation, observations: &Receiver<Observation>) -> Group {
        let began = Instant::now();
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(observation) = next {
            if let Observation::Order(order) = observation {
                group.order = Some(order);
                return group;
            }
            self.observe(observation, &mut group);
            let more = group.drafts.len() < GROUP && began.elapsed() < GATHER;
            next = if more { observations.try_recv().ok() } else { None };
        }
        group
    }

    fn observe(&mut self, observation: Observation, group: &mut Group) {
        let mut drafts = self.judge.take(&observation);
        // What is only counted has no event of its own, and what comes first then is of an area.
        let own = drafts.first_mut().filter(|draft| draft.data.happening.alarm().is_some());
        if let (Some(picture), Some(draft)) = (observation.picture(), own) {
            self.attach_snapshot(draft, Snapshot::take(&picture.frame, &picture.people));
        }
        if let (Some((camera, at)), Some(Draft { id: event, data, .. })) =
            (observation.shown_by(), drafts.first())
            && data.happening.alarm().is_some_and(|alarm| alarm.phase == Phase::Began)
        {
            let begun = Box::new(BegunAlarm { event: *event, data: data.clone(), at });
            group.then.push(Then::AskForClip(camera.clone(), begun));
        }
        if let Observation::Addition { recorded: Some(recorded), .. } = observation {
            group.then.push(Then::Tell(recorded));
        }
        group.drafts.extend(drafts);
    }

    fn follow_up(&self, then: Then) {
        match then {
            // Whoever waited for it may have given up.
            Then::Tell(recorded) => drop(recorded.try_send(())),
            Then::AskForClip(camera, begun) => {
                if let Some(clips) = &self.clips {
                    clips.ask(camera, *begun);
                }
            }
        }
    }

    /// Where the backlog has outgrown its limit, says what goes and then lets it go. One segment at a time: that is
    /// far more than one group of events needs.
    fn make_room(&mut self) {
        match self.recorder.next_loss(self.limit.bytes()) {
            Ok(Some(loss)) => self.lose(&loss),
            Ok(None) => {}
            Err(error) => tracing::warn!("the backlog cannot be shortened: {error}"),
        }
    }

    fn lose(&mut self, loss: &Loss) {
        let detail = format!("the outbox has reached its limit ({}): {loss}", self.limit);
        tracing::error!("{detail}");
        let told = Observation::Device {
            fault: FaultKind::EventsDropped,
            time: Timestamp::now(),
            detail: Some(detail),
        };
        let mut drafts = self.judge.take(&told);
        for draft in &mut drafts {
            // As grave as what is lost, so that the message is not lost before it.
            draft.data.severity = draft.data.severity.min(loss.severity);
        }
        self.record(&drafts);
        match self.recorder.let_go(loss) {
            Ok(()) => loss.pictures.iter().for_each(|event| self.evidence.remove(*event)),
            Err(error) => tracing::warn!("the backlog cannot be shortened: {error}"),
        }
    }

    fn carry_out(&mut self, order: &ModeOrder) {
        let ModeOrder { order: SetMode { area, mode, .. }, who, why, .. } = order;
        let answer = self.judge.order(order).map(|drafts| {
            tracing::info!(%area, ?mode, %who, %why, "an order is carried out");
            self.record(&drafts);
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

    /// Tries until they are written: an event is never given up.
    fn record(&mut self, drafts: &[Draft]) {
        if drafts.is_empty() {
            return;
        }
        loop {
            match self.recorder.record(drafts) {
                Ok(events) => {
                    if self.recording.fails.swap(false, Ordering::Relaxed) {
                        tracing::info!("events can be written again");
                    }
                    for event in events {
                        tracing::info!(
                            event = %event.id, seq = %event.seq, kind = event.data.happening.kind(),
                            severity = event.data.severity.level(), "recorded"
                        );
                    }
                    return;
                }
                Err(error) => {
                    if !self.recording.fails.swap(true, Ordering::Relaxed) {
                        tracing::error!("{error}; trying again every second, nothing is lost meanwhile");
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
    }
}
