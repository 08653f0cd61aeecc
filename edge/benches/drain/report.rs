//! Figures as a person reads them.

use std::fmt;
use std::time::Duration;

use gatepost_testbed::usage;

/// How long things took.
pub struct Quantiles(Vec<Duration>);

impl Quantiles {
    pub fn of(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Self(times)
    }

    fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1000.0
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, max) = (self.at(0.5), self.at(0.99), self.at(1.0));
        write!(f, "n {:5}  p50 {p50:6.1} ms  p99 {p99:6.1} ms  max {max:6.1} ms", self.0.len())
    }
}

/// What the hub and this program, which is the boxes, take of the processors meanwhile.
pub struct Cost {
    hub: u32,
    hub_before: Duration,
    own_before: Duration,
}

impl Cost {
    pub fn start(hub: u32) -> Self {
        let cpu = |pid| usage::cpu_time(pid).unwrap();
        Self { hub, hub_before: cpu(hub), own_before: cpu(std::process::id()) }
    }

    pub fn report(&self, events: usize) {
        let spent = |pid, before: Duration| {
            (usage::cpu_time(pid).unwrap() - before).as_secs_f64() * 1e6 / events as f64
        };
        println!(
            "  processor time for each: hub {:.0} µs, boxes {:.0} µs; hub's memory at most {} MiB",
            spent(self.hub, self.hub_before),
            spent(std::process::id(), self.own_before),
            usage::peak_rss_bytes(self.hub).unwrap() >> 20
        );
    }
}
