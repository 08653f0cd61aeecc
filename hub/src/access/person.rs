//! People with an account.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::permission::{Permission, Role};
use super::provider::{ProviderLink, ProviderName};
use super::site::{Scope, SiteId};

/// By what a person signs in: 1 to 32 of a-z, 0-9, `.`, `_` and `-`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PersonName(String);

/// A text is no name to sign in by.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no name: 1 to 32 of a-z, 0-9, '.', '_' and '-' are needed, the first a letter or digit")]
pub struct NameError(String);

impl PersonName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PersonName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let allowed = |c: char| plain(c) || matches!(c, '.' | '_' | '-');
        if text.len() <= 32 && text.starts_with(plain) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            // Somebody may have typed a password here by mistake; an error is shown and logged.
            Err(NameError(text.chars().take(3).chain("…".chars()).collect()))
        }
    }
}

impl TryFrom<String> for PersonName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

/// What others call the person: one line of 1 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DisplayName(String);

impl DisplayName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        line(text, 60).map(Self)
    }
}

impl TryFrom<String> for DisplayName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// One line of 1 to `most` characters, without blanks around it.
pub(crate) fn line(text: &str, most: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("one line of 1 to {most} characters is needed"));
    }
    Ok(text.to_owned())
}

/// One role or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<Role>")]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    /// Is it one of them?
    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// What any of them may do.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        self.iter().flat_map(Role::permissions).copied().collect()
    }
}

impl TryFrom<BTreeSet<Role>> for Roles {
    type Error = &'static str;

    fn try_from(roles: BTreeSet<Role>) -> Result<Self, &'static str> {
        if roles.is_empty() { Err("one role or more is needed") } else { Ok(Self(roles)) }
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.iter().enumerate() {
            write!(f, "{}{role}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What the account can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    /// Nobody can sign in yet: no password is set, and nobody has come by the provider.
    Invited,
    /// In use.
    Active,
    /// Nobody can sign in with it.
    Disabled,
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// By what they sign in.
    #[schema(value_type = String, format = "person-name", example = "wang.li")]
    pub name: PersonName,
    /// What others call them.
    #[schema(value_type = String, format = "line", example = "王丽")]
    pub display_name: DisplayName,
    /// What they work as.
    #[schema(value_type = Vec<Role>)]
    pub roles: Roles,
    /// The sites they are limited to; null: none.
    #[schema(value_type = Option<Vec<String>>, example = json!(["school-3"]))]
    pub sites: Option<BTreeSet<SiteId>>,
    /// What the account can be used for.
    pub state: PersonState,
    /// They have a password. Who has none signs in by the provider.
    pub password: bool,
    /// Signing in takes a code besides the password.
    pub second_factor: bool,
    /// How the provider knows them; null: they do not sign in by it.
    pub provider: Option<ProviderLink>,
    /// When they last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in: Option<Timestamp>,
}

impl Person {
    /// One who has yet to set a password, or to come by the provider.
    pub fn invited(
        name: PersonName,
        display_name: DisplayName,
        roles: Roles,
        sites: Option<BTreeSet<SiteId>>,
    ) -> Self {
        Self {
            name,
            display_name,
            roles,
            sites,
            state: PersonState::Invited,
            password: false,
            second_factor: false,
            provider: None,
            last_sign_in: None,
        }
    }

    /// And whom the provider calls this.
    pub fn linked(self, name: Option<ProviderName>) -> Self {
        Self { provider: name.map(|name| ProviderLink { name, bound: None }), ..self }
    }

    /// May they do it, at some site?
    pub fn may(&self, permission: Permission) -> bool {
        self.roles.permissions().contains(&permission)
    }

    /// Can incidents be given to them?
    pub fn may_handle_incidents(&self) -> bool {
        self.state == PersonState::Active && self.may(Permission::HandleIncidents)
    }

    /// Which boxes it holds for.
    pub fn scope(&self) -> Scope {
        self.sites.clone().into()
    }

    /// How records name them.
    pub fn signature(&self) -> String {
        format!("{} ({})", self.display_name.as_str(), self.name)
    }
}

/// What is to change about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// What others call them.
    pub display_name: Option<DisplayName>,
    /// What they work as.
    pub roles: Option<Roles>,
    /// The sites they are limited to; `Some(None)`: none.
    pub sites: Option<Option<BTreeSet<SiteId>>>,
    /// What the provider calls them; `Some(None)`: they do not sign in by it. Another name than before binds the account to nobody.
    pub provider: Option<Option<ProviderName>>,
    /// Nobody has come by the provider any more: who comes next by its name is bound to the account.
    pub unbind: bool,
    /// Nobody can sign in with the account.
    pub disabled: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["a", "wang.li", "0_x-1", &"x".repeat(32)] {
            assert_eq!(good.parse::<PersonName>().unwrap().as_str(), good);
        }
        for bad in ["", ".a", "Wang", "王丽", "a b", "a\n", &"x".repeat(33)] {
            assert!(bad.parse::<PersonName>().is_err(), "{bad:?}");
        }
        let told = "My very secret password".parse::<PersonName>().unwrap_err().to_string();
        assert!(!told.contains("secret"), "{told}");
    }

    #[test]
    fn what_others_call_somebody_is_a_line() {
        assert_eq!(" 王丽 ".parse::<DisplayName>().unwrap().as_str(), "王丽");
        for bad in ["", "  ", "a\nb", &"丽".repeat(61)] {
            assert!(bad.parse::<DisplayName>().is_err(), "{bad:?}");
        }
    }
}
