//! Signatures: algorithms, transforms, keys. Variants are signed for real, so
//! that only the rule under test can refuse them.

use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::house::*;
use crate::saml::certificate::{Certificate, CertificateError, SigningKey};
use crate::saml::namespace::{EXCLUSIVE_C14N, SIGNATURE};
use crate::saml::response::Expected;
use crate::saml::trace::Check;
use crate::saml::{c14n, encoding, xml};

const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

pub(super) fn self_signed(key: &PKey<Private>) -> Certificate {
    certificate_of(key).unwrap()
}

fn certificate_of(key: &PKey<Private>) -> Result<Certificate, CertificateError> {
    let mut builder = X509::builder().unwrap();
    builder.set_pubkey(key).unwrap();
    let (begins, ends) = (0, 4_000_000_000);
    builder.set_not_before(&openssl::asn1::Asn1Time::from_unix(begins).unwrap()).unwrap();
    builder.set_not_after(&openssl::asn1::Asn1Time::from_unix(ends).unwrap()).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    Certificate::from_der(&builder.build().to_der().unwrap())
}

pub(super) fn curve(nid: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(nid).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(super) fn our_private_key() -> PKey<Private> {
    PKey::private_key_from_pem(key().private_key_pem().unwrap().as_bytes()).unwrap()
}

/// A signature as freely as an attacker or a strange peer would write it.
struct Recipe<'a> {
    key: &'a PKey<Private>,
    method: &'a str,
    digest: MessageDigest,
    digest_method: &'a str,
    content_digest: MessageDigest,
    uri: &'a str,
    transforms: &'a str,
    prefixes: &'a [&'a str],
}

impl Recipe<'_> {
    /// Signs the assertion of the message, which may be any XML we can parse.
    fn sign(&self, message: &str) -> String {
        let document = xml::parse(message.as_bytes(), xml::Profile::Message).unwrap();
        let assertion = document.elements().find(|it| it.name().local == "Assertion").unwrap();
        let content = c14n::exclusive(assertion, self.prefixes, None);
        let digest = openssl::hash::hash(self.content_digest, &content).unwrap();
        let digest = encoding::encode(&digest);
        let Self { method, digest_method, uri, transforms, .. } = self;
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"{SIGNATURE}\"><ds:CanonicalizationMethod \
             Algorithm=\"{EXCLUSIVE_C14N}\"></ds:CanonicalizationMethod><ds:SignatureMethod \
             Algorithm=\"{method}\"></ds:SignatureMethod><ds:Reference URI=\"{uri}\">\
             <ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod \
             Algorithm=\"{digest_method}\"></ds:DigestMethod><ds:DigestValue>{digest}\
             </ds:DigestValue></ds:Reference></ds:SignedInfo>"
        );
        // What is signed is the canonical form, which a strange transform may not be written in.
        let tree = xml::parse(info.as_bytes(), xml::Profile::Message).unwrap();
        let canonical = c14n::exclusive(tree.root(), &[], None);
        let value = encoding::encode(&self.value(&canonical));
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{SIGNATURE}\">{info}<ds:SignatureValue>{value}\
             </ds:SignatureValue></ds:Signature>"
        );
        let start = message.find("<saml:Assertion").unwrap();
        let end = "</saml:Issuer>";
        let split = start + message[start..].find(end).unwrap() + end.len();
        format!("{}{signature}{}", &message[..split], &message[split..])
    }

    fn value(&self, bytes: &[u8]) -> Vec<u8> {
        if let Ok(ec) = self.key.ec_key() {
            let size = i32::try_from(ec.group().degree().div_ceil(8)).unwrap();
            let digest = openssl::hash::hash(self.digest, bytes).unwrap();
            let signature = EcdsaSig::sign(&digest, &ec).unwrap();
            let mut value = signature.r().to_vec_padded(size).unwrap();
            value.extend(signature.s().to_vec_padded(size).unwrap());
            return value;
        }
        let mut signer = openssl::sign::Signer::new(self.digest, self.key).unwrap();
        signer.sign_oneshot_to_vec(bytes).unwrap()
    }
}

fn transforms() -> String {
    format!(
        "<ds:Transform Algorithm=\"{SIGNATURE}enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{EXCLUSIVE_C14N}\"></ds:Transform>"
    )
}

fn recipe<'a>(key: &'a PKey<Private>, method: &'a str, transforms: &'a str) -> Recipe<'a> {
    Recipe {
        key,
        method,
        digest: MessageDigest::sha256(),
        digest_method: SHA256,
        content_digest: MessageDigest::sha256(),
        uri: "#_assertion",
        transforms,
        prefixes: &[],
    }
}

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

#[test]
fn every_accepted_algorithm_verifies_and_the_second_opinion_agrees() {
    let transforms = transforms();
    let keys = [
        ("rsa", our_private_key()),
        ("ecdsa", curve(Nid::X9_62_PRIME256V1)),
        ("ecdsa", curve(Nid::SECP384R1)),
        ("ecdsa", curve(Nid::SECP521R1)),
    ];
    let digests = [
        ("sha256", MessageDigest::sha256(), SHA256),
        ("sha384", MessageDigest::sha384(), "http://www.w3.org/2001/04/xmldsig-more#sha384"),
        ("sha512", MessageDigest::sha512(), "http://www.w3.org/2001/04/xmlenc#sha512"),
    ];
    for (kind, key) in &keys {
        let certificates = [self_signed(key)];
        let wanted = Expected { certificates: &certificates, ..expected() };
        for (name, digest, digest_method) in digests {
            let method = format!("http://www.w3.org/2001/04/xmldsig-more#{kind}-{name}");
            let mut recipe = recipe(key, &method, &transforms);
            recipe.digest = digest;
            recipe.content_digest = digest;
            recipe.digest_method = digest_method;
            let outcome = judge_as(&recipe.sign(&unsigned()), &wanted);
            assert_eq!(outcome.result.map(|it| it.name_id), Ok("alice".to_owned()), "{method}");
        }
    }
}

