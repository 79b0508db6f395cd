//! Logout: here, begun here, begun at the identity provider; by both bindings.

use std::time::Duration;

use identity_center::{
    audit,
    id::SpaceId,
    saml::{
        binding,
        certificate::{Certificate, SigningKey},
        encoding,
        logout::{
            Answer, Ending, Expected, LogoutCheck, LogoutRequestToSend, LogoutResponseToSend,
            NameIdentifier, Outcome, Received, Sent, Verified, VerifiedRequest, VerifiedResponse,
            Way,
        },
        metadata::IdpMetadata,
        name_id_format,
        redirect::MessageKind,
        trace::Check,
    },
    space::{self, KeyPurpose},
    sso::{self, Heard, IdentityProvider, ProviderError},
    store::{self, PageRequest, Read, sql},
};
use jiff::SignedDuration;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use super::{expect_refusal, sessions};
use crate::{
    fake_idp::{right_key, wrong_key},
    house::TestHouse,
    journey::{Company, act, count, header, location},
    on_both,
};

const REQUESTS: &str = "https://idp.example.com/slo?tenant=1";
const RESPONSES: &str = "https://idp.example.com/slo-answers";
const POSTS: &str = "https://idp.example.com/slo-by-post";

/// A logout service in metadata: its binding, where requests go, where responses go.
type Service<'a> = (&'a str, &'a str, Option<&'a str>);

const BY_REDIRECT: Service<'static> = (binding::REDIRECT, REQUESTS, Some(RESPONSES));
const BY_POST: Service<'static> = (binding::POST, POSTS, None);

