//! Encrypted assertions, and names in logout requests, in the one shape SAML gives them (SAML core
//! §2.2.4, §2.3.4, XML Encryption 1.1): the element is encrypted with AES under a key of its own,
//! and that key with RSA-OAEP for a certificate of ours.
//!
//! Opening proves nothing about who made it: our certificate is public. What comes out goes through
//! the same strict parser, structure and checks as what comes in the clear.
//!
//! AES-CBC has no integrity: whoever may change such a message and watch what we make of it can
//! read it. So it is opened only inside a response whose signature held before.

use openssl::hash::MessageDigest;
use openssl::symm::{Cipher, Crypter, Mode, decrypt_aead};
use zeroize::Zeroizing;

use super::certificate::{Certificate, SigningKey};
use super::encoding;
use super::namespace::{ASSERTION, ENCRYPTION, ENCRYPTION_11, SIGNATURE};
use super::shape::{Children, ShapeError, bad_value, label, leaf, required};
use super::signature::check_key_info;
use super::xml::{self, Document, Element, Profile, XmlError};

/// Most recipients of one assertion; each costs an RSA operation per key of ours.
pub const MAXIMUM_RECIPIENTS: usize = 4;
/// AES-256-GCM, which we ask for first.
pub const AES_256_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
/// AES-128-GCM.
pub const AES_128_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
/// RSA-OAEP with MGF1 over SHA-1.
pub const RSA_OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const ENCRYPTED_KEY: &str = "http://www.w3.org/2001/04/xmlenc#EncryptedKey";
const RSA_OAEP_11: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const GCM_NONCE: usize = 12;
const GCM_TAG: usize = 16;
const AES_BLOCK: usize = 16;

/// Why an encrypted assertion is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// We have no key to open it with.
    #[error("this space has no encryption key")]
    NotEnabled,
    /// Not built as SAML demands.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Not AES-GCM or AES-CBC.
    #[error("encryption algorithm {0} is not accepted")]
    Algorithm(String),
    /// Not RSA-OAEP; RSA PKCS #1 v1.5 for instance.
    #[error("key encryption algorithm {0} is not accepted")]
    KeyAlgorithm(String),
    /// Not a digest or mask of RSA-OAEP that we know.
    #[error("digest algorithm {0} is not accepted in RSA-OAEP")]
    Digest(String),
    /// AES-CBC outside a signed response.
    #[error("AES-CBC is accepted only inside a signed response")]
    CbcNotSigned,
    /// No encrypted key, or more than [`MAXIMUM_RECIPIENTS`].
    #[error("{0} encrypted keys, of 1 to {MAXIMUM_RECIPIENTS}")]
    Recipients(usize),
    /// A reference to a key that is not beside the encrypted data.
    #[error("a reference to a key that is not in the encrypted assertion")]
    Reference,
    /// Not base64 where base64 belongs.
    #[error("an encrypted value is not base64")]
    Base64,
    /// No key of ours fits, or something was damaged or forged. Deliberately one and the same.
    #[error("no key of this space opens it, or it was changed on its way")]
    Closed,
    /// What was inside is not the strict XML we read.
    #[error("what was encrypted is not strict XML: {0}")]
    Inside(XmlError),
    /// What was inside is something else.
    #[error("what was encrypted is {found}, not {wanted}")]
    Another {
        /// What it is.
        found: String,
        /// What belongs there.
        wanted: &'static str,
    },
}

/// A private key of ours that assertions are encrypted for. It opens and never signs.
#[derive(Debug, Clone)]
pub struct DecryptionKey(SigningKey);

impl From<SigningKey> for DecryptionKey {
    fn from(pair: SigningKey) -> Self {
        Self(pair)
    }
}

impl DecryptionKey {
    /// The certificate to publish.
    pub fn certificate(&self) -> &Certificate {
        self.0.certificate()
    }
}

/// An assertion or a name that was opened.
#[derive(Debug)]
pub struct Opened {
    /// It, and nothing around it.
    pub document: Document,
    /// How it was encrypted and for whom, for the trace.
    pub method: String,
}

