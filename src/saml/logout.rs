//! Single logout (SAML core §3.7, profiles §4.4): a message that ends sessions, and its answer,
//! both ways and by both bindings.
//!
//! Every message is signed: in itself where it is posted, beside itself where it is redirected.
//! A message that comes in is received ([`Received`]), held against what is expected, check by
//! check ([`LogoutCheck`]), and is then either a verified request or response or a refusal. There
//! is no second opinion: a forged logout would end sessions, and never opens one.

mod check;
mod judge;
mod read;
mod send;

pub use check::{LogoutCheck, LogoutEntry, LogoutTrace};
use jiff::{SignedDuration, Timestamp};
pub use send::{
    Answer, LogoutError, LogoutRequestToSend, LogoutResponseToSend, REQUEST_LIFETIME, Sent, Way,
};
use url::form_urlencoded;

use super::certificate::Certificate;
use super::encoding;
use super::encryption::DecryptionKey;
use super::namespace::ASSERTION;
use super::redirect::{self, DetachedSignature, MAXIMUM_ECHO, MessageKind, Query};
use super::xml::{self, Document, Profile};

/// Most sessions that one request may name.
pub const MAXIMUM_SESSION_INDEXES: usize = 100;
/// Longest message that is posted, in base64 (bytes).
const LONGEST_POSTED: usize = 128 * 1024;

/// Somebody's name as the identity provider gave it. Logout must say all of it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameIdentifier {
    /// The name.
    pub value: String,
    /// Its format.
    pub format: Option<String>,
    /// Who gave the name.
    pub name_qualifier: Option<String>,
    /// For whom the name was given.
    pub sp_name_qualifier: Option<String>,
}

/// What a message has to match. Nothing of it comes from the message.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The entity id of the configured identity provider.
    pub idp_entity_id: &'a str,
    /// Its certificates; the only keys that are believed.
    pub certificates: &'a [Certificate],
    /// Our keys that a name may be encrypted for; none refuses encrypted names.
    pub decryption_keys: &'a [DecryptionKey],
    /// The address that the message came to.
    pub url: &'a str,
    /// The present.
    pub now: Timestamp,
    /// How far clocks may differ, cut to 0..=[`super::response::MAXIMUM_SKEW`].
    pub skew: SignedDuration,
}

/// A request that proved to be the identity provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRequest {
    /// Its id, for the replay ledger and for the answer.
    pub id: String,
    /// Whose sessions end: the name alone, for its format says nothing about which name it is.
    pub name_id: String,
    /// Which of them; none means all.
    pub session_indexes: Vec<String>,
    /// When the identity provider made it, by its own clock.
    pub issued_at: Timestamp,
    /// How long the replay ledger must remember it, skew included.
    pub remember_until: Timestamp,
}

/// A response that proved to be the identity provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedResponse {
    /// The request it answers. That there was one is for the caller to find out.
    pub in_response_to: String,
    /// How it went there.
    pub ending: Ending,
    /// The status codes, from the top down, for the record.
    pub codes: Vec<String>,
}

/// How a single logout ended at the identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every session ended.
    Complete,
    /// Some sessions did not end (`PartialLogout`, SAML core §3.2.2.2).
    Partial,
    /// It was refused or failed.
    Failed,
}

/// What a message proved to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// A request.
    Request(VerifiedRequest),
    /// A response.
    Response(VerifiedResponse),
}

/// The check that refused a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {check} check failed")]
pub struct Refusal {
    /// Which check.
    pub check: LogoutCheck,
    /// What was wanted.
    pub wanted: String,
    /// What came; from the message, so escape it when shown.
    pub received: String,
}

/// The judgement and how it came about.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every check made.
    pub trace: LogoutTrace,
    /// What was proved, or why not.
    pub result: Result<Verified, Refusal>,
    /// Whether the sender is proved, refused or not: a configured key signed the message.
    pub is_proved: bool,
    /// The id of a request that may be answered, refused or not: its sender is proved.
    pub answerable: Option<String>,
}

/// What is known of the sender of a message.
#[derive(Debug, Default)]
struct Sender {
    is_proved: bool,
    answerable: Option<String>,
}

/// Where the signature of a message stands.
#[derive(Debug)]
enum Seal {
    /// In the message.
    Inside,
    /// Beside it; none when it is not signed.
    Beside(Option<DetachedSignature>),
}

/// A message that was read, and that nobody has judged.
#[derive(Debug)]
pub struct Received {
    kind: Option<MessageKind>,
    relay_state: Option<String>,
    seal: Seal,
    document: Result<Document, Refusal>,
}

