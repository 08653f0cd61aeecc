//! The statements by which a handful is read and written: few of them, for a statement costs more than a row.

use std::collections::BTreeSet;

use gatepost_wire::{AlarmId, Timestamp};
use sqlx::{AnyConnection, FromRow};

use crate::incident::{Place, Stage};
use crate::store::StoreError;
use crate::store::column::{nanos, text, word};
use crate::store::incident::Row;
use crate::store::sql::Sql;

/// Where and when, by the box's own clock, an incident may lie that alarms join.
pub(super) struct Sought<'r> {
    pub place: &'r Place,
    pub from: i64,
    pub until: i64,
}

/// A row of which incident an alarm belongs to.
#[derive(FromRow)]
pub(super) struct Link {
    pub alarm: String,
    pub incident: String,
    /// Not 0: the alarm goes on, as far as its incident has counted.
    pub ongoing: i64,
}

/// Of some alarms, which incidents they belong to.
pub(super) async fn links(
    connection: &mut AnyConnection,
    alarms: &[&AlarmId],
) -> Result<Vec<Link>, StoreError> {
    let mut query = Sql::new("SELECT alarm, incident, ongoing FROM incident_alarm WHERE alarm");
    query.push_in(alarms);
    Ok(query.suited_to(connection).build_query_as().fetch_all(connection).await?)
}

/// The incidents that have these ids.
pub(super) async fn with_ids(connection: &mut AnyConnection, ids: &[&str]) -> Result<Vec<Row>, StoreError> {
    let mut query = Sql::new("SELECT * FROM incident WHERE id");
    query.push_in(ids);
    Ok(query.suited_to(connection).build_query_as().fetch_all(connection).await?)
}

