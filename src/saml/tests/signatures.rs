//! Signatures: what is accepted, and the keys. What is not is in the matrix. Variants are signed for
//! real, so that only the rule under test can refuse them.

use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};

use super::house::*;
use super::shared::keys::certificate;
use super::shared::recipe::{ECDSA_SHA256, Form, Maker, RSA_SHA256, Recipe, listing};
use crate::saml::cause::Cause;
use crate::saml::certificate::{Certificate, CertificateError, SigningKey};
use crate::saml::response::Expected;
use crate::saml::trace::Check;

pub(super) fn self_signed(key: &PKey<Private>) -> Certificate {
    certificate(key).unwrap()
}

pub(super) fn curve(nid: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(nid).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(super) fn our_private_key() -> PKey<Private> {
    PKey::private_key_from_pem(key().private_key_pem().unwrap().as_bytes()).unwrap()
}

#[test]
fn every_accepted_algorithm_verifies_and_the_second_opinion_agrees() {
    let keys = [
        ("rsa", our_private_key()),
        ("ecdsa", curve(Nid::X9_62_PRIME256V1)),
        ("ecdsa", curve(Nid::SECP384R1)),
        ("ecdsa", curve(Nid::SECP521R1)),
    ];
    let digests = [
        ("sha256", MessageDigest::sha256(), "http://www.w3.org/2001/04/xmlenc#sha256"),
        ("sha384", MessageDigest::sha384(), "http://www.w3.org/2001/04/xmldsig-more#sha384"),
        ("sha512", MessageDigest::sha512(), "http://www.w3.org/2001/04/xmlenc#sha512"),
    ];
    for (kind, key) in &keys {
        let certificates = [self_signed(key)];
        let wanted = Expected { certificates: &certificates, ..expected() };
        for (name, digest, digest_method) in digests {
            let method = format!("http://www.w3.org/2001/04/xmldsig-more#{kind}-{name}");
            let maker = Maker::Key(key, digest);
            let recipe = Recipe { maker, digest_method, digest, ..Recipe::good(key, &method) };
            for id in ["_assertion", "_response"] {
                let outcome = judge_as(&recipe.sign(&unsigned(), id).unwrap(), &wanted);
                let name = outcome.result.map(|it| it.name_id);
                assert_eq!(name, Ok("alice".to_owned()), "{method}, {id}");
            }
        }
    }
}

#[test]
fn rollover_from_rsa_to_ecdsa_leaves_both_working() {
    let (old, new) = (our_private_key(), curve(Nid::X9_62_PRIME256V1));
    let certificates = [self_signed(&new), key().certificate().clone()];
    let wanted = Expected { certificates: &certificates, ..expected() };
    assert!(judge_as(&issued().xml, &wanted).result.is_ok());
    let signed = Recipe::good(&new, ECDSA_SHA256).sign(&unsigned(), "_assertion").unwrap();
    assert!(judge_as(&signed, &wanted).result.is_ok());
    // And in one message, as where assertions and responses are signed by two parts of a product.
    let both = Recipe::good(&old, RSA_SHA256).sign(&signed, "_response").unwrap();
    let outcome = judge_as(&both, &wanted);
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    let opposite = Recipe::good(&old, RSA_SHA256).sign(&unsigned(), "_assertion").unwrap();
    let opposite = Recipe::good(&new, ECDSA_SHA256).sign(&opposite, "_response").unwrap();
    assert!(judge_as(&opposite, &wanted).result.is_ok());
    // An ECDSA signature, and only RSA keys to check it with.
    let refused = judge(&signed).result.unwrap_err();
    assert_eq!((refused.check, refused.cause), (Check::Signature, Cause::OtherKeyType));
}

#[test]
fn prefix_lists_are_honoured_and_bounded() {
    let key = our_private_key();
    let good = Recipe::good(&key, RSA_SHA256);
    let typed = unsigned().replace(
        "<samlp:Response ",
        "<samlp:Response xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" ",
    );
    let okta = Recipe { transforms: &listing("xs"), content: Form::Exclusive(&["xs"]), ..good };
    let signed = okta.sign(&typed, "_assertion").unwrap();
    assert!(judge(&signed).result.is_ok());
    // The declaration is signed with the rest.
    let moved = signed.replace("http://www.w3.org/2001/XMLSchema\"", "http://www.w3.org/other\"");
    assert_eq!(refused_by(&moved), Check::Signature);
    let names = |count: usize| (0..count).map(|i| format!("p{i}")).collect::<Vec<_>>().join(" ");
    for (prefixes, fine) in [(names(16), true), (names(17), false), ("a:b".to_owned(), false)] {
        let recipe = Recipe { transforms: &listing(&prefixes), ..good };
        let outcome = judge(&recipe.sign(&unsigned(), "_assertion").unwrap());
        assert_eq!(outcome.result.is_ok(), fine, "{prefixes}");
    }
}

#[test]
fn the_signature_stands_right_after_the_issuer() {
    let signed = sign_assertion(&unsigned());
    let signature = signature_of(&signed);
    let moved = signed
        .replace(&signature, "")
        .replace("<saml:Conditions", &format!("{signature}<saml:Conditions"));
    assert_eq!(refused_by(&moved), Check::Structure);
    let twice = signed.replace(&signature, &format!("{signature}{signature}"));
    assert_eq!(refused_by(&twice), Check::Structure);
}

#[test]
fn key_info_may_not_fetch() {
    let signed = sign_assertion(&unsigned());
    let fetch = signed.replace(
        "<ds:KeyInfo>",
        "<ds:KeyInfo><ds:RetrievalMethod URI=\"http://x.example/\"></ds:RetrievalMethod>",
    );
    assert_eq!(refused_by(&fetch), Check::Signature);
    let named = signed.replace("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>k</ds:KeyName>");
    assert!(judge(&named).result.is_ok());
}

#[test]
fn weak_and_foreign_keys_are_refused() {
    let weak = PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap()).unwrap();
    let odd = curve(Nid::SECP256K1);
    assert_eq!(certificate(&weak).unwrap_err(), CertificateError::WeakKey { bits: 1024 });
    assert_eq!(certificate(&odd).unwrap_err(), CertificateError::UnsupportedKey);
    let pem = key().private_key_pem().unwrap();
    assert_eq!(
        SigningKey::from_pem(&pem, &attacker().certificate().pem()).unwrap_err(),
        CertificateError::KeyMismatch
    );
    let again = SigningKey::from_pem(&pem, &key().certificate().pem()).unwrap();
    assert_eq!(again.certificate(), key().certificate());
    assert!(!format!("{again:?}").contains("PRIVATE"));
}

