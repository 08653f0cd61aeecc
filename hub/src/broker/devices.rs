//! Which devices may log in: a file of names and hashes of their tokens.
//!
//! A token is 256 random bits made here, so its plain SHA-256 cannot be guessed back; there is no password a
//! person chose and hence nothing to stretch.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gatepost_wire::EdgeId;
use sha2::{Digest as _, Sha256};

use crate::config::{ConfigError, DevicesFile, read_toml};
use crate::evidence::hex;

const SCHEME: &str = "sha256:";
const TOKEN_BYTES: usize = 32;

/// What a device proves itself by.
pub struct Token(String);

impl Token {
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// For showing it once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn hash(token: &[u8]) -> String {
    format!("{SCHEME}{}", hex(&Sha256::digest(token)))
}

/// A device cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// It has a token already.
    #[error("{}: device {edge} is already there: remove its line first if its token is lost", file.display())]
    Known {
        /// The devices file.
        file: PathBuf,
        /// The device.
        edge: EdgeId,
    },
    /// The devices file cannot be understood.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The devices file cannot be written.
    #[error("{}: {source}", file.display())]
    Write {
        /// The devices file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gives no randomness.
    #[error("no token can be made: {0}")]
    Random(#[from] getrandom::Error),
}

/// A version of the file: who wrote it when.
type Version = (u64, i64, i64, u64);

fn version(file: &Path) -> Option<Version> {
    fs::metadata(file).ok().map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
}

#[derive(Debug, Default)]
struct Known {
    version: Option<Version>,
    hashes: BTreeMap<EdgeId, String>,
}

/// The file, read again whenever it changed.
#[derive(Debug)]
pub struct Devices {
    file: PathBuf,
    known: Mutex<Known>,
}

impl Devices {
    /// Reads the file; where there is none, nobody may log in yet.
    ///
    /// # Errors
    /// When it is there and cannot be understood.
    pub fn open(file: PathBuf) -> Result<Self, ConfigError> {
        let version = version(&file);
        let hashes = read(&file)?;
        if hashes.is_empty() {
            tracing::warn!(
                file = %file.display(),
                "no device may log in yet: `gatepost-hub device add NAME` makes the token for one"
            );
        }
        Ok(Self { file, known: Mutex::new(Known { version, hashes }) })
    }

    /// Does the token belong to the device?
    pub fn accept(&self, edge: &EdgeId, token: &[u8]) -> bool {
        // A panic while the lock is held leaves a whole map behind.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let version = version(&self.file);
        if known.version != version {
            known.version = version;
            match read(&self.file) {
                Ok(hashes) => known.hashes = hashes,
                Err(error) => tracing::error!(%error, "the devices known before are kept"),
            }
        }
        // Hashes are compared, so the time this takes tells nothing about a token.
        known.hashes.get(edge).is_some_and(|known| *known == hash(token))
    }

    /// Makes a token for a new device and notes its hash. The hub need not be restarted.
    ///
    /// # Errors
    /// When the device is there already, or the file cannot be read or written.
    pub fn add(file: &Path, edge: &EdgeId) -> Result<Token, AddError> {
        let wrong = |source| AddError::Write { file: file.into(), source };
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(wrong)?;
        let lock = fs::File::create(file.with_extension("lock")).map_err(wrong)?;
        lock.lock().map_err(wrong)?;
        let mut hashes = read(file)?;
        if hashes.contains_key(edge) {
            return Err(AddError::Known { file: file.into(), edge: edge.clone() });
        }
        let token = Token::random()?;
        hashes.insert(edge.clone(), hash(token.0.as_bytes()));
        write(file, folder, &hashes).map_err(wrong)?;
        Ok(token)
    }

    /// Takes a device's token away; whether it had one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn remove(file: &Path, edge: &EdgeId) -> Result<bool, AddError> {
        let wrong = |source| AddError::Write { file: file.into(), source };
        if !file.exists() {
            return Ok(false);
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        let lock = fs::File::create(file.with_extension("lock")).map_err(wrong)?;
        lock.lock().map_err(wrong)?;
        let mut hashes = read(file)?;
        let had = hashes.remove(edge).is_some();
        if had {
            write(file, folder, &hashes).map_err(wrong)?;
        }
        Ok(had)
    }
}

fn read(file: &Path) -> Result<BTreeMap<EdgeId, String>, ConfigError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(source) => return Err(ConfigError::Unreadable { file: file.into(), source }),
    };
    read_toml::<DevicesFile>(file, &text).map(|file| file.devices)
}

fn write(file: &Path, folder: &Path, hashes: &BTreeMap<EdgeId, String>) -> io::Result<()> {
    let mut text =
        "# Devices that may log in at the embedded broker by a token. Made by `gatepost-hub device add NAME`;\n\
        # a line that is removed shuts its device out at its next connection.\n[devices]\n"
            .to_owned();
    for (edge, hash) in hashes {
        text.push_str(&format!("{edge} = \"{hash}\"\n"));
    }
    // Readable by the owner only, which is what a temporary file is.
    let mut fresh = tempfile::Builder::new().prefix(".devices-").tempfile_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.as_file().sync_all()?;
    // An administrator adds devices as root; the daemon, whose directory it is, must be able to read them.
    let owner = fs::metadata(folder)?;
    if fresh.as_file().metadata()?.uid() != owner.uid() {
        std::os::unix::fs::fchown(fresh.as_file(), Some(owner.uid()), Some(owner.gid()))?;
    }
    fresh.persist(file).map_err(|refused| refused.error)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_good_at_once_and_only_for_its_device() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hub/devices.toml");
        let devices = Devices::open(file.clone()).unwrap();
        let (one, two): (EdgeId, EdgeId) = ("gate-1".parse().unwrap(), "gate-2".parse().unwrap());
        let token = Devices::add(&file, &one).unwrap();
        let other = Devices::add(&file, &two).unwrap();
        assert!(devices.accept(&one, token.reveal().as_bytes()));
        assert!(!devices.accept(&two, token.reveal().as_bytes()));
        assert!(!devices.accept(&one, other.reveal().as_bytes()));
        assert!(!devices.accept(&one, b""));
        assert!(matches!(Devices::add(&file, &one), Err(AddError::Known { .. })));

        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(token.reveal()), "the token itself must not be stored");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        assert!(Devices::remove(&file, &one).unwrap());
        assert!(!Devices::remove(&file, &one).unwrap());
        assert!(devices.accept(&two, other.reveal().as_bytes()));
        assert!(!devices.accept(&one, token.reveal().as_bytes()), "a removed device is shut out");
    }
}
