//! Temporary credentials: AssumeRole, AssumeRoleWithSAML, GetFederationToken.

use identity_center::{
    cloud::sign_in_url,
    id::{ConfigurationId, UserId},
    saml::{certificate::SigningKey, role::RoleClaim},
};

use super::*;
use crate::{
    api::Client,
    cloud::{Word, settle, with_alice},
    fake_idp::{FakeIdp, right_key, wrong_key},
    on_both,
    world::World,
};

fn arn(uin: i64, role: &str) -> String {
    format!("qcs::cam::uin/{uin}:roleName/{role}")
}

/// What unsigned clients send.
async fn with_saml(house: &TestHouse, client: &Client, parameters: Value) -> Value {
    let answer = client.sts().unsigned(house, "AssumeRoleWithSAML", parameters).await;
    let (service, action) =
        reference::actions().find(|(_, it)| it["name"] == "AssumeRoleWithSAML").unwrap();
    reference::check(service, action, &answer);
    answer
}

fn code(answer: &Value) -> &str {
    answer["Error"]["Code"].as_str().unwrap_or("none")
}

on_both! {
    async fn a_role_is_assumed_used_and_ends(house) {
        let (root, uin) = root(house).await;
        let role = json!({ "RoleName": "Reader", "SessionDuration": 3600,
                           "PolicyDocument": trust(&[format!("qcs::cam::uin/{uin}:root")]) });
        let id = root.done(house, "CreateRole", role).await["RoleId"].clone();
        let looks = policy("allow", &["cam:List*", "cam:Get*"], &["*"]);
        let looks = json!({ "PolicyName": "looks", "PolicyDocument": looks });
        let looks = root.done(house, "CreatePolicy", looks).await["PolicyId"].clone();
        let attach = json!({ "AttachRoleName": "Reader", "PolicyId": looks });
        root.done(house, "AttachRolePolicy", attach).await;
        let may = policy("allow", &["sts:AssumeRole"], &[&arn(uin, "Reader")]);
        let (ann, _, _) = user_with(house, &root, "ann", Some(&may)).await;
        let (bob, ..) = user_with(house, &root, "bob", None).await;
        let assume = json!({ "RoleArn": arn(uin, "Reader"), "RoleSessionName": "it" });
        // Both sides must allow: the caller's own policies, and the role's trust.
        bob.refused(house, "UnauthorizedOperation", "AssumeRole", assume.clone()).await;
        let answer = ann.done(house, "AssumeRole", assume.clone()).await;
        let ends = house.now().as_second() + 3600;
        assert_eq!(answer["ExpiredTime"], ends, "the role's longest is below the usual");
        assert_eq!(answer["Expiration"], "2026-11-22T09:00:00Z");
        let session = ann.with_credentials(&answer);
        let me = session.done(house, "GetCallerIdentity", json!({})).await;
        assert_eq!(me["Type"], "CAMRole");
        assert_eq!(me["UserId"], format!("{}:it", id.as_str().unwrap()));
        // It is the role, not ann.
        assert!(session.may(house, "ListUsers", json!({})).await);
        assert!(!session.may(house, "AddUser", json!({ "Name": "x" })).await);
        session.refused(house, "UnauthorizedOperation", "AssumeRole", assume.clone()).await;
        root.done(house, "AttachRolePolicy", json!({ "AttachRoleName": "Reader", "PolicyId": 1 })).await;
        session.refused(house, "UnsupportedOperation", "AssumeRole", assume.clone()).await;
        let token = json!({ "Name": "x", "Policy": policy("allow", &["*"], &["*"]) });
        session.refused(house, "UnsupportedOperation", "GetFederationToken", token).await;
        // Not without its token, nor with another's; not after its end.
        let other = ann.with_credentials(&ann.done(house, "AssumeRole", assume.clone()).await);
        let mixed = json!({ "Credentials": {
            "TmpSecretId": answer["Credentials"]["TmpSecretId"],
            "TmpSecretKey": answer["Credentials"]["TmpSecretKey"],
            "Token": ann.done(house, "AssumeRole", assume.clone()).await["Credentials"]["Token"],
        } });
        let mixed = ann.with_credentials(&mixed);
        mixed.refused(house, "AuthFailure.TokenFailure", "GetCallerIdentity", json!({})).await;
        house.app.clock.advance(jiff::SignedDuration::from_secs(3599));
        session.done(house, "GetCallerIdentity", json!({})).await;
        house.app.clock.advance(jiff::SignedDuration::from_secs(1));
        session.refused(house, "AuthFailure.TokenFailure", "GetCallerIdentity", json!({})).await;
        // The role goes, and its sessions with it.
        let other_again = ann.with_credentials(&ann.done(house, "AssumeRole", assume).await);
        root.done(house, "DeleteRole", json!({ "RoleName": "Reader" })).await;
        for gone in [&other, &other_again] {
            let code = "AuthFailure.SecretIdNotFound";
            gone.refused(house, code, "GetCallerIdentity", json!({})).await;
        }
    }

    async fn what_a_role_trusts_decides(house) {
        let (root, uin) = root(house).await;
        let all = policy("allow", &["sts:*"], &["*"]);
        let (ann, number, _) = user_with(house, &root, "ann", Some(&all)).await;
        let (bob, ..) = user_with(house, &root, "bob", Some(&all)).await;
        let make = async |name: &str, document: String| {
            let role = json!({ "RoleName": name, "PolicyDocument": document });
            root.done(house, "CreateRole", role).await;
        };
        let account = format!("qcs::cam::uin/{uin}:root");
        make("Everybody", trust(std::slice::from_ref(&account))).await;
        make("Ann", trust(&[format!("qcs::cam::uin/{uin}:uin/{number}")])).await;
        make("Other", trust(&["qcs::cam::uin/1:root".to_owned()])).await;
        make("Product", json!({ "version": "2.0", "statement": [{ "effect": "allow",
            "action": "name/sts:AssumeRole", "principal": { "service": "cvm.qcloud.com" } }] })
            .to_string()).await;
        make("Saml", json!({ "version": "2.0", "statement": [{ "effect": "allow",
            "action": "sts:*", "principal": { "federated": format!("qcs::cam::uin/{uin}:saml-provider/P") } }] })
            .to_string()).await;
        make("NotBob", json!({ "version": "2.0", "statement": [
            { "effect": "allow", "action": "sts:AssumeRole", "principal": { "qcs": account } },
            { "effect": "deny", "action": "*", "principal": { "qcs": account },
              "condition": { "ip_equal": { "qcs:ip": "127.0.0.1" } } }] }).to_string()).await;
        make("WithId", trust_with(&[account],
            json!({ "string_equal": { "sts:external_id": "secret" } }))).await;
        let assume = |role: &str, id: &str| {
            json!({ "RoleArn": arn(uin, role), "RoleSessionName": "it", "ExternalId": id })
        };
        for (role, id, by_ann, by_bob) in [
            ("Everybody", "", true, true),
            ("Ann", "", true, false),
            ("Other", "", false, false),
            ("Product", "", false, false),
            ("Saml", "", false, false),
            ("NotBob", "", false, false),
            ("WithId", "", false, false),
            ("WithId", "wrong", false, false),
            ("WithId", "secret", true, true),
        ] {
            for (who, allowed) in [(&ann, by_ann), (&bob, by_bob)] {
                let may = who.may(house, "AssumeRole", assume(role, id)).await;
                assert_eq!(may, allowed, "{role} {id}");
            }
        }
        for (code, change) in [
            ("ResourceNotFound.RoleNotFound", json!({ "RoleArn": arn(uin, "Nobody") })),
            // What another account has, a stranger does not learn.
            ("UnauthorizedOperation", json!({ "RoleArn": arn(1, "Nobody") })),
            ("InvalidParameter.ParamError", json!({ "RoleArn": "nonsense" })),
            ("InvalidParameter.ParamError", json!({ "RoleSessionName": "x" })),
            ("InvalidParameter.ParamError", json!({ "RoleSessionName": "a b" })),
            ("InvalidParameter.ParamError", json!({ "RoleSessionName": "a".repeat(129) })),
            ("InvalidParameter.OverTimeError", json!({ "DurationSeconds": 7201 })),
            ("InvalidParameter.OverTimeError", json!({ "DurationSeconds": 0 })),
            ("InvalidParameter.ParamError", json!({ "ExternalId": "x".repeat(129) })),
            ("InvalidParameter.ParamError", json!({ "SourceIdentity": "a\nb" })),
            ("InvalidParameter.ParamError", json!({ "Tags": [{ "Key": "", "Value": "" }] })),
            ("InvalidParameter.StrategyFormatError", json!({ "Policy": "nonsense" })),
            ("InvalidParameter.StrategyInvalid", json!({ "Policy": "{\"version\":\"2.0\"}" })),
            ("InvalidParameter.PolicyTooLong", json!({ "Policy": "x".repeat(30_000) })),
            ("FailedOperation.MFATypeNotSupported", json!({ "SerialNumber": "1", "TokenCode": "2" })),
        ] {
            let mut parameters = assume("Everybody", "");
            parameters.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            root.refused(house, code, "AssumeRole", parameters).await;
        }
    }

    /// MEM-12: only the management account assumes the role that a member came with.
    async fn mem_12_the_management_account_enters_a_member(house) {
        let world = World::make(house.app.clone()).await;
        let member = world.member.uin.0;
        let other = world.account("other").await;
        let assume = json!({ "RoleSessionName": "it",
                             "RoleArn": arn(member, "OrganizationAccessControlRole") });
        for (account, enters) in [(&world.management, true), (&other, false), (&world.member, false)] {
            let root = Caller::new(Client::of_root(house, account).await);
            assert_eq!(root.may(house, "AssumeRole", assume.clone()).await, enters, "{}", account.name);
            if enters {
                let answer = root.done(house, "AssumeRole", assume.clone()).await;
                let inside = root.with_credentials(&answer);
                let me = inside.done(house, "GetCallerIdentity", json!({})).await;
                assert_eq!(me["AccountId"], member.to_string());
                inside.done(house, "AddUser", json!({ "Name": "made" })).await;
                // In the member it administers; the organisation is not its business.
                let refused = inside.client.call(house, "DescribeOrganization", json!({})).await;
                assert_eq!(code(&refused), "UnauthorizedOperation");
            }
        }
        let root = Caller::new(Client::of_root(house, &world.member).await);
        let user = root.done(house, "GetUser", json!({ "Name": "made" })).await;
        assert_eq!(user["Name"], "made");
    }

    /// A session's own policy takes away and never gives.
    async fn a_session_policy_only_narrows(house) {
        let (root, uin) = root(house).await;
        let role = json!({ "RoleName": "R",
                           "PolicyDocument": trust(&[format!("qcs::cam::uin/{uin}:root")]) });
        root.done(house, "CreateRole", role).await;
        let given = policy("allow", &["cam:List*"], &["*"]);
        let given = json!({ "PolicyName": "given", "PolicyDocument": given });
        let given = root.done(house, "CreatePolicy", given).await["PolicyId"].clone();
        root.done(house, "AttachRolePolicy", json!({ "AttachRoleName": "R", "PolicyId": given })).await;
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        for (narrower, users, policies, add) in [
            (None, true, true, false),
            (Some(encode(&policy("allow", &["*"], &["*"]))), true, true, false),
            (Some(encode(&policy("allow", &["cam:ListUsers"], &["*"]))), true, false, false),
            (Some(policy("allow", &["cam:ListUsers"], &["*"])), true, false, false),
            (Some(encode(&policy("allow", &["cam:AddUser"], &["*"]))), false, false, false),
            (Some(encode(&policy("deny", &["cam:ListUsers"], &["*"]))), false, false, false),
        ] {
            let mut assume = json!({ "RoleArn": arn(uin, "R"), "RoleSessionName": "it" });
            if let Some(policy) = &narrower {
                assume["Policy"] = json!(policy);
            }
            let session = root.with_credentials(&root.done(house, "AssumeRole", assume).await);
            assert_eq!(session.may(house, "ListUsers", json!({})).await, users, "{narrower:?}");
            assert_eq!(session.may(house, "ListPolicies", json!({})).await, policies, "{narrower:?}");
            assert_eq!(session.may(house, "AddUser", json!({ "Name": "x" })).await, add, "{narrower:?}");
        }
    }

    async fn a_federated_user_is_its_cam_user_narrowed(house) {
        let (root, uin) = root(house).await;
        let own = policy("allow", &["cam:List*", "sts:GetFederationToken"], &["*"]);
        let (ann, number, id) = user_with(house, &root, "ann", Some(&own)).await;
        let (bob, ..) = user_with(house, &root, "bob", None).await;
        let ask = |policy: &str| json!({ "Name": "guest", "Policy": policy });
        let everything = policy("allow", &["*"], &["*"]);
        bob.refused(house, "UnauthorizedOperation", "GetFederationToken", ask(&everything)).await;
        let answer = ann.done(house, "GetFederationToken", ask(&everything)).await;
        assert_eq!(answer["ExpiredTime"], house.now().as_second() + 1800);
        let guest = ann.with_credentials(&answer);
        let me = guest.done(house, "GetCallerIdentity", json!({})).await;
        assert_eq!(me["UserId"], format!("{number}:guest"));
        assert_eq!(me["PrincipalId"], number.to_string());
        assert!(guest.may(house, "ListUsers", json!({})).await);
        assert!(!guest.may(house, "AddUser", json!({ "Name": "x" })).await, "ann may not either");
        let code_ = "UnsupportedOperation";
        guest.refused(house, code_, "GetFederationToken", ask(&everything)).await;
        let narrow = policy("allow", &["cam:ListPolicies"], &["*"]);
        let narrow = ann.with_credentials(&ann.done(house, "GetFederationToken", ask(&narrow)).await);
        assert!(narrow.may(house, "ListPolicies", json!({})).await);
        assert!(!narrow.may(house, "ListUsers", json!({})).await);
        // What ann loses, the guest loses.
        root.done(house, "DetachUserPolicy", json!({ "PolicyId": id, "DetachUin": number })).await;
        assert!(!guest.may(house, "ListUsers", json!({})).await);
        // Of a root it is an administrator, narrowed: for the organisation as well.
        let looks = policy("allow", &["organization:Describe*"], &["*"]);
        let of_root = root.with_credentials(&root.done(house, "GetFederationToken", ask(&looks)).await);
        of_root.client.done(house, "DescribeOrganization", json!({})).await;
        let add = json!({ "ParentNodeId": 1, "Name": "n" });
        let refused = of_root.client.call(house, "AddOrganizationNode", add).await;
        assert_eq!(code(&refused), "UnauthorizedOperation");
        let (_, fresh, _) = user_with(house, &root, "cleo", None).await;
        root.done(house, "AttachUserPolicy", json!({ "PolicyId": 1, "AttachUin": fresh })).await;
        let made = root.done(house, "CreateAccessKey", json!({ "TargetUin": fresh })).await;
        let cleo = root.with_key(&made["AccessKey"]["AccessKeyId"], &made["AccessKey"]["SecretAccessKey"]);
        for (who, seconds, accepted) in [
            (&root, 7200, true), (&root, 7201, false), (&root, 0, false),
            (&cleo, 129_600, true), (&cleo, 129_601, false),
        ] {
            let ask = json!({ "Name": "g", "Policy": everything, "DurationSeconds": seconds });
            let answer = who.call(house, "GetFederationToken", ask).await;
            let expected = if accepted { "none" } else { "InvalidParameter.OverTimeError" };
            assert_eq!(code(&answer), expected, "{seconds}");
        }
        for (code, change) in [
            ("InvalidParameter.ParamError", json!({ "Name": "a b" })),
            ("InvalidParameter.ParamError", json!({ "Name": "a".repeat(129) })),
            ("InvalidParameter.StrategyFormatError", json!({ "Policy": "%7B" })),
            ("InvalidParameter.StrategyInvalid", json!({ "Policy": policy("permit", &["*"], &["*"]) })),
            ("MissingParameter", json!({ "Policy": null })),
        ] {
            let mut parameters = ask(&everything);
            parameters.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            root.refused(house, code, "GetFederationToken", parameters).await;
        }
        assert_eq!(me["AccountId"], uin.to_string());
        house.app.clock.advance(jiff::SignedDuration::from_secs(1800));
        guest.refused(house, "AuthFailure.TokenFailure", "GetCallerIdentity", json!({})).await;
    }

    /// SES-04: whoever is deleted or shut out has opened nothing that goes on.
    async fn ses_04_what_a_user_opened_ends_with_it(house) {
        let (root, uin) = root(house).await;
        let role = json!({ "RoleName": "R",
                           "PolicyDocument": trust(&[format!("qcs::cam::uin/{uin}:root")]) });
        root.done(house, "CreateRole", role).await;
        let all = policy("allow", &["sts:*"], &["*"]);
        let (ann, number, _) = user_with(house, &root, "ann", Some(&all)).await;
        let assume = json!({ "RoleArn": arn(uin, "R"), "RoleSessionName": "it" });
        let session = ann.with_credentials(&ann.done(house, "AssumeRole", assume).await);
        let ask = json!({ "Name": "guest", "Policy": policy("allow", &["*"], &["*"]) });
        let guest = ann.with_credentials(&ann.done(house, "GetFederationToken", ask.clone()).await);
        for live in [&session, &guest] {
            live.done(house, "GetCallerIdentity", json!({})).await;
        }
        root.done(house, "DeleteUser", json!({ "Name": "ann", "Force": 1 })).await;
        session.refused(house, "AuthFailure.TokenFailure", "GetCallerIdentity", json!({})).await;
        guest.refused(house, "AuthFailure.SecretIdNotFound", "GetCallerIdentity", json!({})).await;
        assert_ne!(number, uin);
    }
}

