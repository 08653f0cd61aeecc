//! A second person: who wants an original does not get it alone.

use gatepost_wire::Timestamp;
use gatepost_wire::command::{TextError, Who};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::PersonName;
use crate::viewing::Statement;

/// What a second person says to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The box is told.
    Approved,
    /// The box is never told.
    Declined,
}

/// What a second person said.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Approval {
    /// Who.
    #[schema(example = "李娜 (li.na)")]
    pub who: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Whether they agreed.
    pub outcome: Verdict,
    /// More about it; why they did not.
    #[schema(example = "已看过报警回执")]
    pub text: Option<String>,
}

/// A decision that can be made: who declines says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The box is told.
    Approve(Option<Statement>),
    /// The box is never told.
    Decline(Statement),
}

impl Decision {
    /// Without the words.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Approve(_) => Verdict::Approved,
            Self::Decline(_) => Verdict::Declined,
        }
    }

    /// The words.
    pub fn said(&self) -> Option<&Statement> {
        match self {
            Self::Approve(said) => said.as_ref(),
            Self::Decline(said) => Some(said),
        }
    }
}

/// Whom a box is told that it comes from, both of them: with what others call them, if there is room for it.
///
/// # Errors
/// Never for names of people; the type cannot know that.
pub fn both(
    who: &Who,
    person: &PersonName,
    second: &str,
    second_name: &PersonName,
) -> Result<Who, TextError> {
    Who::try_from(format!("{who}, approved by {second}"))
        .or_else(|_| Who::try_from(format!("{person}, approved by {second_name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_told_of_both() {
        let told = |display: &str, name: &str| {
            let name: PersonName = name.parse().unwrap();
            let signature = format!("{display} ({name})");
            let who = Who::try_from(signature.clone()).unwrap();
            both(&who, &name, &signature, &name).unwrap().to_string()
        };
        assert_eq!(told("王丽", "wang.li"), "王丽 (wang.li), approved by 王丽 (wang.li)");
        let long = "x".repeat(32);
        assert_eq!(told(&"丽".repeat(60), &long), format!("{long}, approved by {long}"));
    }
}
