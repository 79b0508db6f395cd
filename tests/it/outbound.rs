//! What we say to accounts, as those take it who share no code with us: xmlsec1 and pysaml2.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use identity_center::{
    clock::Clock,
    saml::{
        certificate::SigningKey,
        encoding,
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format::UNSPECIFIED,
        response::{Expected, Received},
        sp_metadata,
        target::{Grant, Target},
    },
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    house::{Database, TestHouse},
    tools::python,
    whole_way::World,
};

const ENTITY_ID: &str = "https://center.example.com/saml/idp/z-1";

/// What pysaml2 makes of each response, after xmlsec1 has verified it.
fn consumed(mut command: Command, metadata: &str, given: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metadata.xml");
    std::fs::write(&file, metadata).unwrap();
    let mut child = command
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = given.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8(done.stdout).unwrap();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The clock of these tests is the machine's: pysaml2 has no other.
#[test]
fn stock_consumers_take_what_each_cloud_is_told() {
    let Some(command) = python("tests/python/consume.py") else { return };
    let now = Clock::system().now().to_jiff();
    let key = SigningKey::generate("center", now, [5; 16]).unwrap();
    let metadata = sp_metadata::IdentityProvider {
        entity_id: ENTITY_ID,
        sso_url: "https://center.example.com/portal/acme",
        certificates: std::slice::from_ref(key.certificate()),
    };
    let metadata = metadata.metadata().unwrap();
    let grant = Grant {
        account: 100_000_001_234,
        roles: &["look"],
        provider: "sso",
        user_name: "alice@example.com",
        session: SignedDuration::from_hours(1),
    };
    let targets = [
        Target::Embedded { sign_in_url: "https://center.example.com/cloud/login/saml" },
        Target::TencentChina,
        Target::TencentInternational,
        Target::Aws { region: None },
        Target::Aws { region: Some("eu-west-1") },
        Target::AlibabaChina,
        Target::AlibabaInternational,
    ];
    let given: Vec<Value> = targets
        .iter()
        .map(|target| {
            let statements = target.statements(&grant);
            let values: Vec<Vec<&str>> = statements
                .iter()
                .map(|it| it.values.iter().map(String::as_str).collect())
                .collect();
            let attributes: Vec<AttributeToState<'_>> = statements
                .iter()
                .zip(&values)
                .map(|(it, values)| AttributeToState { name: &it.name, values })
                .collect();
            let issued = ResponseToIssue {
                response_id: "_r0123456789",
                assertion_id: "_a0123456789",
                issuer: ENTITY_ID,
                acs_url: &target.acs_url(),
                audience: target.audience(),
                in_response_to: None,
                name_id: grant.user_name,
                name_id_format: UNSPECIFIED,
                session_index: "_s0123456789",
                attributes: &attributes,
                authenticated_at: now,
                now,
                lifetime: SignedDuration::from_mins(2),
                session_lifetime: Some(grant.session),
            };
            let response = issued.issue(&key).unwrap();
            // Our own service provider takes it too.
            let certificates = [key.certificate().clone()];
            let expected = Expected {
                idp_entity_id: ENTITY_ID,
                certificates: &certificates,
                decryption_keys: &[],
                acs_url: &target.acs_url(),
                sp_entity_id: target.audience(),
                request_id: None,
                authn_contexts: &[],
                authenticated_since: None,
                identity_attribute: None,
                used: None,
                allow_unsolicited: true,
                now,
                skew: SignedDuration::from_secs(60),
                second_opinion: true,
            };
            let verified = Received::parse(&response.base64()).verify(&expected).result.unwrap();
            assert_eq!(verified.identity, grant.user_name);
            json!({
                "response": response.base64(),
                "audience": target.audience(),
                "acs_url": target.acs_url(),
            })
        })
        .collect();
    let taken = consumed(command, &metadata, &given);
    assert_eq!(taken.len(), targets.len());
    let ends = (now + SignedDuration::from_hours(1)).as_second();
    for (target, taken) in targets.iter().zip(&taken) {
        assert_eq!(taken["name_id"], grant.user_name, "{target:?}");
        assert_eq!(taken["issuer"], ENTITY_ID, "{target:?}");
        assert_eq!(taken["session_ends"], ends, "{target:?}");
        for statement in target.statements(&grant) {
            assert_eq!(taken["attributes"][&statement.name], json!(statement.values), "{target:?}");
        }
    }
}

/// The page of the portal, from a house whose clock is the machine's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_consumers_take_what_the_portal_sends() {
    let Some(command) = python("tests/python/consume.py") else { return };
    let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
    let world = World::open(&house).await;
    let ann = world.push_user("ann@acme.example").await;
    world.assign("User", &ann).await;
    let browser = house.browser();
    world.sign_in(&browser, "ann@acme.example").await;
    let word = world.word(&browser).await;
    let address = house.url(&format!("/saml/idp/{}", world.space));
    let metadata = reqwest::get(&address).await.unwrap().text().await.unwrap();
    let door = house.url("/cloud/login/saml");
    let given = json!({ "response": word, "audience": door, "acs_url": door });
    let taken = consumed(command, &metadata, &[given]);
    assert_eq!(taken[0]["name_id"], "ann@acme.example");
    assert_eq!(taken[0]["issuer"], address);
    let xml = String::from_utf8(encoding::decode(&word).unwrap()).unwrap();
    // Begun here: no request is answered, and the attribute is absent, not empty.
    assert!(!xml.contains("InResponseTo"), "{xml}");
    // What others took, the account takes, once.
    let entered = world.enter(&browser, &word).await;
    assert_eq!(entered.status(), 303);
    world.settle().await;
    house.close().await;
}
