//! Events: stored once each, read in the order of storing.

mod insert;
#[cfg(test)]
mod model;

use gatepost_wire::{BootId, EdgeId, EventId, Seq, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::access::within;
use super::column::{parse, seq, timestamp};
use super::keyset::{Found, Keyset, List};
use super::sql::Sql;
use super::{Store, StoreError};
use crate::access::Scope;

pub(super) use insert::{Arrival, store};

/// An event as it is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "edge": "gate-1", "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "seq": 7,
    "time": "2026-01-31T08:30:00Z", "received": "2026-01-31T08:30:00.2Z", "kind": "zone_intrusion",
    "severity": 2, "sequence_conflict": false,
    "envelope": {
        "specversion": "1.0", "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "source": "/gatepost/edge/gate-1",
        "type": "gatepost.event.v1.zone_intrusion", "time": "2026-01-31T08:30:00Z", "subject": "east-gate",
        "datacontenttype": "application/json", "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "sequence": "00000000000000000007",
        "data": { "severity": 2, "happening": {
            "kind": "zone_intrusion", "alarm": { "id": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "phase": "began" },
            "camera": "east-gate", "rule": "lawn-closed", "zone": "lawn", "object": "person", "track": 7,
            "region": { "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4 }, "score": 0.9, "dwell_ms": 2000
        } }
    }
}))]
pub struct StoredEvent {
    /// ULID.
    #[schema(value_type = String, example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub id: EventId,
    /// The box it was born at.
    #[schema(value_type = String, example = "gate-1")]
    pub edge: EdgeId,
    /// The start of the edge it was recorded under, a ULID.
    #[schema(value_type = String, example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub boot: BootId,
    /// Its place among the events of that boot, from 1.
    #[schema(value_type = u64, example = 7)]
    pub seq: Seq,
    /// When it happened, by the edge's clock.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T08:30:00Z")]
    pub time: Timestamp,
    /// When the hub received it.
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T08:30:00.2Z")]
    pub received: Timestamp,
    /// What happened.
    #[schema(example = "zone_intrusion")]
    pub kind: String,
    /// 1 (gravest) to 4.
    #[schema(minimum = 1, maximum = 4, example = 2)]
    pub severity: u8,
    /// Another event already had this place in the boot.
    pub sequence_conflict: bool,
    /// The CloudEvent as the edge sent it.
    #[schema(value_type = Object)]
    pub envelope: Box<RawValue>,
}

/// Which events are asked for.
#[derive(Debug)]
pub struct EventFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// Of this edge only.
    pub edge: Option<EdgeId>,
    /// Of this boot only.
    pub boot: Option<BootId>,
    /// Stored after the event with this number.
    pub after: i64,
    /// At most so many.
    pub limit: u16,
}

/// Some events, oldest first in the order of storing.
#[derive(Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<StoredEvent>,
    /// The number to go on after, when there may be more.
    pub next: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    id: String,
    edge: String,
    boot: String,
    seq: i64,
    time: i64,
    received: i64,
    kind: String,
    severity: i64,
    sequence_conflict: i64,
    envelope: String,
}

impl TryFrom<Row> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: parse("event.id", &row.id)?,
            edge: parse("event.edge", &row.edge)?,
            boot: parse("event.boot", &row.boot)?,
            seq: seq(row.seq),
            time: timestamp(row.time),
            received: timestamp(row.received),
            kind: row.kind,
            severity: u8::try_from(row.severity).unwrap_or(u8::MAX),
            sequence_conflict: row.sequence_conflict != 0,
            envelope: RawValue::from_string(row.envelope)
                .map_err(|_| StoreError::Unreadable { column: "event.envelope", value: row.id })?,
        })
    }
}

const COLUMNS: &str = "SELECT number, id, edge, boot, seq, time, received, kind, severity, sequence_conflict, envelope FROM event";

/// Events in the order of storing.
pub(super) const EVENTS: List =
    List { table: "event", edge: "event.edge", place: &["number"], newest_first: false };

impl Store {
    /// Events in the order of storing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events(&self, filter: &EventFilter) -> Result<EventPage, StoreError> {
        let mut conditions = Sql::new("");
        if let Some(boot) = filter.boot {
            conditions.push(" AND event.boot = ").push_bind(boot.to_string());
        }
        let keyset = Keyset {
            edge: filter.edge.as_ref(),
            // The starts of a box have an index.
            found: if filter.boot.is_some() { Found::ByIndex } else { Found::AllOfIt },
            ..Keyset::of(&EVENTS, &filter.scope, Some((filter.after,)), filter.limit)
        };
        let mut query = Sql::new(COLUMNS);
        query.push(" WHERE 1 = 1");
        let last = keyset.complete(self, &mut query, &conditions).await?;
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = keyset.next(&rows, |row| (row.number,), last).map(|(number,)| number);
        Ok(EventPage { events: rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?, next })
    }

    /// One event, if its box is within the scope.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn event(&self, id: EventId, scope: &Scope) -> Result<Option<StoredEvent>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push(" WHERE id = ").push_bind(id.to_string());
        within(&mut query, "edge", scope);
        let row: Option<Row> = query.build_query_as().fetch_optional(&self.readers).await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The hash of an event's picture, once it is here, if its box is within the scope.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn snapshot(&self, id: EventId, scope: &Scope) -> Result<Option<String>, StoreError> {
        let mut query = Sql::new("SELECT snapshot FROM event WHERE id = ");
        query.push_bind(id.to_string());
        within(&mut query, "edge", scope);
        let hash: Option<Option<String>> = query.build_query_scalar().fetch_optional(&self.readers).await?;
        Ok(hash.flatten())
    }
}
