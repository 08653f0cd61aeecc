//! Filling the database, as intake and grouping do.

use std::time::{Duration, Instant};

use gatepost_hub::incident::{Deadlines, Grouping};
use gatepost_hub::store::{Content, Delivery, Fate, Record, Store, Writer};
use gatepost_wire::Timestamp;
use tokio::sync::watch;

use crate::event::District;
use crate::home::{self, Home};

/// As many as intake stores in one transaction.
const BATCH: usize = 512;
/// So many events come, then their incidents are closed: people keep up with what happens, and a district is not all open.
const SHIFT: u64 = 20_000;

/// What a district's operators have before them at once.
pub const OPEN: i64 = 400;

/// What is in the database.
pub struct Filling {
    district: District,
    events: u64,
}

impl Filling {
    /// Nothing yet, and who will tell of it.
    pub const fn with(district: District) -> Self {
        Self { district, events: 0 }
    }

    /// Stores until there are so many events, each on disk and each alarm in its incident; events/s.
    pub async fn up_to(&mut self, home: &Home, events: u64) -> f64 {
        let store = Store::open(&home.database()).await.unwrap();
        let mut writer = store.writer(home.folder());
        let (changed, _) = watch::channel(store.last_change().await.unwrap());
        let grouping = Grouping::start(store.clone(), Deadlines::default(), changed.clone());
        let (more, mut took) = (events - self.events, Duration::ZERO);
        let mut look = home.connect().await;
        while self.events < events {
            let (began, until) = (Instant::now(), events.min(self.events + SHIFT));
            self.store(&mut writer, &changed, until).await;
            while !home::all_are_grouped(&mut look).await {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            took += began.elapsed();
            home.close_incidents_but(OPEN).await;
        }
        grouping.stop().await;
        writer.close().await;
        store.close().await;
        more as f64 / took.as_secs_f64()
    }

    async fn store(&mut self, writer: &mut Writer, changed: &watch::Sender<i64>, until: u64) {
        while self.events < until {
            let count = BATCH.min(usize::try_from(until - self.events).unwrap());
            let records: Vec<Record> = (0..count).map(|_| self.record()).collect();
            let committed = writer.commit(&records).await.unwrap();
            assert!(committed.fates.iter().all(|fate| *fate == Fate::Stored), "{:?}", committed.fates);
            self.events += count as u64;
            changed.send_replace(committed.last_change);
        }
    }

    /// When so many events had been told.
    pub fn time_of(&self, events: u64) -> Timestamp {
        self.district.time(events)
    }

    /// Stores one more event; how long that took.
    pub async fn one(&mut self, writer: &mut Writer) -> Duration {
        let record = self.record();
        let began = Instant::now();
        let committed = writer.commit(&[record]).await.unwrap();
        let took = began.elapsed();
        assert_eq!(committed.fates, [Fate::Stored]);
        self.events += 1;
        took
    }

    fn record(&mut self) -> Record {
        let (event, received) = self.district.next();
        let text = String::from_utf8(event.to_json().unwrap()).unwrap();
        let topic = format!("gp/v1/{}/event", event.edge);
        let delivery = Delivery { topic, payload: text.clone().into(), received, retained: false };
        Record::Message { delivery, content: Content::Event { event: Box::new(event), text } }
    }
}
