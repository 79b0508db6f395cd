//! From the ticket to the session, and what ends one.

use identity_center::{
    saml::trace::Check,
    sso::{self, AttemptSearch, Outcome},
    store::{self, Door, PageRequest, forget_expired_sessions, sql},
};
use jiff::SignedDuration;
use reqwest::{Client, Response, StatusCode, header::SET_COOKIE};

use super::{last_attempt, sessions};
use crate::{
    house::TestHouse,
    journey::{Company, header, location},
    on_both,
};

/// Holds a refused ticket against what it should leave: no session, and an attempt that failed at
/// the binding of the browser.
async fn expect_no_session(company: &Company<'_>, refused: Response) {
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(header(&refused, "set-cookie"), "");
    assert!(refused.text().await.unwrap().contains("SignInNotFinished"));
    assert_eq!(sessions(company.house).await, 0);
    let attempt = last_attempt(company).await;
    assert_eq!(attempt.outcome, Outcome::Refused);
    assert_eq!(attempt.checks().first_failure().unwrap().check, Check::BrowserBinding);
}

/// The value of the session cookie that an answer sets, and its attributes.
fn session_cookie(answer: &Response) -> (String, Vec<String>) {
    let cookies = answer.headers().get_all(SET_COOKIE);
    let mut cookies = cookies.iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.find(|cookie| cookie.contains("portal_session_")).unwrap();
    let mut parts = cookie.split(';').map(|part| part.trim().to_owned());
    let value = parts.next().unwrap().split_once('=').unwrap().1.to_owned();
    (value, parts.collect())
}

/// When the only session there is ends, in seconds from now.
async fn session_seconds(house: &TestHouse) -> i64 {
    let data: store::Result<(store::Json<serde_json::Value>,)> =
        house.app.db.read(async |tx| sql("SELECT data FROM sessions").fetch_one(tx).await).await;
    data.unwrap().0.0["ends_at"].as_i64().unwrap() - house.now().as_second()
}

/// A browser that sends this session cookie and keeps no others.
async fn get_with(browser: &Client, address: &str, cookie: &str) -> Response {
    browser.get(address).header("Cookie", cookie).send().await.unwrap()
}

