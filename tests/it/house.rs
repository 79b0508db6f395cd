//! The test house: a whole server with a database of its own.

use std::net::SocketAddr;

use identity_center::{
    app::App,
    clock::Clock,
    config::Settings,
    secret::{Sealer, hex, random, sha256},
    server,
    store::{self, Db, Timestamp, sql},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The moment at which a settable clock stands when a test begins.
pub const BEGIN: &str = "2026-11-22T08:00:00Z";

/// A server on a port of its own. [`TestHouse::close`] stops it and fails when a task is left
/// over; [`on_both!`] calls it.
pub struct TestHouse {
    pub app: App,
    pub address: SocketAddr,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    database: Database,
}

/// Writes each test down twice: on SQLite and on PostgreSQL. The body gets a `&TestHouse`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($house:ident) $body:block)+) => {$(
        mod $name {
            #[expect(clippy::allow_attributes, reason = "not every body uses its surroundings")]
            #[allow(unused_imports)]
            use super::*;

            async fn body($house: &$crate::house::TestHouse) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let house = $crate::house::TestHouse::sqlite().await;
                body(&house).await;
                house.close().await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(house) = $crate::house::TestHouse::postgres().await else { return };
                body(&house).await;
                house.close().await;
            }
        }
    )+};
}

impl TestHouse {
    /// A house on SQLite.
    pub async fn sqlite() -> Self {
        Self::on(Database::sqlite(), Clock::settable(BEGIN.parse().unwrap())).await
    }

    /// A house on PostgreSQL; none where no cluster is told, unless everything must run.
    pub async fn postgres() -> Option<Self> {
        let database = Database::postgres().await?;
        Some(Self::on(database, Clock::settable(BEGIN.parse().unwrap())).await)
    }

    /// A house on SQLite with settings of its own.
    pub async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_settings_on(Database::sqlite(), change).await
    }

    /// A house on a database of the caller's choice with settings of its own.
    pub async fn with_settings_on(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Clock::settable(BEGIN.parse().unwrap());
        Self::furnished(database, clock, change).await
    }

    /// A house with a database and a clock of the caller's choice.
    pub async fn on(database: Database, clock: Clock) -> Self {
        Self::furnished(database, clock, |_| {}).await
    }

    /// A house with a database, a clock and settings of the caller's choice.
    pub async fn furnished(
        database: Database,
        clock: Clock,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}").parse().unwrap();
        let key = Sealer::new_master_key().unwrap();
        let mut settings = Settings::for_address(url, &database.url(), &key).unwrap();
        // Receivers of events are part of the test.
        settings.events.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
        change(&mut settings);
        let app = App::open(settings, clock).await.unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::serve(app.clone(), listener, stop.clone()));
        Self { app, address, stop, server, database }
    }

    /// An absolute URL of this house.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A browser without a page: keeps cookies, follows no redirect.
    #[expect(clippy::unused_self, reason = "reads well at the call")]
    pub fn browser(&self) -> reqwest::Client {
        reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
    }

    /// Its database, for other servers.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The time in this house.
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Stops the server; fails when a task is left over.
    pub async fn close(self) {
        let left: Vec<(String, String)> = self
            .app
            .db
            .read(async |tx| -> store::Result<_> {
                sql("SELECT kind, state FROM tasks WHERE state IN ('ready', 'running')")
                    .fetch_all(tx)
                    .await
            })
            .await
            .unwrap();
        assert!(left.is_empty(), "tasks are left over: {left:?}");
        self.stop.cancel();
        self.server.await.unwrap().unwrap();
        self.database.remove().await;
    }
}

/// A database of a test's own.
pub enum Database {
    Sqlite(tempfile::TempDir),
    Postgres { cluster: String, name: String },
}

impl Database {
    /// A file in a folder that goes with the test.
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// A copy of the migrated template in the cluster that `make test` started.
    pub async fn postgres() -> Option<Self> {
        let Ok(cluster) = std::env::var("IDENTITY_CENTER_TEST_POSTGRES") else {
            assert!(
                std::env::var_os("IDENTITY_CENTER_TEST_COMPLETE").is_none(),
                "IDENTITY_CENTER_TEST_POSTGRES must name a cluster"
            );
            eprintln!("skipped: IDENTITY_CENTER_TEST_POSTGRES names no cluster");
            return None;
        };
        let name = format!("test_{}", hex(&random::<8>().unwrap()));
        let template = template();
        let admin = sqlx::PgPool::connect(&cluster).await.unwrap();
        let mut connection = admin.acquire().await.unwrap();
        // Every test is a process of its own: the first one makes the template, the others wait.
        sqlx::query("SELECT pg_advisory_lock(20261122)").execute(&mut *connection).await.unwrap();
        let there: Option<(i32,)> = sqlx::query_as("SELECT 1 FROM pg_database WHERE datname = $1")
            .bind(&template)
            .fetch_optional(&mut *connection)
            .await
            .unwrap();
        if there.is_none() {
            execute(&mut connection, format!("CREATE DATABASE {template}")).await;
            let db = Db::open(&in_cluster(&cluster, &template)).await.unwrap();
            db.close().await;
        }
        execute(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        sqlx::query("SELECT pg_advisory_unlock(20261122)").execute(&mut *connection).await.unwrap();
        drop(connection);
        admin.close().await;
        Some(Self::Postgres { cluster, name })
    }

    /// Its address.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
            Self::Postgres { cluster, name } => in_cluster(cluster, name),
        }
    }

    /// Removes it.
    pub async fn remove(self) {
        if let Self::Postgres { cluster, name } = self {
            let admin = sqlx::PgPool::connect(&cluster).await.unwrap();
            let mut connection = admin.acquire().await.unwrap();
            execute(&mut connection, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

/// The name of the template: one for each state of the migrations, so that trees of different
/// states can share a cluster.
fn template() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    format!("identity_center_template_{}", &hex(&sha256(&text))[..16])
}

async fn execute(connection: &mut sqlx::PgConnection, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

/// The address of another database of the same cluster.
fn in_cluster(cluster: &str, database: &str) -> String {
    let mut url: url::Url = cluster.parse().unwrap();
    url.set_path(database);
    url.to_string()
}
