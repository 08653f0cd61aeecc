//! Connections that look, of which none keeps whoever asks waiting for ever: a connection to a server may be half open, and then nobody says
//! that no answer will come.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use sqlx::any::{AnyPoolOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Describe, Either, Execute, Executor, SqlStr};

use super::database::{gone, within};

/// A question that is not answered within so long is given up. The server itself ends what it works on for 30 s (`statement_timeout`), and says so; what
/// is still silent then was not going to be answered, so nothing is cut off that somebody could have had: the dearest the page asks, figures
/// of 90 days, takes 3 s at a million incidents. Of an export each step counts for itself.
const PATIENCE: Duration = Duration::from_secs(35);

/// For a connection: one that is free, or a new one.
pub(super) const ACQUIRE: Duration = Duration::from_secs(15);

/// A connection that is not in use answers at once if it is whole.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Connections that look.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    pool: AnyPool,
    /// None for a file: a disk's work is none the quicker for being cut off.
    patience: Option<Duration>,
}

/// Has a pool of connections to a server test each of them, before it is used and after, for no longer than a moment. One that fails is thrown away.
pub(super) fn tested(options: AnyPoolOptions) -> AnyPoolOptions {
    options
        .acquire_timeout(ACQUIRE)
        // The pool's own test waits for as long as it takes.
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(sign_of_life(connection)))
        // It comes once more behind this, at no risk: the connection has just answered.
        .after_release(|connection, _| Box::pin(sign_of_life(connection)))
}

/// An error has the pool drop the connection instead of parting with the server in good order.
async fn sign_of_life(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    within(SIGN_OF_LIFE, connection.ping()).await?;
    Ok(true)
}

impl Readers {
    /// To a file.
    pub fn of_file(pool: AnyPool) -> Self {
        Self { pool, patience: None }
    }

    /// To a server; the pool is [`tested`].
    pub fn of_server(pool: AnyPool) -> Self {
        Self { pool, patience: Some(PATIENCE) }
    }

    /// Asks several questions on one of them.
    ///
    /// # Errors
    /// The work's own, and when none is to be had or the server does not answer.
    pub async fn ask<T, E: From<sqlx::Error>>(
        &self,
        work: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.patiently(async { work(&mut *self.pool.acquire().await?).await }).await
    }

    /// Gives up on a server that does not answer. A connection that was in use then is tested when it comes back.
    async fn patiently<T, E: From<sqlx::Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.patience {
            Some(patience) => within(patience, work).await,
            None => work.await,
        }
    }

    /// Ends all of them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl<'p> Executor<'p> for &'p Readers {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let answers = self.pool.fetch_many(query);
        let Some(patience) = self.patience else { return answers };
        let next = move |answers: Option<BoxStream<'e, _>>| async move {
            let mut answers = answers?;
            match tokio::time::timeout(patience, answers.next()).await {
                Ok(answer) => answer.map(|answer| (answer, Some(answers))),
                Err(_) => Some((Err(gone()), None)),
            }
        };
        stream::unfold(Some(answers), next).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.patiently(self.pool.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.patiently(self.pool.prepare_with(sql, parameters)).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'p: 'e,
    {
        self.patiently(self.pool.describe(sql)).boxed()
    }
}
