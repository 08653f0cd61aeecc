//! The uplink: carries what waits in the outbox to the broker, and forgets it only once the broker has
//! acknowledged it. Says that the box is there, and how it is.
//!
//! The outbox is the only truth: after every reconnection everything unacknowledged is sent again from there,
//! with nothing kept from the session before. The hub drops doubles by event id.

mod connection;
mod handful;
mod pace;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatepost_wire::batch::BATCH_CONTENT_TYPE;
use gatepost_wire::envelope::CONTENT_TYPE;
use gatepost_wire::health::PresenceState;
use gatepost_wire::{BootId, EdgeId, Reply, Topic};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::command::Orders;
use crate::config::Uplink as UplinkConfig;
use crate::evidence::EvidenceStore;
use crate::identity::IdentityFile;
use crate::outbox::{Delivery, Entry, Item, Lane, OutboxError, Position};
use connection::{Connection, Happened, Lost, Publication};
use handful::Handful;
use pace::Pace;
use window::{Answered, Window};

const RECONNECT_FIRST: Duration = Duration::from_secs(1);
const RECONNECT_LAST: Duration = Duration::from_secs(60);
/// After a publish the broker did not take, or nobody listened to.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
const GOODBYE: Duration = Duration::from_secs(2);
/// Batches of a lane on their way at once: one the hub stores, one that is there when it is done. More would only be what an
/// urgent event waits behind, because the hub takes one message of a box at a time.
const BATCHES_UNDER_WAY: usize = 2;

/// Is the box connected to the hub's broker?
#[derive(Debug, Default)]
pub struct Link(AtomicBool);

