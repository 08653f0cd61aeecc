use bytes::Bytes;
use tokio::sync::watch;

use super::*;
use crate::access::Scope;
use crate::evidence::{Folder, Format};
use crate::store::testing::fresh;
use crate::store::{AlertFilter, DeletionFilter, Delivery};

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
    let (intake, _writing) = Intake::start(store.writer(folder.clone()), folder.clone(), watch::channel(0).0);
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
        self.store.deletions(&filter).await.unwrap().0.iter().map(|it| it.event.to_string()).collect()
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
