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

/// The range that was written to last, not yet on its way to the disk, and the one above it.
struct Open {
    range: Range,
    above: Option<Range>,
}

impl Open {
    /// The neighbours of a number, if it lies between the two.
    fn neighbours(&self, seq: Seq) -> Option<(Option<Range>, Option<Range>)> {
        let between = seq >= self.range.first && self.above.is_none_or(|above| seq < above.first);
        between.then_some((Some(self.range), self.above))
    }
}

/// Notes that events with these numbers are here; false for each whose number was already taken. Numbers that follow each
/// other, as they nearly always do, cost one row together.
pub(super) async fn place(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    boot: BootId,
    seqs: &[Seq],
) -> Result<Vec<bool>, StoreError> {
    let announced = announced(batch, edge, boot).await?;
    let mut placed = Vec::with_capacity(seqs.len());
    let mut open: Option<Open> = None;
    for seq in seqs.iter().copied() {
        let known = open.as_ref().and_then(|open| open.neighbours(seq));
        let (below, above) = match known {
            Some(neighbours) => neighbours,
            None => {
                write(batch, edge, boot, open.take()).await?;
                neighbours(batch, edge, boot, seq).await?
            }
        };
        let Placed::New { range, absorbs_below, absorbs_above } = place_among(seq, below, above) else {
            placed.push(false);
            continue;
        };
        placed.push(true);
        let in_order = above.is_none() && (absorbs_below || seq == Seq::FIRST);
        if !in_order || announced.is_some_and(|announced| announced >= seq) {
            batch.gaps.insert((edge.clone(), boot));
        }
        if !absorbs_below {
            write(batch, edge, boot, open.take()).await?;
        }
        open = Some(Open { range, above });
        if let Some(above) = above.filter(|_| absorbs_above) {
            remove(batch, edge, boot, above).await?;
            // What is above now has to be looked up.
            write(batch, edge, boot, open.take()).await?;
        }
    }
    write(batch, edge, boot, open).await?;
    Ok(placed)
}

/// A range that absorbed the one below kept its first number, and so replaces its row.
async fn write(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    boot: BootId,
    open: Option<Open>,
) -> Result<(), StoreError> {
    let Some(Open { range, .. }) = open else { return Ok(()) };
    sqlx::query(
        "INSERT INTO sequence (edge, boot, first, last) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (edge, boot, first) DO UPDATE SET last = excluded.last",
    )
    .bind(edge.as_str())
    .bind(boot.to_string())
    .bind(integer(range.first))
    .bind(integer(range.last))
    .execute(&mut *batch.connection)
    .await?;
    Ok(())
}

async fn remove(batch: &mut Batch<'_>, edge: &EdgeId, boot: BootId, range: Range) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sequence WHERE edge = $1 AND boot = $2 AND first = $3")
        .bind(edge.as_str())
        .bind(boot.to_string())
        .bind(integer(range.first))
        .execute(&mut *batch.connection)
        .await?;
    Ok(())
}

