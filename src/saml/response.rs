//! A `SAMLResponse`: received, held against what is expected, and either a
//! verified assertion or a refusal. The checks themselves are in `judge`; `proof` has those of
//! them that look at keys, and `causes` knows why one of them failed.

mod causes;
mod judge;
mod proof;

use jiff::{SignedDuration, Timestamp};
pub use judge::disagreements;
pub(super) use judge::{Clock, unique_ids};

use super::cause::Cause;
use super::certificate::Certificate;
use super::encoding;
use super::encryption::DecryptionKey;
use super::namespace::{ASSERTION, PROTOCOL};
use super::statement::Attribute;
use super::trace::{Check, Trace};
use super::xml::{self, Document, Element, Profile};

/// The only status that signs anybody in.
pub const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
/// Clock skew when nothing else is set.
pub const DEFAULT_SKEW: SignedDuration = SignedDuration::from_secs(60);
/// The most clock skew that can be set (SSO-15); more is cut to this.
pub const MAXIMUM_SKEW: SignedDuration = SignedDuration::from_secs(120);
/// How old a message may be: as long as a request waits for it.
pub const MAXIMUM_AGE: SignedDuration = SignedDuration::from_mins(10);
/// Longest name identifier (characters).
pub const MAXIMUM_NAME_ID: usize = 512;

/// What a response has to match. Nothing of it comes from the message.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The entity id of the configured identity provider.
    pub idp_entity_id: &'a str,
    /// Its certificates; the only keys that are believed.
    pub certificates: &'a [Certificate],
    /// Our keys that an assertion may be encrypted for; none refuses encrypted assertions.
    pub decryption_keys: &'a [DecryptionKey],
    /// The address the response was posted to.
    pub acs_url: &'a str,
    /// Our entity id, the audience.
    pub sp_entity_id: &'a str,
    /// The id of the live request this answers; `None` when there is none.
    pub request_id: Option<&'a str>,
    /// The ways to authenticate of which the response must name one; none demands none.
    pub authn_contexts: &'a [String],
    /// From when on the person must have authenticated: the time of a request that demands it.
    pub authenticated_since: Option<Timestamp>,
    /// The attribute that names the person in place of the name identifier, if one is set.
    pub identity_attribute: Option<&'a str>,
    /// Whether a response that answers no request is accepted (SSO-14).
    pub allow_unsolicited: bool,
    /// The id of the assertion that the message claims to hold, where the replay ledger has it:
    /// whatever else it says, nobody is asked for a second opinion on it.
    pub used: Option<&'a str>,
    /// The present.
    pub now: Timestamp,
    /// How far clocks may differ, cut to 0..=[`MAXIMUM_SKEW`].
    pub skew: SignedDuration,
    /// Whether an independent implementation must agree.
    pub second_opinion: bool,
}

/// What a response proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    /// The assertion's id, for the replay ledger.
    pub assertion_id: String,
    /// Whom it names, exactly as written but for white space around it: the name identifier, or
    /// the value of the attribute that is set for it.
    pub identity: String,
    /// The name identifier, exactly as written but for white space around it; empty where the
    /// assertion has none, which is good only beside an attribute that names the person.
    pub name_id: String,
    /// The format of the name.
    pub name_id_format: Option<String>,
    /// Who gave the name, as written; logout must say it back.
    pub name_qualifier: Option<String>,
    /// For whom the name was given, as written; likewise.
    pub sp_name_qualifier: Option<String>,
    /// The session at the identity provider.
    pub session_index: Option<String>,
    /// When the assertion was issued.
    pub issued_at: Timestamp,
    /// From here on the assertion is not accepted (before skew is added).
    pub not_on_or_after: Timestamp,
    /// How long the replay ledger must remember the assertion, skew included.
    pub remember_until: Timestamp,
    /// When the session at the identity provider ends.
    pub session_not_on_or_after: Option<Timestamp>,
    /// When the person authenticated.
    pub authenticated_at: Timestamp,
    /// What else is said of the person.
    pub attributes: Vec<Attribute>,
    /// The request that was answered; `None` when it was unsolicited.
    pub in_response_to: Option<String>,
    /// SHA-256 of the certificate that verified, lower-case hexadecimal.
    pub certificate_fingerprint: String,
}

impl VerifiedAssertion {
    /// All values of all attributes of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.attributes.iter().filter(move |attribute| attribute.name == name);
        named.flat_map(|attribute| attribute.values.iter().map(String::as_str))
    }
}

/// The check that refused a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {check} check failed")]
pub struct Refusal {
    /// Which check.
    pub check: Check,
    /// How it was broken.
    pub cause: Cause,
    /// What was wanted.
    pub wanted: String,
    /// What came; from the message, so escape it when shown.
    pub received: String,
}

/// The judgement and how it came about.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every check made.
    pub trace: Trace,
    /// What was proved, or why not.
    pub result: Result<VerifiedAssertion, Refusal>,
    /// What the strict core proved, where only what comes behind it refused: the ledger, or the
    /// second opinion. It lets nobody in; it says what must never come again.
    pub refused_proof: Option<VerifiedAssertion>,
}

