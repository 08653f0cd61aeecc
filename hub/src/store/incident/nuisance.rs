//! Alarms that chatter and alarms that stay.

use gatepost_wire::Timestamp;
use sqlx::FromRow;

use super::figures::count;
use super::view::{SELECT, Shown};
use crate::access::Scope;
use crate::incident::{
    CHATTER_ALARMS, CHATTER_WITHIN, Chattering, ChatteringSource, Incident, Nuisance, STALE_AFTER, Stale,
};
use crate::store::access::within;
use crate::store::column::{NANOS_IN_SECOND, nanos, parse, parse_option};
use crate::store::sql::Sql;
use crate::store::{Store, StoreError};

/// So many sources, and so many incidents, are named.
const NAMED: u16 = 10;

/// Alarms of incidents that have enough of them. Alarms of one source that are so near each other are one incident's, unless somebody closes it
/// among them. `CROSS JOIN`: SQLite reads the tables in this order, the few incidents first.
const REPEATED: &str = "FROM incident CROSS JOIN incident_alarm CROSS JOIN alarm \
     WHERE incident_alarm.incident = incident.id AND alarm.id = incident_alarm.alarm AND incident.alarms >= 3";

/// Alarms that go on.
const ONGOING: &str = "FROM incident CROSS JOIN incident_alarm CROSS JOIN alarm \
     WHERE incident_alarm.incident = incident.id AND incident_alarm.ongoing = 1 AND alarm.id = incident_alarm.alarm \
       AND incident.ongoing > 0";

#[derive(FromRow)]
struct Source {
    kind: String,
    edge: String,
    camera: Option<String>,
    camera_label: Option<String>,
    sensor: Option<String>,
    sensor_label: Option<String>,
    rule: Option<String>,
    alarms: i64,
}

impl TryFrom<Source> for ChatteringSource {
    type Error = StoreError;

    fn try_from(source: Source) -> Result<Self, StoreError> {
        Ok(Self {
            kind: source.kind,
            edge: parse("alarm.edge", &source.edge)?,
            camera: parse_option("alarm.camera", source.camera)?,
            camera_label: source.camera_label,
            sensor: parse_option("alarm.sensor", source.sensor)?,
            sensor_label: source.sensor_label,
            rule: parse_option("alarm.rule", source.rule)?,
            alarms: count(source.alarms),
        })
    }
}

impl Store {
    /// What chattered in a scope since a moment, and what is stale there now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn nuisance(
        &self,
        since: Timestamp,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Nuisance, StoreError> {
        let before = now.saturating_sub(STALE_AFTER).unwrap_or(now);
        Ok(Nuisance {
            chattering: self.chattering(since, scope).await?,
            stale: Stale {
                incidents: self.stale_incidents(before, scope).await?,
                alarms: self.stale_alarms(before, scope).await?,
                oldest: self.oldest_stale(before, scope, now).await?,
            },
        })
    }

    async fn chattering(&self, since: Timestamp, scope: &Scope) -> Result<Chattering, StoreError> {
        // Of each alarm, how long after the one that makes it the last of so many it began.
        let mut query = Sql::new(
            "SELECT spaced.kind, spaced.edge, spaced.camera, label.label AS camera_label, spaced.sensor, \
               sensor_label.label AS sensor_label, spaced.rule, count(*) AS alarms FROM (\
             SELECT alarm.kind, alarm.edge, alarm.camera, alarm.sensor, alarm.rule, alarm.first_time - lag(alarm.first_time, ",
        );
        // Not bound: PostgreSQL wants to know of which type it is.
        query.push(&(CHATTER_ALARMS - 1).to_string());
        query
            .push(
                ") OVER (PARTITION BY alarm.kind, alarm.edge, alarm.camera, alarm.sensor, alarm.rule \
                 ORDER BY alarm.first_time, alarm.id) AS span ",
            )
            .push(REPEATED);
        query.push(" AND incident.last >= ").push_bind(nanos(since));
        query.push(" AND alarm.first_time >= ").push_bind(nanos(since));
        within(&mut query, "incident.edge", scope);
        query
            .push(
                ") AS spaced LEFT JOIN label ON label.edge = spaced.edge AND label.camera = spaced.camera AND label.zone = '' \
                 LEFT JOIN sensor_label ON sensor_label.edge = spaced.edge AND sensor_label.sensor = spaced.sensor \
                 WHERE spaced.span <= ",
            )
            .push_bind(CHATTER_WITHIN.as_secs() * NANOS_IN_SECOND);
        query.push(
            " GROUP BY spaced.kind, spaced.edge, spaced.camera, label.label, spaced.sensor, sensor_label.label, spaced.rule \
             ORDER BY alarms DESC, spaced.edge, spaced.camera, spaced.sensor, spaced.kind, spaced.rule",
        );
        let sources: Vec<Source> = query.build_query_as().fetch_all(&self.readers).await?;
        Ok(Chattering {
            sources: sources.len(),
            alarms: sources.iter().map(|source| count(source.alarms)).sum(),
            worst: sources
                .into_iter()
                .take(usize::from(NAMED))
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
        })
    }

