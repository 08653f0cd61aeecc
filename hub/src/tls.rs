//! TLS 1.3 towards boxes and people: by which certificate they know the hub, and whose boxes have to show. Nothing older is offered.

mod listener;

use std::sync::{Arc, Mutex, PoisonError};

use gatepost_wire::Timestamp;
use jiff::SignedDuration;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

pub use listener::{Connection, Listener};

use crate::authority::{Authority, IssueError};
use crate::config::ServerName;

/// The hub's certificate is made anew after so long, long before it ends.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_hours(24 * 30);

/// TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate can be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The pieces do not fit together.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The authority cannot check certificates.
    #[error("TLS: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// A file does not hold what it should.
    #[error("{file}: no certificate in PEM: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
}

/// Must whoever connects have a certificate?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Nobody gets in without.
    Required,
    /// Who has one shows it.
    Optional,
    /// Nobody is asked: people prove who they are in other ways.
    Unasked,
}

/// The side of the hub, under its names.
///
/// # Errors
/// When the authority cannot issue the hub's own certificate.
pub fn server(
    authority: &Authority,
    names: &[ServerName],
    client: ClientCertificate,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(roots(authority)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
    let verifier = match client {
        ClientCertificate::Required => verifier.build()?,
        ClientCertificate::Optional => verifier.allow_unauthenticated().build()?,
        ClientCertificate::Unasked => WebPkiClientVerifier::no_client_auth(),
    };
    let own = OwnCertificate::new(authority.clone(), names, provider.clone())?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(own));
    Ok(Arc::new(config))
}

/// The hub as a client of an external broker.
///
/// # Errors
/// When the authority cannot issue it, or `ca` is no certificate.
pub fn client(authority: &Authority, ca: Option<&std::path::Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca {
        None => roots(authority)?,
        Some(file) => roots_in(file)?,
    };
    let own = authority.client(Timestamp::now())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![own.certificate], own.key)?;
    Ok(Arc::new(config))
}

/// The hub as a client of somebody who knows it by something else than a certificate.
///
/// # Errors
/// When `ca` holds no certificates.
pub fn anonymous_client(ca: &std::path::Path) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots_in(ca)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots(authority: &Authority) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone())?;
    Ok(roots)
}

fn roots_in(file: &std::path::Path) -> Result<RootCertStore, TlsError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let wrong = |reason: String| TlsError::File { file: file.display().to_string(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
        roots.add(certificate.map_err(|error| wrong(error.to_string()))?)?;
    }
    if roots.is_empty() { Err(wrong("it holds none".into())) } else { Ok(roots) }
}

/// The hub's certificate, which never grows old while it runs.
#[derive(Debug)]
struct OwnCertificate {
    authority: Authority,
    names: Vec<String>,
    provider: Arc<CryptoProvider>,
    current: Mutex<(Timestamp, Arc<CertifiedKey>)>,
}

impl OwnCertificate {
    fn new(
        authority: Authority,
        names: &[ServerName],
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let names: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
        let now = Timestamp::now();
        let first = make(&authority, &names, &provider, now)?;
        Ok(Self { authority, names, provider, current: Mutex::new((now, first)) })
    }

    fn at(&self, now: Timestamp) -> Arc<CertifiedKey> {
        // A panic while the lock is held leaves a whole pair behind.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Also after the clock was set back, before which the certificate would not count.
        if now.duration_since(current.0).abs() > RENEWED_AFTER {
            match make(&self.authority, &self.names, &self.provider, now) {
                Ok(fresh) => *current = (now, fresh),
                Err(error) => tracing::error!(%error, "the hub's own certificate cannot be renewed"),
            }
        }
        current.1.clone()
    }
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.at(Timestamp::now()))
    }
}

fn make(
    authority: &Authority,
    names: &[String],
    provider: &CryptoProvider,
    now: Timestamp,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let own = authority.server(names, now)?;
    // A box that enrols does not know the authority yet and finds it here.
    let chain = vec![own.certificate, authority.certificate().clone()];
    Ok(Arc::new(CertifiedKey::from_der(chain, own.key, provider)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::AuthorityFiles;

    #[test]
    fn the_certificate_is_renewed_while_the_hub_runs() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(&AuthorityFiles::own(&dir.path().join("keys"))).unwrap();
        let names = ["hub.example".parse().unwrap(), "192.0.2.1".parse().unwrap()];
        let own = OwnCertificate::new(authority, &names, Arc::new(ring::default_provider())).unwrap();
        let now = Timestamp::now();
        let first = own.at(now);
        assert!(Arc::ptr_eq(&first, &own.at(now + SignedDuration::from_hours(24))));
        let later = own.at(now + SignedDuration::from_hours(24 * 31));
        assert!(!Arc::ptr_eq(&first, &later));
    }
}
