//! Test sign-ins (SSO-17), the trace of real ones, and what a support bundle leaves out.

use identity_center::{
    saml::trace::Check,
    sso::{self, Draft, ResponseSettings},
};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{expect_refusal, last_attempt, sessions};
use crate::{
    fake_idp::{Answer, FakeIdp, Message, wrong_key},
    house::TestHouse,
    journey::{Company, Multipart, act, count, header, location},
    on_both,
};

const HERE: &str = "/console/settings/sso";
/// How the identity provider answers.
type Answering = fn(Answer) -> Message;

const FULL: &str = "QcloudOrganizationFullAccess";
const READ_ONLY: &str = "QcloudOrganizationReadOnlyAccess";

/// An administrator's browser.
struct Desk<'h> {
    house: &'h TestHouse,
    browser: Client,
}

impl Desk<'_> {
    async fn page(&self, path: &str) -> String {
        let answer = self.browser.get(self.house.url(path)).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// Posts a form; where it leads.
    async fn post(&self, path: &str) -> String {
        let made = self.browser.post(self.house.url(path)).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::SEE_OTHER, "{}", made.text().await.unwrap());
        location(&made).split('?').next().unwrap().replace(&self.house.url(""), "")
    }

    /// Sets up a test of what people sign in with; where its page is.
    async fn test(&self) -> String {
        self.post(&format!("{HERE}/tests")).await
    }

    /// Proposes a configuration; where it is reviewed.
    async fn propose(&self, idp: &FakeIdp) -> String {
        let form = Multipart::default().text("text", &idp.metadata());
        let address = self.house.url(&format!("{HERE}/metadata"));
        let proposed = form.post(&self.browser, address).await;
        assert_eq!(proposed.status(), StatusCode::SEE_OTHER, "{}", proposed.text().await.unwrap());
        location(&proposed).replace(&self.house.url(""), "")
    }

    /// Goes to the identity provider, which answers as `answering` makes it; the report.
    async fn run(
        &self,
        company: &Company<'_>,
        idp: &FakeIdp,
        test: &str,
        answering: impl FnOnce(Answer) -> Message,
    ) -> String {
        let sent = self.browser.get(self.house.url(&format!("{test}/start"))).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::SEE_OTHER);
        let address = location(&sent);
        let request = idp.read(&address);
        let relay_state = address.parse::<url::Url>().unwrap();
        let relay_state = relay_state.query_pairs().find(|it| it.0 == "RelayState").unwrap().1;
        let message = answering(idp.answer(&request, "alice", self.house.now().to_jiff()));
        let form = [("SAMLResponse", message.base64()), ("RelayState", relay_state.into_owned())];
        let back = self.browser.post(company.acs_url()).form(&form).send().await.unwrap();
        assert_eq!(back.status(), StatusCode::SEE_OTHER, "{}", back.text().await.unwrap());
        assert_eq!(location(&back), self.house.url(test));
        self.page(test).await
    }
}

/// An identity provider that nobody signs in with yet.
fn draft() -> FakeIdp {
    FakeIdp { entity_id: "https://new.example.com/metadata".to_owned() }
}

async fn desk<'h>(house: &'h TestHouse, company: &Company<'h>) -> Desk<'h> {
    Desk { house, browser: company.administrator("chief", FULL).await }
}

