//! A response: it is refused, or xmlsec1 verifies it too, and another XML parser reads the same name
//! and the same audience in the only assertion.

#![no_main]

use identity_center_fuzz::{
    saml::{encoding, namespace::ASSERTION, response, xml},
    service_provider::{SP, expected},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    // As it may come: most of this is not base64.
    if let Ok(text) = std::str::from_utf8(message) {
        assert!(response::verify(text, &expected(false)).result.is_err());
    }
    let encoded = encoding::encode(message);
    let outcome = response::verify(&encoded, &expected(false));
    let Ok(verified) = outcome.result else {
        assert!(outcome.trace.first_failure().is_some_and(|entry| entry.cause.is_some()));
        return;
    };
    let second = response::verify(&encoded, &expected(true));
    assert!(second.result.is_ok(), "xmlsec1 does not agree");
    let text = std::str::from_utf8(message).expect("what is accepted is UTF-8");
    let text = text.trim_start_matches('\u{feff}');
    let other = roxmltree::Document::parse(text).expect("another parser reads it");
    let named = |local: &str| {
        let found: Vec<_> =
            other.descendants().filter(|it| it.has_tag_name((ASSERTION, local))).collect();
        found
    };
    assert_eq!(named("Assertion").len(), 1);
    let text_of = |local: &str| {
        let found = named(local);
        assert_eq!(found.len(), 1, "{local}");
        xml::trim(found[0].text().unwrap_or_default()).to_owned()
    };
    assert_eq!(text_of("NameID"), verified.name_id);
    assert_eq!(text_of("Audience"), SP);
});
