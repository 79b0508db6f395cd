//! Every rule of SSO-15 and SSO-16, broken once, by a message that is right in all else.

use identity_center::saml::{instant, trace::Check};
use jiff::{SignedDuration, Timestamp};
use reqwest::{StatusCode, header::CONTENT_TYPE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{expect_refusal, last_attempt, sessions};
use crate::{
    fake_idp::{Answer, Message, after_issuer, element, right_key, wrong_key},
    journey::{Company, count, header},
    on_both,
};

/// A way to break an answer to a live request at this time, and the check that has to notice.
struct Case {
    name: &'static str,
    check: Check,
    make: fn(&Answer, Timestamp) -> Message,
}

const OTHER: &str = "https://other.example.com";

/// Changes the answer and has its assertion signed afterwards, as by the identity provider itself.
fn changed(answer: &Answer, from: &str, to: &str) -> Message {
    answer.unsigned().change(from, to).sign_assertion(right_key())
}

fn at(time: Timestamp, seconds: i64) -> String {
    instant::format(time + SignedDuration::from_secs(seconds))
}

fn cases() -> Vec<Case> {
    let case = |name, check, make| Case { name, check, make };
    vec![
        case("destination", Check::Destination, |answer, _| {
            changed(
                answer,
                &format!("Destination=\"{}\"", answer.acs_url),
                &format!("Destination=\"{OTHER}\""),
            )
        }),
        case("a signed response without destination", Check::Destination, |answer, _| {
            let destination = format!(" Destination=\"{}\"", answer.acs_url);
            answer.unsigned().change(&destination, "").sign_response(right_key())
        }),
        case("issuer of the response", Check::ResponseIssuer, |answer, _| {
            let message = answer.unsigned().change_first(&answer.issuer, OTHER);
            message.sign_assertion(right_key())
        }),
        case("issuer of the assertion", Check::AssertionIssuer, |answer, _| {
            let message = answer.unsigned().change_last(&answer.issuer, OTHER);
            message.sign_assertion(right_key())
        }),
        case("both issuers", Check::ResponseIssuer, |answer, _| {
            Answer { issuer: OTHER.to_owned(), ..answer.clone() }.signed()
        }),
        case("status", Check::Status, |answer, _| {
            changed(answer, "status:Success", "status:AuthnFailed")
        }),
        case("version", Check::Version, |answer, _| {
            changed(answer, "Version=\"2.0\"", "Version=\"1.1\"")
        }),
        case("two assertions", Check::AssertionCount, |answer, _| {
            let message = answer.unsigned().sign_assertion(right_key());
            let assertion = message.assertion();
            let second = assertion.replace(&answer.assertion_id, "_second");
            message.change(&assertion, &format!("{assertion}{second}"))
        }),
        case("no assertion", Check::AssertionCount, |answer, _| {
            answer.unsigned().without("saml:Assertion").sign_response(right_key())
        }),
        case("an encrypted assertion", Check::Decryption, |answer, _| {
            let message = answer.unsigned();
            let sealed = "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
                          </saml:EncryptedAssertion>";
            message.change(&message.assertion(), sealed).sign_response(right_key())
        }),
        case("unsigned", Check::Signature, |answer, _| answer.unsigned()),
        case("a stranger's key", Check::Signature, |answer, _| answer.signed_by(wrong_key())),
        case("a stranger's key under the right certificate", Check::Signature, |answer, _| {
            let wrong = wrong_key().certificate().base64();
            answer.signed_by(wrong_key()).change(&wrong, &right_key().certificate().base64())
        }),
        case("a stranger's assertion in a right response", Check::Signature, |answer, _| {
            answer.unsigned().sign_assertion(wrong_key()).sign_response(right_key())
        }),
        case("changed after signing", Check::Signature, |answer, _| {
            answer.signed().change(&format!(">{}<", answer.name_id), ">bob<")
        }),
        case("SHA-1", Check::Signature, |answer, _| {
            answer.unsigned().sign_assertion(right_key()).weakened()
        }),
        case("wrapped: beside the original", Check::AssertionCount, |answer, _| {
            let message = answer.unsigned().sign_assertion(right_key());
            let evil = message.evil_assertion(&answer.name_id, "bob");
            let original = message.assertion();
            message.change(&original, &format!("{evil}{original}"))
        }),
        case("wrapped: around the original", Check::Structure, |answer, _| {
            let message = answer.unsigned().sign_assertion(right_key());
            let (evil, original) =
                (message.evil_assertion(&answer.name_id, "bob"), message.assertion());
            let end = "</saml:Assertion>";
            message.change(&original, &evil.replace(end, &format!("{original}{end}")))
        }),
        case("wrapped: the signature of another element", Check::Signature, |answer, _| {
            let message = answer.unsigned().sign_assertion(right_key());
            let (evil, original) =
                (message.evil_assertion(&answer.name_id, "bob"), message.assertion());
            let evil = after_issuer(&evil, &element(&original, "ds:Signature"));
            message.change(&original, &evil)
        }),
        case("wrapped: the original in the signature", Check::Signature, |answer, _| {
            let message = answer.unsigned().sign_assertion(right_key());
            let (evil, original) =
                (message.evil_assertion(&answer.name_id, "bob"), message.assertion());
            let bare = message.with(&original).without_signatures().xml;
            let end = "</ds:Signature>";
            let signature = element(&original, "ds:Signature")
                .replace(end, &format!("<ds:Object>{bare}</ds:Object>{end}"));
            message.change(&original, &after_issuer(&evil, &signature))
        }),
        case("an id twice", Check::UniqueIds, |answer, _| {
            changed(answer, &answer.response_id, &answer.assertion_id)
        }),
        case("a comment in the name", Check::Xml, |answer, _| {
            let name = format!(">{}<", answer.name_id);
            answer.signed().change(&name, &format!(">{}<!-- --><", answer.name_id))
        }),
        case("a document type", Check::Xml, |answer, _| {
            let message = answer.signed();
            message.with(format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", message.xml))
        }),
        case("no XML", Check::Xml, |answer, _| answer.signed().with("hello")),
        case("another document", Check::Structure, |answer, _| answer.signed().with("<a></a>")),
        case("audience", Check::Audience, |answer, _| {
            Answer { audience: OTHER.to_owned(), ..answer.clone() }.signed()
        }),
        case("no audience", Check::Audience, |answer, _| {
            answer.unsigned().without("saml:AudienceRestriction").sign_assertion(right_key())
        }),
        case("no conditions", Check::Conditions, |answer, _| {
            answer.unsigned().without("saml:Conditions").sign_assertion(right_key())
        }),
        case("an unknown condition", Check::Conditions, |answer, _| {
            let end = "</saml:Conditions>";
            changed(answer, end, &format!("<saml:Condition></saml:Condition>{end}"))
        }),
        case("recipient", Check::Recipient, |answer, _| {
            let recipient = format!("Recipient=\"{}\"", answer.acs_url);
            changed(answer, &recipient, &format!("Recipient=\"{OTHER}\""))
        }),
        case("confirmation", Check::SubjectConfirmation, |answer, _| {
            changed(answer, "cm:bearer", "cm:sender-vouches")
        }),
        case("unsolicited", Check::InResponseTo, |answer, _| {
            Answer { request_id: None, ..answer.clone() }.signed()
        }),
        case("an unknown request", Check::InResponseTo, |answer, _| {
            Answer { request_id: Some("_unknown".to_owned()), ..answer.clone() }.signed()
        }),
        case("another request in the confirmation", Check::InResponseTo, |answer, _| {
            let id = answer.request_id.as_deref().unwrap();
            let wanted = format!("InResponseTo=\"{id}\" NotOnOrAfter");
            changed(answer, &wanted, "InResponseTo=\"_other\" NotOnOrAfter")
        }),
        case("from the future", Check::IssueInstant, |answer, now| {
            Answer { now: now + SignedDuration::from_secs(61), ..answer.clone() }.signed()
        }),
        case("from long ago", Check::IssueInstant, |answer, now| {
            let old = SignedDuration::from_secs(661);
            Answer { now: now - old, session_lifetime: None, ..answer.clone() }.signed()
        }),
        case("not valid yet", Check::NotBefore, |answer, now| {
            let (from, to) = (at(now, -60), at(now, 61));
            changed(answer, &format!("NotBefore=\"{from}\""), &format!("NotBefore=\"{to}\""))
        }),
        case("not valid any more", Check::NotOnOrAfter, |answer, now| {
            let end = |seconds| format!("NotOnOrAfter=\"{}\"><saml:Aud", at(now, seconds));
            changed(answer, &end(300), &end(-60))
        }),
        case("confirmed too long ago", Check::ConfirmationExpiry, |answer, now| {
            let end = |seconds| format!("NotOnOrAfter=\"{}\" Recipient", at(now, seconds));
            changed(answer, &end(300), &end(-60))
        }),
        case("a session that has ended", Check::SessionNotOnOrAfter, |answer, now| {
            let end = |seconds| format!("SessionNotOnOrAfter=\"{}\"", at(now, seconds));
            changed(answer, &end(3600), &end(-60))
        }),
        case("no authentication", Check::AuthnStatement, |answer, _| {
            answer.unsigned().without("saml:AuthnStatement").sign_assertion(right_key())
        }),
        case("a name that changes", Check::NameIdFormat, |answer, _| {
            changed(answer, "1.1:nameid-format:unspecified", "2.0:nameid-format:transient")
        }),
        case("no name", Check::NameId, |answer, _| {
            changed(answer, &format!(">{}<", answer.name_id), "> <")
        }),
    ]
}

on_both! {
    async fn sso_15_each_rule_refuses_under_its_own_name(house) {
        let company = Company::open(house, "acme").await;
        company.hire("bob").await;
        for Case { name, check, make } in cases() {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let now = house.now().to_jiff();
            let answer = company.idp.answer(&request, "alice", now);
            let broken = make(&answer, now).base64();
            eprintln!("{name}");
            let refused = company.post(&browser, &broken).await;
            expect_refusal(&company, refused, "SamlResponseRefused", check).await;
            // Nothing else was wrong with it, and a stranger's message uses nobody's request up.
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{name}");
        }
        assert_eq!(sessions(house).await, 0);
        let bobs = "SELECT COUNT(*) FROM sign_in_attempts WHERE name_id = 'bob'";
        assert_eq!(count(house, bobs).await, 0, "a name that nobody vouched for is not kept");
    }

    async fn sha_1_is_refused_as_such(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let message = answer.unsigned().sign_assertion(right_key()).weakened();
        company.post(&browser, &message.base64()).await;
        let attempt = last_attempt(&company).await;
        let failed = attempt.checks().first_failure().unwrap();
        assert!(failed.received.contains("rsa-sha1"), "{failed:?}");
    }

    async fn clocks_may_differ_by_a_minute_and_no_more(house) {
        let company = Company::open(house, "acme").await;
        // From when an answer is, and what comes of it: each is valid from its making, for 300 s.
        for (seconds, refused) in [
            (60, None),
            (61, Some(Check::IssueInstant)),
            (-359, None),
            (-360, Some(Check::ConfirmationExpiry)),
        ] {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            let then = house.now().to_jiff() + SignedDuration::from_secs(seconds);
            let answer = company.idp.answer(&request, "alice", then);
            let got = company.post(&browser, &answer.signed().base64()).await;
            match refused {
                None => assert_eq!(got.status(), StatusCode::SEE_OTHER, "{seconds}"),
                Some(check) => expect_refusal(&company, got, "SamlResponseRefused", check).await,
            }
        }
    }

    async fn a_response_counts_once(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let response = answer.signed().base64();
        let accepted = company.post(&browser, &response).await;
        assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
        // The very same again, and another one to the same request.
        let other = company.idp.answer(&request, "alice", house.now().to_jiff());
        for response in [response, other.signed().base64()] {
            let refused = company.post(&browser, &response).await;
            expect_refusal(&company, refused, "SamlResponseRefused", Check::InResponseTo).await;
        }
        // An assertion that was seen before, though it answers a fresh request.
        let request = company.idp.read(&company.start(&browser).await);
        let mut again = company.idp.answer(&request, "alice", house.now().to_jiff());
        again.assertion_id = answer.assertion_id;
        let refused = company.post(&browser, &again.signed().base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::Replay).await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 1);
    }

    /// Of many that race, one wins; the others find the request used up.
    async fn a_response_counts_once_under_load_too(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let response = answer.signed().base64();
        let posts: Vec<_> = (0..8)
            .map(|_| {
                let post = browser
                    .post(company.acs_url())
                    .form(&[("SAMLResponse", &response)])
                    .send();
                tokio::spawn(post)
            })
            .collect();
        let mut accepted = 0;
        for post in posts {
            let status = post.await.unwrap().unwrap().status();
            assert!(matches!(status, StatusCode::SEE_OTHER | StatusCode::FORBIDDEN), "{status}");
            accepted += i32::from(status == StatusCode::SEE_OTHER);
        }
        assert_eq!(accepted, 1);
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 1);
    }

    async fn a_request_waits_ten_minutes(house) {
        let company = Company::open(house, "acme").await;
        for (seconds, good) in [(599, true), (600, false)] {
            let browser = house.browser();
            let request = company.idp.read(&company.start(&browser).await);
            house.app.clock.advance(SignedDuration::from_secs(seconds));
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            let got = company.post(&browser, &answer.signed().base64()).await;
            if good {
                assert_eq!(got.status(), StatusCode::SEE_OTHER);
            } else {
                let check = Check::InResponseTo;
                expect_refusal(&company, got, "SamlResponseRefused", check).await;
            }
        }
    }

    async fn only_a_form_with_one_response_is_read(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let acs = company.acs_url();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
        let good = answer.signed().base64();
        let encoded: String = url::form_urlencoded::byte_serialize(good.as_bytes()).collect();
        let form = "application/x-www-form-urlencoded";
        let bodies = [
            (form, format!("SAMLResponse={encoded}&SAMLResponse={encoded}")),
            (form, format!("SAMLResponse={encoded}&RelayState=a&RelayState=b")),
            (form, format!("SAMLResponse={encoded}&SAMLRequest=a")),
            (form, format!("SAMLResponse={encoded}&SAMLart=a")),
            (form, "SAMLResponse=".to_owned()),
            (form, "RelayState=a".to_owned()),
            (form, String::new()),
            ("text/plain", format!("SAMLResponse={encoded}")),
            ("application/json", format!("{{\"SAMLResponse\":\"{good}\"}}")),
            ("multipart/form-data; boundary=a", format!("SAMLResponse={encoded}")),
        ];
        for (kind, body) in bodies {
            let post = browser.post(&acs).header(CONTENT_TYPE, kind).body(body);
            let refused = post.send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{kind}");
            assert_eq!(header(&refused, "set-cookie"), "");
            assert!(refused.text().await.unwrap().contains("SamlFormInvalid"), "{kind}");
        }
        let packed = browser.post(&acs).header("Content-Encoding", "gzip");
        let refused = packed.form(&[("SAMLResponse", &good)]).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        for method in ["GET", "PUT", "DELETE"] {
            let method = method.parse().unwrap();
            let query = [("SAMLResponse", &good)];
            let address = url::Url::parse_with_params(&acs, &query).unwrap();
            let refused = browser.request(method, address).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM sign_in_attempts").await, 0);

        // What is too long is not even decoded; what is far too long is not even read.
        let long = "A".repeat(401 * 1024);
        let refused = company.post(&browser, &long).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::Encoding).await;
        let refused = company.post(&browser, "not base64!").await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::Encoding).await;
        // The connection may be gone before the client has sent all and sees the answer; it is a
        // client of its own, so that nobody else is handed that connection.
        let post = house.browser().post(&acs).header(CONTENT_TYPE, form);
        if let Ok(refused) = post.body("A".repeat(2 * 1024 * 1024)).send().await {
            assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
        // What announces 10 MB is answered before it has come.
        for path in [format!("/saml/acs/{}", company.space.id), format!("/saml/slo/{}", company.space.id)] {
            let mut raw = tokio::net::TcpStream::connect(house.address).await.unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {form}\r\n\
                 Content-Length: 10485760\r\n\r\nSAMLResponse=AAAA",
                house.address
            );
            raw.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            raw.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
            assert!(answer.contains("<html") && answer.contains("TooLarge"), "{path}: {answer}");
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM sign_in_attempts").await, 2);

        // The request is still there for the real answer, in whatever case the kind is spelled.
        let kind = "Application/X-WWW-Form-Urlencoded; charset=utf-8";
        let body = format!("Submit=Continue&RelayState=&SAMLResponse={encoded}");
        let accepted = browser.post(&acs).header(CONTENT_TYPE, kind).body(body);
        assert_eq!(accepted.send().await.unwrap().status(), StatusCode::SEE_OTHER);
    }

    async fn a_message_that_is_no_xml_of_ours_gets_a_page_and_a_cause(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let good = company.idp.answer(&request, "alice", house.now().to_jiff()).signed().xml;
        let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf_16.iter().copied()).collect();
        let cut = good.as_bytes()[..good.len() / 2].to_vec();
        let deep = "<a>".repeat(100_000);
        let entity = format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{good}");
        let shapes: [(&str, Vec<u8>); 7] = [
            ("UTF-16", utf_16),
            ("UTF-16 with a mark", with_mark),
            ("NUL", good.replacen("alice", "ali\0ce", 1).into_bytes()),
            ("not UTF-8", [good.as_bytes(), &[0xff]].concat()),
            ("cut", cut),
            ("an entity", entity.into_bytes()),
            ("deep", deep.into_bytes()),
        ];
        for (shape, bytes) in shapes {
            let message = identity_center::saml::encoding::encode(&bytes);
            let refused = company.post(&browser, &message).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{shape}");
            let number = header(&refused, "x-request-id").to_owned();
            let page = refused.text().await.unwrap();
            assert!(page.contains("SamlResponseRefused") && page.contains(&number), "{shape}: {page}");
            let attempt = last_attempt(&company).await;
            assert_eq!(attempt.request_id, number, "{shape}");
            let failed = attempt.checks().first_failure().unwrap();
            assert!(matches!(failed.check, Check::Encoding | Check::Xml), "{shape}: {failed:?}");
            assert!(failed.cause.is_some() && !page.contains(&failed.received), "{shape}");
            for parameter in ["SAMLRequest", "SAMLResponse"] {
                let slo = house.url(&format!("/saml/slo/{}", company.space.id));
                let refused = browser.post(slo).form(&[(parameter, &message)]).send().await.unwrap();
                assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{shape}");
                assert!(refused.text().await.unwrap().contains("SamlLogoutRefused"), "{shape}");
            }
        }
        company.sign_in(&browser, "alice").await;
    }

    async fn there_is_no_door_for_a_space_that_is_not_there(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        for id in ["z-000000000000", "nonsense", "acme", "1", "z-%00"] {
            let post = browser.post(house.url(&format!("/saml/acs/{id}")));
            let refused = post.form(&[("SAMLResponse", "PGEvPg==")]).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{id}");
        }
        for name in ["nobody", "ACME", "a%0d%0ab", "acme%2f.."] {
            let start = house.url(&format!("/portal/{name}/login/start"));
            let refused = browser.get(start).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{name}");
        }
        company.sign_in(&browser, "alice").await;
    }
}
