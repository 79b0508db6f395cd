//! Group commit on SQLite: many transactions, one sync.
//!
//! One task owns the connection that writes. Whoever wants to write waits for a turn, first come,
//! first served, and is lent the connection. All who have their turn before the commit are
//! members of one outer transaction; each after the first stands behind a savepoint, so that it
//! fails alone. The commit comes when nobody waits or the group is full, and only then do the
//! members get their answers: an answered write is durable.
//!
//! A member that fails gets its answer after the commit as well, if others wrote before it: its
//! refusal may rest on what they wrote. A member that is dropped gives the connection back as
//! abandoned and is rolled back. When the outer transaction itself is lost, every member in it
//! gets [`Error::Lost`].
//!
//! A group that a delayed write begins has no sync, and lets none in that wants one. Its work is
//! in the log all the same: the next sync makes it durable before anything that came after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};

use crate::durations::Durations;

use super::{
    Error, Result,
    db::PATIENCE,
    sql::{Sql, sql},
    sqlite::Lent,
};

/// At most so many transactions share a commit.
const MEMBERS: usize = 64;

/// So long after the first of its members is done, a group lets nobody in.
const OPEN: Duration = Duration::from_millis(5);

/// What others are told once a transaction is committed.
#[derive(Clone, Debug, Default)]
pub(super) struct Listeners {
    /// Told when there is work for the worker.
    pub(super) tasks: Arc<Notify>,
    /// Grows when settings may not be as somebody remembers them.
    pub(super) settings: Arc<AtomicU64>,
    /// How long it took to end access.
    pub(super) endings: Arc<Durations>,
}

/// What a transaction wants told once it is committed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    pub(super) tasks: bool,
    pub(super) settings: bool,
    /// Since when it has been ending somebody's access.
    pub(super) ending_since: Option<Instant>,
}

impl Listeners {
    pub(super) fn tell(&self, news: News) {
        if news.settings {
            self.settings.fetch_add(1, Ordering::AcqRel);
        }
        if news.tasks {
            self.tasks.notify_one();
        }
        if let Some(since) = news.ending_since {
            self.endings.count(since.elapsed());
        }
    }
}

/// The way to the task that owns the connection that writes.
#[derive(Clone, Debug)]
pub(super) struct Group(mpsc::UnboundedSender<Request>);

enum Request {
    Turn { lend: oneshot::Sender<Result<Lent>>, kind: Turn },
    Close(oneshot::Sender<()>),
}

/// What a turn is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A write that is durable when it is answered.
    Durable,
    /// A write that is durable with the next one that is.
    Delayed,
    /// The bare connection, with no transaction.
    Alone,
}

/// A connection on its way back to the group.
#[derive(Debug)]
pub(super) struct Returned {
    /// None if it cannot be used any more.
    pub(super) connection: Option<SqliteConnection>,
    /// Whether anything was sent to it.
    pub(super) touched: bool,
    /// How the member ended.
    pub(super) outcome: Outcome,
}

/// How a member of a group ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its work is to be kept, with the statements that are still to run.
    Done { answer: oneshot::Sender<Result<()>>, last: Option<Sql>, news: News },
    /// Its work failed.
    Undone { answer: oneshot::Sender<Result<()>> },
    /// Nobody waits for it any more.
    Abandoned,
}

impl Group {
    /// Opens the connection that writes.
    pub(super) async fn open(options: SqliteConnectOptions, listeners: Listeners) -> Result<Self> {
        let connection = Some(options.connect().await?);
        let (turns, requests) = mpsc::unbounded_channel();
        tokio::spawn(Owner { options, connection, requests, listeners }.run());
        Ok(Self(turns))
    }

    /// Waits for a turn to write.
    pub(super) async fn turn(&self, kind: Turn) -> Result<Lent> {
        let (lend, lent) = oneshot::channel();
        self.0.send(Request::Turn { lend, kind }).map_err(|_| closed())?;
        timeout(PATIENCE, lent).await.map_err(|_| Error::Busy)?.map_err(|_| closed())?
    }

    /// Closes the connection after the turns already asked for.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.send(Request::Close(done)).is_ok() {
            // The sender is dropped when it is done, and that is what is waited for.
            let _ = closed.await;
        }
    }
}

impl Lent {
    /// Has the work kept; waits until it is committed, and durable unless the turn was a delayed
    /// one.
    pub(super) async fn keep(self, last: Option<Sql>, news: News) -> Result<()> {
        let (answer, kept) = oneshot::channel();
        self.give_back(Outcome::Done { answer, last, news });
        kept.await.map_err(|_| Error::Lost)?
    }

    /// Has the work undone; waits until what it may have been refused for is durable.
    pub(super) async fn undo(self) -> Result<()> {
        let (answer, undone) = oneshot::channel();
        self.give_back(Outcome::Undone { answer });
        undone.await.map_err(|_| Error::Lost)?
    }
}

