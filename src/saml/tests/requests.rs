//! Requests: written, signed either way, read again; and what a response must say of the demands.

use openssl::hash::MessageDigest;
use openssl::sign::Verifier;

use super::house::*;
use crate::saml::redirect::RedirectError;
use crate::saml::request::{AuthnRequest, AuthnRequestToSend, RequestError};
use crate::saml::response::Expected;
use crate::saml::trace::{Check, Verdict};
use crate::saml::xml::{self, Profile};
use crate::saml::{c14n, encoding, name_id_format, second_opinion, signature};

pub fn request() -> AuthnRequestToSend<'static> {
    AuthnRequestToSend {
        id: REQUEST,
        now: now(),
        issuer: SP,
        destination: "https://idp.example.com/sso?tenant=1",
        acs_url: ACS,
        force_authn: true,
        name_id_format: Some(name_id_format::EMAIL),
        authn_contexts: &[],
    }
}

fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[test]
fn a_request_survives_the_redirect() {
    let contexts = ["urn:a".to_owned(), "urn:b&c".to_owned()];
    let request = AuthnRequestToSend { authn_contexts: &contexts, ..request() };
    let address = request.redirect_url(Some("handle"), None).unwrap();
    assert!(address.starts_with("https://idp.example.com/sso?tenant=1&SAMLRequest="));
    assert_eq!(parameter(&address, "RelayState").as_deref(), Some("handle"));
    assert_eq!(parameter(&address, "Signature"), None);
    let message = parameter(&address, "SAMLRequest").unwrap();
    let read = AuthnRequest::from_redirect(&message).unwrap();
    assert_eq!(read.id, REQUEST);
    assert_eq!(read.issuer, SP);
    assert_eq!(read.acs_url.as_deref(), Some(ACS));
    assert_eq!(read.issue_instant, now());
    assert_eq!(read.name_id_format.as_deref(), Some(name_id_format::EMAIL));
    assert_eq!(read.authn_contexts, contexts);
    assert!(read.force_authn && !read.is_passive);
}

#[test]
fn what_is_not_asked_for_is_not_there() {
    let plain = AuthnRequestToSend { force_authn: false, name_id_format: None, ..request() };
    let xml = plain.xml(None).unwrap();
    for absent in ["ForceAuthn", "NameIDPolicy", "RequestedAuthnContext", "Signature"] {
        assert!(!xml.contains(absent), "{xml}");
    }
}

#[test]
fn a_request_is_bounded_and_strict() {
    use std::io::Write as _;
    let long = "x".repeat(81);
    assert!(matches!(request().redirect_url(Some(&long), None), Err(RequestError::RelayState)));
    let mut bad = request();
    bad.destination = "javascript:alert(1)";
    assert!(matches!(bad.redirect_url(None, None), Err(RequestError::Location(_))));
    assert!(matches!(bad.post_message(None), Err(RequestError::Location(_))));
    let mut bomb = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 10_000_000]).unwrap();
    let bomb = encoding::encode(&bomb.finish().unwrap());
    assert!(matches!(
        AuthnRequest::from_redirect(&bomb),
        Err(RequestError::Redirect(RedirectError::Inflate))
    ));
    assert!(matches!(
        AuthnRequest::from_redirect("%%"),
        Err(RequestError::Redirect(RedirectError::Base64))
    ));
    let xml = request().xml(None).unwrap().replace("Version=\"2.0\"", "Version=\"1.1\"");
    assert!(matches!(AuthnRequest::from_xml(xml.as_bytes()), Err(RequestError::Shape(_))));
}

/// Verified as the binding says (§3.4.4.1): over the parameters as they stand in the address, cut
/// out of it and not written anew.
#[test]
fn a_redirect_is_signed_over_its_own_bytes() {
    for relay_state in [None, Some("a handle+/=&?")] {
        let address = request().redirect_url(relay_state, Some(key())).unwrap();
        let query = address.split_once("tenant=1&").unwrap().1;
        let (signed, value) = query.split_once("&Signature=").unwrap();
        assert!(signed.starts_with("SAMLRequest=") && !value.contains('&'), "{query}");
        assert_eq!(signed.contains("&RelayState="), relay_state.is_some());
        let algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        assert_eq!(parameter(&address, "SigAlg").as_deref(), Some(algorithm));
        assert!(signed.rsplit('&').next().unwrap().starts_with("SigAlg="), "{signed}");
        let value = encoding::decode(&parameter(&address, "Signature").unwrap()).unwrap();
        let holds = |text: &str| {
            let mut verifier =
                Verifier::new(MessageDigest::sha256(), key().certificate().key()).unwrap();
            verifier.verify_oneshot(&value, text.as_bytes()).unwrap()
        };
        assert!(holds(signed));
        assert!(!holds(&signed.replace("SAMLRequest=", "SAMLRequest=A")));
        // The message inside has no signature of its own: the two bindings do not mix.
        let message = parameter(&address, "SAMLRequest").unwrap();
        assert!(AuthnRequest::from_redirect(&message).is_ok());
        let plain = request().redirect_url(relay_state, None).unwrap();
        assert_eq!(parameter(&plain, "SAMLRequest"), Some(message));
    }
}

