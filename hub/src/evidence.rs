//! Pictures, clips and released originals on disk: named by the hash of their bytes, so a file is either whole and right or
//! not there.

mod folder;
mod format;

use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

pub use folder::Folder;
pub use format::{Format, FormatError};

/// One piece of evidence as it came: bytes of a known format, and their hash.
#[derive(Debug, Clone)]
pub struct Piece {
    bytes: Bytes,
    sha256: String,
    format: Format,
}

impl Piece {
    /// Looks at bytes from outside. Only the frame is checked: the hub never decodes a picture or clip.
    ///
    /// # Errors
    /// Says what they are not.
    pub fn parse(bytes: Bytes) -> Result<Self, FormatError> {
        let format = Format::of(&bytes)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Self { bytes, sha256, format })
    }

    /// Lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What the bytes are.
    pub fn format(&self) -> Format {
        self.format
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
