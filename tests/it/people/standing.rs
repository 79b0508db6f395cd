//! Who may administer, and from when on: CON-09, ACT-01, ACT-02, ACT-10.

use identity_center::{
    cloud,
    id::OrganizationId,
    organization::Account,
    policy::catalogue,
    space,
    web::{self, Caller, DescribedAction},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    api::{self, Administration, Client},
    house::TestHouse,
    journey::count,
    on_both,
    rules::Office,
};

const PASSWORD: &str = "correct horse battery staple";

/// The same client at the service of an action.
fn at(client: &Client, action: &DescribedAction) -> Client {
    match action.service {
        "cam" => client.cam(),
        "sts" => client.sts(),
        "identitycenter" => client.own(),
        _ => client.clone(),
    }
}

/// The least that an action takes, in this space.
fn least(action: &DescribedAction, zone: &str) -> Value {
    let mut least = action.least.clone();
    if action.about_space {
        least["ZoneId"] = json!(zone);
    }
    least
}

/// A CAM user of an account who may do everything there, with a password for its console.
async fn almighty(house: &TestHouse, account: &Account) -> Client {
    let act = house.app.own_act("test").unwrap();
    let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    let made = house.app.db.write(async |tx| {
        let user = cloud::create_user(tx, &act, account.uin, "chief", Some(&hash), "").await?;
        for preset in ["AdministratorAccess", "QcloudOrganizationFullAccess"] {
            let preset = catalogue::by_name(preset).unwrap();
            cloud::attach_user_policy(tx, &act, &user, preset.id).await?;
        }
        cloud::set_password(tx, &act, account.uin, &hash).await?;
        Ok::<_, cloud::Error>(user)
    });
    Client::of(house, &made.await.unwrap()).await
}

on_both! {
    async fn con_09_a_member_account_gets_nowhere(house) {
        let office = Office::open(house).await;
        office.user(house, "somebody-secret").await;
        let member = office.member(house, "shop").await;
        let clients = [Client::of_root(house, &member).await, almighty(house, &member).await];

        // At the API: every action that is the administrators'.
        let actions = web::described_actions();
        let theirs: Vec<_> = actions.iter().filter(|action| action.for_administrators).collect();
        assert!(theirs.len() > 80, "{}", theirs.len());
        for action in theirs {
            for client in &clients {
                let given = least(action, &office.zone);
                let (code, text) = at(client, action).refusal(house, action.name, given).await;
                let refused = ["UnauthorizedOperation", "FailedOperation.IdentityCenterNotOrganizationManager"];
                assert!(refused.contains(&code.as_str()), "{}: {code} {text}", action.name);
                for name in ["acme", "somebody-secret", &office.account.name] {
                    assert!(!text.contains(name), "{}: {text}", action.name);
                }
            }
        }

        // At the console: nobody gets in, so every page leads to the sign-in.
        let browser = house.browser();
        for name in ["root", "chief"] {
            let account = member.uin.to_string();
            let form = [("account", account.as_str()), ("user_name", name), ("password", PASSWORD)];
            let login = browser.post(house.url("/console/login")).form(&form);
            let answer = login.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            assert!(answer.headers().get("set-cookie").is_none(), "{name}");
        }
        let mut pages = 0;
        for route in web::routes(&house.app).list() {
            if route.caller != Caller::Administrator {
                continue;
            }
            let path: Vec<&str> =
                route.path.split('/').map(|it| if it.starts_with('{') { "1" } else { it }).collect();
            let method = reqwest::Method::from_bytes(route.method.as_bytes()).unwrap();
            let answer =
                browser.request(method, house.url(&path.join("/"))).send().await.unwrap();
            let lead = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            let lead = lead.unwrap_or_default();
            assert!(lead.starts_with("/console/login"), "{}: {lead}", route.path);
            assert!(!answer.text().await.unwrap().contains("acme"), "{}", route.path);
            pages += 1;
        }
        assert!(pages > 90, "{pages}");
        assert_eq!(count(house, "SELECT COUNT(*) FROM users").await, 1);
    }

    async fn act_01_before_it_is_open_every_action_says_so(house) {
        let Administration { client, .. } = api::administration(house).await;
        let mut asked = 0;
        for action in web::described_actions() {
            let of_space = action.for_administrators && action.about_space;
            if !of_space {
                continue;
            }
            let given = least(&action, "z-000000000001");
            let (code, text) = at(&client, &action).refusal(house, action.name, given).await;
            assert_eq!(code, "FailedOperation.IdentityCenterNotOpen", "{}: {text}", action.name);
            asked += 1;
        }
        assert!(asked > 60, "{asked}");
        // Looking whether it is open, and opening it, are what there is.
        let shown = client.refusal(house, "DescribeIdentityCenter", json!({})).await.0;
        assert_eq!(shown, "FailedOperation.IdentityCenterNotOpen");
        client.done(house, "OpenIdentityCenter", json!({ "ZoneName": "acme" })).await;
        client.done(house, "DescribeIdentityCenter", json!({})).await;
    }

    async fn act_02_there_is_no_space_without_an_organisation(house) {
        let Administration { account, .. } = api::administration(house).await;
        let act = house.app.own_act("test").unwrap();
        let nowhere = Account { organization_id: OrganizationId(1), ..account };
        let keys = cloud::space_keys("lost".to_owned(), act.now).await.unwrap();
        let opened = house
            .app
            .db
            .write(async |tx| {
                cloud::activate(tx, &act, &house.app.sealer, &nowhere, "lost", keys).await
            })
            .await;
        let error = opened.unwrap_err();
        assert!(
            matches!(error, cloud::Error::Space(space::Error::OrganizationNotOpen)),
            "{error:?}"
        );
        for left in ["SELECT COUNT(*) FROM spaces", "SELECT COUNT(*) FROM space_keys"] {
            assert_eq!(count(house, left).await, 0);
        }
    }

    async fn act_10_the_numbers_are_those_of_the_store_whatever_happened(house) {
        Wanderer::begin(house).await.wander(60).await;
    }
}

