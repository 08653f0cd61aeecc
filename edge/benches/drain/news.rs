//! Alarms that happen while others drain, and the hub's live stream, which should tell of them soon.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_testbed::http::{self, EventStream};
use gatepost_wire::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::boxes::EdgeBox;
use crate::hub::Hub;

/// Of the boxes that have news.
const PREFIX: &str = "news-";
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Alert {
    id: String,
    edge: String,
    began: Timestamp,
}

/// The list of the newest.
#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

/// What an open page knows of them.
#[derive(Default)]
struct Heard {
    alarms: HashSet<String>,
    late: Vec<Duration>,
    /// The stream said that it left something out, as it does when a page cannot follow; the list was loaded anew.
    resets: usize,
}

/// Listens for as long as it lives.
pub struct News {
    heard: Arc<Mutex<Heard>>,
    happened: Arc<Mutex<usize>>,
}

impl News {
    pub fn listen(hub: &Hub) -> Self {
        let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
        let list = hub.url("/api/v1/alerts?limit=200");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (weak, happened) = (Arc::downgrade(&heard), Arc::default());
        std::thread::spawn(move || {
            while let Some(heard) = weak.upgrade() {
                let Ok(sent) = stream.next(Duration::from_secs(1)) else { continue };
                match sent.event.as_str() {
                    "reset" => {
                        // As the page does.
                        let alerts: Alerts = http::get_json(&list).unwrap();
                        let mut heard = heard.lock().unwrap();
                        heard.resets += 1;
                        alerts.alerts.into_iter().for_each(|alert| heard.take(alert));
                    }
                    "alert" => heard.lock().unwrap().take(serde_json::from_str(&sent.data).unwrap()),
                    _ => {}
                }
            }
        });
        Self { heard, happened }
    }

    /// How often the list had to be loaded anew.
    pub fn resets(&self) -> usize {
        self.heard.lock().unwrap().resets
    }

    /// How late what was heard since the last call came.
    pub fn take_late(&self) -> Vec<Duration> {
        std::mem::take(&mut self.heard.lock().unwrap().late)
    }

    /// Waits until every alarm was heard of.
    pub async fn wait_for_all(&self) {
        let patient_until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let happened = *self.happened.lock().unwrap();
            let (heard, resets) = {
                let heard = self.heard.lock().unwrap();
                (heard.alarms.len(), heard.resets)
            };
            if heard == happened {
                return;
            }
            assert!(
                tokio::time::Instant::now() < patient_until,
                "of {happened} alarms the live stream told {heard}, and {resets} times to load anew"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Heard {
    fn take(&mut self, alert: Alert) {
        let now = Timestamp::now();
        if alert.edge.starts_with(PREFIX) && self.alarms.insert(alert.id) {
            self.late.push(now.duration_since(alert.began).unsigned_abs());
        }
    }
}

/// A box that has an alarm now and then.
pub struct Reporter {
    name: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<usize>,
}

impl Reporter {
    pub fn start(edge: EdgeBox, hub: &Hub, news: &News, every: Duration) -> Self {
        let name = edge.name();
        let mut running = edge.connect(hub);
        let (stop, mut stopped) = watch::channel(false);
        let happened = Arc::clone(&news.happened);
        let task = tokio::spawn(async move {
            // Not all at the same moment.
            tokio::time::sleep(every.mul_f64(fastrand::f64())).await;
            while tokio::time::timeout(every, stopped.changed()).await.is_err() {
                *happened.lock().unwrap() += 1;
                running.alarm();
            }
            running.stop().await
        });
        Self { name, stop, task }
    }

    /// Its name and how many events it had.
    pub async fn stop(self) -> (String, usize) {
        self.stop.send_replace(true);
        (self.name, self.task.await.unwrap())
    }
}
