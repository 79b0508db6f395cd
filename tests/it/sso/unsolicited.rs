//! Sign-in that begins at the identity provider (SSO-14), the attribute that is the user name, and
//! what is sent along and comes back.

use std::num::NonZeroU32;

use identity_center::{
    config::Settings,
    saml::{
        cause::Cause, identity_provider::AttributeToState, name_id_format::TRANSIENT, trace::Check,
    },
    sso::{self, Attempt, AttemptSearch, Outcome, ResponseSettings},
    store::PageRequest,
};
use jiff::SignedDuration;
use reqwest::{Client, Response, StatusCode};

use super::{expect_refusal, last_attempt, sessions};
use crate::{
    fake_idp::Message,
    house::TestHouse,
    journey::{Company, act, count, header, location},
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
    say(browser, house, finish, origin, "finish").await
}

/// Presses one of the two buttons of the question.
async fn say(
    browser: &Client,
    house: &TestHouse,
    finish: &str,
    origin: &str,
    what: &str,
) -> Response {
    let url: url::Url = finish.parse().unwrap();
    let ticket = url.query_pairs().next().unwrap().1.into_owned();
    let form = [("ticket", ticket)];
    let path = url.path().replace("/finish", &format!("/{what}"));
    let post = browser.post(house.url(&path)).header("Origin", origin).form(&form);
    post.send().await.unwrap()
}

fn origin(house: &TestHouse) -> String {
    house.url("").trim_end_matches('/').to_owned()
}

/// The latest attempt under a name.
async fn last_attempt_of(company: &Company<'_>, name: &str) -> Attempt {
    let search = AttemptSearch { text: Some(name.to_owned()), ..AttemptSearch::default() };
    let (db, space) = (&company.house.app.db, company.space.id);
    let found = db.read(async |tx| sso::attempts(tx, space, &search, PageRequest::first(1)).await);
    found.await.unwrap().rows.remove(0)
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

    /// Who brings an answer of their own and hands on where it leads has handed on nothing.
    async fn sso_14_a_link_that_is_slipped_to_somebody_asks_them_nothing(house) {
        let company = Company::open(house, "acme").await;
        company.hire("mallory").await;
        allow(&company).await;
        let (mallory, victim) = (house.browser(), house.browser());
        let message = unsolicited(&company, "mallory").await;
        let finish = location(&company.post(&mallory, &message.base64()).await);
        // The victim has begun something, and brought something, of their own.
        company.start(&victim).await;
        let own = unsolicited(&company, "alice").await;
        let own = location(&company.post(&victim, &own.base64()).await);
        let page = victim.get(&finish).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::FORBIDDEN);
        assert!(!page.text().await.unwrap().contains("mallory"));
        let declined = say(&victim, house, &finish, &origin(house), "decline").await;
        assert_eq!(declined.status(), StatusCode::SEE_OTHER, "and nothing is said of whose it is");
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 2);
        let refused = confirm(&victim, house, &finish, &origin(house)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(sessions(house).await, 0);
        let refused = last_attempt_of(&company, "mallory").await;
        assert_eq!(refused.checks().first_failure().unwrap().received, "another browser");
        // Without any cookie, neither.
        let stranger = house.browser();
        assert_eq!(stranger.get(&own).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        let inside = confirm(&victim, house, &own, &origin(house)).await;
        assert_eq!(location(&inside), company.portal(""));
    }

    async fn sso_14_who_says_no_is_not_asked_again(house) {
        let company = Company::open(house, "acme").await;
        allow(&company).await;
        let browser = house.browser();
        let message = unsolicited(&company, "alice").await;
        let finish = location(&company.post(&browser, &message.base64()).await);
        let page = browser.get(&finish).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("formaction=\"/portal/acme/login/decline\""), "{page}");
        let forged = say(&browser, house, &finish, "https://evil.example", "decline").await;
        assert_eq!(forged.status(), StatusCode::FORBIDDEN);
        let no = say(&browser, house, &finish, &origin(house), "decline").await;
        assert_eq!(location(&no), company.portal("/login"));
        for table in ["SELECT COUNT(*) FROM login_tickets", "SELECT COUNT(*) FROM identity_provider_sessions"] {
            assert_eq!(count(house, table).await, 0);
        }
        let declined = "SELECT COUNT(*) FROM audit_records WHERE action = 'sign_in.decline'";
        assert_eq!(count(house, declined).await, 1);
        let page = browser.get(&finish).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::FORBIDDEN);
        let late = confirm(&browser, house, &finish, &origin(house)).await;
        assert_eq!(late.status(), StatusCode::FORBIDDEN);
        assert_eq!((sessions(house).await, count(house, declined).await), (0, 1));
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
        // Who was let through a moment ago and has not said yes is not, either.
        let message = unsolicited(&company, "alice").await;
        let finish = location(&company.post(&browser, &message.base64()).await);
        decide(&company, ResponseSettings::default()).await.unwrap();
        let stopped = confirm(&browser, house, &finish, &origin(house)).await;
        assert_eq!(stopped.status(), StatusCode::FORBIDDEN);
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