/// The open incidents of some places.
pub(super) async fn open_at(
    connection: &mut AnyConnection,
    sought: &[Sought<'_>],
) -> Result<Vec<Row>, StoreError> {
    let mut query = Sql::new("");
    seek(&mut query, sought);
    Ok(query.suited_to(connection).build_query_as().fetch_all(connection).await?)
}

/// Each place is asked for as by itself: a join would be planned for as many rows as the database believes to be there.
fn seek(query: &mut Sql, sought: &[Sought<'_>]) {
    for (index, Sought { place, from, until }) in sought.iter().enumerate() {
        query.push(if index == 0 { "" } else { " UNION ALL " });
        // As the index on places has it, and no other. PostgreSQL counts the open ones now and then, and while it believes them to be
        // few it reads all of them, by whichever index; a storm's thousands, once for each place.
        query.push("SELECT * FROM incident WHERE is_open <> 0 AND edge = ").push_bind(place.edge.as_str());
        query.push(" AND kind = ").push_bind(place.kind.as_str());
        let columns = [
            ("camera", text(place.camera.as_ref())),
            ("zone", text(place.zone.as_ref())),
            ("sensor", text(place.sensor.as_ref())),
            ("cause", place.cause.clone()),
        ];
        for (column, value) in columns {
            query.push(" AND ").push(column).push(" IS NOT DISTINCT FROM ").push_bind(value);
        }
        query.push(" AND first <= ").push_bind(*until).push(" AND last >= ").push_bind(*from);
    }
}

pub(super) async fn insert(connection: &mut AnyConnection, opened: &[Row]) -> Result<(), StoreError> {
    let mut query = Sql::new(
        "INSERT INTO incident (id, edge, kind, camera, zone, sensor, cause, object, input, rule, severity, alarms, ongoing, first, last, \
           opened, stage, is_open, due, reminded, version, change) ",
    );
    query.push_rows(opened, |values, row| {
        values
            .bind(row.id.as_str())
            .bind(row.edge.as_str())
            .bind(row.kind.as_str())
            .bind(&row.camera)
            .bind(&row.zone)
            .bind(&row.sensor)
            .bind(&row.cause)
            .bind(&row.object)
            .bind(&row.input)
            .bind(&row.rule)
            .bind(row.severity)
            .bind(row.alarms)
            .bind(row.ongoing)
            .bind(row.first)
            .bind(row.last)
            .bind(row.opened)
            .bind(row.stage.as_str())
            .bind(row.is_open)
            .bind(row.due)
            .bind(0)
            .bind(row.version)
            .bind(row.change);
    });
    query.suited_to(connection).build().execute(connection).await?;
    Ok(())
}

pub(super) async fn update(connection: &mut AnyConnection, row: &Row) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE incident SET severity = $1, alarms = $2, ongoing = $3, first = $4, last = $5, due = $6, version = $7, change = $8, \
           escalates = $9 WHERE id = $10",
    )
    .bind(row.severity)
    .bind(row.alarms)
    .bind(row.ongoing)
    .bind(row.first)
    .bind(row.last)
    .bind(row.due)
    .bind(row.version)
    .bind(row.change)
    .bind(row.escalates)
    .bind(&row.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Of some incidents, those that people have done something with.
pub(super) async fn touched(
    connection: &mut AnyConnection,
    ids: &[&str],
) -> Result<BTreeSet<String>, StoreError> {
    let mut query =
        Sql::new("SELECT DISTINCT incident FROM incident_step WHERE actor IS NOT NULL AND incident");
    query.push_in(ids);
    let touched: Vec<String> = query.suited_to(connection).build_query_scalar().fetch_all(connection).await?;
    Ok(touched.into_iter().collect())
}

/// Gives all alarms of one incident to another, and ends the one: it keeps when it was and how grave.
pub(super) async fn hand_over(
    connection: &mut AnyConnection,
    from: &Row,
    into: &Row,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE incident_alarm SET incident = $1 WHERE incident = $2")
        .bind(&into.id)
        .bind(&from.id)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE incident SET stage = $1, is_open = 0, closed = $2, due = NULL, alarms = 0, ongoing = 0, \
           merged_into = $3, version = $4, change = $5 WHERE id = $6",
    )
    .bind(word(&Stage::Closed))
    .bind(nanos(now))
    .bind(into.number)
    .bind(from.version)
    .bind(from.change)
    .bind(&from.id)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn link(connection: &mut AnyConnection, links: &[Link]) -> Result<(), StoreError> {
    let mut query = Sql::new("INSERT INTO incident_alarm (alarm, incident, ongoing) ");
    query.push_rows(links, |values, link| {
        values.bind(link.alarm.as_str()).bind(link.incident.as_str()).bind(link.ongoing);
    });
    query.push(" ON CONFLICT (alarm) DO UPDATE SET ongoing = excluded.ongoing");
    query.suited_to(connection).build().execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use sqlx::Row as _;
    use sqlx::any::AnyRow;

    use super::*;
    use crate::store::Store;
    use crate::store::testing::fresh;

    /// Of one box, with these numbers.
    async fn add(connection: &mut AnyConnection, numbers: RangeInclusive<i64>, stage: Stage) {
        let sql = "WITH RECURSIVE counted (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM counted WHERE n < $2) \
            INSERT INTO incident (id, edge, kind, severity, alarms, ongoing, first, last, opened, stage, is_open, reminded, version, \
              change) \
            SELECT CAST(n AS TEXT), 'gate-1', 'zone_intrusion', 2, 1, 0, n, n, n, $3, $4, 0, 1, n FROM counted";
        let query = sqlx::query(sql).bind(*numbers.start()).bind(*numbers.end());
        query.bind(word(&stage)).bind(i64::from(stage.is_open())).execute(connection).await.unwrap();
    }

    #[tokio::test]
    async fn open_incidents_are_sought_by_their_place_even_when_none_was_open_when_they_were_counted() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let mut change = store.begin().await.unwrap();
        let connection = &mut change.connection;
        add(connection, 1..=200, Stage::Closed).await;
        sqlx::query("ANALYZE").execute(&mut *connection).await.unwrap();
        // So many that the index on their places is higher than the list of the open ones.
        add(connection, 201..=40_000, Stage::Reported).await;

        let place = Place {
            kind: "zone_intrusion".to_owned(),
            edge: "gate-1".parse().unwrap(),
            camera: None,
            zone: None,
            sensor: None,
            cause: None,
        };
        let sought = [0, 1].map(|from| Sought { place: &place, from, until: 100 });
        // The number of the column that says what is done.
        let (explain, column) = match connection.backend_name() {
            "SQLite" => ("EXPLAIN QUERY PLAN ", 3),
            _ => ("EXPLAIN ", 0),
        };
        let mut query = Sql::new(explain);
        seek(&mut query, &sought);
        let plan: Vec<AnyRow> =
            query.suited_to(connection).build().fetch_all(&mut *connection).await.unwrap();
        let plan = plan.iter().map(|row| row.get::<String, _>(column) + "\n").collect::<String>();
        assert_eq!(plan.matches("incident_open_at ").count(), 2, "{plan}");
    }
}
