//! Traces: how long each part of the hub's work took, for a collector that speaks OpenTelemetry's protocol
//! ([OTLP over HTTP](https://opentelemetry.io/docs/specs/otlp/#otlphttp)). Without `[traces]` nothing is noted.
//!
//! A part is told of as a [`Span`] once it is over, so nothing has to be carried through the code: the trace of an alarm and of all its
//! events is the alarm's id, that of what other programs are told of an incident the incident's, and both stand in the log and in every
//! address of the page. docs/METRICS.md lists them. There are ids, names of places and figures in a span; no picture, nothing a person
//! wrote and nobody's name.

mod id;
mod sending;
mod span;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;

pub use id::{SpanId, TraceId, parent};
pub use sending::Sending;
pub use span::{Kind, Span};

use crate::config;
use crate::tls::TlsError;

/// Spans that may wait to be sent, some ten megabytes; more are dropped.
const WAITING: usize = 16_384;

/// The collector cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("traces: {0}")]
pub struct TracesError(#[from] TlsError);

/// Takes in spans; cheap to clone. The default takes none.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Following>);

#[derive(Debug, Clone)]
struct Following {
    spans: mpsc::Sender<Span>,
    share: config::TraceShare,
    counters: Counters,
}

impl Traces {
    /// With the task that sends what comes together, if there is a collector.
    ///
    /// # Errors
    /// When its authorities cannot be read.
    pub fn start(collector: Option<&config::Traces>) -> Result<(Self, Option<Sending>), TracesError> {
        let Some(collector) = collector else { return Ok((Self(None), None)) };
        let (spans, waiting) = mpsc::channel(WAITING);
        let counters = Counters::default();
        let sending = Sending::start(collector, waiting, counters.clone())?;
        Ok((Self(Some(Following { spans, share: collector.share, counters })), Some(sending)))
    }

    /// Is what belongs to this trace of interest? All hubs say the same of it.
    pub fn follow(&self, trace: TraceId) -> bool {
        self.0.as_ref().is_some_and(|following| trace.is_in(following.share))
    }

    /// Is anything of interest?
    pub fn follow_any(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a span in. When too many wait it is dropped and counted: nothing waits for a collector.
    pub fn tell(&self, span: Span) {
        if let Some(following) = &self.0
            && following.spans.try_send(span).is_err()
        {
            following.counters.dropped(1);
        }
    }

    /// Names what is counted, if anything is.
    pub(crate) fn register(&self, registry: &mut Registry) {
        if let Some(following) = &self.0 {
            let help = "Parts of traces, by what became of each";
            registry.register("trace_spans", help, following.counters.spans.clone());
        }
    }
}

/// What became of spans.
#[derive(Debug, Clone)]
struct Counters {
    spans: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Default for Counters {
    fn default() -> Self {
        let counters = Self { spans: Family::default() };
        // From the start, so that what never happened is 0 and not missing.
        counters.sent(0);
        counters.dropped(0);
        counters
    }
}

impl Counters {
    fn sent(&self, count: u64) {
        self.spans.get_or_create(&[("result", "sent")]).inc_by(count);
    }

    fn dropped(&self, count: u64) {
        self.spans.get_or_create(&[("result", "dropped")]).inc_by(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_collector_nothing_is_of_interest() {
        let (traces, sending) = Traces::start(None).unwrap();
        assert!(sending.is_none() && !traces.follow_any() && !traces.follow(TraceId::random()));
    }

    #[test]
    fn nobody_waits_for_a_collector() {
        let (spans, _waiting) = mpsc::channel(1);
        let counters = Counters::default();
        let following = Following { spans, share: config::TraceShare::default(), counters: counters.clone() };
        let traces = Traces(Some(following));
        for _ in 0..3 {
            let began = gatepost_wire::Timestamp::UNIX_EPOCH;
            traces.tell(Span::new(TraceId::random(), "work", began, std::time::Duration::ZERO));
        }
        assert_eq!(counters.spans.get_or_create(&[("result", "dropped")]).get(), 2);
    }
}
