//! Certificates and keys. Identity providers are trusted by key, not by chain
//! (SAML2int): a certificate is a container for a key plus facts to show.

use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::encrypt::Decrypter;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::x509::{X509, X509NameRef};

use super::encoding;

/// RSA keys below this are refused (bits).
pub const MINIMUM_RSA_BITS: u32 = 2048;
/// RSA keys above this are refused: they only cost time (bits).
pub const MAXIMUM_RSA_BITS: u32 = 8192;

/// Why a certificate or key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not a certificate in PEM, base64 or DER.
    #[error("not an X.509 certificate")]
    Malformed,
    /// More than one certificate in one text.
    #[error("more than one certificate")]
    SeveralCertificates,
    /// An RSA key of too few bits (SAML.md §7).
    #[error("the RSA key has {bits} bits; at least 2048 are needed")]
    WeakKey {
        /// Its length.
        bits: u32,
    },
    /// Not RSA of 2048 to 8192 bits, nor ECDSA on P-256, P-384 or P-521.
    #[error("the key type is not supported")]
    UnsupportedKey,
    /// A private key that cannot be read.
    #[error("not a private key")]
    MalformedKey,
    /// The private key belongs to another certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<openssl::error::ErrorStack> for CertificateError {
    fn from(_: openssl::error::ErrorStack) -> Self {
        Self::Library
    }
}

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with this many bits.
    Rsa(u32),
    /// ECDSA on a NIST curve whose coordinates have this many bytes.
    Ecdsa(Curve),
}

/// The curves we verify on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// Bytes of one coordinate; a signature has two.
    pub fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ecdsa(Curve::P256) => f.write_str("ECDSA P-256"),
            Self::Ecdsa(Curve::P384) => f.write_str("ECDSA P-384"),
            Self::Ecdsa(Curve::P521) => f.write_str("ECDSA P-521"),
        }
    }
}

/// What to show of a certificate (SSO-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Serial number in lower-case hexadecimal.
    pub serial: String,
    /// Who issued it, as `CN=…, O=…`.
    pub issuer: String,
    /// Whom it names, as `CN=…, O=…`.
    pub subject: String,
    /// X.509 version, 1 to 3.
    pub version: i32,
    /// The algorithm its issuer signed with, such as `sha256WithRSAEncryption`.
    pub signature_algorithm: String,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity. A passed end warns and does not block.
    pub not_after: Timestamp,
    /// SHA-256 over the DER form, lower-case hexadecimal.
    pub fingerprint: String,
    /// The public key's kind.
    pub key: KeyKind,
}

/// A certificate whose key is strong enough to verify with.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    key: PKey<Public>,
    facts: CertificateFacts,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.facts.fingerprint)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Certificate {
    /// Reads DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let x509 = X509::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let key = x509.public_key().map_err(|_| CertificateError::UnsupportedKey)?;
        let kind = key_kind(&key)?;
        // Written again, so that bytes after the structure cannot tell two copies apart.
        let der = x509.to_der()?;
        let facts = facts(&x509, &der, kind)?;
        Ok(Self { der, key, facts })
    }

    /// Reads the base64 of DER, as metadata carries it.
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        Self::from_der(&encoding::decode(text).map_err(|_| CertificateError::Malformed)?)
    }

    /// Reads what people upload as one certificate: PEM, its bare base64, or DER.
    pub fn from_file(bytes: &[u8]) -> Result<Self, CertificateError> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let Ok(text) = str::from_utf8(bytes) else { return Self::from_der(bytes) };
        let Some((_, after)) = text.split_once(BEGIN) else {
            return Self::from_base64(text);
        };
        let (body, rest) = after.split_once(END).ok_or(CertificateError::Malformed)?;
        if rest.contains(BEGIN) {
            return Err(CertificateError::SeveralCertificates);
        }
        Self::from_base64(body)
    }

    /// Reads PEM.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        Self::from_file(pem.as_bytes())
    }

    /// The DER form.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The base64 of DER in one line, as metadata and `KeyInfo` carry it.
    pub fn base64(&self) -> String {
        encoding::encode(&self.der)
    }

    /// The PEM form.
    pub fn pem(&self) -> String {
        let base64 = self.base64();
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (index, character) in base64.char_indices() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }

    /// What to show of it.
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// The key to verify with.
    pub fn key(&self) -> &PKeyRef<Public> {
        &self.key
    }
}

/// SHA-256 of the bytes in lower-case hexadecimal.
pub fn fingerprint(der: &[u8]) -> String {
    hex(&openssl::sha::sha256(der))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn key_kind(key: &PKeyRef<Public>) -> Result<KeyKind, CertificateError> {
    match key.id() {
        Id::RSA => {
            let bits = key.bits();
            if bits < MINIMUM_RSA_BITS {
                return Err(CertificateError::WeakKey { bits });
            }
            let rsa = key.rsa()?;
            let three = BigNum::from_u32(3)?;
            // Exponent 1 accepts every signature.
            if bits > MAXIMUM_RSA_BITS || rsa.e() < &three || !rsa.e().is_bit_set(0) {
                return Err(CertificateError::UnsupportedKey);
            }
            Ok(KeyKind::Rsa(bits))
        }
        Id::EC => match key.ec_key()?.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1) => Ok(KeyKind::Ecdsa(Curve::P256)),
            Some(Nid::SECP384R1) => Ok(KeyKind::Ecdsa(Curve::P384)),
            Some(Nid::SECP521R1) => Ok(KeyKind::Ecdsa(Curve::P521)),
            _ => Err(CertificateError::UnsupportedKey),
        },
        _ => Err(CertificateError::UnsupportedKey),
    }
}

