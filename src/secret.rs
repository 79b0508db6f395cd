//! Random tokens, hashes, and secrets sealed at rest. Chance is made here and nowhere else.

pub mod jwt;

use base64::{Engine, engine::general_purpose};
use openssl::{
    rand::rand_bytes,
    symm::{Cipher, decrypt_aead, encrypt_aead},
};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// A failure to make or to open a secret. Says nothing of the secret itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The master key is not 32 bytes in base64.
    #[error("the master key must be 32 bytes in base64")]
    MasterKey,
    /// The sealed bytes were not made with this master key for this purpose.
    #[error("a sealed secret cannot be opened with this master key")]
    Open,
    /// OpenSSL failed.
    #[error("openssl failed")]
    OpenSsl(#[from] openssl::error::ErrorStack),
}

/// Seals secrets with the master key (AES-256-GCM) and opens them again.
#[derive(Clone)]
pub struct Sealer {
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// Out of the setting `master_key`: 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let bytes = Zeroizing::new(
            general_purpose::STANDARD.decode(text.trim()).map_err(|_| Error::MasterKey)?,
        );
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Error::MasterKey)?;
        Ok(Self { key: Zeroizing::new(key) })
    }

    /// A fresh master key in base64.
    pub fn new_master_key() -> Result<String, Error> {
        Ok(general_purpose::STANDARD.encode(random::<32>()?))
    }

    /// Seals `secret`. The `purpose` says what and whose it is; opening needs the same words, so
    /// that a sealed secret cannot be moved to another row.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random::<NONCE_BYTES>()?;
        let mut tag = [0; TAG_BYTES];
        let cipher = Cipher::aes_256_gcm();
        let sealed =
            encrypt_aead(cipher, &*self.key, Some(&nonce), purpose.as_bytes(), secret, &mut tag)?;
        Ok([&nonce[..], &tag[..], &sealed[..]].concat())
    }

    /// Opens what [`Sealer::seal`] made for the same `purpose`.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES).ok_or(Error::Open)?;
        let (tag, sealed) = rest.split_at_checked(TAG_BYTES).ok_or(Error::Open)?;
        let cipher = Cipher::aes_256_gcm();
        decrypt_aead(cipher, &*self.key, Some(nonce), purpose.as_bytes(), sealed, tag)
            .map(Zeroizing::new)
            .map_err(|_| Error::Open)
    }

    /// A key of its own for one purpose: HMAC-SHA256 of the purpose under the master key.
    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
        Ok(Zeroizing::new(hmac_sha256(&*self.key, purpose.as_bytes())?))
    }
}

/// HMAC-SHA256.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Result<[u8; 32], Error> {
    let key = openssl::pkey::PKey::hmac(key)?;
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key)?;
    let mut mac = [0; 32];
    signer.sign_oneshot(&mut mac, message)?;
    Ok(mac)
}

/// `N` random bytes.
#[expect(clippy::disallowed_methods, reason = "the one place that makes chance")]
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand_bytes(&mut bytes)?;
    Ok(bytes)
}

/// A random token of `N` bytes in URL-safe base64.
pub fn random_token<const N: usize>() -> Result<String, Error> {
    Ok(general_purpose::URL_SAFE_NO_PAD.encode(random::<N>()?))
}

/// `count` random characters that nobody confuses when reading them aloud: a password or a name
/// part. Each one is worth five bits.
pub fn random_readable<const N: usize>() -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    Ok(random::<N>()?
        .iter()
        .map(|byte| match ALPHABET[usize::from(byte & 31)] {
            b'-' => 'Z',
            letter => char::from(letter),
        })
        .collect())
}

/// `N` random letters and digits: the alphabet of cloud API keys.
pub fn random_alphanumeric<const N: usize>() -> Result<String, Error> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789Ab";
    Ok(random::<N>()?.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect())
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compares without telling by its time where two secrets differ.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_for_its_purpose_and_key() {
        let sealer = Sealer::from_base64(&Sealer::new_master_key().unwrap()).unwrap();
        let other = Sealer::from_base64(&Sealer::new_master_key().unwrap()).unwrap();
        let sealed = sealer.seal("sp key z-1", b"secret").unwrap();
        assert_eq!(&**sealer.open("sp key z-1", &sealed).unwrap(), b"secret");
        assert!(matches!(sealer.open("sp key z-2", &sealed), Err(Error::Open)));
        assert!(matches!(other.open("sp key z-1", &sealed), Err(Error::Open)));
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert!(matches!(sealer.open("sp key z-1", &broken), Err(Error::Open)), "byte {at}");
        }
        assert!(matches!(sealer.open("sp key z-1", &sealed[..10]), Err(Error::Open)));
    }

    #[test]
    fn a_master_key_has_32_bytes() {
        assert!(matches!(Sealer::from_base64("c2hvcnQ="), Err(Error::MasterKey)));
        assert!(matches!(Sealer::from_base64("not base64"), Err(Error::MasterKey)));
    }
}
