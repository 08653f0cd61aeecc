//! Asking and telling programs elsewhere: one exchange on a connection of its own, over TLS 1.3 or on this machine. Redirections are
//! not followed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderValue, Request, Response, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::SecureUrl;
use crate::tls::{self, TlsError};

/// From the connection to the end of what is read of the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// By what name the hub asks.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("gatepost-hub/", env!("CARGO_PKG_VERSION")));

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Nobody answered in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// The connection, TLS or HTTP failed, or the answer is longer than it may be.
    #[error("{0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// How much of an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Only its status and headers, however long the rest is.
    Head,
    /// All of it, of at most so many bytes.
    Whole {
        /// A longer one is none.
        most_bytes: usize,
    },
}

/// Reaches programs elsewhere; cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// None: nobody is asked over TLS.
    tls: Option<Arc<ClientConfig>>,
}

impl Outbound {
    /// For programs like the one at `url`: over TLS, where they have to have a certificate of one of these authorities, or on this
    /// machine.
    ///
    /// # Errors
    /// When TLS is spoken there, and the file holds no certificates.
    pub fn new(url: &SecureUrl, ca_file: &Path) -> Result<Self, TlsError> {
        Ok(Self { tls: url.tls.then(|| tls::anonymous_client(ca_file)).transpose()? })
    }

    /// Sends a request, whose path `url` replaces, and gives the answer.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn exchange(
        &self,
        url: &SecureUrl,
        request: Builder,
        body: Body,
        reads: Reads,
    ) -> Result<Response<Bytes>, OutboundError> {
        match tokio::time::timeout(PATIENCE, self.attempt(url, request, body, reads)).await {
            Ok(answer) => answer.map_err(OutboundError::Failed),
            Err(_) => Err(OutboundError::Silent),
        }
    }

    async fn attempt(
        &self,
        url: &SecureUrl,
        request: Builder,
        body: Body,
        reads: Reads,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let request = request
            .uri(&url.path)
            .header(header::HOST, &url.authority)
            .header(header::USER_AGENT, AGENT)
            .body(body)?;
        // Who is known by TLS does not lead out of it.
        if url.tls != self.tls.is_some() {
            return Err(
                format!("{} is not reached like the address in the configuration", url.authority).into()
            );
        }
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
        match &self.tls {
            None => speak(stream, request, reads).await,
            Some(config) => {
                let name = ServerName::try_from(url.host.clone())?;
                let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
                speak(stream, request, reads).await
            }
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
    reads: Reads,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = std::pin::pin!(async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = match reads {
            Reads::Head => Bytes::new(),
            Reads::Whole { most_bytes } => to_bytes(Body::new(body), most_bytes).await?,
        };
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Response::from_parts(head, body))
    });
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // Whoever answers and hangs up at once has answered.
        _ = connection => answer.await,
    }
}
