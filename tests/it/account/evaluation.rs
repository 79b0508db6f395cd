//! Policies are put to every call of every principal: default deny, deny before allow, resources,
//! conditions.

use super::*;
use crate::{api::Client, on_both};

on_both! {
    /// CON-14, MEM-12: each resource has its proper name, and nothing else is covered.
    async fn con_14_a_policy_covers_what_it_names(house) {
        let (root, uin) = root(house).await;
        let own = |rest: &str| format!("qcs::cam::uin/{uin}:{rest}");
        let trusting = trust(&[own("root")]);
        for name in ["One", "Two"] {
            let role = json!({ "RoleName": name, "PolicyDocument": trusting });
            root.done(house, "CreateRole", role).await;
        }
        let policy_of = async |name: &str| {
            let document = policy("deny", &["cvm:*"], &["*"]);
            let made = json!({ "PolicyName": name, "PolicyDocument": document });
            root.done(house, "CreatePolicy", made).await["PolicyId"].as_i64().unwrap()
        };
        let [first, second] = [policy_of("p1").await, policy_of("p2").await];
        let (_, bob, _) = user_with(house, &root, "bob", None).await;
        let (_, cleo, _) = user_with(house, &root, "cleo", None).await;
        let ids = root.done(house, "GetRole", json!({ "RoleName": "One" })).await;
        let one = ids["RoleInfo"]["RoleId"].clone();
        let document = policy("allow", &["cam:*", "sts:*"], &[
            &own("roleName/One"), &own(&format!("policyid/{first}")), &own(&format!("uin/{bob}")),
            &own("saml-provider/Idp"), "qcs::cam:::roleName/New*",
        ]);
        let (ann, _, _) = user_with(house, &root, "ann", Some(&document)).await;
        for (action, parameters, allowed) in [
            ("GetRole", json!({ "RoleName": "One" }), true),
            ("GetRole", json!({ "RoleId": one }), true),
            ("GetRole", json!({ "RoleName": "Two" }), false),
            ("GetRole", json!({ "RoleName": "Three" }), false),
            ("GetRole", json!({ "RoleId": "7" }), false),
            ("CreateRole", json!({ "RoleName": "New1", "PolicyDocument": trusting }), true),
            ("CreateRole", json!({ "RoleName": "Old1", "PolicyDocument": trusting }), false),
            ("AttachRolePolicy", json!({ "AttachRoleId": one, "PolicyId": 2 }), true),
            ("AttachRolePolicy", json!({ "AttachRoleName": "Two", "PolicyId": 2 }), false),
            ("GetPolicy", json!({ "PolicyId": first }), true),
            ("GetPolicy", json!({ "PolicyId": second }), false),
            ("UpdatePolicy", json!({ "PolicyName": "p1", "Description": "x" }), true),
            ("UpdatePolicy", json!({ "PolicyName": "p2", "Description": "x" }), false),
            ("DeletePolicy", json!({ "PolicyId": [first, second] }), false),
            ("GetUser", json!({ "Name": "bob" }), true),
            ("GetUser", json!({ "Name": "cleo" }), false),
            ("GetUser", json!({ "Name": "nobody" }), false),
            ("ListAccessKeys", json!({ "TargetUin": bob }), true),
            ("ListAccessKeys", json!({ "TargetUin": cleo }), false),
            ("ListAccessKeys", json!({}), false),
            ("AttachUserPolicy", json!({ "PolicyId": first, "AttachUin": cleo }), false),
            ("DescribeSubAccounts", json!({ "FilterSubAccountUin": [bob] }), true),
            ("DescribeSubAccounts", json!({ "FilterSubAccountUin": [bob, cleo] }), false),
            ("GetSAMLProvider", json!({ "Name": "Idp" }), true),
            ("GetSAMLProvider", json!({ "Name": "Other" }), false),
            // What is about nothing in particular needs a policy for everything.
            ("ListUsers", json!({}), false),
            ("DescribeRoleList", json!({ "Page": 1, "Rp": 1 }), false),
            ("CreatePolicy", json!({ "PolicyName": "x", "PolicyDocument": "{}" }), false),
            ("AssumeRole", json!({ "RoleArn": own("roleName/One"), "RoleSessionName": "it" }), true),
            ("AssumeRole", json!({ "RoleArn": own(&format!("role/{}", one.as_str().unwrap())),
                                   "RoleSessionName": "it" }), true),
            ("AssumeRole", json!({ "RoleArn": own("roleName/Two"), "RoleSessionName": "it" }), false),
        ] {
            assert_eq!(ann.may(house, action, parameters.clone()).await, allowed, "{action} {parameters}");
        }
        // The text says what was asked for.
        let text = ann
            .refused(house, "UnauthorizedOperation", "GetRole", json!({ "RoleName": "Two" }))
            .await;
        assert!(text.contains("cam:GetRole") && text.contains(&own("roleName/Two")), "{text}");
        // It does not say what there is.
        let two = root.done(house, "GetRole", json!({ "RoleName": "Two" })).await;
        let two = two["RoleInfo"]["RoleId"].as_str().unwrap();
        for (action, field, existing, missing) in [
            ("GetRole", "RoleId", two, "700000000000007"),
            ("GetRole", "RoleName", "Two", "Nobody"),
            ("GetUser", "Name", "cleo", "nobody"),
            ("UpdatePolicy", "PolicyName", "p2", "p3"),
            ("AssumeRole", "RoleArn", &own(&format!("role/{two}")), &own("role/700000000000007")),
        ] {
            let mut texts = Vec::new();
            for word in [existing, missing] {
                let mut parameters = json!({ field: word });
                if action == "AssumeRole" {
                    parameters["RoleSessionName"] = json!("it");
                }
                let text = ann.refused(house, "UnauthorizedOperation", action, parameters).await;
                assert!(text.contains(word), "{text}");
                texts.push(text.replace(word, "?"));
            }
            assert_eq!(texts[0], texts[1], "{action}");
        }
        // However a role is named, it is the same role: a deny by name holds for its number.
        let deny = policy("deny", &["sts:*", "cam:GetRole"], &[&own("roleName/One")]);
        let deny = json!({ "PolicyName": "deny", "PolicyDocument": deny });
        let deny = root.done(house, "CreatePolicy", deny).await["PolicyId"].clone();
        let me = ann.done(house, "GetCallerIdentity", json!({})).await;
        let me: i64 = me["UserId"].as_str().unwrap().parse().unwrap();
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": deny, "AttachUin": me })).await;
        for (action, parameters) in [
            ("GetRole", json!({ "RoleId": one })),
            ("AssumeRole", json!({ "RoleArn": own(&format!("role/{}", one.as_str().unwrap())),
                                   "RoleSessionName": "it" })),
        ] {
            assert!(!ann.may(house, action, parameters).await, "{action}");
        }
    }

    async fn deny_beats_allow_and_nothing_is_allowed_by_itself(house) {
        let (root, _) = root(house).await;
        let (ann, number, id) =
            user_with(house, &root, "ann", Some(&policy("deny", &["cam:Get*"], &["*"]))).await;
        let get = json!({ "Name": "ann" });
        assert!(!ann.may(house, "ListUsers", json!({})).await, "nothing by itself");
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": 1, "AttachUin": number })).await;
        assert!(ann.may(house, "ListUsers", json!({})).await);
        assert!(!ann.may(house, "GetUser", get.clone()).await, "deny wins over everything");
        // A change of a policy counts from the next call on.
        let change = policy("deny", &["cam:List*"], &["*"]);
        let change = json!({ "PolicyId": id, "PolicyDocument": change });
        root.done(house, "UpdatePolicy", change).await;
        assert!(ann.may(house, "GetUser", get).await);
        assert!(!ann.may(house, "ListUsers", json!({})).await);
        root.done(house, "DetachUserPolicy", json!({ "PolicyId": id, "DetachUin": number })).await;
        assert!(ann.may(house, "ListUsers", json!({})).await);
    }

    /// Administrators too: conditions and denies reach the organisation's own actions.
    async fn con_14_conditions_hold_for_administrators_too(house) {
        let (root, _) = root(house).await;
        let (ann, _, id) = user_with(house, &root, "ann", Some(&policy("allow", &["x:y"], &["*"]))).await;
        let set = async |condition: Value, effect: &str| {
            let document =
                policy_with(effect, &["cam:ListUsers", "organization:Describe*"], &["*"], condition);
            let change = json!({ "PolicyId": id, "PolicyDocument": document });
            root.done(house, "UpdatePolicy", change).await;
            let organization = ann.client.call(house, "DescribeOrganization", json!({})).await;
            let may = ann.may(house, "ListUsers", json!({})).await;
            assert_eq!(organization.get("Error").is_none(), may, "{organization}");
            may
        };
        for (condition, allowed) in [
            (json!({ "ip_equal": { "qcs:ip": "127.0.0.0/8" } }), true),
            (json!({ "ip_equal": { "qcs:ip": ["10.0.0.0/8", "192.0.2.1"] } }), false),
            (json!({ "ip_not_equal": { "qcs:ip": "10.0.0.0/8" } }), true),
            (json!({ "string_equal": { "qcs:ip": "127.0.0.1" } }), true),
            (json!({ "string_like": { "qcs:ip": "127.*" } }), true),
            (json!({ "string_like": { "qcs:ip": "10.*" } }), false),
            (json!({ "string_equal": { "qcs:unknown": "x" } }), false),
            (json!({ "string_not_equal": { "qcs:unknown": "x" } }), false),
            (json!({ "string_equal_if_exist": { "qcs:unknown": "x" } }), true),
            (json!({ "null_equal": { "qcs:ip": false } }), true),
            (json!({ "null_equal": { "qcs:ip": "true" } }), false),
            (json!({ "bool_equal": { "qcs:unknown": true } }), false),
            (json!({ "date_less_than": { "qcs:current_time": "2026-11-22T08:00:01Z" } }), true),
            (json!({ "date_greater_than": { "qcs:current_time": "2026-11-22T08:00:00Z" } }), false),
            (json!({ "date_less_than": { "qcs:current_time": "2026-11-22T08:00:01Z" },
                     "ip_equal": { "qcs:ip": "10.0.0.1" } }), false),
        ] {
            assert_eq!(set(condition.clone(), "allow").await, allowed, "{condition}");
        }
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": 1,
            "AttachUin": ann.done(house, "GetCallerIdentity", json!({})).await["UserId"]
                .as_str().unwrap().parse::<i64>().unwrap() })).await;
        for (condition, allowed) in [
            (json!({ "ip_equal": { "qcs:ip": "127.0.0.1" } }), false),
            (json!({ "ip_equal": { "qcs:ip": "10.0.0.1" } }), true),
            (json!({ "string_not_equal": { "qcs:unknown": "x" } }), false),
        ] {
            assert_eq!(set(condition.clone(), "deny").await, allowed, "deny {condition}");
        }
        // The clock moves on, and the condition with it.
        let until = json!({ "date_greater_than": { "qcs:current_time": "2026-11-22T09:00:00Z" } });
        assert!(set(until.clone(), "deny").await);
        house.app.clock.advance(jiff::SignedDuration::from_secs(3601));
        assert!(!set(until, "deny").await);
    }

    async fn tags_can_decide(house) {
        let (root, uin) = root(house).await;
        let trusting = trust(&[format!("qcs::cam::uin/{uin}:root")]);
        for (name, team) in [("One", "a"), ("Two", "b")] {
            root.done(house, "CreateRole", json!({ "RoleName": name, "PolicyDocument": trusting,
                "Tags": [{ "Key": "team", "Value": team }] })).await;
        }
        let by_resource = json!({ "for_any_value:string_equal": { "qcs:resource_tag": "team&a" } });
        let by_request = json!({ "for_any_value:string_like": { "qcs:request_tag": "team&*" } });
        let (ann, _, id) = user_with(house, &root, "ann", Some(
            &policy_with("allow", &["cam:GetRole"], &["*"], by_resource))).await;
        assert!(ann.may(house, "GetRole", json!({ "RoleName": "One" })).await);
        assert!(!ann.may(house, "GetRole", json!({ "RoleName": "Two" })).await);
        let document = policy_with("allow", &["cam:TagRole"], &["*"], by_request);
        root.done(house, "UpdatePolicy", json!({ "PolicyId": id, "PolicyDocument": document })).await;
        for (key, allowed) in [("team", true), ("cost", false)] {
            let tag = json!({ "RoleName": "Two", "Tags": [{ "Key": key, "Value": "x" }] });
            assert_eq!(ann.may(house, "TagRole", tag).await, allowed, "{key}");
        }
        // The tags of a role are those of whoever is in it; a session's own come first.
        let document = policy_with("allow", &["cam:ListUsers"], &["*"],
            json!({ "for_any_value:string_equal": { "qcs:principal_tag": "team&a" } }));
        let made = json!({ "PolicyName": "by-principal", "PolicyDocument": document });
        let id = root.done(house, "CreatePolicy", made).await["PolicyId"].clone();
        for name in ["One", "Two"] {
            root.done(house, "AttachRolePolicy", json!({ "AttachRoleName": name, "PolicyId": id })).await;
        }
        for (role, tags, allowed) in [
            ("One", json!([]), true),
            ("Two", json!([]), false),
            ("Two", json!([{ "Key": "team", "Value": "a" }]), true),
            ("One", json!([{ "Key": "team", "Value": "b" }]), false),
        ] {
            let assume = json!({ "RoleArn": format!("qcs::cam::uin/{uin}:roleName/{role}"),
                "RoleSessionName": "it", "Tags": tags });
            let session = root.with_credentials(&root.done(house, "AssumeRole", assume).await);
            assert_eq!(session.may(house, "ListUsers", json!({})).await, allowed, "{role} {tags}");
        }
    }

    /// The accounts of one organisation are as far apart as those of two.
    async fn an_account_is_the_whole_world(house) {
        let (root, _) = root(house).await;
        let members = json!({ "Name": "one", "AccountName": "one", "PolicyType": "Financial",
            "PermissionIds": [1, 2], "NodeId": root.client.done(house, "DescribeOrganization", json!({}))
                .await["RootNodeId"] });
        let member = root.client.done(house, "CreateOrganizationMember", members).await;
        let member = member["Uin"].as_i64().unwrap();
        let account = house.app.db.read(async |tx| {
            identity_center::organization::of_account(tx, identity_center::id::Uin(member)).await
        }).await.unwrap().unwrap().1;
        let other = Caller::new(Client::of_root(house, &account).await);
        let (_, ann, policy_id) =
            user_with(house, &root, "ann", Some(&policy("allow", &["*"], &["*"]))).await;
        let role = json!({ "RoleName": "Mine", "PolicyDocument": trust(&["qcs::cam::uin/1:root".to_owned()]) });
        let id = root.done(house, "CreateRole", role).await["RoleId"].clone();
        for (code, action, parameters) in [
            ("InvalidParameter.RoleNotExist", "GetRole", json!({ "RoleId": id })),
            ("InvalidParameter.RoleNotExist", "DeleteRole", json!({ "RoleName": "Mine" })),
            ("ResourceNotFound.PolicyIdNotFound", "GetPolicy", json!({ "PolicyId": policy_id })),
            ("InvalidParameter.PolicyIdNotExist", "DeletePolicy", json!({ "PolicyId": [policy_id] })),
            ("ResourceNotFound.UserNotExist", "GetUser", json!({ "Name": "ann" })),
            ("ResourceNotFound.UserNotExist", "AttachUserPolicy", json!({ "PolicyId": 1, "AttachUin": ann })),
            ("InvalidParameter.UserNotExist", "CreateAccessKey", json!({ "TargetUin": ann })),
        ] {
            other.refused(house, code, action, parameters).await;
        }
        assert_eq!(other.done(house, "ListUsers", json!({})).await["Data"], json!([]));
        // Another account's policy is not one to attach here.
        let made = json!({ "RoleName": "R", "PolicyDocument": trust(&["qcs::cam::uin/1:root".to_owned()]) });
        other.done(house, "CreateRole", made).await;
        let attach = json!({ "AttachRoleName": "R", "PolicyId": policy_id });
        other.refused(house, "InvalidParameter.PolicyIdNotExist", "AttachRolePolicy", attach).await;
    }
}