on_both! {
    async fn another_browser_cannot_come_for_the_session(house) {
        let company = Company::open(house, "acme").await;
        for bound in [false, true] {
            let victim = house.browser();
            let finish = company.ticket_for(&victim, "alice").await;
            let thief = house.browser();
            if bound {
                company.start(&thief).await;
            }
            let refused = thief.get(&finish).send().await.unwrap();
            expect_no_session(&company, refused).await;
            // The ticket is used up, for the right browser as well.
            let refused = victim.get(&finish).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::FORBIDDEN);
            assert_eq!(sessions(house).await, 0);
        }
    }

    async fn a_ticket_lasts_a_minute_and_counts_once(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let finish = company.ticket_for(&browser, "alice").await;
        house.app.clock.advance(SignedDuration::from_secs(60));
        let refused = browser.get(&finish).send().await.unwrap();
        expect_no_session(&company, refused).await;

        let finish = company.ticket_for(&browser, "alice").await;
        house.app.clock.advance(SignedDuration::from_secs(59));
        assert_eq!(browser.get(&finish).send().await.unwrap().status(), StatusCode::SEE_OTHER);
        assert_eq!(browser.get(&finish).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        let made_up = company.portal("/login/finish?ticket=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(browser.get(&made_up).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        let none = company.portal("/login/finish");
        assert_eq!(browser.get(&none).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    }

    async fn who_is_disabled_on_the_way_does_not_arrive(house) {
        let company = Company::open(house, "acme").await;
        let bob = company.hire("bob").await;
        let browser = house.browser();
        let finish = company.ticket_for(&browser, "bob").await;
        company.set_enabled(&bob, false).await;
        let refused = browser.get(&finish).send().await.unwrap();
        expect_no_session(&company, refused).await;
    }

    async fn two_tabs_sign_in_at_once(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let requests = [
            company.idp.read(&company.start(&browser).await),
            company.idp.read(&company.start(&browser).await),
        ];
        let mut finishes = Vec::new();
        for request in requests.iter().rev() {
            let answer = company.idp.answer(request, "alice", house.now().to_jiff());
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
            finishes.push(location(&accepted));
        }
        for finish in finishes.iter().rev() {
            let inside = browser.get(finish).send().await.unwrap();
            assert_eq!(inside.status(), StatusCode::SEE_OTHER);
        }
        // The browser has one cookie, so the first tab's session makes place for the second's.
        assert_eq!(sessions(house).await, 1);
    }

    async fn of_many_at_the_same_moment_one_is_taken(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed().base64();
        // The same response, eight times.
        let posts = (0..8).map(|_| company.post(&browser, &answer));
        let answers = futures_util::future::join_all(posts).await;
        let accepted: Vec<_> =
            answers.iter().filter(|it| it.status() == StatusCode::SEE_OTHER).collect();
        assert_eq!(accepted.len(), 1);
        assert!(answers.iter().all(|it| !it.status().is_server_error()));
        let finish = location(accepted[0]);
        // The same ticket, eight times.
        let gets = (0..8).map(|_| browser.get(&finish).send());
        let answers = futures_util::future::try_join_all(gets).await.unwrap();
        let inside = answers.iter().filter(|it| it.status() == StatusCode::SEE_OTHER).count();
        assert_eq!(inside, 1);
        assert!(answers.iter().all(|it| !it.status().is_server_error()));
        assert_eq!(sessions(house).await, 1);
        let space = company.space.id;
        let attempts = house.app.db.read(async |tx| {
            sso::attempts(tx, space, &AttemptSearch::default(), PageRequest::first(20)).await
        }).await.unwrap().rows;
        let count = |wanted| attempts.iter().filter(|it| it.outcome == wanted).count();
        assert_eq!((count(Outcome::SignedIn), count(Outcome::Accepted)), (1, 0));
        assert_eq!(count(Outcome::Refused), 7);
    }

    async fn ses_05_the_session_id_is_a_fresh_one(house) {
        let company = Company::open(house, "acme").await;
        // One that an attacker planted opens nothing afterwards.
        let planted = "AAAAAAAAAAAAAAAAAAAAAQ";
        let plain = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let start = company.portal("/login/start");
        let name = format!("portal_session_{}", company.space.id);
        let begun = get_with(&plain, &start, &format!("{name}={planted}")).await;
        let binding = header(&begun, "set-cookie").split(';').next().unwrap().to_owned();
        let request = company.idp.read(&location(&begun));
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let accepted = company.post(&plain, &answer.signed().base64()).await;
        assert_eq!(header(&accepted, "set-cookie"), "", "nobody is signed in by a cross-site post");
        let cookies = format!("{name}={planted}; {binding}");
        let inside = get_with(&plain, &location(&accepted), &cookies).await;
        let (first, attributes) = session_cookie(&inside);
        assert_ne!(first, planted);
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/portal"] {
            assert!(attributes.iter().any(|it| it == attribute), "{attribute}: {attributes:?}");
        }
        // Plain http, as here, is for this machine only; elsewhere it is https, and Secure.
        assert!(!attributes.iter().any(|it| it == "Secure" || it.starts_with("Domain")));

        // Signing in again ends the session there was.
        let finish = {
            let begun = get_with(&plain, &start, &binding).await;
            let request = company.idp.read(&location(&begun));
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            location(&company.post(&plain, &answer.signed().base64()).await)
        };
        let cookies = format!("{name}={first}; {binding}");
        let (second, _) = session_cookie(&get_with(&plain, &finish, &cookies).await);
        assert_ne!(first, second);
        assert_eq!(sessions(house).await, 1);
    }

    async fn ses_05_of_two_session_cookies_none_counts(house) {
        let company = Company::open(house, "acme").await;
        let inside = company.sign_in(&house.browser(), "alice").await;
        let (good, _) = session_cookie(&inside);
        let (other, _) = session_cookie(&company.sign_in(&house.browser(), "alice").await);
        let name = format!("portal_session_{}", company.space.id);
        let plain = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let me = company.portal("/api/session");
        for (cookies, status) in [
            (format!("{name}={good}"), StatusCode::OK),
            (format!("{name}={good}; {name}={other}"), StatusCode::UNAUTHORIZED),
            (format!("{name}={other}; {name}={good}"), StatusCode::UNAUTHORIZED),
            (format!("portal_session={good}"), StatusCode::UNAUTHORIZED),
        ] {
            assert_eq!(get_with(&plain, &me, &cookies).await.status(), status, "{cookies}");
        }
    }

    async fn each_space_has_a_session_of_its_own_in_one_browser(house) {
        let acme = Company::open(house, "acme").await;
        let other = Company::open(house, "other").await;
        let browser = house.browser();
        let here = async |company: &Company<'_>| {
            let me = browser.get(company.portal("/api/session")).send().await.unwrap();
            me.status() == StatusCode::OK
        };
        let (of_acme, _) = session_cookie(&acme.sign_in(&browser, "alice").await);
        other.sign_in(&browser, "alice").await;
        assert!(here(&acme).await && here(&other).await, "a second sign-in ended the first");
        assert_eq!(sessions(house).await, 2);
        // The session of one space opens no other, under whatever name it is shown.
        let forged = format!("portal_session_{}={of_acme}", other.space.id);
        let shown = get_with(&Client::new(), &other.portal("/api/session"), &forged).await;
        assert_eq!(shown.status(), StatusCode::UNAUTHORIZED);
        let out = browser.post(other.portal("/sign-out")).header("Origin", house.url(""));
        let out = out.send().await.unwrap();
        assert!(header(&out, "set-cookie").contains("Max-Age=0"), "{out:?}");
        assert!(here(&acme).await, "signing out of one space ended the session of another");
        assert!(!here(&other).await);
        assert_eq!(sessions(house).await, 1);
    }

    async fn the_answers_on_the_way_are_not_kept_and_name_nothing(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let begun = browser.get(company.portal("/login/start")).send().await.unwrap();
        let cookie = header(&begun, "set-cookie").to_owned();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/portal", "Max-Age=600"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let request = company.idp.read(&location(&begun));
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let accepted = company.post(&browser, &answer.signed().base64()).await;
        let inside = browser.get(location(&accepted)).send().await.unwrap();
        for answer in [&begun, &accepted, &inside] {
            assert_eq!(header(answer, "cache-control"), "no-store");
            assert_eq!(header(answer, "referrer-policy"), "no-referrer");
            assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        }
        let (_, attributes) = session_cookie(&inside);
        let max_age = attributes.iter().find_map(|it| it.strip_prefix("Max-Age=")).unwrap();
        assert_eq!(max_age.parse::<i64>().unwrap(), 3600);
    }

    async fn ses_01_a_session_ends_when_the_provider_or_the_setting_says(house) {
        let company = Company::open(house, "acme").await;
        let setting = house.app.settings.sessions.portal;
        let hours = |hours| Some(SignedDuration::from_hours(hours));
        for (told, seconds) in [(hours(1), 3600), (None, setting), (hours(10_000), setting)] {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let mut answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            answer.session_lifetime = told;
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            browser.get(location(&accepted)).send().await.unwrap();
            assert_eq!(session_seconds(house).await, seconds);
            let all = sql("DELETE FROM sessions");
            house.app.db.write(async |tx| all.execute(tx).await).await.unwrap();
        }
    }

    async fn ses_01_a_session_that_nobody_uses_ends(house) {
        let company = Company::open(house, "acme").await;
        let lasts = house.app.settings.sessions;
        assert!(lasts.portal_idle < lasts.portal);
        let admitted = async |browser: &Client| {
            let answer = browser.get(company.portal("/api/session")).send().await.unwrap();
            answer.status() == StatusCode::OK
        };
        let signed_in = async || {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let mut answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            answer.session_lifetime = None;
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            browser.get(location(&accepted)).send().await.unwrap();
            browser
        };
        let wait = |seconds| house.app.clock.advance(SignedDuration::from_secs(seconds));
        // Used now and then it lasts as long as it may, and not a moment longer.
        let browser = signed_in().await;
        let mut used = 0;
        while used + lasts.portal_idle - 1 < lasts.portal {
            wait(lasts.portal_idle - 1);
            used += lasts.portal_idle - 1;
            assert!(admitted(&browser).await, "{used}");
        }
        wait(lasts.portal - used - 1);
        assert!(admitted(&browser).await);
        wait(1);
        assert!(!admitted(&browser).await);
        // Unused it ends before, for good; other sessions do not mind.
        let (idle, other) = (signed_in().await, signed_in().await);
        wait(lasts.portal_idle / 2);
        assert!(admitted(&other).await);
        wait(lasts.portal_idle - lasts.portal_idle / 2);
        assert!(!admitted(&idle).await);
        assert!(!admitted(&idle).await);
        assert!(admitted(&other).await);
        let before = sessions(house).await;
        let (now, unused) = (house.now(), [(Door::Portal, lasts.portal_idle)]);
        let swept = house.app.db.write(async |tx| forget_expired_sessions(tx, now, &unused).await);
        swept.await.unwrap();
        assert!(before > 1 && sessions(house).await == 1, "the sweeper takes them away");
        assert!(admitted(&other).await);
    }

    async fn sso_20_a_sign_in_leads_nowhere_else(house) {
        let company = Company::open(house, "acme").await;
        let home = company.portal("");
        for (wanted, leads_to) in [
            ("/portal/acme/accounts", house.url("/portal/acme/accounts")),
            ("/portal/acme?tab=users", house.url("/portal/acme?tab=users")),
            ("//evil.example", home.clone()),
            ("https://evil.example", home.clone()),
            ("https:evil.example", home.clone()),
            ("/\\evil.example", home.clone()),
            ("\\\\evil.example", home.clone()),
            ("/portal/acme@evil.example", home.clone()),
            ("/portal/acme/..//evil.example", home.clone()),
            ("/portal/acme/%2e%2e/%2e%2e/console", home.clone()),
            ("/portal/acme\r\nSet-Cookie: a=b", home.clone()),
            ("/\t/evil.example", home.clone()),
            ("javascript:alert(1)", home.clone()),
            ("/console", home.clone()),
            ("/portal/other", home.clone()),
            ("", home.clone()),
        ] {
            let browser = house.browser();
            let start = company.portal("/login/start");
            let start = url::Url::parse_with_params(&start, [("return_to", wanted)]).unwrap();
            let begun = browser.get(start).send().await.unwrap();
            let request = company.idp.read(&location(&begun));
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            assert!(location(&accepted).starts_with(&company.portal("/login/finish?ticket=")));
            let inside = browser.get(location(&accepted)).send().await.unwrap();
            assert_eq!(location(&inside), leads_to, "{wanted}");
        }
    }

    async fn usr_18_disabling_ends_sessions_at_once(house) {
        let company = Company::open(house, "acme").await;
        let bob = company.hire("bob").await;
        let browsers = [house.browser(), house.browser()];
        for browser in &browsers {
            company.sign_in(browser, "bob").await;
        }
        company.sign_in(&house.browser(), "alice").await;
        assert_eq!(sessions(house).await, 3);
        company.set_enabled(&bob, false).await;
        assert_eq!(sessions(house).await, 1, "only alice's is left");
        // Being let in again does not bring them back.
        company.set_enabled(&bob, true).await;
        assert_eq!(sessions(house).await, 1);
    }
}
