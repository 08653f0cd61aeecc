//! From alarms to incidents, and reminders.

use gatepost_wire::event::{Fused, FusedLink, Phase};
use gatepost_wire::{AlarmId, Timestamp};
use jiff::SignedDuration;
use sqlx::{FromRow, SqliteConnection};

use super::step::{Taken, write};
use super::{Row, find, next_change};
use crate::alarm::Alarm;
use crate::incident::{Deadlines, IncidentId, Kind, Place, Report, Stage, State};
use crate::store::alarm;
use crate::store::column::{nanos, parse, text, timestamp, word};
use crate::store::{Store, StoreError};

/// Alarms of one place and kind that are no further apart are one incident.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Alarms of one transaction: so many of those that wait longest,
const OLDEST: u16 = 48;

/// and so many of those that came last, so that news does not wait behind a backlog. Together they keep others from writing for some
/// hundredths of a second.
const NEWEST: u16 = 16;

/// What a look at changed alarms did.
#[derive(Debug, Clone, Copy)]
pub struct Grouped {
    /// The number of the last change it made.
    pub change: Option<i64>,
    /// There are more to look at.
    pub more: bool,
    /// Up to which change it has looked at what came last.
    pub seen: i64,
}

#[derive(FromRow)]
struct Changed {
    #[sqlx(flatten)]
    alarm: alarm::Row,
    change: i64,
}

impl Store {
    /// Gives alarms that changed their incident: one that is there, or a new one. `seen`: of the look before, so that what came last is
    /// looked at ahead of its turn once.
    ///
    /// # Errors
    /// When the database cannot be read or written; nothing of it is kept then.
    pub async fn group_alarms(
        &self,
        deadlines: &Deadlines,
        seen: i64,
        now: Timestamp,
    ) -> Result<Grouped, StoreError> {
        // Read before anybody has to wait. An alarm that changes meanwhile gets a higher number and is looked at again.
        let oldest: Vec<Changed> = sqlx::query_as(
            "SELECT * FROM alarm WHERE change > (SELECT change FROM incident_position) ORDER BY change LIMIT ?",
        )
        .bind(i64::from(OLDEST))
        .fetch_all(&self.readers)
        .await?;
        let Some(upto) = oldest.last().map(|row| row.change) else {
            return Ok(Grouped { change: None, more: false, seen });
        };
        let more = oldest.len() >= usize::from(OLDEST);
        let newest: Vec<Changed> =
            sqlx::query_as("SELECT * FROM alarm WHERE change > ? ORDER BY change DESC LIMIT ?")
                .bind(upto.max(seen))
                .bind(i64::from(NEWEST))
                .fetch_all(&self.readers)
                .await?;
        let seen = newest.first().map_or(seen, |row| row.change);
        let mut reports = Vec::with_capacity(oldest.len() + newest.len());
        for row in newest.into_iter().chain(oldest) {
            reports.push(self.report(row.alarm.try_into()?).await?);
        }
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection;
        let mut change = None;
        for report in &reports {
            change = group(connection, report, deadlines, now).await?.or(change);
        }
        sqlx::query("UPDATE incident_position SET change = ?").bind(upto).execute(&mut *connection).await?;
        transaction.commit().await?;
        Ok(Grouped { change, more, seen })
    }

