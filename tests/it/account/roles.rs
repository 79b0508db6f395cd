//! Policies and roles.

use super::*;
use crate::on_both;

on_both! {
    async fn a_policy_lives(house) {
        let (root, _) = root(house).await;
        let document = policy("allow", &["cvm:Describe*"], &["*"]);
        let made = root
            .done(house, "CreatePolicy", json!({
                "PolicyName": "Look", "PolicyDocument": document, "Description": "To look.",
                "Tags": [{"Key": "team", "Value": "a"}],
            }))
            .await;
        let id = made["PolicyId"].as_i64().unwrap();
        let got = root.done(house, "GetPolicy", json!({ "PolicyId": id })).await;
        assert_eq!(got["PolicyDocument"], document);
        assert_eq!((&got["Type"], &got["Description"]), (&json!(1), &json!("To look.")));
        assert_eq!(got["Tags"], json!([{ "Key": "team", "Value": "a" }]));
        let other = policy("deny", &["cvm:*"], &["*"]);
        let change = json!({ "PolicyId": id, "PolicyDocument": other, "PolicyName": "Look2" });
        assert_eq!(root.done(house, "UpdatePolicy", change).await["PolicyId"], id);
        let by_name = json!({ "PolicyName": "Look2", "Description": "" });
        assert_eq!(root.done(house, "UpdatePolicy", by_name).await["PolicyId"], id);
        let got = root.done(house, "GetPolicy", json!({ "PolicyId": id })).await;
        assert_eq!((&got["PolicyName"], &got["Description"]), (&json!("Look2"), &json!("")));
        assert_eq!(got["PolicyDocument"], other);

        // Presets are there in every account, with type 2, and stay as they are.
        let listed = root.done(house, "ListPolicies", json!({ "Rp": 200 })).await;
        let total = listed["TotalNum"].as_i64().unwrap();
        let local = root.done(house, "ListPolicies", json!({ "Scope": "Local" })).await;
        assert_eq!(local["TotalNum"], 1);
        assert_eq!(local["List"][0]["PolicyName"], "Look2");
        let presets = root.done(house, "ListPolicies", json!({ "Scope": "QCS" })).await;
        assert_eq!(presets["TotalNum"], total - 1);
        let preset = &presets["List"][0];
        assert_eq!((&preset["PolicyName"], &preset["Type"]), (&json!("AdministratorAccess"), &json!(2)));
        let found = json!({ "Keyword": "look", "Page": 1, "Rp": 200 });
        let found = root.done(house, "ListPolicies", found).await;
        let names: Vec<&Value> =
            found["List"].as_array().unwrap().iter().map(|it| &it["PolicyName"]).collect();
        assert!(names.contains(&&json!("Look2")), "{names:?}");
        // Pages fit together, over the border between presets and the account's own.
        let mut seen = Vec::new();
        for page in 1.. {
            let part = json!({ "Page": page, "Rp": 7 });
            let part = root.done(house, "ListPolicies", part).await;
            let rows = part["List"].as_array().unwrap();
            seen.extend(rows.iter().map(|it| it["PolicyId"].as_i64().unwrap()));
            if rows.len() < 7 {
                break;
            }
        }
        assert_eq!(i64::try_from(seen.len()).unwrap(), total);
        assert_eq!(seen.last(), Some(&id));
        for (action, parameters) in [
            ("UpdatePolicy", json!({ "PolicyId": 1, "Description": "x" })),
            ("DeletePolicy", json!({ "PolicyId": [1] })),
        ] {
            root.refused(house, "InvalidParameter.PolicyIdError", action, parameters).await;
        }
        // All or none.
        let both = json!({ "PolicyId": [id, 5] });
        root.refused(house, "InvalidParameter.PolicyIdError", "DeletePolicy", both).await;
        root.done(house, "GetPolicy", json!({ "PolicyId": id })).await;
        root.done(house, "DeletePolicy", json!({ "PolicyId": [id] })).await;
        let gone = json!({ "PolicyId": id });
        root.refused(house, "ResourceNotFound.PolicyIdNotFound", "GetPolicy", gone).await;
    }

    /// Each wrong document has its code, and the text names the place.
    async fn a_wrong_document_is_named(house) {
        let (root, uin) = root(house).await;
        let good = json!({ "version": "2.0", "statement": [{ "effect": "allow",
            "action": ["cvm:*"], "resource": ["*"] }] });
        let with = |pointer: &str, key: &str, value: Value| {
            let mut document = good.clone();
            document.pointer_mut(pointer).unwrap()[key] = value;
            document.to_string()
        };
        let first = "/statement/0";
        let without = |key: &str| {
            let mut document = good.clone();
            document.pointer_mut(first).unwrap().as_object_mut().unwrap().remove(key);
            document.to_string()
        };
        for (document, code, place) in [
            ("nonsense".to_owned(), "PolicyDocumentError", "line 1"),
            ("[]".to_owned(), "PolicyDocumentError", "object"),
            (with("", "version", json!("1.0")), "VersionError", "version"),
            (with("", "statement", json!([])), "StatementError", "statement"),
            (with("", "extra", json!(1)), "PolicyDocumentError", "extra"),
            (with(first, "effect", json!("permit")), "EffectError", "statement[0].effect"),
            (without("effect"), "EffectError", "statement[0].effect"),
            (without("action"), "ActionMiss", "statement[0].action"),
            (with(first, "action", json!(["cvm"])), "ActionError", "statement[0].action[0]"),
            (with(first, "action", json!([1])), "ActionError", "statement[0].action[0]"),
            (without("resource"), "ResourceError", "statement[0].resource"),
            (with(first, "resource", json!("cvm")), "ResourceQcsError", "statement[0].resource"),
            (with(first, "principal", json!({})), "PrincipalError", "statement[0].principal"),
            (with(first, "condition", json!({ "ip_equal": { "qcs:ip": "x" } })),
                "ConditionContentError", "statement[0].condition.ip_equal.qcs:ip"),
            (with(first, "condition", json!({ "ip_equal": {} })), "ConditionError", "ip_equal"),
            (with(first, "condition", json!({ "ip_like": { "qcs:ip": "x" } })),
                "ConditionTypeError", "statement[0].condition.ip_like"),
            (with(first, "condition", json!({ "ip_equal": { "": "10.0.0.1" } })),
                "ConditionError", "statement[0].condition.ip_equal"),
            (with(first, "resource", json!(vec!["*"; 3000])), "PolicyDocumentLengthOverLimit", "6144"),
        ] {
            let code = format!("InvalidParameter.{code}");
            let parameters = json!({ "PolicyName": "P", "PolicyDocument": document });
            let text = root.refused(house, &code, "CreatePolicy", parameters).await;
            assert!(text.contains(place), "{place}: {text}");
        }
        let trusting = trust(&[format!("qcs::cam::uin/{uin}:root")]);
        for (from, to, code, place) in [
            (":root", ":nobody", "PrincipalQcsError", "statement[0].principal.qcs[0]"),
            ("\"principal\"", "\"resource\"", "PrincipalError", "statement[0].principal"),
            ("\"qcs\"", "\"aws\"", "PrincipalError", "statement[0].principal.aws"),
            ("\"effect\":\"allow\"", "\"effect\":1", "EffectError", "statement[0].effect"),
            ("\"qcs\":", "\"federated\":", "PrincipalQcsError", "statement[0].principal"),
        ] {
            let code = format!("InvalidParameter.{code}");
            assert!(trusting.contains(from), "{from}");
            let document = trusting.replace(from, to);
            let parameters = json!({ "RoleName": "R", "PolicyDocument": document });
            let text = root.refused(house, &code, "CreateRole", parameters).await;
            assert!(text.contains(place), "{place}: {text}");
        }
        let foreign = json!({ "version": "2.0", "statement": [{ "effect": "allow",
            "action": "sts:*", "principal": { "federated": "qcs::cam::uin/1:saml-provider/P" } }] });
        let parameters = json!({ "RoleName": "R", "PolicyDocument": foreign.to_string() });
        let code = "InvalidParameter.PrincipalQcsCrossError";
        root.refused(house, code, "CreateRole", parameters).await;
        let listed = root.done(house, "ListPolicies", json!({ "Scope": "Local" })).await;
        assert_eq!(listed["TotalNum"], 0, "nothing was made");
    }

    async fn a_role_lives(house) {
        let (root, uin) = root(house).await;
        let trusting = trust(&[format!("qcs::cam::uin/{uin}:root")]);
        let before = root.done(house, "DescribeRoleList", json!({ "Page": 1, "Rp": 200 })).await;
        let made = root
            .done(house, "CreateRole", json!({
                "RoleName": "Reader", "PolicyDocument": trusting, "Description": "d",
                "ConsoleLogin": 1, "SessionDuration": 3600,
                "Tags": [{ "Key": "team", "Value": "a" }],
            }))
            .await;
        let id = made["RoleId"].as_str().unwrap().to_owned();
        let by_name = json!({ "RoleName": "Reader" });
        let role = root.done(house, "GetRole", by_name.clone()).await["RoleInfo"].take();
        assert_eq!(role, root.done(house, "GetRole", json!({ "RoleId": id })).await["RoleInfo"]);
        assert_eq!(role["RoleArn"], format!("qcs::cam::uin/{uin}:roleName/Reader"));
        assert_eq!((&role["RoleType"], &role["SessionDuration"]), (&json!("user"), &json!(3600)));
        assert_eq!((&role["ConsoleLogin"], &role["PolicyDocument"]), (&json!(1), &json!(trusting)));

        let number: i64 = id.parse().unwrap();
        let other = trust(&["qcs::cam::uin/100000000001:uin/100000000002".to_owned()]);
        for (action, parameters) in [
            ("UpdateRoleDescription", json!({ "RoleName": "Reader", "Description": "new" })),
            ("UpdateRoleConsoleLogin", json!({ "RoleId": number, "ConsoleLogin": 0 })),
            ("UpdateRoleSessionDuration", json!({ "RoleId": number, "SessionDuration": 0 })),
            ("UpdateAssumeRolePolicy", json!({ "RoleId": id, "PolicyDocument": other })),
            ("TagRole", json!({ "RoleId": id, "Tags": [{ "Key": "team", "Value": "b" },
                                                       { "Key": "cost", "Value": "1" }] })),
            ("UntagRole", json!({ "RoleName": "Reader", "TagKeys": ["cost", "never"] })),
        ] {
            assert_eq!(root.done(house, action, parameters).await, json!({}));
        }
        let role = root.done(house, "GetRole", by_name.clone()).await["RoleInfo"].take();
        assert_eq!((&role["Description"], &role["ConsoleLogin"]), (&json!("new"), &json!(0)));
        assert_eq!((&role["SessionDuration"], &role["PolicyDocument"]), (&json!(7200), &json!(other)));
        assert_eq!(role["Tags"], json!([{ "Key": "team", "Value": "b" }]));

        // The list, by tag too.
        let all = root.done(house, "DescribeRoleList", json!({ "Page": 1, "Rp": 200 })).await;
        let count = before["TotalNum"].as_i64().unwrap() + 1;
        assert_eq!(all["TotalNum"], count);
        for (value, count) in [("b", 1), ("a", 0)] {
            let tagged = json!({ "Page": 1, "Rp": 1, "Tags": [{ "Key": "team", "Value": value }] });
            let tagged = root.done(house, "DescribeRoleList", tagged).await;
            assert_eq!(tagged["TotalNum"], count);
        }

        // Policies on it, by number or name.
        root.done(house, "AttachRolePolicy", json!({ "AttachRoleId": id, "PolicyId": 1 })).await;
        let by_names = json!({ "AttachRoleName": "Reader", "PolicyName": "ReadOnlyAccess" });
        root.done(house, "AttachRolePolicy", by_names.clone()).await;
        root.done(house, "AttachRolePolicy", by_names).await;
        let wrong = json!({ "AttachRoleName": "Reader", "PolicyName": "ReadOnlyAccess", "PolicyId": 1 });
        root.refused(house, "InvalidParameter.PolicyNameError", "AttachRolePolicy", wrong).await;
        let wrong = json!({ "AttachRoleName": "Reader", "PolicyId": 999_999 });
        root.refused(house, "InvalidParameter.PolicyIdNotExist", "AttachRolePolicy", wrong).await;
        let list = |more: Value| {
            let mut parameters = json!({ "Page": 1, "Rp": 200, "RoleName": "Reader" });
            parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parameters
        };
        for (more, count) in [
            (json!({}), 2),
            (json!({ "PolicyType": "QCS" }), 2),
            (json!({ "PolicyType": "User" }), 0),
            (json!({ "Keyword": "readonly" }), 1),
        ] {
            let attached = root.done(house, "ListAttachedRolePolicies", list(more.clone())).await;
            assert_eq!(attached["TotalNum"], count, "{more}");
        }
        let second = list(json!({ "Page": 2, "Rp": 1 }));
        let second = root.done(house, "ListAttachedRolePolicies", second).await;
        assert_eq!((&second["TotalNum"], &second["List"][0]["PolicyId"]), (&json!(2), &json!(2)));
        let who = json!({ "PolicyId": 2, "EntityFilter": "Role" });
        let who = root.done(house, "ListEntitiesForPolicy", who).await;
        assert_eq!((&who["List"][0]["Id"], &who["List"][0]["RelatedType"]), (&json!(id), &json!(3)));
        for (filter, count) in [("All", 1), ("User", 0), ("Group", 0)] {
            let who = json!({ "PolicyId": 2, "EntityFilter": filter });
            let who = root.done(house, "ListEntitiesForPolicy", who).await;
            assert_eq!(who["TotalNum"], count, "{filter}");
        }
        let listed = root.done(house, "ListPolicies", json!({ "Rp": 2 })).await;
        assert_eq!(listed["List"][1]["Attachments"], 1);
        root.done(house, "DetachRolePolicy", json!({ "DetachRoleId": id, "PolicyId": 2 })).await;
        let attached = root.done(house, "ListAttachedRolePolicies", list(json!({}))).await;
        assert_eq!(attached["TotalNum"], 1);

        for (code, action, parameters) in [
            ("InvalidParameter.RoleNameInUse", "CreateRole",
                json!({ "RoleName": "Reader", "PolicyDocument": trusting })),
            ("InvalidParameter.RoleNameError", "CreateRole",
                json!({ "RoleName": "a b", "PolicyDocument": trusting })),
            ("InvalidParameter.RoleNameError", "CreateRole",
                json!({ "RoleName": "a".repeat(129), "PolicyDocument": trusting })),
            ("InvalidParameter.ParamError", "CreateRole",
                json!({ "RoleName": "r", "PolicyDocument": trusting, "SessionDuration": 43_201 })),
            ("InvalidParameter.DescriptionLengthOverlimit", "CreateRole",
                json!({ "RoleName": "r", "PolicyDocument": trusting, "Description": "d".repeat(1001) })),
            ("InvalidParameter.TagParamError", "CreateRole",
                json!({ "RoleName": "r", "PolicyDocument": trusting,
                        "Tags": [{ "Key": "", "Value": "v" }] })),
            ("InvalidParameter.TagLimitExceeded", "TagRole",
                json!({ "RoleName": "Reader", "Tags": (0..50).map(|number| {
                    json!({ "Key": format!("k{number}"), "Value": "" })
                }).collect::<Vec<_>>() })),
            ("InvalidParameter.RoleNotExist", "GetRole", json!({ "RoleName": "Nobody" })),
            ("InvalidParameter.RoleNotExist", "GetRole", json!({ "RoleId": "x" })),
            ("InvalidParameter.RoleNotExist", "GetRole",
                json!({ "RoleId": id, "RoleName": "Another" })),
            ("InvalidParameter.ParamError", "GetRole", json!({})),
            ("InvalidParameter.ParamError", "DescribeRoleList", json!({ "Page": 0, "Rp": 1 })),
            ("InvalidParameter.ParamError", "DescribeRoleList", json!({ "Page": 1, "Rp": 201 })),
        ] {
            root.refused(house, code, action, parameters).await;
        }
        root.done(house, "DeleteRole", by_name.clone()).await;
        root.refused(house, "InvalidParameter.RoleNotExist", "GetRole", by_name).await;
    }

    /// Whoever changes something is in the audit log of the organisation.
    async fn every_change_is_recorded(house) {
        let (root, uin) = root(house).await;
        let trusting = trust(&[format!("qcs::cam::uin/{uin}:root")]);
        let role = json!({ "RoleName": "R", "PolicyDocument": trusting });
        root.done(house, "CreateRole", role).await;
        root.done(house, "TagRole", json!({ "RoleName": "R", "Tags": [{ "Key": "k", "Value": "v" }] })).await;
        root.done(house, "AttachRolePolicy", json!({ "AttachRoleName": "R", "PolicyId": 1 })).await;
        root.done(house, "DetachRolePolicy", json!({ "DetachRoleName": "R", "PolicyId": 1 })).await;
        root.done(house, "DeleteRole", json!({ "RoleName": "R" })).await;
        let rows: Vec<(String, String)> = house
            .app
            .db
            .read(async |tx| {
                identity_center::store::sql(
                    "SELECT action, actor_id FROM audit_records WHERE object_id = $1 ORDER BY id",
                )
                .bind(format!("{uin}/R"))
                .fetch_all(tx)
                .await
            })
            .await
            .unwrap();
        let actions: Vec<&str> = rows.iter().map(|(action, _)| action.as_str()).collect();
        let expected =
            ["role.create", "role.update", "role.attach_policy", "role.detach_policy", "role.delete"];
        assert_eq!(actions, expected);
        assert!(rows.iter().all(|(_, actor)| *actor == uin.to_string()));
    }

    /// A policy that is a boundary narrows, and is not deleted under the role.
    async fn a_boundary_holds(house) {
        let (root, uin) = root(house).await;
        let account = format!("qcs::cam::uin/{uin}:root");
        let role = json!({ "RoleName": "R", "PolicyDocument": trust(&[account]) });
        root.done(house, "CreateRole", role).await;
        root.done(house, "AttachRolePolicy", json!({ "AttachRoleName": "R", "PolicyId": 1 })).await;
        let assume = json!({ "RoleArn": format!("qcs::cam::uin/{uin}:roleName/R"),
                             "RoleSessionName": "it" });
        let session = root.with_credentials(&root.done(house, "AssumeRole", assume).await);
        assert!(session.may(house, "ListUsers", json!({})).await);
        let narrow = json!({ "PolicyName": "narrow",
            "PolicyDocument": policy("allow", &["cam:ListPolicies"], &["*"]) });
        let narrow = root.done(house, "CreatePolicy", narrow).await["PolicyId"].clone();
        let put = json!({ "RoleName": "R", "PolicyId": narrow });
        root.done(house, "PutRolePermissionsBoundary", put).await;
        assert!(!session.may(house, "ListUsers", json!({})).await, "counts from the next call on");
        assert!(session.may(house, "ListPolicies", json!({})).await);
        let delete = json!({ "PolicyId": [narrow] });
        root.refused(house, "InvalidParameter.ParamError", "DeletePolicy", delete.clone()).await;
        let listed = root.done(house, "ListPolicies", json!({ "Scope": "Local" })).await;
        assert_eq!(listed["List"][0]["AttachEntityBoundaryCount"], 1);
        let wrong = json!({ "RoleName": "R", "PolicyId": 999_999 });
        root.refused(house, "InvalidParameter.PolicyIdNotExist", "PutRolePermissionsBoundary", wrong)
            .await;
        root.done(house, "DeleteRole", json!({ "RoleName": "R" })).await;
        root.done(house, "DeletePolicy", delete).await;
    }

    /// ACT-07: a product's role is made and deleted by asking, and nobody changes it.
    async fn act_07_the_role_of_a_product(house) {
        let (root, _) = root(house).await;
        let make = json!({ "QCSServiceName": ["cic.cloud.tencent.com"], "Description": "d" });
        let unknown = json!({ "QCSServiceName": ["cvm.qcloud.com"] });
        let code = "InvalidParameter.PrincipalServiceNotExist";
        root.refused(house, code, "CreateServiceLinkedRole", unknown).await;
        root.done(house, "CreateServiceLinkedRole", make.clone()).await;
        root.refused(house, "InvalidParameter.RoleNameInUse", "CreateServiceLinkedRole", make).await;
        let name = "Orgnization_QCSLinkedRoleInCIC";
        let role = root.done(house, "GetRole", json!({ "RoleName": name })).await;
        assert_eq!(role["RoleInfo"]["RoleType"], "service_linked");
        let code = "InvalidParameter.OrganizationRoleOperateError";
        for (action, parameters) in [
            ("DeleteRole", json!({ "RoleName": name })),
            ("UpdateRoleDescription", json!({ "RoleName": name, "Description": "x" })),
            ("AttachRolePolicy", json!({ "AttachRoleName": name, "PolicyId": 1 })),
        ] {
            root.refused(house, code, action, parameters).await;
        }
        let bound = json!({ "RoleName": name, "PolicyId": 1 });
        let code = "InvalidParameter.ServiceLinkedRoleCantUsePermissionBoundary";
        root.refused(house, code, "PutRolePermissionsBoundary", bound).await;
        let ask = async || {
            let asked = root.done(house, "DeleteServiceLinkedRole", json!({ "RoleName": name })).await;
            let task = json!({ "DeletionTaskId": asked["DeletionTaskId"] });
            root.done(house, "GetServiceLinkedRoleDeletionStatus", task).await
        };
        assert_eq!(ask().await["Status"], "SUCCEEDED");
        root.refused(house, "InvalidParameter.RoleNotExist", "GetRole", json!({ "RoleName": name })).await;
        // While the product needs it, it stays, and the reason is told.
        root.client.done(house, "OpenIdentityCenter", json!({ "ZoneName": "example" })).await;
        let failed = ask().await;
        assert_eq!(failed["Status"], "FAILED");
        assert!(failed["Reason"].as_str().unwrap().contains("Identity Center is open"));
        let role = root.done(house, "GetRole", json!({ "RoleName": name })).await;
        assert_ne!(role["RoleInfo"]["DeletionTaskId"], "");
        let never = json!({ "DeletionTaskId": "1" });
        let code = "InvalidParameter.DeletionTaskNotExist";
        root.refused(house, code, "GetServiceLinkedRoleDeletionStatus", never).await;
    }
}
