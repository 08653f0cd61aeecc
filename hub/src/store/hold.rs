//! Legal holds, only added to, and what they hold.

mod order;

use std::collections::HashMap;

use gatepost_wire::{AlarmId, Timestamp};
use sqlx::{AnyConnection, FromRow};

use super::access::within;
use super::column::{from_word, nanos, parse, timestamp, word};
use super::sql::Sql;
use super::{Store, StoreError, rows};
use crate::access::{Person, PersonName, Scope};
use crate::hold::{Hold, HoldId, HoldState, HoldStep, StepError, Taken, Told, Wanted, custody, due};
use crate::viewing::Statement;

/// A hold cannot become what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// No such alarm, or not at a site of theirs.
    #[error("there is no alarm {0}")]
    UnknownAlarm(AlarmId),
    /// No such hold, or not at a site of theirs.
    #[error("there is no hold {0}")]
    Unknown(HoldId),
    /// There is one already.
    #[error("there is a hold on this alarm already, or one is proposed")]
    Already,
    /// It cannot be taken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for HoldError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Which holds are asked for.
#[derive(Debug)]
pub struct HoldFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// On this alarm only.
    pub alarm: Option<AlarmId>,
    /// Proposed before the one with this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    id: String,
    alarm: String,
    edge: String,
    reason: String,
    until: i64,
    time: i64,
    person: String,
    who: String,
}

impl Row {
    fn hold(
        self,
        steps: Vec<Taken>,
        told: Option<&Told>,
        name: Option<&PersonName>,
        now: Timestamp,
    ) -> Result<Hold, StoreError> {
        let (time, until) = (timestamp(self.time), timestamp(self.until));
        let state = Hold::state(time, until, &steps, now);
        let mut hold = Hold {
            number: self.number,
            id: parse("hold.id", &self.id)?,
            alarm: parse("hold.alarm", &self.alarm)?,
            edge: parse("hold.edge", &self.edge)?,
            reason: self.reason,
            until,
            time,
            person: parse("hold.person", &self.person)?,
            who: self.who,
            state,
            custody: custody(state, until, told, now),
            steps,
            may: Vec::new(),
        };
        hold.may = name.map(|name| hold.choices(name)).unwrap_or_default();
        Ok(hold)
    }
}

/// That a hold was confirmed; its id goes behind.
const CONFIRMED: &str = "SELECT 1 FROM hold_step s WHERE s.step = 'confirm' AND s.hold = ";

/// The condition that a hold stands at `$1`.
macro_rules! stands {
    () => {
        " AND hold.until > $1 \
         AND EXISTS (SELECT 1 FROM hold_step s WHERE s.hold = hold.id AND s.step = 'confirm') \
         AND NOT EXISTS (SELECT 1 FROM hold_step s WHERE s.hold = hold.id AND s.step = 'confirm_lift')"
    };
}

/// The condition that evidence of the alarm named by `event.alarm` is held at `$1`, for where a hold is looked for.
pub(super) const HELD: &str = concat!("SELECT 1 FROM hold WHERE hold.alarm = event.alarm", stands!());

/// The condition that an alarm of the incident named by `attachment.incident` is held at `$1`: what people attached is held with it.
pub(super) const HELD_INCIDENT: &str = concat!(
    "SELECT 1 FROM incident_alarm JOIN hold ON hold.alarm = incident_alarm.alarm \
     WHERE incident_alarm.incident = attachment.incident",
    stands!()
);

