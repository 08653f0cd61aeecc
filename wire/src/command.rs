//! Commands: what a hub orders a box to do, by whom, why and until when; and the box's answer.
//!
//! A command waits at the hub until the box answers or it expires, and is sent again meanwhile, so it may come more than
//! once. A box carries each [`CommandId`] out once, over restarts too, and answers a repetition with its first answer. It
//! refuses what has expired by its own clock. It takes only what its hub signed ([`signed`]). An order it does not know it refuses as [`Reason::UnknownOrder`]; an old
//! box and a new hub thus understand each other.

pub mod signed;
mod statement;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Timestamp;
use crate::arming::Input;
use crate::event::Extra;
use crate::id::{AlarmId, AreaId, CommandId, EdgeId, EventId};
use crate::schema::date_time;
use crate::tagged::{known, tag};
use crate::word::words;

pub use signed::{NumberedCommand, SigningKey, VerifyingKey};
pub use statement::{TextError, Who, Why};

/// No command or reply may be larger; a longer one is refused before it is parsed.
pub const MAX_COMMAND_BYTES: usize = 16 * 1024;

/// One command; on [`crate::Topic::Command`] it travels [`signed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Unique for ever; made by the hub.
    pub id: CommandId,
    /// The box that is to carry it out.
    pub edge: EdgeId,
    /// The person who gives it.
    pub who: Who,
    /// What for.
    pub why: Why,
    /// When it was given, UTC.
    #[schemars(schema_with = "date_time")]
    pub issued: Timestamp,
    /// A box that gets it later must not carry it out, UTC; after `issued`.
    #[schemars(schema_with = "date_time")]
    pub expires: Timestamp,
    /// What is to be done.
    pub order: Order,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A payload is no command or reply of this contract.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Larger than [`MAX_COMMAND_BYTES`].
    #[error("a command or reply has at most {MAX_COMMAND_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// Not JSON, or a field is missing or wrong.
    #[error("not a Gatepost {what}: {error}")]
    Json {
        /// `command` or `reply`.
        what: &'static str,
        /// Which field.
        error: serde_json::Error,
    },
    /// It would never have been valid.
    #[error("it expires at {expires}, which is not after {issued}, when it was issued")]
    Expires {
        /// When it was given.
        issued: Timestamp,
        /// When it ends.
        expires: Timestamp,
    },
}

impl Command {
    /// Reads a command from outside.
    ///
    /// # Errors
    /// [`CommandError`] says which field is wrong; the payload may be anything.
    pub fn from_json(payload: &[u8]) -> Result<Self, CommandError> {
        let command: Self = read("command", payload)?;
        command.check()?;
        Ok(command)
    }

    /// Could it ever have been valid?
    fn check(&self) -> Result<(), CommandError> {
        if self.expires <= self.issued {
            return Err(CommandError::Expires { issued: self.issued, expires: self.expires });
        }
        Ok(())
    }

    /// The command in JSON.
    ///
    /// # Errors
    /// Only what [`serde_json`] cannot write, such as a non-finite number kept in an unknown field.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

fn read<T: serde::de::DeserializeOwned>(what: &'static str, payload: &[u8]) -> Result<T, CommandError> {
    if payload.len() > MAX_COMMAND_BYTES {
        return Err(CommandError::TooLarge(payload.len()));
    }
    serde_json::from_slice(payload).map_err(|error| CommandError::Json { what, error })
}

/// What a box is to do; `kind` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Order {
    /// Let the uncovered original of an event's pictures and clip leave the box.
    ReleaseOriginal(ReleaseOriginal),
    /// Arm or disarm an area.
    SetMode(SetMode),
    /// Keep what the box has of an alarm, although its time is over.
    HoldEvidence(HoldEvidence),
    /// An order of a newer version, kept whole (its `kind` is inside).
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(Extra),
}

