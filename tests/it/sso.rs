//! Sign-in through the front door, with an identity provider that errs on demand.

mod alarm;
pub mod configuration;
mod encryption;
mod expiry;
mod keys;
mod logout;
mod name_ids;
mod refusals;
mod replicas;
mod requests;
mod review;
mod sessions;
mod settings;
mod source;
mod test_sign_in;
mod unsolicited;

use identity_center::{
    audit::{self, Actor},
    saml::{
        certificate::SigningKey,
        metadata::IdpMetadata,
        sp_metadata,
        trace::{Check, Verdict},
    },
    sso::{self, Attempt, AttemptSearch, Outcome},
    store::{self, PageRequest, sql},
    web::messages::say,
};
use reqwest::{Response, StatusCode};

use crate::{
    fake_idp::{LOGIN_URL, right_key},
    house::TestHouse,
    journey::{Company, act, count, header, location},
    on_both,
};

/// The latest attempt to sign in.
async fn last_attempt(company: &Company<'_>) -> Attempt {
    let space = company.space.id;
    let page = company
        .house
        .app
        .db
        .read(async |tx| {
            sso::attempts(tx, space, &AttemptSearch::default(), PageRequest::first(1)).await
        })
        .await
        .unwrap();
    page.rows.into_iter().next().unwrap()
}

/// Holds what a refusal left behind against what it should leave: a page that says no more than
/// `code`, the attempt with the check that failed first, a record in the audit log.
async fn expect_refusal(company: &Company<'_>, refused: Response, code: &str, check: Check) {
    let request_id = header(&refused, "x-request-id").to_owned();
    let status = refused.status();
    let page = refused.text().await.unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN, "{check}: {page}");
    assert!(page.contains(code) && page.contains(&request_id), "{check}: {page}");

    let attempt = last_attempt(company).await;
    assert_eq!(attempt.outcome, Outcome::Refused, "{check}");
    assert_eq!(attempt.request_id, request_id);
    let failed = attempt.checks().first_failure().unwrap();
    assert_eq!(failed.check, check, "{failed:?}");
    // The page says nothing that only administrators may read.
    let cause = failed.cause.unwrap().name();
    for end in ["", "-remedy"] {
        assert!(!page.contains(&say(&format!("cause-{cause}{end}"), &[])), "{check}: {page}");
    }

    let organization = company.organization;
    let records: store::Result<_> = company
        .house
        .app
        .db
        .read(async |tx| audit::list(tx, organization, PageRequest::first(1)).await)
        .await;
    let record = records.unwrap().rows.into_iter().next().unwrap();
    if attempt.name_id.is_some() {
        assert_eq!((record.action.as_str(), &record.request_id), ("sign_in.refuse", &request_id));
        assert!(record.state_after.unwrap().contains(check.name()));
    } else {
        // Anybody can send what proves nothing, and writes nothing that stays.
        assert_ne!(record.request_id, request_id);
    }
}

async fn sessions(house: &TestHouse) -> i64 {
    count(house, "SELECT COUNT(*) FROM sessions").await
}

