//! One-time links.

use gatepost_wire::Timestamp;

use super::{log, person};
use crate::access::{Action, Entry, Invitation, PasswordHash, Person, PersonName, PersonState, TokenHash};
use crate::store::column::{nanos, parse};
use crate::store::{PersonError, Store, StoreError};

impl Store {
    /// Notes a link. Earlier ones of the person that nobody used end.
    ///
    /// # Errors
    /// When there is no such person, or the database cannot be written.
    pub async fn invite(
        &self,
        name: &PersonName,
        invitation: &Invitation,
        by: &str,
        now: Timestamp,
    ) -> Result<(), PersonError> {
        let mut change = self.begin().await?;
        if person::account(&mut change.connection, name).await?.is_none() {
            return Err(PersonError::Unknown(name.clone()));
        }
        sqlx::query("DELETE FROM invitation WHERE person = $1 AND used IS NULL")
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        sqlx::query("INSERT INTO invitation (hash, person, until) VALUES ($1, $2, $3)")
            .bind(invitation.token.hash().as_str())
            .bind(name.as_str())
            .bind(nanos(invitation.until))
            .execute(&mut change.connection)
            .await?;
        let entry = Entry { by: Some(by.to_owned()), ..Entry::about(name, Action::Invited) };
        log::write(&mut change.connection, &entry, now).await?;
        Ok(change.commit().await?)
    }

    /// Who a link is for, if it is good.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn invited(&self, link: &TokenHash, now: Timestamp) -> Result<Option<Person>, StoreError> {
        let name: Option<String> = sqlx::query_scalar(
            "SELECT person FROM invitation WHERE hash = $1 AND used IS NULL AND until > $2",
        )
        .bind(link.as_str())
        .bind(nanos(now))
        .fetch_optional(&self.readers)
        .await?;
        let Some(name) = name else { return Ok(None) };
        let account = self.account(&parse("invitation.person", &name)?).await?;
        Ok(account.map(|account| account.person).filter(|person| person.state != PersonState::Disabled))
    }

    /// Sets a password by a link, once: false when the link is no good any more. The second factor and all sessions go, since who
    /// uses the link has lost one or the other.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn redeem_invitation(
        &self,
        link: &TokenHash,
        name: &PersonName,
        password: &PasswordHash,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut change = self.begin().await?;
        let used = sqlx::query(
            "UPDATE invitation SET used = $1 WHERE hash = $2 AND person = $3 AND used IS NULL AND until > $1",
        )
        .bind(nanos(now))
        .bind(link.as_str())
        .bind(name.as_str())
        .execute(&mut change.connection)
        .await?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        person::set_password(&mut change.connection, name, password).await?;
        sqlx::query("UPDATE person SET factor = NULL, factor_step = 0, factor_wanted = NULL WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        sqlx::query("DELETE FROM sign_in_failure WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        person::end_sessions(&mut change.connection, name, None).await?;
        log::write(&mut change.connection, entry, now).await?;
        change.commit().await?;
        Ok(true)
    }
}
