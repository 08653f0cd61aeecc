//! The store against a list: events in any order, again, from a copied disk or under another box's ids, in transactions of any
//! size of which some fail and are tried again, with restarts between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use bytes::Bytes;
use gatepost_wire::{AlarmId, BootId, EdgeId, Event, EventId, Timestamp};
use proptest::prelude::*;
use ulid::Ulid;

use crate::access::Scope;
use crate::evidence::{Folder, Format};
use crate::store::testing::fresh;
use crate::store::{
    AlertFilter, Content, Database, Delivery, DeviceFilter, EventFilter, Fate, Record, Store, StoreError,
    Writer,
};

/// An event somebody sends. Few values, so that they meet.
#[derive(Debug, Clone)]
struct Sent {
    edge: u8,
    boot: u8,
    seq: u8,
    /// Another event with the same place in the boot, as after a disk was copied.
    twin: bool,
    /// Under an id of the other box.
    stolen_id: bool,
    /// Of an alarm of the other box.
    stolen_alarm: bool,
}

#[derive(Debug, Clone)]
enum Step {
    /// A transaction.
    Commit(Vec<Sent>),
    /// One that fails at its end, and with it everything in it.
    Fail(Vec<Sent>),
    Restart,
}

fn sent() -> impl Strategy<Value = Sent> {
    let seldom = || prop::bool::weighted(0.1);
    (0..2u8, 0..2u8, 1..12u8, seldom(), seldom(), seldom()).prop_map(
        |(edge, boot, seq, twin, stolen_id, stolen_alarm)| Sent {
            edge,
            boot,
            seq,
            twin,
            stolen_id,
            stolen_alarm,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let events = || prop::collection::vec(sent(), 1..20);
    prop_oneof![
        6 => events().prop_map(Step::Commit),
        2 => events().prop_map(Step::Fail),
        1 => Just(Step::Restart),
    ]
}

impl Sent {
    fn edge(&self) -> EdgeId {
        format!("gate-{}", self.edge).parse().unwrap()
    }

    fn boot(&self) -> BootId {
        BootId::from_ulid(Ulid::from(100 + u128::from(self.edge) * 2 + u128::from(self.boot)))
    }

    fn own_or_other(&self, other: bool) -> u128 {
        u128::from(self.edge ^ u8::from(other))
    }

    fn id(&self) -> EventId {
        let place =
            (self.own_or_other(self.stolen_id) * 2 + u128::from(self.boot)) * 16 + u128::from(self.seq);
        EventId::from_ulid(Ulid::from(1000 + place * 2 + u128::from(self.twin)))
    }

    /// Every three numbers of a box tell of one alarm.
    fn alarm(&self) -> AlarmId {
        AlarmId::from_ulid(Ulid::from(
            500 + self.own_or_other(self.stolen_alarm) * 16 + u128::from(self.seq / 3),
        ))
    }

    fn record(&self) -> Record {
        let text = serde_json::json!({
            "specversion": "1.0", "id": self.id().to_string(), "source": format!("/gatepost/edge/{}", self.edge()),
            "type": "gatepost.event.v1.device_fault", "time": "2026-01-31T08:30:00Z",
            "datacontenttype": "application/json", "boot": self.boot().to_string(), "sequence": self.seq.to_string(),
            "data": {
                "severity": 3,
                "happening": {
                    "kind": "device_fault", "fault": "disk_low", "detail": "",
                    "alarm": { "id": self.alarm().to_string(), "phase": "updated" },
                },
            },
        })
        .to_string();
        let event = Box::new(Event::from_json(text.as_bytes()).unwrap());
        Record::Message { delivery: delivery(), content: Content::Event { event, text } }
    }
}

fn delivery() -> Delivery {
    Delivery { topic: String::new(), payload: Bytes::new(), received: Timestamp::UNIX_EPOCH, retained: false }
}

/// Evidence that is said to be on disk and is not: the store refuses to vouch for it, after everything before it.
fn broken() -> Record {
    let evidence = Content::Evidence {
        edge: "gate-0".parse().unwrap(),
        event: EventId::from_ulid(Ulid::from(1)),
        sha256: "0".repeat(64),
        format: Format::Jpeg,
    };
    Record::Message { delivery: delivery(), content: evidence }
}

/// What is promised, said as simply as it can be.
#[derive(Default)]
struct Model {
    /// Event and whether its place was taken, in the order of storing.
    events: Vec<(EventId, bool)>,
    owners: HashMap<EventId, EdgeId>,
    alarms: BTreeMap<AlarmId, (EdgeId, u64)>,
    places: BTreeMap<(EdgeId, BootId), BTreeSet<u64>>,
}

impl Model {
    fn take(&mut self, sent: &Sent) -> &'static str {
        let (id, alarm, edge) = (sent.id(), sent.alarm(), sent.edge());
        if self.alarms.get(&alarm).is_some_and(|(owner, _)| *owner != edge) {
            return "refused";
        }
        match self.owners.get(&id) {
            Some(owner) if *owner == edge => return "duplicate",
            Some(_) => return "refused",
            None => {}
        }
        self.owners.insert(id, edge.clone());
        self.alarms.entry(alarm).or_insert_with(|| (edge.clone(), 0)).1 += 1;
        let new = self.places.entry((edge, sent.boot())).or_default().insert(sent.seq.into());
        self.events.push((id, !new));
        "stored"
    }

    fn missing(&self) -> BTreeMap<(EdgeId, BootId), Vec<u64>> {
        let absent = |seen: &BTreeSet<u64>| -> Vec<u64> {
            let top = seen.last().copied().unwrap_or(0);
            (1..=top).filter(|number| !seen.contains(number)).collect()
        };
        let all = self.places.iter().map(|(boot, seen)| (boot.clone(), absent(seen)));
        all.filter(|(_, gaps)| !gaps.is_empty()).collect()
    }
}

fn name(fate: &Fate) -> &'static str {
    match fate {
        Fate::Stored => "stored",
        Fate::Duplicate => "duplicate",
        Fate::Refused(_) => "refused",
    }
}