/// How the assertion is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataCipher {
    Gcm(usize),
    Cbc(usize),
}

impl DataCipher {
    fn of(uri: &str) -> Option<Self> {
        Some(match uri {
            AES_128_GCM => Self::Gcm(16),
            "http://www.w3.org/2009/xmlenc11#aes192-gcm" => Self::Gcm(24),
            AES_256_GCM => Self::Gcm(32),
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => Self::Cbc(16),
            "http://www.w3.org/2001/04/xmlenc#aes192-cbc" => Self::Cbc(24),
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => Self::Cbc(32),
            _ => return None,
        })
    }

    /// Bytes of the key.
    fn key_size(self) -> usize {
        match self {
            Self::Gcm(size) | Self::Cbc(size) => size,
        }
    }

    /// Opens what was encrypted. `None` says that it does not open, and not why.
    fn open(self, key: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if key.len() != self.key_size() {
            return None;
        }
        match self {
            Self::Gcm(size) => {
                let cipher = match size {
                    16 => Cipher::aes_128_gcm(),
                    24 => Cipher::aes_192_gcm(),
                    _ => Cipher::aes_256_gcm(),
                };
                let (nonce, rest) = sealed.split_at_checked(GCM_NONCE)?;
                let (text, tag) = rest.split_at_checked(rest.len().checked_sub(GCM_TAG)?)?;
                decrypt_aead(cipher, key, Some(nonce), &[], text, tag).ok().map(Zeroizing::new)
            }
            Self::Cbc(size) => {
                let cipher = match size {
                    16 => Cipher::aes_128_cbc(),
                    24 => Cipher::aes_192_cbc(),
                    _ => Cipher::aes_256_cbc(),
                };
                let (start, text) = sealed.split_at_checked(AES_BLOCK)?;
                open_cbc(cipher, key, start, text)
            }
        }
    }
}

impl std::fmt::Display for DataCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mode, size) = match self {
            Self::Gcm(size) => ("GCM", size),
            Self::Cbc(size) => ("CBC", size),
        };
        write!(f, "AES-{}-{mode}", size * 8)
    }
}

/// XML Encryption §5.2 pads with arbitrary bytes of which only the last counts, so the library's
/// own rule does not fit.
fn open_cbc(cipher: Cipher, key: &[u8], start: &[u8], text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.is_empty() || !text.len().is_multiple_of(AES_BLOCK) {
        return None;
    }
    let mut crypter = Crypter::new(cipher, Mode::Decrypt, key, Some(start)).ok()?;
    crypter.pad(false);
    let mut opened = Zeroizing::new(vec![0; text.len() + AES_BLOCK]);
    let mut length = crypter.update(text, &mut opened).ok()?;
    length += crypter.finalize(opened.get_mut(length..)?).ok()?;
    opened.truncate(length);
    let padding = usize::from(*opened.last()?);
    if !(1..=AES_BLOCK).contains(&padding) {
        return None;
    }
    opened.truncate(length.checked_sub(padding)?);
    Some(opened)
}

/// How the key is encrypted: always RSA-OAEP, with these digests.
#[derive(Clone, Copy)]
struct Oaep {
    digest: MessageDigest,
    mask: MessageDigest,
}

struct Recipient {
    oaep: Oaep,
    sealed: Vec<u8>,
}

struct Sealed {
    cipher: DataCipher,
    data: Vec<u8>,
    recipients: Vec<Recipient>,
}

/// Opens an `EncryptedAssertion` with one of the keys. `response_signed` says that the signature
/// of a response that holds the element was verified before.
pub fn open(
    element: Element<'_>,
    keys: &[DecryptionKey],
    response_signed: bool,
) -> Result<Opened, EncryptionError> {
    open_one(element, keys, response_signed, ("Assertion", "an assertion"))
}

/// Opens an `EncryptedID` with one of the keys: a name identifier, and nothing else that may stand
/// in one. Only for one in a message whose signature was verified before.
pub fn open_name(element: Element<'_>, keys: &[DecryptionKey]) -> Result<Opened, EncryptionError> {
    open_one(element, keys, true, ("NameID", "a name identifier"))
}

