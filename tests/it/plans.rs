//! Plans against what really happens: random acts on random states, and by the API.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use identity_center::{
    access::{
        self, ReachState,
        plan::{self, Change, Edit, Error, ObjectKind, Operation, Place, Plan, State, What},
    },
    audit::Act,
    cloud,
    directory::{self, NewUser},
    id::{ConfigurationId, GroupId, Principal, PrincipalKind, TaskId, Uin, UserId, UserSyncId},
    permission::{
        self, ConfigurationPolicyName, Limits, NewPolicy, RemovalStrategy, Triple,
        UndeploymentStage,
    },
    policy::catalogue,
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync, Reconciler},
    store::{Write, sql},
    task::{End, Handler, Kind, Outcome, State as TaskState, Task, Worker},
};
use serde_json::{Value, json};

use crate::{api::Client, in_both_worlds, journey::count, on_both, rules::Office, world::World};

/// Chance that can be repeated: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % most
    }

    fn one<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    fn some<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = 1 + self.below(most);
        (0..count).map(|_| one(self)).collect()
    }
}

/// Who and what there is to act on.
struct Cast {
    accounts: Vec<Uin>,
    users: Vec<UserId>,
    groups: Vec<GroupId>,
    configurations: Vec<ConfigurationId>,
}

const PRESETS: [&str; 4] =
    ["ReadOnlyAccess", "QcloudCVMFullAccess", "QcloudCVMReadOnlyAccess", "AdministratorAccess"];

/// A company in which some names are taken already.
async fn cast(world: &World) -> Cast {
    let two = world.account("two").await.uin;
    let three = world.account("three").await.uin;
    let mut users = Vec::new();
    for name in ["ann", "bob", "eve", "dan"] {
        users.push(world.user(name).await);
    }
    let groups = vec![
        world.group("Sales", &users[..2]).await,
        world.group("Support", &users[1..]).await,
        world.group("Nobody", &[]).await,
    ];
    let space = world.space.id;
    world
        .write(async |tx, act| {
            directory::set_user_enabled(tx, act, space, users[3], false).await.map(|_| ())
        })
        .await;
    let mut configurations = Vec::new();
    for (name, presets) in [("look", &PRESETS[..1]), ("run", &PRESETS[1..3]), ("nil", &[])] {
        configurations.push(world.configuration(name, presets).await);
    }
    let (member, now) = (world.member.uin, world.now());
    world
        .write(async |tx, act| {
            for (account, name) in [(two, provisioning::names::role("run"))] {
                sql("INSERT INTO cloud_roles (id, account_uin, name, description, kind,
                         trust_policy, session_duration, console_login, created_at, updated_at)
                     VALUES ($1, $2, $3, 'theirs', 'user', '{}', 7200, $4, $5, $5)")
                .bind(act.new_id::<i64>())
                .bind(account)
                .bind(name)
                .bind(true)
                .bind(now)
                .execute(tx)
                .await?;
            }
            sql("INSERT INTO cloud_saml_providers (account_uin, name, description, metadata,
                     created_at, updated_at) VALUES ($1, $2, 'theirs', 'theirs', $3, $3)")
            .bind(three)
            .bind(provisioning::names::saml_provider(space))
            .bind(now)
            .execute(tx)
            .await?;
            for (account, name) in [
                (member, "ann@test"),
                (two, "bob@test"),
                (two, "bob@test_cic"),
                (member, "dan@test"),
            ] {
                cloud::create_user(tx, act, account, name, None, "")
                    .await
                    .map_err(|_| identity_center::store::Error::Nul)?;
            }
            Ok::<_, identity_center::store::Error>(())
        })
        .await;
    Cast { accounts: vec![world.management.uin, member, two, three], users, groups, configurations }
}

fn principal(cast: &Cast, chance: &mut Chance) -> Principal {
    match chance.below(2) {
        0 => Principal::User(chance.one(&cast.users)),
        _ => Principal::Group(chance.one(&cast.groups)),
    }
}

fn place(cast: &Cast, chance: &mut Chance) -> Place {
    Place { account: chance.one(&cast.accounts), configuration: chance.one(&cast.configurations) }
}

fn triple(cast: &Cast, chance: &mut Chance) -> Triple {
    let Place { account, configuration } = place(cast, chance);
    Triple { principal: principal(cast, chance), account, configuration }
}

