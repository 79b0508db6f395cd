//! The support bundle: what an administrator may hand to others to ask why a sign-in failed. It
//! redacts itself: names of people are masked, attribute values and the message's own text are
//! left out, and no key is near.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Attempt, IdentityProvider, SignInTest, rules};
use crate::{
    config::Settings,
    saml::{
        certificate::Certificate,
        namespace,
        trace::{Check, Entry, Trace},
        xml::{self, Element, Profile},
    },
    store::Timestamp,
};

/// Most elements of a message that a bundle shows.
const MOST_ELEMENTS: usize = 400;

/// What a bundle is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The id of the attempt or the test.
    pub id: &'a str,
    /// When.
    pub at: Timestamp,
    /// How it went, in a word.
    pub outcome: &'a str,
    /// Every check that was made.
    pub checks: &'a Trace,
    /// The number of the request.
    pub request_id: &'a str,
    /// The name it came with.
    pub name: Option<&'a str>,
    /// The message, where it is kept.
    pub message: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// An attempt; `id` is its own.
    pub fn of_attempt(attempt: &'a Attempt, id: &'a str) -> Self {
        Self {
            id,
            at: attempt.at,
            outcome: attempt.outcome.as_str(),
            checks: attempt.checks(),
            request_id: &attempt.request_id,
            name: attempt.name_id.as_deref(),
            message: None,
        }
    }

    /// A test that was answered; `id` is its own.
    pub fn of_test(test: &'a SignInTest, id: &'a str) -> Option<Self> {
        let result = test.result.as_ref()?;
        Some(Self {
            id,
            at: result.at,
            outcome: if result.passed { "passed" } else { "refused" },
            checks: &result.checks,
            request_id: &result.request_id,
            name: result.assertion.as_ref().map(|assertion| assertion.identity.as_str()),
            message: Some(&result.message),
        })
    }
}

/// Writes the bundle.
pub fn bundle(settings: &Settings, provider: &IdentityProvider, subject: Subject<'_>) -> Value {
    let cause = subject.checks.first_failure().and_then(|entry| entry.cause);
    json!({
        "product": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "sign_in": {
            "id": subject.id,
            "at": subject.at,
            "outcome": subject.outcome,
            "request_id": subject.request_id,
            "name": subject.name.map(masked),
            "cause": cause,
        },
        "checks": subject.checks.entries().iter().map(check).collect::<Vec<_>>(),
        "service_provider": {
            "entity_id": rules::sp_entity_id(settings, provider.space_id),
            "acs_url": rules::acs_url(settings, provider.space_id),
            "clock_skew_seconds": settings.saml.clock_skew,
            "second_opinion": settings.saml.second_opinion,
        },
        "identity_provider": {
            "entity_id": provider.entity_id,
            "login_url": provider.login_url,
            "post_url": provider.post_url,
            "by_metadata": provider.metadata.is_some(),
            "requests": provider.requests,
            "responses": provider.responses,
            "certificates":
                provider.certificates.iter().map(|it| certificate(&it.certificate)).collect::<Vec<_>>(),
        },
        "message": subject.message.map(skeleton),
    })
}

/// A line of the trace. What names a person is masked.
fn check(entry: &Entry) -> Value {
    // Identity providers write names into the text beside the codes.
    let (codes, text) = entry.received.split_once(": ").unwrap_or((&entry.received, ""));
    let status = entry.check == Check::Status && !text.is_empty();
    let personal =
        matches!(entry.check, Check::NameId | Check::IdentityAttribute | Check::UserExists);
    let received = if status {
        format!("{codes}: {}", masked(text))
    } else if personal {
        masked(&entry.received)
    } else {
        entry.received.clone()
    };
    json!({
        "check": entry.check,
        "verdict": entry.verdict,
        "cause": entry.cause,
        "wanted": entry.wanted,
        "received": received,
    })
}

fn certificate(pem: &str) -> Value {
    match Certificate::from_pem(pem) {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(certificate) => {
            let facts = certificate.facts();
            json!({
                "sha256": facts.fingerprint,
                "key": facts.key.to_string(),
                "not_before": facts.not_before.to_string(),
                "not_after": facts.not_after.to_string(),
            })
        }
    }
}

/// Keeps the first character of each word and its shape: enough to see that somebody sends an
/// address where a name is wanted, and not whose.
pub fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut inside = false;
    for c in text.chars() {
        if !c.is_alphanumeric() {
            masked.push(c);
        } else if !inside {
            masked.push(c);
            masked.push('…');
        }
        inside = c.is_alphanumeric();
    }
    masked
}

/// Attributes of the protocol's own elements whose values say nothing about a person.
const SHOWN: [&str; 17] = [
    "Algorithm",
    "AuthnInstant",
    "Destination",
    "Format",
    "ID",
    "InResponseTo",
    "IssueInstant",
    "Method",
    "Name",
    "NameFormat",
    "NotBefore",
    "NotOnOrAfter",
    "Recipient",
    "SessionNotOnOrAfter",
    "URI",
    "Value",
    "Version",
];

/// How the message is built: elements with those of their attributes that name nobody, and the
/// texts that say who speaks to whom. One line for each element; or why it cannot be read.
fn skeleton(message: &str) -> Vec<String> {
    let document = match xml::parse(message.as_bytes(), Profile::Message) {
        Err(error) => return vec![error.to_string()],
        Ok(document) => document,
    };
    document.elements().take(MOST_ELEMENTS).map(line).collect()
}

fn line(element: Element<'_>) -> String {
    // Writing to a string cannot fail.
    let depth = std::iter::successors(element.parent(), |it| it.parent()).count();
    let name = element.name();
    let known = [namespace::ASSERTION, namespace::PROTOCOL, namespace::SIGNATURE];
    let mut line = format!("{}{}", "  ".repeat(depth), name.local);
    if !known.contains(&name.namespace) {
        let _ = write!(line, " {{{}}}", name.namespace);
    }
    for attribute in element.attributes() {
        let local = attribute.name.local;
        let shown = SHOWN.contains(&local) && attribute.name.namespace.is_empty();
        let value = if shown { attribute.value } else { "…" };
        let _ = write!(line, " {local}={value:?}");
    }
    if matches!(name.local, "Issuer" | "Audience" | "AuthnContextClassRef")
        && let Some(text) = element.text()
    {
        let _ = write!(line, ": {}", xml::trim(text));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_keeps_the_shape_and_hides_the_person() {
        assert_eq!(masked("alice.liddell@example.com"), "a….l…@e….c…");
        assert_eq!(masked("王小明"), "王…");
        assert_eq!(masked("  "), "  ");
    }

    #[test]
    fn a_skeleton_names_nobody() {
        let message = "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_1\">\
             <a:Issuer xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://idp</a:Issuer>\
             <a:NameID xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
             SPProvidedID=\"secret\">alice</a:NameID></p:Response>";
        let lines = skeleton(message);
        assert_eq!(
            lines,
            ["Response ID=\"_1\"", "  Issuer: https://idp", "  NameID SPProvidedID=\"…\""]
        );
        assert!(skeleton("<a").join("").contains("byte"));
    }
}