fn open_one(
    element: Element<'_>,
    keys: &[DecryptionKey],
    is_signed: bool,
    (name, wanted): (&'static str, &'static str),
) -> Result<Opened, EncryptionError> {
    if keys.is_empty() {
        return Err(EncryptionError::NotEnabled);
    }
    let sealed = read(element)?;
    if matches!(sealed.cipher, DataCipher::Cbc(_)) && !is_signed {
        return Err(EncryptionError::CbcNotSigned);
    }
    let tries = sealed.recipients.iter().flat_map(|to| keys.iter().map(move |key| (to, key)));
    let opened = tries.into_iter().find_map(|(to, key)| {
        let data_key = key.0.open_oaep(&to.sealed, to.oaep.digest, to.oaep.mask)?;
        Some((sealed.cipher.open(&data_key, &sealed.data)?, key))
    });
    let (text, key) = opened.ok_or(EncryptionError::Closed)?;
    let document = xml::parse(&text, Profile::Message).map_err(EncryptionError::Inside)?;
    if !document.root().is(ASSERTION, name) {
        return Err(EncryptionError::Another { found: label(document.root()), wanted });
    }
    let fingerprint = &key.certificate().facts().fingerprint;
    Ok(Opened { document, method: format!("{}, RSA-OAEP for sha256 {fingerprint}", sealed.cipher) })
}

/// Whose children and attributes are all known, and whose values are decoded.
fn read(element: Element<'_>) -> Result<Sealed, EncryptionError> {
    let mut parts = Children::of(element, &[])?;
    let data = parts.required(ENCRYPTION, "EncryptedData")?;
    // Inside the key information, or beside the data and referred to from there (Okta).
    let mut keys = parts.many(ENCRYPTION, "EncryptedKey");
    parts.end()?;
    let beside: Vec<&str> = keys.iter().filter_map(|key| key.attribute("Id")).collect();

    let mut parts = Children::of(data, &["Id", "Type", "MimeType", "Encoding"])?;
    if data.attribute("Type").is_some_and(|kind| kind != ELEMENT) {
        return Err(bad_value(data, "Type").into());
    }
    let method = parts.required(ENCRYPTION, "EncryptionMethod")?;
    let info = parts.optional(SIGNATURE, "KeyInfo");
    let value = parts.required(ENCRYPTION, "CipherData")?;
    parts.end()?;
    let algorithm = algorithm_of(method)?;
    let cipher = DataCipher::of(algorithm)
        .ok_or_else(|| EncryptionError::Algorithm(algorithm.to_owned()))?;
    if let Some(info) = info {
        keys.extend(key_info(info, &beside)?);
    }
    if !(1..=MAXIMUM_RECIPIENTS).contains(&keys.len()) {
        return Err(EncryptionError::Recipients(keys.len()));
    }
    Ok(Sealed {
        cipher,
        data: cipher_value(value)?,
        recipients: keys.into_iter().map(recipient).collect::<Result<_, _>>()?,
    })
}

/// The keys that the key information of the data holds. A reference is compared with the keys
/// beside the data, and never followed anywhere.
fn key_info<'d>(info: Element<'d>, beside: &[&str]) -> Result<Vec<Element<'d>>, EncryptionError> {
    let mut parts = Children::of(info, &["Id"])?;
    let mut keys = Vec::new();
    while let Some(child) = parts.any() {
        if child.is(ENCRYPTION, "EncryptedKey") {
            keys.push(child);
        } else if child.is(SIGNATURE, "RetrievalMethod") {
            Children::of(child, &["URI", "Type"])?.end()?;
            let named = required(child, "URI")?.strip_prefix('#');
            let known = named.is_some_and(|id| beside.contains(&id));
            if !known || child.attribute("Type").is_some_and(|kind| kind != ENCRYPTED_KEY) {
                return Err(EncryptionError::Reference);
            }
        } else if child.is(SIGNATURE, "KeyName") {
            leaf(child, &[])?;
        } else {
            return Err(parts.unexpected(child).into());
        }
    }
    Ok(keys)
}

