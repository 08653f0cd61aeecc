//! A copy of the database as it stands at one moment, while the daemon goes on writing.

use std::path::Path;

use sqlx::AnyConnection;

use super::column::parse;
use super::database::{Database, Purpose, close};
use super::{Store, StoreError, evidence};
use crate::attachment::AttachmentId;
use crate::evidence::Format;

/// Files a database vouches for.
#[derive(Debug)]
pub struct Vouched {
    /// Evidence: hash and format.
    pub evidence: Vec<(String, Format)>,
    /// Attachments.
    pub attachments: Vec<AttachmentId>,
}

impl Store {
    /// Writes all that is committed into a new file, and gives what it vouches for. None of a server, which
    /// has its own way to do it.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub async fn copy_to(&self, file: &Path) -> Result<Option<Vouched>, StoreError> {
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
        let vouched = vouched(&mut copy).await;
        close(copy).await;
        vouched.map(Some)
    }
}

async fn vouched(copy: &mut AnyConnection) -> Result<Vouched, StoreError> {
    let pieces: Vec<(String, String)> =
        sqlx::query_as("SELECT DISTINCT sha256, media_type FROM evidence").fetch_all(&mut *copy).await?;
    let pieces = pieces.into_iter().map(|(sha256, media_type)| Ok((sha256, evidence::format(&media_type)?)));
    let attachments: Vec<String> =
        sqlx::query_scalar("SELECT id FROM attachment WHERE gone IS NULL").fetch_all(&mut *copy).await?;
    Ok(Vouched {
        evidence: pieces.collect::<Result<_, StoreError>>()?,
        attachments: attachments.iter().map(|id| parse("attachment.id", id)).collect::<Result<_, _>>()?,
    })
}