    /// Says of incidents whose stage takes too long that it does, once; gives the number of the last change.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn remind(&self, now: Timestamp) -> Result<Option<i64>, StoreError> {
        const LATE: &str = "FROM incident WHERE is_open = 1 AND reminded = 0 AND due IS NOT NULL AND due <= ?1 \
             AND (shelved_until IS NULL OR shelved_until <= ?1)";
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) {LATE}"));
        let late: i64 = sqlx::query_scalar(count).bind(nanos(now)).fetch_one(&self.readers).await?;
        if late == 0 {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection;
        let select = sqlx::AssertSqlSafe(format!("SELECT * {LATE} ORDER BY due LIMIT 200"));
        let rows: Vec<Row> = sqlx::query_as(select).bind(nanos(now)).fetch_all(&mut *connection).await?;
        let mut change = None;
        for row in rows {
            let version = row.version().saturating_add(1);
            let due = row.due.map(timestamp);
            let taken = Taken {
                incident: &row.id,
                version,
                time: now,
                who: None,
                action: Kind::Remind,
                to: row.state()?.stage,
                text: None,
                detail: serde_json::json!({ "due": due }),
            };
            write(connection, &taken).await?;
            let number = next_change(connection).await?;
            sqlx::query("UPDATE incident SET reminded = 1, version = ?, change = ? WHERE id = ?")
                .bind(version)
                .bind(number)
                .bind(&row.id)
                .execute(&mut *connection)
                .await?;
            change = Some(number);
        }
        transaction.commit().await?;
        Ok(change)
    }

    /// The alarm, and with which others its box says that it belongs.
    async fn report(&self, alarm: Alarm) -> Result<Report, StoreError> {
        let fused: Vec<String> = sqlx::query_scalar(
            "SELECT json_extract(envelope, '$.data.fused') AS fused FROM event WHERE id IN (?, ?) AND fused IS NOT NULL",
        )
        .bind(alarm.first.event.to_string())
        .bind(alarm.latest.event.to_string())
        .fetch_all(&self.readers)
        .await?;
        let fused = fused.iter().filter_map(|text| serde_json::from_str::<Fused>(text).ok());
        let fused_with = fused.flat_map(|fused| match fused.link {
            FusedLink::Parts(parts) => parts,
            FusedLink::PartOf(whole) => vec![whole],
        });
        Ok(Report {
            alarm: alarm.id,
            fused_with: fused_with.collect(),
            place: Place {
                kind: alarm.scene.kind,
                edge: alarm.edge,
                camera: alarm.scene.camera,
                zone: alarm.scene.zone,
                sensor: alarm.scene.sensor,
                cause: alarm.scene.cause,
            },
            object: alarm.scene.object,
            input: alarm.scene.input,
            rule: alarm.scene.rule,
            severity: alarm.severity,
            first: alarm.first.time,
            last: alarm.latest.time,
            ongoing: alarm.latest.phase != Phase::Ended,
        })
    }
}

async fn group(
    connection: &mut SqliteConnection,
    report: &Report,
    deadlines: &Deadlines,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let known = incident_of(connection, report.alarm).await?;
    let row = match known {
        Some((id, _)) => find(connection, id).await?,
        None => match fused(connection, report).await? {
            Some(row) => Some(row),
            None => near(connection, report).await?,
        },
    };
    let Some(row) = row else { return open(connection, report, deadlines, now).await.map(Some) };
    let was_ongoing = match known {
        None => {
            link(connection, report, &row.id).await?;
            None
        }
        Some((_, was_ongoing)) => {
            if was_ongoing != report.ongoing {
                sqlx::query("UPDATE incident_alarm SET ongoing = ? WHERE alarm = ?")
                    .bind(report.ongoing)
                    .bind(report.alarm.to_string())
                    .execute(&mut *connection)
                    .await?;
            }
            Some(was_ongoing)
        }
    };
    update(connection, &row, report, was_ongoing, deadlines, now).await
}

/// The incident of an alarm, and whether the alarm goes on as far as the incident has counted.
async fn incident_of(
    connection: &mut SqliteConnection,
    alarm: AlarmId,
) -> Result<Option<(IncidentId, bool)>, StoreError> {
    let row: Option<(String, bool)> =
        sqlx::query_as("SELECT incident, ongoing FROM incident_alarm WHERE alarm = ?")
            .bind(alarm.to_string())
            .fetch_optional(connection)
            .await?;
    row.map(|(id, ongoing)| Ok((parse("incident_alarm.incident", &id)?, ongoing))).transpose()
}

