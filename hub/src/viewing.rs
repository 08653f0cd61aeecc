//! Why somebody looks at pictures: nothing an alarm shows is handed out before its purpose is in the register.
//!
//! An opening holds for one session, one alarm and a [few minutes](LASTS). Its [purpose](Purpose) is an incident that is open and has the
//! alarm, or a reason that is stated. Who opened what, and which pieces were then looked at, stays in the register.

use gatepost_wire::{AlarmId, CameraId, EdgeId, EventId, MediaType, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use ulid::Ulid;
use utoipa::ToSchema;

use crate::access::{DisplayName, PersonName, Role, SiteId};
use crate::incident::IncidentId;

/// How long an opening holds. Who needs longer says so again, which leaves another line in the register.
pub const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// A ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ViewingId(Ulid);

impl ViewingId {
    /// A new one.
    pub fn new() -> Self {
        Self(Ulid::generate())
    }
}

impl Default for ViewingId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for ViewingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for ViewingId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error| format!("{text:?} is no ULID: {error}"))
    }
}

/// Which kind of reason somebody states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// To see what an alarm is about that is no open incident.
    CheckAlarm,
    /// To look back at something that was dealt with.
    FollowUp,
    /// Somebody who is entitled to it asks: the police, a parent about their child.
    Request,
    /// To see whether the camera or its rules do what they should.
    CheckCamera,
    /// Anything else; the words say what.
    Other,
}

/// A reason in words: one line of 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Statement(String);

impl Statement {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Statement {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
            return Err("one line of 1 to 200 characters is needed");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What somebody looks at pictures for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// They work at this incident, which is open and has the alarm.
    Incident(IncidentId),
    /// Something else, which they state.
    Stated {
        /// Which kind.
        reason: Reason,
        /// In words.
        text: Statement,
    },
}

/// A line of the register: who opened what an alarm shows, and what for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 41, "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "time": "2026-01-31T08:30:00Z", "until": "2026-01-31T08:45:00Z",
    "person": "wang.li", "display_name": "王丽", "roles": ["operator"], "sites": ["school-3"], "address": "10.0.0.7",
    "edge": "gate-1", "alarm": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "kind": "zone_intrusion", "camera": "east-gate",
    "incident": null, "reason": "request", "text": "police report 17",
    "pieces": [{
        "event": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "media_type": "image/jpeg", "time": "2026-01-31T08:30:01Z",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    }],
    "attachments": []
}))]
pub struct Viewing {
    /// Its place in the register.
    pub number: i64,
    /// ULID.
    #[schema(value_type = String, format = "ulid")]
    pub id: ViewingId,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Until when it holds, as long as the session does.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// By whom.
    #[schema(value_type = String, format = "person-name")]
    pub person: PersonName,
    /// What others called them then.
    #[schema(value_type = String, format = "line")]
    pub display_name: DisplayName,
    /// As what they worked then.
    pub roles: Vec<Role>,
    /// At which sites they worked then; null: at all.
    #[schema(value_type = Option<Vec<String>>)]
    pub sites: Option<Vec<SiteId>>,
    /// From which address.
    pub address: String,
    /// The box the alarm comes from.
    #[schema(value_type = String, format = "name")]
    pub edge: EdgeId,
    /// The alarm whose pictures were opened.
    #[schema(value_type = String, format = "ulid")]
    pub alarm: AlarmId,
    /// What the alarm is about, as in an alert.
    pub kind: String,
    /// The camera that saw it.
    #[schema(value_type = Option<String>, format = "name")]
    pub camera: Option<CameraId>,
    /// The incident it was opened for.
    #[schema(value_type = Option<String>, format = "ulid")]
    pub incident: Option<IncidentId>,
    /// The reason that was stated, where it was not an incident.
    pub reason: Option<Reason>,
    /// That reason in words.
    pub text: Option<String>,
    /// What was looked at, in that order.
    pub pieces: Vec<ViewedPiece>,
    /// Attachments of its incident that were looked at, in that order.
    pub attachments: Vec<ViewedAttachment>,
}

/// An attachment that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ViewedAttachment {
    /// The incident it was attached to, a ULID.
    #[schema(value_type = String, format = "ulid", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub incident: IncidentId,
    /// Its number there.
    #[schema(example = 1)]
    pub number: u32,
    /// SHA-256 of its bytes, lower-case hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// What it is.
    #[schema(example = "application/pdf")]
    pub media_type: String,
    /// When it was first handed out in this opening.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

/// A piece of evidence that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ViewedPiece {
    /// The event that names it, a ULID.
    #[schema(value_type = String, format = "ulid", example = "01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    pub event: EventId,
    /// SHA-256 of its bytes, lower-case hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// What it is.
    #[schema(value_type = String, example = "video/mp4")]
    pub media_type: MediaType,
    /// When it was first handed out in this opening.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_in_words_is_a_line() {
        let read = |text: &str| Statement::try_from(text.to_owned());
        assert_eq!(read("  家长要求 17 \t").unwrap().as_str(), "家长要求 17");
        assert!(read(&"因".repeat(200)).is_ok());
        for bad in ["", " \n", "a\nb", "a\0b", &"因".repeat(201)] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
