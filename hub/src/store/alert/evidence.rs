//! The evidence of some alarms, one query for all of them.

use std::collections::HashMap;

use gatepost_wire::{AlarmId, MediaType};
use sqlx::FromRow;

use super::super::StoreError;
use super::super::column::{parse, parse_option, timestamp};
use crate::alert::{AlertEvidence, EvidenceState, Role};
use crate::store::readers::Readers;
use crate::store::sql::Sql;

#[derive(FromRow)]
struct Row {
    alarm: String,
    event: String,
    sha256: String,
    media_type: String,
    bytes: i64,
    original_kept: i64,
    command: Option<String>,
    until: Option<i64>,
    content: Option<String>,
    time: i64,
    here: i64,
    kept_until: Option<i64>,
    deleted: Option<i64>,
}

const SELECT: &str = "SELECT n.alarm, n.event, n.sha256, n.media_type, n.bytes, n.original_kept, n.command, n.until, \
    n.content, event.time, CASE WHEN e.sha256 IS NULL THEN 0 ELSE 1 END AS here, e.until AS kept_until, \
    (SELECT max(time) FROM deletion d WHERE d.event = n.event AND d.sha256 = n.sha256) AS deleted \
    FROM named_evidence n JOIN event ON event.id = n.event \
    LEFT JOIN evidence e ON e.event = n.event AND e.sha256 = n.sha256 AND e.waiting = 0 WHERE n.alarm";

/// What each of these alarms can show, in the order of their events.
pub(super) async fn of_alarms(
    readers: &Readers,
    alarms: impl Iterator<Item = AlarmId>,
) -> Result<HashMap<AlarmId, Vec<AlertEvidence>>, StoreError> {
    let mut query = Sql::new(SELECT);
    query.push_in(alarms);
    query.push(" ORDER BY event.time, event.number, n.sha256");
    let rows: Vec<Row> = query.build_query_as().fetch_all(readers).await?;
    let mut evidence: HashMap<AlarmId, Vec<AlertEvidence>> = HashMap::new();
    for row in rows {
        evidence.entry(parse("named_evidence.alarm", &row.alarm)?).or_default().push(read(row)?);
    }
    Ok(evidence)
}

fn read(row: Row) -> Result<AlertEvidence, StoreError> {
    let media_type = MediaType::from(row.media_type);
    let role = match (&row.command, &media_type) {
        (Some(_), _) => Role::Original,
        (None, MediaType::Jpeg) => Role::Snapshot,
        (None, MediaType::Mp4) => Role::Clip,
        (None, _) => Role::Other,
    };
    let state = match (row.here != 0, row.deleted) {
        (true, _) => EvidenceState::Here,
        (false, Some(_)) => EvidenceState::Deleted,
        (false, None) => EvidenceState::Awaited,
    };
    let url = (row.here != 0).then(|| format!("/api/v1/events/{}/evidence/{}", row.event, row.sha256));
    Ok(AlertEvidence {
        event: parse("named_evidence.event", &row.event)?,
        sha256: row.sha256,
        role,
        media_type: row.content.map_or(media_type, MediaType::from),
        bytes: u64::try_from(row.bytes).unwrap_or(0),
        time: timestamp(row.time),
        state,
        url,
        original_kept: row.original_kept != 0,
        command: parse_option("named_evidence.command", row.command)?,
        until: row.kept_until.or(row.until).map(timestamp),
        deleted: row.deleted.map(timestamp),
    })
}
