//! Algorithms and transforms that SAML does not allow, each in a signature that holds for whoever
//! allows it: made for real, by the right key, so that nothing but the rule refuses it.

use std::sync::PoisonError;

use openssl::dsa::Dsa;
use openssl::hash::MessageDigest;
use samael::crypto::{CertificateDer, Crypto, CryptoProvider as _, ReduceMode};

use super::signing::tampered;
use super::*;
use crate::saml::namespace::{EXCLUSIVE_C14N, SIGNATURE};
use crate::saml::second_opinion::NATIVE;
use crate::saml::tests::shared::recipe::{
    ECDSA_SHA256, Form, Maker, RSA_SHA256, Recipe, TRANSFORMS, listing,
};

const WEAK: (Check, Cause) = (Check::Signature, Cause::WeakAlgorithm);
const FORM: (Check, Cause) = (Check::Signature, Cause::SignatureForm);
const CANONICALIZATION: (Check, Cause) = (Check::Signature, Cause::OtherCanonicalization);
const OTHER: (Check, Cause) = (Check::Signature, Cause::OtherCertificate);
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const INCLUSIVE_11: &str = "http://www.w3.org/2006/12/xml-c14n11";
const COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const FILTER: &str = "http://www.w3.org/2002/06/xmldsig-filter2";
const XSLT: &str = "http://www.w3.org/TR/1999/REC-xslt-19991116";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for strange in methods().into_iter().chain(forms()) {
        for id in ["_assertion", "_response"] {
            let name = format!("{}, over {id}", strange.name);
            cases.push(Case::new(name, strange.sign(id), strange.by));
        }
    }
    // What stands in no signature's reach.
    cases.extend(tampered(
        "a signature in an object",
        "</ds:Signature>",
        "<ds:Object></ds:Object></ds:Signature>",
        FORM,
    ));
    for fetched in ["http://127.0.0.1/", "#_assertion"] {
        let to = format!("<ds:KeyInfo><ds:RetrievalMethod URI=\"{fetched}\"></ds:RetrievalMethod>");
        let name = format!("a key to fetch from {fetched}");
        cases.extend(tampered(&name, "<ds:KeyInfo>", &to, FORM));
    }
    cases
}

/// A signature of a strange kind.
struct Strange {
    name: &'static str,
    by: By,
    method: String,
    digest_method: String,
    canonicalization: &'static str,
    transforms: String,
    make: Make,
    content: Form<'static>,
    digest: MessageDigest,
    /// Whether the library that gives the second opinion would take it: then it is proved that
    /// nothing else is wrong with it.
    known: bool,
}

enum Make {
    Rsa(MessageDigest),
    Pss,
    Ecdsa(MessageDigest),
    Dsa(PKey<Private>, MessageDigest),
    Secret(Vec<u8>, MessageDigest),
}

impl Strange {
    fn new(name: &'static str, by: (Check, Cause)) -> Self {
        Self {
            name,
            by: by.into(),
            method: RSA_SHA256.to_owned(),
            digest_method: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            canonicalization: EXCLUSIVE_C14N,
            transforms: TRANSFORMS.to_owned(),
            make: Make::Rsa(MessageDigest::sha256()),
            content: Form::Exclusive(&[]),
            digest: MessageDigest::sha256(),
            known: false,
        }
    }

    fn sign(&self, id: &str) -> String {
        let maker = match &self.make {
            Make::Rsa(digest) => Maker::Key(private(), *digest),
            Make::Pss => Maker::Pss(private(), MessageDigest::sha256()),
            Make::Ecdsa(digest) => Maker::Key(elliptic(), *digest),
            Make::Dsa(key, digest) => Maker::Key(key, *digest),
            Make::Secret(secret, digest) => Maker::Secret(secret, *digest),
        };
        let inclusive = [INCLUSIVE, INCLUSIVE_11].contains(&self.canonicalization);
        let recipe = Recipe {
            maker,
            canonicalization: self.canonicalization,
            digest_method: &self.digest_method,
            transforms: &self.transforms,
            info: if inclusive { Form::Inclusive } else { Form::Exclusive(&[]) },
            content: self.content,
            digest: self.digest,
            ..Recipe::good(private(), &self.method)
        };
        recipe.sign(&unsigned(), id).expect(self.name)
    }
}