/// An act, of those that may work more often than of those that cannot.
async fn operation(world: &World, cast: &Cast, chance: &mut Chance) -> Operation {
    let assigned: Vec<(PrincipalKind, i64, Uin, ConfigurationId)> = world
        .rows(sql("SELECT principal_kind, principal_id, account_uin, configuration_id
                   FROM assignments ORDER BY id"))
        .await;
    let assigned: Vec<Triple> = assigned
        .into_iter()
        .map(|(kind, number, account, configuration)| Triple {
            principal: Principal::new(kind, number),
            account,
            configuration,
        })
        .collect();
    let deployed: Vec<(Uin, ConfigurationId)> =
        world.rows(sql("SELECT account_uin, configuration_id FROM deployments ORDER BY id")).await;
    let deployed: Vec<Place> = deployed
        .into_iter()
        .map(|(account, configuration)| Place { account, configuration })
        .collect();
    let syncs: Vec<(UserSyncId,)> = world.rows(sql("SELECT id FROM user_syncs ORDER BY id")).await;
    let there = |chance: &mut Chance| {
        if deployed.is_empty() || chance.below(6) == 0 {
            place(cast, chance)
        } else {
            chance.one(&deployed)
        }
    };
    match chance.below(16) {
        0..=3 => Operation::Assign(chance.some(6, |chance| triple(cast, chance))),
        4 | 5 => {
            let mut triples = chance.some(4, |chance| {
                if assigned.is_empty() { triple(cast, chance) } else { chance.one(&assigned) }
            });
            triples.sort();
            triples.dedup();
            let strategy = chance.one(RemovalStrategy::ALL);
            Operation::Unassign { triples, strategy }
        }
        6 => Operation::Deploy(vec![place(cast, chance)]),
        7 => Operation::Redeploy(vec![there(chance)]),
        8 | 9 => {
            let mut places = chance.some(2, there);
            places.sort();
            places.dedup();
            Operation::Undeploy { places, remove_assignments: chance.below(3) > 0 }
        }
        10 => Operation::Clear(vec![there(chance)]),
        11 | 12 => Operation::Sync(chance.some(3, |chance| NewUserSync {
            principal: principal(cast, chance),
            account: chance.one(&cast.accounts),
            description: String::new(),
            duplication: chance.one(DuplicationStrategy::ALL),
            deletion: chance.one(DeletionStrategy::ALL),
        })),
        13 if !syncs.is_empty() => Operation::Unsync(chance.some(2, |chance| chance.one(&syncs).0)),
        13 | 14 => Operation::Edit(chance.one(&cast.configurations), Box::new(edit(chance))),
        _ => match chance.below(3) {
            0 => Operation::DeleteUser(chance.one(&cast.users)),
            1 => Operation::DeleteGroup(chance.one(&cast.groups)),
            _ => Operation::DeleteConfiguration(chance.one(&cast.configurations)),
        },
    }
}

fn edit(chance: &mut Chance) -> Edit {
    let mut edit = Edit { redeploy: chance.below(2) == 0, ..Edit::default() };
    let name = chance.one(&PRESETS);
    match chance.below(3) {
        0 => edit.added.push(NewPolicy::Preset(name.to_owned())),
        1 => {
            let preset = catalogue::by_name(name).unwrap();
            edit.removed.push(ConfigurationPolicyName::Preset(preset.id));
        }
        _ => edit.change.session_duration = Some(chance.one(&[3600, 7200])),
    }
    edit
}

/// All of a world that a plan speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Snapshot {
    objects: BTreeSet<(Option<Uin>, ObjectKind, String)>,
    outdated: BTreeSet<(Uin, String)>,
    reach: BTreeSet<(UserId, Uin, What)>,
}

async fn snapshot(world: &World) -> Snapshot {
    let mut objects = BTreeSet::new();
    for (kind, statement) in [
        (
            ObjectKind::Role,
            "SELECT account_uin, name FROM cloud_roles WHERE managed_by IS NOT NULL
             AND name LIKE 'TencentCloudSSO-%'",
        ),
        (
            ObjectKind::SamlProvider,
            "SELECT account_uin, name FROM cloud_saml_providers WHERE managed_by IS NOT NULL",
        ),
        (
            ObjectKind::CamUser,
            "SELECT account_uin, name FROM cloud_users WHERE managed_by IS NOT NULL",
        ),
        (
            ObjectKind::UserSync,
            "SELECT s.account_uin, COALESCE(u.user_name, g.name) FROM user_syncs s
          LEFT JOIN users u ON s.principal_kind = 'user' AND u.id = s.principal_id
          LEFT JOIN groups g ON s.principal_kind = 'group' AND g.id = s.principal_id
          WHERE s.state <> 'removing'",
        ),
        (
            ObjectKind::Assignment,
            "SELECT a.account_uin, COALESCE(u.user_name, g.name) || ': ' || c.name
          FROM assignments a
          JOIN permission_configurations c ON c.id = a.configuration_id
          LEFT JOIN users u ON a.principal_kind = 'user' AND u.id = a.principal_id
          LEFT JOIN groups g ON a.principal_kind = 'group' AND g.id = a.principal_id
          WHERE a.state <> 'removing'",
        ),
    ] {
        let rows: Vec<(Uin, String)> = world.rows(sql(statement)).await;
        objects.extend(rows.into_iter().map(|(account, name)| (Some(account), kind, name)));
    }
    let bindings: Vec<(Uin, String, i64)> = world
        .rows(sql("SELECT r.account_uin, r.name, p.policy_id FROM cloud_role_policies p
                   JOIN cloud_roles r ON r.id = p.role_id WHERE r.managed_by IS NOT NULL
                   AND r.name LIKE 'TencentCloudSSO-%'"))
        .await;
    objects.extend(bindings.into_iter().map(|(account, role, policy)| {
        let policy = &catalogue::by_id(policy).unwrap().name;
        (Some(account), ObjectKind::PolicyBinding, format!("{role}: {policy}"))
    }));
    for (kind, statement) in [
        (ObjectKind::User, "SELECT user_name FROM users WHERE deleted_at IS NULL"),
        (ObjectKind::Group, "SELECT name FROM groups WHERE deleted_at IS NULL"),
        (ObjectKind::Configuration, "SELECT name FROM permission_configurations"),
    ] {
        let rows: Vec<(String,)> = world.rows(sql(statement)).await;
        objects.extend(rows.into_iter().map(|(name,)| (None, kind, name)));
    }
    let outdated: Vec<(Uin, String)> = world
        .rows(sql("SELECT d.account_uin, c.name FROM deployments d
                   JOIN permission_configurations c ON c.id = d.configuration_id
                   WHERE d.deployed_content <> c.content"))
        .await;
    let users: Vec<(UserId,)> =
        world.rows(sql("SELECT id FROM users WHERE deleted_at IS NULL")).await;
    let mut reach = BTreeSet::new();
    for (user,) in users {
        let space = world.space.id;
        for account in world.read(async |tx| access::reachable(tx, space, user).await).await {
            let roles = account.roles.iter().filter(|it| it.state == ReachState::Deployed);
            reach.extend(roles.map(|it| (user, account.uin, What::Role(it.id))));
            let cam = account.users.iter().filter(|it| it.state == ReachState::Deployed);
            reach.extend(cam.map(|it| (user, account.uin, What::CamUser(it.name.clone()))));
        }
    }
    Snapshot { objects, outdated: outdated.into_iter().collect(), reach }
}

type TaskRow = (Kind, Uin, Option<ConfigurationId>, Option<PrincipalKind>, Option<i64>, TaskState);

async fn tasks_after(world: &World, last: TaskId) -> Vec<TaskRow> {
    world
        .rows(
            sql("SELECT kind, account_uin, configuration_id, principal_kind, principal_id, state
                   FROM tasks WHERE id > $1 ORDER BY id")
            .bind(last),
        )
        .await
}

async fn last_task(world: &World) -> TaskId {
    TaskId(world.count("SELECT COALESCE(MAX(id), 0) FROM tasks").await)
}

/// What a snapshot would be after a plan.
fn predicted(before: &Snapshot, plan: &Plan) -> Snapshot {
    let mut after = before.clone();
    for object in &plan.objects {
        let key = (object.account, object.kind, object.name.clone());
        match (object.kind, object.change) {
            (ObjectKind::Deployment, _) => {
                let at = (object.account.unwrap(), object.name.clone());
                if !after.outdated.remove(&at) {
                    after.outdated.insert(at);
                }
            }
            (_, Change::Create | Change::TakeOver) => {
                after.objects.insert(key);
            }
            (_, Change::Remove | Change::Release) => {
                assert!(after.objects.remove(&key), "what goes was there: {key:?}");
            }
            (_, Change::Update) => assert!(after.objects.contains(&key), "{key:?}"),
        }
    }
    let reach = |it: &plan::Reach| (it.user, it.account, it.what.clone());
    for lost in &plan.losses {
        assert!(after.reach.remove(&reach(lost)), "{lost:?}");
    }
    for gained in &plan.gains {
        assert!(after.reach.insert(reach(gained)), "{gained:?}");
    }
    after
}

async fn planned(world: &World, operation: &Operation) -> Result<Plan, Error> {
    let (space, limits, act) = (&world.space, Limits::default(), world.act());
    let state = world
        .app
        .db
        .read(async |tx| State::read(tx, &act, space, operation, &limits).await)
        .await?;
    Ok(plan::plan(&state, operation))
}

async fn apply(world: &World, operation: &Operation, hash: &str) -> Result<plan::Applied, Error> {
    let (space, limits) = (&world.space, Limits::default());
    world
        .try_write(async |tx, act| plan::apply(tx, act, space, operation, hash, &limits).await)
        .await
}

/// Plans, acts, and compares.
async fn act_and_compare(world: &World, operation: &Operation) -> Option<Plan> {
    let before = snapshot(world).await;
    let last = last_task(world).await;
    let Ok(plan) = planned(world, operation).await else {
        // What is refused before it is planned is refused when it is done.
        assert!(apply(world, operation, "").await.is_err(), "{operation:?}");
        return None;
    };
    assert_eq!(snapshot(world).await, before, "looking changes nothing");
    let applied = apply(world, operation, &plan.hash()).await;
    if plan.is_refused {
        assert!(applied.is_err(), "{operation:?}: {plan:?}");
        assert_eq!(snapshot(world).await, before);
        assert_eq!(last_task(world).await, last);
        return Some(plan);
    }
    let applied = applied.unwrap_or_else(|error| panic!("{operation:?}: {plan:?}: {error}"));
    assert_eq!(applied.plan, plan);
    let wanted: Vec<TaskRow> = plan
        .tasks
        .iter()
        .map(|it| {
            let state = if it.fails { TaskState::Failed } else { TaskState::Ready };
            let (kind, number) = it.principal.map(|it| (it.kind(), it.number())).unzip();
            (it.kind, it.account, it.configuration, kind, number, state)
        })
        .collect();
    assert_eq!(tasks_after(world, last).await, wanted, "{operation:?}");
    assert_eq!(applied.tasks.len(), wanted.len());
    world.run_tasks().await;
    let (found, wanted) = (snapshot(world).await, predicted(&before, &plan));
    let difference = |one: &Snapshot, other: &Snapshot| {
        let objects: Vec<_> = one.objects.difference(&other.objects).cloned().collect();
        let reach: Vec<_> = one.reach.difference(&other.reach).cloned().collect();
        let outdated: Vec<_> = one.outdated.difference(&other.outdated).cloned().collect();
        (objects, reach, outdated)
    };
    // A deployment that is made anew is not outdated, without anybody saying so.
    let mut wanted = wanted;
    let deploys = plan.tasks.iter().any(|it| it.kind != Kind::StartUserSync);
    if deploys {
        wanted.outdated.clone_from(&found.outdated);
    }
    assert_eq!(
        found,
        wanted,
        "{operation:?}\n{plan:#?}\nunforeseen: {:?}\nnot come: {:?}",
        difference(&found, &wanted),
        difference(&wanted, &found)
    );
    Some(plan)
}

in_both_worlds! {
    async fn the_plan_is_the_effect_whatever_the_act_and_the_state(world) {
        let mut chance = Chance(0x5eed_0001);
        let cast = cast(world).await;
        let (mut carried_out, mut refused, mut clashes) = (0, 0, 0);
        for _ in 0..120 {
            let mut operation = operation(world, &cast, &mut chance).await;
            // Somebody whom nothing holds, so that deleting works sometimes.
            if let Operation::DeleteUser(_) = operation {
                let new = NewUser { user_name: "spare".to_owned(), ..NewUser::default() };
                let space = world.space.id;
                let spare = world.try_write(async |tx, act| {
                    directory::create_user(tx, act, space, &new, 10_000).await
                });
                if let Ok(spare) = spare.await {
                    operation = Operation::DeleteUser(spare.id);
                }
            }
            match act_and_compare(world, &operation).await {
                Some(plan) if plan.is_refused => refused += 1,
                Some(plan) => {
                    carried_out += 1;
                    clashes += usize::from(!plan.conflicts.is_empty());
                }
                None => {}
            }
        }
        let counts = (carried_out, refused, clashes);
        assert!(carried_out >= 40 && refused >= 5 && clashes >= 5, "{counts:?}");
    }

    async fn a_plan_that_is_not_so_any_more_is_refused_with_the_fresh_one(world) {
        let cast = cast(world).await;
        let [look, run] = [cast.configurations[0], cast.configurations[1]];
        let of = |principal, configuration| {
            Operation::Assign(vec![world.triple(principal, world.member.uin, configuration)])
        };
        let sales = of(Principal::Group(cast.groups[0]), look);
        let plan = planned(world, &sales).await.unwrap();
        assert_eq!(plan.gains.len(), 2);
        // The hash of one act is not that of another that does the same things elsewhere.
        let other = planned(world, &of(Principal::Group(cast.groups[0]), run)).await.unwrap();
        assert_ne!(plan.hash(), other.hash());
        assert_eq!(plan.hash(), planned(world, &sales).await.unwrap().hash());
        // Somebody joins the group meanwhile: more would gain than was agreed to.
        let eve = cast.users[2];
        world
            .write(async |tx, act| {
                directory::add_member(tx, act, &world.space, cast.groups[0], eve, &world.app.directory_limits()).await
            })
            .await;
        let before = snapshot(world).await;
        let Err(Error::Stale(fresh)) = apply(world, &sales, &plan.hash()).await else { panic!() };
        assert_eq!(fresh.gains.len(), 3);
        assert_eq!(snapshot(world).await, before);
        for wrong in ["", "x", &plan.hash()[1..]] {
            assert!(matches!(apply(world, &sales, wrong).await, Err(Error::Stale(_))));
        }
        apply(world, &sales, &fresh.hash()).await.unwrap();
        world.run_tasks().await;
        assert_eq!(snapshot(world).await, predicted(&before, &fresh));
        // What was done once is another plan the second time: nothing new.
        let again = planned(world, &sales).await.unwrap();
        assert!(again.is_refused && again.objects.is_empty());
        let Err(Error::Permission(permission::Error::AssignmentsExist)) =
            apply(world, &sales, &again.hash()).await else { panic!() };
        // Too much, nothing, and what is unknown are refused as the acts themselves would be.
        let many = vec![world.triple(Principal::User(eve), world.member.uin, look); 51];
        for (operation, unknown) in [
            (Operation::Assign(many), false),
            (Operation::Assign(Vec::new()), false),
            (of(Principal::User(UserId(1)), look), true),
        ] {
            match planned(world, &operation).await {
                Err(Error::CountInvalid) => assert!(!unknown),
                Err(Error::Unknown(_)) => assert!(unknown),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn dpl_09_a_configuration_is_taken_off_in_three_steps(world) {
        let cast = cast(world).await;
        let (look, account, space) = (cast.configurations[0], world.member.uin, world.space.id);
        let there = Place { account, configuration: look };
        let stage = async || {
            world.read(async |tx| permission::undeployment(tx, space, look, account).await).await
        };
        assert_eq!(stage().await.stage, UndeploymentStage::Undeployed);
        let all = [
            Principal::User(cast.users[0]),
            Principal::User(cast.users[1]),
            Principal::Group(cast.groups[0]),
        ];
        let triples = all.map(|principal| world.triple(principal, account, look));
        world.assign(&triples).await;
        world.run_tasks().await;
        let found = stage().await;
        assert_eq!((found.stage, found.users, found.groups), (UndeploymentStage::Assigned, 2, 1));
        let names: Vec<&str> = found.named.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["ann", "bob", "Sales"]);

        // DPL-13: not while there are assignments, unless they are to go, too.
        let places = vec![there];
        let alone = Operation::Undeploy { places: places.clone(), remove_assignments: false };
        let plan = planned(world, &alone).await.unwrap();
        assert!(plan.is_refused && plan.conflicts[0].detail == "assignments: 3");

        // The first step by itself: the assignments are gone for good, and the role is there.
        let plan = act_and_compare(world, &Operation::Clear(places.clone())).await.unwrap();
        assert_eq!((plan.tasks.len(), plan.losses.len()), (3, 2));
        let found = stage().await;
        assert_eq!(found.stage, UndeploymentStage::AssignmentsRemoved);
        assert_eq!((found.users, found.groups, found.removing), (0, 0, 0));
        act_and_compare(world, &alone).await.unwrap();
        assert_eq!(stage().await.stage, UndeploymentStage::Undeployed);

        // Both steps at once, and the second fails.
        world.assign(&triples).await;
        world.run_tasks().await;
        let both = Operation::Undeploy { places, remove_assignments: true };
        let plan = planned(world, &both).await.unwrap();
        let applied = apply(world, &both, &plan.hash()).await.unwrap();
        assert_eq!(stage().await.stage, UndeploymentStage::Undeploying);
        assert_eq!(stage().await.removing, 3);
        assert_eq!(applied.tasks.len(), 4);
        run_barred(world).await;
        let found = stage().await;
        assert_eq!(found.stage, UndeploymentStage::UndeployFailed);
        assert_eq!((found.users, found.groups, found.removing), (0, 0, 0));
        assert_eq!(found.reason.as_deref(), Some("the account is barred"));
        let reach = snapshot(world).await.reach;
        assert!(reach.is_empty(), "the role is there, and nobody has it: {reach:?}");
        // It can be tried again.
        act_and_compare(world, &both).await.unwrap();
        assert_eq!(stage().await.stage, UndeploymentStage::Undeployed);
        // And where it failed, it can be wanted again: it is deployed from nothing.
        world.assign(&triples).await;
        world.run_tasks().await;
        let plan = planned(world, &both).await.unwrap();
        apply(world, &both, &plan.hash()).await.unwrap();
        run_barred(world).await;
        world.assign(&triples[..1]).await;
        world.run_tasks().await;
        let found = stage().await;
        assert_eq!((found.stage, found.users), (UndeploymentStage::Assigned, 1));
        assert_eq!(snapshot(world).await.reach.len(), 1);
    }
}

/// A handler that cannot take anything off.
struct Barred(Reconciler);

#[async_trait]
impl Handler for Barred {
    async fn run(&self, task: &Task) -> Outcome {
        match task.kind {
            Kind::DeprovisionConfiguration => Outcome::Failed("the account is barred".to_owned()),
            _ => self.0.run(task).await,
        }
    }

    async fn conclude(
        &self,
        tx: &mut Write,
        act: &Act,
        task: &Task,
        end: &End,
    ) -> identity_center::store::Result<()> {
        self.0.conclude(tx, act, task, end).await
    }
}

/// Runs every task that is ready; nothing can be taken off an account.
async fn run_barred(world: &World) {
    let app = &world.app;
    let (db, clock, ids) = (app.db.clone(), app.clock.clone(), app.ids.clone());
    let url = app.settings.url("");
    let inner = Reconciler::new(db.clone(), clock.clone(), ids.clone(), app.clouds(), url);
    let worker = Worker::new(db, clock, ids, 4, Arc::new(Barred(inner))).unwrap();
    worker.run_all_ready().await.unwrap();
}

on_both! {
    async fn rs_04_the_review_shows_the_plan_and_refuses_another_one(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        let assign = json!({ "Type": "Assign", "RoleAssignmentInfo": [office.triple(&ann, &look)] });
        let asked = |operation: &Value| json!({ "ZoneId": office.zone, "Operation": operation });
        let before = office.cam(house).await;
        let planned = own.done(house, "DescribePlan", asked(&assign)).await;
        assert_eq!(office.cam(house).await, before, "nothing is changed by looking");
        let plan = &planned["Plan"];
        let uin = office.account.uin.0;
        let object = |kind: &str, name: &str| {
            json!({ "TargetUin": uin, "ObjectType": kind, "ObjectName": name, "Change": "Create",
                "Detail": "" })
        };
        let provider = format!("TencentReservedSSO-{}", office.zone);
        assert_eq!(plan["Objects"], json!([
            object("Role", "TencentCloudSSO-look"),
            object("PolicyBinding", "TencentCloudSSO-look: QcloudCVMReadOnlyAccess"),
            object("SAMLProvider", &provider),
            object("RoleAssignment", "ann: look"),
        ]));
        assert_eq!(plan["Tasks"], json!([{ "TaskType": "CreateRoleAssignment", "TargetUin": uin,
            "RoleConfigurationId": look, "PrincipalId": ann, "PrincipalType": "User",
            "WillFail": false }]));
        assert_eq!(plan["Gains"], json!([{ "UserId": ann, "UserName": "ann", "TargetUin": uin,
            "AccessType": "Role", "RoleConfigurationId": look, "CamUserName": "" }]));
        let nothing = json!([]);
        for (name, wanted) in [("Losses", &nothing), ("Conflicts", &nothing),
            ("IsRefused", &json!(false)), ("GainCount", &json!(1)), ("LossCount", &json!(0))] {
            assert_eq!(&plan[name], wanted, "{name}");
        }

        // The configuration changes in between: the answer has the plan as it is now.
        let more = json!({ "RoleConfigurationId": look, "RolePolicyType": "System",
            "RolePolicyNames": ["ReadOnlyAccess"] });
        office.done(house, "AddPermissionPolicyToRoleConfiguration", more).await;
        let mut apply = asked(&assign);
        apply["PlanHash"] = planned["PlanHash"].clone();
        let stale = own.call(house, "ApplyPlan", apply.clone()).await;
        assert_eq!(stale["Error"]["Code"], "FailedOperation.PlanStale");
        assert_eq!(stale["Plan"]["Objects"].as_array().unwrap().len(), 5);
        assert_eq!(office.cam(house).await, before);
        apply["PlanHash"] = stale["PlanHash"].clone();
        let applied = own.done(house, "ApplyPlan", apply.clone()).await;
        assert_eq!(applied["Plan"], stale["Plan"]);
        office.settle(house).await;
        let task = json!({ "TaskId": applied["TaskIds"][0] });
        let task = office.done(house, "GetTaskStatus", task).await;
        assert_eq!(task["TaskStatus"]["Status"], "Success");
        assert!(office.cam(house).await[1].to_string().contains("TencentCloudSSO-look"));

        // A change of the configuration, its difference, and its redeployment.
        let place = json!({ "RoleConfigurationId": look, "TargetUin": uin, "TargetType": "ManagerUin" });
        let edit = json!({ "Type": "UpdateRoleConfiguration", "RoleConfigurationId": look,
            "RemoveSystemPolicyNames": ["ReadOnlyAccess"], "NewSessionDuration": 7200 });
        let planned = own.done(house, "DescribePlan", asked(&edit)).await;
        let detail = "- ReadOnlyAccess, session 3600 s to 7200 s";
        let objects = planned["Plan"]["Objects"].to_string();
        assert!(objects.contains(&format!("becomes outdated: {detail}")), "{objects}");
        apply["Operation"] = edit;
        apply["PlanHash"] = planned["PlanHash"].clone();
        own.done(house, "ApplyPlan", apply.clone()).await;
        let mut here = place.clone();
        here["ZoneId"] = json!(office.zone);
        let found = own.done(house, "DescribeDeploymentDifference", here.clone()).await;
        assert_eq!((&found["IsOutdated"], &found["RemovedPolicies"][0]["RolePolicyName"]),
            (&json!(true), &json!("ReadOnlyAccess")));
        let redeploy = json!({ "Type": "Redeploy", "RoleConfigurationProvisionings": [place] });
        let planned = own.done(house, "DescribePlan", asked(&redeploy)).await;
        apply["Operation"] = redeploy;
        apply["PlanHash"] = planned["PlanHash"].clone();
        own.done(house, "ApplyPlan", apply).await;
        office.settle(house).await;
        let found = own.done(house, "DescribeDeploymentDifference", here).await;
        assert_eq!(found["IsOutdated"], false);
        assert_eq!(found["DeployedVersion"], found["CurrentVersion"]);
    }

    async fn con_14_who_may_not_do_it_may_not_have_it_done(house) {
        let office = Office::open(house).await;
        let ann = office.user(house, "ann").await;
        let act = house.app.own_act("test").unwrap();
        let uin = office.account.uin;
        let hired = house.app.db.write(async |tx| {
            let user = cloud::create_user(tx, &act, uin, "halved", None, "").await?;
            let full = catalogue::by_name("QcloudOrganizationFullAccess").unwrap();
            cloud::attach_user_policy(tx, &act, &user, full.id).await?;
            Ok::<_, cloud::Error>(user)
        });
        let user = hired.await.unwrap();
        let halved = Client::of(house, &user).await.own();
        let operation = json!({ "Type": "DeleteUser", "UserId": ann });
        let asked = json!({ "ZoneId": office.zone, "Operation": operation });
        let planned = halved.done(house, "DescribePlan", asked.clone()).await;
        let denied = json!({ "version": "2.0", "statement": [{ "effect": "deny",
            "action": ["name/organization:DeleteUser"], "resource": ["*"] }] });
        let made = office.client.cam().done(house, "CreatePolicy",
            json!({ "PolicyName": "no-deleting", "PolicyDocument": denied.to_string() })).await;
        let bound = json!({ "PolicyId": made["PolicyId"], "AttachUin": user.uin.0 });
        office.client.cam().done(house, "AttachUserPolicy", bound).await;
        let mut apply = asked;
        apply["PlanHash"] = planned["PlanHash"].clone();
        let (code, message) = halved.refusal(house, "ApplyPlan", apply.clone()).await;
        assert!(code.starts_with("UnauthorizedOperation"), "{code}");
        assert!(message.contains("organization:DeleteUser"), "{message}");
        office.client.own().done(house, "ApplyPlan", apply).await;
    }

    async fn pc_16_dpl_08_versions_and_differences(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        office.assign(house, &ann, &look).await;
        let place = json!({ "ZoneId": office.zone, "RoleConfigurationId": look,
            "TargetUin": office.account.uin.0, "TargetType": "ManagerUin" });
        let difference =
            async || own.done(house, "DescribeDeploymentDifference", place.clone()).await;
        let first = difference().await;
        assert_eq!((&first["IsOutdated"], &first["AddedPolicies"]), (&json!(false), &json!([])));
        let version = first["CurrentVersion"].as_i64().unwrap();
        assert_eq!(first["DeployedVersion"], version);
        let policy = json!({ "RoleConfigurationId": look, "RolePolicyType": "System",
            "RolePolicyNames": ["ReadOnlyAccess"] });
        office.done(house, "AddPermissionPolicyToRoleConfiguration", policy).await;
        let found = difference().await;
        assert_eq!((&found["DeployedVersion"], &found["CurrentVersion"]),
            (&json!(version), &json!(version + 1)));
        assert_eq!(found["IsOutdated"], true);
        assert_eq!(found["AddedPolicies"][0]["RolePolicyName"], "ReadOnlyAccess");
        let described = json!({ "RoleConfigurationId": look, "NewDescription": "to look" });
        office.done(house, "UpdateRoleConfiguration", described).await;
        assert_eq!(difference().await["CurrentVersion"], version + 1, "a remark is no version");
        // Taken out again it is as it was, though two versions further (DPL-08).
        let policy = json!({ "RoleConfigurationId": look, "RolePolicyType": "System",
            "RolePolicyName": "ReadOnlyAccess" });
        office.done(house, "RemovePermissionPolicyFromRoleConfiguration", policy).await;
        let found = difference().await;
        assert_eq!((&found["IsOutdated"], &found["CurrentVersion"]),
            (&json!(false), &json!(version + 2)));
        assert_eq!(found["AddedPolicies"], json!([]));
        let mut elsewhere = place.clone();
        elsewhere["TargetType"] = json!("MemberUin");
        let (code, _) =
            own.refusal(house, "DescribeDeploymentDifference", elsewhere).await;
        assert_eq!(code, "FailedOperation.OrganizationMemberNotExist");
    }

    async fn what_an_operation_says_is_checked(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        let triple = office.triple(&ann, &look);
        let mut as_member = triple.clone();
        as_member["TargetType"] = json!("MemberUin");
        let place = json!({ "RoleConfigurationId": look, "TargetUin": office.account.uin.0,
            "TargetType": "ManagerUin" });
        for (operation, wanted, word) in [
            (json!({}), "MissingParameter", "Operation.Type"),
            (json!({ "Type": "assign" }), "InvalidParameter.ParamError", "Operation.Type"),
            (json!({ "Type": "Assign" }), "InvalidParameter.ParamError", "1 to 50"),
            (json!({ "Type": "Assign", "UserId": ann }), "InvalidParameter.ParamError", "UserId"),
            (json!({ "Type": "Assign", "Users": [] }), "UnknownParameter", "Operation.Users"),
            (json!({ "Type": "Assign", "RoleAssignmentInfo": [as_member] }),
             "FailedOperation.OrganizationMemberNotExist", "TargetType"),
            (json!({ "Type": "Assign", "RoleAssignmentInfo": vec![triple.clone(); 51] }),
             "InvalidParameter.ParamError", "50"),
            (json!({ "Type": "Deploy", "RoleConfigurationProvisionings": [{
                "RoleConfigurationId": "rc-000000000001", "TargetUin": office.account.uin.0,
                "TargetType": "ManagerUin" }] }),
             "InvalidParameter.RoleConfigurationNotExist", "Operation"),
            (json!({ "Type": "UpdateRoleConfiguration", "RoleConfigurationId": look,
                "NewSessionDuration": 1 }), "InvalidParameter.ParamError", "900"),
            (json!({ "Type": "UpdateRoleConfiguration", "RoleConfigurationId": look,
                "AddSystemPolicyNames": ["Nothing"] }),
             "InvalidParameter.BindPolicyNameNotAllowed", "Nothing"),
            (json!({ "Type": "DeleteUser", "UserId": "bob" }), "ResourceNotFound.UserNotExist", "UserId"),
        ] {
            let asked = json!({ "ZoneId": office.zone, "Operation": operation });
            let (code, text) = own.refusal(house, "DescribePlan", asked).await;
            assert_eq!(code, wanted, "{operation}");
            assert!(text.contains(word), "{operation}: {text}");
        }
        // What would be refused as a whole says so, and is refused.
        let undeploy = json!({ "Type": "Undeploy", "RoleConfigurationProvisionings": [place] });
        let asked = json!({ "ZoneId": office.zone, "Operation": undeploy });
        let planned = own.done(house, "DescribePlan", asked.clone()).await;
        assert_eq!(planned["Plan"]["IsRefused"], true);
        assert_eq!(planned["Plan"]["Conflicts"][0]["ConflictType"], "NotFound");
        let mut apply = asked;
        apply["PlanHash"] = planned["PlanHash"].clone();
        let (code, _) = own.refusal(house, "ApplyPlan", apply).await;
        assert_eq!(code, "ResourceNotFound.RoleConfigurationProvisioningNotFound");
    }

    async fn dpl_10_undeploying_starts_from_the_configuration_or_the_account(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        let uin = office.account.uin.0;
        // Either side lists the same place, and one operation takes it off.
        for side in [json!({ "RoleConfigurationId": look }), json!({ "TargetUin": uin })] {
            office.assign(house, &ann, &look).await;
            let listed = office.done(house, "ListRoleConfigurationProvisionings", side).await;
            let found = &listed["RoleConfigurationProvisionings"][0];
            let mut place = json!({});
            for name in ["RoleConfigurationId", "TargetUin", "TargetType"] {
                place[name] = found[name].clone();
            }
            let mut here = place.clone();
            here["ZoneId"] = json!(office.zone);
            let stage =
                async || own.done(house, "DescribeUndeployment", here.clone()).await;
            let assigned = stage().await;
            assert_eq!((&assigned["Stage"], &assigned["UserCount"], &assigned["GroupCount"]),
                (&json!("Assigned"), &json!(1), &json!(0)));
            assert_eq!(assigned["Principals"][0]["PrincipalName"], "ann");
            let operation = json!({ "Type": "Undeploy", "RemoveAssignments": true,
                "RoleConfigurationProvisionings": [place] });
            let mut asked = json!({ "ZoneId": office.zone, "Operation": operation });
            let planned = own.done(house, "DescribePlan", asked.clone()).await;
            assert_eq!(planned["Plan"]["LossCount"], 1);
            asked["PlanHash"] = planned["PlanHash"].clone();
            own.done(house, "ApplyPlan", asked).await;
            office.settle(house).await;
            assert_eq!(stage().await["Stage"], "Undeployed");
            assert!(!office.cam(house).await[1].to_string().contains("TencentCloudSSO-look"));
        }
    }
}

fn two_per_call(settings: &mut identity_center::config::Settings) {
    settings.limits.per_call = 2;
}

crate::with_settings! { two_per_call;
    async fn maa_09_a_plan_of_user_syncs_keeps_to_what_a_call_may_have(house) {
        let office = Office::open(house).await;
        let member = office.member(house, "shop").await;
        let mut users = Vec::new();
        for name in ["ann", "bob", "cid"] {
            users.push(office.user(house, name).await);
        }
        let own = office.client.own();
        let wanted = |users: &[Value]| {
            let one = |user: &Value| json!({ "PrincipalId": user, "PrincipalType": "User",
                "TargetUin": member.uin.0, "TargetType": "MemberUin",
                "DuplicationStrategy": "KeepBoth", "DeletionStrategy": "Keep" });
            let all: Value = users.iter().map(one).collect();
            office.here(json!({ "Operation": { "Type": "Sync", "UserSyncProvisionings": all } }))
        };
        let planned = async |wanted: &Value| {
            let planned = own.done(house, "DescribePlan", wanted.clone()).await;
            let mut apply = wanted.clone();
            apply["PlanHash"] = planned["PlanHash"].clone();
            apply
        };
        let three = planned(&wanted(&users)).await;
        let (code, text) = own.refusal(house, "ApplyPlan", three).await;
        assert_eq!(code, "LimitExceeded.CreateUserSyncProvisioningLimitExceeded");
        assert!(text.contains("1 to 2") && text.contains('3'), "{text}");
        assert_eq!(count(house, "SELECT COUNT(*) FROM user_syncs").await, 0);
        let two = planned(&wanted(&users[..2])).await;
        own.done(house, "ApplyPlan", two).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM user_syncs").await, 2);
        office.settle(house).await;
    }
}
