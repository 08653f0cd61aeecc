//! What a hub would hear: a subscriber of all topics, over every restart of the broker.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gatepost_testbed::http::wait_until;
use gatepost_wire::event::Phase;
use gatepost_wire::health::{CameraHealth, PresenceState};
use gatepost_wire::topic::HUB_FILTERS;
use gatepost_wire::{Event, EventId, Evidence, Health, MediaType, Presence, Reply, Topic, batch};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish};
use rumqttc::v5::{Client, Connection, Event as MqttEvent, MqttOptions};

use super::edge::Recorded;

/// Everything heard so far.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    pub subscriptions: usize,
    /// In the order they came, doubles too.
    pub events: Vec<Event>,
    pub pictures: HashMap<EventId, Vec<u8>>,
    pub health: Vec<Health>,
    pub presence: Vec<Presence>,
    pub replies: Vec<Reply>,
    /// What the contract does not know.
    pub strange: Vec<String>,
}

/// A subscriber; leaves when dropped.
pub struct Listener {
    heard: Arc<Mutex<Heard>>,
    leaving: Arc<AtomicBool>,
    client: Client,
}

impl Listener {
    /// Subscribes; returns once the broker has confirmed it.
    pub fn start(port: u16) -> Self {
        Self::start_as(port, None)
    }

    /// Subscribes as a user.
    pub fn start_as(port: u16, login: Option<(&str, &str)>) -> Self {
        let listener = Self::begin(port, login);
        listener.wait("the subscription", |heard| (heard.subscriptions > 0).then_some(()));
        listener
    }

