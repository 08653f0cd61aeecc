//! What an alarm can show: pictures, clips, released originals, come or not.

use gatepost_wire::{CommandId, EventId, MediaType, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// One piece of evidence of an alarm.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertEvidence {
    /// The event that names it, a ULID.
    #[schema(value_type = String, format = "ulid", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub event: EventId,
    /// SHA-256 of its bytes, lower-case hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// What it is to who looks at it.
    pub role: Role,
    /// Media type of its bytes; of an original: of what is inside the encryption.
    #[schema(value_type = String, example = "video/mp4")]
    pub media_type: MediaType,
    /// Size of its bytes.
    #[schema(example = 48213)]
    pub bytes: u64,
    /// When its event happened, by the edge's clock.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Is it here?
    pub state: EvidenceState,
    /// Where it is, while it is here.
    #[schema(
        example = "/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/evidence/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub url: Option<String>,
    /// The box keeps the uncovered original of it; a command `release_original` with this `event` may release it.
    pub original_kept: bool,
    /// Of an original: the command that released it.
    #[schema(value_type = Option<String>, format = "ulid", example = "01ARZ3NDEKTSV4RRFFQ69G5FAW")]
    pub command: Option<CommandId>,
    /// Of an original: when it is deleted here.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// When it was deleted here.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted: Option<Timestamp>,
}

/// What evidence is to who looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
// People have roles, too: without a name of its own one would be described as the other.
#[schema(as = EvidenceRole)]
pub enum Role {
    /// A picture, people in it covered.
    Snapshot,
    /// A clip, people in it covered.
    Clip,
    /// An uncovered original, encrypted.
    Original,
    /// Of a kind this hub cannot keep.
    Other,
}

/// Is evidence here?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceState {
    /// Its event names it, and its bytes have not come.
    Awaited,
    /// It can be fetched.
    Here,
    /// Its time was over.
    Deleted,
}
