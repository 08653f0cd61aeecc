//! Attachments: a photo, a bill, whatever somebody adds to an incident as a file. What it is is told by its bytes, what a picture says
//! beside itself (where it was taken, by which phone) is taken out, and what is left is kept as it is until its time is over.

mod folder;
mod format;
mod metadata;
mod name;

use bytes::Bytes;
use gatepost_wire::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use ulid::Ulid;
use utoipa::ToSchema;

use crate::evidence::hex;
use crate::retention::Cause;

pub use folder::Folder;
pub use format::{Format, Unfit};
pub use name::FileName;

/// No attachment is larger, as it is sent: 10 MiB.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;

/// No incident has more whose bytes are here.
pub const MOST: i64 = 20;

/// Names the file on disk: a ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentId(Ulid);

impl AttachmentId {
    /// A new one.
    pub fn new() -> Self {
        Self(Ulid::generate())
    }
}

impl Default for AttachmentId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for AttachmentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error| format!("{text:?} is no ULID: {error}"))
    }
}

/// Bytes that may be attached: of a known format, without what a picture says beside itself.
#[derive(Debug, Clone)]
pub struct Content {
    bytes: Bytes,
    sha256: String,
    format: Format,
}

impl Content {
    /// Looks at what somebody sent. The frame of a file is looked at and rewritten; no picture is decoded.
    ///
    /// # Errors
    /// Says what they are not.
    pub fn parse(sent: Bytes) -> Result<Self, Unfit> {
        let format = Format::of(&sent)?;
        let bytes = match format {
            Format::Pdf => sent,
            Format::Jpeg | Format::Png | Format::WebP => metadata::without(format, &sent)?.into(),
        };
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Self { bytes, sha256, format })
    }

    /// What is kept.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Of what is kept, lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What it is.
    pub fn format(&self) -> Format {
        self.format
    }
}

/// An attachment as people are told of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 1, "name": "gate.jpg", "media_type": "image/jpeg", "bytes": 183204, "time": "2026-01-31T08:40:00Z", "who": "赵敏 (zhao.min)",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "gone": null, "held": false, "may_withdraw": true
}))]
pub struct Attachment {
    /// Its place among those of its incident, from 1.
    #[schema(minimum = 1)]
    pub number: u32,
    /// What it is called.
    #[schema(value_type = String, format = "line", max_length = 120)]
    pub name: FileName,
    /// What it is, by its bytes.
    #[schema(example = "image/jpeg")]
    pub media_type: &'static str,
    /// How large it is.
    pub bytes: u64,
    /// SHA-256 of its bytes, lower-case hex; the timeline's step names it too.
    pub sha256: String,
    /// When it was attached.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Who attached it.
    pub who: String,
    /// Its bytes were deleted; null while they are here.
    pub gone: Option<Gone>,
    /// Two people hold it: nobody can withdraw it.
    pub held: bool,
    /// Who asks may withdraw it.
    pub may_withdraw: bool,
}

/// The bytes of an attachment are not here any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gone {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Why.
    pub cause: Cause,
}

#[cfg(test)]
mod tests;
