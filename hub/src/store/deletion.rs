//! Evidence whose time is over: the file first, then the row, and a note that stays.

use gatepost_wire::event::Phase;
use gatepost_wire::{CommandId, EdgeId, EventId, Timestamp};
use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use utoipa::ToSchema;

use super::column::{from_word, nanos, parse, parse_option, timestamp, word};
use super::hold::HELD;
use super::keyset::{Found, Keyset, List};
use super::record::{Deletion, Fate};
use super::sql::Sql;
use super::writer::Batch;
use super::{Store, StoreError, alarm, evidence};
use crate::access::Scope;
use crate::alarm::Moment;
use crate::incident::IncidentId;
use crate::retention::Cause;

/// Something that was deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "time": "2026-02-03T00:00:00Z", "event": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "incident": null,
    "attachment": null, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "edge": "gate-1", "media_type": "application/vnd.age", "bytes": 183204,
    "received": "2026-01-31T08:40:00Z", "cause": "released_until", "command": "01ARZ3NDEKTSV4RRFFQ69G5FAW"
}))]
pub struct StoredDeletion {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// The event it belonged to, a ULID; null for an attachment of an incident.
    #[schema(value_type = Option<String>, example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub event: Option<EventId>,
    /// The incident it was attached to, a ULID; null for evidence of an event.
    #[schema(value_type = Option<String>, example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub incident: Option<IncidentId>,
    /// Its number among the attachments of that incident.
    #[schema(example = 1)]
    pub attachment: Option<u32>,
    /// SHA-256 of what was deleted, lower-case hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// The box it came from, or at which the incident is.
    #[schema(value_type = String, example = "gate-1")]
    pub edge: EdgeId,
    /// What it was.
    #[schema(example = "video/mp4")]
    pub media_type: String,
    /// How large it was.
    #[schema(example = 183204)]
    pub bytes: u64,
    /// Since when it was here.
    #[schema(value_type = String, format = DateTime)]
    pub received: Timestamp,
    /// Why it was deleted.
    pub cause: Cause,
    /// For an original: the command that released it.
    #[schema(value_type = Option<String>, example = "01ARZ3NDEKTSV4RRFFQ69G5FAW")]
    pub command: Option<CommandId>,
}

/// Which deletions are asked for.
#[derive(Debug)]
pub struct DeletionFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// Of this event's evidence only.
    pub event: Option<EventId>,
    /// Noted before the one with this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    time: i64,
    event: Option<String>,
    sha256: String,
    edge: String,
    media_type: String,
    bytes: i64,
    received: i64,
    cause: String,
    command: Option<String>,
    incident: Option<String>,
    attachment: Option<i64>,
}

const DELETIONS: List =
    List { table: "deletion", edge: "deletion.edge", place: &["number"], newest_first: true };

impl Store {
    /// What was deleted, the latest first, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deletions(
        &self,
        filter: &DeletionFilter,
    ) -> Result<(Vec<StoredDeletion>, Option<i64>), StoreError> {
        let mut conditions = Sql::new("");
        if let Some(event) = filter.event {
            conditions.push(" AND deletion.event = ").push_bind(event.to_string());
        }
        let keyset = Keyset {
            found: if filter.event.is_some() { Found::ByIndex } else { Found::AllOfIt },
            ..Keyset::of(&DELETIONS, &filter.scope, filter.before.map(|number| (number,)), filter.limit)
        };
        let mut query = Sql::new("SELECT * FROM deletion WHERE 1 = 1");
        let last = keyset.complete(self, &mut query, &conditions).await?;
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = keyset.next(&rows, |row| (row.number,), last).map(|(number,)| number);
        let deletions = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok((deletions, next))
    }
}

fn read(row: Row) -> Result<StoredDeletion, StoreError> {
    Ok(StoredDeletion {
        time: timestamp(row.time),
        event: parse_option("deletion.event", row.event)?,
        incident: parse_option("deletion.incident", row.incident)?,
        attachment: row.attachment.and_then(|number| u32::try_from(number).ok()),
        sha256: row.sha256,
        edge: parse("deletion.edge", &row.edge)?,
        media_type: row.media_type,
        bytes: u64::try_from(row.bytes).unwrap_or(0),
        received: timestamp(row.received),
        cause: from_word("deletion.cause", row.cause)?,
        command: parse_option("deletion.command", row.command)?,
    })
}

