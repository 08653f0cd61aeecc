//! From alarms to incidents.

mod handful;
mod merge;
mod table;

use gatepost_wire::event::{Fused, FusedLink, Phase};
use gatepost_wire::{AlarmId, EventId, Timestamp};
use serde::Deserialize;
use sqlx::FromRow;
use std::collections::HashMap;

use self::handful::Handful;
use crate::alarm::Alarm;
use crate::incident::{Deadlines, Place, Report};
use crate::store::column::parse;
use crate::store::sql::Sql;
use crate::store::{Store, StoreError, alarm};

/// Alarms of one transaction: so many of those that wait longest,
const OLDEST: u16 = 48;

/// and so many of those that came last, so that news does not wait behind a backlog. Together they keep others from writing for some
/// thousandths of a second.
const NEWEST: usize = 16;

/// Among so many they are looked for: what goes on from a backlog is no news.
const CANDIDATES: u16 = 64;

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

#[derive(FromRow)]
struct Candidate {
    #[sqlx(flatten)]
    changed: Changed,
    /// Not 0: an alarm of its place and time has to get its incident first, or what is one happening would become several.
    waits: i64,
}

/// What is looked for in an event's envelope.
#[derive(Deserialize)]
struct Envelope {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    fused: Option<Fused>,
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
        // Whoever hears nothing from the server for too long tries again; it would wait for as long as the network likes.
        self.database.patiently(self.group_some(deadlines, seen, now)).await
    }

    async fn group_some(
        &self,
        deadlines: &Deadlines,
        seen: i64,
        now: Timestamp,
    ) -> Result<Grouped, StoreError> {
        // Read before anybody has to wait. An alarm that changes meanwhile gets a higher number and is looked at again.
        const POSITION: &str = "SELECT change FROM incident_position";
        let position: i64 = sqlx::query_scalar(POSITION).fetch_one(&self.readers).await?;
        let oldest: Vec<Changed> =
            sqlx::query_as("SELECT * FROM alarm WHERE change > $1 ORDER BY change LIMIT $2")
                .bind(position)
                .bind(i64::from(OLDEST))
                .fetch_all(&self.readers)
                .await?;
        let Some(upto) = oldest.last().map(|row| row.change) else {
            return Ok(Grouped { change: None, more: false, seen });
        };
        let more = oldest.len() >= usize::from(OLDEST);
        // With no backlog they are all among the oldest; what has come since is looked at next, in its turn.
        let candidates = match more {
            true => self.candidates(upto.max(seen), position).await?,
            false => Vec::new(),
        };
        let seen = candidates.first().map_or(seen, |row| row.changed.change);
        let newest = candidates.into_iter().filter(|row| row.waits == 0).take(NEWEST).map(|row| row.changed);
        let alarms = newest.chain(oldest).map(|row| row.alarm.try_into());
        let reports = self.reports(alarms.collect::<Result<_, _>>()?).await?;
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection;
        // Another hub may have been faster; then what was read may be older than what is there.
        if position != sqlx::query_scalar::<_, i64>(POSITION).fetch_one(&mut *connection).await? {
            return Ok(Grouped { change: None, more: true, seen });
        }
        let mut handful = Handful::read(connection, &reports, deadlines, now).await?;
        for report in &reports {
            handful.take(report)?;
        }
        let change = handful.write().await?;
        sqlx::query("UPDATE incident_position SET change = $1").bind(upto).execute(&mut *connection).await?;
        transaction.commit().await?;
        Ok(Grouped { change, more, seen })
    }

    /// Alarms that changed after `seen`, the last first.
    async fn candidates(&self, seen: i64, position: i64) -> Result<Vec<Candidate>, StoreError> {
        let candidates = sqlx::query_as(
            "SELECT news.*, CAST(CASE WHEN NOT EXISTS (SELECT 1 FROM incident_alarm WHERE incident_alarm.alarm = news.id) AND EXISTS (\
               SELECT 1 FROM alarm AS older WHERE older.edge = news.edge AND older.placed >= news.placed - $1 AND older.placed <= news.placed \
               AND older.change > $2 AND older.change < news.change AND older.kind = news.kind \
               AND older.camera IS NOT DISTINCT FROM news.camera AND older.zone IS NOT DISTINCT FROM news.zone \
               AND older.sensor IS NOT DISTINCT FROM news.sensor AND older.cause IS NOT DISTINCT FROM news.cause \
               AND NOT EXISTS (SELECT 1 FROM incident_alarm WHERE incident_alarm.alarm = older.id)) THEN 1 ELSE 0 END AS BIGINT) AS waits \
             FROM (SELECT * FROM alarm WHERE change > $3 ORDER BY change DESC LIMIT $4) AS news ORDER BY news.change DESC",
        )
        .bind(handful::WINDOW_NS)
        .bind(position)
        .bind(seen)
        .bind(i64::from(CANDIDATES))
        .fetch_all(&self.readers)
        .await?;
        Ok(candidates)
    }

    /// The alarms, and with which others their boxes say that they belong.
    async fn reports(&self, alarms: Vec<Alarm>) -> Result<Vec<Report>, StoreError> {
        let mut query = Sql::new("SELECT id, envelope FROM event WHERE id");
        query.push_in(alarms.iter().flat_map(|alarm| [alarm.first.event, alarm.latest.event]));
        // Most say nothing of the kind and need not be read.
        query.push(" AND envelope LIKE '%\"fused\"%'");
        let rows: Vec<(String, String)> = query.build_query_as().fetch_all(&self.readers).await?;
        let mut fused: HashMap<EventId, Vec<AlarmId>> = HashMap::new();
        for (id, envelope) in rows {
            let Ok(Envelope { data: Data { fused: Some(told) } }) = serde_json::from_str(&envelope) else {
                continue;
            };
            let with = match told.link {
                FusedLink::Parts(parts) => parts,
                FusedLink::PartOf(whole) => vec![whole],
            };
            fused.insert(parse("event.id", &id)?, with);
        }
        let with = |event| fused.get(&event).cloned().unwrap_or_default();
        Ok(alarms
            .into_iter()
            .map(|alarm| {
                let mut fused_with = with(alarm.first.event);
                if alarm.latest.event != alarm.first.event {
                    fused_with.extend(with(alarm.latest.event));
                }
                report(alarm, fused_with)
            })
            .collect())
    }
}

