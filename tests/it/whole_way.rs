//! The whole way: from a company's directory into an account of the cloud, and out again.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use identity_center::{
    audit,
    id::{OrganizationId, SpaceId, Uin},
    saml::{encoding, instant},
    store::{self, PageRequest},
};
use jiff::SignedDuration;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{self, Administration},
    fake_idp::FakeIdp,
    house::TestHouse,
    journey::{count, header, location},
    on_both,
};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A company that an administrator has set up through the public API.
pub struct World<'h> {
    pub house: &'h TestHouse,
    pub organization: OrganizationId,
    pub space: SpaceId,
    pub zone: String,
    /// A member account, and the management account.
    pub member: Uin,
    pub manager: Uin,
    /// Lets people look at servers.
    pub configuration: String,
    pub administrator: api::Client,
    scim_token: String,
    scim: Client,
}

impl<'h> World<'h> {
    /// Everything an administrator does before the first person comes, with an identity provider
    /// of that metadata.
    pub async fn set_up(
        house: &'h TestHouse,
        metadata: impl AsyncFnOnce(&str) -> Option<String>,
    ) -> Option<Self> {
        let Administration { organization, account, client } = api::administration(house).await;
        let zone = client.done(house, "OpenIdentityCenter", json!({ "ZoneName": "acme" })).await;
        let zone = zone["ZoneId"].as_str().unwrap().to_owned();
        let member = json!({
            "Name": "shop", "AccountName": "shop", "PolicyType": "Financial",
            "PermissionIds": [1, 2], "NodeId": account.node_id,
        });
        let member = client.done(house, "CreateOrganizationMember", member).await;
        let token = client.done(house, "CreateSCIMCredential", json!({ "ZoneId": zone })).await;
        let switch = json!({ "ZoneId": zone, "SCIMSynchronizationStatus": "Enabled" });
        client.done(house, "UpdateSCIMSynchronizationStatus", switch).await;

        let ours = json!({ "ZoneId": zone });
        let ours = client.done(house, "GetZoneSAMLServiceProviderInfo", ours).await;
        let ours = &ours["SAMLServiceProvider"]["EncodedMetadataDocument"];
        let ours = String::from_utf8(STANDARD.decode(ours.as_str().unwrap()).unwrap()).unwrap();
        let theirs = STANDARD.encode(metadata(&ours).await?);
        let set = json!({
            "ZoneId": zone, "EncodedMetadataDocument": theirs, "SSOStatus": "Enabled",
        });
        client.done(house, "SetExternalSAMLIdentityProvider", set).await;

        let look = json!({
            "ZoneId": zone, "RoleConfigurationName": "look", "SessionDuration": 3600,
        });
        let made = client.done(house, "CreateRoleConfiguration", look).await;
        let configuration = made["RoleConfigurationInfo"]["RoleConfigurationId"].as_str().unwrap();
        let policies = json!({
            "ZoneId": zone, "RoleConfigurationId": configuration, "RolePolicyType": "System",
            "RolePolicyNames": ["QcloudCVMReadOnlyAccess"],
        });
        client.done(house, "AddPermissionPolicyToRoleConfiguration", policies).await;
        Some(Self {
            house,
            organization: organization.id,
            space: zone.parse().unwrap(),
            member: Uin(member["Uin"].as_i64().unwrap()),
            manager: account.uin,
            configuration: configuration.to_owned(),
            scim_token: token["CredentialSecret"].as_str().unwrap().to_owned(),
            scim: Client::new(),
            administrator: client,
            zone,
        })
    }

    /// The same, with the fake identity provider.
    pub async fn open(house: &'h TestHouse) -> Self {
        Self::set_up(house, async |_| Some(FakeIdp::new().metadata())).await.unwrap()
    }

