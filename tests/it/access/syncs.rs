//! User syncs at the console.

use identity_center::{
    cloud,
    id::Principal,
    provisioning::{self, DeletionStrategy, DuplicationStrategy, MOST_SYNCS_PER_CALL, NewUserSync},
    task::State,
};
use serde_json::json;

use super::{Desk, heads, rows, with};
use crate::on_both;

impl Desk<'_> {
    async fn synced(&self) -> i64 {
        self.world.count("SELECT COUNT(*) FROM user_syncs").await
    }
}

on_both! {
    async fn us_02_us_07_us_08_the_wizard_of_user_syncs(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let sales = world.group("Sales", &[bob]).await;
        let member = world.member.uin;
        let page = desk.page(&format!("/console/user-syncs/new?account={member}")).await;
        // With their source and totals.
        assert!(page.contains("2 in all") && page.contains("1 in all") && page.contains("Manual"), "{page}");
        let basics = format!("/console/user-syncs/basics?account={member}&principal={ann}&principal={sales}");
        let page = desk.page(&basics).await;
        for words in ["Users (1)", "Groups (1)", "ann", "Sales", "Accounts (1)", "Batch: a task for each identity and account"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(page.contains(r#"value="Keep" id="keep" checked"#), "{page}");
        assert!(page.contains(r#"value="TakeOver" id="take-over" checked"#), "{page}");
        assert!(!page.contains(r#"value="Delete" id="delete" checked"#), "{page}");
        assert_eq!(desk.look(&format!("/console/user-syncs/basics?account={member}")).await.status, 422);
        let plan = basics.replace("/user-syncs/basics?", "/plan?act=sync&description=for+payroll&");
        let page = desk.page(&plan).await;
        assert!(page.contains("for payroll") && page.contains("CAM user ann@test"), "{page}");
        assert!(page.contains("Who gains what (2)"), "{page}");
        assert_eq!(desk.synced().await, 0);
        let page = desk.carry_out(&plan, &[]).await;
        assert!(page.contains("All 2 are done."), "{page}");
        let space = world.space.id;
        let all = world.read(async |tx| {
            let filter = provisioning::UserSyncFilter::default();
            let page = identity_center::store::PageRequest::first(9);
            provisioning::user_syncs(tx, space, &filter, page).await
        }).await.rows;
        assert_eq!(all.len(), 2);
        for sync in &all {
            assert_eq!(sync.deletion_strategy, DeletionStrategy::Keep);
            assert_eq!(sync.duplication_strategy, DuplicationStrategy::TakeOver);
            assert_eq!(sync.description, "for payroll");
        }
    }

    async fn us_03_us_10_us_11_us_13_the_list_and_the_details(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        assert!(desk.page("/console/user-syncs").await.contains("No user syncs yet."));
        let (ann, member) = (world.user("ann").await, world.member.uin);
        let two = world.account("two").await.uin;
        let plan = format!("/console/plan?act=sync&account={member}&account={two}&principal={ann}&deletion=Delete");
        desk.carry_out(&plan, &[]).await;
        let page = desk.page("/console/user-syncs").await;
        assert_eq!(heads(&page), [
            "Sync id", "Account", "Name and type", "Description", "Status", "Created",
        ]);
        assert_eq!(rows(&page).len(), 2);
        assert!(rows(&page).iter().all(|row| row.contains("Enabled") && row.contains("User")), "{page}");
        for search in ["TW", &two.to_string()] {
            let page = desk.page(&format!("/console/user-syncs?search={search}")).await;
            assert_eq!(rows(&page).len(), 1, "{page}");
            assert!(rows(&page)[0].contains(">two<"), "{page}");
        }
        assert!(desk.page("/console/user-syncs?search=zzz").await.contains("No user sync in an account that matches"));
        let (_, rest) = page.split_once(r#"href="/console/user-syncs/up-"#).unwrap();
        let id = format!("up-{}", rest.split_once('"').unwrap().0);
        let here = format!("/console/user-syncs/{id}");
        let page = desk.page(&here).await;
        for words in [
            id.as_str(), "Enabled", "Delete the CAM user", "Replace: take it over", "Created",
            "Changed", "Account", "Identity", "Type", "This cannot be changed later.",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains(r#"name="duplication""#), "US-12: {page}");
        // What it is for, and what becomes of the CAM user, can be changed later.
        let long = "x".repeat(1025);
        for (description, deletion, status) in
            [("for payroll", "Keep", 303), (long.as_str(), "Keep", 422), ("", "Nothing", 422)]
        {
            let fields = with(Vec::new(), &[("description", description), ("deletion", deletion)]);
            assert_eq!(desk.post(&here, &fields).await.status.as_u16(), status, "{deletion}");
        }
        let page = desk.page(&here).await;
        assert!(page.contains("for payroll") && page.contains(r#"value="Keep" id="keep" checked"#), "{page}");
        // Removing asks first, and applies the policy: here the CAM user stays.
        let remove = format!("/console/plan?act=unsync&sync={id}");
        let asked = desk.page(&remove).await;
        assert!(asked.contains("Released") && asked.contains("Keep the CAM user"), "{asked}");
        desk.carry_out(&remove, &[]).await;
        assert_eq!(desk.look(&here).await.status, 404);
        assert_eq!(world.count("SELECT COUNT(*) FROM cloud_users WHERE name = 'ann@test'").await, 2);
    }

    async fn us_06_a_take_over_is_agreed_to_and_recorded(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let (ann, member) = (world.user("ann").await, world.member.uin);
        let key = cloud::new_access_key(&world.app.sealer).unwrap();
        world.write(async |tx, act| {
            let theirs = cloud::create_user(tx, act, member, "ann@test", None, "").await?;
            cloud::create_access_key(tx, act, &theirs, &key).await?;
            let policy = identity_center::policy::catalogue::by_name("ReadOnlyAccess").unwrap();
            cloud::attach_user_policy(tx, act, &theirs, policy.id).await
        }).await;
        let plan = format!("/console/plan?act=sync&account={member}&principal={ann}");
        let page = desk.page(&plan).await;
        for words in ["Taken over", "access keys (1)", "policies (1)", "no password", "MFA"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let sent = desk.confirm(&plan, &[]).await;
        assert_eq!(sent.status, 422);
        assert!(sent.page.contains("Say that you have read"), "{}", sent.page);
        assert_eq!(desk.synced().await, 0);
        desk.carry_out(&plan, &[("agreed", "yes")]).await;
        let told: Vec<(String,)> = world.rows(identity_center::store::sql(
            "SELECT state_after FROM audit_records WHERE action = 'cam_user.take_over'",
        )).await;
        let told: serde_json::Value = serde_json::from_str(&told[0].0).unwrap();
        assert_eq!(told["access_keys"].as_array().unwrap().len(), 1);
        assert_eq!(told["policies"], json!([2]));
        // Where both stay nothing is taken over, and nothing has to be agreed to.
        let bob = world.user("bob").await;
        world.write(async |tx, act| cloud::create_user(tx, act, member, "bob@test", None, "").await).await;
        let plan = format!("/console/plan?act=sync&account={member}&principal={bob}&duplication=KeepBoth");
        let page = desk.page(&plan).await;
        assert!(!page.contains(r#"name="agreed""#) && page.contains("bob@test_cic"), "{page}");
        assert_eq!(desk.confirm(&plan, &[]).await.status, 303);
        desk.settle().await;
    }

    async fn maa_09_us_16_of_a_mixed_batch_the_new_ones_are_made(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let (member, space) = (world.member.uin, world.space.id);
        let people = [world.user("ann").await, world.user("bob").await];
        let sync = |user| NewUserSync {
            principal: Principal::User(user),
            account: member,
            description: String::new(),
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Keep,
        };
        let first = [sync(people[0])];
        world.write(async |tx, act| provisioning::create_user_syncs(tx, act, space, &first, 50).await).await;
        desk.settle().await;
        let both = people.map(sync);
        let made = world.write(async |tx, act| provisioning::create_user_syncs(tx, act, space, &both, 50).await).await;
        assert_eq!(made.iter().map(|it| it.user_sync.is_some()).collect::<Vec<_>>(), [false, true]);
        desk.settle().await;
        let states: Vec<(State, Option<String>)> = {
            let mut states = Vec::new();
            for item in &made {
                let task = item.task;
                let found = world.read(async |tx| identity_center::task::get(tx, space, task).await).await.unwrap();
                states.push((found.state, found.reason));
            }
            states
        };
        assert_eq!(states[0], (State::Failed, Some("the user sync exists already".to_owned())));
        assert_eq!(states[1], (State::Success, None));
        // All of them there: the call alone is refused. Too many, or none: likewise.
        let again = world.try_write(async |tx, act| provisioning::create_user_syncs(tx, act, space, &both, 50).await).await;
        assert!(matches!(again, Err(provisioning::Error::UserSyncsExist)), "{again:?}");
        for count in [0, MOST_SYNCS_PER_CALL + 1] {
            let many = vec![sync(people[0]); count];
            let refused = world.try_write(async |tx, act| provisioning::create_user_syncs(tx, act, space, &many, 50).await).await;
            assert!(matches!(refused, Err(provisioning::Error::UserSyncCountInvalid { .. })), "{refused:?}");
        }
        assert_eq!(desk.synced().await, 2);
    }
}
