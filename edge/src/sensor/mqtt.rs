//! Sensors that speak on an MQTT broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Filter, Packet, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};

use super::message::{is_online, read};
use super::sign::{Line, Said, Sign};
use crate::clock::Clock;
use crate::config::{MqttBroker, MqttPoint};
use crate::identity::{TlsError, tls_by};
use crate::secret::{SecretError, read_secret};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// No sensor says more; the broker keeps back what is larger (MQTT 5.0, 3.1.2.11.4).
const MAX_MESSAGE_BYTES: u32 = 64 * 1024;

/// A sensor by its place, and what was heard of it.
type Heard = (usize, Said);

/// A broker sensors speak on.
pub(super) struct Mqtt {
    broker: MqttBroker,
    client_id: String,
    points: Vec<MqttPoint>,
    /// What is heard where.
    topics: BTreeMap<String, Vec<Use>>,
    session: Option<Session>,
    clock: Arc<Clock>,
}

/// What a topic is good for: the place of a sensor, and what is told of it there.
#[derive(Debug, Clone, Copy)]
enum Use {
    Speech(usize),
    Availability(usize),
}

struct Session {
    client: AsyncClient,
    events: EventLoop,
}

/// Nothing is heard on a broker.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokerFault {
    #[error(
        "{broker}: the broker rejects the login: check `username`, `password_file` and the broker's users"
    )]
    Login { broker: String },
    #[error("{broker}: the broker does not let this box hear {topics}: check its rules for the user")]
    Forbidden { broker: String, topics: String },
    #[error("{broker}: the connection to the broker is lost or cannot be made: {reason}")]
    Broken { broker: String, reason: String },
    #[error("`mqtt.password_file`: {0}")]
    Secret(#[from] SecretError),
    #[error("`mqtt`: {0}")]
    Tls(#[from] TlsError),
}

impl Mqtt {
    /// The broker, with the points that are its sensors in their order; two clients of one id would throw each other out.
    pub fn new(broker: MqttBroker, client_id: String, points: Vec<MqttPoint>, clock: Arc<Clock>) -> Self {
        let mut topics: BTreeMap<String, Vec<Use>> = BTreeMap::new();
        for (place, point) in points.iter().enumerate() {
            topics.entry(point.topic.as_str().to_owned()).or_default().push(Use::Speech(place));
            if let Some(availability) = &point.availability {
                topics.entry(availability.as_str().to_owned()).or_default().push(Use::Availability(place));
            }
        }
        Self { broker, client_id, points, topics, session: None, clock }
    }

    fn open(&self) -> Result<Session, BrokerFault> {
        let url = &self.broker.url;
        let mut options = MqttOptions::new(&self.client_id, url.host(), url.port());
        options.set_keep_alive(KEEP_ALIVE).set_clean_start(true);
        options.set_max_packet_size(Some(MAX_MESSAGE_BYTES));
        if let (Some(user), Some(file)) = (&self.broker.username, &self.broker.password_file) {
            options.set_credentials(user, read_secret(file)?);
        }
        if let (true, Some(file)) = (url.is_tls(), &self.broker.ca_file) {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls_by(file)?)));
        }
        let (client, events) = AsyncClient::new(options, 16);
        Ok(Session { client, events })
    }

    /// What follows from one packet; none when nothing does.
    fn take(&self, packet: Packet, client: &AsyncClient) -> Result<Vec<Heard>, BrokerFault> {
        match packet {
            Packet::ConnAck(_) => {
                let filters = self.topics.keys().map(|topic| Filter::new(topic, QoS::AtLeastOnce));
                client.try_subscribe_many(filters).map_err(|error| self.broken(&error))?;
                Ok(Vec::new())
            }
            Packet::SubAck(answer) => {
                let is_refused =
                    |code: &SubscribeReasonCode| !matches!(code, SubscribeReasonCode::Success(_));
                let refused =
                    answer.return_codes.iter().zip(self.topics.keys()).filter(|(code, _)| is_refused(code));
                let topics: Vec<_> = refused.map(|(_, topic)| topic.as_str()).collect();
                if !topics.is_empty() {
                    let (broker, topics) = (self.broker.url.to_string(), topics.join(", "));
                    return Err(BrokerFault::Forbidden { broker, topics });
                }
                Ok((0..self.points.len()).map(|place| (place, Said::Linked)).collect())
            }
            Packet::Publish(publish) => Ok(self.heard(&publish)),
            _ => Ok(Vec::new()),
        }
    }

    fn heard(&self, publish: &Publish) -> Vec<Heard> {
        let uses = std::str::from_utf8(&publish.topic).ok().and_then(|topic| self.topics.get(topic));
        let said = |it: &Use| match *it {
            Use::Speech(place) => {
                let said = match read(&self.points[place].meaning, &publish.payload) {
                    Ok(reading) if publish.retain => Said::Kept(reading),
                    Ok(reading) => Said::Reading(reading),
                    Err(fault) => Said::Failed(fault.to_string()),
                };
                Some((place, said))
            }
            Use::Availability(place) => match is_online(&publish.payload) {
                Some(true) => Some((place, Said::Back)),
                Some(false) => Some((place, Said::Gone("it is reported to be offline".into()))),
                None => None,
            },
        };
        uses.into_iter().flatten().filter_map(said).collect()
    }

    fn broken(&self, reason: &dyn std::fmt::Display) -> BrokerFault {
        BrokerFault::Broken { broker: self.broker.url.to_string(), reason: reason.to_string() }
    }
}

impl Line for Mqtt {
    type Fault = BrokerFault;

    async fn listen(&mut self) -> Result<Vec<Sign>, BrokerFault> {
        use ConnectReturnCode::{BadUserNamePassword, NotAuthorized};
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.open()?,
        };
        loop {
            let packet = match session.events.poll().await {
                Ok(Event::Incoming(packet)) => packet,
                Ok(Event::Outgoing(_)) => continue,
                Err(ConnectionError::ConnectionRefused(BadUserNamePassword | NotAuthorized)) => {
                    return Err(BrokerFault::Login { broker: self.broker.url.to_string() });
                }
                Err(error) => return Err(self.broken(&error)),
            };
            let said = self.take(packet, &session.client)?;
            if !said.is_empty() {
                self.session = Some(session);
                let (at, _) = self.clock.now();
                return Ok(said.into_iter().map(|(sensor, said)| Sign { sensor, at, said }).collect());
            }
        }
    }
}
