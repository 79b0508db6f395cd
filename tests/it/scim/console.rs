//! Settings › SCIM at the console: what an administrator sees of a directory and can do about it.

use identity_center::{
    cloud, credential,
    policy::catalogue,
    space,
    store::{self, sql},
};
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Answer, Directory, USER};
use crate::{house::TestHouse, on_both, world::World};

pub(super) const PASSWORD: &str = "correct horse battery staple";
pub(super) const HERE: &str = "/console/settings/scim";
pub(super) const HR: &str = "urn:example:params:scim:schemas:extension:hr:2.0:User";

/// A directory, and an administrator of its space at the console.
pub(super) struct Office<'h> {
    pub(super) house: &'h TestHouse,
    pub(super) world: World,
    pub(super) directory: Directory<'h>,
}

impl<'h> Office<'h> {
    pub(super) async fn open(house: &'h TestHouse) -> Self {
        let world = World::make(house.app.clone()).await;
        let (credential, token) = world
            .write(async |tx, act| -> anyhow::Result<_> {
                space::set_scim_enabled(tx, act, &world.space, true).await?;
                let (made, token) = credential::create(tx, act, world.space.id, None).await?;
                Ok((made.id, token.expose_secret().to_owned()))
            })
            .await;
        let client = Client::new();
        let space = world.space.clone();
        Self { house, world, directory: Directory { house, space, credential, token, client } }
    }

    /// A browser in which somebody with a policy is signed in.
    pub(super) async fn signed_in(&self, name: &str, policy: &str) -> Desk<'h> {
        let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
        let account = self.world.management.uin;
        self.world
            .write(async |tx, act| {
                let user = cloud::create_user(tx, act, account, name, Some(&hash), "").await?;
                let preset = catalogue::by_name(policy).unwrap();
                cloud::attach_user_policy(tx, act, &user, preset.id).await
            })
            .await;
        let browser = self.house.browser();
        let account = account.to_string();
        let form = [("account", account.as_str()), ("user_name", name), ("password", PASSWORD)];
        let answer =
            browser.post(self.house.url("/console/login")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        Desk { house: self.house, browser }
    }

    pub(super) async fn chief(&self) -> Desk<'h> {
        self.signed_in("chief", "QcloudOrganizationFullAccess").await
    }

    pub(super) async fn count(&self, statement: &'static str) -> i64 {
        self.world.count(statement).await
    }

    /// How much is in every table that a request of a directory could write to.
    pub(super) async fn inventory(&self) -> Vec<(&'static str, i64)> {
        self.house.app.recorder.flush().await;
        let mut found = Vec::new();
        for statement in [
            "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL",
            "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM users",
            "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM groups",
            "SELECT COUNT(*) FROM groups",
            "SELECT COUNT(*) FROM group_members",
            "SELECT COUNT(*) FROM audit_records",
            "SELECT COUNT(*) FROM tasks",
            "SELECT COUNT(*) FROM events",
            "SELECT COUNT(*) FROM sessions",
            "SELECT COUNT(*) FROM scim_requests",
            "SELECT COUNT(*) FROM scim_removals",
            "SELECT COUNT(*) FROM scim_attribute_values",
        ] {
            found.push((statement, self.count(statement).await));
        }
        found
    }
}

/// A browser at the console.
pub(super) struct Desk<'h> {
    pub(super) house: &'h TestHouse,
    pub(super) browser: Client,
}

impl Desk<'_> {
    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.browser.get(self.house.url(path)).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let answer = self.browser.post(self.house.url(path)).form(form).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// A change that works: the page goes on to say so.
    #[track_caller]
    pub(super) fn done((status, text): (StatusCode, String)) {
        assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    }

    /// The address of the latest request on a page.
    pub(super) async fn latest(&self, path: &str) -> String {
        let page = self.page(path).await;
        let begin = page.find(&format!("{HERE}/requests/sr-")).unwrap_or_else(|| panic!("{page}"));
        page[begin..].split('"').next().unwrap().to_owned()
    }
}

fn braked(answer: &Answer) -> bool {
    answer.status == 429 && answer.text.contains("brake")
}

