//! `/api/v1/exports`: lists as files, over a span of time.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use gatepost_wire::Timestamp;
use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::caller::Caller;
use super::incidents::viewer;
use super::params::Params;
use super::problem::Problem;
use crate::access::{Action, Entry, Scope};
use crate::alert::Alert;
use crate::export::{Format, Line};
use crate::incident::Incident;
use crate::store::{IncidentFilter, OpenedAt, Place, Span, Store, StoreError, Viewer};

/// Unless asked for another span.
const USUAL: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Lines read at a time.
const HANDFUL: u16 = 500;

/// Which file is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// `csv` or `json`.
    #[serde(default)]
    format: Wanted,
    /// From this moment on; 30 days before `until` unless given.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// Up to this moment, which is not in it any more; now unless given.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-02-01T00:00:00Z")]
    until: Option<Timestamp>,
}

/// As what.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// For a spreadsheet: RFC 4180, UTF-8 with a byte order mark. What a spreadsheet would take for a formula has an apostrophe before it.
    #[default]
    Csv,
    /// For programs: an array.
    Json,
}

impl Wanted {
    fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Json => Format::Json,
        }
    }
}

impl Query {
    fn span(&self, now: Timestamp) -> Result<Span, Problem> {
        let until = self.until.unwrap_or(now);
        let from = self.from.or_else(|| until.saturating_sub(USUAL).ok()).unwrap_or(Timestamp::MIN);
        if from < until {
            Ok(Span { from, until })
        } else {
            Err(Problem::parameter("from", "it has to lie before `until`"))
        }
    }
}

/// Incidents that were opened in a span of time, as a file
///
/// The newest first, without `may`. That it was taken is written into the access log.
#[utoipa::path(get, path = "/api/v1/exports/incidents", tag = "exports", params(Query), responses(
    (status = 200, description = "A line or an object for each", content(
        (String = "text/csv; charset=utf-8", example = "\u{feff}number,id,kind,severity\r\n17,01ARZ3NDEKTSV4RRFFQ69G5FAV,zone_intrusion,2\r\n"),
        (Vec<Incident> = "application/json"),
    )),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read or written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn incidents(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let span = query.span(now)?;
    let source = Incidents { store: app.store.clone(), viewer: viewer(&caller), span, now };
    file(query.format.format(), span, source, &app, &caller).await
}

/// Alarms of a span of time, as a file
///
/// By when they began, or came if the box's clock was ahead; the newest first. There are no pictures in it. That it was taken is written into the access log.
#[utoipa::path(get, path = "/api/v1/exports/alerts", tag = "exports", params(Query), responses(
    (status = 200, description = "A line or an object for each", content(
        (String = "text/csv; charset=utf-8", example = "\u{feff}id,kind,severity,edge\r\n01ARZ3NDEKTSV4RRFFQ69G5FAV,zone_intrusion,2,gate-1\r\n"),
        (Vec<Alert> = "application/json"),
    )),
    (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be read or written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn alerts(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let span = query.span(Timestamp::now())?;
    let source = Alerts { store: app.store.clone(), scope: caller.scope(), span };
    file(query.format.format(), span, source, &app, &caller).await
}

/// Lines, and where to go on when there may be more.
type Handful<S> = (Vec<<S as Source>::Line>, Option<<S as Source>::At>);

/// What a file is made of, in handfuls.
trait Source: Send + Sync + Sized + 'static {
    /// What has a line.
    type Line: Line + Send + Sync;
    /// Where to go on.
    type At: Send;
    /// In the file's name.
    const NAME: &'static str;

    /// The next handful, and where to go on when there may be more.
    fn next(&self, at: Option<Self::At>) -> impl Future<Output = Result<Handful<Self>, StoreError>> + Send;
}

struct Incidents {
    store: Store,
    viewer: Viewer,
    span: Span,
    now: Timestamp,
}

impl Source for Incidents {
    type Line = Incident;
    type At = OpenedAt;
    const NAME: &'static str = "incidents";

    async fn next(&self, at: Option<OpenedAt>) -> Result<Handful<Self>, StoreError> {
        let filter = IncidentFilter {
            from: Some(self.span.from),
            until: Some(self.span.until),
            before: at,
            ..IncidentFilter::of(self.viewer.clone(), HANDFUL)
        };
        let page = self.store.incidents(&filter, None, self.now).await?;
        Ok((page.incidents, page.next))
    }
}

struct Alerts {
    store: Store,
    scope: Scope,
    span: Span,
}

impl Source for Alerts {
    type Line = Alert;
    type At = Place;
    const NAME: &'static str = "alerts";

    async fn next(&self, at: Option<Place>) -> Result<Handful<Self>, StoreError> {
        let page = self.store.alerts_within(&self.span, &self.scope, at, HANDFUL).await?;
        Ok((page.alerts, page.next))
    }
}

/// The file, read and sent in handfuls: however long it is, little of it is in memory.
async fn file<S: Source>(
    format: Format,
    span: Span,
    source: S,
    app: &App,
    caller: &Caller,
) -> Result<Response, Problem> {
    // The first before the answer begins: what cannot be read at all is a problem and no half file.
    let first = source.next(None).await?;
    let what = S::NAME;
    let detail = format!("{what}.{}, {} to {}", format.extension(), span.from, span.until);
    let about = Entry::about(&caller.session.person.name, Action::Exported).detail(detail);
    let entry = Entry { address: Some(caller.address.clone()), ..about };
    app.store.note_access(&entry, Timestamp::now()).await?;
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Json => "application/json",
    };
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let name = format!("gatepost-{what}-{}-{}.{}", day(span.from), day(span.until), format.extension());
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(pieces(format, source, first))).into_response())
}

fn pieces<S: Source>(
    format: Format,
    source: S,
    (first, next): Handful<S>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    async_stream::try_stream! {
        yield Bytes::from(format.head::<S::Line>());
        yield Bytes::from(format.lines(&first, true).map_err(broken)?);
        let mut next = next;
        while let Some(at) = next {
            let (lines, after) = source.next(Some(at)).await.map_err(broken)?;
            yield Bytes::from(format.lines(&lines, false).map_err(broken)?);
            next = after;
        }
        yield Bytes::from(format.tail());
    }
}

/// The connection is cut, so that half a file is not taken for a whole one.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    tracing::error!(%error, "an export was cut off");
    io::Error::other(error)
}
