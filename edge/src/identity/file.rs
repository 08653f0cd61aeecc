//! The identity's file: one file, so that key and certificate are replaced together or not at all. Of a key in the TPM it holds
//! what that TPM, and no other, makes the key of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;
use std::sync::Arc;

use gatepost_wire::EdgeId;
use gatepost_wire::enrolment::Issued;
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::tpm::Tpm;
use super::{Identity, IdentityError};

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    edge: EdgeId,
    /// PEM: `PRIVATE KEY`, or `TSS2 PRIVATE KEY` of one that a TPM has.
    key: String,
    issued: Issued,
}

pub(super) fn read(file: &Path, edge: &EdgeId, tpm: &Arc<Tpm>) -> Result<Identity, IdentityError> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(IdentityError::None { edge: edge.clone() });
        }
        Err(source) => return Err(IdentityError::File { file: file.to_owned(), source }),
    };
    let damaged = |problem: String| IdentityError::Damaged { file: file.to_owned(), problem };
    let Kept { edge: found, key, issued } =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if found != *edge {
        return Err(IdentityError::Another { file: file.to_owned(), found, edge: edge.clone() });
    }
    let identity = Identity { edge: found, key: Key::from_pem(key, tpm).map_err(damaged)?, issued };
    identity.tls().map_err(|error| damaged(error.to_string()))?;
    Ok(identity)
}

pub(super) fn write(file: &Path, identity: &Identity) -> Result<(), IdentityError> {
    let failed = |source| IdentityError::File { file: file.to_owned(), source };
    let Identity { edge, key, issued } = identity.clone();
    let key = key.to_pem().map_err(|error| failed(io::Error::other(error)))?;
    let kept = Kept { edge, key, issued };
    let text = serde_json::to_vec_pretty(&kept).map_err(|error| failed(io::Error::other(error)))?;
    write_secret(file, &text).map_err(failed)
}

/// Readable by the owner of the folder only, from the first byte on.
fn write_secret(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let part = file.with_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut fresh = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    fresh.write_all(bytes)?;
    // A technician enrols as root; the daemon, whose folder it is, must be able to read it.
    let owner = fs::metadata(folder)?;
    if fresh.metadata()?.uid() != owner.uid() {
        fchown(&fresh, Some(owner.uid()), Some(owner.gid()))?;
    }
    fresh.sync_all()?;
    fs::rename(&part, file)?;
    File::open(folder)?.sync_all()
}