fn recipient(key: Element<'_>) -> Result<Recipient, EncryptionError> {
    let mut parts = Children::of(key, &["Id", "Type", "MimeType", "Encoding", "Recipient"])?;
    let method = parts.required(ENCRYPTION, "EncryptionMethod")?;
    let info = parts.optional(SIGNATURE, "KeyInfo");
    let value = parts.required(ENCRYPTION, "CipherData")?;
    let used_for = parts.optional(ENCRYPTION, "ReferenceList");
    let name = parts.optional(ENCRYPTION, "CarriedKeyName");
    parts.end()?;
    let oaep = oaep(method)?;
    // Hints for whom it is. Nothing of them is believed: our keys are simply tried.
    if let Some(info) = info {
        check_key_info(info)?;
    }
    if let Some(used_for) = used_for {
        let mut parts = Children::of(used_for, &[])?;
        for reference in parts.many(ENCRYPTION, "DataReference") {
            Children::of(reference, &["URI"])?.end()?;
            if !required(reference, "URI")?.starts_with('#') {
                return Err(EncryptionError::Reference);
            }
        }
        parts.end()?;
    }
    name.map(|name| leaf(name, &[])).transpose()?;
    Ok(Recipient { oaep, sealed: cipher_value(value)? })
}

fn oaep(method: Element<'_>) -> Result<Oaep, EncryptionError> {
    let algorithm = required(method, "Algorithm")?;
    if ![RSA_OAEP, RSA_OAEP_11].contains(&algorithm) {
        return Err(EncryptionError::KeyAlgorithm(algorithm.to_owned()));
    }
    let (mut digest, mut mask) = (None, None);
    let mut parts = Children::of(method, &["Algorithm"])?;
    while let Some(child) = parts.any() {
        let (slot, known): (_, &[Named]) = if child.is(SIGNATURE, "DigestMethod") {
            (&mut digest, DIGESTS)
        } else if algorithm == RSA_OAEP_11 && child.is(ENCRYPTION_11, "MGF") {
            (&mut mask, MASKS)
        } else {
            return Err(parts.unexpected(child).into());
        };
        let uri = algorithm_of(child)?;
        let found = known.iter().find(|(known, _)| *known == uri);
        let (_, found) = found.ok_or_else(|| EncryptionError::Digest(uri.to_owned()))?;
        if slot.replace(found()).is_some() {
            return Err(parts.unexpected(child).into());
        }
    }
    // XML Encryption 1.1 §5.5.2: SHA-1 where nothing is said. OAEP does not rest on collisions.
    let usual = MessageDigest::sha1();
    Ok(Oaep { digest: digest.unwrap_or(usual), mask: mask.unwrap_or(usual) })
}

/// A hash function by its identifier.
type Named = (&'static str, fn() -> MessageDigest);

const DIGESTS: &[Named] = &[
    ("http://www.w3.org/2000/09/xmldsig#sha1", MessageDigest::sha1),
    ("http://www.w3.org/2001/04/xmlenc#sha256", MessageDigest::sha256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", MessageDigest::sha384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", MessageDigest::sha512),
];
const MASKS: &[Named] = &[
    ("http://www.w3.org/2009/xmlenc11#mgf1sha1", MessageDigest::sha1),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha256", MessageDigest::sha256),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha384", MessageDigest::sha384),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha512", MessageDigest::sha512),
];

/// The `Algorithm` of an element that holds nothing.
fn algorithm_of(method: Element<'_>) -> Result<&str, ShapeError> {
    Children::of(method, &["Algorithm"])?.end()?;
    required(method, "Algorithm")
}

/// The bytes themselves; a reference to where they are is no child we know.
fn cipher_value(data: Element<'_>) -> Result<Vec<u8>, EncryptionError> {
    let mut parts = Children::of(data, &[])?;
    let value = parts.required(ENCRYPTION, "CipherValue")?;
    parts.end()?;
    encoding::decode(leaf(value, &[])?).map_err(|_| EncryptionError::Base64)
}
