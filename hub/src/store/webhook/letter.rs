//! What was not taken: for now, or for good. The latter are dead letters, kept until somebody has them sent again.

use gatepost_wire::Timestamp;
use serde::Serialize;
use sqlx::{AnyConnection, FromRow};
use utoipa::ToSchema;

use super::{COLUMNS, ITS_INCIDENT, Row, ToldStep, told};
use crate::access::{Action, Entry};
use crate::store::access::log_access;
use crate::store::column::{nanos, plain, timestamp};
use crate::store::{Store, StoreError, rows};

/// An attempt, or several, after which the receiver does not have it.
#[derive(Debug, Clone)]
pub struct Refused {
    /// When it was tried last.
    pub time: Timestamp,
    /// How often.
    pub attempts: i64,
    /// Why not.
    pub reason: String,
}

/// Something that was not taken, and is not tried any more by itself.
#[derive(Debug)]
pub struct DeadLetter {
    /// By which webhook.
    pub name: String,
    /// The step it tells.
    pub step: ToldStep,
    /// When, how often and why not.
    pub refused: Refused,
    /// Somebody wants it sent once more, which has not been done yet.
    pub again: bool,
}

/// The last attempt was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WebhookFailure)]
pub struct Failure {
    /// The first attempt since the last that was taken.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The last.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Why it was not taken.
    #[schema(example = "not taken: HTTP 503 Service Unavailable")]
    pub reason: String,
}

/// How far behind a webhook is.
#[derive(Debug)]
pub struct WebhookBacklog {
    /// The webhook.
    pub name: String,
    /// Steps it has not got to.
    pub waiting: i64,
    /// What it did not take.
    pub dead: i64,
    /// None: its last attempt went well, or there was none.
    pub failure: Option<Failure>,
}

/// Which dead letters of a webhook are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// All there are.
    All,
    /// The one that tells the step of this number.
    Of(i64),
}

#[derive(FromRow)]
struct BacklogRow {
    name: String,
    waiting: i64,
    dead: i64,
    failing_since: Option<i64>,
    failed: Option<i64>,
    failure: Option<String>,
}

impl From<BacklogRow> for WebhookBacklog {
    fn from(row: BacklogRow) -> Self {
        let BacklogRow { name, waiting, dead, failing_since, failed, failure } = row;
        let failure = match (failing_since, failed, failure) {
            (Some(since), Some(time), Some(reason)) => {
                Some(Failure { since: timestamp(since), time: timestamp(time), reason })
            }
            _ => None,
        };
        Self { name, waiting, dead, failure }
    }
}

#[derive(FromRow)]
struct LetterRow {
    webhook: String,
    tried: i64,
    attempts: i64,
    refusal: String,
    again: i64,
    #[sqlx(flatten)]
    step: Row,
}

fn letter(row: LetterRow) -> Result<DeadLetter, StoreError> {
    let LetterRow { webhook, tried, attempts, refusal, again, step } = row;
    let refused = Refused { time: timestamp(tried), attempts, reason: refusal };
    Ok(DeadLetter { name: webhook, step: told(step)?, refused, again: again == 1 })
}

/// All of them; a condition may follow.
fn select() -> String {
    format!(
        "SELECT {COLUMNS}, d.name AS webhook, d.time AS tried, d.attempts, d.reason AS refusal, d.again \
         FROM webhook_dead d JOIN incident_step s ON s.number = d.step {ITS_INCIDENT}"
    )
}

