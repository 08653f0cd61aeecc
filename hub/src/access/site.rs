//! Places with boxes, such as one school, and which of them a person's work is about.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use gatepost_wire::EdgeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::incident::SiteDeadlines;

/// Name of a site: 1 to 64 of a-z, 0-9 and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SiteId(String);

impl SiteId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SiteId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is no name of a site: 1 to 64 of a-z, 0-9 and '-' are needed"))
        }
    }
}

impl TryFrom<String> for SiteId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What people call a site: one line of 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SiteLabel(String);

impl SiteLabel {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SiteLabel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        super::person::line(&text, 100).map(Self)
    }
}

/// A place with boxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "site": "school-3", "label": "第三小学", "edges": ["gate-1"],
    "deadlines": { "reported_s": [30, null, null, null], "triaged_s": null, "assigned_s": 300, "accepted_s": null, "handling_s": null,
        "fed_back_s": null, "verified_s": null } }))]
pub struct Site {
    /// Its name.
    #[schema(value_type = String, format = "name")]
    pub site: SiteId,
    /// What people call it.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 100)]
    pub label: SiteLabel,
    /// Its boxes, by name.
    #[schema(value_type = Vec<String>)]
    pub edges: BTreeSet<EdgeId>,
    /// How long incidents there may stay in a stage, where it is not as everywhere.
    pub deadlines: SiteDeadlines,
}

/// Which boxes a person's permissions hold for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of these sites.
    Sites(BTreeSet<SiteId>),
}

impl Scope {
    /// The sites it is limited to.
    pub fn sites(&self) -> Option<&BTreeSet<SiteId>> {
        match self {
            Self::All => None,
            Self::Sites(sites) => Some(sites),
        }
    }
}

impl From<Option<BTreeSet<SiteId>>> for Scope {
    fn from(sites: Option<BTreeSet<SiteId>>) -> Self {
        sites.map_or(Self::All, Self::Sites)
    }
}
