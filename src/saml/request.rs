//! Authentication requests by the redirect and the POST binding (SAML bindings §3.4, §3.5): ours
//! to the company's identity provider, signed if wanted, and those that reach an identity provider
//! of ours.

use jiff::Timestamp;

use super::certificate::SigningKey;
use super::metadata::{MetadataError, location};
use super::namespace::{ASSERTION, PROTOCOL, SIGNATURE};
use super::redirect::{self, MessageKind, RedirectError};
use super::shape::{Children, ShapeError, bad_value, label, leaf, required};
use super::signature::{self, SignatureError};
use super::writer::{UnwritableText, XmlWriter};
use super::xml::{self, Element, Profile, XmlError, is_ncname, trim};
use super::{binding, encoding, instant};

/// Longest `RelayState` (bytes; SAML bindings §3.4.3).
pub const MAXIMUM_RELAY_STATE: usize = 80;

/// Why a request cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A value XML cannot carry.
    #[error(transparent)]
    Unwritable(#[from] UnwritableText),
    /// The identity provider's address is not one to redirect to.
    #[error(transparent)]
    Location(#[from] MetadataError),
    /// More than [`MAXIMUM_RELAY_STATE`] bytes.
    #[error("the relay state is too long")]
    RelayState,
    /// The request cannot be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The request cannot travel by redirect, or did not arrive by one.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// Not XML we read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Not a request as SAML defines it.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// A request to make.
#[derive(Debug, Clone, Copy)]
pub struct AuthnRequestToSend<'a> {
    /// Its id, a fresh one with at least 128 random bits, beginning with a letter or `_`.
    pub id: &'a str,
    /// The present.
    pub now: Timestamp,
    /// Our entity id.
    pub issuer: &'a str,
    /// Where the identity provider takes it.
    pub destination: &'a str,
    /// Where the response is to be posted.
    pub acs_url: &'a str,
    /// Whether the person must authenticate anew.
    pub force_authn: bool,
    /// The name format to ask for; none leaves it to the identity provider.
    pub name_id_format: Option<&'a str>,
    /// The ways to authenticate of which one is demanded; none leaves it to the identity provider.
    pub authn_contexts: &'a [String],
}

impl AuthnRequestToSend<'_> {
    /// Writes the request, signed inside if there is a key.
    pub fn xml(&self, key: Option<&SigningKey>) -> Result<String, RequestError> {
        let issued = instant::format(self.now);
        let mut attributes = vec![
            ("xmlns:samlp", PROTOCOL),
            ("AssertionConsumerServiceURL", self.acs_url),
            ("Destination", self.destination),
        ];
        if self.force_authn {
            attributes.push(("ForceAuthn", "true"));
        }
        attributes.extend([
            ("ID", self.id),
            ("IssueInstant", issued.as_str()),
            ("ProtocolBinding", binding::POST),
            ("Version", "2.0"),
        ]);
        let mut xml = XmlWriter::new();
        xml.open("samlp:AuthnRequest", &attributes).leaf(
            "saml:Issuer",
            &[("xmlns:saml", ASSERTION)],
            self.issuer,
        );
        let split = xml.position();
        if let Some(format) = self.name_id_format {
            xml.open("samlp:NameIDPolicy", &[("AllowCreate", "true"), ("Format", format)]).close();
        }
        if !self.authn_contexts.is_empty() {
            xml.open("samlp:RequestedAuthnContext", &[("Comparison", "exact")]);
            for context in self.authn_contexts {
                let declared = [("xmlns:saml", ASSERTION)];
                xml.leaf("saml:AuthnContextClassRef", &declared, context);
            }
            xml.close();
        }
        let text = xml.finish()?;
        let Some(key) = key else { return Ok(text) };
        let (head, tail) = text.split_at_checked(split).ok_or(UnwritableText)?;
        Ok(signature::sign(head, tail, self.id, key)?)
    }

    /// The address to redirect the browser to, its query signed if there is a key (SAML bindings
    /// §3.4.4.1). `relay_state` is an opaque handle.
    pub fn redirect_url(
        &self,
        relay_state: Option<&str>,
        key: Option<&SigningKey>,
    ) -> Result<String, RequestError> {
        location(self.destination)?;
        if relay_state.is_some_and(|it| it.len() > MAXIMUM_RELAY_STATE) {
            return Err(RequestError::RelayState);
        }
        let xml = self.xml(None)?;
        Ok(redirect::address(self.destination, MessageKind::Request, &xml, relay_state, key)?)
    }

    /// The message to post, in base64; signed inside if there is a key (SAML bindings §3.5.4).
    pub fn post_message(&self, key: Option<&SigningKey>) -> Result<String, RequestError> {
        location(self.destination)?;
        Ok(encoding::encode(self.xml(key)?.as_bytes()))
    }
}

