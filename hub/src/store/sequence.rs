//! Sequence numbers of each boot, and the gaps in them.

use gatepost_wire::{BootId, EdgeId, Seq};
use sqlx::FromRow;

use super::StoreError;
use super::column::{integer, seq as from_column};
use super::writer::Batch;
use crate::device::sequence::{Placed, Range, missing, place as place_among};

/// So many gaps of one boot are listed, the oldest ones; more would only tell the same.
const MAX_LISTED_GAPS: usize = 100;

#[derive(FromRow)]
struct Row {
    first: i64,
    last: i64,
}

impl From<Row> for Range {
    fn from(row: Row) -> Self {
        Self { first: from_column(row.first), last: from_column(row.last) }
    }
}

/// Notes that an event with this number is here; false when the number was already taken.
pub(super) async fn place(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    boot: BootId,
    seq: Seq,
) -> Result<bool, StoreError> {
    let below = neighbour(
        batch,
        "SELECT first, last FROM sequence WHERE edge = ? AND boot = ? AND first <= ? ORDER BY first DESC LIMIT 1",
        edge,
        boot,
        seq,
    )
    .await?;
    let above = neighbour(
        batch,
        "SELECT first, last FROM sequence WHERE edge = ? AND boot = ? AND first > ? ORDER BY first LIMIT 1",
        edge,
        boot,
        seq,
    )
    .await?;
    let Placed::New { range, absorbs_below, absorbs_above } = place_among(seq, below, above) else {
        return Ok(false);
    };
    if let Some(above) = above.filter(|_| absorbs_above) {
        sqlx::query("DELETE FROM sequence WHERE edge = ? AND boot = ? AND first = ?")
            .bind(edge.as_str())
            .bind(boot.to_string())
            .bind(integer(above.first))
            .execute(&mut *batch.connection)
            .await?;
    }
    // A range that absorbs the one below keeps its first number, and so replaces its row.
    sqlx::query(
        "INSERT INTO sequence (edge, boot, first, last) VALUES (?, ?, ?, ?) \
         ON CONFLICT (edge, boot, first) DO UPDATE SET last = excluded.last",
    )
    .bind(edge.as_str())
    .bind(boot.to_string())
    .bind(integer(range.first))
    .bind(integer(range.last))
    .execute(&mut *batch.connection)
    .await?;
    let in_order = above.is_none() && (absorbs_below || seq == Seq::FIRST);
    if !in_order || announced(batch, edge, boot).await?.is_some_and(|announced| announced >= seq) {
        batch.gaps.insert((edge.clone(), boot));
    }
    Ok(true)
}

async fn neighbour(
    batch: &mut Batch<'_>,
    query: &'static str,
    edge: &EdgeId,
    boot: BootId,
    seq: Seq,
) -> Result<Option<Range>, StoreError> {
    let row: Option<Row> = sqlx::query_as(query)
        .bind(edge.as_str())
        .bind(boot.to_string())
        .bind(integer(seq))
        .fetch_optional(&mut *batch.connection)
        .await?;
    Ok(row.map(Range::from))
}

/// Notes how far the edge says it got in a boot.
pub(super) async fn announce(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    boot: BootId,
    last: Seq,
) -> Result<(), StoreError> {
    let grown = sqlx::query(
        "INSERT INTO boot (edge, boot, announced) VALUES (?, ?, ?) ON CONFLICT (edge, boot) \
         DO UPDATE SET announced = excluded.announced WHERE excluded.announced > announced",
    )
    .bind(edge.as_str())
    .bind(boot.to_string())
    .bind(integer(last))
    .execute(&mut *batch.connection)
    .await?;
    if grown.rows_affected() > 0 {
        batch.gaps.insert((edge.clone(), boot));
    }
    Ok(())
}

async fn announced(batch: &mut Batch<'_>, edge: &EdgeId, boot: BootId) -> Result<Option<Seq>, StoreError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT announced FROM boot WHERE edge = ? AND boot = ?")
        .bind(edge.as_str())
        .bind(boot.to_string())
        .fetch_optional(&mut *batch.connection)
        .await?;
    Ok(last.map(from_column))
}

/// Lists the gaps of one boot anew.
pub(super) async fn find_missing(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    boot: BootId,
) -> Result<(), StoreError> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT first, last FROM sequence WHERE edge = ? AND boot = ? ORDER BY first")
            .bind(edge.as_str())
            .bind(boot.to_string())
            .fetch_all(&mut *batch.connection)
            .await?;
    let seen: Vec<Range> = rows.into_iter().map(Range::from).collect();
    let gaps = missing(&seen, announced(batch, edge, boot).await?);
    sqlx::query("DELETE FROM missing WHERE edge = ? AND boot = ?")
        .bind(edge.as_str())
        .bind(boot.to_string())
        .execute(&mut *batch.connection)
        .await?;
    for gap in gaps.iter().take(MAX_LISTED_GAPS) {
        sqlx::query("INSERT INTO missing (edge, boot, first, last) VALUES (?, ?, ?, ?)")
            .bind(edge.as_str())
            .bind(boot.to_string())
            .bind(integer(gap.first))
            .bind(integer(gap.last))
            .execute(&mut *batch.connection)
            .await?;
    }
    Ok(())
}
