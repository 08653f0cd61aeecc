//! An edge's MQTT client, one message at a time.

use std::time::Duration;

use gatepost_wire::command::VerifyingKey;
use gatepost_wire::{Command, Event};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, LastWill, Packet, PubAckReason, Publish, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, EventLoop, MqttOptions};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::message::event_topic;
use crate::process::PATIENCE;

/// The connection ended before the answer.
#[derive(Debug)]
pub struct Gone;

/// A connected client; dropping cuts the connection without a word.
pub struct Edge {
    client: AsyncClient,
    answers: mpsc::UnboundedReceiver<Packet>,
    received: mpsc::UnboundedReceiver<Publish>,
    polling: JoinHandle<()>,
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

pub fn options(port: u16, name: &str, token: &str) -> MqttOptions {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    options.set_credentials(name, token);
    options.set_keep_alive(Duration::from_secs(5));
    options.set_max_packet_size(Some(64 * 1024 * 1024));
    options
}

impl Edge {
    /// Logs in as the device of this name. Tries again, as a box does, while its former connection is being closed:
    /// rmqtt answers "server unavailable" when the session to be taken over ends at that very moment.
    pub async fn connect(port: u16, name: &str, token: &str) -> Result<Self, ConnectReturnCode> {
        let patient_until = tokio::time::Instant::now() + PATIENCE;
        loop {
            match Self::with(options(port, name, token)).await {
                Err(ConnectReturnCode::ServerUnavailable) if tokio::time::Instant::now() < patient_until => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                answer => return answer,
            }
        }
    }

    /// With a last will.
    pub async fn with_will(port: u16, name: &str, token: &str, topic: &str, will: &str) -> Self {
        let mut options = options(port, name, token);
        options.set_last_will(LastWill::new(topic, will.to_owned(), QoS::AtLeastOnce, true, None));
        Self::with(options).await.unwrap()
    }

    pub async fn with(options: MqttOptions) -> Result<Self, ConnectReturnCode> {
        let (client, mut events) = AsyncClient::new(options, 16);
        loop {
            match events.poll().await {
                Ok(rumqttc::v5::Event::Incoming(Packet::ConnAck(_))) => break,
                Ok(_) => {}
                Err(ConnectionError::ConnectionRefused(code)) => return Err(code),
                Err(other) => panic!("no connection: {other}"),
            }
        }
        let (sender, answers) = mpsc::unbounded_channel();
        let (publishes, received) = mpsc::unbounded_channel();
        let polling = tokio::spawn(poll(events, sender, publishes));
        Ok(Self { client, answers, received, polling })
    }

    async fn answer<T>(&mut self, wanted: impl Fn(Packet) -> Option<T>) -> Result<T, Gone> {
        let search = async {
            while let Some(packet) = self.answers.recv().await {
                if let Some(found) = wanted(packet) {
                    return Ok(found);
                }
            }
            Err(Gone)
        };
        tokio::time::timeout(PATIENCE, search).await.expect("neither an answer nor an end of the connection")
    }

    /// Publishes and waits for the PUBACK.
    pub async fn publish(
        &mut self,
        topic: &str,
        payload: impl Into<Vec<u8>>,
        retain: bool,
    ) -> Result<PubAckReason, Gone> {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).await.map_err(|_| Gone)?;
        self.answer(|packet| match packet {
            Packet::PubAck(answer) => Some(answer.reason),
            _ => None,
        })
        .await
    }

    /// Publishes an event; true when it was acknowledged as stored.
    pub async fn send(&mut self, event: &Event) -> Result<bool, Gone> {
        let reason = self.publish(&event_topic(event), event.to_json().unwrap(), false).await?;
        Ok(matches!(reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers))
    }

    /// The next message on a topic this client is subscribed to.
    pub async fn received(&mut self) -> Publish {
        let next = tokio::time::timeout(PATIENCE, self.received.recv()).await;
        next.expect("no message came").expect("the connection ended")
    }

    /// Has nothing come yet on what it is subscribed to?
    pub fn has_received_nothing(&mut self) -> bool {
        self.received.try_recv().is_err()
    }

    /// The next command, if it is signed by this hub.
    pub async fn command(&mut self, hub: VerifyingKey) -> Command {
        hub.open(&self.received().await.payload).unwrap().command
    }

    pub async fn subscribe(&mut self, filter: &str) -> Result<SubscribeReasonCode, Gone> {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.map_err(|_| Gone)?;
        self.answer(|packet| match packet {
            Packet::SubAck(answer) => answer.return_codes.first().copied(),
            _ => None,
        })
        .await
    }
}

async fn poll(
    mut events: EventLoop,
    answers: mpsc::UnboundedSender<Packet>,
    publishes: mpsc::UnboundedSender<Publish>,
) {
    while let Ok(event) = events.poll().await {
        match event {
            rumqttc::v5::Event::Incoming(Packet::Publish(publish)) => drop(publishes.send(publish)),
            rumqttc::v5::Event::Incoming(packet) => drop(answers.send(packet)),
            rumqttc::v5::Event::Outgoing(_) => {}
        }
    }
}
