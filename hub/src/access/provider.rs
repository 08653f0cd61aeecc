//! How an account is known to the provider of sign-ins: by a name until its person first comes, and then by a subject for good.

use std::str::FromStr;

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::person::line;

/// What a provider says of a person in the claim that the configuration names: one line of 1 to 255 characters, compared as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ProviderName(String);

impl ProviderName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        line(text, 255).map(Self)
    }
}

impl TryFrom<String> for ProviderName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// How an account is known to the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProviderLink {
    /// What the provider calls its person.
    #[schema(value_type = String, example = "wang.li@school.example")]
    pub name: ProviderName,
    /// When its person first came by the provider. From then on only their subject there counts: somebody who is given the name later is
    /// not let in. Null: nobody has come yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub bound: Option<Timestamp>,
}

/// Who somebody is to a provider, for good: OpenID Connect never gives a subject to another person, whereas names and addresses are
/// given anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which provider.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
}

impl Subject {
    /// One that a provider vouches for: OpenID Connect Core, 2, limits it to 255 characters of ASCII.
    pub fn new(issuer: &str, subject: &str) -> Option<Self> {
        let fits =
            (1..=255).contains(&subject.len()) && subject.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        fits.then(|| Self { issuer: issuer.to_owned(), subject: subject.to_owned() })
    }
}

/// What became of the name of somebody whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Their account, which is bound to them now.
    Account(Box<super::Person>),
    /// Nobody here is called that.
    Nobody,
    /// Somebody else has come by that name before.
    Another(super::PersonName),
    /// It is disabled.
    Disabled(super::PersonName),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_and_plain() {
        for good in ["1", "248289761001", &"x".repeat(255)] {
            assert!(Subject::new("https://id.example", good).is_some(), "{good}");
        }
        for bad in ["", "王丽", "a\nb", &"x".repeat(256)] {
            assert!(Subject::new("https://id.example", bad).is_none(), "{bad}");
        }
    }
}
