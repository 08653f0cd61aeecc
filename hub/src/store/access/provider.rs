//! By what people are known to the provider of sign-ins.

use gatepost_wire::Timestamp;
use sqlx::AnyConnection;

use super::{log, person};
use crate::access::{Action, Entry, Found, Person, PersonName, PersonState, ProviderName, Subject};
use crate::store::column::{nanos, parse};
use crate::store::{PersonError, Store, StoreError};

impl Store {
    /// Whose account is bound to somebody whom a provider vouches for.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn person_of(&self, subject: &Subject) -> Result<Option<Person>, StoreError> {
        self.readers.ask(async |connection| person_of(connection, subject).await).await
    }

    /// Binds the account of that name at the provider to somebody whom it vouches for, unless it is bound or disabled.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bind(
        &self,
        name: &ProviderName,
        subject: &Subject,
        address: &str,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let linked: Option<(String, Option<String>)> =
            sqlx::query_as("SELECT person, subject FROM provider_link WHERE name = $1")
                .bind(name.as_str())
                .fetch_optional(&mut *connection)
                .await?;
        let Some((linked, bound)) = linked else { return Ok(Found::Nobody) };
        let linked: PersonName = parse("provider_link.person", &linked)?;
        let is_disabled = |person: &Person| person.state == PersonState::Disabled;
        if person::account(connection, &linked).await?.is_none_or(|account| is_disabled(&account.person)) {
            return Ok(Found::Disabled(linked));
        }
        // Also if it is this very subject, of another issuer.
        if bound.is_some() {
            return Ok(Found::Another(linked));
        }
        sqlx::query("UPDATE provider_link SET issuer = $1, subject = $2, bound = $3 WHERE person = $4")
            .bind(&subject.issuer)
            .bind(&subject.subject)
            .bind(nanos(now))
            .bind(linked.as_str())
            .execute(&mut *connection)
            .await?;
        let entry =
            Entry { address: Some(address.to_owned()), ..Entry::about(&linked, Action::ProviderBound) };
        let entry = entry.detail(format!("{}: {} ({})", name.as_str(), subject.subject, subject.issuer));
        log::write(connection, &entry, now).await?;
        let found = person_of(connection, subject).await?;
        change.commit().await?;
        Ok(found.map_or(Found::Nobody, |person| Found::Account(Box::new(person))))
    }
}

async fn person_of(connection: &mut AnyConnection, subject: &Subject) -> Result<Option<Person>, StoreError> {
    let name: Option<String> =
        sqlx::query_scalar("SELECT person FROM provider_link WHERE issuer = $1 AND subject = $2")
            .bind(&subject.issuer)
            .bind(&subject.subject)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(name) = name else { return Ok(None) };
    let account = person::account(connection, &parse("provider_link.person", &name)?).await?;
    Ok(account.map(|account| account.person))
}

/// What is done to a link: the provider calls the person something else, or nothing, or whoever was bound to it counts no more.
/// True when somebody was bound and is no longer.
pub(super) async fn change(
    connection: &mut AnyConnection,
    before: &Person,
    name: Option<&ProviderName>,
    unbind: bool,
) -> Result<bool, PersonError> {
    let was_bound = before.provider.as_ref().is_some_and(|link| link.bound.is_some());
    let same = before.provider.as_ref().map(|link| &link.name) == name;
    match name {
        None => {
            sqlx::query("DELETE FROM provider_link WHERE person = $1")
                .bind(before.name.as_str())
                .execute(connection)
                .await?;
        }
        Some(_) if same && !unbind => {}
        Some(name) => {
            let taken = sqlx::query("SELECT person FROM provider_link WHERE name = $1 AND person <> $2")
                .bind(name.as_str())
                .bind(before.name.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            if taken.is_some() {
                return Err(PersonError::ProviderNameTaken(name.clone()));
            }
            sqlx::query(
                "INSERT INTO provider_link (person, name) VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET \
                 name = excluded.name, issuer = NULL, subject = NULL, bound = NULL",
            )
            .bind(before.name.as_str())
            .bind(name.as_str())
            .execute(connection)
            .await?;
        }
    }
    Ok(was_bound && (!same || unbind))
}
