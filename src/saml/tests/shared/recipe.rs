//! Signs as freely as an attacker or a strange peer would: with any algorithm, over any transforms,
//! and for real, so that nothing but the rule that is broken can refuse what comes out. Benches and
//! fuzz targets compile this file too, so a step that fails is `None`.

use openssl::dsa::DsaSig;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};

use crate::saml::namespace::{EXCLUSIVE_C14N, SIGNATURE};
use crate::saml::xml::{self, Document, Element, Profile};
use crate::saml::{c14n, encoding};

pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// The transforms that SAML allows (SAML core §5.4.4).
pub const TRANSFORMS: &str = "<ds:Transform \
     Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
     <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
/// Stands where the value belongs until it is known.
const MARK: &str = "@VALUE@";

/// Who makes the value, and of what.
#[derive(Clone, Copy)]
pub enum Maker<'a> {
    /// RSASSA-PKCS1-v1_5, or ECDSA and DSA as XML has them.
    Key(&'a PKey<Private>, MessageDigest),
    /// RSASSA-PSS, the salt as long as the digest.
    Pss(&'a PKey<Private>, MessageDigest),
    /// A message authentication code with this secret.
    Secret(&'a [u8], MessageDigest),
}

/// In which form something is digested.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// By exclusive canonicalisation with these inclusive prefixes.
    Exclusive(&'a [&'a str]),
    /// By inclusive canonicalisation.
    Inclusive,
    /// These bytes, whatever the element says.
    Bytes(&'a [u8]),
}

/// How a signature is made.
#[derive(Clone, Copy)]
pub struct Recipe<'a> {
    pub maker: Maker<'a>,
    /// What the signature says of itself.
    pub method: &'a str,
    pub canonicalization: &'a str,
    pub digest_method: &'a str,
    /// The references: each as written, if it is, and the ID of what is digested. Without any
    /// there is one, to the element that is signed.
    pub references: &'a [(Option<&'a str>, &'a str)],
    pub transforms: &'a str,
    /// What is true of it.
    pub info: Form<'a>,
    pub content: Form<'a>,
    pub digest: MessageDigest,
    /// What stands behind the value.
    pub key_info: &'a str,
}

impl<'a> Recipe<'a> {
    /// As SAML wants it: by this key, with SHA-256.
    pub fn good(key: &'a PKey<Private>, method: &'a str) -> Self {
        Self {
            maker: Maker::Key(key, MessageDigest::sha256()),
            method,
            canonicalization: EXCLUSIVE_C14N,
            digest_method: SHA256,
            references: &[],
            transforms: TRANSFORMS,
            info: Form::Exclusive(&[]),
            content: Form::Exclusive(&[]),
            digest: MessageDigest::sha256(),
            key_info: "",
        }
    }

    /// Signs the element with this ID, behind its issuer.
    pub fn sign(&self, message: &str, id: &str) -> Option<String> {
        let document = parse(message)?;
        let element = with_id(&document, id)?;
        let own = format!("#{id}");
        let usual = [(Some(own.as_str()), id)];
        let written = if self.references.is_empty() { &usual[..] } else { self.references };
        let references: Option<String> = written
            .iter()
            .map(|(uri, about)| self.reference(*uri, with_id(&document, about)?))
            .collect();
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{SIGNATURE}\"><ds:SignedInfo><ds:CanonicalizationMethod \
             Algorithm=\"{}\"></ds:CanonicalizationMethod><ds:SignatureMethod \
             Algorithm=\"{}\"></ds:SignatureMethod>{}</ds:SignedInfo>\
             <ds:SignatureValue>{MARK}</ds:SignatureValue>{}</ds:Signature>",
            self.canonicalization, self.method, references?, self.key_info,
        );
        let issuer = element.elements().next()?.offset();
        let after = issuer + message.get(issuer..)?.find("</")?;
        let after = after + message.get(after..)?.find('>')? + 1;
        let marked = format!("{}{signature}{}", message.get(..after)?, message.get(after..)?);
        let document = parse(&marked)?;
        let info = document.elements().find(|it| {
            let around = it.parent().and_then(Element::parent);
            it.is(SIGNATURE, "SignedInfo")
                && around.is_some_and(|it| it.attribute("ID") == Some(id))
        })?;
        let value = self.maker.value(&form(self.info, info))?;
        Some(marked.replace(MARK, &encoding::encode(&value)))
    }

    fn reference(&self, uri: Option<&str>, about: Element<'_>) -> Option<String> {
        let digest = hash(self.digest, &form(self.content, about)).ok()?;
        let uri = uri.map(|uri| format!(" URI=\"{uri}\"")).unwrap_or_default();
        Some(format!(
            "<ds:Reference{uri}><ds:Transforms>{}</ds:Transforms><ds:DigestMethod \
             Algorithm=\"{}\"></ds:DigestMethod><ds:DigestValue>{}</ds:DigestValue></ds:Reference>",
            self.transforms,
            self.digest_method,
            encoding::encode(&digest),
        ))
    }
}

