//! Secrets that the hub makes: what a session and a one-time link are known by. Shown once, kept as a hash.

use std::fmt;

use gatepost_wire::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::evidence::hex;

/// A secret of 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self(hex(&secret)))
    }

    /// One that somebody shows.
    pub fn shown(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For the one who is to have it, and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// By what it is found again. It has 256 random bits, so its plain hash cannot be guessed back.
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex(&Sha256::digest(&self.0)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// In lower-case hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A one-time link by which its person sets a password.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// What it is known by.
    pub token: Token,
    /// Useless from then on.
    pub until: Timestamp,
}
