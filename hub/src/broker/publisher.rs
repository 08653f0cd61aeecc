//! The one thing the hub publishes: commands to boxes, through either kind of broker. Nothing is queued here; whoever
//! publishes keeps what is not answered and publishes it again.

use std::num::NonZeroU32;
use std::time::Duration;

use gatepost_wire::Topic;
use gatepost_wire::command::signed::SIGNED_CONTENT_TYPE;
use rmqtt::codec::v5::PublishProperties as EmbeddedProperties;
use rmqtt::context::ServerContext;
use rmqtt::session::SessionState;
use rmqtt::types::{CodecPublish, From as Sender, Id, Publish, QoS as EmbeddedQoS};
use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use tokio::sync::watch;

/// The hub's name at its own broker. No device can have it: a device's client id is its user name.
const SENDER: &str = "gatepost-hub";

/// Publishes at QoS 1; cheap to clone.
#[derive(Clone)]
pub enum Publisher {
    /// Through the broker inside the process.
    Embedded(ServerContext),
    /// Through a client, while it is connected.
    External(watch::Receiver<Option<AsyncClient>>),
}

/// Nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The external broker is away.
    #[error("there is no connection to the broker")]
    NotConnected,
    /// The client cannot take more.
    #[error("the broker's client: {0}")]
    Client(#[from] rumqttc::v5::ClientError),
    /// The embedded broker failed.
    #[error("the embedded broker: {0}")]
    Embedded(String),
}

impl Publisher {
    /// Publishes to whoever is subscribed now; a broker that keeps it for an absent one drops it after `expiry`.
    ///
    /// # Errors
    /// When it went to nobody at all.
    pub async fn publish(
        &self,
        topic: &Topic,
        payload: Vec<u8>,
        expiry: Duration,
    ) -> Result<(), PublishError> {
        let seconds = u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX).max(1);
        match self {
            Self::Embedded(context) => {
                let publish = CodecPublish {
                    dup: false,
                    retain: false,
                    qos: EmbeddedQoS::AtLeastOnce,
                    topic: topic.to_string().into(),
                    packet_id: None,
                    payload: payload.into(),
                    properties: Some(EmbeddedProperties {
                        message_expiry_interval: NonZeroU32::new(seconds),
                        content_type: Some(SIGNED_CONTENT_TYPE.into()),
                        ..EmbeddedProperties::default()
                    }),
                };
                let sender =
                    Sender::from_system(Id::new(context.node.id(), 0, None, None, SENDER.into(), None));
                SessionState::forwards(context, sender, Publish::from(publish), false, Some(expiry))
                    .await
                    .map_err(|error| PublishError::Embedded(error.to_string()))
            }
            Self::External(client) => {
                let client = client.borrow().clone().ok_or(PublishError::NotConnected)?;
                let properties = PublishProperties {
                    message_expiry_interval: Some(seconds),
                    content_type: Some(SIGNED_CONTENT_TYPE.into()),
                    ..PublishProperties::default()
                };
                // Not the waiting kind: the connection may be ending.
                Ok(client.try_publish_with_properties(
                    topic.to_string(),
                    QoS::AtLeastOnce,
                    false,
                    payload,
                    properties,
                )?)
            }
        }
    }
}
