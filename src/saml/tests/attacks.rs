//! Forgeries: signature wrapping in its eight classic shapes (Somorovsky et
//! al., "On Breaking SAML"), and the tricks that followed.

use super::house::*;
use crate::saml::encoding;
use crate::saml::trace::Check;

/// A signed message, its assertion, and the assertion an attacker would like.
struct Parts {
    message: String,
    assertion: String,
    evil: String,
}

fn parts() -> Parts {
    let message = sign_assertion(&unsigned());
    let assertion = assertion_of(&message);
    let evil = strip_signatures(&assertion)
        .replace(">alice<", ">root<")
        .replace("\"_assertion\"", "\"_evil\"");
    Parts { message, assertion, evil }
}

/// Puts something right after the first issuer of an element.
fn after_issuer(element: &str, more: &str) -> String {
    element.replacen("</saml:Issuer>", &format!("</saml:Issuer>{more}"), 1)
}

/// The response an attacker would like, and the signed original with its signature.
fn responses() -> (String, String, String) {
    let original = sign_response(&unsigned());
    let signature = signature_of(&original);
    let evil = unsigned().replace(">alice<", ">root<").replace("\"_response\"", "\"_evil\"");
    (original, signature, evil)
}

#[test]
fn wrapping_1_original_response_inside_the_signature() {
    let (original, signature, evil) = responses();
    let inner = strip_signatures(&original);
    let wrapped = signature.replace("</ds:Signature>", &format!("{inner}</ds:Signature>"));
    let unique = evil.replace("\"_assertion\"", "\"_assertion9\"");
    assert_eq!(refused_by(&after_issuer(&unique, &wrapped)), Check::Signature);
}

#[test]
fn wrapping_2_original_response_beside_the_signature() {
    let (original, signature, evil) = responses();
    let unique = evil.replace("\"_assertion\"", "\"_assertion9\"");
    let inner = strip_signatures(&original);
    assert_eq!(
        refused_by(&after_issuer(&unique, &format!("{inner}{signature}"))),
        Check::Structure
    );
    assert_eq!(
        refused_by(&after_issuer(&unique, &format!("{signature}{inner}"))),
        Check::Structure
    );
}

#[test]
fn wrapping_3_evil_assertion_beside_the_original() {
    let Parts { message, assertion, evil } = parts();
    let before = message.replace(&assertion, &format!("{evil}{assertion}"));
    let after = message.replace(&assertion, &format!("{assertion}{evil}"));
    assert_eq!(refused_by(&before), Check::AssertionCount);
    assert_eq!(refused_by(&after), Check::AssertionCount);
}

#[test]
fn wrapping_4_original_assertion_inside_the_evil_one() {
    let Parts { message, assertion, evil } = parts();
    let end = "</saml:Assertion>";
    let wrapped = evil.replace(end, &format!("{assertion}{end}"));
    assert_eq!(refused_by(&message.replace(&assertion, &wrapped)), Check::Structure);
}

#[test]
fn wrapping_5_evil_assertion_carries_the_signature_of_another() {
    let Parts { message, assertion, evil } = parts();
    let evil = after_issuer(&evil, &signature_of(&assertion));
    let original = strip_signatures(&assertion);
    let both = message.replace(&assertion, &format!("{evil}{original}"));
    assert_eq!(refused_by(&both), Check::AssertionCount);
    // The same without the original: the reference names nothing at all.
    assert_eq!(refused_by(&message.replace(&assertion, &evil)), Check::Signature);
}

#[test]
fn wrapping_6_original_assertion_inside_the_evil_ones_signature() {
    let Parts { message, assertion, evil } = parts();
    let original = strip_signatures(&assertion);
    let signature =
        signature_of(&assertion).replace("</ds:Signature>", &format!("{original}</ds:Signature>"));
    let evil = after_issuer(&evil, &signature);
    assert_eq!(refused_by(&message.replace(&assertion, &evil)), Check::Signature);
}

#[test]
fn wrapping_7_evil_assertion_inside_extensions() {
    let Parts { message, assertion, evil } = parts();
    let extensions = format!("<samlp:Extensions>{evil}</samlp:Extensions>{assertion}");
    assert_eq!(refused_by(&message.replace(&assertion, &extensions)), Check::Structure);
}

