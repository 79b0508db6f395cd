//! The responses of spid-sp-test, a public suite, through the front door. SPID is stricter than
//! SAML in places that say nothing about who signs in; where we take what it would not, it is
//! listed with the reason, and a reason that is not needed fails the test.

use identity_center::{
    clock::Clock,
    sso::{self, ResponseSettings},
};
use serde_json::Value;

use crate::{
    house::{Database, TestHouse},
    journey::{Company, act},
    tools::python,
};

/// What we do otherwise than SPID wants, and why.
const OTHERWISE: [(&str, &str); 10] = [
    ("3", "a signature of the response covers the assertion in it (DESIGN §6)"),
    ("44", "an attribute names the person, so the name identifier may be missing"),
    ("45", "a name identifier need not say its format (SAML core §2.2.2)"),
    ("46", "a name identifier need not say its format (SAML core §2.2.2)"),
    ("47", "an attribute names the person, so the name identifier may have any format"),
    ("48", "a name identifier need not be qualified (SAML core §2.2.2)"),
    ("49", "a name identifier need not be qualified (SAML core §2.2.2)"),
    ("71", "the issuer's format is entity when it is not said (SAML core §2.2.5)"),
    ("76", "conditions need not say from when they hold (SAML core §2.5.1)"),
    ("97", "which ways to authenticate are wanted is a setting, and none is set"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_responses_of_spid_are_taken_or_refused_as_it_wants() {
    let Some(mut metadata) = python("tests/python/spid.py") else { return };
    let metadata = metadata.arg("metadata").output().unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
    let company = Company::bare(&house, "acme").await;
    // SPID's name identifiers are transient; the person is an attribute.
    company.hire("AGID-001").await;
    let responses = ResponseSettings {
        identity_attribute: Some("spidCode".to_owned()),
        allow_unsolicited: false,
    };
    let (doing, space) = (act(&house), company.space.id);
    house
        .app
        .db
        .write(async |tx| -> Result<(), sso::Error> {
            sso::set_by_metadata(tx, &doing, space, metadata.stdout.trim_ascii()).await?;
            sso::set_responses(tx, &doing, space, &responses).await
        })
        .await
        .unwrap();
    company.switch_sign_in(true).await;

    let start = company.portal("/login/start");
    let ran = tokio::task::spawn_blocking(move || {
        let mut command = python("tests/python/spid.py").unwrap();
        command.args(["run", &start]).output().unwrap()
    });
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout).unwrap();
    let results: Vec<Value> = said.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert!(results.len() >= 100, "{} responses", results.len());
    let mut otherwise = Vec::new();
    for result in &results {
        let status = result["status"].as_u64().unwrap();
        // Taken is the portal; refused is a page that says so, and never a failure of ours.
        assert!(matches!(status, 200 | 403), "{result}");
        if (status == 200) != result["accepted"].as_bool().unwrap() {
            otherwise.push(result);
        }
    }
    let found: Vec<&str> = otherwise.iter().map(|it| it["test"].as_str().unwrap()).collect();
    let known: Vec<&str> = OTHERWISE.iter().map(|(test, _)| *test).collect();
    assert_eq!(found, known, "{otherwise:#?}");
    house.close().await;
}
