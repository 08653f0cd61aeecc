//! Where people prove who they are.
//!
//! Every attempt counts as failed until it has succeeded, for a name that exists and for one that does not, and comparing takes as
//! long in both cases: who tries learns only whether name, password and code are right together.

mod provider;

use std::sync::Arc;
use std::time::Duration;

use gatepost_wire::Timestamp;
use governor::DefaultDirectRateLimiter;
use jiff::SignedDuration;
use tokio::sync::Semaphore;

use super::password::{Password, PasswordError, PasswordHash};
use super::person::{Person, PersonName, PersonState};
use super::record::{Action, Entry};
use super::second_factor::FactorKey;
use super::session::{LASTS, Proof, Session};
use super::token::{Invitation, Token, TokenHash};
use crate::store::{Account, PersonError, Store, StoreError};

pub use provider::Stranger;

/// So many passwords are hashed side by side: each takes 19 MiB and a processor.
const HASHING: usize = 2;

/// Who waits for longer to have theirs hashed is sent away.
const PATIENCE: Duration = Duration::from_secs(5);

/// A one-time link is good for so long.
const LINK: SignedDuration = SignedDuration::from_hours(72);

/// It was not proved.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Name and password do not go together.
    #[error("name or password is wrong")]
    WrongPassword,
    /// Name and password are right, but a code is needed.
    #[error("the code of the authenticator app is needed too")]
    CodeNeeded,
    /// The code is wrong, or was used.
    #[error("the code is wrong or was used already; wait for the next one")]
    CodeWrong,
    /// Too many failures: the next attempt is looked at after this.
    #[error("too many failed attempts: try again in {} s", .0.as_secs() + 1)]
    Wait(Duration),
    /// Too many people sign in at this moment.
    #[error("too many people sign in at this moment: try again")]
    Busy,
    /// The new password is not good enough.
    #[error(transparent)]
    Unfit(#[from] PasswordError),
    /// The one-time link was used, has ended, or never was one.
    #[error("this link was used or has ended: ask an administrator for a new one")]
    UselessLink,
    /// No second factor was asked for.
    #[error("begin by asking for a new second factor")]
    NothingToConfirm,
    /// The system gives no randomness.
    #[error("no secret can be made: {0}")]
    Random(#[from] getrandom::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where people prove who they are; cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Store,
    hashing: Arc<Semaphore>,
    strangers: Arc<DefaultDirectRateLimiter>,
}

impl Desk {
    /// With these accounts.
    pub fn new(store: Store) -> Self {
        Self { store, hashing: Arc::new(Semaphore::new(HASHING)), strangers: provider::strangers() }
    }

    /// Opens a session for somebody who proves who they are.
    ///
    /// # Errors
    /// When they do not, or the database cannot be written.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Password,
        code: Option<&str>,
        address: &str,
    ) -> Result<(Token, Session), AccessError> {
        let Ok(name) = name.parse::<PersonName>() else {
            self.is_of(PasswordHash::of_nobody(), password).await?;
            return Err(AccessError::WrongPassword);
        };
        let account = self.attempt(&name, password, address).await?;
        let proof = match (&account.factor, code) {
            (None, _) => Proof::Password,
            (Some(_), None) => return Err(AccessError::CodeNeeded),
            (Some((key, after)), Some(code)) => match key.step_of(code, Timestamp::now(), *after) {
                Some(step) => Proof::Code { step },
                None => return Err(self.failed(&name, "code", address, AccessError::CodeWrong).await?),
            },
        };
        self.open(account.person, proof, address).await?.ok_or(AccessError::CodeWrong)
    }

    /// Sets a password by a one-time link and opens a session.
    ///
    /// # Errors
    /// When the link is useless or the password not good enough.
    pub async fn accept(
        &self,
        link: &Token,
        password: Password,
        address: &str,
    ) -> Result<(Token, Session), AccessError> {
        let now = Timestamp::now();
        let person = self.store.invited(&link.hash(), now).await?.ok_or(AccessError::UselessLink)?;
        password.check(&person.name)?;
        let hash = self.hash(password).await?;
        let entry = at(Entry::about(&person.name, Action::PasswordSet), address);
        if !self.store.redeem_invitation(&link.hash(), &person.name, &hash, &entry, now).await? {
            return Err(AccessError::UselessLink);
        }
        let person = Person { state: PersonState::Active, password: true, second_factor: false, ..person };
        self.open(person, Proof::Password, address).await?.ok_or(AccessError::UselessLink)
    }

    /// Makes a one-time link for somebody.
    ///
    /// # Errors
    /// When there is no such person, or the database cannot be written.
    pub async fn invite(store: &Store, name: &PersonName, by: &str) -> Result<Invitation, PersonError> {
        let now = Timestamp::now();
        let token = Token::new().map_err(|error| StoreError::Random(error.to_string()))?;
        let invitation = Invitation { token, until: now.saturating_add(LINK).unwrap_or(now) };
        store.invite(name, &invitation, by, now).await?;
        Ok(invitation)
    }

    /// Changes the password of somebody who is signed in and gives the old one again. Their other sessions end.
    ///
    /// # Errors
    /// When the old one is wrong or the new one not good enough.
    pub async fn change_password(
        &self,
        session: &Session,
        old: Password,
        new: Password,
        address: &str,
    ) -> Result<(), AccessError> {
        let name = &session.person.name;
        new.check(name)?;
        self.confirm(name, old, address).await?;
        let hash = self.hash(new).await?;
        let entry = at(Entry::about(name, Action::PasswordChanged), address);
        Ok(self.store.set_password(name, &hash, &session.hash, &entry, Timestamp::now()).await?)
    }

    /// A new second factor for somebody who is signed in and gives the password again. It counts once it is confirmed.
    ///
    /// # Errors
    /// When the password is wrong.
    pub async fn want_factor(
        &self,
        name: &PersonName,
        password: Password,
        address: &str,
    ) -> Result<FactorKey, AccessError> {
        self.confirm(name, password, address).await?;
        let key = FactorKey::new()?;
        self.store.want_factor(name, &key).await?;
        Ok(key)
    }

    /// Confirms a new second factor by its first code.
    ///
    /// # Errors
    /// When the code is wrong or none was asked for.
    pub async fn confirm_factor(
        &self,
        name: &PersonName,
        code: &str,
        address: &str,
    ) -> Result<(), AccessError> {
        let now = Timestamp::now();
        let wanted = self.store.account(name).await?.and_then(|account| account.factor_wanted);
        let key = wanted.ok_or(AccessError::NothingToConfirm)?;
        let step = key.step_of(code, now, 0).ok_or(AccessError::CodeWrong)?;
        let entry = at(Entry::about(name, Action::SecondFactorSet), address);
        Ok(self.store.set_factor(name, Some((&key, step)), &entry, now).await?)
    }

    /// Removes the second factor of somebody who is signed in and gives the password again.
    ///
    /// # Errors
    /// When the password is wrong.
    pub async fn remove_factor(
        &self,
        name: &PersonName,
        password: Password,
        address: &str,
    ) -> Result<(), AccessError> {
        self.confirm(name, password, address).await?;
        let entry = at(Entry::about(name, Action::SecondFactorRemoved), address);
        Ok(self.store.set_factor(name, None, &entry, Timestamp::now()).await?)
    }

    /// Somebody who is signed in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, token: &Token) -> Result<Option<Session>, StoreError> {
        self.session_of(token.hash()).await
    }

    /// The same, by what the token is found by.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_of(&self, hash: TokenHash) -> Result<Option<Session>, StoreError> {
        let now = Timestamp::now();
        let session = self.store.session(hash).await?.filter(|session| session.counts(now));
        if let Some(session) = &session
            && session.is_to_be_noted(now)
            // A full disk must not keep people from seeing that it is full.
            && let Err(error) = self.store.note_session(&session.hash, now).await
        {
            tracing::warn!(%error, "it cannot be noted that a session is used");
        }
        Ok(session)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn sign_out(&self, session: &Session, address: &str) -> Result<(), StoreError> {
        let entry = at(Entry::about(&session.person.name, Action::SignedOut), address);
        self.store.end_session(&session.hash, &entry, Timestamp::now()).await
    }

    /// None when what was proved counts no more: the code was used meanwhile, or the account was unbound.
    async fn open(
        &self,
        person: Person,
        proof: Proof<'_>,
        address: &str,
    ) -> Result<Option<(Token, Session)>, AccessError> {
        let now = Timestamp::now();
        let token = Token::new()?;
        let until = now.saturating_add(LASTS).unwrap_or(now);
        let session = Session { hash: token.hash(), person, until, used: now };
        let entry = at(Entry::about(&session.person.name, Action::SignedIn), address);
        let entry = match proof {
            Proof::Password | Proof::Code { .. } => entry,
            Proof::Provider(_) => entry.detail(provider::BY_PROVIDER),
        };
        if !self.store.begin_session(&session, proof, &entry).await? {
            return Ok(None);
        }
        tracing::info!(person = %session.person.name, address, "signed in");
        Ok(Some((token, session)))
    }

    /// Somebody who is signed in gives the password again.
    async fn confirm(&self, name: &PersonName, password: Password, address: &str) -> Result<(), AccessError> {
        self.attempt(name, password, address).await?;
        Ok(self.store.forgive(name).await?)
    }

    /// The account whose password this is. The attempt stays counted as failed.
    async fn attempt(
        &self,
        name: &PersonName,
        password: Password,
        address: &str,
    ) -> Result<Account, AccessError> {
        if let Some(wait) = self.store.begin_attempt(name, Timestamp::now()).await? {
            return Err(AccessError::Wait(wait));
        }
        let account = self.store.account(name).await?;
        let is_known = account.is_some();
        let active = account.filter(|account| account.person.state == PersonState::Active);
        let kept = active.as_ref().and_then(|account| account.password.clone());
        let right = self.is_of(kept.unwrap_or_else(PasswordHash::of_nobody), password).await?;
        match active {
            Some(account) if right => Ok(account),
            // A name that nobody has is not written down: a stranger could fill the disk with them, and one may be a password in
            // the wrong field.
            _ if !is_known => Err(AccessError::WrongPassword),
            _ => Err(self.failed(name, "password", address, AccessError::WrongPassword).await?),
        }
    }

    /// Writes a failure of somebody with an account down.
    async fn failed(
        &self,
        name: &PersonName,
        what: &str,
        address: &str,
        error: AccessError,
    ) -> Result<AccessError, StoreError> {
        tracing::warn!(person = %name, address, what, "sign-in failed");
        let entry = at(Entry::about(name, Action::SignInFailed).detail(what), address);
        self.store.write_access(&entry, Timestamp::now()).await?;
        Ok(error)
    }

    async fn is_of(&self, kept: PasswordHash, password: Password) -> Result<bool, AccessError> {
        self.hashing(move || kept.is_of(&password)).await
    }

    async fn hash(&self, password: Password) -> Result<PasswordHash, AccessError> {
        Ok(self.hashing(move || password.hash()).await??)
    }

    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccessError> {
        let turn = tokio::time::timeout(PATIENCE, self.hashing.acquire()).await;
        // The semaphore is never closed.
        let Ok(Ok(_turn)) = turn else { return Err(AccessError::Busy) };
        tokio::task::spawn_blocking(work).await.map_err(|_| AccessError::Busy)
    }
}

fn at(entry: Entry, address: &str) -> Entry {
    Entry { address: Some(address.to_owned()), ..entry }
}

#[cfg(test)]
mod tests;
