//! CAM users and their keys.

use super::*;
use crate::on_both;

on_both! {
    async fn a_user_lives(house) {
        let (root, uin) = root(house).await;
        let made = root
            .done(house, "AddUser", json!({
                "Name": "ann", "Remark": "r", "ConsoleLogin": 1, "UseApi": 1,
                "PhoneNum": "13800138000", "CountryCode": "86", "Email": "ann@example.com",
            }))
            .await;
        let ann = made["Uin"].as_i64().unwrap();
        assert!(made["Password"].as_str().unwrap().len() >= 8, "told once");
        let own = root.with_key(&made["SecretId"], &made["SecretKey"]);
        let me = own.done(house, "GetCallerIdentity", json!({})).await;
        assert_eq!(me["Arn"], format!("qcs::cam:{uin}:uin/{ann}"));
        let got = root.done(house, "GetUser", json!({ "Name": "Ann" })).await;
        assert_eq!((&got["Uin"], &got["ConsoleLogin"]), (&json!(ann), &json!(1)));
        assert_eq!((&got["Email"], &got["PhoneNum"]), (&json!("ann@example.com"), &json!("13800138000")));
        root.done(house, "UpdateUser", json!({
            "Name": "ann", "Remark": "s", "ConsoleLogin": 0, "Email": "",
        })).await;
        let got = root.done(house, "GetUser", json!({ "Name": "ann" })).await;
        assert_eq!((&got["Remark"], &got["ConsoleLogin"], &got["Email"]),
                   (&json!("s"), &json!(0), &json!("")));
        let listed = root.done(house, "ListUsers", json!({})).await;
        assert_eq!(listed["Data"].as_array().unwrap().len(), 1, "the root is not one of them");
        let described = json!({ "FilterSubAccountUin": [ann, uin, 1] });
        let described = root.done(house, "DescribeSubAccounts", described).await;
        assert_eq!(described["SubAccounts"][0]["Uin"], ann);
        assert_eq!(described["SubAccounts"].as_array().unwrap().len(), 1);
        let id = root.done(house, "GetUserAppId", json!({})).await;
        assert_eq!(id["OwnerUin"], uin.to_string());

        // Policies.
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": 1, "AttachUin": ann })).await;
        let attached = json!({ "TargetUin": ann });
        let list = root.done(house, "ListAttachedUserPolicies", attached.clone()).await;
        assert_eq!(list["List"][0]["PolicyName"], "AdministratorAccess");
        let who = root.done(house, "ListEntitiesForPolicy", json!({ "PolicyId": 1 })).await;
        assert_eq!((&who["List"][0]["Uin"], &who["List"][0]["RelatedType"]), (&json!(ann), &json!(1)));
        root.done(house, "DetachUserPolicy", json!({ "PolicyId": 1, "DetachUin": ann })).await;
        assert_eq!(root.done(house, "ListAttachedUserPolicies", attached).await["TotalNum"], 0);

        for (code, action, parameters) in [
            ("InvalidParameter.SubUserNameInUse", "AddUser", json!({ "Name": "ANN" })),
            ("InvalidParameter.UserNameIllegal", "AddUser", json!({ "Name": "a b" })),
            ("InvalidParameter.UserNameIllegal", "AddUser", json!({ "Name": "a".repeat(65) })),
            ("InvalidParameter.PasswordViolatedRules", "AddUser",
                json!({ "Name": "b", "ConsoleLogin": 1, "Password": "easy" })),
            ("InvalidParameter.ParamError", "AddUser", json!({ "Name": "b", "Password": "Abcdefg1" })),
            ("InvalidParameter.ParamError", "AddUser", json!({ "Name": "b", "Email": "x" })),
            ("InvalidParameter.ParamError", "AddUser", json!({ "Name": "b", "UseApi": 2 })),
            ("UnsupportedOperation", "AddUser", json!({ "Name": "b", "NeedResetPassword": 1 })),
            ("InvalidParameter", "UpdateUser", json!({ "Name": "ann", "ConsoleLogin": 1 })),
            ("InvalidParameter.DescriptionLengthOverlimit", "UpdateUser",
                json!({ "Name": "ann", "Remark": "r".repeat(1001) })),
            ("ResourceNotFound.UserNotExist", "GetUser", json!({ "Name": "bob" })),
            // The root is not a user that this changes.
            ("ResourceNotFound.UserNotExist", "DeleteUser", json!({ "Name": "administrator" })),
            ("ResourceNotFound.UserNotExist", "AttachUserPolicy",
                json!({ "PolicyId": 1, "AttachUin": uin })),
            ("InvalidParameter.PolicyIdNotExist", "AttachUserPolicy",
                json!({ "PolicyId": 999_999, "AttachUin": ann })),
            ("OperationDenied.HaveKeys", "DeleteUser", json!({ "Name": "ann" })),
        ] {
            root.refused(house, code, action, parameters).await;
        }
        root.done(house, "DeleteUser", json!({ "Name": "ann", "Force": 1 })).await;
        root.refused(house, "ResourceNotFound.UserNotExist", "GetUser", json!({ "Name": "ann" })).await;
        own.refused(house, "AuthFailure.SecretIdNotFound", "GetCallerIdentity", json!({})).await;
    }

    async fn keys_live(house) {
        let (root, uin) = root(house).await;
        let may = policy("allow", &["cam:*AccessKey*", "sts:QueryApiKey"], &["*"]);
        let (ann, number, _) = user_with(house, &root, "ann", Some(&may)).await;
        let target = json!({ "TargetUin": number });
        let made = json!({ "TargetUin": number, "Description": "second" });
        let made = root.done(house, "CreateAccessKey", made).await["AccessKey"].take();
        let second = root.with_key(&made["AccessKeyId"], &made["SecretAccessKey"]);
        second.done(house, "GetCallerIdentity", json!({})).await;
        let full = "OperationDenied.AccessKeyOverLimit";
        root.refused(house, full, "CreateAccessKey", target.clone()).await;
        let listed = root.done(house, "ListAccessKeys", target.clone()).await;
        assert_eq!(listed["AccessKeys"].as_array().unwrap().len(), 2);
        assert!(!listed.to_string().contains(made["SecretAccessKey"].as_str().unwrap()));
        let turn = |status: &str| {
            json!({ "AccessKeyId": made["AccessKeyId"], "Status": status, "TargetUin": number })
        };
        root.done(house, "UpdateAccessKey", turn("Inactive")).await;
        let off = "AuthFailure.SecretIdNotFound";
        second.refused(house, off, "GetCallerIdentity", json!({})).await;
        let keys = root.done(house, "QueryApiKey", target.clone()).await;
        let states: Vec<&Value> =
            keys["IdKeys"].as_array().unwrap().iter().map(|key| &key["Status"]).collect();
        assert!(states.contains(&&json!(2)) && states.contains(&&json!(3)), "{keys}");
        root.done(house, "UpdateAccessKey", turn("Active")).await;
        second.done(house, "GetCallerIdentity", json!({})).await;
        // One's own, without naming oneself.
        assert_eq!(ann.done(house, "QueryApiKey", json!({})).await["IdKeys"].as_array().unwrap().len(), 2);
        ann.done(house, "DeleteAccessKey", json!({ "AccessKeyId": made["AccessKeyId"] })).await;
        second.refused(house, off, "GetCallerIdentity", json!({})).await;

        // A root's keys are its own, whatever a policy says; other accounts have no users here.
        for (action, parameters) in [
            ("CreateAccessKey", json!({ "TargetUin": uin })),
            ("ListAccessKeys", json!({ "TargetUin": uin })),
            ("QueryApiKey", json!({ "TargetUin": uin })),
            ("UpdateAccessKey", json!({ "TargetUin": uin, "Status": "Inactive",
                                        "AccessKeyId": root.client.secret_id })),
            ("DeleteAccessKey", json!({ "TargetUin": uin, "AccessKeyId": root.client.secret_id })),
        ] {
            // STS has no word of its own for it.
            let of_sts = action == "QueryApiKey";
            let code =
                if of_sts { "InvalidParameter.ParamError" } else { "OperationDenied.SubUin" };
            ann.refused(house, code, action, parameters).await;
        }
        let gone = json!({ "AccessKeyId": "AKIDnothing", "TargetUin": number });
        root.refused(house, "ResourceNotFound.SecretNotExist", "DeleteAccessKey", gone).await;
        let nobody = json!({ "TargetUin": 1 });
        root.refused(house, "InvalidParameter.UserNotExist", "CreateAccessKey", nobody).await;
        let description = json!({ "Description": "d".repeat(1001) });
        let long = "InvalidParameter.DescriptionLengthOverlimit";
        root.refused(house, long, "CreateAccessKey", description).await;
        let status = json!({ "AccessKeyId": "x", "Status": "On" });
        root.refused(house, "InvalidParameter.ParamError", "UpdateAccessKey", status).await;
        // The root's own.
        let made = root.done(house, "CreateAccessKey", json!({})).await;
        let id = made["AccessKey"]["AccessKeyId"].clone();
        root.done(house, "DeleteAccessKey", json!({ "AccessKeyId": id })).await;
    }
}
