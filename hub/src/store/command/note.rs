//! Commands as they are noted, with what a second person said.

use gatepost_wire::command::{Order, ReleaseOriginal};
use gatepost_wire::{Command, CommandId, Timestamp};
use sqlx::AnyConnection;

use super::super::StoreError;
use super::super::column::{nanos, text as id_text, word};
use super::super::record::Fate;
use super::super::writer::Batch;
use crate::access::PersonName;
use crate::command::Verdict;

/// A command to be noted.
pub(in crate::store) struct Entry<'a> {
    /// The command.
    pub command: &'a Command,
    /// The command as it is sent.
    pub text: &'a str,
    /// Who gave it.
    pub person: &'a str,
    /// It is sent only once a second person approved it.
    pub needs_second: bool,
    /// The legal hold it is about.
    pub hold: Option<&'a str>,
    /// The number of the change.
    pub change: i64,
}

/// What a second person said to a command.
pub(in crate::store) struct Second<'a> {
    pub time: Timestamp,
    pub person: &'a str,
    pub who: &'a str,
    pub outcome: Verdict,
    pub said: Option<&'a str>,
}

/// Notes a command that a person gave. An original takes a second one.
pub(in crate::store) async fn store(
    batch: &mut Batch<'_>,
    command: &Command,
    person: &PersonName,
    text: &str,
) -> Result<Fate, StoreError> {
    let needs_second = matches!(command.order, Order::ReleaseOriginal(_));
    let (person, change) = (person.as_str(), batch.next_change());
    let entry = Entry { command, text, person, needs_second, hold: None, change };
    insert(&mut *batch.connection, &entry).await?;
    Ok(Fate::Stored)
}

pub(in crate::store) async fn insert(
    connection: &mut AnyConnection,
    entry: &Entry<'_>,
) -> Result<(), StoreError> {
    let Entry { command, text, person, needs_second, hold, change } = *entry;
    let release = match &command.order {
        Order::ReleaseOriginal(release) => Some(release),
        Order::SetMode(_) | Order::HoldEvidence(_) | Order::Unknown(_) => None,
    };
    sqlx::query(
        "INSERT INTO command (id, edge, who, why, issued, expires, kind, event, until, document, change, person, needs_second, \
           hold) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(command.id.to_string())
    .bind(command.edge.as_str())
    .bind(command.who.as_str())
    .bind(command.why.as_str())
    .bind(nanos(command.issued))
    .bind(nanos(command.expires))
    .bind(command.order.kind())
    .bind(id_text(release.map(|release| &release.event)))
    .bind(release.map(|release: &ReleaseOriginal| nanos(release.until)))
    .bind(text)
    .bind(change)
    .bind(person)
    .bind(i64::from(needs_second))
    .bind(hold)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes what a second person said.
pub(in crate::store) async fn approve(
    connection: &mut AnyConnection,
    command: CommandId,
    second: &Second<'_>,
    change: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO approval (command, time, person, who, outcome, said, change) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(command.to_string())
    .bind(nanos(second.time))
    .bind(second.person)
    .bind(second.who)
    .bind(word(&second.outcome))
    .bind(second.said)
    .bind(change)
    .execute(connection)
    .await?;
    Ok(())
}
