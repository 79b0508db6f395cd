//! An identity provider, and the messages that it sends.

use anyhow::Result;
use identity_center::{
    clock::Clock,
    saml::{
        certificate::{Certificate, SigningKey},
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format::UNSPECIFIED,
        response::Expected,
        sp_metadata,
    },
};
use jiff::{SignedDuration, Timestamp};

pub const IDP: &str = "https://idp.example.com/metadata";
pub const SP: &str = "https://sp.example.com/saml/sp/z-1";
pub const ACS: &str = "https://sp.example.com/saml/acs/z-1";
pub const REQUEST: &str = "_0123456789abcdef0123456789abcdef01234567";

/// A key, and what it signs for.
pub struct Idp {
    pub key: SigningKey,
    pub certificates: Vec<Certificate>,
    pub now: Timestamp,
}

/// Whom a message is for.
pub struct Addressee<'a> {
    pub request: &'a str,
    pub acs_url: &'a str,
    pub audience: &'a str,
    pub name: &'a str,
    pub id: &'a str,
}

impl Idp {
    pub fn new() -> Result<Self> {
        let now = Clock::system().now().to_jiff();
        let key = SigningKey::generate("idp", now, [7; 16])?;
        let certificates = vec![key.certificate().clone()];
        Ok(Self { key, certificates, now })
    }

    pub fn metadata(&self) -> Result<String> {
        let metadata = sp_metadata::IdentityProvider {
            entity_id: IDP,
            sso_url: "https://idp.example.com/sso",
            certificates: &self.certificates,
        };
        Ok(metadata.metadata()?)
    }

    /// Assertion and response signed, with a dozen attributes as directories send them.
    pub fn both_signed(&self, to: &Addressee<'_>, now: Timestamp) -> Result<String> {
        let names: Vec<String> = (0..12).map(|i| format!("urn:oid:2.5.4.{i}")).collect();
        let attributes: Vec<AttributeToState<'_>> = names
            .iter()
            .map(|name| AttributeToState { name, values: &["a value of thirty-two characters"] })
            .collect();
        let (response, assertion) = (format!("_r{}", to.id), format!("_a{}", to.id));
        let issued = ResponseToIssue {
            response_id: &response,
            assertion_id: &assertion,
            issuer: IDP,
            acs_url: to.acs_url,
            audience: to.audience,
            in_response_to: Some(to.request),
            name_id: to.name,
            name_id_format: UNSPECIFIED,
            session_index: "_session",
            attributes: &attributes,
            authenticated_at: now,
            now,
            lifetime: SignedDuration::from_mins(5),
            session_lifetime: Some(SignedDuration::from_hours(8)),
        };
        Ok(issued.issue(&self.key)?.xml)
    }

    /// The usual one.
    pub fn usual(&self) -> Result<String> {
        let to = Addressee { request: REQUEST, acs_url: ACS, audience: SP, name: "alice", id: "1" };
        self.both_signed(&to, self.now)
    }

    /// The same with the assertion signed only.
    pub fn assertion_signed(&self) -> Result<String> {
        Ok(without_signature(&self.usual()?))
    }

    /// The same with nothing signed.
    pub fn unsigned(&self) -> Result<String> {
        Ok(without_signature(&self.assertion_signed()?))
    }

    pub fn expected(&self, second_opinion: bool) -> Expected<'_> {
        Expected {
            idp_entity_id: IDP,
            certificates: &self.certificates,
            decryption_keys: &[],
            acs_url: ACS,
            sp_entity_id: SP,
            request_id: Some(REQUEST),
            authn_contexts: &[],
            authenticated_since: None,
            identity_attribute: None,
            used: None,
            allow_unsolicited: false,
            now: self.now,
            skew: SignedDuration::from_secs(60),
            second_opinion,
        }
    }
}

/// The message without its first signature.
fn without_signature(message: &str) -> String {
    let start = message.find("<ds:Signature ").unwrap_or_default();
    let close = "</ds:Signature>";
    let end = message[start..].find(close).map_or(start, |at| start + at + close.len());
    format!("{}{}", &message[..start], &message[end..])
}
