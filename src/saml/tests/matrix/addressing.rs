//! Who speaks to whom, when, with which result, and under which conditions: everything that an
//! honest key may have signed and that is not for us, or not now.

use jiff::SignedDuration;

use super::*;
use crate::saml::identity_provider::ResponseToIssue;
use crate::saml::tests::house::{strip_signatures, template};

/// What looks like this address and is not.
fn lookalikes(address: &str) -> Vec<(String, String)> {
    let named = |name: &str, text: String| (name.to_owned(), text);
    vec![
        named("another", "https://other.example.com/".to_owned()),
        named("with a slash", format!("{address}/")),
        named("with more", format!("{address}.evil.example")),
        named("shorter", address[..address.len() - 1].to_owned()),
        named("in capitals", address.to_uppercase()),
        named("by http", address.replacen("https", "http", 1)),
        named("with a port", address.replacen(".com", ".com:8443", 1)),
        named("with a user", address.replacen("https://", "https://sp.example.com@", 1)),
        named("with a query", format!("{address}?x=y")),
        named("with a fragment", format!("{address}#x")),
        named("with a homoglyph", address.replacen('e', "\u{435}", 1)),
        named("with a zero-width space", address.replacen(".com", "\u{200b}.com", 1)),
        named("with a no-break space", format!("{address}\u{a0}")),
        named("encoded", address.replacen("saml", "s%61ml", 1)),
        named("empty", String::new()),
    ]
    .into_iter()
    .filter(|(_, text)| text != address)
    .collect()
}

pub(super) fn addresses() -> Vec<Case> {
    let mut cases = Vec::new();
    let message = unsigned();
    for (name, other) in lookalikes(ACS) {
        cases.extend(changed(
            &format!("the destination {name}"),
            &format!("Destination=\"{ACS}\""),
            &format!("Destination=\"{other}\""),
            Check::Destination,
        ));
        cases.extend(changed(
            &format!("the recipient {name}"),
            &format!("Recipient=\"{ACS}\""),
            &format!("Recipient=\"{other}\""),
            Check::Recipient,
        ));
    }
    for (name, other) in lookalikes(SP) {
        cases.extend(changed(
            &format!("the audience {name}"),
            &format!(">{SP}<"),
            &format!(">{other}<"),
            Check::Audience,
        ));
    }
    for (name, other) in lookalikes(IDP) {
        let first = message.replacen(IDP, &other, 1);
        cases.extend(resigned(
            &format!("the issuer of the response {name}"),
            &first,
            Check::ResponseIssuer,
        ));
        let at = message.rfind(IDP).unwrap();
        let mut second = message.clone();
        second.replace_range(at..at + IDP.len(), &other);
        cases.extend(resigned(
            &format!("the issuer of the assertion {name}"),
            &second,
            Check::AssertionIssuer,
        ));
    }
    cases.extend(changed("no recipient", &format!(" Recipient=\"{ACS}\""), "", Check::Recipient));
    let without = message.replacen(&format!(" Destination=\"{ACS}\""), "", 1);
    assert_ne!(without, message);
    for what in [Signed::Response, Signed::Both] {
        let name = format!("a signed response without destination, {what:?}");
        cases.push(Case::new(
            name,
            sign(&without, what),
            (Check::Destination, Cause::NoDestination),
        ));
    }
    let audience = format!("<saml:Audience>{SP}</saml:Audience>");
    let restriction = format!("<saml:AudienceRestriction>{audience}</saml:AudienceRestriction>");
    for (name, to) in [
        ("no audience restriction", String::new()),
        (
            "an audience restriction without audience",
            "<saml:AudienceRestriction></saml:AudienceRestriction>".to_owned(),
        ),
        (
            "a second restriction to another",
            format!(
                "{restriction}<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>"
            ),
        ),
    ] {
        cases.extend(changed(name, &restriction, &to, Check::Audience));
    }
    cases
}

