//! Commands: every one ever given, with its first answer.

mod note;
mod numbering;

use gatepost_wire::command::NumberedCommand;
use gatepost_wire::{AlarmId, Command, CommandId, EdgeId, EventId, Timestamp};
use sqlx::FromRow;

use super::access::{holds, within};
use super::change::next_change;
use super::column::{from_word, nanos, parse, parse_option, timestamp};
use super::sql::Sql;
use super::writer::Batch;
use super::{Store, StoreError, rows};
use crate::access::{Person, Scope};
use crate::command::{Answer, Approval, Backing, Decision, Given, both};

pub(super) use note::{Entry, Second, approve, insert, store};
pub(super) use numbering::go_on_above;

/// Which commands are asked for.
#[derive(Debug)]
pub struct CommandFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// To this edge only.
    pub edge: Option<EdgeId>,
    /// About an event of this alarm only.
    pub alarm: Option<AlarmId>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// Those about legal holds, too.
    pub holds: bool,
    /// Given before the one with this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

/// A command that nobody has answered and that has not expired.
#[derive(Debug, Clone)]
pub struct Open {
    /// With its place among all commands.
    pub command: NumberedCommand,
    /// As far as known, the box is connected.
    pub online: bool,
}

impl Open {
    /// The box it is for.
    pub fn edge(&self) -> &EdgeId {
        &self.command.command.edge
    }
}

/// A second person cannot decide about a command.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// No such command, or not at a site of theirs.
    #[error("there is no command {0}")]
    Unknown(CommandId),
    /// It is sent as it is.
    #[error("this command takes no second person")]
    NotNeeded,
    /// They asked for it themselves.
    #[error("you asked for it yourself: another person has to approve or decline it")]
    Own,
    /// Somebody was faster.
    #[error("it was decided already")]
    Decided,
    /// It took too long.
    #[error("nobody approved it in time; ask for it again")]
    Lapsed,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DecisionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A command that somebody wants to decide about.
#[derive(FromRow)]
struct Decidable {
    edge: String,
    person: Option<String>,
    needs_second: i64,
    expires: i64,
    outcome: Option<String>,
}

/// A command that may be sent.
#[derive(FromRow)]
struct Sendable {
    number: i64,
    document: String,
    person: Option<String>,
    second_name: Option<String>,
    second: Option<String>,
    online: i64,
}

impl Sendable {
    fn open(self) -> Result<Open, StoreError> {
        // The database counts from 1.
        let sequence = u64::try_from(self.number).unwrap_or_default();
        let mut command = read(self.document)?;
        if let (Some(person), Some(name), Some(second)) = (self.person, self.second_name, self.second) {
            let (person, name) = (parse("command.person", &person)?, parse("approval.person", &name)?);
            command.who = both(&command.who, &person, &second, &name)
                .map_err(|_| StoreError::Unreadable { column: "approval.who", value: second })?;
        }
        Ok(Open { command: NumberedCommand { sequence, command }, online: self.online != 0 })
    }
}

#[derive(FromRow)]
struct Row {
    number: i64,
    change: i64,
    document: String,
    alarm: Option<String>,
    time: Option<i64>,
    outcome: Option<String>,
    reason: Option<String>,
    detail: Option<String>,
    person: Option<String>,
    needs_second: i64,
    second: Option<String>,
    decided: Option<i64>,
    verdict: Option<String>,
    said: Option<String>,
}

impl Row {
    fn given(self, now: Timestamp) -> Result<Given, StoreError> {
        let command = read(self.document)?;
        let approval = match (self.second, self.decided, self.verdict) {
            (Some(who), Some(time), Some(verdict)) => Some(Approval {
                who,
                time: timestamp(time),
                outcome: from_word("approval.outcome", verdict)?,
                text: self.said,
            }),
            _ => None,
        };
        let backing = Backing {
            person: parse_option("command.person", self.person)?,
            needs_second: self.needs_second != 0,
            approval,
        };
        let answer = match (self.time, self.outcome) {
            (Some(time), Some(outcome)) => {
                Some((timestamp(time), answer(&outcome, self.reason, self.detail)))
            }
            _ => None,
        };
        Ok(Given::new(command, backing, parse_option("event.alarm", self.alarm)?, answer, now))
    }
}

/// The answer that stands in the columns of a reply.
pub(super) fn answer(outcome: &str, reason: Option<String>, detail: Option<String>) -> Answer {
    match outcome {
        "done" => Answer::Done,
        _ => {
            Answer::Refused { reason: reason.unwrap_or_default().into(), detail: detail.unwrap_or_default() }
        }
    }
}

const SELECT: &str = "SELECT command.number, command.document, coalesce(event.alarm, hold.alarm) AS alarm, reply.time, reply.outcome, reply.reason, \
    reply.detail, command.person, command.needs_second, approval.who AS second, approval.time AS decided, \
    approval.outcome AS verdict, approval.said, coalesce(reply.change, approval.change, command.change) AS change FROM command \
    LEFT JOIN approval ON approval.command = command.id LEFT JOIN reply ON reply.command = command.id \
    LEFT JOIN event ON event.id = command.event LEFT JOIN hold ON hold.id = command.hold";