/// Over https nobody who has another host of the domain can plant the cookies that bind (RFC 6265bis
/// §4.1.3.2).
#[tokio::test]
async fn cookies_that_bind_are_this_hosts_alone_over_https() {
    let house = TestHouse::with_settings(|settings| {
        settings.public_url = "https://center.example.com".parse().unwrap();
    })
    .await;
    let company = Company::open(&house, "acme").await;
    allow(&company).await;
    let browser = house.browser();
    let start = browser.get(company.portal("/login/start")).send().await.unwrap();
    let cookie = header(&start, "set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-sign_in_binding="), "{cookie}");
    let scope = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600";
    assert!(cookie.ends_with(scope) && !cookie.contains("Domain"), "{cookie}");
    let brought = unsolicited(&company, "alice").await;
    let brought = company.post(&browser, &brought.base64()).await;
    let cookie_of_question = header(&brought, "set-cookie");
    assert!(cookie_of_question.starts_with("__Host-sign_in_question="), "{cookie_of_question}");
    assert!(cookie_of_question.contains("; Path=/; Secure; HttpOnly;"), "{cookie_of_question}");
    // What has the plain name is not taken for it: an older one, or somebody's.
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    for (name, same) in [("__Host-sign_in_binding", true), ("sign_in_binding", false)] {
        let again = browser.get(company.portal("/login/start"));
        let again = again.header("Cookie", format!("{name}={value}")).send().await.unwrap();
        assert_eq!(header(&again, "set-cookie").contains(value), same, "{name}");
    }
    // So are those of sessions, of every door: there, and taken away again.
    let request = company.idp.read(&location(&start));
    let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
    let finish = location(&company.post(&browser, &answer.base64()).await);
    let finish = house.url(finish.strip_prefix("https://center.example.com").unwrap());
    let binding = format!("__Host-sign_in_binding={value}");
    let inside = browser.get(finish).header("Cookie", &binding).send().await.unwrap();
    let cookie = header(&inside, "set-cookie").to_owned();
    let name = format!("__Host-portal_session_{}", company.space.id);
    assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
    assert!(cookie.contains("; Path=/") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; HttpOnly") && !cookie.contains("Domain"), "{cookie}");
    let id = cookie.split(['=', ';']).nth(1).unwrap();
    let me = async |cookies: String| {
        let me = house.browser().get(company.portal("/api/session"));
        me.header("Cookie", cookies).send().await.unwrap().status() == StatusCode::OK
    };
    assert!(me(format!("{name}={id}")).await);
    let plain = name.strip_prefix("__Host-").unwrap();
    // Whoever has a sibling host plants neither the plain name nor another spelling of the prefix.
    for planted in [plain.to_owned(), format!("%5F%5FHost-{plain}"), format!("__host-{plain}")] {
        assert!(!me(format!("{planted}={id}")).await, "{planted}");
        assert!(me(format!("{planted}=AAAAAAAAAAAAAAAAAAAAAQ; {name}={id}")).await, "{planted}");
    }
    let out = house.browser().post(company.portal("/sign-out"));
    let out = out.header("Cookie", format!("{name}={id}")).header("Sec-Fetch-Site", "same-origin");
    let gone = header(&out.send().await.unwrap(), "set-cookie").to_owned();
    assert!(gone.starts_with(&format!("{name}=;")) && gone.contains("Max-Age=0"), "{gone}");
    assert!(gone.contains("; Path=/") && gone.contains("; Secure"), "{gone}");
    house.close().await;
}