/// The file goes before the row: when the power fails between the two, the next look finds the row again and finishes. The
/// other way round a file could stay that nobody knows of.
pub(super) async fn store(batch: &mut Batch<'_>, deletion: &Deletion) -> Result<Fate, StoreError> {
    let event = deletion.event.to_string();
    let media_type: Option<String> =
        sqlx::query_scalar("SELECT media_type FROM evidence WHERE event = $1 AND sha256 = $2")
            .bind(&event)
            .bind(&deletion.sha256)
            .fetch_optional(&mut *batch.connection)
            .await?;
    let Some(media_type) = media_type else { return Ok(Fate::Duplicate) };
    // Somebody may have held it since it was found to be over.
    if deletion.cause == Cause::Age && is_held(batch, &event, deletion.time).await? {
        return Ok(Fate::Duplicate);
    }
    let shared: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM evidence WHERE sha256 = $1 AND event <> $2 LIMIT 1")
            .bind(&deletion.sha256)
            .bind(&event)
            .fetch_optional(&mut *batch.connection)
            .await?;
    if shared.is_none()
        && let Err(error) = batch.folder.remove(&deletion.sha256, evidence::format(&media_type)?).await
    {
        return Ok(Fate::Refused(format!("the file cannot be removed: {error}")));
    }
    sqlx::query(
        "INSERT INTO deletion (time, event, sha256, edge, media_type, bytes, received, cause, command) \
         SELECT $3, e.event, e.sha256, e.edge, e.media_type, e.bytes, e.received, $4, n.command \
         FROM evidence e LEFT JOIN named_evidence n ON n.event = e.event AND n.sha256 = e.sha256 \
         WHERE e.event = $1 AND e.sha256 = $2",
    )
    .bind(&event)
    .bind(&deletion.sha256)
    .bind(nanos(deletion.time))
    .bind(word(&deletion.cause))
    .execute(&mut *batch.connection)
    .await?;
    for statement in [
        "DELETE FROM evidence WHERE event = $1 AND sha256 = $2",
        "UPDATE event SET snapshot = NULL WHERE id = $1 AND snapshot = $2",
    ] {
        sqlx::query(statement).bind(&event).bind(&deletion.sha256).execute(&mut *batch.connection).await?;
    }
    take_from_alarm(batch, &event, deletion.time).await?;
    Ok(Fate::Stored)
}

/// Do two people want it kept?
async fn is_held(batch: &mut Batch<'_>, event: &str, now: Timestamp) -> Result<bool, StoreError> {
    let statement = format!("SELECT 1 FROM event WHERE event.id = $2 AND EXISTS ({HELD})");
    let held: Option<i64> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(nanos(now))
        .bind(event)
        .fetch_optional(&mut *batch.connection)
        .await?;
    Ok(held.is_some())
}

/// The alarm shows its earliest picture that is still here.
async fn take_from_alarm(batch: &mut Batch<'_>, event: &str, now: Timestamp) -> Result<(), StoreError> {
    let alarm: Option<String> =
        sqlx::query_scalar("SELECT alarm FROM event WHERE id = $1 AND alarm IS NOT NULL")
            .bind(event)
            .fetch_optional(&mut *batch.connection)
            .await?;
    let Some(alarm) = alarm else { return Ok(()) };
    let pictures: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT phase, time, id FROM event WHERE alarm = $1 AND snapshot IS NOT NULL AND phase IS NOT NULL",
    )
    .bind(&alarm)
    .fetch_all(&mut *batch.connection)
    .await?;
    let moments: Vec<Moment> = pictures
        .into_iter()
        .map(|(phase, time, id)| {
            Ok(Moment {
                phase: from_word::<Phase>("event.phase", phase)?,
                time: timestamp(time),
                event: parse("event.id", &id)?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    if let Some(mut known) = alarm::find(batch, parse("event.alarm", &alarm)?).await? {
        known.snapshot = moments.into_iter().min();
        alarm::store(batch, known, now).await?;
    }
    Ok(())
}
