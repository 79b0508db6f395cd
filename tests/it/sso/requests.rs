//! What is decided of requests: signed or not, redirected or posted, and what is demanded.

use identity_center::{
    saml::{
        binding, encoding, name_id_format, namespace,
        request::AuthnRequest,
        signature,
        trace::Check,
        xml::{self, Profile},
    },
    space::{self, KeyPurpose},
    sso::{self, NameIdPolicy, RequestSettings},
};
use jiff::SignedDuration;
use openssl::{hash::MessageDigest, sign::Verifier};
use reqwest::{Client, StatusCode};

use super::expect_refusal;
use crate::{
    fake_idp::{LOGIN_URL, metadata_without_redirect, right_key},
    house::TestHouse,
    journey::{Company, act, header, location},
    on_both,
};

const POST_URL: &str = "https://idp.example.com/sso-by-post";
const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

async fn decide(company: &Company<'_>, settings: &RequestSettings) -> Result<(), sso::Error> {
    let doing = act(company.house);
    let (db, space) = (&company.house.app.db, company.space.id);
    db.write(async |tx| sso::set_requests(tx, &doing, space, settings).await).await
}

async fn describe(company: &Company<'_>, metadata: &str) {
    let doing = act(company.house);
    let (db, space) = (&company.house.app.db, company.space.id);
    db.write(async |tx| sso::set_by_metadata(tx, &doing, space, metadata.as_bytes()).await)
        .await
        .unwrap();
}

/// The usual metadata, with an address for posts too.
fn with_both(company: &Company<'_>) -> String {
    let service = format!(
        "<md:SingleSignOnService Binding=\"{}\" Location=\"{POST_URL}\"></md:SingleSignOnService>",
        binding::POST
    );
    company
        .idp
        .metadata()
        .replace("</md:IDPSSODescriptor>", &format!("{service}</md:IDPSSODescriptor>"))
}

