//! What the hub keeps: one SQLite database, one writer, many readers. The only module that knows SQL.
//!
//! Invariants: an event is stored once (`event.id`); everything a message changes is changed in one
//! transaction; what [`Writer::commit`] returned from is on disk (WAL with `synchronous = FULL`).

mod access;
mod alarm;
mod alert;
mod certificate;
mod change;
mod column;
mod command;
mod deletion;
mod device;
mod event;
mod evidence;
mod incident;
mod record;
mod refused;
mod reply;
mod rows;
mod sequence;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use access::{Account, PersonError, SiteError};
pub use alert::{AlertFilter, Place};
pub use certificate::{KnownCertificate, Redeemed};
pub use command::{CommandFilter, Open};
pub use deletion::{DeletionFilter, StoredDeletion};
pub use event::{EventFilter, StoredEvent};
pub use evidence::Kept;
pub use incident::{Grouped, IncidentError, IncidentFilter, IncidentPage, Viewer};
pub use record::{Content, Deletion, Delivery, Fate, Presence, Record};
pub use writer::Writer;

/// The database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory of the database cannot be made.
    #[error("{}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database file cannot be opened or brought up to date.
    #[error("database {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The tables cannot be brought to this version's shape.
    #[error("database {}: {source}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A query failed.
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
    /// Evidence that the database is about to vouch for is not on disk.
    #[error("evidence {0} is not on disk")]
    EvidenceGone(String),
    /// The system gives no randomness.
    #[error("no secret can be made: {0}")]
    Random(String),
    /// A row holds what no version of the hub writes.
    #[error("database: {column} holds {value:?}, which this version cannot read")]
    Unreadable {
        /// Table and column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
}

/// The database, for reading; [`Store::writer`] gives the one that writes.
#[derive(Debug, Clone)]
pub struct Store {
    options: SqliteConnectOptions,
    readers: SqlitePool,
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// Names the file or directory.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|source| StoreError::Directory { path: directory.into(), source })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL would answer before the WAL is on disk: an acknowledged event could be lost with the power.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let open = |source| StoreError::Open { path: path.into(), source };
        let mut connection = options.connect().await.map_err(open)?;
        sqlx::migrate!("./migrations")
            .run(&mut connection)
            .await
            .map_err(|source| StoreError::Migrate { path: path.into(), source })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            // One stays open, so that the WAL's index exists while the writer reconnects on a full disk.
            .min_connections(1)
            .connect_with(options.clone().read_only(true))
            .await
            .map_err(open)?;
        Ok(Self { options, readers })
    }

    /// The connection that writes. There is one per hub.
    pub fn writer(&self, evidence: crate::evidence::Folder) -> Writer {
        Writer::new(self.options.clone(), evidence)
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT last FROM change_number").fetch_one(&self.readers).await?)
    }

    /// Ends all reading.
    pub async fn close(&self) {
        self.readers.close().await;
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _};

    use super::*;

    /// Who ordered what, what came of it and what was deleted has to stay, whatever a later version of the hub tries.
    #[tokio::test]
    async fn records_can_only_be_added_to() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("hub.sqlite")).await.unwrap();
        let mut connection = store.options.connect().await.unwrap();
        for insert in [
            "INSERT INTO command VALUES (1, 'c', 'gate-1', 'who', 'why', 0, 1, 'k', NULL, NULL, '{}', 1)",
            "INSERT INTO reply VALUES ('c', 0, 0, 'done', NULL, NULL, '{}', 2)",
            "INSERT INTO deletion VALUES (1, 0, 'e', 's', 'gate-1', 'image/jpeg', 1, 0, 'age', NULL)",
            "INSERT INTO access_record VALUES (1, 0, 'li.na', NULL, 'signed_in', NULL, NULL)",
            "INSERT INTO incident (id, edge, kind, severity, alarms, ongoing, first, last, opened, stage, is_open, reminded, \
               version, change) VALUES ('i', 'gate-1', 'k', 1, 1, 0, 0, 0, 0, 'reported', 1, 0, 1, 3)",
            "INSERT INTO incident_step VALUES (1, 'i', 1, 0, NULL, 'open', '{}', 'h')",
        ] {
            sqlx::query(insert).execute(&mut connection).await.unwrap();
        }
        for (table, column) in [
            ("command", "who"),
            ("reply", "outcome"),
            ("deletion", "cause"),
            ("access_record", "name"),
            ("incident_step", "document"),
        ] {
            for statement in
                [format!("DELETE FROM {table}"), format!("UPDATE {table} SET {column} = 'another'")]
            {
                let refused = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
                assert!(refused.unwrap_err().to_string().contains("never"), "{statement}");
            }
        }
        connection.close().await.unwrap();
    }
}
