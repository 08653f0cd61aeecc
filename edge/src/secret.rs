//! Secrets stand in files of their own, never in the configuration, the log or the process arguments.

use std::path::{Path, PathBuf};

/// A secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No such file, or it may not be read.
    #[error("{}: the password cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing in it.
    #[error("{}: the password file is empty: write the password into its first line", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
}

/// The first line of a file.
///
/// # Errors
/// [`SecretError`] names the file, never its content.
pub fn read_secret(file: &Path) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| SecretError::Unreadable { file: file.to_owned(), source })?;
    match text.lines().next() {
        Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
        _ => Err(SecretError::Empty { file: file.to_owned() }),
    }
}