on_both! {
    async fn sso_03_only_switched_on_and_set_up_signs_in(house) {
        let company = Company::bare(house, "acme").await;
        company.hire("alice").await;
        let browser = house.browser();
        for (on, set, code) in [
            (false, false, "SignInSwitchedOff"),
            (true, false, "SignInNotConfigured"),
            (false, true, "SignInSwitchedOff"),
        ] {
            company.switch_sign_in(on).await;
            if set {
                company.set_identity_provider().await;
            }
            let answer = browser.get(company.portal("/login/start")).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "on {on}, set {set}");
            assert_eq!(header(&answer, "set-cookie"), "");
            let page = answer.text().await.unwrap();
            assert!(page.contains(code) && page.contains("administrator"), "{page}");
            // Nor does a response open anything then.
            let answer = company.post(&browser, "PHgvPg==").await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN);
            assert!(answer.text().await.unwrap().contains("SignInSwitchedOff"));
        }
        company.switch_sign_in(true).await;
        let inside = company.sign_in(&browser, "alice").await;
        assert_eq!(location(&inside), company.portal(""));
        assert_eq!(sessions(house).await, 1);
    }

    async fn switching_off_stops_sign_ins_under_way(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
        let finish = company.ticket_for(&browser, "alice").await;
        company.switch_sign_in(false).await;
        let refused = company.post(&browser, &answer.base64()).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let refused = browser.get(finish).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(sessions(house).await, 0);
    }

    async fn sso_13_nobody_is_made_by_signing_in(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "mallory", house.now().to_jiff());
        let refused = company.post(&browser, &answer.signed().base64()).await;
        expect_refusal(&company, refused, "NotProvisioned", Check::UserExists).await;
        // Who it was stands where administrators read, and nowhere else.
        let attempt = last_attempt(&company).await;
        assert_eq!(attempt.name_id.as_deref(), Some("mallory"));
        assert_eq!(count(house, "SELECT COUNT(*) FROM users").await, 1);
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 0);
    }

    async fn sso_13_usr_05_a_name_is_the_whole_name(house) {
        let company = Company::open(house, "acme").await;
        for name in ["alice@acme", "ali", "alice.", "al%", "_lice", "\u{430}lice"] {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let answer = company.idp.answer(&request, name, house.now().to_jiff());
            let refused = company.post(&browser, &answer.signed().base64()).await;
            expect_refusal(&company, refused, "NotProvisioned", Check::UserExists).await;
        }
        // ASCII case does not tell people apart.
        company.sign_in(&house.browser(), "ALICE").await;
    }

    async fn usr_17_a_disabled_user_is_told_so(house) {
        let company = Company::open(house, "acme").await;
        let bob = company.hire("bob").await;
        company.set_enabled(&bob, false).await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "bob", house.now().to_jiff());
        let refused = company.post(&browser, &answer.signed().base64()).await;
        expect_refusal(&company, refused, "UserDisabled", Check::UserEnabled).await;
        assert_eq!(sessions(house).await, 0);
    }

    async fn a_good_sign_in_leaves_a_whole_trace(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let finish = company.ticket_for(&browser, "alice").await;
        let attempt = last_attempt(&company).await;
        assert_eq!(attempt.outcome, Outcome::Accepted);
        browser.get(finish).send().await.unwrap();
        let attempt = last_attempt(&company).await;
        assert_eq!(attempt.outcome, Outcome::SignedIn);
        assert!(attempt.checks().entries().iter().all(|it| it.verdict != Verdict::Failed));
        for check in [
            Check::Destination,
            Check::ResponseIssuer,
            Check::AssertionIssuer,
            Check::Status,
            Check::AssertionCount,
            Check::Signature,
            Check::Recipient,
            Check::InResponseTo,
            Check::NotBefore,
            Check::NotOnOrAfter,
            Check::Audience,
            Check::SessionNotOnOrAfter,
            Check::SecondOpinion,
            Check::Replay,
            Check::UserExists,
            Check::UserEnabled,
            Check::BrowserBinding,
        ] {
            let entry = attempt.checks().entries().iter().find(|it| it.check == check).unwrap();
            assert_eq!(entry.verdict, Verdict::Passed, "{entry:?}");
        }
    }

    async fn sso_04_sso_05_con_15_our_metadata_says_who_we_are(house) {
        let company = Company::bare(house, "acme").await;
        let id = company.space.id.to_string();
        let read = async |path: String| {
            let answer = reqwest::get(house.url(&path)).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(header(&answer, "content-type"), "application/samlmetadata+xml");
            answer.text().await.unwrap()
        };
        let service = read(format!("/saml/sp/{id}")).await;
        // SSO-05: the id stands in it and the name does not.
        let entity_id = house.url(&format!("/saml/sp/{id}"));
        assert!(service.contains(&format!("entityID=\"{entity_id}\"")), "{service}");
        assert!(!service.contains("acme"), "{service}");
        assert!(service.contains(&format!("Location=\"{}\"", company.acs_url())), "{service}");
        // CON-15: a service provider and nothing else.
        assert!(service.contains("<md:SPSSODescriptor "), "{service}");
        assert!(!service.contains("IDPSSODescriptor"), "{service}");
        assert!(service.contains("WantAssertionsSigned=\"true\""), "{service}");
        assert!(service.contains("<ds:X509Certificate>"), "{service}");
        assert!(!service.contains("PRIVATE"), "{service}");

        let provider = read(format!("/saml/idp/{id}")).await;
        let parsed = IdpMetadata::parse(provider.as_bytes(), house.now().to_jiff()).unwrap();
        assert_eq!(parsed.entity_id, house.url(&format!("/saml/idp/{id}")));
        assert_eq!(parsed.redirect_location(), Some(company.portal("").as_str()));
        assert_eq!(parsed.certificates.len(), 1);
        // The two key pairs are two.
        assert!(!service.contains(&parsed.certificates[0].base64()));

        for path in ["/saml/sp/z-000000000000", "/saml/idp/z-000000000000", "/saml/sp/nonsense"] {
            let answer = reqwest::get(house.url(path)).await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    async fn sso_07_sso_16_metadata_with_two_certificates_lets_either_sign(house) {
        let company = Company::open(house, "acme").await;
        let second = crate::fake_idp::wrong_key();
        let certificates = [second.certificate().clone(), right_key().certificate().clone()];
        let metadata = sp_metadata::IdentityProvider {
            entity_id: &company.idp.entity_id,
            sso_url: LOGIN_URL,
            certificates: &certificates,
        };
        let metadata = metadata.metadata().unwrap();
        let doing = act(house);
        let space = company.space.id;
        let db = &house.app.db;
        db.write(async |tx| sso::set_by_metadata(tx, &doing, space, metadata.as_bytes()).await)
            .await
            .unwrap();
        for key in [right_key(), second] {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            let accepted = company.post(&browser, &answer.signed_by(key).base64()).await;
            assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
        }
        // SSO-16: a certificate that is taken away signs nobody in from then on.
        company.set_identity_provider().await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let refused = company.post(&browser, &answer.signed_by(second).base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::Signature).await;
    }

    /// Everybody has the development key, so outside the demo nobody may believe it: it cannot be
    /// set, and where the demo left it behind it signs nobody in.
    async fn the_development_key_signs_nobody_in(house) {
        let company = Company::open(house, "acme").await;
        let key = SigningKey::from_pem(
            include_str!("../../certs-dev/identity-provider.key"),
            include_str!("../../certs-dev/identity-provider.crt"),
        )
        .unwrap();
        let metadata = sp_metadata::IdentityProvider {
            entity_id: &company.idp.entity_id,
            sso_url: LOGIN_URL,
            certificates: std::slice::from_ref(key.certificate()),
        };
        let metadata = metadata.metadata().unwrap();
        let space = company.space.id;
        let db = &house.app.db;
        let somebody = act(house).by(Actor::anyone());
        let set = db
            .write(async |tx| sso::set_by_metadata(tx, &somebody, space, metadata.as_bytes()).await)
            .await;
        assert!(matches!(set, Err(sso::Error::DevelopmentKey)), "{set:?}");

        let demo = act(house);
        db.write(async |tx| sso::set_by_metadata(tx, &demo, space, metadata.as_bytes()).await)
            .await
            .unwrap();
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let refused = company.post(&browser, &answer.signed_by(&key).base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::Signature).await;
    }

    /// A request goes to one identity provider; another one cannot answer it.
    async fn a_request_is_answered_by_whom_it_went_to(house) {
        let mut company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        company.idp.entity_id = "https://other.example.com/metadata".to_owned();
        company.set_identity_provider().await;
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let refused = company.post(&browser, &answer.signed().base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::InResponseTo).await;
    }

    async fn a_space_takes_no_answer_to_another_ones_request(house) {
        let acme = Company::open(house, "acme").await;
        let other = Company::open(house, "other").await;
        let browser = house.browser();
        let request = acme.idp.read(&acme.start(&browser).await);
        let mut answer = acme.idp.answer(&request, "alice", house.now().to_jiff());
        // As it is: everything in it is for acme.
        let refused = other.post(&browser, &answer.signed().base64()).await;
        expect_refusal(&other, refused, "SamlResponseRefused", Check::Destination).await;
        // Even if the identity provider, which both share, said it were for the other.
        answer.acs_url = other.acs_url();
        answer.audience = house.url(&format!("/saml/sp/{}", other.space.id));
        let refused = other.post(&browser, &answer.signed().base64()).await;
        expect_refusal(&other, refused, "SamlResponseRefused", Check::InResponseTo).await;
        // And a ticket of one opens nothing in the other, whose name is in the address.
        let finish = acme.ticket_for(&browser, "alice").await;
        let elsewhere = finish.replace("/portal/acme/", "/portal/other/");
        let refused = browser.get(elsewhere).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(browser.get(finish).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        assert_eq!(sessions(house).await, 0);
    }

    async fn what_has_expired_is_swept_away(house) {
        let company = Company::open(house, "acme").await;
        company.ticket_for(&house.browser(), "alice").await;
        company.start(&house.browser()).await;
        let left = async || {
            let tables = sql(
                "SELECT (SELECT COUNT(*) FROM login_requests) + (SELECT COUNT(*) FROM login_tickets)
                      + (SELECT COUNT(*) FROM accepted_assertions)",
            );
            let counted: store::Result<i64> =
                house.app.db.read(async |tx| tables.fetch_number(tx).await).await;
            counted.unwrap()
        };
        assert_eq!(left().await, 3);
        let sweep = async |now: store::Timestamp| {
            house.app.db.write(async |tx| sso::forget_expired(tx, now).await).await.unwrap();
        };
        sweep(house.now()).await;
        assert_eq!(left().await, 3);
        // The ledger outlives the assertion by more than any clock skew, whatever is set.
        sweep(house.now().plus_seconds(600)).await;
        assert_eq!(left().await, 1);
        sweep(house.now().plus_seconds(300 + 120 + 299)).await;
        assert_eq!(left().await, 1);
        sweep(house.now().plus_seconds(300 + 120 + 300)).await;
        assert_eq!(left().await, 0);
    }
}
