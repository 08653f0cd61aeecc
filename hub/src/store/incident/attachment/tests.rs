//! Attachments with a real database: who may, how many, what stays in the timeline, and when the bytes go.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

use super::*;
use crate::access::{Role, Roles, Scope};
use crate::hold::{HoldStep, Wanted};
use crate::incident::{Action, Deadlines, StepError, timeline};
use crate::store::DeletionFilter;
use crate::store::database::{Purpose, close};
use crate::store::testing::fresh;

const INCIDENT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA1";
const ALARM: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAX";

struct Hub {
    store: Store,
    folder: Folder,
    dir: tempfile::TempDir,
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number * 24 * 3600).unwrap()
}

fn person(name: &str, role: Role) -> Person {
    let roles = Roles::try_from(BTreeSet::from([role])).unwrap();
    Person::invited(name.parse().unwrap(), name.parse().unwrap(), roles, None)
}

fn content(words: &str) -> Content {
    Content::parse(Bytes::from(format!("%PDF-1.4 {words}\n%%EOF\n"))).unwrap()
}

fn id() -> IncidentId {
    INCIDENT.parse().unwrap()
}

/// An open incident of one alarm.
async fn hub() -> Hub {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let folder = Folder::open(dir.path().join("attachments")).unwrap();
    let hub = Hub { store, folder, dir };
    hub.write(&format!(
        "INSERT INTO alarm (id, edge, kind, camera, severity, events, first_phase, first_time, first_event, latest_phase, latest_time, \
           latest_event, received, placed, change) \
         VALUES ('{ALARM}', 'gate-1', 'zone_intrusion', 'east', 2, 1, 'began', 0, 'e', 'began', 0, 'e', 0, 0, 1)"
    ))
    .await;
    hub.write(&format!(
        "INSERT INTO incident (id, edge, kind, severity, alarms, ongoing, first, last, opened, stage, is_open, reminded, version, \
           change) VALUES ('{INCIDENT}', 'gate-1', 'zone_intrusion', 2, 1, 0, 0, 0, 0, 'reported', 1, 0, 1, 1)"
    ))
    .await;
    hub.write(&format!("INSERT INTO incident_alarm VALUES ('{ALARM}', '{INCIDENT}', 0)")).await;
    hub
}

impl Hub {
    async fn write(&self, statement: &str) {
        let mut connection = self.store.database.connect(Purpose::Write).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        close(connection).await;
    }

    async fn attach(&self, words: &str, by: &Person, now: Timestamp) -> Result<u32, IncidentError> {
        let (file, name, content) = (AttachmentId::new(), FileName::of(words, Format::Pdf), content(words));
        self.store.expect_attachment(file, now).await.unwrap();
        self.folder.keep(file, &content).await.unwrap();
        let attached = self.store.attach(id(), (file, &name, &content), &self.folder, by, now).await;
        attached.map(|attached| attached.number)
    }

    async fn step(&self, action: Action, by: &Person, now: Timestamp) -> Result<i64, IncidentError> {
        let viewer = crate::store::Viewer { scope: Scope::All, only_of: None };
        let actor = Actor::from(by);
        let incident = self.store.incident(id(), &viewer, &actor, now).await.unwrap().unwrap();
        let version = incident.state.version;
        self.store.take_step(id(), version, &action, by, &Deadlines::default(), now).await
    }

    async fn withdraw(&self, attachment: u32, by: &Person, now: Timestamp) -> Result<i64, IncidentError> {
        let text = "the wrong gate".to_owned().try_into().unwrap();
        self.step(Action::Withdraw { attachment, text }, by, now).await
    }

    async fn here(&self) -> Vec<u32> {
        let all = self.store.attachments(id(), &person("x", Role::Auditor), day(0)).await.unwrap();
        all.iter().filter(|one| one.gone.is_none()).map(|one| one.number).collect()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().count()
    }

    async fn clear_strays(&self, now: Timestamp) {
        for id in self.store.stray_attachments(now, 100).await.unwrap() {
            self.store.delete_stray(id, &self.folder).await.unwrap();
        }
    }

    /// What retention does of it.
    async fn sweep(&self, now: Timestamp) -> usize {
        let oldest = now - SignedDuration::from_hours(30 * 24);
        let mut deleted = 0;
        for id in self.store.attachments_due(now, oldest, 100).await.unwrap() {
            deleted +=
                usize::from(self.store.delete_attachment(id, &self.folder, now, oldest).await.unwrap());
        }
        deleted
    }
}

