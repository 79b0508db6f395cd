//! A logout message: it is refused, or it is signed and another XML parser reads the same name in it.
//! And what is encrypted in a message: whatever it is, opening it ends in an error of ours.

#![no_main]

use std::{io::Write as _, sync::OnceLock};

use flate2::{Compression, write::DeflateEncoder};
use identity_center_fuzz::{
    saml::{
        certificate::SigningKey,
        encoding,
        encryption::{self, DecryptionKey},
        logout::{Expected, Received, Verified},
        namespace::{ASSERTION, PROTOCOL, SIGNATURE},
        xml::{self, Profile},
    },
    service_provider::{IDP, SLO, certificates, now},
};
use libfuzzer_sys::fuzz_target;
use url::form_urlencoded;

fn ours() -> &'static [DecryptionKey] {
    static KEYS: OnceLock<Vec<DecryptionKey>> = OnceLock::new();
    KEYS.get_or_init(|| vec![SigningKey::generate("fuzz", now(), [1; 16]).expect("a key").into()])
}

fn expected() -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        certificates: certificates(),
        decryption_keys: ours(),
        url: SLO,
        now: now(),
        skew: jiff::SignedDuration::from_secs(60),
    }
}

/// Holds what was accepted of a form against what another parser reads.
fn agree(message: &[u8], received: &Received) {
    let outcome = received.judge(&expected());
    let Ok(verified) = outcome.result else {
        assert!(outcome.trace.failures().next().is_some());
        return;
    };
    assert!(outcome.is_proved);
    let text = std::str::from_utf8(message).expect("what is accepted is UTF-8");
    let other = roxmltree::Document::parse(text.trim_start_matches('\u{feff}'))
        .expect("another parser reads it");
    let root = other.root_element();
    let only = |namespace: &str, local: &str| {
        let found: Vec<_> =
            other.descendants().filter(|it| it.has_tag_name((namespace, local))).collect();
        assert_eq!(found.len(), 1, "{local}");
        found[0]
    };
    assert_eq!(only(SIGNATURE, "Signature").parent(), Some(root), "it is signed as a whole");
    assert_eq!(xml::trim(only(ASSERTION, "Issuer").text().unwrap_or_default()), IDP);
    match verified {
        Verified::Request(request) => {
            assert!(root.has_tag_name((PROTOCOL, "LogoutRequest")));
            let name = only(ASSERTION, "NameID");
            assert_eq!(xml::trim(name.text().unwrap_or_default()), request.name_id);
            assert_eq!(root.attribute("ID"), Some(request.id.as_str()));
        }
        Verified::Response(response) => {
            assert!(root.has_tag_name((PROTOCOL, "LogoutResponse")));
            assert_eq!(root.attribute("InResponseTo"), Some(response.in_response_to.as_str()));
        }
    }
}

fuzz_target!(|message: &[u8]| {
    // As it may come, in an address and in a form.
    if let Ok(text) = std::str::from_utf8(message) {
        let _ = Received::from_query(text).judge(&expected());
    }
    let _ = Received::from_form(message).judge(&expected());
    // As what was meant: posted with whatever signature it has, and redirected with none.
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(message).expect("memory");
    let deflated = encoding::encode(&deflated.finish().expect("memory"));
    for name in ["SAMLRequest", "SAMLResponse"] {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let form = form.append_pair(name, &encoding::encode(message)).finish();
        agree(message, &Received::from_form(form.as_bytes()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair(name, &deflated).finish();
        assert!(Received::from_query(&query).judge(&expected()).result.is_err(), "not signed");
    }
    // Behind the signature, which no fuzzer passes.
    if let Ok(document) = xml::parse(message, Profile::Message) {
        for element in document.elements() {
            if element.is(ASSERTION, "EncryptedID") {
                assert!(encryption::open_name(element, ours()).is_err());
            } else if element.is(ASSERTION, "EncryptedAssertion") {
                assert!(encryption::open(element, ours(), true).is_err());
            }
        }
    }
});
