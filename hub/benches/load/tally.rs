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
        write!(f, "n {:6}  p50 {p50:6.1} ms  p99 {p99:6.1} ms  max {max:6.1} ms", self.0.len())
    }
}

/// What the hub takes of the machine meanwhile.
pub struct Cost {
    hub: u32,
    before: Duration,
}

impl Cost {
    pub fn start(hub: u32) -> Self {
        Self { hub, before: usage::cpu_time(hub).unwrap() }
    }

    pub fn report(&self, events: u32) {
        let spent = (usage::cpu_time(self.hub).unwrap() - self.before).as_secs_f64();
        println!(
            "  the hub: {:.3} s of processor for 1000 alarms, memory at most {} MiB",
            spent * 1000.0 / f64::from(events),
            usage::peak_rss_bytes(self.hub).unwrap() >> 20
        );
    }
}
