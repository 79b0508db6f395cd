//! The two databases a store can live in, and their transactions.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use sqlx::migrate::Migrator;

use crate::durations::Durations;

use super::{
    Error, Result,
    group::{Group, Listeners, News, Turn},
    postgres::{self, Connections, Opening, Session},
    sql::sql,
    sqlite::{self, Readers},
    transaction::{Link, Tx},
};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for a connection before the store says it is busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

tokio::task_local! {
    static WRITING: ();
}

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL, shared by replicas.
    Postgres,
}

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    listeners: Listeners,
    /// Whether every write is rolled back.
    rehearses: bool,
}

#[derive(Clone, Debug)]
enum Pool {
    /// Many readers, and one writer with a queue: first come, first served, where SQLite's own
    /// lock is a race.
    Sqlite {
        readers: Readers,
        group: Group,
    },
    Postgres(Connections),
}

/// How often a write that claims is tried at most. Each time that it fails, another one has won.
const RACES: usize = 16;

/// How a write ended.
struct End<T, E> {
    answer: Result<T, E>,
    /// Whether what it had claimed was not as it had read it.
    is_overtaken: bool,
}

/// A snapshot of the database. What a function needs that only reads.
pub struct Read {
    pub(super) tx: Tx,
}

/// A transaction that may write.
pub struct Write {
    read: Read,
    news: News,
}

