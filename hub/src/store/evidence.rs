//! Which evidence is here, and which event vouches for each piece.

mod admission;

use gatepost_wire::evidence::Original;
use gatepost_wire::{EdgeId, Event, EventId, MediaType, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use self::admission::{Verdict, judge, room_to_wait};
use super::access::within;
use super::column::{nanos, parse, plain, text};
use super::hold::HELD;
use super::record::{Delivery, Fate};
use super::sql::Sql;
use super::writer::Batch;
use super::{Store, StoreError, alarm, refused};
use crate::access::Scope;
use crate::alarm::Alarm;
use crate::evidence::{Folder, Format};
use crate::retention::{Cause, Due};

/// A piece whose file is on disk.
pub(super) struct Arrived<'a> {
    /// Who sent it.
    pub edge: &'a EdgeId,
    /// The event it says it belongs to.
    pub event: EventId,
    /// Of its bytes, lower-case hex.
    pub sha256: &'a str,
    /// What its bytes are.
    pub format: Format,
}

/// A piece that can be looked at.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Of its bytes, lower-case hex.
    pub sha256: String,
    /// What its bytes are.
    pub format: Format,
    /// An original's end.
    pub until: Option<Timestamp>,
}

#[derive(FromRow)]
struct EventRow {
    edge: String,
    envelope: String,
    alarm: Option<String>,
    snapshot: Option<String>,
}

pub(super) fn format(media_type: &str) -> Result<Format, StoreError> {
    Format::named(&MediaType::from(media_type))
        .ok_or_else(|| StoreError::Unreadable { column: "evidence.media_type", value: media_type.to_owned() })
}

impl Store {
    /// A piece of an event, once it is here, if its box is within the scope.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn evidence(
        &self,
        event: EventId,
        sha256: &str,
        scope: &Scope,
    ) -> Result<Option<Kept>, StoreError> {
        let mut query = Sql::new("SELECT media_type, until FROM evidence WHERE waiting = 0 AND event = ");
        query.push_bind(event.to_string()).push(" AND sha256 = ").push_bind(sha256.to_owned());
        within(&mut query, "edge", scope);
        let row: Option<(String, Option<i64>)> = query.build_query_as().fetch_optional(&self.readers).await?;
        row.map(|(media_type, until)| {
            Ok(Kept {
                sha256: sha256.to_owned(),
                format: format(&media_type)?,
                until: until.map(super::column::timestamp),
            })
        })
        .transpose()
    }

    /// Does the box say that it keeps an original of what this event names?
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn original_kept(&self, event: EventId) -> Result<bool, StoreError> {
        let kept: i64 =
            sqlx::query_scalar("SELECT count(*) FROM named_evidence WHERE event = $1 AND original_kept = 1")
                .bind(event.to_string())
                .fetch_one(&self.readers)
                .await?;
        Ok(kept > 0)
    }

    /// At most `limit` pieces whose time is over: originals at their end, everything else that came before
    /// `oldest` and is not held.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn evidence_due(
        &self,
        now: Timestamp,
        oldest: Timestamp,
        limit: u16,
    ) -> Result<Vec<Due>, StoreError> {
        let statement = format!(
            "SELECT event, sha256, 1 AS released FROM evidence WHERE until IS NOT NULL AND until <= $1 \
             UNION SELECT event, sha256, 0 AS released FROM evidence WHERE until IS NULL AND received < $2 \
               AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = evidence.event AND EXISTS ({HELD})) LIMIT $3"
        );
        let rows: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(statement))
            .bind(nanos(now))
            .bind(nanos(oldest))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter()
            .map(|(event, sha256, released)| {
                let cause = if released != 0 { Cause::ReleasedUntil } else { Cause::Age };
                Ok(Due { event: parse("evidence.event", &event)?, sha256, cause })
            })
            .collect()
    }
}

/// Notes what a new event names.
pub(super) async fn name(batch: &mut Batch<'_>, event: &Event) -> Result<(), StoreError> {
    let alarm = event.data.happening.alarm().map(|alarm| alarm.id);
    for piece in &event.data.evidence {
        let released = match &piece.original {
            Some(Original::Released(released)) => Some(released),
            _ => None,
        };
        sqlx::query(
            "INSERT INTO named_evidence (event, sha256, alarm, media_type, bytes, original_kept, command, until, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(event.id.to_string())
        .bind(&piece.sha256)
        .bind(text(alarm.as_ref()))
        .bind(plain(piece.media_type.as_str()))
        .bind(i64::try_from(piece.bytes).unwrap_or(i64::MAX))
        .bind(i64::from(piece.original == Some(Original::Kept)))
        .bind(text(released.map(|released| &released.command)))
        .bind(released.map(|released| nanos(released.until)))
        .bind(released.map(|released| plain(released.media_type.as_str())))
        .execute(&mut *batch.connection)
        .await?;
    }
    Ok(())
}

/// Notes a piece whose file is on disk.
pub(super) async fn store(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    piece: &Arrived<'_>,
) -> Result<Fate, StoreError> {
    let row: Option<EventRow> =
        sqlx::query_as("SELECT edge, envelope, alarm, snapshot FROM event WHERE id = $1")
            .bind(piece.event.to_string())
            .fetch_optional(&mut *batch.connection)
            .await?;
    let verdict = match &row {
        None => room_to_wait(batch, piece).await?,
        Some(row) => judge(batch, piece, &row.edge, delivery.received).await?,
    };
    let until = match verdict {
        Verdict::Admitted { until } => until,
        Verdict::Over => {
            batch.orphans.push((piece.sha256.to_owned(), piece.format));
            return Ok(Fate::Duplicate);
        }
        Verdict::Refused(reason) => {
            batch.orphans.push((piece.sha256.to_owned(), piece.format));
            return Ok(Fate::Refused(reason));
        }
    };
    if !batch.folder.holds(piece.sha256, piece.format).await {
        return Err(StoreError::EvidenceGone(piece.sha256.to_owned()));
    }
    let inserted = sqlx::query(
        "INSERT INTO evidence (event, sha256, edge, bytes, received, waiting, media_type, until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (event, sha256) DO NOTHING",
    )
    .bind(piece.event.to_string())
    .bind(piece.sha256)
    .bind(piece.edge.as_str())
    .bind(i64::try_from(delivery.payload.len()).unwrap_or(i64::MAX))
    .bind(nanos(delivery.received))
    .bind(i64::from(row.is_none()))
    .bind(piece.format.media_type())
    .bind(until)
    .execute(&mut *batch.connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Fate::Duplicate);
    }
    if let Some(row) = row {
        show(batch, delivery, piece, &row).await?;
    }
    Ok(Fate::Stored)
}

