//! Encrypts as anybody can who has our certificates.

use openssl::pkey::{PKeyRef, Public};
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt_aead};

use crate::saml::encoding;
use crate::saml::namespace::{ASSERTION, ENCRYPTION, SIGNATURE};

/// The key that the data is encrypted under.
pub const DATA_KEY: [u8; 32] = [1; 32];

/// A data key, encrypted for a key of ours: base64.
pub fn sealed(to: &PKeyRef<Public>, key: &[u8]) -> Option<String> {
    let rsa = to.rsa().ok()?;
    let mut sealed = vec![0; usize::try_from(rsa.size()).ok()?];
    let length = rsa.public_encrypt(key, &mut sealed, Padding::PKCS1_OAEP).ok()?;
    sealed.truncate(length);
    Some(encoding::encode(&sealed))
}

/// An `EncryptedAssertion` with this text and these encrypted keys.
pub fn closed(keys: &[&str], text: &[u8]) -> Option<String> {
    let (nonce, mut tag) = ([3; 12], [0; 16]);
    let cipher = Cipher::aes_256_gcm();
    let data = encrypt_aead(cipher, &DATA_KEY, Some(&nonce), &[], text, &mut tag).ok()?;
    let data = encoding::encode(&[&nonce[..], &data, &tag].concat());
    let value =
        |it: &str| format!("<e:CipherData><e:CipherValue>{it}</e:CipherValue></e:CipherData>");
    let mut written = String::new();
    for key in keys {
        written.push_str(
            "<e:EncryptedKey><e:EncryptionMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>",
        );
        written.push_str(&value(key));
        written.push_str("</e:EncryptedKey>");
    }
    Some(format!(
        "<saml:EncryptedAssertion xmlns:saml=\"{ASSERTION}\" xmlns:e=\"{ENCRYPTION}\">\
         <e:EncryptedData><e:EncryptionMethod \
         Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/><ds:KeyInfo \
         xmlns:ds=\"{SIGNATURE}\">{written}</ds:KeyInfo>{}</e:EncryptedData>\
         </saml:EncryptedAssertion>",
        value(&data),
    ))
}
