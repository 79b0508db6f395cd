//! Bad input, for every action and every field of the reference: unknown, missing, of another type.

use super::{reference::UNSUPPORTED, *};
use crate::on_both;

/// Some value of a field's type.
fn right(service: &Value, field: &Value) -> Value {
    let types = &service["types"];
    match field["type"].as_str().unwrap() {
        "string" if field["name"] == "Status" => json!("Active"),
        "string" => json!("x"),
        "int64" | "uint64" => json!(1),
        "list" => match field["item"].as_str().unwrap() {
            "string" => json!(["x"]),
            "int64" | "uint64" => json!([1]),
            item => {
                let fields = types[item].as_array().unwrap();
                let one = fields.iter().map(|field| {
                    (field["name"].as_str().unwrap().to_owned(), right(service, field))
                });
                json!([Value::Object(one.collect())])
            }
        },
        other => panic!("{other}"),
    }
}

/// Values that no field of this type takes.
fn wrong(field: &Value) -> Vec<Value> {
    let common = [json!({}), json!(1.5), json!(true)];
    let of_type = match field["type"].as_str().unwrap() {
        "string" => vec![json!(1), json!(["x"]), json!("nul\0")],
        "uint64" => vec![json!("1"), json!(-1), json!([1]), json!(18_446_744_073_709_551_615_u64)],
        "int64" => vec![json!("1"), json!([1]), json!(9_223_372_036_854_775_808_u64)],
        "list" => vec![json!("x"), json!(1), json!([{}, null]), json!([[]])],
        other => panic!("{other}"),
    };
    common.into_iter().chain(of_type).collect()
}

