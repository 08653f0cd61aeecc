//! A copy of the database as it stands at one moment, while the daemon goes on writing.

use std::path::Path;

use super::database::{Database, Purpose, close};
use super::{Store, StoreError, evidence};
use crate::evidence::Format;

impl Store {
    /// Writes all that is committed into a new file, and gives the evidence it vouches for: hash and format. None of a server, which
    /// has its own way to do it.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub async fn copy_to(&self, file: &Path) -> Result<Option<Vec<(String, Format)>>, StoreError> {
        if let Database::Server(_) = self.database {
            return Ok(None);
        }
        let mut connection = self.database.connect(Purpose::Write).await?;
        // One read transaction: whoever writes meanwhile does not wait, and what they write is not in it.
        let copied =
            sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(&mut connection).await;
        close(connection).await;
        copied?;
        let mut copy = Database::File(file.to_owned()).connect(Purpose::Read).await?;
        let rows: Result<Vec<(String, String)>, _> =
            sqlx::query_as("SELECT DISTINCT sha256, media_type FROM evidence").fetch_all(&mut copy).await;
        close(copy).await;
        let known =
            rows?.into_iter().map(|(sha256, media_type)| Ok((sha256, evidence::format(&media_type)?)));
        known.collect::<Result<_, _>>().map(Some)
    }
}