    /// Subscribes as soon as there is a broker.
    pub fn begin(port: u16, login: Option<(&str, &str)>) -> Self {
        let mut options = MqttOptions::new(name(), "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(5)).set_max_packet_size(Some(16 << 20));
        if let Some((user, password)) = login {
            options.set_credentials(user, password);
        }
        let (client, connection) = Client::new(options, 16);
        let heard = Arc::new(Mutex::new(Heard::default()));
        let leaving = Arc::new(AtomicBool::new(false));
        let ear = Ear { client: client.clone(), heard: heard.clone(), leaving: leaving.clone() };
        thread::spawn(move || ear.listen(connection));
        Self { heard, leaving, client }
    }

    /// Speaks as a hub does.
    pub fn say(&self, topic: &Topic, payload: Vec<u8>) {
        self.client.publish(topic.to_string(), QoS::AtLeastOnce, false, payload).unwrap();
    }

    pub fn heard(&self) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `wanted` finds something in what was heard; long enough for several rounds of anything.
    pub fn wait<T>(&self, what: &str, mut wanted: impl FnMut(&Heard) -> Option<T>) -> T {
        let found = wait_until(what, super::LATER, || {
            thread::sleep(Duration::from_millis(50));
            wanted(&self.heard())
        });
        found.unwrap_or_else(|error| panic!("{error}; heard: {}", self.heard().summary()))
    }

    /// Waits until everything in `recorded` has arrived.
    pub fn wait_for_all(&self, recorded: &[Recorded]) {
        self.wait("the arrival of everything recorded", |heard| {
            heard.lacks(recorded).is_empty().then_some(())
        });
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.leaving.store(true, Ordering::Relaxed);
        // If the broker is gone there is nobody to take leave of.
        let _ = self.client.try_disconnect();
    }
}

/// Two clients of one name would throw each other out.
fn name() -> String {
    static LISTENERS: AtomicU32 = AtomicU32::new(0);
    format!("listener-{}", LISTENERS.fetch_add(1, Ordering::Relaxed))
}

struct Ear {
    client: Client,
    heard: Arc<Mutex<Heard>>,
    leaving: Arc<AtomicBool>,
}

impl Ear {
    fn listen(self, mut connection: Connection) {
        for event in connection.iter() {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(MqttEvent::Incoming(Packet::ConnAck(_))) => {
                    let filters = HUB_FILTERS.map(|path| Filter::new(path, QoS::AtLeastOnce));
                    self.client.try_subscribe_many(filters).unwrap();
                }
                Ok(MqttEvent::Incoming(Packet::SubAck(_))) => heard.subscriptions += 1,
                Ok(MqttEvent::Incoming(Packet::Publish(publish))) => heard.take(&publish),
                Ok(_) => {}
                Err(_) if self.leaving.load(Ordering::Relaxed) => return,
                Err(_) => {
                    drop(heard);
                    thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }
}

/// One event, or a batch of them.
fn events(payload: &[u8]) -> Result<Vec<Event>, String> {
    let documents = match batch::is_batch(payload) {
        true => batch::split(payload).map_err(|e| e.to_string())?,
        false => vec![str::from_utf8(payload).map_err(|e| e.to_string())?],
    };
    documents
        .iter()
        .map(|document| Event::from_json(document.as_bytes()).map_err(|e| e.to_string()))
        .collect()
}

impl Heard {
    fn take(&mut self, publish: &Publish) {
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        let payload = publish.payload.as_ref();
        let fault = match topic.parse::<Topic>() {
            Ok(Topic::Event(_)) => match events(payload) {
                Ok(events) => return self.events.extend(events),
                Err(error) => error,
            },
            Ok(Topic::Evidence(_, event)) => return drop(self.pictures.insert(event, payload.to_vec())),
            Ok(Topic::Health(_)) => match serde_json::from_slice(payload) {
                Ok(health) => return self.health.push(health),
                Err(error) => error.to_string(),
            },
            Ok(Topic::Presence(_)) => match serde_json::from_slice(payload) {
                Ok(presence) => return self.presence.push(presence),
                Err(error) => error.to_string(),
            },
            Ok(Topic::Reply(_)) => match Reply::from_json(payload) {
                Ok(reply) => return self.replies.push(reply),
                Err(error) => error.to_string(),
            },
            Ok(Topic::Command(_)) => "a command, which no box gives".to_owned(),
            Err(error) => error.to_string(),
        };
        self.strange.push(format!("{topic}: {fault}"));
    }

    /// What was recorded and has not arrived.
    pub fn lacks(&self, recorded: &[Recorded]) -> Vec<Recorded> {
        let arrived = |r: &Recorded| {
            self.events.iter().any(|e| e.id == r.event && e.seq.0 == r.seq && e.boot.to_string() == r.boot)
        };
        recorded.iter().filter(|r| !arrived(r)).cloned().collect()
    }

    /// Doubles are equal, no two events share a place, and no boot has a gap between 1 and its last.
    pub fn assert_whole(&self) {
        assert!(self.strange.is_empty(), "{:?}", self.strange);
        let mut by_id: HashMap<EventId, &Event> = HashMap::new();
        let mut by_boot: BTreeMap<String, BTreeMap<u64, EventId>> = BTreeMap::new();
        for event in &self.events {
            assert_eq!(*by_id.entry(event.id).or_insert(event), event, "a double differs");
            let places = by_boot.entry(event.boot.to_string()).or_default();
            assert_eq!(*places.entry(event.seq.0).or_insert(event.id), event.id, "two events in one place");
        }
        for (boot, places) in by_boot {
            let seqs: Vec<u64> = places.into_keys().collect();
            let whole: Vec<u64> = (1..=seqs.len() as u64).collect();
            assert_eq!(seqs, whole, "gaps in boot {boot}");
        }
    }

    /// Events with evidence of this type, whose bytes have come.
    pub fn with(&self, media_type: &MediaType) -> Vec<(Event, Evidence, Vec<u8>)> {
        let arrived = |event: &Event| {
            let evidence = event.data.evidence.iter().find(|e| e.media_type == *media_type)?;
            Some((event.clone(), evidence.clone(), self.pictures.get(&event.id)?.clone()))
        };
        self.events.iter().filter_map(arrived).collect()
    }

    /// Alarms that began and have not ended.
    pub fn open_alarms(&self) -> Vec<String> {
        let phases = |phase: Phase| {
            let alarms = self.events.iter().filter_map(|e| e.data.happening.alarm());
            alarms.filter(move |a| a.phase == phase).map(|a| a.id.to_string())
        };
        let ended: Vec<String> = phases(Phase::Ended).collect();
        phases(Phase::Began).filter(|alarm| !ended.contains(alarm)).collect()
    }

    /// Events of a kind in a phase.
    pub fn of(&self, kind: &str, phase: Phase) -> Vec<Event> {
        let wanted = |e: &&Event| {
            e.data.happening.kind() == kind && e.data.happening.alarm().is_some_and(|a| a.phase == phase)
        };
        self.events.iter().filter(wanted).cloned().collect()
    }

    /// The newest report of a camera.
    pub fn camera(&self, id: &str) -> Option<CameraHealth> {
        self.health.last()?.cameras.iter().find(|camera| camera.camera.as_str() == id).cloned()
    }

    pub fn last_presence(&self) -> Option<PresenceState> {
        self.presence.last().map(|presence| presence.state)
    }

    fn summary(&self) -> String {
        let events: Vec<_> = self
            .events
            .iter()
            .map(|e| {
                format!(
                    "{} {} {:?}",
                    e.seq,
                    e.data.happening.kind(),
                    e.data.happening.alarm().map(|a| a.phase)
                )
            })
            .collect();
        format!(
            "{} events {events:?}, {} pictures, strange {:?}, presence {:?}, last health {:?}",
            events.len(),
            self.pictures.len(),
            self.strange,
            self.presence,
            self.health.last()
        )
    }
}
