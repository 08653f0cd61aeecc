//! Openings with a real database: for whom they hold, how long, and what is left in the register.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;

use super::*;
use crate::access::{Person, Role, Roles, Token};
use crate::store::database;
use crate::store::testing::fresh;
use crate::viewing::{Reason, Statement};

const ALARM: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAX";
const EVENT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const INCIDENT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA1";
const CLOSED: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA2";

struct Hub {
    _dir: tempfile::TempDir,
    store: Store,
}

fn second(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number).unwrap()
}

/// An alarm with one event at `gate-1`, and two incidents that have it, of which one is open.
async fn hub() -> Hub {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let hub = Hub { _dir: dir, store };
    hub.write(&format!(
        "INSERT INTO alarm (id, edge, kind, camera, severity, events, first_phase, first_time, first_event, latest_phase, latest_time, \
           latest_event, received, placed, change) \
         VALUES ('{ALARM}', 'gate-1', 'zone_intrusion', 'east', 2, 1, 'began', 0, '{EVENT}', 'began', 0, '{EVENT}', 0, 0, 1)"
    ))
    .await;
    hub.write(&format!(
        "INSERT INTO event (id, edge, boot, seq, time, received, kind, severity, alarm, phase, sequence_conflict, envelope) \
         VALUES ('{EVENT}', 'gate-1', 'b', 1, 0, 0, 'zone_intrusion', 2, '{ALARM}', 'began', 0, '{{}}')"
    ))
    .await;
    for (number, id, stage, open) in [(1, INCIDENT, "reported", 1), (2, CLOSED, "closed", 0)] {
        hub.write(&format!(
            "INSERT INTO incident (id, edge, kind, severity, alarms, ongoing, first, last, opened, stage, is_open, reminded, version, \
               change) VALUES ('{id}', 'gate-1', 'zone_intrusion', 2, 1, 0, 0, 0, 0, '{stage}', {open}, 0, 1, {number})"
        ))
        .await;
    }
    hub.write(&format!("INSERT INTO incident_alarm VALUES ('{ALARM}', '{INCIDENT}', 0)")).await;
    hub
}

impl Hub {
    async fn write(&self, statement: &str) {
        let mut connection = self.store.database.connect(database::Purpose::Write).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }

    async fn session(&self, name: &str) -> Session {
        let roles: BTreeSet<Role> = [Role::Operator].into();
        let roles = Roles::try_from(roles).unwrap();
        let person = Person::invited(name.parse().unwrap(), "王丽".parse().unwrap(), roles, None);
        self.store.add_person(&person, "command line", second(0)).await.unwrap();
        let hash = Token::new().unwrap().hash();
        self.write(&format!("INSERT INTO session VALUES ('{}', '{name}', {}, 0)", hash.as_str(), i64::MAX))
            .await;
        Session { hash, person, until: second(50_000), used: second(0) }
    }

