//! MQTT topics. A device publishes and reads only under its own `gp/v1/{edge}`.

use std::fmt;
use std::str::FromStr;

use crate::id::{EdgeId, EventId, NameError, UlidError};

/// Everything of this version of the contract lives below it.
pub const PREFIX: &str = "gp/v1";

/// Where a message is published.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `gp/v1/{edge}/event`, QoS 1: one CloudEvent, or a batch of them.
    Event(EdgeId),
    /// `gp/v1/{edge}/evidence/{event}`, QoS 1: the bytes of one picture or clip.
    Evidence(EdgeId, EventId),
    /// `gp/v1/{edge}/health`, QoS 1, retained.
    Health(EdgeId),
    /// `gp/v1/{edge}/presence`, QoS 1, retained, last will.
    Presence(EdgeId),
    /// `gp/v1/{edge}/command`, QoS 1: one command; the only topic a hub publishes on.
    Command(EdgeId),
    /// `gp/v1/{edge}/command/reply`, QoS 1: the answer to one command.
    Reply(EdgeId),
}

/// What a hub subscribes to, to hear every edge.
pub const HUB_FILTERS: [&str; 5] =
    ["gp/v1/+/event", "gp/v1/+/evidence/+", "gp/v1/+/health", "gp/v1/+/presence", "gp/v1/+/command/reply"];

impl Topic {
    /// Whose topic it is.
    pub fn edge(&self) -> &EdgeId {
        match self {
            Self::Event(edge)
            | Self::Evidence(edge, _)
            | Self::Health(edge)
            | Self::Presence(edge)
            | Self::Command(edge)
            | Self::Reply(edge) => edge,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(edge) => write!(f, "{PREFIX}/{edge}/event"),
            Self::Evidence(edge, event) => write!(f, "{PREFIX}/{edge}/evidence/{event}"),
            Self::Health(edge) => write!(f, "{PREFIX}/{edge}/health"),
            Self::Presence(edge) => write!(f, "{PREFIX}/{edge}/presence"),
            Self::Command(edge) => write!(f, "{PREFIX}/{edge}/command"),
            Self::Reply(edge) => write!(f, "{PREFIX}/{edge}/command/reply"),
        }
    }
}

/// A text is not a topic of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Not below [`PREFIX`], or no known last part.
    #[error("{0:?} is not a topic of {PREFIX}/{{edge}}/…")]
    Unknown(String),
    /// The edge's name breaks the rule.
    #[error("edge in topic: {0}")]
    Edge(#[from] NameError),
    /// The event's id is no ULID.
    #[error("event in topic: {0}")]
    Event(#[from] UlidError),
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let unknown = || TopicError::Unknown(text.chars().take(128).collect());
        let rest = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('/')).ok_or_else(unknown)?;
        let parts: Vec<&str> = rest.splitn(4, '/').collect();
        match parts[..] {
            [edge, "event"] => Ok(Self::Event(edge.parse()?)),
            [edge, "evidence", event] => Ok(Self::Evidence(edge.parse()?, event.parse()?)),
            [edge, "health"] => Ok(Self::Health(edge.parse()?)),
            [edge, "presence"] => Ok(Self::Presence(edge.parse()?)),
            [edge, "command"] => Ok(Self::Command(edge.parse()?)),
            [edge, "command", "reply"] => Ok(Self::Reply(edge.parse()?)),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_keep_their_text() {
        for text in [
            "gp/v1/gate-1/event",
            "gp/v1/gate-1/evidence/01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "gp/v1/gate-1/health",
            "gp/v1/gate-1/presence",
            "gp/v1/gate-1/command",
            "gp/v1/gate-1/command/reply",
        ] {
            assert_eq!(text.parse::<Topic>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for text in [
            "",
            "gp/v1",
            "gp/v1/",
            "gp/v2/a/event",
            "gp/v1x/a/event",
            "gp/v1/a/event/b",
            "gp/v1/+/event",
            "gp/v1/a/command/answer",
        ] {
            assert!(text.parse::<Topic>().is_err(), "{text}");
        }
    }
}