fn closed() -> Error {
    Error::Database(sqlx::Error::PoolClosed)
}

struct Owner {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    requests: mpsc::UnboundedReceiver<Request>,
    listeners: Listeners,
}

/// One outer transaction while it is open.
#[derive(Default)]
struct Outer {
    /// Whether it was begun and holds the work of somebody.
    begun: bool,
    /// Whether its commit has no sync.
    delayed: bool,
    /// Since when the first of its members waits for the commit.
    since: Option<Instant>,
    /// The savepoint of the last member that is still there: 0 or 1. Two names take turns, so
    /// that undoing a member whose savepoint never came to be fails and does not hit another.
    savepoint: Option<usize>,
    /// Who waits for the commit, and what is told after it.
    members: Vec<(oneshot::Sender<Result<()>>, News)>,
    /// What the last member still has to write. It goes with the next step: alone when somebody
    /// comes behind, and else with the commit.
    last: Option<Sql>,
}

impl Outer {
    /// What stands before the first statement of the next member, and its savepoint.
    fn opening(&self) -> (&'static str, Option<usize>) {
        match (self.begun, self.savepoint) {
            // How much is synced can be said outside of transactions only. It is said each time, so
            // that no mistake elsewhere can make a write less durable than it was to be.
            (false, _) if self.delayed => ("PRAGMA synchronous = NORMAL;BEGIN IMMEDIATE;", None),
            (false, _) => ("PRAGMA synchronous = FULL;BEGIN IMMEDIATE;", None),
            (true, None) => ("SAVEPOINT member_0;", Some(0)),
            (true, Some(0)) => ("RELEASE member_0;SAVEPOINT member_1;", Some(1)),
            (true, Some(_)) => ("RELEASE member_1;SAVEPOINT member_0;", Some(0)),
        }
    }
}

impl Owner {
    async fn run(mut self) {
        let mut next = self.requests.recv().await;
        while let Some(request) = next.take() {
            next = match request {
                Request::Turn { lend, kind: Turn::Alone } => {
                    self.alone(lend).await;
                    self.requests.try_recv().ok()
                }
                Request::Turn { lend, kind } => self.group(lend, kind).await,
                Request::Close(done) => {
                    // Who asks from now on, and who has asked since, is told that it is closed.
                    self.requests.close();
                    while self.requests.try_recv().is_ok() {}
                    self.shut().await;
                    drop(done);
                    return;
                }
            };
            if next.is_none() {
                next = self.requests.recv().await;
            }
        }
        self.shut().await;
    }

