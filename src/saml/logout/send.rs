//! Logout messages of ours: written, signed, and on their way.

use jiff::{SignedDuration, Timestamp};

use super::NameIdentifier;
use crate::saml::certificate::SigningKey;
use crate::saml::metadata::{MetadataError, location};
use crate::saml::namespace::{ASSERTION, PROTOCOL};
use crate::saml::redirect::{self, MessageKind, RedirectError};
use crate::saml::response::SUCCESS;
use crate::saml::signature::{self, SignatureError};
use crate::saml::writer::{UnwritableText, XmlWriter};
use crate::saml::{encoding, instant};

/// For how long our requests may be acted on.
pub const REQUEST_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// The person wants it (SAML core §3.7.3).
const BY_THE_USER: &str = "urn:oasis:names:tc:SAML:2.0:logout:user";
/// Whoever asked is at fault (SAML core §3.2.2.2).
const REQUESTER: &str = "urn:oasis:names:tc:SAML:2.0:status:Requester";

/// Why a logout message cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// A value XML cannot carry.
    #[error(transparent)]
    Unwritable(#[from] UnwritableText),
    /// Signing failed, or an id is no `xs:ID`.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It cannot travel by redirect.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The address is not one to send people to.
    #[error(transparent)]
    Location(#[from] MetadataError),
    /// A time out of range.
    #[error("a time is out of range")]
    Time,
}

/// By which binding a message leaves, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// In the query of a redirect to this address.
    Redirect(String),
    /// In a form that the browser posts to this address.
    Post(String),
}

impl Way {
    /// Where to.
    pub fn address(&self) -> &str {
        match self {
            Self::Redirect(address) | Self::Post(address) => address,
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The browser goes to this address.
    Redirect(String),
    /// The browser posts a form.
    Post {
        /// Where to.
        action: String,
        /// Which field the message is in.
        kind: MessageKind,
        /// The message, in base64.
        message: String,
        /// What goes with it.
        relay_state: Option<String>,
    },
}

/// A request to make.
#[derive(Debug, Clone, Copy)]
pub struct LogoutRequestToSend<'a> {
    /// Its id: `_` and 160 random bits in hexadecimal.
    pub id: &'a str,
    /// The present.
    pub now: Timestamp,
    /// Our entity id.
    pub issuer: &'a str,
    /// Whose session ends, as the identity provider named them.
    pub name_id: &'a NameIdentifier,
    /// Which session, as the identity provider named it.
    pub session_index: Option<&'a str>,
}

impl LogoutRequestToSend<'_> {
    /// Writes and signs the request. Signing takes half a millisecond: never inside a write
    /// transaction.
    pub fn send(&self, way: &Way, key: &SigningKey) -> Result<Sent, LogoutError> {
        let issued = instant::format(self.now);
        let ends = self.now.checked_add(REQUEST_LIFETIME).map_err(|_| LogoutError::Time)?;
        let ends = instant::format(ends);
        let mut xml = XmlWriter::new();
        xml.open(
            "samlp:LogoutRequest",
            &[
                ("xmlns:samlp", PROTOCOL),
                ("Destination", way.address()),
                ("ID", self.id),
                ("IssueInstant", &issued),
                ("NotOnOrAfter", &ends),
                ("Reason", BY_THE_USER),
                ("Version", "2.0"),
            ],
        );
        let split = issuer(&mut xml, self.issuer);
        let name = self.name_id;
        let mut attributes = vec![("xmlns:saml", ASSERTION)];
        attributes.extend(name.format.as_deref().map(|it| ("Format", it)));
        attributes.extend(name.name_qualifier.as_deref().map(|it| ("NameQualifier", it)));
        attributes.extend(name.sp_name_qualifier.as_deref().map(|it| ("SPNameQualifier", it)));
        xml.leaf("saml:NameID", &attributes, &name.value);
        if let Some(index) = self.session_index {
            xml.leaf("samlp:SessionIndex", &[], index);
        }
        let written =
            Written { kind: MessageKind::Request, id: self.id, xml: xml.finish()?, split };
        written.send(way, None, key)
    }
}

/// What we say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// No session that it names is left here.
    Done,
    /// It is the requester's fault that nothing was done; says what, in a word or two.
    Refused(&'a str),
}

/// A response to make.
#[derive(Debug, Clone, Copy)]
pub struct LogoutResponseToSend<'a> {
    /// Its id: `_` and 160 random bits in hexadecimal.
    pub id: &'a str,
    /// The present.
    pub now: Timestamp,
    /// Our entity id.
    pub issuer: &'a str,
    /// The request it answers.
    pub in_response_to: &'a str,
    /// What we say.
    pub answer: Answer<'a>,
    /// What came with the request, to be given back as it is.
    pub relay_state: Option<&'a str>,
}

impl LogoutResponseToSend<'_> {
    /// Writes and signs the response.
    pub fn send(&self, way: &Way, key: &SigningKey) -> Result<Sent, LogoutError> {
        let issued = instant::format(self.now);
        let mut xml = XmlWriter::new();
        xml.open(
            "samlp:LogoutResponse",
            &[
                ("xmlns:samlp", PROTOCOL),
                ("Destination", way.address()),
                ("ID", self.id),
                ("InResponseTo", self.in_response_to),
                ("IssueInstant", &issued),
                ("Version", "2.0"),
            ],
        );
        let split = issuer(&mut xml, self.issuer);
        xml.open("samlp:Status", &[]);
        match self.answer {
            Answer::Done => {
                xml.leaf("samlp:StatusCode", &[("Value", SUCCESS)], "");
            }
            Answer::Refused(why) => {
                xml.leaf("samlp:StatusCode", &[("Value", REQUESTER)], "").leaf(
                    "samlp:StatusMessage",
                    &[],
                    why,
                );
            }
        }
        xml.close();
        let written =
            Written { kind: MessageKind::Response, id: self.id, xml: xml.finish()?, split };
        written.send(way, self.relay_state, key)
    }
}

/// Writes the issuer; says where the signature belongs.
fn issuer(xml: &mut XmlWriter, issuer: &str) -> usize {
    xml.leaf("saml:Issuer", &[("xmlns:saml", ASSERTION)], issuer);
    xml.position()
}

/// A message before it is signed.
struct Written<'a> {
    kind: MessageKind,
    id: &'a str,
    xml: String,
    split: usize,
}

impl Written<'_> {
    fn send(
        &self,
        way: &Way,
        relay_state: Option<&str>,
        key: &SigningKey,
    ) -> Result<Sent, LogoutError> {
        match way {
            Way::Redirect(address) => {
                let kind = self.kind;
                let address = redirect::address(address, kind, &self.xml, relay_state, Some(key))?;
                Ok(Sent::Redirect(address))
            }
            Way::Post(address) => {
                let (head, tail) = self.xml.split_at_checked(self.split).ok_or(UnwritableText)?;
                let signed = signature::sign(head, tail, self.id, key)?;
                Ok(Sent::Post {
                    action: location(address)?,
                    kind: self.kind,
                    message: encoding::encode(signed.as_bytes()),
                    relay_state: relay_state.map(str::to_owned),
                })
            }
        }
    }
}
