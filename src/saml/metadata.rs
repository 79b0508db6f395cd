//! What an identity provider says about itself.

mod warnings;

pub use warnings::Warning;

use jiff::Timestamp;
use url::Url;

use super::certificate::{Certificate, CertificateError};
use super::namespace::{METADATA, PROTOCOL, SIGNATURE};
use super::signature::{self, SignatureError};
use super::xml::{self, Document, Element, Profile, XmlError, trim};
use super::{binding, instant};

/// Most signing certificates one identity provider may have (DESIGN §8).
pub const MAXIMUM_CERTIFICATES: usize = 10;
const LONGEST_ENTITY_ID: usize = 1024;

/// Why metadata is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A page for people: an address that asks to sign in, or an error.
    #[error("this is a web page, not SAML metadata")]
    WebPage,
    /// Not in the one encoding that is read.
    #[error("the metadata is in UTF-16; only UTF-8 is read")]
    Utf16,
    /// Not XML we read.
    #[error("not XML: {0}")]
    Xml(#[from] XmlError),
    /// XML, but not SAML metadata.
    #[error("not SAML metadata: the root element is {0}")]
    NotMetadata(String),
    /// Not signed by whom it should be, or not soundly.
    #[error("the metadata's signature does not count: {0}")]
    Signature(#[from] SignatureError),
    /// Describes a service provider only.
    #[error("this is the metadata of a service provider, not of an identity provider")]
    ServiceProvider,
    /// Describes no identity provider for SAML 2.0.
    #[error("no identity provider for SAML 2.0 in the metadata")]
    NoIdentityProvider,
    /// Describes several, and nobody chose.
    #[error("several identity providers in the metadata: choose one by its entity id")]
    SeveralIdentityProviders,
    /// Describes one by that name twice, and nobody can tell which counts.
    #[error("the metadata describes this identity provider more than once")]
    DoubledIdentityProvider,
    /// Describes none by the name that was chosen.
    #[error("the metadata has no identity provider with the entity id that was chosen")]
    NotAmongThem,
    /// No entity id, or one that is too long or holds control characters.
    #[error("missing or malformed entity id")]
    EntityId,
    /// Past its `validUntil`.
    #[error("the metadata was valid until {0}")]
    Expired(Timestamp),
    /// A `validUntil` that cannot be read.
    #[error("malformed validUntil")]
    ValidUntil,
    /// No way to sign in by redirect or POST.
    #[error("no sign-on service with redirect or POST binding")]
    NoSingleSignOn,
    /// An address that is not http or https.
    #[error("not an http or https address: {0:?}")]
    Endpoint(String),
    /// No certificate to verify with.
    #[error("no signing certificate in the metadata")]
    NoSigningCertificate,
    /// More certificates than [`MAXIMUM_CERTIFICATES`].
    #[error("too many signing certificates")]
    TooManyCertificates,
    /// A signing certificate that cannot be used.
    #[error("signing certificate {number}: {problem}")]
    Certificate {
        /// Which one, counted from 1.
        number: usize,
        /// Why.
        problem: CertificateError,
    },
}

/// Where a service is reached, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The binding's identifier, see [`binding`].
    pub binding: String,
    /// An http or https URL, as written.
    pub location: String,
    /// Where answers go, if elsewhere (logout has that).
    pub response_location: Option<String>,
}

/// An identity provider as we configure it.
#[derive(Debug, Clone, PartialEq)]
pub struct IdpMetadata {
    /// Its name, compared byte by byte.
    pub entity_id: String,
    /// Where to send people, redirect or POST.
    pub single_sign_on: Vec<Endpoint>,
    /// Where to announce logouts, redirect or POST.
    pub single_logout: Vec<Endpoint>,
    /// Every key it may sign with; at least one.
    pub certificates: Vec<Certificate>,
    /// The name formats it offers.
    pub name_id_formats: Vec<String>,
    /// Whether it wants our requests signed.
    pub want_authn_requests_signed: bool,
    /// Until when the description holds.
    pub valid_until: Option<Timestamp>,
}

impl IdpMetadata {
    /// Reads metadata: an entity, or a collection with exactly one identity provider.
    pub fn parse(document: &[u8], now: Timestamp) -> Result<Self, MetadataError> {
        Self::choose(document, None, now)
    }

