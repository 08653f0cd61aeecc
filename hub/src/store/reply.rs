//! Answers of boxes: the first one to each command is kept and stays.

use gatepost_wire::command::Outcome;
use gatepost_wire::{EdgeId, Reply};

use super::StoreError;
use super::column::{nanos, plain};
use super::command::go_on_above;
use super::record::{Delivery, Fate};
use super::writer::Batch;

pub(super) async fn store(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    edge: &EdgeId,
    reply: &Reply,
    text: &str,
) -> Result<Fate, StoreError> {
    let command = reply.command.to_string();
    let given: Option<i64> = sqlx::query_scalar("SELECT 1 FROM command WHERE id = $1 AND edge = $2")
        .bind(&command)
        .bind(edge.as_str())
        .fetch_optional(&mut *batch.connection)
        .await?;
    if given.is_none() {
        return Ok(Fate::Refused(format!("this hub gave no command {command} to {edge}")));
    }
    let (outcome, reason, detail) = match &reply.outcome {
        Outcome::Done => ("done", None, None),
        Outcome::Refused { reason, detail, .. } => ("refused", Some(reason.as_str()), Some(detail)),
    };
    let change = batch.next_change();
    let inserted = sqlx::query(
        "INSERT INTO reply (command, time, received, outcome, reason, detail, document, change) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (command) DO NOTHING",
    )
    .bind(&command)
    .bind(nanos(reply.time))
    .bind(nanos(delivery.received))
    .bind(outcome)
    .bind(reason.map(plain))
    .bind(detail.map(|detail| plain(detail)))
    .bind(text)
    .bind(change)
    .execute(&mut *batch.connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Fate::Duplicate);
    }
    if let Outcome::Refused { highest: Some(highest), .. } = &reply.outcome {
        go_on_above(&mut *batch.connection, edge, *highest).await?;
    }
    tracing::info!(%edge, command, outcome, reason, detail, "command answered");
    Ok(Fate::Stored)
}
