//! The role-sync wizard and what it ends in.

use identity_center::{
    id::{ConfigurationId, Principal, Uin, UserId},
    permission::{self, AssignmentFilter},
    store::{PageRequest, sql},
};

use super::{Desk, plan_fields, rows, with};
use crate::on_both;

impl Desk<'_> {
    /// The address of the review of one assignment.
    fn review(
        &self,
        accounts: &[Uin],
        users: &[UserId],
        configurations: &[ConfigurationId],
    ) -> String {
        let mut said: Vec<String> = accounts.iter().map(|it| format!("account={it}")).collect();
        said.extend(users.iter().map(|it| format!("principal={it}")));
        said.extend(configurations.iter().map(|it| format!("configuration={it}")));
        format!("/console/authorization/review?{}", said.join("&"))
    }

    async fn assigned(&self) -> i64 {
        self.world.count("SELECT COUNT(*) FROM assignments").await
    }
}

on_both! {
    async fn rs_01_steps_offer_to_make_what_is_missing(house) {
        let desk = Desk::open(house).await;
        let account = desk.world.member.uin;
        let step = format!("/console/authorization/identities?account={account}");
        let page = desk.page(&step).await;
        assert!(page.contains("/console/users/new") && page.contains("/console/groups/new"), "{page}");
        let ann = desk.world.user("ann").await;
        let page = desk.page(&step).await;
        assert!(!page.contains("/console/users/new") && page.contains(&ann.to_string()), "{page}");
        let step = format!("/console/authorization/configurations?account={account}&principal={ann}");
        assert!(desk.page(&step).await.contains("/console/configurations/new"));
        desk.world.configuration("look", &[]).await;
        let page = desk.page(&step).await;
        assert!(!page.contains("/console/configurations/new") && page.contains("look"), "{page}");
    }

    async fn maa_01_maa_02_accounts_are_chosen_in_a_tree(house) {
        let desk = Desk::open(house).await;
        let web = desk.account_in("Engineering", "web").await;
        let books = desk.account_in("Finance", "books").await;
        let page = desk.page("/console/authorization").await;
        // Totals are the store's.
        let accounts = desk.world.count("SELECT COUNT(*) FROM accounts").await;
        let departments = desk.world.count("SELECT COUNT(*) FROM departments").await;
        assert!(page.contains(&format!("{departments} departments, {accounts} accounts")), "{page}");
        assert_eq!(page.matches(r#"name="account""#).count(), usize::try_from(accounts).unwrap());
        for action in ["Configure CAM role sync", "Configure CAM user sync"] {
            assert!(page.contains(action), "{page}");
        }
        // A department is found with what is in it, an account with its department.
        let page = desk.page(&format!("/console/authorization?search=engin&account={books}")).await;
        assert!(page.contains("web") && page.contains("Engineering") && !page.contains("Finance"), "{page}");
        // What is chosen stays chosen.
        assert!(page.contains(&format!(r#"value="{books}" id="elsewhere-{books}" checked"#)), "{page}");
        assert!(page.contains("<strong data-chosen-count>1</strong>"), "{page}");
        let page = desk.page(&format!("/console/authorization?search={web}")).await;
        assert!(page.contains("Engineering") && !page.contains("books"), "{page}");
        let page = desk.page("/console/authorization?search=nowhere").await;
        assert!(page.contains("No department and no account matches"), "{page}");
        // With nothing chosen neither action goes on, and why is said.
        for action in ["/console/authorization/identities", "/console/user-syncs/new"] {
            let sent = desk.look(action).await;
            assert_eq!(sent.status, 422);
            assert!(sent.page.contains("Choose at least one account."), "{}", sent.page);
        }
        let sent = desk.look(&format!("/console/authorization/configurations?account={web}")).await;
        assert_eq!(sent.status, 422);
        assert!(sent.page.contains("Choose at least one user or group."), "{}", sent.page);
    }

    async fn rs_04_the_review_is_the_plan_and_a_stale_one_is_not_carried_out(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let member = world.member.uin;
        let review = desk.review(&[member], &[ann, bob], &[look]);
        let page = desk.page(&review).await;
        for words in [
            "TencentCloudSSO-look", "SAML provider", "Allows looking at Cloud Virtual Machine",
            "Who gains what (2)", "2 tasks do it",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(desk.assigned().await, 0, "a look changes nothing");
        // Meanwhile somebody else gives it to one of them.
        let one = world.triple(Principal::User(ann), member, look);
        world.assign(&[one]).await;
        desk.settle().await;
        let sent = desk.post("/console/plan", &plan_fields(&page)).await;
        assert_eq!(sent.status, 409);
        assert!(sent.page.contains("Something has changed since you looked"), "{}", sent.page);
        assert!(sent.page.contains("There already") && sent.page.contains("Who gains what (1)"), "{}", sent.page);
        assert_eq!(desk.assigned().await, 1);
        // The fresh plan can be confirmed.
        let sent = desk.post("/console/plan", &plan_fields(&sent.page)).await;
        assert_eq!(sent.status, 303, "{}", sent.page);
        assert!(sent.location.starts_with("/console/tasks/of/"), "{}", sent.location);
        desk.settle().await;
        assert_eq!(desk.assigned().await, 2);
        // The page of its tasks can be opened again: each item with its outcome (TSK-05).
        for _ in 0..2 {
            let page = desk.page(&sent.location).await;
            let found = rows(&page);
            assert_eq!(found.len(), 2, "{page}");
            let of = |name: &str| found.iter().find(|row| row.contains(name)).copied().unwrap();
            assert!(of(">ann<").contains("the assignment exists already"), "{page}");
            assert!(of(">bob<").contains("Done"), "{page}");
        }
        let table = desk.page(&format!("{}/export", sent.location)).await;
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.contains(",look,User,ann,Failed,the assignment exists already,"), "{table}");
        // A hash of another act lets nothing through.
        let other = world.user("eve").await;
        let mut fields = plan_fields(&desk.page(&desk.review(&[member], &[other], &[look])).await);
        for (name, value) in &mut fields {
            if name == "principal" {
                *value = bob.to_string();
            }
        }
        assert_eq!(desk.post("/console/plan", &fields).await.status, 409);
    }

    async fn rs_05_grave_targets_and_policies_are_typed(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let ann = world.user("ann").await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let rule = world.configuration("rule", &["AdministratorAccess"]).await;
        let (member, management) = (world.member.uin, world.management.uin);
        let name = world.management.name.clone();
        let plain = desk.review(&[member], &[ann], &[look]);
        assert!(!desk.page(&plain).await.contains(r#"name="typed""#));
        for (accounts, configuration, phrase) in
            [(vec![member, management], look, name.as_str()), (vec![member], rule, "rule")]
        {
            let review = desk.review(&accounts, &[ann], &[configuration]);
            let page = desk.page(&review).await;
            assert!(page.contains(&format!("type “{phrase}”")), "{page}");
            for typed in [None, Some("yes"), Some("")] {
                let more: Vec<(&str, &str)> = typed.map(|it| ("typed", it)).into_iter().collect();
                let sent = desk.confirm(&review, &more).await;
                assert_eq!(sent.status, 422);
                assert!(sent.page.contains("exactly") && sent.page.contains(r#"aria-invalid="true""#), "{}", sent.page);
            }
            let before = desk.assigned().await;
            let sent = desk.confirm(&review, &[("typed", phrase)]).await;
            assert_eq!(sent.status, 303, "{}", sent.page);
            assert!(desk.assigned().await > before);
            desk.settle().await;
        }
        assert!(desk.page(&desk.review(&[member], &[ann], &[rule])).await.contains("High privilege"));
    }

    async fn maa_10_maa_11_maa_12_maa_13_the_page_of_an_account(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let member = world.member.uin;
        let here = format!("/console/accounts/{member}");
        for (tab, words) in [
            ("", "Nobody has been given this account."),
            ("?tab=deployments", "No configuration is deployed here."),
            ("?tab=syncs", "Nobody is synchronised as a CAM user"),
        ] {
            assert!(desk.page(&format!("{here}{tab}")).await.contains(words), "{tab}");
        }
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let sales = world.group("Sales", &[bob]).await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let run = world.configuration("run", &["QcloudCVMFullAccess"]).await;
        world.assign(&[
            world.triple(Principal::User(ann), member, look),
            world.triple(Principal::Group(sales), member, look),
        ]).await;
        desk.settle().await;
        // Adding one leads into the wizard with the identity chosen, and keeps the others.
        let page = desk.page(&here).await;
        let step = format!("/console/authorization/configurations?account={member}&principal={ann}");
        assert!(page.contains(&step.replace('&', "&amp;")), "{page}");
        desk.carry_out(&desk.review(&[member], &[ann], &[run]), &[]).await;
        let page = desk.page(&here).await;
        let found = rows(&page);
        assert_eq!(found.len(), 2, "{page}");
        assert!(found[0].contains("ann") && found[0].contains("2 configurations"), "{}", found[0]);
        assert!(found[0].contains(">look<") && found[0].contains(">run<"), "{}", found[0]);
        assert!(found[1].contains("Sales") && found[1].contains("Group") && found[1].contains("1 configuration<"), "{}", found[1]);
        let page = desk.page(&format!("{here}?search=RUN")).await;
        assert!(page.contains(">ann<") && !page.contains(">Sales<"), "{page}");
        assert!(desk.page(&format!("{here}?search=zzz")).await.contains("Nobody has a configuration that matches"));
        assert_eq!(rows(&desk.page(&format!("{here}?tab=deployments")).await).len(), 2);
        // Removing asks with the plan; the role stays.
        let remove = format!("/console/plan?act=unassign&triple={member}/{look}/{ann}");
        let page = desk.page(&remove).await;
        assert!(page.contains("Who loses what (1)"), "{page}");
        let page = desk.carry_out(&remove, &[]).await;
        assert!(page.contains("Done."), "{page}");
        let left = AssignmentFilter { principal: Some(Principal::User(ann)), ..Default::default() };
        let space = world.space.id;
        let left = world.read(async |tx| {
            permission::assignments(tx, space, &left, PageRequest::first(9)).await
        }).await;
        assert_eq!(left.rows.len(), 1);
        assert_eq!(left.rows[0].configuration_id, run);
        assert_eq!(world.count("SELECT COUNT(*) FROM deployments").await, 2);
    }

    async fn a_session_that_ends_in_a_wizard_loses_nothing(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let ann = world.user("ann").await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let review = desk.review(&[world.member.uin], &[ann], &[look]);
        let page = desk.page(&review).await;
        let ended = sql("DELETE FROM sessions");
        world.write(async |tx, _| ended.execute(tx).await).await;
        // A step leads back to itself, a form to the page it was on.
        let sent = desk.look(&review).await;
        assert_eq!(sent.status, 303);
        let form = desk
            .chief
            .post(house.url("/console/plan"))
            .header("Sec-Fetch-Site", "same-origin")
            .header("Referer", house.url(&review))
            .form(&plan_fields(&page))
            .send()
            .await
            .unwrap();
        assert_eq!(form.headers()["location"], sent.location.as_str());
        assert_eq!(desk.assigned().await, 0);
        let door = desk.page(&sent.location).await;
        let (_, rest) = door.split_once(r#"name="to" value=""#).unwrap_or_else(|| panic!("{door}"));
        let to = rest.split_once('"').unwrap().0.replace("&#38;", "&");
        assert_eq!(to, review);
        let account = world.management.uin.to_string();
        let fields = with(Vec::new(), &[
            ("account", &account), ("user_name", "chief"),
            ("password", "correct horse battery staple"), ("to", &to),
        ]);
        let sent = desk.post("/console/login", &fields).await;
        assert_eq!((sent.status.as_u16(), sent.location.as_str()), (303, review.as_str()));
        assert_eq!(desk.confirm(&review, &[]).await.status, 303);
        desk.settle().await;
    }

    async fn tsk_03_tsk_05_what_failed_is_tried_again_together(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let ann = world.user("ann").await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let two = world.account("two").await.uin;
        // Somebody else's role has the name in one account (DPL-16).
        world.write(async |tx, act| {
            sql("INSERT INTO cloud_roles (id, account_uin, name, description, kind, trust_policy,
                     session_duration, console_login, created_at, updated_at)
                 VALUES ($1, $2, 'TencentCloudSSO-look', 'theirs', 'user', '{}', 7200, $3, $4, $4)")
                .bind(act.new_id::<i64>()).bind(two).bind(true).bind(act.now).execute(tx).await
        }).await;
        let review = desk.review(&[world.member.uin, two], &[ann], &[look]);
        assert!(desk.page(&review).await.contains("Name taken by something that is not ours"));
        let sent = desk.confirm(&review, &[]).await;
        desk.settle().await;
        let page = desk.page(&sent.location).await;
        assert!(page.contains("1 of 2 failed.") && page.contains("Try the one that failed again"), "{page}");
        let failed = rows(&page).into_iter().find(|row| row.contains("not managed")).map(str::to_owned);
        assert!(failed.unwrap().contains(">two<"), "{page}");
        world.write(async |tx, _| sql("DELETE FROM cloud_roles WHERE description = 'theirs'").execute(tx).await).await;
        let again = desk.post(&format!("{}/retry", sent.location), &[]).await;
        assert_eq!(again.status, 303);
        desk.settle().await;
        // One row for each item still, with how it ended last.
        let page = desk.page(&sent.location).await;
        assert_eq!(rows(&page).len(), 2, "{page}");
        assert!(page.contains("All 2 are done."), "{page}");
        assert_eq!(desk.look("/console/tasks/of/nothing").await.status, 404);
        let all = desk.page("/console/tasks/export?state=failed").await;
        assert_eq!(all.lines().count(), 2, "{all}");
    }
}