    /// The same, of a collection that may hold several, of which the one with this entity id is
    /// meant.
    pub fn choose(
        document: &[u8],
        chosen: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, MetadataError> {
        Self::of(&open(document)?, chosen, now)
    }

    /// The same, of a document that one of these certificates signed over its root. Nothing that
    /// is read stands outside that signature; SHA-1 does not count.
    pub fn signed(
        document: &[u8],
        chosen: Option<&str>,
        pins: &[Certificate],
        now: Timestamp,
    ) -> Result<Self, MetadataError> {
        let document = open(document)?;
        signature::verify_root(document.root(), pins)?;
        Self::of(&document, chosen, now)
    }

    /// The entity ids of all identity providers of a collection, in its order.
    pub fn choice(document: &[u8]) -> Result<Vec<String>, MetadataError> {
        let document = open(document)?;
        let mut found: Vec<String> = Vec::new();
        for (entity, _) in roles(document.root())? {
            let id = entity_id(entity.attribute("entityID").unwrap_or_default())?;
            if !found.contains(&id) {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn of(
        document: &Document,
        chosen: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, MetadataError> {
        let mut roles = roles(document.root())?;
        if let Some(chosen) = chosen {
            roles.retain(|(entity, _)| entity.attribute("entityID").map(trim) == Some(chosen));
        }
        let (entity, role) = match roles.as_slice() {
            [one] => *one,
            [] => return Err(MetadataError::NotAmongThem),
            [(first, _), rest @ ..] => {
                let name = first.attribute("entityID");
                let same = rest.iter().all(|(entity, _)| entity.attribute("entityID") == name);
                return Err(if same {
                    MetadataError::DoubledIdentityProvider
                } else {
                    MetadataError::SeveralIdentityProviders
                });
            }
        };
        let valid_until = valid_until(role)?;
        if let Some(end) = valid_until.filter(|end| *end <= now) {
            return Err(MetadataError::Expired(end));
        }
        let single_sign_on = endpoints(role, "SingleSignOnService")?;
        if single_sign_on.is_empty() {
            return Err(MetadataError::NoSingleSignOn);
        }
        let formats = role.elements().filter(|it| it.is(METADATA, "NameIDFormat"));
        Ok(Self {
            entity_id: entity_id(entity.attribute("entityID").unwrap_or_default())?,
            single_sign_on,
            single_logout: endpoints(role, "SingleLogoutService")?,
            certificates: certificates(role)?,
            name_id_formats: formats
                .filter_map(Element::text)
                .map(|it| trim(it).to_owned())
                .collect(),
            want_authn_requests_signed: role
                .attribute("WantAuthnRequestsSigned")
                .is_some_and(|value| matches!(trim(value), "true" | "1")),
            valid_until,
        })
    }

    /// What is set by hand: entity id, address for redirects, certificate (SSO-06).
    pub fn by_hand(
        id: &str,
        login_url: &str,
        certificate: Certificate,
    ) -> Result<Self, MetadataError> {
        Ok(Self {
            entity_id: entity_id(id)?,
            single_sign_on: vec![Endpoint {
                binding: binding::REDIRECT.to_owned(),
                location: location(login_url)?,
                response_location: None,
            }],
            single_logout: Vec::new(),
            certificates: vec![certificate],
            name_id_formats: Vec::new(),
            want_authn_requests_signed: false,
            valid_until: None,
        })
    }

    /// Where to redirect people to, when the identity provider takes redirects.
    pub fn redirect_location(&self) -> Option<&str> {
        self.sign_on_location(binding::REDIRECT)
    }

    /// Where to have people's browsers post to, when the identity provider takes posts.
    pub fn post_location(&self) -> Option<&str> {
        self.sign_on_location(binding::POST)
    }

    fn sign_on_location(&self, binding: &str) -> Option<&str> {
        let mut endpoints = self.single_sign_on.iter();
        endpoints.find(|it| it.binding == binding).map(|it| it.location.as_str())
    }
}

/// Reads the document, and says of what is commonly taken for metadata what it is.
fn open(document: &[u8]) -> Result<Document, MetadataError> {
    // The XML reader would complain about a document type or an illegal character.
    if matches!(document, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, b'<', ..] | [b'<', 0, ..]) {
        return Err(MetadataError::Utf16);
    }
    let text = document.strip_prefix("\u{feff}".as_bytes()).unwrap_or(document);
    let begin = text.trim_ascii_start();
    let begins = |with: &str| {
        begin.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        return Err(MetadataError::WebPage);
    }
    Ok(xml::parse(document, Profile::Metadata)?)
}

/// The identity providers for SAML 2.0, each with the entity it belongs to; at least one.
fn roles(root: Element<'_>) -> Result<Vec<(Element<'_>, Element<'_>)>, MetadataError> {
    let mut entities = Vec::new();
    collect_entities(root, &mut entities);
    if entities.is_empty() && !root.is(METADATA, "EntitiesDescriptor") {
        return Err(MetadataError::NotMetadata(super::shape::label(root)));
    }
    let found: Vec<_> = entities
        .iter()
        .flat_map(|entity| {
            let roles = entity.elements().filter(|role| is_saml2(*role, "IDPSSODescriptor"));
            roles.map(move |role| (*entity, role))
        })
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let service = entities
        .iter()
        .any(|entity| entity.elements().any(|it| it.is(METADATA, "SPSSODescriptor")));
    Err(if service { MetadataError::ServiceProvider } else { MetadataError::NoIdentityProvider })
}

/// A collection may hold collections; the parser bounds the depth.
fn collect_entities<'d>(element: Element<'d>, found: &mut Vec<Element<'d>>) {
    if element.is(METADATA, "EntityDescriptor") {
        found.push(element);
    } else if element.is(METADATA, "EntitiesDescriptor") {
        for child in element.elements() {
            collect_entities(child, found);
        }
    }
}

fn is_saml2(role: Element<'_>, local: &str) -> bool {
    role.is(METADATA, local)
        && role
            .attribute("protocolSupportEnumeration")
            .is_some_and(|protocols| protocols.split_ascii_whitespace().any(|it| it == PROTOCOL))
}

fn entity_id(text: &str) -> Result<String, MetadataError> {
    let id = trim(text);
    let fine = !id.is_empty() && id.len() <= LONGEST_ENTITY_ID && !id.chars().any(char::is_control);
    if fine { Ok(id.to_owned()) } else { Err(MetadataError::EntityId) }
}

/// The earliest end among the element and all that enclose it.
fn valid_until(role: Element<'_>) -> Result<Option<Timestamp>, MetadataError> {
    let mut earliest: Option<Timestamp> = None;
    let mut current = Some(role);
    while let Some(element) = current {
        if let Some(text) = element.attribute("validUntil") {
            // Metadata is written by people too: offsets other than Z occur.
            let end = instant::parse(text).or_else(|| text.parse().ok());
            let end = end.ok_or(MetadataError::ValidUntil)?;
            earliest = Some(earliest.map_or(end, |it| it.min(end)));
        }
        current = element.parent();
    }
    Ok(earliest)
}

fn endpoints(role: Element<'_>, service: &str) -> Result<Vec<Endpoint>, MetadataError> {
    let mut found = Vec::new();
    for element in role.elements().filter(|it| it.is(METADATA, service)) {
        let location = location(element.attribute("Location").unwrap_or_default())?;
        let response_location = element.attribute("ResponseLocation").map(self::location);
        let response_location = response_location.transpose()?;
        let binding = trim(element.attribute("Binding").unwrap_or_default()).to_owned();
        if [binding::REDIRECT, binding::POST].contains(&binding.as_str()) {
            found.push(Endpoint { binding, location, response_location });
        }
    }
    Ok(found)
}

/// Checks an address that browsers will be sent to.
pub fn location(text: &str) -> Result<String, MetadataError> {
    let text = trim(text);
    let refused = || MetadataError::Endpoint(text.chars().take(200).collect());
    let url = Url::parse(text).map_err(|_| refused())?;
    let fine = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if fine { Ok(text.to_owned()) } else { Err(refused()) }
}

fn certificates(role: Element<'_>) -> Result<Vec<Certificate>, MetadataError> {
    let mut found: Vec<Certificate> = Vec::new();
    let descriptors = role.elements().filter(|it| {
        it.is(METADATA, "KeyDescriptor") && matches!(it.attribute("use"), None | Some("signing"))
    });
    let infos = descriptors
        .flat_map(|it| it.elements().filter(|info| info.is(SIGNATURE, "KeyInfo")))
        .flat_map(|it| it.elements().filter(|data| data.is(SIGNATURE, "X509Data")))
        .flat_map(|it| it.elements().filter(|leaf| leaf.is(SIGNATURE, "X509Certificate")));
    for (index, element) in infos.enumerate() {
        let failed = |problem| MetadataError::Certificate { number: index + 1, problem };
        let text = element.text().ok_or_else(|| failed(CertificateError::Malformed))?;
        let certificate = Certificate::from_base64(text).map_err(failed)?;
        if !found.contains(&certificate) {
            found.push(certificate);
        }
        if found.len() > MAXIMUM_CERTIFICATES {
            return Err(MetadataError::TooManyCertificates);
        }
    }
    if found.is_empty() { Err(MetadataError::NoSigningCertificate) } else { Ok(found) }
}
