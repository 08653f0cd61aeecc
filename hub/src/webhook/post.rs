//! One attempt: send, hear whether it was taken.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use gatepost_wire::Timestamp;

use super::message;
use crate::config::{Tells, Webhook};
use crate::outbound::{Outbound, Reads};
use crate::store::ToldStep;
use crate::tls::TlsError;

/// Why it was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It may be another time.
    #[error("not taken: {0}")]
    ForNow(String),
    /// It never will be.
    #[error("refused: {0}")]
    ForGood(String),
}

/// How a receiver is reached.
pub(super) struct Post {
    webhook: Webhook,
    outbound: Outbound,
}

impl Post {
    pub fn new(webhook: &Webhook) -> Result<Self, TlsError> {
        Ok(Self { webhook: webhook.clone(), outbound: Outbound::new(&webhook.url, &webhook.ca_file)? })
    }

    /// Tells it once.
    pub async fn send(&self, step: &ToldStep, tells: Tells) -> Result<(), Refusal> {
        let body = message::event(step, tells);
        let signed =
            message::sign(&self.webhook.secret, message::id(step), Timestamp::now().as_second(), &body);
        let request = Request::builder()
            .method(Method::POST)
            .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", signed.signature);
        // What else it says is of no interest.
        let told = self.outbound.exchange(&self.webhook.url, request, Body::from(body), Reads::Head).await;
        told.map_err(|error| Refusal::ForNow(error.to_string())).and_then(|answer| judge(answer.status()))
    }
}

fn judge(status: StatusCode) -> Result<(), Refusal> {
    let said = format!("HTTP {status}");
    if status.is_success() {
        Ok(())
    } else if status.is_client_error()
        && !matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
    {
        Err(Refusal::ForGood(said))
    } else {
        Err(Refusal::ForNow(said))
    }
}