on_both! {
    async fn a_saml_response_becomes_credentials(house) {
        let (world, alice, id) = with_alice(house).await;
        let member = world.member.uin.0;
        let client = Client::of_root(house, &world.member).await;
        let key = world.idp_key().await;
        let root = Caller::new(client.clone());
        let provider = format!("TencentReservedSSO-{}", world.space.id);
        let ask = async |assertion: String| {
            json!({
                "SAMLAssertion": assertion,
                "PrincipalArn": format!("qcs::cam::uin/{member}:saml-provider/{provider}"),
                "RoleArn": arn(member, "TencentCloudSSO-ServerReader"),
                "RoleSessionName": "command-line-of-alice@example.com",
            })
        };
        let word = async || sign(&world, alice, id, &key, |_| {}).await;
        let first = word().await;
        let answer = with_saml(house, &client, ask(first.clone()).await).await;
        assert_eq!(code(&answer), "none", "{answer}");
        assert_eq!(answer["ExpiredTime"], house.now().as_second() + 3600);
        let inside = root.with_credentials(&answer);
        let me = inside.done(house, "GetCallerIdentity", json!({})).await;
        assert!(me["UserId"].as_str().unwrap().ends_with(":command-line-of-alice@example.com"));
        assert!(!inside.may(house, "ListUsers", json!({})).await);
        // Once only; and each thing that is not as it was verified refuses all of it.
        let again = with_saml(house, &client, ask(first).await).await;
        assert_eq!(code(&again), "UnauthorizedOperation");
        assert!(again["Error"]["Message"].as_str().unwrap().contains("used already"));
        let by_other = sign(&world, alice, id, wrong_key(), |_| {}).await;
        let elsewhere = sign(&world, alice, id, &key, |word| word.audience.push('x')).await;
        let other_recipient = sign(&world, alice, id, &key, |word| word.recipient.push('x')).await;
        let other_issuer = sign(&world, alice, id, &key, |word| word.issuer.push('x')).await;
        let stranger = sign(&world, alice, id, &key, |word| word.name_id = "bob".to_owned()).await;
        for wrong in [by_other, elsewhere, other_recipient, other_issuer, stranger, "AAAA".to_owned()] {
            let answer = with_saml(house, &client, ask(wrong).await).await;
            assert_eq!(code(&answer), "UnauthorizedOperation", "{answer}");
        }
        for (change, expected) in [
            (json!({ "RoleArn": arn(member, "OrganizationAccessControlRole") }), "UnauthorizedOperation"),
            (json!({ "RoleArn": arn(member, "Nobody") }), "UnauthorizedOperation"),
            (json!({ "RoleArn": arn(1, "TencentCloudSSO-ServerReader") }), "UnauthorizedOperation"),
            (json!({ "PrincipalArn": format!("qcs::cam::uin/{member}:saml-provider/X") }), "UnauthorizedOperation"),
            (json!({ "RoleArn": "nonsense" }), "InvalidParameter.ParamError"),
            (json!({ "RoleSessionName": "a b" }), "InvalidParameter.ParamError"),
            (json!({ "DurationSeconds": 3601 }), "InvalidParameter.OverTimeError"),
            (json!({ "DurationSeconds": "1" }), "InvalidParameter"),
            (json!({ "Policy": "x" }), "UnknownParameter"),
        ] {
            let mut parameters = ask(word().await).await;
            parameters.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let answer = with_saml(house, &client, parameters).await;
            assert_eq!(code(&answer), expected, "{change}");
        }
        // Nothing else goes without a signature.
        let unsigned = client.sts().unsigned(house, "GetCallerIdentity", json!({})).await;
        assert_eq!(code(&unsigned), "AuthFailure.InvalidAuthorization");
        let unsigned = client.cam().unsigned(house, "AssumeRoleWithSAML", json!({})).await;
        assert_eq!(code(&unsigned), "AuthFailure.InvalidAuthorization");
        // A signature does no harm.
        let signed = root.done(house, "AssumeRoleWithSAML", {
            let mut parameters = ask(word().await).await;
            parameters["DurationSeconds"] = json!(900);
            parameters
        }).await;
        assert_eq!(signed["ExpiredTime"], house.now().as_second() + 900);
        // SES-04: the assignment ends, and with it what it opened and what is still on its way.
        let unused = word().await;
        let triple = world.triple(identity_center::id::Principal::User(alice), world.member.uin, id);
        let strategy = identity_center::permission::RemovalStrategy::Keep;
        world.advance(1);
        world.write(async |tx, act| {
            identity_center::provisioning::remove_assignment(tx, act, world.space.id, &triple, strategy).await
        }).await;
        let ended = "AuthFailure.TokenFailure";
        inside.refused(house, ended, "GetCallerIdentity", json!({})).await;
        root.with_credentials(&signed).refused(house, ended, "GetCallerIdentity", json!({})).await;
        let answer = with_saml(house, &client, ask(unused).await).await;
        assert_eq!(code(&answer), "UnauthorizedOperation");
        settle(&world).await;
    }

    /// Any identity provider that the account registers itself.
    async fn a_provider_of_the_accounts_own(house) {
        let (root, uin) = root(house).await;
        let idp = FakeIdp::new();
        let metadata = {
            use base64::{Engine, engine::general_purpose::STANDARD};
            STANDARD.encode(idp.metadata())
        };
        let made = json!({ "Name": "Own", "Description": "d", "SAMLMetadataDocument": metadata });
        let provider = root.done(house, "CreateSAMLProvider", made).await["ProviderArn"].clone();
        let url = sign_in_url(house.app.settings.public_url.as_str());
        let trusting = |audience: &str| {
            json!({ "version": "2.0", "statement": [{ "effect": "allow",
                "action": "name/sts:AssumeRoleWithSAML", "principal": { "federated": [provider] },
                "condition": { "string_equal": { "saml:aud": audience } } }] }).to_string()
        };
        for (name, audience) in [("One", url.as_str()), ("Two", url.as_str()), ("Else", "https://e.example")] {
            let role = json!({ "RoleName": name, "PolicyDocument": trusting(audience) });
            root.done(house, "CreateRole", role).await;
        }
        let word = |roles: &[&str]| Word {
            claim: RoleClaim {
                uin,
                roles: roles.iter().map(|role| (*role).to_owned()).collect(),
                provider: "Own".to_owned(),
            },
            name_id: "somebody".to_owned(),
            session_name: Vec::new(),
            recipient: url.clone(),
            audience: url.clone(),
            issuer: idp.entity_id.clone(),
            provider_attribute: None,
            session: None,
        };
        let ask = |word: &Word, role: &str| json!({
            "SAMLAssertion": word.sign_at(house.now(), right_key()), "PrincipalArn": provider,
            "RoleArn": arn(uin, role), "RoleSessionName": "it",
        });
        // Of several roles one is chosen; one that the response does not name is not.
        let both = word(&["One", "Two"]);
        for (role, expected) in [("One", "none"), ("Two", "none"), ("Else", "UnauthorizedOperation")] {
            let answer = with_saml(house, &root.client, ask(&both, role)).await;
            assert_eq!(code(&answer), expected, "{role}");
        }
        let answer = with_saml(house, &root.client, ask(&word(&["Else"]), "Else")).await;
        assert_eq!(code(&answer), "UnauthorizedOperation", "the trust policy asks for another audience");
        // The provider goes, and nobody enters on its word.
        root.done(house, "DeleteSAMLProvider", json!({ "Name": "Own" })).await;
        let answer = with_saml(house, &root.client, ask(&both, "One")).await;
        assert_eq!(code(&answer), "UnauthorizedOperation");
    }
}

/// The word of the world's space about a user, changed.
async fn sign(
    world: &World,
    user: UserId,
    configuration: ConfigurationId,
    key: &SigningKey,
    change: impl FnOnce(&mut Word),
) -> String {
    let mut word = Word::of(world, user, configuration).await;
    change(&mut word);
    word.sign(world, key)
}
