//! One attempt: connect, send, hear whether it was taken. Redirections are not followed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use gatepost_wire::Timestamp;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::message;
use crate::config::{Tells, Webhook};
use crate::store::ToldStep;
use crate::tls::{self, TlsError};

/// From the connection to the answer's first line.
const PATIENCE: Duration = Duration::from_secs(10);

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
    tls: Option<Arc<ClientConfig>>,
}

impl Post {
    pub fn new(webhook: &Webhook) -> Result<Self, TlsError> {
        let tls = webhook.url.tls.then(|| tls::anonymous_client(&webhook.ca_file)).transpose()?;
        Ok(Self { webhook: webhook.clone(), tls })
    }

    /// Tells it once.
    pub async fn send(&self, step: &ToldStep, tells: Tells) -> Result<(), Refusal> {
        match tokio::time::timeout(PATIENCE, self.exchange(step, tells)).await {
            Ok(Ok(status)) => judge(status),
            Ok(Err(error)) => Err(Refusal::ForNow(error.to_string())),
            Err(_) => Err(Refusal::ForNow(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn exchange(
        &self,
        step: &ToldStep,
        tells: Tells,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let url = &self.webhook.url;
        let body = message::event(step, tells);
        let signed =
            message::sign(&self.webhook.secret, message::id(step), Timestamp::now().as_second(), &body);
        let request = Request::post(&url.path)
            .header(header::HOST, &url.authority)
            .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header(header::USER_AGENT, concat!("gatepost-hub/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", signed.signature)
            .body(Body::from(body))?;
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
        match &self.tls {
            None => speak(stream, request).await,
            Some(config) => {
                let name = ServerName::try_from(url.host.clone())?;
                speak(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?, request).await
            }
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What else it says is of no interest, however long it is.
    let mut answer =
        std::pin::pin!(async move { sender.send_request(request).await.map(|answer| answer.status()) });
    tokio::select! {
        biased;
        answer = &mut answer => Ok(answer?),
        // Whoever answers and hangs up at once has answered.
        _ = connection => Ok(answer.await?),
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
