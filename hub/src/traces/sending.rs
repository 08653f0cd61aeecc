//! The task that sends spans. What cannot be sent is dropped and counted: traces are to look at, nothing depends on them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::span::attribute;
use super::{Counters, Span, TracesError};
use crate::config;
use crate::outbound::{Outbound, Reads};

/// What comes within it is sent together.
const GATHER: Duration = Duration::from_secs(1);

/// Spans in one message, a few hundred kilobytes.
const HANDFUL: usize = 512;

/// At the end, what still waits may take so long.
const LAST_MESSAGES: Duration = Duration::from_secs(2);

/// The running task.
#[derive(Debug)]
pub struct Sending {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Sending {
    pub(super) fn start(
        collector: &config::Traces,
        waiting: mpsc::Receiver<Span>,
        counters: Counters,
    ) -> Result<Self, TracesError> {
        let collector = Collector {
            outbound: Outbound::new(&collector.url, &collector.ca_file)?,
            config: collector.clone(),
            resource: resource(),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(collector, waiting, counters, stop.clone()));
        Ok(Self { task, stop })
    }

    /// Sends what waits, if that is soon done, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "sending traces did not end well");
        }
    }
}

async fn run(
    collector: Collector,
    mut waiting: mpsc::Receiver<Span>,
    counters: Counters,
    stop: CancellationToken,
) {
    let mut fails = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(GATHER) => collector.empty(&mut waiting, &counters, &mut fails).await,
        }
    }
    waiting.close();
    // Who ends does not wait for a collector that hangs.
    let _ = tokio::time::timeout(LAST_MESSAGES, collector.empty(&mut waiting, &counters, &mut fails)).await;
}

struct Collector {
    config: config::Traces,
    outbound: Outbound,
    resource: Resource,
}

impl Collector {
    /// Sends all that waits now; says once that this fails, and once that it works again.
    async fn empty(&self, waiting: &mut mpsc::Receiver<Span>, counters: &Counters, fails: &mut bool) {
        let mut handful = Vec::with_capacity(HANDFUL);
        while !waiting.is_empty() {
            let count = waiting.recv_many(&mut handful, HANDFUL).await as u64;
            let sent = self.send(handful.drain(..)).await;
            match &sent {
                Ok(()) => counters.sent(count),
                Err(_) => counters.dropped(count),
            }
            match &sent {
                Err(problem) if !*fails => {
                    tracing::warn!(collector = %self.config.url.authority, problem, "traces cannot be sent, and are dropped");
                }
                Ok(()) if *fails => tracing::info!("traces are sent again"),
                _ => {}
            }
            *fails = sent.is_err();
        }
    }

    async fn send(&self, spans: impl Iterator<Item = Span>) -> Result<(), String> {
        let scope = InstrumentationScope { name: "gatepost-hub".into(), ..InstrumentationScope::default() };
        let spans = ScopeSpans {
            scope: Some(scope),
            spans: spans.map(Span::encode).collect(),
            ..ScopeSpans::default()
        };
        let spans = ResourceSpans {
            resource: Some(self.resource.clone()),
            scope_spans: vec![spans],
            ..ResourceSpans::default()
        };
        let body = ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec();
        let mut request =
            Request::builder().method(Method::POST).header(header::CONTENT_TYPE, "application/x-protobuf");
        if let Some(token) = &self.config.token {
            request = request.header(header::AUTHORIZATION, token.authorization());
        }
        let answer = self.outbound.exchange(&self.config.url, request, Body::from(body), Reads::Head).await;
        let status = answer.map_err(|error| error.to_string())?.status();
        if status.is_success() { Ok(()) } else { Err(format!("HTTP {status}")) }
    }
}

/// Who tells, by OpenTelemetry's words.
fn resource() -> Resource {
    let machine = rustix::system::uname();
    let word = |key, word: String| attribute(key, any_value::Value::StringValue(word));
    Resource {
        attributes: vec![
            word("service.name", "gatepost-hub".into()),
            word("service.version", env!("CARGO_PKG_VERSION").into()),
            word("host.name", machine.nodename().to_string_lossy().into_owned()),
        ],
        ..Resource::default()
    }
}
