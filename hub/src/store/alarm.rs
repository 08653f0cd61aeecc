//! One row per alarm: the merged word of its events.

use gatepost_wire::event::Phase;
use gatepost_wire::{AlarmId, Severity, Timestamp};
use sqlx::FromRow;

use super::StoreError;
use super::column::{from_word, nanos, parse, parse_option, text, timestamp, word};
use super::writer::Batch;
use crate::alarm::{Alarm, Moment, Scene};

#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    edge: String,
    kind: String,
    camera: Option<String>,
    zone: Option<String>,
    rule: Option<String>,
    object: Option<String>,
    cause: Option<String>,
    detail: Option<String>,
    severity: i64,
    events: i64,
    first_phase: String,
    first_time: i64,
    first_event: String,
    latest_phase: String,
    latest_time: i64,
    latest_event: String,
    snapshot_phase: Option<String>,
    snapshot_time: Option<i64>,
    snapshot_event: Option<String>,
}

fn moment(phase: String, time: i64, event: &str) -> Result<Moment, StoreError> {
    Ok(Moment {
        phase: from_word::<Phase>("alarm.phase", phase)?,
        time: timestamp(time),
        event: parse("alarm.event", event)?,
    })
}

impl TryFrom<Row> for Alarm {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let severity = u8::try_from(row.severity).ok().and_then(|level| Severity::try_from(level).ok());
        let snapshot = match (row.snapshot_phase, row.snapshot_time, row.snapshot_event) {
            (Some(phase), Some(time), Some(event)) => Some(moment(phase, time, &event)?),
            _ => None,
        };
        Ok(Self {
            id: parse("alarm.id", &row.id)?,
            edge: parse("alarm.edge", &row.edge)?,
            scene: Scene {
                kind: row.kind,
                camera: parse_option("alarm.camera", row.camera)?,
                zone: parse_option("alarm.zone", row.zone)?,
                rule: parse_option("alarm.rule", row.rule)?,
                object: row.object.map(|object| from_word("alarm.object", object)).transpose()?,
                cause: row.cause,
            },
            detail: row.detail,
            severity: severity.ok_or_else(|| StoreError::Unreadable {
                column: "alarm.severity",
                value: row.severity.to_string(),
            })?,
            events: u64::try_from(row.events).unwrap_or(0),
            first: moment(row.first_phase, row.first_time, &row.first_event)?,
            latest: moment(row.latest_phase, row.latest_time, &row.latest_event)?,
            snapshot,
        })
    }
}

/// The alarm as it stands.
pub(super) async fn find(batch: &mut Batch<'_>, id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM alarm WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(&mut *batch.connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Writes the alarm as it now stands. `received` counts only when it is new.
pub(super) async fn store(
    batch: &mut Batch<'_>,
    alarm: &Alarm,
    received: Timestamp,
) -> Result<(), StoreError> {
    let change = batch.next_change();
    sqlx::query(
        "INSERT INTO alarm (id, edge, kind, camera, zone, rule, object, cause, detail, severity, events, \
           first_phase, first_time, first_event, latest_phase, latest_time, latest_event, \
           snapshot_phase, snapshot_time, snapshot_event, received, placed, change) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
           ?21, min(?13, ?21), ?22) \
         ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, camera = excluded.camera, \
           zone = excluded.zone, rule = excluded.rule, object = excluded.object, cause = excluded.cause, \
           detail = excluded.detail, severity = excluded.severity, events = excluded.events, \
           first_phase = excluded.first_phase, first_time = excluded.first_time, \
           first_event = excluded.first_event, latest_phase = excluded.latest_phase, \
           latest_time = excluded.latest_time, latest_event = excluded.latest_event, \
           snapshot_phase = excluded.snapshot_phase, snapshot_time = excluded.snapshot_time, \
           snapshot_event = excluded.snapshot_event, placed = min(excluded.first_time, received), \
           change = excluded.change",
    )
    .bind(alarm.id.to_string())
    .bind(alarm.edge.as_str())
    .bind(&alarm.scene.kind)
    .bind(text(alarm.scene.camera.as_ref()))
    .bind(text(alarm.scene.zone.as_ref()))
    .bind(text(alarm.scene.rule.as_ref()))
    .bind(alarm.scene.object.as_ref().map(word))
    .bind(&alarm.scene.cause)
    .bind(&alarm.detail)
    .bind(i64::from(alarm.severity.level()))
    .bind(i64::try_from(alarm.events).unwrap_or(i64::MAX))
    .bind(word(&alarm.first.phase))
    .bind(nanos(alarm.first.time))
    .bind(alarm.first.event.to_string())
    .bind(word(&alarm.latest.phase))
    .bind(nanos(alarm.latest.time))
    .bind(alarm.latest.event.to_string())
    .bind(alarm.snapshot.map(|moment| word(&moment.phase)))
    .bind(alarm.snapshot.map(|moment| nanos(moment.time)))
    .bind(alarm.snapshot.map(|moment| moment.event.to_string()))
    .bind(nanos(received))
    .bind(change)
    .execute(&mut *batch.connection)
    .await?;
    Ok(())
}