#[test]
fn certificates_show_their_facts() {
    let facts = key().certificate().facts();
    assert_eq!(facts.subject, "CN=idp");
    assert_eq!(facts.issuer, "CN=idp");
    assert_eq!(facts.version, 3);
    assert_eq!(facts.serial, "47070707070707070707070707070707");
    assert_eq!(facts.signature_algorithm, "sha256WithRSAEncryption");
    assert_eq!(facts.not_before, "2026-11-22T09:00:00Z".parse().unwrap());
    assert_eq!(facts.not_after, "2036-11-19T10:00:00Z".parse().unwrap());
    assert_eq!(facts.key.to_string(), "RSA 2048");
    assert_eq!(facts.fingerprint.len(), 64);
    let pem = key().certificate().pem();
    assert_eq!(&Certificate::from_pem(&pem).unwrap(), key().certificate());
    assert_eq!(&Certificate::from_file(key().certificate().der()).unwrap(), key().certificate());
    assert_eq!(
        Certificate::from_pem(&format!("{pem}{pem}")).unwrap_err(),
        CertificateError::SeveralCertificates
    );
    for bad in [&b""[..], b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA", &[0x30, 0x82, 0xff]] {
        assert_eq!(Certificate::from_file(bad).unwrap_err(), CertificateError::Malformed);
    }
}
