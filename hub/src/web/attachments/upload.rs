//! Taking a file from whoever sends it: no more than is allowed, no slower than is allowed, and no more at once than fit into memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use gatepost_wire::Timestamp;
use jiff::SignedDuration;
use tokio::sync::Semaphore;

use crate::access::Person;
use crate::attachment::{AttachmentId, Content, FileName, Folder, MAX_BYTES, Unfit};
use crate::incident::IncidentId;
use crate::store::{IncidentError, StoreError, tell};
use crate::web::App;
use crate::web::problem::Problem;

/// All of a file has come by then: 10 MiB take no longer over 0.7 Mbit/s.
const WHOLE: Duration = Duration::from_secs(120);

/// Something of it comes at least so often.
const SILENCE: Duration = Duration::from_secs(10);

/// Who sends no more than this is heard out, so that they hear that it is too much; more is cut off on its way.
const HEARD_OUT: usize = 2 * MAX_BYTES;

/// Files that are taken at once, and in memory.
const AT_ONCE: usize = 4;

/// Who finds no place may try again then, in seconds.
const LATER_S: u64 = 10;

/// A file that is not attached by then belongs to nothing.
const EXPECTED: SignedDuration = SignedDuration::from_mins(10);

/// Where files come in and stay; cheap to clone.
#[derive(Debug, Clone)]
pub struct Attachments {
    folder: Folder,
    places: Arc<Semaphore>,
}

impl Attachments {
    /// With this folder.
    pub fn new(folder: Folder) -> Self {
        Self { folder, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Where they stay.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Takes the body of a request, if it is something that may be attached.
    pub(super) async fn receive(&self, request: Request) -> Result<Content, Problem> {
        let body = request.into_body();
        if body.size_hint().lower() > HEARD_OUT as u64 {
            return Err(too_large());
        }
        let Ok(_place) = self.places.try_acquire() else {
            let detail = "several files are being attached at this moment: try again in some seconds";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(LATER_S));
        };
        let bytes = tokio::time::timeout(WHOLE, whole(body)).await.map_err(|_| too_slow())??;
        // Some hundredths of a second for the largest.
        let parsed = tokio::task::spawn_blocking(move || Content::parse(bytes)).await;
        let parsed = parsed.map_err(|error| {
            tracing::error!(%error, "an attachment could not be looked at");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be looked at; the hub's log says why")
        })?;
        parsed.map_err(|error| match error {
            Unfit::Unknown => Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string()),
            Unfit::Empty | Unfit::Damaged { .. } => Problem::new(StatusCode::BAD_REQUEST, error.to_string()),
        })
    }
}

async fn whole(body: axum::body::Body) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut sent) = (BytesMut::new(), 0_usize);
    while let Some(piece) = tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| too_slow())? {
        let piece = piece.map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, format!("the file broke off on its way: {error}"))
        })?;
        sent = sent.saturating_add(piece.len());
        if sent > HEARD_OUT {
            return Err(too_large());
        }
        if sent <= MAX_BYTES {
            bytes.extend_from_slice(&piece);
        }
    }
    if sent > MAX_BYTES { Err(too_large()) } else { Ok(bytes.freeze()) }
}

fn too_large() -> Problem {
    let most = MAX_BYTES / (1024 * 1024);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a file of at most {most} MiB can be attached"))
}

fn too_slow() -> Problem {
    let (whole, silence) = (WHOLE.as_secs(), SILENCE.as_secs());
    let detail = format!(
        "the file did not come within {whole} seconds, or nothing of it for {silence}: try where the connection is better"
    );
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}

/// Keeps a file and attaches it; its number. It is ended even if nobody waits for the answer any more.
pub(super) async fn keep(
    app: App,
    incident: IncidentId,
    name: FileName,
    content: Content,
    person: Person,
) -> Result<u32, Problem> {
    let keeping = tokio::spawn(async move {
        let (store, folder, id) = (&app.store, &app.attachments.folder, AttachmentId::new());
        let now = Timestamp::now();
        store.expect_attachment(id, now.saturating_add(EXPECTED).unwrap_or(now)).await?;
        let attached = match folder.keep(id, &content).await {
            Ok(()) => store.attach(incident, (id, &name, &content), folder, &person, now).await,
            Err(error) => {
                clear_away(&app, id).await;
                return Err(not_kept(&app, &error));
            }
        };
        match attached {
            Ok(attached) => {
                tell(&app.changed, attached.change);
                Ok(attached.number)
            }
            // Whether it was written down is not known: if not, it is found to belong to nothing.
            Err(IncidentError::Store(error)) => Err(error.into()),
            Err(refused) => {
                clear_away(&app, id).await;
                Err(refused.into())
            }
        }
    });
    keeping.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an attachment could not be kept");
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be kept; the hub's log says why"))
    })
}

/// Nothing is left of what was refused; what cannot be deleted now is found to belong to nothing.
async fn clear_away(app: &App, id: AttachmentId) {
    let cleared: Result<(), StoreError> = app.store.delete_stray(id, &app.attachments.folder).await;
    if let Err(error) = cleared {
        tracing::warn!(attachment = %id, %error, "a file that was not attached is deleted later");
    }
}

fn not_kept(app: &App, error: &io::Error) -> Problem {
    let directory = app.attachments.folder.path().display();
    tracing::error!(%directory, %error, "an attachment cannot be written: free space or mend the disk");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            let detail = "the hub's disk has no room for it, alarms come first: tell who looks after the hub, and keep the file until then";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
        }
        _ => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be kept; the hub's log says why"),
    }
}
