//! Who this box is to its hub: a key that was made here and never leaves, the certificate the hub gave for it, and what
//! the box knows the hub by. Got by enrolling, kept fresh by renewing. The key is in the box's TPM where there is one.

mod ask;
mod file;
mod key;
mod renewal;
mod request;
mod tpm;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_wire::command::VerifyingKey;
use gatepost_wire::command::signed::KeyError as HubKeyError;
use gatepost_wire::enrolment::{EnrolmentCode, Issued};
use gatepost_wire::health::KeyPlace;
use gatepost_wire::{EdgeId, Timestamp};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

pub use ask::AskError;
pub use key::{KeyError, NextKey};
pub use renewal::keep_fresh;
pub use tpm::TpmError;

use crate::config::{EnrolmentUrl, KeyStore, Uplink};
use key::Key;
use tpm::Tpm;
use verifier::HubVerifier;

/// A box's identity.
#[derive(Clone)]
pub struct Identity {
    edge: EdgeId,
    key: Key,
    issued: Issued,
}

/// There is no identity, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The box has not enrolled.
    #[error(
        "this box has not enrolled with its hub: run `gatepost-hub device enrol {edge}` there and `gatepost-edge enrol` here"
    )]
    None {
        /// The box.
        edge: EdgeId,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not hold what this program writes.
    #[error("{}: it is damaged ({problem}): enrol the box again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The identity of another box.
    #[error("{}: it is the identity of {found}, and this box is called {edge}: enrol it again, or mend `edge`", file.display())]
    Another {
        /// The file.
        file: PathBuf,
        /// Whose it is.
        found: EdgeId,
        /// The box.
        edge: EdgeId,
    },
    /// The key of this box cannot be used, or none can be made as wanted.
    #[error("`uplink.key_store`: {0}")]
    Key(#[from] KeyError),
    /// The key of the hub, given by a file.
    #[error("`uplink.hub_key_file`: {}: {problem}", file.display())]
    HubKey {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Where the identity of a box is kept.
#[derive(Debug, Clone)]
pub struct IdentityFile {
    file: PathBuf,
    edge: EdgeId,
    key_store: KeyStore,
    tpm: Arc<Tpm>,
}

impl IdentityFile {
    /// That of the box whose state is in `data_dir`.
    pub fn of(edge: &EdgeId, data_dir: &Path, config: &Uplink) -> Self {
        let tpm = Arc::new(Tpm::at(config.tpm.clone()));
        Self { file: data_dir.join("identity.json"), edge: edge.clone(), key_store: config.key_store, tpm }
    }

    /// What is in it now. The TPM is not asked.
    ///
    /// # Errors
    /// [`IdentityError`] says what to do.
    pub fn read(&self) -> Result<Identity, IdentityError> {
        file::read(&self.file, &self.edge, &self.tpm)
    }

    /// Where the next key would be made, at enrolment or renewal. Takes up to a second where there is a TPM.
    ///
    /// # Errors
    /// When it has to be the TPM and that cannot be used.
    pub fn next_key(&self) -> Result<NextKey, TpmError> {
        NextKey::find(self.key_store, &self.tpm)
    }

    /// Where the key of this box is and where the next one goes, tried out, in words for a technician.
    ///
    /// # Errors
    /// When the present key cannot be used, or the next one cannot be made where it has to be.
    pub fn describe_key(&self) -> Result<String, IdentityError> {
        let next = self.next_key().map_err(KeyError::from)?;
        let present = match self.read() {
            Err(IdentityError::None { .. }) => {
                return Ok(format!("enrolling makes the key of this box {next}"));
            }
            present => present?,
        };
        present.test_key()?;
        Ok(match (present.key_place(), next) {
            (KeyPlace::Tpm, NextKey::InTpm) => "the key of this box is in the TPM".into(),
            (KeyPlace::File, NextKey::InFile { because: None }) => "the key of this box is in a file".into(),
            (KeyPlace::Tpm, next) => {
                format!("the key of this box is in the TPM; the next renewal makes one {next}")
            }
            (KeyPlace::File, next) => {
                format!("the key of this box is in a file; the next renewal makes one {next}")
            }
        })
    }

    /// Makes a key, brings the code to the hub and keeps what it gives; an earlier identity is replaced.
    ///
    /// # Errors
    /// When the hub cannot be reached or refuses, or the file cannot be written. The code is spent only if the hub says so.
    pub async fn enrol(&self, hub: &EnrolmentUrl, code: EnrolmentCode) -> Result<Identity, AskError> {
        let key = Key::make(self.key_store, &self.tpm)?;
        let request = request::make(&self.edge, &key)?;
        let issued = ask::with_code(hub, &self.edge, code, request).await?;
        self.keep(key, issued)
    }

    /// Makes a new key and asks for a certificate for it by showing the present one.
    ///
    /// # Errors
    /// When there is none, the hub cannot be reached or refuses, or the file cannot be written.
    pub async fn renew(&self, hub: &EnrolmentUrl) -> Result<Identity, AskError> {
        let present = self.read()?;
        let key_store = match (self.key_store, present.key_place()) {
            // It was just used to get here, so whatever it stumbles over now will pass.
            (KeyStore::Auto, KeyPlace::Tpm) => KeyStore::Tpm,
            (wanted, _) => wanted,
        };
        let key = Key::make(key_store, &self.tpm)?;
        let request = request::make(&self.edge, &key)?;
        let issued = ask::with_certificate(hub, &present, request).await?;
        self.keep(key, issued)
    }

    fn keep(&self, key: Key, issued: Issued) -> Result<Identity, AskError> {
        let identity = Identity { edge: self.edge.clone(), key, issued };
        // It has to fit together before it takes the place of one that does.
        identity.tls()?;
        file::write(&self.file, &identity)?;
        Ok(identity)
    }
}

impl Identity {
    /// The certificate counts from then.
    pub fn from(&self) -> Timestamp {
        self.issued.from
    }

    /// It counts until then.
    pub fn until(&self) -> Timestamp {
        self.issued.until
    }

    /// Where its key is.
    pub fn key_place(&self) -> KeyPlace {
        self.key.place()
    }

    /// Can its key be used, here and now? Takes up to a second if that is in the TPM.
    ///
    /// # Errors
    /// When it cannot; the error says what to do.
    pub fn test_key(&self) -> Result<(), KeyError> {
        self.key.test()
    }

    /// TLS 1.3 to whoever the hub's authority vouches for, showing this box's certificate.
    ///
    /// # Errors
    /// When key and certificates do not fit together.
    pub fn tls(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let chain = vec![CertificateDer::from_pem_slice(self.issued.certificate.as_bytes())?];
        let provider = Arc::new(ring::default_provider());
        let proof = CertifiedKey::new(chain, self.key.for_tls(&provider)?);
        proof.keys_match()?;
        let roots = roots(self.issued.authority.as_bytes())?;
        let verifier = HubVerifier::by_authority(roots, provider.clone())?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            // What it does otherwise than rustls, and why, stands there.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(proof)));
        Ok(Arc::new(config))
    }
}

/// TLS 1.3 to whoever an authority in a file vouches for.
///
/// # Errors
/// When the file holds none.
pub fn tls_by(ca_file: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let pem = std::fs::read(ca_file)
        .map_err(|source| TlsError::CaFile { file: ca_file.to_owned(), problem: source.to_string() })?;
    let roots = roots(&pem)
        .map_err(|error| TlsError::CaFile { file: ca_file.to_owned(), problem: error.to_string() })?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() { Err(TlsError::NoAuthority) } else { Ok(roots) }
}

/// Keys and certificates do not make a TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not PEM, or not of the right kind.
    #[error("no key or certificate in PEM ({0})")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// They do not fit together.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    /// The authority cannot vouch for anybody.
    #[error("{0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
    /// No certificate at all.
    #[error("it holds no certificate in PEM")]
    NoAuthority,
    /// A file of an authority.
    #[error("`ca_file`: {}: {problem}", file.display())]
    CaFile {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Where the hub's public key is found, by which its commands are known.
#[derive(Debug, Clone)]
pub struct HubKey {
    identity: IdentityFile,
    file: Option<PathBuf>,
}

impl HubKey {
    /// In the file the configuration names, or in what enrolment brought.
    pub fn of(identity: IdentityFile, config: &Uplink) -> Self {
        Self { identity, file: config.hub_key_file.clone() }
    }

    /// The key as it is now: a renewal may bring another.
    ///
    /// # Errors
    /// When there is none, so that no command can be believed.
    pub fn read(&self) -> Result<VerifyingKey, IdentityError> {
        let Some(file) = &self.file else { return Ok(self.identity.read()?.issued.command_key) };
        let wrong = |problem: String| IdentityError::HubKey { file: file.clone(), problem };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        text.parse().map_err(|error: HubKeyError| wrong(error.to_string()))
    }
}
