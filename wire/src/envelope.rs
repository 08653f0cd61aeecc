//! CloudEvents 1.0, structured mode, JSON format: one event as one self-describing document.
//!
//! `id`, `source`, `type`, `time` and `subject` are CloudEvents' own attributes; `boot` and `sequence` are
//! extension attributes (`sequence` as in CloudEvents' Sequence extension: a string). What happened is in
//! `data`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::event::{Event, EventData, Extra};
use crate::id::{BootId, EdgeId, EventId, Seq};
use crate::schema::date_time;

/// Media type of an event on MQTT and HTTP.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// No event may be larger; a longer one is refused before it is parsed.
pub const MAX_ENVELOPE_BYTES: usize = 64 * 1024;

const SPEC_VERSION: &str = "1.0";
const SOURCE_PREFIX: &str = "/gatepost/edge/";
const TYPE_PREFIX: &str = "gatepost.event.v1.";

/// The document as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventEnvelope")]
pub(crate) struct Envelope {
    /// `1.0`.
    specversion: String,
    /// The event's id.
    id: EventId,
    /// `/gatepost/edge/{edge}`.
    source: String,
    /// `gatepost.event.v1.{kind}`.
    r#type: String,
    /// When it happened.
    #[schemars(schema_with = "date_time")]
    time: Timestamp,
    /// The camera, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// `application/json`.
    datacontenttype: String,
    /// The edge's boot.
    boot: BootId,
    /// The event's place in that boot, decimal, zero-padded to 20 digits so that texts sort like numbers.
    sequence: String,
    /// What happened.
    data: EventData,
    /// Extension attributes of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    extra: Extra,
}

/// A payload is not an event of this contract.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than [`MAX_ENVELOPE_BYTES`].
    #[error("an event has at most {MAX_ENVELOPE_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// Not JSON, or a field is missing or of the wrong type.
    #[error("not a Gatepost event: {0}")]
    Json(#[from] serde_json::Error),
    /// An attribute has a value the contract does not allow.
    #[error("CloudEvents attribute `{attribute}`: {value:?} is not allowed: {why}")]
    Attribute {
        /// Its name.
        attribute: &'static str,
        /// What it held, shortened.
        value: String,
        /// What is wrong with it.
        why: String,
    },
}

fn refuse(attribute: &'static str, value: &str, why: impl ToString) -> EnvelopeError {
    EnvelopeError::Attribute { attribute, value: value.chars().take(80).collect(), why: why.to_string() }
}

impl Event {
    /// The event as a CloudEvent in JSON.
    ///
    /// # Errors
    /// Only what [`serde_json`] cannot write, such as a non-finite number kept in an unknown field.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Envelope {
            specversion: SPEC_VERSION.into(),
            id: self.id,
            source: format!("{SOURCE_PREFIX}{}", self.edge),
            r#type: format!("{TYPE_PREFIX}{}", self.data.happening.kind()),
            time: self.time,
            subject: self.data.happening.camera().map(String::from),
            datacontenttype: "application/json".into(),
            boot: self.boot,
            sequence: format!("{:020}", self.seq.0),
            data: self.data.clone(),
            extra: self.extra.clone(),
        })
    }

    /// Reads a CloudEvent from outside.
    ///
    /// # Errors
    /// [`EnvelopeError`] says which attribute or field is wrong; the payload may be anything.
    pub fn from_json(payload: &[u8]) -> Result<Self, EnvelopeError> {
        if payload.len() > MAX_ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge(payload.len()));
        }
        let envelope: Envelope = serde_json::from_slice(payload)?;
        if envelope.specversion != SPEC_VERSION {
            return Err(refuse("specversion", &envelope.specversion, "only 1.0 is known"));
        }
        if envelope.datacontenttype != "application/json" {
            return Err(refuse(
                "datacontenttype",
                &envelope.datacontenttype,
                "only application/json is known",
            ));
        }
        let edge = envelope
            .source
            .strip_prefix(SOURCE_PREFIX)
            .ok_or_else(|| refuse("source", &envelope.source, format!("it must start with {SOURCE_PREFIX}")))?
            .parse::<EdgeId>()
            .map_err(|e| refuse("source", &envelope.source, e))?;
        let kind = envelope.data.happening.kind();
        if envelope.r#type.strip_prefix(TYPE_PREFIX) != Some(kind) {
            return Err(refuse("type", &envelope.r#type, format!("data is of kind {kind}")));
        }
        let seq = envelope
            .sequence
            .parse::<u64>()
            .ok()
            .filter(|seq| *seq >= Seq::FIRST.0)
            .ok_or_else(|| refuse("sequence", &envelope.sequence, "a decimal number from 1 is needed"))?;
        Ok(Self {
            id: envelope.id,
            edge,
            boot: envelope.boot,
            seq: Seq(seq),
            time: envelope.time,
            data: envelope.data,
            extra: envelope.extra,
        })
    }
}
