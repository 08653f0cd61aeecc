//! Dry contacts at the box's own pins: the kernel debounces them and says when each changed.

mod chip;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::sign::{Line, Reading, Said, Sign};
use crate::clock::Clock;
use crate::config::GpioPoint;

pub(super) use chip::Chip;

/// How often the levels are read although nothing changed: a sign of life.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A line is high or low since then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    pub line: u32,
    pub high: bool,
    /// Since the daemon's start.
    pub at: Duration,
}

/// The pins of one chip.
#[derive(Debug, thiserror::Error)]
pub(super) enum GpioFault {
    #[error("{}: the chip cannot be used: is it there, may this user use it, does nobody else use these lines? ({reason})", chip.display())]
    Unusable { chip: PathBuf, reason: String },
}

/// Something with pins: a chip, or what plays one in tests.
pub(super) trait Pins: Send + Sized + 'static {
    /// Takes the lines of these contacts, all of one chip.
    fn open(points: &[GpioPoint], clock: &Arc<Clock>) -> Result<Self, GpioFault>;

    /// How each line stands.
    fn levels(&mut self) -> Result<Vec<Level>, GpioFault>;

    /// Waits for changes, in their order; the last of each line is how it stands. Nothing is lost when it is not waited for
    /// to the end.
    fn changes(&mut self) -> impl Future<Output = Result<Vec<Level>, GpioFault>> + Send;
}

/// The contacts at one chip.
pub(super) struct Gpio<P> {
    points: Vec<GpioPoint>,
    pins: Option<P>,
    clock: Arc<Clock>,
}

impl<P: Pins> Gpio<P> {
    /// The points are the line's sensors in their order.
    pub fn new(points: Vec<GpioPoint>, clock: Arc<Clock>) -> Self {
        Self { points, pins: None, clock }
    }

    fn sign(&self, level: Level) -> Option<Sign> {
        let sensor = self.points.iter().position(|point| point.line == level.line)?;
        let tripped = Some(self.points[sensor].is_tripped(level.high));
        let reading = Reading { tripped, ..Reading::default() };
        Some(Sign { sensor, at: level.at, said: Said::Reading(reading) })
    }
}

impl<P: Pins> Line for Gpio<P> {
    type Fault = GpioFault;

