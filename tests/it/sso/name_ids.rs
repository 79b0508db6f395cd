//! Every format of a name identifier at the front door (SAML core §8.3), and an assertion without
//! one (SSO-13: what is compared is the user name, whatever the identity provider calls it).

use identity_center::{
    credential,
    saml::{cause::Cause, identity_provider::AttributeToState, trace::Check},
    space,
    sso::{self, ResponseSettings},
};
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{last_attempt, sessions};
use crate::{
    fake_idp::{Message, right_key},
    journey::{Company, act, location},
    on_both,
};

const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// Formats that name somebody, each with a name as it is written there.
const NAMING: [(Option<&str>, &str); 9] = [
    (None, "ann"),
    (Some("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"), "ann.2"),
    (Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"), "Ann@acme.example"),
    (Some("urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"), "CN=Ann,O=Acme\\, Inc."),
    (Some("urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName"), "ACME\\ann"),
    (Some("urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos"), "ann/admin@ACME.EXAMPLE"),
    (Some("urn:oasis:names:tc:SAML:2.0:nameid-format:entity"), "https://ann.example/"),
    (Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"), "_f81d4fae7dec11d0"),
    (Some("urn:example:a-format-of-our-own"), "ann.9"),
];

/// How the assertion names somebody.
#[derive(Clone, Copy)]
enum Named<'n> {
    By(Option<&'n str>, &'n str),
    ByNothing,
}

/// The answer to a fresh request, which says of the attribute `uid` what is given.
async fn answer(
    company: &Company<'_>,
    browser: &reqwest::Client,
    named: Named<'_>,
    uid: Option<&str>,
) -> Message {
    let request = company.idp.read(&company.start(browser).await);
    let (format, name) = match named {
        Named::By(format, name) => (format, name),
        Named::ByNothing => (None, "nobody"),
    };
    let answer = company.idp.answer(&request, name, company.house.now().to_jiff());
    let values: Vec<&str> = uid.into_iter().collect();
    let attributes = [AttributeToState { name: "uid", values: &values }];
    let attributes = if uid.is_some() { &attributes[..] } else { &[] };
    let message = answer.stating(attributes, format.unwrap_or("urn:none")).without_signatures();
    let message = match named {
        Named::By(Some(_), _) => message,
        Named::By(None, _) => message.change(" Format=\"urn:none\"", ""),
        Named::ByNothing => message.without("saml:NameID"),
    };
    message.sign_assertion(right_key()).sign_response(right_key())
}

/// Lets the directory push, which alone may give such names; its token.
async fn open_scim(company: &Company<'_>) -> String {
    let (doing, space) = (act(company.house), &company.space);
    let db = &company.house.app.db;
    let made = db.write(async |tx| -> anyhow::Result<_> {
        space::set_scim_enabled(tx, &doing, space, true).await?;
        Ok(credential::create(tx, &doing, space.id, None).await?.1)
    });
    made.await.unwrap().expose_secret().to_owned()
}

async fn push(company: &Company<'_>, token: &str, name: &str) {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "active": true,
    });
    let post = reqwest::Client::new().post(company.house.url("/scim/v2/Users"));
    let pushed = post.bearer_auth(token).json(&user).send().await.unwrap();
    assert_eq!(pushed.status(), StatusCode::CREATED, "{name}: {}", pushed.text().await.unwrap());
}

/// The check and the cause of the first failure of the latest attempt.
async fn refused_for(company: &Company<'_>) -> (Check, Cause) {
    let attempt = last_attempt(company).await;
    let failed = attempt.checks().first_failure().unwrap();
    (failed.check, failed.cause.unwrap())
}

async fn name_by_uid(company: &Company<'_>) {
    let doing = act(company.house);
    let by = ResponseSettings { identity_attribute: Some("uid".to_owned()), ..Default::default() };
    let (db, space) = (&company.house.app.db, company.space.id);
    db.write(async |tx| sso::set_responses(tx, &doing, space, &by).await).await.unwrap();
}

on_both! {
    async fn every_format_of_a_name_identifier_names_the_user(house) {
        let company = Company::open(house, "acme").await;
        let token = open_scim(&company).await;
        for (format, name) in NAMING {
            push(&company, &token, name).await;
            let browser = house.browser();
            let message = answer(&company, &browser, Named::By(format, name), None).await;
            let accepted = company.post(&browser, &message.base64()).await;
            assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{format:?}: {message:?}");
            let inside = browser.get(location(&accepted)).send().await.unwrap();
            assert_eq!(location(&inside), company.portal(""), "{format:?}");
            let who = browser.get(company.portal("/api/session")).send().await.unwrap();
            let who: serde_json::Value = who.json().await.unwrap();
            assert_eq!(who["user_name"], name, "{format:?}");
        }
    }

    async fn a_transient_name_or_none_names_nobody(house) {
        let company = Company::open(house, "acme").await;
        for (named, wanted) in [
            (Named::By(Some(TRANSIENT), "alice"), (Check::NameIdFormat, Cause::TransientNameId)),
            (Named::ByNothing, (Check::NameId, Cause::NoNameId)),
            (Named::By(None, "mallory"), (Check::UserExists, Cause::UnknownUser)),
        ] {
            let browser = house.browser();
            let message = answer(&company, &browser, named, Some("alice")).await;
            let refused = company.post(&browser, &message.base64()).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN);
            assert_eq!(refused_for(&company).await, wanted);
        }
        assert_eq!(sessions(house).await, 0);
    }

    async fn an_attribute_names_the_user_whatever_the_name_identifier_is(house) {
        let company = Company::open(house, "acme").await;
        name_by_uid(&company).await;
        let all = NAMING.map(|(format, _)| Named::By(format, "somebody-else"));
        for named in all.into_iter().chain([Named::By(Some(TRANSIENT), "_a7"), Named::ByNothing]) {
            let browser = house.browser();
            let message = answer(&company, &browser, named, Some("alice")).await;
            let accepted = company.post(&browser, &message.base64()).await;
            assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{message:?}");
            let inside = browser.get(location(&accepted)).send().await.unwrap();
            assert_eq!(location(&inside), company.portal(""));
            assert_eq!(last_attempt(&company).await.name_id.as_deref(), Some("alice"));
            // Signing out asks the identity provider only where there is a name to ask by.
            let out = browser.post(company.portal("/sign-out")).header("Origin", house.url(""));
            let out = out.send().await.unwrap();
            assert!(out.status().is_success() || out.status().is_redirection(), "{}", out.status());
        }
        let browser = house.browser();
        let message = answer(&company, &browser, Named::ByNothing, None).await;
        let refused = company.post(&browser, &message.base64()).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let wanted = (Check::IdentityAttribute, Cause::NoIdentityAttribute);
        assert_eq!(refused_for(&company).await, wanted);
    }
}