#[test]
fn a_posted_request_is_signed_inside_and_both_implementations_agree() {
    let contexts = ["urn:a".to_owned()];
    let request = AuthnRequestToSend { authn_contexts: &contexts, ..request() };
    let message = encoding::decode(&request.post_message(Some(key())).unwrap()).unwrap();
    let document = xml::parse(&message, Profile::Message).unwrap();
    assert_eq!(c14n::whole(&document), message, "canonical as written");
    let root = document.root();
    let mark = root.elements().nth(1).unwrap();
    let verified = signature::verify(mark, root, certificates()).unwrap();
    let agreed = second_opinion::ask_signature(&message, certificates(), &verified.canonical);
    assert_eq!(agreed, Ok(()));
    let others = [attacker().certificate().clone()];
    assert!(signature::verify(mark, root, &others).is_err());
    let read = AuthnRequest::from_xml(&message).unwrap();
    assert_eq!((read.id.as_str(), read.authn_contexts.as_slice()), (REQUEST, &contexts[..]));
    let plain = request.post_message(None).unwrap();
    assert_eq!(encoding::decode(&plain).unwrap(), request.xml(None).unwrap().as_bytes());
}

const CLASS: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:";

#[test]
fn a_demanded_way_to_authenticate_is_looked_for_in_the_answer() {
    let message = issued().xml;
    let (_, rest) = message.split_once("<saml:AuthnContextClassRef>").unwrap();
    let given = rest.split('<').next().unwrap().to_owned();
    assert!(given.starts_with(CLASS), "{given}");
    let other = format!("{CLASS}Kerberos");
    let judged = |xml: &str, contexts: &[String]| {
        let outcome = judge_as(xml, &Expected { authn_contexts: contexts, ..expected() });
        outcome.result.err().map(|refusal| refusal.check)
    };
    assert_eq!(judged(&message, &[]), None);
    assert_eq!(judged(&message, std::slice::from_ref(&given)), None);
    assert_eq!(judged(&message, &[other.clone(), given.clone()]), None);
    assert_eq!(judged(&message, &[other]), Some(Check::AuthnContext));
    assert_eq!(judged(&message, &[given.to_uppercase()]), Some(Check::AuthnContext));
    let element = format!("<saml:AuthnContextClassRef>{given}</saml:AuthnContextClassRef>");
    // Nothing said at all is no statement; another kind of word is one, and not the demanded one.
    assert_eq!(judged(&changed(&element, ""), &[]), Some(Check::Structure));
    let declared = "<saml:AuthnContextDeclRef>urn:declared</saml:AuthnContextDeclRef>";
    let silent = changed(&element, declared);
    assert_eq!(judged(&silent, &[]), None);
    assert_eq!(judged(&silent, std::slice::from_ref(&given)), Some(Check::AuthnContext));
    // Of two statements both must say so.
    let assertion = assertion_of(&unsigned());
    let start = assertion.find("<saml:AuthnStatement").unwrap();
    let end = assertion.find("</saml:AuthnStatement>").unwrap() + "</saml:AuthnStatement>".len();
    let first = &assertion[start..end];
    let second = first.replace(&given, &format!("{CLASS}Password2"));
    let two = changed(first, &format!("{first}{second}"));
    assert_eq!(judged(&two, &[given]), Some(Check::AuthnContext));
}

#[test]
fn a_fresh_authentication_is_fresh_to_the_second() {
    let message = issued().xml;
    let at = |since: i64| {
        let since = now() + jiff::SignedDuration::from_secs(since);
        let outcome =
            judge_as(&message, &Expected { authenticated_since: Some(since), ..expected() });
        let entry = outcome.trace.entries().iter().find(|it| it.check == Check::ForceAuthn);
        (entry.unwrap().verdict, outcome.result.err().map(|refusal| refusal.check))
    };
    // Authenticated at 0, with 60 seconds of skew.
    assert_eq!(at(-100), (Verdict::Passed, None));
    assert_eq!(at(60), (Verdict::Passed, None));
    assert_eq!(at(61), (Verdict::Failed, Some(Check::ForceAuthn)));
}
