//! Steps: what people do with an incident, and the chain of all that was done.

use gatepost_wire::{EdgeId, Timestamp};
use serde_json::Value;
use sqlx::SqliteConnection;

use super::{find, keep};
use crate::access::{DisplayName, Person, PersonName};
use crate::incident::timeline::{self, BEGINNING, Document, Line, Step};
use crate::incident::{Action, Actor, Deadlines, IncidentId, Kind, Stage, StepError};
use crate::store::access::{account, holds};
use crate::store::column::{nanos, parse, word};
use crate::store::{Store, StoreError};

/// A step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    /// There is no such incident, or it is not the person's business.
    #[error("there is no incident {0}")]
    Unknown(IncidentId),
    /// Somebody was faster.
    #[error("the incident has changed meanwhile: load it anew")]
    Changed,
    /// It cannot be taken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// It was to be given to somebody who cannot handle it.
    #[error(
        "{0} cannot handle it: there is no such person, or they are disabled, no handler, or not of that site"
    )]
    NoHandler(PersonName),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A step to be written.
pub(super) struct Taken<'a> {
    pub incident: &'a str,
    pub version: u32,
    pub time: Timestamp,
    /// By what they sign in, and how records name them; none: the hub.
    pub who: Option<(&'a PersonName, String)>,
    pub action: Kind,
    pub to: Stage,
    pub text: Option<&'a str>,
    pub detail: Value,
}

impl Store {
    /// Takes a step; gives the number of the change.
    ///
    /// # Errors
    /// When it cannot be taken, or somebody was faster.
    pub async fn take_step(
        &self,
        id: IncidentId,
        version: u32,
        action: &Action,
        person: &Person,
        deadlines: &Deadlines,
        now: Timestamp,
    ) -> Result<i64, IncidentError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let row = find(connection, id).await?.ok_or(IncidentError::Unknown(id))?;
        if row.version() != version {
            return Err(IncidentError::Changed);
        }
        let state = row.state()?.after(action, &Actor::from(person), row.severity()?, deadlines, now)?;
        let mut detail = action.detail();
        if let Action::Assign { to, .. } = action {
            let name = assign(connection, &row.id, &parse("incident.edge", &row.edge)?, to).await?;
            detail["display_name"] = name.as_str().into();
        }
        let version = version.saturating_add(1);
        let taken = Taken {
            incident: &row.id,
            version,
            time: now,
            who: Some((&person.name, person.signature())),
            action: action.kind(),
            to: state.stage,
            text: action.text().map(|text| text.as_str()),
            detail,
        };
        write(connection, &taken).await?;
        let number = keep(connection, &row, &state, version, now).await?;
        change.commit().await?;
        Ok(number)
    }

    /// The steps of an incident, the first first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn timeline(&self, id: IncidentId) -> Result<Vec<Step>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT document, hash FROM incident_step WHERE incident = ? ORDER BY version")
                .bind(id.to_string())
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|(document, hash)| {
                Step::of(&document, hash)
                    .map_err(|_| StoreError::Unreadable { column: "incident_step.document", value: document })
            })
            .collect()
    }

    /// Steps of all incidents after a number, at most `limit`, as they are exported.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn steps_after(&self, number: i64, limit: u16) -> Result<Vec<Line>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT document, hash FROM incident_step WHERE number > ? ORDER BY number LIMIT ?",
        )
        .bind(number)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|(document, hash)| Line { document, hash }).collect())
    }
}

/// Gives it to somebody who can handle it; what others call them.
async fn assign(
    connection: &mut SqliteConnection,
    incident: &str,
    edge: &EdgeId,
    to: &PersonName,
) -> Result<DisplayName, IncidentError> {
    let person = account(connection, to).await?.map(|account| account.person);
    let Some(person) = person.filter(Person::may_handle_incidents) else {
        return Err(IncidentError::NoHandler(to.clone()));
    };
    if !holds(connection, &person.scope(), edge).await? {
        return Err(IncidentError::NoHandler(to.clone()));
    }
    sqlx::query("INSERT INTO incident_assignee (person, incident) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(to.as_str())
        .bind(incident)
        .execute(connection)
        .await
        .map_err(StoreError::from)?;
    Ok(person.display_name)
}

/// Writes a step behind the last one of all.
pub(super) async fn write(connection: &mut SqliteConnection, taken: &Taken<'_>) -> Result<(), StoreError> {
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT number, hash FROM incident_step ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let (number, previous) = last.unwrap_or_else(|| (0, BEGINNING.to_owned()));
    let document = Document {
        number: number + 1,
        incident: taken.incident.to_owned(),
        version: taken.version,
        time: taken.time,
        who: taken.who.as_ref().map(|(_, signature)| signature.clone()),
        action: taken.action,
        to: taken.to,
        text: taken.text.map(str::to_owned),
        detail: taken.detail.clone(),
        previous,
    };
    let text = document.text().map_err(|error| StoreError::Unreadable {
        column: "incident_step.document",
        value: error.to_string(),
    })?;
    sqlx::query(
        "INSERT INTO incident_step (number, incident, version, time, actor, action, document, hash) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(document.number)
    .bind(taken.incident)
    .bind(taken.version)
    .bind(nanos(taken.time))
    .bind(taken.who.as_ref().map(|(name, _)| name.as_str()))
    .bind(word(&taken.action))
    .bind(&text)
    .bind(timeline::hash(&text))
    .execute(connection)
    .await?;
    Ok(())
}
