//! A response: it is refused, or xmlsec1 verifies the very bytes that came, and another XML parser
//! reads the same name and the same audience in the only assertion.
//!
//! An input is a message as it stands, or edits to a good one that is signed, and encrypted, after
//! them: no fuzzer gets past a signature by luck.

#![no_main]

use identity_center_fuzz::{
    saml::{
        c14n, encoding,
        encryption::open,
        namespace::{ASSERTION, SIGNATURE},
        response::{self, VerifiedAssertion},
        second_opinion,
        signature::{self, Verified},
        xml::{self, Document, Element, Profile},
    },
    service_provider::{GOOD, SP, certificates, decryption_keys, expected, hands},
    shared::edits::{EDITED, Made},
};
use libfuzzer_sys::fuzz_target;

fn parse(message: &[u8]) -> Document {
    xml::parse(message, Profile::Message).expect("what was accepted is parsed")
}

/// The signature of an element, if it has one.
fn verified(element: Element<'_>) -> Option<Verified<'static>> {
    let its_own = element.elements().find(|it| it.is(SIGNATURE, "Signature"))?;
    Some(signature::verify(its_own, element, certificates()).expect("it was accepted"))
}

/// Holds the signatures of these bytes, of the root and of what is in it, against xmlsec1.
fn same_signatures(bytes: &[u8], root: Element<'_>, within: Option<Element<'_>>) {
    let text = std::str::from_utf8(bytes).expect("what is accepted is UTF-8");
    let bytes = text.trim_start_matches('\u{feff}').as_bytes();
    let (around, inside) = (verified(root), within.and_then(verified));
    let agreed = match (&around, &inside) {
        (None, None) => Ok(()),
        (Some(it), None) | (None, Some(it)) => {
            second_opinion::ask_signature(bytes, &[it.certificate.clone()], &it.canonical)
        }
        (Some(around), Some(inside)) if around.certificate == inside.certificate => {
            let by = [around.certificate.clone()];
            second_opinion::ask_signature(bytes, &by, &around.canonical)
        }
        // One at a time: see there.
        (Some(around), Some(inside)) => second_opinion::ask_outermost(bytes, around.certificate)
            .and_then(|()| {
                let (alone, by) = (within.map(c14n::alone), [inside.certificate.clone()]);
                second_opinion::ask_signature(&alone.unwrap_or_default(), &by, &inside.canonical)
            }),
    };
    agreed.expect("xmlsec1 agrees");
}

/// Holds what was read of the one assertion in these bytes against another parser.
fn same_content(bytes: &[u8], accepted: &VerifiedAssertion) {
    let text = std::str::from_utf8(bytes).expect("what is accepted is UTF-8");
    let text = text.trim_start_matches('\u{feff}');
    let other = roxmltree::Document::parse(text).expect("another parser reads it");
    let named = |local: &str| {
        let found: Vec<_> =
            other.descendants().filter(|it| it.has_tag_name((ASSERTION, local))).collect();
        found
    };
    assert_eq!(named("Assertion").len(), 1);
    assert_eq!(named("Assertion")[0].attribute("ID"), Some(accepted.assertion_id.as_str()));
    let text_of = |parent: &str, local: &str| -> Vec<String> {
        let within = |it: &roxmltree::Node<'_, '_>| {
            it.parent().is_some_and(|it| it.has_tag_name((ASSERTION, parent)))
        };
        let found = named(local).into_iter().filter(within);
        found.map(|it| xml::trim(it.text().unwrap_or_default()).to_owned()).collect()
    };
    assert_eq!(text_of("Subject", "NameID"), [accepted.name_id.clone()]);
    assert!(text_of("AudienceRestriction", "Audience").iter().any(|it| it == SP));
}

fn judge(message: &[u8], inside: Option<&str>) {
    let encoded = encoding::encode(message);
    let outcome = response::verify(&encoded, &expected(false));
    let Ok(accepted) = outcome.result else {
        assert!(outcome.trace.first_failure().is_some_and(|entry| entry.cause.is_some()));
        return;
    };
    // As it happens in earnest, where it sees only what we have written anew.
    let second = response::verify(&encoded, &expected(true));
    assert!(second.result.is_ok(), "xmlsec1 does not agree with what we wrote");
    let document = parse(message);
    let root = document.root();
    let sealed = root.elements().find(|it| it.is(ASSERTION, "EncryptedAssertion"));
    let Some(sealed) = sealed else {
        let assertion = root.elements().find(|it| it.is(ASSERTION, "Assertion"));
        same_signatures(message, root, assertion);
        same_content(message, &accepted);
        return;
    };
    same_signatures(message, root, None);
    // What was encrypted is the bytes that we encrypted, or, where others did, what came out.
    let is_signed = verified(root).is_some();
    let opened = open(sealed, decryption_keys(), is_signed).expect("it was accepted");
    let written = c14n::whole(&opened.document);
    let inside = inside.map_or(written.as_slice(), str::as_bytes);
    same_signatures(inside, opened.document.root(), None);
    same_content(inside, &accepted);
}

fuzz_target!(|input: &[u8]| {
    // As it may come: most of this is not base64.
    if let Ok(text) = std::str::from_utf8(input) {
        assert!(response::verify(text, &expected(false)).result.is_err());
    }
    if !input.first().is_some_and(|how| *how < EDITED) {
        judge(input, None);
    } else if let Some(Made { message, inside }) = hands().make(GOOD, input) {
        judge(message.as_bytes(), inside.as_deref());
    }
});
