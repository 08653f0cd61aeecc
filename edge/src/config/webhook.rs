//! Webhooks: panels that tell this box by HTTP what their sensors say.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Seconds;
use super::message::{Meaning, MessageCondition, MessageFault, MessageMeasure};

/// Where panels reach this box.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Address and port, `"192.0.2.5:8480"`. There is no TLS: it belongs into a network of the panels' own.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// File that holds the token panels show (`Authorization: Bearer TOKEN`), on its first line; 16 characters or more.
    pub token_file: PathBuf,
}

/// What a panel says of a sensor.
#[derive(Debug, Clone)]
pub struct WebhookPoint {
    /// What its messages mean.
    pub meaning: Meaning,
    /// It must speak at least so often.
    pub silent_after_s: Option<Seconds<10, 604_800>>,
    /// It says when it trips, but not when it rests: so long after that it does.
    pub rests_after_s: Option<Seconds<1, 3600>>,
}

/// A sensor behind a webhook, as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookKeys {
    /// When it is tripped.
    alarm: MessageCondition,
    /// What it measures.
    measure: Option<MessageMeasure>,
    /// When it is ill.
    #[serde(default, rename = "fault")]
    faults: Vec<MessageFault>,
    /// Seconds within which the panel has to say something of it; silence is a fault then.
    silent_after_s: Option<Seconds<10, 604_800>>,
    /// For panels that say only when it trips: seconds after which it is at rest again.
    rests_after_s: Option<Seconds<1, 3600>>,
}

impl From<WebhookKeys> for WebhookPoint {
    fn from(keys: WebhookKeys) -> Self {
        let WebhookKeys { alarm, measure, faults, silent_after_s, rests_after_s } = keys;
        Self { meaning: Meaning { alarm, measure, faults }, silent_after_s, rests_after_s }
    }
}