/// The certificate that our metadata says requests are signed with, if it says that they are.
async fn our_metadata(company: &Company<'_>) -> String {
    let url = company.house.url(&format!("/saml/sp/{}", company.space.id));
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

/// The page that a browser gets instead of a redirect; its binding cookie stays in the browser.
async fn posted(house: &TestHouse, company: &Company<'_>, browser: &Client) -> Vec<u8> {
    let page = browser.get(company.portal("/login/start")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK, "{}", house.url(""));
    assert!(header(&page, "set-cookie").contains("sign_in_binding="));
    assert_eq!(header(&page, "cache-control"), "no-store");
    let policy = header(&page, "content-security-policy").to_owned();
    assert!(policy.ends_with("form-action 'self' https://idp.example.com"), "{policy}");
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(page.contains(&format!("action=\"{POST_URL}\"")), "{page}");
    assert!(!page.contains("SAMLResponse"), "{page}");
    let (_, rest) = page.split_once("name=\"SAMLRequest\" value=\"").unwrap();
    let value = rest.split('"').next().unwrap().replace("&#43;", "+").replace("&#61;", "=");
    encoding::decode(&value).unwrap()
}

on_both! {
    async fn sso_21_requests_are_signed_when_that_is_decided(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        assert!(our_metadata(&company).await.contains("AuthnRequestsSigned=\"false\""));
        assert!(!company.start(&browser).await.contains("Signature="));

        decide(&company, &RequestSettings { sign: true, ..RequestSettings::default() }).await.unwrap();
        assert!(our_metadata(&company).await.contains("AuthnRequestsSigned=\"true\""));
        let address = company.start(&browser).await;
        let (signed, value) = address.split_once('?').unwrap().1.split_once("&Signature=").unwrap();
        let value = format!("v={value}");
        let (_, value) = url::form_urlencoded::parse(value.as_bytes()).next().unwrap();
        let value = encoding::decode(&value).unwrap();
        let id = company.space.id;
        let read = house.app.db.read(async |tx| space::key_pair(tx, id, KeyPurpose::ServiceProvider).await);
        let certificate = read.await.unwrap().public_certificate().unwrap();
        let mut verifier = Verifier::new(MessageDigest::sha256(), certificate.key()).unwrap();
        assert!(verifier.verify_oneshot(&value, signed.as_bytes()).unwrap());
        assert!(our_metadata(&company).await.contains(&certificate.base64()));
        company.sign_in(&browser, "alice").await;
    }

    async fn requests_are_posted_when_that_is_decided(house) {
        let company = Company::open(house, "acme").await;
        let by_post = RequestSettings { by_post: true, ..RequestSettings::default() };
        let refused = decide(&company, &by_post).await;
        assert!(matches!(refused, Err(sso::Error::NoPost)), "{refused:?}");
        describe(&company, &with_both(&company)).await;
        let browser = house.browser();
        // Redirects as before, until posts are wanted.
        assert!(company.start(&browser).await.starts_with(LOGIN_URL));
        for sign in [false, true] {
            decide(&company, &RequestSettings { sign, ..by_post.clone() }).await.unwrap();
            let message = posted(house, &company, &browser).await;
            let document = xml::parse(&message, Profile::Message).unwrap();
            let root = document.root();
            let mark = root.elements().find(|it| it.is(namespace::SIGNATURE, "Signature"));
            assert_eq!(mark.is_some(), sign);
            if let Some(mark) = mark {
                let id = company.space.id;
                let read = house.app.db.read(async |tx| space::key_pair(tx, id, KeyPurpose::ServiceProvider).await);
                let ours = [read.await.unwrap().public_certificate().unwrap()];
                assert!(signature::verify(mark, root, &ours).is_ok());
            }
            let request = AuthnRequest::from_xml(&message).unwrap();
            assert_eq!(request.destination.as_deref(), Some(POST_URL));
            let answer = company.idp.answer(&request, "alice", house.now().to_jiff());
            let accepted = company.post(&browser, &answer.signed().base64()).await;
            let inside = browser.get(location(&accepted)).send().await.unwrap();
            assert_eq!(location(&inside), company.portal(""));
        }
        // Metadata without that address takes the decision back.
        company.set_identity_provider().await;
        assert!(company.start(&browser).await.starts_with(LOGIN_URL));
    }

    async fn an_identity_provider_without_redirects_gets_posts(house) {
        let company = Company::open(house, "acme").await;
        let metadata = metadata_without_redirect(&company.idp).replace(LOGIN_URL, POST_URL);
        describe(&company, &metadata).await;
        let request = posted(house, &company, &house.browser()).await;
        assert!(AuthnRequest::from_xml(&request).is_ok());
    }

    async fn metadata_that_wants_signed_requests_gets_them(house) {
        let company = Company::open(house, "acme").await;
        let wants = "WantAuthnRequestsSigned=\"true\"";
        let metadata = company.idp.metadata().replace("WantAuthnRequestsSigned=\"false\"", wants);
        assert!(metadata.contains(wants));
        describe(&company, &metadata).await;
        assert!(company.start(&house.browser()).await.contains("&Signature="));
    }

    async fn requests_ask_for_what_is_decided(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let asked = async || company.idp.read(&company.start(&browser).await);
        let usual = asked().await;
        assert_eq!(usual.name_id_format.as_deref(), Some(name_id_format::UNSPECIFIED));
        assert!(!usual.force_authn && usual.authn_contexts.is_empty());
        for (name_id, format) in [
            (NameIdPolicy::Email, Some(name_id_format::EMAIL)),
            (NameIdPolicy::Persistent, Some(name_id_format::PERSISTENT)),
            (NameIdPolicy::Unsaid, None),
        ] {
            let settings = RequestSettings { name_id, ..RequestSettings::default() };
            decide(&company, &settings).await.unwrap();
            assert_eq!(asked().await.name_id_format.as_deref(), format);
        }
        for bad in ["", "no uri", "urn:", "urn:a\nb", "1urn:a", &format!("urn:{}", "x".repeat(509))] {
            let authn_contexts = vec![bad.to_owned()];
            let settings = RequestSettings { authn_contexts, ..RequestSettings::default() };
            let refused = decide(&company, &settings).await;
            assert!(matches!(refused, Err(sso::Error::AuthnContexts)), "{bad}: {refused:?}");
        }
        let eleven = RequestSettings {
            authn_contexts: vec!["urn:a".to_owned(); 11],
            ..RequestSettings::default()
        };
        assert!(matches!(decide(&company, &eleven).await, Err(sso::Error::AuthnContexts)));
    }

    async fn what_is_demanded_is_looked_for_in_the_answer(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let other = "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken".to_owned();
        let settings = RequestSettings { authn_contexts: vec![other], ..RequestSettings::default() };
        decide(&company, &settings).await.unwrap();
        let request = company.idp.read(&company.start(&browser).await);
        assert_eq!(request.authn_contexts, settings.authn_contexts);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
        let given = answer.xml.split("<saml:AuthnContextClassRef>").nth(1).unwrap();
        let given = given.split('<').next().unwrap().to_owned();
        let refused = company.post(&browser, &answer.base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::AuthnContext).await;
        let authn_contexts = vec![PASSWORD.to_owned(), given];
        decide(&company, &RequestSettings { authn_contexts, ..settings }).await.unwrap();
        company.sign_in(&browser, "alice").await;
    }

    async fn an_old_authentication_is_not_a_new_one(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let settings = RequestSettings { force_authn: true, ..RequestSettings::default() };
        decide(&company, &settings).await.unwrap();
        let request = company.idp.read(&company.start(&browser).await);
        assert!(request.force_authn);
        let now = house.now().to_jiff();
        let answer = company.idp.answer(&request, "alice", now);
        let old = identity_center::saml::instant::format(now - SignedDuration::from_secs(61));
        let mark = format!("AuthnInstant=\"{}\"", identity_center::saml::instant::format(now));
        let stale = answer.unsigned().change(&mark, &format!("AuthnInstant=\"{old}\""));
        let refused = company.post(&browser, &stale.sign_assertion(right_key()).base64()).await;
        expect_refusal(&company, refused, "SamlResponseRefused", Check::ForceAuthn).await;
        company.sign_in(&browser, "alice").await;
    }
}
