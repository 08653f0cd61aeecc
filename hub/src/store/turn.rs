//! Whose turn it is to write to a file.
//!
//! SQLite has whoever finds it locked sleep and look again, for longer each time, up to 100 ms: with two that write all the time the file is free
//! while both sleep, and luck decides who is next. Within a hub they queue instead, and the next one goes on at once. A server has a queue of its own, and
//! commands beside a running hub still wait as SQLite has them.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Database;

/// The queue of those who write.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    File(Arc<Mutex<()>>),
    Server,
}

impl Turn {
    pub fn of(database: &Database) -> Self {
        match database {
            Database::File(_) => Self::File(Arc::default()),
            Database::Server(_) => Self::Server,
        }
    }

    /// Waits for one's turn, which is over when what this gives is dropped.
    pub async fn wait(&self) -> Option<OwnedMutexGuard<()>> {
        match self {
            Self::File(queue) => Some(Arc::clone(queue).lock_owned().await),
            Self::Server => None,
        }
    }
}
