//! XML signatures, in the one shape SAML allows (SAML core §5.4), verified over
//! the tree and made for our own messages.

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Public};
use subtle::ConstantTimeEq as _;

use super::certificate::{Certificate, CertificateError, Curve, KeyKind, SigningKey, fingerprint};
use super::namespace::{ASSERTION, EXCLUSIVE_C14N, SIGNATURE};
use super::shape::{Children, Foreign, ShapeError, check_attributes, label, leaf, required};
use super::xml::{Element, is_ncname};
use super::{c14n, encoding};

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Where ECDSA keys are described (XML Signature 1.1).
const SIGNATURE_11: &str = "http://www.w3.org/2009/xmldsig11#";
const MAXIMUM_PREFIXES: usize = 16;
/// Elements of a message times bytes of a list of prefixes. libxml2 looks for every listed prefix at
/// every element of the document, and compares it with all that is in scope there: without a bound
/// an identity provider can keep the second opinion, which is one for everybody, busy for seconds.
const MAXIMUM_SEARCH: usize = 100_000;

/// A signature algorithm we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaSha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
    /// ECDSA with SHA-256.
    EcdsaSha256,
    /// ECDSA with SHA-384.
    EcdsaSha384,
    /// ECDSA with SHA-512.
    EcdsaSha512,
}

impl Algorithm {
    const ALL: [Self; 6] = [
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
    ];

    /// The algorithm's identifier (RFC 9231).
    pub fn uri(self) -> &'static str {
        match self {
            Self::RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::RsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Self::RsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            Self::EcdsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            Self::EcdsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
            Self::EcdsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        }
    }

    fn of(uri: &str) -> Result<Self, SignatureError> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.uri() == uri).ok_or_else(|| SignatureError::Algorithm(uri.to_owned()))
    }

    fn digest(self) -> MessageDigest {
        match self {
            Self::RsaSha256 | Self::EcdsaSha256 => MessageDigest::sha256(),
            Self::RsaSha384 | Self::EcdsaSha384 => MessageDigest::sha384(),
            Self::RsaSha512 | Self::EcdsaSha512 => MessageDigest::sha512(),
        }
    }

    fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }
}

const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

fn digest_algorithm(uri: &str) -> Option<MessageDigest> {
    match uri {
        SHA256 => Some(MessageDigest::sha256()),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Some(MessageDigest::sha384()),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Some(MessageDigest::sha512()),
        _ => None,
    }
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not built as SAML demands.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Not the child right after the issuer of what it signs.
    #[error("the signature is not right after the issuer of the element it signs")]
    Misplaced,
    /// The root of the document holds no signature as its first child.
    #[error("the document is not signed as a whole")]
    Unsigned,
    /// Another canonicalisation than exclusive without comments.
    #[error("canonicalisation {0} is not accepted")]
    Canonicalization(String),
    /// Not RSA or ECDSA with SHA-2.
    #[error("signature algorithm {0} is not accepted")]
    Algorithm(String),
    /// Not SHA-2.
    #[error("digest algorithm {0} is not accepted")]
    DigestAlgorithm(String),
    /// The reference does not name the element the signature stands in.
    #[error("the signature refers to {0:?}, not to the element it stands in")]
    Reference(String),
    /// Not exactly the enveloped-signature and the exclusive canonicalisation transform.
    #[error("the signature's transforms are not accepted")]
    Transforms,
    /// A prefix list that is too long or malformed.
    #[error("bad list of inclusive prefixes")]
    PrefixList,
    /// A prefix list that takes too long to apply.
    #[error("the list of inclusive prefixes is too long for this many elements")]
    PrefixSearch,
    /// Not base64 where base64 belongs.
    #[error("a value of the signature is not base64")]
    Base64,
    /// The element is not the one that was signed.
    #[error("the signed content was changed")]
    Digest,
    /// There is no configured certificate at all.
    #[error("no certificate is configured")]
    NoCertificate,
    /// No configured certificate has a key for the algorithm.
    #[error("no configured certificate has a key of the signature's type")]
    KeyType,
    /// None of the configured keys made it.
    #[error("the signature was not made by a configured certificate{}", embedded.as_ref().map(|f| format!(" (the message carries sha256 {f})")).unwrap_or_default())]
    UnknownKey {
        /// SHA-256 of the certificate the message carries, to help compare; never trusted.
        embedded: Option<String>,
    },
    /// Making a signature failed.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A signature that holds.
#[derive(Debug, Clone)]
pub struct Verified<'c> {
    /// The configured certificate whose key made it.
    pub certificate: &'c Certificate,
    /// How it was made.
    pub algorithm: Algorithm,
    /// The signed element without the signature, as it was digested.
    pub canonical: Vec<u8>,
}

