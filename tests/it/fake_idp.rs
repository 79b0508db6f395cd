//! An identity provider inside the test process: it answers at once, at any time, whatever a test
//! wants, right or wrong in exactly one place.

use std::sync::OnceLock;

use identity_center::{
    saml::{
        binding,
        certificate::SigningKey,
        encoding,
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format::UNSPECIFIED,
        namespace::SIGNATURE,
        request::AuthnRequest,
        signature, sp_metadata,
    },
    secret::{hex, random},
};
use jiff::{SignedDuration, Timestamp};
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};

/// Where its pages would be, if it had any.
pub const LOGIN_URL: &str = "https://idp.example.com/sso";

/// A company's identity provider.
pub struct FakeIdp {
    /// Its entity id.
    pub entity_id: String,
}

/// The key that the company's identity provider signs with.
pub fn right_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| key("the right one", 7))
}

/// A key that nobody configured.
pub fn wrong_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| key("the wrong one", 8))
}

fn key(name: &str, serial: u8) -> SigningKey {
    SigningKey::generate(name, crate::house::BEGIN.parse().unwrap(), [serial; 16]).unwrap()
}

impl FakeIdp {
    /// One with the usual entity id.
    pub fn new() -> Self {
        Self { entity_id: "https://idp.example.com/metadata".to_owned() }
    }

    /// Its metadata.
    pub fn metadata(&self) -> String {
        let certificates = [right_key().certificate().clone()];
        let entity_id = &self.entity_id;
        sp_metadata::IdentityProvider { entity_id, sso_url: LOGIN_URL, certificates: &certificates }
            .metadata()
            .unwrap()
    }

    /// Reads the request that a redirect to us carries.
    pub fn read(&self, location: &str) -> AuthnRequest {
        let url: url::Url = location.parse().unwrap();
        assert!(location.starts_with(LOGIN_URL), "{location}");
        let message = url.query_pairs().find(|(name, _)| name == "SAMLRequest").unwrap().1;
        let request = AuthnRequest::from_redirect(&message).unwrap();
        assert_eq!(request.destination.as_deref(), Some(LOGIN_URL));
        request
    }

    /// A right answer about `name` to `request`, at `now`.
    pub fn answer(&self, request: &AuthnRequest, name: &str, now: Timestamp) -> Answer {
        Answer {
            response_id: fresh_id(),
            assertion_id: fresh_id(),
            issuer: self.entity_id.clone(),
            acs_url: request.acs_url.clone().unwrap(),
            audience: request.issuer.clone(),
            request_id: Some(request.id.clone()),
            name_id: name.to_owned(),
            now,
            session_lifetime: Some(SignedDuration::from_hours(1)),
            session_index: "_session".to_owned(),
        }
    }
}

fn fresh_id() -> String {
    format!("_{}", hex(&random::<20>().unwrap()))
}

/// An answer, before it is written and signed.
#[derive(Clone, Debug)]
pub struct Answer {
    pub response_id: String,
    pub assertion_id: String,
    pub issuer: String,
    pub acs_url: String,
    pub audience: String,
    pub request_id: Option<String>,
    pub name_id: String,
    pub now: Timestamp,
    pub session_lifetime: Option<SignedDuration>,
    pub session_index: String,
}

impl Answer {
    /// Written and signed twice, as it should be.
    pub fn signed(&self) -> Message {
        self.signed_by(right_key())
    }

    /// Written and signed twice, by this key.
    pub fn signed_by(&self, key: &SigningKey) -> Message {
        let groups = [AttributeToState { name: "groups", values: &["developers"] }];
        self.issued(key, &groups, UNSPECIFIED)
    }