    async fn stale_incidents(&self, before: Timestamp, scope: &Scope) -> Result<usize, StoreError> {
        let mut query = Sql::new("SELECT count(*) FROM incident WHERE incident.is_open = 1");
        query.push(" AND incident.opened < ").push_bind(nanos(before));
        within(&mut query, "incident.edge", scope);
        Ok(count(query.build_query_scalar().fetch_one(&self.readers).await?))
    }

    async fn stale_alarms(&self, before: Timestamp, scope: &Scope) -> Result<usize, StoreError> {
        let mut query = Sql::new("SELECT count(*) ");
        stale_alarms_of(&mut query, before);
        within(&mut query, "incident.edge", scope);
        Ok(count(query.build_query_scalar().fetch_one(&self.readers).await?))
    }

    /// Each half has an index of its own that holds little else.
    async fn oldest_stale(
        &self,
        before: Timestamp,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Vec<Incident>, StoreError> {
        let mut open = Sql::new(SELECT);
        open.push(" AND incident.is_open = 1 AND incident.opened < ").push_bind(nanos(before));
        let mut ongoing = Sql::new(SELECT);
        ongoing.push(" AND incident.id IN (SELECT incident.id ");
        stale_alarms_of(&mut ongoing, before);
        ongoing.push(")");
        let mut oldest = Vec::new();
        for mut query in [open, ongoing] {
            within(&mut query, "incident.edge", scope);
            query.push(" ORDER BY incident.opened, incident.number LIMIT ").push_bind(i64::from(NAMED));
            let rows: Vec<Shown> = query.build_query_as().fetch_all(&self.readers).await?;
            for shown in rows {
                oldest.push(shown.told(now, None)?);
            }
        }
        oldest.sort_by_key(|incident| (incident.opened, incident.number));
        oldest.dedup_by_key(|incident| incident.number);
        oldest.truncate(usize::from(NAMED));
        Ok(oldest)
    }
}

/// Of incidents whose first alarm began before; among those that go on only such are counted that did, too.
fn stale_alarms_of(query: &mut Sql, before: Timestamp) {
    query.push(ONGOING);
    query.push(" AND incident.first < ").push_bind(nanos(before));
    query.push(" AND alarm.first_time < ").push_bind(nanos(before));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Deadlines;
    use crate::store::testing::fresh;

    const SECOND: i64 = NANOS_IN_SECOND;

    struct Added<'a> {
        edge: &'a str,
        sensor: &'a str,
        /// Seconds before now.
        ago: i64,
        phase: &'a str,
    }

