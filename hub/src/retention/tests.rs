use bytes::Bytes;
use tokio::sync::watch;

use super::*;
use crate::access::{Person, Role, Roles, Scope};
use crate::config::HealthDays;
use crate::evidence::{Folder, Format};
use crate::hold::{HoldStep, Wanted};
use crate::intake::Listeners;
use crate::store::testing::fresh;
use crate::store::{AlertFilter, DeletionFilter, Delivery};
use crate::telemetry::{BoxSample, Change, Standing, State, Stretch, Telemetry, Width};
use crate::traces::Traces;

/// The parts of a hub that deleting needs.
struct Rooms {
    store: Store,
    intake: Intake,
    folder: Folder,
    _dir: tempfile::TempDir,
}

async fn rooms() -> Rooms {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let folder = Folder::open(dir.path().join("evidence")).unwrap();
    let listeners = Listeners {
        changes: watch::channel(0).0,
        telemetry: Telemetry::default(),
        traces: Traces::default(),
    };
    let (intake, _writing) = Intake::start(store.writer(folder.clone()), folder.clone(), listeners);
    Rooms { store, intake, folder, _dir: dir }
}

const EVENTS: [&str; 2] = ["01ARZ3NDEKTSV4RRFFQ69G5FA1", "01ARZ3NDEKTSV4RRFFQ69G5FA2"];
const PICTURE: &[u8] = b"\xff\xd8\xff\xe0 pixels \xff\xd9";

impl Rooms {
    async fn take(&self, topic: &str, payload: &[u8], received: Timestamp) {
        let delivery = Delivery {
            topic: format!("gp/v1/gate-1/{topic}"),
            payload: Bytes::copy_from_slice(payload),
            received,
            retained: false,
        };
        assert_eq!(self.intake.deliver(delivery).await, Receipt::Stored);
    }

    /// An alarm's event of that number, with the same picture each time.
    async fn alarm(&self, number: usize, received: Timestamp) {
        let sha256 = crate::evidence::Piece::parse(Bytes::from_static(PICTURE)).unwrap().sha256().to_owned();
        let phase = ["began", "updated"][number];
        let event = serde_json::json!({
            "specversion": "1.0", "id": EVENTS[number], "source": "/gatepost/edge/gate-1",
            "type": "gatepost.event.v1.device_fault", "time": received.to_string(),
            "datacontenttype": "application/json", "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "sequence": (number + 1).to_string(),
            "data": {
                "severity": 3,
                "happening": {
                    "kind": "device_fault", "fault": "disk_low", "detail": "",
                    "alarm": { "id": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "phase": phase },
                },
                "evidence": [{ "media_type": "image/jpeg", "sha256": sha256, "bytes": PICTURE.len() }],
            },
        });
        self.take("event", event.to_string().as_bytes(), received).await;
        self.take(&format!("evidence/{}", EVENTS[number]), PICTURE, received).await;
    }

    async fn sweep(&self, now: Timestamp) {
        sweep(&self.store, &self.intake, 30, now, &CancellationToken::new()).await.unwrap();
    }

    async fn deletions(&self) -> Vec<String> {
        let filter = DeletionFilter { scope: Scope::All, event: None, before: None, limit: 10 };
        self.store
            .deletions(&filter)
            .await
            .unwrap()
            .0
            .iter()
            .filter_map(|it| Some(it.event?.to_string()))
            .collect()
    }

    async fn picture_of_alarm(&self) -> Option<String> {
        let filter = AlertFilter { scope: Scope::All, edge: None, camera: None, before: None, limit: 1 };
        self.store.alerts(&filter).await.unwrap().alerts[0].snapshot.clone()
    }

    fn on_disk(&self) -> bool {
        let sha256 = crate::evidence::Piece::parse(Bytes::from_static(PICTURE)).unwrap().sha256().to_owned();
        self.folder.file(&sha256, Format::Jpeg).exists()
    }
}

#[tokio::test]
async fn how_boxes_fared_goes_after_its_days_five_minutes_sooner() {
    let rooms = rooms().await;
    let health = serde_json::json!({
        "edge": "gate-1", "time": "2026-01-31T08:30:00Z", "boot": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "uptime_ms": 1000, "version": "0.1.0",
        "recorded": [], "outbox": { "queued": 0, "disk_bytes": 0 },
        "cameras": [{
            "camera": "east-gate", "state": { "name": "streaming" }, "frames_sampled": 1, "frames_analysed": 1, "frames_dropped": 0,
        }],
        "inference": { "model": "m", "failures": 0 }, "disk_free_bytes": 1,
    });
    let edge: gatepost_wire::EdgeId = "gate-1".parse().unwrap();
    // So that the box is known.
    rooms.take("health", health.to_string().as_bytes(), day(0)).await;
    let health: gatepost_wire::Health = serde_json::from_value(health).unwrap();
    for at in [day(0), day(20), day(29)] {
        let closed = (edge.clone(), Width::Fine.start_of(at), BoxSample::of(&health, at));
        rooms.store.record_samples(&[closed]).await.unwrap();
        let standing = Standing::of(if at == day(20) { State::Offline } else { State::Online }, at);
        let change = Change { edge: edge.clone(), camera: None, standing };
        rooms.store.record_changes(&[change]).await.unwrap();
    }
    let kept = async |now| {
        telemetry::sweep(&rooms.store, HealthDays::default(), now, &CancellationToken::new()).await.unwrap();
        let hours = Stretch::new(day(-1), day(60), now).unwrap();
        let changes = rooms.store.changes(&edge, &hours).await.unwrap().len();
        let mut left = Vec::from([rooms.store.samples(&edge, &hours).await.unwrap().len(), changes]);
        for at in [day(0), day(20), day(29)] {
            let minutes = Stretch::new(at, at + DAY, at + DAY).unwrap();
            assert_eq!(minutes.width, Width::Fine);
            left.push(rooms.store.samples(&edge, &minutes).await.unwrap().len());
        }
        left
    };
    assert_eq!(kept(day(2)).await, [3, 3, 1, 1, 1]);
    assert_eq!(kept(day(24)).await, [3, 3, 0, 0, 1]);
    assert_eq!(kept(day(31)).await, [2, 2, 0, 0, 1]);
    assert_eq!(kept(day(70)).await, [0, 0, 0, 0, 0]);
    let standing = rooms.store.standing(&edge).await.unwrap();
    assert_eq!(
        standing[0].standing.since,
        day(29),
        "since when it stands so is known for as long as it does"
    );
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number * 24 * 3600).unwrap()
}

