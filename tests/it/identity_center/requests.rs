//! Access requests, from the scope to the end of what was granted.

use identity_center::{
    access::plan::{self, Operation},
    app::App,
    cloud,
    id::{ConfigurationId, Principal, UserId},
    permission::{self, Limits},
    policy::catalogue,
    request,
    store::sql,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Center;
use crate::{
    api::Client,
    journey::{Company, count, location},
    on_both,
};

const CREATE: &str = "CreateRoleConfigurationApplyScope";
const DELETE: &str = "DeleteRoleConfigurationApplyScope";
const SCOPES: &str = "ListRoleConfigurationApplyScopes";
const ORDERS: &str = "ListPermissionApplyOrders";
const AUDIT: &str = "AuditPermissionApplyOrder";

const REQUESTS: &str = "SELECT COUNT(*) FROM access_requests";
const ASSIGNMENTS: &str = "SELECT COUNT(*) FROM assignments";

impl Center<'_> {
    fn scope(&self, principal: Principal, configuration: ConfigurationId) -> Value {
        let kind = match principal {
            Principal::User(_) => "User",
            Principal::Group(_) => "Group",
        };
        json!({
            "PrincipalId": principal.to_string(), "PrincipalType": kind,
            "TargetUin": self.world.member.uin, "TargetType": "MemberUin",
            "RoleConfigurationId": configuration,
        })
    }

    async fn let_ask(&self, principal: Principal, configuration: ConfigurationId) {
        let scope = self.scope(principal, configuration);
        let answer = self.done(CREATE, json!({ "ApplyScopeInfo": [scope] })).await;
        assert_eq!(answer["SuccessCount"], 1);
    }

    async fn orders(&self, parameters: Value) -> Vec<Value> {
        self.done(ORDERS, parameters).await["ApplyOrders"].as_array().unwrap().clone()
    }

    async fn audit(&self, order: &Value, result: &str) -> Value {
        let parameters = json!({
            "ApplyId": order["ApplyId"], "AuditResult": result, "AuditOpinion": "as you say",
        });
        self.call(AUDIT, parameters).await
    }

    async fn expect_refusal(&self, order: &Value, code: &str) {
        let answer = self.audit(order, "Approve").await;
        assert_eq!(answer["Error"]["Code"], code, "{answer}");
    }

    /// Ends what is due, as the server does, and has the tasks run.
    async fn end_due(&self) -> usize {
        let app = &self.house.app;
        let ended = request::end_due(&app.db, &self.world.act(), 100).await.unwrap();
        self.settle().await;
        ended
    }
}

/// Somebody at the portal.
struct Visitor<'c> {
    company: &'c Company<'c>,
    browser: reqwest::Client,
}

impl<'c> Visitor<'c> {
    async fn enter(company: &'c Company<'c>, name: &str) -> Visitor<'c> {
        let browser = company.house.browser();
        company.sign_in(&browser, name).await;
        Self { company, browser }
    }

    async fn page(&self) -> String {
        let page = self.browser.get(self.company.portal("/requests")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        page.text().await.unwrap()
    }

    async fn post(&self, wanted: &str, seconds: &str, reason: &str) -> (StatusCode, String) {
        let form = [("wanted", wanted), ("seconds", seconds), ("reason", reason)];
        let post = self.browser.post(self.company.portal("/requests")).form(&form);
        let answer = post.send().await.unwrap();
        let status = answer.status();
        let text = if status == StatusCode::SEE_OTHER {
            location(&answer)
        } else {
            answer.text().await.unwrap()
        };
        (status, text)
    }

    /// Asks for an hour of it.
    async fn ask(&self, center: &Center<'_>, configuration: ConfigurationId) -> Value {
        let wanted = format!("{}/{configuration}", center.world.member.uin);
        let (status, to) = self.post(&wanted, "3600", "A reason").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{to}");
        center.orders(json!({ "Status": 1, "MaxResults": 100 })).await.pop().unwrap()
    }

    async fn withdraw(&self, id: &str) -> StatusCode {
        let path = format!("/requests/{id}/withdraw");
        self.browser.post(self.company.portal(&path)).send().await.unwrap().status()
    }

    /// The names of the roles that can be entered.
    async fn roles(&self) -> Vec<String> {
        let answer = self.browser.get(self.company.portal("/api/accounts")).send().await.unwrap();
        let found: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let accounts = found["accounts"].as_array().unwrap();
        let roles = accounts.iter().flat_map(|account| account["roles"].as_array().unwrap());
        roles.map(|role| role["name"].as_str().unwrap().to_owned()).collect()
    }
}

