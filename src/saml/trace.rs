//! The record of a sign-in: each check by name, its verdict, what was wanted
//! and what came. Administrators read it; the person who signs in never does.

use serde::{Deserialize, Serialize};

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
    /// An independent implementation agrees.
    SecondOpinion,
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
            Self::SecondOpinion => "second-opinion",
            Self::Replay => "replay",
            Self::UserExists => "user-exists",
            Self::UserEnabled => "user-enabled",
            Self::BrowserBinding => "browser-binding",
        }
    }

    /// What to change, and where, when the check fails (SSO-17).
    pub fn advice(self) -> &'static str {
        match self {
            Self::Encoding | Self::Xml => {
                "The message was damaged on its way or is not plain SAML. Send the response by \
                 the HTTP-POST binding, unchanged."
            }
            Self::Structure => {
                "The message has parts this service does not accept. Use the Web Browser SSO \
                 profile without extensions."
            }
            Self::Version => "Configure the identity provider for SAML 2.0.",
            Self::UniqueIds => {
                "Two elements carry the same ID. This is what a forged message does."
            }
            Self::Destination => {
                "Set the assertion consumer service URL at the identity provider to the wanted value."
            }
            Self::ResponseIssuer | Self::AssertionIssuer => {
                "The entity ID of the identity provider differs from the configured one. Upload \
                 its current metadata here, or correct its entity ID."
            }
            Self::Status => {
                "The identity provider refused. Its own log says why; often the user is not \
                 assigned to this application."
            }
            Self::AssertionCount => "Send exactly one assertion.",
            Self::Decryption => {
                "Give the identity provider this space's current metadata, so that it encrypts \
                 for a key that is here, with RSA-OAEP and AES-GCM (AES-CBC only if it signs the \
                 response too); or turn assertion encryption off there."
            }
            Self::Signature => {
                "Upload the identity provider's current signing certificate here; have it sign \
                 the assertion or the response with RSA or ECDSA and SHA-256."
            }
            Self::IssueInstant | Self::NotBefore | Self::NotOnOrAfter => {
                "Compare the clocks of the identity provider and of this service; both should \
                 use a time server."
            }
            Self::SubjectConfirmation => "Use exactly one subject confirmation of method bearer.",
            Self::Recipient => {
                "Set the recipient at the identity provider to the assertion consumer service URL."
            }
            Self::InResponseTo => {
                "Begin at the user login URL, within ten minutes. Sign-in that begins at the \
                 identity provider has to be allowed in the settings first."
            }
            Self::ConfirmationExpiry => {
                "The message came too late. Compare the clocks, or lengthen the validity of \
                 responses at the identity provider."
            }
            Self::Conditions => {
                "The assertion must carry conditions, all of kinds defined by SAML 2.0."
            }
            Self::Audience => {
                "Set the audience (service provider entity ID) at the identity provider to the \
                 wanted value."
            }
            Self::AuthnStatement => {
                "Have the identity provider include an authentication statement."
            }
            Self::AuthnContext => {
                "Have the identity provider authenticate people in one of the wanted ways and say \
                 so (AuthnContextClassRef); or change which ways the settings here demand."
            }
            Self::ForceAuthn => {
                "The request demands that people authenticate anew, and the identity provider \
                 answered from an older session. Let it honour ForceAuthn, or do not demand it."
            }
            Self::SessionNotOnOrAfter => {
                "The session at the identity provider has ended; sign in there again."
            }
            Self::NameId => {
                "Send the user name as the name identifier: one line of text, at most 512 characters."
            }
            Self::NameIdFormat => {
                "A transient name identifier changes each time. Use the unspecified, email or \
                 persistent format with the user name as value."
            }
            Self::SecondOpinion => {
                "Two implementations disagree about this message. Treat it as an attack until \
                 explained."
            }
            Self::Replay => "The same assertion was sent twice. Sign in again.",
            Self::UserExists => {
                "Create the user in the directory, or send a name identifier that equals an \
                 existing user name."
            }
            Self::UserEnabled => "Enable the user in the directory.",
            Self::BrowserBinding => {
                "The sign-in ended in another browser than it began in. Begin again at the user \
                 login URL."
            }
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
    /// Adds a line; long values are cut.
    pub fn record(
        &mut self,
        check: Check,
        verdict: Verdict,
        wanted: impl Into<String>,
        received: impl Into<String>,
    ) {
        let entry =
            Entry { check, verdict, wanted: cut(wanted.into()), received: cut(received.into()) };
        self.entries.push(entry);
    }

    /// Adds a line for a check that either holds or fails, and says which.
    pub fn require(
        &mut self,
        check: Check,
        holds: bool,
        wanted: impl Into<String>,
        received: impl Into<String>,
    ) -> bool {
        let verdict = if holds { Verdict::Passed } else { Verdict::Failed };
        self.record(check, verdict, wanted, received);
        holds
    }

    /// The lines in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The first failed check: the reason of the refusal.
    pub fn first_failure(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.verdict == Verdict::Failed)
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(KEPT) {
        text.truncate(end);
        text.push('…');
    }
    text
}