/// A request that reached an identity provider of ours. Nothing in it is believed, signed or not:
/// the answer goes only to an address the identity provider knows for this issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthnRequest {
    /// Its id, which the response answers.
    pub id: String,
    /// When it was made.
    pub issue_instant: Timestamp,
    /// Who asks.
    pub issuer: String,
    /// Where it was sent.
    pub destination: Option<String>,
    /// Where it wants the response.
    pub acs_url: Option<String>,
    /// The name format it asks for.
    pub name_id_format: Option<String>,
    /// The ways to authenticate of which it demands one.
    pub authn_contexts: Vec<String>,
    /// Whether the person must authenticate anew.
    pub force_authn: bool,
    /// Whether the person must not be asked anything.
    pub is_passive: bool,
}

impl AuthnRequest {
    /// Reads the `SAMLRequest` parameter of a redirect, already URL-decoded.
    pub fn from_redirect(parameter: &str) -> Result<Self, RequestError> {
        let text = redirect::inflate(parameter)?;
        Self::from_xml(&text)
    }

    /// Reads a request.
    pub fn from_xml(text: &[u8]) -> Result<Self, RequestError> {
        let document = xml::parse(text, Profile::Message)?;
        Ok(read(document.root())?)
    }
}

fn read(element: Element<'_>) -> Result<AuthnRequest, ShapeError> {
    const KNOWN: [&str; 12] = [
        "ID",
        "Version",
        "IssueInstant",
        "Destination",
        "Consent",
        "ForceAuthn",
        "IsPassive",
        "ProtocolBinding",
        "AssertionConsumerServiceIndex",
        "AssertionConsumerServiceURL",
        "AttributeConsumingServiceIndex",
        "ProviderName",
    ];
    if !element.is(PROTOCOL, "AuthnRequest") {
        let wanted = "AuthnRequest".to_owned();
        return Err(ShapeError::MissingElement { parent: label(element), wanted });
    }
    let mut parts = Children::of(element, &KNOWN)?;
    let id = required(element, "ID")?;
    if !is_ncname(id) || id.len() > 256 {
        return Err(bad_value(element, "ID"));
    }
    if required(element, "Version")? != "2.0" {
        return Err(bad_value(element, "Version"));
    }
    if element.attribute("ProtocolBinding").is_some_and(|it| it != binding::POST) {
        return Err(bad_value(element, "ProtocolBinding"));
    }
    let issuer = leaf(parts.required(ASSERTION, "Issuer")?, &["Format"]).map(trim)?;
    parts.optional(SIGNATURE, "Signature");
    let policy = parts.optional(PROTOCOL, "NameIDPolicy");
    if let Some(policy) = policy {
        let known = ["Format", "AllowCreate", "SPNameQualifier"];
        Children::of(policy, &known)?.end()?;
    }
    let contexts = parts.optional(PROTOCOL, "RequestedAuthnContext");
    parts.end()?;
    let contexts = contexts.into_iter().flat_map(Element::elements);
    let contexts = contexts.filter(|it| it.is(ASSERTION, "AuthnContextClassRef"));
    let flag = |name| element.attribute(name).is_some_and(|it| matches!(it, "true" | "1"));
    Ok(AuthnRequest {
        id: id.to_owned(),
        issue_instant: instant::parse(required(element, "IssueInstant")?)
            .ok_or_else(|| bad_value(element, "IssueInstant"))?,
        issuer: issuer.to_owned(),
        destination: element.attribute("Destination").map(str::to_owned),
        acs_url: element.attribute("AssertionConsumerServiceURL").map(str::to_owned),
        name_id_format: policy.and_then(|it| it.attribute("Format")).map(str::to_owned),
        authn_contexts: contexts.filter_map(|it| it.text().map(|it| trim(it).to_owned())).collect(),
        force_authn: flag("ForceAuthn"),
        is_passive: flag("IsPassive"),
    })
}
