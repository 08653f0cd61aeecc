//! The token panels show. Only its hash is kept, and hashes are compared, so that the time an answer takes says nothing of it.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::secret::{SecretError, read_secret};

/// Fewer characters can be tried out.
const LEAST: usize = 16;

/// A token that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::sensor) enum TokenFault {
    /// It cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It can be guessed.
    #[error("{}: the token has fewer than {LEAST} characters: it could be tried out", .0.display())]
    Short(PathBuf),
}

/// The token panels show.
pub(super) struct Token([u8; 32]);

impl Token {
    pub fn read(file: &Path) -> Result<Self, TokenFault> {
        let token = read_secret(file)?;
        if token.len() < LEAST {
            return Err(TokenFault::Short(file.to_owned()));
        }
        Ok(Self(Sha256::digest(token.as_bytes()).into()))
    }

    pub fn is(&self, shown: &str) -> bool {
        self.0 == <[u8; 32]>::from(Sha256::digest(shown.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_the_token_and_a_short_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "0123456789abcdef\nnot this\n").unwrap();
        let token = Token::read(&file).unwrap();
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcde") && !token.is("") && !token.is("not this"));
        std::fs::write(&file, "hunter2\n").unwrap();
        let said = Token::read(&file).err().unwrap().to_string();
        assert!(said.contains("fewer than 16") && !said.contains("hunter2"), "{said}");
    }
}
