//! One row per alarm: the merged word of its events.

use std::collections::HashMap;

use gatepost_wire::event::Phase;
use gatepost_wire::{AlarmId, Severity, Timestamp};
use sqlx::FromRow;

use super::StoreError;
use super::column::{from_word, nanos, parse, parse_option, text, timestamp, word};
use super::rows::chunks;
use super::sql::Sql;
use super::writer::Batch;
use crate::alarm::{Alarm, Crowd, Moment, Scene};

#[derive(FromRow)]
pub(super) struct Row {
    pub id: String,
    edge: String,
    kind: String,
    camera: Option<String>,
    zone: Option<String>,
    rule: Option<String>,
    object: Option<String>,
    cause: Option<String>,
    direction: Option<String>,
    sensor: Option<String>,
    input: Option<String>,
    detail: Option<String>,
    crowd_count: Option<i64>,
    crowd_limit: Option<i64>,
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

/// How many; a number no edge can have counted is one no version wrote.
fn people(column: &'static str, number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Unreadable { column, value: number.to_string() })
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
        let crowd = match (row.crowd_count, row.crowd_limit) {
            (Some(count), Some(limit)) => Some(Crowd {
                count: people("alarm.crowd_count", count)?,
                limit: people("alarm.crowd_limit", limit)?,
            }),
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
                direction: row
                    .direction
                    .map(|direction| from_word("alarm.direction", direction))
                    .transpose()?,
                sensor: parse_option("alarm.sensor", row.sensor)?,
                input: row.input.map(|input| from_word("alarm.input", input)).transpose()?,
            },
            detail: row.detail,
            crowd,
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
    let row: Option<Row> = sqlx::query_as("SELECT * FROM alarm WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *batch.connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Something that is told together with the alarm changed: a page has to hear of it.
pub(super) async fn touch(batch: &mut Batch<'_>, id: &str) -> Result<(), StoreError> {
    let change = batch.next_change();
    sqlx::query("UPDATE alarm SET change = $1 WHERE id = $2")
        .bind(change)
        .bind(id)
        .execute(&mut *batch.connection)
        .await?;
    Ok(())
}

/// Those of these alarms that are known, as they stand.
pub(super) async fn find_all(
    batch: &mut Batch<'_>,
    ids: impl Iterator<Item = AlarmId>,
) -> Result<HashMap<AlarmId, Alarm>, StoreError> {
    let mut query = Sql::new("SELECT * FROM alarm WHERE id");
    query.push_in(ids);
    let query = query.suited_to(batch.connection);
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *batch.connection).await?;
    rows.into_iter()
        .map(|row| {
            let alarm = Alarm::try_from(row)?;
            Ok((alarm.id, alarm))
        })
        .collect()
}

/// Writes alarms as they now stand: those `changed` names, each once, in the order of their last changes. The moments count
/// for those only that are new.
pub(super) async fn store_all(
    batch: &mut Batch<'_>,
    alarms: &mut HashMap<AlarmId, Alarm>,
    changed: Vec<(AlarmId, Timestamp)>,
) -> Result<(), StoreError> {
    let mut first_received: HashMap<AlarmId, Timestamp> = HashMap::with_capacity(changed.len());
    for (id, received) in &changed {
        first_received.entry(*id).or_insert(*received);
    }
    let mut states = Vec::with_capacity(first_received.len());
    for (id, _) in changed.iter().rev() {
        if let (Some(received), Some(alarm)) = (first_received.remove(id), alarms.remove(id)) {
            states.push((alarm, received, 0));
        }
    }
    states.reverse();
    for (_, _, change) in &mut states {
        *change = batch.next_change();
    }
    for rows in chunks(&states) {
        write(batch, rows).await?;
    }
    Ok(())
}

/// Writes the alarm as it now stands. `received` counts only when it is new.
pub(super) async fn store(
    batch: &mut Batch<'_>,
    alarm: Alarm,
    received: Timestamp,
) -> Result<(), StoreError> {
    let change = batch.next_change();
    write(batch, &[(alarm, received, change)]).await
}

/// Writes alarms, each with the moment it was heard of and the number of its change.
async fn write(batch: &mut Batch<'_>, rows: &[(Alarm, Timestamp, i64)]) -> Result<(), StoreError> {
    let mut query = Sql::new(
        "INSERT INTO alarm (id, edge, kind, camera, zone, rule, object, cause, detail, severity, events, \
           first_phase, first_time, first_event, latest_phase, latest_time, latest_event, \
           snapshot_phase, snapshot_time, snapshot_event, received, placed, change, \
           direction, crowd_count, crowd_limit, sensor, input) ",
    );
    query.push_rows(rows, |row, (alarm, received, change)| {
        let (first, received) = (nanos(alarm.first.time), nanos(*received));
        row.bind(alarm.id.to_string())
            .bind(alarm.edge.as_str())
            .bind(alarm.scene.kind.as_str())
            .bind(text(alarm.scene.camera.as_ref()))
            .bind(text(alarm.scene.zone.as_ref()))
            .bind(text(alarm.scene.rule.as_ref()))
            .bind(alarm.scene.object.as_ref().map(word))
            .bind(&alarm.scene.cause)
            .bind(&alarm.detail)
            .bind(i64::from(alarm.severity.level()))
            .bind(i64::try_from(alarm.events).unwrap_or(i64::MAX))
            .bind(word(&alarm.first.phase))
            .bind(first)
            .bind(alarm.first.event.to_string())
            .bind(word(&alarm.latest.phase))
            .bind(nanos(alarm.latest.time))
            .bind(alarm.latest.event.to_string())
            .bind(alarm.snapshot.map(|moment| word(&moment.phase)))
            .bind(alarm.snapshot.map(|moment| nanos(moment.time)))
            .bind(alarm.snapshot.map(|moment| moment.event.to_string()))
            .bind(received)
            .bind(first.min(received))
            .bind(*change)
            .bind(alarm.scene.direction.as_ref().map(word))
            .bind(alarm.crowd.map(|crowd| i64::from(crowd.count)))
            .bind(alarm.crowd.map(|crowd| i64::from(crowd.limit)))
            .bind(text(alarm.scene.sensor.as_ref()))
            .bind(alarm.scene.input.as_ref().map(word));
    });
    query.push(
        " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, camera = excluded.camera, \
           zone = excluded.zone, rule = excluded.rule, object = excluded.object, cause = excluded.cause, \
           direction = excluded.direction, sensor = excluded.sensor, input = excluded.input, crowd_count = excluded.crowd_count, \
           crowd_limit = excluded.crowd_limit, detail = excluded.detail, severity = excluded.severity, events = excluded.events, \
           first_phase = excluded.first_phase, first_time = excluded.first_time, \
           first_event = excluded.first_event, latest_phase = excluded.latest_phase, \
           latest_time = excluded.latest_time, latest_event = excluded.latest_event, \
           snapshot_phase = excluded.snapshot_phase, snapshot_time = excluded.snapshot_time, \
           snapshot_event = excluded.snapshot_event, placed = CASE WHEN excluded.first_time < alarm.received THEN excluded.first_time ELSE alarm.received END, \
           change = excluded.change",
    );
    query.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use gatepost_wire::event::{Direction, InputKind};
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;

    const IDS: [&str; 3] =
        ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAW", "01ARZ3NDEKTSV4RRFFQ69G5FAX"];

    async fn run(connection: &mut SqliteConnection, sql: String) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap();
    }

    /// What the first version made of an event whose kind it did not know.
    async fn unknown_kind(connection: &mut SqliteConnection, number: usize, alarm: &str, happening: &str) {
        let kind = happening.split('"').nth(3).unwrap();
        run(
            connection,
            format!(
                "INSERT INTO event VALUES ({number}, '{id}', 'gate-1', '{id}', {number}, {number}, 0, '{kind}', 2, \
                   '{alarm}', 'began', 0, NULL, '{{\"data\":{{\"happening\":{happening}}}}}'); \
                 INSERT INTO alarm VALUES ('{alarm}', 'gate-1', '{kind}', 'yard', NULL, 'r', NULL, NULL, NULL, 2, 1, \
                   'began', {number}, '{id}', 'began', {number}, '{id}', NULL, NULL, NULL, 0, 0, {number}) \
                 ON CONFLICT DO NOTHING",
                id = IDS[number],
            ),
        )
        .await;
    }

    async fn read(connection: &mut SqliteConnection) -> Alarm {
        let row: Row = sqlx::query_as("SELECT * FROM alarm").fetch_one(connection).await.unwrap();
        row.try_into().unwrap()
    }

    async fn first_version() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        run(&mut connection, include_str!("../../migrations/sqlite/0001_start.sql").to_owned()).await;
        connection
    }

