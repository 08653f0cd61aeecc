//! What people call something.

use schemars::JsonSchema;
use serde::Deserialize;

/// Name for people: 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = 64))]
pub struct Label(String);

impl Label {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.chars().count() {
            1..=64 if !text.chars().any(char::is_control) => Ok(Self(text)),
            _ => Err("a label has 1 to 64 characters and no control characters".into()),
        }
    }
}
