//! The access log: only added to.

use gatepost_wire::Timestamp;
use sqlx::{AnyConnection, FromRow};

use crate::access::{AccessRecord, Entry};
use crate::store::column::{from_word, nanos, timestamp, word};
use crate::store::sql::Sql;
use crate::store::{Store, StoreError, rows};

#[derive(FromRow)]
struct Row {
    number: i64,
    time: i64,
    name: Option<String>,
    actor: Option<String>,
    action: String,
    address: Option<String>,
    detail: Option<String>,
}

impl TryFrom<Row> for AccessRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            number: row.number,
            time: timestamp(row.time),
            name: row.name,
            by: row.actor,
            action: from_word("access_record.action", row.action)?,
            address: row.address,
            detail: row.detail,
        })
    }
}

impl Store {
    /// The access log, the latest first, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn access_records(
        &self,
        before: Option<i64>,
        limit: u16,
    ) -> Result<(Vec<AccessRecord>, Option<i64>), StoreError> {
        let mut query = Sql::new("SELECT * FROM access_record");
        if let Some(before) = before {
            query.push(" WHERE number < ").push_bind(before);
        }
        query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = rows::next(&rows, limit, |row| row.number);
        let records = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok((records, next))
    }

    /// Writes down what changes nothing else.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_access(&self, entry: &Entry, now: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        write(&mut change.connection, entry, now).await?;
        change.commit().await
    }
}

/// Writes it down, in the transaction that does it.
pub(in crate::store) async fn write(
    connection: &mut AnyConnection,
    entry: &Entry,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO access_record (time, name, actor, action, address, detail) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(nanos(now))
    .bind(entry.name.as_ref().map(|name| name.as_str()))
    .bind(&entry.by)
    .bind(word(&entry.action))
    .bind(&entry.address)
    .bind(&entry.detail)
    .execute(connection)
    .await?;
    Ok(())
}
