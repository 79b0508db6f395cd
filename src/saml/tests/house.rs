//! What the tests share: keys made once, a message, and ways to change it.

use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};

pub use super::shared::recipe::bare as strip_signatures;
use crate::saml::certificate::{Certificate, SigningKey};
use crate::saml::identity_provider::{AttributeToState, IssuedResponse, ResponseToIssue};
use crate::saml::name_id_format::UNSPECIFIED;
use crate::saml::response::{self, Expected, Outcome};
use crate::saml::trace::Check;
use crate::saml::{encoding, signature};

pub const IDP: &str = "https://idp.example.com/metadata";
pub const SP: &str = "https://sp.example.com/saml/sp/z-1";
pub const ACS: &str = "https://sp.example.com/saml/acs/z-1";
pub const REQUEST: &str = "_request1";

pub fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

pub fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate("idp", now(), [7; 16]).unwrap())
}

pub fn attacker() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate("attacker", now(), [8; 16]).unwrap())
}

pub fn certificates() -> &'static [Certificate] {
    static ALL: OnceLock<Vec<Certificate>> = OnceLock::new();
    ALL.get_or_init(|| vec![key().certificate().clone()])
}

pub fn expected() -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        certificates: certificates(),
        decryption_keys: &[],
        acs_url: ACS,
        sp_entity_id: SP,
        request_id: Some(REQUEST),
        authn_contexts: &[],
        authenticated_since: None,
        identity_attribute: None,
        used: None,
        allow_unsolicited: false,
        now: now(),
        skew: response::DEFAULT_SKEW,
        second_opinion: true,
    }
}

pub fn template() -> ResponseToIssue<'static> {
    ResponseToIssue {
        response_id: "_response",
        assertion_id: "_assertion",
        issuer: IDP,
        acs_url: ACS,
        audience: SP,
        in_response_to: Some(REQUEST),
        name_id: "alice",
        name_id_format: UNSPECIFIED,
        session_index: "_session",
        attributes: &[
            AttributeToState { name: "groups", values: &["a&b", "<c>", "d\"e'f\r\n\tg"] },
            AttributeToState { name: "mail", values: &["alice@example.com"] },
        ],
        authenticated_at: now(),
        now: now(),
        lifetime: SignedDuration::from_mins(5),
        session_lifetime: Some(SignedDuration::from_hours(1)),
    }
}

pub fn issued() -> IssuedResponse {
    template().issue(key()).unwrap()
}

pub fn judge(xml: &str) -> Outcome {
    judge_as(xml, &expected())
}

pub fn judge_as(xml: &str, expected: &Expected<'_>) -> Outcome {
    response::verify(&encoding::encode(xml.as_bytes()), expected)
}

/// The check that refuses the message.
pub fn refused_by(xml: &str) -> Check {
    refused_as(xml, &expected())
}

pub fn refused_as(xml: &str, expected: &Expected<'_>) -> Check {
    match judge_as(xml, expected).result {
        Ok(accepted) => panic!("accepted as {accepted:?}"),
        Err(refusal) => refusal.check,
    }
}

/// The message without any signature.
pub fn unsigned() -> String {
    strip_signatures(&issued().xml)
}

/// The assertion element of a message.
pub fn assertion_of(xml: &str) -> String {
    let start = xml.find("<saml:Assertion ").unwrap();
    let end = xml.rfind("</saml:Assertion>").unwrap() + "</saml:Assertion>".len();
    xml[start..end].to_owned()
}

/// The first signature in a piece of XML.
pub fn signature_of(xml: &str) -> String {
    let start = xml.find("<ds:Signature ").unwrap();
    let end = xml[start..].find("</ds:Signature>").unwrap() + start + "</ds:Signature>".len();
    xml[start..end].to_owned()
}

/// Signs an element, given as canonical XML, after its issuer.
pub fn sign_element(element: &str, id: &str, key: &SigningKey) -> String {
    let end = "</saml:Issuer>";
    let split = element.find(end).unwrap() + end.len();
    signature::sign(&element[..split], &element[split..], id, key).unwrap()
}

/// Changes an unsigned message and signs the assertion, or the whole response,
/// afterwards: for rules that stand behind the signature.
pub fn changed(from: &str, to: &str) -> String {
    let message = unsigned();
    assert!(message.contains(from), "nothing to change: {from}");
    sign_assertion(&message.replace(from, to))
}

pub fn sign_assertion(message: &str) -> String {
    let assertion = assertion_of(message);
    let signed = sign_element(&assertion, "_assertion", key());
    message.replace(&assertion, &signed)
}

pub fn sign_response(message: &str) -> String {
    sign_element(message, "_response", key())
}
