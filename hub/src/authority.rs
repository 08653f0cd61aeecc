//! The authority: the small certificate authority by which this hub and its boxes know each other, and the key the hub signs
//! commands with. Its own, made at the first use; or one of the district, by configuration.

mod files;

use std::sync::Arc;

use gatepost_wire::command::SigningKey;
use gatepost_wire::{EdgeId, Timestamp};
use jiff::SignedDuration;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::evidence::hex;
pub use files::{AuthorityError, AuthorityFiles};

/// The hub's name in its own certificates. The point keeps it apart from every box's: an [`EdgeId`] has none.
pub const HUB_NAME: &str = "gatepost.hub";

/// A certificate of the hub itself counts so long; it is made anew far sooner.
const OWN_VALID: SignedDuration = SignedDuration::from_hours(24 * 90);
/// A clock that lags a little must not make a new certificate one of the future.
const MOST_BACKDATED: SignedDuration = SignedDuration::from_hours(1);
/// A revocation list is read again by its broker long before.
const LIST_VALID: SignedDuration = SignedDuration::from_hours(24 * 30);
const SERIAL_BYTES: usize = 16;

/// SHA-256 of a certificate (DER), in hexadecimal digits: what the hub knows certificates by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(hex(&Sha256::digest(certificate)))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that the database holds.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }
}

/// A certificate that was just made for a box.
#[derive(Debug, Clone)]
pub struct DeviceCertificate {
    /// What it is known by here.
    pub fingerprint: Fingerprint,
    /// Its serial number in hexadecimal digits: what revocation lists name it by.
    pub serial: String,
    /// The certificate.
    pub pem: String,
    /// It counts from then.
    pub from: Timestamp,
    /// It counts until then.
    pub until: Timestamp,
}

/// A certificate that does not count any more.
#[derive(Debug, Clone)]
pub struct Revoked {
    /// Its serial number in hexadecimal digits.
    pub serial: String,
    /// Since when.
    pub at: Timestamp,
}

/// A key and a certificate that end with the process.
pub struct OwnCertificate {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// Both in PEM, for a program that reads files.
    pub pem: (String, String),
}

/// A certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Not a certificate signing request, or its signature is not its key's.
    #[error("it is no certificate signing request in PEM, signed by its own key: {0}")]
    Request(rcgen::Error),
    /// The authority cannot sign.
    #[error("the authority cannot issue a certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// The system gives no randomness.
    #[error("no serial number can be made: {0}")]
    Random(#[from] getrandom::Error),
    /// A time no certificate can hold.
    #[error("a certificate cannot hold the time {0}")]
    Time(Timestamp),
}

/// The authority and the command key; cheap to clone.
#[derive(Clone)]
pub struct Authority {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

struct Inner {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    commands: SigningKey,
}

impl Authority {
    /// Reads the files, and makes those that are missing and the hub's own.
    ///
    /// # Errors
    /// Names the file.
    pub fn open(files: &AuthorityFiles) -> Result<Self, AuthorityError> {
        files::open(files).map(|inner| Self { inner: Arc::new(inner) })
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.inner.certificate
    }

    /// The authority's certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.inner.pem
    }

    /// What a code carries to a box, so that the box knows this authority.
    pub fn code_bits(&self) -> u128 {
        let hash = Sha256::digest(&self.inner.certificate);
        hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
    }

    /// What commands are signed with.
    pub fn commands(&self) -> &SigningKey {
        &self.inner.commands
    }

    /// A certificate for the key in a box's request (PKCS #10). Whatever else the request asks for is not heard.
    ///
    /// # Errors
    /// When it is no request, or the authority cannot sign.
    pub fn issue(
        &self,
        edge: &EdgeId,
        request: &str,
        now: Timestamp,
        valid: SignedDuration,
    ) -> Result<DeviceCertificate, IssueError> {
        let mut request = CertificateSigningRequestParams::from_pem(request).map_err(IssueError::Request)?;
        let from = now - MOST_BACKDATED.min(valid / 10);
        let until = now + valid;
        let serial = serial()?;
        request.params = parameters(edge.as_str(), &serial, from, until)?;
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = request.signed_by(&self.inner.issuer)?;
        let fingerprint = Fingerprint::of(certificate.der());
        Ok(DeviceCertificate { fingerprint, serial: hex(&serial), pem: certificate.pem(), from, until })
    }

    /// A key and certificate by which boxes know the hub (or its broker) under these names and addresses.
    ///
    /// # Errors
    /// When the authority cannot sign.
    pub fn server(&self, names: &[String], now: Timestamp) -> Result<OwnCertificate, IssueError> {
        let mut parameters = parameters(HUB_NAME, &serial()?, now - MOST_BACKDATED, now + OWN_VALID)?;
        parameters.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.own(&parameters)
    }

