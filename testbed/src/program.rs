//! Programs of the system.

use std::env;
use std::path::PathBuf;

use crate::{Error, Result};

/// Debian puts some into /usr/sbin, which is not in every user's PATH.
pub(crate) fn find(program: &'static str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or(Error::NoProgram(program))
}
