use gatepost_wire::health::CameraState;
use serde_json::json;

use super::*;
use crate::store::testing::fresh;
use crate::telemetry::{DeviceHistory, State, Stretch};

const BOOT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/// The beginning of an hour.
const HOUR: i64 = 1_700_002_800;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(HOUR + second).unwrap()
}

/// A report of a box with two cameras, that came so many seconds after the hour began.
fn sample(edge: &str, second: i64, celsius: Option<f32>) -> (EdgeId, Timestamp, BoxSample) {
    let camera = |name: &str| {
        json!({
            "camera": name, "state": { "name": "streaming" }, "frames_sampled": 5 * second, "frames_analysed": second,
            "frames_still": 3 * second, "frames_dropped": second,
        })
    };
    let mut told = json!({
        "edge": edge, "time": at(second), "boot": BOOT, "uptime_ms": second * 1000, "version": "0.1.0", "recorded": [],
        "outbox": { "queued": second % 100, "disk_bytes": 0 }, "cameras": [camera("east"), camera("west")],
        "inference": { "model": "m", "failures": 0, "mean_ms": 80.0 }, "disk_free_bytes": u64::MAX,
    });
    told["temperature_celsius"] = json!(celsius);
    let health = serde_json::from_value(told).unwrap();
    (edge.parse().unwrap(), Width::Fine.start_of(at(second)), BoxSample::of(&health, at(second)))
}

/// The whole hour, by five minutes.
fn minutes() -> Stretch {
    Stretch::new(at(0), at(3600), at(3600)).unwrap()
}

/// The whole hour at once.
fn hours() -> Stretch {
    Stretch::new(at(0), at(3600), at(3600 * 24 * 10)).unwrap()
}

#[tokio::test]
async fn what_hubs_heard_of_a_box_is_added_up_in_five_minutes_and_in_hours() {
    let dir = tempfile::tempdir().unwrap();
    let database = fresh(dir.path());
    let (one, other) = (Store::open(&database).await.unwrap(), Store::open(&database).await.unwrap());
    let edge: EdgeId = "gate-1".parse().unwrap();
    // Two hubs share the reports of the same five minutes; a later five minutes of the same hour come in the same go.
    let (warm, late) = (sample("gate-1", 10, Some(40.0)), sample("gate-1", 3500, Some(55.5)));
    one.record_samples(&[warm.clone(), late.clone(), sample("gate-2", 10, None)]).await.unwrap();
    other.record_samples(&[sample("gate-1", 280, None), sample("gate-1", 40, Some(50.0))]).await.unwrap();

    let five = one.samples(&edge, &minutes()).await.unwrap();
    let mut expected = warm.2.clone();
    expected.merge(&sample("gate-1", 40, Some(50.0)).2);
    expected.merge(&sample("gate-1", 280, None).2);
    assert_eq!(five, [(at(0), expected.clone()), (at(3300), late.2.clone())]);
    expected.merge(&late.2);
    assert_eq!(one.samples(&edge, &hours()).await.unwrap(), [(at(0), expected)]);

    let told = DeviceHistory::new(edge, &minutes(), &five, Vec::new(), Vec::new());
    assert_eq!(
        (told.reports[0], told.temperature_celsius.mean[0], told.temperature_celsius.max[11]),
        (3, Some(45.0), Some(55.5))
    );
    assert_eq!(
        (told.cameras[1].frames_per_s[0], told.cameras[1].looked_at_per_s[11]),
        (Some(5.0), Some(4.0))
    );
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_hostile_box_fills_no_sum() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let mut all = sample("gate-1", 0, Some(f32::MAX));
    for _ in 1..1000 {
        all.2.merge(&sample("gate-1", 1, Some(f32::MAX)).2);
    }
    for minute in 0..12 {
        let again = (all.0.clone(), at(minute * 300), all.2.clone());
        store.record_samples(&[again]).await.unwrap();
    }
    let kept = store.samples(&all.0, &hours()).await.unwrap();
    assert_eq!((kept[0].1.reports, kept[0].1.disk.count), (12_000, 12_000));
    store.close().await;
}

#[tokio::test]
async fn a_change_is_noted_once_whichever_hub_hears_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let edge: EdgeId = "gate-1".parse().unwrap();
    let told = |camera: Option<&str>, standing| Change {
        edge: edge.clone(),
        camera: camera.map(|name| name.parse().unwrap()),
        standing,
    };
    let ill = |reason: &str, second| {
        told(Some("east"), Standing::of_camera(&CameraState::Faulted { reason: reason.into() }, at(second)))
    };
    let online = |second| told(None, Standing::of(State::Online, at(second)));
    let offline = |second| told(None, Standing::of(State::Offline, at(second)));
    let streams = |second| told(Some("east"), Standing::of_camera(&CameraState::Streaming, at(second)));
    store.record_changes(&[online(0), streams(1), ill("no key frame for 30 s\0", 60)]).await.unwrap();
    // Another hub heard of the same later, and of some of it too late.
    store.record_changes(&[online(30), ill("no key frame for 31 s\0", 90), streams(50)]).await.unwrap();
    store.record_changes(&[offline(100), streams(200), offline(120)]).await.unwrap();

    let brief = |changes: Vec<Change>| -> Vec<(Option<String>, State, Timestamp)> {
        let one = |Change { camera, standing, .. }: Change| {
            (camera.map(|id| id.to_string()), standing.state, standing.since)
        };
        changes.into_iter().map(one).collect()
    };
    let east = || Some("east".to_owned());
    let changes = store.changes(&edge, &minutes()).await.unwrap();
    assert_eq!(changes[2].standing.reason.as_deref(), Some("no key frame for 30 s\u{fffd}"));
    assert_eq!(
        brief(changes),
        [
            (None, State::Online, at(0)),
            (east(), State::Streaming, at(1)),
            (east(), State::Faulted, at(60)),
            (None, State::Offline, at(100)),
            (east(), State::Streaming, at(200)),
        ]
    );
    let standing = store.standing(&edge).await.unwrap();
    assert_eq!(brief(standing), [(None, State::Offline, at(100)), (east(), State::Streaming, at(200))]);
    store.close().await;
}