impl Order {
    /// The name on the wire.
    pub fn kind(&self) -> &str {
        match self {
            Self::ReleaseOriginal(_) => "release_original",
            Self::SetMode(_) => "set_mode",
            Self::HoldEvidence(_) => "hold_evidence",
            Self::Unknown(fields) => fields.get("kind").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Extra::deserialize(deserializer)?;
        let kind = tag("kind", &fields)?;
        match kind.as_str() {
            "release_original" => known("kind", &kind, fields).map(Self::ReleaseOriginal),
            "set_mode" => known("kind", &kind, fields).map(Self::SetMode),
            "hold_evidence" => known("kind", &kind, fields).map(Self::HoldEvidence),
            _ => Ok(Self::Unknown(fields)),
        }
    }
}

/// Every original the box keeps of the evidence that one event names. What it releases it records as an `updated` event of
/// the same alarm, which names each original as evidence in the state [`crate::evidence::Original::Released`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseOriginal {
    /// The event that names the covered picture or clip, with [`crate::evidence::Original::Kept`].
    pub event: EventId,
    /// Whoever gets the original deletes it then, UTC.
    #[schemars(schema_with = "date_time")]
    pub until: Timestamp,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// No box holds evidence for longer after it was told to.
pub const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A legal hold: the box keeps the clips of an alarm, with their originals, until then; afterwards they go as old as they are. Of all orders about one
/// alarm the one with the highest `sequence` counts, in whatever order they come. A box that has nothing of the alarm refuses it as
/// [`Reason::NotFound`], and holds all the same what it still makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldEvidence {
    /// The alarm.
    pub alarm: AlarmId,
    /// Until when, UTC, 366 days after `issued` at most. A time that is past lifts the hold.
    #[schemars(schema_with = "date_time")]
    pub until: Timestamp,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Another mode for an area. The box tells of every change as an `arming_changed` event, whatever made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetMode {
    /// The area.
    pub area: AreaId,
    /// The mode.
    pub mode: WantedMode,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A mode with what it needs; `name` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum WantedMode {
    /// Only 24-hour inputs count.
    Disarmed,
    /// The perimeter counts.
    ArmedStay {
        /// Inputs that shall not count meanwhile. Whatever else is open keeps the area from being armed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bypass: Vec<Input>,
    },
    /// Everything counts.
    ArmedAway {
        /// Inputs that shall not count meanwhile. Whatever else is open keeps the area from being armed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bypass: Vec<Input>,
    },
    /// Only 24-hour inputs count, for work on the system.
    Maintenance {
        /// Seconds until it ends by itself.
        for_s: u32,
    },
}

/// The answer to a command, on [`crate::Topic::Reply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The command that is answered.
    pub command: CommandId,
    /// When it was carried out or refused, UTC.
    #[schemars(schema_with = "date_time")]
    pub time: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Fields of a newer version.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

impl Reply {
    /// Reads a reply from outside.
    ///
    /// # Errors
    /// [`CommandError`] says which field is wrong; the payload may be anything.
    pub fn from_json(payload: &[u8]) -> Result<Self, CommandError> {
        read("reply", payload)
    }

    /// The reply in JSON.
    ///
    /// # Errors
    /// Only what [`serde_json`] cannot write, such as a non-finite number kept in an unknown field.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// What became of a command; `kind` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out, and what follows from it is on the box's disk.
    Done,
    /// It was not and will not be.
    Refused {
        /// Why, as a word a program can translate.
        reason: Reason,
        /// Why, in words for a technician; never a secret. May be empty.
        #[serde(default)]
        detail: String,
        /// With `superseded` and `replayed`: the highest `sequence` the box has answered: a hub that was put back to an earlier
        /// state counts from there, and knows by this what to go on above. None from an older box.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        highest: Option<u64>,
    },
}

words! {
    /// Why a box refuses a command.
    Reason {
        /// An older command than those the box has already forgotten: it would be carried out again.
        Replayed = "replayed",
        /// It came after `expires`.
        Expired = "expired",
        /// This version of the box does not know the order.
        UnknownOrder = "unknown_order",
        /// The site does not allow it: no original is ever kept there.
        NotAllowed = "not_allowed",
        /// There is nothing like that, or no longer: an event or alarm the box has nothing of, an original that was deleted.
        NotFound = "not_found",
        /// A later command about the same was carried out already.
        Superseded = "superseded",
        /// What must be closed first is open, or somebody has to disarm first.
        NotReady = "not_ready",
        /// What is asked for makes no sense, such as an `until` in the past.
        Invalid = "invalid",
        /// The box tried and could not: its disk, its memory.
        Failed = "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: &str = r#"{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","edge":"gate-1","who":" 王丽 ","why":"police report 17",
        "issued":"2026-11-25T08:00:00Z","expires":"2026-11-26T08:00:00Z",
        "order":{"kind":"release_original","event":"01ARZ3NDEKTSV4RRFFQ69G5FAW","until":"2026-12-01T00:00:00Z"}}"#;

    fn refusal(from: &str, to: &str) -> String {
        assert!(COMMAND.contains(from));
        Command::from_json(COMMAND.replace(from, to).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_a_command() {
        let command = Command::from_json(COMMAND.as_bytes()).unwrap();
        assert_eq!((command.who.as_str(), command.order.kind()), ("王丽", "release_original"));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        assert!(refusal(" 王丽 ", "  ").contains("must not be empty"));
        assert!(refusal("police report 17", r"a\nb").contains("one line"));
        assert!(refusal("police report 17", &"x".repeat(501)).contains("at most 500 characters"));
        assert!(refusal("2026-11-26", "2026-11-24").contains("not after"));
        assert!(refusal("2026-12-01T00", "2026-13-01T00").contains("release_original"));
        assert!(refusal(r#""kind":"release_original","#, "").contains("kind"));
        let long = format!("{COMMAND}{}", " ".repeat(MAX_COMMAND_BYTES));
        assert!(matches!(Command::from_json(long.as_bytes()), Err(CommandError::TooLarge(_))));
    }

    #[test]
    fn an_order_of_a_newer_version_is_kept() {
        let text = COMMAND.replace("release_original", "self_test");
        let order = Command::from_json(text.as_bytes()).unwrap().order;
        assert_eq!(order.kind(), "self_test");
        assert!(matches!(&order, Order::Unknown(fields) if fields.contains_key("until")));
    }

    #[test]
    fn a_hold_names_its_alarm_and_its_end() {
        let text = COMMAND
            .replace("release_original", "hold_evidence")
            .replace(r#""event":"01ARZ3NDEKTSV4RRFFQ69G5FAW""#, r#""alarm":"01ARZ3NDEKTSV4RRFFQ69G5FAX""#);
        let Order::HoldEvidence(hold) = Command::from_json(text.as_bytes()).unwrap().order else {
            panic!("{text}")
        };
        assert_eq!(
            (hold.alarm.to_string().as_str(), hold.until.to_string().as_str()),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAX", "2026-12-01T00:00:00Z")
        );
        assert!(refusal("release_original", "hold_evidence").contains("alarm"));
    }

    #[test]
    fn a_reason_of_a_newer_version_is_kept() {
        let text = r#"{"command":"01ARZ3NDEKTSV4RRFFQ69G5FAV","time":"2026-11-25T08:00:00Z","outcome":{"kind":"refused","reason":"asleep"}}"#;
        let reply = Reply::from_json(text.as_bytes()).unwrap();
        let Outcome::Refused { reason, detail, highest } = &reply.outcome else { panic!("{reply:?}") };
        assert_eq!((reason.as_str(), detail.as_str(), highest), ("asleep", "", &None));
    }

    #[test]
    fn who_is_behind_is_told_the_number_to_go_on_above() {
        let text = r#"{"command":"01ARZ3NDEKTSV4RRFFQ69G5FAV","time":"2026-11-25T08:00:00Z",
            "outcome":{"kind":"refused","reason":"superseded","detail":"","highest":812}}"#;
        let reply = Reply::from_json(text.as_bytes()).unwrap();
        assert!(
            matches!(&reply.outcome, Outcome::Refused { reason: Reason::Superseded, highest: Some(812), .. }),
            "{reply:?}"
        );
        assert!(Reply::from_json(text.replace("812", "-1").as_bytes()).is_err());
    }
}
