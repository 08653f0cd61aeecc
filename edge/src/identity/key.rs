//! The box's private key: ECDSA on P-256, in a file or in the TPM. Whatever is signed with it is signed through here.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use gatepost_wire::health::KeyPlace;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer, alg_id};
use rustls::sign::{Signer, SigningKey, public_key_to_spki};
use rustls::{OtherError, SignatureScheme};

use super::tpm::{Tpm, TpmError, WrappedKey};
use crate::config::KeyStore;

/// No key can be made, or it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Outside the TPM.
    #[error("{0}")]
    Software(#[from] rcgen::Error),
    /// Inside the TPM.
    #[error(transparent)]
    Tpm(#[from] TpmError),
}

/// Where the next key would be made.
#[derive(Debug)]
pub enum NextKey {
    /// In the TPM, which answers.
    InTpm,
    /// In a file.
    InFile {
        /// Why not in the TPM, if there is one.
        because: Option<TpmError>,
    },
}

impl NextKey {
    /// Asks the TPM where one is wanted.
    pub(super) fn find(store: KeyStore, tpm: &Tpm) -> Result<Self, TpmError> {
        match store {
            KeyStore::File => Ok(Self::InFile { because: None }),
            KeyStore::Auto if !tpm.is_there() => Ok(Self::InFile { because: None }),
            KeyStore::Auto => {
                Ok(tpm.test().map_or_else(|error| Self::InFile { because: Some(error) }, |()| Self::InTpm))
            }
            KeyStore::Tpm => tpm.test().map(|()| Self::InTpm),
        }
    }
}

impl fmt::Display for NextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InTpm => f.write_str("in the TPM"),
            Self::InFile { because: None } => f.write_str("in a file"),
            Self::InFile { because: Some(error) } => write!(f, "in a file ({error})"),
        }
    }
}

/// A private key.
#[derive(Clone)]
pub(super) enum Key {
    /// PKCS #8 in PEM.
    File(Pem),
    /// The TPM has it.
    Tpm(TpmKey),
}

/// A key as text. Never printed, never sent.
#[derive(Clone)]
pub(super) struct Pem(String);

impl Key {
    /// A new key where it is wanted, or where it can be made.
    pub fn make(store: KeyStore, tpm: &Arc<Tpm>) -> Result<Self, KeyError> {
        match store {
            KeyStore::File => Self::in_file(),
            KeyStore::Tpm => Self::in_tpm(tpm),
            KeyStore::Auto if !tpm.is_there() => Self::in_file(),
            KeyStore::Auto => Self::in_tpm(tpm).or_else(|error| {
                tracing::warn!("the key is made in a file: {error}");
                Self::in_file()
            }),
        }
    }

    pub fn in_file() -> Result<Self, KeyError> {
        Ok(Self::File(Pem(KeyPair::generate()?.serialize_pem())))
    }

    fn in_tpm(tpm: &Arc<Tpm>) -> Result<Self, KeyError> {
        Ok(Self::Tpm(TpmKey { wrapped: tpm.create()?, tpm: Arc::clone(tpm) }))
    }

    /// As it stands in the identity's file; which kind it is, its label says.
    pub fn from_pem(text: String, tpm: &Arc<Tpm>) -> Result<Self, String> {
        match WrappedKey::from_pem(&text) {
            Some(wrapped) => Ok(Self::Tpm(TpmKey { wrapped: wrapped?, tpm: Arc::clone(tpm) })),
            None => Ok(Self::File(Pem(text))),
        }
    }

    /// For the identity's file.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        match self {
            Self::File(Pem(text)) => Ok(text.clone()),
            Self::Tpm(key) => Ok(key.tpm.to_pem(&key.wrapped)?),
        }
    }

    pub fn place(&self) -> KeyPlace {
        match self {
            Self::File(_) => KeyPlace::File,
            Self::Tpm(_) => KeyPlace::Tpm,
        }
    }

    /// Can it sign, here and now?
    pub fn test(&self) -> Result<(), KeyError> {
        match self {
            Self::File(Pem(text)) => KeyPair::from_pem(text).map(drop).map_err(KeyError::from),
            Self::Tpm(key) => Ok(key.tpm.test_key(&key.wrapped)?),
        }
    }

    /// A request to certify it, in PEM.
    pub fn request(&self, parameters: &CertificateParams) -> Result<String, KeyError> {
        match self {
            Self::File(Pem(text)) => Ok(parameters.serialize_request(&KeyPair::from_pem(text)?)?.pem()?),
            Self::Tpm(key) => {
                let signs = Requested { key, failed: OnceCell::new() };
                let request = parameters.serialize_request(&signs);
                match signs.failed.into_inner() {
                    Some(error) => Err(error.into()),
                    None => Ok(request?.pem()?),
                }
            }
        }
    }

    /// For TLS.
    pub fn for_tls(&self, provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, super::TlsError> {
        match self {
            Self::File(Pem(text)) => {
                let key = PrivateKeyDer::from_pem_slice(text.as_bytes())?;
                Ok(provider.key_provider.load_private_key(key)?)
            }
            Self::Tpm(key) => Ok(Arc::new(key.clone())),
        }
    }
}

/// A key that only one TPM can use.
#[derive(Debug, Clone)]
pub(super) struct TpmKey {
    wrapped: WrappedKey,
    tpm: Arc<Tpm>,
}

impl TpmKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TpmError> {
        self.tpm.sign(&self.wrapped, message)
    }
}

impl SigningKey for TpmKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&self.scheme()).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(public_key_to_spki(&alg_id::ECDSA_P256, self.wrapped.point()))
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        rustls::SignatureAlgorithm::ECDSA
    }
}

impl Signer for TpmKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.sign(message).map_err(|error| rustls::Error::Other(OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}

/// Signs a request. rcgen's error has no room for why it failed.
struct Requested<'a> {
    key: &'a TpmKey,
    failed: OnceCell<TpmError>,
}

impl PublicKeyData for Requested<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.key.wrapped.point()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Requested<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign(message).map_err(|error| {
            // It signs once.
            let _ = self.failed.set(error);
            rcgen::Error::RemoteKeyError
        })
    }
}