struct SignedInfo<'d> {
    prefixes: Vec<&'d str>,
    algorithm: Algorithm,
    reference: Reference<'d>,
}

struct Reference<'d> {
    uri: &'d str,
    prefixes: Vec<&'d str>,
    digest: MessageDigest,
    value: Vec<u8>,
}

/// Verifies the signature of `signed`, which must be its own child right after
/// its issuer, with one of the certificates. `KeyInfo` is never believed.
pub fn verify<'c>(
    signature: Element<'_>,
    signed: Element<'_>,
    certificates: &'c [Certificate],
) -> Result<Verified<'c>, SignatureError> {
    if certificates.is_empty() {
        return Err(SignatureError::NoCertificate);
    }
    let mut siblings = signed.elements();
    let after_issuer = siblings.next().is_some_and(|first| first.is(ASSERTION, "Issuer"))
        && siblings.next() == Some(signature);
    if !after_issuer || !signature.is(SIGNATURE, "Signature") {
        return Err(SignatureError::Misplaced);
    }
    enveloped(signature, signed, certificates, MAXIMUM_SEARCH)
}

/// Verifies the signature over a whole metadata document with one of the certificates. It is the
/// root's own first child (SAML metadata §2.3), so that it covers all that is read.
pub fn verify_root<'c>(
    root: Element<'_>,
    certificates: &'c [Certificate],
) -> Result<Verified<'c>, SignatureError> {
    if certificates.is_empty() {
        return Err(SignatureError::NoCertificate);
    }
    // They are part of what is signed, and nobody needs them.
    if root.is_instructed() {
        return Err(SignatureError::Digest);
    }
    let first = root.elements().next().filter(|first| first.is(SIGNATURE, "Signature"));
    // Of metadata no second opinion is asked, and federations have many elements.
    enveloped(first.ok_or(SignatureError::Unsigned)?, root, certificates, usize::MAX)
}

/// Verifies a signature that stands where it belongs in the element it is to sign.
fn enveloped<'c>(
    signature: Element<'_>,
    signed: Element<'_>,
    certificates: &'c [Certificate],
    search: usize,
) -> Result<Verified<'c>, SignatureError> {
    let mut parts = Children::of(signature, &["Id"])?;
    let signed_info = parts.required(SIGNATURE, "SignedInfo")?;
    let value = parts.required(SIGNATURE, "SignatureValue")?;
    let key_info = parts.optional(SIGNATURE, "KeyInfo");
    parts.end()?;
    let value = encoding::decode(leaf(value, &["Id"])?).map_err(|_| SignatureError::Base64)?;
    if let Some(key_info) = key_info {
        check_key_info(key_info)?;
    }
    let info = read_signed_info(signed_info, search)?;

    let id = required(signed, "ID")?;
    if info.reference.uri.strip_prefix('#') != Some(id) || !is_ncname(id) {
        return Err(SignatureError::Reference(info.reference.uri.to_owned()));
    }
    let canonical = c14n::exclusive(signed, &info.reference.prefixes, Some(signature.id()));
    let digest = openssl::hash::hash(info.reference.digest, &canonical)
        .map_err(|_| CertificateError::Library)?;
    if !bool::from(digest.ct_eq(&info.reference.value)) {
        return Err(SignatureError::Digest);
    }

    let bytes = c14n::exclusive(signed_info, &info.prefixes, None);
    let made = |certificate: &Certificate| made_by(certificate, info.algorithm, &bytes, &value);
    match maker(certificates, info.algorithm, made)? {
        Some(certificate) => Ok(Verified { certificate, algorithm: info.algorithm, canonical }),
        None => Err(SignatureError::UnknownKey { embedded: key_info.and_then(embedded) }),
    }
}

/// Verifies a signature that stands beside the bytes it signs, as the redirect binding has it
/// (SAML bindings §3.4.4.1), with one of the certificates.
pub fn verify_detached<'c>(
    algorithm: &str,
    bytes: &[u8],
    value: &[u8],
    certificates: &'c [Certificate],
) -> Result<&'c Certificate, SignatureError> {
    if certificates.is_empty() {
        return Err(SignatureError::NoCertificate);
    }
    let algorithm = Algorithm::of(algorithm)?;
    let made = |certificate: &Certificate| {
        // Some write ECDSA signatures as X.509 does (OpenSAML's plain JCA); the binding does not
        // say which form it wants.
        made_by(certificate, algorithm, bytes, value)
            || verify_ecdsa_der(certificate, algorithm, bytes, value).unwrap_or(false)
    };
    maker(certificates, algorithm, made)?.ok_or(SignatureError::UnknownKey { embedded: None })
}

