//! An organisation with a space, accounts, people and configurations, made through the rooms.

use identity_center::{
    app::App,
    audit::Act,
    clock::Clock,
    cloud,
    config::Settings,
    directory::{self, NewUser},
    id::{ConfigurationId, GroupId, Principal, TaskId, Uin, UserId},
    organization::Account,
    permission::{self, Limits, NewConfiguration, NewPolicy, Triple},
    secret::Sealer,
    space::{Space, key_pair},
    store::{Read, Row, Sql, Timestamp, Write, sql},
    task::{self, Task},
};

use crate::house::{BEGIN, Database};

/// Writes each test down twice, on SQLite and on PostgreSQL, without a server: the body gets a
/// [`World`], and runs the tasks itself.
#[macro_export]
macro_rules! in_both_worlds {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)+) => {$(
        mod $name {
            #[expect(clippy::allow_attributes, reason = "not every body uses its surroundings")]
            #[allow(unused_imports)]
            use super::*;

            async fn body($world: &$crate::world::World) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let database = $crate::house::Database::sqlite();
                let world = $crate::world::World::on(&database).await;
                body(&world).await;
                world.app.db.close().await;
                database.remove().await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = $crate::house::Database::postgres().await else { return };
                let world = $crate::world::World::on(&database).await;
                body(&world).await;
                world.app.db.close().await;
                database.remove().await;
            }
        }
    )+};
}

/// What most tests begin with.
pub struct World {
    pub app: App,
    pub management: Account,
    pub member: Account,
    pub space: Space,
}

/// The settings of a server of a test.
pub fn settings(database: &Database, public_url: &str, master_key: &str) -> Settings {
    Settings::for_address(public_url.parse().unwrap(), &database.url(), master_key).unwrap()
}

impl World {
    /// A world of its own in a fresh database, with a clock that the test sets.
    pub async fn on(database: &Database) -> Self {
        let key = Sealer::new_master_key().unwrap();
        let settings = settings(database, "http://localhost:8080", &key);
        let clock = Clock::settable(BEGIN.parse().unwrap());
        Self::make(App::open(settings, clock).await.unwrap()).await
    }

    /// A world in the database of an app.
    pub async fn make(app: App) -> Self {
        let act = app.own_act("test").unwrap();
        let keys = cloud::space_keys("test".to_owned(), act.now).await.unwrap();
        let key = cloud::new_access_key(&app.sealer).unwrap();
        let (management, space, member) = app
            .db
            .write(async |tx| -> Result<_, cloud::Error> {
                let (_, management, _) =
                    cloud::install(tx, &act, "Org", "admin", "x", &key).await?;
                let space =
                    cloud::activate(tx, &act, &app.sealer, &management, "test", keys).await?;
                let member = cloud::create_member(tx, &act, &management, None, "one", "").await?;
                Ok((management, space, member))
            })
            .await
            .unwrap();
        Self { app, management, member, space }
    }

    pub fn act(&self) -> Act {
        self.app.own_act("test").unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub fn advance(&self, seconds: i64) {
        self.app.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    /// Writes, and expects it to work.
    pub async fn write<T, E>(&self, work: impl AsyncFnOnce(&mut Write, &Act) -> Result<T, E>) -> T
    where
        E: From<identity_center::store::Error> + std::fmt::Debug,
    {
        self.try_write(work).await.unwrap()
    }

    pub async fn try_write<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut Write, &Act) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<identity_center::store::Error>,
    {
        let act = self.act();
        self.app.db.write(async |tx| work(tx, &act).await).await
    }

    /// Reads, and expects it to work.
    pub async fn read<T, E>(&self, work: impl AsyncFnOnce(&mut Read) -> Result<T, E>) -> T
    where
        E: From<identity_center::store::Error> + std::fmt::Debug,
    {
        self.app.db.read(work).await.unwrap()
    }

    /// The rows of a statement.
    pub async fn rows<T: Row>(&self, statement: Sql) -> Vec<T> {
        self.read(async |tx| statement.fetch_all(tx).await).await
    }

    /// How many rows there are in a table, or in part of one.
    pub async fn count(&self, statement: &'static str) -> i64 {
        self.read(async |tx| sql(statement).fetch_number(tx).await).await
    }

    pub async fn account(&self, name: &str) -> Account {
        self.write(async |tx, act| {
            cloud::create_member(tx, act, &self.management, None, name, "").await
        })
        .await
    }

    pub async fn user(&self, name: &str) -> UserId {
        let new = NewUser { user_name: name.to_owned(), ..NewUser::default() };
        self.write(async |tx, act| {
            directory::create_user(tx, act, self.space.id, &new, 10_000).await
        })
        .await
        .id
    }

    pub async fn group(&self, name: &str, members: &[UserId]) -> GroupId {
        self.write(async |tx, act| {
            let id = self.space.id;
            let group = directory::create_group(tx, act, id, name, "", 100).await?;
            for user in members {
                directory::add_member(
                    tx,
                    act,
                    &self.space,
                    group.id,
                    *user,
                    &self.app.directory_limits(),
                )
                .await?;
            }
            Ok::<_, directory::Error>(group.id)
        })
        .await
    }

    /// A configuration with these preset policies.
    pub async fn configuration(&self, name: &str, presets: &[&str]) -> ConfigurationId {
        let new = NewConfiguration { name: name.to_owned(), ..NewConfiguration::default() };
        let policies: Vec<NewPolicy> =
            presets.iter().map(|name| NewPolicy::Preset((*name).to_owned())).collect();
        let limits = Limits::default();
        self.write(async |tx, act| {
            let id = self.space.id;
            let made = permission::create_configuration(tx, act, id, &new, &limits).await?;
            if !policies.is_empty() {
                permission::add_policies(tx, act, id, made.id, &policies, &limits).await?;
            }
            Ok::<_, permission::Error>(made.id)
        })
        .await
    }

    pub fn triple(
        &self,
        principal: Principal,
        account: Uin,
        configuration: ConfigurationId,
    ) -> Triple {
        Triple { principal, account, configuration }
    }

    pub async fn try_assign(
        &self,
        triples: &[Triple],
    ) -> Result<Vec<permission::Item>, permission::Error> {
        let limits = Limits::default();
        self.try_write(async |tx, act| {
            permission::create_assignments(tx, act, self.space.id, triples, &limits).await
        })
        .await
    }

    pub async fn assign(&self, triples: &[Triple]) -> Vec<permission::Item> {
        self.try_assign(triples).await.unwrap()
    }

    /// Runs every task that is ready now.
    pub async fn run_tasks(&self) -> usize {
        self.app.worker().unwrap().run_all_ready().await.unwrap()
    }

    pub async fn task(&self, id: TaskId) -> Task {
        self.read(async |tx| task::get(tx, self.space.id, id).await).await.unwrap()
    }

    /// The key that the space's identity provider signs with towards the accounts.
    pub async fn idp_key(&self) -> identity_center::saml::certificate::SigningKey {
        let purpose = identity_center::space::KeyPurpose::IdentityProvider;
        let pair = self.read(async |tx| key_pair(tx, self.space.id, purpose).await).await;
        pair.signing_key(&self.app.sealer).unwrap()
    }
}
