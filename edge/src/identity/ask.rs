//! Asks the hub for a certificate, over HTTPS.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_wire::EdgeId;
use gatepost_wire::enrolment::{
    Ask, ENROL_PATH, EnrolmentCode, Issued, MAX_ENROLMENT_BYTES, NotIssued, RENEW_PATH,
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::verifier::HubVerifier;
use super::{Identity, IdentityError, KeyError, TlsError};
use crate::config::EnrolmentUrl;

const WITHIN: Duration = Duration::from_secs(30);

/// No certificate came.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is none yet, or it cannot be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No key can be made.
    #[error("no key can be made: {0}")]
    Key(#[from] KeyError),
    /// What there is, or what came, makes no TLS connection.
    #[error("the certificate cannot be used: {0}")]
    Tls(#[from] TlsError),
    /// Nobody is there, or it is not the hub: then TLS says why.
    #[error("{hub}: the hub cannot be reached: {source}")]
    Unreachable {
        /// Its address.
        hub: EnrolmentUrl,
        /// Why.
        source: io::Error,
    },
    /// The hub the code comes from is another.
    #[error("{hub}: whoever answers there is not the hub the code comes from")]
    AnotherHub {
        /// Its address.
        hub: EnrolmentUrl,
    },
    /// The host is no name a certificate can have.
    #[error("`uplink.enrolment`: {0}")]
    Host(#[from] InvalidDnsNameError),
    /// The connection broke, or the answer is none.
    #[error("{hub}: no answer of a hub: {reason}")]
    Broken {
        /// Its address.
        hub: EnrolmentUrl,
        /// Why.
        reason: String,
    },
    /// The hub says no.
    #[error("{hub}: the hub refuses: {reason}")]
    Refused {
        /// Its address.
        hub: EnrolmentUrl,
        /// In its words.
        reason: String,
    },
}

/// By a code: the hub is known by what the code carries.
pub(super) async fn with_code(
    hub: &EnrolmentUrl,
    edge: &EdgeId,
    code: EnrolmentCode,
    request: String,
) -> Result<Issued, AskError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = HubVerifier::by_code(code.authority(), provider.clone());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Tls)?
        // Not dangerous: it asks for more than any list of authorities would, namely the one the code names.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let ask = Ask { edge: edge.clone(), code: Some(code.secret()), request };
    ask_within(hub, Arc::new(config), ENROL_PATH, &ask).await
}

/// By the present certificate: the hub is known by what enrolment brought.
pub(super) async fn with_certificate(
    hub: &EnrolmentUrl,
    present: &Identity,
    request: String,
) -> Result<Issued, AskError> {
    let ask = Ask { edge: present.edge.clone(), code: None, request };
    ask_within(hub, present.tls()?, RENEW_PATH, &ask).await
}

async fn ask_within(
    hub: &EnrolmentUrl,
    tls: Arc<ClientConfig>,
    path: &str,
    ask: &Ask,
) -> Result<Issued, AskError> {
    match tokio::time::timeout(WITHIN, exchange(hub, tls, path, ask)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(AskError::Broken { hub: hub.clone(), reason: format!("nothing within {WITHIN:?}") }),
    }
}

async fn exchange(
    hub: &EnrolmentUrl,
    tls: Arc<ClientConfig>,
    path: &str,
    ask: &Ask,
) -> Result<Issued, AskError> {
    let unreachable = |source: io::Error| match is_another(&source) {
        true => AskError::AnotherHub { hub: hub.clone() },
        false => AskError::Unreachable { hub: hub.clone(), source },
    };
    let broken = |reason: String| AskError::Broken { hub: hub.clone(), reason };
    let name = ServerName::try_from(hub.host().to_owned())?;
    let stream = TcpStream::connect((hub.host(), hub.port())).await.map_err(unreachable)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(unreachable)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(whole(&error)))?;
    // Ends with this exchange.
    let mut carrying = JoinSet::new();
    carrying.spawn(connection);
    let body = serde_json::to_vec(ask).map_err(|error| broken(error.to_string()))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, hub.authority())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| broken(error.to_string()))?;
    let answer = sender.send_request(request).await.map_err(|error| broken(whole(&error)))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ENROLMENT_BYTES).collect().await;
    let body = body.map_err(|error| broken(error.to_string()))?.to_bytes();
    if status == StatusCode::OK {
        return serde_json::from_slice(&body).map_err(|error| broken(error.to_string()));
    }
    match serde_json::from_slice::<NotIssued>(&body) {
        // It goes to a log and a terminal.
        Ok(refusal) => {
            let reason = refusal.error.chars().filter(|char| !char.is_control()).take(500).collect();
            Err(AskError::Refused { hub: hub.clone(), reason })
        }
        Err(_) => Err(broken(format!("HTTP {status}"))),
    }
}

/// With what lies behind: a refusal by TLS comes with the first read.
fn whole(error: &hyper::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// Did the verifier find another authority?
fn is_another(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)))
}