fn user(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

on_both! {
    async fn scim_20_a_refused_patch_is_two_clicks_away_with_its_operation_and_reason(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let alice = acme.user("alice").await;
        let refused = acme.patch(&format!("/Users/{alice}"), json!([
            { "op": "replace", "path": "displayName", "value": "<script>alert(1)</script>" },
            { "op": "replace", "path": "active", "value": "perhaps" },
            { "op": "replace", "path": "password", "value": "t0p-secret" },
        ])).await;
        let told = refused.refused(400, Some("invalidValue"));
        // One click: the page of SCIM has the refusal; two: the request.
        let page = chief.page(HERE).await;
        assert!(page.contains("Latest refusals") && page.contains(&alice), "{page}");
        let page = chief.page(&chief.latest(HERE).await).await;
        let (_, marked) = page.split_once(r#"<mark id="operation">"#).unwrap_or_else(|| panic!("{page}"));
        let (marked, _) = marked.split_once("</mark>").unwrap();
        assert!(marked.contains("perhaps") && !marked.contains("displayName"), "{marked}");
        assert!(page.contains("Operations[1]") && told.contains("Operations[1]"), "{told}");
        assert!(page.contains("A value was of the wrong type"), "{page}");
        assert!(page.contains(&acme.credential.to_string()), "{page}");
        assert!(!page.contains("t0p-secret") && page.contains("(not recorded)"), "{page}");
        assert!(!page.contains("<script>alert") && page.contains("alert(1)"), "{page}");
        // A change shows its fields before and after.
        let operations = json!([{ "op": "replace", "path": "title", "value": "Queen" }]);
        acme.patch(&format!("/Users/{alice}"), operations).await.expect(200);
        let page = chief.page(&chief.latest(&format!("{HERE}/requests")).await).await;
        assert!(page.contains("What it changed") && page.contains("Queen"), "{page}");
        assert!(page.contains(&format!("/console/users/{alice}")), "{page}");
    }

    async fn requests_are_found_by_whom_outcome_and_method(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let alice = acme.user("Alice").await;
        let staff = acme.group("Staff", &[&alice]).await;
        acme.user("bob").await;
        // A refusal that knows only the id is found by the name as well.
        acme.patch(&format!("/Users/{alice}"), json!([{ "op": "frob" }])).await;
        let rows = async |query: &str| {
            let page = chief.page(&format!("{HERE}/requests?{query}")).await;
            page.matches(&format!("href=\"{HERE}/requests/sr-")).count()
        };
        assert_eq!(rows("").await, 4);
        assert_eq!(rows("whom=aLICE").await, 2);
        assert_eq!(rows(&format!("whom={alice}&outcome=refused")).await, 1);
        assert_eq!(rows("whom=alice&outcome=done&method=POST").await, 1);
        assert_eq!(rows(&format!("whom={staff}")).await, 1);
        assert_eq!(rows("whom=staff&kind=group").await, 1);
        assert_eq!(rows("whom=staff&kind=user").await, 0);
        assert_eq!(rows("whom=nobody").await, 0);
        assert_eq!(rows("method=DELETE").await, 0);
        // Fifty to a page, and each request on one of them.
        for _ in 0..50 {
            acme.get("/Users?count=1").await.expect(200);
        }
        let first = chief.page(&format!("{HERE}/requests")).await;
        let (before, _) = first.split_once("\" rel=\"next\"").unwrap_or_else(|| panic!("{first}"));
        let next = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        let second = chief.page(&next).await;
        let link = format!("href=\"{HERE}/requests/sr-");
        assert_eq!((first.matches(&link).count(), second.matches(&link).count()), (50, 4));
        // Another space's requests are nobody's here.
        let other = Directory::of_space(house, "other").await;
        other.user("mallory").await;
        assert_eq!(rows("whom=mallory").await, 0);
    }

    async fn scim_20_a_replay_tells_what_would_happen_today_and_writes_nothing(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let first = acme.user("alice").await;
        acme.post("/Users", user("alice")).await.refused(409, Some("uniqueness"));
        let failed = chief.latest(&format!("{HERE}/requests")).await;
        let (status, page) = chief.post(&format!("{failed}/replay"), &[]).await;
        assert!(status == 200 && page.contains("would be refused today"), "{page}");
        acme.delete(&format!("/Users/{first}")).await.expect(204);
        // Today the name is free. The token is not needed for that.
        let (act, id) = (office.world.act(), acme.credential);
        house.app.db
            .write(async |tx| credential::delete(tx, &act, acme.space.id, id).await)
            .await
            .unwrap();
        let before = office.inventory().await;
        let (status, page) = chief.post(&format!("{failed}/replay"), &[]).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("It was refused, and would be done today."), "{page}");
        assert!(page.contains(">409<") && page.contains(">201<"), "{page}");
        assert!(page.contains("user.create") && page.contains("userName"), "{page}");
        assert_eq!(office.inventory().await, before);
        let page = chief.page("/console/users").await;
        assert!(!page.contains(">alice<"), "{page}");
        // A request of another space is none.
        let other = Directory::of_space(house, "other").await;
        other.post("/Users", json!({ "schemas": [USER] })).await;
        office.house.app.recorder.flush().await;
        let strange: (i64,) = house.app.db
            .read(async |tx| -> store::Result<_> {
                sql("SELECT MAX(id) FROM scim_requests").fetch_one(tx).await
            })
            .await
            .unwrap();
        let strange = identity_center::id::ScimRequestId(strange.0);
        let (status, _) = chief.post(&format!("{HERE}/requests/{strange}/replay"), &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }

    async fn scim_21_an_administrator_lets_a_held_directory_go(house) {
        let office = Office::open(house).await;
        let acme = &office.directory;
        let mut users = Vec::new();
        for name in ["a", "b", "c", "d"] {
            users.push(acme.user(name).await);
        }
        office.world.advance(7200);
        let chief = office.chief().await;
        let form = [
            ("brake_enabled", "true"), ("brake_users", "1"), ("brake_percent", "1"),
            ("brake_window", "3600"), ("record_days", "30"), ("record_megabytes", "1"),
        ];
        Desk::done(chief.post(&format!("{HERE}/settings"), &form).await);
        acme.delete(&format!("/Users/{}", users[0])).await.expect(204);
        assert!(!chief.page(HERE).await.contains("brake holds since"));
        let path = format!("/Users/{}", users[1]);
        assert!(braked(&acme.delete(&path).await));
        for page in [HERE, "/console"] {
            let page = chief.page(page).await;
            assert!(page.contains("brake holds since"), "{page}");
        }
        // Its reason, and what would happen: the rehearsal is held as well, and written nowhere.
        let held = chief.latest(HERE).await;
        assert!(chief.page(&held).await.contains("The mass-change brake holds"));
        let before = office.inventory().await;
        let (_, page) = chief.post(&format!("{held}/replay"), &[]).await;
        assert!(page.contains(">429<") && page.contains("would be refused today"), "{page}");
        assert_eq!(office.inventory().await, before);
        let (status, _) = chief.post(&format!("{HERE}/brake/lift"), &[("hours", "9999")]).await;
        assert_eq!(status, StatusCode::CONFLICT);
        Desk::done(chief.post(&format!("{HERE}/brake/lift"), &[("hours", "1")]).await);
        let page = chief.page(HERE).await;
        assert!(page.contains("Everything passes until") && !page.contains("brake holds since"));
        // Lifted, it would go; and nothing is done by asking.
        let before = office.inventory().await;
        let (_, page) = chief.post(&format!("{held}/replay"), &[]).await;
        assert!(page.contains(">204<") && page.contains("user.delete"), "{page}");
        assert_eq!(office.inventory().await, before);
        acme.delete(&path).await.expect(204);
        Desk::done(chief.post(&format!("{HERE}/brake/back"), &[]).await);
        assert!(braked(&acme.delete(&format!("/Users/{}", users[2])).await));
    }

    async fn the_switches_go_round_and_a_wrong_number_is_named(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let path = format!("{HERE}/settings");
        let page = chief.page(&path).await;
        assert!(page.contains(r#"name="brake_enabled" value="true" checked"#), "{page}");
        let mut form = vec![
            ("patch_without_body", "true"), ("always_emit_members", "true"),
            ("refuse_unknown_members", "true"), ("allow_equal_group_names", "true"),
            ("refuse_renames", "true"), ("brake_users", "7"), ("brake_percent", "8"),
            ("brake_window", "900"), ("record_days", "10"), ("record_megabytes", "11"),
        ];
        Desk::done(chief.post(&path, &form).await);
        let page = chief.page(&path).await;
        for box_of in ["patch_without_body", "always_emit_members", "refuse_unknown_members",
            "allow_equal_group_names", "refuse_renames"] {
            assert!(page.contains(&format!(r#"name="{box_of}" value="true" checked"#)), "{page}");
        }
        assert!(!page.contains(r#"name="brake_enabled" value="true" checked"#), "{page}");
        for (name, value) in &form[5..] {
            let field = format!(r#"name="{name}" type="number" value="{value}""#);
            assert!(page.contains(&field), "{field}: {page}");
        }
        // They count at once.
        let alice = acme.user("alice").await;
        let operations = json!([{ "op": "replace", "path": "title", "value": "Queen" }]);
        acme.patch(&format!("/Users/{alice}"), operations).await.expect(204);
        for (name, value) in [("brake_percent", "101"), ("record_days", "many"), ("brake_window", "")] {
            let place = form.iter().position(|(field, _)| *field == name).unwrap();
            let kept = std::mem::replace(&mut form[place], (name, value));
            let (status, page) = chief.post(&path, &form).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            assert!(page.contains(&format!(r#"id="error-{name}""#)), "{page}");
            form[place] = kept;
        }
    }

    async fn a_schema_registered_at_the_console_is_one_for_the_directory(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let path = format!("{HERE}/schemas");
        let attribute = |name: &str, uniqueness: &str| json!({
            "name": name, "type": "string", "multiValued": false, "required": false,
            "caseExact": false, "mutability": "readWrite", "returned": "default",
            "uniqueness": uniqueness,
        });
        let document = json!({
            "id": HR, "name": "Human resources",
            "attributes": [attribute("badge", "server"), attribute("desk", "none")],
        }).to_string();
        for (wrong, told) in [
            ("{", "The body"),
            (r#"{"id":"no urn","attributes":[]}"#, "must be a URN"),
            (r#"{"id":"urn:x:y","attributes":[]}"#, "at least one attribute"),
        ] {
            let form = [("resource_type", "user"), ("document", wrong)];
            let (status, page) = chief.post(&path, &form).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.contains(r#"id="error-document""#) && page.contains(told), "{page}");
        }
        let form = [("resource_type", "user"), ("document", document.as_str())];
        Desk::done(chief.post(&path, &form).await);
        let page = chief.page(&path).await;
        assert!(page.contains("Human resources") && page.contains("badge, desk"), "{page}");
        let (status, page) = chief.post(&path, &form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("registered already"), "{page}");
        // Through the door of the directory: announced, kept, filtered by, unique, checked.
        acme.get(&format!("/Schemas/{HR}")).await.expect(200);
        let with = |name: &str, badge: Value| json!({
            "schemas": [USER, HR], "userName": name, HR: { "badge": badge },
        });
        let made = acme.post("/Users", with("alice", json!("B-1"))).await.expect(201);
        assert_eq!(made[HR]["badge"], "B-1");
        let found = acme.filter("/Users", &format!("{HR}:badge eq \"b-1\"")).await.expect(200);
        assert_eq!(found["totalResults"], 1);
        acme.post("/Users", with("bob", json!("b-1"))).await.refused(409, Some("uniqueness"));
        acme.post("/Users", with("carol", json!(7))).await.refused(400, Some("invalidValue"));
        Desk::done(chief.post(&format!("{path}/remove"), &[("urn", HR)]).await);
        acme.get(&format!("/Schemas/{HR}")).await.refused(404, None);
        let alice = made["id"].as_str().unwrap();
        assert!(acme.get(&format!("/Users/{alice}")).await.expect(200).get(HR).is_none());
        let (status, _) = chief.post(&format!("{path}/remove"), &[("urn", HR)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }

    async fn why_somebody_is_in_a_group_or_not(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let (alice, bob) = (acme.user("alice").await, acme.user("bob").await);
        let staff = acme.group("Staff", &[&alice]).await;
        let page = chief.page(&format!("{HERE}/why?user=ALICE&group={staff}")).await;
        assert!(page.contains("alice is in Staff since"), "{page}");
        assert!(page.contains("alice joined by a request of the directory."), "{page}");
        let request = chief.latest(&format!("{HERE}/why?user={alice}&group=staff")).await;
        assert!(chief.page(&request).await.contains("POST /Groups"));
        let page = chief.page(&format!("{HERE}/why?user=bob&group=Staff")).await;
        assert!(page.contains("bob is not in Staff") && page.contains("Nothing on record"), "{page}");
        let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{alice}\"]") }]);
        acme.patch(&format!("/Groups/{staff}"), remove).await;
        let page = chief.page(&format!("{HERE}/why?user=alice&group=Staff")).await;
        assert!(page.contains("alice is not in Staff") && page.contains("alice left by"), "{page}");
        let page = chief.page(&format!("{HERE}/why?user=nobody&group=nothing")).await;
        assert!(page.contains("There is no such user.") && page.contains("There is no such group."));
        // The pages of the two lead here.
        for page in [format!("/console/users/{bob}"), format!("/console/groups/{staff}")] {
            assert!(chief.page(&page).await.contains(&format!("{HERE}/why?")), "{page}");
        }
    }

    async fn scim_07_scim_09_a_token_is_downloaded_once_and_its_end_is_announced(house) {
        let office = Office::open(house).await;
        let chief = office.chief().await;
        let (status, page) = chief.post(&format!("{HERE}/tokens"), &[("days", "90")]).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let part = |begin: &str| page.split_once(begin).unwrap().1.split('"').next().unwrap().to_owned();
        let token = part(r#"name="token" value=""#);
        let place = format!("{HERE}/tokens/{}", part(&format!(r#"action="{HERE}/tokens/"#)));
        assert!(place.ends_with("/download") && token.starts_with("icscim_"), "{place}");
        let answer = chief.browser.post(house.url(&place)).form(&[("token", &token)]).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let csv = answer.text().await.unwrap();
        assert!(csv.contains(&token) && csv.contains("/scim/v2") && csv.lines().count() == 2, "{csv}");
        // Only this token comes back, and from no page again.
        let (status, _) = chief.post(&place, &[("token", &office.directory.token)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let page = chief.page(HERE).await;
        assert!(!page.contains(&token) && page.contains("90 days left"), "{page}");
        assert!(!page.contains("notice-warn"), "{page}");
        for (days, notice, words) in [
            (59, "notice-warn", "59 days left"),
            (1, "notice-bad", "Less than a day left"),
            (0, "notice-bad", "has expired"),
        ] {
            let end = house.now().plus_seconds(days * 86_400);
            let id = office.directory.credential;
            let aged = office.world.write(async |tx, _| {
                sql("UPDATE scim_credentials SET expires_at = $1 WHERE id = $2")
                    .bind(end)
                    .bind(id)
                    .execute(tx)
                    .await
            });
            assert_eq!(aged.await, 1);
            let page = chief.page(HERE).await;
            assert!(page.contains(notice) && page.contains(words), "{words}: {page}");
        }
    }

    async fn scim_05_switching_on_again_warns_of_what_was_changed_meanwhile(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let (alice, bob) = (acme.user("alice").await, acme.user("bob").await);
        let on = format!("{HERE}/on");
        // Nothing was changed: nothing is asked.
        Desk::done(chief.post(&format!("{HERE}/off"), &[]).await);
        Desk::done(chief.post(&on, &[]).await);
        Desk::done(chief.post(&format!("{HERE}/off"), &[]).await);
        acme.get(&format!("/Users/{alice}")).await.refused(403, None);
        Desk::done(chief.post(&format!("/console/users/{alice}"), &[
            ("first_name", ""), ("last_name", ""), ("display_name", "By hand"),
            ("email", ""), ("description", ""),
        ]).await);
        Desk::done(chief.post(&format!("/console/users/{bob}/delete"), &[]).await);
        let (status, page) = chief.post(&on, &[]).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("1 was edited") && page.contains("1 was deleted"), "{page}");
        acme.get(&format!("/Users/{alice}")).await.refused(403, None);
        Desk::done(chief.post(&on, &[("confirmed", "true")]).await);
        acme.get(&format!("/Users/{alice}")).await.expect(200);
    }

    async fn con_14_who_may_look_only_sees_everything_and_changes_nothing(house) {
        let office = Office::open(house).await;
        let acme = &office.directory;
        let alice = acme.user("alice").await;
        acme.send_json(Method::PATCH, &format!("/Users/{alice}"), &json!({})).await;
        let reader = office.signed_in("reader", "QcloudOrganizationReadOnlyAccess").await;
        let request = reader.latest(HERE).await;
        let before = office.inventory().await;
        for page in [HERE.to_owned(), format!("{HERE}/requests"), format!("{HERE}/schemas"),
            format!("{HERE}/settings"), format!("{HERE}/why"), request.clone()] {
            let text = reader.page(&page).await;
            // Language and colours are everybody's to choose.
            let chosen = text.matches("<form class=\"preferences\"").count();
            let forms = text.matches("method=\"post\"").count() - chosen;
            // Signing out is one; the switches are shown in a form that cannot be sent.
            let expected = if page.ends_with("/settings") { 2 } else { 1 };
            assert_eq!(forms, expected, "{page}: {text}");
        }
        for path in [format!("{HERE}/off"), format!("{HERE}/settings"), format!("{HERE}/schemas"),
            format!("{HERE}/schemas/remove"), format!("{HERE}/brake/lift"), format!("{HERE}/brake/back"),
            format!("{HERE}/tokens"), format!("{HERE}/tokens/{}/download", acme.credential),
            format!("{request}/replay")] {
            let (status, text) = reader.post(&path, &[]).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {text}");
        }
        assert_eq!(office.inventory().await, before);
    }
}