/// A new piece of an event that is here: its alarm has to be told again, perhaps with a picture now.
async fn show(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    piece: &Arrived<'_>,
    row: &EventRow,
) -> Result<(), StoreError> {
    if piece.format == Format::Jpeg && row.snapshot.is_none() {
        set_snapshot(batch, piece.event, piece.sha256).await?;
        let event = Event::from_json(row.envelope.as_bytes()).map_err(|_| StoreError::Unreadable {
            column: "event.envelope",
            value: piece.event.to_string(),
        })?;
        if let Some(told) = Alarm::of(&event)
            && let Some(mut known) = alarm::find(batch, told.id).await?
        {
            known.snapshot = known.snapshot.into_iter().chain([told.first]).min();
            alarm::store(batch, known, delivery.received).await?;
        }
    } else if let Some(alarm) = &row.alarm {
        alarm::touch(batch, alarm).await?;
    }
    Ok(())
}

async fn set_snapshot(batch: &mut Batch<'_>, id: EventId, sha256: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE event SET snapshot = $1 WHERE id = $2")
        .bind(sha256)
        .bind(id.to_string())
        .execute(&mut *batch.connection)
        .await?;
    Ok(())
}

/// Does any piece wait for its event?
pub(super) async fn some_waits(batch: &mut Batch<'_>) -> Result<bool, StoreError> {
    let waits: Option<i64> = sqlx::query_scalar("SELECT 1 FROM evidence WHERE waiting = 1 LIMIT 1")
        .fetch_optional(&mut *batch.connection)
        .await?;
    Ok(waits.is_some())
}

/// The event has come: pieces that waited for it are vouched for or refused. True when it has a picture.
pub(super) async fn settle(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    event: &Event,
) -> Result<bool, StoreError> {
    let waiting: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT sha256, edge, media_type FROM evidence WHERE event = $1 AND waiting = 1 ORDER BY received",
    )
    .bind(event.id.to_string())
    .fetch_all(&mut *batch.connection)
    .await?;
    let mut has_snapshot = false;
    for (sha256, edge, media_type) in waiting {
        let (edge, format) = (parse("evidence.edge", &edge)?, format(&media_type)?);
        let piece = Arrived { edge: &edge, event: event.id, sha256: &sha256, format };
        match judge(batch, &piece, event.edge.as_str(), delivery.received).await? {
            Verdict::Admitted { until } => {
                sqlx::query("UPDATE evidence SET waiting = 0, until = $1 WHERE event = $2 AND sha256 = $3")
                    .bind(until)
                    .bind(event.id.to_string())
                    .bind(&sha256)
                    .execute(&mut *batch.connection)
                    .await?;
                if format == Format::Jpeg && !has_snapshot {
                    set_snapshot(batch, event.id, &sha256).await?;
                    has_snapshot = true;
                }
            }
            Verdict::Over => forget(batch, &piece).await?,
            Verdict::Refused(reason) => {
                tracing::warn!(event = %event.id, %edge, sha256, reason, "evidence refused");
                forget(batch, &piece).await?;
                refused::store(batch, delivery, Some(&edge), &reason).await?;
            }
        }
    }
    Ok(has_snapshot)
}

async fn forget(batch: &mut Batch<'_>, piece: &Arrived<'_>) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM evidence WHERE event = $1 AND sha256 = $2")
        .bind(piece.event.to_string())
        .bind(piece.sha256)
        .execute(&mut *batch.connection)
        .await?;
    batch.orphans.push((piece.sha256.to_owned(), piece.format));
    Ok(())
}

/// Removes a file unless some event still has it. Only the writer removes, and it notes a piece only when the file is
/// there, so no row can lose its file.
pub(super) async fn remove_orphan(
    connection: &mut AnyConnection,
    folder: &Folder,
    sha256: &str,
    format: Format,
) {
    let used: Result<Option<i64>, _> = sqlx::query_scalar("SELECT 1 FROM evidence WHERE sha256 = $1 LIMIT 1")
        .bind(sha256)
        .fetch_optional(connection)
        .await;
    if let Ok(None) = used
        && let Err(error) = folder.remove(sha256, format).await
    {
        tracing::warn!(%error, "refused evidence could not be removed");
    }
}
