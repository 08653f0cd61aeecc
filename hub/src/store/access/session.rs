//! Who is signed in.

use gatepost_wire::Timestamp;
use sqlx::AnyConnection;

use super::{log, person};
use crate::access::{Entry, Proof, Session, TokenHash};
use crate::store::column::{nanos, parse, timestamp};
use crate::store::{Store, StoreError};

impl Store {
    /// The session of a token, whether it still counts or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, hash: TokenHash) -> Result<Option<Session>, StoreError> {
        let read = async |connection: &mut AnyConnection| {
            let row: Option<(String, i64, i64)> =
                sqlx::query_as("SELECT person, until, used FROM session WHERE hash = $1")
                    .bind(hash.as_str())
                    .fetch_optional(&mut *connection)
                    .await?;
            let Some((name, until, used)) = row else { return Ok(None) };
            let account = person::account(connection, &parse("session.person", &name)?).await?;
            let session = |person| Session { hash, person, until: timestamp(until), used: timestamp(used) };
            Ok(account.map(|account| session(account.person)))
        };
        self.readers.ask(read).await
    }

    /// Opens a session: the person proved who they are. False when the proof counts no more: another sign-in has used the code
    /// meanwhile, or the account was unbound from whom the provider vouches for.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_session(
        &self,
        session: &Session,
        proof: Proof<'_>,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let (name, now) = (&session.person.name, session.used);
        let mut change = self.begin().await?;
        let counts = match proof {
            Proof::Password => true,
            Proof::Code { step } => {
                let fresh =
                    sqlx::query("UPDATE person SET factor_step = $1 WHERE name = $2 AND factor_step < $1")
                        .bind(step)
                        .bind(name.as_str())
                        .execute(&mut change.connection)
                        .await?;
                fresh.rows_affected() > 0
            }
            Proof::Provider(subject) => {
                let bound = sqlx::query(
                    "SELECT 1 FROM provider_link WHERE person = $1 AND issuer = $2 AND subject = $3",
                )
                .bind(name.as_str())
                .bind(&subject.issuer)
                .bind(&subject.subject)
                .fetch_optional(&mut change.connection)
                .await?;
                bound.is_some()
            }
        };
        if !counts {
            return Ok(false);
        }
        sqlx::query("DELETE FROM sign_in_failure WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        sqlx::query("DELETE FROM session WHERE until <= $1")
            .bind(nanos(now))
            .execute(&mut change.connection)
            .await?;
        sqlx::query("INSERT INTO session (hash, person, until, used) VALUES ($1, $2, $3, $4)")
            .bind(session.hash.as_str())
            .bind(name.as_str())
            .bind(nanos(session.until))
            .bind(nanos(now))
            .execute(&mut change.connection)
            .await?;
        person::note_sign_in(&mut change.connection, name, now).await?;
        log::write(&mut change.connection, entry, now).await?;
        change.commit().await?;
        Ok(true)
    }

    /// The session is used. It never goes back, whatever the clock does.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_session(&self, hash: &TokenHash, now: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE session SET used = $1 WHERE hash = $2 AND used < $1")
            .bind(nanos(now))
            .bind(hash.as_str())
            .execute(&mut change.connection)
            .await?;
        change.commit().await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_session(
        &self,
        hash: &TokenHash,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM session WHERE hash = $1")
            .bind(hash.as_str())
            .execute(&mut change.connection)
            .await?;
        log::write(&mut change.connection, entry, now).await?;
        change.commit().await
    }
}
