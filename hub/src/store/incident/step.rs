//! Steps: what people do with an incident, and the chain of all that was done.

use gatepost_wire::{EdgeId, Timestamp};
use serde_json::Value;
use sqlx::AnyConnection;

use super::deadline::DeadlinesAt;
use super::{Row, attachment, find, keep};
use crate::access::{DisplayName, Person, PersonName};
use crate::attachment::MOST;
use crate::incident::timeline::{self, BEGINNING, Document, Line, Step};
use crate::incident::{Action, Actor, Deadlines, IncidentId, Kind, Stage, StepError};
use crate::store::access::{account, holds};
use crate::store::column::{nanos, parse, word};
use crate::store::rows::chunks;
use crate::store::sql::Sql;
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
    /// The same bytes are attached to it.
    #[error("this file is attached already, as number {0}")]
    AttachedAlready(u32),
    /// It has as many as it may have.
    #[error("the incident has {most} attachments, which is as many as it may have: withdraw one that is not needed", most = MOST)]
    TooManyAttachments,
    /// There is no such attachment, or no more.
    #[error("the incident has no attachment {0}, or its bytes are deleted already")]
    NoAttachment(u32),
    /// Somebody else attached it.
    #[error("only who attached it, or a supervisor, may withdraw it")]
    NotTheirAttachment,
    /// Two people want it kept.
    #[error("evidence of this incident is on legal hold: nothing of it is deleted until two people lift it")]
    AttachmentHeld,
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
    /// Takes a step; gives the number of the change. `deadlines`: where the site has none of its own.
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
        let deadlines = DeadlinesAt::read(connection, deadlines, [row.edge.as_str()]).await?;
        let deadlines = deadlines.at(&row.edge);
        let before = row.state()?;
        let state = before.after(action, &Actor::from(person), row.severity()?, deadlines, now)?;
        let mut detail = action.detail();
        if let Action::ApproveExtension { .. } | Action::DeclineExtension { .. } = action
            && let Some(asked) = &before.extension
        {
            detail = serde_json::json!({ "until": asked.until, "by": asked.by });
        }
        if let Action::Assign { to, .. } = action {
            let name = assign(connection, &row.id, &parse("incident.edge", &row.edge)?, to).await?;
            detail["display_name"] = name.as_str().into();
        }
        if let Action::Withdraw { attachment, .. } = action {
            detail = attachment::withdraw(connection, &row, *attachment, person, now).await?;
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
            sqlx::query_as("SELECT document, hash FROM incident_step WHERE incident = $1 ORDER BY version")
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
        let rows: Vec<(Option<String>, String)> = sqlx::query_as(
            "SELECT document, hash FROM incident_step WHERE number > $1 ORDER BY number LIMIT $2",
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
    connection: &mut AnyConnection,
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
    sqlx::query("INSERT INTO incident_assignee (person, incident) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(to.as_str())
        .bind(incident)
        .execute(connection)
        .await
        .map_err(StoreError::from)?;
    Ok(person.display_name)
}

/// Writes a step behind the last one of all.
pub(super) async fn write(connection: &mut AnyConnection, taken: &Taken<'_>) -> Result<(), StoreError> {
    let mut chain = Chain::read(connection).await?;
    chain.add(taken)?;
    chain.write(connection).await
}

/// The end of the chain of all steps, and those that are to be written behind it.
pub(super) struct Chain {
    number: i64,
    hash: String,
    added: Vec<Added>,
}

struct Added {
    document: Document,
    actor: Option<String>,
    text: String,
    hash: String,
}

impl Chain {
    /// Where it ends, inside a transaction that writes.
    pub async fn read(connection: &mut AnyConnection) -> Result<Self, StoreError> {
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT number, hash FROM incident_step ORDER BY number DESC LIMIT 1")
                .fetch_optional(connection)
                .await?;
        let (number, hash) = last.unwrap_or_else(|| (0, BEGINNING.to_owned()));
        Ok(Self { number, hash, added: Vec::new() })
    }

    /// A step that the hub takes, to the version that the incident has now.
    pub fn add_own(
        &mut self,
        row: &Row,
        action: Kind,
        to: Stage,
        detail: Value,
        time: Timestamp,
    ) -> Result<(), StoreError> {
        let (incident, version) = (&row.id, row.version());
        self.add(&Taken { incident, version, time, who: None, action, to, text: None, detail })
    }

    /// A step behind all that are there.
    pub fn add(&mut self, taken: &Taken<'_>) -> Result<(), StoreError> {
        self.number += 1;
        let document = Document {
            number: self.number,
            incident: taken.incident.to_owned(),
            version: taken.version,
            time: taken.time,
            who: taken.who.as_ref().map(|(_, signature)| signature.clone()),
            action: taken.action,
            to: taken.to,
            text: taken.text.map(str::to_owned),
            detail: taken.detail.clone(),
            previous: self.hash.clone(),
        };
        let text = document.text().map_err(|error| StoreError::Unreadable {
            column: "incident_step.document",
            value: error.to_string(),
        })?;
        self.hash = timeline::hash(&text);
        let actor = taken.who.as_ref().map(|(name, _)| name.to_string());
        self.added.push(Added { document, actor, text, hash: self.hash.clone() });
        Ok(())
    }

    /// Writes what was added.
    pub async fn write(self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        for added in chunks(&self.added) {
            let mut query = Sql::new(
                "INSERT INTO incident_step (number, incident, version, time, actor, action, document, hash) ",
            );
            query.push_rows(added, |values, Added { document, actor, text, hash }| {
                values
                    .bind(document.number)
                    .bind(document.incident.as_str())
                    .bind(i64::from(document.version))
                    .bind(nanos(document.time))
                    .bind(actor)
                    .bind(word(&document.action))
                    .bind(text.as_str())
                    .bind(hash.as_str());
            });
            query.suited_to(connection).build().execute(&mut *connection).await?;
        }
        Ok(())
    }
}
