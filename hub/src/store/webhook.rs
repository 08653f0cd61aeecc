//! How far webhooks have got, what they tell, and what was not taken.

use gatepost_wire::Timestamp;
use serde::Serialize;
use sqlx::FromRow;

use super::column::{nanos, timestamp};
use super::{Store, StoreError};
use crate::incident::timeline::Step;

/// A step of an incident, with what a program is told of the incident.
#[derive(Debug)]
pub struct ToldStep {
    /// Its number over all incidents: without a gap, in the order they were taken.
    pub number: i64,
    /// The step.
    pub step: Step,
    /// The site of its box.
    pub site: Option<String>,
    /// The incident.
    pub incident: ToldIncident,
}

/// What a program is told of an incident beside a step: ids and words.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct ToldIncident {
    /// ULID.
    pub id: String,
    /// What people call it by.
    pub number: i64,
    /// What happened.
    pub kind: String,
    /// 1 (gravest) to 4, by now.
    pub severity: i64,
    /// The box.
    pub edge: String,
    /// The camera.
    pub camera: Option<String>,
    /// The area.
    pub zone: Option<String>,
    /// The sensor.
    pub sensor: Option<String>,
}

#[derive(FromRow)]
struct Row {
    step: i64,
    document: String,
    hash: String,
    site: Option<String>,
    #[sqlx(flatten)]
    incident: ToldIncident,
}

/// Something that was not taken.
#[derive(Debug)]
pub struct DeadLetter {
    /// By which webhook.
    pub name: String,
    /// The number of the step.
    pub step: i64,
    /// When it was tried last.
    pub time: Timestamp,
    /// How often.
    pub attempts: i64,
    /// Why not.
    pub reason: String,
}

/// How far behind a webhook is.
#[derive(Debug, FromRow)]
pub struct WebhookBacklog {
    /// The webhook.
    pub name: String,
    /// Steps it has not got to.
    pub waiting: i64,
    /// What it did not take.
    pub dead: i64,
}

const SELECT: &str = "SELECT s.number AS step, s.document, s.hash, site_edge.site, i.id, i.number, i.kind, i.severity, i.edge, \
      i.camera, i.zone, i.sensor \
    FROM incident_step s JOIN incident i ON i.id = s.incident LEFT JOIN site_edge ON site_edge.edge = i.edge";

fn told(row: Row) -> Result<ToldStep, StoreError> {
    let Row { step: number, document, hash, site, incident } = row;
    let step = Step::of(&document, hash)
        .map_err(|_| StoreError::Unreadable { column: "incident_step.document", value: document })?;
    Ok(ToldStep { number, step, site, incident })
}

impl Store {
    /// How far a webhook has got. One that is new is told of what comes, not of what was.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn webhook_position(&self, name: &str) -> Result<i64, StoreError> {
        let known: Option<i64> = sqlx::query_scalar("SELECT step FROM webhook WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?;
        if let Some(step) = known {
            return Ok(step);
        }
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM incident_step")
            .fetch_one(&self.readers)
            .await?;
        self.move_webhook(name, last, None).await?;
        Ok(last)
    }

    /// It has got to this step; `dead`: that was not taken.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn move_webhook(
        &self,
        name: &str,
        step: i64,
        dead: Option<&DeadLetter>,
    ) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        sqlx::query(
            "INSERT INTO webhook (name, step) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET step = excluded.step",
        )
        .bind(name)
        .bind(step)
        .execute(&mut *connection)
        .await?;
        if let Some(dead) = dead {
            sqlx::query(
                "INSERT INTO webhook_dead (name, step, time, attempts, reason, again) VALUES ($1, $2, $3, $4, $5, 0) \
                 ON CONFLICT (name, step) DO UPDATE SET time = excluded.time, reason = excluded.reason, again = 0, \
                   attempts = webhook_dead.attempts + excluded.attempts",
            )
            .bind(&dead.name)
            .bind(dead.step)
            .bind(nanos(dead.time))
            .bind(dead.attempts)
            .bind(&dead.reason)
            .execute(&mut *connection)
            .await?;
        }
        change.commit().await
    }

    /// Steps after this one, in their order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn steps_to_tell(&self, after: i64, limit: u16) -> Result<Vec<ToldStep>, StoreError> {
        let query = sqlx::AssertSqlSafe(format!("{SELECT} WHERE s.number > $1 ORDER BY s.number LIMIT $2"));
        let rows: Vec<Row> =
            sqlx::query_as(query).bind(after).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        rows.into_iter().map(told).collect()
    }

    /// What somebody wants this webhook to be told again, in its order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn steps_to_tell_again(&self, name: &str, limit: u16) -> Result<Vec<ToldStep>, StoreError> {
        let query = sqlx::AssertSqlSafe(format!(
            "{SELECT} JOIN webhook_dead d ON d.step = s.number WHERE d.name = $1 AND d.again = 1 ORDER BY s.number LIMIT $2"
        ));
        let rows: Vec<Row> =
            sqlx::query_as(query).bind(name).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        rows.into_iter().map(told).collect()
    }

    /// It was taken after all.
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
        change.commit().await
    }

    /// Of each webhook there ever was: steps it has not got to, and what it did not take.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn webhook_backlogs(&self) -> Result<Vec<WebhookBacklog>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT name, (SELECT coalesce(max(number), 0) FROM incident_step) - step AS waiting, \
             (SELECT count(*) FROM webhook_dead WHERE webhook_dead.name = webhook.name) AS dead FROM webhook",
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// Everything that was not taken, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, String)> =
            sqlx::query_as("SELECT name, step, time, attempts, reason FROM webhook_dead ORDER BY name, step")
                .fetch_all(&self.readers)
                .await?;
        let letter = |(name, step, time, attempts, reason)| DeadLetter {
            name,
            step,
            time: timestamp(time),
            attempts,
            reason,
        };
        Ok(rows.into_iter().map(letter).collect())
    }

    /// Has everything that this webhook did not take sent again; gives how much that is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn send_again(&self, name: &str) -> Result<u64, StoreError> {
        let mut change = self.begin().await?;
        let done = sqlx::query("UPDATE webhook_dead SET again = 1 WHERE name = $1")
            .bind(name)
            .execute(&mut change.connection)
            .await?;
        change.commit().await?;
        Ok(done.rows_affected())
    }
}
