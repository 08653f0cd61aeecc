//! What goes and what stays, with a real database.

use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

use super::*;
use crate::incident::timeline;
use crate::store::database::{Purpose, close};
use crate::store::testing::fresh;

const HORIZON_DAYS: i32 = 365;

struct Hub {
    _dir: tempfile::TempDir,
    store: Store,
    now: Timestamp,
}

async fn hub() -> Hub {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    Hub { _dir: dir, store, now: Timestamp::now() }
}

impl Hub {
    fn days_ago(&self, days: i32) -> Timestamp {
        self.now - SignedDuration::from_hours(24) * days
    }

    async fn try_to(&self, statement: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.store.database.connect(Purpose::Write).await.unwrap();
        let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        close(connection).await;
        done.map(drop)
    }

    async fn write(&self, statement: &str) {
        self.try_to(statement).await.unwrap();
    }

    /// An alarm of one event of that age.
    async fn alarm(&self, name: &str, days: i32) {
        let at = nanos(self.days_ago(days));
        self.write(&format!(
            "INSERT INTO alarm (id, edge, kind, severity, events, first_phase, first_time, first_event, latest_phase, latest_time, \
               latest_event, received, placed, change) \
             VALUES ('{name}', 'gate-1', 'k', 2, 1, 'began', {at}, 'e', 'began', {at}, 'e', {at}, {at}, \
               (SELECT coalesce(max(change), 0) + 1 FROM alarm))"
        ))
        .await;
        self.event(&format!("event-of-{name}"), Some(name), days).await;
    }

    async fn event(&self, id: &str, alarm: Option<&str>, days: i32) {
        let at = nanos(self.days_ago(days));
        let of = alarm.map_or_else(|| "NULL".to_owned(), |alarm| format!("'{alarm}'"));
        self.write(&format!(
            "INSERT INTO event (id, edge, boot, seq, time, received, kind, severity, alarm, sequence_conflict, envelope) \
             VALUES ('{id}', 'gate-1', 'b', 1, {at}, {at}, 'k', 2, {of}, 0, '{{}}')"
        ))
        .await;
        self.write(&format!(
            "INSERT INTO named_evidence (event, sha256, alarm, media_type, bytes, original_kept) VALUES ('{id}', 's', {of}, 'm', 1, 0)"
        ))
        .await;
    }

    async fn picture(&self, event: &str) {
        let at = nanos(self.now);
        self.write(&format!(
            "INSERT INTO evidence (event, sha256, edge, bytes, received, waiting) VALUES ('{event}', 's', 'gate-1', 1, {at}, 0)"
        ))
        .await;
    }

    /// An incident of these alarms with one step; closed so many days ago, or open.
    async fn incident(&self, id: &str, alarms: &[&str], closed: Option<i32>) {
        let (stage, is_open, at) = match closed {
            Some(days) => ("closed", 0, nanos(self.days_ago(days)).to_string()),
            None => ("reported", 1, "NULL".to_owned()),
        };
        self.write(&format!(
            "INSERT INTO incident (id, edge, kind, severity, alarms, ongoing, first, last, opened, closed, stage, is_open, reminded, \
               version, change) VALUES ('{id}', 'gate-1', 'k', 2, {}, 0, 0, 0, 0, {at}, '{stage}', {is_open}, 0, 1, \
               (SELECT coalesce(max(change), 0) + 1 FROM incident))",
            alarms.len()
        ))
        .await;
        for alarm in alarms {
            self.write(&format!("INSERT INTO incident_alarm VALUES ('{alarm}', '{id}', 0)")).await;
        }
        let last = self.steps().await;
        let previous = last.last().map_or_else(|| timeline::BEGINNING.to_owned(), |line| line.hash.clone());
        let time = self.days_ago(closed.unwrap_or(400));
        let document = timeline::Document {
            number: i64::try_from(last.len()).unwrap() + 1,
            incident: id.into(),
            version: 1,
            time,
            who: None,
            action: serde_json::from_str("\"open\"").unwrap(),
            to: serde_json::from_str("\"reported\"").unwrap(),
            text: None,
            detail: serde_json::json!({}),
            previous,
        };
        let text = document.text().unwrap();
        self.write(&format!(
            "INSERT INTO incident_step (number, incident, version, time, actor, action, document, hash) \
             VALUES ({}, '{id}', 1, {}, NULL, 'open', '{text}', '{}')",
            document.number,
            nanos(time),
            timeline::hash(&text)
        ))
        .await;
    }

