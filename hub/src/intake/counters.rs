//! What the writing task has done since the hub started, for [`crate::metrics`].

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::store::Fate;

/// The `result` of a record.
type Result = [(&'static str, &'static str); 1];

const STORED: Result = [("result", "stored")];
const DUPLICATE: Result = [("result", "duplicate")];
const REFUSED: Result = [("result", "refused")];
const NOT_STORED: Result = [("result", "not_stored")];

/// Counters; cheap to clone, and clones count together.
#[derive(Debug, Clone)]
pub struct Counters {
    records: Family<Result, Counter>,
    commits: Histogram,
}

impl Default for Counters {
    fn default() -> Self {
        let records = Family::<Result, Counter>::default();
        // From the start, so that what never happened is 0 and not missing.
        for result in [STORED, DUPLICATE, REFUSED, NOT_STORED] {
            drop(records.get_or_create(&result));
        }
        // 1 ms to 4 s.
        Self { records, commits: Histogram::new(exponential_buckets(0.001, 2.0, 13)) }
    }
}

impl Counters {
    /// A transaction of so many records took `took`; none when it failed.
    pub(super) fn committed(&self, took: Duration, fates: Option<&[Fate]>, records: usize) {
        self.commits.observe(took.as_secs_f64());
        let Some(fates) = fates else {
            self.records.get_or_create(&NOT_STORED).inc_by(records as u64);
            return;
        };
        for fate in fates {
            let result = match fate {
                Fate::Stored => STORED,
                Fate::Duplicate => DUPLICATE,
                Fate::Refused(_) => REFUSED,
            };
            self.records.get_or_create(&result).inc();
        }
    }

    /// Names them.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("records", "Records that came, by what became of each", self.records.clone());
        let help = "Time of one transaction of the writing task";
        registry.register_with_unit("commit_duration", help, Unit::Seconds, self.commits.clone());
    }
}
