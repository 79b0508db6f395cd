//! Actions of the Identity Center that settings or portals stand behind, through the front door.
//! Every answer is held against what the reference says of its action.

mod custom_policies;
mod networks;
mod renaming;
mod requests;
mod user_syncs;

use std::sync::LazyLock;

use identity_center::{
    config::Settings,
    id::{ConfigurationId, Principal, Uin, UserId},
};
use serde_json::{Value, json};

use crate::{
    account::reference, api::Client, fake_idp::FakeIdp, house::TestHouse, journey::Company,
    world::World,
};

static REFERENCE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../api/identity-center.json")).unwrap());

/// Writes each test down twice, in a house with these settings.
#[macro_export]
macro_rules! with_settings {
    ($change:expr; $($(#[$meta:meta])* async fn $name:ident($house:ident) $body:block)+) => {$(
        mod $name {
            #[expect(clippy::allow_attributes, reason = "not every body uses its surroundings")]
            #[allow(unused_imports)]
            use super::*;

            async fn body($house: &$crate::house::TestHouse) $body

            async fn on(database: $crate::house::Database) {
                let house = $crate::house::TestHouse::with_settings_on(database, $change).await;
                body(&house).await;
                house.close().await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on($crate::house::Database::sqlite()).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = $crate::house::Database::postgres().await else { return };
                on(database).await;
            }
        }
    )+};
}

/// Everything that settings keep shut.
pub fn all_allowed(settings: &mut Settings) {
    settings.administration.rename_spaces = true;
    settings.administration.change_conflict_policies = true;
    settings.limits.custom_policies = 2;
    settings.proxies.trusted = vec!["127.0.0.1/32".parse().unwrap()];
}

/// A space, and an administrator who calls the API for it.
struct Center<'h> {
    house: &'h TestHouse,
    world: World,
    client: Client,
}

impl<'h> Center<'h> {
    async fn open(house: &'h TestHouse) -> Center<'h> {
        let world = World::make(house.app.clone()).await;
        let client = Client::of_root(house, &world.management).await;
        Self { house, world, client }
    }

    /// The same center, with the same administrator.
    fn of(other: &Center<'h>) -> Center<'h> {
        let World { app, management, member, space } = &other.world;
        let world = World {
            app: app.clone(),
            management: management.clone(),
            member: member.clone(),
            space: space.clone(),
        };
        Self { house: other.house, world, client: other.client.clone() }
    }

    /// The same place as people see it, with a way to sign in.
    async fn company(&self) -> Company<'h> {
        let company = Company {
            house: self.house,
            organization: self.world.space.organization_id,
            management: self.world.management.uin,
            space: self.world.space.clone(),
            idp: FakeIdp::new(),
        };
        company.set_identity_provider().await;
        company.switch_sign_in(true).await;
        company
    }

    /// Calls an action of the space; its answer is as the reference has it.
    async fn call(&self, action: &str, mut parameters: Value) -> Value {
        if parameters.get("ZoneId").is_none() {
            parameters["ZoneId"] = json!(self.world.space.id);
        }
        let answer = self.client.call(self.house, action, parameters).await;
        let actions = REFERENCE["actions"].as_array().unwrap();
        if let Some(row) = actions.iter().find(|row| row["name"] == action) {
            reference::check(&REFERENCE, row, &answer);
        }
        answer
    }

    async fn done(&self, action: &str, parameters: Value) -> Value {
        let answer = self.call(action, parameters).await;
        assert_eq!(answer.get("Error"), None, "{action}: {answer}");
        answer
    }

    /// A call that must be refused with this code; says the text.
    async fn refused(&self, code: &str, action: &str, parameters: Value) -> String {
        let answer = self.call(action, parameters.clone()).await;
        let error =
            answer.get("Error").unwrap_or_else(|| panic!("{action} {parameters}: {answer}"));
        assert_eq!(error["Code"], code, "{action} {parameters}: {error}");
        error["Message"].as_str().unwrap().to_owned()
    }

    /// Until every task has ended: the server's own worker takes some of them.
    async fn settle(&self) {
        let open = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..200 {
            self.world.run_tasks().await;
            if self.world.count(open).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("tasks do not end");
    }

    async fn assign(&self, user: UserId, account: Uin, configuration: ConfigurationId) {
        let triple = self.world.triple(Principal::User(user), account, configuration);
        self.world.assign(&[triple]).await;
        self.settle().await;
    }
}