impl Link {
    /// It is.
    pub fn is_connected(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything the uplink carries.
pub struct Uplink {
    /// Where to.
    pub config: UplinkConfig,
    /// Is told whether there is a connection.
    pub link: Arc<Link>,
    /// By what the hub knows it, where the broker is spoken to by TLS.
    pub identity: IdentityFile,
    /// Who speaks.
    pub edge: EdgeId,
    /// Since which start.
    pub boot: BootId,
    /// What waits.
    pub delivery: Delivery,
    /// Pictures that wait.
    pub evidence: EvidenceStore,
    /// The newest health report, as JSON.
    pub health: watch::Receiver<Vec<u8>>,
    /// Takes the hub's commands.
    pub orders: Orders,
    /// What they were answered. One that is lost with its connection is given again: the hub asks again.
    pub replies: Mutex<mpsc::UnboundedReceiver<Reply>>,
}

/// Why a session ended.
enum End {
    Stopped,
    Lost(Lost),
    /// The broker took no packet as large as one of these entries, or as a batch.
    TooLarge {
        unanswered: Vec<Position>,
        batches: usize,
    },
    Outbox(OutboxError),
}

/// What a session has learnt of the broker and the next one must know.
struct Learnt {
    /// A picture this large was refused, though no limit was announced.
    too_large_bytes: usize,
    /// Why the broker does not take what waits; told once, until it takes something.
    refusal: Option<PubAckReason>,
    /// The broker takes no packet as large as a batch: events go alone.
    no_batches: bool,
    /// A batch was refused that ended here: up to here events go alone, so that only the bad ones are set aside.
    alone_until: Option<Position>,
}

impl Learnt {
    /// May what waits behind this entry go in batches?
    fn may_batch(&self, cursor: Option<Position>) -> bool {
        !self.no_batches && self.alone_until.is_none_or(|until| cursor.is_some_and(|cursor| cursor >= until))
    }
}

impl Uplink {
    /// Delivers until `stop` turns true; whatever fails is tried again.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::new(RECONNECT_FIRST, RECONNECT_LAST);
        let mut last_reason = String::new();
        let mut learnt =
            Learnt { too_large_bytes: usize::MAX, refusal: None, no_batches: false, alone_until: None };
        loop {
            let reason = match self.session(&mut stop, &mut backoff, &mut learnt).await {
                End::Stopped => return,
                End::Lost(lost) => lost.to_string(),
                End::TooLarge { batches, .. } if batches > 0 => {
                    learnt.no_batches = true;
                    format!(
                        "{}: the broker refuses a batch of events as too large, they go alone",
                        self.config.broker
                    )
                }
                End::TooLarge { unanswered, .. } => match self.give_up_picture(&unanswered, &mut learnt) {
                    Ok(()) => format!("{}: the broker refuses a packet as too large", self.config.broker),
                    Err(error) => error.to_string(),
                },
                End::Outbox(error) => error.to_string(),
            };
            if reason != last_reason {
                tracing::warn!("{reason}; trying again, events wait in the outbox");
                last_reason = reason;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_pause()) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn session(
        &self,
        stop: &mut watch::Receiver<bool>,
        backoff: &mut Backoff,
        learnt: &mut Learnt,
    ) -> End {
        let connected = tokio::select! {
            connected = Connection::open(&self.config, &self.identity, &self.edge, self.boot) => connected,
            _ = stop.wait_for(|stop| *stop) => return End::Stopped,
        };
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(lost) => return End::Lost(lost),
        };
        backoff.reset();
        self.link.0.store(true, Ordering::Relaxed);
        connection.max_packet_bytes = connection.max_packet_bytes.min(learnt.too_large_bytes);
        tracing::info!(broker = %self.config.broker, waiting = self.delivery.health().queued, "connected");
        let outcome = tokio::select! {
            outcome = self.serve(&mut connection, learnt) => outcome,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        };
        self.link.0.store(false, Ordering::Relaxed);
        match outcome {
            Err(end) => end,
            Ok(()) => {
                let goodbye = connection.close(self.presence(PresenceState::Offline));
                if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
                    tracing::info!("the broker did not take the goodbye; it will say so itself");
                }
                End::Stopped
            }
        }
    }

    /// Publishes whatever is new and takes acknowledgements, until the connection is lost.
    async fn serve(&self, connection: &mut Connection, learnt: &mut Learnt) -> Result<(), End> {
        let mut recorded = self.delivery.recorded();
        let mut health = self.health.clone();
        let mut replies = self.replies.lock().await;
        let mut window = Window::new(connection.receive_max);
        let mut pace = Pace::new();
        connection.subscribe(Topic::Command(self.edge.clone()).to_string()).await.map_err(End::Lost)?;
        window.expect_other();
        connection.publish(self.presence(PresenceState::Online)).await.map_err(End::Lost)?;
        health.mark_changed();
        loop {
            self.fill(connection, &mut window, &pace, learnt).await?;
            tokio::select! {
                happened = connection.next() => match happened.map_err(|lost| end_of(lost, &window))? {
                    Happened::Sent(packet) => window.sent(packet),
                    Happened::Acknowledged(packet, reason) => {
                        self.acknowledged(&mut window, &mut pace, packet, reason, learnt)?;
                    }
                    Happened::Commanded(payload) => self.orders.take(payload),
                },
                Some(reply) = replies.recv() => {
                    // A word and a few ids: writing them as JSON has nothing to fail on.
                    let payload = reply.to_json().unwrap_or_default();
                    let topic = Topic::Reply(self.edge.clone()).to_string();
                    window.expect_other();
                    let content_type = "application/json".into();
                    let reply = Publication { topic, payload, content_type, retain: false };
                    connection.publish(reply).await.map_err(End::Lost)?;
                }
                Ok(()) = recorded.changed() => {}
                Ok(()) = health.changed() => {
                    let payload = health.borrow_and_update().clone();
                    window.expect_other();
                    connection.publish(self.health_report(payload)).await.map_err(End::Lost)?;
                }
                () = window.retry_due() => {}
            }
        }
    }

    /// Publishes as many waiting entries as window and pace allow, urgent ones first.
    async fn fill(
        &self,
        connection: &Connection,
        window: &mut Window,
        pace: &Pace,
        learnt: &Learnt,
    ) -> Result<(), End> {
        for lane in Lane::ALL {
            while window.room(lane, Instant::now()) > 0 && window.batches(lane) < BATCHES_UNDER_WAY {
                let events = if learnt.may_batch(window.cursor(lane)) { pace.events() } else { 1 };
                let page = self.delivery.pending(lane, window.cursor(lane), events).map_err(End::Outbox)?;
                if !self.send_page(connection, window, lane, page).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Publishes waiting entries that follow each other: the events together, then their pictures. False when nothing more can
    /// go now.
    async fn send_page(
        &self,
        connection: &Connection,
        window: &mut Window,
        lane: Lane,
        page: Vec<Entry>,
    ) -> Result<bool, End> {
        let mut is_more_possible = !page.is_empty();
        let mut room = window.room(lane, Instant::now());
        let max_bytes = connection.max_packet_bytes.saturating_sub(PACKET_OVERHEAD);
        let (mut events, mut pictures, mut picture_bytes) = (Handful::default(), Vec::new(), 0);
        for entry in page {
            if matches!(entry.item, Item::Event { .. }) {
                if (events.len() == 0 && room == 0) || !events.add(entry, max_bytes) {
                    break;
                }
                room -= usize::from(events.len() == 1);
                continue;
            }
            let position = entry.position;
            let Some(publication) = self.publication(&entry, connection.max_packet_bytes) else {
                self.done(position)?;
                continue;
            };
            let bytes = publication.payload.len();
            // The others wait until these have arrived.
            if room == 0 || window.is_too_much(picture_bytes, bytes) {
                is_more_possible = false;
                break;
            }
            (room, picture_bytes) = (room - 1, picture_bytes + bytes);
            pictures.push((position, publication));
        }
        if let Some((positions, payload)) = events.into_payload() {
            let publication = self.event_publication(payload, positions.len());
            // An urgent event itself is never too much.
            if lane != Lane::Urgent && window.is_too_much(0, publication.payload.len()) {
                return Ok(false);
            }
            window.expect(positions, publication.payload.len(), Instant::now());
            connection.publish(publication).await.map_err(End::Lost)?;
        }
        for (position, publication) in pictures {
            window.expect(vec![position], publication.payload.len(), Instant::now());
            connection.publish(publication).await.map_err(End::Lost)?;
        }
        Ok(is_more_possible)
    }

    fn acknowledged(
        &self,
        window: &mut Window,
        pace: &mut Pace,
        packet: u16,
        reason: PubAckReason,
        learnt: &mut Learnt,
    ) -> Result<(), End> {
        let Some(Answered { positions, took }) = window.acknowledged(packet, Instant::now()) else {
            return Ok(());
        };
        match reason {
            PubAckReason::Success => {
                learnt.refusal = None;
                if positions.len() > 1 {
                    pace.answered(took);
                }
                return positions.into_iter().try_for_each(|position| self.done(position));
            }
            // Something in it will never be taken, or this hub takes no batches.
            PubAckReason::PayloadFormatInvalid if positions.len() > 1 => {
                learnt.alone_until = learnt.alone_until.max(positions.last().copied());
                window.start_over(Instant::now());
                return Ok(());
            }
            // The hub has looked at it and will never take it; sent again it would only block the others.
            PubAckReason::PayloadFormatInvalid => {
                tracing::error!(
                    "{}: the hub refuses an event as no event of its contract; it is set aside in the outbox: \
                     are edge and hub of versions that fit?",
                    self.config.broker
                );
                return positions
                    .into_iter()
                    .try_for_each(|position| self.delivery.set_aside(position).map_err(End::Outbox));
            }
            // One answer for each event, and again after each pause: once is enough.
            told if learnt.refusal.replace(told) == Some(told) => {}
            // With nobody subscribed the broker has thrown the event away, however politely.
            PubAckReason::NoMatchingSubscribers => {
                tracing::warn!("{}: no hub listens there yet; events wait in the outbox", self.config.broker);
            }
            refused => tracing::warn!(
                "{}: the broker refuses an event ({refused:?}); it waits in the outbox: check the access rules \
                 of user {:?}",
                self.config.broker,
                self.edge.as_str()
            ),
        }
        window.start_over(Instant::now() + RETRY_PAUSE);
        Ok(())
    }

    /// A picture the broker refuses for its size is given up; the event stays without it.
    fn give_up_picture(&self, unanswered: &[Position], learnt: &mut Learnt) -> Result<(), OutboxError> {
        for position in unanswered {
            let Some(Entry { item: Item::Picture { event }, .. }) = self.delivery.get(*position)? else {
                continue;
            };
            let bytes = self.evidence.read(event).map_or(learnt.too_large_bytes, |(_, bytes)| bytes.len());
            learnt.too_large_bytes = learnt.too_large_bytes.min(bytes);
            tracing::warn!(%event, bytes, "the broker takes no packet this large, the event stays without its picture");
            self.delivery.remove(*position)?;
            self.evidence.remove(event);
            return Ok(());
        }
        Ok(())
    }

    fn done(&self, position: Position) -> Result<(), End> {
        let removed = self.delivery.remove(position).map_err(End::Outbox)?;
        if let Some(Item::Picture { event }) = removed {
            self.evidence.remove(event);
        }
        Ok(())
    }

    /// None for a picture that can never be delivered.
    fn publication(&self, entry: &Entry, max_packet_bytes: usize) -> Option<Publication> {
        match &entry.item {
            Item::Event { json, .. } => Some(self.event_publication(json.clone(), 1)),
            Item::Picture { event } => {
                let (kind, bytes) = match self.evidence.read(*event) {
                    Ok(read) => read,
                    Err(error) => {
                        tracing::warn!(%event, "its picture cannot be read, the event stays without: {error}");
                        return None;
                    }
                };
                let topic = Topic::Evidence(self.edge.clone(), *event).to_string();
                if bytes.len() + topic.len() + PACKET_OVERHEAD > max_packet_bytes {
                    tracing::warn!(
                        %event, bytes = bytes.len(), max_packet_bytes,
                        "the broker takes no packet this large, the event stays without its picture"
                    );
                    return None;
                }
                Some(Publication {
                    topic,
                    payload: bytes,
                    content_type: kind.media_type().to_string(),
                    retain: false,
                })
            }
        }
    }

    /// Of so many events.
    fn event_publication(&self, payload: Vec<u8>, events: usize) -> Publication {
        let content_type = if events > 1 { BATCH_CONTENT_TYPE } else { CONTENT_TYPE };
        Publication {
            topic: Topic::Event(self.edge.clone()).to_string(),
            payload,
            content_type: content_type.into(),
            retain: false,
        }
    }

    fn presence(&self, state: PresenceState) -> Publication {
        connection::presence(&self.edge, self.boot, state)
    }

    fn health_report(&self, payload: Vec<u8>) -> Publication {
        let topic = Topic::Health(self.edge.clone()).to_string();
        Publication { topic, payload, content_type: "application/json".into(), retain: true }
    }
}

/// A broker answers in the order of the packets, so what it says of none is meant for the oldest picture: answers to the
/// small events before it may have been lost with the connection.
fn end_of(lost: Lost, window: &Window) -> End {
    match lost {
        Lost::TooLarge { .. } => End::TooLarge {
            unanswered: window.unanswered(),
            batches: Lane::ALL.iter().map(|lane| window.batches(*lane)).sum(),
        },
        lost => End::Lost(lost),
    }
}

/// Fixed header, packet id and properties of a publish, generously.
const PACKET_OVERHEAD: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_refused_batch_events_go_alone_until_its_end() {
        let at = |number| Some(Position::new(number, Lane::Routine));
        let mut learnt = Learnt { too_large_bytes: 0, refusal: None, no_batches: false, alone_until: None };
        assert!(learnt.may_batch(None) && learnt.may_batch(at(3)));
        learnt.alone_until = at(9);
        assert!(!learnt.may_batch(None), "a new session begins before it");
        assert!(!learnt.may_batch(at(8)) && learnt.may_batch(at(9)) && learnt.may_batch(at(12)));
        learnt.no_batches = true;
        assert!(!learnt.may_batch(at(12)));
    }
}
