//! What people wait for overtakes what boxes report.

use std::time::Duration;

use bytes::Bytes;
use gatepost_wire::health::PresenceState;
use gatepost_wire::{Event, Timestamp};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::evidence::Folder;
use crate::live::reading::AT_ONCE;
use crate::live::{Feed, Lane, Missed, Place, Subject};
use crate::store::testing::fresh;
use crate::store::{Content, Delivery, Presence, Record, Store};

const PATIENCE: Duration = Duration::from_secs(30);

/// More than is read at a time.
const BOXES: usize = 2 * AT_ONCE as usize + 100;

fn record(content: Content) -> Record {
    let received = Timestamp::from_second(1_000_000_000).unwrap();
    let delivery = Delivery { topic: String::new(), payload: Bytes::new(), received, retained: false };
    Record::Message { delivery, content }
}

/// A box is there.
fn presence(number: usize) -> Record {
    let edge = format!("gate-{number}").parse().unwrap();
    let boot = Ulid::from(7).to_string().parse().unwrap();
    record(Content::Presence(Presence { edge, boot, state: PresenceState::Online }))
}

fn alarm() -> Record {
    let text = json!({
        "specversion": "1.0", "id": Ulid::from(1).to_string(), "source": "/gatepost/edge/gate-1",
        "type": "gatepost.event.v1.device_fault", "time": "2026-01-31T08:30:00Z",
        "datacontenttype": "application/json", "boot": Ulid::from(7).to_string(), "sequence": "1",
        "data": { "severity": 1, "happening": {
            "kind": "device_fault", "fault": "disk_low", "detail": "",
            "alarm": { "id": Ulid::from(2).to_string(), "phase": "began" },
        } },
    })
    .to_string();
    let event = Box::new(Event::from_json(text.as_bytes()).unwrap());
    record(Content::Event { event, text })
}

#[tokio::test]
async fn an_alarm_does_not_wait_behind_what_thousands_of_boxes_say_before_it() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(place.path())).await.unwrap();
    let mut writer = store.writer(Folder::open(place.path().join("evidence")).unwrap());
    let (changed, changes) = watch::channel(0);
    let stop = CancellationToken::new();
    let (feed, telling) = Feed::start(store.clone(), changes, stop.clone()).await.unwrap();
    let mut page = feed.listen();

    // So the alarm has the highest number of all.
    writer.commit(&(0..BOXES).map(presence).collect::<Vec<_>>()).await.unwrap();
    let last = writer.commit(&[alarm()]).await.unwrap().last_change;
    changed.send(last).unwrap();

    let (mut devices, mut before) = (0, None);
    while devices < BOXES || before.is_none() {
        let change = tokio::time::timeout(PATIENCE, page.recv()).await.unwrap().unwrap();
        match change.subject {
            Subject::Alert => before = Some(devices),
            _ => devices += 1,
        }
    }
    assert_eq!(before, Some(0), "devices that were told before the alarm");
    // Who was away since then, and had heard of the alarm, is told of boxes alone.
    let missed = |place| feed.missed(place);
    let heard = Place::all_up_to(last).with(Lane::Devices, last - 10);
    let Missed::Changes(some) = missed(heard).await.unwrap() else { panic!("ten at most") };
    assert!(some.iter().all(|change| change.subject == Subject::Device), "{some:?}");
    assert!(matches!(missed(Place::all_up_to(0)).await.unwrap(), Missed::TooMuch));
    assert!(matches!(missed(Place::all_up_to(last + 1)).await.unwrap(), Missed::TooMuch));

    stop.cancel();
    telling.await.unwrap();
    writer.close().await;
    store.close().await;
}
