//! Who comes by the provider of sign-ins. That they are who they say is proved already; here is decided whose account it is.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::{AccessError, Action, Desk, Entry, PersonState, Proof, Session, Timestamp, Token};
use crate::access::{Found, PersonName, ProviderName, Subject};

/// How the access log says by what somebody signed in.
pub(super) const BY_PROVIDER: &str = "OpenID Connect";

/// Whom the provider vouches for is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Stranger {
    /// There is no account of the name, and none bound to the subject.
    #[error("no account here is linked to what the provider calls them")]
    Nobody,
    /// The account of the name is bound to another subject.
    #[error(
        "the account of that name is bound to somebody else at the provider; an administrator can unbind it"
    )]
    Another,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// They cannot be let in.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// So many an hour whom nobody here knows are written down: each proved who they are, but there may be thousands of them.
const NOTED: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// Counts them.
pub(super) fn strangers() -> Arc<DefaultDirectRateLimiter> {
    Arc::new(RateLimiter::direct(Quota::per_hour(NOTED)))
}

impl Desk {
    /// Opens a session for somebody the provider vouches for and who came before; none when no account is bound to them.
    ///
    /// # Errors
    /// When the account is disabled, or the database cannot be written.
    pub async fn recognise(
        &self,
        subject: &Subject,
        address: &str,
    ) -> Result<Option<(Token, Session)>, Stranger> {
        let bound = self.store.person_of(subject).await.map_err(AccessError::from)?;
        let Some(person) = bound else { return Ok(None) };
        if person.state == PersonState::Disabled {
            return Err(self
                .turned_away(Some(&person.name), "disabled", address, Stranger::Disabled)
                .await?);
        }
        Ok(self.open(person, Proof::Provider(subject), address).await?)
    }

    /// Opens a session for somebody the provider vouches for and who comes for the first time: the account of their name there is
    /// bound to them.
    ///
    /// # Errors
    /// When there is none, or it is somebody else's or disabled, or the database cannot be written.
    pub async fn admit(
        &self,
        subject: &Subject,
        name: Option<&ProviderName>,
        address: &str,
    ) -> Result<(Token, Session), Stranger> {
        let found = match name {
            Some(name) => {
                let bound = self.store.bind(name, subject, address, Timestamp::now()).await;
                bound.map_err(AccessError::from)?
            }
            None => Found::Nobody,
        };
        let refusal = match found {
            Found::Account(person) => {
                let opened = self.open(*person, Proof::Provider(subject), address).await?;
                // Unbound again this very moment.
                return opened.ok_or(Stranger::Nobody);
            }
            Found::Nobody => {
                let told = name.map_or("", ProviderName::as_str);
                self.turned_away(None, told, address, Stranger::Nobody).await?
            }
            Found::Another(person) => {
                self.turned_away(Some(&person), "bound to another subject", address, Stranger::Another)
                    .await?
            }
            Found::Disabled(person) => {
                self.turned_away(Some(&person), "disabled", address, Stranger::Disabled).await?
            }
        };
        Err(refusal)
    }

    /// Writes down who was not let in.
    async fn turned_away(
        &self,
        person: Option<&PersonName>,
        why: &str,
        address: &str,
        stranger: Stranger,
    ) -> Result<Stranger, AccessError> {
        tracing::warn!(
            person = person.map(tracing::field::display),
            address,
            why,
            "sign-in by OpenID Connect refused"
        );
        if person.is_some() || self.strangers.check().is_ok() {
            let entry = Entry {
                name: person.cloned(),
                by: None,
                action: Action::SignInFailed,
                address: Some(address.to_owned()),
                detail: Some(format!("{BY_PROVIDER}: {why}")),
            };
            self.store.write_access(&entry, Timestamp::now()).await?;
        }
        Ok(stranger)
    }
}