fn report(alarm: Alarm, fused_with: Vec<AlarmId>) -> Report {
    Report {
        alarm: alarm.id,
        fused_with,
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::timeline;
    use crate::store::testing::fresh;

    const MINUTE: i64 = 60_000_000_000;

    /// An alarm in a zone of its own, which nothing is known of but this.
    async fn add(store: &Store, number: i64) {
        add_at(store, number, &format!("zone-{number}"), number).await;
    }

    async fn add_at(store: &Store, number: i64, zone: &str, time: i64) {
        let mut change = store.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO alarm (id, edge, kind, camera, zone, severity, events, first_phase, first_time, first_event, latest_phase, \
               latest_time, latest_event, received, placed, change) \
             VALUES ($1, 'gate-1', 'zone_intrusion', 'east', $2, 2, 1, 'began', $3, $1, 'began', $3, $1, $4, $4, $4)",
        )
        .bind(ulid::Ulid::from(number.unsigned_abs() as u128).to_string())
        .bind(zone)
        .bind(time)
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
        let store = Store::open(&fresh(dir.path())).await.unwrap();
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
        assert_eq!(count(&store, "SELECT count(*) FROM incident").await, i64::from(OLDEST) + NEWEST as i64);
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

    #[tokio::test]
    async fn a_backlog_of_one_happening_is_one_incident_and_news_passes_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (now, deadlines) = (Timestamp::now(), Deadlines::default());
        // Longer than alarms of one happening may lie apart, so that its end knows nothing of its beginning.
        for number in 1..=200 {
            add_at(&store, number, "gate", number * MINUTE).await;
        }
        add_at(&store, 201, "lawn", 201 * MINUTE).await;
        let mut grouped = store.group_alarms(&deadlines, 0, now).await.unwrap();
        let sql = "SELECT zone FROM incident ORDER BY number";
        let zones: Vec<String> = sqlx::query_scalar(sql).fetch_all(&store.readers).await.unwrap();
        assert_eq!(zones, ["lawn", "gate"]);
        // What goes on of it while it is worked on passes it no more than the rest.
        add_at(&store, 202, "gate", 202 * MINUTE).await;
        while grouped.more {
            grouped = store.group_alarms(&deadlines, grouped.seen, now).await.unwrap();
        }
        let sql = "SELECT zone, alarms FROM incident ORDER BY number";
        let incidents: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&store.readers).await.unwrap();
        assert_eq!(incidents, [("lawn".to_owned(), 1), ("gate".to_owned(), 201)]);
    }

    #[tokio::test]
    async fn alarms_join_the_open_incident_of_their_place_and_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (now, deadlines) = (Timestamp::now(), Deadlines::default());
        // The third is near the second only, and the last two are near each other only.
        let told = [
            [("gate", 0), ("lawn", 0)].as_slice(),
            &[("gate", 4), ("gate", 8), ("gate", -4), ("lawn", 70), ("lawn", 73)],
        ];
        let mut number = 0;
        for alarms in told {
            for (zone, minute) in alarms {
                number += 1;
                add_at(&store, number, zone, minute * MINUTE).await;
            }
            store.group_alarms(&deadlines, 0, now).await.unwrap();
        }
        let sql = "SELECT zone, alarms, first, last FROM incident ORDER BY number";
        let incidents: Vec<(String, i64, i64, i64)> =
            sqlx::query_as(sql).fetch_all(&store.readers).await.unwrap();
        let expected = [("gate", 4, -4, 8), ("lawn", 1, 0, 0), ("lawn", 2, 70, 73)]
            .map(|(zone, alarms, first, last)| (zone.to_owned(), alarms, first * MINUTE, last * MINUTE));
        assert_eq!(incidents, expected);
    }

    /// What is kept of each incident, by its number.
    async fn incidents(store: &Store) -> Vec<(i64, i64, i64, i64, String, Option<i64>)> {
        let sql = "SELECT number, alarms, first, last, stage, merged_into FROM incident ORDER BY number";
        let rows: Vec<(i64, i64, i64, i64, String, Option<i64>)> =
            sqlx::query_as(sql).fetch_all(&store.readers).await.unwrap();
        let minute = |(number, alarms, first, last, stage, into)| {
            (number, alarms, first / MINUTE, last / MINUTE, stage, into)
        };
        rows.into_iter().map(minute).collect()
    }

    /// A person says something about an incident.
    async fn note(store: &Store, number: i64) {
        let sql = "INSERT INTO incident_step (number, incident, version, time, actor, action, document, hash) \
            SELECT 1000 + number, id, 1000, 0, 'wang.li', 'note', '{}', 'x' FROM incident WHERE number = $1";
        let mut change = store.begin().await.unwrap();
        sqlx::query(sql).bind(number).execute(&mut change.connection).await.unwrap();
        change.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_went_on_while_a_box_was_cut_off_is_one_incident_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (now, deadlines) = (Timestamp::now(), Deadlines::default());
        let told = |stage: &str, of: &[(i64, i64, i64, i64, Option<i64>)]| -> Vec<_> {
            let stage = |into: &Option<i64>| into.map_or(stage, |_| "closed").to_owned();
            of.iter()
                .map(|(number, alarms, first, last, into)| {
                    (*number, *alarms, *first, *last, stage(into), *into)
                })
                .collect()
        };
        // What happens now comes first, then what happened meanwhile, an hour of it.
        add_at(&store, 100, "gate", 61 * MINUTE).await;
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        add_at(&store, 101, "gate", MINUTE).await;
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        let apart = [(1, 1, 61, 61, None), (2, 1, 1, 1, None)];
        assert_eq!(incidents(&store).await, told("reported", &apart));
        for number in 102..=121 {
            add_at(&store, number, "gate", (number - 101) * 3 * MINUTE).await;
        }
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        let one = [(1, 22, 1, 61, None), (2, 0, 1, 60, Some(1))];
        assert_eq!(incidents(&store).await, told("reported", &one));
        let of = |number: i64| {
            let sql = "SELECT count(*) FROM incident_alarm JOIN incident ON incident.id = incident_alarm.incident WHERE number = $1";
            sqlx::query_scalar::<_, i64>(sql).bind(number).fetch_one(&store.readers)
        };
        assert_eq!((of(1).await.unwrap(), of(2).await.unwrap()), (22, 0));
        let sql = "SELECT document FROM incident_step WHERE action = 'merge' ORDER BY number";
        let steps: Vec<String> = sqlx::query_scalar(sql).fetch_all(&store.readers).await.unwrap();
        assert!(steps.len() == 2 && steps[0].contains("into") && steps[1].contains("from"), "{steps:?}");
        let lines = store.steps_after(0, 1000).await.unwrap();
        let export: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
        assert_eq!(timeline::verify(export.join("\n").as_bytes()).unwrap().steps, 4);
        // And what comes then is of the one that is left.
        add_at(&store, 200, "gate", 62 * MINUTE).await;
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        let one = [(1, 23, 1, 62, None), (2, 0, 1, 60, Some(1))];
        assert_eq!(incidents(&store).await, told("reported", &one));
    }

    #[tokio::test]
    async fn the_one_that_people_have_begun_with_goes_on_and_of_two_such_both_do() {
        for (noted, expected) in [
            (vec![1], [(3, None), (0, Some(1))]),
            (vec![2], [(0, Some(2)), (3, None)]),
            (vec![1, 2], [(1, None), (2, None)]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(&fresh(dir.path())).await.unwrap();
            let (now, deadlines) = (Timestamp::now(), Deadlines::default());
            for (number, minute) in [(1, 8), (2, 0)] {
                add_at(&store, number, "gate", minute * MINUTE).await;
                store.group_alarms(&deadlines, 0, now).await.unwrap();
            }
            for number in &noted {
                note(&store, *number).await;
            }
            add_at(&store, 3, "gate", 4 * MINUTE).await;
            store.group_alarms(&deadlines, 0, now).await.unwrap();
            let of = |(_, alarms, _, _, _, into)| (alarms, into);
            let found: Vec<_> = incidents(&store).await.into_iter().map(of).collect();
            assert_eq!(found, expected, "{noted:?}");
        }
    }

    #[tokio::test]
    async fn an_alarm_between_many_makes_one_of_them_as_grave_as_the_gravest() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (now, deadlines) = (Timestamp::now(), Deadlines::default());
        for (number, minute) in [(1, 16), (2, 0), (3, 8)] {
            add_at(&store, number, "gate", minute * MINUTE).await;
            store.group_alarms(&deadlines, 0, now).await.unwrap();
        }
        let mut change = store.begin().await.unwrap();
        let sql = "UPDATE incident SET severity = 1 WHERE number = 3";
        sqlx::query(sql).execute(&mut change.connection).await.unwrap();
        change.commit().await.unwrap();
        for (number, minute) in [(4, 4), (5, 12)] {
            add_at(&store, number, "gate", minute * MINUTE).await;
        }
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        let of = |(number, alarms, _, _, _, into)| (number, alarms, into);
        let found: Vec<_> = incidents(&store).await.into_iter().map(of).collect();
        assert_eq!(found, [(1, 5, None), (2, 0, Some(1)), (3, 0, Some(2))]);
        assert_eq!(count(&store, "SELECT severity FROM incident WHERE number = 1").await, 1);
        let sql = "SELECT action FROM incident_step JOIN incident ON incident.id = incident_step.incident WHERE incident.number = 1 \
            ORDER BY incident_step.version";
        let steps: Vec<String> = sqlx::query_scalar(sql).fetch_all(&store.readers).await.unwrap();
        assert_eq!(steps, ["open", "merge", "worsen"]);
    }

    #[tokio::test]
    async fn an_incident_without_end_gives_way_to_another() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (now, deadlines) = (Timestamp::now(), Deadlines::default());
        add_at(&store, 1, "gate", 0).await;
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        let mut change = store.begin().await.unwrap();
        sqlx::query("UPDATE incident SET alarms = 9997").execute(&mut change.connection).await.unwrap();
        change.commit().await.unwrap();
        for number in 2..=6 {
            add_at(&store, number, "gate", number * MINUTE).await;
        }
        store.group_alarms(&deadlines, 0, now).await.unwrap();
        let sql = "SELECT alarms FROM incident ORDER BY number";
        let alarms: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&store.readers).await.unwrap();
        assert_eq!(alarms, [10_000, 2]);
    }

    #[tokio::test]
    async fn of_many_alarms_the_first_and_the_last_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        for number in 1..=7 {
            add_at(&store, number, "gate", number * MINUTE).await;
        }
        store.group_alarms(&Deadlines::default(), 0, Timestamp::now()).await.unwrap();
        let id: String =
            sqlx::query_scalar("SELECT id FROM incident").fetch_one(&store.readers).await.unwrap();
        for (count, expected) in [(2, vec![1, 2, 6, 7]), (4, (1..=7).collect()), (100, (1..=7).collect())] {
            let told = store.alerts_of(id.parse().unwrap(), count).await.unwrap();
            let numbers = told.iter().map(|alert| alert.id.to_string().parse::<ulid::Ulid>().unwrap().0);
            assert_eq!(numbers.collect::<Vec<_>>(), expected);
        }
    }
}
