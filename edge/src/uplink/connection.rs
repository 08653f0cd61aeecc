//! One MQTT 5 session. The client runs in a task of its own, since polling it must not be cancelled half way.

use std::time::Duration;

use gatepost_wire::health::{Presence, PresenceState};
use gatepost_wire::{BootId, EdgeId, Topic};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectProperties, ConnectReturnCode, LastWill, Packet, PubAckReason, PublishProperties,
    SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError, mqttbytes};
use rumqttc::{Outgoing, TlsConfiguration, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::Uplink;
use crate::identity::{IdentityError, IdentityFile, TlsError};
use crate::secret::{SecretError, read_secret};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing an edge is sent is larger.
const MAX_INCOMING_BYTES: u32 = 256 * 1024;
/// What MQTT 5 says when the broker says nothing.
const DEFAULT_RECEIVE_MAX: u16 = u16::MAX;
const PACKET_TOO_LARGE: u8 = 0x95;
const DEFAULT_MAX_PACKET_BYTES: usize = 256 * 1024 * 1024;

/// A message and where it goes; always QoS 1.
pub(super) struct Publication {
    pub topic: String,
    pub payload: Vec<u8>,
    pub content_type: String,
    pub retain: bool,
}

/// What the session tells.
pub(super) enum Happened {
    /// The oldest publication handed over left under this packet id.
    Sent(u16),
    /// The broker answered it.
    Acknowledged(u16, PubAckReason),
    /// The hub wants something.
    Commanded(Vec<u8>),
}

/// The session is over or never began.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error(
        "{broker}: the broker rejects the login of user {user:?}: check `uplink.password_file` and the broker's users"
    )]
    Login { broker: String, user: String },
    #[error("{broker}: the broker refuses the connection: {code:?}")]
    Refused { broker: String, code: ConnectReturnCode },
    #[error("{broker}: the connection to the broker is lost or cannot be made: {reason}")]
    Broken { broker: String, reason: String },
    #[error("{broker}: the broker refuses a packet as too large")]
    TooLarge { broker: String },
    #[error("`uplink.password_file`: {0}")]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the identity of this box cannot be used: {0}: enrol it again")]
    Tls(#[from] TlsError),
}

/// A session with the broker; ends when dropped.
pub(super) struct Connection {
    /// Unacknowledged publishes the broker takes.
    pub receive_max: u16,
    /// Largest packet the broker takes.
    pub max_packet_bytes: usize,
    broker: String,
    client: AsyncClient,
    events: mpsc::UnboundedReceiver<Result<Event, ConnectionError>>,
    task: JoinHandle<()>,
}

impl Connection {
    pub async fn open(
        config: &Uplink,
        identity: &IdentityFile,
        edge: &EdgeId,
        boot: BootId,
    ) -> Result<Self, Lost> {
        let options = options(config, identity, edge, boot)?;
        let broker = config.broker.to_string();
        let (client, event_loop) = AsyncClient::new(options, 16);
        let (sender, events) = mpsc::unbounded_channel();
        let task = tokio::spawn(poll(event_loop, sender));
        let mut this = Self {
            receive_max: DEFAULT_RECEIVE_MAX,
            max_packet_bytes: DEFAULT_MAX_PACKET_BYTES,
            broker,
            client,
            events,
            task,
        };
        let greeted = tokio::time::timeout(CONNECT_TIMEOUT, this.greet(edge)).await;
        let greeting = greeted.map_err(|_| this.broken("no answer to the connection request"))??;
        if let Some(properties) = greeting.properties {
            this.receive_max = properties.receive_max.unwrap_or(DEFAULT_RECEIVE_MAX);
            this.max_packet_bytes =
                properties.max_packet_size.map_or(DEFAULT_MAX_PACKET_BYTES, |bytes| bytes as usize);
        }
        Ok(this)
    }

    async fn greet(&mut self, edge: &EdgeId) -> Result<ConnAck, Lost> {
        use ConnectReturnCode::{BadUserNamePassword, NotAuthorized};
        let broker = self.broker.clone();
        loop {
            match self.events.recv().await {
                Some(Ok(Event::Incoming(Packet::ConnAck(greeting)))) => return Ok(greeting),
                Some(Ok(_)) => {}
                Some(Err(ConnectionError::ConnectionRefused(BadUserNamePassword | NotAuthorized))) => {
                    return Err(Lost::Login { broker, user: edge.to_string() });
                }
                Some(Err(ConnectionError::ConnectionRefused(code))) => {
                    return Err(Lost::Refused { broker, code });
                }
                Some(Err(error)) => return Err(self.broken(error)),
                None => return Err(self.broken("the client stopped")),
            }
        }
    }

