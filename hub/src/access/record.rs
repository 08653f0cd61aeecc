//! What is written down about accounts and sites, and stays.

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::person::PersonName;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Somebody signed in.
    SignedIn,
    /// Somebody gave a wrong password or code, or the provider vouches for somebody who is not let in.
    SignInFailed,
    /// Somebody signed out.
    SignedOut,
    /// A one-time link was made.
    Invited,
    /// A password was set by a one-time link.
    PasswordSet,
    /// Somebody changed their password.
    PasswordChanged,
    /// Somebody set up a second factor.
    SecondFactorSet,
    /// A second factor was removed.
    SecondFactorRemoved,
    /// Somebody came by the provider for the first time: only they count from then on.
    ProviderBound,
    /// That counts no more; sessions of the account are over.
    ProviderUnbound,
    /// An account was made.
    PersonAdded,
    /// Its name, roles or sites changed.
    PersonChanged,
    /// Nobody can sign in with it any more.
    PersonDisabled,
    /// Its person can sign in again.
    PersonEnabled,
    /// A site was made or changed.
    SiteChanged,
    /// A site was removed.
    SiteRemoved,
    /// A site's plan was drawn or changed.
    PlanChanged,
    /// A site's plan was removed.
    PlanRemoved,
    /// A list was taken away as a file.
    Exported,
    /// What a webhook did not take is to be sent once more.
    WebhookRetried,
}

/// Something to write down.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose account it is about.
    pub name: Option<PersonName>,
    /// Who did it, when that was somebody else.
    pub by: Option<String>,
    /// What.
    pub action: Action,
    /// From which address.
    pub address: Option<String>,
    /// More about it.
    pub detail: Option<String>,
}

impl Entry {
    /// About this account.
    pub fn about(name: &PersonName, action: Action) -> Self {
        Self { name: Some(name.clone()), by: None, action, address: None, detail: None }
    }

    /// About no account: somebody did it.
    pub fn done_by(by: &str, action: Action, detail: String) -> Self {
        Self { name: None, by: Some(by.to_owned()), action, address: None, detail: Some(detail) }
    }

    /// With what was changed.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// Something that was written down.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 41, "time": "2026-01-31T08:30:00Z", "name": "wang.li", "by": "li.na",
    "action": "person_changed", "address": null, "detail": "王丽; operator; school-3"
}))]
pub struct AccessRecord {
    /// Its place in the log.
    #[schema(example = 41)]
    pub number: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Whose account it is about.
    #[schema(example = "wang.li")]
    pub name: Option<String>,
    /// Who did it, when that was somebody else; `command line`: an administrator at the machine.
    #[schema(example = "li.na")]
    pub by: Option<String>,
    /// What.
    pub action: Action,
    /// From which address.
    #[schema(example = "10.0.0.7")]
    pub address: Option<String>,
    /// More about it.
    #[schema(example = "王丽; operator; school-3")]
    pub detail: Option<String>,
}
