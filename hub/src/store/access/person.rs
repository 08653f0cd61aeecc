//! People: their roles and sites, and what they prove who they are with.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::Timestamp;
use sqlx::{AnyConnection, FromRow};

use super::{log, provider};
use crate::access::{
    Action, Entry, FactorKey, PasswordHash, Permission, Person, PersonChange, PersonName, PersonState,
    ProviderLink, ProviderName, Role, Roles, SiteId, TokenHash,
};
use crate::store::column::{from_word, nanos, parse, timestamp, word};
use crate::store::sql::Sql;
use crate::store::{Store, StoreError};

/// An account cannot become what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// Somebody has the name, or had it.
    #[error("there is a person {0} already; a name is never used again")]
    Taken(PersonName),
    /// Nobody has the name.
    #[error("there is no person {0}")]
    Unknown(PersonName),
    /// Nobody could give accounts any more.
    #[error("{0} is the last administrator who can sign in: make another one first")]
    LastAdministrator(PersonName),
    /// The role is about every site.
    #[error("the role {0} is for every site, so it cannot be limited to some")]
    NeedsAllSites(Role),
    /// No such place.
    #[error("there is no site {0}: make it first")]
    UnknownSite(SiteId),
    /// The provider calls somebody else that.
    #[error("somebody else here is linked to {:?} at the provider", .0.as_str())]
    ProviderNameTaken(ProviderName),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for PersonError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A person and what they prove who they are with.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who.
    pub person: Person,
    /// None before the first one is set.
    pub password: Option<PasswordHash>,
    /// The second factor, and the time step of the last code that counted.
    pub factor: Option<(FactorKey, i64)>,
    /// A second factor that is not confirmed yet.
    pub factor_wanted: Option<FactorKey>,
}

#[derive(FromRow)]
struct Row {
    name: String,
    display_name: String,
    all_sites: i64,
    disabled: i64,
    password: Option<String>,
    factor: Option<Vec<u8>>,
    factor_step: i64,
    factor_wanted: Option<Vec<u8>>,
    last_sign_in: Option<i64>,
    provider_name: Option<String>,
    provider_bound: Option<i64>,
}

impl Row {
    fn account(self, roles: BTreeSet<Role>, sites: BTreeSet<SiteId>) -> Result<Account, StoreError> {
        let unreadable = |column, value: &str| StoreError::Unreadable { column, value: value.to_owned() };
        let state = match (self.disabled != 0, &self.password, self.provider_bound) {
            (true, ..) => PersonState::Disabled,
            (false, None, None) => PersonState::Invited,
            (false, Some(_), _) | (false, _, Some(_)) => PersonState::Active,
        };
        let provider = match &self.provider_name {
            None => None,
            Some(name) => Some(ProviderLink {
                name: parse("provider_link.name", name)?,
                bound: self.provider_bound.map(timestamp),
            }),
        };
        let person = Person {
            name: parse("person.name", &self.name)?,
            display_name: parse("person.display_name", &self.display_name)?,
            roles: Roles::try_from(roles).map_err(|_| unreadable("person_role.role", &self.name))?,
            sites: (self.all_sites == 0).then_some(sites),
            state,
            password: self.password.is_some(),
            second_factor: self.factor.is_some(),
            provider,
            last_sign_in: self.last_sign_in.map(timestamp),
        };
        Ok(Account {
            person,
            password: self.password.map(PasswordHash::kept),
            factor: self.factor.map(|key| (FactorKey::kept(key), self.factor_step)),
            factor_wanted: self.factor_wanted.map(FactorKey::kept),
        })
    }
}

/// One account, or all by name.
async fn accounts(
    connection: &mut AnyConnection,
    name: Option<&PersonName>,
) -> Result<Vec<Account>, StoreError> {
    let select = |text, column| {
        let mut query = Sql::new(text);
        if let Some(name) = name {
            query.push(" WHERE ").push(column).push(" = ").push_bind(name.to_string());
        }
        query
    };
    let mut people = select(
        "SELECT person.*, provider_link.name AS provider_name, provider_link.bound AS provider_bound \
         FROM person LEFT JOIN provider_link ON provider_link.person = person.name",
        "person.name",
    );
    people.push(" ORDER BY person.name");
    let people: Vec<Row> = people.build_query_as().fetch_all(&mut *connection).await?;
    let mut roles: BTreeMap<String, BTreeSet<Role>> = BTreeMap::new();
    let rows: Vec<(String, String)> = select("SELECT person, role FROM person_role", "person")
        .build_query_as()
        .fetch_all(&mut *connection)
        .await?;
    for (person, role) in rows {
        roles.entry(person).or_default().insert(from_word("person_role.role", role)?);
    }
    let mut sites: BTreeMap<String, BTreeSet<SiteId>> = BTreeMap::new();
    let rows: Vec<(String, String)> = select("SELECT person, site FROM person_site", "person")
        .build_query_as()
        .fetch_all(connection)
        .await?;
    for (person, site) in rows {
        sites.entry(person).or_default().insert(parse("person_site.site", &site)?);
    }
    people
        .into_iter()
        .map(|row| {
            let (roles, sites) = (roles.remove(&row.name), sites.remove(&row.name));
            row.account(roles.unwrap_or_default(), sites.unwrap_or_default())
        })
        .collect()
}