#[test]
fn rollover_from_rsa_to_ecdsa_leaves_both_working() {
    let new = curve(Nid::X9_62_PRIME256V1);
    let certificates = [self_signed(&new), key().certificate().clone()];
    let wanted = Expected { certificates: &certificates, ..expected() };
    assert!(judge_as(&issued().xml, &wanted).result.is_ok());
    let transforms = transforms();
    let method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    let signed = recipe(&new, method, &transforms).sign(&unsigned());
    assert!(judge_as(&signed, &wanted).result.is_ok());
    // An ECDSA signature, and only RSA keys to check it with.
    assert_eq!(refused_by(&signed), Check::Signature);
}

#[test]
fn old_hashes_are_refused() {
    let (key, transforms) = (our_private_key(), transforms());
    let mut sha1 = recipe(&key, "http://www.w3.org/2000/09/xmldsig#rsa-sha1", &transforms);
    sha1.digest = MessageDigest::sha1();
    assert_eq!(refused_by(&sha1.sign(&unsigned())), Check::Signature);
    let mut digest = recipe(&key, RSA_SHA256, &transforms);
    digest.content_digest = MessageDigest::sha1();
    digest.digest_method = "http://www.w3.org/2000/09/xmldsig#sha1";
    assert_eq!(refused_by(&digest.sign(&unsigned())), Check::Signature);
    // A key's bytes taken for a secret.
    let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    assert_eq!(refused_by(&recipe(&key, hmac, &transforms).sign(&unsigned())), Check::Signature);
}

#[test]
fn only_the_two_transforms_in_their_order() {
    let key = our_private_key();
    let enveloped =
        format!("<ds:Transform Algorithm=\"{SIGNATURE}enveloped-signature\"></ds:Transform>");
    let exclusive = format!("<ds:Transform Algorithm=\"{EXCLUSIVE_C14N}\"></ds:Transform>");
    let comments =
        format!("<ds:Transform Algorithm=\"{EXCLUSIVE_C14N}WithComments\"></ds:Transform>");
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">\
                 <ds:XPath>true()</ds:XPath></ds:Transform>";
    let good = format!("{enveloped}{exclusive}");
    assert!(judge(&recipe(&key, RSA_SHA256, &good).sign(&unsigned())).result.is_ok());
    for bad in [
        enveloped.clone(),
        exclusive.clone(),
        format!("{exclusive}{enveloped}"),
        format!("{enveloped}{comments}"),
        format!("{enveloped}{xpath}"),
        format!("{enveloped}{xpath}{exclusive}"),
        format!("{enveloped}{exclusive}{exclusive}"),
    ] {
        let signed = recipe(&key, RSA_SHA256, &bad).sign(&unsigned());
        assert_eq!(refused_by(&signed), Check::Signature, "{bad}");
    }
}

#[test]
fn the_reference_names_the_element_it_stands_in() {
    let (key, transforms) = (our_private_key(), transforms());
    for uri in ["", "#_response", "_assertion", "#xpointer(id('_assertion'))", "http://x.example/"]
    {
        let mut other = recipe(&key, RSA_SHA256, &transforms);
        other.uri = uri;
        assert_eq!(refused_by(&other.sign(&unsigned())), Check::Signature, "{uri}");
    }
}

#[test]
fn prefix_lists_are_honoured_and_bounded() {
    let key = our_private_key();
    let list = |prefixes: &str| {
        format!(
            "<ds:Transform Algorithm=\"{SIGNATURE}enveloped-signature\"></ds:Transform>\
             <ds:Transform Algorithm=\"{EXCLUSIVE_C14N}\"><ec:InclusiveNamespaces \
             xmlns:ec=\"{EXCLUSIVE_C14N}\" PrefixList=\"{prefixes}\"></ec:InclusiveNamespaces>\
             </ds:Transform>"
        )
    };
    let typed = unsigned().replace(
        "<samlp:Response ",
        "<samlp:Response xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" ",
    );
    let transforms = list("xs");
    let mut okta = recipe(&key, RSA_SHA256, &transforms);
    okta.prefixes = &["xs"];
    let signed = okta.sign(&typed);
    assert!(judge(&signed).result.is_ok());
    // The declaration is signed with the rest.
    let moved = signed.replace("http://www.w3.org/2001/XMLSchema\"", "http://www.w3.org/other\"");
    assert_eq!(refused_by(&moved), Check::Signature);
    let names = |count: usize| (0..count).map(|i| format!("p{i}")).collect::<Vec<_>>().join(" ");
    for (prefixes, fine) in [(names(16), true), (names(17), false), ("a:b".to_owned(), false)] {
        let transforms = list(&prefixes);
        let outcome = judge(&recipe(&key, RSA_SHA256, &transforms).sign(&unsigned()));
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
    assert_eq!(certificate_of(&weak).unwrap_err(), CertificateError::WeakKey { bits: 1024 });
    assert_eq!(certificate_of(&odd).unwrap_err(), CertificateError::UnsupportedKey);
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
