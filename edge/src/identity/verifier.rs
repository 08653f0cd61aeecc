//! How a box knows its hub: by the authority its code names, or by the one enrolment brought; whatever its own clock says.
//!
//! A box whose clock is wrong, after a power cut with a dead battery and no time service in reach, must still bring its
//! alarms. So the hub's certificate is checked at a time at which it counts. What that gives up: whoever steals the key of a
//! hub's certificate can play the hub towards boxes after it has ended. The hub keeps that key in memory only.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};

/// Takes the hub of one authority, and nobody else.
#[derive(Debug)]
pub(super) struct HubVerifier {
    authority: Authority,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Authority {
    /// What a code carries of it; whoever connects brings it along.
    Named(u128),
    Known(Arc<WebPkiServerVerifier>),
}

impl HubVerifier {
    /// By what a code carries.
    pub fn by_code(bits: u128, provider: Arc<CryptoProvider>) -> Self {
        Self { authority: Authority::Named(bits), provider }
    }

    /// By what enrolment brought.
    pub fn by_authority(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::server::VerifierBuilderError> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
        Ok(Self { authority: Authority::Known(verifier), provider })
    }

    fn verifier(&self, chain: &[CertificateDer<'_>]) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let bits = match &self.authority {
            Authority::Known(verifier) => return Ok(verifier.clone()),
            Authority::Named(bits) => *bits,
        };
        let named = chain.iter().find(|it| code_bits(it) == bits).ok_or(CertificateError::UnknownIssuer)?;
        let mut roots = RootCertStore::empty();
        roots.add(named.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier(intermediates)?;
        let at =
            |time| verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time);
        match at(now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidYetContext { not_before: counts, .. }
                | CertificateError::ExpiredContext { not_after: counts, .. },
            )) => {
                let (now, counts) = (now.as_secs(), counts.as_secs());
                tracing::debug!(now, counts, "the hub's certificate does not count by the clock of this box");
                at(UnixTime::since_unix_epoch(std::time::Duration::from_secs(counts)))
            }
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a code carries of an authority's certificate.
fn code_bits(certificate: &CertificateDer<'_>) -> u128 {
    Sha256::digest(certificate).iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::crypto::ring;

    use super::*;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    }

    /// Counts in 2026 only.
    fn hub(authority: &CertifiedIssuer<'static, KeyPair>) -> CertificateDer<'static> {
        let mut parameters = CertificateParams::new(vec!["hub.example".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2027, 1, 1);
        parameters.signed_by(&KeyPair::generate().unwrap(), authority).unwrap().der().clone()
    }

    #[test]
    fn it_takes_its_own_hub_whatever_the_clock_says_and_no_other() {
        let provider = Arc::new(ring::default_provider());
        let (own, other) = (authority(), authority());
        let mut roots = RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        let verifiers = [
            HubVerifier::by_authority(roots, provider.clone()).unwrap(),
            HubVerifier::by_code(code_bits(own.der()), provider),
        ];
        for verifier in verifiers {
            let check = |issuer: &CertifiedIssuer<'static, KeyPair>, name: &str, year: u64| {
                let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_556_952));
                let name = ServerName::try_from(name).unwrap();
                verifier.verify_server_cert(&hub(issuer), &[issuer.der().clone()], &name, &[], now).is_ok()
            };
            for year in [1970, 2000, 2026, 2060] {
                assert!(check(&own, "hub.example", year), "{year}");
                assert!(!check(&other, "hub.example", year), "{year}");
                assert!(!check(&own, "elsewhere.example", year), "{year}");
            }
        }
    }
}
