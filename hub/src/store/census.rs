//! How much there is of everything, for metrics.

use gatepost_wire::Timestamp;

use super::column::{nanos, word};
use super::{Store, StoreError};
use crate::device::Connection;
use crate::incident::Stage;

/// More alarms that wait for their incident are not counted: it would cost what is short then.
const UNGROUPED_COUNTED: i64 = 10_000;

/// How much there is of everything.
#[derive(Debug)]
pub struct Census {
    /// The number of the last change.
    pub last_change: i64,
    /// Alarms that changed and wait for their incident, 10,000 at most.
    pub ungrouped: i64,
    /// Boxes, by whether they are connected.
    pub devices: Vec<(String, i64)>,
    /// Open incidents, by stage.
    pub open: Vec<(String, i64)>,
    /// Open incidents whose stage takes too long.
    pub overdue: i64,
    /// Open incidents whose stage has been escalated.
    pub escalated: i64,
    /// Size of the database, bytes.
    pub bytes: i64,
}

impl Store {
    /// Counts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        let ungrouped = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT change FROM alarm WHERE change > (SELECT change FROM incident_position) \
             ORDER BY change LIMIT $1) AS waiting",
        )
        .bind(UNGROUPED_COUNTED);
        let devices: Vec<(String, i64)> =
            sqlx::query_as("SELECT presence, count(*) FROM device GROUP BY presence")
                .fetch_all(&self.readers)
                .await?;
        let open: Vec<(String, i64)> =
            sqlx::query_as("SELECT stage, count(*) FROM incident WHERE is_open = 1 GROUP BY stage")
                .fetch_all(&self.readers)
                .await?;
        let overdue = sqlx::query_scalar(
            "SELECT count(*) FROM incident WHERE is_open = 1 AND due IS NOT NULL AND due <= $1 \
             AND (shelved_until IS NULL OR shelved_until <= $2)",
        )
        .bind(nanos(now))
        .bind(nanos(now));
        let escalated =
            sqlx::query_scalar("SELECT count(*) FROM incident WHERE is_open = 1 AND escalated = 1");
        let connections = [Connection::Online, Connection::Offline, Connection::Unknown];
        let stages = Stage::ALL.into_iter().filter(|stage| stage.is_open());
        Ok(Census {
            last_change: self.last_change().await?,
            ungrouped: ungrouped.fetch_one(&self.readers).await?,
            devices: whole(connections.iter().map(word), &devices),
            open: whole(stages.map(|stage| word(&stage)), &open),
            overdue: overdue.fetch_one(&self.readers).await?,
            escalated: escalated.fetch_one(&self.readers).await?,
            bytes: self.database.bytes(&self.readers).await?,
        })
    }
}

/// Each word with its count; what there is none of is 0.
fn whole(words: impl Iterator<Item = String>, counted: &[(String, i64)]) -> Vec<(String, i64)> {
    let count =
        |word: &str| counted.iter().find(|(counted, _)| counted == word).map_or(0, |(_, count)| *count);
    words.map(|word| (word.clone(), count(&word))).collect()
}
