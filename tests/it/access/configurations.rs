//! Permission configurations and their deployments at the console.

use identity_center::{
    access::plan::{self, ConflictKind, Operation, State},
    id::{ConfigurationId, Principal, Uin},
    organization::{self, OtherCloud, OtherCloudAccount},
    permission::Limits,
    store::sql,
};

use super::{Desk, heads, rows};
use crate::on_both;

impl Desk<'_> {
    /// A configuration that is deployed to two accounts for somebody.
    async fn deployed(&self) -> (ConfigurationId, [Uin; 2]) {
        let look = self.world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let (ann, bob) = (self.world.user("ann").await, self.world.user("bob").await);
        let accounts = [self.world.member.uin, self.world.account("two").await.uin];
        let mut triples = Vec::new();
        for account in accounts {
            for who in [ann, bob] {
                triples.push(self.world.triple(Principal::User(who), account, look));
            }
        }
        self.world.assign(&triples).await;
        self.settle().await;
        (look, accounts)
    }

    /// A role of ours becomes somebody else's, so that nothing more is done to it.
    async fn lose_role(&self, account: Uin) {
        let lost =
            sql("UPDATE cloud_roles SET managed_by = NULL WHERE account_uin = $1").bind(account);
        self.world.write(async |tx, _| lost.execute(tx).await).await;
    }
}