/// Does something or other, again and again.
struct Wanderer<'h> {
    house: &'h TestHouse,
    office: Office,
    state: u64,
    users: Vec<Value>,
    groups: Vec<Value>,
    configurations: Vec<Value>,
    made: u32,
}

impl<'h> Wanderer<'h> {
    async fn begin(house: &'h TestHouse) -> Self {
        let office = Office::open(house).await;
        let seed = u64::from_le_bytes(identity_center::secret::random::<8>().unwrap()) | 1;
        eprintln!("the wanderer begins with {seed}");
        let (users, groups, configurations) = (Vec::new(), Vec::new(), Vec::new());
        Self { house, office, state: seed, users, groups, configurations, made: 0 }
    }

    /// Some number below `bound` (xorshift).
    fn any(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % u64::try_from(bound).unwrap()).unwrap()
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("thing-{}", self.made)
    }

    fn pick(&mut self, from: fn(&Self) -> &Vec<Value>) -> Option<Value> {
        let count = from(self).len();
        if count == 0 {
            return None;
        }
        let at = self.any(count);
        Some(from(self)[at].clone())
    }

    /// Asks for something that may be refused: what is in use is not deleted.
    async fn ask(&self, action: &str, given: Value) -> bool {
        let answer = self.office.client.call(self.house, action, self.office.here(given)).await;
        answer.get("Error").is_none()
    }

    async fn wander(mut self, steps: usize) {
        for step in 0..steps {
            self.step().await;
            if step % 10 == 9 {
                self.office.settle(self.house).await;
                self.compare(step).await;
            }
        }
    }

    async fn step(&mut self) {
        let uin = self.office.account.uin.0;
        match self.any(9) {
            0 | 1 => {
                let name = self.name();
                let user = self.office.user(self.house, &name).await;
                self.users.push(user);
            }
            2 => {
                let given = json!({ "GroupName": self.name() });
                let made = self.office.done(self.house, "CreateGroup", given).await;
                self.groups.push(made["GroupInfo"]["GroupId"].clone());
            }
            3 => {
                let name = self.name();
                let made = self.office.configuration(self.house, &name).await;
                self.configurations.push(made);
            }
            4 => {
                let Some(user) = self.pick(|it| &it.users) else { return };
                if self.ask("DeleteUser", json!({ "UserId": user })).await {
                    self.users.retain(|other| *other != user);
                }
            }
            5 => {
                let Some(group) = self.pick(|it| &it.groups) else { return };
                if self.ask("DeleteGroup", json!({ "GroupId": group })).await {
                    self.groups.retain(|other| *other != group);
                }
            }
            6 => {
                let user = self.pick(|it| &it.users);
                let Some((user, look)) = user.zip(self.pick(|it| &it.configurations)) else {
                    return;
                };
                let triple = json!({ "RoleAssignmentInfo": [self.office.triple(&user, &look)] });
                self.ask("CreateRoleAssignment", triple).await;
            }
            7 => {
                let Some(user) = self.pick(|it| &it.users) else { return };
                let sync = json!({ "UserSyncProvisionings": [{ "PrincipalId": user,
                    "PrincipalType": "User", "TargetUin": uin, "TargetType": "ManagerUin" }] });
                self.ask("CreateUserSyncProvisioning", sync).await;
            }
            _ => {
                let user = self.pick(|it| &it.users);
                let Some((user, look)) = user.zip(self.pick(|it| &it.configurations)) else {
                    return;
                };
                let mut gone = self.office.triple(&user, &look);
                gone["DeprovisionStrategy"] = json!("DeprovisionForLastRoleAssignmentOnAccount");
                self.ask("DeleteRoleAssignment", gone).await;
            }
        }
    }

    async fn compare(&self, step: usize) {
        let told = self.office.done(self.house, "GetZoneStatistics", json!({})).await;
        let told = &told["ZoneStatistics"];
        for (name, statement) in [
            ("UserCount", "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL"),
            ("GroupCount", "SELECT COUNT(*) FROM groups WHERE deleted_at IS NULL"),
            ("RoleConfigurationCount", "SELECT COUNT(*) FROM permission_configurations"),
            ("UserProvisioningCount", "SELECT COUNT(*) FROM user_syncs"),
            (
                "RoleConfigurationSyncCount",
                "SELECT COUNT(*) FROM deployments WHERE state = 'deployed'",
            ),
        ] {
            let counted = count(self.house, statement).await;
            assert_eq!(told[name], counted, "{name} after {step} steps");
        }
        let limits = self.house.app.settings.limits;
        assert_eq!(told["UserQuota"], limits.users);
        assert_eq!(told["GroupQuota"], limits.groups);
        assert_eq!(told["RoleConfigurationQuota"], limits.configurations);
        assert_eq!(told["SystemPolicyPerRoleConfigurationQuota"], 20);
    }
}