/// The transforms that SAML allows, with a list of prefixes.
pub fn listing(prefixes: &str) -> String {
    format!(
        "<ds:Transform Algorithm=\"{SIGNATURE}enveloped-signature\"></ds:Transform><ds:Transform \
         Algorithm=\"{EXCLUSIVE_C14N}\"><ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE_C14N}\" \
         PrefixList=\"{prefixes}\"></ec:InclusiveNamespaces></ds:Transform>"
    )
}

/// A message without its signatures.
pub fn bare(message: &str) -> String {
    let close = "</ds:Signature>";
    let mut bare = message.to_owned();
    while let Some(start) = bare.find("<ds:Signature ")
        && let Some(end) = bare[start..].find(close)
    {
        bare.replace_range(start..start + end + close.len(), "");
    }
    bare
}

fn parse(message: &str) -> Option<Document> {
    xml::parse(message.as_bytes(), Profile::Message).ok()
}

fn with_id<'d>(document: &'d Document, id: &str) -> Option<Element<'d>> {
    document.elements().find(|it| it.attribute("ID") == Some(id))
}

fn form(form: Form<'_>, element: Element<'_>) -> Vec<u8> {
    match form {
        Form::Exclusive(prefixes) => c14n::exclusive(element, prefixes, None),
        Form::Inclusive => c14n::alone(element),
        Form::Bytes(bytes) => bytes.to_vec(),
    }
}

impl Maker<'_> {
    fn value(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            // Side by side: ECDSA's as long as a coordinate, DSA's as the order (RFC 9231 §2.3.6,
            // XML signatures §6.4.1).
            Self::Key(key, digest) if key.id() == Id::EC => {
                let ec = key.ec_key().ok()?;
                let size = i32::try_from(ec.group().degree().div_ceil(8)).ok()?;
                let signature = EcdsaSig::sign(&hash(digest, bytes).ok()?, &ec).ok()?;
                let mut value = signature.r().to_vec_padded(size).ok()?;
                value.extend(signature.s().to_vec_padded(size).ok()?);
                Some(value)
            }
            Self::Key(key, digest) if key.id() == Id::DSA => {
                let size = key.dsa().ok()?.q().num_bytes();
                let der = Signer::new(digest, key).ok()?.sign_oneshot_to_vec(bytes).ok()?;
                let signature = DsaSig::from_der(&der).ok()?;
                let mut value = signature.r().to_vec_padded(size).ok()?;
                value.extend(signature.s().to_vec_padded(size).ok()?);
                Some(value)
            }
            Self::Key(key, digest) => {
                Signer::new(digest, key).ok()?.sign_oneshot_to_vec(bytes).ok()
            }
            Self::Pss(key, digest) => {
                let mut signer = Signer::new(digest, key).ok()?;
                signer.set_rsa_padding(Padding::PKCS1_PSS).ok()?;
                signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).ok()?;
                signer.set_rsa_mgf1_md(digest).ok()?;
                signer.sign_oneshot_to_vec(bytes).ok()
            }
            Self::Secret(secret, digest) => {
                let key = PKey::hmac(secret).ok()?;
                Signer::new(digest, &key).ok()?.sign_oneshot_to_vec(bytes).ok()
            }
        }
    }
}