/// The range that starts highest at or below a number, and the one that starts lowest above it.
async fn neighbours(
    batch: &mut Batch<'_>,
    edge: &EdgeId,
    boot: BootId,
    seq: Seq,
) -> Result<(Option<Range>, Option<Range>), StoreError> {
    let below = neighbour(
        batch,
        "SELECT first, last FROM sequence WHERE edge = $1 AND boot = $2 AND first <= $3 ORDER BY first DESC LIMIT 1",
        edge,
        boot,
        seq,
    )
    .await?;
    let above = neighbour(
        batch,
        "SELECT first, last FROM sequence WHERE edge = $1 AND boot = $2 AND first > $3 ORDER BY first LIMIT 1",
        edge,
        boot,
        seq,
    )
    .await?;
    Ok((below, above))
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
        "INSERT INTO boot (edge, boot, announced) VALUES ($1, $2, $3) ON CONFLICT (edge, boot) \
         DO UPDATE SET announced = excluded.announced WHERE excluded.announced > boot.announced",
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
    let last: Option<i64> = sqlx::query_scalar("SELECT announced FROM boot WHERE edge = $1 AND boot = $2")
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
        sqlx::query_as("SELECT first, last FROM sequence WHERE edge = $1 AND boot = $2 ORDER BY first")
            .bind(edge.as_str())
            .bind(boot.to_string())
            .fetch_all(&mut *batch.connection)
            .await?;
    let seen: Vec<Range> = rows.into_iter().map(Range::from).collect();
    let gaps = missing(&seen, announced(batch, edge, boot).await?);
    sqlx::query("DELETE FROM missing WHERE edge = $1 AND boot = $2")
        .bind(edge.as_str())
        .bind(boot.to_string())
        .execute(&mut *batch.connection)
        .await?;
    for gap in gaps.iter().take(MAX_LISTED_GAPS) {
        sqlx::query("INSERT INTO missing (edge, boot, first, last) VALUES ($1, $2, $3, $4)")
            .bind(edge.as_str())
            .bind(boot.to_string())
            .bind(integer(gap.first))
            .bind(integer(gap.last))
            .execute(&mut *batch.connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatepost_wire::{Event, EventId, Timestamp};
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::device::sequence::place as place_among;
    use crate::evidence::Folder;
    use crate::store::testing::fresh;
    use crate::store::{Content, Delivery, Record, Store};

    const EVENT: &[u8] = br#"{"specversion":"1.0","id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","source":"/gatepost/edge/gate-1",
        "type":"gatepost.event.v1.later_kind","time":"2026-01-31T08:30:00Z","datacontenttype":"application/json",
        "boot":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":"1","data":{"severity":2,"happening":{"kind":"later_kind"}}}"#;

    fn record(seq: u64) -> Record {
        let mut event = Event::from_json(EVENT).unwrap();
        (event.id, event.seq) = (EventId::from_ulid(Ulid::generate()), Seq(seq));
        let delivery = Delivery {
            topic: "gp/v1/gate-1/event".into(),
            payload: Bytes::from_static(EVENT),
            received: Timestamp::UNIX_EPOCH,
            retained: false,
        };
        let text = String::from_utf8(event.to_json().unwrap()).unwrap();
        Record::Message { delivery, content: Content::Event { event: Box::new(event), text } }
    }

    /// What one number at a time makes of them.
    fn one_by_one(seqs: impl Iterator<Item = u64>) -> (Vec<(i64, i64)>, i64) {
        let (mut ranges, mut conflicts): (Vec<Range>, i64) = (Vec::new(), 0);
        for seq in seqs.map(Seq) {
            let below = ranges.iter().rfind(|range| range.first <= seq).copied();
            let above = ranges.iter().find(|range| range.first > seq).copied();
            match place_among(seq, below, above) {
                Placed::Seen => conflicts += 1,
                Placed::New { range, absorbs_below, absorbs_above } => {
                    ranges.retain(|r| {
                        !(absorbs_below && Some(*r) == below || absorbs_above && Some(*r) == above)
                    });
                    ranges.push(range);
                    ranges.sort_by_key(|range| range.first);
                }
            }
        }
        (ranges.iter().map(|range| (integer(range.first), integer(range.last))).collect(), conflicts)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// However numbers are spread over transactions, the table says what one at a time would have said.
        #[test]
        fn numbers_placed_together_are_placed_as_one_by_one(
            batches in prop::collection::vec(prop::collection::vec(1u64..24, 1..12), 1..6),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (ranges, conflicts) = runtime.block_on(async {
                let dir = tempfile::tempdir().unwrap();
                let store = Store::open(&fresh(dir.path())).await.unwrap();
                let mut writer = store.writer(Folder::open(dir.path().join("evidence")).unwrap());
                for batch in &batches {
                    let records: Vec<Record> = batch.iter().copied().map(record).collect();
                    writer.commit(&records).await.unwrap();
                }
                let mut database = store.readers.acquire().await.unwrap();
                let ranges: Vec<(i64, i64)> = sqlx::query_as("SELECT first, last FROM sequence ORDER BY first")
                    .fetch_all(&mut *database)
                    .await
                    .unwrap();
                let conflicts: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE sequence_conflict = 1")
                    .fetch_one(&mut *database)
                    .await
                    .unwrap();
                (ranges, conflicts)
            });
            prop_assert_eq!((ranges, conflicts), one_by_one(batches.iter().flatten().copied()));
        }
    }
}
