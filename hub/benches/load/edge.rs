//! Simulated edges: each a connection, a boot and a count. What is not answered when a connection ends is sent again on the
//! next, as a box does.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gatepost_wire::BootId;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAck, PubAckReason};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use ulid::Ulid;

use crate::hub::{Hub, name};
use crate::link::Link;
use crate::message;

const HEALTH_EVERY: Duration = Duration::from_secs(30);
/// Health goes under this packet id; events have the others.
const HEALTH_ID: u16 = u16::MAX;
const ANSWER: Duration = Duration::from_secs(120);
/// How often the sender looks at the clock.
const TICK: Duration = Duration::from_millis(5);

/// All of them.
pub struct Edges {
    orders: Vec<mpsc::UnboundedSender<()>>,
    tasks: Vec<JoinHandle<(String, u64)>>,
    answers: mpsc::UnboundedReceiver<Duration>,
    awaited: usize,
    next: usize,
    reconnected: Arc<AtomicU64>,
    sent: HashMap<String, u64>,
}

impl Edges {
    /// Connects so many, so many of them a second.
    pub async fn connect(hub: &Hub, count: u32, a_second: u32) -> Self {
        let (answered, answers) = mpsc::unbounded_channel();
        let (greeted, mut greetings) = mpsc::unbounded_channel();
        let reconnected = Arc::new(AtomicU64::new(0));
        let mut edges = Self {
            orders: Vec::new(),
            tasks: Vec::new(),
            answers,
            awaited: 0,
            next: 0,
            reconnected: Arc::clone(&reconnected),
            sent: HashMap::new(),
        };
        let began = Instant::now();
        for number in 0..count {
            let (order, orders) = mpsc::unbounded_channel();
            let edge = Edge {
                name: name(number),
                broker: hub.broker(),
                boot: BootId::from_ulid(Ulid::generate()),
                recorded: 0,
                unanswered: BTreeMap::new(),
                answered: answered.clone(),
                reconnected: Arc::clone(&reconnected),
            };
            edges.orders.push(order);
            edges.sent.insert(edge.name.clone(), 0);
            edges.tasks.push(tokio::spawn(edge.live(orders, greeted.clone())));
            let due = Duration::from_secs_f64(f64::from(number) / f64::from(a_second));
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
        }
        for _ in 0..count {
            let greeting = tokio::time::timeout(ANSWER, greetings.recv()).await;
            greeting.unwrap_or_else(|_| panic!("an edge cannot connect")).unwrap();
        }
        edges
    }

