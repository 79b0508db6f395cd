//! HMAC-SHA256 for JSON Web Tokens.
//!
//! `jsonwebtoken` is built without cryptography of its own; HMAC comes from OpenSSL here.

use jsonwebtoken::{
    Algorithm,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::ErrorKind,
    signature::{self, Signer, Verifier},
};
use zeroize::Zeroizing;

use super::{Error, constant_time_eq, hmac_sha256};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hmac::new(key.as_bytes()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hmac::new(key.try_get_as_bytes()?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs the provider for the process; again is all right.
pub fn install() {
    let _ = PROVIDER.install_default();
}

/// HMAC-SHA256 under one key.
struct Hmac(Zeroizing<Vec<u8>>);

impl Hmac {
    fn new(key: &[u8]) -> Self {
        Self(Zeroizing::new(key.to_vec()))
    }
}

fn failed(error: Error) -> signature::Error {
    signature::Error::from_source(error)
}

impl Signer<Vec<u8>> for Hmac {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        hmac_sha256(&self.0, message).map(|mac| mac.to_vec()).map_err(failed)
    }
}

impl Verifier<Vec<u8>> for Hmac {
    fn verify(&self, message: &[u8], mac: &Vec<u8>) -> Result<(), signature::Error> {
        let wanted = hmac_sha256(&self.0, message).map_err(failed)?;
        if constant_time_eq(&wanted, mac) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtSigner for Hmac {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hmac {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