on_both! {
    async fn scopes_are_said_listed_and_taken_back(house) {
        let center = Center::open(house).await;
        let alice = center.world.user("alice").await;
        let crew = center.world.group("crew", &[alice]).await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let writer = center.world.configuration("Writer", &["AdministratorAccess"]).await;
        let (user, group) = (Principal::User(alice), Principal::Group(crew));
        let scopes = [center.scope(user, reader), center.scope(user, writer), center.scope(group, reader)];
        let made = center.done(CREATE, json!({ "ApplyScopeInfo": scopes })).await;
        assert_eq!(made["SuccessCount"], 3);
        // What is there counts too, and stays one.
        let made = center.done(CREATE, json!({ "ApplyScopeInfo": scopes[..1] })).await;
        assert_eq!(made["SuccessCount"], 1);
        assert_eq!(count(house, "SELECT COUNT(*) FROM access_request_scopes").await, 3);

        let of_alice = json!({ "PrincipalId": alice, "PrincipalType": "User" });
        let found = center.done(SCOPES, of_alice.clone()).await;
        assert_eq!((&found["TotalCounts"], &found["IsTruncated"]), (&json!(2), &json!(false)));
        let first = &found["ApplyScopes"][0];
        assert_eq!(first["RoleConfigurationName"], "Reader");
        assert_eq!(first["PrincipalName"], "alice");
        assert_eq!(first["TargetName"], "one");
        let with = |more: Value| {
            let mut parameters = of_alice.clone();
            parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parameters
        };
        for (more, wanted) in [
            (json!({ "Filter": "wRIT" }), 1),
            (json!({ "Filter": "nothing" }), 0),
            (json!({ "TargetUin": center.world.member.uin }), 2),
            (json!({ "TargetUin": center.world.management.uin }), 0),
        ] {
            assert_eq!(center.done(SCOPES, with(more.clone())).await["TotalCounts"], wanted, "{more}");
        }
        let first = center.done(SCOPES, with(json!({ "MaxResults": 1 }))).await;
        assert_eq!(first["IsTruncated"], true);
        let next = json!({ "MaxResults": 1, "NextToken": first["NextToken"] });
        let second = center.done(SCOPES, with(next)).await;
        assert_eq!(second["ApplyScopes"][0]["RoleConfigurationName"], "Writer");

        let changed = |name: &str, value: Value| {
            let mut scope = scopes[0].clone();
            scope[name] = value;
            json!({ "ApplyScopeInfo": [scopes[1], scope] })
        };
        for (code, wrong) in [
            ("ResourceNotFound.UserNotExist", changed("PrincipalId", json!("u-000000000000"))),
            ("ResourceNotFound.UserNotExist", changed("PrincipalId", json!(crew))),
            ("InvalidParameter.RoleConfigurationNotExist",
             changed("RoleConfigurationId", json!("rc-000000000000"))),
            ("FailedOperation.OrganizationMemberNotExist", changed("TargetUin", json!(1))),
            ("FailedOperation.OrganizationMemberNotExist", changed("TargetType", json!("ManagerUin"))),
            ("InvalidParameter.ParamError", json!({ "ApplyScopeInfo": [] })),
            ("InvalidParameter.ParamError", json!({ "ApplyScopeInfo": vec![scopes[0].clone(); 51] })),
            ("MissingParameter", json!({})),
            ("FailedOperation.ZoneIdNotExist",
             json!({ "ZoneId": "z-000000000000", "ApplyScopeInfo": scopes })),
        ] {
            center.refused(code, CREATE, wrong).await;
        }
        let gone = |configurations: &[&str]| json!({
            "RoleConfigurationIds": configurations, "TargetUin": center.world.member.uin,
            "PrincipalId": alice, "PrincipalType": "User",
        });
        let (r, w) = (reader.to_string(), writer.to_string());
        let unknown = "ResourceNotFound.PermissionApplyScopeNotFound";
        center.refused(unknown, DELETE, gone(&[&r, "rc-000000000000"])).await;
        center.refused(unknown, DELETE, gone(&[&r, "x"])).await;
        center.refused("InvalidParameter.ParamError", DELETE, gone(&[])).await;
        assert_eq!(center.done(SCOPES, of_alice.clone()).await["TotalCounts"], 2);
        center.done(DELETE, gone(&[&r, &w])).await;
        assert_eq!(center.done(SCOPES, of_alice).await["TotalCounts"], 0);
        center.refused(unknown, DELETE, gone(&[&r])).await;
        let of_crew = json!({ "PrincipalId": crew, "PrincipalType": "Group" });
        assert_eq!(center.done(SCOPES, of_crew).await["TotalCounts"], 1);
        for (action, wanted) in [("create", 3), ("delete", 2)] {
            let query = match action {
                "create" => "SELECT COUNT(*) FROM audit_records WHERE action = 'request_scope.create'",
                _ => "SELECT COUNT(*) FROM audit_records WHERE action = 'request_scope.delete'",
            };
            assert_eq!(count(house, query).await, wanted, "{action}");
        }
    }

    async fn who_asks_and_is_approved_has_it_until_its_end(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let crew = center.world.group("crew", &[alice.id]).await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let visitor = Visitor::enter(&company, "alice").await;
        assert!(visitor.page().await.contains("nothing here that you may ask for"));
        center.let_ask(Principal::Group(crew), reader).await;
        assert!(visitor.page().await.contains("Reader"));

        let order = visitor.ask(&center, reader).await;
        assert_eq!(order["Status"], 1);
        assert_eq!(order["UserId"], json!(alice.id));
        assert_eq!((&order["UserName"], &order["TargetName"]), (&json!("alice"), &json!("one")));
        assert_eq!(order["RoleConfigurations"][0]["RoleConfigurationName"], "Reader");
        assert!(order["ApplyId"].as_str().unwrap().starts_with("apply-"));
        assert_eq!((&order["AuditTime"], &order["AuditOpinion"]), (&json!(""), &json!("")));
        let page = visitor.page().await;
        assert!(page.contains("Waiting for a decision") && page.contains("A reason"), "{page}");
        for (search, wanted) in [
            (json!({ "SearchValue": "ALI" }), 1),
            (json!({ "SearchValue": alice.id }), 1),
            (json!({ "SearchValue": "bob" }), 0),
            (json!({ "SearchValue": "%" }), 0),
            (json!({ "Status": 2 }), 0),
            (json!({ "Status": 5 }), 0),
        ] {
            assert_eq!(center.orders(search.clone()).await.len(), wanted, "{search}");
        }
        center.refused("InvalidParameter.ParamError", ORDERS, json!({ "Status": 0 })).await;
        center.refused("InvalidParameter.ParamError", ORDERS, json!({ "Status": 6 })).await;
        // Asking confers nothing.
        assert!(visitor.roles().await.is_empty());
        assert_eq!(count(house, ASSIGNMENTS).await, 0);

        let answer = center.audit(&order, "Approve").await;
        let tasks = answer["Tasks"].as_array().unwrap();
        assert_eq!(tasks.len(), 1, "{answer}");
        assert_eq!(tasks[0]["TaskType"], "CreateRoleAssignment");
        assert_eq!(tasks[0]["PrincipalId"], json!(alice.id));
        center.settle().await;
        let order = center.orders(json!({ "Status": 3 })).await.pop().unwrap();
        assert_eq!(order["AuditOpinion"], "as you say");
        assert_ne!(order["AuditTime"], "");
        assert_eq!(visitor.roles().await, ["Reader"]);
        assert!(visitor.page().await.contains("as you say"));
        let who = sql("SELECT actor_kind, actor_name FROM audit_records WHERE action = 'request.approve'");
        let who: Vec<(String, String)> = center.world.rows(who).await;
        assert_eq!(who, [("administrator".to_owned(), "admin".to_owned())]);
        // It is decided.
        for result in ["Approve", "Reject"] {
            let again = center.audit(&order, result).await;
            assert_eq!(again["Error"]["Code"], "FailedOperation.PermissionApplyOrderStatusInvalid");
        }

        center.world.advance(3599);
        assert_eq!(center.end_due().await, 0);
        // The session of before is over with the identity provider's.
        let visitor = Visitor::enter(&company, "alice").await;
        assert_eq!(visitor.roles().await, ["Reader"]);
        // The server does it by itself.
        center.world.advance(1);
        for _ in 0..100 {
            if visitor.roles().await.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert!(visitor.roles().await.is_empty());
        center.settle().await;
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
        let removed = "SELECT COUNT(*) FROM audit_records WHERE action = 'assignment.remove'
                       AND actor_kind = 'system'";
        assert_eq!(count(house, removed).await, 1);
        assert_eq!(center.orders(json!({ "Status": 3 })).await.len(), 1);
        assert!(visitor.page().await.contains("Over"));
    }

    async fn nobody_asks_for_what_is_not_theirs_to_ask(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let (alice, _) = (company.hire("alice").await, company.hire("bob").await);
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let writer = center.world.configuration("Writer", &["AdministratorAccess"]).await;
        center.let_ask(Principal::User(alice.id), reader).await;
        let (visitor, bob) = (Visitor::enter(&company, "alice").await, Visitor::enter(&company, "bob").await);
        let (member, management) = (center.world.member.uin, center.world.management.uin);
        let good = format!("{member}/{reader}");
        let long = "x".repeat(501);
        for (wanted, seconds, reason, status, words) in [
            (format!("{member}/{writer}"), "3600", "why", 422, "no such scope"),
            (format!("{management}/{reader}"), "3600", "why", 422, "no such scope"),
            (String::new(), "3600", "why", 422, "configurations"),
            ("x/y".to_owned(), "3600", "why", 422, "configurations"),
            (good.clone(), "899", "why", 422, "15 minutes"),
            (good.clone(), "7776001", "why", 422, "90 days"),
            (good.clone(), "-1", "why", 422, "15 minutes"),
            (good.clone(), "3600", "", 422, "reason"),
            (good.clone(), "3600", " \n ", 422, "reason"),
            (good.clone(), "3600", long.as_str(), 422, "reason"),
            (good.clone(), "soon", "why", 422, ""),
        ] {
            let (found, page) = visitor.post(&wanted, seconds, reason).await;
            assert_eq!(found.as_u16(), status, "{wanted} {seconds} {reason}: {page}");
            assert!(page.contains(words), "{words}: {page}");
        }
        let (status, page) = bob.post(&good, "3600", "why").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert_eq!(count(house, REQUESTS).await, 0);
        let stranger = house.browser().post(company.portal("/requests")).send().await.unwrap();
        assert_ne!(stranger.status(), StatusCode::OK);
        assert_eq!(count(house, REQUESTS).await, 0);

        // Markup is text.
        let (status, _) = visitor.post(&good, "7776000", "<b>\u{fc}</b>").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(visitor.page().await.contains("&#60;b&#62;"), "{}", visitor.page().await);
        let (status, page) = visitor.post(&good, "3600", "again").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("pending already"), "{page}");
        let id = center.orders(json!({})).await[0]["ApplyId"].as_str().unwrap().to_owned();
        assert!(!bob.page().await.contains(&id));
        assert_eq!(bob.withdraw(&id).await, StatusCode::NOT_FOUND);
        assert_eq!(visitor.withdraw("apply-0000000000000000").await, StatusCode::NOT_FOUND);
        assert_eq!(visitor.withdraw(&id).await, StatusCode::SEE_OTHER);
        assert_eq!(visitor.withdraw(&id).await, StatusCode::CONFLICT);
        assert!(visitor.page().await.contains("Withdrawn"));
        // What was withdrawn is nothing to decide.
        assert!(center.orders(json!({})).await.is_empty());
        let code = "FailedOperation.PermissionApplyOrderStatusInvalid";
        center.expect_refusal(&json!({ "ApplyId": id }), code).await;
        for (code, wrong) in [
            ("ResourceNotFound.PermissionApplyOrderNotFound",
             json!({ "ApplyId": "apply-0000000000000001", "AuditResult": "Approve" })),
            ("ResourceNotFound.PermissionApplyOrderNotFound",
             json!({ "ApplyId": "1", "AuditResult": "Reject" })),
            ("InvalidParameter.ParamError", json!({ "ApplyId": id, "AuditResult": "approve" })),
            ("InvalidParameter.ParamError",
             json!({ "ApplyId": id, "AuditResult": "Reject", "AuditOpinion": "x".repeat(501) })),
        ] {
            center.refused(code, AUDIT, wrong).await;
        }
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
    }

    async fn a_rejection_changes_nothing_but_the_request(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        center.let_ask(Principal::User(alice.id), reader).await;
        let visitor = Visitor::enter(&company, "alice").await;
        let order = visitor.ask(&center, reader).await;
        assert_eq!(center.audit(&order, "Reject").await, json!({ "Tasks": [] }));
        assert_eq!(center.orders(json!({ "Status": 5 })).await[0]["AuditOpinion"], "as you say");
        assert!(visitor.page().await.contains("Rejected"));
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
        let code = "FailedOperation.PermissionApplyOrderStatusInvalid";
        center.expect_refusal(&order, code).await;
        // One may ask again.
        visitor.ask(&center, reader).await;
    }

    async fn administrators_decide_at_the_console_too(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let writer = center.world.configuration("Writer", &["AdministratorAccess"]).await;
        center.let_ask(Principal::User(alice.id), reader).await;
        center.let_ask(Principal::User(alice.id), writer).await;
        let visitor = Visitor::enter(&company, "alice").await;
        let first = visitor.ask(&center, reader).await["ApplyId"].as_str().unwrap().to_owned();
        let second = visitor.ask(&center, writer).await["ApplyId"].as_str().unwrap().to_owned();
        let carol = company.administrator("carol", "QcloudOrganizationFullAccess").await;
        let dave = company.administrator("dave", "QcloudOrganizationReadOnlyAccess").await;
        let page = async |who: &reqwest::Client, query: &str| {
            let page = who.get(house.url(&format!("/console/requests{query}"))).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK);
            page.text().await.unwrap()
        };
        let decide = async |who: &reqwest::Client, id: &str, what: &str| {
            let form = [("opinion", " fine <i> ")];
            let path = house.url(&format!("/console/requests/{id}/{what}"));
            let answer = who.post(path).form(&form).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let waiting = page(&carol, "").await;
        assert!(waiting.contains(&first) && waiting.contains(&second), "{waiting}");
        assert!(waiting.contains("A reason") && waiting.contains("1 hour"), "{waiting}");
        // Who may look sees them and decides nothing.
        let seen = page(&dave, "").await;
        assert!(seen.contains(&first) && !seen.contains("/approve"), "{seen}");
        for what in ["approve", "reject"] {
            assert_eq!(decide(&dave, &first, what).await.0, 403);
            assert_eq!(decide(&visitor.browser, &first, what).await.0, 303);
        }
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
        assert_eq!(decide(&carol, &first, "approve").await.0, 303);
        assert_eq!(decide(&carol, &second, "reject").await.0, 303);
        let (status, again) = decide(&carol, &first, "approve").await;
        assert!(status == 422 && again.contains("not pending any more"), "{again}");
        assert_eq!(decide(&carol, "apply-0000000000000000", "approve").await.0, 404);
        center.settle().await;
        assert!(!page(&carol, "").await.contains(&first));
        let approved = page(&carol, "?state=done").await;
        assert!(approved.contains(&first) && approved.contains("fine &#60;i&#62;"), "{approved}");
        assert!(page(&carol, "?state=rejected").await.contains(&second));
        let all = page(&carol, "?state=all").await;
        assert!(all.contains(&first) && all.contains(&second), "{all}");
        assert!(!page(&carol, "?state=all&search=bob").await.contains(&first));
        assert_eq!(visitor.roles().await, ["Reader"]);
    }

    async fn what_has_changed_since_is_not_approved(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let crew = center.world.group("crew", &[alice.id]).await;
        center.let_ask(Principal::Group(crew), reader).await;
        let visitor = Visitor::enter(&company, "alice").await;
        let order = visitor.ask(&center, reader).await;

        company.set_enabled(&alice, false).await;
        center.expect_refusal(&order, "ResourceNotFound.UserNotExist").await;
        company.set_enabled(&alice, true).await;
        // It ended her session.
        let visitor = Visitor::enter(&company, "alice").await;
        let space = center.world.space.clone();
        let leave = async |tx: &mut identity_center::store::Write, act: &identity_center::audit::Act| {
            identity_center::directory::remove_member(tx, act, &space, crew, alice.id).await
        };
        center.world.write(leave).await;
        center.expect_refusal(&order, "ResourceNotFound.PermissionApplyScopeNotFound").await;
        assert!(visitor.page().await.contains("nothing here that you may ask for"));
        center.let_ask(Principal::User(alice.id), reader).await;
        // What one has for good one does not get for a while.
        center.assign(alice.id, center.world.member.uin, reader).await;
        let code = "FailedOperation.RoleConfigurationAuthorizationAlreadyExist";
        center.expect_refusal(&order, code).await;
        assert_eq!(center.orders(json!({ "Status": 1 })).await.len(), 1);
        assert_eq!(count(house, "SELECT COUNT(*) FROM assignments WHERE ends_at IS NULL").await, 1);
    }

    async fn nobody_approves_a_request_of_their_own(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        center.let_ask(Principal::User(alice.id), reader).await;
        // Alice is an administrator too: her CAM user in the management account is one.
        let item = json!({
            "PrincipalId": alice.id, "PrincipalType": "User", "TargetType": "ManagerUin",
            "TargetUin": center.world.management.uin,
        });
        let made = json!({ "UserSyncProvisionings": [item] });
        center.done("CreateUserSyncProvisioning", made).await;
        center.settle().await;
        let account = center.world.management.uin;
        let act = center.world.act();
        let page = identity_center::store::PageRequest::first(10);
        let users = house.app.db.read(async |tx| cloud::users(tx, account, page).await).await;
        let user = users.unwrap().rows.into_iter().find(|it| it.name == "alice@test").unwrap();
        let policy = catalogue::by_name("AdministratorAccess").unwrap().id;
        house
            .app
            .db
            .write(async |tx| cloud::attach_user_policy(tx, &act, &user, policy).await)
            .await
            .unwrap();
        let herself = Center { client: Client::of(house, &user).await, ..Center::of(&center) };
        let visitor = Visitor::enter(&company, "alice").await;
        let order = visitor.ask(&center, reader).await;
        assert_eq!(herself.orders(json!({})).await.len(), 1);
        herself.expect_refusal(&order, "FailedOperation.PermissionDenied").await;
        // Nor in another's clothes.
        let token = herself.client.sts().done(house, "GetFederationToken", json!({
            "Name": "somebody", "DurationSeconds": 1800,
            "Policy": r#"{"version":"2.0","statement":[{"effect":"allow","action":"*","resource":"*"}]}"#,
        })).await;
        let word = |name: &str| token["Credentials"][name].as_str().unwrap();
        let client = herself.client.with_keys(word("TmpSecretId"), word("TmpSecretKey"), Some(word("Token")));
        let federated = Center { client, ..Center::of(&center) };
        federated.expect_refusal(&order, "FailedOperation.PermissionDenied").await;
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
        assert_eq!(center.audit(&order, "Approve").await["Tasks"].as_array().unwrap().len(), 1);
        center.settle().await;
        assert_eq!(visitor.roles().await, ["Reader"]);
    }

    /// A CAM user that a sync has left behind is whose it was.
    async fn nobody_approves_with_what_a_sync_has_left_them(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        center.let_ask(Principal::User(alice.id), reader).await;
        let account = center.world.management.uin;
        let act = center.world.act();
        let policy = catalogue::by_name("AdministratorAccess").unwrap().id;
        let made = house.app.db.write(async |tx| {
            let user = cloud::create_user(tx, &act, account, "alice@test", None, "").await?;
            cloud::attach_user_policy(tx, &act, &user, policy).await?;
            Ok::<_, cloud::Error>(user)
        });
        let herself =
            Center { client: Client::of(house, &made.await.unwrap()).await, ..Center::of(&center) };
        let visitor = Visitor::enter(&company, "alice").await;
        let order = visitor.ask(&center, reader).await;
        herself.expect_refusal(&order, "FailedOperation.PermissionDenied").await;
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
    }

    async fn a_day_has_so_many_requests_and_a_request_so_many_days(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        center.let_ask(Principal::User(alice.id), reader).await;
        let visitor = Visitor::enter(&company, "alice").await;
        let wanted = format!("{}/{reader}", center.world.member.uin);
        for _ in 0..request::MOST_A_DAY {
            let order = visitor.ask(&center, reader).await;
            let id = order["ApplyId"].as_str().unwrap();
            assert_eq!(visitor.withdraw(id).await, StatusCode::SEE_OTHER);
        }
        let (status, text) = visitor.post(&wanted, "3600", "Once more").await;
        assert!(status.is_client_error() && text.contains("100 times"), "{status}: {text}");
        assert_eq!(count(house, REQUESTS).await, request::MOST_A_DAY);

        // A day later one may ask again; what nobody decides is rejected after a month.
        let hours = |hours| house.app.clock.advance(jiff::SignedDuration::from_hours(hours));
        hours(24);
        company.sign_in(&visitor.browser, "alice").await;
        let order = visitor.ask(&center, reader).await;
        let act = || center.world.act();
        let lapse = async || {
            let act = act();
            house.app.db.write(async |tx| request::lapse(tx, &act, 10).await).await.unwrap()
        };
        hours(30 * 24 - 1);
        assert_eq!(lapse().await, 0);
        hours(1);
        assert_eq!(lapse().await, 1);
        assert_eq!(lapse().await, 0);
        let found = center.orders(json!({ "MaxResults": 100 })).await.pop().unwrap();
        assert_eq!(found["ApplyId"], order["ApplyId"]);
        assert!(found.to_string().contains("within 30 days"), "{found}");
        center.expect_refusal(&order, "FailedOperation.PermissionApplyOrderStatusInvalid").await;
    }

    async fn an_end_can_be_put_off_taken_away_and_comes_once(house) {
        let center = Center::open(house).await;
        let world = &center.world;
        let alice = world.user("alice").await;
        let reader = world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let triple = world.triple(Principal::User(alice), world.member.uin, reader);
        let limits = Limits::default();
        let until = async |seconds: i64| {
            let (space, ends_at) = (world.space.id, world.now().plus_seconds(seconds));
            world
                .try_write(async |tx, act| {
                    let triples = [triple];
                    permission::create_temporary_assignments(tx, act, space, &triples, ends_at, &limits)
                        .await
                })
                .await
        };
        until(3600).await.unwrap();
        center.settle().await;
        // Sooner is no longer time.
        assert!(matches!(until(1800).await, Err(permission::Error::AssignmentsExist)));
        until(7200).await.unwrap();
        // It counts all the while.
        let active = "SELECT COUNT(*) FROM assignments WHERE state = 'active'";
        assert_eq!(count(house, active).await, 1);
        center.settle().await;
        world.advance(3600);
        assert_eq!(center.end_due().await, 0);
        assert_eq!(count(house, active).await, 1);
        // By hand it becomes one for good, and a plan says so first.
        let operation = Operation::Assign(vec![triple]);
        let planned = world
            .write(async |tx, act| {
                let state =
                    plan::State::read(tx, act, &world.space, &operation, &limits).await?;
                Ok::<_, plan::Error>(plan::plan(&state, &operation))
            })
            .await;
        assert!(!planned.is_refused && planned.conflicts.is_empty(), "{planned:?}");
        assert!(planned.objects.iter().any(|it| it.detail.contains("would have ended")), "{planned:?}");
        world.assign(&[triple]).await;
        center.settle().await;
        assert!(matches!(world.try_assign(&[triple]).await, Err(permission::Error::AssignmentsExist)));
        assert!(matches!(until(9000).await, Err(permission::Error::AssignmentsExist)));
        world.advance(86_400);
        assert_eq!(center.end_due().await, 0);
        assert_eq!(count(house, active).await, 1);
        let space = world.space.id;
        world
            .write(async |tx, act| {
                let strategy = permission::RemovalStrategy::Keep;
                identity_center::provisioning::remove_assignment(tx, act, space, &triple, strategy).await
            })
            .await;
        center.settle().await;

        // Several replicas, after a time in which none was there: it goes once.
        until(60).await.unwrap();
        center.settle().await;
        world.advance(600);
        let replicas: Vec<App> = vec![house.app.clone(); 4];
        let ending = replicas.into_iter().map(|app| {
            let act = world.act();
            tokio::spawn(async move { request::end_due(&app.db, &act, 100).await.unwrap() })
        });
        let mut ended = 0;
        for replica in ending.collect::<Vec<_>>() {
            ended += replica.await.unwrap();
        }
        // The server itself is one more.
        assert!(ended <= 1, "{ended}");
        center.settle().await;
        assert_eq!(count(house, ASSIGNMENTS).await, 0);
        let removed = "SELECT COUNT(*) FROM audit_records WHERE action = 'assignment.remove'";
        assert_eq!(count(house, removed).await, 2);
    }

    async fn who_is_gone_leaves_no_scopes(house) {
        let center = Center::open(house).await;
        let (alice, bob): (UserId, UserId) =
            (center.world.user("alice").await, center.world.user("bob").await);
        let reader = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        for user in [alice, bob] {
            center.let_ask(Principal::User(user), reader).await;
        }
        center.done("DeleteUser", json!({ "UserId": alice })).await;
        let of_alice = json!({ "PrincipalId": alice, "PrincipalType": "User" });
        assert_eq!(center.done(SCOPES, of_alice).await["TotalCounts"], 0);
        let swept = house.app.db.write(async |tx| request::forget_orphans(tx).await).await;
        assert_eq!(swept.unwrap(), 1);
        let of_bob = json!({ "PrincipalId": bob, "PrincipalType": "User" });
        assert_eq!(center.done(SCOPES, of_bob).await["TotalCounts"], 1);
        // A configuration takes its scopes with it.
        let policy = json!({
            "RoleConfigurationId": reader, "RolePolicyType": "System",
            "RolePolicyName": "ReadOnlyAccess",
        });
        center.done("RemovePermissionPolicyFromRoleConfiguration", policy).await;
        center.done("DeleteRoleConfiguration", json!({ "RoleConfigurationId": reader })).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM access_request_scopes").await, 0);
    }
}