#[tokio::test]
async fn what_is_attached_stands_in_the_timeline_by_its_hash() {
    let hub = hub().await;
    let (guard, auditor) = (person("zhao.min", Role::Handler), person("sun.hao", Role::Auditor));
    assert_eq!(hub.attach("one", &guard, day(0)).await.unwrap(), 1);
    let again = hub.attach("one", &person("li.na", Role::Supervisor), day(0)).await.unwrap_err();
    assert!(matches!(again, IncidentError::AttachedAlready(1)), "{again}");
    let refused = hub.attach("two", &auditor, day(0)).await.unwrap_err();
    assert!(matches!(refused, IncidentError::Step(StepError::Forbidden(_))), "{refused}");
    assert_eq!(hub.attach("two", &guard, day(1)).await.unwrap(), 2);

    let steps = hub.store.timeline(id()).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.action).collect::<Vec<_>>(), [Kind::Attach, Kind::Attach]);
    let detail = &steps[0].detail;
    assert_eq!(
        (&detail["attachment"], &detail["name"], &detail["sha256"]),
        (&json!(1), &json!("one.pdf"), &json!(content("one").sha256()))
    );
    assert_eq!(steps[0].who.as_deref(), Some("zhao.min (zhao.min)"));
    let lines = hub.store.steps_after(0, 10).await.unwrap();
    let lines: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert_eq!(timeline::verify(lines.join("\n").as_bytes()).unwrap().steps, 2);

    // Two files were refused; what was noted of them is found.
    assert_eq!(hub.files(), 4);
    hub.clear_strays(day(1)).await;
    assert_eq!((hub.files(), hub.here().await), (2, vec![1, 2]));
    let viewer = crate::store::Viewer { scope: Scope::All, only_of: None };
    let told = hub.store.incident(id(), &viewer, &Actor::from(&guard), day(1)).await.unwrap().unwrap();
    assert_eq!((told.attachments, told.state.version), (2, 3));
}

#[tokio::test]
async fn there_are_only_so_many_and_no_number_is_given_twice() {
    let hub = hub().await;
    let guard = person("zhao.min", Role::Handler);
    for number in 1..=20 {
        assert_eq!(hub.attach(&number.to_string(), &guard, day(0)).await.unwrap(), number);
    }
    let refused = hub.attach("one more", &guard, day(0)).await.unwrap_err();
    assert!(matches!(refused, IncidentError::TooManyAttachments), "{refused}");
    hub.withdraw(20, &guard, day(0)).await.unwrap();
    assert_eq!(hub.attach("20", &guard, day(0)).await.unwrap(), 21, "the same bytes, a new number");
}

#[tokio::test]
async fn who_attached_it_or_a_supervisor_withdraws_it_and_the_step_stays() {
    let hub = hub().await;
    let (guard, other) = (person("zhao.min", Role::Handler), person("qin.lan", Role::Operator));
    let supervisor = person("li.na", Role::Supervisor);
    for words in ["one", "two"] {
        hub.attach(words, &guard, day(0)).await.unwrap();
    }
    let refused = hub.withdraw(1, &other, day(0)).await.unwrap_err();
    assert!(matches!(refused, IncidentError::NotTheirAttachment), "{refused}");
    let may = hub.store.attachments(id(), &other, day(0)).await.unwrap()[0].may_withdraw;
    assert!(!may && hub.store.attachments(id(), &guard, day(0)).await.unwrap()[0].may_withdraw);
    hub.withdraw(1, &guard, day(0)).await.unwrap();
    hub.withdraw(2, &supervisor, day(0)).await.unwrap();
    for gone in [1, 3] {
        let refused = hub.withdraw(gone, &guard, day(0)).await.unwrap_err();
        assert!(matches!(refused, IncidentError::NoAttachment(_)), "{refused}");
    }
    assert!(hub.store.attachment(id(), 3).await.unwrap().is_none());
    let gone = hub.store.attachment(id(), 1).await.unwrap().unwrap().unwrap_err();
    assert_eq!((gone.cause, gone.time), (Cause::Withdrawn, day(0)));
    hub.clear_strays(day(0)).await;
    assert_eq!(hub.files(), 0);

    let steps = hub.store.timeline(id()).await.unwrap();
    assert_eq!((steps.len(), steps[3].action), (4, Kind::Withdraw));
    assert_eq!(steps[3].text.as_deref(), Some("the wrong gate"));
    assert_eq!(steps[3].detail["sha256"], steps[1].detail["sha256"]);
    let filter = DeletionFilter { scope: Scope::All, event: None, before: None, limit: 10 };
    let (deletions, _) = hub.store.deletions(&filter).await.unwrap();
    assert_eq!(deletions.len(), 2);
    assert_eq!(
        (deletions[0].event, deletions[0].incident, deletions[0].attachment, deletions[0].cause),
        (None, Some(id()), Some(2), Cause::Withdrawn)
    );
}

