//! Signatures that are missing, borrowed, of another kind, or about something else.

use super::*;
use crate::saml::tests::house::{attacker, signature_of};

use crate::saml::tests::shared::recipe::{Form, RSA_SHA256, Recipe};

const FORM: (Check, Cause) = (Check::Signature, Cause::SignatureForm);
const OTHER: (Check, Cause) = (Check::Signature, Cause::OtherCertificate);
const CHANGED: (Check, Cause) = (Check::Signature, Cause::ContentChanged);
const NOT_SIGNED: (Check, Cause) = (Check::Signature, Cause::NotSigned);

/// Every signed form with one text in it changed after it was signed.
pub(super) fn tampered(name: &str, from: &str, to: &str, by: impl Into<By>) -> Vec<Case> {
    let by = by.into();
    let case = |what| {
        let message = sign(&unsigned(), what);
        assert!(message.contains(from), "{name}: nothing to change: {from}");
        Case::new(format!("{name}, signed: {what:?}"), message.replacen(from, to, 1), by)
    };
    EVERY.map(case).into()
}

pub(super) fn stripping() -> Vec<Case> {
    let mut cases = vec![Case::new("no signature", unsigned(), NOT_SIGNED)];
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
            cases.push(Case::new(format!("no {part}, signed: {what:?}"), without, FORM));
        }
    }
    for (name, value, by) in [
        ("an empty value", "", OTHER),
        ("a value of three bytes", "AAAA", OTHER),
        ("a value that is not base64", "!", FORM),
    ] {
        for what in EVERY {
            let message = sign(&unsigned(), what);
            let start = message.find("<ds:SignatureValue>").unwrap() + "<ds:SignatureValue>".len();
            let end = message.find("</ds:SignatureValue>").unwrap();
            let without = format!("{}{value}{}", &message[..start], &message[end..]);
            cases.push(Case::new(format!("{name}, signed: {what:?}"), without, by));
        }
    }
    let both = sign(&unsigned(), Signed::Both);
    let emptied = both.replace(
        &signature_of(&both),
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>",
    );
    cases.push(Case::new("an empty signature beside a good one", emptied, FORM));
    let bare = strip_signatures(&both);
    cases.push(Case::new("signed and stripped", bare, NOT_SIGNED));
    cases
}

pub(super) fn substitution() -> Vec<Case> {
    let mut cases = Vec::new();
    // By a key that nobody configured, in all positions, beside a good one or alone.
    let plain = assertion_of(&unsigned());
    let by_attacker = unsigned().replace(&plain, &sign_element(&plain, "_assertion", attacker()));
    cases.push(Case::new("the attacker's key over the assertion", by_attacker.clone(), OTHER));
    cases.push(Case::new(
        "the attacker's key over the response",
        sign_element(&unsigned(), "_response", attacker()),
        OTHER,
    ));
    cases.push(Case::new(
        "the attacker's key inside a good signature",
        sign_element(&by_attacker, "_response", key()),
        OTHER,
    ));
    let good = sign(&unsigned(), Signed::Assertion);
    cases.push(Case::new(
        "the attacker's key around a good signature",
        sign_element(&good, "_response", attacker()),
        OTHER,
    ));
    // The right certificate beside the wrong signature, and the other way round.
    let (ours, theirs) = (key().certificate().base64(), attacker().certificate().base64());
    cases.push(Case::new(
        "the attacker's key with the right certificate",
        by_attacker.replace(&theirs, &ours),
        OTHER,
    ));
    // A good signature of another message of the same identity provider.
    let other = sign(&unsigned().replace(">alice<", ">bob<"), Signed::Assertion);
    let borrowed = good.replace(&signature_of(&good), &signature_of(&other));
    cases.push(Case::new("the signature of another assertion", borrowed, CHANGED));
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
        cases.extend(tampered(name, from, to, CHANGED));
    }
    cases
}

/// What a signature may refer to besides the element that it stands in. All of it is signed by the
/// right key and has the right digest.
pub(super) fn references() -> Vec<Case> {
    let mut cases = Vec::new();
    let (message, good) = (unsigned(), Recipe::good(private(), RSA_SHA256));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/certs-dev/identity-provider.crt");
    let (address, bytes) = (format!("file://{file}"), std::fs::read(file).unwrap());
    for (own, other) in [("_assertion", "_response"), ("_response", "_assertion")] {
        let itself = format!("#{own}");
        let (itself, elsewhere) = (Some(itself.as_str()), format!("#{other}"));
        let elsewhere = Some(elsewhere.as_str());
        let twice = format!("{}#{own}", itself.unwrap_or_default());
        for (name, references) in [
            ("the document", &[(Some(""), "_response")][..]),
            ("nothing that is named", &[(None, "_response")]),
            ("another element", &[(elsewhere, other)]),
            ("the root by a pointer", &[(Some("#xpointer(/)"), "_response")]),
            ("an element by a pointer", &[(Some("#xpointer(id('_assertion'))"), "_assertion")]),
            ("it, in another spelling", &[(Some("#_Assertion"), own)]),
            ("it, without the sign", &[(Some(own), own)]),
            ("it, twice in one", &[(Some(&twice), own)]),
            ("an empty name", &[(Some("#"), own)]),
            ("an element that is not there", &[(Some("#_nothing"), own)]),
            ("an address", &[(Some("http://127.0.0.1/a.xml"), own)]),
            ("a part of the mail", &[(Some("cid:x"), own)]),
            ("it and it again", &[(itself, own), (itself, own)]),
            ("it and another element", &[(itself, own), (elsewhere, other)]),
            ("another element and it", &[(elsewhere, other), (itself, own)]),
            ("it and the document", &[(itself, own), (Some(""), "_response")]),
        ] {
            let signed = Recipe { references, ..good }.sign(&message, own).unwrap();
            cases.push(Case::new(format!("{own} refers to {name}"), signed, FORM));
        }
        let outside = Recipe {
            references: &[(Some(&address), own)],
            transforms: "",
            content: Form::Bytes(&bytes),
            ..good
        };
        let signed = outside.sign(&message, own).unwrap();
        cases.push(Case::new(format!("{own} refers to a file"), signed, FORM));
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
            (Check::UniqueIds, Cause::DuplicateIds),
        ));
    }
    cases.extend(changed(
        "response and assertion share an ID",
        "ID=\"_response\"",
        "ID=\"_assertion\"",
        (Check::UniqueIds, Cause::DuplicateIds),
    ));
    cases.extend(changed(
        "an ID that is none",
        "ID=\"_response\"",
        "ID=\"1 2\"",
        (Check::Structure, Cause::UnknownParts),
    ));
    cases
}
