//! Codes: made here, shown once, kept as a hash.

use gatepost_wire::enrolment::EnrolmentCode;
use gatepost_wire::{EdgeId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::authority::Authority;
use crate::evidence::hex;
use crate::store::{Store, StoreError};

/// No code can be made.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// The system gives no randomness.
    #[error("no code can be made: {0}")]
    Random(#[from] getrandom::Error),
    /// It cannot be noted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A code that lets the edge enrol once, until it ends. An earlier one that nobody used ends now.
///
/// # Errors
/// When it cannot be noted.
pub async fn new_code(
    store: &Store,
    authority: &Authority,
    edge: &EdgeId,
    now: Timestamp,
    until: Timestamp,
) -> Result<EnrolmentCode, CodeError> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)?;
    let code = EnrolmentCode::new(u128::from_be_bytes(secret), authority.code_bits());
    store.add_code(edge, &hash(&code.secret()), now, until).await?;
    Ok(code)
}

/// A code has 128 random bits, so its plain hash cannot be guessed back.
pub(super) fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}