/// One account.
pub(in crate::store) async fn account(
    connection: &mut AnyConnection,
    name: &PersonName,
) -> Result<Option<Account>, StoreError> {
    Ok(accounts(connection, Some(name)).await?.into_iter().next())
}

impl Store {
    /// Everybody, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let accounts = self.readers.ask(async |connection| accounts(connection, None).await).await?;
        Ok(accounts.into_iter().map(|account| account.person).collect())
    }

    /// An account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account(&self, name: &PersonName) -> Result<Option<Account>, StoreError> {
        self.readers.ask(async |connection| account(connection, name).await).await
    }

    /// Makes an account nobody can use before a password is set.
    ///
    /// # Errors
    /// When a name is taken, the roles do not go with the sites, or the database cannot be written.
    pub async fn add_person(&self, person: &Person, by: &str, now: Timestamp) -> Result<(), PersonError> {
        let mut change = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO person (name, display_name, all_sites) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(person.name.as_str())
        .bind(person.display_name.as_str())
        .bind(i64::from(person.sites.is_none()))
        .execute(&mut change.connection)
        .await?;
        if added.rows_affected() == 0 {
            return Err(PersonError::Taken(person.name.clone()));
        }
        set_roles_and_sites(&mut change.connection, person).await?;
        if let Some(link) = &person.provider {
            let before = Person { provider: None, ..person.clone() };
            provider::change(&mut change.connection, &before, Some(&link.name), false).await?;
        }
        let entry = Entry { by: Some(by.to_owned()), ..Entry::about(&person.name, Action::PersonAdded) };
        log::write(&mut change.connection, &entry.detail(describe(person)), now).await?;
        Ok(change.commit().await?)
    }

    /// Changes an account; it holds for sessions under way.
    ///
    /// # Errors
    /// When there is none of the name, the roles do not go with the sites, somebody else is called that at the provider, no
    /// administrator would be left, or the database cannot be written.
    pub async fn change_person(
        &self,
        name: &PersonName,
        wanted: PersonChange,
        by: &str,
        now: Timestamp,
    ) -> Result<Person, PersonError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let before =
            account(connection, name).await?.ok_or_else(|| PersonError::Unknown(name.clone()))?.person;
        let after = Person {
            display_name: wanted.display_name.unwrap_or_else(|| before.display_name.clone()),
            roles: wanted.roles.unwrap_or_else(|| before.roles.clone()),
            sites: wanted.sites.unwrap_or_else(|| before.sites.clone()),
            ..before.clone()
        };
        let called = before.provider.as_ref().map(|link| link.name.clone());
        let called = wanted.provider.unwrap_or(called);
        let unbound = provider::change(connection, &before, called.as_ref(), wanted.unbind).await?;
        let after = Person { provider: called.map(|name| ProviderLink { name, bound: None }), ..after };
        let was_disabled = before.state == PersonState::Disabled;
        let disabled = wanted.disabled.unwrap_or(was_disabled);
        sqlx::query("UPDATE person SET display_name = $1, all_sites = $2, disabled = $3 WHERE name = $4")
            .bind(after.display_name.as_str())
            .bind(i64::from(after.sites.is_none()))
            .bind(i64::from(disabled))
            .bind(name.as_str())
            .execute(&mut *connection)
            .await?;
        set_roles_and_sites(connection, &after).await?;
        if before.may(Permission::ManagePeople) && !somebody_gives_accounts(connection).await? {
            return Err(PersonError::LastAdministrator(name.clone()));
        }
        let mut done = Vec::new();
        if describe(&after) != describe(&before) {
            done.push((Action::PersonChanged, Some(describe(&after))));
        }
        if unbound {
            end_sessions(connection, name, None).await?;
            done.push((Action::ProviderUnbound, None));
        }
        match (was_disabled, disabled) {
            (false, true) => {
                end_sessions(connection, name, None).await?;
                done.push((Action::PersonDisabled, None));
            }
            (true, false) => done.push((Action::PersonEnabled, None)),
            _ => {}
        }
        for (action, detail) in done {
            let entry = Entry { by: Some(by.to_owned()), detail, ..Entry::about(name, action) };
            log::write(connection, &entry, now).await?;
        }
        let person =
            account(connection, name).await?.ok_or_else(|| PersonError::Unknown(name.clone()))?.person;
        change.commit().await?;
        Ok(person)
    }

    /// Sets a password and ends all sessions of the person but one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_password(
        &self,
        name: &PersonName,
        password: &PasswordHash,
        keep: &TokenHash,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        set_password(&mut change.connection, name, password).await?;
        end_sessions(&mut change.connection, name, Some(keep)).await?;
        log::write(&mut change.connection, entry, now).await?;
        change.commit().await
    }

    /// Notes a second factor that its owner has yet to confirm.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn want_factor(&self, name: &PersonName, key: &FactorKey) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE person SET factor_wanted = $1 WHERE name = $2")
            .bind(key.as_bytes())
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        change.commit().await
    }

    /// Sets or removes the second factor.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_factor(
        &self,
        name: &PersonName,
        factor: Option<(&FactorKey, i64)>,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE person SET factor = $1, factor_step = $2, factor_wanted = NULL WHERE name = $3")
            .bind(factor.map(|(key, _)| key.as_bytes()))
            .bind(factor.map_or(0, |(_, step)| step))
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        log::write(&mut change.connection, entry, now).await?;
        change.commit().await
    }
}

