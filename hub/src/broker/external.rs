//! A broker run by someone else. It keeps the hub's session and sends again what was not acknowledged; the hub
//! acknowledges only after intake's receipt.

use std::time::Duration;

use gatepost_wire::Timestamp;
use gatepost_wire::topic::HUB_FILTERS;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Filter, Packet, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::config::ExternalBroker;
use crate::intake::{Intake, Promise, Receipt, Storage};
use crate::store::Delivery;
use crate::tls::{self, TlsError};

/// Messages the broker may send before the first is acknowledged.
const WINDOW: u16 = 512;

/// The broker keeps messages for an absent hub so long.
const SESSION_EXPIRY_SECONDS: u32 = 7 * 24 * 3600;

/// What goes to each hub of a group and not to one of them: it is rare, it is stored once all the same, and something waits for it. A broker may give a hub
/// that is away its share until it is back, as mosquitto does; meanwhile no other would know that a box is there or has answered.
const TO_EACH: [&str; 2] = ["gp/v1/+/presence", "gp/v1/+/command/reply"];

const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The running client.
pub struct External {
    task: JoinHandle<()>,
    stop: CancellationToken,
    connection: watch::Receiver<Option<AsyncClient>>,
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    Stopped,
    NotStored,
    Failed(String),
}

impl External {
    pub(super) fn start(
        config: &ExternalBroker,
        authority: Authority,
        intake: Intake,
        storage: watch::Receiver<Storage>,
    ) -> Self {
        let stop = CancellationToken::new();
        let (connected, connection) = watch::channel(None);
        let link = Link { config: config.clone(), authority, intake, connected };
        let task = tokio::spawn(keep_connected(link, storage, stop.clone()));
        Self { task, stop, connection }
    }

    /// The client, while it is connected.
    pub(super) fn connection(&self) -> watch::Receiver<Option<AsyncClient>> {
        self.connection.clone()
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the broker client did not end well");
        }
    }
}

/// What every connection works with.
struct Link {
    config: ExternalBroker,
    authority: Authority,
    intake: Intake,
    /// Holds the client of the connection that is up.
    connected: watch::Sender<Option<AsyncClient>>,
}

