//! Orders to boxes about holds: what was given, and what has to be given.

use std::collections::HashMap;

use gatepost_wire::command::{HoldEvidence, Order, Who, Why};
use gatepost_wire::{Command, CommandId, Timestamp};
use sqlx::{AnyConnection, FromRow};
use ulid::Ulid;

use super::super::change::next_change;
use super::super::column::{nanos, timestamp};
use super::super::command::{Entry, Second, answer, approve, insert, read};
use super::super::sql::Sql;
use super::{CONFIRMED, Store, StoreError, by_id, read_holds};
use crate::access::Scope;
use crate::command::Verdict;
use crate::hold::{Hold, HoldState, HoldStep, Replied, Told, anew, due};

/// Holds that are looked through at a time.
const AT_ONCE: i64 = 200;

/// Says until when a box has to be told to hold, if it has to be told anything.
pub(super) type Owed = fn(HoldState, Timestamp, Option<&Told>, Timestamp) -> Option<Timestamp>;

#[derive(FromRow)]
struct Row {
    hold: String,
    document: String,
    time: Option<i64>,
    received: Option<i64>,
    outcome: Option<String>,
    reason: Option<String>,
    detail: Option<String>,
}

impl Row {
    fn told(self) -> Result<Told, StoreError> {
        let answer = self.outcome.map(|outcome| answer(&outcome, self.reason, self.detail));
        let reply = match (self.time, self.received, answer) {
            (Some(time), Some(received), Some(answer)) => {
                Some(Replied { time: timestamp(time), received: timestamp(received), answer })
            }
            _ => None,
        };
        match read(self.document)? {
            Command { issued, order: Order::HoldEvidence(HoldEvidence { until, .. }), .. } => {
                Ok(Told { issued, until, reply, outdone_before: false })
            }
            other => Err(StoreError::Unreadable { column: "command.hold", value: other.id.to_string() }),
        }
    }
}

/// The last order about each of these holds.
pub(super) async fn told(
    connection: &mut AnyConnection,
    holds: &[&str],
) -> Result<HashMap<String, Told>, StoreError> {
    if holds.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = Sql::new(
        "SELECT command.hold, command.document, reply.time, reply.received, reply.outcome, reply.reason, reply.detail \
         FROM command LEFT JOIN reply ON reply.command = command.id WHERE command.hold",
    );
    query.push_in(holds).push(" ORDER BY command.number");
    let rows: Vec<Row> = query.build_query_as().fetch_all(connection).await?;
    let mut found: HashMap<String, Told> = HashMap::new();
    for row in rows {
        let (hold, mut told) = (row.hold.clone(), row.told()?);
        told.outdone_before = found.get(&hold).is_some_and(Told::is_outdone);
        // Of several the last stays.
        found.insert(hold, told);
    }
    Ok(found)
}

/// Gives the box of a hold, which was told this last, the order it is owed; the number of the change, if there is one.
pub(super) async fn give(
    connection: &mut AnyConnection,
    hold: &Hold,
    told: Option<&Told>,
    owed: Owed,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let id = hold.id.to_string();
    let Some(until) = owed(hold.state, hold.until, told, now) else { return Ok(None) };
    let Some(by) = By::of(hold) else { return Ok(None) };
    let unreadable = |value: &str| StoreError::Unreadable { column: "hold.who", value: value.to_owned() };
    let command = Command {
        id: CommandId::from_ulid(Ulid::generate()),
        edge: hold.edge.clone(),
        who: Who::try_from(by.who.to_owned()).map_err(|_| unreadable(by.who))?,
        why: Why::try_from(by.why.to_owned()).map_err(|_| unreadable(by.why))?,
        issued: now,
        expires: hold.until,
        order: Order::HoldEvidence(HoldEvidence { alarm: hold.alarm, until, extra: serde_json::Map::new() }),
        extra: serde_json::Map::new(),
    };
    let text = command.to_json().map_err(|error| unreadable(&error.to_string()))?;
    let (text, change) = (String::from_utf8_lossy(&text), next_change(connection).await?);
    let entry = Entry {
        command: &command,
        text: &text,
        person: by.person,
        needs_second: true,
        hold: Some(&id),
        change,
    };
    insert(connection, &entry).await?;
    approve(connection, command.id, &by.second, change).await?;
    tracing::info!(edge = %command.edge, command = %command.id, hold = id, %until, "a hold is told to its box");
    Ok(Some(change))
}