pub(super) async fn set_password(
    connection: &mut AnyConnection,
    name: &PersonName,
    password: &PasswordHash,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE person SET password = $1 WHERE name = $2")
        .bind(password.as_str())
        .bind(name.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends the sessions of a person, but one if that is to stay.
pub(super) async fn end_sessions(
    connection: &mut AnyConnection,
    name: &PersonName,
    keep: Option<&TokenHash>,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE person = $1 AND hash IS DISTINCT FROM $2")
        .bind(name.as_str())
        .bind(keep.map(TokenHash::as_str))
        .execute(connection)
        .await?;
    Ok(())
}

async fn set_roles_and_sites(connection: &mut AnyConnection, person: &Person) -> Result<(), PersonError> {
    let for_all = |role: &Role| role.permissions().iter().any(|permission| permission.needs_all_sites());
    if let (Some(_), Some(role)) = (&person.sites, person.roles.iter().find(for_all)) {
        return Err(PersonError::NeedsAllSites(role));
    }
    for table in ["DELETE FROM person_role WHERE person = $1", "DELETE FROM person_site WHERE person = $1"] {
        sqlx::query(table).bind(person.name.as_str()).execute(&mut *connection).await?;
    }
    for role in person.roles.iter() {
        sqlx::query("INSERT INTO person_role (person, role) VALUES ($1, $2)")
            .bind(person.name.as_str())
            .bind(word(&role))
            .execute(&mut *connection)
            .await?;
    }
    for site in person.sites.iter().flatten() {
        let known =
            sqlx::query("INSERT INTO person_site (person, site) SELECT $1, site FROM site WHERE site = $2")
                .bind(person.name.as_str())
                .bind(site.as_str())
                .execute(&mut *connection)
                .await?;
        if known.rows_affected() == 0 {
            return Err(PersonError::UnknownSite(site.clone()));
        }
    }
    Ok(())
}

/// An administrator who has not signed in yet counts: the link may be on its way, and another can be made at the machine.
async fn somebody_gives_accounts(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let people = accounts(connection, None).await?;
    Ok(people.iter().any(|account| {
        account.person.state != PersonState::Disabled && account.person.may(Permission::ManagePeople)
    }))
}

fn describe(person: &Person) -> String {
    let sites = match &person.sites {
        None => "every site".to_owned(),
        Some(sites) => sites.iter().map(SiteId::as_str).collect::<Vec<_>>().join(", "),
    };
    let provider = person.provider.as_ref();
    let provider =
        provider.map_or_else(String::new, |link| format!("; OpenID Connect: {}", link.name.as_str()));
    format!("{}; {}; {sites}{provider}", person.display_name.as_str(), person.roles)
}

/// When the person signed in.
pub(super) async fn note_sign_in(
    connection: &mut AnyConnection,
    name: &PersonName,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE person SET last_sign_in = $1 WHERE name = $2")
        .bind(nanos(now))
        .bind(name.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