    async fn open(
        &self,
        session: &Session,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<Opened, ViewingError> {
        let viewer = Viewer { scope: session.person.scope(), only_of: None };
        self.open_as(session, viewer, purpose, now).await
    }

    async fn open_as(
        &self,
        session: &Session,
        viewer: Viewer,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<Opened, ViewingError> {
        let opener = Opener { session, viewer, address: "::1" };
        self.store.open_viewing(ALARM.parse().unwrap(), purpose, &opener, now).await
    }

    async fn looks(&self, session: &Session, sha256: &str, now: Timestamp) -> bool {
        let event = EVENT.parse().unwrap();
        self.store.look(&session.hash, event, sha256, Format::Jpeg, now).await.unwrap()
    }

    async fn register(&self) -> Vec<Viewing> {
        let filter = ViewingFilter { scope: Scope::All, alarm: None, person: None, before: None, limit: 10 };
        self.store.viewings(&filter).await.unwrap().0
    }
}

fn stated(text: &str) -> Purpose {
    Purpose::Stated { reason: Reason::Request, text: Statement::try_from(text.to_owned()).unwrap() }
}

fn through(incident: &str) -> Purpose {
    Purpose::Incident(incident.parse().unwrap())
}

#[tokio::test]
async fn an_opening_holds_for_its_session_and_a_quarter_of_an_hour() {
    let hub = hub().await;
    let (own, other) = (hub.session("wang.li").await, hub.session("zhao").await);
    assert!(!hub.looks(&own, "aa", second(0)).await, "nothing was opened");
    assert!(hub.open(&own, &stated("police report 17"), second(0)).await.unwrap().new);
    assert!(hub.looks(&own, "aa", second(1)).await && hub.looks(&own, "aa", second(899)).await);
    assert!(!hub.looks(&own, "aa", second(900)).await, "it is over");
    assert!(!hub.looks(&other, "aa", second(1)).await, "another session");
    let again = hub.open(&own, &stated("police report 17"), second(900)).await.unwrap();
    assert!(again.new && hub.looks(&own, "bb", second(901)).await);
    hub.write(&format!("DELETE FROM session WHERE hash = '{}'", own.hash.as_str())).await;
    assert!(!hub.looks(&own, "aa", second(902)).await, "the session has ended");
    let short = Session { until: second(60), ..hub.session("sun").await };
    let opened = hub.open(&short, &stated("x"), second(0)).await.unwrap();
    assert_eq!(opened.viewing.until, second(60), "no longer than the session");
}

#[tokio::test]
async fn the_register_has_a_line_for_each_opening_and_each_piece_once() {
    let hub = hub().await;
    let own = hub.session("wang.li").await;
    let first = hub.open(&own, &through(INCIDENT), second(0)).await.unwrap();
    for at in [1, 2] {
        assert!(hub.looks(&own, "aa", second(at)).await);
    }
    assert!(hub.looks(&own, "bb", second(3)).await);
    let same = hub.open(&own, &through(INCIDENT), second(10)).await.unwrap();
    assert_eq!((same.new, same.viewing.id), (false, first.viewing.id));
    assert_eq!(same.viewing.pieces.len(), 2);
    assert!(hub.open(&own, &stated("for the headmaster"), second(20)).await.unwrap().new, "another purpose");
    let told = hub.register().await;
    let purposes: Vec<_> = told.iter().map(|one| (one.incident.is_some(), one.text.as_deref())).collect();
    assert_eq!(purposes, [(false, Some("for the headmaster")), (true, None)]);
    let pieces: Vec<_> = told[1].pieces.iter().map(|piece| (piece.sha256.as_str(), piece.time)).collect();
    assert_eq!(pieces, [("aa", second(1)), ("bb", second(3))]);
    let line = &told[1];
    assert_eq!(
        (line.person.as_str(), line.address.as_str(), line.kind.as_str()),
        ("wang.li", "::1", "zone_intrusion")
    );
    assert_eq!((&line.roles, &line.sites), (&vec![Role::Operator], &None));
    let site: BTreeSet<_> = ["elsewhere".parse().unwrap()].into();
    let filter =
        ViewingFilter { scope: Scope::Sites(site), alarm: None, person: None, before: None, limit: 10 };
    assert!(hub.store.viewings(&filter).await.unwrap().0.is_empty(), "the boxes of another site");
}

#[tokio::test]
async fn only_an_incident_that_is_open_and_has_the_alarm_and_is_theirs_opens_it() {
    let hub = hub().await;
    let own = hub.session("wang.li").await;
    for incident in [CLOSED, EVENT] {
        let refused = hub.open(&own, &through(incident), second(0)).await;
        assert!(matches!(refused, Err(ViewingError::NoIncident { .. })), "{incident}");
    }
    let handler = Viewer { scope: Scope::All, only_of: Some(own.person.name.clone()) };
    let refused = hub.open_as(&own, handler.clone(), &through(INCIDENT), second(0)).await;
    assert!(matches!(refused, Err(ViewingError::NoIncident { .. })), "it was never given to them");
    hub.write(&format!("INSERT INTO incident_assignee VALUES ('wang.li', '{INCIDENT}')")).await;
    assert!(hub.open_as(&own, handler, &through(INCIDENT), second(0)).await.unwrap().new);
    let elsewhere = Viewer { scope: Scope::Sites(["elsewhere".parse().unwrap()].into()), only_of: None };
    let refused = hub.open_as(&own, elsewhere, &stated("x"), second(0)).await;
    assert!(matches!(refused, Err(ViewingError::UnknownAlarm(_))));
    assert_eq!(hub.register().await.len(), 1, "what is refused leaves no line");
}