fn facts(x509: &X509, der: &[u8], key: KeyKind) -> Result<CertificateFacts, CertificateError> {
    let algorithm = x509.signature_algorithm().object();
    let signature_algorithm =
        algorithm.nid().long_name().map_or_else(|_| algorithm.to_string(), str::to_owned);
    let serial = x509.serial_number().to_bn()?;
    Ok(CertificateFacts {
        serial: hex(&serial.to_vec()),
        issuer: name(x509.issuer_name()),
        subject: name(x509.subject_name()),
        version: x509.version().saturating_add(1),
        signature_algorithm,
        not_before: timestamp(x509.not_before())?,
        not_after: timestamp(x509.not_after())?,
        fingerprint: fingerprint(der),
        key,
    })
}

fn name(name: &X509NameRef) -> String {
    let entries = name.entries().map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?");
        let value = entry.data().to_string().unwrap_or_default();
        format!("{key}={value}")
    });
    entries.collect::<Vec<_>>().join(", ")
}

fn timestamp(time: &Asn1TimeRef) -> Result<Timestamp, CertificateError> {
    let epoch = Asn1Time::from_unix(0)?;
    let passed = epoch.diff(time).map_err(|_| CertificateError::Malformed)?;
    Timestamp::from_second(i64::from(passed.days) * 86_400 + i64::from(passed.secs))
        .map_err(|_| CertificateError::Malformed)
}

/// A private RSA key and its certificate, to sign with.
#[derive(Clone)]
pub struct SigningKey {
    key: PKey<Private>,
    certificate: Certificate,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Joins a private key in PEM (PKCS #8 or PKCS #1) and its certificate.
    pub fn from_pem(private_key: &str, certificate: &str) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = PKey::private_key_from_pem(private_key.as_bytes())
            .map_err(|_| CertificateError::MalformedKey)?;
        if key.id() != Id::RSA {
            return Err(CertificateError::UnsupportedKey);
        }
        if !certificate.key.public_eq(&key) {
            return Err(CertificateError::KeyMismatch);
        }
        Ok(Self { key, certificate })
    }

    /// The certificate to publish.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The private key in PKCS #8 PEM, to be sealed at once.
    pub fn private_key_pem(&self) -> Result<zeroize::Zeroizing<String>, CertificateError> {
        let pem = zeroize::Zeroizing::new(self.key.private_key_to_pem_pkcs8()?);
        let text = str::from_utf8(&pem).map_err(|_| CertificateError::Library)?;
        Ok(zeroize::Zeroizing::new(text.to_owned()))
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    pub fn sign_rsa_sha256(&self, bytes: &[u8]) -> Result<Vec<u8>, CertificateError> {
        let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &self.key)?;
        Ok(signer.sign_oneshot_to_vec(bytes)?)
    }

    /// Opens a short secret that was closed with RSA-OAEP. `None` says that it does not open, and
    /// not why; the library takes the same time for every reason.
    pub(super) fn open_oaep(
        &self,
        sealed: &[u8],
        digest: MessageDigest,
        mask: MessageDigest,
    ) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        if sealed.len() != self.key.size() {
            return None;
        }
        let mut decrypter = Decrypter::new(&self.key).ok()?;
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
        decrypter.set_rsa_oaep_md(digest).ok()?;
        decrypter.set_rsa_mgf1_md(mask).ok()?;
        let mut opened = zeroize::Zeroizing::new(vec![0; decrypter.decrypt_len(sealed).ok()?]);
        let length = decrypter.decrypt(sealed, &mut opened).ok()?;
        opened.truncate(length);
        Some(opened)
    }

    /// Makes an RSA-2048 key and a self-signed certificate of ten years for it.
    ///
    /// `serial` becomes the serial number, made positive (RFC 5280 §4.1.2.2);
    /// give it 16 random bytes. Slow (hundreds of milliseconds): never inside a
    /// write transaction, nor on an async thread.
    pub fn generate(
        common_name: &str,
        now: Timestamp,
        serial: [u8; 16],
    ) -> Result<Self, CertificateError> {
        let key = PKey::from_rsa(Rsa::generate(MINIMUM_RSA_BITS)?)?;
        let mut name = openssl::x509::X509Name::builder()?;
        // X.520 allows 64 characters.
        let common_name: String = common_name.chars().take(64).collect();
        name.append_entry_by_nid(Nid::COMMONNAME, &common_name)?;
        let name = name.build();
        let mut serial = serial;
        serial[0] = (serial[0] & 0x7f) | 0x40;
        let serial = BigNum::from_slice(&serial)?.to_asn1_integer()?;
        let begins = Asn1Time::from_unix(now.as_second() - 3600)?;
        let ends = Asn1Time::from_unix(now.as_second() + 10 * 365 * 86_400)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&serial)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_not_before(&begins)?;
        builder.set_not_after(&ends)?;
        builder.set_pubkey(&key)?;
        builder.sign(&key, MessageDigest::sha256())?;
        let certificate = Certificate::from_der(&builder.build().to_der()?)?;
        Ok(Self { key, certificate })
    }
}