impl Db {
    /// Opens the database at `url` (`sqlite:…` or `postgres://…`); its schema is left as it is.
    pub async fn connect(url: &str) -> Result<Self> {
        let listeners = Listeners::default();
        let pool = if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Pool::Postgres(postgres::connect(url.parse()?).await?)
        } else if url.starts_with("sqlite:") {
            let options = sqlite::writing(url)?;
            let group = Group::open(options.clone(), listeners.clone()).await?;
            Pool::Sqlite { readers: Readers::new(options), group }
        } else {
            return Err(Error::UnknownScheme);
        };
        Ok(Self { pool, listeners, rehearses: false })
    }

    /// Opens the database at `url` and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Self::connect(url).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// Brings the schema up to date. Replicas may call it at once: PostgreSQL's advisory lock
    /// and SQLite's single writer let one of them do the work.
    pub async fn migrate(&self) -> Result<()> {
        match &self.pool {
            Pool::Sqlite { group, .. } => {
                let mut lent = group.turn(Turn::Alone).await?;
                SQLITE_MIGRATIONS.run(lent.connection()?).await
            }
            Pool::Postgres(pool) => {
                let mut connection = postgres::lend(pool).await?;
                POSTGRES_MIGRATIONS.run(&mut *connection).await
            }
        }
        .map_err(Error::Migrate)
    }

    /// How many migrations this program has that the database lacks; an error if there are none
    /// to compare with.
    pub async fn pending_migrations(&self) -> Result<usize> {
        let applied = self
            .read(async |tx| {
                sql("SELECT COUNT(*) FROM _sqlx_migrations WHERE success").fetch_number(tx).await
            })
            .await?;
        let known = match self.kind() {
            Kind::Sqlite => SQLITE_MIGRATIONS.iter().count(),
            Kind::Postgres => POSTGRES_MIGRATIONS.iter().count(),
        };
        Ok(known.saturating_sub(usize::try_from(applied).unwrap_or(0)))
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        match &self.pool {
            Pool::Sqlite { .. } => Kind::Sqlite,
            Pool::Postgres(_) => Kind::Postgres,
        }
    }

    /// The same database, for trying something out: what is written through it is rolled back
    /// when it would have been committed.
    #[must_use]
    pub fn rehearsal(&self) -> Self {
        Self { rehearses: true, ..self.clone() }
    }

    /// Lets `work` read from one snapshot.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Read) -> Result<T, E>,
    {
        let link = match &self.pool {
            Pool::Sqlite { readers, .. } => Link::Sqlite(readers.lend().await?),
            Pool::Postgres(pool) => session(pool, Opening::Snapshot).await?,
        };
        work(&mut Read { tx: Tx::new(link) }).await
    }

    /// Lets `work` read without a snapshot: each statement sees the database as it is when it
    /// runs. Enough for whoever has one question, and a third of the round trips.
    pub async fn glance<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Read) -> Result<T, E>,
    {
        let link = match &self.pool {
            Pool::Sqlite { readers, .. } => Link::Sqlite(readers.lend_for_a_glance().await?),
            Pool::Postgres(pool) => session(pool, Opening::Glance).await?,
        };
        work(&mut Read { tx: Tx::new(link) }).await
    }

    /// Lets `work` change the database: commits on `Ok`, rolls back on `Err`. Keep it short, with
    /// nothing slow inside: on SQLite every other writer waits for it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        self.write_as(Turn::Durable, work).await
    }

    /// Like [`Db::write`], but what is written may become durable only with the next write: for
    /// what has no effect without that one. Everybody sees it at once, and no failure of this
    /// program undoes it. A failure of the machine may, together with all that came after it and
    /// never alone: both databases sync one log, in order.
    pub async fn write_delayed<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        self.write_as(Turn::Delayed, work).await
    }

    /// Like [`Db::write`], for work that first looks and then [claims](super::Sql::claim) what it
    /// rests on: where another write was faster the work is done again. `work` says what to do.
    pub async fn write_claiming<T, E, F>(&self, work: impl FnMut() -> F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        self.contend(Turn::Durable, work).await
    }

    /// Both [`Db::write_claiming`] and [`Db::write_delayed`].
    pub async fn write_claiming_delayed<T, E, F>(&self, work: impl FnMut() -> F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        self.contend(Turn::Delayed, work).await
    }

    async fn contend<T, E, F>(&self, turn: Turn, mut work: impl FnMut() -> F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        let mut races = 1;
        loop {
            let mut write = self.begin(turn).await?;
            let answer = WRITING.scope((), work()(&mut write)).await;
            let End { answer, is_overtaken } = self.end(write, answer).await;
            if !is_overtaken || races == RACES {
                return answer;
            }
            races += 1;
        }
    }

    async fn write_as<T, E, F>(&self, turn: Turn, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        let mut write = self.begin(turn).await?;
        let answer = WRITING.scope((), work(&mut write)).await;
        self.end(write, answer).await.answer
    }

    async fn begin(&self, turn: Turn) -> Result<Write> {
        if WRITING.try_with(|()| ()).is_ok() {
            return Err(Error::NestedWrite);
        }
        let link = match &self.pool {
            Pool::Sqlite { group, .. } => Link::Sqlite(group.turn(turn).await?),
            Pool::Postgres(pool) if turn == Turn::Delayed => {
                session(pool, Opening::DelayedWrite).await?
            }
            Pool::Postgres(pool) => session(pool, Opening::Write).await?,
        };
        Ok(Write { read: Read { tx: Tx::new(link) }, news: News::default() })
    }

    /// Commits on `Ok`, rolls back on `Err`.
    async fn end<T, E: From<Error>>(&self, write: Write, answer: Result<T, E>) -> End<T, E> {
        let Write { read: Read { tx }, news } = write;
        let mut is_overtaken = false;
        let ended = match &answer {
            Ok(_) if !self.rehearses => {
                let kept = tx.keep(news, &self.listeners).await;
                is_overtaken = kept.as_ref().is_err_and(Error::is_overtaken);
                kept
            }
            Ok(_) => tx.undo().await,
            Err(_) => {
                is_overtaken = tx.is_overtaken();
                tx.undo().await
            }
        };
        End { answer: ended.map_err(E::from).and(answer), is_overtaken }
    }

    /// A number that changes when settings do, for those who remember some. Changes by other
    /// processes are not seen: nobody may remember for long.
    pub fn settings_generation(&self) -> u64 {
        self.listeners.settings.load(Ordering::Acquire)
    }

    /// Waits until a commit leaves work for the worker. Other processes are not heard; the
    /// worker polls for those.
    pub async fn tasks_waiting(&self) {
        self.listeners.tasks.notified().await;
    }

    /// How long it took this process to end access, each time: until it was committed, from when on
    /// every replica refuses (SES-04).
    pub fn endings(&self) -> &Durations {
        &self.listeners.endings
    }

    /// Closes all connections, after the transactions under way.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { readers, group } => {
                readers.close().await;
                group.close().await;
            }
            Pool::Postgres(pool) => postgres::close(pool).await,
        }
    }
}

impl Read {
    /// Which database this is.
    pub fn kind(&self) -> Kind {
        self.tx.kind()
    }
}

impl Write {
    /// Has the worker look for tasks once this transaction is committed.
    pub fn wake_tasks(&mut self) {
        self.news.tasks = true;
    }

    /// Has those who remember settings forget them once this transaction is committed.
    pub fn forget_settings(&mut self) {
        self.news.settings = true;
    }

    /// Says that this transaction ends somebody's access: how long that takes from now on is
    /// counted once it is committed.
    pub fn ends_access(&mut self) {
        self.news.ending_since.get_or_insert_with(Instant::now);
    }