fn methods() -> Vec<Strange> {
    let (md5, sha1, sha256) =
        (MessageDigest::md5(), MessageDigest::sha1(), MessageDigest::sha256());
    let weak = |name, method: String, make| Strange { method, make, ..Strange::new(name, WEAK) };
    let dsa = PKey::from_dsa(Dsa::generate(1024).unwrap()).unwrap();
    let hmac = |name, secret: &[u8]| {
        weak(name, format!("{MORE}hmac-sha256"), Make::Secret(secret.to_vec(), sha256))
    };
    let certificate = key().certificate();
    let mut all = vec![
        Strange { known: true, ..weak("RSA with MD5", format!("{MORE}rsa-md5"), Make::Rsa(md5)) },
        Strange {
            known: true,
            ..weak("RSA with SHA-1", format!("{SIGNATURE}rsa-sha1"), Make::Rsa(sha1))
        },
        weak(
            "RSA-PSS",
            "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1".to_owned(),
            Make::Pss,
        ),
        weak("ECDSA with SHA-1", format!("{MORE}ecdsa-sha1"), Make::Ecdsa(sha1)),
        weak("DSA with SHA-1", format!("{SIGNATURE}dsa-sha1"), Make::Dsa(dsa.clone(), sha1)),
        weak(
            "DSA with SHA-256",
            "http://www.w3.org/2009/xmldsig11#dsa-sha256".to_owned(),
            Make::Dsa(dsa, sha256),
        ),
        // Whoever takes what everybody has for a secret believes everybody.
        hmac("HMAC with the public key, PEM", &private().public_key_to_pem().unwrap()),
        hmac("HMAC with the public key, DER", &private().public_key_to_der().unwrap()),
        hmac("HMAC with the certificate, PEM", certificate.pem().as_bytes()),
        hmac("HMAC with the certificate, DER", certificate.der()),
        hmac("HMAC with the certificate, base64", certificate.base64().as_bytes()),
        weak(
            "HMAC with SHA-1",
            format!("{SIGNATURE}hmac-sha1"),
            Make::Secret(certificate.pem().into_bytes(), sha1),
        ),
        weak("the method none", "none".to_owned(), Make::Rsa(sha256)),
        weak("no method", String::new(), Make::Rsa(sha256)),
        // An accepted method, and a value of another.
        Strange {
            method: ECDSA_SHA256.to_owned(),
            ..Strange::new("an RSA value under the name of ECDSA", OTHER)
        },
        Strange {
            make: Make::Ecdsa(sha256),
            ..Strange::new("an ECDSA value under the name of RSA", OTHER)
        },
        Strange {
            method: format!("{MORE}rsa-sha512"),
            ..Strange::new("a value with SHA-256 under the name of SHA-512", OTHER)
        },
    ];
    for (name, uri, digest, known) in [
        ("the digest SHA-1", format!("{SIGNATURE}sha1"), sha1, true),
        ("the digest MD5", format!("{MORE}md5"), md5, true),
        ("the digest SHA-224", format!("{MORE}sha224"), MessageDigest::sha224(), true),
        ("a digest of no name", "x".to_owned(), sha256, false),
    ] {
        all.push(Strange { digest_method: uri, digest, known, ..Strange::new(name, WEAK) });
    }
    all
}