async fn open(database: &Database, dir: &Path) -> (Store, Writer) {
    let store = Store::open(database).await.unwrap();
    let writer = store.writer(Folder::open(dir.join("evidence")).unwrap());
    (store, writer)
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let database = fresh(dir.path());
    let (mut store, mut writer) = open(&database, dir.path()).await;
    let mut model = Model::default();
    let mut last_change = 0;
    for step in steps {
        match step {
            Step::Commit(events) => {
                let records: Vec<Record> = events.iter().map(Sent::record).collect();
                let committed = writer.commit(&records).await.unwrap();
                let fates: Vec<&str> = committed.fates.iter().map(name).collect();
                let expected: Vec<&str> = events.iter().map(|sent| model.take(sent)).collect();
                if expected.contains(&"stored") {
                    prop_assert!(committed.last_change > last_change, "a page would not hear of it");
                }
                prop_assert_eq!(fates, expected);
                last_change = committed.last_change;
            }
            Step::Fail(events) => {
                let records: Vec<Record> = events.iter().map(Sent::record).chain([broken()]).collect();
                let failed = writer.commit(&records).await;
                prop_assert!(matches!(failed, Err(StoreError::EvidenceGone(_))), "{failed:?}");
            }
            Step::Restart => {
                writer.close().await;
                store.close().await;
                (store, writer) = open(&database, dir.path()).await;
            }
        }
        agree(&store, &model).await?;
    }
    Ok(())
}

async fn agree(store: &Store, model: &Model) -> Result<(), TestCaseError> {
    let all = EventFilter { scope: Scope::All, edge: None, boot: None, after: 0, limit: 500 };
    let events = store.events(&all).await.unwrap().events;
    let events: Vec<_> = events.iter().map(|event| (event.id, event.sequence_conflict)).collect();
    prop_assert_eq!(&events, &model.events);

    let all = AlertFilter { scope: Scope::All, edge: None, camera: None, before: None, limit: 500 };
    let alerts = store.alerts(&all).await.unwrap().alerts;
    let alarms: BTreeMap<_, _> =
        alerts.into_iter().map(|alert| (alert.id, (alert.edge, alert.events))).collect();
    prop_assert_eq!(&alarms, &model.alarms);

    let mut missing: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for device in store.devices(&DeviceFilter::ALL).await.unwrap() {
        for gap in device.missing {
            missing.entry((device.edge.clone(), gap.boot)).or_default().extend(gap.first.0..=gap.last.0);
        }
    }
    prop_assert_eq!(missing, model.missing());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_store_agrees_with_a_list(steps in prop::collection::vec(step(), 1..10)) {
        tokio::runtime::Runtime::new().unwrap().block_on(run(steps))?;
    }
}
