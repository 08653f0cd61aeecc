//! A backup of everything the hub keeps, taken while it runs, and the way back.
//!
//! A backup is a folder: the database as it stood at one moment, the evidence and attachments it vouches for, the hub's keys, the devices file, and a
//! [`Manifest`] with the hash of each. It is written beside its place and moved there once it is whole, and so is what is restored.

mod manifest;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use gatepost_wire::Timestamp;
use sha2::{Digest as _, Sha256};

pub use manifest::{Entry, InnerPath, Manifest};

use crate::attachment;
use crate::config::{Broker, Config};
use crate::evidence::{Folder, hex};
use crate::store::{Store, StoreError, Vouched};

/// The database inside a backup, and below a hub's `data_dir`; what follows likewise.
pub const DATABASE: &str = "hub.sqlite";
const DEVICES: &str = "devices.toml";
const KEYS: &str = "keys";
const EVIDENCE: &str = "evidence";
const ATTACHMENTS: &str = "attachments";

/// Only in a backup.
const MANIFEST: &str = "manifest.json";

/// Copied at a time.
const PIECE: usize = 256 * 1024;

/// A backup cannot be taken or restored. Nothing is left in its place then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would be without the database.
    #[error(
        "the database is on a PostgreSQL server: back it up there, with pg_dump, and data_dir with it (docs/BACKUP.md tells how)"
    )]
    OnServer,
    /// There is something where it should go.
    #[error("{}: it is there already and not empty: name another folder, or move it away", .0.display())]
    Taken(PathBuf),
    /// The manifest makes no sense.
    #[error("{}: it is no manifest of a backup that this version knows: {problem}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file is not the one that was backed up.
    #[error("{}: its hash is not the one in the manifest: the backup is damaged or was changed, take another", .0.display())]
    Damaged(PathBuf),
}

/// What a backup holds, or what was restored.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Files.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}

/// Takes a backup of the hub of this configuration into a new folder, while it runs or not.
///
/// # Errors
/// [`BackupError`].
pub async fn take(config: &Config, store: &Store, to: &Path, now: Timestamp) -> Result<Extent, BackupError> {
    let place = Place::new(to)?;
    let mut entries = Vec::new();
    let Vouched { evidence, attachments } =
        store.copy_to(&place.inside(DATABASE)).await?.ok_or(BackupError::OnServer)?;
    entries.push(place.enter(DATABASE)?);
    let keys = &config.tls.authority.folder;
    for name in names(keys)? {
        let inner = format!("{KEYS}/{name}");
        entries.push(place.copy(&keys.join(&name), &inner)?);
    }
    if let Broker::Embedded(broker) = &config.broker
        && broker.devices_file.exists()
    {
        entries.push(place.copy(&broker.devices_file, DEVICES)?);
    }
    let folder = Folder::open(config.data_dir.join(EVIDENCE)).map_err(failed(&config.data_dir))?;
    for (sha256, format) in evidence {
        let file = folder.file(&sha256, format);
        let below = file.strip_prefix(folder.path()).unwrap_or(&file);
        let inner = format!("{EVIDENCE}/{}", below.display());
        entries.extend(place.copy_if_there(&file, &inner)?);
    }
    let folder =
        attachment::Folder::open(config.data_dir.join(ATTACHMENTS)).map_err(failed(&config.data_dir))?;
    for id in attachments {
        entries.extend(place.copy_if_there(&folder.file(id), &format!("{ATTACHMENTS}/{id}"))?);
    }
    let manifest = Manifest::new(now, entries);
    let text = manifest.to_json().map_err(|error| BackupError::Manifest {
        path: place.inside(MANIFEST),
        problem: error.to_string(),
    })?;
    let file = place.inside(MANIFEST);
    create(&file).and_then(|mut out| out.write_all(text.as_bytes())).map_err(failed(&file))?;
    place.settle()?;
    Ok(extent(&manifest))
}