/// The first certificate with a key of the algorithm's type for which `made` holds.
fn maker(
    certificates: &[Certificate],
    algorithm: Algorithm,
    made: impl Fn(&Certificate) -> bool,
) -> Result<Option<&Certificate>, SignatureError> {
    let is_rsa = algorithm.is_rsa();
    let mut candidates = certificates
        .iter()
        .filter(|certificate| matches!(certificate.facts().key, KeyKind::Rsa(_)) == is_rsa)
        .peekable();
    if candidates.peek().is_none() {
        return Err(SignatureError::KeyType);
    }
    Ok(candidates.find(|certificate| made(certificate)))
}

fn read_signed_info(
    signed_info: Element<'_>,
    search: usize,
) -> Result<SignedInfo<'_>, SignatureError> {
    let mut parts = Children::of(signed_info, &["Id"])?;
    let method = parts.required(SIGNATURE, "CanonicalizationMethod")?;
    let prefixes = canonicalization(method, search)?;
    let method = parts.required(SIGNATURE, "SignatureMethod")?;
    let reference = parts.required(SIGNATURE, "Reference")?;
    parts.end()?;
    let uri = algorithm_of(method)?;
    let algorithm = Algorithm::of(uri)?;
    Ok(SignedInfo { prefixes, algorithm, reference: read_reference(reference, search)? })
}