on_both! {
    async fn every_field_of_every_action_is_checked(house) {
        let (root, _) = root(house).await;
        let before = house.app.db.read(async |tx| {
            identity_center::store::sql("SELECT COUNT(*) FROM audit_records").fetch_number(tx).await
        }).await.unwrap();
        let mut count = 0;
        for (service, action) in reference::actions() {
            let name = action["name"].as_str().unwrap();
            let fields = action["request"].as_array().unwrap();
            let required = fields.iter().filter(|field| field["required"] == true);
            let least: Value = required
                .map(|field| (field["name"].as_str().unwrap().to_owned(), right(service, field)))
                .collect::<serde_json::Map<_, _>>()
                .into();
            if UNSUPPORTED.contains(&name) {
                root.refused(house, "UnsupportedOperation", name, least).await;
                continue;
            }
            count += 1;
            let mut unknown = least.clone();
            unknown["Unheard"] = json!(1);
            let text = root.refused(house, "UnknownParameter", name, unknown).await;
            assert!(text.contains("`Unheard`"), "{name}: {text}");
            for field in fields {
                let word = field["name"].as_str().unwrap();
                if field["required"] == true {
                    for absent in [true, false] {
                        let mut without = least.clone();
                        let object = without.as_object_mut().unwrap();
                        object.remove(word);
                        if !absent {
                            object.insert(word.to_owned(), Value::Null);
                        }
                        let text = root.refused(house, "MissingParameter", name, without).await;
                        assert!(text.contains(&format!("`{word}`")), "{name}: {text}");
                    }
                }
                for value in wrong(field) {
                    let mut parameters = least.clone();
                    parameters[word] = value.clone();
                    let answer = root.call(house, name, parameters).await;
                    let code = answer["Error"]["Code"].as_str().unwrap_or("none");
                    // An empty object in a list lacks what its kind requires.
                    let refused = code == "InvalidParameter"
                        || (value == json!([{}, null]) && code == "MissingParameter");
                    assert!(refused, "{name}.{word} = {value}: {answer}");
                    let text = answer["Error"]["Message"].as_str().unwrap();
                    assert!(text.contains(&format!("`{word}")), "{name}.{word}: {text}");
                }
            }
        }
        assert_eq!(count, 47, "of 52 actions, 5 are not supported");
        let after = house.app.db.read(async |tx| {
            identity_center::store::sql("SELECT COUNT(*) FROM audit_records").fetch_number(tx).await
        }).await.unwrap();
        assert_eq!(before, after, "nothing changed");
    }

    /// Whoever counts and then adds is alone: not even together do two get past a limit.
    async fn limits_hold_in_a_race(house) {
        let (root, _) = root(house).await;
        let (_, ann, _) = user_with(house, &root, "ann", None).await;
        let ask = json!({ "TargetUin": ann });
        let calls = (0..6).map(|_| root.call(house, "CreateAccessKey", ask.clone()));
        let answers = futures_util::future::join_all(calls).await;
        let made = answers.iter().filter(|answer| answer.get("Error").is_none()).count();
        assert_eq!(made, 1, "one was there already: {answers:?}");
        let listed = root.done(house, "ListAccessKeys", ask).await;
        assert_eq!(listed["AccessKeys"].as_array().unwrap().len(), 2);
        // The same name, all at once.
        let calls = (0..6).map(|_| root.call(house, "AddUser", json!({ "Name": "bob" })));
        let answers = futures_util::future::join_all(calls).await;
        let made = answers.iter().filter(|answer| answer.get("Error").is_none()).count();
        assert_eq!(made, 1, "{answers:?}");
    }

    /// Limits that count: the one too many is refused, by its own code.
    async fn the_one_too_many_is_refused(house) {
        let (root, uin) = root(house).await;
        let code = "InvalidParameter.OperatePoliciesOverLimit";
        let many: Vec<i64> = (1..=21).map(|number| 1_000_000 + number).collect();
        root.refused(house, code, "DeletePolicy", json!({ "PolicyId": many })).await;
        let many: Vec<i64> = (1..=51).collect();
        let code = "InvalidParameter.ParamError";
        let describe = json!({ "FilterSubAccountUin": many });
        root.refused(house, code, "DescribeSubAccounts", describe).await;
        let (_, ann, _) = user_with(house, &root, "ann", None).await;
        let trusting = trust(&[format!("qcs::cam::uin/{uin}:root")]);
        root.done(house, "CreateRole", json!({ "RoleName": "R", "PolicyDocument": trusting })).await;
        // Rows by hand: what counts is how many there are.
        let account = identity_center::id::Uin(uin);
        let act = house.app.own_act("test").unwrap();
        house.app.db.write(async |tx| -> Result<(), identity_center::store::Error> {
            let sql = identity_center::store::sql;
            for number in 0..200_i64 {
                for (table, column, of) in [
                    ("role", "role_id", "SELECT id FROM cloud_roles WHERE name = 'R'"),
                    ("user", "user_uin", "SELECT uin FROM cloud_users WHERE name = 'ann'"),
                ] {
                    let text: &'static str = Box::leak(format!(
                        "INSERT INTO cloud_{table}_policies ({column}, policy_id, attached_at)
                         VALUES (({of}), $1, $2)").into_boxed_str());
                    sql(text).bind(5_000_000 + number).bind(act.now).execute(tx).await?;
                }
            }
            for number in 0..1_500_i64 {
                sql("INSERT INTO cloud_policies (id, account_uin, name, description, document,
                         created_at, updated_at) VALUES ($1, $2, $3, '', '{}', $4, $4)")
                    .bind(number + 10_000_000).bind(account).bind(format!("p{number}"))
                    .bind(act.now).execute(tx).await?;
            }
            for number in 0..1_000_i64 {
                sql("INSERT INTO cloud_roles (id, account_uin, name, description, kind,
                         trust_policy, session_duration, console_login, created_at, updated_at)
                     VALUES ($1, $2, $3, '', 'user', '{}', 900, $4, $5, $5)")
                    .bind(number + 10_000_000).bind(account).bind(format!("r{number}"))
                    .bind(false).bind(act.now).execute(tx).await?;
                sql("INSERT INTO cloud_users (uin, account_uin, name, name_key, is_root,
                         failed_logins, blocked, remark, created_at, updated_at)
                     VALUES ($1, $2, $3, $3, $4, 0, $4, '', $5, $5)")
                    .bind(number + 10_000_000).bind(account).bind(format!("u{number}"))
                    .bind(false).bind(act.now).execute(tx).await?;
            }
            for number in 0..100_i64 {
                sql("INSERT INTO cloud_saml_providers (account_uin, name, description, metadata,
                         created_at, updated_at) VALUES ($1, $2, '', '', $3, $3)")
                    .bind(account).bind(format!("s{number}")).bind(act.now).execute(tx).await?;
            }
            Ok(())
        }).await.unwrap();
        let document = policy("allow", &["*"], &["*"]);
        let metadata = {
            use base64::{Engine, engine::general_purpose::STANDARD};
            STANDARD.encode(crate::fake_idp::FakeIdp::new().metadata())
        };
        for (code, action, parameters) in [
            ("InvalidParameter.AttachmentFull", "AttachRolePolicy",
                json!({ "AttachRoleName": "R", "PolicyId": 1 })),
            ("InvalidParameter.AttachmentFull", "AttachUserPolicy",
                json!({ "AttachUin": ann, "PolicyId": 1 })),
            ("FailedOperation.PolicyFull", "CreatePolicy",
                json!({ "PolicyName": "one-more", "PolicyDocument": document })),
            ("InvalidParameter.RoleFull", "CreateRole",
                json!({ "RoleName": "one-more", "PolicyDocument": trusting })),
            ("InvalidParameter.SubUserFull", "AddUser", json!({ "Name": "one-more" })),
            ("LimitExceeded.IdentityFull", "CreateSAMLProvider",
                json!({ "Name": "one-more", "Description": "", "SAMLMetadataDocument": metadata })),
        ] {
            root.refused(house, code, action, parameters).await;
        }
        // A policy that cannot be read might deny: nothing is decided without it.
        let made = root.done(house, "CreateAccessKey", json!({ "TargetUin": ann })).await;
        let ann = root.with_key(&made["AccessKey"]["AccessKeyId"], &made["AccessKey"]["SecretAccessKey"]);
        let code = "InternalError.SystemError";
        ann.refused(house, code, "ListUsers", json!({})).await;
    }
}
