//! Evidence: a picture or clip that belongs to an event and follows on [`crate::Topic::Evidence`].
//!
//! People in it are covered. The one exception is an uncovered original that a command released
//! ([`crate::command::ReleaseOriginal`]): it travels encrypted for the site's key, says which command released it and
//! until when, and never in the clear.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Timestamp;
use crate::event::Extra;
use crate::id::CommandId;
use crate::schema::date_time;
use crate::tagged::{known, tag};
use crate::word::words;

/// No picture, clip or original may be larger: what one MQTT message and a box's outbox carry without harm.
pub const MAX_EVIDENCE_BYTES: usize = 8 * 1024 * 1024;

/// What evidence consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Of the bytes as they travel.
    pub media_type: MediaType,
    /// Lower-case hex SHA-256 of the bytes.
    pub sha256: String,
    /// Size in bytes, at most [`MAX_EVIDENCE_BYTES`].
    pub bytes: u64,
    /// How it stands with the uncovered original. Absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
}

impl Evidence {
    /// A picture or clip with its people covered and no original kept.
    pub fn covered(media_type: MediaType, sha256: String, bytes: u64) -> Self {
        Self { media_type, sha256, bytes, original: None }
    }
}

words! {
    /// Media type of evidence (RFC 6838).
    MediaType {
        /// A picture.
        Jpeg = "image/jpeg",
        /// A clip.
        Mp4 = "video/mp4",
        /// Something encrypted in the age format, v1 (C2SP `age.md`): a released original.
        Age = "application/vnd.age",
    }
}

/// How it stands with the uncovered original of a picture or clip; `state` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Original {
    /// This is covered; the box keeps the original, encrypted, and may release it on command.
    Kept,
    /// This is the original itself.
    Released(Released),
    /// A state of a newer version, kept whole (its `state` is inside).
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(Extra),
}

/// An original that left its box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// The command that released it: it says who asked and why.
    pub command: CommandId,
    /// It has to be deleted then, UTC.
    #[schemars(schema_with = "date_time")]
    pub until: Timestamp,
    /// What is inside the encryption.
    pub media_type: MediaType,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

impl<'de> Deserialize<'de> for Original {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Extra::deserialize(deserializer)?;
        let state = tag("state", &fields)?;
        match state.as_str() {
            "kept" => Ok(Self::Kept),
            "released" => known("state", &state, fields).map(Self::Released),
            _ => Ok(Self::Unknown(fields)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_of_the_first_version_is_read() {
        let text = r#"{"media_type":"image/jpeg","sha256":"0","bytes":1}"#;
        let evidence: Evidence = serde_json::from_str(text).unwrap();
        assert_eq!(evidence, Evidence::covered(MediaType::Jpeg, "0".into(), 1));
        assert_eq!(serde_json::to_string(&evidence).unwrap(), text);
    }

    #[test]
    fn what_a_newer_version_says_is_kept() {
        let text =
            r#"{"media_type":"image/avif","sha256":"0","bytes":1,"original":{"shelf":7,"state":"archived"}}"#;
        let evidence: Evidence = serde_json::from_str(text).unwrap();
        assert_eq!(evidence.media_type, MediaType::Other("image/avif".into()));
        assert_eq!(serde_json::to_string(&evidence).unwrap(), text);
    }

    #[test]
    fn a_release_without_an_end_is_refused() {
        let text = r#"{"state":"released","command":"01ARZ3NDEKTSV4RRFFQ69G5FAV","media_type":"image/jpeg"}"#;
        let error = serde_json::from_str::<Original>(text).unwrap_err().to_string();
        assert!(error.contains("released") && error.contains("until"), "{error}");
    }
}
