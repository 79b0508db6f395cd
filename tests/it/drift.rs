//! Drift: what is in the accounts, against what was recorded.

use std::collections::BTreeSet;

use identity_center::{
    id::{ConfigurationId, DriftId, Principal, TaskId, UserId},
    permission::{self, DeploymentStatus, Limits, NewPolicy},
    policy::catalogue,
    provisioning::{
        self, DeletionStrategy, DuplicationStrategy, NewUserSync,
        drift::{self, Answer, Error, Filter, Finding, Nature, ObjectKind},
    },
    store::{PageRequest, Read, Sql, sql},
};
use serde_json::{Value, json};

use crate::{in_both_worlds, journey::count, on_both, rules::Office, world::World};

/// An account with a role, a provider and a CAM user of ours.
struct Deployed {
    look: ConfigurationId,
}

const BOUND: [&str; 2] = ["QcloudCVMFullAccess", "ReadOnlyAccess"];
const ROLE: &str = "TencentCloudSSO-look";

fn policy(name: &str) -> i64 {
    catalogue::by_name(name).unwrap().id
}

impl Deployed {
    async fn new(world: &World) -> Self {
        let look = world.configuration("look", &BOUND).await;
        let alice = world.user("alice").await;
        let (account, space) = (world.member.uin, world.space.id);
        world.assign(&[world.triple(Principal::User(alice), account, look)]).await;
        let sync = NewUserSync {
            principal: Principal::User(alice),
            account,
            description: String::new(),
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Delete,
        };
        world
            .write(async |tx, act| {
                provisioning::create_user_syncs(tx, act, space, std::slice::from_ref(&sync), 50)
                    .await
            })
            .await;
        world.run_tasks().await;
        Self { look }
    }
}

async fn alice_of(tx: &mut Read) -> UserId {
    let found: (UserId,) = sql("SELECT MIN(id) FROM users").fetch_one(tx).await.unwrap();
    found.0
}

/// Changes something in an account behind our back.
async fn behind_our_back(world: &World, statement: Sql) {
    let changed = world.write(async |tx, _| statement.execute(tx).await).await;
    assert!(changed > 0, "the test changes nothing");
}

async fn unbind(world: &World, name: &str) {
    let gone = sql("DELETE FROM cloud_role_policies WHERE policy_id = $1 AND role_id IN (
        SELECT id FROM cloud_roles WHERE name = $2)");
    behind_our_back(world, gone.bind(policy(name)).bind(ROLE)).await;
}

