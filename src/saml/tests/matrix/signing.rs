//! Signatures that are missing, borrowed, of another kind, or about something else.

use super::*;
use crate::saml::tests::house::{attacker, signature_of, strip_signatures};

const SIGNATURE: &[Check] = &[Check::Signature];
const SIGNATURE_OR_SHAPE: &[Check] =
    &[Check::Signature, Check::Structure, Check::UniqueIds, Check::Xml];

/// Every signed form with one text in it changed after it was signed.
fn tampered(name: &str, from: &str, to: &str, by: &'static [Check]) -> Vec<Case> {
    let case = |what| {
        let message = sign(&unsigned(), what);
        assert!(message.contains(from), "{name}: nothing to change: {from}");
        Case::new(format!("{name}, signed: {what:?}"), message.replacen(from, to, 1), by)
    };
    EVERY.map(case).into()
}

pub(super) fn stripping() -> Vec<Case> {
    let mut cases = vec![Case::new("no signature", unsigned(), SIGNATURE)];
    for part in [
        "SignatureValue",
        "SignedInfo",
        "Reference",
        "DigestValue",
        "DigestMethod",
        "SignatureMethod",
        "CanonicalizationMethod",
        "Transforms",
    ] {
        for what in EVERY {
            let message = sign(&unsigned(), what);
            let start = message.find(&format!("<ds:{part}")).unwrap();
            let close = format!("</ds:{part}>");
            let end = start + message[start..].find(&close).unwrap() + close.len();
            let without = format!("{}{}", &message[..start], &message[end..]);
            cases.push(Case::new(format!("no {part}, signed: {what:?}"), without, SIGNATURE));
        }
    }
    cases.extend(tampered(
        "an empty value",
        "<ds:SignatureValue>",
        "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:x>",
        SIGNATURE_OR_SHAPE,
    ));
    let both = sign(&unsigned(), Signed::Both);
    let emptied = both.replace(
        &signature_of(&both),
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>",
    );
    cases.push(Case::new("an empty signature beside a good one", emptied, SIGNATURE));
    cases
}

pub(super) fn substitution() -> Vec<Case> {
    let mut cases = Vec::new();
    // By a key that nobody configured, in all positions, beside a good one or alone.
    let plain = assertion_of(&unsigned());
    let by_attacker = unsigned().replace(&plain, &sign_element(&plain, "_assertion", attacker()));
    cases.push(Case::new("the attacker's key over the assertion", by_attacker.clone(), SIGNATURE));
    cases.push(Case::new(
        "the attacker's key over the response",
        sign_element(&unsigned(), "_response", attacker()),
        SIGNATURE,
    ));
    cases.push(Case::new(
        "the attacker's key inside a good signature",
        sign_element(&by_attacker, "_response", key()),
        SIGNATURE,
    ));
    let good = sign(&unsigned(), Signed::Assertion);
    cases.push(Case::new(
        "the attacker's key around a good signature",
        sign_element(&good, "_response", attacker()),
        SIGNATURE,
    ));
    // The right certificate beside the wrong signature, and the other way round.
    let (ours, theirs) = (key().certificate().base64(), attacker().certificate().base64());
    cases.push(Case::new(
        "the attacker's key with the right certificate",
        by_attacker.replace(&theirs, &ours),
        SIGNATURE,
    ));
    // A good signature of another message of the same identity provider.
    let other = sign(&unsigned().replace(">alice<", ">bob<"), Signed::Assertion);
    let borrowed = good.replace(&signature_of(&good), &signature_of(&other));
    cases.push(Case::new("the signature of another assertion", borrowed, SIGNATURE));
    for (name, from, to) in [
        ("another name", ">alice<", ">alicf<"),
        ("another group", "groups", "groupz"),
        ("another audience", "<saml:Audience>https://sp", "<saml:Audience>https://sq"),
        ("another time", "10:05:00Z", "10:06:00Z"),
        ("a later session end", "11:00:00Z", "12:00:00Z"),
        (
            "one more attribute",
            "</saml:AttributeStatement>",
            "<saml:Attribute Name=\"role\"></saml:Attribute></saml:AttributeStatement>",
        ),
    ] {
        cases.extend(tampered(
            name,
            from,
            to,
            &[Check::Signature, Check::Audience, Check::Recipient, Check::ConfirmationExpiry],
        ));
    }
    cases
}

