//! The uplink: carries what waits in the outbox to the broker, and forgets it only once the broker has
//! acknowledged it. Says that the box is there, and how it is.
//!
//! The outbox is the only truth: after every reconnection everything unacknowledged is sent again from there,
//! with nothing kept from the session before. The hub drops doubles by event id.

mod connection;
mod window;

use std::time::Duration;

use gatepost_wire::envelope::CONTENT_TYPE;
use gatepost_wire::health::PresenceState;
use gatepost_wire::{BootId, EdgeId, Topic};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::config::Uplink as UplinkConfig;
use crate::evidence::{EvidenceStore, JPEG};
use crate::outbox::{Delivery, Entry, Item, OutboxError, Position};
use connection::{Connection, Happened, Lost, Publication};
use window::Window;

const RECONNECT_FIRST: Duration = Duration::from_secs(1);
const RECONNECT_LAST: Duration = Duration::from_secs(60);
/// After a publish the broker did not take, or nobody listened to.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
const GOODBYE: Duration = Duration::from_secs(2);

/// Everything the uplink carries.
pub struct Uplink {
    /// Where to.
    pub config: UplinkConfig,
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
}

/// Why a session ended.
enum End {
    Stopped,
    Lost(Lost),
    Outbox(OutboxError),
}

impl Uplink {
    /// Delivers until `stop` turns true; whatever fails is tried again.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::new(RECONNECT_FIRST, RECONNECT_LAST);
        let mut last_reason = String::new();
        loop {
            let reason = match self.session(&mut stop, &mut backoff).await {
                End::Stopped => return,
                End::Lost(lost) => lost.to_string(),
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

    async fn session(&self, stop: &mut watch::Receiver<bool>, backoff: &mut Backoff) -> End {
        let connected = tokio::select! {
            connected = Connection::open(&self.config, &self.edge, self.boot) => connected,
            _ = stop.wait_for(|stop| *stop) => return End::Stopped,
        };
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(lost) => return End::Lost(lost),
        };
        backoff.reset();
        tracing::info!(broker = %self.config.broker, waiting = self.delivery.health().queued, "connected");
        let outcome = tokio::select! {
            outcome = self.serve(&mut connection) => outcome,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        };
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
    async fn serve(&self, connection: &mut Connection) -> Result<(), End> {
        let mut recorded = self.delivery.recorded();
        let mut health = self.health.clone();
        let mut window = Window::new(connection.receive_max);
        window.expect(None);
        connection.publish(self.presence(PresenceState::Online)).await.map_err(End::Lost)?;
        health.mark_changed();
        loop {
            self.fill(connection, &mut window).await?;
            tokio::select! {
                happened = connection.next() => match happened.map_err(End::Lost)? {
                    Happened::Sent(packet) => window.sent(packet),
                    Happened::Acknowledged(packet, reason) => self.acknowledged(&mut window, packet, reason)?,
                },
                Ok(()) = recorded.changed() => {}
                Ok(()) = health.changed() => {
                    let payload = health.borrow_and_update().clone();
                    window.expect(None);
                    connection.publish(self.health_report(payload)).await.map_err(End::Lost)?;
                }
                () = window.retry_due() => {}
            }
        }
    }

    /// Publishes as many waiting entries as the window allows.
    async fn fill(&self, connection: &Connection, window: &mut Window) -> Result<(), End> {
        let room = window.room(Instant::now());
        if room == 0 {
            return Ok(());
        }
        for entry in self.delivery.pending(window.cursor(), room).map_err(End::Outbox)? {
            match self.publication(&entry, connection.max_packet_bytes) {
                Some(publication) => {
                    window.expect(Some(entry.position));
                    connection.publish(publication).await.map_err(End::Lost)?;
                }
                None => self.done(entry.position)?,
            }
        }
        Ok(())
    }

    fn acknowledged(&self, window: &mut Window, packet: u16, reason: PubAckReason) -> Result<(), End> {
        let Some(position) = window.acknowledged(packet) else { return Ok(()) };
        match reason {
            PubAckReason::Success => return self.done(position),
            // The hub has looked at it and will never take it; sent again it would only block the others.
            PubAckReason::PayloadFormatInvalid => {
                tracing::error!(
                    "{}: the hub refuses an event as no event of its contract; it is set aside in the outbox: \
                     are edge and hub of versions that fit?",
                    self.config.broker
                );
                return self.delivery.set_aside(position).map_err(End::Outbox);
            }
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
            Item::Event { json, .. } => Some(Publication {
                topic: Topic::Event(self.edge.clone()).to_string(),
                payload: json.clone(),
                content_type: CONTENT_TYPE,
                retain: false,
            }),
            Item::Picture { event } => {
                let jpeg = match self.evidence.read(*event) {
                    Ok(jpeg) => jpeg,
                    Err(error) => {
                        tracing::warn!(%event, "its picture cannot be read, the event stays without: {error}");
                        return None;
                    }
                };
                let topic = Topic::Evidence(self.edge.clone(), *event).to_string();
                if jpeg.len() + topic.len() + PACKET_OVERHEAD > max_packet_bytes {
                    tracing::warn!(
                        %event, bytes = jpeg.len(), max_packet_bytes,
                        "the broker takes no packet this large, the event stays without its picture"
                    );
                    return None;
                }
                Some(Publication { topic, payload: jpeg, content_type: JPEG, retain: false })
            }
        }
    }

    fn presence(&self, state: PresenceState) -> Publication {
        connection::presence(&self.edge, self.boot, state)
    }

    fn health_report(&self, payload: Vec<u8>) -> Publication {
        let topic = Topic::Health(self.edge.clone()).to_string();
        Publication { topic, payload, content_type: "application/json", retain: true }
    }
}

/// Fixed header, packet id and properties of a publish, generously.
const PACKET_OVERHEAD: usize = 128;
