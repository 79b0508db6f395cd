//! The console's pages of users, groups and the space, as a browser without a script sees them.

use identity_center::{
    id::{GroupId, Principal, UserId},
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync},
    store::{self, sql},
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::plan_fields, console::Office, house::TestHouse, journey::count, on_both, rules,
};

/// An administrator at the console of an office.
struct Desk<'h> {
    office: Office<'h>,
    browser: Client,
}

impl<'h> Desk<'h> {
    async fn open(house: &'h TestHouse) -> Desk<'h> {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let browser = office.inside("chief").await;
        Self { office, browser }
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.browser.get(self.office.house.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let sent = self.browser.post(self.office.house.url(path)).form(form).send().await.unwrap();
        let status = sent.status();
        let lead = sent.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (status, lead.unwrap_or(sent.text().await.unwrap()))
    }

    /// Waits until the server's worker has nothing to do.
    async fn settle(&self) {
        let open = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..400 {
            if self.office.world.count(open).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the tasks do not end");
    }

    /// Posts what must work, and looks at the page that it leads to.
    async fn done(&self, path: &str, form: &[(&str, &str)]) -> String {
        let (status, lead) = self.post(path, form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}: {lead}");
        self.page(&lead).await
    }
}

/// The rows of the first table after these words.
fn rows_after<'p>(page: &'p str, words: &str) -> Vec<&'p str> {
    let after = page.split_once(words).unwrap_or_else(|| panic!("no {words}: {page}")).1;
    let table = after.split_once("<tbody>").map_or("", |(_, rest)| rest);
    let table = table.split_once("</tbody>").map_or("", |(table, _)| table);
    table.split("<tr>").skip(1).collect()
}

on_both! {
    async fn usr_02_usr_03_rows_of_a_form_are_made_or_shown_again(house) {
        let desk = Desk::open(house).await;
        let form = desk.page("/console/users/new").await;
        assert!(form.contains("name=\"user_name-9\"") && !form.contains("name=\"user_name-10\""));
        let (status, page) = desk
            .post("/console/users", &[
                ("user_name", "ann"), ("email", "ann@example.com"),
                ("user_name-1", "not good"), ("display_name-1", "Kept"),
                ("user_name-2", "ANN"),
                ("user_name-9", "zoe"),
            ])
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(count(house, "SELECT COUNT(*) FROM users").await, 2);
        for words in ["value=\"not good\"", "value=\"Kept\"", "value=\"ANN\"", ">ann</a>", ">zoe</a>",
                      "2 users could not be created", "has this name"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("value=\"zoe\""), "what was made is not asked for again: {page}");
        let page = desk.done("/console/users", &[("user_name", "bea"), ("user_name-3", "cleo")]).await;
        assert!(page.contains("The users were created"), "{page}");
        let (status, page) = desk.post("/console/users", &[]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    }

    async fn usr_16_deletion_stands_in_the_list_and_says_what_keeps_it(house) {
        let desk = Desk::open(house).await;
        let (ann, bob) = (desk.office.world.user("ann").await, desk.office.world.user("bob").await);
        desk.office.world.group("crew", &[bob]).await;
        let page = desk.page("/console/users").await;
        let plan = |user: UserId| format!("/console/plan?act=delete-user&amp;principal={user}");
        assert!(page.contains(&plan(ann)) && !page.contains(&plan(bob)), "{page}");
        assert!(page.contains("bob cannot be deleted yet"), "{page}");
        assert!(page.contains(&format!("href=\"/console/users/{bob}?tab=groups\"")), "{page}");
        assert!(!page.contains(&format!("action=\"/console/users/{bob}/delete\"")), "{page}");
        // What comes of it is said before, from the plan, and the plan is what is carried out.
        let page = desk.page(&plan(ann).replace("&amp;", "&")).await;
        assert!(page.contains("ann") && page.contains("Delete a user"), "{page}");
        let fields = plan_fields(&page);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();
        let page = desk.done("/console/plan", &fields).await;
        assert!(page.contains("role=\"status\"") && page.contains("The user was deleted"), "{page}");
        assert!(!page.contains(&plan(ann)) && page.contains(">bob</a>"), "{page}");

        let (status, _) = desk.post(&format!("/console/users/{bob}/delete"), &[]).await;
        assert_eq!(status, StatusCode::CONFLICT);
    }

    async fn grp_10_a_group_is_deleted_from_the_list(house) {
        let desk = Desk::open(house).await;
        let bob = desk.office.world.user("bob").await;
        let crew = desk.office.world.group("crew", &[bob]).await;
        let empty = desk.office.world.group("empty", &[]).await;
        let page = desk.page("/console/groups").await;
        let plan = |group| format!("/console/plan?act=delete-group&amp;principal={group}");
        assert!(page.contains(&plan(empty)) && !page.contains(&plan(crew)), "{page}");
        assert!(page.contains("crew cannot be deleted yet"), "{page}");
        let page = desk.page(&plan(empty).replace("&amp;", "&")).await;
        let fields = plan_fields(&page);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();
        let page = desk.done("/console/plan", &fields).await;
        assert!(page.contains("The group was deleted") && !page.contains(&plan(empty)), "{page}");
        assert_eq!(desk.post(&format!("/console/groups/{crew}/delete"), &[]).await.0, StatusCode::CONFLICT);
    }

    async fn usr_08_usr_09_each_tab_with_data_and_without(house) {
        let desk = Desk::open(house).await;
        let world = &desk.office.world;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let crew = world.group("crew", &[ann]).await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let change = world.configuration("change", &["QcloudCVMFullAccess"]).await;
        let of = |principal, configuration| world.triple(principal, world.member.uin, configuration);
        world.assign(&[of(Principal::User(ann), look), of(Principal::Group(crew), change)]).await;
        let sync = NewUserSync {
            principal: Principal::Group(crew),
            account: world.member.uin,
            description: String::new(),
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Keep,
        };
        world
            .write(async |tx, act| {
                provisioning::create_user_syncs(tx, act, world.space.id, &[sync], 50).await
            })
            .await;
        desk.settle().await;
        let tab = async |user: UserId, tab: &str| desk.page(&format!("/console/users/{user}?tab={tab}")).await;

        let page = tab(ann, "permissions").await;
        let rows = rows_after(&page, "</h2>");
        assert_eq!(rows.len(), 2, "{page}");
        let row = |name: &str| *rows.iter().find(|row| row.contains(&format!(">{name}</a>"))).unwrap();
        assert!(row("look").contains("Directly") && row("look").contains("one"), "{page}");
        assert!(row("change").contains(&format!("/console/groups/{crew}\">crew</a>")), "{page}");
        let page = tab(ann, "syncs").await;
        assert!(page.contains("ann@test") && page.contains(">crew</a>"), "{page}");
        let page = tab(ann, "security").await;
        assert!(page.contains("There is no password here") && page.contains("ann is not signed in"), "{page}");
        let page = tab(ann, "activity").await;
        assert!(page.contains("user.create"), "{page}");
        let page = tab(ann, "groups").await;
        assert_eq!(rows_after(&page, "Groups of ann").len(), 1, "{page}");

        for (name, empty) in [
            ("groups", "bob is in no group"),
            ("syncs", "bob is no CAM user in any account"),
            ("permissions", "bob reaches no account"),
        ] {
            let page = tab(bob, name).await;
            assert!(page.contains(empty), "{name}: {page}");
            assert!(page.contains(&format!("?tab={name}\" aria-current=\"page\"")), "{name}: {page}");
        }
    }

    async fn grp_03_a_group_has_its_tabs_and_their_empty_states(house) {
        let desk = Desk::open(house).await;
        let world = &desk.office.world;
        let empty = world.group("empty", &[]).await;
        for (tab, words) in [
            ("users", "Nobody is in this group"),
            ("syncs", "empty is synced into no account"),
            ("permissions", "empty reaches no account"),
            ("activity", "group.create"),
        ] {
            let page = desk.page(&format!("/console/groups/{empty}?tab={tab}")).await;
            for words in [words, "Created", "Changed", "Remarks", &empty.to_string()] {
                assert!(page.contains(words), "{tab}: {words}: {page}");
            }
        }
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        world.assign(&[world.triple(Principal::Group(empty), world.member.uin, look)]).await;
        desk.settle().await;
        let page = desk.page(&format!("/console/groups/{empty}?tab=permissions")).await;
        assert!(page.contains(">look</a>") && page.contains(">one</a>"), "{page}");
    }

    async fn grp_11_the_chooser_offers_who_is_not_in_the_group(house) {
        let desk = Desk::open(house).await;
        let world = &desk.office.world;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let crew = world.group("crew", &[ann]).await;
        let offered = async |find: &str| {
            let page = desk.page(&format!("/console/groups/{crew}?find={find}")).await;
            [ann, bob].map(|user| page.contains(&format!("id=\"in-{user}\"")))
        };
        assert_eq!(offered("").await, [false, true]);
        assert_eq!(offered("zz").await, [false, false]);
        let add = format!("/console/groups/{crew}/members");
        desk.done(&add, &[("user", &bob.to_string())]).await;
        assert_eq!(offered("").await, [false, false]);
        let (status, page) = desk.post(&add, &[("user", &bob.to_string())]).await;
        assert_eq!(status, StatusCode::CONFLICT, "{page}");
        assert!(page.contains("in the group already"), "{page}");
        assert_eq!(desk.post(&add, &[]).await.0, StatusCode::CONFLICT);
    }

    async fn grp_12_grp_14_both_ends_agree_and_the_tables_have_their_columns(house) {
        let desk = Desk::open(house).await;
        let world = &desk.office.world;
        let ann = world.user("ann").await;
        let groups = [world.group("a", &[]).await, world.group("b", &[]).await, world.group("c", &[]).await];
        let ids = groups.map(|id| id.to_string());
        let join = format!("/console/users/{ann}/groups");
        let page = desk.done(&join, &[("group", &ids[0]), ("group", &ids[1])]).await;
        let rows = rows_after(&page, "Groups of ann");
        assert_eq!(rows.len(), 2, "{page}");
        let head = page.split_once("Groups of ann").unwrap().1.split_once("</thead>").unwrap().0;
        for column in ["Group", "Joined", "Source"] {
            assert!(head.contains(&format!("<th scope=\"col\">{column}</th>")), "{column}: {head}");
        }
        assert!(rows[0].contains("Manual") && rows[0].contains("<time"), "{page}");
        let members = async |group: GroupId| {
            let page = desk.page(&format!("/console/groups/{group}")).await;
            (rows_after(&page, "</nav>\n").len(), page)
        };
        let (_, page) = members(groups[0]).await;
        let head = page.split_once(">Members</h2>").unwrap().1.split_once("</thead>").unwrap().0;
        for column in ["User name", "Joined", "Status", "Source"] {
            assert!(head.contains(&format!("<th scope=\"col\">{column}</th>")), "{column}: {head}");
        }
        let rows = rows_after(&page, ">Members</h2>");
        assert!(rows[0].contains(">ann</a>") && rows[0].contains("Enabled") && rows[0].contains("Manual"), "{page}");

        let leave = [("group", ids[0].as_str()), ("group", ids[1].as_str())];
        let page = desk.done(&format!("{join}/remove"), &leave).await;
        assert!(page.contains("ann is in no group"), "{page}");
        let (_, page) = members(groups[0]).await;
        assert!(page.contains("Nobody is in this group"), "{page}");
        // All of it or nothing: one that she is not in keeps the other.
        desk.done(&join, &[("group", &ids[2])]).await;
        let both = [("group", ids[2].as_str()), ("group", ids[0].as_str())];
        assert_eq!(desk.post(&format!("{join}/remove"), &both).await.0, StatusCode::CONFLICT);
        assert_eq!(count(house, "SELECT COUNT(*) FROM group_members").await, 1);
    }

    async fn usr_19_the_switch_of_the_security_tab_is_audited_both_ways(house) {
        let desk = Desk::open(house).await;
        let ann = desk.office.world.user("ann").await;
        let status = async |to: &str| {
            let page = desk.done(&format!("/console/users/{ann}/status"), &[("status", to)]).await;
            page.split_once("id=\"user-status\">").unwrap().1.split_once("</dd>").unwrap().0.to_owned()
        };
        assert!(status("disabled").await.contains("Disabled"));
        assert!(status("enabled").await.contains("Enabled"));
        status("enabled").await;
        let records: Vec<(String, String)> = desk.office.world.rows(sql(
            "SELECT state_before, state_after FROM audit_records
             WHERE action = 'user.set_enabled' ORDER BY id")).await;
        let state = |on: bool| json!({ "enabled": on });
        let read: Vec<(Value, Value)> = records
            .iter()
            .map(|(was, is)| (serde_json::from_str(was).unwrap(), serde_json::from_str(is).unwrap()))
            .collect();
        assert_eq!(read, [(state(true), state(false)), (state(false), state(true))]);
        assert!(desk.post(&format!("/console/users/{ann}/status"), &[("status", "gone")]).await.0.is_client_error());
    }

    async fn usr_20_states_and_sources_are_closed_everywhere(house) {
        let office = rules::Office::open(house).await;
        let ann = office.user(house, "ann").await;
        for (action, given) in [
            ("CreateUser", json!({ "UserName": "bob", "UserStatus": "Sleeping" })),
            ("CreateUser", json!({ "UserName": "bob", "UserType": "Imported" })),
            ("ListUsers", json!({ "UserStatus": "Sleeping" })),
            ("ListUsers", json!({ "UserType": "Imported" })),
            ("ListGroups", json!({ "GroupType": "Imported" })),
            ("UpdateUserStatus", json!({ "UserId": ann, "NewUserStatus": "Sleeping" })),
        ] {
            let code = office.refusal(house, action, given.clone()).await;
            assert!(code.starts_with("InvalidParameter."), "{action} {given}: {code}");
        }
        office.done(house, "CreateGroup", json!({ "GroupName": "g" })).await;
        for statement in [
            "UPDATE users SET source = 'imported'",
            "UPDATE groups SET source = 'imported'",
            "INSERT INTO groups (id, space_id, source, name, name_key, name_claim, description,
                                 version, created_at, updated_at)
             SELECT id + 1, space_id, 'imported', 'h', 'h', 'h', '', 1, created_at, updated_at FROM groups",
        ] {
            let written: store::Result<u64> =
                house.app.db.write(async |tx| sql(statement).execute(tx).await).await;
            assert!(written.is_err(), "{statement}");
        }
        let shown = office.done(house, "GetUser", json!({ "UserId": ann })).await;
        assert_eq!(shown["UserInfo"]["UserStatus"], "Enabled", "the usual state");
        assert_eq!(shown["UserInfo"]["UserType"], "Manual");
    }

    /// A day passes for each of them in turn: what is far off is told so, what is near is near.
    async fn set_09_one_view_has_everything_that_ends(house) {
        let desk = Desk::open(house).await;
        let world = &desk.office.world;
        world
            .write(async |tx, act| {
                identity_center::credential::create(tx, act, world.space.id, None).await
            })
            .await;
        let page = desk.page("/console/expiring").await;
        for words in ["A signing key towards the identity provider",
                      "A signing key towards the accounts", "A SCIM token", "Later"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("badge-warn"), "{page}");
        // One that lasts 25 days is near at once, and stands among the others.
        world
            .write(async |tx, act| {
                let lifetime = Some(25 * 86_400);
                identity_center::credential::create(tx, act, world.space.id, lifetime).await
            })
            .await;
        let page = desk.page("/console/expiring").await;
        let row = page.split("<tr>").find(|row| row.contains("A SCIM token")).unwrap();
        assert!(row.contains("Soon") && row.contains(">25<"), "{row}");
        assert!(desk.page("/console").await.contains("/console/expiring"), "the overview leads there");
        // A year later both are over; the API, which knows no cookie's age, tells the same.
        world.app.clock.advance(jiff::SignedDuration::from_hours(24 * 366));
        let own = crate::api::Client::of_root(house, &world.management).await.own();
        let zone = json!({ "ZoneId": world.space.id });
        let ends = own.done(house, "ListExpirations", zone).await;
        let tokens: Vec<&Value> = ends["Expirations"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|end| end["Type"] == "scim_token")
            .collect();
        assert_eq!(tokens.len(), 2, "{ends}");
        for token in tokens {
            assert!(token["IsNear"] == true && token["DaysLeft"].as_i64().unwrap() < 0, "{token}");
        }
    }

    async fn sessions_keys_and_departments_have_their_pages(house) {
        let desk = Desk::open(house).await;
        for (path, words) in [
            ("/console/sessions", "Nobody is signed in"),
            ("/console/administrators", "QcloudOrganizationFullAccess"),
            ("/console/keys", "You have no API key"),
            ("/console/account", "Your sessions at the console"),
            ("/console/organization", "Management account"),
        ] {
            let page = desk.page(path).await;
            assert!(page.contains(words), "{path}: {page}");
        }
        // A key is shown once.
        let (status, made) = desk.post("/console/keys", &[("description", "for the build")]).await;
        assert_eq!(status, StatusCode::OK);
        let secret = made.split_once("id=\"secret\"").unwrap().1.split_once("<code>").unwrap().1;
        let secret = secret.split_once("</code>").unwrap().0.to_owned();
        assert_eq!(secret.len(), 32, "{made}");
        let page = desk.page("/console/keys").await;
        assert!(page.contains("for the build") && !page.contains(&secret), "{page}");
        let id = page.split_once("/console/keys/").unwrap().1.split_once('/').unwrap().0.to_owned();
        let page = desk.done(&format!("/console/keys/{id}/disable"), &[]).await;
        assert!(page.contains("The key was disabled"), "{page}");
        let page = desk.done(&format!("/console/keys/{id}/delete"), &[]).await;
        assert!(page.contains("You have no API key"), "{page}");
        // Departments are made, renamed, filled, and deleted when nothing is in them.
        let departments = desk.page("/console/organization").await;
        let root = departments.split_once("?department=").unwrap().1.split_once('"').unwrap().0.to_owned();
        let path = format!("/console/organization/departments/{root}/new");
        let page = desk.done(&path, &[("name", "Sales")]).await;
        assert!(page.contains("The department was created") && page.contains(">Sales</a>"), "{page}");
        let sales = page.split("?department=").skip(1).find(|part| part.contains("aria-current")).unwrap();
        let sales = sales.split_once('"').unwrap().0.to_owned();
        let member = desk.office.world.member.uin.to_string();
        let page = desk.done("/console/organization/move", &[("account", &member), ("to", &sales)]).await;
        assert!(page.contains("The accounts were moved") && page.contains(&member), "{page}");
        let gone = format!("/console/organization/departments/{sales}/delete");
        assert_eq!(desk.post(&gone, &[]).await.0, StatusCode::CONFLICT, "an account is in it");
        desk.done("/console/organization/move", &[("account", &member), ("to", &root)]).await;
        desk.done(&gone, &[]).await;
        let uin = desk.office.world.management.uin.to_string();
        let (status, _) = desk.post("/console/organization/move", &[("account", &uin), ("to", &root)]).await;
        assert_eq!(status, StatusCode::CONFLICT, "the management account stays");
        // Another password ends every session.
        let form = [("old", "wrong"), ("new", "Another-1-password"), ("again", "Another-1-password")];
        assert_eq!(desk.post("/console/account/password", &form).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        let form = [("old", "correct horse battery staple"), ("new", "Another-1-password"), ("again", "Another-1-password")];
        assert_eq!(desk.post("/console/account/password", &form).await.0, StatusCode::SEE_OTHER);
        let answer = desk.browser.get(house.url("/console")).send().await.unwrap();
        assert_eq!(answer.headers()["location"], "/console/login");
    }

    /// ACT-08 without a script: the overview asks for a name, says whether it is free, and shows the
    /// login URL afterwards.
    async fn act_08_from_an_empty_organisation_to_the_login_url(house) {
        let crate::api::Administration { account, .. } = crate::api::administration(house).await;
        let act = house.app.own_act("test").unwrap();
        let password = "correct horse battery staple";
        let hash = identity_center::cloud::password::hash(zeroize::Zeroizing::new(password.to_owned())).await.unwrap();
        house.app.db
            .write(async |tx| identity_center::cloud::set_password(tx, &act, account.uin, &hash).await)
            .await
            .unwrap();
        let browser = house.browser();
        let uin = account.uin.to_string();
        let form = [("account", uin.as_str()), ("user_name", "administrator"), ("password", password)];
        browser.post(house.url("/console/login")).form(&form).send().await.unwrap();
        let page = async |path: &str| {
            browser.get(house.url(path)).send().await.unwrap().text().await.unwrap()
        };
        let first = page("/console").await;
        assert!(first.contains("Open your space") && !first.contains("/portal/"), "{first}");
        assert!(page("/console?name=acme").await.contains("“acme” is free"));
        assert!(page("/console/space/name?name=No_Good").await.contains("class=\"bad\""));
        let opened = browser.post(house.url("/console/space")).form(&[("name", "acme")]).send().await.unwrap();
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        let open = page("/console?done=space-opened").await;
        for words in ["The space is open", "/portal/acme/login", "<svg class=\"chart\"", "of 1,000,000"] {
            assert!(open.contains(words), "{words}: {open}");
        }
    }
}