pub(super) fn references() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, id) in [(Signed::Assertion, "_assertion"), (Signed::Response, "_response")] {
        let message = sign(&unsigned(), what);
        let from = format!("URI=\"#{id}\"");
        for uri in [
            "",
            "#",
            "#_nothing",
            "#_Assertion",
            "_assertion",
            "#xpointer(/)",
            "#xpointer(id('_assertion'))",
            "http://127.0.0.1/a.xml",
            "file:///etc/passwd",
            "cid:x",
            "#_assertion#_response",
        ] {
            let name = format!("a reference to {uri:?}, signed: {what:?}");
            let message = message.replacen(&from, &format!("URI=\"{uri}\""), 1);
            cases.push(Case::new(name, message, SIGNATURE));
        }
        let name = format!("a reference without URI, signed: {what:?}");
        cases.push(Case::new(name, message.replacen(&format!(" {from}"), "", 1), SIGNATURE));
        let start = message.find("<ds:Reference").unwrap();
        let end = message.find("</ds:Reference>").unwrap() + "</ds:Reference>".len();
        let twice = format!("{}{}{}", &message[..end], &message[start..end], &message[end..]);
        cases.push(Case::new(format!("two references, signed: {what:?}"), twice, SIGNATURE));
    }
    for attribute in ["Id", "id", "iD"] {
        let message = sign(&unsigned(), Signed::Assertion);
        let message = message.replacen(
            "<ds:KeyInfo>",
            &format!("<ds:KeyInfo {attribute}=\"_assertion\">"),
            1,
        );
        cases.push(Case::new(
            format!("the same ID as {attribute} of KeyInfo"),
            message,
            &[Check::UniqueIds, Check::Signature],
        ));
    }
    cases.extend(changed(
        "response and assertion share an ID",
        "ID=\"_response\"",
        "ID=\"_assertion\"",
        &[Check::UniqueIds],
    ));
    cases.extend(changed(
        "an ID that is none",
        "ID=\"_response\"",
        "ID=\"1 2\"",
        &[Check::Structure],
    ));
    cases
}

pub(super) fn algorithms() -> Vec<Case> {
    let mut cases = Vec::new();
    let xmldsig = "http://www.w3.org/2000/09/xmldsig#";
    let more = "http://www.w3.org/2001/04/xmldsig-more#";
    let methods = [
        format!("{xmldsig}rsa-sha1"),
        format!("{xmldsig}dsa-sha1"),
        format!("{xmldsig}hmac-sha1"),
        format!("{more}rsa-md5"),
        format!("{more}hmac-sha256"),
        format!("{more}ecdsa-sha1"),
        format!("{more}ecdsa-sha256"),
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1".to_owned(),
        "none".to_owned(),
        String::new(),
    ];
    for method in methods {
        let to = format!("SignatureMethod Algorithm=\"{method}\"");
        let from = format!("SignatureMethod Algorithm=\"{more}rsa-sha256\"");
        cases.extend(tampered(&format!("the method {method:?}"), &from, &to, SIGNATURE));
    }
    for digest in [format!("{xmldsig}sha1"), format!("{more}md5"), "x".to_owned()] {
        let from = "DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"";
        let to = format!("DigestMethod Algorithm=\"{digest}\"");
        cases.extend(tampered(&format!("the digest {digest:?}"), from, &to, SIGNATURE));
    }
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let canonical = format!("CanonicalizationMethod Algorithm=\"{exclusive}\"");
    for other in [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    ] {
        let to = format!("CanonicalizationMethod Algorithm=\"{other}\"");
        cases.extend(tampered(
            &format!("the canonicalisation {other}"),
            &canonical,
            &to,
            SIGNATURE,
        ));
    }
    let enveloped =
        format!("<ds:Transform Algorithm=\"{xmldsig}enveloped-signature\"></ds:Transform>");
    for (name, to) in [
        ("no enveloped-signature transform", String::new()),
        ("an XPath transform", "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>true()</ds:XPath></ds:Transform>".to_owned()),
        ("an XPath filter", "<ds:Transform Algorithm=\"http://www.w3.org/2002/06/xmldsig-filter2\"></ds:Transform>".to_owned()),
        ("an XSLT transform", "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"></ds:Transform>".to_owned()),
        ("a base64 transform", format!("<ds:Transform Algorithm=\"{xmldsig}base64\"></ds:Transform>")),
        ("three thousand transforms", enveloped.repeat(3_000)),
    ] {
        cases.extend(tampered(name, &enveloped, &to, SIGNATURE_OR_SHAPE));
    }
    cases.extend(tampered(
        "a signature in an object",
        "</ds:Signature>",
        "<ds:Object></ds:Object></ds:Signature>",
        SIGNATURE,
    ));
    cases.extend(tampered(
        "a key to fetch",
        "<ds:KeyInfo>",
        "<ds:KeyInfo><ds:RetrievalMethod URI=\"http://127.0.0.1/\"></ds:RetrievalMethod>",
        SIGNATURE,
    ));
    let bare = strip_signatures(&sign(&unsigned(), Signed::Both));
    cases.push(Case::new("signed and stripped", bare, SIGNATURE));
    cases
}
