//! Sign-in that begins at the identity provider (SSO-14), the attribute that is the user name, and
//! what is sent along and comes back.

use std::num::NonZeroU32;

use identity_center::{
    config::Settings,
    saml::{
        cause::Cause, identity_provider::AttributeToState, name_id_format::TRANSIENT, trace::Check,
    },
    sso::{self, Outcome, ResponseSettings},
};
use jiff::SignedDuration;
use reqwest::{Client, Response, StatusCode};

use super::{expect_refusal, last_attempt, sessions};
use crate::{
    fake_idp::Message,
    house::TestHouse,
    journey::{Company, act, count, location},
    on_both,
};

async fn decide(company: &Company<'_>, settings: ResponseSettings) -> Result<(), sso::Error> {
    let doing = act(company.house);
    let (db, space) = (&company.house.app.db, company.space.id);
    db.write(async |tx| sso::set_responses(tx, &doing, space, &settings).await).await
}

async fn allow(company: &Company<'_>) {
    let settings = ResponseSettings { allow_unsolicited: true, ..Default::default() };
    decide(company, settings).await.unwrap();
}

/// An answer that nobody asked for.
async fn unsolicited(company: &Company<'_>, name: &str) -> Message {
    let request = company.idp.read(&company.start(&company.house.browser()).await);
    let mut answer = company.idp.answer(&request, name, company.house.now().to_jiff());
    answer.request_id = None;
    answer.signed()
}

async fn confirm(browser: &Client, house: &TestHouse, finish: &str, origin: &str) -> Response {
    let url: url::Url = finish.parse().unwrap();
    let ticket = url.query_pairs().next().unwrap().1.into_owned();
    let form = [("ticket", ticket)];
    let post = browser.post(house.url(url.path())).header("Origin", origin).form(&form);
    post.send().await.unwrap()
}

fn origin(house: &TestHouse) -> String {
    house.url("").trim_end_matches('/').to_owned()
}

