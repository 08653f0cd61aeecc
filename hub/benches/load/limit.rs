//! The limit: rows of the same bytes into a bare SQLite table, by one writer, in transactions that are synced.

use std::time::Instant;

use gatepost_wire::BootId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Sqlite};
use ulid::Ulid;

use crate::message;

const TRANSACTIONS: usize = 60;
const ROWS: usize = 512;
const STATEMENT_ROWS: usize = 64;

/// So many it takes.
pub async fn rows_per_second() -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("bare.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut database = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE event (id TEXT NOT NULL UNIQUE, envelope TEXT NOT NULL) STRICT")
        .execute(&mut database)
        .await
        .unwrap();
    let boot = BootId::from_ulid(Ulid::generate());
    let text = String::from_utf8(message::alarm("load-0", boot, 1)).unwrap();
    let began = Instant::now();
    for _ in 0..TRANSACTIONS {
        let mut transaction = database.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for _ in 0..ROWS / STATEMENT_ROWS {
            let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO event (id, envelope) ");
            query.push_values(0..STATEMENT_ROWS, |mut row, _| {
                row.push_bind(Ulid::generate().to_string()).push_bind(&text);
            });
            query.build().execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    (TRANSACTIONS * ROWS) as f64 / began.elapsed().as_secs_f64()
}
