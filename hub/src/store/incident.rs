//! Incidents: which alarms they have, how far they got, and every step.

mod attachment;
mod deadline;
mod figures;
mod group;
mod nuisance;
mod overdue;
mod shift;
mod step;
mod view;

pub use attachment::{Attached, KeptAttachment};
pub use figures::Which;
pub use group::Grouped;
pub use step::IncidentError;
#[cfg(test)]
pub(super) use view::INCIDENTS;
pub(super) use view::for_viewer;
pub use view::{IncidentFilter, IncidentPage, OpenedAt, Viewer};

use sqlx::{AnyConnection, FromRow};

use super::StoreError;
use super::change::next_change;
use super::column::{from_word, nanos, parse, parse_option, plain, timestamp, word};
use crate::incident::{Extension, FalseReason, IncidentId, Outcome, Place, State, Urged};
use gatepost_wire::Severity;

/// An incident as it is kept.
#[derive(Debug, FromRow)]
struct Row {
    number: i64,
    id: String,
    edge: String,
    kind: String,
    camera: Option<String>,
    zone: Option<String>,
    sensor: Option<String>,
    cause: Option<String>,
    object: Option<String>,
    input: Option<String>,
    rule: Option<String>,
    severity: i64,
    alarms: i64,
    ongoing: i64,
    first: i64,
    last: i64,
    opened: i64,
    stage: String,
    is_open: i64,
    outcome: Option<String>,
    reason: Option<String>,
    assignee: Option<String>,
    shelved_until: Option<i64>,
    due: Option<i64>,
    reminded: i64,
    escalates: Option<i64>,
    escalated: i64,
    extension_by: Option<String>,
    extension_until: Option<i64>,
    extension_reason: Option<String>,
    merged_into: Option<i64>,
    version: i64,
    change: i64,
}

impl Row {
    fn id(&self) -> Result<IncidentId, StoreError> {
        parse("incident.id", &self.id)
    }

    fn severity(&self) -> Result<Severity, StoreError> {
        let level = u8::try_from(self.severity).ok().and_then(|level| Severity::try_from(level).ok());
        level.ok_or_else(|| StoreError::Unreadable {
            column: "incident.severity",
            value: self.severity.to_string(),
        })
    }

    fn version(&self) -> u32 {
        u32::try_from(self.version).unwrap_or(u32::MAX)
    }

    fn place(&self) -> Result<Place, StoreError> {
        Ok(Place {
            kind: self.kind.clone(),
            edge: parse("incident.edge", &self.edge)?,
            camera: parse_option("incident.camera", self.camera.clone())?,
            zone: parse_option("incident.zone", self.zone.clone())?,
            sensor: parse_option("incident.sensor", self.sensor.clone())?,
            cause: self.cause.clone(),
        })
    }

    fn state(&self) -> Result<State, StoreError> {
        let reason: Option<FalseReason> =
            self.reason.clone().map(|word| from_word("incident.reason", word)).transpose()?;
        let outcome: Option<Outcome> =
            self.outcome.clone().map(|word| from_word("incident.outcome", word)).transpose()?;
        Ok(State {
            stage: from_word("incident.stage", self.stage.clone())?,
            outcome,
            reason,
            assignee: parse_option("incident.assignee", self.assignee.clone())?,
            shelved_until: self.shelved_until.map(timestamp),
            due: self.due.map(timestamp),
            urged: match self.reminded {
                0 => Urged::NotYet,
                _ => Urged::Reminded { escalates: self.escalates.map(timestamp) },
            },
            escalated: self.escalated != 0,
            extension: self.extension()?,
        })
    }

    fn extension(&self) -> Result<Option<Extension>, StoreError> {
        let (Some(by), Some(until), Some(reason)) =
            (&self.extension_by, self.extension_until, &self.extension_reason)
        else {
            return Ok(None);
        };
        let unreadable =
            |_| StoreError::Unreadable { column: "incident.extension_reason", value: reason.clone() };
        Ok(Some(Extension {
            by: parse("incident.extension_by", by)?,
            until: timestamp(until),
            reason: reason.clone().try_into().map_err(unreadable)?,
        }))
    }
}

/// How what the hub has said of a deadline is kept: whether it has reminded, and when it escalates.
fn urged_columns(urged: Urged) -> (i64, Option<i64>) {
    match urged {
        Urged::NotYet => (0, None),
        Urged::Reminded { escalates } => (1, escalates.map(nanos)),
    }
}

async fn find(connection: &mut AnyConnection, id: IncidentId) -> Result<Option<Row>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM incident WHERE id = $1").bind(id.to_string());
    Ok(row.fetch_optional(connection).await?)
}

/// Keeps how far an incident got.
async fn keep(
    connection: &mut AnyConnection,
    row: &Row,
    state: &State,
    version: u32,
    now: gatepost_wire::Timestamp,
) -> Result<i64, StoreError> {
    let change = next_change(connection).await?;
    let now = nanos(now);
    let (reminded, escalates) = urged_columns(state.urged);
    sqlx::query(
        "UPDATE incident SET stage = $1, is_open = $2, outcome = $3, reason = $4, assignee = $5, shelved_until = $6, due = $7, \
           version = $8, change = $9, \
           acknowledged = CASE WHEN acknowledged IS NULL AND $1 <> 'reported' THEN $10 ELSE acknowledged END, \
           closed = CASE WHEN closed IS NULL AND $2 = 0 THEN $10 ELSE closed END, \
           reminded = $11, escalates = $12, escalated = $13, extension_by = $14, extension_until = $15, extension_reason = $16 \
         WHERE id = $17",
    )
    .bind(word(&state.stage))
    .bind(i64::from(state.stage.is_open()))
    .bind(state.outcome.map(Outcome::name))
    .bind(state.reason.as_ref().map(word))
    .bind(state.assignee.as_ref().map(|name| name.as_str()))
    .bind(state.shelved_until.map(nanos))
    .bind(state.due.map(nanos))
    .bind(i64::from(version))
    .bind(change)
    .bind(now)
    .bind(reminded)
    .bind(escalates)
    .bind(i64::from(state.escalated))
    .bind(state.extension.as_ref().map(|asked| asked.by.to_string()))
    .bind(state.extension.as_ref().map(|asked| nanos(asked.until)))
    .bind(state.extension.as_ref().map(|asked| plain(asked.reason.as_str())))
    .bind(&row.id)
    .execute(connection)
    .await?;
    Ok(change)
}