fn read_reference(reference: Element<'_>, search: usize) -> Result<Reference<'_>, SignatureError> {
    let uri = required(reference, "URI")?;
    let mut parts = Children::of(reference, &["URI", "Id"])?;
    let transforms = parts.required(SIGNATURE, "Transforms")?;
    let method = parts.required(SIGNATURE, "DigestMethod")?;
    let value = parts.required(SIGNATURE, "DigestValue")?;
    parts.end()?;

    let mut steps = Children::of(transforms, &[])?;
    let enveloped = steps.required(SIGNATURE, "Transform")?;
    let canonical = steps.required(SIGNATURE, "Transform")?;
    steps.end().map_err(|_| SignatureError::Transforms)?;
    if algorithm_of(enveloped)? != ENVELOPED
        || canonical.attribute("Algorithm") != Some(EXCLUSIVE_C14N)
    {
        return Err(SignatureError::Transforms);
    }
    let prefixes = canonicalization(canonical, search)?;
    let digest_uri = algorithm_of(method)?;
    let digest = digest_algorithm(digest_uri)
        .ok_or_else(|| SignatureError::DigestAlgorithm(digest_uri.to_owned()))?;
    let value = encoding::decode(leaf(value, &[])?).map_err(|_| SignatureError::Base64)?;
    Ok(Reference { uri, prefixes, digest, value })
}

/// The `Algorithm` of an element that holds nothing.
fn algorithm_of(method: Element<'_>) -> Result<&str, ShapeError> {
    Children::of(method, &["Algorithm"])?.end()?;
    required(method, "Algorithm")
}

/// Checks an exclusive canonicalisation and returns its prefix list.
fn canonicalization(method: Element<'_>, search: usize) -> Result<Vec<&str>, SignatureError> {
    let mut parts = Children::of(method, &["Algorithm"])?;
    let algorithm = required(method, "Algorithm")?;
    if algorithm != EXCLUSIVE_C14N {
        return Err(SignatureError::Canonicalization(algorithm.to_owned()));
    }
    let list = parts.optional(EXCLUSIVE_C14N, "InclusiveNamespaces");
    parts.end()?;
    let Some(list) = list else { return Ok(Vec::new()) };
    Children::of(list, &["PrefixList"])?.end()?;
    let written = required(list, "PrefixList")?;
    let prefixes: Vec<&str> =
        written.split([' ', '\t', '\r', '\n']).filter(|p| !p.is_empty()).collect();
    let fine = prefixes.iter().all(|prefix| *prefix == "#default" || is_ncname(prefix));
    if prefixes.len() > MAXIMUM_PREFIXES || !fine {
        return Err(SignatureError::PrefixList);
    }
    if written.len().saturating_mul(list.document_size()) > search {
        return Err(SignatureError::PrefixSearch);
    }
    Ok(prefixes)
}

/// Most elements that may describe a key: a chain of certificates with everything that may be said of
/// each. Nobody signs `KeyInfo`, and xmlsec looks for a key at every name.
const MAXIMUM_KEY_PARTS: usize = 64;

/// `KeyInfo` may describe a key; it may not fetch one or hold other content.
pub(super) fn check_key_info(key_info: Element<'_>) -> Result<(), ShapeError> {
    const KNOWN: [&str; 13] = [
        "KeyName",
        "KeyValue",
        "RSAKeyValue",
        "Modulus",
        "Exponent",
        "X509Data",
        "X509Certificate",
        "X509IssuerSerial",
        "X509IssuerName",
        "X509SerialNumber",
        "X509SubjectName",
        "X509SKI",
        "X509CRL",
    ];
    check_attributes(key_info, &["Id"], Foreign::Refused)?;
    let mut pending: Vec<Element<'_>> = vec![key_info];
    let mut seen: usize = 0;
    while let Some(element) = pending.pop() {
        for child in element.elements() {
            seen += 1;
            if seen > MAXIMUM_KEY_PARTS {
                return Err(ShapeError::TooMuch { parent: label(key_info) });
            }
            let name = child.name();
            let known = match name.namespace {
                SIGNATURE => KNOWN.contains(&name.local),
                SIGNATURE_11 => ["ECKeyValue", "NamedCurve", "PublicKey"].contains(&name.local),
                _ => false,
            };
            if !known {
                return Err(ShapeError::UnexpectedElement {
                    parent: label(element),
                    found: label(child),
                });
            }
            check_attributes(child, &["URI"], Foreign::Refused)?;
            pending.push(child);
        }
    }
    Ok(())
}

/// The fingerprint of the first certificate a message carries. Only for display.
fn embedded(key_info: Element<'_>) -> Option<String> {
    let data = key_info.elements().find(|it| it.is(SIGNATURE, "X509Data"))?;
    let certificate = data.elements().find(|it| it.is(SIGNATURE, "X509Certificate"))?;
    Some(fingerprint(&encoding::decode(certificate.text()?).ok()?))
}

fn made_by(certificate: &Certificate, algorithm: Algorithm, bytes: &[u8], value: &[u8]) -> bool {
    let key = certificate.key();
    let verified = match certificate.facts().key {
        KeyKind::Rsa(_) => verify_rsa(key, algorithm, bytes, value),
        KeyKind::Ecdsa(curve) => verify_ecdsa(key, curve, algorithm, bytes, value),
    };
    // A library failure is not a signature.
    verified.unwrap_or(false)
}

fn verify_rsa(
    key: &PKeyRef<Public>,
    algorithm: Algorithm,
    bytes: &[u8],
    value: &[u8],
) -> Result<bool, openssl::error::ErrorStack> {
    let mut verifier = openssl::sign::Verifier::new(algorithm.digest(), key)?;
    verifier.verify_oneshot(value, bytes)
}

/// XML signatures carry `r` and `s` side by side, each as long as a coordinate
/// (RFC 9231 §2.3.6), where X.509 would use ASN.1.
fn verify_ecdsa(
    key: &PKeyRef<Public>,
    curve: Curve,
    algorithm: Algorithm,
    bytes: &[u8],
    value: &[u8],
) -> Result<bool, openssl::error::ErrorStack> {
    if value.len() != 2 * curve.size() {
        return Ok(false);
    }
    let (r, s) = value.split_at(curve.size());
    let signature =
        EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
    let digest = openssl::hash::hash(algorithm.digest(), bytes)?;
    let key = key.ec_key()?;
    signature.verify(&digest, &key)
}

fn verify_ecdsa_der(
    certificate: &Certificate,
    algorithm: Algorithm,
    bytes: &[u8],
    value: &[u8],
) -> Result<bool, openssl::error::ErrorStack> {
    match certificate.facts().key {
        KeyKind::Rsa(_) => Ok(false),
        KeyKind::Ecdsa(_) => {
            let signature = EcdsaSig::from_der(value)?;
            let digest = openssl::hash::hash(algorithm.digest(), bytes)?;
            let key = certificate.key().ec_key()?;
            signature.verify(&digest, &key)
        }
    }
}

/// Signs an element that is given as canonical XML in two parts, between which
/// the signature belongs: `head` ends with the issuer's end tag.
///
/// The element must be canonical on its own, every prefix it uses declared
/// within it.
pub fn sign(head: &str, tail: &str, id: &str, key: &SigningKey) -> Result<String, SignatureError> {
    let mut signed = Vec::with_capacity(head.len() + tail.len());
    signed.extend_from_slice(head.as_bytes());
    signed.extend_from_slice(tail.as_bytes());
    let digest = encoding::encode(&openssl::sha::sha256(&signed));
    if !is_ncname(id) {
        return Err(SignatureError::Reference(id.to_owned()));
    }
    let algorithm = Algorithm::RsaSha256.uri();
    let body = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE_C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{algorithm}\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform>\
         <ds:Transform Algorithm=\"{EXCLUSIVE_C14N}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{SHA256}\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    );
    // On its own the element declares the prefix that its parent declares in the message.
    let canonical = format!("<ds:SignedInfo xmlns:ds=\"{SIGNATURE}\">{body}");
    let value = encoding::encode(&key.sign_rsa_sha256(canonical.as_bytes())?);
    let certificate = key.certificate().base64();
    Ok(format!(
        "{head}<ds:Signature xmlns:ds=\"{SIGNATURE}\"><ds:SignedInfo>{body}\
         <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
         </ds:Signature>{tail}"
    ))
}