/// Reads and judges in one go.
pub fn verify(base64: &str, expected: &Expected<'_>) -> Outcome {
    Received::parse(base64).verify(expected)
}

/// A response that was read, and that nobody has judged.
#[derive(Debug)]
pub struct Received {
    document: Result<Document, Refusal>,
}

impl Received {
    /// Decodes and parses, once. What cannot be read is judged too: as refused.
    pub fn parse(base64: &str) -> Self {
        // Longer than any message of the profile with a line break after every 32 characters.
        const LONGEST: usize = 400 * 1024;
        let refuse = |check, cause, wanted: &str, received: String| {
            Err(Refusal { check, cause, wanted: wanted.to_owned(), received })
        };
        let document = if base64.len() > LONGEST {
            let received = format!("{} bytes", base64.len());
            refuse(Check::Encoding, Cause::TooLarge, "at most 400 KiB", received)
        } else {
            match encoding::decode(base64) {
                Err(error) => {
                    refuse(Check::Encoding, Cause::NotBase64, "base64", error.to_string())
                }
                Ok(bytes) => match xml::parse(&bytes, Profile::Message) {
                    Err(error) => {
                        let cause = causes::of_xml(&error);
                        refuse(Check::Xml, cause, "strict XML", error.to_string())
                    }
                    Ok(document) => Ok(document),
                },
            }
        };
        Self { document }
    }

    /// The request the message claims to answer, to look the request up with.
    /// Anybody can write this: it selects, and proves nothing.
    pub fn in_response_to_unverified(&self) -> Option<&str> {
        self.document.as_ref().ok()?.root().attribute("InResponseTo")
    }

    /// Who the message claims to be from. Anybody can write this.
    pub fn issuer_unverified(&self) -> Option<&str> {
        let root = self.document.as_ref().ok()?.root();
        let mut issuers = root.elements().filter(|it| it.name().local == "Issuer");
        issuers.next()?.text().map(xml::trim)
    }

    /// Issuer and id of the assertion, to ask the replay ledger by. Anybody can write these.
    pub fn assertion_unverified(&self) -> Option<(&str, &str)> {
        let root = self.document.as_ref().ok()?.root();
        let assertion = root.elements().find(|it| it.is(ASSERTION, "Assertion"))?;
        let issuer = assertion.elements().find(|it| it.is(ASSERTION, "Issuer"))?;
        Some((xml::trim(issuer.text()?), assertion.attribute("ID")?))
    }

    /// Whether keys to open an encrypted assertion are needed at all.
    pub fn is_encrypted(&self) -> bool {
        self.document.as_ref().is_ok_and(|document| {
            let root = document.root();
            let encrypted = |it: Element<'_>| it.is(ASSERTION, "EncryptedAssertion");
            root.is(PROTOCOL, "Response") && root.elements().any(encrypted)
        })
    }

    /// What the message claims in an attribute, to look up whose word it claims to be. Anybody can
    /// write this: it selects, and proves nothing.
    pub fn attribute_unverified(&self, name: &str) -> Option<&str> {
        let document = self.document.as_ref().ok()?;
        let mut named = document
            .elements()
            .filter(|it| it.is(ASSERTION, "Attribute") && it.attribute("Name") == Some(name));
        named.next()?.elements().next()?.text().map(xml::trim)
    }

    /// Judges the message.
    pub fn verify(&self, expected: &Expected<'_>) -> Outcome {
        let mut trace = Trace::default();
        let verified = match &self.document {
            Err(refusal) => {
                if refusal.check == Check::Xml {
                    trace.pass(Check::Encoding, "base64", "base64");
                }
                let Refusal { check, cause, wanted, received } = refusal;
                trace.fail(*check, *cause, wanted, received);
                None
            }
            Ok(document) => {
                trace.pass(Check::Encoding, "base64", "base64");
                trace.pass(Check::Xml, "strict XML", "strict XML");
                judge::judge(document, expected, &mut trace)
            }
        };
        // Deny by default: no failure in the trace *and* a whole assertion in hand.
        let failure = trace.first_failure().cloned();
        let mut refused_proof = None;
        let result = match (failure, verified) {
            (None, Some(verified)) => Ok(verified),
            (Some(it), verified) => {
                let behind = matches!(it.check, Check::Replay | Check::SecondOpinion);
                refused_proof = verified.filter(|_| behind);
                Err(Refusal {
                    check: it.check,
                    cause: it.cause.unwrap_or(Cause::UnknownParts),
                    wanted: it.wanted,
                    received: it.received,
                })
            }
            (None, None) => Err(Refusal {
                check: Check::Structure,
                cause: Cause::UnknownParts,
                wanted: "a complete assertion".to_owned(),
                received: String::new(),
            }),
        };
        Outcome { trace, result, refused_proof }
    }
}
