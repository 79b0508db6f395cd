//! A connection to PostgreSQL, lent for one transaction.
//!
//! Each statement is a round trip, and so are `BEGIN` and `COMMIT`. So a transaction begins with
//! the first statement that needs one, and what turns out to be a single statement goes without.

use sqlx::{PgConnection, Postgres, SqlSafeStr, Transaction, pool::PoolConnection};

/// How a session's transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// There is none: each statement sees the database as it then is.
    Glance,
    /// All statements see the database as it was at the first.
    Snapshot,
    /// One that may write (READ COMMITTED).
    Write,
}

/// A connection, and its transaction once one is needed. Dropped, it is rolled back.
#[derive(Debug)]
pub(super) struct Session {
    opening: Opening,
    state: State,
}

#[derive(Debug)]
enum State {
    Before(PoolConnection<Postgres>),
    Begun(Transaction<'static, Postgres>),
    /// A transaction could not be begun.
    Broken,
}

impl Session {
    pub(super) fn new(connection: PoolConnection<Postgres>, opening: Opening) -> Self {
        Self { opening, state: State::Before(connection) }
    }

    pub(super) fn connection(&mut self) -> sqlx::Result<&mut PgConnection> {
        match &mut self.state {
            State::Before(connection) => Ok(&mut **connection),
            State::Begun(transaction) => Ok(&mut **transaction),
            State::Broken => Err(sqlx::Error::PoolClosed),
        }
    }

    pub(super) fn is_glance(&self) -> bool {
        self.opening == Opening::Glance
    }

    pub(super) fn has_begun(&self) -> bool {
        matches!(self.state, State::Begun(_))
    }

    /// Sees to it that what follows is in the transaction.
    pub(super) async fn begin(&mut self) -> sqlx::Result<()> {
        let statement = match self.opening {
            Opening::Glance => return Ok(()),
            Opening::Snapshot => "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Opening::Write => "BEGIN",
        };
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Before(connection) => {
                let statement = Some(statement.into_sql_str());
                self.state = State::Begun(Transaction::begin(connection, statement).await?);
            }
            begun => self.state = begun,
        }
        Ok(())
    }

    /// Has what was done kept.
    pub(super) async fn commit(self) -> sqlx::Result<()> {
        match self.state {
            State::Begun(transaction) => transaction.commit().await,
            State::Before(_) | State::Broken => Ok(()),
        }
    }
}