on_both! {
    async fn sso_14_what_nobody_asked_for_is_refused_unless_allowed(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let message = unsolicited(&company, "alice").await;
        let refused = company.post(&browser, &message.base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::InResponseTo).await;
        let attempt = last_attempt(&company).await;
        assert_eq!(attempt.checks().first_failure().unwrap().cause, Some(Cause::Unsolicited));

        allow(&company).await;
        let message = unsolicited(&company, "alice").await;
        let accepted = company.post(&browser, &message.base64()).await;
        assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
        let finish = location(&accepted);
        // Nobody is signed in without being asked, however often the page is fetched.
        for _ in 0..2 {
            let page = browser.get(&finish).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK);
            assert!(page.text().await.unwrap().contains("Go on as alice"));
            assert_eq!(sessions(house).await, 0);
        }
        let inside = confirm(&browser, house, &finish, &origin(house)).await;
        assert_eq!(location(&inside), company.portal(""));
        assert_eq!(sessions(house).await, 1);
        assert_eq!(last_attempt(&company).await.outcome, Outcome::SignedIn);
        // Once.
        let again = confirm(&house.browser(), house, &finish, &origin(house)).await;
        assert_eq!(again.status(), StatusCode::FORBIDDEN);
        let replayed = company.post(&browser, &message.base64()).await;
        expect_refusal(&company, replayed, "SamlResponseRefused", Check::Replay).await;
    }

    async fn sso_14_another_site_cannot_say_yes(house) {
        let company = Company::open(house, "acme").await;
        allow(&company).await;
        let victim = house.browser();
        let message = unsolicited(&company, "alice").await;
        let finish = location(&company.post(&victim, &message.base64()).await);
        let refused = confirm(&victim, house, &finish, "https://evil.example").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(sessions(house).await, 0);
        // The ticket of a sign-in that began here takes no yes in place of the browser.
        let began = company.ticket_for(&house.browser(), "alice").await;
        let refused = confirm(&victim, house, &began, &origin(house)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(sessions(house).await, 0);
    }

    async fn sso_14_switching_it_off_stops_what_is_under_way(house) {
        let company = Company::open(house, "acme").await;
        allow(&company).await;
        let browser = house.browser();
        let message = unsolicited(&company, "alice").await;
        let finish = location(&company.post(&browser, &message.base64()).await);
        house.app.clock.advance(SignedDuration::from_secs(301));
        let late = confirm(&browser, house, &finish, &origin(house)).await;
        assert_eq!(late.status(), StatusCode::FORBIDDEN);
        decide(&company, ResponseSettings::default()).await.unwrap();
        let message = unsolicited(&company, "alice").await;
        let refused = company.post(&browser, &message.base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::InResponseTo).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 0);
    }

    async fn an_attribute_is_the_user_name_where_that_is_set(house) {
        let company = Company::open(house, "acme").await;
        let bad = ResponseSettings { identity_attribute: Some(" uid".to_owned()), ..Default::default() };
        assert!(matches!(decide(&company, bad).await, Err(sso::Error::IdentityAttribute)));
        let by = ResponseSettings { identity_attribute: Some("uid".to_owned()), ..Default::default() };
        decide(&company, by).await.unwrap();
        let browser = house.browser();
        let begin = async || company.idp.read(&company.start(&browser).await);
        let now = house.now().to_jiff();
        // The name identifier is no longer anybody's name.
        let answer = company.idp.answer(&begin().await, "alice", now);
        let refused = company.post(&browser, &answer.signed().base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::IdentityAttribute).await;
        let answer = company.idp.answer(&begin().await, "_f7a1", now);
        let attributes = [AttributeToState { name: "uid", values: &["alice"] }];
        let message = answer.stating(&attributes, TRANSIENT);
        let accepted = company.post(&browser, &message.base64()).await;
        assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
        assert_eq!(last_attempt(&company).await.name_id.as_deref(), Some("alice"));
    }

    async fn sso_20_what_was_sent_along_comes_back_or_nothing_does(house) {
        let company = Company::open(house, "acme").await;
        for (returned, fine) in [(None, true), (Some("right"), true), (Some("https://evil.example"), false)] {
            let browser = house.browser();
            let address: url::Url = company.start(&browser).await.parse().unwrap();
            let sent = address.query_pairs().find(|(name, _)| name == "RelayState").unwrap().1;
            assert!(sent.len() <= 80 && !sent.contains("portal"), "{sent}");
            let request = company.idp.read(address.as_str());
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
            let mut form = vec![("SAMLResponse", answer.base64())];
            match returned {
                Some("right") => form.push(("RelayState", sent.into_owned())),
                Some(other) => form.push(("RelayState", other.to_owned())),
                None => {}
            }
            let answer = browser.post(company.acs_url()).form(&form).send().await.unwrap();
            if fine {
                assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{returned:?}");
            } else {
                expect_refusal(&company, answer, "SamlResponseRefused", Check::RelayState).await;
            }
        }
    }

    async fn deep_links_survive(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let wanted = company.portal("?tab=users");
        let path = "/portal/acme?tab=users";
        let start = company.portal(&format!("/login/start?return_to={}", path.replace('?', "%3F")));
        let request = browser.get(start).send().await.unwrap();
        let request = company.idp.read(&location(&request));
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
        let finish = location(&company.post(&browser, &answer.base64()).await);
        let inside = browser.get(finish).send().await.unwrap();
        assert_eq!(location(&inside), wanted);
    }
}

fn three_messages_a_moment(settings: &mut Settings) {
    settings.rate_limits.saml_per_second = NonZeroU32::MIN;
    settings.rate_limits.saml_burst = NonZeroU32::new(3).unwrap();
    settings.proxies.trusted = vec!["127.0.0.1/32".parse().unwrap()];
}

async fn whoever_brings_too_many_messages_waits(house: &TestHouse) {
    let company = Company::open(house, "acme").await;
    let bring = async |address: &str| {
        let form = [("SAMLResponse", "PHgvPg==")];
        let post = Client::new().post(company.acs_url()).form(&form);
        post.header("x-forwarded-for", address).send().await.unwrap()
    };
    let mut held = 0;
    for _ in 0..8 {
        let answer = bring("203.0.113.7").await;
        match answer.status() {
            StatusCode::FORBIDDEN => {}
            StatusCode::TOO_MANY_REQUESTS => {
                held += 1;
                let seconds: u64 =
                    answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                assert!(seconds >= 1);
                assert!(answer.text().await.unwrap().contains("TooManyRequests"));
            }
            other => panic!("{other}"),
        }
    }
    assert!(held > 0);
    assert_eq!(bring("203.0.113.8").await.status(), StatusCode::FORBIDDEN);
    // What was held left nothing behind.
    let attempts = count(house, "SELECT COUNT(*) FROM sign_in_attempts").await;
    assert_eq!(attempts, 9 - held);
}

#[tokio::test]
async fn messages_from_one_address_are_counted() {
    let house = TestHouse::with_settings(three_messages_a_moment).await;
    whoever_brings_too_many_messages_waits(&house).await;
    house.close().await;
}
