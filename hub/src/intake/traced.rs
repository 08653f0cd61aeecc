//! What traces say of a transaction and of the events in it.

use std::time::Duration;

use gatepost_wire::event::Phase;
use gatepost_wire::{Event, Timestamp};

use crate::store::{Content, Delivery, Fate, Record};
use crate::traces::{Kind, Span, SpanId, TraceId, Traces};

/// A transaction that began then and took so long is over; without fates it failed.
pub(super) fn committed(
    traces: &Traces,
    began: Timestamp,
    took: Duration,
    records: &[Record],
    fates: Option<&[Fate]>,
) {
    if !traces.follow_any() {
        return;
    }
    let trace = TraceId::random();
    if traces.follow(trace) {
        let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let span = Span::new(trace, "store records", began, took).number("gatepost.records", count);
        traces.tell(match fates {
            Some(_) => span,
            None => span.failed("not stored"),
        });
    }
    for (record, fate) in records.iter().zip(fates.unwrap_or_default()) {
        if let Record::Message { delivery, content: Content::Event { event, .. } } = record
            && *fate == Fate::Stored
        {
            stored(traces, event, delivery, began, took);
        }
    }
}

/// From the moment it tells of until it is on the disk. Of an alarm the first event has the others in it.
fn stored(traces: &Traces, event: &Event, delivery: &Delivery, began: Timestamp, took: Duration) {
    let happening = &event.data.happening;
    let trace = happening.alarm().map_or_else(|| TraceId::from(event.id), |alarm| alarm.id.into());
    if !traces.follow(trace) {
        return;
    }
    let first = happening.alarm().is_none_or(|alarm| alarm.phase == Phase::Began);
    let id = if first { trace.root() } else { SpanId::from(event.id) };
    let waits = between(delivery.received, began);
    // The two clocks may differ: what seems to have been received before it happened took no time.
    let travels = between(event.time, delivery.received);
    let whole = travels + waits + took;
    let kind = happening.kind();
    traces.tell(
        Span::new(trace, format!("event {kind}"), began - waits - travels, whole)
            .id(id)
            .within(trace.root())
            .kind(Kind::Consumer)
            .word("gatepost.edge", event.edge.as_str())
            .word("gatepost.event.id", event.id.to_string())
            .word("gatepost.event.kind", kind)
            .number("gatepost.severity", i64::from(event.data.severity.level())),
    );
    traces.tell(Span::new(trace, "reach the hub", began - waits - travels, travels).within(id));
    traces.tell(Span::new(trace, "wait for the writing task", began - waits, waits).within(id));
    traces.tell(Span::new(trace, "store", began, took).within(id));
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
