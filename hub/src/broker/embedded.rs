//! The broker inside the process: `rmqtt` with our hooks. A QoS 1 message is acknowledged only after intake's
//! receipt, so what a device was told is on disk, and the broker itself keeps nothing.
//!
//! `docs/BROKER.md` says why, and what each hook relies on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatepost_wire::{EdgeId, Timestamp};
use rmqtt::codec::v5::{PublishAckReason, SubscribeAckReason};
use rmqtt::context::ServerContext;

use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType, Type};
use rmqtt::net::{Builder, MqttError};
use rmqtt::server::MqttServer;
use rmqtt::types::{
    AuthResult, ConnectInfo, FromType, Id, LastWill, Publish, PublishAclResult, PublishResult, QoS, Reason,
    SubscribeReturn,
};
use tokio::task::JoinHandle;

use super::acl::{may_publish, may_subscribe};
use super::devices::Devices;
use super::front::{Admission, Admitted, Front};
use super::retained::Retained;
use crate::config::{ConfigError, EmbeddedBroker};
use crate::intake::{Intake, Receipt};
use crate::store::{Delivery, Store};
use crate::tls;

/// Below rmqtt's 5 s wait for the former session of a device that comes back, so that two connections of one
/// device never commit at the same time; and below 1.5 keep-alives, because a ping waits behind the commit.
const COMMIT: Duration = Duration::from_secs(4);

/// Sessions under way at the end may take so long.
const GRACE: Duration = Duration::from_secs(1);

