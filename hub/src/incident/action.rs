//! What people do with an incident.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Permission, PersonName};

/// What somebody says about a step: 1 to 1000 characters, line breaks among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Text(String);

impl Text {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let text = text.trim();
        let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        if text.is_empty() || text.chars().count() > 1000 || text.chars().any(strange) {
            return Err("1 to 1000 characters are needed, no control characters but line breaks");
        }
        Ok(Self(text.to_owned()))
    }
}

/// How well an incident was dealt with: 1 (badly) to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Grade(u8);

impl Grade {
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Grade {
    type Error = &'static str;

    fn try_from(grade: u8) -> Result<Self, &'static str> {
        if (1..=5).contains(&grade) { Ok(Self(grade)) } else { Err("a grade from 1 to 5 is needed") }
    }
}

/// What triage found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something that has to be dealt with.
    Real,
    /// Nothing.
    FalseAlarm,
    /// Somebody tried it out.
    Test,
}

impl Outcome {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::FalseAlarm => "false_alarm",
            Self::Test => "test",
        }
    }
}

/// Why there was an alarm though nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FalseReason {
    /// A cat, a bird.
    Animal,
    /// Branches, grass.
    Plant,
    /// Headlights, the sun.
    Light,
    /// Rain, snow, fog, wind.
    Weather,
    /// Something small on the lens.
    Insect,
    /// A window, a puddle, a poster.
    Reflection,
    /// Somebody who may be there.
    Authorised,
    /// The rule asks for the wrong thing.
    Rule,
    /// The camera or sensor is ill.
    Defect,
    /// Something else; the text says what.
    Other,
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Says what it is.
    Triage {
        /// What.
        outcome: Outcome,
        /// Why it is a false alarm.
        reason: Option<FalseReason>,
        /// More about it.
        #[schema(value_type = Option<String>, format = "lines", min_length = 1, max_length = 1000)]
        text: Option<Text>,
    },
    /// Gives it to somebody.
    Assign {
        /// To whom.
        #[schema(value_type = String, format = "person-name")]
        to: PersonName,
        /// More about it.
        #[schema(value_type = Option<String>, format = "lines", min_length = 1, max_length = 1000)]
        text: Option<Text>,
    },
    /// Takes it on.
    Accept {},
    /// Gives it back.
    Return {
        /// Why.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Sets out.
    Begin {},
    /// Says what was found and done.
    FeedBack {
        /// That.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Sees that it is done.
    Pass {
        /// More about it.
        #[schema(value_type = Option<String>, format = "lines", min_length = 1, max_length = 1000)]
        text: Option<Text>,
    },
    /// Sees that it is not.
    Fail {
        /// What is missing.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Ends it.
    Close {
        /// More about it; needed when nobody handled it.
        #[schema(value_type = Option<String>, format = "lines", min_length = 1, max_length = 1000)]
        text: Option<Text>,
    },
    /// Looks back.
    Evaluate {
        /// How well it was dealt with.
        #[schema(value_type = u8, minimum = 1, maximum = 5)]
        grade: Grade,
        /// More about it.
        #[schema(value_type = Option<String>, format = "lines", min_length = 1, max_length = 1000)]
        text: Option<Text>,
    },
    /// Puts it aside for a while.
    Shelve {
        /// Until then, at most a day ahead.
        #[schema(value_type = String, format = DateTime)]
        until: gatepost_wire::Timestamp,
        /// Why.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Takes it up again.
    Unshelve {},
    /// Asks for more time for its stage; somebody else says whether it is given.
    RequestExtension {
        /// Until then, later than the deadline there is and at most 30 days ahead.
        #[schema(value_type = String, format = DateTime)]
        until: gatepost_wire::Timestamp,
        /// Why.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Gives the time that was asked for.
    ApproveExtension {
        /// More about it.
        #[schema(value_type = Option<String>, format = "lines", min_length = 1, max_length = 1000)]
        text: Option<Text>,
    },
    /// Does not.
    DeclineExtension {
        /// Why.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Notes something.
    Note {
        /// What.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
    /// Takes an attachment back: its bytes are deleted. Who attached it may, and a supervisor.
    Withdraw {
        /// Its number.
        #[schema(minimum = 1)]
        attachment: u32,
        /// Why.
        #[schema(value_type = String, format = "lines", min_length = 1, max_length = 1000)]
        text: Text,
    },
}

/// Which action, without what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The hub: an alarm opened it.
    Open,
    /// The hub: it became graver.
    Worsen,
    /// The hub: it is one happening with another, which it became part of (`into`) or took over (`from`).
    Merge,
    /// The hub: its stage took too long.
    Remind,
    /// The hub: it still did, some time after the reminder.
    Escalate,
    /// See [`Action::Triage`].
    Triage,
    /// See [`Action::Assign`].
    Assign,
    /// See [`Action::Accept`].
    Accept,
    /// See [`Action::Return`].
    Return,
    /// See [`Action::Begin`].
    Begin,
    /// See [`Action::FeedBack`].
    FeedBack,
    /// See [`Action::Pass`].
    Pass,
    /// See [`Action::Fail`].
    Fail,
    /// See [`Action::Close`].
    Close,
    /// See [`Action::Evaluate`].
    Evaluate,
    /// See [`Action::Shelve`].
    Shelve,
    /// See [`Action::Unshelve`].
    Unshelve,
    /// A supervisor gave more time alone; nobody does any more, and timelines keep it.
    Extend,
    /// See [`Action::RequestExtension`].
    RequestExtension,
    /// See [`Action::ApproveExtension`].
    ApproveExtension,
    /// See [`Action::DeclineExtension`].
    DeclineExtension,
    /// See [`Action::Note`].
    Note,
    /// Somebody added a file.
    Attach,
    /// See [`Action::Withdraw`].
    Withdraw,
}

impl Kind {
    /// Those of people that are about the incident as a whole. Which attachment somebody may withdraw is said of each.
    pub const OF_PEOPLE: [Self; 17] = [
        Self::Triage,
        Self::Assign,
        Self::Accept,
        Self::Return,
        Self::Begin,
        Self::FeedBack,
        Self::Pass,
        Self::Fail,
        Self::Close,
        Self::Evaluate,
        Self::Shelve,
        Self::Unshelve,
        Self::RequestExtension,
        Self::ApproveExtension,
        Self::DeclineExtension,
        Self::Note,
        Self::Attach,
    ];

    /// Any of these is enough to take it; none: people do not.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{HandleIncidents, VerifyIncidents, WorkIncidents};
        match self {
            Self::Open | Self::Worsen | Self::Merge | Self::Remind | Self::Escalate | Self::Extend => &[],
            Self::Triage | Self::Assign | Self::Close | Self::Shelve | Self::Unshelve => &[WorkIncidents],
            Self::Accept | Self::Return | Self::Begin | Self::FeedBack => &[HandleIncidents],
            Self::RequestExtension => &[WorkIncidents, HandleIncidents],
            Self::Pass | Self::Fail | Self::Evaluate | Self::ApproveExtension | Self::DeclineExtension => {
                &[VerifyIncidents]
            }
            Self::Note | Self::Attach | Self::Withdraw => &[WorkIncidents, HandleIncidents, VerifyIncidents],
        }
    }
}

impl Action {
    /// Which.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Triage { .. } => Kind::Triage,
            Self::Assign { .. } => Kind::Assign,
            Self::Accept {} => Kind::Accept,
            Self::Return { .. } => Kind::Return,
            Self::Begin {} => Kind::Begin,
            Self::FeedBack { .. } => Kind::FeedBack,
            Self::Pass { .. } => Kind::Pass,
            Self::Fail { .. } => Kind::Fail,
            Self::Close { .. } => Kind::Close,
            Self::Evaluate { .. } => Kind::Evaluate,
            Self::Shelve { .. } => Kind::Shelve,
            Self::Unshelve {} => Kind::Unshelve,
            Self::RequestExtension { .. } => Kind::RequestExtension,
            Self::ApproveExtension { .. } => Kind::ApproveExtension,
            Self::DeclineExtension { .. } => Kind::DeclineExtension,
            Self::Note { .. } => Kind::Note,
            Self::Withdraw { .. } => Kind::Withdraw,
        }
    }

    /// What was said with it.
    pub const fn text(&self) -> Option<&Text> {
        match self {
            Self::Triage { text, .. }
            | Self::Assign { text, .. }
            | Self::Pass { text }
            | Self::Close { text }
            | Self::ApproveExtension { text }
            | Self::Evaluate { text, .. } => text.as_ref(),
            Self::Return { text }
            | Self::FeedBack { text }
            | Self::Fail { text }
            | Self::Shelve { text, .. }
            | Self::RequestExtension { text, .. }
            | Self::DeclineExtension { text }
            | Self::Note { text }
            | Self::Withdraw { text, .. } => Some(text),
            Self::Accept {} | Self::Begin {} | Self::Unshelve {} => None,
        }
    }

    /// What else belongs to it, for the timeline.
    pub fn detail(&self) -> serde_json::Value {
        match self {
            Self::Triage { outcome, reason, .. } => match reason {
                Some(reason) => serde_json::json!({ "outcome": outcome.name(), "reason": reason }),
                None => serde_json::json!({ "outcome": outcome.name() }),
            },
            Self::Assign { to, .. } => serde_json::json!({ "to": to }),
            Self::Evaluate { grade, .. } => serde_json::json!({ "grade": grade.get() }),
            Self::Shelve { until, .. } | Self::RequestExtension { until, .. } => {
                serde_json::json!({ "until": until })
            }
            _ => serde_json::json!({}),
        }
    }
}
