//! Which evidence the hub may keep.

use gatepost_wire::Timestamp;
use sqlx::FromRow;

use super::super::column::nanos;
use super::super::writer::Batch;
use super::super::{StoreError, command};
use super::Arrived;
use crate::evidence::Format;

/// An edge may have so many pieces here before their events. An edge sends an event before its evidence, so
/// more than a few wait only when something is wrong, and they must not fill the disk.
const MAX_WAITING: i64 = 64;

/// May the hub keep a piece?
pub(super) enum Verdict {
    /// It may; an original until then.
    Admitted { until: Option<i64> },
    /// Its time is over already, so it is not needed again.
    Over,
    /// It may not, and why.
    Refused(String),
}

/// What an event says of a piece.
#[derive(FromRow)]
struct Named {
    media_type: String,
    command: Option<String>,
    until: Option<i64>,
}

/// Its event is here: does it vouch for the piece? An uncovered original needs a command that this hub gave, and is kept no
/// longer than that command allowed.
pub(super) async fn judge(
    batch: &mut Batch<'_>,
    piece: &Arrived<'_>,
    event_edge: &str,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let Arrived { event, sha256, .. } = piece;
    if event_edge != piece.edge.as_str() {
        return Ok(Verdict::Refused(format!("event {event} belongs to edge {event_edge}")));
    }
    let named: Option<Named> = sqlx::query_as(
        "SELECT media_type, command, until FROM named_evidence WHERE event = $1 AND sha256 = $2",
    )
    .bind(event.to_string())
    .bind(sha256)
    .fetch_optional(&mut *batch.connection)
    .await?;
    let Some(named) = named else {
        return Ok(Verdict::Refused(format!("event {event} names no evidence with SHA-256 {sha256}")));
    };
    if named.media_type != piece.format.media_type() {
        let is = piece.format.media_type();
        return Ok(Verdict::Refused(format!("event {event} calls it {}, but it is {is}", named.media_type)));
    }
    if deleted(batch, piece).await? {
        return Ok(Verdict::Over);
    }
    match (named.command, named.until, piece.format) {
        (Some(command), Some(until), Format::Age) => {
            let Some(allowed) = command::allowed_until(batch, &command, piece.edge).await? else {
                return Ok(Verdict::Refused(format!(
                    "it is an original released by command {command}, which this hub did not give to {}",
                    piece.edge
                )));
            };
            let until = until.min(allowed);
            Ok(if until <= nanos(now) { Verdict::Over } else { Verdict::Admitted { until: Some(until) } })
        }
        (None, _, Format::Jpeg | Format::Mp4) => Ok(Verdict::Admitted { until: None }),
        (Some(_), ..) => {
            Ok(Verdict::Refused("an original is taken only encrypted, in the age format".into()))
        }
        (None, _, Format::Age) => Ok(Verdict::Refused(
            "it is encrypted, but its event does not say which command released it".into(),
        )),
    }
}

async fn deleted(batch: &mut Batch<'_>, piece: &Arrived<'_>) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM deletion WHERE event = $1 AND sha256 = $2 LIMIT 1")
            .bind(piece.event.to_string())
            .bind(piece.sha256)
            .fetch_optional(&mut *batch.connection)
            .await?;
    Ok(found.is_some())
}

/// Its event is not here yet, so nothing vouches for it: it may wait among a few.
pub(super) async fn room_to_wait(batch: &mut Batch<'_>, piece: &Arrived<'_>) -> Result<Verdict, StoreError> {
    let Arrived { edge, event, sha256, .. } = piece;
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM evidence WHERE waiting = 1 AND edge = $1 AND NOT (event = $2 AND sha256 = $3)",
    )
    .bind(edge.as_str())
    .bind(event.to_string())
    .bind(sha256)
    .fetch_one(&mut *batch.connection)
    .await?;
    if others < MAX_WAITING {
        return Ok(Verdict::Admitted { until: None });
    }
    Ok(Verdict::Refused(format!(
        "event {event} is not here, and {MAX_WAITING} pieces of evidence of {edge} already wait for theirs"
    )))
}