/// The embedded broker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The devices file is wrong.
    #[error(transparent)]
    Devices(#[from] ConfigError),
    /// The address is taken or not this machine's.
    #[error("{key} {address}: {reason}")]
    Listen {
        /// The key in the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// The running broker.
pub struct Embedded {
    context: ServerContext,
    accepting: JoinHandle<()>,
    front: Option<Front>,
}

/// What the front needs: TLS, and who may come in.
pub(super) struct Door {
    pub config: Arc<rustls::ServerConfig>,
    pub store: Store,
}

impl Embedded {
    pub(super) async fn start(
        config: &EmbeddedBroker,
        intake: Intake,
        door: Option<Door>,
    ) -> Result<Self, StartError> {
        let admitted = Admitted::default();
        let devices = Arc::new(Devices::open(config.devices_file.clone())?);
        // The busy check would refuse devices whenever the machine's load is high.
        let context = ServerContext::new().busy_check_enable(false).build().await;
        *context.extends.retain_mut().await = Box::new(Retained::new());
        let register = context.extends.hook_mgr().register();
        for hook in [
            Type::ClientAuthenticate,
            Type::ClientSubscribeCheckAcl,
            Type::MessagePublishCheckAcl,
            Type::MessagePublish,
            Type::ClientConnected,
            Type::ClientDisconnected,
        ] {
            let (devices, admitted) = (devices.clone(), admitted.clone());
            register.add(hook, Box::new(Hooks { devices, admitted, intake: intake.clone() })).await;
        }
        // Without it no hook is ever called.
        register.start().await;

        let address = config.listen.get();
        let failed = |error: &dyn std::fmt::Display| StartError::Listen {
            key: "broker.listen",
            address,
            reason: error.to_string(),
        };
        let listener = Builder::new()
            .name("edge")
            .laddr(address)
            .reuseaddr(Some(true))
            .nodelay(true)
            .allow_anonymous(false)
            .max_packet_size(config.max_packet_bytes)
            .max_qos_allowed(QoS::AtLeastOnce)
            .handshake_timeout(Duration::from_secs(10))
            .bind()
            .and_then(|bound| bound.tcp())
            .map_err(|error| failed(&error))?;
        let local = listener.local_addr().map_err(|error| failed(&error))?;
        let server = MqttServer::new(context.clone()).listener_by_id(listener, 1).build();
        // Not `start`, which ends the process on an error.
        let accepting = tokio::spawn(async move {
            if let Err(error) = server.run().await {
                tracing::error!(%error, "the embedded broker ended; edges cannot connect until a restart");
            }
        });
        tracing::info!(address = %format_args!("mqtt://{local}"), "broker listening");
        let front = match (config.tls_listen, door) {
            (Some(address), Some(door)) => Some(open(address, local, door, admitted).await?),
            _ => None,
        };
        Ok(Self { context, accepting, front })
    }

    /// What commands go out by.
    pub(super) fn context(&self) -> ServerContext {
        self.context.clone()
    }

    /// Accepts nobody more and closes every connection. A message whose commit is under way is answered first,
    /// because a session handles one at a time.
    pub(super) async fn stop(self) {
        self.accepting.abort();
        if let Some(front) = &self.front {
            front.close();
        }
        let shared = self.context.extends.shared().await;
        let sessions: Vec<Id> = shared.iter().map(|entry| entry.id()).collect();
        let closing = async {
            for id in sessions {
                if let Ok(mut entry) = shared.entry(id).try_lock().await
                    && let Err(error) = entry.kick(true, true, true).await
                {
                    tracing::debug!(%error, "closing a device's connection");
                }
            }
        };
        if tokio::time::timeout(GRACE, closing).await.is_err() {
            tracing::warn!("some devices' connections were cut");
        }
        if let Some(front) = self.front {
            front.stop().await;
        }
    }
}

async fn open(
    address: SocketAddr,
    inner: SocketAddr,
    door: Door,
    admitted: Admitted,
) -> Result<Front, StartError> {
    let failed = |error: std::io::Error| StartError::Listen {
        key: "broker.tls_listen",
        address,
        reason: error.to_string(),
    };
    let listener = tls::Listener::bind(address, door.config).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    tracing::info!(address = %format_args!("mqtts://{local}"), "broker listening for boxes");
    Ok(Front::start(listener, inner, door.store, admitted))
}

struct Hooks {
    devices: Arc<Devices>,
    admitted: Admitted,
    intake: Intake,
}

#[async_trait]
impl Handler for Hooks {
    async fn hook(&self, parameter: &Parameter, result: Option<HookResult>) -> ReturnType {
        match parameter {
            Parameter::ClientAuthenticate(client) => {
                (false, Some(HookResult::AuthResult(self.authenticate(client))))
            }
            Parameter::ClientSubscribeCheckAcl(session, subscription) => {
                let filter: &str = &subscription.topic_filter;
                let answer = if device(&session.id).is_some_and(|device| may_subscribe(&device, filter)) {
                    SubscribeReturn::new_success(subscription.opts.qos(), None)
                } else {
                    tracing::warn!(
                        device = %session.id.client_id,
                        ?filter,
                        "subscription refused: not its own topics"
                    );
                    SubscribeReturn::new_failure(SubscribeAckReason::NotAuthorized)
                };
                (false, Some(HookResult::SubscribeAclResult(answer)))
            }
            // The last hook before the PUBACK, and the only one that can refuse.
            Parameter::MessagePublishCheckAcl(session, publish) => {
                let answer = self.publish(&session.id, publish).await;
                (false, Some(HookResult::PublishAclResult(PublishAclResult(answer))))
            }
            // A last will passes this hook only; its topic was checked when its device connected.
            Parameter::MessagePublish(_, from, publish) if matches!(from.typ(), FromType::LastWill) => {
                let receipt = self.deliver(publish).await;
                if receipt == Receipt::NotStored {
                    tracing::debug!(topic = %publish.topic, "a last will could not be stored");
                }
                (true, result)
            }
            Parameter::ClientConnected(session) => {
                tracing::info!(
                    device = %session.id.client_id,
                    address = self.address(session.id.remote_addr),
                    "device connected"
                );
                (true, result)
            }
            Parameter::ClientDisconnected(session, reason) => {
                disconnected(&session.id, &self.address(session.id.remote_addr), reason);
                (true, result)
            }
            _ => (true, result),
        }
    }
}

/// One line for each end of a connection; a grave one when the device broke the protocol.
fn disconnected(device: &Id, address: &str, reason: &Reason) {
    // The first one led to the others.
    if let Reason::Reasons(reasons) = reason
        && let Some(first) = reasons.first()
    {
        return disconnected(device, address, first);
    }
    let device = device.client_id.to_string();
    match reason {
        // "Not stored": the log already says why, once.
        Reason::MqttError(MqttError::PublishAckReason(..)) => {
            tracing::debug!(device, address, "device cut off, so that it sends its message again");
        }
        // What the decoder says comes as text only.
        Reason::Error(text) if text.starts_with("Max size exceeded") => tracing::warn!(
            device, address, reason = %text, "device cut off: its message is longer than broker.max_packet_bytes"
        ),
        Reason::MqttError(_) | Reason::Error(_) => {
            tracing::warn!(device, address, reason = ?reason.to_string(), "device cut off after an error");
        }
        _ => tracing::info!(device, address, reason = ?reason.to_string(), "device disconnected"),
    }
}

impl Hooks {
    fn authenticate(&self, client: &ConnectInfo) -> AuthResult {
        match self.check(client) {
            // Never as superuser: that would skip the publish hook, and with it the commit.
            Ok(()) => AuthResult::Allow(false, None),
            Err((answer, reason)) => {
                tracing::warn!(
                    address = self.address(client.ipaddress()),
                    user = client.username().map(|name| format!("{name:?}")),
                    client_id = ?client.client_id().to_string(),
                    reason,
                    "device refused"
                );
                answer
            }
        }
    }

    fn check(&self, client: &ConnectInfo) -> Result<(), (AuthResult, &'static str)> {
        if matches!(client, ConnectInfo::V3(..)) {
            // Its PUBACK cannot say that a message was refused.
            return Err((AuthResult::NotAuthorized, "MQTT 5 is needed"));
        }
        let device = match client.ipaddress().and_then(|inner| self.admitted.at(inner)) {
            Some(Admission { edge, .. }) => by_certificate(client, edge)?,
            None => self.by_token(client)?,
        };
        if *client.client_id().to_string() != *device.as_str() {
            return Err((AuthResult::NotAuthorized, "the client id must be the device's name"));
        }
        let will = client.last_will().map(|will| match will {
            LastWill::V5(will) => will.topic.to_string(),
            LastWill::V3(will) => will.topic.to_string(),
        });
        if will.is_some_and(|topic| !may_publish(&device, &topic)) {
            return Err((AuthResult::NotAuthorized, "its last will is not on its own topics"));
        }
        Ok(())
    }

    fn by_token(&self, client: &ConnectInfo) -> Result<EdgeId, (AuthResult, &'static str)> {
        let Some(device) = client.username().and_then(|name| name.parse::<EdgeId>().ok()) else {
            return Err((AuthResult::BadUsernameOrPassword, "the user name must be the name of an edge"));
        };
        let token = client.password().map(|password| &password[..]).unwrap_or_default();
        if !self.devices.accept(&device, token) {
            return Err((
                AuthResult::BadUsernameOrPassword,
                "unknown device or wrong token: `gatepost-hub device add NAME` makes the token for a new one",
            ));
        }
        Ok(device)
    }

    /// Where a client really is.
    fn address(&self, inner: Option<SocketAddr>) -> String {
        let Some(inner) = inner else { return "unknown".into() };
        self.admitted.at(inner).map_or(inner, |admission| admission.remote).to_string()
    }

    async fn publish(&self, sender: &Id, publish: &Publish) -> PublishResult {
        let topic: &str = &publish.topic;
        if !device(sender).is_some_and(|device| may_publish(&device, topic)) {
            tracing::warn!(
                device = %sender.client_id,
                address = self.address(sender.remote_addr),
                ?topic,
                "message refused: not its own topic"
            );
            return refuse(
                PublishAckReason::NotAuthorized,
                "a device publishes on its own topics only, and gives no commands",
            );
        }
        match self.deliver(publish).await {
            Receipt::Stored | Receipt::Duplicate => PublishResult::success(),
            Receipt::Refused(reason) => refuse(PublishAckReason::PayloadFormatInvalid, &reason),
            // No PUBACK at all: the connection ends, and the edge sends it again later.
            Receipt::NotStored => PublishResult::reason_code(
                PublishAckReason::UnspecifiedError,
                Some("not stored, send it again later".into()),
                true,
            ),
        }
    }

    async fn deliver(&self, publish: &Publish) -> Receipt {
        let delivery = Delivery {
            topic: publish.topic.to_string(),
            payload: publish.payload.clone(),
            received: Timestamp::now(),
            retained: false,
        };
        tokio::time::timeout(COMMIT, self.intake.deliver(delivery)).await.unwrap_or(Receipt::NotStored)
    }
}

/// The certificate has said who it is; a user name may be given for brokers that want one, but no other.
fn by_certificate(client: &ConnectInfo, edge: EdgeId) -> Result<EdgeId, (AuthResult, &'static str)> {
    if client.username().is_some_and(|name| **name != *edge.as_str()) {
        return Err((AuthResult::NotAuthorized, "the user name is not that of its certificate"));
    }
    Ok(edge)
}

/// The device a session belongs to; its client id was checked at the login.
fn device(id: &Id) -> Option<EdgeId> {
    id.client_id.parse().ok()
}

fn refuse(code: PublishAckReason, reason: &str) -> PublishResult {
    PublishResult::reason_code(code, Some(reason.chars().take(200).collect::<String>().into()), false)
}
