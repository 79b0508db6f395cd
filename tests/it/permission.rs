//! Permission configurations, assignments and deployments: the rules, and what becomes of them.

use identity_center::{
    id::{ConfigurationId, Principal, Uin, UserId},
    permission::{
        self, AssignmentFilter, AssignmentState, DeploymentFilter, DeploymentStatus, Error, Limits,
        NewConfiguration, NewPolicy, RemovalStrategy, Triple,
    },
    provisioning,
    store::{PageRequest, sql},
    task::State,
};

use crate::{in_both_worlds, world::World};

async fn status(world: &World, configuration: ConfigurationId) -> Option<DeploymentStatus> {
    let (space, account) = (world.space.id, world.member.uin);
    world
        .read(async |tx| permission::deployment(tx, space, configuration, account).await)
        .await
        .map(|deployment| deployment.status())
}

async fn add(
    world: &World,
    configuration: ConfigurationId,
    policies: &[NewPolicy],
    limits: &Limits,
) -> Result<(), Error> {
    world
        .try_write(async |tx, act| {
            permission::add_policies(tx, act, world.space.id, configuration, policies, limits).await
        })
        .await
}

fn preset(name: &str) -> NewPolicy {
    NewPolicy::Preset(name.to_owned())
}

in_both_worlds! {
    async fn pc_01_a_name_is_taken_whatever_its_case(world) {
        let id = world.configuration("Reader", &[]).await;
        let again = |name: &str| NewConfiguration { name: name.to_owned(), ..Default::default() };
        let limits = Limits::default();
        for (name, wanted) in [("reader", true), ("Reader", true), ("Reader2", false)] {
            let new = again(name);
            let made = world
                .try_write(async |tx, act| {
                    permission::create_configuration(tx, act, world.space.id, &new, &limits).await
                })
                .await;
            assert_eq!(matches!(made, Err(Error::NameTaken)), wanted, "{name}");
        }
        let found = world
            .read(async |tx| permission::configuration(tx, world.space.id, id).await)
            .await
            .unwrap();
        assert_eq!((found.name.as_str(), found.session_duration), ("Reader", 3600));
        let one = Limits { configurations: 2, ..Limits::default() };
        let new = again("More");
        let over = world
            .try_write(async |tx, act| {
                permission::create_configuration(tx, act, world.space.id, &new, &one).await
            })
            .await;
        assert!(matches!(over, Err(Error::TooManyConfigurations(2))));
    }

    async fn pc_03_only_presets_that_exist_and_no_custom_ones_unless_allowed(world) {
        let id = world.configuration("Reader", &[]).await;
        let limits = Limits::default();
        let nothing = add(world, id, &[preset("NoSuchPolicy")], &limits).await;
        assert!(matches!(nothing, Err(Error::PolicyNotFound(_))));
        let custom = NewPolicy::Custom {
            name: "mine".to_owned(),
            document: r#"{"version":"2.0","statement":[{"effect":"allow","action":"cvm:*",
                          "resource":"*"}]}"#
                .to_owned(),
        };
        let off = add(world, id, std::slice::from_ref(&custom), &limits).await;
        assert!(matches!(off, Err(Error::TooManyCustomPolicies(0))));
        let on = Limits { custom_policies: 5, ..Limits::default() };
        add(world, id, &[custom.clone(), preset("ReadOnlyAccess")], &on).await.unwrap();
        let twice = add(world, id, &[custom], &on).await;
        assert!(matches!(twice, Err(Error::PolicyTaken(_))));
        let broken = NewPolicy::Custom { name: "b".to_owned(), document: "{}".to_owned() };
        assert!(matches!(add(world, id, &[broken], &on).await, Err(Error::DocumentInvalid { .. })));
        let many = vec![preset("ReadOnlyAccess"); 21];
        assert!(matches!(add(world, id, &many, &on).await, Err(Error::PolicyCountInvalid)));
        // A refused call leaves nothing of itself behind.
        let both = [preset("AdministratorAccess"), preset("NoSuchPolicy")];
        assert!(add(world, id, &both, &on).await.is_err());
        let left = world.read(async |tx| permission::policies(tx, id).await).await;
        assert_eq!(left.len(), 2);
        let foreign = add(world, ConfigurationId(1), &[preset("ReadOnlyAccess")], &on).await;
        assert!(matches!(foreign, Err(Error::ConfigurationNotFound)));
    }

    async fn con_12_dpl_03_outdated_is_a_matter_of_content(world) {
        let id = world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let user = world.user("alice").await;
        world.assign(&[world.triple(Principal::User(user), world.member.uin, id)]).await;
        assert_eq!(status(world, id).await, Some(DeploymentStatus::InProgress));
        world.run_tasks().await;
        assert_eq!(status(world, id).await, Some(DeploymentStatus::Deployed));

        add(world, id, &[preset("QcloudCVMFullAccess")], &Limits::default()).await.unwrap();
        assert_eq!(status(world, id).await, Some(DeploymentStatus::Outdated));
        let outdated = DeploymentFilter {
            status: Some(DeploymentStatus::Outdated),
            ..DeploymentFilter::default()
        };
        let page = PageRequest::first(10);
        let space = world.space.id;
        let found =
            world.read(async |tx| permission::deployments(tx, space, &outdated, page).await).await;
        assert_eq!(found.total, 1);
        // CON-12: the account still has what it had.
        let bound = "SELECT COUNT(*) FROM cloud_role_policies p
                     JOIN cloud_roles r ON r.id = p.role_id WHERE r.managed_by IS NOT NULL";
        assert_eq!(world.count(bound).await, 1);
        // Another assignment of it propagates no change either (DPL-03).
        let other = world.user("bob").await;
        world.assign(&[world.triple(Principal::User(other), world.member.uin, id)]).await;
        world.run_tasks().await;
        assert_eq!(status(world, id).await, Some(DeploymentStatus::Outdated));
        assert_eq!(world.count(bound).await, 1);

        world
            .write(async |tx, act| {
                permission::begin_deployment(tx, act, space, id, world.member.uin).await
            })
            .await;
        world.run_tasks().await;
        assert_eq!(status(world, id).await, Some(DeploymentStatus::Deployed));
        assert_eq!(world.count(bound).await, 2);
    }

    async fn maa_03_maa_05_maa_07_con_10_dpl_01_each_triple_is_a_task(world) {
        let accounts = [world.member.uin, world.management.uin];
        let users = [world.user("a").await, world.user("b").await, world.user("c").await];
        let configurations =
            [world.configuration("one", &[]).await, world.configuration("two", &[]).await];
        let mut triples = Vec::new();
        for account in accounts {
            for user in users {
                for configuration in configurations {
                    triples.push(world.triple(Principal::User(user), account, configuration));
                }
            }
        }
        let items = world.assign(&triples).await;
        assert_eq!(items.len(), 12);
        assert!(items.iter().all(|item| !item.duplicate));
        world.run_tasks().await;
        for item in items {
            assert_eq!(world.task(item.task).await.state, State::Success);
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM assignments WHERE state = 'active'").await, 12);
        let managed = "SELECT COUNT(*) FROM cloud_roles WHERE managed_by IS NOT NULL";
        assert_eq!(world.count(managed).await, 4, "a role per account and configuration");
        assert_eq!(world.count("SELECT COUNT(*) FROM cloud_saml_providers").await, 2);
    }

    async fn maa_06_a_duplicate_fails_alone_and_the_others_succeed(world) {
        let id = world.configuration("Reader", &[]).await;
        let alice = Principal::User(world.user("alice").await);
        let bob = Principal::User(world.user("bob").await);
        let [of_alice, of_bob] = [alice, bob].map(|who| world.triple(who, world.member.uin, id));
        world.assign(&[of_alice]).await;
        world.run_tasks().await;

        let items = world.assign(&[of_alice, of_bob, of_bob]).await;
        let duplicates: Vec<bool> = items.iter().map(|item| item.duplicate).collect();
        assert_eq!(duplicates, [true, false, true]);
        let task = world.task(items[0].task).await;
        assert_eq!(task.state, State::Failed);
        assert!(task.reason.unwrap().contains("exists already"));
        world.run_tasks().await;
        assert_eq!(world.task(items[1].task).await.state, State::Success);

        let tasks = "SELECT COUNT(*) FROM tasks";
        let before = world.count(tasks).await;
        let all = world.try_assign(&[of_alice, of_bob]).await;
        assert!(matches!(all, Err(Error::AssignmentsExist)));
        assert_eq!(world.count(tasks).await, before, "nothing was started");
    }

    async fn maa_08_what_is_unknown_or_too_much_refuses_the_whole_call(world) {
        let id = world.configuration("Reader", &[]).await;
        let alice = Principal::User(world.user("alice").await);
        let good = world.triple(alice, world.member.uin, id);
        let bad = [
            Triple { principal: Principal::User(UserId(1)), ..good },
            Triple { account: Uin(7), ..good },
            Triple { configuration: ConfigurationId(9), ..good },
        ];
        for wrong in bad {
            let refused = world.try_assign(&[good, wrong]).await;
            assert!(matches!(refused, Err(Error::Unknown(_))), "{refused:?}");
        }
        let all = world.try_assign(&bad).await;
        let Err(Error::Unknown(unknown)) = all else { panic!("{all:?}") };
        assert_eq!(unknown.users, [UserId(1)]);
        assert_eq!(unknown.accounts, [Uin(7)]);
        assert_eq!(unknown.configurations, [ConfigurationId(9)]);
        let many = world.try_assign(&vec![good; 51]).await;
        assert!(matches!(many, Err(Error::AssignmentCountInvalid { .. })));
        assert!(matches!(world.try_assign(&[]).await, Err(Error::AssignmentCountInvalid { .. })));
        assert_eq!(world.count("SELECT COUNT(*) FROM tasks").await, 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM assignments").await, 0);
    }

    async fn maa_13_and_dpl_12_what_is_removed_is_gone_and_the_role_stays_unless_chosen(world) {
        let id = world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let [alice, bob] = [world.user("alice").await, world.user("bob").await].map(Principal::User);
        let [of_alice, of_bob] = [alice, bob].map(|who| world.triple(who, world.member.uin, id));
        world.assign(&[of_alice, of_bob]).await;
        world.run_tasks().await;
        let remove = async |triple: Triple, strategy: RemovalStrategy| {
            let space = world.space.id;
            world
                .try_write(async |tx, act| {
                    provisioning::remove_assignment(tx, act, space, &triple, strategy).await
                })
                .await
        };
        let roles = "SELECT COUNT(*) FROM cloud_roles WHERE managed_by IS NOT NULL";
        let last = RemovalStrategy::DeprovisionForLast;
        remove(of_alice, last).await.unwrap();
        let twice = remove(of_alice, last).await;
        assert!(matches!(twice, Err(Error::AssignmentNotFound)), "it is on its way out");
        world.run_tasks().await;
        assert_eq!(world.count(roles).await, 1, "there is another assignment");

        // Taken away and given again before the task ran: it stays.
        remove(of_bob, RemovalStrategy::Keep).await.unwrap();
        world.assign(&[of_bob]).await;
        world.run_tasks().await;
        let filter = AssignmentFilter::default();
        let page = PageRequest::first(10);
        let left = world
            .read(async |tx| permission::assignments(tx, world.space.id, &filter, page).await)
            .await;
        assert_eq!(left.rows.len(), 1);
        assert_eq!(left.rows[0].state, AssignmentState::Active);
        assert_eq!(left.rows[0].principal(), bob);
        assert_eq!(left.rows[0].principal_name, "bob");

        remove(of_bob, last).await.unwrap();
        world.run_tasks().await;
        for gone in [
            roles,
            "SELECT COUNT(*) FROM assignments",
            "SELECT COUNT(*) FROM deployments",
            "SELECT COUNT(*) FROM cloud_saml_providers",
            "SELECT COUNT(*) FROM tasks WHERE state <> 'success'",
        ] {
            assert_eq!(world.count(gone).await, 0, "{gone}");
        }
    }

    async fn dpl_13_a_deployment_in_use_is_not_taken_away(world) {
        let id = world.configuration("Reader", &[]).await;
        let alice = Principal::User(world.user("alice").await);
        let space = world.space.id;
        let remove = async || {
            world
                .try_write(async |tx, act| {
                    permission::begin_removal(tx, act, space, id, world.member.uin).await
                })
                .await
        };
        assert!(matches!(remove().await, Err(Error::DeploymentNotFound)));
        world.assign(&[world.triple(alice, world.member.uin, id)]).await;
        world.run_tasks().await;
        assert!(matches!(remove().await, Err(Error::DeploymentInUse)));
    }

    async fn every_change_is_recorded_once(world) {
        let id = world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let alice = Principal::User(world.user("alice").await);
        world.assign(&[world.triple(alice, world.member.uin, id)]).await;
        world.run_tasks().await;
        let rows: Vec<(String, i64)> = world
            .rows(sql("SELECT action, COUNT(*) FROM audit_records WHERE action IN
                 ('configuration.create', 'configuration.add_policies', 'assignment.create',
                  'assignment.created', 'saml_provider.create') OR action = 'role.create'
                  AND actor_id = 'deployer' GROUP BY action ORDER BY action"))
            .await;
        assert_eq!(rows.len(), 6, "{rows:?}");
        assert!(rows.iter().all(|(_, count)| *count == 1), "{rows:?}");
    }
}
