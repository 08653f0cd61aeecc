//! A transaction beside the writer's: for what is changed by people, by the daemon's own duties, or by a command at its side.

use std::sync::{Mutex, PoisonError};

use sqlx::AnyConnection;
use tokio::sync::OwnedMutexGuard;

use super::database::{Purpose, close};
use super::{Store, StoreError};

/// A transaction on a connection of its own. Dropped before [`Change::commit`], it leaves nothing behind.
pub(super) struct Change<'s> {
    /// What its statements run on.
    pub connection: AnyConnection,
    store: &'s Store,
    /// Behind the connection, so that it is over after that.
    _turn: Option<OwnedMutexGuard<()>>,
}

/// The connection of the last transaction that ended well, for the next one: opening one costs more than most of them.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Option<AnyConnection>>);

impl Spare {
    fn take(&self) -> Option<AnyConnection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, connection: AnyConnection) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    pub async fn close(&self) {
        if let Some(connection) = self.take() {
            close(connection).await;
        }
    }
}

impl Store {
    /// Begins one; waits until nobody else writes.
    pub(super) async fn begin(&self) -> Result<Change<'_>, StoreError> {
        let turn = self.turn.wait().await;
        if let Some(mut connection) = self.spare.take()
            // The server may have been started anew meanwhile.
            && self.begin_on(&mut connection).await.is_ok()
        {
            return Ok(Change { connection, store: self, _turn: turn });
        }
        let mut connection = self.database.connect(Purpose::Write).await?;
        self.begin_on(&mut connection).await?;
        Ok(Change { connection, store: self, _turn: turn })
    }

    /// A connection that was left alone for long may be half open.
    async fn begin_on(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        self.database.patiently(async { Ok(self.database.begin(connection).await?) }).await
    }
}

impl Change<'_> {
    /// Makes it last: it is on disk when this returns.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let (database, connection) = (&self.store.database, &mut self.connection);
        database.patiently(async { Ok(database.commit(connection).await?) }).await?;
        self.store.spare.put(self.connection);
        Ok(())
    }
}

/// The number of the next change, beside the writer's: a transaction that writes has all others wait.
pub(super) async fn next_change(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let change = sqlx::query_scalar("UPDATE change_number SET last = last + 1 RETURNING last");
    Ok(change.fetch_one(connection).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::testing::fresh;

    /// Long enough for a task to have begun to wait.
    const A_WHILE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn whoever_waits_longest_writes_next() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let first = store.begin().await.unwrap();
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for waiting in ["second", "third", "fourth"] {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move {
                let change = store.begin().await.unwrap();
                done.send(waiting).unwrap();
                change.commit().await.unwrap();
            });
            tokio::time::sleep(A_WHILE).await;
        }
        assert!(order.is_empty(), "one writes at a time");
        first.commit().await.unwrap();
        for waiting in ["second", "third", "fourth"] {
            assert_eq!(order.recv().await, Some(waiting));
        }
    }
}