pub(super) fn times() -> Vec<Case> {
    let mut cases = Vec::new();
    let at = |minutes: i64, seconds: i64| now() + SignedDuration::from_secs(minutes * 60 + seconds);
    for (name, made) in [
        ("made in 61 seconds", at(1, 1)),
        ("made in an hour", at(60, 0)),
        ("made eleven minutes and a second ago", at(-11, -1)),
        ("made an hour ago", at(-60, 0)),
        ("made last year", at(-525_600, 0)),
    ] {
        let issued = ResponseToIssue { now: made, authenticated_at: made, ..template() };
        let message = strip_signatures(&issued.issue(key()).unwrap().xml);
        cases.extend(resigned(name, &message, Check::IssueInstant));
    }
    // Young enough, and its confirmation ended five minutes after it was made.
    let made = at(-6, -1);
    let issued = ResponseToIssue { now: made, authenticated_at: made, ..template() };
    let message = strip_signatures(&issued.issue(key()).unwrap().xml);
    let by = (Check::ConfirmationExpiry, Cause::Expired);
    cases.extend(resigned("made six minutes and a second ago", &message, by));
    let message = unsigned();
    for (name, from, to, by) in [
        (
            "a confirmation that has expired",
            "NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient",
            "NotOnOrAfter=\"2026-11-22T09:59:00Z\" Recipient",
            Check::ConfirmationExpiry,
        ),
        (
            "a confirmation that does not expire",
            " NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient",
            " Recipient",
            Check::ConfirmationExpiry,
        ),
        (
            "a session that is over",
            "SessionNotOnOrAfter=\"2026-11-22T11:00:00Z\"",
            "SessionNotOnOrAfter=\"2026-11-22T09:59:00Z\"",
            Check::SessionNotOnOrAfter,
        ),
        (
            "authenticated in the future",
            "AuthnInstant=\"2026-11-22T10:00:00Z\"",
            "AuthnInstant=\"2026-11-22T10:01:01Z\"",
            Check::AuthnStatement,
        ),
        (
            "a time with an offset",
            "AuthnInstant=\"2026-11-22T10:00:00Z\"",
            "AuthnInstant=\"2026-11-22T11:00:00+01:00\"",
            Check::Structure,
        ),
        (
            "a time without zone",
            "AuthnInstant=\"2026-11-22T10:00:00Z\"",
            "AuthnInstant=\"2026-11-22T10:00:00\"",
            Check::Structure,
        ),
        (
            "a time that is none",
            "AuthnInstant=\"2026-11-22T10:00:00Z\"",
            "AuthnInstant=\"now\"",
            Check::Structure,
        ),
        (
            "the thirtieth of February",
            "AuthnInstant=\"2026-11-22T10:00:00Z\"",
            "AuthnInstant=\"2026-02-30T10:00:00Z\"",
            Check::Structure,
        ),
    ] {
        assert!(message.contains(from), "{name}: {from} in {message}");
        cases.extend(changed(name, from, to, by));
    }
    let conditions = message.split_once("<saml:Conditions ").unwrap().1.split_once('>').unwrap().0;
    for (name, to, by) in [
        (
            "conditions from in 61 seconds on",
            "NotBefore=\"2026-11-22T10:01:01Z\"",
            Check::NotBefore,
        ),
        (
            "conditions until a minute ago",
            "NotOnOrAfter=\"2026-11-22T09:59:00Z\"",
            Check::NotOnOrAfter,
        ),
        (
            "conditions the wrong way round",
            "NotBefore=\"2026-11-22T10:02:00Z\" NotOnOrAfter=\"2026-11-22T09:58:00Z\"",
            Check::NotBefore,
        ),
    ] {
        cases.extend(changed(
            name,
            &format!("<saml:Conditions {conditions}>"),
            &format!("<saml:Conditions {to}>"),
            by,
        ));
    }
    cases
}

pub(super) fn counts() -> Vec<Case> {
    let mut cases = Vec::new();
    let success = "urn:oasis:names:tc:SAML:2.0:status:Success";
    for status in ["Requester", "Responder", "VersionMismatch", "success", "Success ", ""] {
        cases.extend(changed(
            &format!("the status {status:?}"),
            success,
            &format!("urn:oasis:names:tc:SAML:2.0:status:{status}"),
            Check::Status,
        ));
    }
    cases.extend(changed("success below a failure",
        &format!("<samlp:StatusCode Value=\"{success}\"></samlp:StatusCode>"),
        &format!("<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode Value=\"{success}\"></samlp:StatusCode></samlp:StatusCode>"),
        Check::Status));
    let message = unsigned();
    let assertion = assertion_of(&message);
    let second = assertion.replace("\"_assertion\"", "\"_second\"");
    for (name, to, by) in [
        ("no assertion", String::new(), Check::AssertionCount),
        ("two assertions", format!("{assertion}{second}"), Check::AssertionCount),
    ] {
        let changed = message.replace(&assertion, &to);
        let signed = sign_element(&changed, "_response", key());
        cases.push(Case::new(name, signed, by));
    }
    for version in ["1.1", "2.1", "2", ""] {
        cases.extend(changed(
            &format!("the version {version:?}"),
            "Version=\"2.0\"",
            &format!("Version=\"{version}\""),
            Check::Version,
        ));
    }
    let context = message.split_once("<saml:AuthnContextClassRef>").unwrap().1;
    let context = context.split_once('<').unwrap().0;
    let context = format!("<saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef>");
    for (name, from, to) in [
        ("an empty authentication context", &*context, ""),
        (
            "an authentication context that says nothing",
            &*context,
            "<saml:AuthnContextClassRef> </saml:AuthnContextClassRef>",
        ),
        ("extensions", "<samlp:Status>", "<samlp:Extensions></samlp:Extensions><samlp:Status>"),
        ("advice", "<saml:AuthnStatement ", "<saml:Advice></saml:Advice><saml:AuthnStatement "),
        ("an unknown attribute", "Version=\"2.0\"", "Version=\"2.0\" x=\"y\""),
        (
            "an authorisation decision",
            "<saml:AuthnStatement ",
            "<saml:AuthzDecisionStatement></saml:AuthzDecisionStatement><saml:AuthnStatement ",
        ),
        ("text between elements", "<saml:AuthnStatement ", "x<saml:AuthnStatement "),
        (
            "an encrypted attribute",
            "</saml:AttributeStatement>",
            "<saml:EncryptedAttribute></saml:EncryptedAttribute></saml:AttributeStatement>",
        ),
    ] {
        cases.extend(changed(name, from, to, Check::Structure));
    }
    cases
}