on_both! {
    async fn pc_07_pc_08_pc_13_the_pages_of_configurations(house) {
        let desk = Desk::open(house).await;
        assert!(desk.page("/console/configurations").await.contains("No permission configurations yet."));
        let run = desk.world.configuration("run", &["QcloudCVMFullAccess", "QcloudCOSReadOnlyAccess"]).await;
        let page = desk.page("/console/configurations").await;
        assert_eq!(heads(&page), ["Name", "Description", "Session", "Created", "Changed"]);
        assert!(page.contains("A configuration is a template of policies."), "{page}");
        assert!(page.contains("/console/plan?act=delete-configuration"), "{page}");
        assert!(desk.page("/console/configurations?search=zzz").await.contains("No configuration matches"));
        let here = format!("/console/configurations/{run}");
        let page = desk.page(&here).await;
        for words in [
            "Name", run.to_string().as_str(), "Created", "Changed", "Session duration", "1 h",
            "Remarks", "Policies (2)", "Deployments (0)",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(heads(&page), ["Policy", "Added", "Type"]);
        assert!(page.contains(r#"name="remove""#) && page.contains(&format!("{here}/policies")), "{page}");
        let found = desk.page(&format!("{here}?search=cos")).await;
        assert_eq!(rows(&found).len(), 1);
        assert!(rows(&found)[0].contains("QcloudCOSReadOnlyAccess") && rows(&found)[0].contains("Preset"), "{found}");
        assert!(desk.page(&format!("{here}?search=zzz")).await.contains("No policy matches"));
        // What may change does, and when the duration did is told (PC-14).
        let fields = [("description", "Servers"), ("session_duration", "7200"), ("relay_state", "")];
        let fields: Vec<(String, String)> = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert!(!desk.page(&format!("{here}/edit")).await.contains(r#"name="name""#));
        assert_eq!(desk.post(&here, &fields).await.status, 303);
        let page = desk.page(&here).await;
        assert!(page.contains("Servers") && page.contains("2 h"), "{page}");
        let noted = "SELECT COUNT(*) FROM permission_configurations WHERE session_duration_updated_at IS NOT NULL";
        assert_eq!(desk.world.count(noted).await, 1);
    }

    async fn pc_10_pc_11_a_configuration_is_deleted_from_the_list(house) {
        let desk = Desk::open(house).await;
        let run = desk.world.configuration("run", &["QcloudCVMFullAccess"]).await;
        let delete = format!("/console/plan?act=delete-configuration&configuration={run}");
        let page = desk.page(&delete).await;
        assert!(page.contains("Still in use") && page.contains("disabled aria-describedby"), "{page}");
        // A form that insists changes nothing.
        assert_eq!(desk.confirm(&delete, &[]).await.status, 422);
        let there = "SELECT COUNT(*) FROM permission_configurations";
        assert_eq!(desk.world.count(there).await, 1);
        let policy = identity_center::policy::catalogue::by_name("QcloudCVMFullAccess").unwrap().id;
        let sent = desk.confirm(&format!("/console/plan?act=edit&configuration={run}&remove={policy}"), &[]).await;
        assert_eq!(sent.location, format!("/console/configurations/{run}?done=policies-removed"));
        assert!(!desk.page(&delete).await.contains("Still in use"));
        let sent = desk.confirm(&delete, &[]).await;
        assert_eq!(sent.location, "/console/configurations?done=configuration-deleted");
        assert_eq!(desk.world.count(there).await, 0);
    }

    async fn pc_12_dpl_05_what_changes_needs_redeployment_and_both_sides_say_so(house) {
        let desk = Desk::open(house).await;
        let (look, accounts) = desk.deployed().await;
        let here = format!("/console/configurations/{look}");
        let there = format!("/console/accounts/{}", accounts[0]);
        for page in [desk.page(&here).await, desk.page(&there).await] {
            assert!(!page.contains("needs redeployment") && !page.contains("deployed again."), "{page}");
        }
        let add = identity_center::policy::catalogue::by_name("QcloudCOSReadOnlyAccess").unwrap().id;
        let sent = desk.confirm(&format!("/console/plan?act=edit&configuration={look}&add={add}"), &[]).await;
        assert_eq!(sent.location, format!("/console/configurations/{look}?done=policies-added"));
        assert!(desk.page(&here).await.contains("2 deployments need redeployment"));
        assert!(desk.page(&there).await.contains("1 configuration here requires to be deployed again."));
        for tab in [format!("{here}?tab=deployments"), format!("{there}?tab=deployments")] {
            assert!(rows(&desk.page(&tab).await).iter().all(|row| row.contains("Outdated")));
        }
        // Taking it away again asks first and says what it means; then nothing is outdated (DPL-08).
        let remove = format!("/console/plan?act=edit&configuration={look}&remove={add}");
        let asked = desk.page(&remove).await;
        assert!(asked.contains("keep what they have until it is deployed again"), "{asked}");
        let sent = desk.confirm(&remove, &[]).await;
        assert!(desk.page(&sent.location).await.contains("Deploy again to make the change real."));
        assert!(!desk.page(&here).await.contains("need redeployment"));
        // Outdated again, one side at a time gets well.
        desk.confirm(&format!("/console/plan?act=edit&configuration={look}&add={add}"), &[]).await;
        desk.carry_out(&format!("/console/plan?act=redeploy&place={}/{look}", accounts[0]), &[]).await;
        assert!(desk.page(&here).await.contains("1 deployment needs redeployment"));
        assert!(!desk.page(&there).await.contains("deployed again."));
        desk.carry_out(&format!("/console/plan?act=redeploy&place={}/{look}", accounts[1]), &[]).await;
        assert!(!desk.page(&here).await.contains("redeployment"));
    }

    async fn pc_09_pc_16_dpl_06_dpl_07_several_are_redeployed_after_a_look_at_them(house) {
        let desk = Desk::open(house).await;
        let (look, accounts) = desk.deployed().await;
        let page = desk.page(&format!("/console/configurations/{look}?tab=deployments")).await;
        assert_eq!(heads(&page), ["Account", "Created", "Changed", "Status"]);
        for account in accounts {
            assert!(page.contains(&format!(r#"name="place" value="{account}/{look}""#)), "{page}");
        }
        for words in ["Configure CAM role sync", "Deploy chosen again", "Undeploy"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let account = desk.page(&format!("/console/accounts/{}?tab=deployments", accounts[0])).await;
        assert!(account.contains(&format!(r#"name="place" value="{}/{look}""#, accounts[0])), "{account}");
        let add = identity_center::policy::catalogue::by_name("QcloudCOSReadOnlyAccess").unwrap().id;
        desk.confirm(&format!("/console/plan?act=edit&configuration={look}&add={add}"), &[]).await;
        desk.lose_role(accounts[1]).await;
        let both = format!("/console/plan?act=redeploy&place={}/{look}&place={}/{look}", accounts[0], accounts[1]);
        let page = desk.page(&both).await;
        assert!(page.contains("2 deployments") && page.contains("+ QcloudCOSReadOnlyAccess"), "{page}");
        for words in [">one<", ">two<", "Outdated", "version 2 to 3"] {
            assert!(page.contains(words) || page.contains(&words[1..words.len() - 1]), "{words}: {page}");
        }
        let page = desk.carry_out(&both, &[]).await;
        let found = rows(&page);
        assert_eq!(found.len(), 2, "{page}");
        let of = |name: &str| found.iter().find(|row| row.contains(name)).copied().unwrap();
        assert!(of(">one<").contains("Done"), "{page}");
        assert!(of(">two<").contains("Failed") && of(">two<").contains("not managed by Identity Center"), "{page}");
        let page = desk.page(&format!("/console/configurations/{look}?tab=deployments")).await;
        let status = |name: &str| rows(&page).into_iter().find(|row| row.contains(name)).unwrap().to_owned();
        assert!(status(">one<").contains("Deployed") && status(">two<").contains("Failed"), "{page}");
    }

    async fn pc_15_what_a_policy_allows_is_said_before_it_is_bound(house) {
        let desk = Desk::open(house).await;
        let run = desk.world.configuration("run", &["QcloudCVMFullAccess"]).await;
        let picker = format!("/console/configurations/{run}/policies");
        let page = desk.page(&format!("{picker}?search=AdministratorAccess")).await;
        assert!(page.contains("Allows everything") && page.contains("High privilege"), "{page}");
        assert!(page.contains("1 of 20 preset policies"), "{page}");
        let page = desk.page(&format!("{picker}?search=CVM&add=1")).await;
        assert!(page.contains("checked disabled") && page.contains(r#"value="1" id="elsewhere-1" checked"#), "{page}");
        let plan = format!("/console/plan?act=edit&configuration={run}&add=1");
        let page = desk.page(&plan).await;
        assert!(page.contains("High privilege") && page.contains("2 of 20 preset policies"), "{page}");
        assert_eq!(desk.confirm(&plan, &[("typed", "RUN")]).await.status, 422);
        let bound = "SELECT COUNT(*) FROM configuration_policies";
        assert_eq!(desk.world.count(bound).await, 1);
        assert_eq!(desk.confirm(&plan, &[("typed", "run")]).await.status, 303);
        assert_eq!(desk.world.count(bound).await, 2);
        // One that only reads needs nothing typed; more than fit are refused before anything is bound.
        let reads = identity_center::policy::catalogue::by_name("ReadOnlyAccess").unwrap().id;
        assert!(!desk.page(&format!("/console/plan?act=edit&configuration={run}&add={reads}")).await.contains(r#"name="typed""#));
        let many: Vec<String> = identity_center::policy::catalogue::all()
            .iter()
            .filter(|it| it.name.contains("ReadOnly"))
            .take(19)
            .map(|it| format!("add={}", it.id))
            .collect();
        let sent = desk.look(&format!("/console/plan?act=edit&configuration={run}&{}", many.join("&"))).await;
        assert_eq!(sent.status, 409);
        assert!(sent.page.contains("at most 20 preset policies"), "{}", sent.page);
        assert_eq!(desk.world.count(bound).await, 2);
    }

    async fn dpl_09_dpl_10_undeploying_takes_three_steps_from_either_side(house) {
        let desk = Desk::open(house).await;
        let (look, accounts) = desk.deployed().await;
        let here = format!("/console/undeploy/{}/{look}", accounts[0]);
        for page in [
            desk.page(&format!("/console/configurations/{look}?tab=deployments")).await,
            desk.page(&format!("/console/accounts/{}?tab=deployments", accounts[0])).await,
        ] {
            assert!(page.contains(&format!(r#"href="{here}""#)), "{page}");
        }
        let page = desk.page(&here).await;
        assert!(page.contains("2 users; 0 groups") && page.contains(">ann<") && page.contains(">bob<"), "{page}");
        // Undeploying at once is refused, and says why (DPL-13).
        let undeploy = format!("/console/plan?act=undeploy&place={}/{look}", accounts[0]);
        assert!(desk.page(&undeploy).await.contains("Still in use"));
        assert_eq!(desk.confirm(&undeploy, &[]).await.status, 422);
        let sent = desk.confirm(&format!("/console/plan?act=clear&place={}/{look}", accounts[0]), &[]).await;
        assert_eq!(sent.location, here);
        desk.settle().await;
        // Whoever stops here finds it as it is.
        let page = desk.page(&here).await;
        assert!(page.contains("The authorisations are removed") && page.contains("still in the account"), "{page}");
        let roles = "SELECT COUNT(*) FROM cloud_roles WHERE name = 'TencentCloudSSO-look'";
        assert_eq!(desk.world.count(roles).await, 2);
        assert_eq!(desk.confirm(&undeploy, &[]).await.location, here);
        desk.settle().await;
        assert!(desk.page(&here).await.contains("Nothing of look is left in one."));
        assert_eq!(desk.world.count(roles).await, 1);
    }

    async fn a_plan_says_what_waits_for_somebodys_hands(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let ann = world.user("ann").await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let elsewhere = world.account("elsewhere").await.uin;
        let other = OtherCloudAccount { cloud: OtherCloud::ALL[0], number: "123456789012".parse().unwrap(), region: None };
        let organization = world.management.organization_id;
        world.write(async |tx, act| {
            organization::set_other_cloud(tx, act, organization, elsewhere, Some(&other)).await
        }).await;
        let operation = Operation::Assign(vec![world.triple(Principal::User(ann), elsewhere, look)]);
        let (act, space) = (world.act(), &world.space);
        let state = world.read(async |tx| State::read(tx, &act, space, &operation, &Limits::default()).await).await;
        let found = plan::plan(&state, &operation);
        let kinds: Vec<ConflictKind> = found.conflicts.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [ConflictKind::ByHand]);
        assert!(found.gains.is_empty(), "{found:?}");
        let page = desk.page(&format!(
            "/console/authorization/review?account={elsewhere}&principal={ann}&configuration={look}"
        )).await;
        assert!(page.contains("Has to be done by hand in another cloud"), "{page}");
    }
}