impl Store {
    /// Proposes a hold.
    ///
    /// # Errors
    /// When there is no such alarm at a site of theirs, one is held or proposed already, or the database cannot be written.
    pub async fn propose_hold(
        &self,
        wanted: &Wanted,
        person: &Person,
        now: Timestamp,
    ) -> Result<Hold, HoldError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let mut query = Sql::new("SELECT edge FROM alarm WHERE id = ");
        query.push_bind(wanted.alarm.to_string());
        within(&mut query, "edge", &person.scope());
        let edge: Option<String> = query.build_query_scalar().fetch_optional(&mut *connection).await?;
        let Some(edge) = edge else { return Err(HoldError::UnknownAlarm(wanted.alarm)) };
        let filter = HoldFilter { scope: Scope::All, alarm: Some(wanted.alarm), before: None, limit: 200 };
        let stands = |hold: &Hold| {
            matches!(hold.state, HoldState::Proposed | HoldState::Held | HoldState::LiftProposed)
        };
        if list(connection, &filter, &person.name, now).await?.iter().any(stands) {
            return Err(HoldError::Already);
        }
        let row: Row = sqlx::query_as(
            "INSERT INTO hold (id, alarm, edge, reason, until, time, person, who) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             RETURNING *",
        )
        .bind(HoldId::new().to_string())
        .bind(wanted.alarm.to_string())
        .bind(edge)
        .bind(wanted.reason.as_str())
        .bind(nanos(wanted.until))
        .bind(nanos(now))
        .bind(person.name.as_str())
        .bind(person.signature())
        .fetch_one(&mut *connection)
        .await?;
        change.commit().await?;
        Ok(row.hold(Vec::new(), None, Some(&person.name), now)?)
    }

    /// Takes a step of a hold, and gives its box the order that follows from it; the hold as it is then, and the number of the change if there
    /// is an order.
    ///
    /// # Errors
    /// When there is none at a site of theirs, the step cannot be taken, or the database cannot be written.
    pub async fn step_hold(
        &self,
        id: HoldId,
        step: HoldStep,
        text: Option<&Statement>,
        person: &Person,
        now: Timestamp,
    ) -> Result<(Hold, Option<i64>), HoldError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let (scope, name) = (person.scope(), Some(&person.name));
        let (hold, _) = by_id(connection, id, &scope, name, now).await?.ok_or(HoldError::Unknown(id))?;
        hold.check(step, &person.name)?;
        sqlx::query(
            "INSERT INTO hold_step (hold, number, time, person, who, step, said) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(i64::try_from(hold.steps.len()).unwrap_or(i64::MAX))
        .bind(nanos(now))
        .bind(person.name.as_str())
        .bind(person.signature())
        .bind(word(&step))
        .bind(text.map(Statement::as_str))
        .execute(&mut *connection)
        .await?;
        let (mut hold, told) =
            by_id(connection, id, &scope, name, now).await?.ok_or(HoldError::Unknown(id))?;
        let given = order::give(connection, &hold, told.as_ref(), due, now).await?;
        if given.is_some() {
            (hold, _) = by_id(connection, id, &scope, name, now).await?.ok_or(HoldError::Unknown(id))?;
        }
        change.commit().await?;
        Ok((hold, given))
    }

    /// Holds, the latest first, with what `name` may do with each, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn holds(
        &self,
        filter: &HoldFilter,
        name: &PersonName,
        now: Timestamp,
    ) -> Result<(Vec<Hold>, Option<i64>), StoreError> {
        let holds = self.readers.ask(async |connection| list(connection, filter, name, now).await).await?;
        let next = rows::next(&holds, filter.limit, |hold| hold.number);
        Ok((holds, next))
    }
}

async fn by_id(
    connection: &mut AnyConnection,
    id: HoldId,
    scope: &Scope,
    name: Option<&PersonName>,
    now: Timestamp,
) -> Result<Option<(Hold, Option<Told>)>, StoreError> {
    let mut query = Sql::new("SELECT * FROM hold WHERE id = ");
    query.push_bind(id.to_string());
    within(&mut query, "edge", scope);
    Ok(read_holds(connection, query, name, now).await?.pop())
}

async fn list(
    connection: &mut AnyConnection,
    filter: &HoldFilter,
    name: &PersonName,
    now: Timestamp,
) -> Result<Vec<Hold>, StoreError> {
    let mut query = Sql::new("SELECT * FROM hold WHERE 1 = 1");
    within(&mut query, "edge", &filter.scope);
    if let Some(alarm) = filter.alarm {
        query.push(" AND alarm = ").push_bind(alarm.to_string());
    }
    if let Some(before) = filter.before {
        query.push(" AND number < ").push_bind(before);
    }
    query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(filter.limit));
    let holds = read_holds(connection, query, Some(name), now).await?;
    Ok(holds.into_iter().map(|(hold, _)| hold).collect())
}

/// The holds that a query of rows gives, with what `name` may do with each and what its box was told last.
async fn read_holds(
    connection: &mut AnyConnection,
    query: Sql,
    name: Option<&PersonName>,
    now: Timestamp,
) -> Result<Vec<(Hold, Option<Told>)>, StoreError> {
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *connection).await?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut steps = steps(connection, &ids).await?;
    let mut told = order::told(connection, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let (own, told) = (steps.remove(&row.id).unwrap_or_default(), told.remove(&row.id));
            Ok((row.hold(own, told.as_ref(), name, now)?, told))
        })
        .collect()
}

/// The steps of these holds, each in their order.
async fn steps(
    connection: &mut AnyConnection,
    holds: &[&str],
) -> Result<HashMap<String, Vec<Taken>>, StoreError> {
    let mut found: HashMap<String, Vec<Taken>> = HashMap::new();
    if holds.is_empty() {
        return Ok(found);
    }
    let mut query = Sql::new("SELECT hold, time, person, who, step, said FROM hold_step WHERE hold");
    query.push_in(holds).push(" ORDER BY hold, number");
    type StepRow = (String, i64, String, String, String, Option<String>);
    let rows: Vec<StepRow> = query.build_query_as().fetch_all(connection).await?;
    for (hold, time, person, who, step, text) in rows {
        let (person, step) = (parse("hold_step.person", &person)?, from_word("hold_step.step", step)?);
        found.entry(hold).or_default().push(Taken { time: timestamp(time), person, who, step, text });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