pub(super) fn confirmation() -> Vec<Case> {
    let mut cases = Vec::new();
    let message = unsigned();
    let start = message.find("<saml:SubjectConfirmation ").unwrap();
    let close = "</saml:SubjectConfirmation>";
    let end = start + message[start..].find(close).unwrap() + close.len();
    let one = message[start..end].to_owned();
    for (name, to, by) in [
        ("no confirmation", String::new(), Check::SubjectConfirmation),
        ("two confirmations", format!("{one}{one}"), Check::SubjectConfirmation),
        ("holder of key", one.replace("cm:bearer", "cm:holder-of-key"), Check::SubjectConfirmation),
        (
            "sender vouches",
            one.replace("cm:bearer", "cm:sender-vouches"),
            Check::SubjectConfirmation,
        ),
        (
            "a bearer with NotBefore",
            one.replace(" NotOnOrAfter", " NotBefore=\"2026-11-22T09:00:00Z\" NotOnOrAfter"),
            Check::SubjectConfirmation,
        ),
    ] {
        cases.extend(resigned(name, &message.replace(&one, &to), by));
    }
    for (name, from, to) in [
        (
            "an answer to another request in the response",
            "InResponseTo=\"_request1\" IssueInstant",
            "InResponseTo=\"_other\" IssueInstant",
        ),
        (
            "an answer to another request in the confirmation",
            "InResponseTo=\"_request1\" NotOnOrAfter",
            "InResponseTo=\"_other\" NotOnOrAfter",
        ),
        (
            "an answer to none in the response",
            "InResponseTo=\"_request1\" IssueInstant",
            "IssueInstant",
        ),
        (
            "an answer to none in the confirmation",
            "InResponseTo=\"_request1\" NotOnOrAfter",
            "NotOnOrAfter",
        ),
        ("an answer to nobody", "InResponseTo=\"_request1\"", "InResponseTo=\"\""),
        ("an answer to none", " InResponseTo=\"_request1\"", ""),
    ] {
        assert!(message.contains(from), "{name}");
        cases.extend(changed(name, from, to, Check::InResponseTo));
    }
    for (name, condition) in [
        ("an unknown condition", "<saml:Condition></saml:Condition>"),
        ("a condition of another namespace", "<x xmlns=\"urn:x\"></x>"),
        (
            "one time twice",
            "<saml:OneTimeUse></saml:OneTimeUse><saml:OneTimeUse></saml:OneTimeUse>",
        ),
    ] {
        cases.extend(changed(
            name,
            "</saml:Conditions>",
            &format!("{condition}</saml:Conditions>"),
            Check::Conditions,
        ));
    }
    let start = message.find("<saml:AuthnStatement").unwrap();
    let close = "</saml:AuthnStatement>";
    let end = start + message[start..].find(close).unwrap() + close.len();
    let statement = message[start..end].to_owned();
    cases.extend(resigned(
        "no authentication statement",
        &message.replace(&statement, ""),
        Check::AuthnStatement,
    ));
    let start = message.find("<saml:Conditions").unwrap();
    let close = "</saml:Conditions>";
    let end = start + message[start..].find(close).unwrap() + close.len();
    cases.extend(resigned(
        "no conditions",
        &message.replace(&message[start..end], ""),
        Check::Conditions,
    ));
    cases
}