    async fn add(store: &Store, number: i64, now: i64, alarm: &Added<'_>) {
        let mut change = store.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO alarm (id, edge, kind, sensor, severity, events, first_phase, first_time, first_event, latest_phase, \
               latest_time, latest_event, received, placed, change) \
             VALUES ($1, $2, 'sensor_alarm', $3, 2, 1, 'began', $4, $1, $5, $4, $1, $4, $4, $6)",
        )
        .bind(ulid::Ulid::from(number.unsigned_abs() as u128).to_string())
        .bind(alarm.edge)
        .bind(alarm.sensor)
        .bind(now - alarm.ago * SECOND)
        .bind(alarm.phase)
        .bind(number)
        .execute(&mut change.connection)
        .await
        .unwrap();
        change.commit().await.unwrap();
    }

    #[tokio::test]
    async fn three_in_a_minute_chatter_and_what_goes_on_for_a_day_is_stale() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let now = Timestamp::now();
        let alarm = |edge, sensor, ago, phase| Added { edge, sensor, ago, phase };
        let alarms = [
            // Five within a minute: the third, fourth and fifth; the sixth comes late enough.
            alarm("gate-1", "fence-1", 600, "ended"),
            alarm("gate-1", "fence-1", 590, "ended"),
            alarm("gate-1", "fence-1", 580, "ended"),
            alarm("gate-1", "fence-1", 570, "ended"),
            alarm("gate-1", "fence-1", 540, "ended"),
            alarm("gate-1", "fence-1", 480, "ended"),
            // Three within 60 seconds to the second; three within 61.
            alarm("gate-2", "fence-1", 300, "ended"),
            alarm("gate-2", "fence-1", 299, "ended"),
            alarm("gate-2", "fence-1", 240, "ended"),
            alarm("gate-1", "fence-2", 300, "ended"),
            alarm("gate-1", "fence-2", 299, "ended"),
            alarm("gate-1", "fence-2", 239, "ended"),
            // Two only.
            alarm("gate-1", "fence-3", 300, "ended"),
            alarm("gate-1", "fence-3", 299, "ended"),
            // Before the time that is asked about.
            alarm("gate-1", "fence-4", 9000, "ended"),
            alarm("gate-1", "fence-4", 8999, "ended"),
            alarm("gate-1", "fence-4", 8998, "ended"),
            // A day, and a bit less.
            alarm("gate-1", "door", 24 * 3600 + 1, "began"),
            alarm("gate-2", "door", 24 * 3600 - 60, "began"),
        ];
        for (number, alarm) in (1..).zip(&alarms) {
            add(&store, number, nanos(now), alarm).await;
        }
        let mut change = store.begin().await.unwrap();
        sqlx::query("INSERT INTO site (site, label) VALUES ('school', 'school')")
            .execute(&mut change.connection)
            .await
            .unwrap();
        sqlx::query("INSERT INTO site_edge (edge, site) VALUES ('gate-2', 'school')")
            .execute(&mut change.connection)
            .await
            .unwrap();
        change.commit().await.unwrap();
        while store.group_alarms(&Deadlines::default(), 0, now).await.unwrap().more {}
        let since = now.saturating_sub(jiff::SignedDuration::from_hours(1)).unwrap();

        let all = store.nuisance(since, &Scope::All, now).await.unwrap();
        let told = |of: &Chattering| -> Vec<(String, String, usize)> {
            let sensor = |one: &ChatteringSource| one.sensor.as_ref().unwrap().to_string();
            of.worst.iter().map(|one| (one.edge.to_string(), sensor(one), one.alarms)).collect()
        };
        let source = |edge: &str, sensor: &str, alarms| (edge.to_owned(), sensor.to_owned(), alarms);
        assert_eq!(told(&all.chattering), [source("gate-1", "fence-1", 3), source("gate-2", "fence-1", 1)]);
        assert_eq!((all.chattering.sources, all.chattering.alarms), (2, 4));
        assert_eq!((all.stale.alarms, all.stale.incidents), (1, 0));
        assert_eq!(all.stale.oldest[0].place.sensor.as_ref().unwrap().to_string(), "door");

        let school = Scope::Sites(["school".parse().unwrap()].into());
        let theirs = store.nuisance(since, &school, now).await.unwrap();
        assert_eq!(told(&theirs.chattering), [source("gate-2", "fence-1", 1)]);
        assert_eq!((theirs.stale.alarms, theirs.stale.oldest.len()), (0, 0));

        // A day later everything that nobody closed is, and what goes on is told once.
        let later = now.saturating_add(jiff::SignedDuration::from_hours(25)).unwrap();
        let stale = store.nuisance(later, &Scope::All, later).await.unwrap().stale;
        assert_eq!((stale.incidents, stale.alarms), (7, 2));
        let numbers: Vec<i64> = stale.oldest.iter().map(|incident| incident.number).collect();
        assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    }
}
