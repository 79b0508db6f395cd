//! SQLite's connections: how they are set up, and how they are lent.
//!
//! A statement travels to the connection's own thread and back, and that costs more than most
//! statements do. So what opens a transaction travels with its first statement, and what ends a
//! snapshot is sent without waiting for it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Waker},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, Executor, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::{
    Error, Result,
    db::PATIENCE,
    group::{Outcome, Returned},
};

/// How many snapshots may be read at once.
const READERS: usize = 8;

/// What opens a snapshot. It is taken by the first statement, which comes with it.
const SNAPSHOT: &str = "BEGIN;";

/// How the connection that writes is set up.
///
/// An answered write survives power loss (`synchronous=FULL`). The log grows to 40 MB before it is
/// folded into the database, because each fold costs two more syncs. Memory is bounded: the caches
/// of all connections together hold some 48 MB; nothing is mapped.
pub(super) fn writing(url: &str) -> Result<SqliteConnectOptions> {
    Ok(url
        .parse::<SqliteConnectOptions>()?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(512)
        // Rows on their way: the thread that finds them stops less often.
        .row_buffer_size(256)
        .pragma("wal_autocheckpoint", "10000")
        .pragma("journal_size_limit", "67108864")
        // What a savepoint remembers stays in memory.
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-16000"))
}

/// How the connections that read are set up. What they sort goes into files when it is large.
fn reading(writing: SqliteConnectOptions) -> SqliteConnectOptions {
    writing
        .statement_cache_capacity(256)
        .pragma("temp_store", "default")
        .pragma("cache_size", "-4000")
        .pragma("query_only", "on")
}

/// The connections that read.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// None is open until it is needed.
    pub(super) fn new(writing: SqliteConnectOptions) -> Self {
        Self(Arc::new(Inner {
            options: reading(writing),
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(READERS)),
        }))
    }

    /// Lends a connection for one snapshot.
    pub(super) async fn lend(&self) -> Result<Lent> {
        let mut lent = self.lend_for_a_glance().await?;
        lent.opening = Some(SNAPSHOT);
        if let Home::Readers { snapshot, .. } = &mut lent.home {
            *snapshot = true;
        }
        Ok(lent)
    }

    /// Lends a connection with no transaction around its statements.
    pub(super) async fn lend_for_a_glance(&self) -> Result<Lent> {
        let permit = timeout(PATIENCE, Arc::clone(&self.0.permits).acquire_owned())
            .await
            .map_err(|_| Error::Busy)?
            .map_err(|_| Error::Database(sqlx::Error::PoolClosed))?;
        // The one used last is the one whose cache is warm.
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.0.options.connect().await?,
        };
        Ok(Lent {
            connection: Some(connection),
            opening: None,
            broken: false,
            home: Home::Readers { readers: self.clone(), snapshot: false, _permit: permit },
        })
    }

    fn take_back(&self, connection: SqliteConnection) {
        if !self.0.permits.is_closed() {
            self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// Closes the connections after the snapshots under way, and lends no more.
    pub(super) async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        let Ok(permits) = self.0.permits.acquire_many(all).await else { return };
        self.0.permits.close();
        drop(permits);
        let idle = std::mem::take(&mut *self.0.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            // Nothing is lost with a reader.
            let _ = connection.close().await;
        }
    }
}

/// A connection lent for one transaction. Wherever it is dropped, it finds home, and what it was
/// lent for is undone.
#[derive(Debug)]
pub(super) struct Lent {
    connection: Option<SqliteConnection>,
    /// What opens the transaction, until it was sent.
    opening: Option<&'static str>,
    broken: bool,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Readers { readers: Readers, snapshot: bool, _permit: OwnedSemaphorePermit },
    Group(Option<oneshot::Sender<Returned>>),
}

impl Lent {
    /// A connection that the group lends to one of its members.
    pub(super) fn to_member(
        connection: SqliteConnection,
        opening: Option<&'static str>,
        back: oneshot::Sender<Returned>,
    ) -> Self {
        let home = Home::Group(Some(back));
        Self { connection: Some(connection), opening, broken: false, home }
    }

    /// The connection.
    pub(super) fn connection(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// What has to stand before the next statement, once.
    pub(super) fn take_opening(&mut self) -> Option<&'static str> {
        self.opening.take()
    }

    /// The connection is not to be used again.
    pub(super) fn set_broken(&mut self) {
        self.broken = true;
    }

    /// Gives the connection of a group back.
    pub(super) fn give_back(mut self, outcome: Outcome) {
        self.go_home(outcome);
    }

    fn go_home(&mut self, outcome: Outcome) {
        let Some(mut connection) = self.connection.take() else { return };
        let touched = self.opening.is_none();
        match &mut self.home {
            Home::Readers { readers, snapshot, .. } => {
                if self.broken {
                    return;
                }
                if *snapshot && touched {
                    // The first poll sends it; nobody has to wait for it.
                    let mut end = connection.execute(sqlx::query("ROLLBACK"));
                    let _ = end.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                }
                readers.take_back(connection);
            }
            Home::Group(back) => {
                let connection = (!self.broken).then_some(connection);
                if let Some(back) = back.take() {
                    // A group that has gone has closed; the connection closes here.
                    let _ = back.send(Returned { connection, touched, outcome });
                }
            }
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.go_home(Outcome::Abandoned);
    }
}