    /// So many alarms, evenly over this time, one edge after the other.
    pub async fn send(&mut self, alarms: u32, over: Duration) {
        let began = Instant::now();
        let mut sent = 0;
        while sent < alarms {
            let share = (began.elapsed().as_secs_f64() / over.as_secs_f64()).min(1.0);
            while f64::from(sent) < f64::from(alarms) * share {
                self.orders[self.next].send(()).unwrap();
                *self.sent.entry(name(self.next as u32)).or_default() += 1;
                self.next = (self.next + 1) % self.orders.len();
                (sent, self.awaited) = (sent + 1, self.awaited + 1);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Waits for the answer to every alarm; how long each took.
    pub async fn all_answered(&mut self) -> Vec<Duration> {
        let mut took = Vec::with_capacity(self.awaited);
        for left in (0..std::mem::take(&mut self.awaited)).rev() {
            let answer = tokio::time::timeout(ANSWER, self.answers.recv()).await;
            took.push(answer.unwrap_or_else(|_| panic!("{} alarms stay unanswered", left + 1)).unwrap());
        }
        took
    }

    /// Connections that ended and were made again.
    pub fn reconnected(&self) -> u64 {
        self.reconnected.load(Ordering::Relaxed)
    }

    /// Alarms of each edge.
    pub fn sent(&self) -> HashMap<String, u64> {
        self.sent.clone()
    }

    /// Ends all connections.
    pub async fn close(self) {
        drop(self.orders);
        for task in self.tasks {
            let (name, recorded) = task.await.unwrap();
            assert_eq!(self.sent[&name], recorded, "{name}");
        }
    }
}

/// An event on its way.
struct Sent {
    payload: Vec<u8>,
    since: Instant,
}

struct Edge {
    name: String,
    broker: std::net::SocketAddr,
    boot: BootId,
    recorded: u64,
    unanswered: BTreeMap<u16, Sent>,
    answered: mpsc::UnboundedSender<Duration>,
    reconnected: Arc<AtomicU64>,
}

/// How a connection ends.
enum End {
    Done,
    Lost(io::Error),
}

impl Edge {
    /// One connection after the other, until there are no more orders.
    async fn live(
        mut self,
        mut orders: mpsc::UnboundedReceiver<()>,
        greeted: mpsc::UnboundedSender<()>,
    ) -> (String, u64) {
        let mut greeted = Some(greeted);
        loop {
            match self.session(&mut orders, &mut greeted).await {
                End::Done => return (self.name, self.recorded),
                End::Lost(error) => {
                    if self.reconnected.fetch_add(1, Ordering::Relaxed) == 0 {
                        println!("  {}: {error}", self.name);
                    }
                    tokio::time::sleep(Duration::from_secs_f64(0.5 + 0.5 * fastrand::f64())).await;
                }
            }
        }
    }

    async fn session(
        &mut self,
        orders: &mut mpsc::UnboundedReceiver<()>,
        greeted: &mut Option<mpsc::UnboundedSender<()>>,
    ) -> End {
        let mut link = match Link::open(self.broker, &self.name).await {
            Ok(link) => link,
            Err(error) => return End::Lost(error),
        };
        if let Some(greeted) = greeted.take() {
            let _ = greeted.send(());
        }
        let topic = format!("gp/v1/{}/event", self.name);
        for (id, sent) in &self.unanswered {
            if let Err(error) = link.publish(*id, &topic, &sent.payload, false).await {
                return End::Lost(error);
            }
        }
        // Not all boxes started at the same second.
        let first = tokio::time::Instant::now() + HEALTH_EVERY.mul_f64(fastrand::f64());
        let mut health = tokio::time::interval_at(first, HEALTH_EVERY);
        loop {
            let done = tokio::select! {
                packet = link.next() => match packet {
                    Ok(Packet::PubAck(answer)) => { self.answered(&answer); Ok(()) }
                    Ok(Packet::Disconnect(goodbye)) => Err(io::Error::other(format!("{goodbye:?}"))),
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                },
                order = orders.recv() => match order {
                    Some(()) => self.alarm(&mut link, &topic).await,
                    None if self.unanswered.is_empty() => return End::Done,
                    None => panic!("{}: ended with alarms unanswered", self.name),
                },
                _ = health.tick() => {
                    let payload = message::health(&self.name, self.boot, self.recorded);
                    link.publish(HEALTH_ID, &format!("gp/v1/{}/health", self.name), &payload, true).await
                }
            };
            if let Err(error) = done {
                return End::Lost(error);
            }
        }
    }

    async fn alarm(&mut self, link: &mut Link, topic: &str) -> io::Result<()> {
        self.recorded += 1;
        let payload = message::alarm(&self.name, self.boot, self.recorded);
        let id = u16::try_from(self.recorded % u64::from(HEALTH_ID - 1)).unwrap() + 1;
        let sent = link.publish(id, topic, &payload, false).await;
        self.unanswered.insert(id, Sent { payload, since: Instant::now() });
        sent
    }

    fn answered(&mut self, answer: &PubAck) {
        if answer.pkid == HEALTH_ID {
            assert_eq!(answer.reason, PubAckReason::Success, "health of {}", self.name);
        } else if let Some(sent) = self.unanswered.remove(&answer.pkid) {
            assert_eq!(answer.reason, PubAckReason::Success, "{}: {answer:?}", self.name);
            let _ = self.answered.send(sent.since.elapsed());
        }
    }
}
