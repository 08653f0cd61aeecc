//! What came together is stored as if it had come one by one.

use bytes::Bytes;
use gatepost_wire::{Event, Health, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use sqlx::AssertSqlSafe;
use ulid::Ulid;

use crate::evidence::{Folder, Piece};
use crate::store::testing::fresh;
use crate::store::{Content, Delivery, Presence, Record, Store};

const PICTURE: &[u8] = b"\xff\xd8\xff\xe0 pixels \xff\xd9";

/// A message of one of two boxes, each with one start. Few values, so that they meet.
#[derive(Debug, Clone)]
enum Sent {
    Event { edge: u8, seq: u8 },
    Picture { edge: u8, seq: u8 },
    Report { edge: u8, last: u8, label: u8 },
    Presence { edge: u8, online: bool },
    Nonsense { edge: u8 },
}

fn sent() -> impl Strategy<Value = Sent> {
    let edge = || 0..2u8;
    prop_oneof![
        4 => (edge(), 1..9u8).prop_map(|(edge, seq)| Sent::Event { edge, seq }),
        2 => (edge(), 1..9u8).prop_map(|(edge, seq)| Sent::Picture { edge, seq }),
        2 => (edge(), 0..12u8, 0..3u8).prop_map(|(edge, last, label)| Sent::Report { edge, last, label }),
        1 => (edge(), any::<bool>()).prop_map(|(edge, online)| Sent::Presence { edge, online }),
        1 => edge().prop_map(|edge| Sent::Nonsense { edge }),
    ]
}

fn boot(edge: u8) -> Ulid {
    Ulid::from(100 + u128::from(edge))
}

fn event_id(edge: u8, seq: u8) -> Ulid {
    Ulid::from(1000 + u128::from(edge) * 100 + u128::from(seq))
}

fn event(edge: u8, seq: u8) -> (Box<Event>, String) {
    let sha256 = Piece::parse(Bytes::from_static(PICTURE)).unwrap().sha256().to_owned();
    let text = json!({
        "specversion": "1.0", "id": event_id(edge, seq).to_string(), "source": format!("/gatepost/edge/gate-{edge}"),
        "type": "gatepost.event.v1.device_fault", "time": "2026-01-31T08:30:00Z",
        "datacontenttype": "application/json", "boot": boot(edge).to_string(), "sequence": seq.to_string(),
        "data": {
            "severity": 3,
            "happening": {
                "kind": "device_fault", "fault": "disk_low", "detail": "",
                "alarm": { "id": Ulid::from(500 + u128::from(edge)).to_string(), "phase": "updated" },
            },
            "evidence": [{ "media_type": "image/jpeg", "sha256": sha256, "bytes": PICTURE.len() }],
        },
    })
    .to_string();
    (Box::new(Event::from_json(text.as_bytes()).unwrap()), text)
}

fn health(edge: u8, last: u8, label: u8) -> (Box<Health>, String) {
    let text = json!({
        "edge": format!("gate-{edge}"), "time": "2026-01-31T08:30:00Z", "boot": boot(edge).to_string(), "uptime_ms": 1000,
        "version": "0.1.0", "recorded": [{ "boot": boot(edge).to_string(), "last": last }],
        "outbox": { "queued": 0, "disk_bytes": 0 },
        "cameras": [{
            "camera": format!("camera-{}", label % 2), "label": format!("label {label}"),
            "zones": [{ "zone": "lawn", "label": format!("zone {label}") }],
            "state": { "name": "streaming" }, "frames_sampled": 1, "frames_analysed": 1, "frames_dropped": 0,
        }],
        "inference": { "model": "m", "failures": 0 }, "disk_free_bytes": 1,
    })
    .to_string();
    (serde_json::from_str(&text).unwrap(), text)
}

impl Sent {
    fn record(&self, second: i64) -> Record {
        let name = |edge: u8| format!("gate-{edge}").parse().unwrap();
        let content = match *self {
            Self::Event { edge, seq } => {
                let (event, text) = event(edge, seq);
                Content::Event { event, text }
            }
            Self::Picture { edge, seq } => {
                let piece = Piece::parse(Bytes::from_static(PICTURE)).unwrap();
                let event = event_id(edge, seq).to_string().parse().unwrap();
                Content::Evidence {
                    edge: name(edge),
                    event,
                    sha256: piece.sha256().into(),
                    format: piece.format(),
                }
            }
            Self::Report { edge, last, label } => {
                let (health, text) = health(edge, last, label);
                Content::Health { health, text }
            }
            Self::Presence { edge, online } => {
                let state = if online { "online" } else { "offline" };
                let told = json!({ "edge": name(edge), "boot": boot(edge).to_string(), "state": state });
                let gatepost_wire::Presence { edge, boot, state } = serde_json::from_value(told).unwrap();
                Content::Presence(Presence { edge, boot, state })
            }
            Self::Nonsense { edge } => Content::Refused { edge: Some(name(edge)), reason: "nonsense".into() },
        };
        let received = Timestamp::from_second(second).unwrap();
        Record::Message {
            delivery: Delivery { topic: String::new(), payload: Bytes::new(), received, retained: false },
            content,
        }
    }
}

/// Everything that does not tell in which order things came within a transaction.
const STATE: [&str; 8] = [
    "SELECT edge || ' ' || presence || ' ' || last_seen || ' ' || coalesce(health, '-') || ' ' || refused FROM device",
    "SELECT edge || ' ' || camera || ' ' || zone || ' ' || label FROM label",
    "SELECT edge || ' ' || boot || ' ' || announced FROM boot",
    "SELECT edge || ' ' || boot || ' ' || first || ' ' || last FROM sequence",
    "SELECT edge || ' ' || boot || ' ' || first || ' ' || last FROM missing",
    "SELECT id || ' ' || sequence_conflict || ' ' || coalesce(snapshot, '-') FROM event",
    "SELECT id || ' ' || events || ' ' || latest_event || ' ' || coalesce(snapshot_event, '-') FROM alarm",
    "SELECT event || ' ' || sha256 || ' ' || waiting FROM evidence",
];

/// What is in the database after these transactions.
async fn state_after(transactions: &[Vec<Record>]) -> Vec<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fresh(dir.path())).await.unwrap();
    let folder = Folder::open(dir.path().join("evidence")).unwrap();
    folder.keep(Piece::parse(Bytes::from_static(PICTURE)).unwrap()).await.unwrap();
    let mut writer = store.writer(folder);
    for records in transactions {
        let committed = writer.commit(records).await.unwrap();
        assert_eq!(committed.fates.len(), records.len());
    }
    let mut state = Vec::new();
    for query in STATE {
        let mut rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&store.readers).await.unwrap();
        rows.sort();
        state.push(rows);
    }
    writer.close().await;
    store.close().await;
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn together_is_as_one_by_one(sent in prop::collection::vec(sent(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let records = || sent.iter().zip(1..).map(|(sent, second)| sent.record(second)).collect::<Vec<_>>();
        let together = runtime.block_on(state_after(&[records()]));
        let apart: Vec<Vec<Record>> = records().into_iter().map(|record| vec![record]).collect();
        prop_assert_eq!(together, runtime.block_on(state_after(&apart)));
    }
}
