//! The structure of logout messages. Reading only; whether any of it is true is judged in
//! [`super::judge`].

use jiff::Timestamp;

use super::MAXIMUM_SESSION_INDEXES;
use crate::saml::namespace::{ASSERTION, PROTOCOL, SIGNATURE};
use crate::saml::redirect::MessageKind;
use crate::saml::shape::{Children, ShapeError, bad_value, label, required, trimmed_leaf};
use crate::saml::statement::{
    NameId, Status, id_of, instant_of, issuer, name_id, required_instant, status,
};
use crate::saml::xml::Element;

/// What both kinds have, read and not yet believed.
#[derive(Debug)]
pub(super) struct Message<'d> {
    pub element: Element<'d>,
    pub id: &'d str,
    pub version: &'d str,
    pub issue_instant: Timestamp,
    pub destination: Option<&'d str>,
    pub issuer: &'d str,
    pub signature: Option<Element<'d>>,
    pub content: Content<'d>,
}

/// What each kind has of its own.
#[derive(Debug)]
pub(super) enum Content<'d> {
    Request { named: Named<'d>, session_indexes: Vec<&'d str>, not_on_or_after: Option<Timestamp> },
    Response { in_response_to: Option<&'d str>, status: Status<'d> },
}

/// How a request names somebody.
#[derive(Debug)]
pub(super) enum Named<'d> {
    /// In the clear.
    Clear(NameId<'d>),
    /// Encrypted: the `EncryptedID`.
    Sealed(Element<'d>),
}

/// Reads a message of this kind (SAML core §3.7.1, §3.7.2). The issuer must be there (SAML
/// profiles §4.4.4).
pub(super) fn message(kind: MessageKind, element: Element<'_>) -> Result<Message<'_>, ShapeError> {
    let (name, own): (_, &[&str]) = match kind {
        MessageKind::Request => ("LogoutRequest", &["Reason", "NotOnOrAfter"]),
        MessageKind::Response => ("LogoutResponse", &["InResponseTo"]),
    };
    if !element.is(PROTOCOL, name) {
        let wanted = name.to_owned();
        return Err(ShapeError::MissingElement { parent: label(element), wanted });
    }
    let known: Vec<&str> = ["ID", "Version", "IssueInstant", "Destination", "Consent"]
        .into_iter()
        .chain(own.iter().copied())
        .collect();
    let mut parts = Children::of(element, &known)?;
    let id = id_of(element)?;
    let from = issuer(parts.required(ASSERTION, "Issuer")?)?;
    let signature = parts.optional(SIGNATURE, "Signature");
    let content = match kind {
        MessageKind::Request => {
            let named = match parts.optional(ASSERTION, "EncryptedID") {
                Some(sealed) => Named::Sealed(sealed),
                None => Named::Clear(name_id(parts.required(ASSERTION, "NameID")?)?),
            };
            let mut session_indexes = Vec::new();
            for index in parts.many(PROTOCOL, "SessionIndex") {
                session_indexes.push(trimmed_leaf(index, &[])?);
            }
            if session_indexes.len() > MAXIMUM_SESSION_INDEXES {
                return Err(bad_value(element, "SessionIndex"));
            }
            let not_on_or_after = instant_of(element, "NotOnOrAfter")?;
            Content::Request { named, session_indexes, not_on_or_after }
        }
        MessageKind::Response => Content::Response {
            in_response_to: element.attribute("InResponseTo"),
            status: status(parts.required(PROTOCOL, "Status")?)?,
        },
    };
    parts.end()?;
    Ok(Message {
        element,
        id,
        version: required(element, "Version")?,
        issue_instant: required_instant(element, "IssueInstant")?,
        destination: element.attribute("Destination"),
        issuer: from,
        signature,
        content,
    })
}
