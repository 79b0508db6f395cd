//! The record of a logout message: each check by name. Administrators read it in the audit log.

use serde::{Deserialize, Serialize};

/// Longest value kept in a trace (characters).
const KEPT: usize = 512;

/// How a check ended. Values come from the message: escape them when shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutEntry {
    /// Which check.
    pub check: LogoutCheck,
    /// Whether it holds.
    pub holds: bool,
    /// What was wanted.
    pub wanted: String,
    /// What came.
    pub received: String,
}

/// All checks made of a logout message, in order. One that is absent was not reached, or had
/// nothing to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogoutTrace {
    entries: Vec<LogoutEntry>,
}

impl LogoutTrace {
    /// Adds a check that holds or does not, and says which; long values are cut.
    pub fn require(
        &mut self,
        check: LogoutCheck,
        holds: bool,
        wanted: impl Into<String>,
        received: impl Into<String>,
    ) -> bool {
        let (wanted, received) = (cut(wanted.into()), cut(received.into()));
        self.entries.push(LogoutEntry { check, holds, wanted, received });
        holds
    }

    /// Adds a check that does not hold.
    pub fn fail(
        &mut self,
        check: LogoutCheck,
        wanted: impl Into<String>,
        received: impl Into<String>,
    ) {
        self.require(check, false, wanted, received);
    }

    /// The lines in order.
    pub fn entries(&self) -> &[LogoutEntry] {
        &self.entries
    }

    /// The checks that do not hold, in order; the first is the reason of the refusal.
    pub fn failures(&self) -> impl Iterator<Item = &LogoutEntry> {
        self.entries.iter().filter(|entry| !entry.holds)
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(KEPT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// One check of a logout message, in the order they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogoutCheck {
    /// It came with the parameters of its binding, each once, and no others that matter.
    Binding,
    /// It is base64, and deflated where it was redirected.
    Encoding,
    /// It is XML of the strict profile.
    Xml,
    /// It has the one structure of its kind.
    Structure,
    /// No two elements share an ID.
    UniqueIds,
    /// It is SAML 2.0.
    Version,
    /// It was sent to this address.
    Destination,
    /// It comes from the configured identity provider.
    Issuer,
    /// A configured key signed it.
    Signature,
    /// It was made just now.
    IssueInstant,
    /// A request has not expired.
    NotOnOrAfter,
    /// A key of ours opens the name in a request, where it is encrypted.
    Decryption,
    /// A request names somebody by one readable name.
    NameId,
    /// A request was not obeyed before. Made by the caller, who keeps the ledger.
    Replay,
    /// A response answers a request of ours that nothing answered before. Made by the caller.
    InResponseTo,
}

impl LogoutCheck {
    /// The stable name, as in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Encoding => "encoding",
            Self::Xml => "xml",
            Self::Structure => "structure",
            Self::UniqueIds => "unique-ids",
            Self::Version => "version",
            Self::Destination => "destination",
            Self::Issuer => "issuer",
            Self::Signature => "signature",
            Self::IssueInstant => "issue-instant",
            Self::NotOnOrAfter => "not-on-or-after",
            Self::Decryption => "decryption",
            Self::NameId => "name-id",
            Self::Replay => "replay",
            Self::InResponseTo => "in-response-to",
        }
    }

    /// What to change, and where, when the check fails.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Binding | Self::Encoding | Self::Xml => {
                "The message was damaged on its way or is not plain SAML. Send it by the \
                 HTTP-Redirect or the HTTP-POST binding, unchanged."
            }
            Self::Structure => {
                "The message has parts this service does not accept. Use the Single Logout \
                 profile without extensions."
            }
            Self::UniqueIds => {
                "Two elements carry the same ID. This is what a forged message does."
            }
            Self::Version => "Configure the identity provider for SAML 2.0.",
            Self::Destination => {
                "Set the single logout URL of this service at the identity provider to the wanted \
                 value."
            }
            Self::Issuer => {
                "The entity ID of the identity provider differs from the configured one. Upload \
                 its current metadata here, or correct its entity ID."
            }
            Self::Signature => {
                "Have the identity provider sign logout requests and responses, with RSA or ECDSA \
                 and SHA-256 or better, and configure its current signing certificate here."
            }
            Self::IssueInstant | Self::NotOnOrAfter => {
                "The message is too old or from the future. Set the clocks of both sides by NTP."
            }
            Self::Decryption => {
                "Encrypt the name for the encryption certificate in the metadata of this service, \
                 with AES-GCM and RSA-OAEP, or send it in the clear."
            }
            Self::NameId => {
                "Send the name identifier exactly as in the sign-in: one line of text, at most 512 \
                 characters."
            }
            Self::Replay => "The same request was sent twice. Make a new one for each logout.",
            Self::InResponseTo => {
                "The response answers no logout that this service began, or comes too late or a \
                 second time. Sign out again."
            }
        }
    }
}

impl std::fmt::Display for LogoutCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
