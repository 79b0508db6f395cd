//! Rules of the product that are seen from outside and belong to no other file: what an
//! administrator's client finds, over the signed API.

use std::collections::BTreeSet;

use identity_center::{cloud, organization::Account};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    api::{self, Administration, Client},
    console,
    house::TestHouse,
    journey::count,
    on_both,
};

/// An organisation with an open space.
pub struct Office {
    pub account: Account,
    pub client: Client,
    pub zone: String,
}

impl Office {
    pub async fn open(house: &TestHouse) -> Self {
        let Administration { account, client, .. } = api::administration(house).await;
        let opened = client.done(house, "OpenIdentityCenter", json!({ "ZoneName": "acme" })).await;
        Self { account, client, zone: opened["ZoneId"].as_str().unwrap().to_owned() }
    }

    pub async fn done(&self, house: &TestHouse, action: &str, parameters: Value) -> Value {
        self.client.done(house, action, self.here(parameters)).await
    }

    pub async fn refusal(&self, house: &TestHouse, action: &str, parameters: Value) -> String {
        self.client.refusal(house, action, self.here(parameters)).await.0
    }

    pub fn here(&self, mut parameters: Value) -> Value {
        parameters["ZoneId"] = json!(self.zone);
        parameters
    }

    pub async fn user(&self, house: &TestHouse, name: &str) -> Value {
        let made = self.done(house, "CreateUser", json!({ "UserName": name })).await;
        made["UserInfo"]["UserId"].clone()
    }

    pub async fn configuration(&self, house: &TestHouse, name: &str) -> Value {
        let made = json!({ "RoleConfigurationName": name });
        let made = self.done(house, "CreateRoleConfiguration", made).await;
        let id = made["RoleConfigurationInfo"]["RoleConfigurationId"].clone();
        let policies = json!({ "RoleConfigurationId": id, "RolePolicyType": "System",
            "RolePolicyNames": ["QcloudCVMReadOnlyAccess"] });
        self.done(house, "AddPermissionPolicyToRoleConfiguration", policies).await;
        id
    }

    pub async fn member(&self, house: &TestHouse, name: &str) -> Account {
        let act = house.app.own_act("test").unwrap();
        let account = &self.account;
        let made = house
            .app
            .db
            .write(async |tx| cloud::create_member(tx, &act, account, None, name, "").await);
        made.await.unwrap()
    }

    pub fn triple(&self, user: &Value, configuration: &Value) -> Value {
        json!({ "PrincipalId": user, "PrincipalType": "User",
            "TargetUin": self.account.uin.0, "TargetType": "ManagerUin",
            "RoleConfigurationId": configuration })
    }

    /// Gives a user a configuration on the management account, and waits until it is there.
    pub async fn assign(&self, house: &TestHouse, user: &Value, configuration: &Value) {
        let assigned = json!({ "RoleAssignmentInfo": [self.triple(user, configuration)] });
        self.done(house, "CreateRoleAssignment", assigned).await;
        self.settle(house).await;
    }

