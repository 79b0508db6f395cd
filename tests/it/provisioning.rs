//! What is made in the accounts: resumable anywhere, never over what is somebody else's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use identity_center::{
    audit::Act,
    cam::{self, Cam, Policy, Role, RoleSpec, SamlProvider, User},
    cloud::{self, Clouds, EmbeddedCloud},
    directory,
    id::{ConfigurationId, Principal, SpaceId, Uin, UserId},
    permission::{Limits, NewPolicy, add_policies},
    provisioning::{
        self, DeletionStrategy, DuplicationStrategy, NewUserSync, Reconciler, UserSyncItem,
    },
    store::sql,
    task::{PATIENCE, State, Worker},
};
use tokio_util::sync::CancellationToken;

use crate::{in_both_worlds, world::World};

/// A cloud that fails at its n-th call: before it is done, or after.
struct Faulty {
    cloud: EmbeddedCloud,
    left: Arc<AtomicI64>,
    afterwards: bool,
}

/// A cloud of which one account never answers.
struct Hung {
    cloud: EmbeddedCloud,
    account: Uin,
}

impl Clouds for Hung {
    fn enter(&self, act: &Act, space: SpaceId, account: Uin) -> Box<dyn Cam> {
        let cam = self.cloud.enter(act, space, account);
        // Whatever is asked first hangs; nothing is asked after that.
        let left = Arc::new(AtomicI64::new(i64::from(account != self.account) * i64::MAX));
        Box::new(FaultyCam { cam, left, afterwards: false, hangs: true })
    }
}

struct FaultyCam {
    cam: Box<dyn Cam>,
    left: Arc<AtomicI64>,
    afterwards: bool,
    hangs: bool,
}

impl Clouds for Faulty {
    fn enter(&self, act: &Act, space: SpaceId, account: Uin) -> Box<dyn Cam> {
        let cam = self.cloud.enter(act, space, account);
        Box::new(FaultyCam {
            cam,
            left: self.left.clone(),
            afterwards: self.afterwards,
            hangs: false,
        })
    }
}

macro_rules! faulty {
    ($self:ident, $call:expr) => {{
        let left = $self.left.fetch_sub(1, Ordering::SeqCst);
        let fails = left == 1;
        if left == 0 && $self.hangs {
            std::future::pending::<()>().await;
        }
        if fails && !$self.afterwards {
            return Err(cam::Error::Unavailable("on purpose".to_owned()));
        }
        let answer = $call.await?;
        if fails { Err(cam::Error::Unavailable("on purpose".to_owned())) } else { Ok(answer) }
    }};
}

