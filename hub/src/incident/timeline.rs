//! Who did what when: steps, each with the hash of the one before it, so that nobody can change, remove or slip in one without
//! breaking the chain from there on. (Whoever may write the database can forge all that follows; who keeps an export, or only its last
//! hash, sees that.)

mod attached;

use std::io::BufRead;

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

pub use attached::{AttachedFile, Mention};

use super::action::Kind;
use super::stage::Stage;
use crate::evidence::hex;

/// What the first step names as the one before it.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A step as it is hashed: its fields in this order, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its place among all steps of the hub, from 1.
    pub number: i64,
    /// Its incident, a ULID.
    pub incident: String,
    /// Its place among those of the incident, from 1.
    pub version: u32,
    /// When, by the hub's clock.
    pub time: Timestamp,
    /// Who; none: the hub.
    pub who: Option<String>,
    /// What.
    pub action: Kind,
    /// The stage after it.
    pub to: Stage,
    /// What was said.
    pub text: Option<String>,
    /// What else belongs to it.
    pub detail: serde_json::Value,
    /// Hash of the step before it.
    pub previous: String,
}

impl Document {
    /// The text that is kept and hashed.
    ///
    /// # Errors
    /// Never for what is in it.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// SHA-256 of a step's text, lower-case hex.
pub fn hash(document: &str) -> String {
    hex(&Sha256::digest(document))
}

/// A step as people are told of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "version": 2, "time": "2026-01-31T08:31:04Z", "who": "王丽 (wang.li)", "action": "triage", "to": "closed",
    "text": "一只猫走过草坪", "detail": { "outcome": "false_alarm", "reason": "animal" },
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
}))]
pub struct Step {
    /// Its place in the incident.
    #[schema(example = 2)]
    pub version: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Who; null: the hub.
    #[schema(example = "王丽 (wang.li)")]
    pub who: Option<String>,
    /// What.
    pub action: Kind,
    /// The stage after it.
    pub to: Stage,
    /// What was said.
    #[schema(example = "一只猫走过草坪")]
    pub text: Option<String>,
    /// What else belongs to it: `outcome` and `reason`, `to`, `grade`, `until`, `by` (who asked for the time), `due`, `alarm`, `severity`;
    /// `into` or `from` (the other incident's id) and `number` (the other's); `attachment` (its number), `name`, `media_type`, `bytes`, `sha256`.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// SHA-256 over it and the step before it.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
}

impl Step {
    /// Of a kept text.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(document: &str, hash: String) -> Result<Self, serde_json::Error> {
        let Document { version, time, who, action, to, text, detail, .. } = serde_json::from_str(document)?;
        Ok(Self { version, time, who, action, to, text, detail, hash })
    }
}

/// One line of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// The text that was hashed; none of a step that was deleted when its time was over.
    pub document: Option<String>,
    /// Its hash.
    pub hash: String,
}

/// An export that holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// How many steps it has.
    pub steps: i64,
    /// Of how many of them only the hash is left.
    pub deleted: i64,
    /// The hash of the last one.
    pub last: String,
}

/// An export does not hold together.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It cannot be read.
    #[error("line {line}: {source}")]
    Unreadable {
        /// Counted from 1.
        line: i64,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no step.
    #[error("line {line} is no step of a timeline: {source}")]
    Malformed {
        /// Counted from 1.
        line: i64,
        /// Why.
        source: serde_json::Error,
    },
    /// A step was changed.
    #[error("line {line}: the step does not have the hash that stands beside it: it was changed")]
    Changed {
        /// Counted from 1.
        line: i64,
    },
    /// A step is missing, or one was slipped in.
    #[error("line {line}: the step does not follow the one before it: one is missing, or was slipped in")]
    Broken {
        /// Counted from 1.
        line: i64,
    },
}

/// Does an export hold together, from the first step on? What a deleted step said cannot be checked any more, but the step behind it names its
/// hash.
///
/// # Errors
/// Names the first line that does not.
pub fn verify(export: impl BufRead) -> Result<Whole, ChainError> {
    verify_and(export, |_| {})
}

