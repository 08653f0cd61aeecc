//! One part of a trace, over.

use std::borrow::Cow;
use std::time::Duration;

use gatepost_wire::Timestamp;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as otlp;

use super::{SpanId, TraceId};

/// Whose doing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The hub's own.
    Internal,
    /// An answer to whoever asked.
    Server,
    /// Asking or telling another program.
    Client,
    /// Taking what was sent earlier.
    Consumer,
}

/// One part of a trace, over.
#[derive(Debug)]
pub struct Span {
    trace: TraceId,
    id: SpanId,
    parent: Option<SpanId>,
    kind: Kind,
    name: Cow<'static, str>,
    began: Timestamp,
    took: Duration,
    attributes: Vec<(&'static str, any_value::Value)>,
    error: Option<String>,
}

impl Span {
    /// Work of the hub's own that went well.
    pub fn new(trace: TraceId, name: impl Into<Cow<'static, str>>, began: Timestamp, took: Duration) -> Self {
        Self {
            trace,
            id: SpanId::random(),
            parent: None,
            kind: Kind::Internal,
            name: name.into(),
            began,
            took,
            attributes: Vec::new(),
            error: None,
        }
    }

    /// It is known by this.
    pub fn id(self, id: SpanId) -> Self {
        Self { id, ..self }
    }

    /// It is a part of that; of nothing, if that is itself.
    pub fn within(self, parent: SpanId) -> Self {
        Self { parent: Some(parent).filter(|parent| *parent != self.id), ..self }
    }

    /// Whose doing it is.
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// A word about it.
    pub fn word(mut self, key: &'static str, word: impl Into<String>) -> Self {
        self.attributes.push((key, any_value::Value::StringValue(word.into())));
        self
    }

    /// A whole number about it.
    pub fn number(mut self, key: &'static str, number: impl Into<i64>) -> Self {
        self.attributes.push((key, any_value::Value::IntValue(number.into())));
        self
    }

    /// It did not go well.
    pub fn failed(self, why: impl Into<String>) -> Self {
        Self { error: Some(why.into()), ..self }
    }

    /// As it is sent.
    pub(super) fn encode(self) -> otlp::Span {
        // Nanoseconds since 1970 last until 2554; nothing here is older.
        let began = u64::try_from(self.began.as_nanosecond()).unwrap_or(0);
        let took = u64::try_from(self.took.as_nanos()).unwrap_or(u64::MAX);
        let kind = match self.kind {
            Kind::Internal => otlp::span::SpanKind::Internal,
            Kind::Server => otlp::span::SpanKind::Server,
            Kind::Client => otlp::span::SpanKind::Client,
            Kind::Consumer => otlp::span::SpanKind::Consumer,
        };
        let status =
            self.error.map(|message| otlp::Status { message, code: otlp::status::StatusCode::Error.into() });
        otlp::Span {
            trace_id: self.trace.bytes(),
            span_id: self.id.bytes(),
            parent_span_id: self.parent.map(SpanId::bytes).unwrap_or_default(),
            kind: kind.into(),
            name: self.name.into_owned(),
            start_time_unix_nano: began,
            end_time_unix_nano: began.saturating_add(took),
            attributes: self.attributes.into_iter().map(|(key, value)| attribute(key, value)).collect(),
            status,
            ..otlp::Span::default()
        }
    }
}

/// As it is sent.
pub(super) fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
