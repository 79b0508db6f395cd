//! Connections to PostgreSQL, lent for one transaction each.
//!
//! Each statement is a round trip, and so are `BEGIN` and `COMMIT`. So a transaction begins with
//! the first statement that needs one, what turns out to be a single statement goes without, and
//! a connection that comes back clean is not asked whether it is.

use std::time::Duration;

use deadpool::{
    Runtime,
    managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleResult, Timeouts},
};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::{Error, Result, db::PATIENCE};

/// Connections at most.
const MOST: usize = 16;
/// A connection that has not been used for so long is asked whether it still works.
const DOUBT: Duration = Duration::from_secs(5);

/// Opens connections.
#[derive(Debug)]
pub(super) struct Opener(PgConnectOptions);

/// The connections.
pub(super) type Connections = Pool<Opener>;

impl Manager for Opener {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.0.connect().await?;
        // Compiling a query takes longer than any of ours runs.
        connection.execute("SET jit = off").await?;
        Ok(connection)
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        metrics: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        if metrics.last_used() >= DOUBT {
            connection.ping().await?;
        }
        Ok(())
    }
}

/// Connects, so that a wrong address is an error at once.
pub(super) async fn connect(options: PgConnectOptions) -> Result<Connections> {
    let pool = Pool::builder(Opener(options.statement_cache_capacity(512)))
        .max_size(MOST)
        // The one used last knows the most statements.
        .queue_mode(QueueMode::Lifo)
        .timeouts(Timeouts {
            wait: Some(PATIENCE),
            create: Some(PATIENCE),
            recycle: Some(PATIENCE),
        })
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|_| closed())?;
    drop(lend(&pool).await?);
    Ok(pool)
}

/// Closes those that are idle, and the others when they come back.
pub(super) async fn close(pool: &Connections) {
    for connection in pool.retain(|_, _| false).removed {
        // It is gone either way.
        let _ = connection.close().await;
    }
    pool.close();
}

/// A connection that nothing is open on.
pub(super) async fn lend(pool: &Connections) -> Result<Object<Opener>> {
    pool.get().await.map_err(|error| match error {
        PoolError::Timeout(_) => Error::Busy,
        PoolError::Backend(error) => error.into(),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            closed().into()
        }
    })
}

fn closed() -> sqlx::Error {
    sqlx::Error::PoolClosed
}

/// How a session's transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// There is none: each statement sees the database as it then is.
    Glance,
    /// All statements see the database as it was at the first.
    Snapshot,
    /// One that may write (READ COMMITTED).
    Write,
    /// One that may write, and whose commit waits for no sync.
    DelayedWrite,
}

/// A connection, and its transaction once one is needed. Dropped, it is rolled back.
pub(super) struct Session {
    /// None once it is on its way home.
    connection: Option<Object<Opener>>,
    opening: Opening,
    begun: bool,
    /// A statement is on its way, or was left there.
    running: bool,
    /// The connection is of no use any more.
    broken: bool,
}

impl Session {
    pub(super) async fn lend(pool: &Connections, opening: Opening) -> Result<Self> {
        let connection = Some(lend(pool).await?);
        Ok(Self { connection, opening, begun: false, running: false, broken: false })
    }

    /// The connection, for a statement; [`Session::settled`] tells that it has come back.
    pub(super) fn connection(&mut self) -> sqlx::Result<&mut PgConnection> {
        self.running = true;
        self.connection.as_deref_mut().ok_or_else(closed)
    }

    /// That no statement is on its way, because one has come back.
    pub(super) fn settled<T>(&mut self, result: &sqlx::Result<T>) {
        self.running = false;
        self.broken |= result.as_ref().is_err_and(|error| match error {
            // The server is going away (class 57) or was not there (class 08).
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
            }
            // What cannot be read says nothing about who sent it.
            sqlx::Error::RowNotFound
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_) => false,
            _ => true,
        });
    }

    pub(super) fn is_glance(&self) -> bool {
        self.opening == Opening::Glance
    }

    pub(super) fn is_delayed(&self) -> bool {
        self.opening == Opening::DelayedWrite
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Sees to it that what follows is in the transaction.
    pub(super) async fn begin(&mut self) -> sqlx::Result<()> {
        let statement = match self.opening {
            _ if self.begun => return Ok(()),
            Opening::Glance => return Ok(()),
            Opening::Snapshot => "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Opening::Write => "BEGIN",
            Opening::DelayedWrite => "BEGIN;SET LOCAL synchronous_commit TO off",
        };
        // From now on there may be one.
        self.begun = true;
        let begun = self.connection()?.execute(statement).await;
        self.settled(&begun);
        begun.map(drop)
    }

    /// Has what was done kept.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        if self.begun {
            let committed = self.connection()?.execute("COMMIT").await;
            self.settled(&committed);
            self.begun = committed.is_err();
            return committed.map(drop);
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.broken {
            drop(Object::take(connection));
            return;
        }
        if !self.begun && !self.running {
            return;
        }
        // It goes home once nothing is open on it and nothing on its way. Nobody waits for that.
        let begun = self.begun;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(connection));
            return;
        };
        runtime.spawn(async move {
            let clean = if begun {
                connection.execute("ROLLBACK").await.map(drop)
            } else {
                connection.ping().await
            };
            if clean.is_err() {
                drop(Object::take(connection));
            }
        });
    }
}