async fn keep_connected(link: Link, mut storage: watch::Receiver<Storage>, stop: CancellationToken) {
    let config = &link.config;
    let mut pause = SHORTEST_PAUSE;
    let mut last_failure = String::new();
    loop {
        let end = converse(&link, &stop).await;
        let connected = link.connected.send_replace(None).is_some();
        match end {
            End::Stopped => return,
            End::NotStored => {
                // The log already says why. The broker sends it again after the next connection.
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = storage.wait_for(|storage| *storage == Storage::Works) => {}
                }
            }
            End::Failed(failure) => {
                if connected || failure != last_failure {
                    tracing::warn!(broker = %config.url, "{failure}; it is tried again until it works");
                } else {
                    tracing::debug!(broker = %config.url, "{failure}");
                }
                last_failure = failure;
            }
        }
        if connected {
            pause = SHORTEST_PAUSE;
        }
        // Replicas that lost the same broker must not come back all at once.
        let jittered = pause.mul_f64(0.5 + fastrand::f64());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(jittered) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn options(config: &ExternalBroker, authority: &Authority) -> Result<MqttOptions, TlsError> {
    let mut options = MqttOptions::new(config.client_id.clone(), config.url.host(), config.url.port());
    options
        .set_keep_alive(Duration::from_secs(30))
        .set_clean_start(false)
        .set_session_expiry_interval(Some(SESSION_EXPIRY_SECONDS))
        .set_receive_maximum(Some(WINDOW))
        .set_max_packet_size(Some(config.max_packet_bytes))
        .set_manual_acks(true);
    if let Some(login) = &config.login {
        options.set_credentials(login.username.clone(), login.password.clone());
    }
    if config.url.is_tls() {
        // A new certificate for each connection: none grows old.
        let tls = tls::client(authority, config.ca_file.as_deref())?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    Ok(options)
}

/// One connection from beginning to end. Every connection has a client of its own: an acknowledgement that was
/// meant for a former one, whose packet numbers mean something else now, has nowhere to go.
async fn converse(link: &Link, stop: &CancellationToken) -> End {
    let Link { config, authority, intake, connected } = link;
    let options = match options(config, authority) {
        Ok(options) => options,
        Err(error) => return End::Failed(error.to_string()),
    };
    let (client, mut events) = AsyncClient::new(options, usize::from(WINDOW));
    // Never waited for: the acknowledgements leave by the loop below, and a broker that sends more than the window would stop
    // both. What intake has not stored yet is bounded by its own queue.
    let (unacknowledged, waiting) = mpsc::unbounded_channel();
    let mut acknowledging = tokio::spawn(acknowledge(client.clone(), waiting));
    let mut session_kept = false;
    let end = loop {
        let event = tokio::select! {
            () = stop.cancelled() => break End::Stopped,
            _ = &mut acknowledging => break End::NotStored,
            event = events.poll() => event,
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => {
                session_kept = answer.session_present;
                if let Err(error) = client.subscribe_many(filters(config)).await {
                    break End::Failed(error.to_string());
                }
            }
            Ok(Event::Incoming(Packet::SubAck(answer))) => {
                let refused =
                    answer.return_codes.iter().any(|code| !matches!(code, SubscribeReasonCode::Success(_)));
                if refused {
                    break End::Failed(format!(
                        "the broker refuses the hub's subscriptions ({:?}): allow {} to read gp/v1/# and to write gp/v1/+/command",
                        answer.return_codes,
                        user(config)
                    ));
                }
                connected.send_replace(Some(client.clone()));
                tracing::info!(broker = %config.url, session_kept, "broker connected and subscribed to");
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let promise = intake.take(delivery(&publish)).await;
                // Fails when acknowledging has ended, which the next turn sees.
                let _ = unacknowledged.send((promise, publish));
            }
            Ok(_) => {}
            Err(error) => break End::Failed(explain(config, &error)),
        }
    };
    acknowledging.abort();
    if matches!(end, End::Stopped) {
        say_goodbye(&client, &mut events).await;
    }
    end
}

/// Acknowledges in the order of arrival, as MQTT asks; ends when a message was not stored, because only a new
/// connection makes the broker send it again.
async fn acknowledge(client: AsyncClient, mut waiting: mpsc::UnboundedReceiver<(Promise, Publish)>) {
    while let Some((promise, publish)) = waiting.recv().await {
        if promise.receipt().await == Receipt::NotStored || client.ack(&publish).await.is_err() {
            return;
        }
    }
}

async fn say_goodbye(client: &AsyncClient, events: &mut EventLoop) {
    let goodbye = async {
        if client.disconnect().await.is_ok() {
            while events.poll().await.is_ok() {}
        }
    };
    if tokio::time::timeout(Duration::from_millis(300), goodbye).await.is_err() {
        tracing::debug!("the broker did not close the connection in time");
    }
}

fn filters(config: &ExternalBroker) -> Vec<Filter> {
    HUB_FILTERS
        .iter()
        .map(|filter| match &config.share_group {
            Some(group) if !TO_EACH.contains(filter) => group.share(filter),
            _ => (*filter).to_owned(),
        })
        .map(|filter| Filter::new(filter, QoS::AtLeastOnce))
        .collect()
}

fn delivery(publish: &Publish) -> Delivery {
    Delivery {
        topic: String::from_utf8_lossy(&publish.topic).into_owned(),
        payload: publish.payload.clone(),
        received: Timestamp::now(),
        retained: publish.retain,
    }
}

fn user(config: &ExternalBroker) -> String {
    match &config.login {
        Some(login) => format!("user {:?}", login.username),
        None => "an anonymous client".into(),
    }
}

fn explain(config: &ExternalBroker, error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            code @ (ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized),
        ) => format!(
            "the broker rejects the login of {} ({code:?}): check broker.username and broker.password_file",
            user(config)
        ),
        ConnectionError::ConnectionRefused(code) => format!("the broker refuses the connection ({code:?})"),
        other => format!("no connection to the broker: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_each_hub_is_among_what_the_hub_listens_to() {
        assert!(TO_EACH.iter().all(|filter| HUB_FILTERS.contains(filter)));
    }
}
