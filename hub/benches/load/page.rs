//! An open page: what the hub's live stream tells of alarms, and how late.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatepost_testbed::http::EventStream;
use gatepost_wire::Timestamp;
use serde::Deserialize;

use crate::hub::Hub;
use crate::tally::Quantiles;

const LATER: Duration = Duration::from_secs(120);

/// What an alarm may take to reach a page.
const TARGET: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Alert {
    id: String,
    began: Timestamp,
}

#[derive(Default)]
struct Heard {
    alarms: HashSet<String>,
    late: Vec<Duration>,
    /// Seconds since the page was opened in which an alarm came later than it should.
    slow: BTreeSet<u64>,
    resets: usize,
    /// Alarms that were not told, because the page was to load them.
    loaded: usize,
}

/// Listens for as long as it lives.
pub struct Page(Arc<Mutex<Heard>>);

/// How late alarms were, and how many the page was told to load instead.
pub struct Told {
    late: Quantiles,
    slow: BTreeSet<u64>,
    resets: usize,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.late.fmt(f)?;
        if !self.slow.is_empty() {
            write!(f, "; later than {TARGET:?} in seconds {:?}", self.slow)?;
        }
        if self.resets > 0 {
            write!(f, "; told {} times to load anew what it could not follow", self.resets)?;
        }
        Ok(())
    }
}

impl Page {
    pub fn open(hub: &Hub) -> Self {
        let stream = EventStream::open(&hub.live_url()).unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let weak = Arc::downgrade(&heard);
        let opened = Instant::now();
        std::thread::spawn(move || {
            while let Some(heard) = weak.upgrade() {
                let Ok(sent) = stream.next(Duration::from_secs(1)) else { continue };
                let now = Timestamp::now();
                let mut heard = heard.lock().unwrap();
                match sent.event.as_str() {
                    "reset" => heard.resets += 1,
                    "alert" => {
                        let alert: Alert = serde_json::from_str(&sent.data).unwrap();
                        if heard.alarms.insert(alert.id) {
                            let late = now.duration_since(alert.began).unsigned_abs();
                            heard.late.push(late);
                            if late > TARGET {
                                heard.slow.insert(opened.elapsed().as_secs());
                            }
                        }
                    }
                    _ => {}
                }
            }
        });
        Self(heard)
    }

    /// Waits until it was told of so many alarms, or was told to load anew and hears nothing more.
    pub async fn settled(&self, alarms: u32) -> Told {
        let patient_until = Instant::now() + LATER;
        let mut before = 0;
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let mut heard = self.0.lock().unwrap();
            let (known, resets) = (heard.alarms.len(), heard.resets);
            let told = known + heard.loaded;
            if told >= alarms as usize || (resets > 0 && known == before) {
                let late = Quantiles::of(std::mem::take(&mut heard.late));
                let slow = std::mem::take(&mut heard.slow);
                heard.resets = 0;
                heard.loaded = (alarms as usize).saturating_sub(known);
                return Told { late, slow, resets };
            }
            assert!(Instant::now() < patient_until, "of {alarms} alarms the live stream told {known}");
            before = known;
        }
    }
}