    async fn update(connection: &mut SqliteConnection) {
        run(connection, include_str!("../../migrations/sqlite/0002_other_kinds.sql").to_owned()).await;
        run(connection, include_str!("../../migrations/sqlite/0004_sensors.sql").to_owned()).await;
    }

    #[tokio::test]
    async fn what_an_older_hub_could_not_read_is_read_from_its_events() {
        let mut db = first_version().await;
        let crossing = r#"{"kind":"line_crossing","line":"fence","direction":"right_to_left"}"#;
        unknown_kind(&mut db, 0, IDS[0], crossing).await;
        update(&mut db).await;
        let alarm = read(&mut db).await;
        assert_eq!(alarm.scene.zone.unwrap().as_str(), "fence");
        assert_eq!(alarm.scene.direction, Some(Direction::RightToLeft));

        let mut db = first_version().await;
        for (number, count) in [(0, 11), (1, 14), (2, 12)] {
            let crowd = format!(r#"{{"kind":"overcrowding","count":{count},"limit":10}}"#);
            unknown_kind(&mut db, number, IDS[0], &crowd).await;
        }
        update(&mut db).await;
        assert_eq!(read(&mut db).await.crowd, Some(Crowd { count: 14, limit: 10 }));
    }

    #[tokio::test]
    async fn what_an_older_hub_made_of_a_sensor_is_read_from_its_event() {
        for (happening, sensor, input) in [
            (
                r#"{"kind":"sensor_alarm","sensor":"fence-3","input":"fence"}"#,
                Some("fence-3"),
                Some(InputKind::Fence),
            ),
            (r#"{"kind":"sensor_fault","sensor":"The Fence","input":"wind"}"#, None, None),
            (r#"{"kind":"of_another","sensor":"fence-3","input":"fence"}"#, None, None),
        ] {
            let mut db = first_version().await;
            unknown_kind(&mut db, 0, IDS[0], happening).await;
            update(&mut db).await;
            let scene = read(&mut db).await.scene;
            assert_eq!(
                (scene.sensor.as_ref().map(|id| id.as_str()), scene.input),
                (sensor, input),
                "{happening}"
            );
        }
    }

    #[tokio::test]
    async fn what_makes_no_sense_stays_empty() {
        for happening in [
            r#"{"kind":"line_crossing","line":"The Fence","direction":"up"}"#,
            r#"{"kind":"line_crossing","line":7,"direction":["left_to_right"]}"#,
            r#"{"kind":"overcrowding","count":-3,"limit":10}"#,
            r#"{"kind":"overcrowding","count":"many","limit":10}"#,
            r#"{"kind":"loitering","count":3,"limit":1}"#,
        ] {
            let mut db = first_version().await;
            unknown_kind(&mut db, 0, IDS[0], happening).await;
            update(&mut db).await;
            let alarm = read(&mut db).await;
            assert_eq!(
                (alarm.crowd, alarm.scene.direction, alarm.scene.zone),
                (None, None, None),
                "{happening}"
            );
        }
    }
}
