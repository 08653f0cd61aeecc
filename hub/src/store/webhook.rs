//! How far webhooks have got, and what they tell; [`letter`] has what was not taken.

mod letter;

use serde::Serialize;
use sqlx::FromRow;

use super::{Store, StoreError};
use crate::incident::timeline::Step;
pub use letter::{DeadLetter, Failure, Letters, Refused, WebhookBacklog};

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

/// What became of a step.
#[derive(Debug)]
pub enum Telling {
    /// It was not to be told.
    Unwanted,
    /// The receiver has it.
    Taken,
    /// It is among the dead.
    Dead(Refused),
}

/// Of a step `s`, with [`ITS_INCIDENT`].
const COLUMNS: &str = "s.number AS step, s.document, s.hash, site_edge.site, i.id, i.number, i.kind, i.severity, i.edge, \
    i.camera, i.zone, i.sensor";

const ITS_INCIDENT: &str =
    "JOIN incident i ON i.id = s.incident LEFT JOIN site_edge ON site_edge.edge = i.edge";

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
        self.move_webhook(name, last, &Telling::Unwanted).await?;
        Ok(last)
    }

    /// It has got to this step, of which this became.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn move_webhook(&self, name: &str, step: i64, became: &Telling) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        sqlx::query(
            "INSERT INTO webhook (name, step) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET step = excluded.step",
        )
        .bind(name)
        .bind(step)
        .execute(&mut *connection)
        .await?;
        match became {
            Telling::Unwanted => {}
            Telling::Taken => letter::note_taken(connection, name).await?,
            Telling::Dead(refused) => {
                letter::note_failure(connection, name, refused).await?;
                letter::put(connection, name, step, refused).await?;
            }
        }
        change.commit().await
    }

    /// Steps after this one, in their order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn steps_to_tell(&self, after: i64, limit: u16) -> Result<Vec<ToldStep>, StoreError> {
        let query = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM incident_step s {ITS_INCIDENT} WHERE s.number > $1 ORDER BY s.number LIMIT $2"
        ));
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
            "SELECT {COLUMNS} FROM webhook_dead d JOIN incident_step s ON s.number = d.step {ITS_INCIDENT} \
             WHERE d.name = $1 AND d.again = 1 ORDER BY s.number LIMIT $2"
        ));
        let rows: Vec<Row> =
            sqlx::query_as(query).bind(name).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        rows.into_iter().map(told).collect()
    }
}
