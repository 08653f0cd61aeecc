//! The authority's files: read, and made where they are the hub's own and missing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gatepost_wire::command::SigningKey;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::Inner;

const AUTHORITY_NAME: &str = "Gatepost hub authority";

/// Where the authority's certificate and keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityFiles {
    /// Folder of what the hub makes itself: the command key, and the authority unless it is another's.
    pub folder: PathBuf,
    /// Certificate and key of an authority of the district, in PEM.
    pub external: Option<(PathBuf, PathBuf)>,
}

impl AuthorityFiles {
    /// Everything the hub's own.
    pub fn own(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), external: None }
    }
}

/// The authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {problem}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A key or certificate cannot be made.
    #[error("the hub's own authority cannot be made: {0}")]
    Make(String),
}

pub(super) fn open(files: &AuthorityFiles) -> Result<Inner, AuthorityError> {
    let commands = files.folder.join("command.key");
    let (certificate, key) = match &files.external {
        Some((certificate, key)) => {
            make_missing(&files.folder, &commands, None)?;
            (certificate.clone(), key.clone())
        }
        None => {
            let own = (files.folder.join("authority.pem"), files.folder.join("authority.key"));
            make_missing(&files.folder, &commands, Some((&own.0, &own.1)))?;
            own
        }
    };
    let (pem, key_pem) = (read(&certificate)?, read(&key)?);
    let wrong = |file: &Path, problem: String| AuthorityError::Wrong { file: file.into(), problem };
    let key_pair =
        KeyPair::from_pem(&key_pem).map_err(|error| wrong(&key, format!("no key in PEM: {error}")))?;
    let der = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| wrong(&certificate, format!("no certificate in PEM: {error}")))?;
    if !holds_key(&der, &key_pair) {
        let problem = format!("it is not the certificate of the key in {}", key.display());
        return Err(wrong(&certificate, problem));
    }
    let issuer = Issuer::from_ca_cert_der(&der, key_pair)
        .map_err(|error| wrong(&certificate, format!("not the certificate of an authority: {error}")))?;
    let document = PrivatePkcs8KeyDer::from_pem_slice(read(&commands)?.as_bytes())
        .map_err(|error| wrong(&commands, format!("no key in PEM: {error}")))?;
    let signing = SigningKey::from_pkcs8(document.secret_pkcs8_der())
        .map_err(|error| wrong(&commands, error.to_string()))?;
    Ok(Inner { issuer, certificate: der, pem, commands: signing })
}

/// A certificate carries its public key as it is.
fn holds_key(certificate: &CertificateDer<'_>, key: &KeyPair) -> bool {
    let key = key.public_key_raw();
    certificate.windows(key.len()).any(|window| window == key)
}

/// Makes what is missing of the hub's own, under a lock: the daemon and a command may come at the same time.
fn make_missing(
    folder: &Path,
    commands: &Path,
    authority: Option<(&PathBuf, &PathBuf)>,
) -> Result<(), AuthorityError> {
    let failed = |source| AuthorityError::File { file: folder.into(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::create(folder.join(".lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    give_to_owner(&lock, folder).map_err(failed)?;
    if !commands.exists() {
        let key = SigningKey::generate_pkcs8().map_err(|error| AuthorityError::Make(error.to_string()))?;
        let key = KeyPair::try_from(key).map_err(|error| AuthorityError::Make(error.to_string()))?;
        write(folder, commands, &key.serialize_pem())?;
    }
    if let Some((certificate, key)) = authority
        && !certificate.exists()
    {
        let (pem, key_pem) = make().map_err(|error| AuthorityError::Make(error.to_string()))?;
        // The certificate last: once it is there, both are.
        write(folder, key, &key_pem)?;
        write(folder, certificate, &pem)?;
    }
    Ok(())
}

fn make() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    // It signs boxes and nothing below them.
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    // Longer than any box; another authority is a new enrolment.
    parameters.not_after = rcgen::date_time_ymd(2070, 1, 1);
    Ok((parameters.self_signed(&key)?.pem(), key.serialize_pem()))
}

fn read(file: &Path) -> Result<String, AuthorityError> {
    fs::read_to_string(file).map_err(|source| AuthorityError::File { file: file.into(), source })
}

fn write(folder: &Path, file: &Path, text: &str) -> Result<(), AuthorityError> {
    let written = || {
        // Readable by the owner only, which is what a temporary file is.
        let mut fresh = tempfile::Builder::new().prefix(".key-").tempfile_in(folder)?;
        fresh.write_all(text.as_bytes())?;
        fresh.as_file().sync_all()?;
        give_to_owner(fresh.as_file(), folder)?;
        fresh.persist(file).map_err(|refused| refused.error)?;
        File::open(folder)?.sync_all()
    };
    written().map_err(|source| AuthorityError::File { file: file.into(), source })
}

/// An administrator may be the first to need a key, as root; the daemon, whose folder it is, must be able to read it.
fn give_to_owner(file: &File, folder: &Path) -> io::Result<()> {
    let parent = folder.parent().filter(|parent| parent.exists()).unwrap_or(folder);
    let owner = fs::metadata(parent)?;
    if file.metadata()?.uid() != owner.uid() {
        std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))?;
        std::os::unix::fs::chown(folder, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}