    /// Lets `work` be a part of this transaction that fails alone: on `Err`, and when its future is
    /// dropped, what it did is rolled back, and the transaction goes on. Attempts may nest.
    pub async fn attempt<T, E, F>(&mut self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        let number = self.tx.open_attempt();
        let news = self.news;
        let mut attempt = Attempt { write: self, number, news, keep: false };
        let answer = work(attempt.write).await;
        if answer.is_ok() {
            if attempt.write.tx.is_lost() {
                return Err(Error::Lost.into());
            }
            attempt.keep = true;
        }
        answer
    }

    /// Runs what [`Sql::later`](super::Sql::later) has left for later.
    pub async fn flush(&mut self) -> Result<()> {
        self.tx.flush().await
    }

    /// What a `SELECT` ends with that decides about the rows it reads. SQLite has a single
    /// writer, so there is nothing to lock.
    pub fn for_update(&self) -> &'static str {
        match self.kind() {
            Kind::Sqlite => "",
            Kind::Postgres => " FOR UPDATE",
        }
    }

    /// What a `SELECT` ends with that only needs the rows it reads to stay as they are.
    pub fn for_share(&self) -> &'static str {
        match self.kind() {
            Kind::Sqlite => "",
            Kind::Postgres => " FOR SHARE",
        }
    }

    /// Like [`Write::for_update`], for rows whose keys stay: others may go on referring to them.
    pub fn for_no_key_update(&self) -> &'static str {
        match self.kind() {
            Kind::Sqlite => "",
            Kind::Postgres => " FOR NO KEY UPDATE",
        }
    }

    /// Like [`Write::for_update`], and rows another worker holds are passed over.
    pub fn skip_locked(&self) -> &'static str {
        match self.kind() {
            Kind::Sqlite => "",
            Kind::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// An attempt under way. Dropped before it is to be kept, it is rolled back.
struct Attempt<'a> {
    write: &'a mut Write,
    number: usize,
    /// What was to be told before it began.
    news: News,
    keep: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.write.tx.close_attempt(self.number, self.keep);
        if !self.keep {
            self.write.news = self.news;
        }
    }
}

async fn session(pool: &Connections, opening: Opening) -> Result<Link> {
    Ok(Link::Postgres(Session::lend(pool, opening).await?))
}

impl Deref for Write {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.read
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Read {
        &mut self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn db() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db =
            Db::open(&format!("sqlite:{}", dir.path().join("test.db").display())).await.unwrap();
        (dir, db)
    }

    /// Handlers run on any thread, so their futures must be `Send`; this compiles or it doesn't.
    #[tokio::test(flavor = "multi_thread")]
    async fn transactions_work_in_spawned_tasks_and_roll_back_on_errors() {
        let (_dir, db) = db().await;
        let name = "a".to_owned();
        let inner = db.clone();
        tokio::spawn(async move {
            inner
                .write(async |tx| {
                    sql("CREATE TABLE t (name TEXT)").execute(tx).await?;
                    sql("INSERT INTO t (name) VALUES ($1)").bind(&name).execute(tx).await?;
                    helper(tx, &name).await
                })
                .await
        })
        .await
        .unwrap()
        .unwrap();
        let failed: Result<()> = db
            .write(async |tx| {
                sql("INSERT INTO t (name) VALUES ('b')").execute(tx).await?;
                Err(Error::Busy)
            })
            .await;
        assert!(matches!(failed, Err(Error::Busy)));
        let count =
            db.read(async |tx| sql("SELECT COUNT(*) FROM t").fetch_number(tx).await).await.unwrap();
        assert_eq!(count, 1);
    }

    async fn helper(tx: &mut Write, name: &str) -> Result<()> {
        let found = sql("SELECT 1 FROM t WHERE name = $1").bind(name).exists(tx).await?;
        assert!(found);
        Ok(())
    }

    #[tokio::test]
    async fn a_write_inside_a_write_is_an_error_and_not_a_wait() {
        let (_dir, db) = db().await;
        let result: Result<()> =
            db.write(async |_| db.write(async |_| -> Result<()> { Ok(()) }).await).await;
        assert!(matches!(result, Err(Error::NestedWrite)));
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let (_dir, db) = db().await;
        let result: Result<bool> =
            db.read(async |tx| sql("CREATE TABLE x (y TEXT)").exists(tx).await).await;
        assert!(matches!(result, Err(Error::Database(_))));
    }
}