impl Store {
    /// Something could not be told just now; it is tried again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_webhook_failure(&self, name: &str, refused: &Refused) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        note_failure(&mut change.connection, name, refused).await?;
        change.commit().await
    }

    /// A dead letter was taken after all.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bury_not(&self, name: &str, step: i64) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM webhook_dead WHERE name = $1 AND step = $2")
            .bind(name)
            .bind(step)
            .execute(&mut change.connection)
            .await?;
        note_taken(&mut change.connection, name).await?;
        change.commit().await
    }

    /// A dead letter was not taken this time either.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bury_again(&self, name: &str, step: i64, refused: &Refused) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        note_failure(&mut change.connection, name, refused).await?;
        put(&mut change.connection, name, step, refused).await?;
        change.commit().await
    }

    /// Of each webhook there ever was, by name: steps it has not got to, what it did not take, and how its last attempt went.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn webhook_backlogs(&self) -> Result<Vec<WebhookBacklog>, StoreError> {
        let rows: Vec<BacklogRow> = sqlx::query_as(
            "SELECT name, (SELECT coalesce(max(number), 0) FROM incident_step) - step AS waiting, \
             (SELECT count(*) FROM webhook_dead WHERE webhook_dead.name = webhook.name) AS dead, \
             failing_since, failed, failure FROM webhook ORDER BY name",
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Everything that was not taken, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let query = sqlx::AssertSqlSafe(format!("{} ORDER BY d.name, d.step", select()));
        let rows: Vec<LetterRow> = sqlx::query_as(query).fetch_all(&self.readers).await?;
        rows.into_iter().map(letter).collect()
    }

    /// What this webhook did not take, the latest step first, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dead_letters_of(
        &self,
        name: &str,
        before: Option<i64>,
        limit: u16,
    ) -> Result<(Vec<DeadLetter>, Option<i64>), StoreError> {
        let query = sqlx::AssertSqlSafe(format!(
            "{} WHERE d.name = $1 AND d.step < $2 ORDER BY d.step DESC LIMIT $3",
            select()
        ));
        let rows: Vec<LetterRow> = sqlx::query_as(query)
            .bind(name)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        let next = rows::next(&rows, limit, |row| row.step.step);
        let letters = rows.into_iter().map(letter).collect::<Result<_, _>>()?;
        Ok((letters, next))
    }

    /// Has these sent once more, and writes down who wanted it; gives how many there are.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn send_again(
        &self,
        name: &str,
        letters: Letters,
        by: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (first, last) = match letters {
            Letters::All => (i64::MIN, i64::MAX),
            Letters::Of(step) => (step, step),
        };
        let mut change = self.begin().await?;
        let marked =
            sqlx::query("UPDATE webhook_dead SET again = 1 WHERE name = $1 AND step >= $2 AND step <= $3")
                .bind(name)
                .bind(first)
                .bind(last)
                .execute(&mut change.connection)
                .await?
                .rows_affected();
        if marked == 0 {
            return Ok(0);
        }
        let detail = match letters {
            Letters::All => format!("{name}: {marked}"),
            Letters::Of(step) => format!("{name}: #{step}"),
        };
        let entry = Entry::done_by(by, Action::WebhookRetried, detail);
        log_access(&mut change.connection, &entry, now).await?;
        change.commit().await?;
        Ok(marked)
    }
}

/// The last attempt went well.
pub(super) async fn note_taken(connection: &mut AnyConnection, name: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook SET failing_since = NULL, failed = NULL, failure = NULL \
         WHERE name = $1 AND failing_since IS NOT NULL",
    )
    .bind(name)
    .execute(connection)
    .await?;
    Ok(())
}

/// The last attempt did not.
pub(super) async fn note_failure(
    connection: &mut AnyConnection,
    name: &str,
    refused: &Refused,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook SET failing_since = coalesce(failing_since, $1), failed = $1, failure = $2 WHERE name = $3",
    )
    .bind(nanos(refused.time))
    .bind(plain(&refused.reason))
    .bind(name)
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts it among the dead.
pub(super) async fn put(
    connection: &mut AnyConnection,
    name: &str,
    step: i64,
    refused: &Refused,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO webhook_dead (name, step, time, attempts, reason, again) VALUES ($1, $2, $3, $4, $5, 0) \
         ON CONFLICT (name, step) DO UPDATE SET time = excluded.time, reason = excluded.reason, again = 0, \
           attempts = webhook_dead.attempts + excluded.attempts",
    )
    .bind(name)
    .bind(step)
    .bind(nanos(refused.time))
    .bind(refused.attempts)
    .bind(plain(&refused.reason))
    .execute(connection)
    .await?;
    Ok(())
}