/// The open incident of an alarm that this one is fused with.
async fn fused(connection: &mut SqliteConnection, report: &Report) -> Result<Option<Row>, StoreError> {
    for other in &report.fused_with {
        if let Some((id, _)) = incident_of(connection, *other).await?
            && let Some(row) = find(connection, id).await?
            && row.state()?.stage.is_open()
        {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// An open incident of the same place and kind, not long before or after by the box's own clock.
async fn near(connection: &mut SqliteConnection, report: &Report) -> Result<Option<Row>, StoreError> {
    let place = &report.place;
    let edge_of = |time: Timestamp, by: SignedDuration| nanos(time.saturating_add(by).unwrap_or(time));
    let row = sqlx::query_as(
        "SELECT * FROM incident WHERE is_open = 1 AND edge = ? AND kind = ? AND camera IS ? AND zone IS ? AND sensor IS ? \
           AND cause IS ? AND first <= ? AND last >= ? ORDER BY number DESC LIMIT 1",
    )
    .bind(place.edge.as_str())
    .bind(&place.kind)
    .bind(text(place.camera.as_ref()))
    .bind(text(place.zone.as_ref()))
    .bind(text(place.sensor.as_ref()))
    .bind(&place.cause)
    .bind(edge_of(report.last, WINDOW))
    .bind(edge_of(report.first, -WINDOW));
    Ok(row.fetch_optional(connection).await?)
}

async fn link(connection: &mut SqliteConnection, report: &Report, incident: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO incident_alarm (alarm, incident, ongoing) VALUES (?, ?, ?)")
        .bind(report.alarm.to_string())
        .bind(incident)
        .bind(report.ongoing)
        .execute(connection)
        .await?;
    Ok(())
}

async fn open(
    connection: &mut SqliteConnection,
    report: &Report,
    deadlines: &Deadlines,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let (id, place) = (IncidentId::new().to_string(), &report.place);
    let state = State::reported(report.severity, deadlines, now);
    let change = next_change(connection).await?;
    sqlx::query(
        "INSERT INTO incident (id, edge, kind, camera, zone, sensor, cause, object, input, rule, severity, alarms, ongoing, first, last, opened, \
           stage, is_open, due, reminded, version, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, 1, ?, 0, 1, ?)",
    )
    .bind(&id)
    .bind(place.edge.as_str())
    .bind(&place.kind)
    .bind(text(place.camera.as_ref()))
    .bind(text(place.zone.as_ref()))
    .bind(text(place.sensor.as_ref()))
    .bind(&place.cause)
    .bind(report.object.as_ref().map(word))
    .bind(report.input.as_ref().map(word))
    .bind(text(report.rule.as_ref()))
    .bind(i64::from(report.severity.level()))
    .bind(report.ongoing)
    .bind(nanos(report.first))
    .bind(nanos(report.last))
    .bind(nanos(now))
    .bind(word(&state.stage))
    .bind(state.due.map(nanos))
    .bind(change)
    .execute(&mut *connection)
    .await?;
    link(connection, report, &id).await?;
    let taken = Taken {
        incident: &id,
        version: 1,
        time: now,
        who: None,
        action: Kind::Open,
        to: state.stage,
        text: None,
        detail: serde_json::json!({ "alarm": report.alarm, "severity": report.severity.level() }),
    };
    write(connection, &taken).await?;
    Ok(change)
}

/// Brings an incident up to date with one of its alarms. What does not change is not told again.
async fn update(
    connection: &mut SqliteConnection,
    row: &Row,
    report: &Report,
    was_ongoing: Option<bool>,
    deadlines: &Deadlines,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let joined = was_ongoing.is_none();
    let ongoing = row.ongoing + i64::from(report.ongoing) - i64::from(was_ongoing.unwrap_or(false));
    let (first, last) = (row.first.min(nanos(report.first)), row.last.max(nanos(report.last)));
    let before = row.severity()?;
    let severity = before.min(report.severity);
    let same = (row.first, row.last, row.ongoing, before) == (first, last, ongoing, severity);
    if same && !joined {
        return Ok(None);
    }
    let state = row.state()?;
    let mut version = row.version();
    let mut due = state.due;
    if severity.level() < before.level() {
        version = version.saturating_add(1);
        write(connection, &worsened(row, report, version, state.stage, now)).await?;
        if state.stage == Stage::Reported {
            // Graver ones are looked at sooner.
            due = [due, deadlines.due(Stage::Reported, severity, now)].into_iter().flatten().min();
        }
    }
    let change = next_change(connection).await?;
    sqlx::query(
        "UPDATE incident SET severity = ?, alarms = alarms + ?, ongoing = ?, first = ?, last = ?, due = ?, version = ?, change = ? \
         WHERE id = ?",
    )
    .bind(i64::from(severity.level()))
    .bind(i64::from(joined))
    .bind(ongoing)
    .bind(first)
    .bind(last)
    .bind(due.map(nanos))
    .bind(version)
    .bind(change)
    .bind(&row.id)
    .execute(connection)
    .await?;
    Ok(Some(change))
}

fn worsened<'a>(row: &'a Row, report: &Report, version: u32, to: Stage, now: Timestamp) -> Taken<'a> {
    Taken {
        incident: &row.id,
        version,
        time: now,
        who: None,
        action: Kind::Worsen,
        to,
        text: None,
        detail: serde_json::json!({ "alarm": report.alarm, "severity": report.severity.level() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::timeline;

    /// An alarm in a zone of its own, which nothing is known of but this.
    async fn add(store: &Store, number: i64) {
        let mut change = store.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO alarm (id, edge, kind, camera, zone, severity, events, first_phase, first_time, first_event, latest_phase, \
               latest_time, latest_event, received, placed, change) \
             VALUES (?1, 'gate-1', 'zone_intrusion', 'east', ?2, 2, 1, 'began', ?3, ?1, 'began', ?3, ?1, ?3, ?3, ?3)",
        )
        .bind(ulid::Ulid::from(number.unsigned_abs() as u128).to_string())
        .bind(format!("zone-{number}"))
        .bind(number)
        .execute(&mut change.connection)
        .await
        .unwrap();
        change.commit().await.unwrap();
    }

    async fn count(store: &Store, of: &'static str) -> i64 {
        sqlx::query_scalar(of).fetch_one(&store.readers).await.unwrap()
    }

    #[tokio::test]
    async fn news_does_not_wait_behind_a_backlog_and_each_alarm_gets_its_incident_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("hub.sqlite")).await.unwrap();
        for number in 1..=200 {
            add(&store, number).await;
        }
        let now = Timestamp::now();
        let deadlines = Deadlines::default();
        let first = store.group_alarms(&deadlines, 0, now).await.unwrap();
        assert!(first.more && first.change.is_some());
        let newest = "SELECT count(*) FROM incident WHERE zone = 'zone-200'";
        assert_eq!(count(&store, newest).await, 1);
        assert_eq!(count(&store, "SELECT count(*) FROM incident WHERE zone = 'zone-1'").await, 1);
        assert_eq!(count(&store, "SELECT count(*) FROM incident").await, i64::from(OLDEST + NEWEST));
        let mut seen = first.seen;
        loop {
            let next = store.group_alarms(&deadlines, seen, now).await.unwrap();
            seen = next.seen;
            if !next.more {
                break;
            }
        }
        assert_eq!(count(&store, "SELECT count(*) FROM incident").await, 200);
        assert_eq!(count(&store, "SELECT count(*) FROM incident WHERE alarms = 1").await, 200);
        let again = store.group_alarms(&deadlines, 0, now).await.unwrap();
        assert!(!again.more && again.change.is_none(), "nothing is told twice");

        let lines = store.steps_after(0, 1000).await.unwrap();
        let export: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
        assert_eq!(timeline::verify(export.join("\n").as_bytes()).unwrap().steps, 200);
    }
}