    /// The same with other attributes, and with another format of the name identifier.
    pub fn stating(&self, attributes: &[AttributeToState<'_>], format: &str) -> Message {
        self.issued(right_key(), attributes, format)
    }

    fn issued(
        &self,
        key: &SigningKey,
        attributes: &[AttributeToState<'_>],
        name_id_format: &str,
    ) -> Message {
        let issued = ResponseToIssue {
            response_id: &self.response_id,
            assertion_id: &self.assertion_id,
            issuer: &self.issuer,
            acs_url: &self.acs_url,
            audience: &self.audience,
            in_response_to: self.request_id.as_deref(),
            name_id: &self.name_id,
            name_id_format,
            session_index: &self.session_index,
            attributes,
            authenticated_at: self.now,
            now: self.now,
            lifetime: SignedDuration::from_mins(5),
            session_lifetime: self.session_lifetime,
        };
        let xml = issued.issue(key).unwrap().xml;
        Message {
            xml,
            response_id: self.response_id.clone(),
            assertion_id: self.assertion_id.clone(),
        }
    }

    /// Written, and signed by nobody yet.
    pub fn unsigned(&self) -> Message {
        self.signed().without_signatures()
    }
}

/// A message, to be cut and sewn at will.
#[derive(Clone, Debug)]
pub struct Message {
    pub xml: String,
    response_id: String,
    assertion_id: String,
}

impl Message {
    /// The same with another text.
    pub fn with(&self, xml: impl Into<String>) -> Self {
        Self { xml: xml.into(), ..self.clone() }
    }

    /// Every `from` becomes `to`; there must be one.
    pub fn change(&self, from: &str, to: &str) -> Self {
        assert!(self.xml.contains(from), "nothing to change: {from} in {}", self.xml);
        self.with(self.xml.replace(from, to))
    }

    /// The first `from` becomes `to`; there must be one.
    pub fn change_first(&self, from: &str, to: &str) -> Self {
        assert!(self.xml.contains(from), "nothing to change: {from} in {}", self.xml);
        self.with(self.xml.replacen(from, to, 1))
    }

    /// The last `from` becomes `to`; there must be one.
    pub fn change_last(&self, from: &str, to: &str) -> Self {
        let (before, after) = self.xml.rsplit_once(from).unwrap();
        self.with(format!("{before}{to}{after}"))
    }

    /// Cuts an element out, with what is in it.
    pub fn without(&self, name: &str) -> Self {
        let element = element(&self.xml, name);
        self.change_first(&element, "")
    }

    /// Without any signature.
    pub fn without_signatures(&self) -> Self {
        let mut message = self.clone();
        while message.xml.contains("<ds:Signature ") {
            message = message.without("ds:Signature");
        }
        message
    }

    /// Signs the assertion.
    pub fn sign_assertion(&self, key: &SigningKey) -> Self {
        let assertion = self.assertion();
        self.change_first(&assertion, &sign_element(&assertion, &self.assertion_id, key))
    }

    /// Signs the response.
    pub fn sign_response(&self, key: &SigningKey) -> Self {
        self.with(sign_element(&self.xml, &self.response_id, key))
    }

    /// The assertion, if it is the only one.
    pub fn assertion(&self) -> String {
        element(&self.xml, "saml:Assertion")
    }

    /// The assertion an attacker would like: another name under another id, unsigned.
    pub fn evil_assertion(&self, name: &str, evil_name: &str) -> String {
        self.with(self.assertion())
            .without_signatures()
            .change(&format!(">{name}<"), &format!(">{evil_name}<"))
            .change(&self.assertion_id, "_evil")
            .xml
    }

    /// The same signature as SHA-1 would make it, and really made so.
    pub fn weakened(&self) -> Self {
        let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        let message = self.change(rsa, "http://www.w3.org/2000/09/xmldsig#rsa-sha1");
        let info = element(&message.xml, "ds:SignedInfo");
        let canonical = info.replacen(
            "<ds:SignedInfo>",
            &format!("<ds:SignedInfo xmlns:ds=\"{SIGNATURE}\">"),
            1,
        );
        let pem = right_key().private_key_pem().unwrap();
        let key = PKey::private_key_from_pem(pem.as_bytes()).unwrap();
        let mut signer = Signer::new(MessageDigest::sha1(), &key).unwrap();
        let value = encoding::encode(&signer.sign_oneshot_to_vec(canonical.as_bytes()).unwrap());
        let old = element(&message.xml, "ds:SignatureValue");
        let new = format!("<ds:SignatureValue>{value}</ds:SignatureValue>");
        message.change(&old, &new)
    }

    /// The value of the form field.
    pub fn base64(&self) -> String {
        encoding::encode(self.xml.as_bytes())
    }
}

/// The first element of that name, with what is in it.
pub fn element(xml: &str, name: &str) -> String {
    let start = [format!("<{name} "), format!("<{name}>")]
        .iter()
        .filter_map(|tag| xml.find(tag))
        .min()
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    let end_tag = format!("</{name}>");
    let end = xml[start..].find(&end_tag).unwrap() + start + end_tag.len();
    xml[start..end].to_owned()
}

/// A text without the first signature in it.
pub fn without_signature(xml: &str) -> String {
    xml.replacen(&element(xml, "ds:Signature"), "", 1)
}

/// Puts something right after the first issuer of an element.
pub fn after_issuer(element: &str, more: &str) -> String {
    element.replacen("</saml:Issuer>", &format!("</saml:Issuer>{more}"), 1)
}

/// Signs an element, given as canonical XML, after its issuer.
pub fn sign_element(element: &str, id: &str, key: &SigningKey) -> String {
    let end = "</saml:Issuer>";
    let split = element.find(end).unwrap() + end.len();
    signature::sign(&element[..split], &element[split..], id, key).unwrap()
}

/// Metadata that takes posts and no redirects.
pub fn metadata_without_redirect(idp: &FakeIdp) -> String {
    idp.metadata().replace(binding::REDIRECT, binding::POST)
}