    /// Waits until the worker has nothing to do.
    pub async fn settle(&self, house: &TestHouse) {
        let left = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..400 {
            if count(house, left).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the tasks do not end");
    }

    /// The state of the only deployment.
    pub async fn status(&self, house: &TestHouse) -> Value {
        let found = self.done(house, "ListRoleConfigurationProvisionings", json!({})).await;
        assert_eq!(found["TotalCounts"], 1);
        found["RoleConfigurationProvisionings"][0]["DeploymentStatus"].clone()
    }

    /// What CAM of the management account has: its users, roles and own policies, as it tells them.
    pub async fn cam(&self, house: &TestHouse) -> [Value; 3] {
        let cam = self.client.cam();
        let roles = json!({ "Page": 1, "Rp": 200 });
        let policies = json!({ "Page": 1, "Rp": 200, "Scope": "Local" });
        [
            cam.done(house, "ListUsers", json!({})).await["Data"].clone(),
            cam.done(house, "DescribeRoleList", roles).await["List"].clone(),
            cam.done(house, "ListPolicies", policies).await["List"].clone(),
        ]
    }
}

on_both! {
    async fn con_02_people_sign_in_at_the_address_of_their_space(house) {
        let office = console::Office::open(house).await;
        office.hire("olga", Some("QcloudOrganizationFullAccess")).await;
        let browser = office.inside("olga").await;
        let overview = browser.get(house.url("/console")).send().await.unwrap();
        let overview = overview.text().await.unwrap();
        let name = &office.world.space.name;
        let address = house.url(&format!("/portal/{name}/login"));
        assert!(overview.contains(&address), "{overview}");
        let other = api::administration_of(house, "Other").await.client;
        other.done(house, "OpenIdentityCenter", json!({ "ZoneName": "globex" })).await;
        for (address, name, other) in [
            (address.as_str(), name.as_str(), "globex"),
            (&house.url("/portal/globex/login"), "globex", name.as_str()),
        ] {
            let page = house.browser().get(address).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK);
            let page = page.text().await.unwrap();
            assert!(page.contains(&format!("<h1>{name}</h1>")), "{page}");
            assert!(!page.contains(other), "{page}");
        }
        let nobody = browser.get(house.url("/portal/initech/login")).send().await.unwrap();
        assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
    }

    async fn con_03_a_user_of_the_directory_is_no_cam_user(house) {
        let office = Office::open(house).await;
        office.member(house, "shop").await;
        let (before, all) = (office.cam(house).await, "SELECT COUNT(*) FROM cloud_users");
        let users = count(house, all).await;
        let ann = office.user(house, "ann").await;
        let made = office.done(house, "CreateGroup", json!({ "GroupName": "Sales" })).await;
        let pair = json!({ "GroupId": made["GroupInfo"]["GroupId"], "UserId": ann });
        office.done(house, "AddUserToGroup", pair).await;
        assert_eq!(office.cam(house).await, before);
        assert_eq!(count(house, all).await, users, "in no account");
    }

    async fn maa_14_moving_an_account_between_departments_changes_nothing(house) {
        let office = Office::open(house).await;
        let member = office.member(house, "shop").await;
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        let group = office.done(house, "CreateGroup", json!({ "GroupName": "Shop" })).await;
        let group = group["GroupInfo"]["GroupId"].clone();
        let bob = office.user(house, "bob").await;
        office.done(house, "AddUserToGroup", json!({ "GroupId": group, "UserId": bob })).await;
        let target = |kind: &str, id: &Value| {
            json!({ "PrincipalId": id, "PrincipalType": kind, "TargetUin": member.uin.0,
                "TargetType": "MemberUin", "RoleConfigurationId": look })
        };
        let both = json!({ "RoleAssignmentInfo": [target("User", &ann), target("Group", &group)] });
        office.done(house, "CreateRoleAssignment", both).await;
        let sync = json!({ "UserSyncProvisionings": [{ "PrincipalId": ann, "PrincipalType": "User",
            "TargetUin": member.uin.0, "TargetType": "MemberUin",
            "DuplicationStrategy": "KeepBoth", "DeletionStrategy": "Keep" }] });
        office.done(house, "CreateUserSyncProvisioning", sync).await;
        office.settle(house).await;
        let departments: Vec<i64> = {
            let mut made = Vec::new();
            for name in ["Here", "There"] {
                let new = json!({ "ParentNodeId": office.account.node_id, "Name": name });
                let node = office.client.done(house, "AddOrganizationNode", new).await;
                made.push(node["NodeId"].as_i64().unwrap());
            }
            made
        };
        // Everything there is to know of who reaches what, but for the department's own name.
        let own = office.client.own();
        let known = async || {
            let mut known = Vec::new();
            for user in [&ann, &bob] {
                let of = office.here(json!({ "UserId": user }));
                known.push(own.done(house, "DescribeEffectiveAccess", of).await);
            }
            for action in ["ListRoleAssignments", "ListTasks", "ListUserSyncProvisionings",
                "ListRoleConfigurationProvisionings"]
            {
                known.push(office.done(house, action, json!({})).await);
            }
            for answer in &mut known {
                answer.as_object_mut().unwrap().remove("RequestId");
            }
            let mut tables = Vec::new();
            for table in ["SELECT COUNT(*) FROM assignments", "SELECT COUNT(*) FROM tasks",
                "SELECT COUNT(*) FROM deployments", "SELECT COUNT(*) FROM user_syncs",
                "SELECT COUNT(*) FROM cloud_roles", "SELECT COUNT(*) FROM cloud_users"]
            {
                tables.push(count(house, table).await);
            }
            json!([known, tables])
        };
        let before = known().await;
        assert_eq!(before[0][0]["TotalCounts"], 2, "ann, as a role and as a CAM user: {before}");
        assert_eq!(before[0][1]["TotalCounts"], 1, "bob does, through the group: {before}");
        for node in [departments[0], departments[1], office.account.node_id] {
            let to = json!({ "NodeId": node, "MemberUin": [member.uin.0] });
            office.client.done(house, "MoveOrganizationNodeMembers", to).await;
            let members = json!({ "Limit": 50, "Offset": 0 });
            let members = office.client.done(house, "DescribeOrganizationMembers", members).await;
            let moved = members["Items"].as_array().unwrap().iter()
                .find(|it| it["MemberUin"] == member.uin.0).unwrap();
            assert_eq!(moved["NodeId"], node);
            office.settle(house).await;
            assert_eq!(known().await, before);
        }
    }