    /// What a directory does.
    pub async fn scim(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let address = self.house.url(&format!("/scim/v2{path}"));
        let request = self.scim.request(method, address).bearer_auth(&self.scim_token);
        let request = request.header("Content-Type", "application/scim+json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Pushes a user; says its id.
    pub async fn push_user(&self, name: &str) -> String {
        let user = json!({ "schemas": [USER], "userName": name, "active": true });
        let (status, made) = self.scim(Method::POST, "/Users", user).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// Pushes a group with these users; says its id.
    pub async fn push_group(&self, name: &str, users: &[&str]) -> String {
        let members: Vec<Value> = users.iter().map(|user| json!({ "value": user })).collect();
        let group = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        let (status, made) = self.scim(Method::POST, "/Groups", group).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn patch(&self, path: &str, operation: Value) {
        let body = json!({ "schemas": [PATCH], "Operations": [operation] });
        let (status, answer) = self.scim(Method::PATCH, path, body).await;
        assert!(status.is_success(), "{status}: {answer}");
    }

    pub fn triple(&self, kind: &str, id: &str) -> Value {
        json!({
            "PrincipalType": kind, "PrincipalId": id, "TargetType": "MemberUin",
            "TargetUin": self.member.0, "RoleConfigurationId": self.configuration,
        })
    }

    /// Gives an identity the configuration on the member account, and waits until it is there.
    pub async fn assign(&self, kind: &str, id: &str) {
        let wanted = json!({ "ZoneId": self.zone, "RoleAssignmentInfo": [self.triple(kind, id)] });
        let started = self.administrator.done(self.house, "CreateRoleAssignment", wanted).await;
        let task = &started["Tasks"][0]["TaskId"];
        for _ in 0..400 {
            let asked = json!({ "ZoneId": self.zone, "TaskId": task });
            let answer = self.administrator.done(self.house, "GetTaskStatus", asked).await;
            match answer["TaskStatus"]["Status"].as_str().unwrap() {
                "Success" => return,
                "InProgress" => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => panic!("{answer}"),
            }
        }
        panic!("the assignment does not end");
    }

    /// Waits until the worker has nothing to do.
    pub async fn settle(&self) {
        let left = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..400 {
            if count(self.house, left).await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the tasks do not end");
    }

    pub fn portal(&self, rest: &str) -> String {
        self.house.url(&format!("/portal/acme{rest}"))
    }

    /// Signs in at the portal; what the JSON then says about the session.
    pub async fn sign_in(&self, browser: &Client, name: &str) {
        let inside = self.try_sign_in(browser, name).await;
        assert_eq!(inside.status(), StatusCode::SEE_OTHER, "{}", inside.text().await.unwrap());
    }

    pub async fn try_sign_in(&self, browser: &Client, name: &str) -> Response {
        let idp = FakeIdp::new();
        let begun = browser.get(self.portal("/login/start")).send().await.unwrap();
        let request = idp.read(&location(&begun));
        let answer = idp.answer(&request, name, self.house.now().to_jiff());
        let acs =
            browser.post(request.acs_url.unwrap()).header("Origin", "https://idp.example.com");
        let form = [("SAMLResponse", answer.signed().base64())];
        let accepted = acs.form(&form).send().await.unwrap();
        if accepted.status() != StatusCode::SEE_OTHER {
            return accepted;
        }
        browser.get(location(&accepted)).send().await.unwrap()
    }

    /// The JSON of the portal; 401 is none.
    pub async fn json(&self, browser: &Client, what: &str) -> Option<Value> {
        let answer = browser.get(self.portal(&format!("/api/{what}"))).send().await.unwrap();
        if answer.status() == StatusCode::UNAUTHORIZED {
            return None;
        }
        assert_eq!(answer.status(), StatusCode::OK);
        Some(answer.json().await.unwrap())
    }

    /// Asks the portal for the way into the member account.
    pub async fn launch(&self, browser: &Client) -> Response {
        self.launch_into(browser, self.member, &self.configuration).await
    }

    async fn launch_into(&self, browser: &Client, account: Uin, role: &str) -> Response {
        let way = self.portal(&format!("/accounts/{account}/roles/{role}/login"));
        browser.post(way).header("Origin", self.house.url("")).send().await.unwrap()
    }

    /// The response that the launch page carries, and where to.
    pub async fn word(&self, browser: &Client) -> String {
        let page = self.launch(browser).await;
        assert_eq!(header(&page, "cache-control"), "no-store");
        let status = page.status();
        let text = page.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{text}");
        let action = self.house.url("/cloud/login/saml");
        assert!(text.contains(&format!("action=\"{action}\"")), "{text}");
        input(&text, "SAMLResponse")
    }

    /// Posts a response to the account's sign-in.
    pub async fn enter(&self, browser: &Client, word: &str) -> Response {
        let door = self.house.url("/cloud/login/saml");
        let post = browser.post(door).header("Origin", self.house.url(""));
        post.form(&[("SAMLResponse", word)]).send().await.unwrap()
    }

    async fn set_landing_page(&self, page: &str) {
        let change = json!({
            "ZoneId": self.zone, "RoleConfigurationId": self.configuration, "NewRelayState": page,
        });
        self.administrator.done(self.house, "UpdateRoleConfiguration", change).await;
    }

    /// Posts a response with a `RelayState` beside it.
    async fn land(&self, browser: &Client, word: &str, relay_state: &str) -> Response {
        let door = self.house.url("/cloud/login/saml");
        let post = browser.post(door).header("Origin", self.house.url(""));
        let form = [("SAMLResponse", word), ("RelayState", relay_state)];
        post.form(&form).send().await.unwrap()
    }

    /// The account console, while one is in the account.
    pub async fn console(&self, browser: &Client, query: &[(&str, &str)]) -> Option<String> {
        let address = url::Url::parse_with_params(&self.house.url("/cloud"), query).unwrap();
        let answer = browser.get(address).send().await.unwrap();
        if answer.status() == StatusCode::SEE_OTHER {
            assert_eq!(location(&answer), self.house.url("/cloud/login"));
            return None;
        }
        assert_eq!(answer.status(), StatusCode::OK);
        Some(answer.text().await.unwrap())
    }

    /// All the way in.
    pub async fn go_in(&self, browser: &Client, name: &str) {
        self.sign_in(browser, name).await;
        let word = self.word(browser).await;
        let entered = self.enter(browser, &word).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER, "{}", entered.text().await.unwrap());
        assert!(self.console(browser, &[]).await.is_some());
    }

    /// What the audit log says happened, latest first.
    pub async fn log(&self) -> Vec<String> {
        let organization = self.organization;
        let records: store::Result<_> = self
            .house
            .app
            .db
            .read(async |tx| audit::list(tx, organization, PageRequest::first(100)).await)
            .await;
        records.unwrap().rows.into_iter().map(|record| record.action).collect()
    }
}

/// The value of a hidden input.
pub fn input(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    let value = page[at..].split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    value.replace("&#43;", "+").replace("&#x2B;", "+").replace("&amp;", "&")
}

/// What the account console says about an action.
pub fn assert_verdict(console: &str, allowed: bool) {
    assert!(console.contains(&format!("data-allowed=\"{allowed}\"")), "{console}");
}

on_both! {
    async fn con_06_rs_03_scim_18_from_the_directory_into_an_account_and_out_again(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann@acme.example").await;
        let group = world.push_group("Developers", &[&ann]).await;
        let browser = house.browser();

        // CON-06: known to the space, and with no rights of any kind.
        world.sign_in(&browser, "ann@acme.example").await;
        let session = world.json(&browser, "session").await.unwrap();
        assert_eq!(session["user_name"], "ann@acme.example");
        assert_eq!(world.json(&browser, "accounts").await.unwrap()["accounts"], json!([]));
        assert_eq!(world.launch(&browser).await.status(), StatusCode::NOT_FOUND);
        assert!(world.console(&browser, &[]).await.is_none());

        // PRT-01: what is given shows without signing in anew.
        world.assign("Group", &group).await;
        let accounts = world.json(&browser, "accounts").await.unwrap();
        let [account] = &accounts["accounts"].as_array().unwrap()[..] else { panic!("{accounts}") };
        assert_eq!(account["uin"], world.member.0);
        let role = &account["roles"][0];
        assert_eq!(role["id"], world.configuration);
        assert_eq!((&role["name"], &role["state"]), (&json!("look"), &json!("deployed")));

        let word = world.word(&browser).await;
        let entered = world.enter(&browser, &word).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER, "{}", entered.text().await.unwrap());
        let cookie = header(&entered, "set-cookie").to_owned();
        assert!(cookie.starts_with("cloud_session="), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/cloud"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let console = world.console(&browser, &[]).await.unwrap();
        assert!(console.contains("TencentCloudSSO-look"), "{console}");
        assert!(console.contains(&world.member.to_string()), "{console}");

        let tried = world.console(&browser, &[("action", "cvm:DescribeInstances")]).await.unwrap();
        assert_verdict(&tried, true);
        assert!(tried.contains("QcloudCVMReadOnlyAccess</strong> allows it"), "{tried}");
        for action in ["cvm:TerminateInstances", "cos:PutObject", "cam:CreateUser"] {
            let tried = world.console(&browser, &[("action", action)]).await.unwrap();
            assert_verdict(&tried, false);
            assert!(tried.contains("No statement allows it"), "{tried}");
        }

        // SSO-15 in the accounts: a word counts once, in this browser and in any other.
        for browser in [&browser, &house.browser()] {
            let again = world.enter(browser, &word).await;
            assert_eq!(again.status(), StatusCode::FORBIDDEN);
            assert!(again.text().await.unwrap().contains("ResponseUsed"));
        }

        // CON-04: both steps are in the log.
        let log = world.log().await;
        for action in ["sign_in.succeed", "role_session.open"] {
            assert!(log.iter().any(|it| it == action), "{action}: {log:?}");
        }

        // SCIM-18: the directory deletes her, and she is out of everything at once.
        let unused = world.word(&browser).await;
        let (status, _) = world.scim(Method::DELETE, &format!("/Users/{ann}"), json!({})).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(world.json(&browser, "session").await, None);
        assert_eq!(world.console(&browser, &[]).await, None);
        let refused = world.enter(&browser, &unused).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("AccessEnded"));
        let refused = world.try_sign_in(&browser, "ann@acme.example").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);

        // Whoever comes under her name next is somebody else and inherits nothing.
        let other = world.push_user("ann@acme.example").await;
        assert_ne!(other, ann);
        let browser = house.browser();
        world.sign_in(&browser, "ann@acme.example").await;
        assert_eq!(world.json(&browser, "accounts").await.unwrap()["accounts"], json!([]));
        assert_eq!(world.enter(&browser, &unused).await.status(), StatusCode::FORBIDDEN);
        world.settle().await;
    }

    async fn usr_18_grp_13_losing_access_ends_what_it_has_opened(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        let bob = world.push_user("bob").await;
        let group = world.push_group("Developers", &[&ann, &bob]).await;
        world.assign("Group", &group).await;
        let (anns, bobs) = (house.browser(), house.browser());
        world.go_in(&anns, "ann").await;
        world.go_in(&bobs, "bob").await;

        // Out of the group: out of the account, not out of the portal. Bob stays.
        let path = format!("members[value eq \"{ann}\"]");
        let out = json!({ "op": "remove", "path": path });
        world.patch(&format!("/Groups/{group}"), out).await;
        assert_eq!(world.console(&anns, &[]).await, None);
        assert_eq!(world.launch(&anns).await.status(), StatusCode::NOT_FOUND);
        assert!(world.json(&anns, "session").await.is_some());
        assert!(world.console(&bobs, &[]).await.is_some());

        // USR-18: switched off by the directory, he is out of both at once.
        let off = json!({ "op": "replace", "path": "active", "value": false });
        world.patch(&format!("/Users/{bob}"), off).await;
        assert_eq!(world.json(&bobs, "session").await, None);
        assert_eq!(world.console(&bobs, &[]).await, None);

        // Back in the group and on again, they get in anew; what was open stays closed.
        let back = json!({ "op": "add", "path": "members", "value": [{ "value": ann }] });
        world.patch(&format!("/Groups/{group}"), back).await;
        let on = json!({ "op": "replace", "path": "active", "value": true });
        world.patch(&format!("/Users/{bob}"), on).await;
        for (browser, name) in [(&anns, "ann"), (&bobs, "bob")] {
            assert_eq!(world.console(browser, &[]).await, None);
            // A word of the very moment of the revocation would not count yet.
            house.app.clock.advance(SignedDuration::from_secs(1));
            world.go_in(browser, name).await;
        }

        // The group goes, and with it what was through it.
        world.scim(Method::DELETE, &format!("/Groups/{group}"), json!({})).await;
        for browser in [&anns, &bobs] {
            assert_eq!(world.console(browser, &[]).await, None);
            let accounts = world.json(browser, "accounts").await.unwrap();
            assert_eq!(accounts["accounts"], json!([]));
        }
        world.settle().await;
    }

    async fn a_way_that_was_not_given_is_none(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.push_user("bob").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.sign_in(&browser, "bob").await;
        let given = world.configuration.clone();
        // Ann's; the management account's; roles, accounts and spaces that are not there.
        for (account, role) in [
            (world.member, given.as_str()),
            (world.manager, given.as_str()),
            (world.member, "rc-000000000000"),
            (Uin(1), given.as_str()),
        ] {
            let refused = world.launch_into(&browser, account, role).await;
            assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{account} {role}");
            assert!(!refused.text().await.unwrap().contains("SAMLResponse"));
        }
        // Nobody at all is led to the sign-in.
        let stranger = house.browser();
        let refused = world.launch(&stranger).await;
        assert_eq!(refused.status(), StatusCode::SEE_OTHER);
        assert_eq!(location(&refused), world.portal("/login"));
        // Nor may another site send Ann's browser there.
        let anns = house.browser();
        world.sign_in(&anns, "ann").await;
        let way = world.portal(&format!("/accounts/{}/roles/{given}/login", world.member));
        let forged = anns.post(way).header("Origin", "https://evil.example");
        let refused = forged.header("Sec-Fetch-Site", "cross-site").send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        // A GET leads nowhere.
        let way = world.portal(&format!("/accounts/{}/roles/{given}/login", world.member));
        let refused = anns.get(way).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    /// What an account hears of the time is true: when the person signed in, not when they clicked.
    async fn an_account_hears_when_the_person_signed_in(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        let signed_in = instant::format(house.now().to_jiff());
        house.app.clock.advance(SignedDuration::from_mins(59));
        let word = encoding::decode(&world.word(&browser).await).unwrap();
        let word = String::from_utf8(word).unwrap();
        let now = house.now().to_jiff();
        assert!(word.contains(&format!(" AuthnInstant=\"{signed_in}\"")), "{word}");
        assert!(word.contains(&format!(" IssueInstant=\"{}\"", instant::format(now))), "{word}");
        // The session begins with the click, and lasts what the configuration grants.
        let (_, rest) = word.split_once(" SessionNotOnOrAfter=\"").unwrap();
        let ends: jiff::Timestamp = rest.split('"').next().unwrap().parse().unwrap();
        assert_eq!(ends.duration_since(now).as_secs(), 3600);
        let entered = world.enter(&browser, &world.word(&browser).await).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    }

    /// The landing page of a configuration is where its role lands; what the browser makes of the
    /// handle leads nowhere else.
    async fn pc_06_a_role_lands_on_the_page_of_its_configuration(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        let page = world.launch(&browser).await.text().await.unwrap();
        assert!(!page.contains("RelayState"), "there is none yet");
        for (page, leads) in [
            ("/cloud?action=cvm:DescribeInstances", Some("/cloud?action=cvm%3ADescribeInstances&as=")),
            // Somewhere else altogether, and another door of ours: the front page.
            ("https://cloud.tencent.com/cvm", None),
            ("/console", None),
        ] {
            world.set_landing_page(page).await;
            let launch = world.launch(&browser).await.text().await.unwrap();
            let handle = input(&launch, "RelayState");
            assert!(handle.len() <= 80 && handle.starts_with("rc-"), "{handle}");
            let entered = world.land(&browser, &input(&launch, "SAMLResponse"), &handle).await;
            assert_eq!(entered.status(), StatusCode::SEE_OTHER);
            let lands = location(&entered);
            let leads = house.url(leads.unwrap_or("/cloud?as="));
            assert!(lands.starts_with(&leads), "{page}: {lands}");
            let shown = browser.get(&lands).send().await.unwrap();
            assert_eq!(shown.status(), StatusCode::OK);
        }
        world.set_landing_page("/cloud?action=cvm:DescribeInstances").await;
        for handle in ["/console", "https://evil.example/", "//evil.example", "rc-000000000000", "", "é"] {
            let word = world.word(&browser).await;
            let entered = world.land(&browser, &word, handle).await;
            assert!(location(&entered).starts_with(&house.url("/cloud?as=")), "{handle}");
        }
    }

    async fn con_07_one_person_has_a_role_and_a_cam_user_in_one_account(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let sync = json!({ "ZoneId": world.zone, "UserSyncProvisionings": [{
            "PrincipalId": ann, "PrincipalType": "User", "TargetUin": world.member.0,
            "TargetType": "MemberUin", "DuplicationStrategy": "KeepBoth",
            "DeletionStrategy": "Keep",
        }] });
        world.administrator.done(house, "CreateUserSyncProvisioning", sync).await;
        world.settle().await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        let accounts = world.json(&browser, "accounts").await.unwrap();
        let [account] = &accounts["accounts"].as_array().unwrap()[..] else { panic!("{accounts}") };
        assert_eq!(account["roles"].as_array().unwrap().len(), 1, "{account}");
        let user = account["users"][0]["name"].as_str().unwrap_or_else(|| panic!("{account}"));
        let way = format!("/accounts/{}/users/{user}/login", world.member);
        let page = browser.post(world.portal(&way)).header("Origin", house.url(""));
        let page = page.send().await.unwrap().text().await.unwrap();
        let entered = world.enter(&browser, &input(&page, "SAMLResponse")).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER, "{}", entered.text().await.unwrap());
        let console = world.console(&browser, &[]).await.unwrap();
        assert!(console.contains(user) && !console.contains("TencentCloudSSO-look"), "{console}");
        let entered = world.enter(&browser, &world.word(&browser).await).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let console = world.console(&browser, &[]).await.unwrap();
        assert!(console.contains("TencentCloudSSO-look"), "{console}");
    }

    async fn prt_09_a_role_that_comes_twice_is_one_and_outlives_one_of_its_origins(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        let group = world.push_group("Developers", &[&ann]).await;
        world.assign("User", &ann).await;
        world.assign("Group", &group).await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        let roles = async || {
            let accounts = world.json(&browser, "accounts").await.unwrap();
            let all = accounts["accounts"].as_array().unwrap().iter();
            all.map(|account| account["roles"].as_array().unwrap().len()).sum::<usize>()
        };
        assert_eq!(roles().await, 1);
        for (kind, id, left) in [("User", &ann, 1), ("Group", &group, 0)] {
            let mut gone = world.triple(kind, id);
            gone["ZoneId"] = json!(world.zone);
            gone["DeprovisionStrategy"] = json!("None");
            world.administrator.done(house, "DeleteRoleAssignment", gone).await;
            world.settle().await;
            assert_eq!(roles().await, left, "without the one through {kind}");
        }
    }

    async fn the_accounts_believe_nobody_else(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        let word = world.word(&browser).await;
        let xml = String::from_utf8(STANDARD.decode(&word).unwrap()).unwrap();
        let manager = xml.replace(&world.member.to_string(), &world.manager.to_string());
        let other_role = xml.replace("TencentCloudSSO-look", "OrganizationAccessControlRole");
        let other_name = xml.replace(">ann<", ">bob<");
        assert!(manager != xml && other_role != xml && other_name != xml);
        let company = FakeIdp::new();
        let forged = {
            // The company's own identity provider signs for the portal, not for the accounts.
            let begun = browser.get(world.portal("/login/start")).send().await.unwrap();
            let request = company.read(&location(&begun));
            company.answer(&request, "ann", house.now().to_jiff()).signed().base64()
        };
        for (what, word) in [
            ("another account", STANDARD.encode(manager)),
            ("another role", STANDARD.encode(other_role)),
            ("another name", STANDARD.encode(other_name)),
            ("the company's word", forged),
            ("nothing", String::new()),
            ("no base64", "?".to_owned()),
        ] {
            let refused = world.enter(&browser, &word).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{what}");
            assert_eq!(header(&refused, "set-cookie"), "", "{what}");
        }
        assert!(world.console(&browser, &[]).await.is_none());
        // An account's word opens no portal.
        let acs = house.url(&format!("/saml/acs/{}", world.space));
        let refused = browser.post(acs).form(&[("SAMLResponse", &word)]).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        // It is old after two minutes and the clock skew.
        house.app.clock.advance(SignedDuration::from_secs(180));
        assert_eq!(world.enter(&browser, &word).await.status(), StatusCode::FORBIDDEN);
        let fresh = world.word(&browser).await;
        assert_eq!(world.enter(&browser, &fresh).await.status(), StatusCode::SEE_OTHER);
    }

    async fn con_13_no_door_opens_with_the_cookie_of_another(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let plain = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let browser = house.browser();
        let inside = world.try_sign_in(&browser, "ann").await;
        let cookie = |answer: &Response| {
            let cookie = header(answer, "set-cookie").split(';').next().unwrap().to_owned();
            cookie.split_once('=').unwrap().1.to_owned()
        };
        let portal = cookie(&inside);
        let word = world.word(&browser).await;
        let cloud = cookie(&world.enter(&browser, &word).await);
        let of_portal = format!("portal_session_{}", world.space);
        for (path, name, value, opens) in [
            ("/portal/acme", &*of_portal, &portal, true),
            ("/cloud", "cloud_session", &cloud, true),
            ("/portal/acme", &*of_portal, &cloud, false),
            ("/cloud", "cloud_session", &portal, false),
            ("/console", "console_session", &portal, false),
            ("/console", "console_session", &cloud, false),
        ] {
            let cookie = format!("{name}={value}");
            let answer = plain.get(house.url(path)).header("Cookie", cookie).send().await.unwrap();
            let opened = answer.status() == StatusCode::OK;
            assert_eq!(opened, opens, "{path} with {name}: {}", answer.status());
        }
    }

    async fn ses_02_a_role_session_ends_at_its_time(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.go_in(&browser, "ann").await;
        house.app.clock.advance(SignedDuration::from_secs(3599));
        assert!(world.console(&browser, &[]).await.is_some());
        house.app.clock.advance(SignedDuration::from_secs(1));
        assert!(world.console(&browser, &[]).await.is_none());
    }
}
