//! A transaction beside the writer's: for what is changed at once and rarely, by the daemon or by a command at its side.

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{Store, StoreError};

/// A transaction on a connection of its own. Dropped before [`Change::commit`], it leaves nothing behind.
pub(super) struct Change {
    /// What its statements run on.
    pub connection: SqliteConnection,
}

impl Store {
    /// Begins one; waits until nobody else writes.
    pub(super) async fn begin(&self) -> Result<Change, StoreError> {
        let mut connection = self.options.connect().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        Ok(Change { connection })
    }
}

impl Change {
    /// Makes it last: it is on disk when this returns.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(self.connection.close().await?)
    }
}