/// Who puts a hold on or lifts it: one, a second, and what for.
struct By<'h> {
    person: &'h str,
    who: &'h str,
    why: &'h str,
    second: Second<'h>,
}

impl<'h> By<'h> {
    /// The two of whom the last one agreed.
    fn of(hold: &'h Hold) -> Option<Self> {
        let agreed = hold
            .steps
            .iter()
            .rposition(|taken| matches!(taken.step, HoldStep::Confirm | HoldStep::ConfirmLift))?;
        let second = hold.steps.get(agreed)?;
        let (person, who, why) = match second.step {
            HoldStep::ConfirmLift => {
                let first = hold.steps.get(agreed.checked_sub(1)?)?;
                (&first.person, &first.who, first.text.as_deref().unwrap_or(&hold.reason))
            }
            _ => (&hold.person, &hold.who, hold.reason.as_str()),
        };
        let second = Second {
            time: second.time,
            person: second.person.as_str(),
            who: &second.who,
            outcome: Verdict::Approved,
            said: second.text.as_deref(),
        };
        Some(Self { person: person.as_str(), who, why, second })
    }
}

impl Store {
    /// Gives boxes what is due about holds: those put on by a hub that did not tell boxes, those a box refused a day ago, and those of which it goes by an
    /// order that this hub does not know. Gives the number of the last change, if there is one.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn tell_boxes_of_holds(&self, now: Timestamp) -> Result<Option<i64>, StoreError> {
        Ok(self.tell_all(due, now).await?.last().copied())
    }

    /// Gives the box of each hold that stands its order anew, whatever it was told: the database was put back to an earlier state. Gives how many.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn tell_boxes_of_holds_anew(&self, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.tell_all(anew, now).await?.len())
    }

    /// The numbers of the changes.
    async fn tell_all(&self, owed: Owed, now: Timestamp) -> Result<Vec<i64>, StoreError> {
        let (mut after, mut changes) = (0, Vec::new());
        loop {
            // Of several on one alarm the latest is what its box should know.
            let mut query = Sql::new("SELECT * FROM hold WHERE until > ");
            query.push_bind(nanos(now)).push(" AND number > ").push_bind(after);
            query
                .push(" AND EXISTS (")
                .push(CONFIRMED)
                .push("hold.id) AND NOT EXISTS (SELECT 1 FROM hold later ");
            query.push("WHERE later.alarm = hold.alarm AND later.number > hold.number AND EXISTS (");
            query.push(CONFIRMED).push("later.id)) ORDER BY number LIMIT ").push_bind(AT_ONCE);
            let read = async |connection: &mut AnyConnection| read_holds(connection, query, None, now).await;
            let holds = self.readers.ask(read).await?;
            for (hold, told) in &holds {
                if owed(hold.state, hold.until, told.as_ref(), now).is_some() {
                    changes.extend(self.tell_box_of_hold(hold, owed, now).await?);
                }
            }
            match holds.last() {
                Some((hold, _)) if i64::try_from(holds.len()) == Ok(AT_ONCE) => after = hold.number,
                _ => return Ok(changes),
            }
        }
    }

    /// Looks once more in the transaction that writes it.
    async fn tell_box_of_hold(
        &self,
        hold: &Hold,
        owed: Owed,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let found = by_id(connection, hold.id, &Scope::All, None, now).await?;
        let Some((hold, told)) = found else { return Ok(None) };
        let given = give(connection, &hold, told.as_ref(), owed, now).await?;
        change.commit().await?;
        Ok(given)
    }
}
