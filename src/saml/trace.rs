//! The record of a sign-in: each check by name, its verdict, what was wanted
//! and what came. Administrators read it; the person who signs in never does.

use serde::{Deserialize, Serialize};

use super::cause::Cause;

/// Longest value kept in a trace (characters).
const KEPT: usize = 512;

/// One check of a sign-in, in the order they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The form field is base64.
    Encoding,
    /// The message is XML of the strict profile.
    Xml,
    /// The message has the one structure we accept.
    Structure,
    /// Response and assertion are SAML 2.0.
    Version,
    /// No two elements share an ID.
    UniqueIds,
    /// The message was sent to this address.
    Destination,
    /// The response comes from the configured identity provider.
    ResponseIssuer,
    /// The identity provider says that sign-in succeeded.
    Status,
    /// There is exactly one assertion, in the clear or encrypted.
    AssertionCount,
    /// The assertion, where it is encrypted, was encrypted for us and so that we accept it.
    Decryption,
    /// The assertion comes from the configured identity provider.
    AssertionIssuer,
    /// A configured key signed what is read, and every signature holds.
    Signature,
    /// The message was made just now.
    IssueInstant,
    /// There is exactly one subject confirmation, and it is bearer.
    SubjectConfirmation,
    /// The confirmation is for this address.
    Recipient,
    /// The message answers the request this sign-in began with.
    InResponseTo,
    /// The confirmation has not expired.
    ConfirmationExpiry,
    /// Every condition is one we understand.
    Conditions,
    /// The assertion is valid already.
    NotBefore,
    /// The assertion is valid still.
    NotOnOrAfter,
    /// The assertion is meant for us.
    Audience,
    /// The identity provider says that and when the person authenticated.
    AuthnStatement,
    /// The person authenticated in one of the ways that the request demands.
    AuthnContext,
    /// The person authenticated anew, where the request demands it.
    ForceAuthn,
    /// The identity provider's session has not ended.
    SessionNotOnOrAfter,
    /// The name identifier can be read as one name.
    NameId,
    /// The name identifier is not one that changes each time.
    NameIdFormat,
    /// The attribute that names the person, where one is set, does so.
    IdentityAttribute,
    /// An independent implementation agrees.
    SecondOpinion,
    /// What we sent along came back as it was. Made by the caller, who keeps it.
    RelayState,
    /// The assertion was not used before. Made by the caller, who keeps the ledger.
    Replay,
    /// A user of this name exists. Made by the caller.
    UserExists,
    /// The user may sign in. Made by the caller.
    UserEnabled,
    /// The browser is the one that began. Made by the caller.
    BrowserBinding,
}

impl Check {
    /// The stable name, as in the stored trace.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::Xml => "xml",
            Self::Structure => "structure",
            Self::Version => "version",
            Self::UniqueIds => "unique-ids",
            Self::Destination => "destination",
            Self::ResponseIssuer => "response-issuer",
            Self::Status => "status",
            Self::AssertionCount => "assertion-count",
            Self::Decryption => "decryption",
            Self::AssertionIssuer => "assertion-issuer",
            Self::Signature => "signature",
            Self::IssueInstant => "issue-instant",
            Self::SubjectConfirmation => "subject-confirmation",
            Self::Recipient => "recipient",
            Self::InResponseTo => "in-response-to",
            Self::ConfirmationExpiry => "confirmation-expiry",
            Self::Conditions => "conditions",
            Self::NotBefore => "not-before",
            Self::NotOnOrAfter => "not-on-or-after",
            Self::Audience => "audience",
            Self::AuthnStatement => "authn-statement",
            Self::AuthnContext => "authn-context",
            Self::ForceAuthn => "force-authn",
            Self::SessionNotOnOrAfter => "session-not-on-or-after",
            Self::NameId => "name-id",
            Self::NameIdFormat => "name-id-format",
            Self::IdentityAttribute => "identity-attribute",
            Self::SecondOpinion => "second-opinion",
            Self::RelayState => "relay-state",
            Self::Replay => "replay",
            Self::UserExists => "user-exists",
            Self::UserEnabled => "user-enabled",
            Self::BrowserBinding => "browser-binding",
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not hold; the sign-in is refused.
    Failed,
    /// It has nothing to look at, which is allowed.
    NotApplicable,
}

/// One line of a trace. Values come from the message: escape them when shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which check.
    pub check: Check,
    /// How it ended.
    pub verdict: Verdict,
    /// How it was broken, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What was wanted.
    pub wanted: String,
    /// What came.
    pub received: String,
}

/// All checks made, in order. A check that is absent was not reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trace {
    entries: Vec<Entry>,
}

impl Trace {
    /// Adds a check that holds.
    pub fn pass(&mut self, check: Check, wanted: impl Into<String>, received: impl Into<String>) {
        self.record(check, Verdict::Passed, None, wanted.into(), received.into());
    }

    /// Adds a check that had nothing to look at.
    pub fn skip(&mut self, check: Check, wanted: impl Into<String>, received: impl Into<String>) {
        self.record(check, Verdict::NotApplicable, None, wanted.into(), received.into());
    }

    /// Adds a check that does not hold, and why.
    pub fn fail(
        &mut self,
        check: Check,
        cause: Cause,
        wanted: impl Into<String>,
        received: impl Into<String>,
    ) {
        self.record(check, Verdict::Failed, Some(cause), wanted.into(), received.into());
    }

    /// Adds a check that either holds or fails for this cause, and says which.
    pub fn require(
        &mut self,
        check: Check,
        holds: bool,
        cause: Cause,
        wanted: impl Into<String>,
        received: impl Into<String>,
    ) -> bool {
        if holds {
            self.pass(check, wanted, received);
        } else {
            self.fail(check, cause, wanted, received);
        }
        holds
    }

    /// Long values are cut.
    fn record(
        &mut self,
        check: Check,
        verdict: Verdict,
        cause: Option<Cause>,
        wanted: String,
        received: String,
    ) {
        let (wanted, received) = (cut(wanted), cut(received));
        self.entries.push(Entry { check, verdict, cause, wanted, received });
    }

    /// The lines in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The first failed check: the reason of the refusal. The checks stand in such an order that
    /// what is broken first explains what is broken after it.
    pub fn first_failure(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.verdict == Verdict::Failed)
    }
}

fn cut(mut text: String) -> String {
    if text.len() > KEPT
        && let Some((end, _)) = text.char_indices().nth(KEPT)
    {
        text.truncate(end);
        text.push('…');
    }
    text
}
