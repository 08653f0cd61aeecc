//! Sequence numbers of each boot, and the gaps in them.

use std::collections::HashMap;

use gatepost_wire::{BootId, EdgeId, Seq};
use sqlx::FromRow;

use super::StoreError;
use super::column::{integer, parse, seq as from_column};
use super::rows::chunks;
use super::sql::Sql;
use super::writer::Batch;
use crate::device::sequence::{Placed, Range, missing, place as place_among};

/// So many gaps of one boot are listed, the oldest ones; more would only tell the same.
const MAX_LISTED_GAPS: usize = 100;

fn range(first: i64, last: i64) -> Range {
    Range { first: from_column(first), last: from_column(last) }
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

/// Numbers of one boot that came together, in their order; there is at least one.
pub(super) struct Numbers {
    pub edge: EdgeId,
    pub boot: BootId,
    pub seqs: Vec<Seq>,
}

impl Numbers {
    fn at_the_first(&self) -> (&EdgeId, BootId, Seq) {
        (&self.edge, self.boot, self.seqs.first().copied().unwrap_or(Seq::FIRST))
    }
}

/// What is known of a boot around one of its numbers.
#[derive(Default)]
struct Known {
    announced: Option<Seq>,
    /// The range that starts highest at or below the number.
    below: Option<Range>,
    /// The one that starts lowest above it.
    above: Option<Range>,
}

/// Notes that events with these numbers are here; for each boot, which there is once, false for each number that was already taken.
/// Numbers that follow each other, as they nearly always do, cost one row together, and rows of many boots one statement.
pub(super) async fn place(batch: &mut Batch<'_>, boots: &[Numbers]) -> Result<Vec<Vec<bool>>, StoreError> {
    let mut placed = Vec::with_capacity(boots.len());
    let mut ranges = Vec::with_capacity(boots.len());
    for some in chunks(boots) {
        let firsts: Vec<_> = some.iter().map(Numbers::at_the_first).collect();
        let mut known = look_up(batch, &firsts).await?;
        for numbers in some {
            let known = known.remove(&(numbers.edge.clone(), numbers.boot)).unwrap_or_default();
            let (fates, last) = place_boot(batch, numbers, known).await?;
            placed.push(fates);
            ranges.extend(last.map(|range| (numbers, range)));
        }
    }
    for some in chunks(&ranges) {
        write(batch, some).await?;
    }
    Ok(placed)
}

/// Gives the range that is still to be written, too.
async fn place_boot(
    batch: &mut Batch<'_>,
    numbers: &Numbers,
    known: Known,
) -> Result<(Vec<bool>, Option<Range>), StoreError> {
    let Numbers { edge, boot, seqs } = numbers;
    let mut placed = Vec::with_capacity(seqs.len());
    let mut open: Option<Open> = None;
    let mut of_first = Some((known.below, known.above));
    for seq in seqs.iter().copied() {
        let neighbours = open.as_ref().and_then(|open| open.neighbours(seq)).or_else(|| of_first.take());
        let (below, above) = match neighbours {
            Some(neighbours) => neighbours,
            None => {
                write_open(batch, numbers, open.take()).await?;
                let known = look_up(batch, &[(edge, *boot, seq)]).await?.into_values().next();
                known.map_or((None, None), |known| (known.below, known.above))
            }
        };
        let Placed::New { range, absorbs_below, absorbs_above } = place_among(seq, below, above) else {
            placed.push(false);
            continue;
        };
        placed.push(true);
        let in_order = above.is_none() && (absorbs_below || seq == Seq::FIRST);
        if !in_order || known.announced.is_some_and(|announced| announced >= seq) {
            batch.gaps.insert((edge.clone(), *boot));
        }
        if !absorbs_below {
            write_open(batch, numbers, open.take()).await?;
        }
        open = Some(Open { range, above });
        if let Some(above) = above.filter(|_| absorbs_above) {
            remove(batch, edge, *boot, above).await?;
            // What is above now has to be looked up.
            write_open(batch, numbers, open.take()).await?;
        }
    }
    Ok((placed, open.map(|open| open.range)))
}

#[derive(FromRow)]
struct KnownRow {
    edge: String,
    boot: String,
    announced: Option<i64>,
    below_first: Option<i64>,
    below_last: Option<i64>,
    above_first: Option<i64>,
    above_last: Option<i64>,
}

/// What is known of each of these boots around a number of it; they are few enough for one statement.
async fn look_up(
    batch: &mut Batch<'_>,
    boots: &[(&EdgeId, BootId, Seq)],
) -> Result<HashMap<(EdgeId, BootId), Known>, StoreError> {
    let mut query = Sql::new("WITH asked (edge, boot, seq) AS (");
    query.push_rows(boots, |row, (edge, boot, seq)| {
        row.bind(edge.as_str()).bind(boot.to_string()).bind(integer(*seq));
    });
    query.push(
        ") SELECT asked.edge, asked.boot, boot.announced, below.first AS below_first, below.last AS below_last, \
           above.first AS above_first, above.last AS above_last \
         FROM asked \
         LEFT JOIN boot ON boot.edge = asked.edge AND boot.boot = asked.boot \
         LEFT JOIN sequence AS below ON below.edge = asked.edge AND below.boot = asked.boot AND below.first = \
           (SELECT s.first FROM sequence AS s WHERE s.edge = asked.edge AND s.boot = asked.boot AND s.first <= asked.seq \
            ORDER BY s.first DESC LIMIT 1) \
         LEFT JOIN sequence AS above ON above.edge = asked.edge AND above.boot = asked.boot AND above.first = \
           (SELECT s.first FROM sequence AS s WHERE s.edge = asked.edge AND s.boot = asked.boot AND s.first > asked.seq \
            ORDER BY s.first LIMIT 1)",
    );
    let query = query.suited_to(batch.connection);
    let rows: Vec<KnownRow> = query.build_query_as().fetch_all(&mut *batch.connection).await?;
    let both =
        |first: Option<i64>, last: Option<i64>| first.zip(last).map(|(first, last)| range(first, last));
    let known = rows.into_iter().map(|row| {
        let boot = (parse("boot.edge", &row.edge)?, parse("boot.boot", &row.boot)?);
        let known = Known {
            announced: row.announced.map(from_column),
            below: both(row.below_first, row.below_last),
            above: both(row.above_first, row.above_last),
        };
        Ok((boot, known))
    });
    known.collect()
}

async fn write_open(batch: &mut Batch<'_>, numbers: &Numbers, open: Option<Open>) -> Result<(), StoreError> {
    match open {
        Some(Open { range, .. }) => write(batch, &[(numbers, range)]).await,
        None => Ok(()),
    }
}

/// A range that absorbed the one below kept its first number, and so replaces its row.
async fn write(batch: &mut Batch<'_>, ranges: &[(&Numbers, Range)]) -> Result<(), StoreError> {
    let mut insert = Sql::new("INSERT INTO sequence (edge, boot, first, last) ");
    insert.push_rows(ranges, |row, (Numbers { edge, boot, .. }, range)| {
        row.bind(edge.as_str()).bind(boot.to_string()).bind(integer(range.first)).bind(integer(range.last));
    });
    insert.push(" ON CONFLICT (edge, boot, first) DO UPDATE SET last = excluded.last");
    insert.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
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

/// Notes how far boxes say they got in a boot.
pub(super) async fn announce(
    batch: &mut Batch<'_>,
    announced: &[((EdgeId, BootId), Seq)],
) -> Result<(), StoreError> {
    for some in chunks(announced) {
        let mut insert = Sql::new("INSERT INTO boot (edge, boot, announced) ");
        insert.push_rows(some, |row, ((edge, boot), last)| {
            row.bind(edge.as_str()).bind(boot.to_string()).bind(integer(*last));
        });
        insert.push(
            " ON CONFLICT (edge, boot) DO UPDATE SET announced = excluded.announced WHERE excluded.announced > boot.announced \
             RETURNING edge, boot",
        );
        let insert = insert.suited_to(batch.connection);
        let grown: Vec<(String, String)> = insert.build_query_as().fetch_all(&mut *batch.connection).await?;
        for (edge, boot) in grown {
            batch.gaps.insert((parse("boot.edge", &edge)?, parse("boot.boot", &boot)?));
        }
    }
    Ok(())
}

/// `WHERE (edge, boot) IN (…)`.
fn push_among(query: &mut Sql, boots: &[(EdgeId, BootId)]) {
    query.push(" WHERE (edge, boot) IN (").push_rows(boots, |row, (edge, boot)| {
        row.bind(edge.as_str()).bind(boot.to_string());
    });
    query.push(")");
}

/// Lists the gaps of these boots anew.
pub(super) async fn find_missing(
    batch: &mut Batch<'_>,
    boots: &[(EdgeId, BootId)],
) -> Result<(), StoreError> {
    for some in chunks(boots) {
        let mut gaps = Vec::new();
        let mut seen = seen(batch, some).await?;
        let announced = announced(batch, some).await?;
        for boot in some {
            let seen = seen.remove(boot).unwrap_or_default();
            let missing = missing(&seen, announced.get(boot).copied());
            gaps.extend(missing.into_iter().take(MAX_LISTED_GAPS).map(|gap| (boot, gap)));
        }
        let mut delete = Sql::new("DELETE FROM missing");
        push_among(&mut delete, some);
        delete.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
        for some in chunks(&gaps) {
            let mut insert = Sql::new("INSERT INTO missing (edge, boot, first, last) ");
            insert.push_rows(some, |row, ((edge, boot), gap)| {
                row.bind(edge.as_str())
                    .bind(boot.to_string())
                    .bind(integer(gap.first))
                    .bind(integer(gap.last));
            });
            insert.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
        }
    }
    Ok(())
}

/// The ranges of each of these boots, in their order.
async fn seen(
    batch: &mut Batch<'_>,
    boots: &[(EdgeId, BootId)],
) -> Result<HashMap<(EdgeId, BootId), Vec<Range>>, StoreError> {
    let mut query = Sql::new("SELECT edge, boot, first, last FROM sequence");
    push_among(&mut query, boots);
    query.push(" ORDER BY edge, boot, first");
    let query = query.suited_to(batch.connection);
    let rows: Vec<(String, String, i64, i64)> =
        query.build_query_as().fetch_all(&mut *batch.connection).await?;
    let mut seen: HashMap<_, Vec<Range>> = HashMap::new();
    for (edge, boot, first, last) in rows {
        let boot = (parse("sequence.edge", &edge)?, parse("sequence.boot", &boot)?);
        seen.entry(boot).or_default().push(range(first, last));
    }
    Ok(seen)
}

async fn announced(
    batch: &mut Batch<'_>,
    boots: &[(EdgeId, BootId)],
) -> Result<HashMap<(EdgeId, BootId), Seq>, StoreError> {
    let mut query = Sql::new("SELECT edge, boot, announced FROM boot");
    push_among(&mut query, boots);
    let query = query.suited_to(batch.connection);
    let rows: Vec<(String, String, i64)> = query.build_query_as().fetch_all(&mut *batch.connection).await?;
    let announced = rows.into_iter().map(|(edge, boot, announced)| {
        Ok(((parse("boot.edge", &edge)?, parse("boot.boot", &boot)?), from_column(announced)))
    });
    announced.collect()
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
                let ranges: Vec<(i64, i64)> = sqlx::query_as("SELECT first, last FROM sequence ORDER BY first")
                    .fetch_all(&store.readers)
                    .await
                    .unwrap();
                let conflicts: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE sequence_conflict = 1")
                    .fetch_one(&store.readers)
                    .await
                    .unwrap();
                (ranges, conflicts)
            });
            prop_assert_eq!((ranges, conflicts), one_by_one(batches.iter().flatten().copied()));
        }
    }
}