#[test]
fn wrapping_8_original_assertion_inside_a_signature_object() {
    let Parts { message, assertion, evil } = parts();
    let original = strip_signatures(&assertion);
    let object = format!("<ds:Object>{original}</ds:Object></ds:Signature>");
    let evil = after_issuer(&evil, &signature_of(&assertion).replace("</ds:Signature>", &object));
    assert_eq!(refused_by(&message.replace(&assertion, &evil)), Check::Signature);
}

#[test]
fn a_comment_does_not_cut_a_name() {
    let named = changed(">alice<", ">alice.evil.com<");
    let cut = named.replace(">alice.evil.com<", ">alice<!-- -->.evil.com<");
    assert_eq!(refused_by(&cut), Check::Xml);
}

#[test]
fn duplicate_ids_are_refused_in_any_spelling() {
    let same = changed("ID=\"_response\"", "ID=\"_assertion\"");
    assert_eq!(refused_by(&same), Check::UniqueIds);
    let message = sign_assertion(&unsigned());
    let other = message.replacen("<ds:KeyInfo>", "<ds:KeyInfo Id=\"_assertion\">", 1);
    assert_eq!(refused_by(&other), Check::UniqueIds);
}

#[test]
fn entities_and_document_types_are_refused() {
    let message = issued().xml;
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
    assert_eq!(refused_by(&format!("{bomb}{message}")), Check::Xml);
    assert_eq!(refused_by(&message.replace(">alice<", ">&b;<")), Check::Xml);
}

#[test]
fn unsigned_messages_are_refused() {
    assert_eq!(refused_by(&unsigned()), Check::Signature);
}

#[test]
fn sso_16_a_key_inside_the_message_is_never_believed() {
    let forged = template().issue(attacker()).unwrap();
    let refusal = judge(&forged.xml).result.unwrap_err();
    assert_eq!(refusal.check, Check::Signature);
    // The administrator sees which certificate it was.
    assert!(refusal.received.contains(&attacker().certificate().facts().fingerprint));
    // Nor when the message claims to carry the right certificate.
    let right = key().certificate().base64();
    let disguised = forged.xml.replace(&attacker().certificate().base64(), &right);
    assert_eq!(refused_by(&disguised), Check::Signature);
}

#[test]
fn one_bad_signature_spoils_a_good_one() {
    let assertion = sign_element(&assertion_of(&unsigned()), "_assertion", attacker());
    let message = unsigned();
    let inner = message.replace(&assertion_of(&message), &assertion);
    assert_eq!(refused_by(&sign_response(&inner)), Check::Signature);
    let good = sign_assertion(&message);
    assert_eq!(refused_by(&sign_element(&good, "_response", attacker())), Check::Signature);
}

#[test]
fn without_configured_keys_nobody_signs_in() {
    let mut wanted = expected();
    wanted.certificates = &[];
    assert_eq!(refused_as(&issued().xml, &wanted), Check::Signature);
    assert_eq!(refused_as(&unsigned(), &wanted), Check::Signature);
}

#[test]
fn signed_content_cannot_be_changed() {
    let message = issued().xml;
    for (from, to) in [(">alice<", ">alicf<"), ("groups", "groupz"), (">a&amp;b<", ">a&amp;c<")] {
        assert_eq!(refused_by(&message.replace(from, to)), Check::Signature);
    }
}

#[test]
fn nothing_but_a_whole_message_is_read() {
    let assertion = assertion_of(&issued().xml);
    assert_eq!(refused_by(&assertion), Check::Structure);
    for text in ["", "<a/>", "not xml", "<samlp:Response/>"] {
        assert!(judge(text).result.is_err());
    }
    let cut = &issued().xml[..2000];
    assert_eq!(refused_by(cut), Check::Xml);
    let base64 = encoding::encode(format!("{}<a/>", issued().xml).as_bytes());
    let outcome = crate::saml::response::verify(&base64, &expected());
    assert_eq!(outcome.result.unwrap_err().check, Check::Xml);
}