    /// A key and certificate by which another broker knows the hub.
    ///
    /// # Errors
    /// When the authority cannot sign.
    pub fn client(&self, now: Timestamp) -> Result<OwnCertificate, IssueError> {
        let mut parameters = parameters(HUB_NAME, &serial()?, now - MOST_BACKDATED, now + OWN_VALID)?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.own(&parameters)
    }

    fn own(&self, parameters: &CertificateParams) -> Result<OwnCertificate, IssueError> {
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.inner.issuer)?;
        Ok(OwnCertificate {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            pem: (certificate.pem(), key.serialize_pem()),
        })
    }

    /// What does not count any more, for brokers that ask a file (RFC 5280, 5), in PEM.
    ///
    /// # Errors
    /// When the authority cannot sign.
    pub fn revocation_list(&self, revoked: &[Revoked], now: Timestamp) -> Result<String, IssueError> {
        let revoked_certs = revoked.iter().map(|it| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&bytes_of(&it.serial)),
                revocation_time: time_of(it.at)?,
                reason_code: Some(RevocationReason::Unspecified),
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: time_of(now)?,
            next_update: time_of(now + LIST_VALID)?,
            // Only has to grow.
            crl_number: SerialNumber::from(u64::try_from(now.as_millisecond()).unwrap_or_default()),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect::<Result<_, IssueError>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.inner.issuer)?.pem()?)
    }
}

fn parameters(
    name: &str,
    serial: &[u8],
    from: Timestamp,
    until: Timestamp,
) -> Result<CertificateParams, IssueError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.serial_number = Some(SerialNumber::from_slice(serial));
    parameters.not_before = time_of(from)?;
    parameters.not_after = time_of(until)?;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

/// Random, positive and of one length, so that its digits are the same wherever they are written (RFC 5280, 4.1.2.2).
fn serial() -> Result<[u8; SERIAL_BYTES], IssueError> {
    let mut serial = [0; SERIAL_BYTES];
    getrandom::fill(&mut serial)?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

fn bytes_of(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_default()).collect()
}

fn time_of(at: Timestamp) -> Result<OffsetDateTime, IssueError> {
    OffsetDateTime::from_unix_timestamp(at.as_second()).map_err(|_| IssueError::Time(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(dir: &std::path::Path) -> Authority {
        Authority::open(&AuthorityFiles::own(&dir.join("keys"))).unwrap()
    }

    fn request(key: &KeyPair) -> String {
        let mut asked = CertificateParams::new(vec!["gate-2".to_owned()]).unwrap();
        asked.distinguished_name.push(DnType::CommonName, "gate-2");
        asked.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        asked.serialize_request(key).unwrap().pem().unwrap()
    }

    #[test]
    fn it_is_made_once_and_kept_from_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let first = authority(dir.path());
        let again = authority(dir.path());
        assert_eq!(first.pem(), again.pem());
        assert_eq!(first.commands().verifying_key(), again.commands().verifying_key());
        for key in ["authority.key", "command.key"] {
            let mode = std::fs::metadata(dir.path().join("keys").join(key)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }

    #[test]
    fn a_box_gets_the_name_the_hub_gives_it_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let authority = authority(dir.path());
        let key = KeyPair::generate().unwrap();
        let now = Timestamp::now();
        let edge = "gate-1".parse().unwrap();
        let issued = authority.issue(&edge, &request(&key), now, SignedDuration::from_hours(24)).unwrap();
        // Read back as a request to sign would be: by the parser, not by us.
        let pem = rustls::pki_types::pem::PemObject::from_pem_slice(issued.pem.as_bytes());
        let der: CertificateDer<'static> = pem.unwrap();
        assert_eq!(Fingerprint::of(&der), issued.fingerprint);
        let text = String::from_utf8_lossy(&der).into_owned();
        assert!(text.contains("gate-1") && !text.contains("gate-2"));
        assert_eq!(issued.until, now + SignedDuration::from_hours(24));
        assert!(issued.from < now);
    }

    /// A broker that knows clients by the names in certificates must not take a box for the hub.
    #[test]
    fn no_box_can_be_called_as_the_hub_is() {
        assert!(HUB_NAME.parse::<EdgeId>().is_err());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let authority = authority(dir.path());
        let edge: EdgeId = "gate-1".parse().unwrap();
        let good = request(&KeyPair::generate().unwrap());
        let middle = good.len() / 2;
        let other = if good.as_bytes()[middle] == b'A' { "B" } else { "A" };
        let torn = format!("{}{other}{}", &good[..middle], &good[middle + 1..]);
        for bad in ["", "x", authority.pem(), &torn] {
            let refused = authority.issue(&edge, bad, Timestamp::now(), SignedDuration::from_hours(1));
            assert!(matches!(refused, Err(IssueError::Request(_))), "{bad}");
        }
    }
}