    async fn listen(&mut self) -> Result<Vec<Sign>, GpioFault> {
        let (pins, levels) = match self.pins.take() {
            None => {
                let mut pins = P::open(&self.points, &self.clock)?;
                let levels = pins.levels()?;
                (pins, levels)
            }
            Some(mut pins) => {
                let levels = match timeout(LOOK_EVERY, pins.changes()).await {
                    Ok(changes) => changes?,
                    Err(_) => pins.levels()?,
                };
                (pins, levels)
            }
        };
        self.pins = Some(pins);
        let signs = levels.into_iter().filter_map(|level| self.sign(level)).collect();
        Ok(signs)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::{Mutex, PoisonError};

    use gatepost_wire::event::SensorFaultKind;
    use tokio::sync::Notify;

    use super::*;
    use crate::sensor::desk::{Attended, Desk};
    use crate::sensor::supervise::supervise;
    use crate::sensor::{Change, Trip};

    /// Lines in this process. The path of a chip says which of them, for tests run side by side.
    #[derive(Default)]
    struct Board {
        state: Mutex<BoardState>,
        changed: Notify,
    }

    #[derive(Default)]
    struct BoardState {
        levels: BTreeMap<u32, bool>,
        changes: Vec<Level>,
        is_gone: bool,
        is_listened_to: bool,
    }

    static BOARDS: Mutex<BTreeMap<PathBuf, Arc<Board>>> = Mutex::new(BTreeMap::new());

    fn board(chip: &Path) -> Arc<Board> {
        let mut boards = BOARDS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(boards.entry(chip.to_owned()).or_default())
    }

    impl Board {
        fn set(&self, line: u32, high: bool, at: Duration) {
            let mut state = self.state.lock().unwrap();
            state.levels.insert(line, high);
            state.changes.push(Level { line, high, at });
            drop(state);
            self.changed.notify_one();
        }

        fn unplug(&self, is_gone: bool) {
            self.state.lock().unwrap().is_gone = is_gone;
            self.changed.notify_one();
        }
    }

    struct InProcess {
        board: Arc<Board>,
        chip: PathBuf,
        clock: Arc<Clock>,
    }

    impl InProcess {
        fn check(&self) -> Result<(), GpioFault> {
            match self.board.state.lock().unwrap().is_gone {
                true => Err(GpioFault::Unusable { chip: self.chip.clone(), reason: "no such device".into() }),
                false => Ok(()),
            }
        }
    }

    impl Pins for InProcess {
        fn open(points: &[GpioPoint], clock: &Arc<Clock>) -> Result<Self, GpioFault> {
            let chip = points[0].chip.clone();
            let this = Self { board: board(&chip), chip, clock: Arc::clone(clock) };
            this.check().map(|()| this)
        }

        fn levels(&mut self) -> Result<Vec<Level>, GpioFault> {
            self.check()?;
            let (at, _) = self.clock.now();
            let mut state = self.board.state.lock().unwrap();
            state.changes.clear();
            state.is_listened_to = true;
            Ok(state.levels.iter().map(|(line, high)| Level { line: *line, high: *high, at }).collect())
        }

        async fn changes(&mut self) -> Result<Vec<Level>, GpioFault> {
            loop {
                self.check()?;
                let changes = std::mem::take(&mut self.board.state.lock().unwrap().changes);
                if !changes.is_empty() {
                    return Ok(changes);
                }
                self.board.changed.notified().await;
            }
        }
    }

    /// A contact of each kind at lines 1 and 2 of a chip of this name.
    fn listen(
        chip: &str,
    ) -> (Arc<Board>, Arc<Clock>, std::sync::mpsc::Receiver<Trip>, tokio::runtime::Runtime) {
        let clock = Arc::new(Clock::default());
        let sensor = |line: u32, contact: &str| {
            let text = format!(
                "id = 'door-{line}'\ninput = 'contact'\ncomms_after_s = 1\n\
                 gpio = {{ chip = '{chip}', line = {line}, contact = '{contact}' }}"
            );
            Attended { sensor: toml::from_str(&text).unwrap(), area: None, gauge: Arc::default() }
        };
        let sensors = vec![sensor(1, "normally_open"), sensor(2, "normally_closed")];
        let point = |attended: &Attended| match &attended.sensor.reach {
            crate::config::Reach::Gpio(point) => point.clone(),
            other => panic!("{other:?}"),
        };
        let points: Vec<_> = sensors.iter().map(point).collect();
        let board = board(chip.as_ref());
        // Open contacts between line and ground, held up; the second is closed at rest.
        board.state.lock().unwrap().levels = BTreeMap::from([(1, true), (2, false)]);
        let (sender, trips) = std::sync::mpsc::channel();
        let sender = Mutex::new(sender);
        let report = Arc::new(move |trip| drop(sender.lock().unwrap().send(trip)));
        let desk = Arc::new(Desk::new(sensors, Arc::clone(&clock), report));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let on_line = Arc::clone(&clock);
        let make = move || Gpio::<InProcess>::new(points.clone(), Arc::clone(&on_line));
        runtime.spawn(supervise(chip.into(), make, desk));
        while !board.state.lock().unwrap().is_listened_to {
            std::thread::sleep(Duration::from_millis(1));
        }
        (board, clock, trips, runtime)
    }

    fn next(trips: &std::sync::mpsc::Receiver<Trip>) -> (String, Change, Duration) {
        let trip = trips.recv_timeout(Duration::from_secs(30)).unwrap();
        (trip.sensor.to_string(), trip.change, trip.at)
    }

    #[test]
    fn contacts_trip_at_the_moment_the_kernel_says() {
        let (board, clock, trips, _runtime) = listen("moment");
        let at = clock.now().0;
        board.set(1, false, at);
        assert_eq!(next(&trips), ("door-1".into(), Change::Tripped(None), at));
        board.set(2, true, at + Duration::from_millis(3));
        assert_eq!(next(&trips), ("door-2".into(), Change::Tripped(None), at + Duration::from_millis(3)));
        board.set(1, true, at + Duration::from_millis(5));
        assert_eq!(next(&trips).1, Change::Rested(None));
    }

    #[test]
    fn a_chip_that_is_unplugged_is_a_fault_of_its_contacts_until_it_is_back() {
        let (board, clock, trips, _runtime) = listen("unplugged");
        board.set(1, false, clock.now().0);
        assert_eq!(next(&trips).1, Change::Tripped(None));
        board.unplug(true);
        for _ in 0..2 {
            let (_, change, _) = next(&trips);
            assert!(
                matches!(&change, Change::Ill(SensorFaultKind::Comms, why) if why.contains("no such device")),
                "{change:?}"
            );
        }
        // Meanwhile it closed; that is seen when it is back.
        board.state.lock().unwrap().levels.insert(1, true);
        board.unplug(false);
        let told: Vec<_> = (0..3).map(|_| next(&trips).1).collect();
        assert_eq!(
            told.iter().filter(|it| matches!(it, Change::Well(SensorFaultKind::Comms, _))).count(),
            2,
            "{told:?}"
        );
        assert!(told.contains(&Change::Rested(None)), "{told:?}");
    }

    #[test]
    fn a_contact_that_chatters_at_a_kilohertz_is_one_fault() {
        let (board, clock, trips, _runtime) = listen("chatter");
        for i in 0..2000u64 {
            board.set(1, i % 2 == 1, clock.now().0);
            std::thread::sleep(Duration::from_millis(1));
        }
        board.set(1, true, clock.now().0);
        let mut told = Vec::new();
        while let Ok(trip) = trips.recv_timeout(Duration::from_secs(15)) {
            told.push(trip.change);
        }
        let is_chatter =
            |it: &&Change| matches!(it, Change::Ill(SensorFaultKind::Open, why) if why.contains("chatters"));
        assert_eq!(told.iter().filter(is_chatter).count(), 1, "{told:?}");
        assert!(told.len() <= 25, "{}", told.len());
        let count = |wanted: Change| told.iter().filter(|it| **it == wanted).count();
        assert_eq!(count(Change::Tripped(None)), count(Change::Rested(None)), "at rest in the end");
    }
}