impl Received {
    /// Reads what came by redirect: the query as it stands in the address. What cannot be read is
    /// judged too: as refused.
    pub fn from_query(raw: &str) -> Self {
        let wanted = "the parameters of the redirect binding, each once";
        let query = match Query::read(raw) {
            Ok(query) => query,
            Err(error) => return Self::unread(Seal::Beside(None), wanted, &error.to_string()),
        };
        let document = redirect::inflate(&query.message)
            .map_err(|error| refused(LogoutCheck::Encoding, "base64 of a deflated text", &error))
            .and_then(|text| parsed(&text));
        Self {
            kind: Some(query.kind),
            relay_state: query.relay_state,
            seal: Seal::Beside(query.signature),
            document,
        }
    }

    /// Reads what came as a form, its body as it stands in the request.
    pub fn from_form(body: &[u8]) -> Self {
        let wanted = "a form with one message";
        let (mut request, mut response, mut relay_state) = (None, None, None);
        for (name, value) in form_urlencoded::parse(body) {
            let place = match &*name {
                "SAMLRequest" => &mut request,
                "SAMLResponse" => &mut response,
                "RelayState" => &mut relay_state,
                // Some name their submit button.
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Self::unread(Seal::Inside, wanted, &format!("{name} twice"));
            }
        }
        let (kind, message) = match (request, response) {
            (Some(request), None) => (MessageKind::Request, request),
            (None, Some(response)) => (MessageKind::Response, response),
            (None, None) => return Self::unread(Seal::Inside, wanted, "no message"),
            (Some(_), Some(_)) => {
                return Self::unread(Seal::Inside, wanted, "two messages");
            }
        };
        if relay_state.as_ref().is_some_and(|it| it.len() > MAXIMUM_ECHO) {
            return Self::unread(Seal::Inside, wanted, "a relay state that is too long");
        }
        let document = if message.len() > LONGEST_POSTED {
            Err(refused(LogoutCheck::Encoding, "at most 128 KiB", &message.len()))
        } else {
            encoding::decode(&message)
                .map_err(|error| refused(LogoutCheck::Encoding, "base64", &error))
                .and_then(|text| parsed(&text))
        };
        Self { kind: Some(kind), relay_state, seal: Seal::Inside, document }
    }

    fn unread(seal: Seal, wanted: &str, received: &str) -> Self {
        let document = Err(refused(LogoutCheck::Binding, wanted, &received));
        Self { kind: None, relay_state: None, seal, document }
    }

    /// Whether the message asks or answers; none when there is no telling.
    pub fn kind(&self) -> Option<MessageKind> {
        self.kind
    }

    /// What is to be given back with the answer. Anybody can write this.
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Whether keys to open a name are needed at all.
    pub fn is_encrypted(&self) -> bool {
        let sealed = |it: xml::Element<'_>| it.is(ASSERTION, "EncryptedID");
        self.document.as_ref().is_ok_and(|document| document.root().elements().any(sealed))
    }

    /// Judges the message.
    pub fn judge(&self, expected: &Expected<'_>) -> Outcome {
        let mut trace = LogoutTrace::default();
        let mut sender = Sender::default();
        let verified = match (&self.document, self.kind) {
            (Ok(document), Some(kind)) => {
                for check in [LogoutCheck::Binding, LogoutCheck::Encoding, LogoutCheck::Xml] {
                    trace.require(check, true, "", "");
                }
                judge::judge(kind, document, &self.seal, expected, &mut trace, &mut sender)
            }
            (Ok(_), None) => None,
            (Err(refusal), _) => {
                let before = [LogoutCheck::Binding, LogoutCheck::Encoding];
                for check in before.into_iter().take_while(|check| *check != refusal.check) {
                    trace.require(check, true, "", "");
                }
                let Refusal { check, wanted, received } = refusal;
                trace.fail(*check, wanted, received);
                None
            }
        };
        // Deny by default: no failure in the trace *and* a whole message in hand.
        let failure = trace.failures().next().cloned();
        let result = match (failure, verified) {
            (None, Some(verified)) => Ok(verified),
            (Some(it), _) => {
                Err(Refusal { check: it.check, wanted: it.wanted, received: it.received })
            }
            (None, None) => Err(refused(LogoutCheck::Structure, "a complete message", &"")),
        };
        let Sender { is_proved, answerable } = sender;
        Outcome { trace, result, is_proved, answerable }
    }
}

fn refused(check: LogoutCheck, wanted: &str, received: &dyn std::fmt::Display) -> Refusal {
    Refusal { check, wanted: wanted.to_owned(), received: received.to_string() }
}

fn parsed(text: &[u8]) -> Result<Document, Refusal> {
    xml::parse(text, Profile::Message)
        .map_err(|error| refused(LogoutCheck::Xml, "strict XML", &error))
}