fn forms() -> Vec<Strange> {
    let transform = |uri: &str, inside: &str| {
        format!("<ds:Transform Algorithm=\"{uri}\">{inside}</ds:Transform>")
    };
    let enveloped = transform(&format!("{SIGNATURE}enveloped-signature"), "");
    let exclusive = transform(EXCLUSIVE_C14N, "");
    let all_but = |uri, inside: &str| format!("{enveloped}{}{exclusive}", transform(uri, inside));
    let everything = format!("<f:XPath xmlns:f=\"{FILTER}\" Filter=\"union\">/</f:XPath>");
    let copy = "<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\">\
                <xsl:template match=\"/\"><xsl:copy-of select=\".\"></xsl:copy-of></xsl:template>\
                </xsl:stylesheet>";
    let mut all = Vec::new();
    for (name, canonicalization, known) in [
        ("SignedInfo by inclusive canonicalisation", INCLUSIVE, true),
        ("SignedInfo by canonicalisation 1.1", INCLUSIVE_11, true),
        ("SignedInfo with comments", COMMENTS, true),
        ("SignedInfo by no canonicalisation", "", false),
    ] {
        all.push(Strange { canonicalization, known, ..Strange::new(name, CANONICALIZATION) });
    }
    for (name, transforms, content, known) in [
        (
            "inclusive canonicalisation",
            format!("{enveloped}{}", transform(INCLUSIVE, "")),
            Form::Inclusive,
            true,
        ),
        (
            "canonicalisation 1.1",
            format!("{enveloped}{}", transform(INCLUSIVE_11, "")),
            Form::Inclusive,
            true,
        ),
        // Without a canonicalisation it is the inclusive one (XML signatures §4.4.3.2).
        ("no canonicalisation", enveloped.clone(), Form::Inclusive, true),
        (
            "canonicalisation with comments",
            format!("{enveloped}{}", transform(COMMENTS, "")),
            Form::Exclusive(&[]),
            true,
        ),
        (
            "canonicalisation before the signature is left out",
            format!("{exclusive}{enveloped}"),
            Form::Exclusive(&[]),
            false,
        ),
        ("the signature left in", exclusive.clone(), Form::Exclusive(&[]), false),
        (
            "canonicalisation twice",
            format!("{enveloped}{exclusive}{exclusive}"),
            Form::Exclusive(&[]),
            true,
        ),
        (
            "an XPath that keeps all",
            all_but(XPATH, "<ds:XPath>true()</ds:XPath>"),
            Form::Exclusive(&[]),
            true,
        ),
        (
            "an XPath filter that keeps all",
            all_but(FILTER, &everything),
            Form::Exclusive(&[]),
            true,
        ),
        ("an XSLT that copies all", all_but(XSLT, copy), Form::Exclusive(&[]), true),
        (
            "base64, of which nothing is left",
            format!("{enveloped}{}", transform(&format!("{SIGNATURE}base64"), "")),
            Form::Bytes(b""),
            false,
        ),
        (
            "seventeen prefixes",
            listing(&(0..17).map(|at| format!("p{at}")).collect::<Vec<_>>().join(" ")),
            Form::Exclusive(&[]),
            true,
        ),
        (
            "prefixes that are long to look for",
            listing(
                &(0..16).map(|at| format!("{}{at}", "p".repeat(240))).collect::<Vec<_>>().join(" "),
            ),
            Form::Exclusive(&[]),
            true,
        ),
        (
            "a thousand transforms",
            format!("{}{exclusive}", enveloped.repeat(1_000)),
            Form::Exclusive(&[]),
            true,
        ),
    ] {
        all.push(Strange { transforms, content, known, ..Strange::new(name, FORM) });
    }
    all
}

#[test]
fn what_is_refused_for_its_algorithm_is_right_in_everything_else() {
    let mut wrong = Vec::new();
    for id in ["_assertion", "_response"] {
        let honest = Strange { known: true, ..Strange::new("nothing strange", FORM) };
        let accepted = judge_as(&honest.sign(id), &expected());
        assert_eq!(accepted.result.unwrap().identity, "alice");
        for strange in methods().into_iter().chain(forms()).chain([honest]) {
            let _held = NATIVE.lock().unwrap_or_else(PoisonError::into_inner);
            let theirs = Crypto::reduce_xml_to_signed_with_allowed_algorithms(
                &strange.sign(id),
                &[CertificateDer::from(key().certificate().der().to_vec())],
                ReduceMode::PreDigest,
                None,
            );
            if theirs.is_ok() != strange.known {
                wrong.push((strange.name, id, theirs.err()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
