//! A GPIO chip of the kernel (character device, uAPI v2: it debounces, and stamps each edge with the monotonic clock).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, EventClock, Value};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc;

use super::{GpioFault, Level, Pins};
use crate::clock::Clock;
use crate::config::{GpioBias, GpioPoint};

/// Edges the kernel keeps while this is busy. A line that changes faster loses some of them, but not how it stands.
const KERNEL_BUFFER: u32 = 1024;
/// Edges that are handed on at once.
const AT_ONCE: usize = 256;
/// Batches of them that may wait.
const WAITING: usize = 4;
/// How late it is noticed that nobody listens any more.
const LOOK_EVERY: Duration = Duration::from_millis(200);

type Batch = Result<Vec<Level>, String>;

/// Lines of a chip. A thread of its own waits for the kernel; it ends soon after this is dropped.
pub(in crate::sensor) struct Chip {
    request: Arc<Request>,
    edges: mpsc::Receiver<Batch>,
    points: Vec<GpioPoint>,
    clock: Arc<Clock>,
}

impl Pins for Chip {
    fn open(points: &[GpioPoint], clock: &Arc<Clock>) -> Result<Self, GpioFault> {
        let unusable = |reason: String| GpioFault::Unusable { chip: path(points), reason };
        let request = Arc::new(request(points).map_err(|error| unusable(error.to_string()))?);
        let (sender, edges) = mpsc::channel(WAITING);
        let (watched, own_clock) = (Arc::clone(&request), Arc::clone(clock));
        std::thread::Builder::new()
            .name("gpio".into())
            .spawn(move || watch(&watched, &own_clock, &sender))
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self { request, edges, points: points.to_vec(), clock: Arc::clone(clock) })
    }

    fn levels(&mut self) -> Result<Vec<Level>, GpioFault> {
        let (at, _) = self.clock.now();
        self.points.iter().map(|point| self.level(point.line, at)).collect()
    }

    async fn changes(&mut self) -> Result<Vec<Level>, GpioFault> {
        match self.edges.recv().await {
            Some(Ok(edges)) => self.confirmed(edges),
            Some(Err(reason)) => Err(self.unusable(reason)),
            None => Err(self.unusable("what waits for it ended".into())),
        }
    }
}

impl Chip {
    /// Adds how each line stands now, where that is not what its last edge said: some were lost.
    fn confirmed(&self, mut edges: Vec<Level>) -> Result<Vec<Level>, GpioFault> {
        let (at, _) = self.clock.now();
        for point in &self.points {
            let Some(last) = edges.iter().rev().find(|edge| edge.line == point.line).copied() else {
                continue;
            };
            let level = self.level(point.line, at)?;
            if level.high != last.high {
                edges.push(level);
            }
        }
        Ok(edges)
    }

    fn level(&self, line: u32, at: Duration) -> Result<Level, GpioFault> {
        let value = self.request.value(line).map_err(|error| self.unusable(error.to_string()))?;
        Ok(Level { line, high: value == Value::Active, at })
    }

    fn unusable(&self, reason: String) -> GpioFault {
        GpioFault::Unusable { chip: path(&self.points), reason }
    }
}

fn path(points: &[GpioPoint]) -> PathBuf {
    points.first().map(|point| point.chip.clone()).unwrap_or_default()
}

fn request(points: &[GpioPoint]) -> gpiocdev::Result<Request> {
    let mut builder = Request::builder();
    builder.on_chip(path(points)).with_consumer("gatepost").with_kernel_event_buffer_size(KERNEL_BUFFER);
    for point in points {
        let bias = match point.bias {
            GpioBias::PullUp => Bias::PullUp,
            GpioBias::PullDown => Bias::PullDown,
            GpioBias::None => Bias::Disabled,
        };
        builder
            .with_line(point.line)
            .as_input()
            .with_bias(bias)
            .with_edge_detection(EdgeDetection::BothEdges)
            .with_event_clock(EventClock::Monotonic)
            .with_debounce_period(point.debounce_ms.span());
    }
    builder.request()
}

/// Hands edges on until nobody listens, or the chip fails.
fn watch(request: &Request, clock: &Clock, listener: &mpsc::Sender<Batch>) {
    while !listener.is_closed() {
        let batch = match request.wait_edge_event(LOOK_EVERY) {
            Ok(false) => continue,
            Ok(true) => edges(request, clock).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let failed = batch.is_err();
        if listener.blocking_send(batch).is_err() || failed {
            return;
        }
    }
}

fn edges(request: &Request, clock: &Clock) -> gpiocdev::Result<Vec<Level>> {
    let mut edges = Vec::new();
    while edges.len() < AT_ONCE && request.has_edge_event()? {
        let edge = request.read_edge_event()?;
        let at = since_start(clock, Duration::from_nanos(edge.timestamp_ns));
        edges.push(Level { line: edge.offset, high: edge.kind == EdgeKind::Rising, at });
    }
    Ok(edges)
}

/// The kernel's monotonic time as time since the daemon's start.
fn since_start(clock: &Clock, kernel: Duration) -> Duration {
    let (now, _) = clock.now();
    let monotonic = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(monotonic.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(monotonic.tv_nsec).unwrap_or(0);
    now.saturating_sub(Duration::new(seconds, nanos).saturating_sub(kernel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_time_is_told_on_the_clock_of_the_daemon() {
        let clock = Clock::default();
        let monotonic = clock_gettime(ClockId::Monotonic);
        let kernel = Duration::new(monotonic.tv_sec as u64, monotonic.tv_nsec as u32);
        let (now, _) = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        let told = since_start(&clock, kernel);
        assert!(told.abs_diff(now) < Duration::from_millis(5), "{told:?} {now:?}");
        assert_eq!(since_start(&clock, Duration::ZERO), Duration::ZERO, "before the daemon's start");
    }
}
