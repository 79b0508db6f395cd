//! The list an auditor reads from top to bottom: every rule for a logout message, each a named
//! check. Checks that can be made are all made; a single failure refuses the message.

use jiff::Timestamp;

use super::read::{self, Content, Message, Named};
use super::{Ending, Expected, LogoutCheck, LogoutTrace, Seal, Sender, Verified};
use super::{VerifiedRequest, VerifiedResponse};
use crate::saml::redirect::MessageKind;
use crate::saml::response::{Clock, MAXIMUM_AGE, MAXIMUM_NAME_ID, SUCCESS, unique_ids};
use crate::saml::signature::{self, SignatureError};
use crate::saml::statement::{self, NameId};
use crate::saml::xml::Document;
use crate::saml::{encoding, encryption, instant};

/// Not everybody was signed out (SAML core §3.2.2.2); a second-level status.
const PARTIAL: &str = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";

/// The checks, in order. Returns what the message says once all of it could be read; the caller
/// lets it count only when the trace holds no failure.
pub(super) fn judge(
    kind: MessageKind,
    document: &Document,
    seal: &Seal,
    expected: &Expected<'_>,
    trace: &mut LogoutTrace,
    sender: &mut Sender,
) -> Option<Verified> {
    let clock = Clock::new(expected.now, expected.skew);
    let wanted = "a message of the Single Logout profile";

    // What is read below is read from here, and only from here.
    let message = match read::message(kind, document.root()) {
        Ok(message) => message,
        Err(error) => {
            trace.fail(LogoutCheck::Structure, wanted, error.to_string());
            return None;
        }
    };
    trace.require(LogoutCheck::Structure, true, wanted, "");
    let unique = trace.require(LogoutCheck::UniqueIds, unique_ids([document]), "every ID once", "");
    let version = message.version;
    trace.require(LogoutCheck::Version, version == "2.0", "2.0", version);
    // A signed message must say where it goes (SAML bindings §3.4.5.2, §3.5.5.2).
    let destination = message.destination;
    let received = destination.unwrap_or("absent");
    let here = destination == Some(expected.url);
    trace.require(LogoutCheck::Destination, here, expected.url, received);
    let theirs = message.issuer == expected.idp_entity_id;
    trace.require(LogoutCheck::Issuer, theirs, expected.idp_entity_id, message.issuer);
    let signed = signature(trace, expected, seal, &message);

    // Who is known to have asked gets an answer, and nobody else does.
    sender.is_proved = unique && theirs && signed;
    if kind == MessageKind::Request && sender.is_proved {
        sender.answerable = Some(message.id.to_owned());
    }

    let issued = message.issue_instant;
    let fresh = clock.is_fresh(issued);
    let wanted = format!("{}, at most {} s old", clock.tolerance(), MAXIMUM_AGE.as_secs());
    trace.require(LogoutCheck::IssueInstant, fresh, wanted, instant::format(issued));

    match message.content {
        Content::Request { named, session_indexes, not_on_or_after } => {
            expiry(trace, clock, not_on_or_after);
            let name = name(trace, expected, sender, &named)?;
            Some(Verified::Request(VerifiedRequest {
                id: message.id.to_owned(),
                name_id: name,
                session_indexes: session_indexes.into_iter().map(str::to_owned).collect(),
                issued_at: issued,
                remember_until: clock.stale_after(issued),
            }))
        }
        Content::Response { in_response_to, status } => {
            let Some(in_response_to) = in_response_to else {
                let wanted = "the id of a logout that began here";
                trace.fail(LogoutCheck::InResponseTo, wanted, "absent");
                return None;
            };
            let ending = if status.codes.contains(&PARTIAL) {
                Ending::Partial
            } else if status.codes.first() == Some(&SUCCESS) {
                Ending::Complete
            } else {
                Ending::Failed
            };
            Some(Verified::Response(VerifiedResponse {
                in_response_to: in_response_to.to_owned(),
                ending,
                codes: status.codes.into_iter().map(str::to_owned).collect(),
            }))
        }
    }
}

fn signature(
    trace: &mut LogoutTrace,
    expected: &Expected<'_>,
    seal: &Seal,
    message: &Message<'_>,
) -> bool {
    let wanted = "a signature by a configured certificate";
    let verified = match (seal, message.signature) {
        (Seal::Inside, Some(inside)) => {
            signature::verify(inside, message.element, expected.certificates)
                .map(|verified| verified.certificate)
        }
        (Seal::Beside(Some(beside)), None) => {
            encoding::decode(&beside.value).map_err(|_| SignatureError::Base64).and_then(|value| {
                let signed = beside.signed.as_bytes();
                let certificates = expected.certificates;
                signature::verify_detached(&beside.algorithm, signed, &value, certificates)
            })
        }
        (Seal::Inside | Seal::Beside(None), None) => {
            return trace.require(LogoutCheck::Signature, false, wanted, "not signed");
        }
        // What is redirected must carry its signature beside it and nowhere else (SAML bindings
        // §3.4.4.1): with two of them it would be unclear what counts.
        (Seal::Beside(_), Some(_)) => {
            let received = "a signature inside of a message that was redirected";
            return trace.require(LogoutCheck::Signature, false, wanted, received);
        }
    };
    match verified {
        Ok(certificate) => {
            let received = format!("sha256 {}", certificate.facts().fingerprint);
            trace.require(LogoutCheck::Signature, true, wanted, received)
        }
        Err(error) => trace.require(LogoutCheck::Signature, false, wanted, error.to_string()),
    }
}

fn expiry(trace: &mut LogoutTrace, clock: Clock, not_on_or_after: Option<Timestamp>) {
    if let Some(ends) = not_on_or_after {
        let (wanted, received) = (format!("after {}", clock.tolerance()), instant::format(ends));
        trace.require(LogoutCheck::NotOnOrAfter, clock.is_before(ends), wanted, received);
    }
}

/// The name, in the clear or opened.
fn name(
    trace: &mut LogoutTrace,
    expected: &Expected<'_>,
    sender: &Sender,
    named: &Named<'_>,
) -> Option<String> {
    let sealed = match named {
        Named::Clear(name) => return Some(name_id(trace, name)),
        Named::Sealed(sealed) => *sealed,
    };
    // Nobody gets our private key to work with a message that is no good, or that anybody sent.
    if !sender.is_proved || trace.failures().next().is_some() {
        return None;
    }
    let wanted = "a name that a key of ours opens";
    let opened = match encryption::open_name(sealed, expected.decryption_keys) {
        Ok(opened) => opened,
        Err(error) => {
            trace.fail(LogoutCheck::Decryption, wanted, error.to_string());
            return None;
        }
    };
    trace.require(LogoutCheck::Decryption, true, wanted, opened.method);
    match statement::name_id(opened.document.root()) {
        Ok(name) => Some(name_id(trace, &name)),
        Err(error) => {
            trace.fail(LogoutCheck::Structure, "a name identifier", error.to_string());
            None
        }
    }
}

fn name_id(trace: &mut LogoutTrace, name: &NameId<'_>) -> String {
    let holds = (1..=MAXIMUM_NAME_ID).contains(&name.value.chars().count())
        && !name.value.chars().any(char::is_control);
    let wanted = "1 to 512 characters without controls";
    trace.require(LogoutCheck::NameId, holds, wanted, name.value);
    name.value.to_owned()
}