#[async_trait]
impl Cam for FaultyCam {
    async fn saml_provider(&self, name: &str) -> cam::Result<Option<SamlProvider>> {
        faulty!(self, self.cam.saml_provider(name))
    }
    async fn create_saml_provider(&self, name: &str, d: &str, metadata: &str) -> cam::Result<()> {
        faulty!(self, self.cam.create_saml_provider(name, d, metadata))
    }
    async fn update_saml_provider(&self, name: &str, metadata: &str) -> cam::Result<()> {
        faulty!(self, self.cam.update_saml_provider(name, metadata))
    }
    async fn delete_saml_provider(&self, name: &str) -> cam::Result<()> {
        faulty!(self, self.cam.delete_saml_provider(name))
    }
    async fn role(&self, name: &str) -> cam::Result<Option<Role>> {
        faulty!(self, self.cam.role(name))
    }
    async fn create_role(&self, role: &RoleSpec<'_>) -> cam::Result<()> {
        faulty!(self, self.cam.create_role(role))
    }
    async fn update_role(&self, role: &RoleSpec<'_>) -> cam::Result<()> {
        faulty!(self, self.cam.update_role(role))
    }
    async fn delete_role(&self, name: &str) -> cam::Result<()> {
        faulty!(self, self.cam.delete_role(name))
    }
    async fn role_policies(&self, role: &str) -> cam::Result<Vec<i64>> {
        faulty!(self, self.cam.role_policies(role))
    }
    async fn attach_role_policy(&self, role: &str, policy: i64) -> cam::Result<()> {
        faulty!(self, self.cam.attach_role_policy(role, policy))
    }
    async fn detach_role_policy(&self, role: &str, policy: i64) -> cam::Result<()> {
        faulty!(self, self.cam.detach_role_policy(role, policy))
    }
    async fn policies(&self, prefix: &str) -> cam::Result<Vec<Policy>> {
        faulty!(self, self.cam.policies(prefix))
    }
    async fn create_policy(&self, name: &str, d: &str, document: &str) -> cam::Result<i64> {
        faulty!(self, self.cam.create_policy(name, d, document))
    }
    async fn update_policy(&self, id: i64, document: &str) -> cam::Result<()> {
        faulty!(self, self.cam.update_policy(id, document))
    }
    async fn delete_policy(&self, id: i64) -> cam::Result<()> {
        faulty!(self, self.cam.delete_policy(id))
    }
    async fn user(&self, name: &str) -> cam::Result<Option<User>> {
        faulty!(self, self.cam.user(name))
    }
    async fn users(&self) -> cam::Result<Vec<User>> {
        faulty!(self, self.cam.users())
    }
    async fn create_user(&self, name: &str, remark: &str) -> cam::Result<()> {
        faulty!(self, self.cam.create_user(name, remark))
    }
    async fn take_over_user(&self, name: &str) -> cam::Result<()> {
        faulty!(self, self.cam.take_over_user(name))
    }
    async fn release_user(&self, name: &str) -> cam::Result<()> {
        faulty!(self, self.cam.release_user(name))
    }
    async fn set_user_blocked(&self, name: &str, blocked: bool) -> cam::Result<()> {
        faulty!(self, self.cam.set_user_blocked(name, blocked))
    }
    async fn delete_user(&self, name: &str) -> cam::Result<()> {
        faulty!(self, self.cam.delete_user(name))
    }
}

/// A worker whose cloud fails at the n-th call, once.
fn faulty_worker(world: &World, nth: i64, afterwards: bool) -> (Worker, Arc<AtomicI64>) {
    let app = &world.app;
    let left = Arc::new(AtomicI64::new(nth));
    let cloud = EmbeddedCloud::new(app.db.clone(), app.clock.clone());
    let clouds = Arc::new(Faulty { cloud, left: left.clone(), afterwards });
    let (db, clock, ids) = (app.db.clone(), app.clock.clone(), app.ids.clone());
    let reconciler =
        Reconciler::new(db.clone(), clock.clone(), ids.clone(), clouds, app.settings.url(""));
    (Worker::new(db, clock, ids, 4, Arc::new(reconciler)).unwrap(), left)
}

/// A worker with eight places for whom one account never answers.
fn hung_worker(world: &World, account: Uin) -> Worker {
    let app = &world.app;
    let cloud = EmbeddedCloud::new(app.db.clone(), app.clock.clone());
    let clouds = Arc::new(Hung { cloud, account });
    let (db, clock, ids) = (app.db.clone(), app.clock.clone(), app.ids.clone());
    let reconciler =
        Reconciler::new(db.clone(), clock.clone(), ids.clone(), clouds, app.settings.url(""));
    Worker::new(db, clock, ids, 8, Arc::new(reconciler)).unwrap()
}

