//! What is told: a CloudEvent 1.0 in structured mode, signed as Standard Webhooks have it.

use ring::hmac;
use serde_json::json;

use crate::config::{Secret, Tells};
use crate::store::ToldStep;

/// The headers that sign a message.
pub(super) struct Signed {
    /// The same for every attempt.
    pub id: String,
    /// Seconds since 1970.
    pub timestamp: String,
    /// `v1,` and the HMAC in base64.
    pub signature: String,
}

/// The same for every attempt, over restarts: a receiver knows repetitions by it.
pub fn id(step: &ToldStep) -> String {
    format!("{}-{}", step.incident.id, step.step.version)
}

/// Ids and words; no picture, nothing a person wrote and no person's name.
pub(super) fn event(step: &ToldStep, tells: Tells) -> String {
    json!({
        "specversion": "1.0",
        "id": id(step),
        "source": "/gatepost/hub",
        "type": tells.event_type(),
        "subject": step.incident.id,
        "time": step.step.time,
        "datacontenttype": "application/json",
        "data": {
            "incident": step.incident,
            "site": step.site,
            "action": step.step.action,
            "stage": step.step.to,
            "version": step.step.version,
            "outcome": step.step.detail.get("outcome"),
            "reason": step.step.detail.get("reason"),
            "merged_into": step.step.detail.get("into"),
        },
    })
    .to_string()
}

/// HMAC-SHA256 over id, time and body, with points between them.
pub(super) fn sign(secret: &Secret, id: String, seconds: i64, body: &str) -> Signed {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
    let timestamp = seconds.to_string();
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", data_encoding::BASE64.encode(tag.as_ref()));
    Signed { id, timestamp, signature }
}