#[tokio::test]
async fn a_picture_goes_after_its_days_and_its_file_with_the_last_event_that_has_it() {
    let rooms = rooms().await;
    rooms.alarm(0, day(0)).await;
    rooms.alarm(1, day(10)).await;
    rooms.sweep(day(30)).await;
    assert_eq!(rooms.deletions().await, Vec::<String>::new(), "exactly thirty days are not over");

    rooms.sweep(day(31)).await;
    assert_eq!(rooms.deletions().await, [EVENTS[0]]);
    assert!(rooms.on_disk(), "another event has the same bytes");
    let next = format!("/api/v1/events/{}/snapshot", EVENTS[1]);
    assert_eq!(rooms.picture_of_alarm().await, Some(next), "the alarm shows the picture that is left");

    rooms.sweep(day(41)).await;
    rooms.sweep(day(41)).await;
    assert_eq!(rooms.deletions().await, [EVENTS[1], EVENTS[0]]);
    assert!(!rooms.on_disk());
    assert_eq!(rooms.picture_of_alarm().await, None);
}

#[tokio::test]
async fn a_file_that_is_gone_already_is_noted_all_the_same() {
    let rooms = rooms().await;
    rooms.alarm(0, day(0)).await;
    // As after a power cut between removing the file and noting it.
    std::fs::remove_dir_all(rooms.folder.path()).unwrap();
    rooms.sweep(day(31)).await;
    assert_eq!(rooms.deletions().await, [EVENTS[0]]);
}

#[tokio::test]
async fn what_two_people_hold_stays_until_two_let_it_go_or_its_end() {
    let rooms = rooms().await;
    let person = |name: &str| {
        let roles = Roles::try_from(std::collections::BTreeSet::from([Role::Supervisor])).unwrap();
        Person::invited(name.parse().unwrap(), name.parse().unwrap(), roles, None)
    };
    let (one, two) = (person("wang.li"), person("li.na"));
    let alarm = "01ARZ3NDEKTSV4RRFFQ69G5FAX".parse().unwrap();
    let reason = || "report 17".to_owned().try_into().unwrap();
    let propose = async |until: Timestamp, now: Timestamp| {
        let wanted = Wanted { alarm, reason: reason(), until };
        rooms.store.propose_hold(&wanted, &one, now).await.unwrap().id
    };
    let none = Vec::<String>::new();
    rooms.alarm(0, day(0)).await;
    let hold = propose(day(100), day(28)).await;
    rooms.store.step_hold(hold, HoldStep::Confirm, None, &two, day(29)).await.unwrap();
    rooms.sweep(day(60)).await;
    assert_eq!(rooms.deletions().await, none, "it is held");
    let overtaken = Deletion {
        event: EVENTS[0].parse().unwrap(),
        sha256: crate::evidence::Piece::parse(Bytes::from_static(PICTURE)).unwrap().sha256().to_owned(),
        cause: Cause::Age,
        time: day(60),
    };
    assert_eq!(
        rooms.intake.delete(overtaken).await,
        Receipt::Duplicate,
        "held since it was found to be over"
    );
    assert!(rooms.on_disk());
    rooms.store.step_hold(hold, HoldStep::Lift, Some(&reason()), &one, day(61)).await.unwrap();
    rooms.sweep(day(62)).await;
    assert_eq!(rooms.deletions().await, none, "one person cannot let it go");
    rooms.store.step_hold(hold, HoldStep::ConfirmLift, None, &two, day(63)).await.unwrap();
    rooms.sweep(day(63)).await;
    assert_eq!(rooms.deletions().await, [EVENTS[0]]);

    rooms.alarm(1, day(100)).await;
    let hold = propose(day(200), day(101)).await;
    rooms.store.step_hold(hold, HoldStep::Confirm, None, &two, day(102)).await.unwrap();
    rooms.sweep(day(199)).await;
    assert_eq!(rooms.deletions().await.len(), 1);
    rooms.sweep(day(201)).await;
    assert_eq!(rooms.deletions().await, [EVENTS[1], EVENTS[0]], "its end has come");
}

#[tokio::test]
async fn one_person_holds_nothing() {
    let rooms = rooms().await;
    rooms.alarm(0, day(0)).await;
    let roles = Roles::try_from(std::collections::BTreeSet::from([Role::Supervisor])).unwrap();
    let one = Person::invited("wang.li".parse().unwrap(), "王丽".parse().unwrap(), roles, None);
    let alarm = "01ARZ3NDEKTSV4RRFFQ69G5FAX".parse().unwrap();
    let wanted = Wanted { alarm, reason: "report 17".to_owned().try_into().unwrap(), until: day(100) };
    rooms.store.propose_hold(&wanted, &one, day(30)).await.unwrap();
    rooms.sweep(day(31)).await;
    assert_eq!(rooms.deletions().await, [EVENTS[0]]);
}