    async fn shut(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the connection that writes did not close well");
        }
    }

    /// The connection; a new one if the old one was given up.
    async fn connection(&mut self) -> Result<SqliteConnection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.options.connect().await?),
        }
    }

    async fn alone(&mut self, lend: oneshot::Sender<Result<Lent>>) {
        let connection = match self.connection().await {
            Ok(connection) => connection,
            Err(error) => return drop(lend.send(Err(error))),
        };
        let (back, returned) = oneshot::channel();
        drop(lend.send(Ok(Lent::to_member(connection, None, back))));
        if let Ok(Returned { connection, outcome, .. }) = returned.await {
            self.connection = connection;
            self.reset().await;
            if let Outcome::Done { answer, .. } | Outcome::Undone { answer } = outcome {
                drop(answer.send(Ok(())));
            }
        }
    }

    /// One group, from the turn of its first member to its commit. Returns the request that came
    /// after it, if it has been taken already.
    async fn group(&mut self, first: oneshot::Sender<Result<Lent>>, kind: Turn) -> Option<Request> {
        let mut outer = Outer::default();
        let mut turns = 0;
        let (mut lend, mut kind) = (first, kind);
        let after = loop {
            if !outer.begun {
                outer.delayed = kind == Turn::Delayed;
            }
            if lend.is_closed() {
                // Gone while it waited.
            } else if !self.member(lend, &mut outer).await {
                self.lose(outer).await;
                return None;
            }
            turns += 1;
            if turns >= MEMBERS || outer.since.is_some_and(|since| since.elapsed() >= OPEN) {
                break None;
            }
            match self.requests.try_recv() {
                Ok(Request::Turn { lend: next, kind: wanted })
                    if wanted == Turn::Delayed || (wanted == Turn::Durable && !outer.delayed) =>
                {
                    (lend, kind) = (next, wanted);
                    if !self.write_last(&mut outer).await {
                        self.lose(outer).await;
                        return Some(Request::Turn { lend, kind });
                    }
                }
                Ok(other) => break Some(other),
                Err(_) => break None,
            }
        };
        if outer.begun {
            self.commit(outer).await;
        }
        after
    }

    /// Lends the connection to one member, and takes it back. False when the outer transaction is
    /// lost.
    async fn member(&mut self, lend: oneshot::Sender<Result<Lent>>, outer: &mut Outer) -> bool {
        let connection = match self.connection().await {
            Ok(connection) => connection,
            Err(error) => {
                drop(lend.send(Err(error)));
                return !outer.begun;
            }
        };
        let (opening, savepoint) = outer.opening();
        let (back, returned) = oneshot::channel();
        // If nobody takes it, it comes back at once.
        drop(lend.send(Ok(Lent::to_member(connection, Some(opening), back))));
        let Ok(returned) = returned.await else { return !outer.begun };
        self.connection = returned.connection;
        let first = !outer.begun;
        match returned.outcome {
            Outcome::Done { answer, last, news } => {
                if returned.touched {
                    outer.begun = true;
                    outer.since.get_or_insert_with(Instant::now);
                    outer.savepoint = savepoint;
                    outer.members.push((answer, news));
                    outer.last = last;
                } else {
                    self.listeners.tell(news);
                    drop(answer.send(Ok(())));
                }
                self.connection.is_some() || !outer.begun
            }
            Outcome::Undone { answer } => {
                if first || !returned.touched {
                    drop(answer.send(Ok(())));
                } else {
                    outer.members.push((answer, News::default()));
                }
                self.undo(returned.touched, savepoint, outer).await
            }
            Outcome::Abandoned => self.undo(returned.touched, savepoint, outer).await,
        }
    }

    /// Rolls one member back. False when the outer transaction is lost.
    async fn undo(&mut self, touched: bool, savepoint: Option<usize>, outer: &mut Outer) -> bool {
        if !touched {
            return self.connection.is_some() || !outer.begun;
        }
        if !outer.begun {
            self.reset().await;
            return true;
        }
        let undo = match savepoint {
            Some(0) => "ROLLBACK TO member_0;RELEASE member_0",
            _ => "ROLLBACK TO member_1;RELEASE member_1",
        };
        // The savepoint before was released by this member's opening.
        outer.savepoint = None;
        let Some(connection) = &mut self.connection else { return false };
        let Err(error) = connection.execute(sqlx::query(undo)).await else { return true };
        // A member that is dropped with its first statement under way may have been cut off before
        // its savepoint, and has done nothing then. A transaction cannot begin in a transaction:
        // that tells whether there still is one.
        if connection.execute(sqlx::query("BEGIN")).await.is_err() {
            return true;
        }
        tracing::error!(%error, "a group of writes was lost");
        false
    }

    /// Runs what the last member still has to write. If that is refused, the member has failed, and
    /// alone. False when the outer transaction is lost.
    async fn write_last(&mut self, outer: &mut Outer) -> bool {
        let Some(last) = outer.last.take() else { return true };
        match self.run_script(last).await {
            Ok(()) => true,
            Err(error) => self.fail_last(error, outer).await,
        }
    }

    /// The last member has failed after it gave the connection back. False when the outer
    /// transaction is lost.
    async fn fail_last(&mut self, error: sqlx::Error, outer: &mut Outer) -> bool {
        if let Some((answer, _)) = outer.members.pop() {
            drop(answer.send(Err(error.into())));
        }
        let savepoint = outer.savepoint;
        if savepoint.is_none() && outer.members.is_empty() {
            // The transaction was all its own.
            outer.begun = false;
        }
        self.undo(true, savepoint, outer).await
    }

    async fn run_script(&mut self, script: Sql) -> sqlx::Result<()> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        let mut results = connection.execute_many(script.sqlite());
        while let Some(result) = results.next().await {
            result?;
        }
        Ok(())
    }

    async fn commit(&mut self, mut outer: Outer) {
        let script = outer.last.take();
        let with_last = script.is_some();
        let script = script.unwrap_or_else(Sql::nothing).then("COMMIT");
        let committed = match self.run_script(script).await {
            // Whoever wrote last is to blame, and may be alone in it.
            Err(error) if with_last => {
                if !self.fail_last(error, &mut outer).await {
                    return self.lose(outer).await;
                }
                if !outer.begun {
                    return;
                }
                self.run_script(sql("COMMIT")).await
            }
            committed => committed,
        };
        match committed {
            Ok(()) => {
                for (_, news) in &outer.members {
                    self.listeners.tell(*news);
                }
                for (answer, _) in outer.members {
                    // Who has gone does not hear it.
                    drop(answer.send(Ok(())));
                }
            }
            Err(error) => {
                tracing::error!(%error, "a group of writes could not be committed");
                self.lose(outer).await;
            }
        }
    }

    async fn lose(&mut self, outer: Outer) {
        self.reset().await;
        for (answer, _) in outer.members {
            drop(answer.send(Err(Error::Lost)));
        }
    }

    /// Makes sure that no transaction is open on the connection; gives it up if that cannot be.
    async fn reset(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if connection.execute(sqlx::query("ROLLBACK")).await.is_ok() {
            return;
        }
        // Either there was none, or something is wrong.
        if connection.execute(sqlx::query("BEGIN;ROLLBACK")).await.is_err() {
            self.connection = None;
        }
    }
}