#[tokio::test]
async fn it_goes_thirty_days_after_the_incident_was_closed_unless_two_people_hold_it() {
    let hub = hub().await;
    let (guard, one, two) = (
        person("zhao.min", Role::Handler),
        person("li.na", Role::Supervisor),
        person("wu.di", Role::Supervisor),
    );
    hub.attach("early", &guard, day(0)).await.unwrap();
    assert_eq!(hub.sweep(day(100)).await, 0, "it is open");
    let test = Action::Triage { outcome: crate::incident::Outcome::Test, reason: None, text: None };
    hub.step(test, &one, day(100)).await.unwrap();
    hub.attach("late", &guard, day(120)).await.unwrap();
    assert_eq!(hub.sweep(day(129)).await, 0);

    let alarm = ALARM.parse().unwrap();
    let reason = || "report 17".to_owned().try_into().unwrap();
    let wanted = Wanted { alarm, reason: reason(), until: day(200) };
    let hold = hub.store.propose_hold(&wanted, &one, day(129)).await.unwrap().id;
    hub.store.step_hold(hold, HoldStep::Confirm, None, &two, day(129)).await.unwrap();
    assert_eq!(hub.sweep(day(140)).await, 0, "it is held");
    let refused = hub.withdraw(1, &guard, day(140)).await.unwrap_err();
    assert!(matches!(refused, IncidentError::AttachmentHeld), "{refused}");
    assert!(hub.store.attachments(id(), &guard, day(140)).await.unwrap()[0].held);
    hub.store.step_hold(hold, HoldStep::Lift, Some(&reason()), &one, day(141)).await.unwrap();
    hub.store.step_hold(hold, HoldStep::ConfirmLift, None, &two, day(141)).await.unwrap();

    assert_eq!((hub.sweep(day(142)).await, hub.here().await, hub.files()), (1, vec![2], 1));
    assert_eq!((hub.sweep(day(151)).await, hub.here().await, hub.files()), (1, vec![], 0));
    let gone = hub.store.attachment(id(), 2).await.unwrap().unwrap().unwrap_err();
    assert_eq!((gone.cause, gone.time), (Cause::Age, day(151)));
    assert_eq!(hub.store.timeline(id()).await.unwrap().len(), 3, "what was done stays");
}

#[tokio::test]
async fn records_go_with_their_attachments_and_not_before_them() {
    let hub = hub().await;
    let supervisor = person("li.na", Role::Supervisor);
    let now = Timestamp::now();
    let ago = |days: i32| now - SignedDuration::from_hours(24) * days;
    hub.attach("one", &supervisor, ago(400)).await.unwrap();
    let test = Action::Triage { outcome: crate::incident::Outcome::Test, reason: None, text: None };
    hub.step(test, &supervisor, ago(399)).await.unwrap();
    assert_eq!(hub.store.dispose(ago(365), now).await.unwrap().incidents, 0, "its bytes are here");
    let (due, oldest) = (hub.store.attachments_due(now, ago(30), 10).await.unwrap(), ago(30));
    assert!(hub.store.delete_attachment(due[0], &hub.folder, now, oldest).await.unwrap());
    let disposed = hub.store.dispose(ago(365), now).await.unwrap();
    assert_eq!((disposed.incidents, disposed.steps), (1, 2));
    assert_eq!(hub.store.attachments(id(), &supervisor, now).await.unwrap().len(), 0);
}

#[tokio::test]
async fn no_row_points_to_nothing_and_no_file_is_forgotten() {
    let hub = hub().await;
    let guard = person("zhao.min", Role::Handler);
    let (name, content) = (FileName::of("x", Format::Pdf), content("x"));
    // A file that is not there, and one that was not expected, or no longer.
    let (lost, unexpected) = (AttachmentId::new(), AttachmentId::new());
    hub.store.expect_attachment(lost, day(1)).await.unwrap();
    hub.folder.keep(unexpected, &content).await.unwrap();
    for file in [lost, unexpected] {
        let refused = hub.store.attach(id(), (file, &name, &content), &hub.folder, &guard, day(0)).await;
        assert!(matches!(refused, Err(IncidentError::Store(StoreError::EvidenceGone(_)))), "{refused:?}");
    }
    assert!(hub.here().await.is_empty() && hub.store.timeline(id()).await.unwrap().is_empty());
    // As after a kill between the file and its row.
    hub.folder.keep(lost, &content).await.unwrap();
    hub.clear_strays(day(0)).await;
    assert!(hub.folder.holds(lost).await, "it may still be attached");
    hub.clear_strays(day(1)).await;
    assert!(!hub.folder.holds(lost).await);
    // One that is attached is no stray, whoever takes it for one.
    hub.attach("y", &guard, day(0)).await.unwrap();
    let kept = hub.store.attachment(id(), 1).await.unwrap().unwrap().unwrap();
    hub.store.delete_stray(kept.id, &hub.folder).await.unwrap();
    assert!(hub.folder.holds(kept.id).await);
    // A disk that does not let go of a file keeps its row.
    hub.step(
        Action::Triage { outcome: crate::incident::Outcome::Test, reason: None, text: None },
        &person("li.na", Role::Supervisor),
        day(0),
    )
    .await
    .unwrap();
    let file = hub.folder.file(kept.id);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (now, oldest) = (day(40), day(10));
    let failed = hub.store.delete_attachment(kept.id, &hub.folder, now, oldest).await;
    assert!(matches!(failed, Err(StoreError::Attachment { .. })), "{failed:?}");
    assert_eq!(hub.here().await, [1]);
    drop(hub.dir);
}