/// Puts a backup where a hub's data belongs, a folder that is not there or empty, and checks every byte on the way.
///
/// # Errors
/// [`BackupError`].
pub fn restore(from: &Path, to: &Path) -> Result<(Manifest, Extent), BackupError> {
    let file = from.join(MANIFEST);
    let text = fs::read_to_string(&file).map_err(failed(&file))?;
    let manifest =
        Manifest::parse(&text).map_err(|problem| BackupError::Manifest { path: file.clone(), problem })?;
    let place = Place::new(to)?;
    for entry in &manifest.files {
        let source = from.join(entry.path.as_str());
        let copied = place.copy(&source, entry.path.as_str())?;
        if copied != *entry {
            return Err(BackupError::Damaged(source));
        }
    }
    place.settle()?;
    let extent = extent(&manifest);
    Ok((manifest, extent))
}

fn extent(manifest: &Manifest) -> Extent {
    Extent { files: manifest.files.len(), bytes: manifest.files.iter().map(|entry| entry.bytes).sum() }
}

/// A folder that is filled beside its place; dropped before it is settled, it is gone.
struct Place {
    to: PathBuf,
    filling: tempfile::TempDir,
}

impl Place {
    fn new(to: &Path) -> Result<Self, BackupError> {
        let to = std::path::absolute(to).map_err(failed(to))?;
        match fs::read_dir(&to) {
            Ok(mut inside) => {
                if inside.next().is_some() {
                    return Err(BackupError::Taken(to));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(BackupError::File { path: to, source }),
        }
        let parent = to.parent().unwrap_or(Path::new("/"));
        // There are keys in it.
        let only_owner = fs::Permissions::from_mode(0o700);
        let filling =
            tempfile::Builder::new().prefix(".gatepost-").permissions(only_owner).tempdir_in(parent);
        let filling = filling.map_err(failed(parent))?;
        Ok(Self { to, filling })
    }

    fn inside(&self, inner: &str) -> PathBuf {
        self.filling.path().join(inner)
    }

    /// Copies a file and says what was copied.
    fn copy(&self, from: &Path, inner: &str) -> Result<Entry, BackupError> {
        let to = self.inside(inner);
        let input = File::open(from).map_err(failed(from))?;
        if let Some(folder) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
        }
        let mut output = create(&to).map_err(failed(&to))?;
        let (bytes, sha256) = pump(input, &mut output).map_err(failed(from))?;
        self.entry(inner, bytes, sha256)
    }

    /// The same, unless its time has come since it was vouched for: its row goes when the restored hub looks for what is over.
    fn copy_if_there(&self, from: &Path, inner: &str) -> Result<Option<Entry>, BackupError> {
        match self.copy(from, inner) {
            Err(BackupError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            copied => copied.map(Some),
        }
    }

    /// Says what is there already.
    fn enter(&self, inner: &str) -> Result<Entry, BackupError> {
        let file = self.inside(inner);
        let input = File::open(&file).map_err(failed(&file))?;
        let (bytes, sha256) = pump(input, &mut io::sink()).map_err(failed(&file))?;
        self.entry(inner, bytes, sha256)
    }

    fn entry(&self, inner: &str, bytes: u64, sha256: String) -> Result<Entry, BackupError> {
        let path = InnerPath::try_from(inner.to_owned())
            .map_err(|problem| BackupError::Manifest { path: self.inside(inner), problem })?;
        Ok(Entry { path, bytes, sha256 })
    }

    /// Moves it to its place, once all of it is on the disk.
    fn settle(self) -> Result<(), BackupError> {
        let at = failed(&self.to);
        let parent = self.to.parent().unwrap_or(Path::new("/")).to_owned();
        let folder = File::open(&parent).map_err(failed(&parent))?;
        rustix::fs::syncfs(&folder).map_err(|errno| failed(&parent)(errno.into()))?;
        // Takes the place of an empty folder and of nothing else.
        fs::rename(self.filling.path(), &self.to).map_err(at)?;
        let _ = self.filling.keep();
        folder.sync_all().map_err(failed(&parent))
    }
}

/// A new file that only its owner reads.
fn create(file: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

/// Copies to the end; gives how much it was, and its SHA-256.
fn pump(mut from: impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = from.read(&mut piece)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            return Ok((bytes, hex(&hash.finalize())));
        };
        hash.update(read);
        to.write_all(read)?;
        bytes += read.len() as u64;
    }
}

/// Files of a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(folder))?;
        if entry.file_type().map_err(failed(&entry.path()))?.is_file()
            && let Ok(name) = entry.file_name().into_string()
            // A lock holds nothing.
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    Ok(names)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path: path.clone(), source }
}

#[cfg(test)]
mod tests;
