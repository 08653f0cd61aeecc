//! Messages that were no use: enough of each to find out who sent it and why, and never more than a bounded
//! number of them.

use gatepost_wire::EdgeId;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::column::{nanos, plain, text};
use super::record::Delivery;
use super::writer::Batch;

const KEPT: i64 = 1000;
const HEAD_BYTES: usize = 200;
const TOPIC_CHARS: usize = 256;

pub(super) async fn store(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    edge: Option<&EdgeId>,
    reason: &str,
) -> Result<(), StoreError> {
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO refused (received, topic, edge, reason, bytes, sha256, head) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number",
    )
    .bind(nanos(delivery.received))
    .bind(plain(&delivery.topic.chars().take(TOPIC_CHARS).collect::<String>()))
    .bind(text(edge))
    .bind(plain(reason))
    .bind(i64::try_from(delivery.payload.len()).unwrap_or(i64::MAX))
    .bind(crate::evidence::hex(&Sha256::digest(&delivery.payload)))
    .bind(delivery.payload.slice(..delivery.payload.len().min(HEAD_BYTES)).to_vec())
    .fetch_one(&mut *batch.connection)
    .await?;
    sqlx::query("DELETE FROM refused WHERE number <= $1")
        .bind(number - KEPT)
        .execute(&mut *batch.connection)
        .await?;
    if let Some(edge) = edge {
        let touched = batch.touch(edge, delivery);
        touched.refused += 1;
        touched.changed = true;
    }
    Ok(())
}
