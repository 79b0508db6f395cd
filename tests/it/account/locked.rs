//! DPL-02: what Identity Center made in an account nobody there changes, root included.

use identity_center::{
    cloud,
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync},
};

use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    api::Client,
    cloud::{settle, with_alice},
    fake_idp::FakeIdp,
    on_both,
};

on_both! {
    async fn dpl_02_maa_03_what_identity_center_made_is_locked_for_root_too(house) {
        let (world, alice, _) = with_alice(house).await;
        let member = world.member.uin;
        let space = world.space.id;
        let sync = NewUserSync {
            principal: identity_center::id::Principal::User(alice),
            account: member,
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Delete,
            description: String::new(),
        };
        world.write(async |tx, act| provisioning::create_user_syncs(tx, act, space, &[sync], 50).await).await;
        settle(&world).await;
        let root = Caller::new(Client::of_root(house, &world.member).await);
        let provider = format!("TencentReservedSSO-{space}");
        let role = "TencentCloudSSO-ServerReader";
        let users = root.done(house, "ListUsers", json!({})).await;
        let user = users["Data"][0]["Name"].as_str().unwrap().to_owned();
        let uin = users["Data"][0]["Uin"].as_i64().unwrap();
        // They are seen.
        let before = json!([
            root.done(house, "GetRole", json!({ "RoleName": role })).await,
            root.done(house, "ListAttachedRolePolicies", json!({ "RoleName": role, "Page": 1, "Rp": 9 })).await,
            root.done(house, "GetSAMLProvider", json!({ "Name": provider })).await,
            root.done(house, "GetUser", json!({ "Name": user })).await,
        ]);
        let trusting = trust(&[format!("qcs::cam::uin/{member}:root")]);
        let of_role = "InvalidParameter.OrganizationRoleOperateError";
        let of_provider = "FailedOperation.CICIdentityForbidden";
        let of_user = "FailedOperation.Unmodifiable";
        for (code, action, parameters) in [
            (of_role, "DeleteRole", json!({ "RoleName": role })),
            (of_role, "UpdateAssumeRolePolicy", json!({ "RoleName": role, "PolicyDocument": trusting })),
            (of_role, "UpdateRoleDescription", json!({ "RoleName": role, "Description": "x" })),
            (of_role, "UpdateRoleConsoleLogin", json!({ "RoleName": role, "ConsoleLogin": 0 })),
            (of_role, "UpdateRoleSessionDuration", json!({ "RoleName": role, "SessionDuration": 9 })),
            (of_role, "PutRolePermissionsBoundary", json!({ "RoleName": role, "PolicyId": 1 })),
            (of_role, "TagRole", json!({ "RoleName": role, "Tags": [{ "Key": "k", "Value": "v" }] })),
            (of_role, "UntagRole", json!({ "RoleName": role, "TagKeys": ["k"] })),
            (of_role, "AttachRolePolicy", json!({ "AttachRoleName": role, "PolicyId": 1 })),
            (of_role, "DetachRolePolicy", json!({ "DetachRoleName": role, "PolicyName": "QcloudCVMReadOnlyAccess" })),
            (of_provider, "UpdateSAMLProvider", json!({ "Name": provider, "Description": "x" })),
            (of_provider, "DeleteSAMLProvider", json!({ "Name": provider })),
            (of_user, "UpdateUser", json!({ "Name": user, "Remark": "x" })),
            (of_user, "DeleteUser", json!({ "Name": user, "Force": 1 })),
            // What came with the account is nobody's either (MEM-12).
            (of_role, "UpdateAssumeRolePolicy",
                json!({ "RoleName": cloud::ACCESS_CONTROL_ROLE, "PolicyDocument": trusting })),
            (of_role, "DeleteRole", json!({ "RoleName": cloud::ACCESS_CONTROL_ROLE })),
        ] {
            let text = root.refused(house, code, action, parameters).await;
            assert!(text.contains("Identity Center") || text.contains("the cloud's own"), "{text}");
        }
        let after = json!([
            root.done(house, "GetRole", json!({ "RoleName": role })).await,
            root.done(house, "ListAttachedRolePolicies", json!({ "RoleName": role, "Page": 1, "Rp": 9 })).await,
            root.done(house, "GetSAMLProvider", json!({ "Name": provider })).await,
            root.done(house, "GetUser", json!({ "Name": user })).await,
        ]);
        assert_eq!(before, after, "nothing changed");
        // US-09: what a synced user may do, the account decides.
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": 2, "AttachUin": uin })).await;
    }

    /// Nobody makes anything that looks like ours either, before we do or under other metadata.
    async fn dpl_02_the_names_that_identity_center_gives_are_nobody_elses(house) {
        let (world, ..) = with_alice(house).await;
        let (member, space) = (world.member.uin, world.space.id);
        let root = Caller::new(Client::of_root(house, &world.member).await);
        let document = STANDARD.encode(FakeIdp::new().metadata());
        let trusting = trust(&[format!("qcs::cam::uin/{member}:root")]);
        let allowing = policy("allow", &["cvm:Describe*"], &["*"]);
        let provider = |name: &str| {
            json!({ "Name": name, "Description": "", "SAMLMetadataDocument": document })
        };
        let all = async || {
            json!([
                root.done(house, "ListSAMLProviders", json!({})).await["SAMLProviderSet"],
                root.done(house, "DescribeRoleList", json!({ "Page": 1, "Rp": 99 })).await["List"],
                root.done(house, "ListPolicies", json!({ "Scope": "Local" })).await["List"],
            ])
        };
        let own = json!({ "PolicyName": "own", "PolicyDocument": allowing });
        let own = root.done(house, "CreatePolicy", own).await["PolicyId"].clone();
        let before = all().await;
        let (of_provider, of_role) = ("InvalidParameterValue.NameError", "InvalidParameter.RoleNameError");
        let of_policy = "InvalidParameter.PolicyNameError";
        for (code, action, parameters) in [
            (of_provider, "CreateSAMLProvider", provider(&format!("TencentReservedSSO-{space}"))),
            (of_provider, "CreateSAMLProvider", provider("TencentReservedSSO-z-000000000001")),
            (of_provider, "CreateSAMLProvider", provider("tencentreservedsso-")),
            (of_role, "CreateRole",
                json!({ "RoleName": "TencentCloudSSO-Next", "PolicyDocument": trusting })),
            (of_role, "CreateRole",
                json!({ "RoleName": "TENCENTCLOUDSSO-Next", "PolicyDocument": trusting })),
            (of_policy, "CreatePolicy",
                json!({ "PolicyName": "TencentCloudSSO-Next.own", "PolicyDocument": allowing })),
            (of_policy, "UpdatePolicy",
                json!({ "PolicyId": own, "PolicyName": "TencentCloudSSO-Next.own" })),
        ] {
            let text = root.refused(house, code, action, parameters).await;
            assert!(text.contains("are Identity Center's"), "{text}");
        }
        // Ours itself takes no other metadata.
        let ours = provider(&format!("TencentReservedSSO-{space}"));
        root.refused(house, "FailedOperation.CICIdentityForbidden", "UpdateSAMLProvider", ours).await;
        assert_eq!(all().await, before);
        // Such a name further on is nobody's.
        root.done(house, "CreateSAMLProvider", provider("My-TencentReservedSSO-")).await;
    }

    /// US-15: whom the directory disables has no key and no session in the account any more.
    async fn us_15_who_is_shut_out_signs_nothing(house) {
        let (world, alice, _) = with_alice(house).await;
        let member = world.member.uin;
        let space = world.space.id;
        let sync = NewUserSync {
            principal: identity_center::id::Principal::User(alice),
            account: member,
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Delete,
            description: String::new(),
        };
        world
            .write(async |tx, act| provisioning::create_user_syncs(tx, act, space, &[sync], 50).await)
            .await;
        settle(&world).await;
        let root = Caller::new(Client::of_root(house, &world.member).await);
        let uin = root.done(house, "ListUsers", json!({})).await["Data"][0]["Uin"].clone();
        let grant = json!({ "PolicyName": "sts",
                            "PolicyDocument": policy("allow", &["sts:*"], &["*"]) });
        let grant = root.done(house, "CreatePolicy", grant).await["PolicyId"].clone();
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": grant, "AttachUin": uin })).await;
        let made = root.done(house, "CreateAccessKey", json!({ "TargetUin": uin })).await;
        let key = &made["AccessKey"];
        let synced = root.with_key(&key["AccessKeyId"], &key["SecretAccessKey"]);
        let role = json!({ "RoleName": "R",
                           "PolicyDocument": trust(&[format!("qcs::cam::uin/{member}:root")]) });
        root.done(house, "CreateRole", role).await;
        let assume = json!({ "RoleArn": format!("qcs::cam::uin/{member}:roleName/R"),
                             "RoleSessionName": "it" });
        let session = synced.with_credentials(&synced.done(house, "AssumeRole", assume).await);
        let ask = json!({ "Name": "guest", "Policy": policy("allow", &["*"], &["*"]) });
        let guest = synced.done(house, "GetFederationToken", ask).await;
        let guest = synced.with_credentials(&guest);
        for live in [&synced, &session, &guest] {
            live.done(house, "GetCallerIdentity", json!({})).await;
        }
        world
            .write(async |tx, act| -> Result<_, provisioning::Error> {
                identity_center::directory::set_user_enabled(tx, act, space, alice, false)
                    .await
                    .unwrap();
                let changed = [identity_center::id::Principal::User(alice)];
                Ok(provisioning::access_changed(tx, act, space, &changed).await?)
            })
            .await;
        settle(&world).await;
        let gone = "AuthFailure.SecretIdNotFound";
        synced.refused(house, gone, "GetCallerIdentity", json!({})).await;
        for ended in [&session, &guest] {
            let code = "AuthFailure.TokenFailure";
            ended.refused(house, code, "GetCallerIdentity", json!({})).await;
        }
    }

    /// A policy that Identity Center deployed is neither changed nor borrowed.
    async fn dpl_02_a_deployed_policy_is_locked(house) {
        let (world, ..) = with_alice(house).await;
        let member = world.member.uin;
        let cloud = cloud::EmbeddedCloud::new(house.app.db.clone(), house.app.clock.clone());
        let entered = cloud::Clouds::enter(&cloud, &world.act(), world.space.id, member);
        let document = policy("allow", &["cvm:*"], &["*"]);
        let id = entered.create_policy("deployed", "", &document).await.unwrap();
        let root = Caller::new(Client::of_root(house, &world.member).await);
        let made = json!({ "RoleName": "R", "PolicyDocument": trust(&[format!("qcs::cam::uin/{member}:root")]) });
        root.done(house, "CreateRole", made).await;
        let code = "FailedOperation.OrganizationPolicyOperateError";
        for (action, parameters) in [
            ("UpdatePolicy", json!({ "PolicyId": id, "Description": "x" })),
            ("UpdatePolicy", json!({ "PolicyName": "deployed", "PolicyDocument": document })),
            ("DeletePolicy", json!({ "PolicyId": [id] })),
            ("AttachRolePolicy", json!({ "AttachRoleName": "R", "PolicyId": id })),
        ] {
            root.refused(house, code, action, parameters).await;
        }
        let got = root.done(house, "GetPolicy", json!({ "PolicyId": id })).await;
        assert_eq!(got["PolicyDocument"], document);
    }
}
