//! Attachments whose time is over, and files that belong to none.

use gatepost_wire::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::forget;
use crate::attachment::{AttachmentId, Folder};
use crate::retention::Cause;
use crate::store::column::{nanos, parse};
use crate::store::hold::HELD_INCIDENT;
use crate::store::{Store, StoreError};

/// Of an incident that was closed, and an attachment that was added, before `$2`, which nobody holds at `$1`.
fn due() -> String {
    format!(
        "SELECT attachment.id FROM attachment JOIN incident ON incident.id = attachment.incident \
         WHERE attachment.gone IS NULL AND incident.is_open = 0 AND incident.closed < $2 AND attachment.time < $2 \
           AND NOT EXISTS ({HELD_INCIDENT})"
    )
}

impl Store {
    /// At most `limit` attachments of incidents that were closed before `oldest`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn attachments_due(
        &self,
        now: Timestamp,
        oldest: Timestamp,
        limit: u16,
    ) -> Result<Vec<AttachmentId>, StoreError> {
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("{} ORDER BY incident.closed LIMIT $3", due())))
                .bind(nanos(now))
                .bind(nanos(oldest))
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(|id| parse("attachment.id", id)).collect()
    }

    /// Deletes one whose time is over, unless somebody has held it since it was found. The file goes before the row says so: when the power
    /// fails between the two, the next look finds the row again and finishes.
    ///
    /// # Errors
    /// When the file or the row cannot be written; nothing says that it is gone then.
    pub async fn delete_attachment(
        &self,
        id: AttachmentId,
        folder: &Folder,
        now: Timestamp,
        oldest: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let still: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("{} AND attachment.id = $3", due())))
                .bind(nanos(now))
                .bind(nanos(oldest))
                .bind(id.to_string())
                .fetch_optional(&mut *connection)
                .await?;
        if still.is_none() {
            return Ok(false);
        }
        folder.remove(id).await.map_err(|source| StoreError::Attachment { id, source })?;
        forget(connection, id, Cause::Age, now).await?;
        change.commit().await?;
        Ok(true)
    }

    /// Notes that a file is about to be written: unless it is attached until `after`, it belongs to nothing and is deleted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn expect_attachment(&self, id: AttachmentId, after: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        stray(&mut change.connection, id, after).await?;
        change.commit().await
    }

    /// At most `limit` files that belong to nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stray_attachments(
        &self,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<AttachmentId>, StoreError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT id FROM attachment_stray WHERE after <= $1 ORDER BY after LIMIT $2")
                .bind(nanos(now))
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(|id| parse("attachment_stray.id", id)).collect()
    }

    /// Deletes a file, if it belongs to nothing.
    ///
    /// # Errors
    /// When it cannot be deleted; it stays noted then.
    pub async fn delete_stray(&self, id: AttachmentId, folder: &Folder) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        let gone = sqlx::query("DELETE FROM attachment_stray WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut change.connection)
            .await?;
        // It may have been attached since it was looked for.
        if gone.rows_affected() > 0 {
            folder.remove(id).await.map_err(|source| StoreError::Attachment { id, source })?;
        }
        change.commit().await
    }
}

/// From this moment on a file belongs to nothing.
pub(super) async fn stray(
    connection: &mut AnyConnection,
    id: AttachmentId,
    after: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO attachment_stray (id, after) VALUES ($1, $2)")
        .bind(id.to_string())
        .bind(nanos(after))
        .execute(connection)
        .await?;
    Ok(())
}