    async fn steps(&self) -> Vec<timeline::Line> {
        self.store.steps_after(0, 100).await.unwrap()
    }

    /// All there is to delete.
    async fn sweep(&self) -> Vec<Disposed> {
        let mut all = Vec::new();
        loop {
            let disposed = self.store.dispose(self.days_ago(HORIZON_DAYS), self.now).await.unwrap();
            if disposed == Disposed::default() {
                return all;
            }
            all.push(disposed);
        }
    }

    async fn ids(&self, table: &str) -> Vec<String> {
        let query = sqlx::query_scalar(AssertSqlSafe(format!("SELECT id FROM {table} ORDER BY id")));
        query.fetch_all(&self.store.readers).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_over_goes_and_what_somebody_may_still_need_stays() {
    let hub = hub().await;
    for (alarm, days) in
        [("old", 400), ("young", 10), ("open", 400), ("pictured", 400), ("late", 400), ("lone", 400)]
    {
        hub.alarm(alarm, days).await;
    }
    hub.incident("i-old", &["old"], Some(399)).await;
    hub.incident("i-young", &["young"], Some(9)).await;
    hub.incident("i-open", &["open"], None).await;
    hub.incident("i-pictured", &["pictured"], Some(399)).await;
    hub.incident("i-late", &["late"], Some(399)).await;
    hub.picture("event-of-pictured").await;
    hub.event("late-event", Some("late"), 20).await;
    hub.event("alone", None, 400).await;
    hub.event("alone-and-young", None, 10).await;

    let swept = hub.sweep().await;
    let first = Disposed { alarms: 1, events: 2, incidents: 1, steps: 1, ..Disposed::default() };
    // Alarms without an incident go once no incident is left to go.
    let second = Disposed { alarms: 1, events: 1, ..Disposed::default() };
    assert_eq!(swept, [first, second]);
    assert_eq!(hub.ids("incident").await, ["i-late", "i-open", "i-pictured", "i-young"]);
    assert_eq!(hub.ids("alarm").await, ["late", "open", "pictured", "young"]);
    let events = [
        "alone-and-young",
        "event-of-late",
        "event-of-open",
        "event-of-pictured",
        "event-of-young",
        "late-event",
    ];
    assert_eq!(hub.ids("event").await, events);
    let named: Vec<String> = sqlx::query_scalar("SELECT event FROM named_evidence ORDER BY event")
        .fetch_all(&hub.store.readers)
        .await
        .unwrap();
    assert_eq!(named, events);

    // The chain is whole, though the first step says nothing any more.
    let lines: Vec<String> =
        hub.steps().await.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    let whole = timeline::verify(lines.join("\n").as_bytes()).unwrap();
    assert_eq!((whole.steps, whole.deleted), (5, 1));
    let (disposals, next) = hub.store.disposals(None, 10).await.unwrap();
    let all = Disposed { alarms: 2, events: 3, ..first };
    assert_eq!((disposals.len(), disposals[0].disposed, next), (1, all, None));
    assert_eq!(disposals[0].began, timestamp(nanos(hub.now)));
}

#[tokio::test]
async fn registers_go_after_their_time() {
    let hub = hub().await;
    for (name, days) in [("old", 400), ("new", 200)] {
        let at = nanos(hub.days_ago(days));
        for statement in [
            format!(
                "INSERT INTO viewing (id, time, until, person, display_name, roles, address, edge, alarm, kind, reason, said) \
                 VALUES ('{name}', {at}, {at}, 'li.na', 'x', 'operator', '::1', 'gate-1', 'a', 'k', 'other', 'why')"
            ),
            format!("INSERT INTO viewed_piece VALUES ('{name}', 'e', 's', 'image/jpeg', {at})"),
            format!(
                "INSERT INTO command VALUES ({days}, '{name}', 'gate-1', 'who', 'why', {at}, {at}, 'k', NULL, NULL, '{{}}', {days}, 'wang.li', 1, NULL)"
            ),
            format!(
                "INSERT INTO approval VALUES ('{name}', {at}, 'li.na', 'li.na', 'approved', NULL, {days})"
            ),
            format!("INSERT INTO reply VALUES ('{name}', {at}, {at}, 'done', NULL, NULL, '{{}}', {days})"),
            format!(
                "INSERT INTO hold VALUES ({days}, '{name}', 'a', 'gate-1', 'why', {at}, {at}, 'li.na', 'li.na')"
            ),
            format!(
                "INSERT INTO hold_step VALUES ('{name}', 0, {at}, 'wang.li', 'wang.li', 'confirm', NULL)"
            ),
            format!(
                "INSERT INTO access_record VALUES ({days}, {at}, 'li.na', NULL, 'signed_in', NULL, NULL)"
            ),
            format!(
                "INSERT INTO deletion VALUES ({days}, {at}, 'e', '{name}', 'gate-1', 'image/jpeg', 1, 0, 'age', NULL, NULL, NULL)"
            ),
        ] {
            hub.write(&statement).await;
        }
    }
    let expected = Disposed { register: 1, commands: 1, holds: 1, records: 2, ..Disposed::default() };
    assert_eq!(hub.sweep().await, [expected]);
    for table in ["viewing", "command", "hold"] {
        assert_eq!(hub.ids(table).await, ["new"], "{table}");
        let refused = hub.try_to(&format!("DELETE FROM {table}")).await.unwrap_err().to_string();
        assert!(refused.contains("never deleted before their time"), "{refused}");
    }
}

#[tokio::test]
async fn the_database_refuses_to_forget_the_last_half_year() {
    let hub = hub().await;
    hub.alarm("old", 400).await;
    hub.incident("i-old", &["old"], Some(399)).await;
    let young = hub.store.dispose(hub.days_ago(179), hub.now).await.unwrap_err().to_string();
    assert!(young.contains("never deleted"), "{young}");
    assert_eq!(hub.ids("incident").await, ["i-old"]);
    for statement in [
        "UPDATE record_horizon SET moment = 9000000000000000000",
        "DELETE FROM record_horizon",
        "UPDATE incident_step SET document = NULL",
        "UPDATE incident_step SET incident = NULL, version = NULL, time = NULL, actor = NULL, action = NULL, document = NULL",
    ] {
        hub.try_to(statement).await.expect_err(statement);
    }
    hub.sweep().await;
    // What is left of a step stays.
    hub.try_to("UPDATE incident_step SET hash = 'x'").await.unwrap_err();
    hub.try_to("UPDATE incident_step SET time = 5").await.unwrap_err();
    hub.try_to("DELETE FROM incident_step").await.unwrap_err();
    hub.try_to("DELETE FROM disposal").await.unwrap_err();
    // The horizon only moves on.
    hub.try_to("UPDATE record_horizon SET moment = moment - 1").await.unwrap_err();
}

#[tokio::test]
async fn a_backlog_goes_some_at_a_time_and_is_told_as_one() {
    let hub = hub().await;
    for number in 0..AT_ONCE + 5 {
        hub.event(&format!("e{number}"), None, 400).await;
    }
    let swept = hub.sweep().await;
    let events: Vec<i64> = swept.iter().map(|disposed| disposed.events).collect();
    assert_eq!(events, [AT_ONCE, 5]);
    let (disposals, _) = hub.store.disposals(None, 10).await.unwrap();
    assert_eq!(disposals.len(), 1);
    assert_eq!(disposals[0].disposed.events, AT_ONCE + 5);
}

#[tokio::test]
async fn a_large_incident_goes_some_of_its_events_at_a_time() {
    let hub = hub().await;
    let alarms: Vec<String> = (0..=ALARMS_AT_ONCE).map(|number| format!("a{number}")).collect();
    for alarm in &alarms {
        hub.alarm(alarm, 400).await;
    }
    // One of its alarms has more events than go at once.
    let at = nanos(hub.days_ago(400));
    let many = 2 * EVENTS_AT_ONCE;
    hub.write(&format!(
        "INSERT INTO event (id, edge, boot, seq, time, received, kind, severity, alarm, sequence_conflict, envelope) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many}) \
         SELECT 'more-' || n, 'gate-1', 'b', n, {at}, {at}, 'k', 2, 'a7', 0, '{{}}' FROM n"
    ))
    .await;
    hub.incident("i-large", &alarms.iter().map(String::as_str).collect::<Vec<_>>(), Some(399)).await;
    hub.incident("i-next", &[], Some(398)).await;

    let swept = hub.sweep().await;
    assert!(swept.iter().all(|disposed| disposed.events <= EVENTS_AT_ONCE), "{swept:?}");
    let (disposals, _) = hub.store.disposals(None, 10).await.unwrap();
    let (events, alarms) = (many + ALARMS_AT_ONCE + 1, ALARMS_AT_ONCE + 1);
    let all = Disposed { alarms, events, incidents: 2, steps: 2, ..Disposed::default() };
    assert_eq!(disposals[0].disposed, all);
    for table in ["incident", "alarm", "event"] {
        assert!(hub.ids(table).await.is_empty(), "{table}");
    }
}