on_both! {
    async fn sso_17_a_test_passes_and_affects_nobody(house) {
        let company = Company::open(house, "acme").await;
        let desk = desk(house, &company).await;
        let before = sessions(house).await;
        let proposal = desk.propose(&draft()).await;
        assert!(desk.page(&proposal).await.contains("Test it first"));
        let test = desk.post(&format!("{proposal}/test")).await;
        assert!(desk.page(&test).await.contains("No answer yet"));
        let report = desk.run(&company, &draft(), &test, |answer| answer.signed()).await;
        assert!(report.contains("Passed") && report.contains("This person would be signed in"));
        // What the assertion says, to choose from.
        assert!(report.contains("developers") && report.contains("groups"), "{report}");
        // Nobody was signed in, and people sign in as before.
        assert_eq!(sessions(house).await, before);
        for table in
            ["SELECT COUNT(*) FROM login_tickets", "SELECT COUNT(*) FROM sign_in_attempts"]
        {
            assert_eq!(count(house, table).await, 0, "{table}");
        }
        company.sign_in(&house.browser(), "alice").await;
        // From the report one comes to the review, and nowhere else does it begin to count.
        assert!(report.contains(&format!("href=\"{proposal}\"")), "{report}");
        let request = company.idp.read(&company.start(&house.browser()).await);
        assert!(request.destination.is_some());
    }

    async fn sso_17_the_answer_to_a_test_signs_nobody_in(house) {
        let company = Company::open(house, "acme").await;
        let desk = desk(house, &company).await;
        let test = desk.test().await;
        let sent = desk.browser.get(house.url(&format!("{test}/start"))).send().await.unwrap();
        let request = company.idp.read(&location(&sent));
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
        // In another browser, which anybody's is: it only leads to the report, which asks who comes.
        let somebody = house.browser();
        let back = company.post(&somebody, &answer.base64()).await;
        assert_eq!(location(&back), house.url(&test));
        let asked = somebody.get(location(&back)).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::SEE_OTHER);
        assert!(location(&asked).contains("/console/login"));
        // A second time there is no request any more, and the live configuration judges.
        let again = company.post(&somebody, &answer.base64()).await;
        expect_refusal(&company, again, "SamlResponseRefused", Check::InResponseTo).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 0);
    }

    async fn sso_17_the_report_names_the_cause_and_the_field(house) {
        let company = Company::open(house, "acme").await;
        let desk = desk(house, &company).await;
        let entra = FakeIdp { entity_id: "https://sts.windows.net/2f1c/".to_owned() };
        let proposal = desk.propose(&entra).await;
        let test = desk.post(&format!("{proposal}/test")).await;
        let cases: [(Answering, &str, &str); 7] = [
            (|answer| answer.signed_by(wrong_key()), "by a key that is not configured here",
                "SAML Certificates"),
            (|mut answer| { answer.audience = "https://other".to_owned(); answer.signed() },
                "meant for another service provider", "Identifier (Entity ID)"),
            (|mut answer| { answer.now += jiff::SignedDuration::from_mins(9); answer.signed() },
                "clock is ahead", "time server"),
            (|mut answer| { answer.name_id = "mallory".to_owned(); answer.signed() },
                "No user of the directory has this name", "Unique User Identifier"),
            (|mut answer| { answer.request_id = None; answer.signed() },
                "answers no request", "Sign on URL"),
            (|answer| answer.signed().with("damaged"), "not well-formed XML", "came cut short"),
            (|answer| answer.signed().with("<a>\0</a>"), "XML", ""),
        ];
        for (answering, what, place) in cases {
            let report = desk.run(&company, &entra, &test, answering).await;
            assert!(report.contains("Refused") && report.contains(what), "{what}: {report}");
            if what.contains("XML") {
                continue;
            }
            assert!(report.contains(place), "{place}: {report}");
            let entra = report.find("(probably yours)").unwrap_or(usize::MAX);
            assert!(entra < report.find("Google Workspace").unwrap(), "{report}");
        }
        company.sign_in(&house.browser(), "alice").await;
    }

    async fn sso_17_tests_are_for_administrators_of_the_space(house) {
        let company = Company::open(house, "acme").await;
        let other = Company::open(house, "other").await;
        let chief = desk(house, &company).await;
        let test = chief.test().await;
        let guest = Desk { house, browser: other.administrator("guest", FULL).await };
        let reader = Desk { house, browser: company.administrator("reader", READ_ONLY).await };
        for path in ["", "/start", "/bundle"] {
            let answer = guest.browser.get(house.url(&format!("{test}{path}"))).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert!(reader.page(&test).await.contains("No answer yet"));
        let start = reader.browser.get(house.url(&format!("{test}/start"))).send().await.unwrap();
        assert_eq!(start.status(), StatusCode::FORBIDDEN);
        let made = reader.browser.post(house.url(&format!("{HERE}/tests"))).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::FORBIDDEN);
        // Nor does another site begin a test in the chief's browser.
        let start = chief.browser.get(house.url(&format!("{test}/start")));
        let start = start.header("Sec-Fetch-Site", "cross-site").send().await.unwrap();
        assert_eq!(start.status(), StatusCode::CONFLICT);
    }

    async fn sso_17_what_cannot_be_tested_is_said(house) {
        let company = Company::bare(house, "acme").await;
        let desk = desk(house, &company).await;
        for path in ["/tests", "/proposals/ip-000000000000/test"] {
            let refused = desk.browser.post(house.url(&format!("{HERE}{path}"))).send().await.unwrap();
            assert!(refused.status().is_client_error(), "{path}: {}", refused.status());
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM sign_in_tests").await, 0);
    }

    async fn sso_17_a_tested_message_is_used_up(house) {
        let company = Company::open(house, "acme").await;
        let (doing, space) = (act(house), company.space.id);
        let lax = ResponseSettings { allow_unsolicited: true, ..Default::default() };
        let db = &house.app.db;
        db.write(async |tx| sso::set_responses(tx, &doing, space, &lax).await).await.unwrap();
        let desk = desk(house, &company).await;
        let test = desk.test().await;
        let mut sent = None;
        // Read in a report, the message would do in real life, where no request is asked for.
        desk.run(&company, &company.idp, &test, |mut answer| {
            let right = answer.signed();
            answer.request_id = None;
            sent = Some(answer.signed());
            right
        })
        .await;
        let replayed = company.post(&house.browser(), &sent.unwrap().base64()).await;
        expect_refusal(&company, replayed, "SamlResponseRefused", Check::Replay).await;
    }

    async fn attempts_are_found_by_name_by_request_and_by_outcome(house) {
        let company = Company::open(house, "acme").await;
        company.sign_in(&house.browser(), "alice").await;
        let request = company.idp.read(&company.start(&house.browser()).await);
        let answer = company.idp.answer(&request, "Mallory", house.now().to_jiff());
        company.post(&house.browser(), &answer.signed().base64()).await;
        let refused = last_attempt(&company).await;
        let desk = desk(house, &company).await;
        let list = format!("{HERE}/attempts");
        for (query, alice, mallory) in [
            ("", true, true),
            ("?text=ALICE", true, false),
            ("?text=mallory", false, true),
            ("?text=mal", false, false),
            (&format!("?text={}", refused.request_id), false, true),
            ("?outcome=refused", false, true),
            ("?outcome=signed_in", true, false),
            ("?cause=unknown-user", false, true),
            ("?cause=not-signed", false, false),
        ] {
            let page = desk.page(&format!("{list}{query}")).await;
            assert_eq!(page.contains("<td data-label=\"Name\">alice"), alice, "{query}: {page}");
            assert_eq!(page.contains("<td data-label=\"Name\">Mallory"), mallory, "{query}");
        }
        let one = desk.page(&format!("{list}/{}", refused.id)).await;
        assert!(one.contains("No user of the directory has this name"), "{one}");
        // The bundle says the same and names nobody.
        let bundle = desk.browser.get(house.url(&format!("{list}/{}/bundle", refused.id)));
        let bundle = bundle.send().await.unwrap();
        assert!(header(&bundle, "content-disposition").starts_with("attachment"));
        let text = bundle.text().await.unwrap();
        assert!(!text.contains("Mallory") && !text.contains("PRIVATE"), "{text}");
        let bundle: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bundle["sign_in"]["cause"], "unknown-user");
        assert_eq!(bundle["sign_in"]["name"], "M…");
        assert_eq!(bundle["identity_provider"]["entity_id"], company.idp.entity_id);
        // Another space's administrators see none of it.
        let other = Company::open(house, "other").await;
        let guest = other.administrator("guest", FULL).await;
        for rest in ["", "/bundle"] {
            let path = house.url(&format!("{list}/{}{rest}", refused.id));
            assert_eq!(guest.get(path).send().await.unwrap().status(), StatusCode::NOT_FOUND);
        }
    }

    async fn a_bundle_of_a_test_shows_how_the_message_is_built(house) {
        let company = Company::open(house, "acme").await;
        let desk = desk(house, &company).await;
        let test = desk.test().await;
        desk.run(&company, &company.idp, &test, |answer| answer.signed()).await;
        let bundle = desk.page(&format!("{test}/bundle")).await;
        assert!(!bundle.contains("alice") && !bundle.contains("developers"), "{bundle}");
        let bundle: Value = serde_json::from_str(&bundle).unwrap();
        let lines = bundle["message"].as_array().unwrap();
        assert!(lines[0].as_str().unwrap().starts_with("Response "), "{lines:?}");
        assert!(lines.iter().any(|it| it.as_str().unwrap().contains("Audience: ")), "{lines:?}");
    }

    async fn traces_and_tests_are_kept_for_their_time(house) {
        let company = Company::open(house, "acme").await;
        company.sign_in(&house.browser(), "alice").await;
        let (doing, space) = (act(house), company.space.id);
        let db = &house.app.db;
        db.write(async |tx| sso::new_test(tx, &doing, space, Draft::Present).await).await.unwrap();
        let kept = async || {
            (
                count(house, "SELECT COUNT(*) FROM sign_in_attempts").await,
                count(house, "SELECT COUNT(*) FROM sign_in_tests").await,
            )
        };
        let now = house.now();
        let forget = async |attempts, tests| {
            db.write(async |tx| sso::forget_old(tx, attempts, tests).await).await.unwrap()
        };
        assert!(!forget(now, now).await);
        assert_eq!(kept().await, (1, 1));
        forget(now, now.plus_seconds(1)).await;
        assert_eq!(kept().await, (1, 0));
        forget(now.plus_seconds(1), now).await;
        assert_eq!(kept().await, (0, 0));
    }
}
