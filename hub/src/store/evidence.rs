//! Which pictures are here, and which event vouches for each.

use gatepost_wire::{EdgeId, Event, EventId};
use sqlx::{FromRow, SqliteConnection};

use super::column::nanos;
use super::record::{Delivery, Fate};
use super::writer::Batch;
use super::{StoreError, alarm, refused};
use crate::alarm::Alarm;
use crate::evidence::Folder;

/// An edge may have so many pictures here before their events. An edge sends an event before its pictures, so
/// more than a few wait only when something is wrong, and they must not fill the disk.
const MAX_WAITING: i64 = 64;

#[derive(FromRow)]
struct EventRow {
    edge: String,
    envelope: String,
    snapshot: Option<String>,
}

/// Notes a picture whose file is on disk.
pub(super) async fn store(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    edge: &EdgeId,
    id: EventId,
    sha256: &str,
) -> Result<Fate, StoreError> {
    let row: Option<EventRow> = sqlx::query_as("SELECT edge, envelope, snapshot FROM event WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(&mut *batch.connection)
        .await?;
    let refusal = match &row {
        None => too_many_waiting(batch, edge, id, sha256).await?,
        Some(row) if row.edge != edge.as_str() => Some(format!("event {id} belongs to edge {}", row.edge)),
        Some(row) => {
            let event = event_of(id, row)?;
            (!names(&event, sha256)).then(|| format!("event {id} names no picture with SHA-256 {sha256}"))
        }
    };
    if let Some(reason) = refusal {
        batch.orphans.push(sha256.to_owned());
        return Ok(Fate::Refused(reason));
    }
    if !batch.folder.holds(sha256).await {
        return Err(StoreError::PictureGone(sha256.to_owned()));
    }
    let inserted = sqlx::query(
        "INSERT INTO evidence (event, sha256, edge, bytes, received, waiting) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (event, sha256) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(sha256)
    .bind(edge.as_str())
    .bind(i64::try_from(delivery.payload.len()).unwrap_or(i64::MAX))
    .bind(nanos(delivery.received))
    .bind(row.is_none())
    .execute(&mut *batch.connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Fate::Duplicate);
    }
    if let Some(row) = row.filter(|row| row.snapshot.is_none()) {
        set_snapshot(batch, id, sha256).await?;
        if let Some(told) = Alarm::of(&event_of(id, &row)?)
            && let Some(mut known) = alarm::find(batch, told.id).await?
        {
            known.snapshot = known.snapshot.into_iter().chain([told.first]).min();
            alarm::store(batch, &known, delivery.received).await?;
        }
    }
    Ok(Fate::Stored)
}

fn event_of(id: EventId, row: &EventRow) -> Result<Event, StoreError> {
    Event::from_json(row.envelope.as_bytes())
        .map_err(|_| StoreError::Unreadable { column: "event.envelope", value: id.to_string() })
}

fn names(event: &Event, sha256: &str) -> bool {
    event.data.evidence.iter().any(|picture| picture.sha256 == sha256)
}

async fn set_snapshot(batch: &mut Batch<'_>, id: EventId, sha256: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE event SET snapshot = ? WHERE id = ?")
        .bind(sha256)
        .bind(id.to_string())
        .execute(&mut *batch.connection)
        .await?;
    Ok(())
}

async fn too_many_waiting(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    id: EventId,
    sha256: &str,
) -> Result<Option<String>, StoreError> {
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM evidence WHERE waiting = 1 AND edge = ? AND NOT (event = ? AND sha256 = ?)",
    )
    .bind(edge.as_str())
    .bind(id.to_string())
    .bind(sha256)
    .fetch_one(&mut *batch.connection)
    .await?;
    Ok((others >= MAX_WAITING).then(|| {
        format!("event {id} is not here, and {MAX_WAITING} pictures of {edge} already wait for theirs")
    }))
}

/// The event has come: pictures that waited for it are vouched for or refused. True when it has a picture.
pub(super) async fn settle(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    event: &Event,
) -> Result<bool, StoreError> {
    let waiting: Vec<(String, String)> =
        sqlx::query_as("SELECT sha256, edge FROM evidence WHERE event = ? AND waiting = 1 ORDER BY received")
            .bind(event.id.to_string())
            .fetch_all(&mut *batch.connection)
            .await?;
    let mut has_snapshot = false;
    for (sha256, edge) in waiting {
        if edge == event.edge.as_str() && names(event, &sha256) {
            sqlx::query("UPDATE evidence SET waiting = 0 WHERE event = ? AND sha256 = ?")
                .bind(event.id.to_string())
                .bind(&sha256)
                .execute(&mut *batch.connection)
                .await?;
            if !has_snapshot {
                set_snapshot(batch, event.id, &sha256).await?;
                has_snapshot = true;
            }
        } else {
            let reason = format!(
                "edge {edge} sent a picture with SHA-256 {sha256}, which event {} does not name",
                event.id
            );
            tracing::warn!(event = %event.id, reason, "picture refused");
            sqlx::query("DELETE FROM evidence WHERE event = ? AND sha256 = ?")
                .bind(event.id.to_string())
                .bind(&sha256)
                .execute(&mut *batch.connection)
                .await?;
            refused::store(batch, delivery, edge.parse().ok().as_ref(), &reason).await?;
            batch.orphans.push(sha256);
        }
    }
    Ok(has_snapshot)
}

/// Removes a picture's file unless some event still has it. Only the writer removes, and it notes a picture
/// only when the file is there, so no row can lose its file.
pub(super) async fn remove_orphan(connection: &mut SqliteConnection, folder: &Folder, sha256: &str) {
    let used: Result<Option<i64>, _> = sqlx::query_scalar("SELECT 1 FROM evidence WHERE sha256 = ? LIMIT 1")
        .bind(sha256)
        .fetch_optional(connection)
        .await;
    if let Ok(None) = used
        && let Err(error) = folder.remove(sha256).await
    {
        tracing::warn!(%error, "a refused picture could not be removed");
    }
}
