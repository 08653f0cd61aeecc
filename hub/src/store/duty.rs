//! Work that one hub does for all that share a database: grouping, reminding, deleting, sending commands, telling other programs.

use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

use super::database::{Database, Purpose, close};
use super::{Store, StoreError};

/// What is done by one hub at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// Alarms become incidents; of those that wait somebody is reminded, and then they are escalated.
    Incidents,
    /// What is old is deleted.
    Retention,
    /// Commands are sent to boxes.
    Commands,
    /// The webhook of this name tells of incidents.
    Webhook(String),
}

impl Duty {
    /// The number of the server's lock for it.
    fn lock(&self) -> i64 {
        let (kind, name) = match self {
            Self::Incidents => (1, ""),
            Self::Retention => (2, ""),
            Self::Commands => (3, ""),
            Self::Webhook(name) => (4, name.as_str()),
        };
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(name).into();
        // "gp" before it, so that it is no other program's.
        i64::from_be_bytes([b'g', b'p', 0, kind, a, b, c, d])
    }
}

/// A duty, and whether this hub has it. Another hub takes it over when this one ends or loses its connection.
#[derive(Debug)]
pub struct Leadership {
    database: Database,
    duty: Duty,
    /// Holds the server's lock as long as it lives.
    connection: Option<AnyConnection>,
}

impl Store {
    /// To be asked whether this hub is the one that has a duty.
    pub fn leadership(&self, duty: Duty) -> Leadership {
        Leadership { database: self.database.clone(), duty, connection: None }
    }
}

impl Leadership {
    /// Is it this hub's? A hub with a SQLite file has every duty.
    ///
    /// # Errors
    /// When the database cannot be asked; then it is not.
    pub async fn is_ours(&mut self) -> Result<bool, StoreError> {
        let database = self.database.clone();
        match &database {
            Database::File(_) => Ok(true),
            Database::Server(_) => database.patiently(self.ask()).await,
        }
    }

    async fn ask(&mut self) -> Result<bool, StoreError> {
        if let Some(mut connection) = self.connection.take()
            && sqlx::query("SELECT 1").execute(&mut connection).await.is_ok()
        {
            self.connection = Some(connection);
            return Ok(true);
        }
        let mut connection = self.database.connect(Purpose::Write).await?;
        let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(self.duty.lock())
            .fetch_one(&mut connection)
            .await?;
        if ours {
            self.connection = Some(connection);
        } else {
            close(connection).await;
        }
        Ok(ours)
    }
}
