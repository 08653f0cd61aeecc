//! Reminders and escalations.

use gatepost_wire::Timestamp;

use super::deadline::DeadlinesAt;
use super::step::Chain;
use super::{Row, keep};
use crate::incident::Deadlines;
use crate::store::column::{nanos, timestamp};
use crate::store::{Store, StoreError};

/// So many in one transaction; the others have their turn a moment later.
const MOST: i64 = 200;

/// What there may be something to say of; each half has an index that holds nothing else.
const LATE: &str = "SELECT * FROM incident WHERE is_open = 1 AND reminded = 0 AND due IS NOT NULL AND due <= $1 \
       AND (shelved_until IS NULL OR shelved_until <= $1) \
     UNION ALL SELECT * FROM incident WHERE is_open = 1 AND escalates IS NOT NULL AND escalates <= $1 \
       AND (shelved_until IS NULL OR shelved_until <= $1)";

impl Store {
    /// Says of incidents whose stage takes too long that it does, and when that did not help escalates them; gives the number of the last
    /// change. `deadlines`: where the site has none of its own.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn urge(&self, deadlines: &Deadlines, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM ({LATE}) AS late"));
        let late: i64 = sqlx::query_scalar(count).bind(nanos(now)).fetch_one(&self.readers).await?;
        if late == 0 {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection;
        let select = sqlx::AssertSqlSafe(format!("{LATE} ORDER BY due LIMIT {MOST}"));
        let mut rows: Vec<Row> = sqlx::query_as(select).bind(nanos(now)).fetch_all(&mut *connection).await?;
        let edges = rows.iter().map(|row| row.edge.as_str());
        let deadlines = DeadlinesAt::read(connection, deadlines, edges).await?;
        let mut chain = Chain::read(connection).await?;
        let mut change = None;
        for row in &mut rows {
            let state = row.state()?;
            let Some(urge) = state.urge(now) else { continue };
            let detail = serde_json::json!({ "due": row.due.map(timestamp) });
            row.version += 1;
            chain.add_own(row, urge.kind(), state.stage, detail, now)?;
            let state = state.once_urged(urge, row.severity()?, deadlines.at(&row.edge), now);
            change = Some(keep(connection, row, &state, row.version(), now).await?);
        }
        chain.write(connection).await?;
        transaction.commit().await?;
        Ok(change)
    }
}