    pub async fn publish(&self, publication: Publication) -> Result<(), Lost> {
        let Publication { topic, payload, content_type, retain } = publication;
        let properties =
            PublishProperties { content_type: Some(content_type), ..PublishProperties::default() };
        self.client
            .publish_with_properties(topic, QoS::AtLeastOnce, retain, payload, properties)
            .await
            .map_err(|_| self.broken("the client stopped"))
    }

    /// Asks for what is published on `topic`; whether the broker allows it shows in its answer.
    pub async fn subscribe(&self, topic: String) -> Result<(), Lost> {
        let asked = self.client.subscribe(topic, QoS::AtLeastOnce).await;
        asked.map_err(|_| self.broken("the client stopped"))
    }

    /// The next thing that matters; can be cancelled.
    pub async fn next(&mut self) -> Result<Happened, Lost> {
        loop {
            match self.events.recv().await {
                Some(Ok(Event::Outgoing(Outgoing::Publish(packet)))) => return Ok(Happened::Sent(packet)),
                Some(Ok(Event::Incoming(Packet::PubAck(ack)))) => {
                    return Ok(Happened::Acknowledged(ack.pkid, ack.reason));
                }
                // Nothing else was asked for.
                Some(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                    return Ok(Happened::Commanded(publish.payload.to_vec()));
                }
                Some(Ok(Event::Incoming(Packet::SubAck(answer)))) => {
                    if !answer.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_)))
                    {
                        tracing::warn!(
                            "{}: the broker does not let this box hear commands ({:?}): check its access rules",
                            self.broker,
                            answer.return_codes
                        );
                    }
                }
                Some(Ok(Event::Incoming(Packet::Disconnect(goodbye)))) => {
                    return Err(self.broken(format!("the broker said goodbye: {:?}", goodbye.reason_code)));
                }
                Some(Ok(_)) => {}
                // Mosquitto answers so, which MQTT 5 does not allow: the client cannot read it and gives up.
                Some(Err(ConnectionError::MqttState(StateError::Deserialization(
                    mqttbytes::Error::InvalidConnectReturnCode(PACKET_TOO_LARGE),
                )))) => return Err(Lost::TooLarge { broker: self.broker.clone() }),
                Some(Err(error)) => return Err(self.broken(error)),
                None => return Err(self.broken("the client stopped")),
            }
        }
    }

    /// Leaves a last message and says goodbye.
    pub async fn close(mut self, last: Publication) {
        if self.publish(last).await.is_err() || self.client.disconnect().await.is_err() {
            return;
        }
        // Messages leave in order, so once the goodbye has left, the last message has.
        while let Some(Ok(event)) = self.events.recv().await {
            if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                return;
            }
        }
    }

    fn broken(&self, reason: impl ToString) -> Lost {
        Lost::Broken { broker: self.broker.clone(), reason: reason.to_string() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Drives the client until its first error: what follows it would be another session.
async fn poll(mut event_loop: EventLoop, events: mpsc::UnboundedSender<Result<Event, ConnectionError>>) {
    loop {
        let event = event_loop.poll().await;
        let failed = event.is_err();
        if events.send(event).is_err() || failed {
            return;
        }
    }
}

fn options(
    config: &Uplink,
    identity: &IdentityFile,
    edge: &EdgeId,
    boot: BootId,
) -> Result<MqttOptions, Lost> {
    // The client id is the edge's name: two boxes of one name throw each other out, which is seen at once.
    let mut options = MqttOptions::new(edge.as_str(), config.broker.host(), config.broker.port());
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_start(true)
        .set_connection_timeout(CONNECT_TIMEOUT.as_secs());
    let mut properties = ConnectProperties::new();
    properties.max_packet_size = Some(MAX_INCOMING_BYTES);
    options.set_connect_properties(properties);
    if let Some(file) = &config.password_file {
        options.set_credentials(edge.as_str(), read_secret(file)?);
    }
    if config.broker.is_tls() {
        // Read anew for each connection: it may have been renewed, or the box enrolled.
        let tls = identity.read()?.tls()?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    let Publication { topic, payload, .. } = presence(edge, boot, PresenceState::Offline);
    options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true, None));
    Ok(options)
}

pub(super) fn presence(edge: &EdgeId, boot: BootId, state: PresenceState) -> Publication {
    let presence = Presence { edge: edge.clone(), boot, state };
    Publication {
        topic: Topic::Presence(edge.clone()).to_string(),
        // Three fields of plain text: writing them as JSON has nothing to fail on.
        payload: serde_json::to_vec(&presence).unwrap_or_default(),
        content_type: "application/json".into(),
        retain: true,
    }
}
