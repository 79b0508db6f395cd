//! Responses we sign: into cloud accounts by role (SAML.md §5), and as the
//! demonstration's identity provider. Assertion and response are both signed.

use jiff::{SignedDuration, Timestamp};

use super::certificate::SigningKey;
use super::namespace::{ASSERTION, PROTOCOL};
use super::response::SUCCESS;
use super::signature::{self, SignatureError};
use super::writer::{UnwritableText, XmlWriter};
use super::{encoding, instant};

/// The longest a bearer confirmation may hold.
pub const MAXIMUM_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How far before the present an assertion begins, for clocks that lag.
const LEAD: SignedDuration = SignedDuration::from_secs(60);

/// Why no response was made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A value XML cannot carry.
    #[error(transparent)]
    Unwritable(#[from] UnwritableText),
    /// Signing failed, or an id is no `xs:ID`.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A time out of range.
    #[error("a time is out of range")]
    Time,
}

/// An attribute to state; several values stand in one attribute.
#[derive(Debug, Clone, Copy)]
pub struct AttributeToState<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its values, in order.
    pub values: &'a [&'a str],
}

/// A response to make.
#[derive(Debug, Clone, Copy)]
pub struct ResponseToIssue<'a> {
    /// The response's id: `_` and 160 random bits in hexadecimal.
    pub response_id: &'a str,
    /// The assertion's id, made likewise.
    pub assertion_id: &'a str,
    /// Our entity id.
    pub issuer: &'a str,
    /// Where the response goes: destination and recipient.
    pub acs_url: &'a str,
    /// For whom the assertion is.
    pub audience: &'a str,
    /// The request answered; `None` leaves the attribute out.
    pub in_response_to: Option<&'a str>,
    /// Whom it is about.
    pub name_id: &'a str,
    /// The format of the name, see [`super::name_id_format`].
    pub name_id_format: &'a str,
    /// Our name of the session.
    pub session_index: &'a str,
    /// What else is said.
    pub attributes: &'a [AttributeToState<'a>],
    /// When the person authenticated.
    pub authenticated_at: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// How long the response may be presented, cut to [`MAXIMUM_LIFETIME`].
    pub lifetime: SignedDuration,
    /// How long a session made from it may last; `None` leaves it to the account.
    pub session_lifetime: Option<SignedDuration>,
}

/// A signed response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedResponse {
    /// The canonical XML.
    pub xml: String,
    /// Until when it may be presented.
    pub not_on_or_after: Timestamp,
}

impl IssuedResponse {
    /// The value of the form field `SAMLResponse`.
    pub fn base64(&self) -> String {
        encoding::encode(self.xml.as_bytes())
    }
}

impl ResponseToIssue<'_> {
    /// Writes and signs the response. Two RSA signatures: about half a
    /// millisecond, so never inside a write transaction.
    pub fn issue(&self, key: &SigningKey) -> Result<IssuedResponse, IssueError> {
        let lifetime = self.lifetime.min(MAXIMUM_LIFETIME);
        let not_on_or_after = self.now.checked_add(lifetime).map_err(|_| IssueError::Time)?;
        let assertion = self.assertion(not_on_or_after)?;
        let (head, tail) = assertion;
        let assertion = signature::sign(&head, &tail, self.assertion_id, key)?;

        let issued = instant::format(self.now);
        let mut attributes = vec![
            ("xmlns:samlp", PROTOCOL),
            ("Destination", self.acs_url),
            ("ID", self.response_id),
        ];
        attributes.extend(self.in_response_to.map(|id| ("InResponseTo", id)));
        attributes.extend([("IssueInstant", issued.as_str()), ("Version", "2.0")]);
        let mut xml = XmlWriter::new();
        xml.open("samlp:Response", &attributes).leaf(
            "saml:Issuer",
            &[("xmlns:saml", ASSERTION)],
            self.issuer,
        );
        let split = xml.position();
        xml.open("samlp:Status", &[])
            .leaf("samlp:StatusCode", &[("Value", SUCCESS)], "")
            .close()
            .raw(&assertion);
        let (head, tail) = cut(xml.finish()?, split);
        let xml = signature::sign(&head, &tail, self.response_id, key)?;
        Ok(IssuedResponse { xml, not_on_or_after })
    }

    /// The assertion in two parts, between which its signature belongs.
    fn assertion(&self, not_on_or_after: Timestamp) -> Result<(String, String), IssueError> {
        let not_before = self.now.checked_sub(LEAD).map_err(|_| IssueError::Time)?;
        let session_end = self
            .session_lifetime
            .map(|lifetime| self.now.checked_add(lifetime).map(instant::format))
            .transpose()
            .map_err(|_| IssueError::Time)?;
        let (issued, ends) = (instant::format(self.now), instant::format(not_on_or_after));
        let authenticated = instant::format(self.authenticated_at);
        let mut xml = XmlWriter::new();
        xml.open(
            "saml:Assertion",
            &[
                ("xmlns:saml", ASSERTION),
                ("ID", self.assertion_id),
                ("IssueInstant", &issued),
                ("Version", "2.0"),
            ],
        )
        .leaf("saml:Issuer", &[], self.issuer);
        let split = xml.position();

        let mut data = Vec::new();
        data.extend(self.in_response_to.map(|id| ("InResponseTo", id)));
        data.extend([("NotOnOrAfter", ends.as_str()), ("Recipient", self.acs_url)]);
        xml.open("saml:Subject", &[])
            .leaf("saml:NameID", &[("Format", self.name_id_format)], self.name_id)
            .open(
                "saml:SubjectConfirmation",
                &[("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")],
            )
            .leaf("saml:SubjectConfirmationData", &data, "")
            .close()
            .close();

        xml.open(
            "saml:Conditions",
            &[("NotBefore", &instant::format(not_before)), ("NotOnOrAfter", &ends)],
        )
        .open("saml:AudienceRestriction", &[])
        .leaf("saml:Audience", &[], self.audience)
        .close()
        .close();

        let mut statement =
            vec![("AuthnInstant", authenticated.as_str()), ("SessionIndex", self.session_index)];
        statement.extend(session_end.as_deref().map(|end| ("SessionNotOnOrAfter", end)));
        xml.open("saml:AuthnStatement", &statement)
            .open("saml:AuthnContext", &[])
            .leaf(
                "saml:AuthnContextClassRef",
                &[],
                "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
            )
            .close()
            .close();

        if !self.attributes.is_empty() {
            xml.open("saml:AttributeStatement", &[]);
            for attribute in self.attributes {
                xml.open(
                    "saml:Attribute",
                    &[
                        ("Name", attribute.name),
                        ("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"),
                    ],
                );
                for value in attribute.values {
                    xml.leaf("saml:AttributeValue", &[], value);
                }
                xml.close();
            }
            xml.close();
        }
        Ok(cut(xml.finish()?, split))
    }
}

fn cut(mut head: String, split: usize) -> (String, String) {
    let tail = head.split_off(split);
    (head, tail)
}
