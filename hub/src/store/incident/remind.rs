//! Reminders.

use gatepost_wire::Timestamp;

use super::step::{Taken, write};
use super::{Row, next_change};
use crate::incident::Kind;
use crate::store::column::{nanos, timestamp};
use crate::store::{Store, StoreError};

impl Store {
    /// Says of incidents whose stage takes too long that it does, once; gives the number of the last change.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn remind(&self, now: Timestamp) -> Result<Option<i64>, StoreError> {
        const LATE: &str = "FROM incident WHERE is_open = 1 AND reminded = 0 AND due IS NOT NULL AND due <= $1 \
             AND (shelved_until IS NULL OR shelved_until <= $1)";
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) {LATE}"));
        let late: i64 = sqlx::query_scalar(count).bind(nanos(now)).fetch_one(&self.readers).await?;
        if late == 0 {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection;
        let select = sqlx::AssertSqlSafe(format!("SELECT * {LATE} ORDER BY due LIMIT 200"));
        let rows: Vec<Row> = sqlx::query_as(select).bind(nanos(now)).fetch_all(&mut *connection).await?;
        let mut change = None;
        for row in rows {
            let version = row.version().saturating_add(1);
            let due = row.due.map(timestamp);
            let taken = Taken {
                incident: &row.id,
                version,
                time: now,
                who: None,
                action: Kind::Remind,
                to: row.state()?.stage,
                text: None,
                detail: serde_json::json!({ "due": due }),
            };
            write(connection, &taken).await?;
            let number = next_change(connection).await?;
            sqlx::query("UPDATE incident SET reminded = 1, version = $1, change = $2 WHERE id = $3")
                .bind(i64::from(version))
                .bind(number)
                .bind(&row.id)
                .execute(&mut *connection)
                .await?;
            change = Some(number);
        }
        transaction.commit().await?;
        Ok(change)
    }
}
