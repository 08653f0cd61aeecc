//! Attempts to sign in, counted before they are looked at: a thousand guesses at once are a thousand failures.

use std::time::Duration;

use gatepost_wire::Timestamp;
use jiff::SignedDuration;

use super::log;
use crate::access::{Entry, FORGOTTEN, PersonName, wait};
use crate::store::column::{nanos, timestamp};
use crate::store::{Store, StoreError};

/// Names that nobody has are counted too; a stranger who makes them up must not fill the disk.
const NAMES: i64 = 10_000;

impl Store {
    /// Counts an attempt as failed until it succeeds; or says how long it has to wait.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_attempt(
        &self,
        name: &PersonName,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let mut change = self.begin().await?;
        let forgotten = now - SignedDuration::try_from(FORGOTTEN).unwrap_or_default();
        sqlx::query(
            "DELETE FROM sign_in_failure WHERE last <= $1 OR \
             name IN (SELECT name FROM sign_in_failure ORDER BY last DESC LIMIT 9223372036854775807 OFFSET $2)",
        )
        .bind(nanos(forgotten))
        .bind(NAMES)
        .execute(&mut change.connection)
        .await?;
        let known: Option<(i64, i64)> =
            sqlx::query_as("SELECT failures, last FROM sign_in_failure WHERE name = $1")
                .bind(name.as_str())
                .fetch_optional(&mut change.connection)
                .await?;
        if let Some((failures, last)) = known {
            let wait = wait(u32::try_from(failures).unwrap_or(u32::MAX));
            // A clock that was put back must not make anybody wait for longer.
            let since = now.duration_since(timestamp(last)).try_into().unwrap_or(Duration::ZERO);
            if let Some(rest) = wait.checked_sub(since).filter(|rest| !rest.is_zero()) {
                return Ok(Some(rest));
            }
        }
        sqlx::query(
            "INSERT INTO sign_in_failure (name, failures, last) VALUES ($1, 1, $2) \
             ON CONFLICT (name) DO UPDATE SET failures = sign_in_failure.failures + 1, last = excluded.last",
        )
        .bind(name.as_str())
        .bind(nanos(now))
        .execute(&mut change.connection)
        .await?;
        change.commit().await?;
        Ok(None)
    }

    /// Who tried was right after all, without signing in.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forgive(&self, name: &PersonName) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM sign_in_failure WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut change.connection)
            .await?;
        change.commit().await
    }

    /// Writes down what happened to an account without changing it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn write_access(&self, entry: &Entry, now: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        log::write(&mut change.connection, entry, now).await?;
        change.commit().await
    }
}