impl Store {
    /// Commands, the latest first, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn commands(
        &self,
        filter: &CommandFilter,
        now: Timestamp,
    ) -> Result<(Vec<Given>, Option<i64>), StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE 1 = 1");
        within(&mut query, "command.edge", &filter.scope);
        if let Some(edge) = &filter.edge {
            query.push(" AND command.edge = ").push_bind(edge.to_string());
        }
        if let Some(alarm) = filter.alarm {
            query.push(" AND (event.alarm = ").push_bind(alarm.to_string());
            query.push(" OR hold.alarm = ").push_bind(alarm.to_string()).push(")");
        }
        if let Some(kind) = &filter.kind {
            query.push(" AND command.kind = ").push_bind(kind.clone());
        }
        if !filter.holds {
            query.push(" AND command.hold IS NULL");
        }
        if let Some(before) = filter.before {
            query.push(" AND command.number < ").push_bind(before);
        }
        query.push(" ORDER BY command.number DESC LIMIT ").push_bind(i64::from(filter.limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = rows::next(&rows, filter.limit, |row| row.number);
        let given = rows.into_iter().map(|row| row.given(now)).collect::<Result<_, _>>()?;
        Ok((given, next))
    }

    /// One command, if its box is within the scope.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn command(
        &self,
        id: CommandId,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Option<Given>, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE command.id = ").push_bind(id.to_string());
        within(&mut query, "command.edge", scope);
        let row: Option<Row> = query.build_query_as().fetch_optional(&self.readers).await?;
        row.map(|row| row.given(now)).transpose()
    }

    /// Commands that were given or answered after a change number, in that order, with those numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn commands_changed(
        &self,
        after: i64,
        limit: u16,
        now: Timestamp,
    ) -> Result<Vec<(i64, Given)>, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE command.change > ").push_bind(after);
        query.push(" OR reply.change > ").push_bind(after);
        query.push(" OR approval.change > ").push_bind(after);
        query.push(" ORDER BY change LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        rows.into_iter().map(|row| Ok((row.change, row.given(now)?))).collect()
    }

    /// Commands that still have to reach their box, in the order they were given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_commands(&self, now: Timestamp) -> Result<Vec<Open>, StoreError> {
        let rows: Vec<Sendable> = sqlx::query_as(
            "SELECT command.number, command.document, command.person, approval.person AS second_name, approval.who AS second, \
               CASE WHEN device.presence = 'online' THEN 1 ELSE 0 END AS online \
             FROM command LEFT JOIN approval ON approval.command = command.id AND approval.outcome = 'approved' \
             LEFT JOIN reply ON reply.command = command.id LEFT JOIN device ON device.edge = command.edge \
             WHERE command.expires > $1 AND reply.command IS NULL \
               AND (command.needs_second = 0 OR approval.command IS NOT NULL) ORDER BY command.number",
        )
        .bind(nanos(now))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Sendable::open).collect()
    }

    /// Says as a second person whether a command may be sent; gives the number of the change.
    ///
    /// # Errors
    /// When it is not there, is not to be decided or not any more, or not by this person.
    pub async fn decide(
        &self,
        id: CommandId,
        decision: &Decision,
        person: &Person,
        now: Timestamp,
    ) -> Result<i64, DecisionError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let row: Option<Decidable> = sqlx::query_as(
            "SELECT command.edge, command.person, command.needs_second, command.expires, approval.outcome FROM command \
             LEFT JOIN approval ON approval.command = command.id WHERE command.id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
        let Some(asked) = row else {
            return Err(DecisionError::Unknown(id));
        };
        if !holds(connection, &person.scope(), &parse("command.edge", &asked.edge)?).await? {
            return Err(DecisionError::Unknown(id));
        }
        if asked.needs_second == 0 {
            return Err(DecisionError::NotNeeded);
        }
        if asked.person.as_deref() == Some(person.name.as_str()) {
            return Err(DecisionError::Own);
        }
        if asked.outcome.is_some() {
            return Err(DecisionError::Decided);
        }
        if timestamp(asked.expires) <= now {
            return Err(DecisionError::Lapsed);
        }
        let number = next_change(connection).await?;
        let who = person.signature();
        let second = Second {
            time: now,
            person: person.name.as_str(),
            who: &who,
            outcome: decision.verdict(),
            said: decision.said().map(|said| said.as_str()),
        };
        approve(connection, id, &second, number).await?;
        change.commit().await?;
        Ok(number)
    }

    /// Is the same original already being asked for?
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn release_is_open(&self, event: EventId, now: Timestamp) -> Result<bool, StoreError> {
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM command LEFT JOIN reply ON reply.command = command.id \
             WHERE command.event = $1 AND command.kind = 'release_original' AND command.expires > $2 \
               AND reply.command IS NULL \
               AND NOT EXISTS (SELECT 1 FROM approval WHERE approval.command = command.id AND approval.outcome = 'declined')",
        )
        .bind(event.to_string())
        .bind(nanos(now))
        .fetch_one(&self.readers)
        .await?;
        Ok(open > 0)
    }
}

pub(super) fn read(document: String) -> Result<Command, StoreError> {
    Command::from_json(document.as_bytes())
        .map_err(|_| StoreError::Unreadable { column: "command.document", value: document })
}

/// Until when a command that this hub gave to the edge, and that a second person approved where that is needed, lets an original be kept.
pub(super) async fn allowed_until(
    batch: &mut Batch<'_>,
    command: &str,
    edge: &EdgeId,
) -> Result<Option<i64>, StoreError> {
    let until: Option<Option<i64>> =
        sqlx::query_scalar(
            "SELECT until FROM command WHERE id = $1 AND edge = $2 AND (needs_second = 0 OR EXISTS \
               (SELECT 1 FROM approval WHERE approval.command = command.id AND approval.outcome = 'approved'))",
        )
        .bind(command)
        .bind(edge.as_str())
        .fetch_optional(&mut *batch.connection)
        .await?;
    Ok(until.flatten())
}
