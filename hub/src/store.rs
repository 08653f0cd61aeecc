//! What the hub keeps: a SQLite file, or a PostgreSQL database that several hubs share; one transaction that writes at a time, many
//! readers. The only module that knows SQL; its statements are such as both databases take.
//!
//! Invariants: an event is stored once (`event.id`); everything a message changes is changed in one
//! transaction; what [`Writer::commit`] returned from is on disk; the numbers of changes are committed in their order.

mod access;
mod alarm;
mod alert;
mod backup;
mod census;
mod certificate;
mod change;
mod column;
mod command;
mod database;
mod deletion;
mod device;
mod disposal;
mod duty;
mod event;
mod evidence;
mod hold;
mod incident;
mod keyset;
mod news;
mod plan;
mod readers;
mod record;
mod refused;
mod reply;
mod rows;
mod sequence;
mod span;
mod sql;
mod telemetry;
#[cfg(test)]
pub(crate) mod testing;
mod transfer;
mod turn;
mod viewing;
mod webhook;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

pub use access::{Account, PersonError, SiteError};
pub use alert::{AlertFilter, Place};
pub use backup::Vouched;
pub use census::Census;
pub use certificate::{KnownCertificate, Redeemed};
use change::Spare;
pub use command::{CommandFilter, DecisionError, Open};
use database::Purpose;
pub use database::{Database, Server};
pub use deletion::{DeletionFilter, StoredDeletion};
pub use device::DeviceFilter;
pub use disposal::{Disposal, Disposed};
pub use duty::{Duty, Leadership};
pub use event::{EventFilter, StoredEvent};
pub use evidence::Kept;
pub use hold::{HoldError, HoldFilter};
pub use incident::{
    Attached, Grouped, IncidentError, IncidentFilter, IncidentPage, KeptAttachment, OpenedAt, Viewer, Which,
};
pub use news::tell;
pub use plan::{PlanError, PlannedSite, StoredPicture};
use readers::Readers;
pub use record::{Content, Deletion, Delivery, Fate, Presence, Record};
pub use span::Span;
pub use telemetry::TelemetryEnds;
pub use transfer::{TransferError, Transferred, transfer};
use turn::Turn;
pub use viewing::{Opened, Opener, ViewingError, ViewingFilter};
pub use webhook::{DeadLetter, Failure, Letters, Refused, Telling, ToldIncident, ToldStep, WebhookBacklog};
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
    /// The database cannot be opened.
    #[error("database {database}: {source}")]
    Open {
        /// The file or server.
        database: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The tables cannot be brought to this version's shape.
    #[error("database {database}: {source}")]
    Migrate {
        /// The file or server.
        database: String,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A query failed.
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
    /// A file that the database is about to vouch for is not on disk.
    #[error("file {0} is not on disk")]
    EvidenceGone(String),
    /// An attachment's file cannot be deleted.
    #[error("attachment {id}: {source}")]
    Attachment {
        /// Which.
        id: crate::attachment::AttachmentId,
        /// Why.
        source: std::io::Error,
    },
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
    database: Database,
    readers: Readers,
    turn: Turn,
    spare: Arc<Spare>,
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// Names the file, directory or server.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        database.prepare().await?;
        let readers = database.readers(Purpose::Read).await.map_err(|source| database.unreachable(source))?;
        Ok(Self { database: database.clone(), readers, turn: Turn::of(database), spare: Arc::default() })
    }

    /// The same, for who looks at what came last, again and again.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn follower(&self) -> Result<Self, StoreError> {
        let readers = match self.database {
            Database::File(_) => self.readers.clone(),
            Database::Server(_) => self.database.readers(Purpose::Follow).await?,
        };
        Ok(Self { readers, ..self.clone() })
    }

    /// The one that writes what intake takes. There is one per hub.
    pub fn writer(&self, evidence: crate::evidence::Folder) -> Writer {
        Writer::new(self.database.clone(), self.turn.clone(), evidence)
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT last FROM change_number").fetch_one(&self.readers).await?)
    }

    /// Ends all reading, and writing beside the [`Writer`].
    pub async fn close(&self) {
        self.spare.close().await;
        self.readers.close().await;
    }
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::database::{Purpose, close};
    use super::*;

    /// Who ordered what, what came of it and what was deleted has to stay, whatever a later version of the hub tries.
    #[tokio::test]
    async fn records_can_only_be_added_to() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&testing::fresh(dir.path())).await.unwrap();
        let mut connection = store.database.connect(Purpose::Write).await.unwrap();
        for insert in [
            "INSERT INTO command VALUES (1, 'c', 'gate-1', 'who', 'why', 0, 1, 'k', NULL, NULL, '{}', 1, 'wang.li', 1, 'h')",
            "INSERT INTO approval VALUES ('c', 0, 'li.na', 'li.na', 'approved', NULL, 2)",
            "INSERT INTO reply VALUES ('c', 0, 0, 'done', NULL, NULL, '{}', 2)",
            "INSERT INTO deletion VALUES (1, 0, 'e', 's', 'gate-1', 'image/jpeg', 1, 0, 'age', NULL, NULL, NULL)",
            "INSERT INTO access_record VALUES (1, 0, 'li.na', NULL, 'signed_in', NULL, NULL)",
            "INSERT INTO incident (id, edge, kind, severity, alarms, ongoing, first, last, opened, stage, is_open, reminded, \
               version, change) VALUES ('i', 'gate-1', 'k', 1, 1, 0, 0, 0, 0, 'reported', 1, 0, 1, 3)",
            "INSERT INTO incident_step VALUES (1, 'i', 1, 0, NULL, 'open', '{}', 'h')",
            "INSERT INTO hold VALUES (1, 'h', 'a', 'gate-1', 'why', 1, 0, 'li.na', 'li.na')",
            "INSERT INTO hold_step VALUES ('h', 0, 0, 'wang.li', 'wang.li', 'confirm', NULL)",
            "INSERT INTO viewing (id, time, until, person, display_name, roles, address, edge, alarm, kind, reason, said) \
             VALUES ('v', 0, 1, 'li.na', 'x', 'operator', '::1', 'gate-1', 'a', 'k', 'other', 'why')",
            "INSERT INTO viewed_piece VALUES ('v', 'e', 's', 'image/jpeg', 0)",
            "INSERT INTO attachment VALUES ('i', 1, 'a', 'x.jpg', 'image/jpeg', 1, 's', 0, 'li.na', 'li.na', NULL, NULL)",
            "INSERT INTO viewed_attachment VALUES ('v', 'i', 1, 's', 'image/jpeg', 0)",
        ] {
            sqlx::query(insert).execute(&mut connection).await.unwrap();
        }
        for (table, column) in [
            ("command", "who"),
            ("approval", "outcome"),
            ("reply", "outcome"),
            ("deletion", "cause"),
            ("access_record", "name"),
            ("incident_step", "document"),
            ("hold", "reason"),
            ("hold_step", "step"),
            ("viewing", "person"),
            ("viewed_piece", "sha256"),
            ("attachment", "name"),
            ("viewed_attachment", "sha256"),
        ] {
            for statement in
                [format!("DELETE FROM {table}"), format!("UPDATE {table} SET {column} = 'another'")]
            {
                let refused = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
                assert!(refused.unwrap_err().to_string().contains("never"), "{statement}");
            }
        }
        close(connection).await;
    }
}
