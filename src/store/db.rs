//! The two databases a store can live in, and their transactions.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    PgPool, SqlitePool, Transaction,
    migrate::Migrator,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;

use super::{Error, Result, sql::sql};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for a connection before the store says it is busy.
const PATIENCE: Duration = Duration::from_secs(15);

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
    /// Told after each commit that left work for the worker.
    tasks: Arc<Notify>,
    /// Grows with each commit after which settings may not be as somebody remembers them.
    settings: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Pool {
    /// Many readers, and one writer whose queue is the pool's: first come, first served, where
    /// SQLite's own lock is a race.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

pub(super) enum Tx {
    Sqlite(Transaction<'static, sqlx::Sqlite>),
    Postgres(Transaction<'static, sqlx::Postgres>),
}

/// A snapshot of the database. What a function needs that only reads.
pub struct Read {
    pub(super) tx: Tx,
}

/// A transaction that may write.
pub struct Write {
    read: Read,
    wakes: bool,
    forgets: bool,
}

impl Db {
    /// Opens the database at `url` (`sqlite:…` or `postgres://…`); its schema is left as it is.
    pub async fn connect(url: &str) -> Result<Self> {
        let pool = if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgPoolOptions::new().max_connections(16).acquire_timeout(PATIENCE);
            Pool::Postgres(options.connect(url).await?)
        } else if url.starts_with("sqlite:") {
            let options = url
                .parse::<SqliteConnectOptions>()?
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5));
            let writer = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(PATIENCE)
                .connect_with(options.clone())
                .await?;
            let readers = SqlitePoolOptions::new()
                .max_connections(8)
                .acquire_timeout(PATIENCE)
                .connect_with(options.pragma("query_only", "on"))
                .await?;
            Pool::Sqlite { readers, writer }
        } else {
            return Err(Error::UnknownScheme);
        };
        Ok(Self { pool, tasks: Arc::default(), settings: Arc::default() })
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
            Pool::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await,
            Pool::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await,
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

    /// Lets `work` read from one snapshot.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Read) -> Result<T, E>,
    {
        let tx = match &self.pool {
            Pool::Sqlite { readers, .. } => readers.begin().await.map(Tx::Sqlite),
            Pool::Postgres(pool) => pool
                .begin_with("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(Tx::Postgres),
        };
        let mut read = Read { tx: tx.map_err(Error::from)? };
        work(&mut read).await
    }

    /// Lets `work` change the database: commits on `Ok`, rolls back on `Err`. Keep it short, with
    /// nothing slow inside: on SQLite every other writer waits for it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Write) -> Result<T, E>,
    {
        if WRITING.try_with(|()| ()).is_ok() {
            return Err(Error::NestedWrite.into());
        }
        let tx = match &self.pool {
            Pool::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite)
            }
            Pool::Postgres(pool) => pool.begin().await.map(Tx::Postgres),
        };
        let mut write =
            Write { read: Read { tx: tx.map_err(Error::from)? }, wakes: false, forgets: false };
        let answer = WRITING.scope((), work(&mut write)).await?;
        let (wakes, forgets) = (write.wakes, write.forgets);
        match write.read.tx {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        }
        .map_err(Error::from)?;
        if forgets {
            self.settings.fetch_add(1, Ordering::AcqRel);
        }
        if wakes {
            self.tasks.notify_one();
        }
        Ok(answer)
    }

    /// A number that changes when settings do, for those who remember some. Changes by other
    /// processes are not seen: nobody may remember for long.
    pub fn settings_generation(&self) -> u64 {
        self.settings.load(Ordering::Acquire)
    }

    /// Waits until a commit leaves work for the worker. Other processes are not heard; the
    /// worker polls for those.
    pub async fn tasks_waiting(&self) {
        self.tasks.notified().await;
    }

    /// Closes all connections, after the transactions under way.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

impl Read {
    /// Which database this is.
    pub fn kind(&self) -> Kind {
        match &self.tx {
            Tx::Sqlite(_) => Kind::Sqlite,
            Tx::Postgres(_) => Kind::Postgres,
        }
    }
}

impl Write {
    /// Has the worker look for tasks once this transaction is committed.
    pub fn wake_tasks(&mut self) {
        self.wakes = true;
    }

    /// Has those who remember settings forget them once this transaction is committed.
    pub fn forget_settings(&mut self) {
        self.forgets = true;
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