    async fn maa_14_where_departments_help_to_choose_the_page_says_what_they_are(house) {
        let office = console::Office::open(house).await;
        office.hire("olga", Some("QcloudOrganizationFullAccess")).await;
        let browser = office.inside("olga").await;
        for (path, words) in [
            ("/console/authorization", "A department is only a help to choose"),
            ("/console/organization", "Nothing is granted to a department: an account that moves keeps what it has"),
        ] {
            let page = browser.get(house.url(path)).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK);
            let page = page.text().await.unwrap();
            assert!(page.contains(words), "{path}: {page}");
        }
    }

    async fn con_05_what_an_account_has_of_its_own_stays_as_it_is(house) {
        let Administration { account, client, .. } = api::administration(house).await;
        let cam = client.cam();
        let trusting = json!({ "version": "2.0", "statement": [{ "effect": "allow",
            "action": "name/sts:AssumeRole",
            "principal": { "qcs": [format!("qcs::cam::uin/{0}:root", account.uin)] } }] });
        let allowing = json!({ "version": "2.0", "statement": [{ "effect": "allow",
            "action": ["cvm:Describe*"], "resource": ["*"] }] });
        let ann = cam.done(house, "AddUser", json!({ "Name": "ann" })).await;
        let key = json!({ "TargetUin": ann["Uin"] });
        cam.done(house, "CreateAccessKey", key.clone()).await;
        let role = json!({ "RoleName": "Own", "PolicyDocument": trusting.to_string() });
        cam.done(house, "CreateRole", role).await;
        let policy = json!({ "PolicyName": "own", "PolicyDocument": allowing.to_string() });
        let policy = cam.done(house, "CreatePolicy", policy).await["PolicyId"].clone();
        let all = async || {
            let mut all = Vec::new();
            for (action, parameters) in [
                ("GetUser", json!({ "Name": "ann" })),
                ("ListAccessKeys", key.clone()),
                ("GetRole", json!({ "RoleName": "Own" })),
                ("GetPolicy", json!({ "PolicyId": policy })),
            ] {
                let mut told = cam.done(house, action, parameters).await;
                told.as_object_mut().unwrap().remove("RequestId");
                all.push(told);
            }
            all
        };
        let before = all().await;
        house.app.clock.advance(SignedDuration::from_mins(1));

        let opened = client.done(house, "OpenIdentityCenter", json!({ "ZoneName": "acme" })).await;
        let zone = opened["ZoneId"].as_str().unwrap().to_owned();
        let office = Office { account, client, zone };
        assert_eq!(all().await, before, "opening");
        let (bob, configuration) =
            (office.user(house, "bob").await, office.configuration(house, "look").await);
        let triple = json!({ "PrincipalId": bob, "PrincipalType": "User",
            "TargetUin": office.account.uin.0, "TargetType": "ManagerUin",
            "RoleConfigurationId": configuration });
        let assigned = json!({ "RoleAssignmentInfo": [triple] });
        let tasks = office.done(house, "CreateRoleAssignment", assigned).await;
        let task = &tasks["Tasks"][0]["TaskId"];
        api::finish(house, &office.client, "GetTaskStatus", &office.zone, task).await;
        let roles = &office.cam(house).await[1];
        assert!(roles.to_string().contains("TencentCloudSSO-look"), "{roles}");
        assert_eq!(all().await, before, "deploying");
        let mut gone = triple;
        gone["DeprovisionStrategy"] = json!("DeprovisionForLastRoleAssignmentOnAccount");
        let task = office.done(house, "DeleteRoleAssignment", gone).await["Task"]["TaskId"].clone();
        api::finish(house, &office.client, "GetTaskStatus", &office.zone, &task).await;
        assert_eq!(all().await, before, "taking it away");
    }

    async fn con_08_a_configuration_gives_nothing_before_it_is_assigned(house) {
        let office = Office::open(house).await;
        let member = office.member(house, "shop").await;
        let before = office.cam(house).await;
        let all = "SELECT COUNT(*) FROM cloud_roles";
        let roles = count(house, all).await;
        office.configuration(house, "look").await;
        assert_eq!(office.cam(house).await, before);
        assert_eq!(count(house, all).await, roles, "no role in any account");
        let deployed = office.done(house, "ListRoleConfigurationProvisionings", json!({})).await;
        assert_eq!(deployed["TotalCounts"], 0);
        let here = json!({ "TargetUin": member.uin.0 });
        let deployed = office.done(house, "ListRoleConfigurationProvisionings", here).await;
        assert_eq!(deployed["TotalCounts"], 0);
    }

    async fn act_03_members_and_the_unprivileged_open_nothing(house) {
        let Administration { account, client, .. } = api::administration(house).await;
        let act = house.app.own_act("test").unwrap();
        let (member, nobody) = house
            .app
            .db
            .write(async |tx| -> Result<_, cloud::Error> {
                let member = cloud::create_member(tx, &act, &account, None, "shop", "").await?;
                let nobody = cloud::create_user(tx, &act, account.uin, "nobody", None, "").await?;
                Ok((member, nobody))
            })
            .await
            .unwrap();
        let opened = json!({ "ZoneName": "acme" });
        for other in [Client::of_root(house, &member).await, Client::of(house, &nobody).await] {
            let (code, _) = other.refusal(house, "OpenIdentityCenter", opened.clone()).await;
            assert_eq!(code, "UnauthorizedOperation");
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM spaces").await, 0);
        client.done(house, "OpenIdentityCenter", opened).await;
    }

    async fn act_04_a_name_belongs_to_one_space(house) {
        let names: Vec<Client> = {
            let mut all = Vec::new();
            for name in ["One", "Two", "Three"] {
                all.push(api::administration_of(house, name).await.client);
            }
            all
        };
        let opened = json!({ "ZoneName": "acme" });
        let (first, second, third) = tokio::join!(
            names[0].call(house, "OpenIdentityCenter", opened.clone()),
            names[1].call(house, "OpenIdentityCenter", opened.clone()),
            names[2].call(house, "OpenIdentityCenter", opened.clone()),
        );
        let codes: Vec<Value> =
            [first, second, third].iter().map(|it| it["Error"]["Code"].clone()).collect();
        let taken = json!("InvalidParameterValue.IdentityCenterZoneNameAlreadyExist");
        assert_eq!(codes.iter().filter(|code| code.is_null()).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == taken).count(), 2, "{codes:?}");
        assert_eq!(count(house, "SELECT COUNT(*) FROM spaces").await, 1);
    }

    async fn pc_14_dpl_04_dpl_08_what_changes_in_a_configuration_outdates_its_deployments(house) {
        let office = Office::open(house).await;
        let configuration = office.configuration(house, "look").await;
        let ann = office.user(house, "ann").await;
        office.assign(house, &ann, &configuration).await;
        let with = |more: Value| {
            let mut with = json!({ "RoleConfigurationId": configuration });
            with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            with
        };
        assert_eq!(office.status(house).await, "Deployed");
        // DPL-04: remarks and landing page are not in the accounts.
        let plain = with(json!({ "NewDescription": "for \u{e9}veryone", "NewRelayState": "/cvm" }));
        let updated = office.done(house, "UpdateRoleConfiguration", plain).await;
        assert_eq!(updated["RoleConfigurationInfo"]["Description"], "for \u{e9}veryone");
        assert_eq!(updated["RoleConfigurationInfo"]["RelayState"], "/cvm");
        assert_eq!(updated["RoleConfigurationInfo"]["SessionDuration"], 3600);
        assert_eq!(office.status(house).await, "Deployed");
        let longer = with(json!({ "NewSessionDuration": 7200 }));
        office.done(house, "UpdateRoleConfiguration", longer).await;
        assert_eq!(office.status(house).await, "DeployedRequired");
        office.done(house, "UpdateRoleConfiguration", with(json!({ "IsApply": true }))).await;
        office.settle(house).await;
        assert_eq!(office.status(house).await, "Deployed");
        let role = json!({ "RoleName": "TencentCloudSSO-look" });
        let role = office.client.cam().done(house, "GetRole", role).await;
        assert_eq!(role["RoleInfo"]["SessionDuration"], 7200);

        let preset = identity_center::policy::catalogue::by_name("QcloudCVMReadOnlyAccess").unwrap();
        let gone = with(json!({ "RolePolicyType": "System", "RolePolicyId": preset.id }));
        let action = "RemovePermissionPolicyFromRoleConfiguration";
        office.done(house, action, gone.clone()).await;
        assert_eq!(office.status(house).await, "DeployedRequired");
        let again = office.refusal(house, action, gone.clone()).await;
        assert_eq!(again, "InvalidParameter.RolePolicyNotExist");
        let back = with(json!({ "RolePolicyType": "System", "RolePolicyNames": [preset.name] }));
        office.done(house, "AddPermissionPolicyToRoleConfiguration", back).await;
        assert_eq!(office.status(house).await, "Deployed", "the content is what it was");

        // A redeploy takes the policy off the role.
        office.done(house, action, gone).await;
        office.done(house, "UpdateRoleConfiguration", with(json!({ "IsApply": true }))).await;
        office.settle(house).await;
        assert_eq!(office.status(house).await, "Deployed");
        let attached = json!({ "RoleName": "TencentCloudSSO-look", "Page": 1, "Rp": 20 });
        let cam = office.client.cam();
        let attached = cam.done(house, "ListAttachedRolePolicies", attached).await;
        assert_eq!(attached["TotalNum"], 0);

        for (action, more, code) in [
            ("UpdateRoleConfiguration", json!({ "NewName": "other" }), "UnknownParameter"),
            ("UpdateRoleConfiguration", json!({ "NewSessionDuration": 899 }), "InvalidParameter.ParamError"),
            ("UpdateRoleConfiguration", json!({ "NewSessionDuration": 43_201 }), "InvalidParameter.ParamError"),
            ("UpdateRoleConfiguration", json!({ "NewDescription": "x".repeat(1025) }), "InvalidParameter.ParamError"),
            ("UpdateRoleConfiguration", json!({ "NewRelayState": "https://evil.example/" }),
                "InvalidParameter.RelayStateFormatError"),
            (action, json!({ "RolePolicyType": "System" }), "InvalidParameter.ParamError"),
            (action, json!({ "RolePolicyType": "Custom" }), "InvalidParameter.ParamError"),
            (action, json!({ "RolePolicyType": "Custom", "RolePolicyName": preset.name }),
                "InvalidParameter.RolePolicyNotExist"),
            (action, json!({ "RolePolicyType": "Other", "RolePolicyId": 1 }), "InvalidParameter.ParamError"),
        ] {
            assert_eq!(office.refusal(house, action, with(more.clone())).await, code, "{more}");
        }
        let read = office.done(house, "GetRoleConfiguration", with(json!({}))).await;
        assert_eq!(read["RoleConfigurationInfo"]["SessionDuration"], 7200);
        assert_eq!(read["RoleConfigurationInfo"]["Description"], "for \u{e9}veryone");
    }

    async fn a_configuration_is_deployed_and_taken_off_by_hand(house) {
        let office = Office::open(house).await;
        let configuration = office.configuration(house, "look").await;
        let here = json!({ "RoleConfigurationId": configuration, "TargetType": "ManagerUin",
            "TargetUin": office.account.uin.0 });
        let (provision, dismantle) = ("ProvisionRoleConfiguration", "DismantleRoleConfiguration");
        let code = office.refusal(house, dismantle, here.clone()).await;
        assert_eq!(code, "ResourceNotFound.RoleConfigurationProvisioningNotFound");
        let started = office.done(house, provision, here.clone()).await;
        let task = &started["Task"];
        assert_eq!(task["TaskType"], provision);
        assert_eq!(task["RoleConfigurationName"], "look");
        assert!(task.get("PrincipalId").is_none(), "{task}");
        let zone = &office.zone;
        api::finish(house, &office.client, "GetTaskStatus", zone, &task["TaskId"]).await;
        assert_eq!(office.status(house).await, "Deployed");
        // Whoever has it keeps it there.
        let ann = office.user(house, "ann").await;
        office.assign(house, &ann, &configuration).await;
        let code = office.refusal(house, dismantle, here.clone()).await;
        assert_eq!(code, "FailedOperation.RoleConfigurationAuthorizationExist");
        office.done(house, "DeleteRoleAssignment", office.triple(&ann, &configuration)).await;
        office.settle(house).await;
        assert_eq!(office.status(house).await, "Deployed", "it stays unless that is said");
        let started = office.done(house, dismantle, here.clone()).await;
        assert_eq!(started["Task"]["TaskType"], "DeprovisionRoleConfiguration");
        office.settle(house).await;
        let left = office.done(house, "ListRoleConfigurationProvisionings", json!({})).await;
        assert_eq!(left["TotalCounts"], 0);
        let roles = &office.cam(house).await[1];
        assert!(!roles.to_string().contains("TencentCloudSSO-look"), "{roles}");
        let with = |name: &str, value: Value| {
            let mut here = here.clone();
            here[name] = value;
            here
        };
        let nobody = "FailedOperation.OrganizationMemberNotExist";
        for (more, code) in [
            (with("TargetType", json!("MemberUin")), nobody),
            (with("TargetUin", json!(1)), nobody),
            (with("TargetType", json!("Other")), "InvalidParameter.ParamError"),
            (with("RoleConfigurationId", json!("rc-000000000000")), "InvalidParameter.RoleConfigurationNotExist"),
        ] {
            assert_eq!(office.refusal(house, provision, more.clone()).await, code, "{more}");
        }
    }

    async fn pc_10_a_configuration_goes_once_nothing_is_left_of_it(house) {
        let office = Office::open(house).await;
        let configuration = office.configuration(house, "look").await;
        let ann = office.user(house, "ann").await;
        let this = json!({ "RoleConfigurationId": configuration });
        let refusal = async || {
            let this = office.here(this.clone());
            office.client.refusal(house, "DeleteRoleConfiguration", this).await
        };
        let (code, words) = refusal().await;
        assert_eq!(code, "InvalidParameter.RolePolicyAlreadyExist");
        assert!(words.contains("1 policy") && !words.contains("deployment"), "{words}");
        office.assign(house, &ann, &configuration).await;
        let (code, words) = refusal().await;
        assert_eq!(code, "FailedOperation.RoleConfigurationProvisioningAlreadyDeployed");
        for blocker in ["1 deployment", "1 assignment", "1 policy"] {
            assert!(words.contains(blocker), "{words}");
        }
        let preset = identity_center::policy::catalogue::by_name("QcloudCVMReadOnlyAccess").unwrap();
        let policy = json!({ "RoleConfigurationId": configuration, "RolePolicyType": "System",
            "RolePolicyId": preset.id });
        office.done(house, "RemovePermissionPolicyFromRoleConfiguration", policy).await;
        let (code, words) = refusal().await;
        assert_eq!(code, "FailedOperation.RoleConfigurationProvisioningAlreadyDeployed");
        assert!(!words.contains("policy"), "{words}");
        let mut gone = office.triple(&ann, &configuration);
        gone["DeprovisionStrategy"] = json!("DeprovisionForLastRoleAssignmentOnAccount");
        office.done(house, "DeleteRoleAssignment", gone).await;
        office.settle(house).await;
        office.done(house, "DeleteRoleConfiguration", this.clone()).await;
        let (code, _) = refusal().await;
        assert_eq!(code, "InvalidParameter.RoleConfigurationNotExist");
        let left = office.done(house, "ListRoleConfigurations", json!({})).await;
        assert_eq!(left["TotalCounts"], 0);
        // Its name is free again.
        office.configuration(house, "look").await;
        let other = json!({ "RoleConfigurationId": "rc-000000000000" });
        let code = office.refusal(house, "DeleteRoleConfiguration", other).await;
        assert_eq!(code, "InvalidParameter.RoleConfigurationNotExist");
    }

    async fn usr_01_a_user_needs_a_name_and_keeps_every_other_field(house) {
        let office = Office::open(house).await;
        let bare = office.done(house, "CreateUser", json!({ "UserName": "bare" })).await;
        for field in ["FirstName", "LastName", "DisplayName", "Description", "Email"] {
            assert_eq!(bare["UserInfo"][field], "", "{field}");
        }
        let full = json!({
            "UserName": "zoe", "FirstName": "Zoë", "LastName": "Ντάλα", "DisplayName": "王 小明",
            "Description": "اختبار — two\nlines, \"quoted\" <b>&amp;", "Email": "zoë@例え.jp",
        });
        let made = office.done(house, "CreateUser", full.clone()).await;
        let id = made["UserInfo"]["UserId"].clone();
        let read = office.done(house, "GetUser", json!({ "UserId": id })).await;
        for (field, value) in full.as_object().unwrap() {
            assert_eq!(read["UserInfo"][field], *value, "{field}");
            assert_eq!(made["UserInfo"][field], *value, "{field}");
        }
        assert_eq!(office.refusal(house, "CreateUser", json!({})).await, "MissingParameter");
    }

    async fn usr_06_nobody_is_renamed_by_hand(house) {
        let office = Office::open(house).await;
        let ann = office.user(house, "ann").await;
        for field in ["UserName", "NewUserName"] {
            let code = office.refusal(house, "UpdateUser", json!({ "UserId": ann, field: "eve" }));
            assert_eq!(code.await, "UnknownParameter", "{field}");
        }
        let read = office.done(house, "GetUser", json!({ "UserId": ann })).await;
        assert_eq!(read["UserInfo"]["UserName"], "ann");
    }

    async fn usr_22_a_list_shows_everybody_once_whoever_comes_between(house) {
        let office = Office::open(house).await;
        let mut there = BTreeSet::new();
        for number in 0..60 {
            let name = format!("user-{number}");
            let more = json!({ "UserName": name, "Description": format!("row {number}"),
                "Email": format!("u{number}@example.com"),
                "UserStatus": if number % 10 == 0 { "Disabled" } else { "Enabled" } });
            let made = office.done(house, "CreateUser", more).await;
            there.insert(made["UserInfo"]["UserId"].as_str().unwrap().to_owned());
        }
        for order in ["Asc", "Desc"] {
            let (mut seen, mut token) = (Vec::new(), String::new());
            for page in 0.. {
                let wanted = json!({ "MaxResults": 7, "NextToken": token, "SortField": "CreateTime",
                    "SortType": order });
                let found = office.done(house, "ListUsers", wanted).await;
                let users = found["Users"].as_array().unwrap();
                seen.extend(users.iter().map(|it| it["UserId"].as_str().unwrap().to_owned()));
                office.user(house, &format!("late-{order}-{page}")).await;
                token = found["NextToken"].as_str().unwrap().to_owned();
                if token.is_empty() || page > 40 {
                    break;
                }
            }
            let old: Vec<&String> = seen.iter().filter(|id| there.contains(*id)).collect();
            assert_eq!(old.len(), there.len(), "{order}: each once");
            assert_eq!(old.into_iter().collect::<BTreeSet<_>>().len(), there.len(), "{order}");
            assert_eq!(seen.len(), seen.iter().collect::<BTreeSet<_>>().len(), "{order}");
        }
        let first = there.iter().next().unwrap();
        for (more, wanted) in [
            (json!({ "Filter": "row 33" }), 1),
            (json!({ "Filter": "u44@example" }), 1),
            (json!({ "Filter": "user-5" }), 11),
            (json!({ "Filter": first }), 1),
            (json!({ "Filter": "nobody" }), 0),
            (json!({ "UserStatus": "Disabled" }), 6),
            (json!({ "UserType": "Synchronized" }), 0),
        ] {
            let found = office.done(house, "ListUsers", more.clone()).await;
            assert_eq!(found["TotalCounts"], wanted, "{more}");
        }
        let usual = office.done(house, "ListUsers", json!({})).await;
        assert_eq!(usual["Users"].as_array().unwrap().len(), 10);
    }

    async fn scim_06_two_tokens_work_side_by_side(house) {
        let office = Office::open(house).await;
        let on = json!({ "SCIMSynchronizationStatus": "Enabled" });
        office.done(house, "UpdateSCIMSynchronizationStatus", on).await;
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let made = office.done(house, "CreateSCIMCredential", json!({})).await;
            tokens.push((
                made["CredentialId"].clone(),
                made["CredentialSecret"].as_str().unwrap().to_owned(),
            ));
        }
        let third = office.refusal(house, "CreateSCIMCredential", json!({})).await;
        assert_eq!(third, "LimitExceeded.ScimCredentialLimitExceeded");
        let asks = async |token: &str| {
            let address = house.url("/scim/v2/Users");
            house.browser().get(address).bearer_auth(token).send().await.unwrap().status()
        };
        for (_, token) in &tokens {
            assert_eq!(asks(token).await, StatusCode::OK);
        }
        let gone = json!({ "CredentialId": tokens[0].0 });
        office.done(house, "DeleteSCIMCredential", gone).await;
        assert_eq!(asks(&tokens[0].1).await, StatusCode::UNAUTHORIZED);
        assert_eq!(asks(&tokens[1].1).await, StatusCode::OK);
    }
}