/// The same, and shows each step that is left, once it is known to follow the one before it.
///
/// # Errors
/// Names the first line that does not hold.
pub fn verify_and(export: impl BufRead, mut seen: impl FnMut(&Document)) -> Result<Whole, ChainError> {
    let mut whole = Whole { steps: 0, deleted: 0, last: BEGINNING.to_owned() };
    for (text, line) in export.lines().zip(1..) {
        let text = text.map_err(|source| ChainError::Unreadable { line, source })?;
        let malformed = |source| ChainError::Malformed { line, source };
        let Line { document, hash: told } = serde_json::from_str(&text).map_err(malformed)?;
        let Some(document) = document else {
            whole = Whole { steps: line, deleted: whole.deleted + 1, last: told };
            continue;
        };
        if hash(&document) != told {
            return Err(ChainError::Changed { line });
        }
        let step: Document = serde_json::from_str(&document).map_err(malformed)?;
        if step.number != line || step.previous != whole.last {
            return Err(ChainError::Broken { line });
        }
        whole = Whole { steps: line, last: told, ..whole };
        seen(&step);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(steps: i64) -> Vec<String> {
        let mut previous = BEGINNING.to_owned();
        (1..=steps)
            .map(|number| {
                let document = Document {
                    number,
                    incident: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
                    version: u32::try_from(number).unwrap(),
                    time: Timestamp::UNIX_EPOCH,
                    who: Some("王丽 (wang.li)".into()),
                    action: Kind::Note,
                    to: Stage::Reported,
                    text: Some(format!("note {number}")),
                    detail: serde_json::json!({}),
                    previous: previous.clone(),
                };
                let document = document.text().unwrap();
                let hash = hash(&document);
                previous.clone_from(&hash);
                serde_json::to_string(&Line { document: Some(document), hash }).unwrap()
            })
            .collect()
    }

    fn check(lines: &[String]) -> Result<Whole, String> {
        verify(lines.join("\n").as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_export_is_whole_and_whatever_is_done_to_it_is_seen() {
        let lines = export(5);
        assert_eq!(check(&lines).unwrap().steps, 5);
        assert_eq!(check(&[]).unwrap().last, BEGINNING);
        for at in 0..5 {
            let mut changed = lines.clone();
            changed[at] = changed[at].replace("note", "nope");
            let told = check(&changed).unwrap_err();
            assert!(told.starts_with(&format!("line {}: ", at + 1)) && told.contains("changed"), "{told}");
            let mut missing = lines.clone();
            missing.remove(at);
            if at < 4 {
                assert!(check(&missing).unwrap_err().contains("missing"), "line {at}");
            }
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at].clone());
            assert!(check(&doubled).is_err());
        }
        let mut forged = lines.clone();
        forged[2] = export(9)[2].replace("note 3", "note x");
        assert!(check(&forged).is_err());
        assert!(check(&["{}".to_owned()]).unwrap_err().contains("no step"));
    }

    #[test]
    fn the_chain_goes_on_over_what_was_deleted() {
        let mut lines = export(5);
        for line in &mut lines[..3] {
            let Line { hash, .. } = serde_json::from_str(line).unwrap();
            *line = serde_json::to_string(&Line { document: None, hash }).unwrap();
        }
        let whole = check(&lines).unwrap();
        assert_eq!((whole.steps, whole.deleted), (5, 3));
        let mut missing = lines.clone();
        missing.remove(1);
        assert!(check(&missing).unwrap_err().contains("missing"));
        // Another hash in the place of the last deleted one is not what the next step names.
        let Line { hash, .. } = serde_json::from_str(&lines[0]).unwrap();
        lines[2] = serde_json::to_string(&Line { document: None, hash }).unwrap();
        assert!(check(&lines).unwrap_err().starts_with("line 4: "));
    }
}