/// Sets the identity provider again, now with these logout services.
async fn describe(company: &Company<'_>, services: &[Service<'_>]) {
    let services = services
        .iter()
        .map(|(binding, location, answers)| {
            let answers = answers.map(|it| format!(" ResponseLocation=\"{it}\""));
            let answers = answers.unwrap_or_default();
            format!(
                "<md:SingleLogoutService Binding=\"{binding}\" \
                 Location=\"{location}\"{answers}></md:SingleLogoutService>"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let metadata = company.idp.metadata();
    let metadata =
        metadata.replacen("<md:NameIDFormat>", &format!("{services}<md:NameIDFormat>"), 1);
    let doing = act(company.house);
    let (db, space) = (&company.house.app.db, company.space.id);
    db.write(async |tx| sso::set_by_metadata(tx, &doing, space, metadata.as_bytes()).await)
        .await
        .unwrap();
}

fn slo_url(company: &Company<'_>) -> String {
    company.house.url(&format!("/saml/slo/{}", company.space.id))
}

/// Signs in with this session at the identity provider.
async fn sign_in(company: &Company<'_>, browser: &Client, name: &str, index: &str) {
    let request = company.idp.read(&company.start(browser).await);
    let mut answer = company.idp.answer(&request, name, company.house.now().to_jiff());
    answer.session_index = index.to_owned();
    let accepted = company.post(browser, &answer.signed().base64()).await;
    let inside = browser.get(location(&accepted)).send().await.unwrap();
    assert_eq!(location(&inside), company.portal(""));
}

async fn is_inside(company: &Company<'_>, browser: &Client) -> bool {
    let answer = browser.get(company.portal("/api/session")).send().await.unwrap();
    answer.status() == StatusCode::OK
}

async fn press_sign_out(company: &Company<'_>, browser: &Client) -> Response {
    let out = browser.post(company.portal("/sign-out")).header("Sec-Fetch-Site", "same-origin");
    out.send().await.unwrap()
}

fn unescaped(text: &str) -> String {
    let pairs = [("&#38;", "&"), ("&amp;", "&"), ("&#43;", "+"), ("&#61;", "="), ("&#34;", "\"")];
    pairs.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    rest.split(to).next().unwrap()
}

/// Where a page goes on to by itself, which its link must say too.
fn goes_on_to(page: &str) -> String {
    let refresh = unescaped(between(page, "http-equiv=\"refresh\" content=\"0;url=", "\""));
    assert_eq!(unescaped(between(page, "id=\"go-on\" href=\"", "\"")), refresh);
    refresh
}

async fn our_certificates(company: &Company<'_>) -> Vec<Certificate> {
    let space = company.space.id;
    let purpose = KeyPurpose::ServiceProvider;
    let db = &company.house.app.db;
    let read = db.read(async |tx| space::certificates(tx, space, purpose).await);
    read.await.unwrap()
}

/// What the identity provider makes of a message of ours that came to `url`.
async fn judged(company: &Company<'_>, received: &Received, url: &str) -> Outcome {
    let id = company.house.url(&format!("/saml/sp/{}", company.space.id));
    received.judge(&Expected {
        idp_entity_id: &id,
        certificates: &our_certificates(company).await,
        decryption_keys: &[],
        url,
        now: company.house.now().to_jiff(),
        skew: SignedDuration::ZERO,
    })
}

fn query(address: &str) -> &str {
    address.split_once('?').unwrap().1
}

/// Our request, as the identity provider reads it from an address.
async fn request_in(company: &Company<'_>, address: &str) -> VerifiedRequest {
    assert!(address.starts_with(&format!("{REQUESTS}&SAMLRequest=")), "{address}");
    let received = Received::from_query(query(address).strip_prefix("tenant=1&").unwrap());
    assert_eq!(received.relay_state(), None);
    match judged(company, &received, REQUESTS).await.result {
        Ok(Verified::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// What we answered by redirect, and the relay state that came back.
async fn answer_in(company: &Company<'_>, answer: &Response) -> (VerifiedResponse, Option<String>) {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let address = location(answer);
    assert!(address.starts_with(&format!("{RESPONSES}?SAMLResponse=")), "{address}");
    let received = Received::from_query(query(&address));
    let relay_state = received.relay_state().map(str::to_owned);
    match judged(company, &received, RESPONSES).await.result {
        Ok(Verified::Response(response)) => (response, relay_state),
        other => panic!("{other:?}"),
    }
}

fn named(name: &str) -> NameIdentifier {
    NameIdentifier {
        value: name.to_owned(),
        // Another format than in the sign-in: it is the name that counts.
        format: Some(name_id_format::EMAIL.to_owned()),
        name_qualifier: None,
        sp_name_qualifier: None,
    }
}

/// A request of the identity provider, right in everything unless a test changes it.
struct Demand<'a> {
    id: &'a str,
    issuer: String,
    name: NameIdentifier,
    index: Option<&'a str>,
    way: Way,
    key: &'static SigningKey,
    age: SignedDuration,
}

impl<'a> Demand<'a> {
    fn new(company: &Company<'_>, id: &'a str, name: &str, index: Option<&'a str>) -> Self {
        Self {
            id,
            issuer: company.idp.entity_id.clone(),
            name: named(name),
            index,
            way: Way::Redirect(slo_url(company)),
            key: right_key(),
            age: SignedDuration::ZERO,
        }
    }

    fn by_post(self, company: &Company<'_>) -> Self {
        Self { way: Way::Post(slo_url(company)), ..self }
    }

    fn sent(&self, house: &TestHouse) -> Sent {
        let request = LogoutRequestToSend {
            id: self.id,
            now: house.now().to_jiff() - self.age,
            issuer: &self.issuer,
            name_id: &self.name,
            session_index: self.index,
        };
        request.send(&self.way, self.key).unwrap()
    }
}

/// Has a browser without any cookie of ours carry a message, as from another site.
async fn carry(house: &TestHouse, sent: &Sent, relay_state: Option<&str>) -> Response {
    let browser = house.browser();
    match sent {
        Sent::Redirect(address) => browser.get(address).send().await.unwrap(),
        Sent::Post { action, kind, message, .. } => {
            let mut form = vec![(kind.parameter(), message.as_str())];
            form.extend(relay_state.map(|it| ("RelayState", it)));
            let post = browser
                .post(action)
                .header("Origin", "https://idp.example.com")
                .header("Sec-Fetch-Site", "cross-site");
            post.form(&form).send().await.unwrap()
        }
    }
}

/// The latest record of the audit log: what was done, and what it says.
async fn last_record(company: &Company<'_>) -> (String, Value) {
    let organization = company.organization;
    let records: store::Result<_> = company
        .house
        .app
        .db
        .read(async |tx| audit::list(tx, organization, PageRequest::first(1)).await)
        .await;
    let record = records.unwrap().rows.into_iter().next().unwrap();
    let after = record.state_after.unwrap();
    (record.action, serde_json::from_str(&after).unwrap())
}

/// Holds a refused message against what it should leave behind.
async fn expect_no_logout(company: &Company<'_>, refused: Response, check: LogoutCheck) {
    let status = refused.status();
    let page = refused.text().await.unwrap();
    assert_eq!(status, StatusCode::FORBIDDEN, "{check}: {page}");
    assert!(page.contains("SamlLogoutRefused"), "{page}");
    let advice = check.advice().split('.').next().unwrap();
    assert!(!page.contains(advice), "{page}");
    match check {
        // Who answers has signed. What is repeated may come from anybody.
        LogoutCheck::InResponseTo => expect_recorded(company, check).await,
        _ => expect_counted(company, check).await,
    }
}

/// Nobody knows who sent it: it is counted, and the audit log does not hear of it.
async fn expect_counted(company: &Company<'_>, check: LogoutCheck) {
    let space = company.space.id;
    let db = &company.house.app.db;
    let counted = db.read(async |tx| sso::refused_logouts(tx, space).await).await.unwrap();
    let counted = counted.iter().find(|it| it.cause == check.name()).unwrap();
    let first = &counted.detail()["failed"][0];
    assert_eq!(first["check"], check.name());
    assert_eq!(first["advice"], check.advice());
    assert!(counted.times > 0 && counted.last_at == company.house.now());
}

async fn expect_recorded(company: &Company<'_>, check: LogoutCheck) {
    let (action, record) = last_record(company).await;
    assert_eq!(action, "single_logout.refuse");
    assert_eq!(record["failed"][0]["check"], check.name(), "{record}");
    assert_eq!(record["failed"][0]["advice"], check.advice());
}

/// The answer of the identity provider to a request of ours.
fn reply(company: &Company<'_>, way: &Way, to: &str, answer: Answer<'_>) -> Sent {
    let response = LogoutResponseToSend {
        id: "_reply",
        now: company.house.now().to_jiff(),
        issuer: &company.idp.entity_id,
        in_response_to: to,
        answer,
        relay_state: None,
    };
    response.send(way, right_key()).unwrap()
}

/// Signs out and tells where the browser is sent.
async fn begun(company: &Company<'_>, browser: &Client) -> VerifiedRequest {
    let page = press_sign_out(company, browser).await;
    assert_eq!(page.status(), StatusCode::OK);
    let address = goes_on_to(&page.text().await.unwrap());
    request_in(company, &address).await
}

async fn signed_out_page(company: &Company<'_>, browser: &Client, request: &str) -> String {
    let page = company.portal(&format!("/signed-out?request={request}"));
    let page = browser.get(page).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    page.text().await.unwrap()
}

async fn idp_sessions(house: &TestHouse) -> i64 {
    count(house, "SELECT COUNT(*) FROM identity_provider_sessions").await
}

on_both! {
    async fn prt_12_signing_out_here_ends_every_session_of_the_user(house) {
        let company = Company::open(house, "acme").await;
        company.hire("bob").await;
        let browsers = [house.browser(), house.browser()];
        for browser in &browsers {
            company.sign_in(browser, "alice").await;
        }
        company.sign_in(&house.browser(), "bob").await;
        let out = press_sign_out(&company, &browsers[0]).await;
        assert_eq!(out.status(), StatusCode::OK);
        let page = out.text().await.unwrap();
        assert!(page.contains("You are signed out"), "{page}");
        for browser in &browsers {
            assert!(!is_inside(&company, browser).await);
        }
        assert_eq!((sessions(house).await, idp_sessions(house).await), (1, 1), "bob's is left");
        let (action, record) = last_record(&company).await;
        assert_eq!(action, "portal.sign_out");
        assert_eq!(record, serde_json::json!({ "sessions": 2, "asks_identity_provider": false }));
        // Another site cannot sign anybody out.
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        let forged = browser.post(company.portal("/sign-out")).header("Sec-Fetch-Site", "cross-site");
        assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN);
        assert!(is_inside(&company, &browser).await);
    }

    async fn our_metadata_says_where_logout_is_taken(house) {
        let company = Company::open(house, "acme").await;
        let url = house.url(&format!("/saml/sp/{}", company.space.id));
        let metadata = reqwest::get(url).await.unwrap().text().await.unwrap();
        for binding in [binding::REDIRECT, binding::POST] {
            let service = format!(
                "<md:SingleLogoutService Binding=\"{binding}\" Location=\"{}\">",
                slo_url(&company)
            );
            assert!(metadata.contains(&service), "{metadata}");
        }
    }

    async fn signing_out_asks_the_identity_provider_too(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_POST, BY_REDIRECT]).await;
        for (way, answer, words, state) in [
            (Way::Redirect(slo_url(&company)), Answer::Done, "You are signed out<", "complete"),
            (Way::Post(slo_url(&company)), Answer::Done, "You are signed out<", "complete"),
            (Way::Redirect(slo_url(&company)), Answer::Refused("no"), "did not sign you out", "failed"),
        ] {
            let browser = house.browser();
            sign_in(&company, &browser, "alice", "_index1").await;
            let page = press_sign_out(&company, &browser).await;
            // Whatever comes next: nobody is signed in here any more.
            assert_eq!((sessions(house).await, idp_sessions(house).await), (0, 0));
            assert!(!is_inside(&company, &browser).await);
            assert_eq!(header(&page, "cache-control"), "no-store");
            let policy = header(&page, "content-security-policy").to_owned();
            assert!(policy.ends_with("form-action 'self'") && !policy.contains("unsafe"), "{policy}");
            let address = goes_on_to(&page.text().await.unwrap());
            let request = request_in(&company, &address).await;
            assert_eq!((request.name_id.as_str(), request.session_indexes.len()), ("alice", 1));
            assert_eq!(request.session_indexes[0], "_index1");
            let (action, record) = last_record(&company).await;
            assert_eq!(action, "portal.sign_out");
            assert_eq!(record["asks_identity_provider"], true);
            let waiting = signed_out_page(&company, &browser, &request.id).await;
            assert!(waiting.contains("here only") && waiting.contains("has not confirmed"), "{waiting}");

            let sent = reply(&company, &way, &request.id, answer);
            let onward = carry(house, &sent, None).await;
            assert_eq!(onward.status(), StatusCode::SEE_OTHER);
            let page = browser.get(location(&onward)).send().await.unwrap().text().await.unwrap();
            assert!(page.contains(words), "{page}");
            let (action, record) = last_record(&company).await;
            assert_eq!((action.as_str(), &record["outcome"]), ("single_logout.finish", &state.into()));
            // Only the browser that began is told; and the answer counts once.
            let other = signed_out_page(&company, &house.browser(), &request.id).await;
            assert!(other.contains("in another browser") && !other.contains("signed out here"), "{other}");
            let again = carry(house, &sent, None).await;
            expect_no_logout(&company, again, LogoutCheck::InResponseTo).await;
        }
    }

    async fn a_partial_logout_is_called_one(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        let request = begun(&company, &browser).await;
        // Signed by hand: our own engine has no use for this status.
        let sent = reply(&company, &Way::Post(slo_url(&company)), &request.id, Answer::Done);
        let Sent::Post { message, .. } = &sent else { panic!() };
        let xml = String::from_utf8(encoding::decode(message).unwrap()).unwrap();
        let partial = "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:PartialLogout\">\
                       </samlp:StatusCode></samlp:StatusCode></samlp:Status>";
        let xml = crate::fake_idp::without_signature(&xml)
            .replace("</samlp:StatusCode></samlp:Status>", partial);
        let xml = crate::fake_idp::sign_element(&xml, "_reply", right_key());
        let sent = Sent::Post {
            action: slo_url(&company),
            kind: MessageKind::Response,
            message: encoding::encode(xml.as_bytes()),
            relay_state: None,
        };
        let onward = carry(house, &sent, None).await;
        let page = browser.get(location(&onward)).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("not signed out everywhere") && page.contains("could not end all"), "{page}");
    }

    async fn an_answer_that_is_not_ours_to_take_is_refused(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        let request = begun(&company, &browser).await;
        let way = Way::Redirect(slo_url(&company));
        let refused = carry(house, &reply(&company, &way, "_other", Answer::Done), None).await;
        expect_no_logout(&company, refused, LogoutCheck::InResponseTo).await;
        // Unsigned; and by somebody else.
        let Sent::Redirect(address) = reply(&company, &way, &request.id, Answer::Done) else { panic!() };
        let unsigned = address.split("&SigAlg").next().unwrap().to_owned();
        let refused = carry(house, &Sent::Redirect(unsigned), None).await;
        expect_no_logout(&company, refused, LogoutCheck::Signature).await;
        let response = LogoutResponseToSend {
            id: "_forged",
            now: house.now().to_jiff(),
            issuer: &company.idp.entity_id,
            in_response_to: &request.id,
            answer: Answer::Done,
            relay_state: None,
        };
        let forged = response.send(&way, wrong_key()).unwrap();
        let refused = carry(house, &forged, None).await;
        expect_no_logout(&company, refused, LogoutCheck::Signature).await;
        let page = signed_out_page(&company, &browser, &request.id).await;
        assert!(page.contains("has not confirmed"), "{page}");
        // Too late.
        house.app.clock.advance(SignedDuration::from_secs(600));
        let late = carry(house, &reply(&company, &way, &request.id, Answer::Done), None).await;
        expect_no_logout(&company, late, LogoutCheck::InResponseTo).await;
        assert!(signed_out_page(&company, &browser, &request.id).await.contains("been over"));
    }

    async fn a_provider_that_takes_posts_only_gets_a_form(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_POST]).await;
        let browser = house.browser();
        sign_in(&company, &browser, "alice", "_index1").await;
        let page = press_sign_out(&company, &browser).await;
        let policy = header(&page, "content-security-policy").to_owned();
        assert!(policy.ends_with("form-action 'self' https://idp.example.com"), "{policy}");
        let page = page.text().await.unwrap();
        assert_eq!(unescaped(between(&page, "<form method=\"post\" action=\"", "\"")), POSTS);
        assert!(!page.contains("http-equiv"), "{page}");
        let message = unescaped(between(&page, "name=\"SAMLRequest\" value=\"", "\""));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("SAMLRequest", &message)
            .finish();
        let received = Received::from_form(form.as_bytes());
        match judged(&company, &received, POSTS).await.result {
            Ok(Verified::Request(request)) => assert_eq!(request.session_indexes, ["_index1"]),
            other => panic!("{other:?}"),
        }
    }

    async fn another_provider_than_the_sessions_is_not_asked(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        let mut company = company;
        company.idp.entity_id = "https://other.example.com".to_owned();
        describe(&company, &[BY_REDIRECT]).await;
        let out = press_sign_out(&company, &browser).await;
        assert_eq!(out.status(), StatusCode::OK);
        assert_eq!(sessions(house).await, 0);
    }

    async fn the_identity_provider_ends_one_session_or_all_of_a_name(house) {
        let company = Company::open(house, "acme").await;
        company.hire("bob").await;
        describe(&company, &[BY_POST, BY_REDIRECT]).await;
        let alices = [house.browser(), house.browser(), house.browser()];
        for (browser, index) in alices.iter().zip(["_one", "_two", "_three"]) {
            sign_in(&company, browser, "alice", index).await;
        }
        let bob = house.browser();
        sign_in(&company, &bob, "bob", "_one").await;

        // One, by a redirect; the relay state comes back as it was.
        let demand = Demand::new(&company, "_d1", "alice", Some("_one"));
        let answer = carry(house, &demand.sent(house), None).await;
        let (response, relay_state) = answer_in(&company, &answer).await;
        assert_eq!((response.in_response_to.as_str(), response.ending), ("_d1", Ending::Complete));
        assert_eq!(relay_state, None);
        assert!(!is_inside(&company, &alices[0]).await);
        assert!(is_inside(&company, &alices[1]).await && is_inside(&company, &bob).await);
        let (action, record) = last_record(&company).await;
        assert_eq!((action.as_str(), &record["sessions"]), ("single_logout.obey", &1.into()));
        assert_eq!(record["session_indexes"][0], "_one");

        // All of the name, by a form; the answer is a form, which the provider may frame.
        let demand = Demand::new(&company, "_d2", "alice", None).by_post(&company);
        let answer = carry(house, &demand.sent(house), Some("a b&\"c")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let policy = header(&answer, "content-security-policy").to_owned();
        assert!(policy.contains("frame-ancestors https://idp.example.com;"), "{policy}");
        assert!(policy.ends_with("form-action 'self' https://idp.example.com"), "{policy}");
        let page = answer.text().await.unwrap();
        assert_eq!(unescaped(between(&page, "name=\"RelayState\" value=\"", "\"")), "a b&\"c");
        assert_eq!(unescaped(between(&page, "<form method=\"post\" action=\"", "\"")), POSTS);
        let message = unescaped(between(&page, "name=\"SAMLResponse\" value=\"", "\""));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("SAMLResponse", &message)
            .finish();
        let received = Received::from_form(form.as_bytes());
        match judged(&company, &received, POSTS).await.result {
            Ok(Verified::Response(response)) => assert_eq!(response.ending, Ending::Complete),
            other => panic!("{other:?}"),
        }
        assert!(!is_inside(&company, &alices[1]).await && !is_inside(&company, &alices[2]).await);
        assert!(is_inside(&company, &bob).await, "his session has the same index, not the same name");
        assert_eq!((sessions(house).await, idp_sessions(house).await), (1, 1));
    }

    async fn nobody_learns_who_is_here(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let browser = house.browser();
        sign_in(&company, &browser, "alice", "_one").await;
        for (id, name, index) in [
            ("_d1", "mallory", None),
            ("_d2", "alice", Some("_other")),
            ("_d3", "Alice", None),
            ("_d4", "alice ", Some("_ONE")),
        ] {
            let demand = Demand::new(&company, id, name, index);
            let answer = carry(house, &demand.sent(house), None).await;
            let (response, _) = answer_in(&company, &answer).await;
            assert_eq!(response.ending, Ending::Complete);
            assert_eq!(response.codes.len(), 1);
            assert!(is_inside(&company, &browser).await, "{name}");
        }
        // Who is disabled, or no more, or may not sign in at this moment, is signed out like anybody.
        let bob = company.hire("bob").await;
        company.sign_in(&house.browser(), "bob").await;
        company.set_enabled(&bob, false).await;
        company.switch_sign_in(false).await;
        for (id, name) in [("_d5", "bob"), ("_d6", "alice")] {
            let demand = Demand::new(&company, id, name, None);
            let answer = carry(house, &demand.sent(house), None).await;
            assert_eq!(answer_in(&company, &answer).await.0.ending, Ending::Complete);
        }
        assert_eq!((sessions(house).await, idp_sessions(house).await), (0, 0));
    }

    async fn a_forged_request_ends_nothing(house) {
        let company = Company::open(house, "acme").await;
        let other = Company::open(house, "other").await;
        describe(&company, &[BY_REDIRECT]).await;
        describe(&other, &[BY_REDIRECT]).await;
        let browser = house.browser();
        sign_in(&company, &browser, "alice", "_one").await;
        let demand = || Demand::new(&company, "_d", "alice", None);
        let elsewhere = Way::Redirect(format!("{}/", slo_url(&company)));
        for (demand, check) in [
            (Demand { key: wrong_key(), ..demand() }, LogoutCheck::Signature),
            (Demand { key: wrong_key(), ..demand() }.by_post(&company), LogoutCheck::Signature),
            (Demand { issuer: "https://evil.example".to_owned(), ..demand() }, LogoutCheck::Issuer),
        ] {
            let refused = carry(house, &demand.sent(house), None).await;
            expect_no_logout(&company, refused, check).await;
        }
        let Sent::Redirect(address) = demand().sent(house) else { panic!() };
        for (bad, check) in [
            (address.split("&SigAlg").next().unwrap().to_owned(), LogoutCheck::Signature),
            (format!("{address}&RelayState=x"), LogoutCheck::Signature),
            (format!("{address}&x=y"), LogoutCheck::Binding),
            (address.replace("SAMLRequest=", "SAMLResponse="), LogoutCheck::Structure),
        ] {
            let refused = carry(house, &Sent::Redirect(bad), None).await;
            expect_no_logout(&company, refused, check).await;
        }
        // Good ones, that are for another address or too old: the provider is told that they were
        // refused, and nothing ends.
        for (demand, check) in [
            (Demand { way: elsewhere.clone(), ..demand() }, LogoutCheck::Destination),
            (Demand { age: SignedDuration::from_secs(661), ..demand() }, LogoutCheck::IssueInstant),
            (Demand { age: SignedDuration::from_secs(361), ..demand() }, LogoutCheck::NotOnOrAfter),
        ] {
            let Sent::Redirect(sent) = demand.sent(house) else { panic!() };
            let sent = format!("{}?{}", slo_url(&company), query(&sent));
            let answer = carry(house, &Sent::Redirect(sent), None).await;
            let (response, _) = answer_in(&company, &answer).await;
            assert_eq!((response.in_response_to.as_str(), response.ending), ("_d", Ending::Failed));
            assert_eq!(response.codes, ["urn:oasis:names:tc:SAML:2.0:status:Requester"]);
            expect_counted(&company, check).await;
        }
        // What another space was sent does nothing there, though the provider is the same.
        let sent = format!("{}?{}", slo_url(&other), query(&address));
        carry(house, &Sent::Redirect(sent), None).await;
        expect_counted(&other, LogoutCheck::Destination).await;
        assert!(is_inside(&company, &browser).await);
        assert_eq!(count(house, "SELECT COUNT(*) FROM received_logouts").await, 0);
    }

    /// Anybody can send what proves nothing, any number of times: that leaves a number, and no line
    /// in the audit log, which is never forgotten.
    async fn strangers_leave_no_records_for_ever(house) {
        let company = Company::open(house, "acme").await;
        let other = Company::open(house, "other").await;
        describe(&company, &[BY_REDIRECT]).await;
        describe(&other, &[BY_REDIRECT]).await;
        let before = count(house, "SELECT COUNT(*) FROM audit_records").await;
        for number in 0..20 {
            let id = format!("_d{number}");
            let forged = Demand { key: wrong_key(), ..Demand::new(&company, &id, "alice", None) };
            carry(house, &forged.sent(house), None).await;
            house.app.clock.advance(SignedDuration::from_secs(1));
        }
        let garbage = format!("{}?SAMLRequest=garbage", slo_url(&company));
        carry(house, &Sent::Redirect(garbage), None).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM audit_records").await, before);
        let db = &house.app.db;
        let counted = async |space: SpaceId| {
            db.read(async |tx| sso::refused_logouts(tx, space).await).await.unwrap()
        };
        let counts = counted(company.space.id).await;
        let counts: Vec<_> = counts.iter().map(|it| (it.cause.as_str(), it.times)).collect();
        assert_eq!(counts, [("encoding", 1), ("signature", 20)], "the latest first");
        assert!(counted(other.space.id).await.is_empty());
        // The administrator reads why.
        let chief = company.administrator("chief", "QcloudOrganizationFullAccess").await;
        let page = chief.get(house.url("/console/settings/sso/attempts")).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains("Logout messages that were refused"), "{page}");
        assert!(page.contains("sign logout requests and responses"), "{page}");
        let searched = house.url("/console/settings/sso/attempts?text=alice");
        let searched = chief.get(searched).send().await.unwrap().text().await.unwrap();
        assert!(!searched.contains("Logout messages"), "{searched}");
        // And it is forgotten in time.
        let sweep = async |before| {
            db.write(async |tx| audit::unproved::forget(tx, before).await).await.unwrap();
            counted(company.space.id).await.len()
        };
        assert_eq!(sweep(house.now()).await, 1);
        assert_eq!(sweep(house.now().plus_seconds(1)).await, 0);
    }

    async fn a_request_counts_once(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let sent = Demand::new(&company, "_d", "alice", None).sent(house);
        let together = tokio::join!(carry(house, &sent, None), carry(house, &sent, None));
        let (first, second) =
            (answer_in(&company, &together.0).await.0, answer_in(&company, &together.1).await.0);
        let endings = [first.ending, second.ending];
        assert!(endings.contains(&Ending::Complete) && endings.contains(&Ending::Failed), "{endings:?}");
        let browser = house.browser();
        house.app.clock.advance(SignedDuration::from_secs(1));
        sign_in(&company, &browser, "alice", "_one").await;
        let again = carry(house, &sent, None).await;
        assert_eq!(answer_in(&company, &again).await.0.ending, Ending::Failed);
        expect_counted(&company, LogoutCheck::Replay).await;
        assert!(is_inside(&company, &browser).await);
        // However often it comes, no record is left and nobody's sign-in has to wait.
        for _ in 0..20 {
            carry(house, &sent, None).await;
        }
        let refused = "SELECT COUNT(*) FROM audit_records WHERE action = 'single_logout.refuse'";
        assert_eq!(count(house, refused).await, 0);
        assert_eq!(count(house, "SELECT logouts FROM identity_providers").await, 1);
        // The ledger forgets it when its age alone refuses it.
        house.app.clock.advance(SignedDuration::from_secs(658));
        let sweep = async || {
            let now = house.now();
            house.app.db.write(async |tx| sso::forget_expired(tx, now).await).await.unwrap();
            count(house, "SELECT COUNT(*) FROM received_logouts").await
        };
        assert_eq!(sweep().await, 1);
        house.app.clock.advance(SignedDuration::from_secs(2));
        assert_eq!(sweep().await, 0);
        let late = carry(house, &sent, None).await;
        assert_eq!(answer_in(&company, &late).await.0.ending, Ending::Failed);
        expect_counted(&company, LogoutCheck::IssueInstant).await;
    }

    async fn what_was_ended_before_it_came_opens_nothing(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        for (id, index) in [("_d1", Some("_session")), ("_d2", None)] {
            let authenticated = house.now().to_jiff();
            house.app.clock.advance(SignedDuration::from_secs(5));
            // A ticket on its way goes with the session that it is for.
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let answer = company.idp.answer(&request, "alice", authenticated);
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            assert!(location(&accepted).contains("ticket="), "{id}");
            let demand = Demand::new(&company, id, "alice", index);
            carry(house, &demand.sent(house), None).await;
            let refused = browser.get(location(&accepted)).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::FORBIDDEN);
            // And so does an assertion that comes only now.
            let request = company.idp.read(&company.start(&browser).await);
            let answer = company.idp.answer(&request, "alice", authenticated);
            let refused = company.post(&browser, &answer.signed().base64()).await;
            expect_refusal(&company, refused, "SamlResponseRefused", Check::SessionNotOnOrAfter).await;
            // Another session than the named one, and one that began later, are as good as any.
            if index.is_some() {
                let request = company.idp.read(&company.start(&browser).await);
                let mut answer = company.idp.answer(&request, "alice", authenticated);
                answer.session_index = "_elsewhere".to_owned();
                let accepted = company.post(&browser, &answer.signed().base64()).await;
                assert!(location(&accepted).contains("ticket="));
            }
            sign_in(&company, &browser, "alice", "_session").await;
            assert!(is_inside(&company, &browser).await);
            house.app.clock.advance(SignedDuration::from_secs(5));
        }
    }

    async fn what_is_ended_at_the_same_moment_opens_nothing(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let (browser, idp_browser) = (house.browser(), house.browser());
        let authenticated = house.now().to_jiff();
        house.app.clock.advance(SignedDuration::from_secs(5));
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", authenticated).signed().base64();
        let space = company.space.id;
        let provider = async |tx: &mut Read| sso::identity_provider(tx, space).await;
        let provider = house.app.db.read(provider).await.unwrap().unwrap();
        let doing = act(house);
        let judged = |id: &'static str| {
            let demand = Demand::new(&company, id, "alice", None);
            let Sent::Redirect(address) = demand.sent(house) else { panic!("no redirect") };
            Received::from_query(query(&address)).judge(&Expected {
                idp_entity_id: &company.idp.entity_id,
                certificates: &provider.keys(&house.app.read_certificates, true).unwrap(),
                decryption_keys: &[],
                url: &slo_url(&company),
                now: house.now().to_jiff(),
                skew: SignedDuration::ZERO,
            })
        };
        let (outcome, another) = (judged("_d1"), judged("_d2"));
        // The logout is obeyed and not yet committed while the response comes.
        let (obeyed, go) = tokio::sync::oneshot::channel();
        let (db, outcome, provider, doing) = (&house.app.db, &outcome, &provider, &doing);
        let ending = async {
            let mut obeyed = Some(obeyed);
            db.write(async |tx| {
                let heard = sso::heard(tx, doing, provider, outcome).await?;
                obeyed.take().unwrap().send(()).unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok::<_, sso::Error>(heard)
            })
            .await
        };
        let signing_in = async {
            go.await.unwrap();
            company.post(&browser, &answer).await
        };
        let (heard, refused) = tokio::join!(ending, signing_in);
        assert!(matches!(heard, Ok(Heard::Obeyed { .. })), "{heard:?}");
        expect_refusal(&company, refused, "SamlResponseRefused", Check::SessionNotOnOrAfter).await;
        assert_eq!(idp_sessions(house).await, 0);
        // Its certificates changed meanwhile: what was judged by the old ones ends nothing.
        let stale = IdentityProvider { updated_at: provider.created_at.plus_seconds(-1), ..provider.clone() };
        let late = db.write(async |tx| sso::heard(tx, doing, &stale, &another).await).await;
        assert!(matches!(late, Err(sso::Error::Provider(ProviderError::ChangedMeanwhile))), "{late:?}");
        sign_in(&company, &idp_browser, "alice", "_later").await;
        assert!(is_inside(&company, &idp_browser).await);
    }

    async fn a_provider_that_takes_no_answer_leaves_a_page(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        sign_in(&company, &browser, "alice", "_one").await;
        let demand = Demand::new(&company, "_d", "alice", Some("_one"));
        let answer = carry(house, &demand.sent(house), None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let page = answer.text().await.unwrap();
        assert!(page.contains("has ended here too") && !page.contains("alice"), "{page}");
        assert!(!is_inside(&company, &browser).await);
        let again = carry(house, &demand.sent(house), None).await;
        expect_no_logout(&company, again, LogoutCheck::Replay).await;
    }

    async fn what_is_no_message_leaves_no_record(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let before = last_record(&company).await;
        let browser = house.browser();
        let url = slo_url(&company);
        for request in [
            browser.get(&url),
            browser.get(format!("{url}?RelayState=x")),
            browser.post(&url),
            browser.post(&url).form(&[("RelayState", "x")]),
            browser.post(&url).header("Content-Type", "text/plain").body("SAMLRequest=x"),
        ] {
            let refused = request.send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
            assert!(refused.text().await.unwrap().contains("SamlLogoutInvalid"));
        }
        assert_eq!(last_record(&company).await, before);
        let nowhere = house.url(&format!("/saml/slo/{}?SAMLRequest=x", SpaceId(7)));
        assert_eq!(browser.get(nowhere).send().await.unwrap().status(), StatusCode::NOT_FOUND);
        let bare = Company::bare(house, "bare").await;
        let refused = browser.get(format!("{}?SAMLRequest=x", slo_url(&bare))).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("SignInNotConfigured"));
    }

    async fn logout_goes_with_the_metadata_it_came_from(house) {
        let company = Company::open(house, "acme").await;
        let configured = async || {
            let space = company.space.id;
            let read = house.app.db.read(async |tx| sso::identity_provider(tx, space).await);
            read.await.unwrap().unwrap().single_logout
        };
        assert_eq!(configured().await, sso::SingleLogout::default());
        describe(&company, &[BY_REDIRECT, BY_POST]).await;
        let both = configured().await;
        assert_eq!(
            both.to_string(),
            format!("{REQUESTS} (redirect, answers to {RESPONSES}), {POSTS} (POST)")
        );
        assert_eq!(both.way_for_requests(), Some(Way::Redirect(REQUESTS.to_owned())));
        assert_eq!(both.way_for_responses(false), Some(Way::Redirect(RESPONSES.to_owned())));
        assert_eq!(both.way_for_responses(true), Some(Way::Post(POSTS.to_owned())));
        let by_hand = |url: &str| sso::ByHand { login_url: Some(url.to_owned()), ..sso::ByHand::default() };
        let set = async |new: sso::ByHand| {
            let (doing, space) = (act(house), company.space.id);
            let db = &house.app.db;
            db.write(async |tx| sso::set_by_hand(tx, &doing, space, &new).await).await.unwrap();
        };
        // What stays as metadata said it leaves the rest of it standing; a change does not.
        set(by_hand(crate::fake_idp::LOGIN_URL)).await;
        assert_eq!(configured().await, both);
        set(by_hand("https://idp.example.com/other")).await;
        assert_eq!(configured().await, sso::SingleLogout::default());
        let metadata = company.idp.metadata();
        let read = IdpMetadata::parse(metadata.as_bytes(), house.now().to_jiff()).unwrap();
        assert_eq!(sso::SingleLogout::of(&read), sso::SingleLogout::default());
    }

    async fn what_is_over_is_swept_away(house) {
        let company = Company::open(house, "acme").await;
        describe(&company, &[BY_REDIRECT]).await;
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        company.ticket_for(&house.browser(), "alice").await;
        assert_eq!(idp_sessions(house).await, 2);
        let sweep = async |seconds: i64| {
            let now = house.now().plus_seconds(seconds);
            house.app.db.write(async |tx| sso::forget_expired(tx, now).await).await.unwrap();
        };
        // The one whose ticket nobody came for, and the one whose session ended.
        sweep(60).await;
        assert_eq!(idp_sessions(house).await, 1);
        sweep(3599).await;
        assert_eq!((idp_sessions(house).await, sessions(house).await), (1, 1));
        sweep(3600).await;
        assert_eq!((idp_sessions(house).await, sessions(house).await), (0, 0));
        company.sign_in(&browser, "alice").await;
        begun(&company, &browser).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM logout_requests").await, 1);
        sweep(600).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM logout_requests").await, 0);
    }

    async fn a_session_that_was_ended_meanwhile_is_not_brought_back(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        let row = sql("SELECT idp_session_id FROM sessions");
        let linked: store::Result<(i64,)> =
            house.app.db.read(async |tx| row.fetch_one(tx).await).await;
        let gone = sql("DELETE FROM identity_provider_sessions WHERE id = $1").bind(linked.unwrap().0);
        house.app.db.write(async |tx| gone.execute(tx).await).await.unwrap();
        assert_eq!(sessions(house).await, 0);
        assert!(!is_inside(&company, &browser).await);
    }
}