async fn bind(world: &World, name: &str) {
    let bound = sql("INSERT INTO cloud_role_policies (role_id, policy_id, attached_at)
        SELECT id, $1, $2 FROM cloud_roles WHERE name = $3");
    behind_our_back(world, bound.bind(policy(name)).bind(world.now()).bind(ROLE)).await;
}

async fn lengthen(world: &World, seconds: i64) {
    let longer = sql("UPDATE cloud_roles SET session_duration = $1 WHERE name = $2");
    behind_our_back(world, longer.bind(seconds).bind(ROLE)).await;
}

async fn look(world: &World) -> Vec<Finding> {
    let space = world.space.id;
    world.write(async |tx, act| drift::detect(tx, act, space, None).await).await;
    world.run_tasks().await;
    all(world).await
}

async fn all(world: &World) -> Vec<Finding> {
    heard(world, Filter::default()).await
}

async fn heard(world: &World, filter: Filter) -> Vec<Finding> {
    let (space, page) = (world.space.id, PageRequest::first(100));
    world.read(async |tx| drift::findings(tx, space, &filter, page).await).await.rows
}

async fn answer(world: &World, of: &[Finding], answer: Answer) -> Result<Vec<TaskId>, Error> {
    let ids: Vec<DriftId> = of.iter().map(|it| it.id).collect();
    let space = world.space.id;
    world.try_write(async |tx, act| drift::resolve(tx, act, space, &ids, answer).await).await
}

fn short(all: &[Finding]) -> BTreeSet<(ObjectKind, String, Nature)> {
    all.iter().map(|it| (it.object_kind, it.object_name.clone(), it.nature)).collect()
}

/// What an account has: roles with their duration, bindings, the provider's metadata, CAM users.
async fn inventory(
    world: &World,
) -> (Vec<(String, i64, String)>, Vec<(i64,)>, Vec<(String,)>, i64) {
    (
        world
            .rows(
                sql("SELECT name, session_duration, trust_policy FROM cloud_roles
                       WHERE name = $1")
                .bind(ROLE),
            )
            .await,
        world
            .rows(
                sql(
                    "SELECT policy_id FROM cloud_role_policies p
                       JOIN cloud_roles r ON r.id = p.role_id WHERE r.name = $1 ORDER BY policy_id",
                )
                .bind(ROLE),
            )
            .await,
        world.rows(sql("SELECT metadata FROM cloud_saml_providers")).await,
        world
            .count(
                "SELECT COUNT(*) FROM cloud_users WHERE name = 'alice@test'
                    AND managed_by IS NOT NULL AND NOT blocked",
            )
            .await,
    )
}

async fn status(world: &World, configuration: ConfigurationId) -> DeploymentStatus {
    let (space, account) = (world.space.id, world.member.uin);
    let found = world
        .read(async |tx| permission::deployment(tx, space, configuration, account).await)
        .await;
    found.unwrap().status()
}

in_both_worlds! {
    async fn dpl_15_what_was_changed_behind_our_back_is_found_and_repaired(world) {
        let deployed = Deployed::new(world).await;
        let before = inventory(world).await;
        assert_eq!(look(world).await, [], "all is as it was recorded");

        unbind(world, "ReadOnlyAccess").await;
        bind(world, "AdministratorAccess").await;
        lengthen(world, 7200).await;
        behind_our_back(world, sql("UPDATE cloud_saml_providers SET metadata = 'other'")).await;
        let shut = sql("UPDATE cloud_users SET blocked = $1 WHERE name = 'alice@test'");
        behind_our_back(world, shut.bind(true)).await;
        let found = look(world).await;
        let provider = provisioning::names::saml_provider(world.space.id);
        let wanted = BTreeSet::from([
            (ObjectKind::Role, ROLE.to_owned(), Nature::Changed),
            (ObjectKind::PolicyBinding, format!("{ROLE}: ReadOnlyAccess"), Nature::Missing),
            (ObjectKind::PolicyBinding, format!("{ROLE}: AdministratorAccess"), Nature::Extra),
            (ObjectKind::SamlProvider, provider.clone(), Nature::Changed),
            (ObjectKind::CamUser, "alice@test".to_owned(), Nature::Changed),
        ]);
        assert_eq!(short(&found), wanted);
        let role = found.iter().find(|it| it.object_kind == ObjectKind::Role).unwrap();
        assert_eq!(role.recorded.0, json!({ "session_duration": 3600 }), "only what differs");
        assert_eq!(role.found.0, json!({ "session_duration": 7200 }));
        assert_eq!(inventory(world).await.0[0].1, 7200, "looking repairs nothing");
        world.advance(60);
        let again = look(world).await;
        assert_eq!(again, found, "what was found is not found anew");

        // The configuration changes meanwhile: a repair restores what was recorded, no more.
        let (space, limits) = (world.space.id, Limits::default());
        world
            .write(async |tx, act| {
                let new = [NewPolicy::Preset("QcloudCVMReadOnlyAccess".to_owned())];
                permission::add_policies(tx, act, space, deployed.look, &new, &limits).await
            })
            .await;
        let tasks = answer(world, &found, Answer::Repair).await.unwrap();
        assert_eq!(tasks.len(), 3, "one each for the role, the provider and the CAM user");
        world.run_tasks().await;
        assert_eq!(inventory(world).await, before);
        assert_eq!(status(world, deployed.look).await, DeploymentStatus::Outdated);
        assert_eq!(all(world).await, []);
        assert_eq!(look(world).await, []);
        let recorded = world
            .count("SELECT COUNT(*) FROM audit_records WHERE action IN ('drift.found', 'drift.repair')");
        assert_eq!(recorded.await, 10);

        // What is gone altogether is made again.
        behind_our_back(world, sql("DELETE FROM cloud_roles WHERE name = $1").bind(ROLE)).await;
        behind_our_back(world, sql("DELETE FROM cloud_saml_providers")).await;
        behind_our_back(world, sql("DELETE FROM cloud_users WHERE name = 'alice@test'")).await;
        let found = look(world).await;
        let wanted = BTreeSet::from([
            (ObjectKind::Role, ROLE.to_owned(), Nature::Missing),
            (ObjectKind::SamlProvider, provider, Nature::Missing),
            (ObjectKind::CamUser, "alice@test".to_owned(), Nature::Missing),
        ]);
        assert_eq!(short(&found), wanted);
        answer(world, &found, Answer::Repair).await.unwrap();
        world.run_tasks().await;
        assert_eq!(inventory(world).await, before);
        assert_eq!(look(world).await, []);
        // What went is no finding any more, nor to be answered.
        assert!(matches!(answer(world, &found, Answer::Repair).await, Err(Error::NotFound)));
    }

    async fn dpl_15_what_is_there_can_be_adopted(world) {
        let deployed = Deployed::new(world).await;
        bind(world, "AdministratorAccess").await;
        unbind(world, "ReadOnlyAccess").await;
        lengthen(world, 7200).await;
        behind_our_back(world, sql("UPDATE cloud_saml_providers SET metadata = 'other'")).await;
        let found = look(world).await;
        assert_eq!(found.len(), 4);
        // A provider with other keys lets nobody in, or the wrong ones: that is not adopted, and
        // nothing else of the same call is.
        assert!(matches!(answer(world, &found, Answer::Adopt).await, Err(Error::NotAdoptable(_))));
        assert_eq!(look(world).await, found);
        let (provider, rest): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|it| it.object_kind == ObjectKind::SamlProvider);
        assert_eq!(answer(world, &rest, Answer::Adopt).await.unwrap(), []);
        assert_eq!(look(world).await, provider, "what was adopted is as it should be");
        assert_eq!(status(world, deployed.look).await, DeploymentStatus::Outdated,
            "the configuration says something else");
        answer(world, &provider, Answer::Repair).await.unwrap();
        world.run_tasks().await;
        // A role that trusts somebody else is not adopted either.
        let trust = sql("UPDATE cloud_roles SET trust_policy = '{}' WHERE name = $1").bind(ROLE);
        behind_our_back(world, trust).await;
        let found = look(world).await;
        assert!(matches!(answer(world, &found, Answer::Adopt).await, Err(Error::NotAdoptable(_))));
        // A redeployment says what the configuration says.
        let (space, account) = (world.space.id, world.member.uin);
        world
            .write(async |tx, act| {
                permission::begin_deployment(tx, act, space, deployed.look, account).await
            })
            .await;
        // While a task is at it nothing is adopted.
        assert!(matches!(answer(world, &found, Answer::Adopt).await, Err(Error::Busy(_))));
        world.run_tasks().await;
        assert_eq!(status(world, deployed.look).await, DeploymentStatus::Deployed);
        let bound = inventory(world).await.1;
        let mut wanted = BOUND.map(policy);
        wanted.sort_unstable();
        assert_eq!(bound.iter().map(|(id,)| *id).collect::<Vec<_>>(), wanted);
        assert_eq!(look(world).await, []);
    }

    async fn an_answer_is_about_what_was_seen(world) {
        Deployed::new(world).await;
        lengthen(world, 7200).await;
        let seen = look(world).await;
        lengthen(world, 43_200).await;
        assert_eq!(look(world).await.len(), 1);
        for stale in [Answer::Adopt, Answer::Repair, Answer::Ignore(world.now().plus_seconds(60))] {
            assert!(matches!(answer(world, &seen, stale).await, Err(Error::NotFound)), "{stale:?}");
        }
    }

    async fn what_was_taken_off_is_not_repaired(world) {
        let deployed = Deployed::new(world).await;
        lengthen(world, 7200).await;
        let found = look(world).await;
        let (space, account) = (world.space.id, world.member.uin);
        world
            .write(async |tx, act| {
                let alice = Principal::User(alice_of(tx).await);
                for triple in permission::assignments_of_principal(tx, space, alice).await? {
                    let strategy = permission::RemovalStrategy::Keep;
                    provisioning::remove_assignment(tx, act, space, &triple, strategy).await?;
                }
                Ok::<_, permission::Error>(())
            })
            .await;
        world.run_tasks().await;
        world
            .write(async |tx, act| {
                permission::begin_removal(tx, act, space, deployed.look, account).await
            })
            .await;
        // On its way out, and when it is gone.
        assert!(answer(world, &found, Answer::Repair).await.is_err());
        world.run_tasks().await;
        assert!(matches!(answer(world, &found, Answer::Repair).await, Err(Error::NotFound)));
        assert_eq!(all(world).await, []);
    }

    async fn dpl_15_drift_can_be_ignored_until_a_moment(world) {
        Deployed::new(world).await;
        lengthen(world, 7200).await;
        let found = look(world).await;
        let now = world.now();
        for wrong in [now, now.plus_seconds(-1), now.plus_seconds(400 * 86_400)] {
            let refused = answer(world, &found, Answer::Ignore(wrong)).await;
            assert!(matches!(refused, Err(Error::MomentInvalid)));
        }
        answer(world, &found, Answer::Ignore(now.plus_seconds(3600))).await.unwrap();
        let heard_now = async || {
            heard(world, Filter { heard_at: Some(world.now()), ..Filter::default() }).await
        };
        assert_eq!(heard_now().await, []);
        look(world).await;
        assert_eq!(heard_now().await, [], "still so, and still ignored");
        assert_eq!(all(world).await.len(), 1, "it is not forgotten");
        world.advance(3600);
        assert_eq!(heard_now().await.len(), 1, "the moment has come");
        let later = world.now().plus_seconds(3600);
        answer(world, &all(world).await, Answer::Ignore(later)).await.unwrap();
        lengthen(world, 10_800).await;
        look(world).await;
        assert_eq!(heard_now().await.len(), 1, "it is another one now");
        // It goes by itself, too.
        lengthen(world, 3600).await;
        assert_eq!(look(world).await, []);
        assert!(matches!(answer(world, &[], Answer::Repair).await, Err(Error::CountInvalid)));
    }

    async fn dpl_15_accounts_are_looked_at_on_a_schedule_once_for_all_replicas(world) {
        Deployed::new(world).await;
        lengthen(world, 7200).await;
        let (space, day) = (world.space.id, 86_400);
        let due = async || {
            world.write(async |tx, act| drift::schedule(tx, act, space, day).await).await.len()
        };
        assert_eq!(due().await, 0, "the first time is a day from now");
        world.advance(day - 1);
        assert_eq!(due().await, 0);
        world.advance(1);
        let (one, other) = tokio::join!(due(), due());
        assert_eq!(one + other, 1, "one of two replicas has the one account looked at");
        assert_eq!(due().await, 0);
        // The worker that takes it is killed: its lease ends, and the next one looks.
        let taken = sql("UPDATE tasks SET state = 'running', attempt = 1, worker = 'dead',
                             lease_ends = $1 WHERE state = 'ready'");
        behind_our_back(world, taken.bind(world.now().plus_seconds(15))).await;
        world.run_tasks().await;
        assert_eq!(all(world).await, []);
        world.advance(16);
        world.run_tasks().await;
        assert_eq!(all(world).await.len(), 1);
        world.advance(day);
        assert_eq!(due().await, 1);
        world.run_tasks().await;
        assert_eq!(all(world).await.len(), 1, "the same one");
        // A shorter span counts at once.
        world.write(async |tx, act| drift::schedule(tx, act, space, 60).await).await;
        world.advance(60);
        let now = world.write(async |tx, act| drift::schedule(tx, act, space, 60).await).await;
        assert_eq!(now.len(), 1);
        world.run_tasks().await;
    }

    async fn what_a_task_is_at_is_no_drift(world) {
        let deployed = Deployed::new(world).await;
        lengthen(world, 7200).await;
        let (space, account) = (world.space.id, world.member.uin);
        // A redeployment waits: what is there now is not what will be there in a moment.
        world
            .write(async |tx, act| {
                drift::detect(tx, act, space, Some(account)).await?;
                permission::begin_deployment(tx, act, space, deployed.look, account).await
            })
            .await;
        world.run_tasks().await;
        assert_eq!(all(world).await, []);
        let nothing = world
            .write(async |tx, act| drift::detect(tx, act, space, Some(world.management.uin)).await)
            .await;
        assert_eq!(nothing, [], "nothing of ours is there");
        // What is taken off takes its findings along.
        lengthen(world, 7200).await;
        assert_eq!(look(world).await.len(), 1);
        world
            .write(async |tx, _| sql("DELETE FROM assignments").execute(tx).await)
            .await;
        world
            .write(async |tx, act| {
                permission::begin_removal(tx, act, space, deployed.look, account).await
            })
            .await;
        world.run_tasks().await;
        assert_eq!(look(world).await, []);
    }
}

on_both! {
    async fn drift_is_looked_for_listed_and_answered_over_the_api(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        office.assign(house, &ann, &look).await;
        let here = |mut given: Value| {
            given["ZoneId"] = json!(office.zone);
            given
        };
        let longer = "UPDATE cloud_roles SET session_duration = 7200
                      WHERE name = 'TencentCloudSSO-look'";
        house.app.db.write(async |tx| sql(longer).execute(tx).await).await.unwrap();
        let started = own.done(house, "DetectDrift", here(json!({}))).await;
        assert_eq!(started["TaskIds"].as_array().unwrap().len(), 1);
        office.settle(house).await;
        let listed = own.done(house, "ListDrift", here(json!({ "RoleConfigurationId": look }))).await;
        assert_eq!((&listed["TotalCounts"], &listed["CheckingCount"]), (&json!(1), &json!(0)));
        let drift = &listed["Drift"][0];
        for (field, wanted) in [
            ("TargetUin", json!(office.account.uin.0)),
            ("ObjectType", json!("Role")),
            ("ObjectName", json!("TencentCloudSSO-look")),
            ("Nature", json!("Changed")),
            ("Recorded", json!("{\"session_duration\":3600}")),
            ("Found", json!("{\"session_duration\":7200}")),
            ("IgnoredUntil", json!("")),
        ] {
            assert_eq!(drift[field], wanted, "{field}");
        }
        let ids = json!([drift["DriftId"]]);
        for (given, wanted) in [
            (json!({ "DriftIds": ids, "Resolution": "Ignore" }), "InvalidParameter.ParamError"),
            (json!({ "DriftIds": ids, "Resolution": "Repair", "IgnoreUntil": "2026-12-01 00:00:00" }),
             "InvalidParameter.ParamError"),
            (json!({ "DriftIds": ids, "Resolution": "Ignore", "IgnoreUntil": "2020-01-01 00:00:00" }),
             "InvalidParameter.ParamError"),
            (json!({ "DriftIds": [], "Resolution": "Repair" }), "InvalidParameter.ParamError"),
            (json!({ "DriftIds": ["dr-000000000001"], "Resolution": "Repair" }),
             "ResourceNotFound.DriftNotExist"),
            (json!({ "DriftIds": ids, "Resolution": "Forget" }), "InvalidParameter.ParamError"),
        ] {
            let (code, _) = own.refusal(house, "ResolveDrift", here(given.clone())).await;
            assert_eq!(code, wanted, "{given}");
        }
        let ignore = json!({ "DriftIds": ids, "Resolution": "Ignore",
            "IgnoreUntil": "2026-12-01 00:00:00" });
        own.done(house, "ResolveDrift", here(ignore)).await;
        assert_eq!(own.done(house, "ListDrift", here(json!({}))).await["TotalCounts"], 0);
        let all = own.done(house, "ListDrift", here(json!({ "IncludeIgnored": true }))).await;
        assert_eq!(all["Drift"][0]["IgnoredUntil"], "2026-12-01 00:00:00");
        let repair = json!({ "DriftIds": ids, "Resolution": "Repair" });
        let repaired = own.done(house, "ResolveDrift", here(repair)).await;
        assert_eq!(repaired["TaskIds"].as_array().unwrap().len(), 1);
        office.settle(house).await;
        let all = own.done(house, "ListDrift", here(json!({ "IncludeIgnored": true }))).await;
        assert_eq!(all["TotalCounts"], 0);
        let left = "SELECT COUNT(*) FROM cloud_roles WHERE session_duration = 7200
                    AND name = 'TencentCloudSSO-look'";
        assert_eq!(count(house, left).await, 0);
    }
}