/// What an account has of ours, without the numbers.
async fn account_state(
    world: &World,
) -> (Vec<(String, String, i64)>, Vec<(String, String)>, Vec<(String, i64)>, Vec<(String, String)>)
{
    let roles = world
        .rows(sql("SELECT name, trust_policy, session_duration FROM cloud_roles
                   WHERE managed_by IS NOT NULL ORDER BY name"))
        .await;
    let providers =
        world.rows(sql("SELECT name, metadata FROM cloud_saml_providers ORDER BY name")).await;
    let bindings = world
        .rows(sql("SELECT r.name, COUNT(*) FROM cloud_role_policies p
                   JOIN cloud_roles r ON r.id = p.role_id
                   WHERE r.managed_by IS NOT NULL GROUP BY r.name ORDER BY r.name"))
        .await;
    let policies = world.rows(sql("SELECT name, document FROM cloud_policies ORDER BY name")).await;
    (roles, providers, bindings, policies)
}

async fn rich_configuration(world: &World, name: &str) -> ConfigurationId {
    let id = world.configuration(name, &["ReadOnlyAccess", "QcloudCVMFullAccess"]).await;
    let limits = Limits { custom_policies: 5, ..Limits::default() };
    let custom = [NewPolicy::Custom {
        name: "no-stop".to_owned(),
        document: r#"{"version":"2.0","statement":[{"effect":"deny","action":"cvm:StopInstances",
                      "resource":"*"}]}"#
            .to_owned(),
    }];
    world
        .write(async |tx, act| add_policies(tx, act, world.space.id, id, &custom, &limits).await)
        .await;
    id
}

async fn sync(
    world: &World,
    principal: Principal,
    duplication: DuplicationStrategy,
    deletion: DeletionStrategy,
) -> UserSyncItem {
    let new = NewUserSync {
        principal,
        account: world.member.uin,
        description: String::new(),
        duplication,
        deletion,
    };
    let mut items = world
        .write(async |tx, act| {
            provisioning::create_user_syncs(tx, act, world.space.id, &[new], 50).await
        })
        .await;
    items.remove(0)
}

async fn cam_users(world: &World) -> Vec<(String, bool, bool)> {
    let mut query = sql("SELECT name, blocked, managed_by IS NOT NULL FROM cloud_users
                         WHERE account_uin = ");
    query.push_bind(world.member.uin).push(" AND uin <> account_uin ORDER BY name");
    world.rows(query).await
}

in_both_worlds! {
    async fn tsk_04_an_account_that_never_answers_delays_only_itself(world) {
        let alice = Principal::User(world.user("alice").await);
        let healthy = world.account("healthy").await;
        let mut configurations = Vec::new();
        for n in 0..10 {
            let name = format!("Role-{n}");
            configurations.push(world.configuration(&name, &["ReadOnlyAccess"]).await);
        }
        let all = |account: Uin| {
            let triple = |id: &ConfigurationId| world.triple(alice, account, *id);
            configurations.iter().map(triple).collect::<Vec<_>>()
        };
        // The hung account comes first, with more subjects than the worker has places.
        let hung = world.assign(&all(world.member.uin)).await;
        let good = world.assign(&all(healthy.uin)).await;
        let worker = hung_worker(world, world.member.uin);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let running = tokio::spawn(async move { worker.run_until(stopping).await });
        let began = std::time::Instant::now();
        for item in &good {
            while world.task(item.task).await.state != State::Success {
                assert!(began.elapsed() < Duration::from_secs(30), "the others do not go on");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let states = "SELECT COUNT(*) FROM tasks WHERE state = 'running'";
        assert_eq!(world.count(states).await, 2, "one account has a quarter of the places");
        stop.cancel();
        running.await.unwrap();
        for item in &hung {
            assert_eq!(world.task(item.task).await.state, State::Ready);
        }
    }

    async fn tsk_04_tsk_01_an_attempt_that_gets_no_answer_has_an_end_and_a_reason(world) {
        let id = world.configuration("Role", &["ReadOnlyAccess"]).await;
        let alice = Principal::User(world.user("alice").await);
        let item = world.assign(&[world.triple(alice, world.member.uin, id)]).await[0];
        let worker = hung_worker(world, world.member.uin)
            .with_longest_attempt(Duration::from_millis(200));
        worker.run_all_ready().await.unwrap();
        let task = world.task(item.task).await;
        let reason = "the account had not answered after 1 seconds";
        assert_eq!((task.state, task.reason.as_deref()), (State::Ready, Some(reason)));
        world.advance(PATIENCE.as_secs());
        worker.run_all_ready().await.unwrap();
        let task = world.task(item.task).await;
        assert_eq!((task.state, task.reason.as_deref()), (State::Failed, Some(reason)));
        assert_eq!(task.attempt, 2);
    }

    async fn dpl_14_dpl_11_con_11_a_deployment_that_breaks_off_anywhere_is_taken_up_again(world) {
        let id = rich_configuration(world, "Rich").await;
        let alice = Principal::User(world.user("alice").await);
        let triple = world.triple(alice, world.member.uin, id);
        let mut wanted = None;
        for afterwards in [false, true] {
            for nth in 1..40 {
                let item = world.assign(&[triple]).await[0];
                let (worker, left) = faulty_worker(world, nth, afterwards);
                worker.run_all_ready().await.unwrap();
                let broke_off = left.load(Ordering::SeqCst) <= 0;
                assert_eq!(world.task(item.task).await.state == State::Ready, broke_off, "{nth}");
                world.advance(10);
                worker.run_all_ready().await.unwrap();
                assert_eq!(world.task(item.task).await.state, State::Success, "call {nth}");
                let state = account_state(world).await;
                assert_eq!(&state, wanted.get_or_insert(state.clone()), "call {nth}");
                assert_eq!(state.0.len(), 1);
                assert_eq!(state.1.len(), 1);
                assert_eq!(state.2[0].1, 3);
                assert_eq!(state.3.len(), 1);
                // And away again, with as many troubles.
                let space = world.space.id;
                world
                    .write(async |tx, act| {
                        let last = identity_center::permission::RemovalStrategy::DeprovisionForLast;
                        provisioning::remove_assignment(tx, act, space, &triple, last).await
                    })
                    .await;
                let (worker, _) = faulty_worker(world, nth, afterwards);
                worker.run_all_ready().await.unwrap();
                world.advance(10);
                worker.run_all_ready().await.unwrap();
                assert_eq!(account_state(world).await, Default::default(), "call {nth}");
                assert_eq!(world.count("SELECT COUNT(*) FROM deployments").await, 0);
                if !broke_off {
                    break;
                }
                assert!(nth < 39, "it never ran through");
            }
        }
    }

    async fn dpl_16_what_is_not_ours_is_never_overwritten(world) {
        let id = world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let theirs = provisioning::names::role("Reader");
        let (account, now) = (world.member.uin, world.now());
        world
            .write(async |tx, act| {
                sql("INSERT INTO cloud_roles (id, account_uin, name, description, kind,
                         trust_policy, session_duration, console_login, created_at, updated_at)
                     VALUES ($1, $2, $3, 'theirs', 'user', '{}', 7200, $4, $5, $5)")
                .bind(act.new_id::<i64>())
                .bind(account)
                .bind(&theirs)
                .bind(true)
                .bind(now)
                .execute(tx)
                .await
            })
            .await;
        let alice = Principal::User(world.user("alice").await);
        let triple = world.triple(alice, account, id);
        let item = world.assign(&[triple]).await[0];
        world.run_tasks().await;
        let task = world.task(item.task).await;
        assert_eq!(task.state, State::Failed);
        assert!(task.reason.unwrap().contains("not managed by Identity Center"));
        let rows: Vec<(String, i64)> = world
            .rows(sql("SELECT description, session_duration FROM cloud_roles WHERE name = $1")
                .bind(&theirs))
            .await;
        assert_eq!(rows, [("theirs".to_owned(), 7200)]);
        // It confers nothing, and is given again once the clash is gone.
        assert_eq!(world.count("SELECT COUNT(*) FROM assignments WHERE state = 'failed'").await, 1);
        world
            .write(async |tx, _| {
                sql("DELETE FROM cloud_roles WHERE name = $1").bind(&theirs).execute(tx).await
            })
            .await;
        let again = world.assign(&[triple]).await[0];
        world.run_tasks().await;
        assert_eq!(world.task(again.task).await.state, State::Success);
    }

    /// Such a provider is as old as the account: by the account's own hands none can be made now.
    async fn dpl_16_a_provider_that_is_not_ours_is_never_overwritten(world) {
        let id = world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let theirs = provisioning::names::saml_provider(world.space.id);
        let (account, now) = (world.member.uin, world.now());
        world
            .write(async |tx, _| {
                sql("INSERT INTO cloud_saml_providers
                         (account_uin, name, description, metadata, created_at, updated_at)
                     VALUES ($1, $2, 'theirs', '<theirs/>', $3, $3)")
                .bind(account)
                .bind(&theirs)
                .bind(now)
                .execute(tx)
                .await
            })
            .await;
        let alice = Principal::User(world.user("alice").await);
        let triple = world.triple(alice, account, id);
        let item = world.assign(&[triple]).await[0];
        world.run_tasks().await;
        let task = world.task(item.task).await;
        assert_eq!(task.state, State::Failed);
        assert!(task.reason.unwrap().contains("not managed by Identity Center"));
        let rows: Vec<(String, String)> = world
            .rows(sql("SELECT description, metadata FROM cloud_saml_providers WHERE name = $1")
                .bind(&theirs))
            .await;
        assert_eq!(rows, [("theirs".to_owned(), "<theirs/>".to_owned())]);
        let made = "SELECT COUNT(*) FROM cloud_roles WHERE managed_by IS NOT NULL AND name LIKE
            'TencentCloudSSO-%'";
        assert_eq!(world.count(made).await, 0, "no role trusts somebody else's provider");
        world
            .write(async |tx, _| {
                let gone = sql("DELETE FROM cloud_saml_providers WHERE name = $1");
                gone.bind(&theirs).execute(tx).await
            })
            .await;
        let again = world.assign(&[triple]).await[0];
        world.run_tasks().await;
        assert_eq!(world.task(again.task).await.state, State::Success);
    }

    async fn dpl_11_the_provider_goes_with_the_last_configuration(world) {
        let alice = Principal::User(world.user("alice").await);
        let mut triples = Vec::new();
        for name in ["one", "two"] {
            let id = world.configuration(name, &["ReadOnlyAccess"]).await;
            triples.push(world.triple(alice, world.member.uin, id));
        }
        world.assign(&triples).await;
        world.run_tasks().await;
        for (index, triple) in triples.iter().enumerate() {
            let space = world.space.id;
            world
                .write(async |tx, act| {
                    let last = identity_center::permission::RemovalStrategy::DeprovisionForLast;
                    provisioning::remove_assignment(tx, act, space, triple, last).await
                })
                .await;
            world.run_tasks().await;
            let left = i64::try_from(1 - index).unwrap();
            assert_eq!(world.count("SELECT COUNT(*) FROM cloud_saml_providers").await, left);
        }
    }

    async fn us_01_us_13_us_15_maa_04_a_synced_cam_user_has_the_name_and_no_permissions(world) {
        let alice = world.user("alice").await;
        let item = sync(world, Principal::User(alice), DuplicationStrategy::KeepBoth,
                        DeletionStrategy::Delete).await;
        world.run_tasks().await;
        assert_eq!(world.task(item.task).await.state, State::Success);
        assert_eq!(cam_users(world).await, [("alice@test".to_owned(), false, true)]);
        assert_eq!(world.count("SELECT COUNT(*) FROM cloud_user_policies").await, 0);
        // US-15: a disabled user is shut out in the account, too.
        for (enabled, blocked) in [(false, true), (true, false)] {
            world
                .write(async |tx, act| -> Result<_, provisioning::Error> {
                    let space = world.space.id;
                    let set = directory::set_user_enabled(tx, act, space, alice, enabled).await;
                    assert!(set.unwrap());
                    let changed = [Principal::User(alice)];
                    Ok(provisioning::access_changed(tx, act, space, &changed).await?)
                })
                .await;
            // Out at once, before any task has run.
            assert!(cam_users(world).await[0].1);
            world.run_tasks().await;
            assert_eq!(cam_users(world).await[0].1, blocked);
        }
        let id = item.user_sync.unwrap();
        world
            .write(async |tx, act| {
                provisioning::delete_user_sync(tx, act, world.space.id, id).await
            })
            .await;
        world.run_tasks().await;
        assert_eq!(cam_users(world).await, []);
        assert_eq!(world.count("SELECT COUNT(*) FROM user_syncs").await, 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM cloud_saml_providers").await, 0);
    }

    async fn us_04_us_05_us_13_a_name_that_is_there_is_kept_apart_or_taken_over(world) {
        let make = async |name: &str| {
            let account = world.member.uin;
            world
                .write(async |tx, act| {
                    cloud::create_user(tx, act, account, name, None, "theirs").await
                })
                .await
        };
        make("alice@test").await;
        make("bob@test").await;
        let [alice, bob, carl] =
            [world.user("alice").await, world.user("bob").await, world.user("carl").await];
        let (keep, take) = (DuplicationStrategy::KeepBoth, DuplicationStrategy::TakeOver);
        sync(world, Principal::User(alice), keep, DeletionStrategy::Keep).await;
        let taken = sync(world, Principal::User(bob), take, DeletionStrategy::Keep).await;
        make("carl@test").await;
        make("carl@test_cic").await;
        let clash = sync(world, Principal::User(carl), keep, DeletionStrategy::Keep).await;
        world.run_tasks().await;
        let named = |name: &str, ours| (name.to_owned(), false, ours);
        assert_eq!(
            cam_users(world).await,
            [
                named("alice@test", false),
                named("alice@test_cic", true),
                named("bob@test", true),
                named("carl@test", false),
                named("carl@test_cic", false),
            ]
        );
        let task = world.task(clash.task).await;
        assert_eq!(task.state, State::Failed);
        assert!(task.reason.unwrap().contains("carl@test"));
        // US-07, US-13: kept, and nobody's but the account's again.
        world
            .write(async |tx, act| {
                let id = taken.user_sync.unwrap();
                provisioning::delete_user_sync(tx, act, world.space.id, id).await
            })
            .await;
        world.run_tasks().await;
        assert!(cam_users(world).await.contains(&named("bob@test", false)));
    }

    async fn us_14_members_come_and_go_unless_another_sync_covers_them(world) {
        let [alice, bob] = [world.user("alice").await, world.user("bob").await];
        let group = world.group("team", &[alice]).await;
        sync(world, Principal::Group(group), DuplicationStrategy::KeepBoth,
             DeletionStrategy::Delete).await;
        sync(world, Principal::User(alice), DuplicationStrategy::KeepBoth,
             DeletionStrategy::Delete).await;
        world.run_tasks().await;
        let names = async || -> Vec<String> {
            cam_users(world).await.into_iter().map(|(name, ..)| name).collect()
        };
        assert_eq!(names().await, ["alice@test"], "one CAM user for both");
        let member = async |user: UserId, joins: bool| {
            world
                .write(async |tx, act| -> Result<_, provisioning::Error> {
                    let space = &world.space;
                    let done = if joins {
                        directory::add_member(tx, act, space, group, user, &world.app.directory_limits()).await
                    } else {
                        directory::remove_member(tx, act, space, group, user).await
                    };
                    done.unwrap();
                    let changed = [Principal::User(user), Principal::Group(group)];
                    Ok(provisioning::access_changed(tx, act, space.id, &changed).await?)
                })
                .await;
            world.run_tasks().await;
        };
        member(bob, true).await;
        assert_eq!(names().await, ["alice@test", "bob@test"]);
        member(bob, false).await;
        assert_eq!(names().await, ["alice@test"]);
        member(alice, false).await;
        assert_eq!(names().await, ["alice@test"], "her own sync still covers her");
    }
}
