//! What a person states who gives a command: one line each, so that it fits a log and cannot forge a line of it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text a person has to give broke the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but space.
    #[error("it must not be empty")]
    Empty,
    /// Longer than allowed.
    #[error("it has at most {most} characters, this one has {given}")]
    TooLong {
        /// Characters allowed.
        most: usize,
        /// Characters given.
        given: usize,
    },
    /// A line end, a tab or another control character, which could forge a line of a log.
    #[error("it must be one line, without control characters")]
    Control,
}

fn check_text(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::Control);
    }
    let given = text.chars().count();
    if given > most { Err(TextError::TooLong { most, given }) } else { Ok(text.to_owned()) }
}

macro_rules! text {
    ($(#[$doc:meta])* $type:ident, $most:literal) => {
        $(#[$doc])*
        ///
        /// One line of text, not empty; space around it is taken away.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Characters it has at most.
            pub const MAX_CHARS: usize = $most;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                check_text(text, Self::MAX_CHARS).map(Self)
            }
        }

        impl TryFrom<String> for $type {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> String {
                text.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1, "maxLength": $most })
            }
        }
    };
}

text! {
    /// The person who gives a command and answers for it. Never somebody a camera saw.
    Who, 100
}
text! {
    /// The reason a command is given for.
    Why, 500
}
